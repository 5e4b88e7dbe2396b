/*
 * Constrained placement against twins that are slow and plain.
 *
 * The small cases' twin adds up, before each task, from the list of what was
 * placed, what every instance has left, and compares all scores as exact
 * fractions.  The large cases' twin divides and compares in one loop over all
 * instances.
 */
#include <math.h>

#include "check.h"
#include "line/json.h"
#include "pool_fixture.h"
#include "sched/policy.h"
#include "sched/room_scan.h"

#define CASES	   10000
#define INSTANCES  6
#define TASKS	   12
#define RESOURCES  3
#define ZONES	   2
#define NOT_NAMED  -1
#define NOT_PLACED INSTANCES

static const char *const resources[RESOURCES] = {"cpu", "mem", "gpu"};
static const struct policy_task no_task;

struct random_case {
	int instances;
	int capacity[INSTANCES][RESOURCES]; /* or NOT_NAMED */
	int zone[INSTANCES];
	int tasks;
	int need[TASKS][RESOURCES]; /* or NOT_NAMED */
	int wants_zone[TASKS]; /* or NOT_NAMED */
	bool pack;
};

static int
pick(struct random *random, int low, int high)
{
	return low + (int)random_below(random, (uint64_t)(high - low + 1));
}

static void
make_case(struct random_case *c, struct random *random)
{
	int i, k;

	c->pack = pick(random, 0, 1);
	c->instances = pick(random, 1, INSTANCES);
	for (i = 0; i < c->instances; i++) {
		c->zone[i] = pick(random, 0, ZONES - 1);
		for (k = 0; k < RESOURCES; k++)
			c->capacity[i][k] = pick(random, NOT_NAMED, 8);
	}
	c->tasks = pick(random, 1, TASKS);
	for (i = 0; i < c->tasks; i++) {
		c->wants_zone[i] = pick(random, 0, 2) == 0
				       ? pick(random, 0, ZONES - 1)
				       : NOT_NAMED;
		for (k = 0; k < RESOURCES; k++)
			c->need[i][k] = pick(random, NOT_NAMED, 4);
	}
}

/*
 * What would be allocated of instance i with task t, over 840, which all
 * capacities up to 8 divide; so sums are whole numbers.  -1: it does not fit.
 */
static int
twin_score(const struct random_case *c, const int *placed, int t, int i)
{
	int k, earlier, used, sum = 0;

	if (c->wants_zone[t] != NOT_NAMED && c->wants_zone[t] != c->zone[i])
		return -1;
	for (k = 0; k < RESOURCES; k++) {
		if (c->need[t][k] == NOT_NAMED)
			continue;
		if (c->capacity[i][k] == NOT_NAMED)
			return -1;
		used = c->need[t][k];
		for (earlier = 0; earlier < t; earlier++)
			if (placed[earlier] == i &&
			    c->need[earlier][k] != NOT_NAMED)
				used += c->need[earlier][k];
		if (used > c->capacity[i][k])
			return -1;
		sum += c->capacity[i][k] == 0 ? 840
					      : 840 / c->capacity[i][k] * used;
	}
	return sum;
}

static int
twin_choose(const struct random_case *c, const int *placed, int t)
{
	int i, score, best = -1, chosen = NOT_PLACED;

	for (i = 0; i < c->instances; i++) {
		score = twin_score(c, placed, t, i);
		if (score == -1)
			continue;
		if (chosen == NOT_PLACED ||
		    (c->pack ? score > best : score < best)) {
			best = score;
			chosen = i;
		}
	}
	return chosen;
}

static void
open_case(struct fixture *fixture, const struct random_case *c)
{
	char id[16], more[256];
	const char *comma;
	size_t length;
	int i, k;

	memset(fixture, 0, sizeof(*fixture));
	for (i = 0; i < c->instances; i++) {
		snprintf(id, sizeof(id), "i%d", i);
		length = (size_t)snprintf(more, sizeof(more),
		    ",\"labels\":{\"zone\":\"z%d\"},\"capacity\":{",
		    c->zone[i]);
		for (k = 0, comma = ""; k < RESOURCES; k++) {
			if (c->capacity[i][k] == NOT_NAMED)
				continue;
			length += (size_t)snprintf(more + length,
			    sizeof(more) - length, "%s\"%s\":%d", comma,
			    resources[k], c->capacity[i][k]);
			comma = ",";
		}
		snprintf(more + length, sizeof(more) - length, "}");
		fixture_add(fixture, "s", id, more);
	}
	fixture_open(fixture);
}

