/* ORDER_FAIR: whose turn it is, by what groups have got so far. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "ready_fixture.h"

/* From 0 to limit - 1; the same ones in each run. */
static uint32_t
below(uint32_t *state, uint32_t limit)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % limit;
}

/* count tasks of a group, with the other members; their lane. */
static uint32_t
add_many(struct ready_fixture *fixture, int count, const char *group,
    const char *others)
{
	char members[256];
	uint32_t lane = 0;

	snprintf(members, sizeof(members), "\"group\":\"%s\"%s%s", group,
	    others[0] == '\0' ? "" : ",", others);
	for (; count > 0; count--)
		lane = ready_fixture_add(fixture, members);
	return lane;
}

static void
groups_take_turns(void)
{
	struct ready_fixture fixture;

	ready_fixture_open(&fixture, ORDER_FAIR, NULL);
	add_many(&fixture, 4, "alice", "");
	add_many(&fixture, 2, "bob", "");
	CHECK(add_many(&fixture, 3, "", "") == 0);
	CHECK_STRING(ready_fixture_take_all(&fixture, 0), "6 0 4 7 1 5 8 2 3");
	ready_fixture_close(&fixture);
}

static void
a_name_is_compared_after_unescaping(void)
{
	struct ready_fixture fixture;

	ready_fixture_open(&fixture, ORDER_FAIR, "a\"b=3");
	add_many(&fixture, 3, "a\\\"b", "");
	add_many(&fixture, 3, "bob", "");
	add_many(&fixture, 3, "\\u0061\\u0022b", "");
	CHECK_STRING(ready_fixture_take_all(&fixture, 0), "0 3 1 2 6 4 7 8 5");
	ready_fixture_close(&fixture);
}

static void
a_greater_priority_comes_before_a_lesser_share(void)
{
	struct ready_fixture fixture;

	ready_fixture_open(&fixture, ORDER_FAIR, NULL);
	add_many(&fixture, 2, "alice", "\"priority\":-1");
	add_many(&fixture, 3, "alice", "\"priority\":1");
	add_many(&fixture, 2, "bob", "\"priority\":1");
	add_many(&fixture, 2, "carol", "");
	CHECK_STRING(ready_fixture_take_all(&fixture, 0), "2 5 3 6 4 7 8 0 1");
	ready_fixture_close(&fixture);
}

static void
long_tasks_count_as_what_they_are(void)
{
	struct ready_fixture fixture;

	ready_fixture_open(&fixture, ORDER_FAIR, NULL);
	add_many(&fixture, 2, "alice", "\"duration\":4");
	add_many(&fixture, 6, "bob", "");
	CHECK_STRING(ready_fixture_take_all(&fixture, 0), "0 2 3 4 5 1 6 7");
	ready_fixture_close(&fixture);
}

static void
what_requires_no_more_than_nothing_takes_a_slot(void)
{
	struct ready_fixture fixture;

	ready_fixture_open(&fixture, ORDER_FAIR, NULL);
	add_many(&fixture, 3, "alice", "\"requires\":{\"gpu\":0}");
	add_many(&fixture, 2, "bob", "\"requires\":{\"gpu\":0}");
	CHECK_STRING(ready_fixture_take_all(&fixture, 0), "0 3 1 4 2");
	ready_fixture_close(&fixture);
}

static void
what_was_taken_from_one_lane_counts_in_another(void)
{
	struct ready_fixture fixture;
	uint32_t wide;

	ready_fixture_open(&fixture, ORDER_FAIR, NULL);
	add_many(&fixture, 3, "alice", "\"requires\":{\"slots\":2}");
	wide = add_many(&fixture, 1, "bob", "\"requires\":{\"slots\":2}");
	add_many(&fixture, 2, "alice", "");
	CHECK(add_many(&fixture, 5, "bob", "") == 1);
	CHECK(ready_queue_pop(fixture.queue, wide) == 0);
	CHECK(ready_queue_pop(fixture.queue, 1) == 6);
	CHECK(ready_queue_pop(fixture.queue, 1) == 7);
	CHECK(ready_queue_pop(fixture.queue, 1) == 4);
	CHECK(ready_queue_pop(fixture.queue, 1) == 8);
	CHECK(ready_queue_pop(fixture.queue, wide) == 1);
	CHECK(ready_queue_pop(fixture.queue, wide) == 3);
	CHECK_STRING(ready_fixture_take_all(&fixture, 1), "5 9 10");
	ready_fixture_close(&fixture);
}

