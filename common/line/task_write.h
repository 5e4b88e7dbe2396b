/*
 * Writing task lines: as they came, with more members, or failed.
 */
#ifndef SVCKIT_LINE_TASK_WRITE_H
#define SVCKIT_LINE_TASK_WRITE_H

#include <stdbool.h>

#include "line/buffer.h"
#include "line/task_failure.h"

struct envelope;

/* Writes the line of a PASS or INVALID, LF included. */
void envelope_copy(const struct envelope *envelope, struct buffer *out);

/*
 * Writes a READY line up to, but without, its closing brace: its members in
 * their order with their bytes, less those of drop (MEMBER_BITs).  What the
 * caller appends begins with a comma, and drop must name each member that it
 * appends.  Who appends a result drops MEMBER_ENCODING too: the one that stands
 * there describes the task, and result_append() writes the result's own.
 */
void envelope_begin(
    const struct envelope *envelope, struct buffer *out, unsigned long drop);

/*
 * The same in the memory that the line lies in, for lines of which there should
 * not be two: line, that memory, becomes what is written so far, and of the
 * envelope nothing is left to use.  (Of text, the memory is the envelope's, and
 * line gets it.)  false, and nothing has changed: it was turned, which moves
 * too much about.  Out of memory: line->failed.
 */
bool envelope_begin_inside(
    struct envelope *envelope, struct buffer *line, unsigned long drop);

/* The closing brace and LF. */
void envelope_end(struct buffer *out);

/*
 * Writes the whole line with "error" as failure says it, LF included; the
 * members that tell of an earlier attempt are dropped.  To append more (a
 * "why"), call envelope_begin() with ENVELOPE_FAIL_DROP and
 * task_failure_append() instead.
 */
void envelope_fail(const struct envelope *envelope, struct buffer *out,
    const struct task_failure *failure);

#endif
