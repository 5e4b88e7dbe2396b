/*
 * Why a registry has nobody to call.
 */
#ifndef SVCKIT_NET_CALL_WHY_H
#define SVCKIT_NET_CALL_WHY_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/selector.h"
#include "net/call_watch.h"
#include "registry/registry.h"

/* How many of list get work; those that selector (or NULL) leaves in. */
size_t call_available(
    const struct selector *selector, const struct instance_list *list);

/*
 * Appends the sentence that says why registry (NULL: there is none) has no
 * instance of service to call: query_why(), or options' empty().  false, and
 * nothing is appended: it has one.
 */
bool call_why(struct registry *registry,
    const struct call_watch_options *options, const char *service,
    struct buffer *out);

#endif
