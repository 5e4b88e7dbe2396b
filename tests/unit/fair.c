/* Who is next, when groups share what there is. */
#include "sched/fair.h"

#include <math.h>

#include "check.h"
#include "pool_fixture.h"
#include "sched/random.h"

static struct fair *
open_fair(struct fixture *fixture, size_t groups)
{
	struct svc_error error;
	struct fair *fair;

	if (fair_open(&fair, fixture->pool, groups, &error) == -1) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return fair;
}

/* As fair_take(), of requires; "" is none. */
static void
take(struct fair *fair, uint32_t group, const char *service,
    const char *requires, double duration)
{
	struct json_value value = fixture_requires(requires);
	struct demand demand;
	struct svc_error error;

	CHECK(demand_parse(&demand, &value, &error) == 0);
	CHECK(fair_take(fair, group, service, &demand, duration, &error) == 0);
	demand_release(&demand);
}

static bool
about(double value, double wanted)
{
	return fabs(value - wanted) < 1e-9;
}

/* The first count that are next, as "0101", when each takes requires[group]. */
static const char *
sequence(struct fair *fair, const char *const *requires, size_t count)
{
	static char text[64];
	uint32_t group;
	size_t i;

	for (i = 0; i < count && fair_next(fair, &group) == 1; i++) {
		text[i] = (char)('0' + group);
		take(fair, group, NULL, requires[group], 1);
	}
	text[i] = '\0';
	return text;
}

/* Ghodsi et al., section 4.1, figure 2 and table 1. */
static void
the_example_of_the_paper_comes_out_as_there(void)
{
	static const char *const requires[] = {
	    "{\"cpu\":1,\"mem\":\"4G\"}", "{\"cpu\":3,\"mem\":\"1G\"}"};
	struct fixture fixture = {.count = 0};
	struct fair *fair;

	fixture_add(
	    &fixture, "s", "a", ",\"capacity\":{\"cpu\":4,\"mem\":\"8G\"}");
	fixture_add(
	    &fixture, "s", "b", ",\"capacity\":{\"cpu\":5,\"mem\":\"10G\"}");
	fixture_open(&fixture);
	fair = open_fair(&fixture, 2);
	fair_set_waiting(fair, 0, true);
	fair_set_waiting(fair, 1, true);
	/* 3 + 2 * 3 are the 9 CPUs */
	CHECK_STRING(sequence(fair, requires, 5), "01010");
	CHECK(about(fair_share_of(fair, 0), 2.0 / 3));
	CHECK(about(fair_share_of(fair, 1), 2.0 / 3));
	fair_close(fair);
	fixture_close(&fixture);
}

static void
twice_the_weight_gets_twice_as_much(void)
{
	static const char *const requires[] = {"{\"cpu\":1}", "{\"cpu\":1}"};
	struct fixture fixture = {.count = 0};
	struct fair *fair;

	fixture_add(&fixture, "s", "a", ",\"capacity\":{\"cpu\":16}");
	fixture_open(&fixture);
	fair = open_fair(&fixture, 2);
	fair_weigh(fair, 0, 2);
	fair_set_waiting(fair, 0, true);
	fair_set_waiting(fair, 1, true);
	CHECK_STRING(sequence(fair, requires, 9), "010010010");
	CHECK(about(fair_share_of(fair, 0), 6.0 / 16 / 2));
	fair_weigh(fair, 0, 6);
	CHECK(about(fair_share_of(fair, 0), 1.0 / 16));
	CHECK_STRING(sequence(fair, requires, 4), "0000");
	fair_close(fair);
	fixture_close(&fixture);
}

