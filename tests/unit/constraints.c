/* Deadlines and spread, beside a twin that counts everything anew. */
#include "sched/constraints.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "pool_fixture.h"
#include "sched/random.h"

#define LABELS	 3
#define MEMBERS	 24
#define LIVE_MAX 400

static const char *const labels[LABELS] = {"zone", "rack", "disk"};

/* What the twin knows of a task that was placed. */
struct live {
	char requires[128];
	struct constrained_task task;
	int skews[LABELS]; /* 0: not spread over it */
	const char *service;
	uint32_t member;
};

struct twin {
	struct fixture fixture;
	struct constraints *constraints;
	struct random random;
	int values[MEMBERS][LABELS]; /* by number of the id; 0: none */
	double speeds[MEMBERS];
	struct live lives[LIVE_MAX];
	size_t count;
};

static const struct constrained_task plain = {NULL, 0, -1, INFINITY};

static uint32_t
below(struct twin *twin, uint32_t limit)
{
	return random_below(&twin->random, limit);
}

/* Two services, each with half of the members; some lack some labels. */
static void
twin_open(struct twin *twin, uint64_t seed)
{
	char id[16], more[256];
	struct svc_error error;
	size_t length;
	int i, k;

	memset(twin, 0, sizeof(*twin));
	random_seed(&twin->random, seed);
	for (i = 0; i < MEMBERS; i++) {
		twin->speeds[i] = 1 + below(twin, 3);
		snprintf(id, sizeof(id), "i%02d", i);
		length = (size_t)snprintf(more, sizeof(more),
		    ",\"capacity\":{\"cpu\":%d,\"speed\":%g},\"labels\":{"
		    "\"id\":\"%s\"",
		    i % 4, twin->speeds[i], id);
		for (k = 0; k < LABELS; k++) {
			twin->values[i][k] = (int)below(twin, 4);
			if (twin->values[i][k] > 0)
				length += (size_t)snprintf(more + length,
				    sizeof(more) - length, ",\"%s\":\"v%d\"",
				    labels[k], twin->values[i][k]);
		}
		snprintf(more + length, sizeof(more) - length, "}");
		fixture_add(
		    &twin->fixture, i < MEMBERS / 2 ? "a" : "b", id, more);
	}
	fixture_open(&twin->fixture);
	CHECK(constraints_open(
		  &twin->constraints, twin->fixture.pool, &error) == 0);
}

static void
twin_close(struct twin *twin)
{
	constraints_close(twin->constraints);
	fixture_close(&twin->fixture);
}

/* A member's number in the tables: pool and tables have one order. */
static bool
is_late(const struct twin *twin, const struct live *asking, uint32_t member)
{
	double duration = fmax(asking->task.duration, 0);

	return duration / twin->speeds[member] > asking->task.remaining;
}

/* Tasks that count with asking's in the domain of member. */
static int
count_beside(const struct twin *twin, const struct live *asking, int label,
    uint32_t member)
{
	int tasks = 0;
	size_t i;

	for (i = 0; i < twin->count; i++) {
		const struct live *live = &twin->lives[i];

		tasks += live->skews[label] > 0 &&
			 strcmp(live->service, asking->service) == 0 &&
			 live->task.group_length == asking->task.group_length &&
			 (live->task.group_length == 0 ||
			     live->task.group[0] == asking->task.group[0]) &&
			 twin->values[live->member][label] ==
			     twin->values[member][label];
	}
	return tasks;
}

static bool
is_candidate(
    const struct twin *twin, const struct live *asking, uint32_t member)
{
	int k;

	for (k = 0; k < LABELS; k++)
		if (asking->skews[k] > 0 && twin->values[member][k] == 0)
			return false;
	return !is_late(twin, asking, member);
}

