/* What plans are worth: bounds, waits, balance, and how they are told. */
#include "check.h"

#include <math.h>

#include "plan_fixture.h"
#include "ui/plan_report.h"

#define TASKS_MAX 7
#define LANES_MAX 6

static unsigned
draw(struct random *random, unsigned limit)
{
	return (unsigned)(random_next(random) >> 33) % limit;
}

static void
capacity(struct plan_fixture *fixture, const char *id, const char *members)
{
	char more[256];

	snprintf(more, sizeof(more),
	    ",\"capacity\":{%s},\"labels\":{\"%s\":\"1\"}", members, id);
	plan_fixture_instance(fixture, id, more);
}

/* The same for the brute force. */
struct brute_task {
	double duration;
	double release;
	double cpu;
	unsigned fits; /* a bit an instance */
};

struct brute {
	struct brute_task tasks[TASKS_MAX];
	size_t count;
	double speeds[3];
	unsigned slots[3];
	double cpu[3];
	size_t instances;
	double best;
};

/*
 * On one lane no order is better than that of the releases, so that it is
 * enough to try all lanes for each task in that order.
 */
static void
brute_lanes(struct brute *brute, size_t task, double free_at[3][2], double end)
{
	const struct brute_task *next = &brute->tasks[task];
	size_t i, lane;

	if (end >= brute->best)
		return;
	if (task == brute->count) {
		brute->best = end;
		return;
	}
	for (i = 0; i < brute->instances; i++) {
		for (lane = 0; lane < brute->slots[i]; lane++) {
			double before = free_at[i][lane], after;

			if ((next->fits & 1u << i) == 0)
				continue;
			after = fmax(before, next->release) +
				next->duration / brute->speeds[i];
			free_at[i][lane] = after;
			brute_lanes(brute, task + 1, free_at, fmax(end, after));
			free_at[i][lane] = before;
		}
	}
}

static int
compare_releases(const void *a, const void *b)
{
	const struct brute_task *x = a, *y = b;

	return x->release < y->release ? -1 : x->release > y->release;
}

static void
brute_lanes_run(struct brute *brute)
{
	double free_at[3][2] = {{0}};

	qsort(brute->tasks, brute->count, sizeof(brute->tasks[0]),
	    compare_releases);
	brute->best = HUGE_VAL;
	brute_lanes(brute, 0, free_at, 0);
}

/* Draws instances and tasks for both. */
static void
make_case(struct plan_fixture *fixture, struct brute *brute,
    struct random *random, size_t tasks, bool room)
{
	static const double speeds[] = {1, 1, 2, 0.5, 3};
	char text[128], when[80];
	size_t i;
	bool equal = draw(random, 2), released = draw(random, 2);

	memset(brute, 0, sizeof(*brute));
	plan_fixture_open(fixture);
	brute->instances = 1 + draw(random, 3);
	for (i = 0; i < brute->instances; i++) {
		brute->speeds[i] = equal ? 1 : speeds[draw(random, 5)];
		brute->slots[i] = 1 + draw(random, 2);
		brute->cpu[i] = 2 + draw(random, 3);
		snprintf(text, sizeof(text),
		    "\"speed\":%g,\"slots\":%u,\"cpu\":%g", brute->speeds[i],
		    brute->slots[i], brute->cpu[i]);
		capacity(fixture, (const char *[]){"a", "b", "c"}[i], text);
	}
	brute->count = 1 + draw(random, (unsigned)tasks);
	for (i = 0; i < brute->count; i++) {
		struct brute_task *task = &brute->tasks[i];
		bool tied = draw(random, 4) == 0;

		task->duration = draw(random, 12);
		task->release = released ? draw(random, 8) : 0;
		task->cpu = room ? draw(random, 3) : 0;
		task->fits = tied ? 1 : 7;
		snprintf(when, sizeof(when), ",\"not_before\":\"%s\"",
		    plan_fixture_time(task->release));
		plan_fixture_task(fixture,
		    "\"duration\":%g,\"requires\":{\"cpu\":%g%s}%s",
		    task->duration, task->cpu, tied ? ",\"labels\":\"a\"" : "",
		    task->release > 0 ? when : "");
	}
}

