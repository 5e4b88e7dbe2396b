#include "net/call_choice.h"

#include <bsd/stdlib.h>
#include <math.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "sched/constraints.h"
#include "sched/explain.h"
#include "sched/room.h"

/*
 * So often a policy draws from all who meet the requirements, and where fewer
 * than one in so many of all have room it does not even try: then those who
 * have are made a list of their own, which costs more the more they are.
 */
#define DRAWS  32
#define SPARSE 16

/* Seconds after which what was observed may have become stale. */
#define OBSERVED_FOR 1

/* Who has no weight is named, up to so many. */
#define UNWEIGHED_NAMED 3

/* How a policy comes to one who has room. */
enum approach {
	APPROACH_ASK, /* it says whom it likes best, then whom of those */
	APPROACH_DRAW, /* it draws again */
	APPROACH_TURN /* it goes on to the next */
};

struct call_choice {
	const char *service;
	struct instance *instances;
	size_t count;
	struct pool *pool;
	struct policy policy;
	struct constraints *constraints;
	struct call_seats seats;
	struct room room; /* what tasks leave, where consume */
	bool consume; /* and the policy does not see to it itself */
	enum approach approach;
	uint32_t *members; /* scratch */
	const double *weights; /* the policy's; NULL: none, or all are 0 */
	double observed; /* monotonic seconds */
	struct buffer unweighed; /* the line; empty: nobody is */
};

/* What constraints look at, beside requires: nothing that a task brings. */
static const struct constrained_task unconstrained = {.duration = -1,
    .remaining = INFINITY};

static enum approach
approach_of(const struct policy_type *type)
{
	if (type == &policy_round_robin)
		return APPROACH_TURN;
	if (type == &policy_p2c || type == &policy_random ||
	    type == &policy_weighted)
		return APPROACH_DRAW;
	return APPROACH_ASK;
}

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

/* Of those with one id the last. */
static void
drop_twins(struct call_choice *choice)
{
	struct instance *instances = choice->instances;
	size_t i, kept = 0;

	for (i = 0; i < choice->count; i++) {
		if (kept > 0 &&
		    instance_compare(&instances[kept - 1], &instances[i]) == 0)
			instance_release(&instances[--kept]);
		instances[kept++] = instances[i];
	}
	choice->count = kept;
}

/* mergesort(3) keeps the order of those that compare equal. */
static int
copy_instances(struct call_choice *choice, const struct instance *instances,
    size_t count, struct svc_error *error)
{
	choice->instances = calloc(count + 1, sizeof(*choice->instances));
	if (choice->instances == NULL)
		return no_memory(error);
	for (; choice->count < count; choice->count++)
		if (instance_copy(&choice->instances[choice->count],
			&instances[choice->count]) == -1)
			return no_memory(error);
	if (count > 1 &&
	    mergesort(choice->instances, count, sizeof(*choice->instances),
		instance_compare) == -1)
		return no_memory(error);
	drop_twins(choice);
	return 0;
}

/* "w/b: ...: it gets no tasks, like c, d and 3 more" */
static void
tell_unweighed(struct call_choice *choice, const struct instance *instance,
    const struct svc_error *error, size_t count)
{
	struct buffer *line = &choice->unweighed;

	if (count == 0)
		buffer_append_format(
		    line, "%s: it gets no tasks", error->message);
	else if (count < UNWEIGHED_NAMED)
		buffer_append_format(
		    line, "%s%s", count == 1 ? ", like " : ", ", instance->id);
}

/* One wrong record is no reason to do nothing with the others. */
static int
exclude_unweighed(struct call_choice *choice, const struct policy_type *type,
    const struct policy_options *options, struct svc_error *error)
{
	struct svc_error why;
	const char *field;
	size_t i, count = 0;

	for (i = 0; i < choice->count; i++) {
		if (!instance_works(&choice->instances[i]))
			continue;
		field = policy_unweighed(
		    type, options, &choice->instances[i], &why);
		if (field == NULL)
			continue;
		pool_exclude(choice->pool, (uint32_t)i, field);
		tell_unweighed(choice, &choice->instances[i], &why, count++);
	}
	if (count > UNWEIGHED_NAMED)
		buffer_append_format(&choice->unweighed, " and %zu more",
		    count - UNWEIGHED_NAMED);
	if (count > 0 && buffer_string(&choice->unweighed) == NULL)
		return no_memory(error);
	return 0;
}

