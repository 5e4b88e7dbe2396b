/*
 * The rule of panic: when so much of a service fails at once that the fault is
 * more likely the prober's, the network's or the clock's, nobody should send
 * everything to the few that are left (Envoy calls it the panic threshold).
 *
 * Pure: the caller counts, and knows the time.
 */
#ifndef SVCKIT_NET_PANIC_H
#define SVCKIT_NET_PANIC_H

#include <stdbool.h>
#include <stddef.h>

#include "registry/health.h"

#define PANIC_LEAST 2 /* so many must fail at once: one alone may simply fail */

/* The instances of one service that do not drain. */
struct panic_tally {
	size_t working; /* passing or warning, or without a check */
	size_t critical;
	size_t turned; /* of those: from working, within one interval */
	size_t living; /* with a ttl that has not run out */
	size_t lapsed; /* whose ttl ran out after the clock jumped */
	bool doubt; /* the clock has jumped, within one interval */
};

struct panic {
	bool critical;
	bool expired;
};

/*
 * What holds after tally, percent being the share that must be exceeded (0:
 * never a panic).  Begins when more than it turned critical, of those that
 * worked before, or lapsed while the clock is in doubt; ends when no more than
 * it is critical, or lapsed.
 */
struct panic panic_next(
    struct panic panic, double percent, const struct panic_tally *tally);

/* What the health file says of it: expired serves all that critical does. */
enum health_panic panic_mark(struct panic panic);

#endif
