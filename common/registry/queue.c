#include "registry/queue.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* So that the number fits; it is compared with QUEUE_CLAIMS_MAX then. */
#define CLAIMS_DIGITS 4

static const struct {
	const char *name;
	const char *directory;
} states[QUEUE_STATE_COUNT] = {
    [QUEUE_ABSENT] = {"absent", ""},
    [QUEUE_WAITING] = {"waiting", "tasks/new"},
    [QUEUE_HELD] = {"held", "tasks/held"},
    [QUEUE_RUNNING] = {"running", "tasks/running"},
    [QUEUE_DONE] = {"done", "tasks/done"},
    [QUEUE_FAILED] = {"failed", "tasks/failed"},
};

const char *
queue_state_name(enum queue_state state)
{
	return states[state].name;
}

enum queue_state
queue_state_find(const char *name)
{
	int state;

	for (state = QUEUE_WAITING; state < QUEUE_STATE_COUNT; state++)
		if (strcmp(states[state].name, name) == 0)
			return (enum queue_state)state;
	return QUEUE_ABSENT;
}

const char *
queue_directory(enum queue_state state)
{
	return states[state].directory;
}

static bool
is_ended(enum queue_state state)
{
	return (QUEUE_STATE_BIT(state) & QUEUE_STATES_ENDED) != 0;
}

void
queue_key(const struct queue_place *place, char key[QUEUE_KEY_MAX])
{
	const char *directory = states[place->state].directory;

	if (is_ended(place->state))
		snprintf(key, QUEUE_KEY_MAX, "%s/%s", directory, place->id);
	else if (place->state == QUEUE_RUNNING)
		snprintf(key, QUEUE_KEY_MAX, "%s/%s.%u@%s", directory,
		    place->id, place->claims, place->claimant);
	else
		snprintf(key, QUEUE_KEY_MAX, "%s/%s.%u", directory, place->id,
		    place->claims);
}

void
queue_id_key(const char *id, char key[QUEUE_KEY_MAX])
{
	snprintf(key, QUEUE_KEY_MAX, "tasks/ids/%s", id);
}

/* The state whose directory the key is in, and the name behind it; NULL. */
static const char *
find_directory(const char *key, enum queue_state *state)
{
	const char *name = strrchr(key, '/');
	size_t length;
	int i;

	if (name == NULL)
		return NULL;
	length = (size_t)(name - key);
	for (i = QUEUE_WAITING; i < QUEUE_STATE_COUNT; i++)
		if (strlen(states[i].directory) == length &&
		    memcmp(states[i].directory, key, length) == 0) {
			*state = (enum queue_state)i;
			return name + 1;
		}
	return NULL;
}

static bool
copy_name(char target[NAME_MAX_LENGTH + 1], const char *name, size_t length)
{
	if (!name_valid(name, length))
		return false;
	memcpy(target, name, length);
	target[length] = '\0';
	return true;
}

/* "ID.N" of length bytes, as it is printed. */
static bool
read_claims(struct queue_place *place, const char *name, size_t length)
{
	const char *dot = memrchr(name, '.', length);
	const char *digit, *end = name + length;

	if (dot == NULL || end == dot + 1 || end - dot - 1 > CLAIMS_DIGITS ||
	    (dot[1] == '0' && end - dot > 2))
		return false;
	for (digit = dot + 1; digit < end; digit++) {
		if (*digit < '0' || *digit > '9')
			return false;
		place->claims = place->claims * 10 + (unsigned)(*digit - '0');
	}
	return place->claims <= QUEUE_CLAIMS_MAX &&
	       copy_name(place->id, name, (size_t)(dot - name));
}

bool
queue_place_read(struct queue_place *place, const char *key)
{
	const char *name, *at;

	memset(place, 0, sizeof(*place));
	name = find_directory(key, &place->state);
	if (name == NULL)
		return false;
	if (is_ended(place->state))
		return copy_name(place->id, name, strlen(name));
	if (place->state != QUEUE_RUNNING)
		return read_claims(place, name, strlen(name));
	at = strchr(name, '@');
	return at != NULL && read_claims(place, name, (size_t)(at - name)) &&
	       copy_name(place->claimant, at + 1, strlen(at + 1));
}

/* owner: as in store_make_directory(). */
static int
make_directory(struct store *store, const char *directory, uid_t owner,
    struct svc_error *error)
{
	uid_t present;
	int found = store_directory_owner(store, directory, &present, error);

	if (found != 0)
		return found == -1 ? -1 : 0;
	return store_make_directory(
		   store, directory, owner, (gid_t)-1, 0700, error) == -1
		   ? -1
		   : 0;
}

int
queue_create(struct store *store, struct svc_error *error)
{
	static const char *const directories[] = {"tasks", "tasks/ids",
	    "tasks/new", "tasks/held", "tasks/running", "tasks/done",
	    "tasks/failed", "tasks/corrupt", "tasks/claimants"};
	uid_t owner = (uid_t)-1;
	size_t i;

	if (geteuid() == 0 &&
	    store_directory_owner(store, "", &owner, error) == -1)
		return -1;
	if (owner == geteuid())
		owner = (uid_t)-1;
	for (i = 0; i < sizeof(directories) / sizeof(*directories); i++)
		if (make_directory(store, directories[i], owner, error) == -1)
			return -1;
	return 0;
}
