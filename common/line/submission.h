/*
 * The line that is stored of a task that is put into a queue.
 *
 * There is one way to write it, so that the same task is the same bytes: "id"
 * first, then the members of the line in their order and with their bytes,
 * without the space between them, then what options say that the line does not:
 *
 *	{"id":"t1","task":{"page": 7},"group":"alice","service":"render"}
 */
#ifndef SVCKIT_LINE_SUBMISSION_H
#define SVCKIT_LINE_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/task.h"

/* What counts where the line does not say it.  Strings are borrowed. */
struct submission_options {
	const char *id; /* or NULL: as the envelope has it */
	bool unique; /* or one that its content makes */
	const char *service; /* or NULL */
	bool has_priority;
	double priority; /* finite */
	const char *const *after; /* ids */
	size_t after_count;
	int64_t not_before; /* ms since 1970; 0: not said */
	int64_t deadline; /* the same */
	int retries; /* -1: not said */
};

/*
 * Appends the line of a READY envelope that was not turned, LF included, and
 * copies its id, which is the line's if it has one.
 *
 * unique: the id is "u-" and the first 32 hexadecimal digits of the SHA-256 of
 * what is stored without it ({"task":...}, no LF).
 */
void submission_write(const struct envelope *envelope,
    const struct submission_options *options, struct buffer *out,
    char id[NAME_MAX_LENGTH + 1]);

#endif
