#include "registry/health.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line/check.h"
#include "line/json.h"
#include "registry/handle.h"

#define FLAPS_MAX 1e15 /* what a double counts exactly, and to spare */

static void
line_release(struct health_line *line)
{
	free(line->id);
	free(line->reason);
}

void
health_release(struct health *health)
{
	while (health->count > 0)
		line_release(&health->lines[--health->count]);
	free(health->lines);
	health->lines = NULL;
	health->capacity = 0;
}

static double
read_measure(const struct json_document *document, const char *name)
{
	const struct json_member *member = json_member(document, name);
	double number;

	if (member == NULL || member->value.type != JSON_NUMBER)
		return -1;
	number = json_number(&member->value);
	return isfinite(number) && number >= 0 ? number : -1;
}

static int64_t
read_time(const struct json_document *document, const char *name)
{
	const struct json_member *member = json_member(document, name);
	char text[64];
	int64_t time;

	if (member == NULL ||
	    json_string(&member->value, text, sizeof(text)) < 0 ||
	    text[0] < '0' || text[0] > '9' ||
	    time_parse(text, 0, &time, NULL) == -1)
		return 0;
	return time;
}

static unsigned long
read_flaps(const struct json_document *document)
{
	double flaps = read_measure(document, "flaps");

	return flaps >= 0 && flaps <= FLAPS_MAX ? (unsigned long)flaps : 0;
}

/* The mark at the head of the file.  1; 0: it is none. */
static int
read_panic(struct health *health, const struct json_document *document)
{
	const struct json_member *member = json_member(document, "panic");
	char text[16];

	if (member == NULL ||
	    json_string(&member->value, text, sizeof(text)) < 0)
		return 0;
	if (strcmp(text, "critical") == 0)
		health->panic = PANIC_CRITICAL;
	else if (strcmp(text, "expired") == 0)
		health->panic = PANIC_EXPIRED;
	else
		return 0;
	health->panic_since = read_time(document, "since");
	return 1;
}

/* 1; 0: not such a status. */
static int
read_status(const struct json_document *document, enum instance_status *status)
{
	const struct json_member *member = json_member(document, "status");
	char text[16];
	int length;

	if (member == NULL)
		return 0;
	length = json_string(&member->value, text, sizeof(text));
	return length >= 0 && status_parse(text, (size_t)length, status) == 1 &&
	       (*status == STATUS_PASSING || *status == STATUS_WARNING ||
		   *status == STATUS_CRITICAL);
}

/* 1; 0: it is no line of an instance; -1: no memory. */
static int
read_line(const struct json_document *document, struct health_line *line)
{
	const struct json_member *member;
	char id[NAME_MAX_LENGTH + 1];
	char reason[HEALTH_REASON_MAX + 1];

	if ((member = json_member(document, "id")) == NULL ||
	    json_string(&member->value, id, sizeof(id)) < 0 ||
	    !name_valid(id, strlen(id)) ||
	    !read_status(document, &line->status))
		return 0;
	line->utilization = read_measure(document, "utilization");
	line->latency_ms = read_measure(document, "latency_ms");
	line->checked = read_time(document, "checked");
	line->since = read_time(document, "since");
	line->flaps = read_flaps(document);
	line->reason = NULL;
	line->id = strdup(id);
	if (line->id == NULL)
		return -1;
	member = json_member(document, "reason");
	if (member != NULL &&
	    json_string(&member->value, reason, sizeof(reason)) >= 0 &&
	    (line->reason = strdup(reason)) == NULL) {
		free(line->id);
		return -1;
	}
	return 1;
}

static int
add_line(struct health *health, const struct health_line *line)
{
	struct health_line *lines;
	size_t capacity;

	if (health->count == health->capacity) {
		capacity = health->capacity == 0 ? 64 : 2 * health->capacity;
		lines = reallocarray(health->lines, capacity, sizeof(*lines));
		if (lines == NULL)
			return -1;
		health->lines = lines;
		health->capacity = capacity;
	}
	health->lines[health->count++] = *line;
	return 0;
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(((const struct health_line *)a)->id,
	    ((const struct health_line *)b)->id);
}

