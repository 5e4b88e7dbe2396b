#include "flow/queue_task.h"

#include <stdlib.h>
#include <string.h>

/* libbsd's RB_GENERATE_STATIC uses __unused, which it does not define. */
#define GENERATED static __attribute__((unused))

static int
compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

static int
compare_times(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_turns(const struct queue_task *a, const struct queue_task *b)
{
	int order = compare_numbers(b->key.priority, a->key.priority);

	if (order == 0)
		order = compare_numbers(a->key.rank, b->key.rank);
	if (order == 0)
		order = compare_times(a->submitted, b->submitted);
	return order == 0 ? strverscmp(a->id, b->id) : order;
}

static int
compare_wakings(const struct queue_task *a, const struct queue_task *b)
{
	int order = compare_times(a->key.not_before, b->key.not_before);

	return order == 0 ? strcmp(a->id, b->id) : order;
}

/* cppcheck-suppress unknownMacro */
RB_GENERATE_INTERNAL(queue_row, queue_task, entry, compare_turns, GENERATED)
RB_GENERATE_INTERNAL(
    queue_sleepers, queue_task, entry, compare_wakings, GENERATED)

struct queue_task *
queue_task_new(const struct queue_place *place, int64_t submitted)
{
	const size_t size = strlen(place->id) + 1;
	struct queue_task *task = calloc(1, sizeof(*task) + size);

	if (task == NULL)
		return NULL;
	memcpy(task->id, place->id, size);
	task->node.id = task->id;
	task->claims = place->claims;
	task->submitted = submitted;
	return task;
}

void
queue_row_insert(struct queue_row *row, struct queue_task *task)
{
	RB_INSERT(queue_row, row, task);
}

void
queue_row_remove(struct queue_row *row, struct queue_task *task)
{
	RB_REMOVE(queue_row, row, task);
}

struct queue_task *
queue_row_first(struct queue_row *row)
{
	return RB_MIN(queue_row, row);
}

struct queue_task *
queue_row_next(struct queue_task *task)
{
	return RB_NEXT(queue_row, NULL, task);
}

void
queue_sleepers_insert(struct queue_sleepers *sleepers, struct queue_task *task)
{
	RB_INSERT(queue_sleepers, sleepers, task);
}

void
queue_sleepers_remove(struct queue_sleepers *sleepers, struct queue_task *task)
{
	RB_REMOVE(queue_sleepers, sleepers, task);
}

struct queue_task *
queue_sleepers_first(struct queue_sleepers *sleepers)
{
	return RB_MIN(queue_sleepers, sleepers);
}
