/* The order in which held tasks are placed. */
#include "sched/task_order.h"

#include <sysexits.h>
#include <time.h>

#include "batch_fixture.h"
#include "check.h"
#include "pool_fixture.h"
#include "sched/random.h"

static void
sort(struct batch *batch, enum task_order order, struct pool *pool)
{
	struct svc_error error;

	if (!CHECK(task_order_sort(batch, order, pool, NULL, 0, &error) == 0))
		printf("# %s\n", error.message);
}

static void
orders_have_names(void)
{
	int order;

	for (order = 0; order < ORDER_COUNT; order++)
		CHECK(task_order_find(
			  task_order_name((enum task_order)order)) == order);
	CHECK(task_order_find("fair") == ORDER_FAIR);
	CHECK(task_order_find("sjf") == -1);
	CHECK(task_order_find("") == -1);
}

static void
each_order_puts_its_own_first(void)
{
	static const struct {
		enum task_order order;
		const char *ids;
	} rows[] = {
	    {ORDER_FIFO, "e b d a c f"},
	    {ORDER_EDF, "e d b a c f"},
	    {ORDER_LPT, "e b d c a f"},
	};
	static const char *const lines[] = {
	    "{\"id\":\"a\",\"task\":1,\"priority\":-0.0,\"duration\":0.5}",
	    "{\"id\":\"b\",\"task\":1,\"priority\":2,\"duration\":9}",
	    "{\"id\":\"c\",\"task\":1}", /* a duration of 1 */
	    "{\"id\":\"d\",\"task\":1,\"priority\":2,"
	    "\"deadline\":\"2027-01-01T00:00:00Z\"}",
	    "{\"id\":\"e\",\"task\":1,\"priority\":1e300,"
	    "\"deadline\":\"2028-01-01T00:00:00Z\"}",
	    "{\"id\":\"f\",\"task\":1,\"priority\":-1,\"duration\":\"1h\"}",
	};
	struct batch *batch;
	size_t i, j;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		batch = batch_fixture_open();
		for (j = 0; j < sizeof(lines) / sizeof(lines[0]); j++)
			batch_fixture_add(batch, lines[j]);
		sort(batch, rows[i].order, NULL);
		if (!CHECK_STRING(batch_fixture_ids(batch), rows[i].ids))
			printf("# %s\n", task_order_name(rows[i].order));
		batch_close(batch);
	}
}

static void
a_group_without_its_share_goes_first(void)
{
	static const struct fair_share shares[] = {{"b", 2}};
	struct fixture fixture = {.count = 0};
	struct batch *batch = batch_fixture_open();
	struct svc_error error;

	fixture_add(&fixture, "s", "one", ",\"capacity\":{\"cpu\":8}");
	fixture_open(&fixture);
	batch_fixture_add(batch, "{\"id\":\"a1\",\"task\":1,\"group\":\"a\"}");
	batch_fixture_add(batch, "{\"id\":\"a2\",\"task\":1,\"group\":\"a\"}");
	batch_fixture_add(batch, "{\"id\":\"a3\",\"task\":1,\"group\":\"a\"}");
	/* cannot be placed, and so takes nothing */
	batch_fixture_add(batch, "{\"id\":\"b0\",\"task\":1,\"group\":\"b\","
				 "\"requires\":{\"cpu\":-1}}");
	batch_fixture_add(batch, "{\"id\":\"b1\",\"task\":1,\"group\":\"b\"}");
	batch_fixture_add(batch, "{\"id\":\"b2\",\"task\":1,\"group\":\"b\"}");
	batch_fixture_add(batch, "{\"id\":\"b3\",\"task\":1,\"group\":\"b\"}");
	batch_fixture_add(batch, "{\"id\":\"b4\",\"task\":1,\"group\":\"b\"}");
	batch_fixture_add(batch, "{\"id\":\"n1\",\"task\":1}");
	batch_fixture_add(
	    batch, "{\"id\":\"a4\",\"task\":1,\"group\":\"a\",\"priority\":1}");
	CHECK(task_order_sort(
		  batch, ORDER_FAIR, fixture.pool, shares, 1, &error) == 0);
	/* a's first is ahead: what it got counts on at lower priorities */
	CHECK_STRING(batch_fixture_ids(batch), "a4 n1 b0 b1 b2 a1 b3 b4 a2 a3");
	batch_close(batch);
	fixture_close(&fixture);
}

