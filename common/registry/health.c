#include "registry/health.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line/json.h"
#include "registry/handle.h"

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
read_checked(const struct json_document *document)
{
	const struct json_member *member = json_member(document, "checked");
	char text[64];
	int64_t checked;

	if (member == NULL ||
	    json_string(&member->value, text, sizeof(text)) < 0 ||
	    text[0] < '0' || text[0] > '9' ||
	    time_parse(text, 0, &checked, NULL) == -1)
		return 0;
	return checked;
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

/* 1; 0: it cannot be read; -1: no memory. */
static int
read_line(struct json_document *document, const char *text, size_t length,
    struct health_line *line)
{
	const struct json_member *member;
	char id[NAME_MAX_LENGTH + 1];
	char reason[HEALTH_REASON_MAX + 1];

	if (json_scan(document, text, length, NULL) == -1 ||
	    (member = json_member(document, "id")) == NULL ||
	    json_string(&member->value, id, sizeof(id)) < 0 ||
	    !name_valid(id, strlen(id)) ||
	    !read_status(document, &line->status))
		return 0;
	line->utilization = read_measure(document, "utilization");
	line->latency_ms = read_measure(document, "latency_ms");
	line->checked = read_checked(document);
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

static int
read_lines(struct health *health, struct registry *registry, const char *key,
    const struct store_entry *entry, struct svc_error *error)
{
	const char *p = entry->value;
	const char *end = p + entry->length;
	struct json_document document = {0};
	struct health_line line;
	const char *newline;
	int status = 1;

	for (; p < end && status != -1; p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (newline == NULL)
			newline = end;
		status = read_line(&document, p, (size_t)(newline - p), &line);
		if (status == 0)
			registry_warn(
			    registry, key, "a line that is no health");
		if (status == 1 && add_line(health, &line) == -1) {
			line_release(&line);
			status = -1;
		}
	}
	json_document_release(&document);
	if (status == -1)
		return svc_error_errno(error, "%s", key);
	if (health->count > 0)
		qsort(health->lines, health->count, sizeof(*health->lines),
		    compare_lines);
	return 0;
}

int
health_read(struct health *health, struct registry *registry,
    const char *service, struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT;
	char key[REGISTRY_KEY_SIZE];
	struct store_entry entry;
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
	status = read_lines(health, registry, key, &entry, error);
	if (status == -1)
		health_release(health);
	buffer_release(&scratch);
	return status;
}

static bool
has_check(const struct instance *instance)
{
	struct json_value value;

	return json_path(instance->record, "check", &value) == 1 &&
	       value.type == JSON_OBJECT;
}

void
health_apply(const struct health *health, uid_t owner,
    struct instance *instance, const char **reason)
{
	const struct health_line *line = NULL;
	struct health_line wanted = {0};

	*reason = NULL;
	if (!health->fresh || (!health->trusted && health->owner != owner))
		return;
	if (health->count > 0) {
		wanted.id = (char *)(uintptr_t)instance->id;
		line = bsearch(&wanted, health->lines, health->count,
		    sizeof(*health->lines), compare_lines);
	}
	if (line == NULL) {
		if (has_check(instance))
			instance->status = STATUS_UNKNOWN;
		return;
	}
	instance->status = line->status;
	if (line->utilization >= 0 && !instance->pinned)
		instance->utilization = line->utilization;
	instance->latency_ms = line->latency_ms;
	instance->checked = line->checked;
	*reason = line->reason;
}