static void
print_requires(const struct random_case *c, int t, char *text, size_t size)
{
	const char *comma = "";
	size_t length = (size_t)snprintf(text, size, "{");
	int k;

	for (k = 0; k < RESOURCES; k++) {
		if (c->need[t][k] == NOT_NAMED)
			continue;
		length += (size_t)snprintf(text + length, size - length,
		    "%s\"%s\":%d", comma, resources[k], c->need[t][k]);
		comma = ",";
	}
	if (c->wants_zone[t] != NOT_NAMED)
		length += (size_t)snprintf(text + length, size - length,
		    "%s\"labels\":\"zone=z%d\"", comma, c->wants_zone[t]);
	snprintf(text + length, size - length, "}");
}

/* Whether the policy and the twin place all tasks of the case alike. */
static bool
agree(const struct random_case *c)
{
	struct policy_options options = {
	    .score = c->pack ? SCORE_PACK : SCORE_SPREAD};
	int placed[TASKS], t, chosen;
	struct fixture fixture;
	struct policy policy;
	struct svc_error error;
	char requires[256];
	bool same = true;

	open_case(&fixture, c);
	policy_open(
	    &policy, &policy_constrained, fixture.pool, &options, &error);
	for (t = 0; t < c->tasks && same; t++) {
		const struct eligible *list;
		uint32_t member;

		print_requires(c, t, requires, sizeof(requires));
		list = fixture_labelled(&fixture, NULL, requires, &error);
		chosen = NOT_PLACED;
		if (list->count > 0 && policy_choose(&policy, list, &no_task,
					   &member, &error) == 1)
			chosen = (int)member;
		placed[t] = twin_choose(c, placed, t);
		same = chosen == placed[t];
		if (!same)
			printf("# task %d, %s: chose %d, the twin %d\n", t,
			    requires, chosen, placed[t]);
	}
	policy_close(&policy);
	fixture_close(&fixture);
	return same;
}

static void
random_cases_are_placed_as_by_brute_force(void)
{
	struct random_case c;
	struct random random;
	int i, wrong = 0;

	random_seed(&random, 2);
	for (i = 0; i < CASES; i++) {
		make_case(&c, &random);
		if (!agree(&c) && ++wrong <= 3)
			printf("# case %d\n", i);
	}
	CHECK(wrong == 0);
}

/* A large case; what it has is printed into lines, and kept here. */
#define LARGE_INSTANCES 3000
#define LARGE_TASKS	400
#define LARGE_CASES	60

struct large_task {
	double need[RESOURCES]; /* or NOT_NAMED */
	int zone; /* or NOT_NAMED */
	int placed; /* the instance, or -1 */
};

struct large_case {
	int instances;
	int tasks;
	int resources;
	int zones;
	int step; /* amounts are whole multiples of 1 / step */
	bool warnings;
	bool pack;
	double capacity[LARGE_INSTANCES][RESOURCES]; /* NAN: not named */
	double used[LARGE_INSTANCES][RESOURCES];
	int zone[LARGE_INSTANCES];
	bool warns[LARGE_INSTANCES];
	struct large_task task[LARGE_TASKS];
};

/* A random number from 0 to limit in the case's steps. */
static double
amount(struct random *random, const struct large_case *c, int limit)
{
	return (double)random_below(random, (uint64_t)(limit * c->step + 1)) /
	       c->step;
}

static void
make_large(struct large_case *c, struct random *random)
{
	int i, k;

	memset(c, 0, sizeof(*c));
	c->instances = pick(random, 500, LARGE_INSTANCES);
	c->tasks = pick(random, 200, LARGE_TASKS);
	c->resources = pick(random, 2, RESOURCES);
	c->zones = pick(random, 1, 7);
	/* whole numbers tie often, thousandths seldom */
	c->step = pick(random, 0, 2) == 0 ? 1000 : pick(random, 1, 10);
	c->warnings = pick(random, 0, 2) == 0;
	c->pack = pick(random, 0, 1);
	for (i = 0; i < c->instances; i++) {
		c->zone[i] = pick(random, 0, c->zones - 1);
		c->warns[i] = c->warnings && pick(random, 0, 4) > 0;
		for (k = 0; k < RESOURCES; k++)
			c->capacity[i][k] = pick(random, 0, 20) == 0
						? NAN
						: amount(random, c, 8);
	}
}

