#include "sched/instance_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"

/* An instance and the line it stood on. */
struct entry {
	struct instance instance;
	unsigned long line;
};

struct entries {
	struct entry *items;
	size_t count;
	size_t capacity;
};

struct listener {
	void (*warn)(void *argument, const struct svc_error *error);
	void *argument;
};

static void
skip(struct instance_reader *roster, const struct listener *listener,
    const struct reader *reader, unsigned long line, const char *message)
{
	struct svc_error error;

	roster->skipped++;
	svc_error_set(&error, EX_DATAERR, "%s:%lu: %s", reader_name(reader),
	    line, message);
	listener->warn(listener->argument, &error);
}

static struct entry *
add(struct entries *entries)
{
	struct entry *items;
	size_t capacity;

	if (entries->count == entries->capacity) {
		capacity = entries->capacity == 0 ? 64 : 2 * entries->capacity;
		items = reallocarray(entries->items, capacity, sizeof(*items));
		if (items == NULL)
			return NULL;
		entries->items = items;
		entries->capacity = capacity;
	}
	return &entries->items[entries->count];
}

/* 0, or -1 when memory has run out. */
static int
take_line(struct instance_reader *roster, struct entries *entries,
    const struct selector *selector, const struct listener *listener,
    const struct reader *reader, const struct line *line,
    struct svc_error *error)
{
	struct entry *entry = add(entries);

	if (entry == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (line->too_long) {
		skip(roster, listener, reader, line->number,
		    "longer than an instance line may be (128 KiB)");
		return 0;
	}
	if (line->has_nul) {
		skip(roster, listener, reader, line->number,
		    "a NUL byte stands in it");
		return 0;
	}
	if (instance_parse(&entry->instance, line->data, line->length, error) ==
	    -1) {
		if (error->code == EX_OSERR)
			return -1;
		skip(roster, listener, reader, line->number, error->message);
		return 0;
	}
	if (!selector_match(selector, &entry->instance)) {
		roster->left_out++;
		instance_release(&entry->instance);
		return 0;
	}
	entry->line = line->number;
	entries->count++;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct entry *one = a, *two = b;
	int order = instance_compare(&one->instance, &two->instance);

	if (order != 0)
		return order;
	return one->line < two->line ? -1 : one->line > two->line;
}

/* Hands the entries over to the roster, in order, each id once. */
static int
keep(struct instance_reader *roster, struct entries *entries,
    const struct listener *listener, const struct reader *reader,
    struct svc_error *error)
{
	char message[3 * NAME_MAX_LENGTH];
	struct instance *last = NULL;
	size_t i;

	roster->items = calloc(entries->count + 1, sizeof(*roster->items));
	if (roster->items == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (entries->count > 0)
		qsort(entries->items, entries->count, sizeof(*entries->items),
		    compare);
	for (i = 0; i < entries->count; i++) {
		struct instance *instance = &entries->items[i].instance;

		if (last != NULL && instance_compare(last, instance) == 0) {
			snprintf(message, sizeof(message),
			    "%s/%s stood on an earlier line", last->service,
			    last->id);
			skip(roster, listener, reader, entries->items[i].line,
			    message);
			instance_release(instance);
			continue;
		}
		last = &roster->items[roster->count++];
		*last = *instance;
	}
	entries->count = 0;
	return 0;
}

int
instance_reader_read(struct instance_reader *roster, struct reader *reader,
    const struct selector *selector,
    void (*warn)(void *argument, const struct svc_error *error), void *argument,
    struct svc_error *error)
{
	struct listener listener = {warn, argument};
	struct entries entries = {NULL, 0, 0};
	struct line line;
	int result;
	size_t i;

	memset(roster, 0, sizeof(*roster));
	while ((result = reader_line(reader, &line, error)) == 1) {
		result = take_line(roster, &entries, selector, &listener,
		    reader, &line, error);
		if (result == -1)
			break;
	}
	if (result == 0)
		result = keep(roster, &entries, &listener, reader, error);
	for (i = 0; i < entries.count; i++)
		instance_release(&entries.items[i].instance);
	free(entries.items);
	return result;
}

void
instance_reader_release(struct instance_reader *roster)
{
	size_t i;

	for (i = 0; i < roster->count; i++)
		instance_release(&roster->items[i]);
	free(roster->items);
	memset(roster, 0, sizeof(*roster));
}