static void
a_group_that_waits_for_nothing_is_never_next(void)
{
	struct fixture fixture = {.count = 0};
	uint32_t group = 9;
	struct fair *fair;

	fixture_add(&fixture, "s", "a", "");
	fixture_open(&fixture);
	fair = open_fair(&fixture, 3);
	CHECK(fair_next(fair, &group) == 0);
	fair_set_waiting(fair, 2, true);
	fair_set_waiting(fair, 1, true);
	fair_set_waiting(fair, 1, true);
	CHECK(fair_next(fair, &group) == 1 && group == 1);
	fair_set_waiting(fair, 1, false);
	fair_set_waiting(fair, 1, false);
	CHECK(fair_next(fair, &group) == 1 && group == 2);
	take(fair, 2, NULL, "", 100);
	CHECK(fair_next(fair, &group) == 1 && group == 2);
	fair_set_waiting(fair, 2, false);
	CHECK(fair_next(fair, &group) == 0);
	fair_close(fair);
	fixture_close(&fixture);
}

/* What a task takes, of 4 CPUs, 10 slots and 8 licences. */
static void
a_task_takes_its_numbers_or_a_slot_times_its_duration(void)
{
	static const struct {
		const char *service;
		const char *requires;
		double duration;
		double share;
	} rows[] = {
	    {NULL, "{\"cpu\":1}", 1, 0.25}, {NULL, "{\"cpu\":1}", 2, 0.5},
	    {NULL, "{\"cpu\":1,\"licences\":4}", 1, 0.5}, {NULL, "", 1, 0.1},
	    {NULL, "{}", 3, 0.3}, {NULL, "{\"cpu\":0}", 1, 0.1},
	    {NULL, "{\"labels\":\"zone=eu-1\"}", 1, 0.1},
	    {NULL, "{\"slots\":5}", 1, 0.5},
	    {NULL, "{\"gpu\":1}", 1, 0}, /* nobody has any */
	    {NULL, "{\"gpu\":1,\"cpu\":1}", 1, 0.25},
	    {NULL, "{\"cpu\":1}", 0, 0}, {"s", "{\"cpu\":1}", 1, 0.25},
	    {"s", "", 1, 1.0 / 6}, {"t", "", 1, 0.25},
	    {"t", "{\"cpu\":1}", 1, 0}, {"u", "", 1, 0}, /* no such service */
	};
	struct fixture fixture = {.count = 0};
	struct fair *fair;
	size_t i;

	fixture_add(&fixture, "s", "a",
	    ",\"capacity\":{\"cpu\":4,\"slots\":5,\"licences\":8}");
	fixture_add(&fixture, "s", "b", "");
	fixture_add(&fixture, "t", "c", ",\"capacity\":{\"slots\":4}");
	fixture_add(
	    &fixture, "s", "idle", ",\"capacity\":{\"cpu\":99,\"speed\":0}");
	fixture_add(&fixture, "s", "gone",
	    ",\"capacity\":{\"cpu\":99},\"status\":\"critical\"");
	fixture_open(&fixture);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fair = open_fair(&fixture, 1);
		take(fair, 0, rows[i].service, rows[i].requires,
		    rows[i].duration);
		if (!CHECK(about(fair_share_of(fair, 0), rows[i].share)))
			printf("# row %zu: %g\n", i, fair_share_of(fair, 0));
		fair_close(fair);
	}
	fixture_close(&fixture);
}

static void
what_is_given_back_was_never_taken(void)
{
	struct fixture fixture = {.count = 0};
	struct fair *fair;
	uint32_t group;
	int i;

	fixture_add(&fixture, "s", "a", ",\"capacity\":{\"cpu\":4}");
	fixture_open(&fixture);
	fair = open_fair(&fixture, 2);
	fair_set_waiting(fair, 0, true);
	fair_set_waiting(fair, 1, true);
	for (i = 0; i < 10; i++)
		take(fair, 0, "s", "{\"cpu\":0.1}", 0.7);
	CHECK(fair_next(fair, &group) == 1 && group == 1);
	take(fair, 1, "s", "{\"cpu\":\"1P\"}", 1e300);
	CHECK(isfinite(fair_share_of(fair, 1)));
	CHECK(fair_next(fair, &group) == 1 && group == 0);
	for (i = 0; i < 10; i++)
		take(fair, 0, "s", "{\"cpu\":0.1}", -0.7);
	take(fair, 1, "s", "{\"cpu\":\"1P\"}", -1e300);
	CHECK(about(fair_share_of(fair, 0), 0));
	CHECK(fair_share_of(fair, 1) == 0);
	fair_close(fair);
	fixture_close(&fixture);
}