static void
make_large_task(
    const struct large_case *c, struct large_task *task, struct random *random)
{
	int k;

	task->zone =
	    pick(random, 0, 1) ? pick(random, 0, c->zones - 1) : NOT_NAMED;
	for (k = 0; k < RESOURCES; k++)
		task->need[k] =
		    k >= c->resources || pick(random, 0, 5) == 0
			? NOT_NAMED
			: amount(random, c, 8) * pick(random, 1, 4) / 4;
}

static void
open_large(struct fixture *fixture, const struct large_case *c)
{
	char id[16], more[256];
	const char *comma;
	size_t length;
	int i, k;

	memset(fixture, 0, sizeof(*fixture));
	for (i = 0; i < c->instances; i++) {
		snprintf(id, sizeof(id), "i%05d", i);
		length = (size_t)snprintf(more, sizeof(more),
		    ",\"status\":\"%s\",\"labels\":{\"zone\":\"z%d\"},"
		    "\"capacity\":{",
		    c->warns[i] ? "warning" : "passing", c->zone[i]);
		for (k = 0, comma = ""; k < RESOURCES; k++) {
			if (isnan(c->capacity[i][k]))
				continue;
			length += (size_t)snprintf(more + length,
			    sizeof(more) - length, "%s\"%s\":%.17g", comma,
			    resources[k], c->capacity[i][k]);
			comma = ",";
		}
		snprintf(more + length, sizeof(more) - length, "}");
		fixture_add(fixture, "s", id, more);
	}
	fixture_open(fixture);
}

static void
print_large_task(const struct large_task *task, char *text, size_t size)
{
	const char *comma = "";
	size_t length = (size_t)snprintf(text, size, "{");
	int k;

	for (k = 0; k < RESOURCES; k++) {
		if (task->need[k] == NOT_NAMED)
			continue;
		length += (size_t)snprintf(text + length, size - length,
		    "%s\"%s\":%.17g", comma, resources[k], task->need[k]);
		comma = ",";
	}
	if (task->zone != NOT_NAMED)
		length += (size_t)snprintf(text + length, size - length,
		    "%s\"labels\":\"zone=z%d\"", comma, task->zone);
	snprintf(text + length, size - length, "}");
}

/* Whether the instance, idle, could take the task. */
static bool
large_has(const struct large_case *c, const struct large_task *task, int i)
{
	int k;

	if (task->zone != NOT_NAMED && task->zone != c->zone[i])
		return false;
	for (k = 0; k < RESOURCES; k++)
		if (task->need[k] != NOT_NAMED &&
		    !(c->capacity[i][k] >= task->need[k]))
			return false;
	return true;
}

/* What would be allocated, summed over the numbers; -1: it does not fit. */
static double
large_score(const struct large_case *c, const struct large_task *task, int i)
{
	double sum = 0;
	int k;

	if (!large_has(c, task, i))
		return -1;
	for (k = 0; k < RESOURCES; k++) {
		double total = c->capacity[i][k];
		double used = c->used[i][k] + task->need[k];

		if (task->need[k] == NOT_NAMED)
			continue;
		if (used > total * (1 + ROOM_ROUNDING))
			return -1;
		sum += total > 0 ? used / total : 1;
	}
	return sum;
}

static int
large_twin(const struct large_case *c, const struct large_task *task)
{
	static double scores[LARGE_INSTANCES];
	bool passing = false;
	double best = -1;
	int i;

	for (i = 0; i < c->instances && !passing; i++)
		passing = !c->warns[i] && large_has(c, task, i);
	for (i = 0; i < c->instances; i++) {
		scores[i] =
		    passing && c->warns[i] ? -1 : large_score(c, task, i);
		if (scores[i] >= 0 &&
		    (best < 0 ||
			(c->pack ? scores[i] > best : scores[i] < best)))
			best = scores[i];
	}
	for (i = 0; best >= 0 && i < c->instances; i++)
		if (scores[i] >= 0 &&
		    (c->pack ? scores[i] >= best - ROOM_ROUNDING
			     : scores[i] <= best + ROOM_ROUNDING))
			return i;
	return -1;
}

/* The twin's books: sign 1 when the task comes, -1 when it has ended. */
static void
large_book(struct large_case *c, const struct large_task *task, int sign)
{
	double *used = c->used[task->placed];
	int k;

	for (k = 0; k < RESOURCES; k++)
		if (task->need[k] != NOT_NAMED)
			used[k] = fmax(0, used[k] + sign * task->need[k]);
}

/* Ends one of the tasks before t that still run, if it hits one. */
static void
end_some_task(struct fixture *fixture, struct policy *policy,
    struct large_case *c, int t, struct random *random)
{
	struct large_task *task = &c->task[pick(random, 0, t)];
	const struct eligible *list;
	struct svc_error error;
	char requires[256];

