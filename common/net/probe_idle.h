/*
 * Waits until an instance has nothing to do, as after draining it.
 */
#ifndef SVCKIT_NET_PROBE_IDLE_H
#define SVCKIT_NET_PROBE_IDLE_H

#include "line/error.h"
#include "registry/registry.h"

/*
 * Asks the instance itself: GET of its check's path, else of /health, at its
 * address; "busy" in the answer is its load.  One that does not say it has the
 * load that a prober's fresh health tells.  An instance that is gone, dead, or
 * no longer listens is idle.
 *
 * timeout in seconds, negative: for ever.  1: idle; 0: the timeout ran out;
 * -1: EX_UNAVAILABLE when its load cannot be known, and others.
 */
int probe_idle_wait(struct registry *registry, const char *service,
    const char *id, double timeout, struct svc_error *error);

#endif