static void
a_share_of_a_group_without_tasks_changes_nothing(void)
{
	static const struct fair_share shares[] = {{"bob", 3}, {"b", 2}};
	struct fixture fixture = {.count = 0};
	struct batch *batch = batch_fixture_open();
	struct svc_error error;

	fixture_add(&fixture, "s", "i1", "");
	fixture_open(&fixture);
	batch_fixture_add(batch, "{\"id\":\"a1\",\"task\":1,\"group\":\"a\"}");
	batch_fixture_add(batch, "{\"id\":\"a2\",\"task\":1,\"group\":\"a\"}");
	batch_fixture_add(batch, "{\"id\":\"b1\",\"task\":1,\"group\":\"b\"}");
	batch_fixture_add(batch, "{\"id\":\"b2\",\"task\":1,\"group\":\"b\"}");
	CHECK(task_order_sort(
		  batch, ORDER_FAIR, fixture.pool, shares, 2, &error) == 0);
	CHECK_STRING(batch_fixture_ids(batch), "a1 b1 b2 a2");
	batch_close(batch);
	fixture_close(&fixture);
}

static void
no_task_and_one_are_in_order(void)
{
	struct fixture fixture = {.count = 0};
	struct batch *batch = batch_fixture_open();
	int order;

	fixture_add(&fixture, "s", "a", "");
	fixture_open(&fixture);
	for (order = 0; order < ORDER_COUNT; order++)
		sort(batch, (enum task_order)order, fixture.pool);
	batch_fixture_add(batch, "{\"id\":\"a\",\"task\":1}");
	for (order = 0; order < ORDER_COUNT; order++)
		sort(batch, (enum task_order)order, fixture.pool);
	CHECK_STRING(batch_fixture_ids(batch), "a");
	batch_close(batch);
	fixture_close(&fixture);
}

#define TASKS_MAX  60
#define GROUPS_MAX 8

/* What the slow twin knows of a task. */
struct twin {
	double priority;
	double duration; /* negative: not said */
	double deadline; /* 0: none */
	double cpu; /* negative: not said */
	int group;
	bool placed;
};

static void
make_task(struct batch *batch, struct twin *task, struct random *random,
    size_t number)
{
	char line[256];
	int length;

	*task = (struct twin){.priority = (double)random_below(random, 3) - 1,
	    .duration = (double)random_below(random, 5) - 1,
	    .deadline = (double)random_below(random, 5),
	    .cpu = (double)random_below(random, 4) - 1,
	    .group = (int)random_below(random, GROUPS_MAX)};
	length = snprintf(line, sizeof(line),
	    "{\"id\":\"t%zu\",\"task\":1,\"group\":\"%d\",\"priority\":%g",
	    number, task->group, task->priority);
	if (task->duration >= 0)
		length += snprintf(line + length, sizeof(line) - (size_t)length,
		    ",\"duration\":%g", task->duration);
	if (task->deadline != 0)
		length += snprintf(line + length, sizeof(line) - (size_t)length,
		    ",\"deadline\":\"2027-01-0%gT00:00:00Z\"", task->deadline);
	if (task->cpu >= 0)
		length += snprintf(line + length, sizeof(line) - (size_t)length,
		    ",\"requires\":{\"cpu\":%g}", task->cpu);
	snprintf(line + length, sizeof(line) - (size_t)length, "}");
	batch_fixture_add(batch, line);
}

static double
seconds(const struct twin *task)
{
	return task->duration < 0 ? 1 : task->duration;
}

/* What groups have got, of 16 CPUs and 3 slots. */
struct got {
	double cpu[GROUPS_MAX];
	double slots[GROUPS_MAX];
	double weights[GROUPS_MAX];
	int first[GROUPS_MAX]; /* the order in which groups came */
};

static double
share_of(const struct got *got, int group)
{
	double cpu = got->cpu[group] / 16, slots = got->slots[group] / 3;

	return (cpu > slots ? cpu : slots) / got->weights[group];
}

/* Whether a is to be placed before b, which came earlier. */
static bool
beats(const struct twin *a, const struct twin *b, enum task_order order,
    const struct got *got)
{
	double x, y;

	if (a->priority != b->priority)
		return a->priority > b->priority;
	switch (order) {
	case ORDER_EDF:
		return a->deadline != 0 &&
		       (b->deadline == 0 || a->deadline < b->deadline);
	case ORDER_LPT:
		return seconds(a) > seconds(b);
	case ORDER_FAIR:
		x = share_of(got, a->group);
		y = share_of(got, b->group);
		return x < y ||
		       (x == y && got->first[a->group] < got->first[b->group]);
	default:
		return false;
	}
}

