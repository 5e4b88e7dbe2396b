/*
 * Inside svc-call: what has become of the lines so far.
 */
#ifndef SVCKIT_NET_CALL_TALLY_H
#define SVCKIT_NET_CALL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/call_item.h"

struct call_stats;

/* How far it has come. */
struct call_progress {
	uint64_t consumed; /* bytes of input */
	size_t taken; /* lines read */
	size_t done; /* of those, ended; failed ones among them */
	size_t failed;
	size_t cancelled; /* of those done, and not failed ones */
	size_t restored; /* of those done: by an earlier run */
	size_t running; /* requests */
	bool ended; /* there is no more input */
};

struct call_tally {
	size_t taken;
	size_t done;
	size_t failed; /* of those, tasks */
	size_t invalid; /* and lines */
	size_t cancelled; /* of those failed */
	struct call_stats *stats; /* borrowed; NULL: nobody asks */
};

/*
 * A line has ended as item; seconds after its first request was begun,
 * negative: it was not sent.
 */
void call_tally_add(struct call_tally *tally, const struct call_item *item,
    enum item_state state, double seconds);

/* Fills what it knows of. */
void call_tally_progress(
    const struct call_tally *tally, struct call_progress *progress);

#endif