static void
weigh(struct call_choice *choice)
{
	const double *weights = policy_weights(&choice->policy);
	size_t i;

	choice->weights = NULL;
	for (i = 0; weights != NULL && i < choice->count; i++)
		if (weights[i] != 0)
			choice->weights = weights;
}

static int
open_parts(struct call_choice *choice, const struct policy_type *type,
    const struct policy_options *options, struct svc_error *error)
{
	struct policy_options own = *options;

	if (pool_open(&choice->pool, choice->instances, choice->count, error) ==
		-1 ||
	    exclude_unweighed(choice, type, options, error) == -1 ||
	    constraints_open(&choice->constraints, choice->pool, error) == -1)
		return -1;
	choice->members = calloc(choice->count + 1, sizeof(*choice->members));
	if (choice->members == NULL ||
	    call_seats_init(&choice->seats, choice->pool) == -1 ||
	    room_init(&choice->room, choice->pool) == -1)
		return no_memory(error);
	own.own = choice->seats.own;
	own.service = choice->service;
	own.now = time_now();
	choice->observed = time_monotonic();
	if (policy_open(&choice->policy, type, choice->pool, &own, error) == -1)
		return -1;
	weigh(choice);
	return 0;
}

int
call_choice_open(struct call_choice **opened, const char *service,
    const struct instance *instances, size_t count,
    const struct policy_type *type, const struct policy_options *options,
    bool consume, struct svc_error *error)
{
	struct call_choice *choice = calloc(1, sizeof(*choice));

	*opened = NULL;
	if (choice == NULL)
		return no_memory(error);
	choice->service = service;
	choice->approach = approach_of(type);
	choice->consume = consume && type != &policy_constrained;
	if (copy_instances(choice, instances, count, error) == -1 ||
	    open_parts(choice, type, options, error) == -1) {
		call_choice_close(choice);
		return -1;
	}
	*opened = choice;
	return 0;
}

void
call_choice_close(struct call_choice *choice)
{
	size_t i;

	if (choice == NULL)
		return;
	policy_close(&choice->policy);
	call_seats_release(&choice->seats);
	room_release(&choice->room);
	free(choice->members);
	constraints_close(choice->constraints);
	pool_close(choice->pool);
	for (i = 0; i < choice->count; i++)
		instance_release(&choice->instances[i]);
	free(choice->instances);
	buffer_release(&choice->unweighed);
	free(choice);
}

const char *
call_choice_unweighed(const struct call_choice *choice)
{
	return choice->unweighed.length == 0 ? NULL : choice->unweighed.data;
}

uint32_t
call_choice_find(const struct call_choice *choice, const char *id)
{
	size_t low = 0, high = choice->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(choice->instances[middle].id, id);

		if (order == 0)
			return (uint32_t)middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return CALL_NOBODY;
}

/* Whether a differs from b in its load at most, and in when it was told. */
static bool
is_same(const struct instance *a, const struct instance *b)
{
	return a->record.length == b->record.length &&
	       memcmp(a->record.data, b->record.data, a->record.length) == 0 &&
	       a->status == b->status && a->draining == b->draining &&
	       a->panic == b->panic;
}

/* The ids of count instances are the choice's, and all of them are there. */
static bool
are_same(
    struct call_choice *choice, const struct instance *instances, size_t count)
{
	uint32_t member;
	size_t i;

	if (count != choice->count)
		return false;
	for (i = 0; i < count; i++) {
		member = call_choice_find(choice, instances[i].id);
		if (member != i ||
		    !is_same(&choice->instances[i], &instances[i]))
			return false;
	}
	return true;
}

