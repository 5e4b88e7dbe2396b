/* Who of the claimants is alive: claimant.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/json.h"
#include "registry/claimant.h"

#define DIRECTORY  "tasks/claimants"
#define RECORD_MAX 4096

struct peer {
	char name[NAME_MAX_LENGTH + 1];
	double ttl; /* 0: a lock */
	int64_t heartbeat;
	double since; /* monotonic: this heartbeat was seen first */
	bool alive;
	bool seen; /* by this look */
	struct store_revision revision;
};

struct claimants {
	struct store *store;
	struct peer *peers;
	size_t count;
	size_t capacity;
};

int
claimants_open(
    struct claimants **result, struct store *store, struct svc_error *error)
{
	struct claimants *claimants = calloc(1, sizeof(*claimants));

	*result = claimants;
	if (claimants == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	claimants->store = store;
	return 0;
}

void
claimants_close(struct claimants *claimants)
{
	if (claimants == NULL)
		return;
	free(claimants->peers);
	free(claimants);
}

static struct peer *
find(const struct claimants *claimants, const char *name)
{
	size_t i;

	for (i = 0; i < claimants->count; i++)
		if (strcmp(claimants->peers[i].name, name) == 0)
			return &claimants->peers[i];
	return NULL;
}

static struct peer *
add(struct claimants *claimants, const char *name)
{
	size_t wanted = claimants->capacity == 0 ? 16 : 2 * claimants->capacity;
	struct peer *peers = claimants->peers;

	if (claimants->count == claimants->capacity) {
		peers = reallocarray(peers, wanted, sizeof(*peers));
		if (peers == NULL)
			return NULL;
		claimants->peers = peers;
		claimants->capacity = wanted;
	}
	peers += claimants->count++;
	memset(peers, 0, sizeof(*peers));
	snprintf(peers->name, sizeof(peers->name), "%s", name);
	return peers;
}

/* The ttl that a record says; 0: it has a lock, or says nothing sensible. */
static double
read_ttl(const struct store_entry *entry)
{
	const struct json_span text = {entry->value, entry->length};
	struct json_value value;
	double ttl;

	if (json_path(text, "ttl", &value) != 1 || value.type != JSON_NUMBER)
		return 0;
	ttl = json_number(&value);
	return isfinite(ttl) && ttl > 0 ? ttl : 0;
}

/* The name of a record's key; NULL: it is none. */
static const char *
name_of(const char *key)
{
	const char *name = key + strlen(DIRECTORY) + 1;

	return name_valid(name, strlen(name)) ? name : NULL;
}

static int
look_at(
    void *argument, const struct store_entry *entry, struct svc_error *error)
{
	struct claimants *claimants = argument;
	const char *name = name_of(entry->key);
	double now = time_monotonic();
	struct peer *peer;

	if (name == NULL)
		return 0;
	peer = find(claimants, name);
	if (peer == NULL) {
		peer = add(claimants, name);
		if (peer == NULL)
			return svc_error_set(error, EX_OSERR, "out of memory");
		peer->since = now;
	} else if (peer->heartbeat != entry->heartbeat) {
		peer->since = now;
	}
	peer->heartbeat = entry->heartbeat;
	peer->revision = entry->revision;
	peer->ttl = read_ttl(entry);
	peer->alive = peer->ttl > 0 ? now - peer->since <= peer->ttl
				    : store_entry_held(entry);
	peer->seen = true;
	return 0;
}

/* Forgets those whose record has gone; how long until one may turn out dead. */
static double
settle(struct claimants *claimants)
{
	double now = time_monotonic(), next = HUGE_VAL;
	struct peer *peer;
	size_t i = 0;

	while (i < claimants->count) {
		peer = &claimants->peers[i];
		if (!peer->seen) {
			*peer = claimants->peers[--claimants->count];
			continue;
		}
		if (peer->alive && peer->ttl > 0)
			next = fmin(next, peer->since + peer->ttl - now);
		i++;
	}
	return fmax(next, 0.001);
}

int
claimants_look(
    struct claimants *claimants, double *next, struct svc_error *error)
{
	const struct store_list list = {
	    .directory = DIRECTORY,
	    .suffix = "",
	    .limit = RECORD_MAX,
	    .entry = look_at,
	    .argument = claimants,
	};
	size_t i;

	for (i = 0; i < claimants->count; i++)
		claimants->peers[i].seen = false;
	*next = HUGE_VAL;
	if (store_list(claimants->store, &list, error) == -1)
		return -1;
	*next = settle(claimants);
	return 0;
}

bool
claimants_alive(const struct claimants *claimants, const char *name)
{
	const struct peer *peer = find(claimants, name);

	return peer != NULL && peer->alive;
}

int
claimants_dead(const struct claimants *claimants, const char *name,
    struct svc_error *error)
{
	const struct peer *peer = find(claimants, name);
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	char key[QUEUE_KEY_MAX];
	int status;

	if (peer != NULL)
		return !peer->alive;
	snprintf(key, sizeof(key), DIRECTORY "/%s", name);
	status = store_get(
	    claimants->store, key, RECORD_MAX, &scratch, &entry, error);
	/* Of a ttl only time will tell. */
	if (status == 1)
		status = read_ttl(&entry) <= 0 && !entry.held;
	else if (status == 0)
		status = 1;
	buffer_release(&scratch);
	return status;
}

size_t
claimants_count(const struct claimants *claimants)
{
	size_t i, count = 0;

	for (i = 0; i < claimants->count; i++)
		count += claimants->peers[i].alive;
	return count;
}

int
claimants_sweep(struct claimants *claimants, struct svc_error *error)
{
	const struct peer *peer;
	char key[QUEUE_KEY_MAX];
	size_t i;

	for (i = 0; i < claimants->count; i++) {
		peer = &claimants->peers[i];
		if (peer->alive)
			continue;
		snprintf(key, sizeof(key), DIRECTORY "/%s", peer->name);
		/* Not one that beats again, and not one that is locked. */
		if (store_delete(claimants->store, key, &peer->revision, true,
			error) == -1)
			return -1;
	}
	return 0;
}
