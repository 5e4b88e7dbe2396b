#include "sched/task_order.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/demand.h"
#include "sched/memo.h"

#define NO_TASK UINT32_MAX

/* What remembered demands may take, in bytes. */
#define DEMANDS_MAX (1UL << 20)

/* What one task is sorted by: less comes first. */
struct sort_key {
	uint64_t priority;
	uint64_t criterion;
	uint32_t task;
};

static const char *const names[ORDER_COUNT] = {
    [ORDER_FIFO] = "fifo",
    [ORDER_EDF] = "edf",
    [ORDER_LPT] = "lpt",
    [ORDER_FAIR] = "fair",
};

const char *
task_order_name(enum task_order order)
{
	return names[order];
}

int
task_order_find(const char *name)
{
	int i;

	for (i = 0; i < ORDER_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

/* A number that is less the greater value is; no value is -0 or NAN. */
static uint64_t
descending(double value)
{
	const uint64_t sign = (uint64_t)1 << 63;
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return (bits & sign) != 0 ? bits : ~(bits | sign);
}

static uint64_t
criterion_of(const struct batch_task *task, enum task_order order)
{
	switch (order) {
	case ORDER_EDF:
		return task->deadline == 0 ? UINT64_MAX
					   : (uint64_t)task->deadline;
	case ORDER_LPT:
		return descending(batch_duration(task) + 0.0);
	default:
		return 0;
	}
}

static int
compare(const void *a, const void *b)
{
	const struct sort_key *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->criterion != y->criterion)
		return x->criterion < y->criterion ? -1 : 1;
	return x->task < y->task ? -1 : x->task > y->task;
}

static bool
is_sorted(const struct sort_key *keys, size_t count)
{
	size_t i;

	for (i = 1; i < count; i++)
		if (compare(&keys[i - 1], &keys[i]) > 0)
			return false;
	return true;
}

/* Which task comes at which place: by priority and criterion. */
static int
sort(struct batch *batch, enum task_order order, uint32_t *places,
    struct svc_error *error)
{
	const struct batch_task *tasks = batch_tasks(batch);
	size_t count = batch_count(batch), i;
	struct sort_key *keys = reallocarray(NULL, count, sizeof(*keys));

	if (keys == NULL)
		return no_memory(error);
	for (i = 0; i < count; i++)
		keys[i] = (struct sort_key){descending(tasks[i].priority),
		    criterion_of(&tasks[i], order), (uint32_t)i};
	if (!is_sorted(keys, count))
		qsort(keys, count, sizeof(*keys), compare);
	for (i = 0; i < count; i++)
		places[i] = keys[i].task;
	free(keys);
	return 0;
}

/* Moves the tasks, and fills places with where each is already. */
static void
arrange(struct batch_task *tasks, uint32_t *places, size_t count)
{
	struct batch_task first;
	size_t i, to;

	for (i = 0; i < count; i++) {
		if (places[i] == i)
			continue;
		first = tasks[i];
		for (to = i; places[to] != i;) {
			size_t from = places[to];

			tasks[to] = tasks[from];
			places[to] = (uint32_t)to;
			to = from;
		}
		tasks[to] = first;
		places[to] = (uint32_t)to;
	}
}

/* What a task asks for, as far as it can be read. */
struct reading {
	bool readable;
	struct demand demand;
};

/* Sharing out: the tasks of one priority after those of another. */
struct sharing {
	struct batch *batch;
	struct fair *fair;
	struct memo demands; /* of struct reading */
	/* the queue of each group, and who stands behind a task in it */
	uint32_t *heads;
	uint32_t *tails;
	uint32_t *next;
};

static void
release_reading(void *value)
{
	demand_release(&((struct reading *)value)->demand);
}

static void
sharing_release(struct sharing *sharing)
{
	memo_clear(&sharing->demands);
	fair_close(sharing->fair);
	free(sharing->heads);
	free(sharing->tails);
	free(sharing->next);
}

static int
sharing_init(struct sharing *sharing, struct batch *batch, struct pool *pool,
    struct svc_error *error)
{
	size_t groups = batch_groups(batch), i;

	memset(sharing, 0, sizeof(*sharing));
	sharing->batch = batch;
	sharing->demands.value_size = sizeof(struct reading);
	sharing->demands.cost_max = DEMANDS_MAX;
	sharing->demands.release = release_reading;
	if (fair_open(&sharing->fair, pool, groups, error) == -1)
		return -1;
	sharing->heads = reallocarray(NULL, groups, sizeof(uint32_t));
	sharing->tails = reallocarray(NULL, groups, sizeof(uint32_t));
	sharing->next =
	    reallocarray(NULL, batch_count(batch), sizeof(uint32_t));
	if (sharing->heads == NULL || sharing->tails == NULL ||
	    sharing->next == NULL) {
		sharing_release(sharing);
		return no_memory(error);
	}
	for (i = 0; i < groups; i++)
		sharing->heads[i] = NO_TASK;
	return 0;
}

/* The demand of a task; what cannot be read is none, and takes nothing. */
static const struct reading *
read_demand(struct sharing *sharing, const struct batch_task *task,
    struct svc_error *error)
{
	struct reading reading, *kept;
	struct json_value requires;

	batch_requires(task, &requires);
	kept = memo_find(
	    &sharing->demands, 0, requires.span.data, requires.span.length);
	if (kept != NULL)
		return kept;
	memset(&reading, 0, sizeof(reading));
	reading.readable = demand_parse(&reading.demand, &requires, error) == 0;
	if (!reading.readable && error->code == EX_OSERR)
		return NULL;
	kept = memo_keep(&sharing->demands, 0, requires.span.data,
	    requires.span.length, &reading,
	    reading.demand.count * sizeof(*reading.demand.numbers));
	if (kept == NULL) {
		demand_release(&reading.demand);
		no_memory(error);
	}
	return kept;
}

static void
enqueue(struct sharing *sharing, uint32_t task)
{
	uint32_t group = batch_tasks(sharing->batch)[task].group;

	sharing->next[task] = NO_TASK;
	if (sharing->heads[group] == NO_TASK) {
		sharing->heads[group] = task;
		fair_set_waiting(sharing->fair, group, true);
	} else {
		sharing->next[sharing->tails[group]] = task;
	}
	sharing->tails[group] = task;
}

/* The next task of the group that has got the least; it gets it. */
static int
dequeue(struct sharing *sharing, uint32_t group, uint32_t *number,
    struct svc_error *error)
{
	const struct batch_task *task;
	const struct reading *reading;

	*number = sharing->heads[group];
	sharing->heads[group] = sharing->next[*number];
	if (sharing->heads[group] == NO_TASK)
		fair_set_waiting(sharing->fair, group, false);
	task = &batch_tasks(sharing->batch)[*number];
	reading = read_demand(sharing, task, error);
	if (reading == NULL)
		return -1;
	if (!reading->readable)
		return 0;
	return fair_take(sharing->fair, group,
	    batch_service(sharing->batch, task->service), &reading->demand,
	    batch_duration(task), error);
}

/* Those of one priority, count of them, in places. */
static int
share_out(struct sharing *sharing, uint32_t *places, size_t count,
    struct svc_error *error)
{
	uint32_t group;
	size_t i;

	for (i = 0; i < count; i++)
		enqueue(sharing, places[i]);
	for (i = 0; fair_next(sharing->fair, &group) == 1; i++)
		if (dequeue(sharing, group, &places[i], error) == -1)
			return -1;
	return 0;
}

/* places are sorted by priority. */
static int
share_out_all(
    struct sharing *sharing, uint32_t *places, struct svc_error *error)
{
	const struct batch_task *tasks = batch_tasks(sharing->batch);
	size_t count = batch_count(sharing->batch), from = 0, to;

	while (from < count) {
		to = from + 1;
		while (to < count && tasks[places[to]].priority ==
					 tasks[places[from]].priority)
			to++;
		if (share_out(sharing, places + from, to - from, error) == -1)
			return -1;
		from = to;
	}
	return 0;
}

static int
sort_fairly(struct batch *batch, struct pool *pool,
    const struct fair_share *shares, size_t count, uint32_t *places,
    struct svc_error *error)
{
	struct sharing sharing;
	uint32_t group;
	size_t i;
	int result;

	if (sharing_init(&sharing, batch, pool, error) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		group = batch_group_find(batch, shares[i].group);
		if (group < batch_groups(batch))
			fair_weigh(sharing.fair, group, shares[i].weight);
	}
	result = share_out_all(&sharing, places, error);
	sharing_release(&sharing);
	return result;
}

int
task_order_sort(struct batch *batch, enum task_order order, struct pool *pool,
    const struct fair_share *shares, size_t count, struct svc_error *error)
{
	uint32_t *places;
	int result;

	if (batch_count(batch) == 0)
		return 0;
	places = reallocarray(NULL, batch_count(batch), sizeof(*places));
	if (places == NULL)
		return no_memory(error);
	result = sort(batch, order, places, error);
	if (result == 0 && order == ORDER_FAIR)
		result = sort_fairly(batch, pool, shares, count, places, error);
	if (result == 0)
		arrange(batch_tasks(batch), places, batch_count(batch));
	free(places);
	return result;
}