	if (task->placed == -1)
		return;
	print_large_task(task, requires, sizeof(requires));
	list = fixture_labelled(fixture, NULL, requires, &error);
	policy_give_back(policy, list->demand, (uint32_t)task->placed);
	large_book(c, task, -1);
	task->placed = -1;
}

/* Places task t by both; whether they agree. */
static bool
place_large(
    struct fixture *fixture, struct policy *policy, struct large_case *c, int t)
{
	struct large_task *task = &c->task[t];
	const struct eligible *list;
	struct svc_error error;
	char requires[256];
	uint32_t member;
	int chosen = -1;

	print_large_task(task, requires, sizeof(requires));
	list = fixture_labelled(fixture, NULL, requires, &error);
	if (list->count > 0 &&
	    policy_choose(policy, list, &no_task, &member, &error) == 1)
		chosen = (int)member;
	task->placed = large_twin(c, task);
	if (chosen != task->placed) {
		printf("# task %d, %s: chose %d, the twin %d\n", t, requires,
		    chosen, task->placed);
		return false;
	}
	if (chosen != -1)
		large_book(c, task, 1);
	return true;
}

static bool
agree_on_large(struct large_case *c, struct random *random)
{
	struct policy_options options = {
	    .score = c->pack ? SCORE_PACK : SCORE_SPREAD};
	struct fixture fixture;
	struct policy policy;
	struct svc_error error;
	bool same = true;
	int t;

	open_large(&fixture, c);
	policy_open(
	    &policy, &policy_constrained, fixture.pool, &options, &error);
	for (t = 0; t < c->tasks && same; t++) {
		make_large_task(c, &c->task[t], random);
		same = place_large(&fixture, &policy, c, t);
		if (pick(random, 0, 2) == 0)
			end_some_task(&fixture, &policy, c, t, random);
	}
	policy_close(&policy);
	fixture_close(&fixture);
	return same;
}

static void
large_cases_are_placed_as_by_a_plain_loop(void)
{
	static struct large_case c;
	struct random random;
	int i, wrong = 0;

	random_seed(&random, 3);
	for (i = 0; i < LARGE_CASES; i++) {
		make_large(&c, &random);
		if (!agree_on_large(&c, &random) && ++wrong <= 3)
			printf("# case %d: %d instances, step %d%s%s\n", i,
			    c.instances, c.step, c.pack ? ", pack" : "",
			    c.warnings ? ", warnings" : "");
	}
	CHECK(wrong == 0);
}

/* Few instances that fill up and empty, so that most has to be given back. */
static void
what_is_given_back_is_free_again(void)
{
	static struct large_case c;
	struct random random;
	struct fixture fixture;
	struct policy_options options = {.seed = 0};
	struct policy policy;
	struct svc_error error;
	int i, t, wrong = 0;

	random_seed(&random, 4);
	make_large(&c, &random);
	c.instances = 9;
	c.step = 10;
	open_large(&fixture, &c);
	policy_open(
	    &policy, &policy_constrained, fixture.pool, &options, &error);
	for (i = 0; i < 100 && wrong == 0; i++) {
		for (t = 0; t < LARGE_TASKS; t++) {
			make_large_task(&c, &c.task[t], &random);
			wrong += !place_large(&fixture, &policy, &c, t);
			end_some_task(&fixture, &policy, &c, t, &random);
		}
		for (t = 0; t < LARGE_TASKS; t++)
			while (c.task[t].placed != -1)
				end_some_task(
				    &fixture, &policy, &c, t, &random);
		memset(c.used, 0, sizeof(c.used));
	}
	CHECK(wrong == 0);
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
three_tenths_fit_into_three_tenths(void)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.seed = 0};
	struct policy policy;
	struct svc_error error;
	uint32_t member;
	int i;

	fixture_add(&fixture, "s", "a", ",\"capacity\":{\"cpu\":0.3}");
	fixture_open(&fixture);
	policy_open(
	    &policy, &policy_constrained, fixture.pool, &options, &error);
	for (i = 0; i < 4; i++)
		CHECK(policy_choose(&policy,
			  fixture_labelled(
			      &fixture, NULL, "{\"cpu\":0.1}", &error),
			  &no_task, &member, &error) == (i < 3));
	policy_close(&policy);
	fixture_close(&fixture);
}

