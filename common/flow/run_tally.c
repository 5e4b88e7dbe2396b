#include "flow/run_tally.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/name_table.h"

#define SERVICES_LEAST 16

struct run_tally {
	struct run_tally_count total;
	struct name_table names;
	struct run_tally_count *counts; /* owned; by number of the name */
	uint32_t *order; /* owned; numbers, in order of the names */
	size_t capacity; /* of both */
};

int
run_tally_open(struct run_tally **tally, struct svc_error *error)
{
	*tally = calloc(1, sizeof(**tally));
	if (*tally == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

void
run_tally_close(struct run_tally *tally)
{
	if (tally == NULL)
		return;
	name_table_release(&tally->names);
	free(tally->counts);
	free(tally->order);
	free(tally);
}

static int
make_room(struct run_tally *tally)
{
	size_t wanted =
	    tally->capacity == 0 ? SERVICES_LEAST : 2 * tally->capacity;
	struct run_tally_count *counts;
	uint32_t *order;

	if (tally->names.count < tally->capacity)
		return 0;
	counts = reallocarray(tally->counts, wanted, sizeof(*counts));
	if (counts == NULL)
		return -1;
	tally->counts = counts;
	order = reallocarray(tally->order, wanted, sizeof(*order));
	if (order == NULL)
		return -1;
	tally->order = order;
	tally->capacity = wanted;
	return 0;
}

/* Puts the last number where its name belongs. */
static void
sort_in(struct run_tally *tally, uint32_t number)
{
	const char *name = name_table_name(&tally->names, number);
	size_t i = number;

	for (; i > 0; i--) {
		if (strcmp(name_table_name(&tally->names, tally->order[i - 1]),
			name) < 0)
			break;
		tally->order[i] = tally->order[i - 1];
	}
	tally->order[i] = number;
}

/* The counts of a service; NULL: no memory. */
static struct run_tally_count *
find_service(struct run_tally *tally, const char *name)
{
	size_t length = strlen(name);
	uint32_t number = name_table_find(&tally->names, name, length);

	if (number != NAME_TABLE_NONE)
		return &tally->counts[number];
	if (make_room(tally) == -1 ||
	    name_table_add(&tally->names, name, length, &number) == -1)
		return NULL;
	tally->counts[number] = (struct run_tally_count){0};
	sort_in(tally, number);
	return &tally->counts[number];
}

static void
count_end(struct run_tally_count *count, const struct run_event *event)
{
	count->done++;
	if (event->kind == RUN_RESTORED)
		count->restored++;
	if (event->code == CODE_SKIPPED)
		count->skipped++;
	else if (event->code == CODE_CANCELLED)
		count->cancelled++;
	else if (event->code != CODE_NONE)
		count->failed++;
}

static void
count_event(struct run_tally_count *count, const struct run_event *event)
{
	switch (event->kind) {
	case RUN_TASK:
		count->taken++;
		break;
	case RUN_SENT:
		count->running++;
		break;
	case RUN_ANSWERED:
		count->running--;
		break;
	case RUN_ENDED:
	case RUN_RESTORED:
	case RUN_PASSED:
		count_end(count, event);
		break;
	case RUN_READY:
	case RUN_NOTE:
		break;
	}
}

int
run_tally_add(struct run_tally *tally, const struct run_event *event,
    struct svc_error *error)
{
	struct run_tally_count *count;

	count_event(&tally->total, event);
	if (event->service == NULL || *event->service == '\0' ||
	    event->kind == RUN_NOTE)
		return 0;
	count = find_service(tally, event->service);
	if (count == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	count_event(count, event);
	return 0;
}

/* A hedged task counts twice among what runs. */
static void
copy_count(const struct run_tally_count *from, struct run_tally_count *to)
{
	size_t begun = from->done + from->running;

	*to = *from;
	to->waiting = from->taken > begun ? from->taken - begun : 0;
}

void
run_tally_total(const struct run_tally *tally, struct run_tally_count *count)
{
	copy_count(&tally->total, count);
}

size_t
run_tally_services(const struct run_tally *tally)
{
	return tally->names.count;
}

const char *
run_tally_service(
    const struct run_tally *tally, size_t i, struct run_tally_count *count)
{
	uint32_t number = tally->order[i];

	copy_count(&tally->counts[number], count);
	return name_table_name(&tally->names, number);
}
