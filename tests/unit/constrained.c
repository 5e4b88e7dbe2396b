/*
 * Constrained placement against a twin that is slow and plain: before each
 * task it adds up, from the list of what was placed, what every instance has
 * left, and compares all scores as exact fractions.
 */
#include "check.h"
#include "pool_fixture.h"
#include "sched/explain.h"
#include "sched/policy.h"

#define CASES	   10000
#define INSTANCES  6
#define TASKS	   12
#define RESOURCES  3
#define ZONES	   2
#define NOT_NAMED  -1
#define NOT_PLACED INSTANCES

static const char *const resources[RESOURCES] = {"cpu", "mem", "gpu"};

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
		list = fixture_list(&fixture, NULL, requires, &error);
		chosen = NOT_PLACED;
		if (list->count > 0 &&
		    policy_choose(&policy, list, &member, &error) == 1)
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
			  fixture_list(&fixture, NULL, "{\"cpu\":0.1}", &error),
			  &member, &error) == (i < 3));
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
the_sentence_says_what_is_left(void)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.seed = 0};
	struct json_value requires = fixture_requires("{\"cpu\":3}");
	struct buffer out = BUFFER_INIT;
	struct policy policy;
	struct svc_error error;
	uint32_t member;

	fixture_add(&fixture, "s", "a", ",\"capacity\":{\"cpu\":4}");
	fixture_add(&fixture, "s", "b", ",\"capacity\":{\"cpu\":5}");
	fixture_open(&fixture);
	policy_open(
	    &policy, &policy_constrained, fixture.pool, &options, &error);
	while (policy_choose(&policy,
		   fixture_list(&fixture, NULL, "{\"cpu\":3}", &error), &member,
		   &error) == 1)
		;
	explain_none(fixture.pool, &policy, NULL, &requires, &out);
	CHECK_STRING(buffer_string(&out),
	    "0 of 2 instances: 2 insufficient cpu (need 3, most free 2)");
	buffer_release(&out);
	policy_close(&policy);
	fixture_close(&fixture);
}

int
main(void)
{
	RUN(random_cases_are_placed_as_by_brute_force);
	RUN(three_tenths_fit_into_three_tenths);
	RUN(the_sentence_says_what_is_left);
	return check_done();
}