/* 1: taken; 0: it cannot be read; -1: no memory. */
static int
take_line(struct health *health, struct json_document *document,
    const char *text, size_t length, bool first)
{
	struct health_line line;
	int status;

	if (json_scan(document, text, length, NULL) == -1)
		return 0;
	if (first && read_panic(health, document) == 1)
		return 1;
	status = read_line(document, &line);
	if (status == 1 && add_line(health, &line) == -1) {
		line_release(&line);
		status = -1;
	}
	return status;
}

int
health_parse(struct health *health, const char *text, size_t length,
    void (*bad)(void *argument), void *argument)
{
	const char *p = text, *end = text + length, *newline;
	struct json_document document = {0};
	int status = 1;

	health->panic = PANIC_NONE;
	health->panic_since = 0;
	health->lines = NULL;
	health->count = health->capacity = 0;
	for (; p < end && status != -1; p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (newline == NULL)
			newline = end;
		if (newline == p)
			continue;
		status = take_line(
		    health, &document, p, (size_t)(newline - p), p == text);
		if (status == 0 && bad != NULL)
			bad(argument);
	}
	json_document_release(&document);
	if (status == -1) {
		health_release(health);
		return -1;
	}
	if (health->count > 0)
		qsort(health->lines, health->count, sizeof(*health->lines),
		    compare_lines);
	return 0;
}

/* Whose line cannot be read. */
struct warning {
	struct registry *registry;
	const char *key;
};

static void
warn_of_line(void *argument)
{
	const struct warning *warning = argument;

	registry_warn(
	    warning->registry, warning->key, "a line that is no health");
}

int
health_read(struct health *health, struct registry *registry,
    const char *service, struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT;
	char key[REGISTRY_KEY_SIZE];
	struct store_entry entry;
	struct warning warning = {registry, key};
	struct svc_error why;
	int64_t age;
	int status;

	memset(health, 0, sizeof(*health));
	snprintf(key, sizeof(key), "health/%s", service);
	status = store_get(
	    registry->store, key, HEALTH_SIZE_MAX, &scratch, &entry, &why);
	/* A hostile file hides nothing but what it would have said. */
	if (status == -1)
		registry_warn(registry, key, why.message);
	age = status == 1 ? time_now() - entry.heartbeat : 0;
	if (status != 1 || age > HEALTH_SECONDS * 1000) {
		buffer_release(&scratch);
		return 0;
	}
	health->fresh = true;
	health->ends = HEALTH_SECONDS - (age < 0 ? 0 : (double)age / 1000);
	health->owner = entry.owner;
	health->trusted = entry.owner == 0 || entry.owner == registry->owner;
	status = health_parse(
	    health, entry.value, entry.length, warn_of_line, &warning);
	if (status == -1)
		svc_error_errno(error, "%s", key);
	buffer_release(&scratch);
	return status;
}

const struct health_line *
health_find(const struct health *health, const char *id)
{
	struct health_line wanted = {0};

	if (health->count == 0)
		return NULL;
	wanted.id = (char *)(uintptr_t)id;
	return bsearch(&wanted, health->lines, health->count,
	    sizeof(*health->lines), compare_lines);
}

/* Whether it counts for records of owner. */
static bool
counts_for(const struct health *health, uid_t owner)
{
	return health->fresh && (health->trusted || health->owner == owner);
}

bool
health_overrides(
    const struct health *health, uid_t owner, const struct instance *instance)
{
	if (health->panic == PANIC_NONE || !counts_for(health, owner))
		return false;
	return instance->status != STATUS_EXPIRED ||
	       (health->panic == PANIC_EXPIRED && instance->lease == LEASE_TTL);
}

void
health_apply(const struct health *health, uid_t owner,
    struct instance *instance, const char **reason)
{
	const struct health_line *line;

	*reason = NULL;
	if (!counts_for(health, owner))
		return;
	line = health_find(health, instance->id);
	if (line == NULL) {
		if (check_wanted(instance))
			instance->status = STATUS_UNKNOWN;
		return;
	}
	instance->status = line->status;
	if (line->utilization >= 0 && !instance->pinned) {
		instance->utilization = line->utilization;
		instance->reported = 0;
	}
	instance->latency_ms = line->latency_ms;
	instance->checked = line->checked;
	*reason = line->reason;
}
