/*
 * The least load per slot.  Equal ones go by an order that is drawn when the
 * policy is opened, or many processes that start at once would all take the
 * first id.
 *
 * Where the caller keeps the loads, they may change in any way between two
 * choices, and all of the list are looked at.  Those counted here only grow
 * until they are observed again: each list has a heap, whose entries may say
 * less than the load is, and are put right when they come to its top.
 */
#include "sched/policy.h"

#include <math.h>
#include <stdlib.h>
#include <sysexits.h>

#include "line/json_write.h"
#include "sched/member_load.h"

struct entry {
	double load; /* at most what it is */
	uint32_t order;
	uint32_t member;
};

struct heap {
	uint64_t serial; /* of the list */
	uint64_t version; /* member_load_version() when it was made */
	struct entry *entries; /* the least first; NULL: not made */
};

struct state {
	struct member_load *load;
	uint32_t *order; /* of each member, among equal ones */
	struct heap heaps[POOL_SETS_MAX]; /* by slot */
};

/* Fisher-Yates; count is at least 1. */
static void
shuffle(uint32_t *numbers, size_t count, struct random *random)
{
	size_t i;

	for (i = 0; i < count; i++) {
		size_t other = (size_t)random_below(random, i + 1);

		numbers[i] = numbers[other];
		numbers[other] = (uint32_t)i;
	}
}

static int
open_state(struct policy *policy, struct svc_error *error)
{
	const struct policy_options *options = &policy->options;
	size_t count = pool_count(policy->pool);
	struct state *state;

	state = policy->state = calloc(1, sizeof(*state));
	if (state == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	state->order = calloc(count + 1, sizeof(*state->order));
	if (state->order == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	shuffle(state->order, count, &policy->random);
	return member_load_open(&state->load, policy->pool, options->own,
	    options->stale, options->now, error);
}

static void
close_state(struct policy *policy)
{
	struct state *state = policy->state;
	size_t i;

	if (state == NULL)
		return;
	for (i = 0; i < POOL_SETS_MAX; i++)
		free(state->heaps[i].entries);
	member_load_close(state->load);
	free(state->order);
	free(state);
}

/* Four at a time, since each comparison waits for the one before it. */
static double
least_value(const double *values, const struct eligible *list)
{
	double least[4] = {INFINITY, INFINITY, INFINITY, INFINITY};
	const uint32_t *members = list->members;
	size_t i, k;

	for (i = 0; i + 4 <= list->count; i += 4)
		for (k = 0; k < 4; k++) {
			double value = values[members[i + k]];

			least[k] = value < least[k] ? value : least[k];
		}
	for (; i < list->count; i++)
		least[0] = fmin(least[0], values[members[i]]);
	return fmin(fmin(least[0], least[1]), fmin(least[2], least[3]));
}

/* As member_load_compare() has it, and then by order. */
static uint32_t
scan(const struct state *state, const struct eligible *list)
{
	const double *values = member_load_values(state->load);
	const double *ties = member_load_ties(state->load);
	double least = least_value(values, list), tie = INFINITY;
	uint32_t best = list->members[0], order = UINT32_MAX;
	size_t i;

	for (i = 0; i < list->count; i++) {
		uint32_t member = list->members[i];

		if (values[member] > least || ties[member] > tie)
			continue;
		if (ties[member] < tie || state->order[member] < order) {
			best = member;
			tie = ties[member];
			order = state->order[member];
		}
	}
	return best;
}

static bool
before(const struct entry *a, const struct entry *b)
{
	return a->load < b->load || (a->load == b->load && a->order < b->order);
}

static void
sift_down(struct entry *entries, size_t count, size_t place)
{
	struct entry entry = entries[place];

	for (;;) {
		size_t child = 2 * place + 1;

		if (child >= count)
			break;
		if (child + 1 < count &&
		    before(&entries[child + 1], &entries[child]))
			child++;
		if (!before(&entries[child], &entry))
			break;
		entries[place] = entries[child];
		place = child;
	}
	entries[place] = entry;
}

static int
heap_make(const struct state *state, struct heap *heap,
    const struct eligible *list, struct svc_error *error)
{
	const double *values = member_load_values(state->load);
	struct entry *entries =
	    reallocarray(heap->entries, list->count, sizeof(*entries));
	size_t i;

	if (entries == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	heap->entries = entries;
	heap->version = member_load_version(state->load);
	for (i = 0; i < list->count; i++) {
		uint32_t member = list->members[i];

		entries[i] = (struct entry){
		    values[member], state->order[member], member};
	}
	for (i = list->count / 2; i-- > 0;)
		sift_down(entries, list->count, i);
	return 0;
}

static uint32_t
heap_least(const struct state *state, struct heap *heap, size_t count)
{
	const double *values = member_load_values(state->load);
	struct entry *top = heap->entries;

	while (top->load < values[top->member]) {
		top->load = values[top->member];
		sift_down(heap->entries, count, 0);
	}
	return top->member;
}

/*
 * A list that is seen for the first time is scanned: many, those of pool_subset
 * among them, do not come again, and for one choice a heap is too dear.
 */
static int
least(struct state *state, const struct eligible *list, uint32_t *member,
    struct svc_error *error)
{
	struct heap *heap = &state->heaps[list->slot];

	if (heap->serial != list->serial) {
		heap->serial = list->serial;
		free(heap->entries);
		heap->entries = NULL;
		*member = scan(state, list);
		return 1;
	}
	if ((heap->entries == NULL ||
		heap->version != member_load_version(state->load)) &&
	    heap_make(state, heap, list, error) == -1)
		return -1;
	*member = heap_least(state, heap, list->count);
	return 1;
}

static int
choose(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t *member, struct svc_error *error)
{
	struct state *state = policy->state;

	(void)task;
	if (list->count == 1)
		*member = list->members[0];
	else if (member_load_probe(state->load, &policy->random, list, member))
		;
	else if (policy->options.own != NULL)
		*member = scan(state, list);
	else if (least(state, list, member, error) == -1)
		return -1;
	member_load_placed(state->load, *member);
	return 1;
}

static void
give_back(struct policy *policy, const struct demand *demand, uint32_t member)
{
	struct state *state = policy->state;

	(void)demand;
	member_load_ended(state->load, member);
}

static void
observe(struct policy *policy, int64_t now)
{
	struct state *state = policy->state;

	member_load_observe(state->load, now);
}

/* order: the lesser of equally loaded ones is chosen. */
static void
explain(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t member, struct buffer *out)
{
	const struct state *state = policy->state;
	struct random random = policy->random;
	uint32_t probed;

	(void)task;
	member_load_explain(state->load, member, out);
	buffer_append_format(out, ",\"order\":%u", state->order[member]);
	if (list->count > 1 &&
	    member_load_probe(state->load, &random, list, &probed) &&
	    probed == member)
		buffer_append_string(out, ",\"probe\":true");
}

static bool
weighs_load(const struct policy_options *options)
{
	(void)options;
	return true;
}

const struct policy_type policy_least_loaded = {
    .name = "least-loaded",
    .summary = "the least load per slot",
    .weighs_load = weighs_load,
    .open = open_state,
    .close = close_state,
    .choose = choose,
    .give_back = give_back,
    .observe = observe,
    .explain = explain,
};
