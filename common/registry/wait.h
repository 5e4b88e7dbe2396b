/*
 * Waiting for the registry to be in a state, without polling: a loop over a
 * view (registry/view.h).
 */
#ifndef SVCKIT_REGISTRY_WAIT_H
#define SVCKIT_REGISTRY_WAIT_H

#include "line/error.h"
#include "registry/registry.h"

/*
 * Looks at service (NULL: all) now and after each change until enough() returns
 * 1 for the list (-1 ends the wait as an error, without a message); the list of
 * the last look replaces what was in list, also on failure.  timeout in
 * seconds, negative: for ever.  1: enough; 0: the timeout ran out; -1: error,
 * EX_TEMPFAIL with errno EINTR when a signal was caught.
 */
int registry_wait(struct registry *registry, const char *service,
    int (*enough)(void *argument, const struct instance_list *list),
    void *argument, double timeout, struct instance_list *list,
    struct svc_error *error);

#endif
