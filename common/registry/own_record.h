/*
 * A record that this process wrote under a ttl: whether it still stands in the
 * registry, and written again if it does.
 *
 * What was written is known again by its bytes as struct instance has them,
 * less what is observed: with another load it is the same record.
 */
#ifndef SVCKIT_REGISTRY_OWN_RECORD_H
#define SVCKIT_REGISTRY_OWN_RECORD_H

#include <stddef.h>

#include "line/error.h"
#include "line/json.h"
#include "store/store.h"

struct registry;

/* Whether it stands under key, and is the caller's: 1 and its revision; 0: it
 * was removed or replaced; -1. */
int own_record_stands(struct registry *registry, const char *key,
    struct json_span record, struct store_revision *revision,
    struct svc_error *error);

/* Puts value, a line with LF, in its place, soft: 1; 0: it does not stand there
 * any more, and nothing was written; -1. */
int own_record_replace(struct registry *registry, const char *key,
    struct json_span record, const char *value, size_t length,
    struct svc_error *error);

#endif
