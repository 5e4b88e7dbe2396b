/*
 * Instance lines, many, into a registry: the good ones are registered in
 * batches, each bad one is told with the number of its line.
 */
#ifndef SVCKIT_REGISTRY_BULK_H
#define SVCKIT_REGISTRY_BULK_H

#include <stdbool.h>

#include "line/error.h"
#include "line/reader.h"
#include "registry/registry.h"

struct bulk_options {
	bool dry_run; /* check, and tell what would be stored; write nothing */
	/* One that is stored, in the order of the lines; -1 stops. */
	int (*stored)(void *argument, const struct instance *instance,
	    struct svc_error *error);
	/* One that is not: "stdin:17: ..."; code is its EX_ value. */
	void (*refused)(void *argument, const struct svc_error *error);
	void *argument;
};

/*
 * Reads reader to its end, holding one batch of lines (about 8 MiB).  A lock
 * lease is refused: it needs a process that lives.  -1: the input cannot be
 * read, or stored() said so; lines that were refused are no error of the whole.
 */
int bulk_register(struct registry *registry, struct reader *reader,
    const struct bulk_options *options, struct svc_error *error);

#endif
