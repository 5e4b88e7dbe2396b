/*
 * The instances that a file or pipe lists, one instance line each
 * (instance-line(5)).
 */
#ifndef SVCKIT_SCHED_INSTANCE_READER_H
#define SVCKIT_SCHED_INSTANCE_READER_H

#include <stddef.h>

#include "line/error.h"
#include "line/instance.h"
#include "line/reader.h"
#include "line/selector.h"

/* The longest instance line: a record and what was observed. */
#define INSTANCE_READER_LINE_MAX (2 * INSTANCE_RECORD_MAX)

struct instance_reader {
	struct instance *items; /* owned; sorted by service and id */
	size_t count;
	size_t skipped; /* lines that are no instance, or stand twice */
	size_t left_out; /* by the selector */
};

/*
 * Reads to the end.  A line that is no instance, or names one that stood
 * before, is told to warn ("stdin:17: ...") and not used; nor is one that
 * selector (NULL: any) does not match.  -1: EX_IOERR, EX_OSERR.
 */
int instance_reader_read(struct instance_reader *roster, struct reader *reader,
    const struct selector *selector,
    void (*warn)(void *argument, const struct svc_error *error), void *argument,
    struct svc_error *error);
void instance_reader_release(struct instance_reader *roster);

#endif