static void
what_is_drained_was_not_taken(void)
{
	struct ready_fixture fixture;

	ready_fixture_open(&fixture, ORDER_FAIR, NULL);
	add_many(&fixture, 1, "alice", "");
	add_many(&fixture, 1, "bob", "");
	CHECK(ready_queue_drain(fixture.queue) == 0);
	CHECK(ready_queue_drain(fixture.queue) == 1);
	add_many(&fixture, 1, "bob", "");
	add_many(&fixture, 1, "alice", "");
	CHECK_STRING(ready_fixture_take_all(&fixture, 0), "3 2");
	ready_fixture_close(&fixture);
}

static void
what_one_service_has_is_nothing_to_another(void)
{
	static const struct {
		const char *service, *group;
	} lines[] = {{"ocr", "alice"}, {"render", "bob"}, {"render", "bob"},
	    {"render", "carol"}, {"render", "alice"}, {"render", "bob"}};
	struct ready_fixture fixture;
	struct ready_key key;
	char members[64];
	size_t i;

	ready_fixture_open(&fixture, ORDER_FAIR, NULL);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(members, sizeof(members), "\"group\":\"%s\"",
		    lines[i].group);
		CHECK(ready_fixture_key(&fixture, lines[i].service, NULL,
			  members, &key, NULL) == 0);
		ready_fixture_push(&fixture, &key);
		if (i < 4)
			CHECK(ready_queue_pop(fixture.queue, key.lane) == i);
	}
	/* alice has had all of ocr, bob two thirds of render */
	CHECK_STRING(ready_fixture_take_all(&fixture, key.lane), "5 4");
	ready_fixture_close(&fixture);
}

/* How many of the next count tasks of a lane are of group, by its tasks. */
static int
count_taken(struct ready_fixture *fixture, uint32_t lane, uint32_t count,
    uint32_t first, uint32_t end)
{
	int taken = 0;
	uint32_t task;

	for (; count > 0; count--) {
		task = ready_queue_pop(fixture->queue, lane);
		taken += task >= first && task < end;
	}
	return taken;
}

static void
shares_become_the_weights(void)
{
	struct ready_fixture fixture;
	int alice;

	ready_fixture_open(&fixture, ORDER_FAIR, "alice=2.5,bob=0.5");
	add_many(&fixture, 4000, "bob", "");
	add_many(&fixture, 4000, "alice", "");
	add_many(&fixture, 4000, "carol", "");
	alice = count_taken(&fixture, 0, 1000, 4000, 8000);
	CHECK(alice >= 624 && alice <= 626);
	CHECK(count_taken(&fixture, 0, 1000, 0, 4000) == 125);
	CHECK(count_taken(&fixture, 0, 1000, 8000, 12000) == 250);
	ready_fixture_close(&fixture);
}

#define CPU "\"requires\":{\"cpu\":1}"
#define MEM "\"requires\":{\"mem\":\"1G\"}"