static void
no_schedule_is_shorter_than_the_bound(void)
{
	static const char *const policies[] = {
	    "least-loaded", "random", "round-robin", "p2c"};
	struct plan_fixture fixture;
	struct random random;
	struct brute brute;
	size_t round, tight = 0;

	random_seed(&random, 1);
	for (round = 0; round < 4000; round++) {
		make_case(&fixture, &brute, &random, TASKS_MAX, false);
		brute_lanes_run(&brute);
		plan_fixture_run(&fixture, policies[round % 4], ORDER_LPT);
		CHECK(fixture.measure.placed == brute.count);
		CHECK(fixture.measure.bound <= brute.best * (1 + 1e-12));
		CHECK(brute.best <= fixture.measure.makespan * (1 + 1e-12));
		tight += fixture.measure.bound >= brute.best * (1 - 1e-12);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
	/* a bound of 0 would have passed so far */
	CHECK(tight > round / 2);
}

/* Whether the task may run on its member from start on. */
static bool
has_room(const struct brute *brute, const size_t *order, size_t placed,
    const size_t *where, const double starts[][2], size_t task, double start,
    double end)
{
	size_t i, k;

	/* what is taken is most at some start */
	for (i = 0; i <= placed; i++) {
		double at = i < placed ? starts[order[i]][0] : start;
		double cpu = brute->tasks[task].cpu;
		unsigned slots = 1;

		if (at < start || at >= end)
			continue;
		for (k = 0; k < placed; k++) {
			size_t other = order[k];

			if (where[other] != where[task] ||
			    starts[other][0] > at || starts[other][1] <= at)
				continue;
			cpu += brute->tasks[other].cpu;
			slots++;
		}
		if (cpu > brute->cpu[where[task]] ||
		    slots > brute->slots[where[task]])
			return false;
	}
	return true;
}

/* The tasks in an order, each as early as can be: when the last one ends. */
static double
serial(const struct brute *brute, const size_t *order, const size_t *where)
{
	double starts[TASKS_MAX][2], last = 0, best, at, seconds;
	size_t i, k;

	for (i = 0; i < brute->count; i++) {
		const struct brute_task *task = &brute->tasks[order[i]];

		seconds = task->duration / brute->speeds[where[order[i]]];
		best = HUGE_VAL;
		for (k = 0; k <= i; k++) {
			at = k < i ? fmax(task->release, starts[order[k]][1])
				   : task->release;
			if (at < best &&
			    has_room(brute, order, i, where, starts, order[i],
				at, at + seconds))
				best = at;
		}
		starts[order[i]][0] = best;
		starts[order[i]][1] = best + seconds;
		last = fmax(last, best + seconds);
	}
	return last;
}

/* All members for all tasks, in one order. */
static void
brute_members(struct brute *brute, const size_t *order)
{
	size_t where[TASKS_MAX] = {0}, i;

	for (;;) {
		bool fits = true;

		for (i = 0; i < brute->count; i++)
			fits = fits && (brute->tasks[i].fits & 1u << where[i]);
		if (fits)
			brute->best =
			    fmin(brute->best, serial(brute, order, where));
		for (i = 0; i < brute->count && ++where[i] == brute->instances;
		     i++)
			where[i] = 0;
		if (i == brute->count)
			return;
	}
}

/* All orders: among these schedules is a shortest one. */
static void
brute_orders(struct brute *brute, size_t *order, size_t fixed)
{
	size_t i, task;

	if (fixed == brute->count) {
		brute_members(brute, order);
		return;
	}
	for (i = fixed; i < brute->count; i++) {
		task = order[i];
		order[i] = order[fixed];
		order[fixed] = task;
		brute_orders(brute, order, fixed + 1);
		order[fixed] = order[i];
		order[i] = task;
	}
}

static void
nor_where_tasks_take_room(void)
{
	struct plan_fixture fixture;
	struct random random;
	struct brute brute;
	size_t round, tight = 0, i, order[TASKS_MAX];

	random_seed(&random, 2);
	for (round = 0; round < 1000; round++) {
		make_case(&fixture, &brute, &random, 4, true);
		brute.best = HUGE_VAL;
		for (i = 0; i < TASKS_MAX; i++)
			order[i] = i;
		brute_orders(&brute, order, 0);
		plan_fixture_run(&fixture, "constrained", ORDER_LPT);
		CHECK(fixture.measure.placed == brute.count);
		CHECK(fixture.measure.bound <= brute.best * (1 + 1e-9));
		CHECK(brute.best <= fixture.measure.makespan * (1 + 1e-9));
		tight += fixture.measure.bound >= brute.best * (1 - 1e-9);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
	CHECK(tight > round / 2);
}

/* Cases in which one part of the bound is all that tells. */
static const struct {
	const char *what;
	const char *policy;
	const char *capacities[3];
	const char *tasks[5];
	double bound;
} tight_cases[] = {
    {"all work by all speed", "least-loaded", {"\"slots\":2", "\"speed\":2"},
	{"\"duration\":4", "\"duration\":4", "\"duration\":4",
	    "\"duration\":4"},
	4},
    {"the longest on the fastest", "least-loaded", {"", "\"speed\":4"},
	{"\"duration\":20", "\"duration\":1"}, 5},
    {"the longest two on the fastest two", "least-loaded",
	{"\"speed\":10", "", ""}, {"\"duration\":10", "\"duration\":10"},
	20.0 / 11},
    {"the m-th and the next", "least-loaded", {"", ""},
	{"\"duration\":5", "\"duration\":4", "\"duration\":4"}, 8},
    {"three on one of two", "least-loaded", {"", ""},
	{"\"duration\":3", "\"duration\":3", "\"duration\":3", "\"duration\":3",
	    "\"duration\":3"},
	9},
    {"who fits on one alone", "least-loaded", {"", "\"gpu\":1"},
	{"\"duration\":3,\"requires\":{\"gpu\":1}",
	    "\"duration\":4,\"requires\":{\"gpu\":1}", "\"duration\":1"},
	7},
    {"a late release", "least-loaded", {"", ""},
	{"\"duration\":1",
	    "\"duration\":2,\"not_before\":\"2001-09-09T01:46:50Z\""},
	12},
    {"all that is released late", "least-loaded", {""},
	{"\"duration\":2,\"not_before\":\"2001-09-09T01:46:50Z\"",
	    "\"duration\":3,\"not_before\":\"2001-09-09T01:46:51Z\""},
	15},
    {"a resource", "constrained", {"\"slots\":9,\"cpu\":4"},
	{"\"duration\":3,\"requires\":{\"cpu\":3}",
	    "\"duration\":4,\"requires\":{\"cpu\":2}",
	    "\"duration\":4,\"requires\":{\"cpu\":2}"},
	6.25},
    {"slots that are named", "constrained", {"\"slots\":4"},
	{"\"duration\":3,\"requires\":{\"slots\":3}",
	    "\"duration\":1,\"requires\":{\"slots\":3}", "\"duration\":2"},
	3.5},
};

static void
each_part_of_the_bound_tells(void)
{
	struct plan_fixture fixture;
	size_t i, k;

	for (i = 0; i < sizeof(tight_cases) / sizeof(tight_cases[0]); i++) {
		plan_fixture_open(&fixture);
		for (k = 0; k < 3 && tight_cases[i].capacities[k] != NULL; k++)
			capacity(&fixture, (const char *[]){"a", "b", "c"}[k],
			    tight_cases[i].capacities[k]);
		for (k = 0; k < 5 && tight_cases[i].tasks[k] != NULL; k++)
			plan_fixture_task(
			    &fixture, "%s", tight_cases[i].tasks[k]);
		plan_fixture_run(&fixture, tight_cases[i].policy, ORDER_FIFO);
		if (!CHECK(fabs(fixture.measure.bound - tight_cases[i].bound) <
			   1e-9))
			printf("# %s: %g\n", tight_cases[i].what,
			    fixture.measure.bound);
		plan_fixture_unplan(&fixture);
		plan_fixture_close(&fixture);
	}
}

static void
only_what_is_placed_bounds(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	capacity(&fixture, "a", "");
	plan_fixture_task(&fixture, "\"duration\":9,\"deadline\":\"%s\"",
	    plan_fixture_time(5));
	plan_fixture_task(
	    &fixture, "\"duration\":9,\"requires\":{\"labels\":\"b\"}");
	plan_fixture_task(&fixture, "\"duration\":2");
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	CHECK(fixture.measure.missed == 1);
	CHECK(fixture.measure.failed == 1);
	CHECK(fixture.measure.placed == 1);
	CHECK(fixture.measure.makespan == 2);
	CHECK(fixture.measure.bound == 2);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
percentiles_are_nearest_ranks(void)
{
	struct plan_fixture fixture;
	size_t i;

	plan_fixture_open(&fixture);
	capacity(&fixture, "a", "");
	for (i = 0; i < 200; i++)
		plan_fixture_task(&fixture, "\"duration\":1,\"group\":\"%s\"",
		    i % 2 == 0 ? "even" : "odd");
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	CHECK(fixture.measure.all.count == 200);
	CHECK(fixture.measure.all.mean == 99.5);
	CHECK(fixture.measure.all.p50 == 99);
	CHECK(fixture.measure.all.p99 == 197);
	CHECK(fixture.measure.all.most == 199);
	CHECK(fixture.measure.group_count == 2);
	CHECK(fixture.measure.groups[0].mean == 99);
	CHECK(fixture.measure.groups[0].p50 == 98);
	CHECK(fixture.measure.groups[1].p99 == 197);
	CHECK(fixture.measure.groups[1].most == 199);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
a_wait_counts_from_the_release(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	capacity(&fixture, "a", "");
	plan_fixture_task(&fixture, "\"duration\":5");
	plan_fixture_task(&fixture, "\"duration\":1,\"not_before\":\"%s\"",
	    plan_fixture_time(3));
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	CHECK(fixture.measure.all.most == 2);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
balance_is_of_those_that_may_take_work(void)
{
	struct plan_fixture fixture;
	size_t i;

	plan_fixture_open(&fixture);
	capacity(&fixture, "a", "\"slots\":2");
	capacity(&fixture, "b", "\"speed\":2");
	capacity(&fixture, "c", "\"speed\":0");
	for (i = 0; i < 4; i++)
		plan_fixture_task(&fixture, "\"duration\":4");
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	/* two side by side on a; two in turn on b */
	CHECK(fixture.measure.busy[0] == 8);
	CHECK(fixture.measure.busy[1] == 4);
	CHECK(fixture.measure.imbalance == 1);
	CHECK(fixture.measure.utilization[0] == 1);
	CHECK(fixture.measure.utilization[1] == 1);
	CHECK(fixture.measure.utilization[2] == 0);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
one_that_does_all_of_three_is_three_times_the_mean(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	capacity(&fixture, "a", "");
	capacity(&fixture, "b", "");
	capacity(&fixture, "c", "");
	plan_fixture_task(&fixture, "\"duration\":4");
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	CHECK(fabs(fixture.measure.imbalance - 3) < 1e-12);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
tasks_of_no_time_measure_as_nothing(void)
{
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	capacity(&fixture, "a", "");
	plan_fixture_task(&fixture, "\"duration\":0");
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	CHECK(fixture.measure.placed == 1);
	CHECK(fixture.measure.makespan == 0);
	CHECK(fixture.measure.bound == 0);
	CHECK(fixture.measure.imbalance == 1);
	CHECK(fixture.measure.utilization[0] == 0);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

/* Groups with hostile names, misses, two instances. */
static void
make_report_case(struct plan_fixture *fixture)
{
	plan_fixture_open(fixture);
	capacity(fixture, "a", "\"slots\":2");
	capacity(fixture, "web-17", "");
	plan_fixture_task(
	    fixture, "\"duration\":8,\"group\":\"al\\u001b[31mice\"");
	plan_fixture_task(fixture, "\"duration\":8,\"group\":\"bob\"");
	plan_fixture_task(fixture, "\"duration\":5.5");
	plan_fixture_task(fixture, "\"duration\":4,\"group\":\"bob\"");
	plan_fixture_task(fixture, "\"duration\":4,\"deadline\":\"%s\"",
	    plan_fixture_time(5));
	plan_fixture_task(
	    fixture, "\"duration\":4,\"requires\":{\"labels\":\"x\"}");
}

static void
a_summary_tells_a_plan(void)
{
	struct buffer out = BUFFER_INIT;
	struct plan_fixture fixture;

	make_report_case(&fixture);
	plan_fixture_run(&fixture, "least-loaded", ORDER_FIFO);
	plan_report_summary(&fixture.planner.plan, &fixture.measure,
	    "least-loaded", "fifo", &out);
	CHECK(strstr(buffer_string(&out),
		  "plan: 6 tasks on 2 instances (3 slots), least-loaded, "
		  "fifo\n"
		  "makespan 9.500s, at best 9.500s, ratio 1.000\n"
		  "1 deadline missed, 1 not placed\n") == out.data);
	CHECK(
	    strstr(buffer_string(&out),
		"INSTANCE  SLOTS  TASKS     BUSY  UTILIZATION\n"
		"s/a           2      2  16.000s        84.2%\n"
		"s/web-17      1      2   9.500s       100.0%\n"
		"GROUP          TASKS  MEAN WAIT     P50     P99     MAX\n"
		"(none)             1     0.000s  0.000s  0.000s  0.000s\n"
		"al\\x1b[31mice      1     0.000s  0.000s  0.000s  0.000s\n"
		"bob                2     2.750s  0.000s  5.500s  5.500s\n"
		"(all)              4     1.375s  0.000s  5.500s  5.500s\n") !=
	    NULL);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
	buffer_release(&out);
}

static void
a_summary_of_nothing_says_so(void)
{
	struct buffer out = BUFFER_INIT;
	struct plan_fixture fixture;

	plan_fixture_open(&fixture);
	plan_fixture_task(&fixture, "\"duration\":1");
	plan_fixture_run(&fixture, "random", ORDER_FIFO);
	plan_report_summary(
	    &fixture.planner.plan, &fixture.measure, "random", "fifo", &out);
	CHECK_STRING(buffer_string(&out),
	    "plan: 1 task on 0 instances (0 slots), random, fifo\n"
	    "no task was placed\n"
	    "0 deadlines missed, 1 not placed\n"
	    "INSTANCE  SLOTS  TASKS  BUSY  UTILIZATION\n"
	    "GROUP  TASKS  MEAN WAIT  P50  P99  MAX\n"
	    "(all)      0         0s   0s   0s   0s\n");
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
	buffer_release(&out);
}

static void
policies_are_compared_in_a_table(void)
{
	struct comparison_row rows[2] = {
	    {"weighted=headroom", {.placed = 90,
				      .missed = 8,
				      .failed = 2,
				      .makespan = 150,
				      .bound = 120,
				      .imbalance = 1.5,
				      .all = {.mean = 30,
					  .p50 = 25,
					  .p99 = 100.25,
					  .most = 110}}},
	    {"p2c", {.placed = 100, .makespan = 96.5, .bound = 96.5}}};
	struct buffer out = BUFFER_INIT;

	plan_report_compare(rows, 2, &out);
	CHECK_STRING(buffer_string(&out),
	    "POLICY             PLACED  MISSED  UNPLACED  MAKESPAN  RATIO  "
	    "IMBALANCE  WAIT P50  WAIT P99\n"
	    "weighted=headroom      90       8         2    150.0s  1.250      "
	    "1.500     25.0s    100.2s\n"
	    "p2c                   100       0         0     96.5s  1.000      "
	    "0.000      0.0s      0.0s\n");
	buffer_clear(&out);
	plan_report_compare_json(rows, 1, &out);
	CHECK_STRING(buffer_string(&out),
	    "{\"policy\":\"weighted=headroom\",\"placed\":90,\"missed\":8,"
	    "\"unplaced\":2,\"makespan\":150,\"bound\":120,\"ratio\":1.25,"
	    "\"imbalance\":1.5,\"wait_mean\":30,\"wait_p50\":25,"
	    "\"wait_p99\":100.25,\"wait_max\":110}\n");
	buffer_release(&out);
}

int
main(void)
{
	RUN(no_schedule_is_shorter_than_the_bound);
	RUN(nor_where_tasks_take_room);
	RUN(each_part_of_the_bound_tells);
	RUN(only_what_is_placed_bounds);
	RUN(percentiles_are_nearest_ranks);
	RUN(a_wait_counts_from_the_release);
	RUN(balance_is_of_those_that_may_take_work);
	RUN(one_that_does_all_of_three_is_three_times_the_mean);
	RUN(tasks_of_no_time_measure_as_nothing);
	RUN(a_summary_tells_a_plan);
	RUN(a_summary_of_nothing_says_so);
	RUN(policies_are_compared_in_a_table);
	return check_done();
}
