/*
 * One record as the store takes it, and why the store did not.
 */
#ifndef SVCKIT_REGISTRY_RECORD_PUT_H
#define SVCKIT_REGISTRY_RECORD_PUT_H

#include <sys/types.h>

#include "line/error.h"
#include "line/instance.h"
#include "registry/handle.h"
#include "store/store.h"

/* The value is one line: cat(1) of many records is NDJSON. */
struct record_put {
	struct store_put put;
	char key[REGISTRY_KEY_SIZE];
	char *value;
	uid_t owner;
};

/*
 * Makes the put of an instance's record: only over a record of the caller's
 * own, soft for a ttl, else durable.  put points into record, which must stay
 * where it is.  0, -1; only after 0 it needs release.
 */
int record_put_init(struct record_put *record, const struct instance *instance,
    struct svc_error *error);
void record_put_release(struct record_put *record);

/* Says in the registry's words why the store refused to put an instance under
 * key: who holds it, who owns it, or that its service does not exist. */
void record_put_explain(struct registry *registry,
    const struct instance *instance, const char *key, struct svc_error *error);

#endif
