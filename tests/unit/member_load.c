/* How load that is reported, stale, unknown or pinned counts. */
#include "sched/member_load.h"

#include <math.h>

#include "check.h"
#include "line/units.h"
#include "pool_fixture.h"

#define NOW	 "2026-11-22T10:00:20Z"
#define RECENT	 "\"2026-11-22T10:00:05Z\"" /* 15 s before */
#define LONG_AGO "\"2026-11-22T10:00:04.999Z\""
#define TTL	 ",\"lease\":\"ttl\",\"ttl\":30"
#define LOCK	 ",\"lease\":\"lock\""

static int64_t
now(void)
{
	struct svc_error error;
	int64_t time = 0;

	CHECK(time_parse(NOW, 0, &time, &error) == 0);
	return time;
}

static struct member_load *
open_load(const struct fixture *fixture, const double *own, double stale)
{
	struct member_load *load;
	struct svc_error error;

	CHECK(member_load_open(
		  &load, fixture->pool, own, stale, now(), &error) == 0);
	return load;
}

/* One instance of each kind beside a fresh one of 0.2 and one of 0.6. */
static void
what_is_observed_counts_by_who_said_it_and_when(void)
{
	static const struct {
		const char *more;
		enum member_load_source source;
		double observed;
	} rows[] = {
	    {",\"utilization\":0.9", LOAD_PINNED, 0.9},
	    {",\"status\":\"passing\",\"utilization\":0.9,\"pinned\":true",
		LOAD_PINNED, 0.9},
	    {TTL ",\"utilization\":0.9,\"reported\":" LONG_AGO, LOAD_FRESH,
		0.9},
	    {LOCK ",\"utilization\":0,\"reported\":" LONG_AGO, LOAD_FRESH, 0},
	    {",\"utilization\":0.9,\"reported\":" RECENT, LOAD_FRESH, 0.9},
	    {",\"utilization\":0.9,\"reported\":" LONG_AGO, LOAD_STALE, 0.4},
	    {",\"utilization\":0.9,\"status\":\"passing\",\"checked\":" RECENT,
		LOAD_FRESH, 0.9},
	    {",\"utilization\":0,\"status\":\"passing\",\"checked\":" RECENT,
		LOAD_FRESH, 0},
	    {TTL ",\"utilization\":0.9,\"status\":\"passing\",\"checked\":"
		 "" LONG_AGO,
		LOAD_STALE, 0.4},
	    {TTL ",\"utilization\":0.9,\"status\":\"expired\",\"reported\":"
		 "" LONG_AGO,
		LOAD_STALE, 0.4},
	    {",\"utilization\":0.9,\"status\":\"passing\"", LOAD_FRESH, 0.9},
	    {",\"utilization\":0,\"status\":\"passing\"", LOAD_UNKNOWN, 0.4},
	    {"", LOAD_UNKNOWN, 0.4},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture fixture = {.count = 0};
		struct member_load *load;
		double mean;

		fixture_add(&fixture, "s", "a", rows[i].more);
		fixture_add(&fixture, "s", "b",
		    TTL ",\"utilization\":0.2,\"reported\":" RECENT);
		fixture_add(&fixture, "s", "c",
		    TTL ",\"utilization\":0.6,\"reported\":" RECENT);
		/* of others, or who gets no work, the mean knows nothing */
		fixture_add(&fixture, "s", "d",
		    TTL ",\"utilization\":99,\"status\":\"critical\","
			"\"reported\":" RECENT);
		fixture_add(&fixture, "t", "e",
		    TTL ",\"utilization\":99,\"reported\":" RECENT);
		fixture_open(&fixture);
		load = open_load(&fixture, NULL, 0);
		CHECK(member_load_source(load, 0) == rows[i].source);
		mean = member_load_observed(load, 0);
		if (!CHECK(fabs(mean - rows[i].observed) < 1e-12))
			printf("# row %zu: %g\n", i, mean);
		member_load_close(load);
		fixture_close(&fixture);
	}
}

static void
nobody_fresh_is_nobody_loaded(void)
{
	struct fixture fixture = {.count = 0};
	struct member_load *load;

	fixture_add(
	    &fixture, "s", "a", ",\"utilization\":0.9,\"reported\":" LONG_AGO);
	fixture_add(&fixture, "s", "b", ",\"utilization\":0.7");
	fixture_open(&fixture);
	load = open_load(&fixture, NULL, 0);
	CHECK(member_load_observed(load, 0) == 0);
	member_load_close(load);
	load = open_load(&fixture, NULL, 16);
	CHECK(member_load_observed(load, 0) == 0.9);
	member_load_observe(load, now() + 1000);
	CHECK(member_load_source(load, 0) == LOAD_STALE);
	member_load_close(load);
	fixture_close(&fixture);
}

static void
headroom_has_a_floor_unless_it_is_pinned(void)
{
	struct fixture fixture = {.count = 0};
	struct member_load *load;

	fixture_add(&fixture, "s", "a",
	    TTL ",\"capacity\":{\"slots\":4},\"utilization\":2,"
		"\"reported\":" RECENT);
	fixture_add(&fixture, "s", "b",
	    ",\"capacity\":{\"slots\":4},\"utilization\":2");
	fixture_add(&fixture, "s", "c",
	    ",\"capacity\":{\"slots\":4},\"utilization\":0.75");
	fixture_open(&fixture);
	load = open_load(&fixture, NULL, 0);
	CHECK(member_load_headroom(load, 0) == 4 * MEMBER_LOAD_FLOOR);
	CHECK(member_load_headroom(load, 1) == 0);
	CHECK(member_load_headroom(load, 2) == 1);
	member_load_close(load);
	fixture_close(&fixture);
}