/* Whether the twin would leave member in list. */
static bool
is_left(const struct twin *twin, const struct live *asking,
    const struct eligible *list, uint32_t member)
{
	int k, fewest, here;
	size_t i;

	if (!is_candidate(twin, asking, member))
		return false;
	for (k = 0; k < LABELS; k++) {
		if (asking->skews[k] == 0)
			continue;
		here = fewest = count_beside(twin, asking, k, member);
		for (i = 0; i < list->count; i++) {
			if (!is_candidate(twin, asking, list->members[i]))
				continue;
			here = count_beside(twin, asking, k, list->members[i]);
			fewest = here < fewest ? here : fewest;
		}
		here = count_beside(twin, asking, k, member);
		if (here + 1 - fewest > asking->skews[k])
			return false;
	}
	return true;
}

static void
make_task(struct twin *twin, struct live *live)
{
	static const char *const groups[] = {"", "g", "h"};
	size_t length;
	int k;

	memset(live, 0, sizeof(*live));
	live->service = below(twin, 2) == 0 ? "a" : "b";
	live->task.group = groups[below(twin, 3)];
	live->task.group_length = strlen(live->task.group);
	live->task.duration = (double)below(twin, 8) - 1;
	live->task.remaining =
	    below(twin, 3) == 0 ? (double)below(twin, 5) - 0.5 : INFINITY;
	length = (size_t)snprintf(live->requires, sizeof(live->requires),
	    "{\"cpu\":%d,\"spread\":{", (int)below(twin, 3));
	for (k = 0; k < LABELS; k++) {
		if (below(twin, 2) == 0)
			continue;
		live->skews[k] = 1 + (int)below(twin, 3);
		length += (size_t)snprintf(live->requires + length,
		    sizeof(live->requires) - length, "%s\"%s\":%d",
		    live->requires[length - 1] == '{' ? "" : ",", labels[k],
		    live->skews[k]);
	}
	snprintf(
	    live->requires + length, sizeof(live->requires) - length, "}}");
}

static bool
is_among(const struct eligible *list, uint32_t member)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->members[i] == member)
			return true;
	return false;
}

/* Where constraints and twin differ; reasons must say the same. */
static int
compare(const struct twin *twin, const struct live *asking,
    const struct eligible *list, const struct eligible *narrowed)
{
	struct reason reasons[CONSTRAINTS_REASONS_MAX];
	int wrong = 0;
	size_t i, count;

	for (i = 0; i < list->count; i++) {
		uint32_t member = list->members[i];
		bool left = is_left(twin, asking, list, member);

		count = constraints_reasons(
		    twin->constraints, &asking->task, member, reasons);
		wrong += is_among(narrowed, member) != left;
		wrong += (count == 0) != left;
		wrong += narrowed->count > list->count;
	}
	return wrong;
}

/* One of the tasks ends. */
static void
end_one(struct twin *twin)
{
	size_t i = below(twin, (uint32_t)twin->count);
	struct live *live = &twin->lives[i];
	const struct eligible *list =
	    fixture_list(&twin->fixture, live->service, live->requires, NULL);

	constraints_ended(twin->constraints, list, &live->task, live->member);
	twin->lives[i] = twin->lives[--twin->count];
}

/* Narrows and places one task; returns how much was wrong. */
static int
place_one(struct twin *twin, int *placed)
{
	struct live *live = &twin->lives[twin->count];
	const struct eligible *list, *narrowed;
	int wrong;

	make_task(twin, live);
	list =
	    fixture_list(&twin->fixture, live->service, live->requires, NULL);
	if (list == NULL || constraints_narrow(twin->constraints, list,
				&live->task, &narrowed, NULL) == -1)
		return 1;
	wrong = compare(twin, live, list, narrowed);
	if (narrowed->count == 0)
		return wrong;
	live->member =
	    narrowed->members[below(twin, (uint32_t)narrowed->count)];
	if (constraints_placed(twin->constraints, narrowed, &live->task,
		live->member, NULL) == -1)
		return wrong + 1;
	twin->count++;
	++*placed;
	return wrong;
}

