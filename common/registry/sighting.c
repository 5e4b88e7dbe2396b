#include "registry/sighting.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"

#define WHOLE_MAX 9007199254740992.0 /* 2^53 */

void
sightings_release(struct sightings *sightings)
{
	while (sightings->count > 0)
		free(sightings->items[--sightings->count]);
	free(sightings->items);
	memset(sightings, 0, sizeof(*sightings));
}

static int
compare(const struct sighting *sighting, const char *service, const char *id)
{
	int order = strcmp(sighting->service, service);

	return order != 0 ? order : strcmp(sighting->id, id);
}

/* Where it stands, or would; *found tells which. */
static size_t
place_of(const struct sightings *sightings, const char *service, const char *id,
    bool *found)
{
	size_t low = 0, high = sightings->count;
	size_t middle;
	int order;

	*found = false;
	while (low < high && !*found) {
		middle = low + (high - low) / 2;
		order = compare(sightings->items[middle], service, id);
		if (order == 0)
			*found = true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return *found ? high : low;
}

struct sighting *
sightings_find(
    const struct sightings *sightings, const char *service, const char *id)
{
	bool found;
	size_t place = place_of(sightings, service, id, &found);

	return found ? sightings->items[place] : NULL;
}

static struct sighting *
sighting_new(const char *service, const char *id)
{
	size_t service_size = strlen(service) + 1, id_size = strlen(id) + 1;
	struct sighting *sighting;

	sighting = calloc(1, sizeof(*sighting) + service_size + id_size);
	if (sighting == NULL)
		return NULL;
	sighting->service = memcpy(sighting->names, service, service_size);
	sighting->id = memcpy(sighting->names + service_size, id, id_size);
	sighting->at = sighting->ttl = -1;
	return sighting;
}

/* Room for one more; -1 without memory. */
static int
grow(struct sightings *sightings)
{
	struct sighting **items;
	size_t capacity;

	if (sightings->count < sightings->capacity)
		return 0;
	capacity = sightings->capacity == 0 ? 16 : 2 * sightings->capacity;
	items = reallocarray(sightings->items, capacity, sizeof(*items));
	if (items == NULL)
		return -1;
	sightings->items = items;
	sightings->capacity = capacity;
	return 0;
}

struct sighting *
sightings_add(struct sightings *sightings, const char *service, const char *id)
{
	struct sighting *sighting;
	size_t place;
	bool found;

	place = place_of(sightings, service, id, &found);
	if (found)
		return sightings->items[place];
	if (grow(sightings) == -1 ||
	    (sighting = sighting_new(service, id)) == NULL)
		return NULL;
	memmove(&sightings->items[place + 1], &sightings->items[place],
	    (sightings->count - place) * sizeof(*sightings->items));
	sightings->items[place] = sighting;
	sightings->count++;
	return sighting;
}

void
sightings_drop(struct sightings *sightings, const char *service, const char *id)
{
	size_t place;
	bool found;

	place = place_of(sightings, service, id, &found);
	if (!found)
		return;
	free(sightings->items[place]);
	sightings->count--;
	memmove(&sightings->items[place], &sightings->items[place + 1],
	    (sightings->count - place) * sizeof(*sightings->items));
}

void
sightings_print(const struct sightings *sightings, struct buffer *out)
{
	const struct sighting *sighting;
	size_t i;

	buffer_append_char(out, '{');
	for (i = 0; i < sightings->count; i++) {
		sighting = sightings->items[i];
		buffer_append_format(out,
		    "%s\"%s/%s\":{\"heartbeat\":%" PRId64 ",\"at\":",
		    i == 0 ? "" : ",", sighting->service, sighting->id,
		    sighting->heartbeat);
		json_append_number(out, sighting->at);
		buffer_append_char(out, '}');
	}
	buffer_append_char(out, '}');
}

static int
refuse(const struct json_member *member, const char *wanted,
    struct svc_error *error)
{
	return svc_error_set(error, EX_DATAERR,
	    "sightings: \"%.*s\": not %s (as in \"render/web1\":"
	    "{\"heartbeat\":1795341600000,\"at\":120.5})",
	    (int)(member->name.length > 260 ? 260 : member->name.length),
	    member->name.data, wanted);
}

/* Cuts SERVICE/ID in two; false when it is not that. */
static bool
parse_key(const struct json_member *member, char key[2 * NAME_MAX_LENGTH + 2],
    char **id)
{
	size_t length = member->name.length;

	if (length > 2 * NAME_MAX_LENGTH + 1)
		return false;
	memcpy(key, member->name.data, length);
	key[length] = '\0';
	*id = memchr(key, '/', length);
	if (*id == NULL)
		return false;
	*(*id)++ = '\0';
	return name_valid(key, strlen(key)) &&
	       name_valid(*id, (size_t)(key + length - *id));
}

/* A finite number at path of the member's value. */
static bool
parse_number(const struct json_member *member, const char *path, double *number)
{
	struct json_value value;

	if (member->value.type != JSON_OBJECT ||
	    json_path(member->value.span, path, &value) != 1)
		return false;
	*number = json_number(&value);
	return isfinite(*number);
}

int
sightings_parse(struct sightings *sightings, struct json_span object,
    double now, struct svc_error *error)
{
	char key[2 * NAME_MAX_LENGTH + 2];
	const char *cursor = object.data;
	struct sighting *sighting;
	struct json_member member;
	double heartbeat, at;
	char *id;

	while (json_next_member(object, &cursor, &member) == 1) {
		if (!parse_key(&member, key, &id))
			return refuse(&member, "SERVICE/ID", error);
		if (!parse_number(&member, "heartbeat", &heartbeat) ||
		    fabs(heartbeat) > WHOLE_MAX)
			return refuse(&member,
			    "a \"heartbeat\" in milliseconds since 1970",
			    error);
		if (!parse_number(&member, "at", &at) || at < 0)
			return refuse(&member,
			    "an \"at\" in seconds since the boot", error);
		sighting = sightings_add(sightings, key, id);
		if (sighting == NULL)
			return svc_error_errno(error, "sightings");
		sighting->heartbeat = (int64_t)heartbeat;
		sighting->at = at < now ? at : now;
		sighting->ttl = -1;
	}
	return 0;
}