/* The best of all that are left, again and again. */
static void
order_slowly(struct twin *tasks, size_t count, enum task_order order,
    struct got *got, char *ids)
{
	struct twin *task;
	size_t i, j, best, length = 0;

	for (i = 0; i < count; i++) {
		best = count;
		for (j = 0; j < count; j++)
			if (!tasks[j].placed &&
			    (best == count ||
				beats(&tasks[j], &tasks[best], order, got)))
				best = j;
		task = &tasks[best];
		task->placed = true;
		if (task->cpu > 0)
			got->cpu[task->group] += task->cpu * seconds(task);
		else
			got->slots[task->group] += seconds(task);
		length += (size_t)snprintf(
		    ids + length, 8, "%st%zu", i > 0 ? " " : "", best);
	}
}

/* Makes a batch, orders it both ways, and compares. */
static bool
orders_agree(
    struct fixture *fixture, enum task_order order, struct random *random)
{
	static const struct fair_share shares[] = {{"0", 2}, {"3", 0.5}};
	struct batch *batch = batch_fixture_open();
	struct twin tasks[TASKS_MAX];
	struct got got = {.cpu = {0}};
	size_t count = 1 + (size_t)random_below(random, TASKS_MAX), i;
	char ids[TASKS_MAX * 8] = "";
	struct svc_error error;
	bool agree;

	for (i = 0; i < GROUPS_MAX; i++)
		got.weights[i] = 1;
	for (i = 0; i < count; i++)
		make_task(batch, &tasks[i], random, i);
	for (i = count; i-- > 0;)
		got.first[tasks[i].group] = (int)i;
	for (i = 0; i < 2; i++) {
		if (batch_group_find(batch, shares[i].group) ==
		    batch_groups(batch))
			break;
		got.weights[strtol(shares[i].group, NULL, 10)] =
		    shares[i].weight;
	}
	agree = task_order_sort(
		    batch, order, fixture->pool, shares, i, &error) == 0;
	order_slowly(tasks, count, order, &got, ids);
	agree = agree && CHECK_STRING(batch_fixture_ids(batch), ids);
	batch_close(batch);
	return agree;
}

static void
random_batches_are_ordered_as_the_slow_twin_orders_them(void)
{
	struct fixture fixture = {.count = 0};
	struct random random;
	int order, round;

	fixture_add(&fixture, "s", "a", ",\"capacity\":{\"cpu\":6}");
	fixture_add(&fixture, "s", "b", ",\"capacity\":{\"cpu\":8}");
	fixture_add(&fixture, "s", "c", ",\"capacity\":{\"cpu\":2}");
	fixture_open(&fixture);
	random_seed(&random, 7);
	for (order = 0; order < ORDER_COUNT; order++)
		for (round = 0; round < 200; round++)
			if (!CHECK(orders_agree(
				&fixture, (enum task_order)order, &random))) {
				printf("# %s, round %d\n",
				    task_order_name((enum task_order)order),
				    round);
				break;
			}
	fixture_close(&fixture);
}

/* Seconds of this process's own time that an order takes. */
static double
time_of(struct batch *batch, enum task_order order, struct pool *pool)
{
	struct timespec from, to;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	sort(batch, order, pool);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) +
	       (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Well under a second each, 3 on a slow day; what is quadratic takes hours. */
static void
a_million_tasks_are_ordered_in_seconds(void)
{
	struct fixture fixture = {.count = 0};
	struct batch *batch = batch_fixture_open();
	struct random random;
	struct twin task;
	double taken;
	int order;
	size_t i;

	fixture_add(&fixture, "s", "a", ",\"capacity\":{\"cpu\":6}");
	fixture_open(&fixture);
	random_seed(&random, 9);
	for (i = 0; i < 1000000; i++)
		make_task(batch, &task, &random, i);
	for (order = ORDER_COUNT; order-- > 0;) {
		taken = time_of(batch, (enum task_order)order, fixture.pool);
		printf("# %s: %.3f s\n",
		    task_order_name((enum task_order)order), taken);
		CHECK(taken < 10);
	}
	batch_close(batch);
	fixture_close(&fixture);
}

int
main(void)
{
	RUN(orders_have_names);
	RUN(each_order_puts_its_own_first);
	RUN(a_group_without_its_share_goes_first);
	RUN(a_share_of_a_group_without_tasks_changes_nothing);
	RUN(no_task_and_one_are_in_order);
	RUN(random_batches_are_ordered_as_the_slow_twin_orders_them);
	RUN(a_million_tasks_are_ordered_in_seconds);
	return check_done();
}
