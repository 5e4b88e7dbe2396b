/*
 * The open registry, as its own modules see it.
 */
#ifndef SVCKIT_REGISTRY_HANDLE_H
#define SVCKIT_REGISTRY_HANDLE_H

#include <stdint.h>
#include <sys/types.h>

#include "line/units.h"
#include "registry/registry.h"

#define BOOT_ID_SIZE 40

/* Room for "services/", a service, "/", an id and a suffix. */
#define REGISTRY_KEY_SIZE (2 * NAME_MAX_LENGTH + 32)

struct registry {
	struct store *store;
	char *place;
	char boot[BOOT_ID_SIZE]; /* of this boot; "": not known */
	uid_t owner; /* of the registry itself */
	registry_warn_fn warn;
	void *warn_argument;
	uint64_t *warned; /* hashes of what was warned of */
	size_t warned_count;
	struct owner_name *owners; /* names of users, as they were asked */
	size_t owner_count;
	char swept[NAME_MAX_LENGTH + 1]; /* the service swept last */
};

/* "services/SERVICE/ID" and suffix; -1: a name that is none, EX_USAGE. */
int registry_key(char key[REGISTRY_KEY_SIZE], const char *service,
    const char *id, const char *suffix, struct svc_error *error);

/* The user's name, or the number in decimal; owned by the registry.  NULL
 * without memory. */
const char *registry_owner_name(struct registry *registry, uid_t uid);

/* Tells the warn function "key: why: skipped", the first time. */
void registry_warn(struct registry *registry, const char *key, const char *why);

#endif
