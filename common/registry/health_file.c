#include "registry/health_file.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "registry/handle.h"

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

void
health_file_release(struct health_file *file)
{
	health_release(&file->health);
	buffer_release(&file->text);
	memset(file, 0, sizeof(*file));
}

int64_t
health_file_end(const struct health_file *file)
{
	if (!file->health.fresh)
		return INT64_MAX;
	return file->heartbeat + HEALTH_SECONDS * 1000 + 1;
}

/* The length of the line at text, its LF included. */
static size_t
line_length(const char *text, const char *end)
{
	const char *newline = memchr(text, '\n', (size_t)(end - text));

	return newline == NULL ? (size_t)(end - text)
			       : (size_t)(newline - text) + 1;
}

static size_t
count_lines(const struct buffer *text)
{
	const char *p = text->data, *end = p + text->length;
	size_t count = 0;

	for (; p < end; p += line_length(p, end))
		count++;
	return count;
}

/* Whether both lines are, as a prober prints them, of one id. */
static bool
same_id(const char *a, size_t length, const char *b, size_t other)
{
	static const char start[] = "{\"id\":\"";
	size_t from = sizeof(start) - 1, to = from;

	if (length <= from || memcmp(a, start, from) != 0)
		return false;
	while (to < length && (a[to] != '"' && a[to] != '\\'))
		to++;
	return to < length && a[to] == '"' && to < other &&
	       memcmp(a, b, to + 1) == 0;
}

/*
 * Appends the lines of text that are not what they were.  1; 0: they are not of
 * the same ids in the same order.
 */
static int
find_changed(
    const struct buffer *old, const struct buffer *text, struct buffer *changed)
{
	const char *a = old->data, *a_end = a + old->length;
	const char *b = text->data, *b_end = b + text->length;
	size_t length, other;

	for (; a < a_end && b < b_end; a += length, b += other) {
		length = line_length(a, a_end);
		other = line_length(b, b_end);
		if (length == other && memcmp(a, b, length) == 0)
			continue;
		if (!same_id(a, length, b, other))
			return 0;
		buffer_append(changed, b, other);
	}
	return a == a_end && b == b_end && !buffer_failed(changed);
}

/*
 * A prober that writes each second says little that is another: most lines need
 * not be taken apart again.  1: done; 0: it cannot be done so.
 */
static int
patch(struct health *health, const struct buffer *changed)
{
	struct health parsed = {0};
	struct health_line *line, swap;
	size_t i;
	int status;

	if (health_parse(&parsed, changed->data, changed->length, NULL, NULL) ==
	    -1)
		return 0;
	status = parsed.count > 0 && parsed.count == count_lines(changed);
	for (i = 0; i < parsed.count && status == 1; i++)
		status = health_find(health, parsed.lines[i].id) != NULL;
	for (i = 0; i < parsed.count && status == 1; i++) {
		line = (struct health_line *)(uintptr_t)health_find(
		    health, parsed.lines[i].id);
		swap = *line;
		*line = parsed.lines[i];
		parsed.lines[i] = swap;
	}
	health_release(&parsed);
	return status;
}

static int
take_all(struct health *health, struct warning *warning,
    const struct buffer *text, struct svc_error *error)
{
	struct health parsed = *health;

	if (health_parse(
		&parsed, text->data, text->length, warn_of_line, warning) == -1)
		return svc_error_errno(error, "%s", warning->key);
	health_release(health);
	*health = parsed;
	return 0;
}

/* Takes apart what was read, unless it is what there was. */
static int
take(struct health_file *file, struct warning *warning, struct buffer *text,
    struct svc_error *error)
{
	struct buffer old = file->text, changed = BUFFER_INIT;
	bool patched = false;

	if (file->health.fresh && old.length == text->length &&
	    memcmp(old.data, text->data, old.length) == 0)
		return 0;
	/* Where each line became one of health, the lines tell of each other.
	 */
	if (file->health.fresh && file->health.panic == PANIC_NONE &&
	    count_lines(&old) == file->health.count)
		patched = find_changed(&old, text, &changed) == 1 &&
			  patch(&file->health, &changed) == 1;
	buffer_release(&changed);
	if (!patched && take_all(&file->health, warning, text, error) == -1)
		return -1;
	buffer_shrink(text);
	file->text = *text;
	*text = old;
	return 1;
}

/* Nothing that counts is there. */
static int
clear(struct health_file *file, int64_t heartbeat)
{
	bool changed = file->health.fresh;

	health_file_release(file);
	file->heartbeat = heartbeat;
	return changed;
}

int
health_file_read(struct health_file *file, struct registry *registry,
    const char *service, struct svc_error *error)
{
	struct buffer text = BUFFER_INIT;
	char key[REGISTRY_KEY_SIZE];
	struct warning warning = {registry, key};
	struct store_entry entry;
	struct svc_error why;
	bool trusted;
	int changed = 0, status;

	snprintf(key, sizeof(key), "health/%s", service);
	status = store_get(
	    registry->store, key, HEALTH_SIZE_MAX, &text, &entry, &why);
	/* A hostile file hides nothing but what it would have said. */
	if (status == -1)
		registry_warn(registry, key, why.message);
	if (status != 1) {
		changed = clear(file, 0);
	} else if (time_now() - entry.heartbeat > HEALTH_SECONDS * 1000) {
		changed = clear(file, entry.heartbeat);
	} else {
		changed = take(file, &warning, &text, error);
		if (changed == -1)
			goto out;
		trusted = entry.owner == 0 || entry.owner == registry->owner;
		if (!file->health.fresh || file->health.trusted != trusted ||
		    file->health.owner != entry.owner)
			changed = 1;
		file->heartbeat = entry.heartbeat;
		file->health.fresh = true;
		file->health.trusted = trusted;
		file->health.owner = entry.owner;
	}
out:
	buffer_release(&text);
	return changed;
}

int
health_file_same(const struct health_file *file, struct registry *registry,
    const char *service, struct svc_error *error)
{
	struct buffer text = BUFFER_INIT;
	char key[REGISTRY_KEY_SIZE];
	struct store_entry entry;
	int same, status;

	snprintf(key, sizeof(key), "health/%s", service);
	status = store_get(
	    registry->store, key, HEALTH_SIZE_MAX, &text, &entry, error);
	if (status == -1 && error->code != EX_DATAERR)
		return -1;
	same = file->heartbeat == (status == 1 ? entry.heartbeat : 0);
	if (same && status == 1 && file->health.fresh)
		same = file->text.length == entry.length &&
		       memcmp(file->text.data, entry.value, entry.length) == 0;
	buffer_release(&text);
	return same;
}