static void
random_tasks_are_narrowed_as_the_twin_does(void)
{
	static struct twin twin;
	int round, i, wrong = 0, placed = 0;

	for (round = 0; round < 20; round++) {
		twin_open(&twin, (uint64_t)round + 1);
		for (i = 0; i < 300; i++) {
			wrong += place_one(&twin, &placed);
			if (twin.count > 0 && below(&twin, 3) == 0)
				end_one(&twin);
		}
		twin_close(&twin);
	}
	CHECK(wrong == 0);
	if (!CHECK(placed > 2000))
		printf("# only %d were placed\n", placed);
}

/* The ids that are left of those that fit requires. */
static const char *
left(struct fixture *fixture, struct constraints *constraints,
    const char *requires, const struct constrained_task *task)
{
	const struct eligible *list, *narrowed;

	list = fixture_list(fixture, NULL, requires, NULL);
	if (list == NULL ||
	    constraints_narrow(constraints, list, task, &narrowed, NULL) == -1)
		return "error";
	return fixture_ids(fixture, narrowed);
}

static void
place(struct fixture *fixture, struct constraints *constraints,
    const char *requires, const struct constrained_task *task, uint32_t member)
{
	const struct eligible *list =
	    fixture_list(fixture, NULL, requires, NULL);

	CHECK(constraints_placed(constraints, list, task, member, NULL) == 0);
}

static void
open_zones(struct fixture *fixture, struct constraints **constraints)
{
	fixture_add(fixture, "s", "a1", ",\"labels\":{\"zone\":\"a\"}");
	fixture_add(fixture, "s", "a2", ",\"labels\":{\"zone\":\"a\"}");
	fixture_add(fixture, "s", "b1",
	    ",\"labels\":{\"zone\":\"b\"},\"capacity\":{\"speed\":2}");
	fixture_add(fixture, "s", "none", "");
	fixture_open(fixture);
	CHECK(constraints_open(constraints, fixture->pool, NULL) == 0);
}

static void
a_zone_is_at_most_so_many_ahead_and_without_one_is_out(void)
{
	struct fixture fixture = {.count = 0};
	struct constraints *constraints;
	const char *one = "{\"spread\":\"zone\"}";
	const char *two = "{\"spread\":{\"zone\":2}}";

	open_zones(&fixture, &constraints);
	CHECK_STRING(left(&fixture, constraints, one, &plain), "a1 a2 b1");
	place(&fixture, constraints, one, &plain, 0);
	CHECK_STRING(left(&fixture, constraints, one, &plain), "b1");
	CHECK_STRING(left(&fixture, constraints, two, &plain), "a1 a2 b1");
	place(&fixture, constraints, two, &plain, 1);
	CHECK_STRING(left(&fixture, constraints, two, &plain), "b1");
	CHECK_STRING(left(&fixture, constraints, "", &plain), "a1 a2 b1 none");
	CHECK_STRING(
	    left(&fixture, constraints, "{\"spread\":{\"rack\":9}}", &plain),
	    "");
	constraints_close(constraints);
	fixture_close(&fixture);
}

static void
groups_are_counted_apart_and_ended_tasks_no_more(void)
{
	struct fixture fixture = {.count = 0};
	struct constrained_task alice = plain, bob = plain;
	struct constraints *constraints;
	const char *one = "{\"spread\":\"zone\"}";

	alice.group = "alice";
	alice.group_length = 5;
	bob.group = "bob";
	bob.group_length = 3;
	open_zones(&fixture, &constraints);
	place(&fixture, constraints, one, &alice, 0);
	CHECK_STRING(left(&fixture, constraints, one, &alice), "b1");
	CHECK_STRING(left(&fixture, constraints, one, &bob), "a1 a2 b1");
	CHECK_STRING(left(&fixture, constraints, one, &plain), "a1 a2 b1");
	constraints_ended(
	    constraints, fixture_list(&fixture, NULL, one, NULL), &alice, 0);
	CHECK_STRING(left(&fixture, constraints, one, &alice), "a1 a2 b1");
	constraints_close(constraints);
	fixture_close(&fixture);
}