static void
what_counts_is_the_resource_of_which_a_group_has_most(void)
{
	struct ready_fixture fixture;
	uint32_t cpu, mem, task;
	int before = 0;

	ready_fixture_open(&fixture, ORDER_FAIR, NULL);
	cpu = add_many(&fixture, 100, "alice", CPU);
	CHECK(count_taken(&fixture, cpu, 100, 0, 100) == 100);
	mem = add_many(&fixture, 3, "bob", MEM);
	add_many(&fixture, 1, "carol", MEM);
	CHECK(count_taken(&fixture, mem, 4, 100, 104) == 4);
	add_many(&fixture, 1, "bob", CPU);
	add_many(&fixture, 1000, "carol", CPU);
	/* carol has a quarter of mem, and gets cpu until that is more than
	   bob's three quarters, give or take an eighth */
	while ((task = ready_queue_pop(fixture.queue, cpu)) != 104 &&
	       task != READY_NONE)
		before++;
	CHECK(task == 104);
	CHECK(before >= 200 && before <= 301);
	ready_fixture_close(&fixture);
}

#define GROUPS 20
#define EACH   200

/* Powers of 2, so that all sums and quotients are exact. */
static void
of_one_resource_the_order_is_exactly_that_of_what_was_taken(void)
{
	static double seconds[GROUPS * EACH];
	double taken[GROUPS] = {0};
	int had[GROUPS] = {0};
	struct ready_fixture fixture;
	uint32_t state = 11, i, want, group;
	char name[32], duration[32];

	ready_fixture_open(
	    &fixture, ORDER_FAIR, "g1=2,g2=4,g3=0.5,g4=0.125,g5=64");
	for (i = 0; i < GROUPS * EACH; i++) {
		seconds[i] = ldexp(1, (int)below(&state, 8) - 4);
		snprintf(name, sizeof(name), "g%u", i % GROUPS);
		snprintf(
		    duration, sizeof(duration), "\"duration\":%g", seconds[i]);
		add_many(&fixture, 1, name, duration);
	}
	for (i = 0; i < GROUPS * EACH; i++) {
		static const double weights[GROUPS] = {1, 2, 4, 0.5, 0.125, 64,
		    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

		want = GROUPS;
		for (group = 0; group < GROUPS; group++)
			if (had[group] < EACH &&
			    (want == GROUPS || taken[group] / weights[group] <
						   taken[want] / weights[want]))
				want = group;
		CHECK(ready_queue_pop(fixture.queue, 0) ==
		      want + GROUPS * (uint32_t)had[want]);
		taken[want] += seconds[want + GROUPS * (uint32_t)had[want]];
		had[want]++;
	}
	ready_fixture_close(&fixture);
}

#define CROWD  30
#define KINDS  4
#define STEPS  20000
#define GROWTH 1.125 /* as ready_shares.h says: an eighth */

/* Who wants what of two resources, and has had how much. */
struct crowd {
	struct ready_fixture fixture;
	uint32_t lanes[KINDS];
	double weights[CROWD];
	double taken[CROWD][2];
	double totals[2];
	int waiting[CROWD][KINDS];
	uint32_t random;
	struct {
		uint32_t group, kind;
		double seconds;
	} tasks[STEPS];
};

/* What a task of each kind requires. */
static const double kinds[KINDS][2] = {{1, 0}, {0, 1}, {3, 1}, {0.5, 4}};

static void
crowd_open(struct crowd *crowd, uint32_t seed)
{
	char shares[1024];
	size_t length = 0;
	int i;

	memset(crowd, 0, sizeof(*crowd));
	crowd->random = seed;
	for (i = 0; i < CROWD; i++) {
		crowd->weights[i] = 0.25 * (1 + below(&crowd->random, 20));
		length +=
		    (size_t)snprintf(shares + length, sizeof(shares) - length,
			"%sg%d=%g", i == 0 ? "" : ",", i, crowd->weights[i]);
	}
	ready_fixture_open(&crowd->fixture, ORDER_FAIR, shares);
}

static void
crowd_push(struct crowd *crowd)
{
	uint32_t task = crowd->fixture.count;
	uint32_t group = below(&crowd->random, CROWD);
	uint32_t kind = below(&crowd->random, KINDS);
	char name[32], members[128];

	crowd->tasks[task].group = group;
	crowd->tasks[task].kind = kind;
	crowd->tasks[task].seconds = 0.5 * (1 + below(&crowd->random, 40));
	snprintf(name, sizeof(name), "g%u", group);
	snprintf(members, sizeof(members),
	    "\"duration\":%g,\"requires\":{\"cpu\":%g,\"mem\":%g}",
	    crowd->tasks[task].seconds, kinds[kind][0], kinds[kind][1]);
	crowd->lanes[kind] = add_many(&crowd->fixture, 1, name, members);
	crowd->waiting[group][kind]++;
}

/* By definition. */
static double
crowd_share(const struct crowd *crowd, uint32_t group)
{
	double share = 0;
	int i;

	for (i = 0; i < 2; i++)
		if (crowd->taken[group][i] > 0)
			share = fmax(
			    share, crowd->taken[group][i] / crowd->totals[i]);
	return share / crowd->weights[group];
}

static void
crowd_pop(struct crowd *crowd)
{
	uint32_t kind = below(&crowd->random, KINDS), task, group, i;
	double least = INFINITY;

	for (i = 0; i < CROWD; i++)
		if (crowd->waiting[i][kind] > 0)
			least = fmin(least, crowd_share(crowd, i));
	if (isinf(least))
		return;
	task = ready_queue_pop(crowd->fixture.queue, crowd->lanes[kind]);
	if (!CHECK(
		task < crowd->fixture.count && crowd->tasks[task].kind == kind))
		return;
	group = crowd->tasks[task].group;
	CHECK(crowd_share(crowd, group) <= least * GROWTH * (1 + 1e-9));
	crowd->waiting[group][kind]--;
	for (i = 0; i < 2; i++) {
		double amount = kinds[kind][i] * crowd->tasks[task].seconds;

		crowd->taken[group][i] += amount;
		crowd->totals[i] += amount;
	}
}

static void
of_several_resources_no_share_is_passed_over_by_an_eighth(void)
{
	static struct crowd crowd;
	uint32_t seed;
	int step;

	for (seed = 1; seed <= 3; seed++) {
		crowd_open(&crowd, seed * 104729);
		for (step = 0; step < STEPS; step++)
			if (below(&crowd.random, 20) <
			    (step / 1000 % 2 == 0 ? 13U : 7U))
				crowd_push(&crowd);
			else
				crowd_pop(&crowd);
		ready_fixture_close(&crowd.fixture);
	}
}

/* Nobody looks at the lane. */
static void
on_woken(void *argument, uint32_t lane)
{
	(void)argument;
	(void)lane;
}

static void
one_that_slept_counts_as_what_it_is(void)
{
	struct ready_fixture fixture;

	ready_fixture_open(&fixture, ORDER_FAIR, NULL);
	add_many(&fixture, 2, "alice",
	    "\"duration\":3,\"not_before\":\"1970-01-01T01:00:00Z\"");
	add_many(&fixture, 5, "bob", "");
	CHECK(ready_queue_asleep(fixture.queue) == 2);
	CHECK(ready_queue_wake(fixture.queue, 3600000, on_woken, NULL) == 0);
	CHECK_STRING(ready_fixture_take_all(&fixture, 0), "0 2 3 4 1 5 6");
	ready_fixture_close(&fixture);
}

int
main(void)
{
	RUN(groups_take_turns);
	RUN(a_name_is_compared_after_unescaping);
	RUN(a_greater_priority_comes_before_a_lesser_share);
	RUN(long_tasks_count_as_what_they_are);
	RUN(what_requires_no_more_than_nothing_takes_a_slot);
	RUN(what_was_taken_from_one_lane_counts_in_another);
	RUN(what_is_drained_was_not_taken);
	RUN(one_that_slept_counts_as_what_it_is);
	RUN(what_one_service_has_is_nothing_to_another);
	RUN(shares_become_the_weights);
	RUN(what_counts_is_the_resource_of_which_a_group_has_most);
	RUN(of_one_resource_the_order_is_exactly_that_of_what_was_taken);
	RUN(of_several_resources_no_share_is_passed_over_by_an_eighth);
	return check_done();
}
