/* Plans: what would happen to a batch of tasks, in time. */
#include "check.h"

#include <math.h>

#include "plan_fixture.h"
#include "sched/min_heap.h"
#include "sched/plan_queue.h"
#include "sched/plan_task.h"

/* A random number under limit. */
static unsigned
draw(struct random *random, unsigned limit)
{
	return (unsigned)(random_next(random) >> 33) % limit;
}

static double
end_of(const struct plan_fixture *fixture, size_t task)
{
	return plan_fixture_placement(fixture, task)->end;
}

static void
a_heap_yields_numbers_in_order(void)
{
	struct min_heap heap = {0};
	struct min_heap_item item = {0}, last = {-1, 0};
	struct random random;
	size_t i;

	random_seed(&random, 1);
	for (i = 0; i < 1000; i++)
		CHECK(
		    min_heap_push(&heap, draw(&random, 50), (uint32_t)i) == 0);
	for (i = 0; min_heap_pop(&heap, &item); i++) {
		CHECK(item.key > last.key ||
		      (item.key == last.key && item.index > last.index));
		last = item;
	}
	CHECK(i == 1000);
	min_heap_release(&heap);
}

/* What a queue is asked, asked of an array. */
static bool
scan(double needs[][2], size_t count, const double *most, uint32_t *task)
{
	for (; *task < count; ++*task)
		if (needs[*task][0] <= most[0] && needs[*task][1] <= most[1])
			return true;
	return false;
}

static void
a_queue_finds_the_first_task_that_needs_no_more(void)
{
	enum { COUNT = 37 };
	double needs[COUNT][2], most[2];
	struct plan_queue queue;
	struct random random;
	size_t i;

	random_seed(&random, 2);
	for (i = 0; i < COUNT; i++)
		needs[i][0] = needs[i][1] = HUGE_VAL;
	CHECK(plan_queue_open(&queue, COUNT, 2) == 0);
	for (i = 0; i < 20000; i++) {
		uint32_t task = draw(&random, COUNT), found = task;
		uint32_t expected = task;

		needs[task][0] = draw(&random, 9);
		needs[task][1] = draw(&random, 9);
		plan_queue_put(&queue, task, needs[task]);
		task = draw(&random, COUNT);
		needs[task][0] = needs[task][1] = HUGE_VAL;
		plan_queue_drop(&queue, task);
		most[0] = draw(&random, 9);
		most[1] = draw(&random, 9);
		if (CHECK(plan_queue_next(&queue, most, &found) ==
			  scan(needs, COUNT, most, &expected)) &&
		    expected < COUNT)
			CHECK(found == expected);
	}
	plan_queue_close(&queue);
}