static void
what_is_placed_is_added_by_slot_until_it_is_observed(void)
{
	struct fixture fixture = {.count = 0};
	struct buffer out = BUFFER_INIT;
	struct member_load *load;
	uint64_t version;
	int i;

	fixture_add(&fixture, "s", "a",
	    ",\"capacity\":{\"slots\":49},\"utilization\":0.25");
	fixture_add(&fixture, "s", "b", ",\"utilization\":0.25");
	fixture_open(&fixture);
	load = open_load(&fixture, NULL, 0);
	CHECK(member_load_compare(load, 0, 1) == 0);
	member_load_placed(load, 1);
	for (i = 0; i < 49; i++) {
		CHECK(member_load_compare(load, 0, 1) < 0);
		member_load_placed(load, 0);
	}
	CHECK(member_load_compare(load, 0, 1) == 0);
	member_load_explain(load, 0, &out);
	CHECK_STRING(buffer_string(&out),
	    ",\"own\":1,\"observed\":0.25,\"source\":\"pinned\"");
	version = member_load_version(load);
	member_load_ended(load, 1);
	CHECK(member_load_version(load) != version);
	CHECK(member_load_compare(load, 0, 1) > 0);
	member_load_observe(load, now());
	CHECK(member_load_compare(load, 0, 1) == 0);
	member_load_ended(load, 1);
	CHECK(member_load_values(load)[1] == 0.25);
	buffer_release(&out);
	member_load_close(load);
	fixture_close(&fixture);
}

static void
the_own_load_of_the_caller_comes_first(void)
{
	double own[] = {1, 2};
	struct fixture fixture = {.count = 0};
	struct member_load *load;

	fixture_add(&fixture, "s", "a", ",\"utilization\":0.9");
	fixture_add(&fixture, "s", "b", ",\"utilization\":0.1");
	fixture_open(&fixture);
	load = open_load(&fixture, own, 0);
	CHECK(member_load_compare(load, 0, 1) < 0);
	own[1] = 1;
	CHECK(member_load_compare(load, 0, 1) > 0);
	member_load_placed(load, 1);
	CHECK(member_load_values(load)[1] == 1);
	member_load_close(load);
	fixture_close(&fixture);
}

static void
above_the_mean_is_who_is_known_to_have_more_than_the_fresh_ones(void)
{
	static const struct {
		const char *more;
		bool above;
	} rows[] = {
	    {TTL ",\"utilization\":0.9,\"reported\":" RECENT, true},
	    {TTL ",\"utilization\":0.4,\"reported\":" RECENT, false},
	    {",\"utilization\":0.9", true}, /* pinned */
	    {",\"utilization\":0.1", false},
	    {",\"utilization\":0.9,\"reported\":" LONG_AGO, false},
	    {"", false},
	};
	struct fixture alone = {.count = 0};
	struct member_load *load;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture fixture = {.count = 0};

		fixture_add(&fixture, "s", "a", rows[i].more);
		fixture_add(&fixture, "s", "b",
		    TTL ",\"utilization\":0.4,\"reported\":" RECENT);
		fixture_open(&fixture);
		load = open_load(&fixture, NULL, 0);
		CHECK(member_load_above(load, 0) == rows[i].above);
		member_load_close(load);
		fixture_close(&fixture);
	}
	/* beside nobody fresh there is no mean */
	fixture_add(&alone, "s", "a", ",\"utilization\":0.9");
	fixture_open(&alone);
	load = open_load(&alone, NULL, 0);
	CHECK(!member_load_above(load, 0));
	member_load_close(load);
	fixture_close(&alone);
}

/* Counts the probes of each of two members in so many choices. */
static void
count_probes(const char *a, const char *b, const double *own, double *counts)
{
	struct fixture fixture = {.count = 0};
	const struct eligible *list;
	struct member_load *load;
	struct svc_error error;
	struct random random;
	uint32_t member;
	int i;

	random_seed(&random, 5);
	fixture_add(&fixture, "s", "a", a);
	fixture_add(&fixture, "s", "b", b);
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "", &error);
	load = open_load(&fixture, own, 0);
	for (i = 0; i < 100000; i++)
		if (member_load_probe(load, &random, list, &member))
			counts[member]++;
	member_load_close(load);
	fixture_close(&fixture);
}

static void
a_part_of_the_choices_probes_who_has_a_load_to_tell(void)
{
	static const char fresh[] =
	    TTL ",\"utilization\":0.9,\"reported\":" RECENT;
	static const double less[] = {1, 0};
	double counts[2] = {0}, pinned[2] = {0}, silent[2] = {0}, own[2] = {0};

	/* 1,500 of each expected, with a deviation of 38 */
	count_probes(fresh, fresh, NULL, counts);
	CHECK(fabs(counts[0] - 1500) < 150 && fabs(counts[1] - 1500) < 150);
	count_probes(fresh, ",\"utilization\":1", NULL, pinned);
	CHECK(fabs(pinned[0] - 1500) < 150 && pinned[1] == 0);
	count_probes("", ",\"utilization\":1", NULL, silent);
	CHECK(silent[0] == 0 && silent[1] == 0);
	count_probes(fresh, fresh, less, own);
	CHECK(own[0] == 0 && fabs(own[1] - 1500) < 150);
}

int
main(void)
{
	RUN(what_is_observed_counts_by_who_said_it_and_when);
	RUN(nobody_fresh_is_nobody_loaded);
	RUN(headroom_has_a_floor_unless_it_is_pinned);
	RUN(what_is_placed_is_added_by_slot_until_it_is_observed);
	RUN(the_own_load_of_the_caller_comes_first);
	RUN(above_the_mean_is_who_is_known_to_have_more_than_the_fresh_ones);
	RUN(a_part_of_the_choices_probes_who_has_a_load_to_tell);
	return check_done();
}