#define GROUPS 7

enum { CPU, MEM, SLOTS, RESOURCES };

/* The slow twin: all that groups have, added up when somebody asks. */
struct twin {
	double amounts[GROUPS][RESOURCES];
	double weights[GROUPS];
	bool waiting[GROUPS];
};

static const double totals[RESOURCES] = {24, 160, 2};

static double
twin_share(const struct twin *twin, uint32_t group)
{
	double share = 0;
	int i;

	for (i = 0; i < RESOURCES; i++)
		share = fmax(share, twin->amounts[group][i] / totals[i]);
	return share / twin->weights[group];
}

static uint32_t
twin_next(const struct twin *twin)
{
	uint32_t i, best = GROUPS;

	for (i = 0; i < GROUPS; i++)
		if (twin->waiting[i] &&
		    (best == GROUPS ||
			twin_share(twin, i) < twin_share(twin, best)))
			best = i;
	return best;
}

/* One of all things that may happen, to both. */
static void
happen(struct fair *fair, struct twin *twin, struct random *random)
{
	uint32_t group = (uint32_t)random_below(random, GROUPS);
	double amount = (double)random_below(random, 8);
	double duration = (double)(1 + random_below(random, 4)) / 4;
	char requires[64];

	switch (random_below(random, 8)) {
	case 0:
		twin->weights[group] = (double)(1 + random_below(random, 4));
		fair_weigh(fair, group, twin->weights[group]);
		return;
	case 1:
	case 2:
		twin->waiting[group] = !twin->waiting[group];
		fair_set_waiting(fair, group, twin->waiting[group]);
		return;
	case 3: /* gives back all the memory that it has */
		amount = twin->amounts[group][MEM];
		twin->amounts[group][MEM] = 0;
		snprintf(requires, sizeof(requires),
		    "{\"mem\":%.17g,\"gpu\":3}", amount);
		take(fair, group, "s", requires, -1);
		return;
	case 4:
		twin->amounts[group][SLOTS] += duration;
		take(fair, group, "s", "", duration);
		return;
	default:
		twin->amounts[group][CPU] += amount * duration;
		twin->amounts[group][MEM] += 10 * amount * duration;
		snprintf(requires, sizeof(requires),
		    "{\"cpu\":%g,\"mem\":%g,\"gpu\":3}", amount, 10 * amount);
		take(fair, group, "s", requires, duration);
	}
}

static void
random_sequences_equal_those_of_the_slow_twin(void)
{
	struct fixture fixture = {.count = 0};
	struct random random;
	struct twin twin;
	struct fair *fair;
	int round, step;
	uint32_t group;

	fixture_add(
	    &fixture, "s", "a", ",\"capacity\":{\"cpu\":8,\"mem\":100}");
	fixture_add(
	    &fixture, "s", "b", ",\"capacity\":{\"cpu\":16,\"mem\":60}");
	fixture_open(&fixture);
	random_seed(&random, 11);
	for (round = 0; round < 50; round++) {
		memset(&twin, 0, sizeof(twin));
		for (group = 0; group < GROUPS; group++)
			twin.weights[group] = 1;
		fair = open_fair(&fixture, GROUPS);
		for (step = 0; step < 400; step++) {
			happen(fair, &twin, &random);
			if (fair_next(fair, &group) == 0)
				group = GROUPS;
			if (!CHECK(group == twin_next(&twin)))
				break;
		}
		fair_close(fair);
	}
	fixture_close(&fixture);
}

int
main(void)
{
	RUN(the_example_of_the_paper_comes_out_as_there);
	RUN(twice_the_weight_gets_twice_as_much);
	RUN(a_group_that_waits_for_nothing_is_never_next);
	RUN(a_task_takes_its_numbers_or_a_slot_times_its_duration);
	RUN(what_is_given_back_was_never_taken);
	RUN(random_sequences_equal_those_of_the_slow_twin);
	return check_done();
}