/* Graham 1969: LPT is 11 where 9 is possible, the worst for 3 machines. */
static void
the_longest_first_is_as_bad_as_graham_says(void)
{
	static const int durations[] = {5, 3, 4, 3, 5, 3, 4};
	struct plan_fixture fixture;
	size_t i;

	plan_fixture_open(&fixture);
	for (i = 0; i < 3; i++)
		plan_fixture_instance(
		    &fixture, (const char *[]){"a", "b", "c"}[i], "");
	for (i = 0; i < 7; i++)
		plan_fixture_task(&fixture, "\"duration\":%d", durations[i]);
	plan_fixture_run(&fixture, "least-loaded", ORDER_LPT);
	CHECK(fixture.measure.makespan == 11);
	CHECK(fixture.measure.bound == 9);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

/* Each task to the machine that is free first; they are all alike. */
static void
check_list_scheduling(struct plan_fixture *fixture, size_t machines)
{
	double free_at[8] = {0}, duration;
	size_t task, i, first;

	for (task = 0; task < batch_count(fixture->batch); task++) {
		for (first = 0, i = 1; i < machines; i++)
			if (free_at[i] < free_at[first])
				first = i;
		duration = batch_tasks(fixture->batch)[task].duration;
		CHECK(plan_fixture_placement(fixture, task)->start ==
		      free_at[first]);
		free_at[first] += duration;
		CHECK(end_of(fixture, task) == free_at[first]);
	}
}

static void
least_loaded_is_grahams_list_scheduling(void)
{
	struct plan_fixture fixture;
	struct random random;
	size_t round, i, machines;
	char id[16];

	random_seed(&random, 3);
	for (round = 0; round < 200; round++) {
		plan_fixture_open(&fixture);
		machines = 1 + draw(&random, 8);
		for (i = 0; i < machines; i++) {
			snprintf(id, sizeof(id), "i%zu", i);
			plan_fixture_instance(&fixture, id, "");
		}
		for (i = draw(&random, 60); i > 0; i--)
			plan_fixture_task(&fixture, "\"duration\":%g",
			    draw(&random, 4000) / 100.0);
		plan_fixture_run(&fixture, "least-loaded",
		    draw(&random, 2) ? ORDER_LPT : ORDER_FIFO);
		check_list_scheduling(&fixture, machines);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
round_robin_goes_round(void)
{
	struct plan_fixture fixture;
	size_t i;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "a", "");
	plan_fixture_instance(&fixture, "b", ",\"capacity\":{\"slots\":2}");
	for (i = 0; i < 6; i++)
		plan_fixture_task(&fixture, "\"duration\":2");
	plan_fixture_run(&fixture, "round-robin", ORDER_FIFO);
	for (i = 0; i < 6; i++)
		CHECK_STRING(
		    plan_fixture_id(&fixture, i), i % 2 == 0 ? "a" : "b");
	CHECK(end_of(&fixture, 4) == 6);
	CHECK(end_of(&fixture, 5) == 4);
	CHECK(plan_fixture_placement(&fixture, 1)->slot == 0);
	CHECK(plan_fixture_placement(&fixture, 3)->slot == 1);
	CHECK(plan_fixture_placement(&fixture, 5)->slot == 0);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
one_key_goes_to_one_instance(void)
{
	struct plan_fixture fixture;
	size_t i;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "a", ",\"capacity\":{\"slots\":9}");
	plan_fixture_instance(&fixture, "b", ",\"capacity\":{\"slots\":9}");
	for (i = 0; i < 4; i++)
		plan_fixture_task(
		    &fixture, "\"key\":\"k%zu\",\"duration\":1", i % 2);
	plan_fixture_run(&fixture, "hash", ORDER_FIFO);
	CHECK(fixture.measure.placed == 4);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
a_fast_instance_ends_sooner(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "a", ",\"capacity\":{\"speed\":4}");
	plan_fixture_task(&fixture, "\"duration\":2");
	plan_fixture_task(&fixture, "%s", "");
	plan_fixture_run(&fixture, "random", ORDER_FIFO);
	CHECK(end_of(&fixture, 0) == 0.5);
	CHECK(end_of(&fixture, 1) == 0.75); /* a second, where none is said */
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
a_task_is_not_started_before_its_time(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "a", "");
	plan_fixture_task(&fixture, "\"not_before\":\"%s\",\"duration\":1",
	    plan_fixture_time(2.5));
	plan_fixture_task(&fixture, "\"not_before\":\"%s\",\"duration\":1",
	    plan_fixture_time(-60));
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	CHECK(plan_fixture_placement(&fixture, 0)->start == 2.5);
	CHECK(plan_fixture_placement(&fixture, 1)->start == 0);
	CHECK(plan_fixture_placement(&fixture, 1)->release == 0);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

/* a was idle for longer, but both are. */
static void
who_is_idle_is_as_loaded_as_others_that_are(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "a", ",\"utilization\":0.9");
	plan_fixture_instance(&fixture, "b", ",\"utilization\":0.1");
	plan_fixture_task(&fixture, "\"duration\":5");
	plan_fixture_task(&fixture, "\"duration\":1");
	plan_fixture_task(&fixture, "\"duration\":1,\"not_before\":\"%s\"",
	    plan_fixture_time(10));
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	CHECK_STRING(plan_fixture_id(&fixture, 0), "b");
	CHECK_STRING(plan_fixture_id(&fixture, 1), "a");
	CHECK_STRING(plan_fixture_id(&fixture, 2), "b");
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
who_would_miss_its_deadline_in_line_takes_no_slot(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "a", "");
	plan_fixture_task(&fixture, "\"duration\":10");
	plan_fixture_task(&fixture, "\"duration\":5,\"deadline\":\"%s\"",
	    plan_fixture_time(11.8));
	plan_fixture_task(&fixture, "\"duration\":2,\"deadline\":\"%s\"",
	    plan_fixture_time(12));
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	CHECK(fixture.measure.missed == 1);
	CHECK(plan_fixture_placement(&fixture, 1)->missed);
	CHECK(fixture.failure.code == CODE_DEADLINE);
	CHECK_STRING(fixture.failure.message,
	    "would end 3.2 s after its deadline: it waits 10 s for a slot of "
	    "s/a");
	CHECK(plan_fixture_placement(&fixture, 2)->start == 10);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
a_deadline_that_has_passed_is_a_miss(void)
{
	static const char *const policies[] = {"least-loaded", "constrained"};
	struct plan_fixture fixture;
	size_t i;

	for (i = 0; i < 2; i++) {
		plan_fixture_open(&fixture);
		plan_fixture_instance(&fixture, "a", "");
		plan_fixture_task(&fixture,
		    "\"duration\":0,\"deadline\":\"%s\"",
		    plan_fixture_time(-3));
		plan_fixture_run(&fixture, policies[i], ORDER_FIFO);
		CHECK(fixture.measure.missed == 1);
		CHECK_STRING(fixture.failure.message,
		    "its deadline has passed, 3.0 s ago");
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
sums_of_tenths_keep_a_deadline(void)
{
	static const char *const policies[] = {"least-loaded", "constrained"};
	struct plan_fixture fixture;
	size_t i;

	for (i = 0; i < 2; i++) {
		plan_fixture_open(&fixture);
		plan_fixture_instance(&fixture, "a", "");
		plan_fixture_task(&fixture, "\"duration\":0.1");
		plan_fixture_task(&fixture,
		    "\"duration\":0.2,\"deadline\":\"%s\"",
		    plan_fixture_time(0.3));
		plan_fixture_run(&fixture, policies[i], ORDER_FIFO);
		CHECK(fixture.measure.placed == 2);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
a_billion_slots_take_no_memory(void)
{
	static const char *const policies[] = {"least-loaded", "constrained"};
	struct plan_fixture fixture;
	size_t i, k;

	for (i = 0; i < 2; i++) {
		plan_fixture_open(&fixture);
		plan_fixture_instance(
		    &fixture, "a", ",\"capacity\":{\"slots\":1e9}");
		for (k = 0; k < 1000; k++)
			plan_fixture_task(&fixture, "\"duration\":7");
		plan_fixture_run(&fixture, policies[i], ORDER_FIFO);
		CHECK(fixture.measure.makespan == 7);
		CHECK(fixture.measure.bound == 7);
		CHECK(plan_fixture_placement(&fixture, 999)->slot == 999);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
half_a_slot_is_none_and_who_does_not_move_gets_no_work(void)
{
	static const char *const policies[] = {"least-loaded", "constrained"};
	struct plan_fixture fixture;
	size_t i;

	for (i = 0; i < 2; i++) {
		plan_fixture_open(&fixture);
		plan_fixture_instance(
		    &fixture, "b", ",\"capacity\":{\"slots\":1.5}");
		plan_fixture_instance(
		    &fixture, "c", ",\"capacity\":{\"speed\":0}");
		plan_fixture_task(&fixture, "\"duration\":1");
		plan_fixture_task(&fixture, "\"duration\":1");
		plan_fixture_run(&fixture, policies[i], ORDER_FIFO);
		CHECK_STRING(plan_fixture_id(&fixture, 0), "b");
		CHECK_STRING(plan_fixture_id(&fixture, 1), "b");
		CHECK(end_of(&fixture, 1) == 2);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
what_would_never_end_is_not_placed(void)
{
	static const char *const policies[] = {"least-loaded", "constrained"};
	struct plan_fixture fixture;
	size_t i;

	for (i = 0; i < 2; i++) {
		plan_fixture_open(&fixture);
		plan_fixture_instance(
		    &fixture, "a", ",\"capacity\":{\"speed\":1e-300}");
		plan_fixture_task(&fixture, "\"duration\":3e9");
		plan_fixture_task(&fixture, "\"duration\":0");
		plan_fixture_run(&fixture, policies[i], ORDER_FIFO);
		CHECK(fixture.failure.code == CODE_UNPLACEABLE);
		CHECK_STRING(fixture.failure.message,
		    "takes 3e+09 s: at speed 1e-300 of s/a it would not end "
		    "within the 1e+15 s that can be planned");
		CHECK(fixture.measure.placed == 1);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
the_longest_plan_has_finite_numbers(void)
{
	static const char *const policies[] = {"least-loaded", "constrained"};
	struct plan_fixture fixture;
	size_t i, j;

	for (i = 0; i < 2; i++) {
		plan_fixture_open(&fixture);
		plan_fixture_instance(&fixture, "a",
		    ",\"capacity\":{\"slots\":9,\"speed\":2,\"cpu\":1e307}");
		for (j = 0; j < 8; j++)
			plan_fixture_task(&fixture,
			    "\"duration\":1e15,\"requires\":{\"cpu\":1e307}");
		plan_fixture_task(&fixture, "\"duration\":1.1e15");
		plan_fixture_run(&fixture, policies[i], ORDER_FIFO);
		CHECK(fixture.failure.code == CODE_UNPLACEABLE);
		CHECK(fixture.measure.placed == (i == 0 ? 8 : 2));
		CHECK(fixture.measure.makespan == (i == 0 ? 5e14 : 1e15));
		CHECK(fixture.measure.bound == fixture.measure.makespan);
		CHECK(fixture.measure.utilization[0] <= 1);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

/* If it counted, the second would have to go where it would be late. */
static void
what_misses_its_deadline_in_line_counts_nowhere(void)
{
	static const char *const zones[] = {
	    ",\"labels\":{\"zone\":\"a\"}", ",\"labels\":{\"zone\":\"b\"}"};
	struct plan_fixture fixture;
	size_t i;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "a", zones[0]);
	plan_fixture_instance(&fixture, "b", zones[1]);
	plan_fixture_task(&fixture, "\"duration\":10");
	plan_fixture_task(&fixture, "\"duration\":20");
	for (i = 0; i < 2; i++)
		plan_fixture_task(&fixture,
		    "\"duration\":5,\"deadline\":\"%s\","
		    "\"requires\":{\"spread\":\"zone\"}",
		    plan_fixture_time(i == 0 ? 12 : 15));
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	CHECK(plan_fixture_placement(&fixture, 2)->missed);
	CHECK(plan_fixture_placement(&fixture, 3)->start == 10);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

/* As one group, the second would wait for b. */
static void
groups_whose_names_begin_alike_are_spread_apart(void)
{
	struct plan_fixture fixture;
	size_t i;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "a",
	    ",\"labels\":{\"zone\":\"a\"},"
	    "\"capacity\":{\"slots\":3}");
	plan_fixture_instance(&fixture, "b",
	    ",\"labels\":{\"zone\":\"b\"},\"capacity\":{\"cpu\":1}");
	plan_fixture_task(&fixture, "\"duration\":9,\"requires\":{\"cpu\":1}");
	for (i = 0; i < 2; i++)
		plan_fixture_task(&fixture,
		    "\"duration\":5,\"group\":\"g\\u0000%zu\","
		    "\"requires\":{\"spread\":\"zone\"}",
		    i);
	plan_fixture_run(&fixture, "constrained", ORDER_FIFO);
	CHECK(plan_fixture_placement(&fixture, 1)->start == 0);
	CHECK(plan_fixture_placement(&fixture, 2)->start == 0);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
a_plan_of_nothing_is_a_plan(void)
{
	static const char *const policies[] = {"least-loaded", "constrained"};
	struct plan_fixture fixture;
	size_t i;

	for (i = 0; i < 4; i++) {
		plan_fixture_open(&fixture);
		if (i >= 2)
			plan_fixture_task(&fixture, "\"duration\":1");
		plan_fixture_run(&fixture, policies[i % 2], ORDER_FIFO);
		CHECK(fixture.measure.makespan == 0);
		CHECK(fixture.measure.failed == (i >= 2));
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
an_error_of_who_is_told_ends_the_run(void)
{
	static const char *const policies[] = {"least-loaded", "constrained"};
	struct plan_fixture fixture;
	struct svc_error error;
	size_t i, k;

	for (i = 0; i < 2; i++) {
		plan_fixture_open(&fixture);
		plan_fixture_instance(&fixture, "a", "");
		for (k = 0; k < 5; k++)
			plan_fixture_task(&fixture, "\"duration\":1");
		fixture.stop = 3;
		plan_fixture_plan(&fixture, policies[i], ORDER_FIFO);
		CHECK(plan_run(&fixture.planner.plan, &error) == -1);
		CHECK_STRING(error.message, "stopped");
		CHECK(fixture.decisions == 3);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
every_decision_is_explained(void)
{
	static const char *const policies[] = {"least-loaded", "constrained"};
	struct plan_fixture fixture;
	size_t i, k;

	for (i = 0; i < 2; i++) {
		plan_fixture_open(&fixture);
		fixture.explain = EXPLAIN_COUNTS;
		plan_fixture_instance(
		    &fixture, "a", ",\"capacity\":{\"cpu\":2}");
		for (k = 0; k < 6; k++)
			plan_fixture_task(&fixture,
			    "\"duration\":1,\"requires\":{\"cpu\":%zu}",
			    1 + k % 3);
		plan_fixture_task(&fixture,
		    "\"duration\":1,\"deadline\":\"%s\"",
		    plan_fixture_time(1.5));
		plan_fixture_run(&fixture, policies[i], ORDER_FIFO);
		for (k = 0; k < 7; k++)
			CHECK(fixture.explained[k] == 1);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
small_tasks_pass_a_large_one_that_waits(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	plan_fixture_instance(
	    &fixture, "a", ",\"capacity\":{\"slots\":9,\"cpu\":4}");
	plan_fixture_task(&fixture, "\"duration\":3,\"requires\":{\"cpu\":2}");
	plan_fixture_task(&fixture, "\"duration\":1,\"requires\":{\"cpu\":4}");
	plan_fixture_task(&fixture, "\"duration\":1,\"requires\":{\"cpu\":2}");
	plan_fixture_task(&fixture, "\"duration\":1,\"requires\":{\"cpu\":5}");
	plan_fixture_run(&fixture, "constrained", ORDER_FIFO);
	CHECK(plan_fixture_placement(&fixture, 0)->start == 0);
	CHECK(plan_fixture_placement(&fixture, 1)->start == 3);
	CHECK(plan_fixture_placement(&fixture, 2)->start == 0);
	CHECK(fixture.failure.code == CODE_UNPLACEABLE);
	CHECK(strstr(fixture.failure.message, "insufficient cpu") != NULL);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
a_task_takes_the_slots_that_it_names(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "a", ",\"capacity\":{\"slots\":4}");
	plan_fixture_task(
	    &fixture, "\"duration\":2,\"requires\":{\"slots\":3}");
	plan_fixture_task(&fixture, "\"duration\":1");
	plan_fixture_task(&fixture, "\"duration\":1");
	plan_fixture_task(
	    &fixture, "\"duration\":1,\"requires\":{\"slots\":3}");
	plan_fixture_run(&fixture, "constrained", ORDER_FIFO);
	CHECK(plan_fixture_placement(&fixture, 1)->start == 0);
	CHECK(plan_fixture_placement(&fixture, 2)->start == 1);
	CHECK(plan_fixture_placement(&fixture, 3)->start == 2);
	CHECK(fixture.measure.busy[0] == 11);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
a_deadline_that_passes_while_waiting_is_a_miss(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "a", "");
	plan_fixture_task(&fixture, "\"duration\":10");
	plan_fixture_task(&fixture, "\"duration\":5,\"deadline\":\"%s\"",
	    plan_fixture_time(8));
	plan_fixture_task(&fixture, "\"duration\":5,\"deadline\":\"%s\"",
	    plan_fixture_time(15));
	plan_fixture_run(&fixture, "constrained", ORDER_FIFO);
	CHECK(fixture.measure.missed == 1);
	CHECK(plan_fixture_placement(&fixture, 1)->missed);
	CHECK_STRING(fixture.failure.message,
	    "would end after its deadline: no room for 3 s, and takes 5 s "
	    "where it fits");
	CHECK(plan_fixture_placement(&fixture, 2)->start == 10);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

/* While the fast one is busy, b cannot use the slow one, but c can. */
static void
who_has_no_time_for_the_slow_holds_up_nobody(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	plan_fixture_instance(&fixture, "fast", ",\"capacity\":{\"speed\":4}");
	plan_fixture_instance(&fixture, "slow", "");
	plan_fixture_task(&fixture, "\"duration\":4,\"deadline\":\"%s\"",
	    plan_fixture_time(1));
	plan_fixture_task(&fixture, "\"duration\":4,\"deadline\":\"%s\"",
	    plan_fixture_time(2));
	plan_fixture_task(&fixture, "\"duration\":4");
	plan_fixture_task(&fixture, "\"duration\":4");
	plan_fixture_run(&fixture, "constrained", ORDER_FIFO);
	CHECK_STRING(plan_fixture_id(&fixture, 0), "fast");
	CHECK_STRING(plan_fixture_id(&fixture, 1), "fast");
	CHECK_STRING(plan_fixture_id(&fixture, 2), "slow");
	CHECK(plan_fixture_placement(&fixture, 2)->start == 0);
	CHECK_STRING(plan_fixture_id(&fixture, 3), "fast");
	CHECK(plan_fixture_placement(&fixture, 3)->start == 2);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

/*
 * Instances and tasks of all kinds; all, or such that are not spread or have no
 * deadline or meet no different speeds.
 */
static void
make_case(struct plan_fixture *fixture, struct random *random, bool all)
{
	static const char *const speeds[] = {"1", "1", "2", "0.5"};
	static const char *const asks[] = {"", "\"labels\":\"zone=z0\"",
	    "\"spread\":{\"zone\":1}", "\"cpu\":1", "\"cpu\":2", "\"cpu\":5",
	    "\"cpu\":1,\"mem\":3", "\"slots\":2", "\"cpu\":1,\"slots\":1.5",
	    "\"mem\":2,\"spread\":{\"zone\":2}"};
	char text[256], when[160], id[16];
	unsigned i, kinds = 1 + draw(random, 10), ask;
	bool mixed = draw(random, 2), large = draw(random, 10) == 0;

	plan_fixture_open(fixture);
	for (i = 1 + draw(random, large ? 30 : 5); i > 0; i--) {
		snprintf(id, sizeof(id), "i%u", i);
		snprintf(text, sizeof(text),
		    ",\"capacity\":{\"slots\":%u,\"speed\":%s,\"cpu\":%u,"
		    "\"mem\":%u},\"labels\":{\"zone\":\"z%u\"}",
		    1 + draw(random, 4), speeds[mixed ? draw(random, 4) : 0],
		    1 + draw(random, 5), draw(random, 6), draw(random, 3));
		plan_fixture_instance(fixture, id, text);
	}
	for (i = draw(random, large ? 300 : 40); i > 0; i--) {
		double release = draw(random, 3) ? 0 : draw(random, 20);
		size_t length = 0;

		when[0] = '\0';
		ask = draw(random, kinds);
		if (draw(random, 2) &&
		    (all || !mixed || strstr(asks[ask], "spread") == NULL))
			length = (size_t)snprintf(when, sizeof(when),
			    ",\"deadline\":\"%s\"",
			    plan_fixture_time(release + draw(random, 15)));
		if (release > 0)
			snprintf(when + length, sizeof(when) - length,
			    ",\"not_before\":\"%s\"",
			    plan_fixture_time(release));
		plan_fixture_task(fixture,
		    "\"duration\":%u,\"priority\":%u,\"group\":\"g%u\","
		    "\"requires\":{%s}%s",
		    draw(random, 6), draw(random, 2), draw(random, 2),
		    asks[ask], when);
	}
}

static bool
overlap(const struct plan_placement *a, const struct plan_placement *b)
{
	return a->start < b->end && b->start < a->end;
}

/* What the task takes of name while it runs; its default where it says none. */
static double
taken(struct plan_fixture *fixture, size_t task, const char *name, double none)
{
	const struct eligible *list;
	struct json_value requires;
	struct svc_error error;
	size_t i;

	batch_requires(&batch_tasks(fixture->batch)[task], &requires);
	if (pool_eligible(fixture->pool, NULL, &requires, &list, &error) == -1)
		plan_fixture_bail("requires", &error);
	for (i = 0; i < list->demand->count; i++)
		if (strcmp(list->demand->numbers[i].name, name) == 0)
			return list->demand->numbers[i].amount;
	return none;
}

/* At the start of a task: what all those that run there take together. */
static double
taken_at(
    struct plan_fixture *fixture, size_t task, const char *name, double none)
{
	const struct plan_placement *here =
	    plan_fixture_placement(fixture, task);
	double sum = 0;
	size_t i;

	for (i = 0; i < batch_count(fixture->batch); i++) {
		const struct plan_placement *other =
		    plan_fixture_placement(fixture, i);

		if (other->member == here->member &&
		    other->start <= here->start && other->end > here->start)
			sum += taken(fixture, i, name, none);
	}
	return sum;
}

static bool
fits(struct plan_fixture *fixture, size_t task, uint32_t member)
{
	const struct eligible *list;
	struct json_value requires;
	struct svc_error error;
	size_t i;

	batch_requires(&batch_tasks(fixture->batch)[task], &requires);
	if (pool_eligible(fixture->pool, NULL, &requires, &list, &error) == -1)
		plan_fixture_bail("requires", &error);
	for (i = 0; i < list->count; i++)
		if (list->members[i] == member)
			return true;
	return false;
}

static void
check_room(struct plan_fixture *fixture, size_t task)
{
	uint32_t member = plan_fixture_placement(fixture, task)->member;

	CHECK(taken_at(fixture, task, "cpu", 0) <=
	      pool_capacity(fixture->pool, "cpu")[member]);
	CHECK(taken_at(fixture, task, "mem", 0) <=
	      pool_capacity(fixture->pool, "mem")[member]);
	CHECK(floor(taken_at(fixture, task, "slots", 1)) <=
	      pool_member(fixture->pool, member)->slots + 1);
}

static void
check_feasible(struct plan_fixture *fixture, bool room)
{
	const struct plan *plan = &fixture->planner.plan;
	size_t i, j;

	for (i = 0; i < batch_count(fixture->batch); i++) {
		const struct plan_placement *a =
		    plan_fixture_placement(fixture, i);

		if (a->member == PLAN_NOT_PLACED)
			continue;
		CHECK(fits(fixture, i, a->member));
		CHECK(a->slot < pool_member(fixture->pool, a->member)->slots);
		CHECK(a->start >= a->release);
		CHECK(a->end <= plan_task_deadline(plan, (uint32_t)i));
		CHECK(fabs(a->end - a->start -
			   plan_task_duration(plan, (uint32_t)i) /
			       pool_member(fixture->pool, a->member)->speed) <
		      1e-9);
		for (j = 0; j < i; j++) {
			const struct plan_placement *b =
			    plan_fixture_placement(fixture, j);

			CHECK(b->member != a->member || b->slot != a->slot ||
			      !overlap(a, b));
		}
		if (room && a->end > a->start)
			check_room(fixture, i);
	}
}

static void
every_plan_can_be_carried_out(void)
{
	static const char *const policies[] = {"random", "round-robin",
	    "weighted=headroom", "least-loaded", "p2c", "hash", "constrained",
	    "constrained=pack"};
	struct plan_fixture fixture;
	struct random random;
	size_t round, i;

	random_seed(&random, 4);
	for (round = 0; round < 150; round++) {
		make_case(&fixture, &random, true);
		for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
			plan_fixture_run(&fixture, policies[i],
			    (enum task_order)draw(&random, ORDER_FAIR));
			check_feasible(&fixture, i >= 6);
			plan_fixture_unplan(&fixture);
		}
		plan_fixture_close(&fixture);
	}
}

/*
 * The same by trying everything: at each time the first task in order for which
 * there is a place on one of all instances goes there, until there is none.
 */
struct twin {
	struct plan_fixture *fixture;
	struct plan_placement *placements;
	double *slots; /* of each member, taken */
	int *state; /* of each task: 0 waits, 1 runs, 2 is over */
	double now;
};

static double
whole_slots(double slots)
{
	return slots < 1 ? 1 : floor(slots);
}

static void
twin_ask(struct twin *twin, size_t task, struct plan_question *question)
{
	plan_question_ask(
	    question, &twin->fixture->planner.plan, (uint32_t)task, twin->now);
}

static bool
twin_try(struct twin *twin, size_t task)
{
	struct pool *pool = twin->fixture->pool;
	struct plan_placement *placement = &twin->placements[task];
	double slots = whole_slots(taken(twin->fixture, task, "slots", 1));
	struct plan_question question;
	const struct eligible *list;
	struct svc_error error;
	unsigned char keep[32];
	uint32_t i;

	for (i = 0; i < pool_count(pool); i++)
		keep[i] = twin->slots[i] + slots <=
			      whole_slots(pool_member(pool, i)->slots) &&
			  fits(twin->fixture, task, i);
	twin_ask(twin, task, &question);
	if (chooser_choose_among(&twin->fixture->planner.chooser,
		&question.asked, keep, &i, &list, &error) != 1)
		return false;
	placement->member = i;
	placement->start = twin->now;
	placement->end = twin->now + question.asked.constrained.duration /
					 pool_member(pool, i)->speed;
	twin->slots[i] += slots;
	twin->state[task] = 1;
	return true;
}

static void
twin_end(struct twin *twin, size_t task)
{
	struct plan_placement *placement = &twin->placements[task];
	struct plan_question question;
	const struct eligible *list;
	struct svc_error error;
	bool mixed;

	twin->slots[placement->member] -=
	    whole_slots(taken(twin->fixture, task, "slots", 1));
	twin->state[task] = 2;
	twin_ask(twin, task, &question);
	if (pool_labelled(twin->fixture->pool, NULL, &question.requires, &list,
		&mixed, &error) == -1)
		plan_fixture_bail("labelled", &error);
	chooser_ended(&twin->fixture->planner.chooser, &question.asked, list,
	    placement->member);
}

static void
twin_happen(struct twin *twin)
{
	size_t count = batch_count(twin->fixture->batch), i;

	for (i = 0; i < count; i++)
		if (twin->state[i] == 1 && twin->placements[i].end <= twin->now)
			twin_end(twin, i);
	/* who goes may make way for one in front of it */
	for (i = 0; i < count; i++)
		if (twin->state[i] == 0 &&
		    twin->placements[i].release <= twin->now &&
		    twin_try(twin, i))
			i = SIZE_MAX;
}

/* When the task must have started, where it is done soonest. */
static double
twin_latest(struct twin *twin, size_t task)
{
	const struct plan *plan = &twin->fixture->planner.plan;
	double fastest = 0;
	uint32_t i;

	for (i = 0; i < pool_count(twin->fixture->pool); i++)
		if (fits(twin->fixture, task, i))
			fastest = fmax(fastest,
			    pool_member(twin->fixture->pool, i)->speed);
	return plan_task_deadline(plan, (uint32_t)task) -
	       plan_task_duration(plan, (uint32_t)task) / fastest;
}

/* Goes on to when something happens next; false: never. */
static bool
twin_advance(struct twin *twin)
{
	double next = HUGE_VAL;
	size_t i;

	for (i = 0; i < batch_count(twin->fixture->batch); i++) {
		const struct plan_placement *placement = &twin->placements[i];

		if (twin->state[i] == 0 && placement->release > twin->now)
			next = fmin(next, placement->release);
		else if (twin->state[i] == 0 &&
			 twin_latest(twin, i) > twin->now)
			next = fmin(next, twin_latest(twin, i));
		if (twin->state[i] == 1)
			next = fmin(next, placement->end);
	}
	twin->now = next;
	return next < HUGE_VAL;
}

static void
twin_run(struct twin *twin)
{
	size_t count = batch_count(twin->fixture->batch), i;

	twin->placements = calloc(count + 1, sizeof(*twin->placements));
	twin->state = calloc(count + 1, sizeof(*twin->state));
	twin->slots =
	    calloc(pool_count(twin->fixture->pool) + 1, sizeof(*twin->slots));
	for (i = 0; i < count; i++) {
		twin->placements[i] = *plan_fixture_placement(twin->fixture, i);
		twin->placements[i].member = PLAN_NOT_PLACED;
	}
	twin->now = -1;
	while (twin_advance(twin))
		twin_happen(twin);
	free(twin->state);
	free(twin->slots);
}

static void
waiting_for_room_is_as_trying_everything_always(void)
{
	static const char *const policies[] = {
	    "constrained", "constrained=pack"};
	struct plan_fixture planned, fixture;
	struct random random, again;
	struct twin twin = {.fixture = &fixture};
	size_t round, i;

	random_seed(&random, 5);
	for (round = 0; round < 1500; round++) {
		const char *policy = policies[round % 2];

		again = random;
		make_case(&planned, &random, false);
		plan_fixture_run(&planned, policy, ORDER_FIFO);
		make_case(&fixture, &again, false);
		plan_fixture_plan(&fixture, policy, ORDER_FIFO);
		twin_run(&twin);
		for (i = 0; i < batch_count(planned.batch); i++) {
			const struct plan_placement *placement =
			    plan_fixture_placement(&planned, i);

			CHECK(placement->member == twin.placements[i].member);
			CHECK(placement->member == PLAN_NOT_PLACED ||
			      placement->start == twin.placements[i].start);
		}
		free(twin.placements);
		plan_fixture_unplan(&planned);
		plan_fixture_close(&planned);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
make_many(struct plan_fixture *fixture, size_t instances, size_t tasks)
{
	struct random random;
	char id[16], more[128];
	size_t i;

	random_seed(&random, 6);
	plan_fixture_open(fixture);
	for (i = 0; i < instances; i++) {
		snprintf(id, sizeof(id), "i%zu", i);
		snprintf(more, sizeof(more),
		    ",\"capacity\":{\"slots\":4,\"cpu\":8,\"mem\":64},"
		    "\"labels\":{\"zone\":\"z%zu\"}",
		    i % 4);
		plan_fixture_instance(fixture, id, more);
	}
	for (i = 0; i < tasks; i++)
		plan_fixture_task(fixture,
		    "\"duration\":%u,\"requires\":{\"cpu\":%u,\"mem\":%u,"
		    "\"labels\":\"zone!=z%u\"}",
		    1 + draw(&random, 100000), 1 + draw(&random, 8),
		    1 + draw(&random, 8), draw(&random, 4));
}

static double
seconds_to_run(struct plan_fixture *fixture, const char *policy)
{
	double before = time_monotonic();

	plan_fixture_run(fixture, policy, ORDER_FIFO);
	return time_monotonic() - before;
}

static void
many_tasks_are_planned_in_seconds(void)
{
	struct plan_fixture fixture;

	make_many(&fixture, 1000, 200000);
	CHECK(seconds_to_run(&fixture, "least-loaded") < 30);
	CHECK(fixture.measure.placed == 200000);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
	make_many(&fixture, 1000, 30000);
	CHECK(seconds_to_run(&fixture, "constrained") < 30);
	CHECK(fixture.measure.placed == 30000);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

int
main(void)
{
	RUN(a_heap_yields_numbers_in_order);
	RUN(a_queue_finds_the_first_task_that_needs_no_more);
	RUN(the_longest_first_is_as_bad_as_graham_says);
	RUN(least_loaded_is_grahams_list_scheduling);
	RUN(round_robin_goes_round);
	RUN(one_key_goes_to_one_instance);
	RUN(a_fast_instance_ends_sooner);
	RUN(a_task_is_not_started_before_its_time);
	RUN(who_is_idle_is_as_loaded_as_others_that_are);
	RUN(who_would_miss_its_deadline_in_line_takes_no_slot);
	RUN(a_deadline_that_has_passed_is_a_miss);
	RUN(sums_of_tenths_keep_a_deadline);
	RUN(a_billion_slots_take_no_memory);
	RUN(half_a_slot_is_none_and_who_does_not_move_gets_no_work);
	RUN(what_would_never_end_is_not_placed);
	RUN(the_longest_plan_has_finite_numbers);
	RUN(what_misses_its_deadline_in_line_counts_nowhere);
	RUN(groups_whose_names_begin_alike_are_spread_apart);
	RUN(a_plan_of_nothing_is_a_plan);
	RUN(an_error_of_who_is_told_ends_the_run);
	RUN(every_decision_is_explained);
	RUN(small_tasks_pass_a_large_one_that_waits);
	RUN(a_task_takes_the_slots_that_it_names);
	RUN(a_deadline_that_passes_while_waiting_is_a_miss);
	RUN(who_has_no_time_for_the_slow_holds_up_nobody);
	RUN(every_plan_can_be_carried_out);
	RUN(waiting_for_room_is_as_trying_everything_always);
	RUN(many_tasks_are_planned_in_seconds);
	return check_done();
}