static void
look_again(struct call_choice *choice, double now)
{
	choice->observed = now;
	policy_observe(&choice->policy, time_now());
	weigh(choice);
}

bool
call_choice_observe(
    struct call_choice *choice, const struct instance *instances, size_t count)
{
	const struct policy *policy = &choice->policy;
	size_t i;

	/* Weights that do not follow the load are read once and for all. */
	if ((policy->type->weights != NULL &&
		!policy_weighs_load(policy->type, &policy->options)) ||
	    !are_same(choice, instances, count))
		return false;
	for (i = 0; i < count; i++) {
		struct instance *instance = &choice->instances[i];

		instance->utilization = instances[i].utilization;
		instance->reported = instances[i].reported;
		instance->checked = instances[i].checked;
	}
	look_again(choice, time_monotonic());
	return true;
}

struct call_seats *
call_choice_seats(struct call_choice *choice)
{
	return &choice->seats;
}

const struct eligible *
call_choice_list(struct call_choice *choice, const struct json_value *requires,
    struct svc_error *error)
{
	const struct eligible *list;

	if (pool_eligible(
		choice->pool, choice->service, requires, &list, error) == -1)
		return NULL;
	return list;
}

/* Those whom the tasks that run leave to one that asks for spread. */
static const struct eligible *
find_list(struct call_choice *choice, const struct json_value *requires)
{
	const struct eligible *list = call_choice_list(choice, requires, NULL);

	if (list == NULL || constraints_narrow(choice->constraints, list,
				&unconstrained, &list, NULL) == -1)
		return NULL;
	return list;
}

/* One of list by the policy, who has room as search has it.  1, 0, -1. */
static int
ask(struct call_choice *choice, const struct eligible *list,
    struct call_search *search, uint64_t key, uint32_t *member)
{
	const struct policy_task task = {.key = key};
	int chosen;

	chosen = policy_choose(&choice->policy, list, &task, member, NULL);
	if (chosen != 1 || call_search_takes(search, *member))
		return chosen;
	policy_give_back(&choice->policy, list->demand, *member);
	return 0;
}

/* The same, at most so often.  1, 0, -1. */
static int
ask_often(struct call_choice *choice, size_t times, struct call_search *search,
    uint64_t key, uint32_t *member)
{
	int chosen = 0;

	for (; chosen == 0 && times > 0; times--)
		chosen = ask(choice, search->list, search, key, member);
	return chosen;
}

/* How often it is worth to ask for one of all. */
static size_t
first_tries(const struct call_choice *choice, const struct eligible *list)
{
	if (list->count < 2 || choice->approach == APPROACH_TURN ||
	    choice->seats.free_count * SPARSE < choice->count)
		return 0;
	return choice->approach == APPROACH_DRAW ? DRAWS : 1;
}

/* One of those who have room: count of choice->members, one at least. */
static int
ask_those(struct call_choice *choice, size_t count, struct call_search *search,
    uint64_t key, uint32_t *member)
{
	const struct eligible *list = search->list, *those = list;
	int chosen;

	if (choice->approach == APPROACH_TURN)
		chosen = ask_often(choice, list->count, search, key, member);
	else if (count < list->count &&
		 pool_keep(choice->pool, list, choice->members, count, NULL, 0,
		     &those, NULL) == -1)
		chosen = -1;
	else
		chosen = ask(choice, those, search, key, member);
	return chosen;
}

/* All who have room, into choice->members. */
static size_t
find_those(struct call_choice *choice, struct call_search *search,
    const struct call_wish *wish)
{
	size_t count = call_search_all(search, choice->members);

	if (count > 0 || wish->avoid == CALL_NOBODY || wish->strictly)
		return count;
	search->avoid = CALL_NOBODY;
	return call_search_all(search, choice->members);
}

/* Whether tasks of that demand take numbers, which are then filled in. */
static bool
takes_numbers(struct call_choice *choice, const struct demand *demand,
    struct room_number numbers[DEMAND_NUMBERS_MAX])
{
	return choice->consume && demand != NULL && demand->count > 0 &&
	       room_find(&choice->room, demand, numbers) == 1;
}