/* More than there is at all is too much, however little more it is. */
static void
rounding_makes_no_capacity_larger(void)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.seed = 0};
	struct policy policy;
	struct svc_error error;
	uint32_t member;

	fixture_add(&fixture, "s", "a", ",\"capacity\":{\"cpu\":0.3}");
	fixture_open(&fixture);
	policy_open(
	    &policy, &policy_constrained, fixture.pool, &options, &error);
	CHECK(policy_choose(&policy,
		  fixture_labelled(
		      &fixture, NULL, "{\"cpu\":0.30000000000000004}", &error),
		  &no_task, &member, &error) == 0);
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
numbers_at_the_ends_of_the_range_are_compared(void)
{
	static const struct {
		const char *capacity;
		const char *requires;
		int fits;
	} rows[] = {
	    {"0", "{\"cpu\":0}", 1},
	    {"0", "{\"cpu\":5e-324}", 0},
	    {"5e-324", "{\"cpu\":5e-324}", 1},
	    {"1e-310", "{\"cpu\":1e-311}", 1},
	    {"1.7e308", "{\"cpu\":1.7e308}", 1},
	    {"1.7e308", "{\"cpu\":1.71e308}", 0},
	    {"1", "{\"cpu\":1,\"mem\":0}", 0},
	    {"1", "{}", 1},
	};
	struct policy_options options = {.score = SCORE_PACK};
	struct policy policy;
	struct svc_error error;
	uint32_t member;
	char more[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture fixture = {.count = 0};

		snprintf(more, sizeof(more), ",\"capacity\":{\"cpu\":%s}",
		    rows[i].capacity);
		fixture_add(&fixture, "s", "a", more);
		fixture_open(&fixture);
		policy_open(&policy, &policy_constrained, fixture.pool,
		    &options, &error);
		if (!CHECK(policy_choose(&policy,
			       fixture_labelled(
				   &fixture, NULL, rows[i].requires, &error),
			       &no_task, &member, &error) == rows[i].fits))
			printf(
			    "# %s of %s\n", rows[i].requires, rows[i].capacity);
		policy_close(&policy);
		fixture_close(&fixture);
	}
}

static void
every_term_of_the_score_is_explained(void)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.seed = 0};
	const struct eligible *list;
	struct buffer out = BUFFER_INIT;
	struct policy policy;
	struct svc_error error;
	uint32_t member;

	fixture_add(&fixture, "s", "a",
	    ",\"capacity\":{\"cpu\":8,\"mem\":16,\"gpu\":0}");
	fixture_open(&fixture);
	policy_open(
	    &policy, &policy_constrained, fixture.pool, &options, &error);
	list = fixture_labelled(&fixture, NULL, "{\"cpu\":2}", &error);
	CHECK(policy_choose(&policy, list, &no_task, &member, &error) == 1);
	list = fixture_labelled(
	    &fixture, NULL, "{\"mem\":0,\"cpu\":2,\"gpu\":0}", &error);
	policy.type->explain(&policy, list, &no_task, 0, &out);
	CHECK_STRING(buffer_string(&out),
	    ",\"room\":{\"mem\":{\"used\":0,\"of\":16,\"after\":0},"
	    "\"cpu\":{\"used\":2,\"of\":8,\"after\":4},"
	    "\"gpu\":{\"used\":0,\"of\":0,\"after\":0}},"
	    "\"score\":0.5,"
	    "\"left\":{\"cpu\":6,\"mem\":16,\"gpu\":0}");
	CHECK(policy.type->left(&policy, "cpu")[0] == 6);
	CHECK(policy.type->left(&policy, "disk") == NULL);
	buffer_release(&out);
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
the_score_is_read_from_its_name(void)
{
	struct policy_options options = {.score = SCORE_SPREAD};
	struct svc_error error;

	CHECK(policy_constrained.configure(&options, "pack", &error) == 0);
	CHECK(options.score == SCORE_PACK);
	CHECK(policy_constrained.configure(&options, "spread", &error) == 0);
	CHECK(options.score == SCORE_SPREAD);
	CHECK(policy_constrained.configure(&options, "stack", &error) == -1);
	CHECK(error.code == 64 && strstr(error.message, "stack") != NULL);
}

int
main(void)
{
	RUN(random_cases_are_placed_as_by_brute_force);
	RUN(large_cases_are_placed_as_by_a_plain_loop);
	RUN(what_is_given_back_is_free_again);
	RUN(three_tenths_fit_into_three_tenths);
	RUN(rounding_makes_no_capacity_larger);
	RUN(numbers_at_the_ends_of_the_range_are_compared);
	RUN(every_term_of_the_score_is_explained);
	RUN(the_score_is_read_from_its_name);
	return check_done();
}
