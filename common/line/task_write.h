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
 * appends.  Who appends a result says ENVELOPE_RESULT_DROP, and then calls
 * envelope_append_encoding(): what "encoding" told of the task it tells of the
 * result from there on.
 */
void envelope_begin(
    const struct envelope *envelope, struct buffer *out, unsigned long drop);

/*
 * The same in the memory that the line lies in, for lines of which there should
 * not be two: line, that memory, becomes what is written so far, and none of
 * the envelope's spans may be used any more.  (Of text, the memory is the
 * envelope's, and line gets it.)  false, and nothing has changed: it was
 * turned, which moves too much about.  Out of memory: line->failed.
 */
bool envelope_begin_inside(
    struct envelope *envelope, struct buffer *line, unsigned long drop);

/* Appends ,"task_encoding":"base64" where the task is a string of that. */
void envelope_append_encoding(
    const struct envelope *envelope, struct buffer *out);

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
