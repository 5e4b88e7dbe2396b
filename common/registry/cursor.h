/*
 * Round-robin cursors: what was chosen last, for each set of instances, shared
 * by all processes of one user.
 *
 * All cursors of a user stand under one lock, which is held for a buffer of
 * decisions and never across I/O on the caller's pipes.  cursors/UID/KEY holds
 * one id.
 *
 *	cursor_key("render", ids, count, key);
 *	if (cursor_load(set, key, id, &error) == -1)
 *		...
 *	(choose a few)
 *	if (cursor_store(set, key, id, &error) == -1 ||
 *	    cursor_set_commit(set, &error) == -1)
 *		...
 */
#ifndef SVCKIT_REGISTRY_CURSOR_H
#define SVCKIT_REGISTRY_CURSOR_H

#include <stddef.h>

#include "line/error.h"
#include "line/units.h"
#include "registry/registry.h"

struct cursor_set;

/* EX_NOPERM where the caller may not write cursors: it then has none. */
int cursor_set_open(struct cursor_set **set, struct registry *registry,
    struct svc_error *error);
/* Lets go of the lock; what was not committed is forgotten. */
void cursor_set_close(struct cursor_set *set);

/*
 * Takes the lock (once; further calls do nothing) and reads the cursor called
 * key into id ("" when there is none).
 */
int cursor_load(struct cursor_set *set, const char *key,
    char id[NAME_MAX_LENGTH + 1], struct svc_error *error);

/* Remembers id for key; written by cursor_set_commit(). */
int cursor_store(struct cursor_set *set, const char *key, const char *id,
    struct svc_error *error);

/* Writes what changed and lets go of the lock, also when it fails. */
int cursor_set_commit(struct cursor_set *set, struct svc_error *error);

/*
 * The key of a set of eligible ids (sorted, count of them) of service:
 * "SERVICE.HASH", HASH being 16 hexadecimal digits of SHA-256 over the ids,
 * each with a LF.
 */
void cursor_key(const char *service, const char *const *ids, size_t count,
    char key[2 * NAME_MAX_LENGTH]);

#endif
