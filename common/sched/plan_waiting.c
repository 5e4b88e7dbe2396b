#include "sched/plan_waiting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

enum state { STATE_AWAY, STATE_WAITING, STATE_SINGLE };

/* The tasks of one class that wait, but the single ones. */
struct plan_line {
	struct min_heap tasks; /* and such that wait no longer */
	uint32_t standing; /* in the queue for all; or NOBODY */
	bool queued;
};

int
plan_waiting_open(struct plan_waiting *waiting,
    const struct plan_classes *classes, size_t tasks)
{
	size_t i;

	memset(waiting, 0, sizeof(*waiting));
	waiting->classes = classes;
	waiting->capacities = classes->names.count < PLAN_CAPACITIES_MAX
				  ? classes->names.count
				  : PLAN_CAPACITIES_MAX;
	waiting->lines = calloc(classes->count + 1, sizeof(*waiting->lines));
	waiting->states = calloc(tasks + 1, sizeof(*waiting->states));
	if (waiting->lines == NULL || waiting->states == NULL ||
	    plan_queue_open(&waiting->queue, tasks,
		PLAN_CAPACITY + waiting->capacities) == -1)
		return -1;
	for (i = 0; i < classes->count; i++)
		waiting->lines[i].standing = NOBODY;
	return 0;
}

void
plan_waiting_close(struct plan_waiting *waiting)
{
	size_t i;

	for (i = 0; waiting->lines != NULL && i < waiting->classes->count; i++)
		min_heap_release(&waiting->lines[i].tasks);
	free(waiting->lines);
	free(waiting->states);
	free(waiting->aside);
	plan_queue_close(&waiting->queue);
	memset(waiting, 0, sizeof(*waiting));
}

static void
put(struct plan_waiting *waiting, uint32_t task, double speed)
{
	const struct plan_classes *classes = waiting->classes;
	const struct plan_class *class = &classes->items[classes->of[task]];
	double needs[PLAN_KINDS_MAX];
	size_t i;

	needs[PLAN_SLOTS] = class->slots;
	needs[PLAN_SPEED] = speed;
	for (i = 0; i < waiting->capacities; i++)
		needs[PLAN_CAPACITY + i] = -HUGE_VAL;
	for (i = 0; i < class->number_count; i++) {
		const struct plan_number *number =
		    &classes->numbers[class->numbers + i];

		if (number->name < waiting->capacities)
			needs[PLAN_CAPACITY + number->name] = number->amount;
	}
	plan_queue_put(&waiting->queue, task, needs);
}

/* Puts into the queue who is the first of a class that stands there. */
static void
put_first(struct plan_waiting *waiting, uint32_t class)
{
	struct plan_line *line = &waiting->lines[class];
	uint32_t first = NOBODY;

	if (!line->queued)
		return;
	line->queued = plan_waiting_first(waiting, class, &first);
	if (first == line->standing)
		return;
	if (line->standing != NOBODY &&
	    waiting->states[line->standing] != STATE_SINGLE)
		plan_queue_drop(&waiting->queue, line->standing);
	if (first != NOBODY)
		put(waiting, first, 0);
	line->standing = first;
}

int
plan_waiting_add(struct plan_waiting *waiting, uint32_t task)
{
	uint32_t class = waiting->classes->of[task];

	if (min_heap_push(&waiting->lines[class].tasks, task, task) == -1)
		return -1;
	waiting->states[task] = STATE_WAITING;
	put_first(waiting, class);
	return 0;
}

void
plan_waiting_remove(struct plan_waiting *waiting, uint32_t task)
{
	if (waiting->states[task] == STATE_SINGLE)
		plan_queue_drop(&waiting->queue, task);
	waiting->states[task] = STATE_AWAY;
	put_first(waiting, waiting->classes->of[task]);
}

bool
plan_waiting_has(const struct plan_waiting *waiting, uint32_t task)
{
	return waiting->states[task] != STATE_AWAY;
}

bool
plan_waiting_first(struct plan_waiting *waiting, uint32_t class, uint32_t *task)
{
	struct min_heap *tasks = &waiting->lines[class].tasks;
	struct min_heap_item item;

	while (tasks->count > 0 &&
	       waiting->states[tasks->items[0].index] != STATE_WAITING)
		min_heap_pop(tasks, &item);
	if (tasks->count == 0)
		return false;
	*task = tasks->items[0].index;
	return true;
}

void
plan_waiting_queue(struct plan_waiting *waiting, uint32_t class)
{
	waiting->lines[class].queued = true;
	put_first(waiting, class);
}

void
plan_waiting_unqueue(struct plan_waiting *waiting, uint32_t class)
{
	struct plan_line *line = &waiting->lines[class];

	if (line->standing != NOBODY)
		plan_queue_drop(&waiting->queue, line->standing);
	line->standing = NOBODY;
	line->queued = false;
}

bool
plan_waiting_queued(const struct plan_waiting *waiting, uint32_t class)
{
	return waiting->lines[class].queued;
}

void
plan_waiting_single(struct plan_waiting *waiting, uint32_t task, double speed)
{
	waiting->states[task] = STATE_SINGLE;
	put_first(waiting, waiting->classes->of[task]);
	put(waiting, task, speed);
}

int
plan_waiting_set_aside(struct plan_waiting *waiting, uint32_t task)
{
	size_t capacity = waiting->aside_capacity;
	uint32_t *aside = waiting->aside;

	if (waiting->aside_count == capacity) {
		capacity = capacity == 0 ? 64 : 2 * capacity;
		aside = reallocarray(aside, capacity, sizeof(*aside));
		if (aside == NULL)
			return -1;
		waiting->aside = aside;
		waiting->aside_capacity = capacity;
	}
	plan_waiting_remove(waiting, task);
	aside[waiting->aside_count++] = task;
	return 0;
}

int
plan_waiting_come_forward(struct plan_waiting *waiting)
{
	while (waiting->aside_count > 0)
		if (plan_waiting_add(
			waiting, waiting->aside[--waiting->aside_count]) == -1)
			return -1;
	return 0;
}
