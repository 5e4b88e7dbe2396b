/* How each policy chooses. */
#include "sched/policy.h"

#include <math.h>

#include "check.h"
#include "pool_fixture.h"
#include "sched/alias.h"

#define DRAWS 1000000

/* A fixture with instances a, b, c... of these utilizations. */
static void
open_with_utilizations(
    struct fixture *fixture, const double *values, size_t count)
{
	char id[2] = "a", more[64];
	size_t i;

	memset(fixture, 0, sizeof(*fixture));
	for (i = 0; i < count; i++, id[0]++) {
		snprintf(
		    more, sizeof(more), ",\"utilization\":%.17g", values[i]);
		fixture_add(fixture, "s", id, more);
	}
	fixture_open(fixture);
}

/* Draws, and counts by member. */
static void
count_draws(struct policy *policy, const struct eligible *list, size_t draws,
    double *counts)
{
	struct svc_error error;
	uint32_t member;
	size_t i;

	for (i = 0; i < draws; i++) {
		if (policy_choose(policy, list, &member, &error) != 1) {
			CHECK(!"chosen");
			return;
		}
		counts[member]++;
	}
}

static double
chi_square(const double *counts, const double *weights, size_t count)
{
	double total = 0, sum = 0;
	size_t i;

	for (i = 0; i < count; i++)
		total += weights[i];
	for (i = 0; i < count; i++) {
		double expected = weights[i] / total * DRAWS;

		if (expected > 0)
			sum += pow(counts[i] - expected, 2) / expected;
		else if (counts[i] > 0)
			return INFINITY;
	}
	return sum;
}

/* The statistic of 10^6 draws of type among instances of these weights. */
static double
chi_square_of(const struct policy_type *type, const double *utilizations,
    const double *weights, size_t count, const char *field)
{
	struct policy_options options = {.seed = 20261122, .field = field};
	double counts[16] = {0};
	struct fixture fixture;
	struct policy policy;
	struct svc_error error;

	open_with_utilizations(&fixture, utilizations, count);
	CHECK(policy_open(&policy, type, fixture.pool, &options, &error) == 0);
	count_draws(
	    &policy, fixture_list(&fixture, NULL, "", &error), DRAWS, counts);
	policy_close(&policy);
	fixture_close(&fixture);
	return chi_square(counts, weights, count);
}

static void
weighted_draws_follow_the_formula(void)
{
	static const double r[] = {
	    0.42, 0.05, 0, 0.99, 1.5, 0.001, 0.3, 0.3, 0.12, 0.7};

	/* 8 degrees of freedom (one weight is zero), p = 0.001 */
	CHECK(chi_square_of(&policy_weighted, r, r, 10, NULL) < 26.12);
	CHECK(chi_square_of(&policy_weighted, r, r, 10, "utilization") < 26.12);
}

static void
weights_that_are_all_zero_are_uniform(void)
{
	static const double zero[10] = {0};
	static const double one[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	/* 9 degrees of freedom, p = 0.001 */
	CHECK(chi_square_of(&policy_weighted, zero, one, 10, NULL) < 27.88);
	CHECK(chi_square_of(&policy_random, zero, one, 10, NULL) < 27.88);
}

static void
headroom_gives_the_idle_more(void)
{
	static const double r[] = {0.9, 0.5, 0, 1.2};
	static const double headroom[] = {0.1, 0.5, 1, 0};

	/* 2 degrees of freedom, p = 0.001 */
	CHECK(chi_square_of(&policy_weighted, r, headroom, 4, "headroom") <
	      13.82);
}

static void
headroom_counts_slots_and_their_lack_as_one(void)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.seed = 7, .field = "headroom"};
	struct buffer out = BUFFER_INIT;
	struct policy policy;
	struct svc_error error;
	uint32_t i;

	fixture_add(&fixture, "s", "a",
	    ",\"capacity\":{\"slots\":8},\"utilization\":0.5");
	fixture_add(&fixture, "s", "b", ",\"utilization\":0.25");
	fixture_add(&fixture, "s", "c", ",\"utilization\":1.5");
	fixture_open(&fixture);
	CHECK(policy_open(&policy, &policy_weighted, fixture.pool, &options,
		  &error) == 0);
	for (i = 0; i < 3; i++)
		policy.type->explain(&policy, i, &out);
	CHECK_STRING(
	    buffer_string(&out), ",\"weight\":4,\"weight\":0.75,\"weight\":0");
	buffer_release(&out);
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
alias_never_draws_a_zero_among_others(void)
{
	static const double hard[][4] = {{0, 1e-300, 0, 0},
	    {1e308, 0, 1e308, 0}, {0, 0.1, 0.7, 0}, {3, 0, 1.0 / 3, 0}};
	struct random random;
	struct svc_error error;
	size_t row, i, drawn, wrong = 0;

	random_seed(&random, 1);
	for (row = 0; row < 4; row++) {
		struct alias *alias = alias_new(hard[row], 4, &error);

		for (i = 0; i < 100000; i++) {
			drawn = alias_draw(alias, &random);
			wrong += hard[row][drawn] == 0;
		}
		alias_free(alias);
	}
	CHECK(wrong == 0);
}

