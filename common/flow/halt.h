/*
 * When a run stops before its end: --halt soon|now,fail|success|done=N|N%.
 *
 * soon: nothing new is started, what runs ends; now: what runs is cancelled,
 * too.  N counts tasks that have ended so; without "=N" it is 1.  N% is of all
 * tasks where they are known.  Else it is of those that have ended, of which
 * there must be three at least, as GNU parallel has it; but done=N%, which all
 * of them are, is then never reached.
 */
#ifndef SVCKIT_FLOW_HALT_H
#define SVCKIT_FLOW_HALT_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"

/* All zero: never. */
struct halt {
	enum { HALT_NEVER, HALT_SOON, HALT_NOW } how;
	enum { HALT_FAIL, HALT_SUCCESS, HALT_DONE } on;
	size_t count; /* 0: part */
	double part; /* above 0, up to 1 */
};

/* "never" too.  EX_USAGE, and *halt is as before. */
int halt_parse(struct halt *halt, const char *text, struct svc_error *error);

/* total: 0 where it is not known. */
bool halt_reached(
    const struct halt *halt, size_t ok, size_t failed, size_t total);

/* "2 tasks have failed (--halt soon,fail=2)", for the lines of the others. */
void halt_describe(
    const struct halt *halt, size_t ok, size_t failed, char *text, size_t size);

#endif