/* Counts what was chosen; false: no memory, and it is not. */
static bool
count_chosen(
    struct call_choice *choice, const struct eligible *list, uint32_t member)
{
	struct room_number numbers[DEMAND_NUMBERS_MAX];

	if (constraints_placed(
		choice->constraints, list, &unconstrained, member, NULL) == 0) {
		if (takes_numbers(choice, list->demand, numbers))
			room_take(&choice->room, list->demand, member);
		return true;
	}
	policy_give_back(&choice->policy, list->demand, member);
	return false;
}

bool
call_choice_next(struct call_choice *choice, const struct call_wish *wish,
    uint32_t *member, bool *counted)
{
	struct room_number numbers[DEMAND_NUMBERS_MAX];
	const struct eligible *list;
	struct call_search search;
	size_t count;
	int chosen;

	if (choice->seats.ready_count == 0)
		return false;
	if (wish->now - choice->observed >= OBSERVED_FOR)
		look_again(choice, wish->now);
	list = find_list(choice, wish->requires);
	if (list == NULL || list->count == 0)
		return false;
	call_search_init(
	    &search, &choice->seats, list, choice->weights, wish->avoid);
	if (takes_numbers(choice, list->demand, numbers))
		call_search_need(&search, numbers, list->demand->count);
	chosen = ask_often(
	    choice, first_tries(choice, list), &search, wish->key, member);
	if (chosen != 1) {
		count = find_those(choice, &search, wish);
		if (count == 0)
			return false;
		chosen = ask_those(choice, count, &search, wish->key, member);
		if (chosen == -1)
			*member = choice->members[0];
	}
	*counted = chosen == 1 && count_chosen(choice, list, *member);
	return chosen != 0;
}

static bool
policy_counts(const struct policy *policy)
{
	return policy->type->give_back != NULL &&
	       !policy_weighs_load(policy->type, &policy->options);
}

bool
call_choice_counts(
    const struct call_choice *choice, const struct json_value *requires)
{
	return policy_counts(&choice->policy) ||
	       (requires != NULL && requires->span.data != NULL);
}

/* The list of member alone, for a task with requires; NULL: no memory. */
static const struct eligible *
only(struct call_choice *choice, const struct json_value *requires,
    uint32_t member)
{
	const struct eligible *list = call_choice_list(choice, requires, NULL);
	const struct eligible *one;

	if (list == NULL || pool_keep(choice->pool, list, &member, 1, NULL, 0,
				&one, NULL) == -1)
		return NULL;
	return one;
}

bool
call_choice_take(struct call_choice *choice, const struct json_value *requires,
    uint32_t member)
{
	const struct eligible *list = only(choice, requires, member);
	const struct policy_task task = {.key = 0};

	if (list == NULL || (policy_counts(&choice->policy) &&
				policy_choose(&choice->policy, list, &task,
				    &member, NULL) != 1))
		return false;
	return count_chosen(choice, list, member);
}

void
call_choice_give_back(struct call_choice *choice,
    const struct json_value *requires, uint32_t member)
{
	const struct eligible *list = call_choice_list(choice, requires, NULL);
	struct room_number numbers[DEMAND_NUMBERS_MAX];

	if (list == NULL)
		return;
	if (takes_numbers(choice, list->demand, numbers))
		room_give_back(&choice->room, list->demand, member);
	constraints_ended(choice->constraints, list, &unconstrained, member);
	policy_give_back(&choice->policy, list->demand, member);
}

void
call_choice_settle(struct call_choice *choice)
{
	policy_settle(&choice->policy);
}

void
call_choice_explain(struct call_choice *choice,
    const struct json_value *requires, struct buffer *out)
{
	const struct policy_task task = {.key = 0};
	const struct explain_question question = {
	    .pool = choice->pool,
	    .policy = &choice->policy,
	    .constraints = choice->constraints,
	    .service = choice->service,
	    .requires = requires,
	    .constrained = &unconstrained,
	    .task = &task,
	};

	explain_none(&question, out);
}