static void
a_weight_that_is_none_names_its_instance(void)
{
	static const struct {
		const char *more;
		const char *field;
	} rows[] = {
	    {",\"meta\":{\"w\":-1}", "meta.w"},
	    {",\"meta\":{\"w\":true}", "meta.w"},
	    {",\"meta\":{\"w\":1e400}", "meta.w"},
	    {"", "meta.w"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_options options = {.field = rows[i].field};
		struct fixture fixture = {.count = 0};
		struct svc_error error = {0, ""};
		struct policy policy;

		fixture_add(&fixture, "s", "good", ",\"meta\":{\"w\":1}");
		fixture_add(&fixture, "s", "odd", rows[i].more);
		fixture_open(&fixture);
		CHECK(policy_open(&policy, &policy_weighted, fixture.pool,
			  &options, &error) == -1);
		CHECK(error.code == 65);
		if (!CHECK(strstr(error.message, "s/odd: \"meta.w\"") != NULL))
			printf("# %s\n", error.message);
		fixture_close(&fixture);
	}
}

/* The ids that a policy chooses, one letter each. */
static const char *
choices(struct policy *policy, const struct fixture *fixture,
    const struct eligible *list, size_t count)
{
	static char text[256];
	struct svc_error error;
	uint32_t member;
	size_t i;

	for (i = 0; i < count; i++) {
		if (policy_choose(policy, list, &member, &error) != 1)
			return "failed";
		text[i] = fixture_id(fixture, member)[0];
	}
	text[count] = '\0';
	return text;
}

static void
smooth_has_the_sequence_of_nginx(void)
{
	static const double r[] = {5, 1, 1}, thirds[] = {0.3, 0.1, 0.2};
	struct policy_options options = {.smooth = true};
	struct fixture fixture;
	struct policy policy;
	struct svc_error error;

	open_with_utilizations(&fixture, r, 3);
	CHECK(policy_open(&policy, &policy_weighted, fixture.pool, &options,
		  &error) == 0);
	CHECK_STRING(choices(&policy, &fixture,
			 fixture_list(&fixture, NULL, "", &error), 14),
	    "aabacaaaabacaa");
	policy_close(&policy);
	fixture_close(&fixture);
	open_with_utilizations(&fixture, thirds, 3);
	CHECK(policy_open(&policy, &policy_weighted, fixture.pool, &options,
		  &error) == 0);
	CHECK_STRING(choices(&policy, &fixture,
			 fixture_list(&fixture, NULL, "", &error), 6),
	    "acabca");
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
a_seed_repeats_everything(void)
{
	static const double r[] = {0.5, 0.1, 0.4, 0.2};
	const struct policy_type *types[] = {
	    &policy_random, &policy_weighted, &policy_p2c};
	struct policy_options options = {.seed = 99};
	struct fixture fixture;
	struct policy policy;
	struct svc_error error;
	char first[256];
	size_t i, round;

	open_with_utilizations(&fixture, r, 4);
	for (i = 0; i < 3; i++) {
		for (round = 0; round < 2; round++) {
			const char *text;

			CHECK(policy_open(&policy, types[i], fixture.pool,
				  &options, &error) == 0);
			text = choices(&policy, &fixture,
			    fixture_list(&fixture, NULL, "", &error), 100);
			if (round == 0)
				snprintf(first, sizeof(first), "%s", text);
			else
				CHECK_STRING(text, first);
			policy_close(&policy);
		}
	}
	fixture_close(&fixture);
}

/* Cursors as the registry keeps them, for a handful of keys. */
struct cursor_set {
	struct {
		char key[POLICY_KEY_SIZE];
		char id[NAME_MAX_LENGTH + 1];
	} rows[8];
	size_t count;
	bool held;
	int works; /* so many calls; then they fail */
	int lost;
	int commits;
};

static void
shelf_key(const char *service, const char *const *ids, size_t count,
    char key[POLICY_KEY_SIZE])
{
	size_t length = (size_t)snprintf(key, POLICY_KEY_SIZE, "%s", service);
	size_t i;

	for (i = 0; i < count; i++)
		length += (size_t)snprintf(
		    key + length, POLICY_KEY_SIZE - length, ".%s", ids[i]);
}

static char *
shelf_find(struct cursor_set *shelf, const char *key)
{
	size_t i;

	for (i = 0; i < shelf->count; i++)
		if (strcmp(shelf->rows[i].key, key) == 0)
			return shelf->rows[i].id;
	snprintf(shelf->rows[shelf->count].key, POLICY_KEY_SIZE, "%s", key);
	shelf->rows[shelf->count].id[0] = '\0';
	return shelf->rows[shelf->count++].id;
}

static int
shelf_call(struct cursor_set *shelf, struct svc_error *error)
{
	CHECK(shelf->lost == 0);
	if (shelf->works-- > 0)
		return 0;
	return svc_error_set(error, 74, "it fails");
}

static int
shelf_load(struct cursor_set *shelf, const char *key,
    char id[NAME_MAX_LENGTH + 1], struct svc_error *error)
{
	if (shelf_call(shelf, error) == -1)
		return -1;
	shelf->held = true;
	snprintf(id, NAME_MAX_LENGTH + 1, "%s", shelf_find(shelf, key));
	return 0;
}

static int
shelf_store(struct cursor_set *shelf, const char *key, const char *id,
    struct svc_error *error)
{
	CHECK(shelf->held);
	if (shelf_call(shelf, error) == -1)
		return -1;
	snprintf(shelf_find(shelf, key), NAME_MAX_LENGTH + 1, "%s", id);
	return 0;
}

static int
shelf_commit(struct cursor_set *shelf, struct svc_error *error)
{
	shelf->held = false;
	if (shelf_call(shelf, error) == -1)
		return -1;
	shelf->commits++;
	return 0;
}

static void
shelf_lost(void *argument, const struct svc_error *error)
{
	struct cursor_set *shelf = argument;

	CHECK_STRING(error->message, "it fails");
	shelf->lost++;
}

static struct policy_options
on_shelf(struct cursor_set *shelf)
{
	struct policy_options options = {
	    .cursor = {shelf, shelf_key, shelf_load, shelf_store, shelf_commit,
		shelf_lost, shelf}};

	return options;
}

static void
round_robin_goes_by_id_and_around(void)
{
	static const double r[] = {0, 0, 0};
	struct policy_options options = {.seed = 1};
	struct fixture fixture;
	struct policy policy;
	struct svc_error error;

	open_with_utilizations(&fixture, r, 3);
	CHECK(policy_open(&policy, &policy_round_robin, fixture.pool, &options,
		  &error) == 0);
	CHECK_STRING(choices(&policy, &fixture,
			 fixture_list(&fixture, NULL, "", &error), 7),
	    "abcabca");
	policy_settle(&policy);
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
round_robin_goes_on_where_another_process_stopped(void)
{
	static const double r[] = {0, 0, 0};
	struct cursor_set shelf = {.works = 10000};
	struct policy_options options = on_shelf(&shelf);
	struct policy one, two;
	struct fixture fixture;
	struct svc_error error;
	const struct eligible *list;

	open_with_utilizations(&fixture, r, 3);
	list = fixture_list(&fixture, NULL, "", &error);
	policy_open(&one, &policy_round_robin, fixture.pool, &options, &error);
	policy_open(&two, &policy_round_robin, fixture.pool, &options, &error);
	CHECK_STRING(choices(&one, &fixture, list, 2), "ab");
	policy_settle(&one);
	CHECK(!shelf.held);
	CHECK_STRING(choices(&two, &fixture, list, 2), "ca");
	policy_settle(&two);
	CHECK(shelf.commits == 2);
	CHECK_STRING(choices(&one, &fixture, list, 4), "bcab");
	policy_close(&one);
	policy_close(&two);
	fixture_close(&fixture);
}

static void
round_robin_takes_the_next_id_when_the_last_one_is_gone(void)
{
	static const struct {
		const char *last;
		const char *next;
	} rows[] = {{"", "abc"}, {"a", "bca"}, {"ab", "bca"}, {"c", "abc"},
	    {"zz", "abc"}, {"A", "abc"}};
	static const double r[] = {0, 0, 0};
	struct cursor_set shelf = {.works = 10000};
	struct policy_options options = on_shelf(&shelf);
	struct policy policy;
	struct fixture fixture;
	struct svc_error error;
	size_t i;

	open_with_utilizations(&fixture, r, 3);
	policy_open(
	    &policy, &policy_round_robin, fixture.pool, &options, &error);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(shelf_find(&shelf, "s.a.b.c"), NAME_MAX_LENGTH + 1,
		    "%s", rows[i].last);
		CHECK_STRING(choices(&policy, &fixture,
				 fixture_list(&fixture, NULL, "", &error), 3),
		    rows[i].next);
		policy_settle(&policy);
	}
	policy_close(&policy);
	fixture_close(&fixture);
}

/* Whichever call fails: nothing is chosen twice or left out. */
static void
round_robin_whose_cursor_fails_goes_on_in_memory(void)
{
	static const double r[] = {0, 0, 0};
	struct policy policy;
	struct fixture fixture;
	struct svc_error error;
	const struct eligible *list;
	int works;

	open_with_utilizations(&fixture, r, 3);
	list = fixture_list(&fixture, NULL, "", &error);
	for (works = 0; works <= 5; works++) {
		struct cursor_set shelf = {.works = works};
		struct policy_options options = on_shelf(&shelf);

		policy_open(&policy, &policy_round_robin, fixture.pool,
		    &options, &error);
		CHECK_STRING(choices(&policy, &fixture, list, 2), "ab");
		policy_settle(&policy);
		CHECK_STRING(choices(&policy, &fixture, list, 2), "ca");
		policy_settle(&policy);
		CHECK_STRING(choices(&policy, &fixture, list, 2), "bc");
		CHECK(shelf.lost == 1 && shelf.works == -1);
		policy_close(&policy);
	}
	fixture_close(&fixture);
}

/* With one cursor for both, either selector would see every second id only. */
static void
two_selectors_do_not_lock_step(void)
{
	struct cursor_set shelf = {.works = 10000};
	struct policy_options options = on_shelf(&shelf);
	struct fixture fixture = {.count = 0};
	double counts[2][4] = {{0}};
	struct policy policy;
	struct svc_error error;
	int i;

	fixture_add(
	    &fixture, "s", "a", ",\"labels\":{\"x\":\"1\",\"y\":\"1\"}");
	fixture_add(
	    &fixture, "s", "b", ",\"labels\":{\"x\":\"1\",\"y\":\"1\"}");
	fixture_add(&fixture, "s", "c", ",\"labels\":{\"x\":\"1\"}");
	fixture_add(&fixture, "s", "d", ",\"labels\":{\"y\":\"1\"}");
	fixture_open(&fixture);
	policy_open(
	    &policy, &policy_round_robin, fixture.pool, &options, &error);
	for (i = 0; i < 600; i++) {
		const char *requires =
		    i % 2 ? "{\"labels\":\"x\"}" : "{\"labels\":\"y\"}";

		count_draws(&policy,
		    fixture_list(&fixture, NULL, requires, &error), 1,
		    counts[i % 2]);
		if (i % 7 == 0)
			policy_settle(&policy);
	}
	CHECK(
	    counts[1][0] == 100 && counts[1][1] == 100 && counts[1][2] == 100);
	CHECK(
	    counts[0][0] == 100 && counts[0][1] == 100 && counts[0][3] == 100);
	policy_settle(&policy);
	policy_close(&policy);
	fixture_close(&fixture);
}

#define LADDER 48

/* Chooses once from each of the 1,176 intervals of a ladder; counts errors. */
static size_t
climb(const struct policy_type *type, struct fixture *fixture, bool first_only)
{
	struct policy_options options = {.seed = 1};
	char requires[64];
	struct policy policy;
	struct svc_error error;
	uint32_t low, high, member;
	size_t wrong = 0;

	CHECK(policy_open(&policy, type, fixture->pool, &options, &error) == 0);
	for (low = 0; low < LADDER; low++) {
		for (high = low; high < LADDER; high++) {
			snprintf(requires, sizeof(requires),
			    "{\"cpu\":%u,\"mem\":%u}", low + 1, LADDER - high);
			wrong +=
			    policy_choose(&policy,
				fixture_list(fixture, NULL, requires, &error),
				&member, &error) != 1 ||
			    member < low || member > high ||
			    (first_only && member != low);
		}
	}
	policy_close(&policy);
	return wrong;
}

/* The pool forgets and reuses a slot: what a policy kept for it is void. */
static void
more_sets_than_a_pool_keeps_do_not_mix(void)
{
	struct fixture fixture = {.count = 0};
	char id[8], more[64];
	int i;

	for (i = 0; i < LADDER; i++) {
		snprintf(id, sizeof(id), "i%02d", i);
		snprintf(more, sizeof(more),
		    ",\"capacity\":{\"cpu\":%d,\"mem\":%d}", i + 1, LADDER - i);
		fixture_add(&fixture, "s", id, more);
	}
	fixture_open(&fixture);
	CHECK(LADDER * (LADDER + 1) / 2 > POOL_SETS_MAX);
	CHECK(climb(&policy_round_robin, &fixture, true) == 0);
	CHECK(climb(&policy_weighted, &fixture, false) == 0);
	fixture_close(&fixture);
}

static double
outstanding_of(void *argument, uint32_t member)
{
	return ((double *)argument)[member];
}

static void
p2c_takes_the_less_loaded_per_slot(void)
{
	double outstanding[] = {4, 3};
	struct policy_options options = {.seed = 3,
	    .outstanding = outstanding_of,
	    .outstanding_argument = outstanding};
	struct fixture fixture = {.count = 0};
	double counts[2] = {0};
	struct policy policy;
	struct svc_error error;

	fixture_add(&fixture, "s", "a",
	    ",\"capacity\":{\"slots\":8},\"utilization\":0.9");
	fixture_add(&fixture, "s", "b",
	    ",\"capacity\":{\"slots\":4},\"utilization\":0.1");
	fixture_open(&fixture);
	policy_open(&policy, &policy_p2c, fixture.pool, &options, &error);
	count_draws(
	    &policy, fixture_list(&fixture, NULL, "", &error), 100, counts);
	CHECK(counts[0] == 100);
	outstanding[1] = 2;
	count_draws(
	    &policy, fixture_list(&fixture, NULL, "", &error), 100, counts);
	CHECK(counts[1] == 100);
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
names_of_policies_are_found(void)
{
	CHECK(policy_find("round-robin") == &policy_round_robin);
	CHECK(policy_find("weighted") == &policy_weighted);
	CHECK(policy_find("round") == NULL);
}

static void
random_numbers_are_those_of_the_reference(void)
{
	/* xoshiro256** with the state 1, 2, 3, 4 */
	struct random random = {{1, 2, 3, 4}};
	static const uint64_t first[] = {
	    11520, 0, 1509978240, 1215971899390074240};
	size_t i;

	for (i = 0; i < 4; i++)
		CHECK(random_next(&random) == first[i]);
}

int
main(void)
{
	RUN(random_numbers_are_those_of_the_reference);
	RUN(names_of_policies_are_found);
	RUN(weighted_draws_follow_the_formula);
	RUN(weights_that_are_all_zero_are_uniform);
	RUN(headroom_gives_the_idle_more);
	RUN(headroom_counts_slots_and_their_lack_as_one);
	RUN(alias_never_draws_a_zero_among_others);
	RUN(a_weight_that_is_none_names_its_instance);
	RUN(smooth_has_the_sequence_of_nginx);
	RUN(a_seed_repeats_everything);
	RUN(round_robin_goes_by_id_and_around);
	RUN(round_robin_goes_on_where_another_process_stopped);
	RUN(round_robin_takes_the_next_id_when_the_last_one_is_gone);
	RUN(round_robin_whose_cursor_fails_goes_on_in_memory);
	RUN(two_selectors_do_not_lock_step);
	RUN(more_sets_than_a_pool_keeps_do_not_mix);
	RUN(p2c_takes_the_less_loaded_per_slot);
	return check_done();
}