static void
who_is_too_slow_for_the_deadline_is_out_and_its_zone_not_compared(void)
{
	struct fixture fixture = {.count = 0};
	struct constrained_task task = {NULL, 0, 10, 5};
	struct constraints *constraints;
	const char *one = "{\"spread\":\"zone\"}";

	open_zones(&fixture, &constraints);
	CHECK_STRING(left(&fixture, constraints, "", &task), "b1");
	place(&fixture, constraints, one, &plain, 2);
	CHECK_STRING(left(&fixture, constraints, one, &task), "b1");
	task.remaining = 10;
	CHECK_STRING(left(&fixture, constraints, "", &task), "a1 a2 b1 none");
	CHECK_STRING(left(&fixture, constraints, one, &task), "a1 a2");
	task.remaining = 4.99;
	CHECK_STRING(left(&fixture, constraints, "", &task), "");
	task.remaining = 0;
	task.duration = -1;
	CHECK_STRING(left(&fixture, constraints, "", &task), "a1 a2 b1 none");
	task.remaining = -0.001;
	CHECK_STRING(left(&fixture, constraints, "", &task), "");
	constraints_close(constraints);
	fixture_close(&fixture);
}

static void
all_late_says_what_it_takes_on_the_fastest(void)
{
	struct fixture fixture = {.count = 0};
	struct constrained_task task = {NULL, 0, 10, 4};
	struct constraints *constraints;
	const struct eligible *list;
	double seconds = 0;

	open_zones(&fixture, &constraints);
	list = fixture_list(&fixture, NULL, "", NULL);
	CHECK(constraints_all_late(constraints, list, &task, &seconds));
	CHECK(seconds == 5);
	task.remaining = 5;
	CHECK(!constraints_all_late(constraints, list, &task, &seconds));
	list = fixture_list(&fixture, NULL, "{\"cpu\":1}", NULL);
	task.remaining = 1;
	CHECK(list->count == 0 &&
	      !constraints_all_late(constraints, list, &task, &seconds));
	constraints_close(constraints);
	fixture_close(&fixture);
}

static void
what_does_not_constrain_leaves_the_very_list(void)
{
	struct fixture fixture = {.count = 0};
	struct constrained_task task = {NULL, 0, 10, 10};
	struct constraints *constraints;
	const struct eligible *list, *narrowed;

	open_zones(&fixture, &constraints);
	list = fixture_list(&fixture, NULL, "", NULL);
	CHECK(constraints_narrow(constraints, list, &plain, &narrowed, NULL) ==
	      0);
	CHECK(narrowed == list);
	CHECK(
	    constraints_narrow(constraints, list, &task, &narrowed, NULL) == 0);
	CHECK(narrowed == list);
	constraints_close(constraints);
	fixture_close(&fixture);
}

/* A zone without room for such a task is none of those compared. */
static void
a_list_of_labels_compares_zones_that_could_take_it(void)
{
	struct fixture fixture = {.count = 0};
	struct json_value requires =
	    fixture_requires("{\"cpu\":4,\"spread\":\"zone\"}");
	struct constraints *constraints;
	const struct eligible *all, *narrowed;

	fixture_add(&fixture, "s", "a",
	    ",\"labels\":{\"zone\":\"a\"},\"capacity\":{\"cpu\":8}");
	fixture_add(&fixture, "s", "b",
	    ",\"labels\":{\"zone\":\"b\"},\"capacity\":{\"cpu\":2}");
	fixture_add(&fixture, "s", "c",
	    ",\"labels\":{\"zone\":\"c\"},\"capacity\":{\"cpu\":8},"
	    "\"status\":\"warning\"");
	fixture_open(&fixture);
	CHECK(constraints_open(&constraints, fixture.pool, NULL) == 0);
	CHECK(constraints_find(constraints, NULL, &requires, true, &plain, &all,
		  &narrowed, NULL) == 0);
	CHECK(all->count == 3 && constraints_passing_only(constraints, all));
	CHECK(constraints_placed(constraints, all, &plain, 0, NULL) == 0);
	CHECK(constraints_find(constraints, NULL, &requires, true, &plain, &all,
		  &narrowed, NULL) == 0);
	CHECK_STRING(fixture_ids(&fixture, narrowed), "a b");
	constraints_close(constraints);
	fixture_close(&fixture);
}

/* As pool_eligible() and the policies do: 0.1 + 0.2 does not fit into 0.3. */
static void
a_total_that_rounding_makes_too_small_has_not_the_numbers(void)
{
	struct fixture fixture = {.count = 0};
	struct json_value requires = fixture_requires(
	    "{\"cpu\":0.30000000000000004,\"spread\":\"zone\"}");
	struct constraints *constraints;
	const struct eligible *all, *narrowed;
	bool room;

	fixture_add(&fixture, "s", "a",
	    ",\"labels\":{\"zone\":\"a\"},\"capacity\":{\"cpu\":0.3}");
	fixture_add(&fixture, "s", "b",
	    ",\"labels\":{\"zone\":\"b\"},\"capacity\":{\"cpu\":1},"
	    "\"status\":\"warning\"");
	fixture_open(&fixture);
	CHECK(constraints_open(&constraints, fixture.pool, NULL) == 0);
	for (room = false;; room = true) {
		CHECK(constraints_find(constraints, NULL, &requires, room,
			  &plain, &all, &narrowed, NULL) == 0);
		CHECK(!constraints_passing_only(constraints, all));
		CHECK(is_among(narrowed, 1));
		CHECK(
		    constraints_placed(constraints, all, &plain, 1, NULL) == 0);
		if (room)
			break;
	}
	constraints_close(constraints);
	fixture_close(&fixture);
}

/* What one remembers of a pool is nothing to the other. */
static void
two_for_one_pool_do_not_mix_up(void)
{
	struct fixture fixture = {.count = 0};
	struct constrained_task slow = {NULL, 0, 10, 5};
	struct constraints *one, *other;

	open_zones(&fixture, &one);
	CHECK(constraints_open(&other, fixture.pool, NULL) == 0);
	CHECK_STRING(left(&fixture, one, "", &slow), "b1");
	slow.remaining = 1;
	CHECK_STRING(left(&fixture, other, "", &slow), "");
	CHECK_STRING(left(&fixture, one, "", &slow), "");
	slow.remaining = 5;
	CHECK_STRING(left(&fixture, other, "", &slow), "b1");
	constraints_close(other);
	constraints_close(one);
	fixture_close(&fixture);
}

static void
among_keeps_those_that_are_marked(void)
{
	static const unsigned char keep[] = {0, 1, 0, 1};
	struct fixture fixture = {.count = 0};
	struct constraints *constraints;
	const struct eligible *list, *among;

	open_zones(&fixture, &constraints);
	list = fixture_list(&fixture, NULL, "{\"labels\":\"zone\"}", NULL);
	CHECK(constraints_among(constraints, list, keep, &among, NULL) == 0);
	CHECK_STRING(fixture_ids(&fixture, among), "a2");
	constraints_close(constraints);
	fixture_close(&fixture);
}

int
main(void)
{
	RUN(a_zone_is_at_most_so_many_ahead_and_without_one_is_out);
	RUN(groups_are_counted_apart_and_ended_tasks_no_more);
	RUN(who_is_too_slow_for_the_deadline_is_out_and_its_zone_not_compared);
	RUN(all_late_says_what_it_takes_on_the_fastest);
	RUN(what_does_not_constrain_leaves_the_very_list);
	RUN(a_list_of_labels_compares_zones_that_could_take_it);
	RUN(a_total_that_rounding_makes_too_small_has_not_the_numbers);
	RUN(two_for_one_pool_do_not_mix_up);
	RUN(among_keeps_those_that_are_marked);
	RUN(random_tasks_are_narrowed_as_the_twin_does);
	return check_done();
}
