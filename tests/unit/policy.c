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
		if (policy_choose(policy, list, NULL, &member, &error) != 1) {
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

/* What the policy says of a member. */
static const char *
explained(struct policy *policy, const struct eligible *list, uint32_t member)
{
	static char text[512];
	struct buffer out = BUFFER_INIT;

	policy->type->explain(policy, list, NULL, member, &out);
	snprintf(text, sizeof(text), "%s", buffer_string(&out));
	buffer_release(&out);
	return text;
}

static void
headroom_counts_slots_and_their_lack_as_one(void)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.field = "headroom", .smooth = true};
	struct policy policy;
	struct svc_error error;
	const struct eligible *list;

	fixture_add(&fixture, "s", "a",
	    ",\"capacity\":{\"slots\":8},\"utilization\":0.5");
	fixture_add(&fixture, "s", "b", ",\"utilization\":0");
	fixture_add(&fixture, "s", "c", ",\"utilization\":1.5");
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "", &error);
	CHECK(policy_open(&policy, &policy_weighted, fixture.pool, &options,
		  &error) == 0);
	CHECK_STRING(explained(&policy, list, 0),
	    ",\"own\":0,\"observed\":0.5,\"source\":\"pinned\","
	    "\"weight\":4,\"share\":0.8,\"credit\":4");
	CHECK_STRING(explained(&policy, list, 1),
	    ",\"own\":0,\"observed\":0,\"source\":\"pinned\","
	    "\"weight\":1,\"share\":0.2,\"credit\":1");
	CHECK_STRING(explained(&policy, list, 2),
	    ",\"own\":0,\"observed\":1.5,\"source\":\"pinned\","
	    "\"weight\":0,\"share\":0,\"credit\":0");
	policy_close(&policy);
	fixture_close(&fixture);
}

#define FULL                                     \
	",\"lease\":\"ttl\",\"ttl\":30,"         \
	"\"reported\":\"2026-11-22T10:00:00Z\"," \
	"\"utilization\":1"

static void
headroom_is_weighed_again_when_the_load_has_changed(void)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.field = "headroom", .seed = 4};
	double counts[2] = {0};
	struct policy policy;
	struct svc_error error;
	const struct eligible *list;

	fixture_add(&fixture, "s", "a", FULL);
	fixture_add(&fixture, "s", "b", ",\"utilization\":0.03");
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "", &error);
	CHECK(policy_open(&policy, &policy_weighted, fixture.pool, &options,
		  &error) == 0);
	count_draws(&policy, list, 10000, counts);
	/* 300 expected of one that looks full, with a deviation of 17 */
	CHECK(counts[0] > 230 && counts[0] < 370);
	fixture.instances[0].utilization = 0.03;
	policy_observe(&policy, 1);
	counts[0] = 0;
	count_draws(&policy, list, 10000, counts);
	CHECK(counts[0] > 4750 && counts[0] < 5250);
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
plain_weights_are_untouched_by_age_and_floor(void)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.seed = 4, .now = INT64_C(1) << 50};
	double counts[2] = {0};
	struct policy policy;
	struct svc_error error;

	fixture_add(
	    &fixture, "s", "a", ",\"status\":\"passing\",\"utilization\":0");
	fixture_add(&fixture, "s", "b",
	    ",\"reported\":\"2020-01-01T00:00:00Z\",\"utilization\":0.5");
	fixture_open(&fixture);
	CHECK(policy_open(&policy, &policy_weighted, fixture.pool, &options,
		  &error) == 0);
	count_draws(
	    &policy, fixture_list(&fixture, NULL, "", &error), 1000, counts);
	CHECK(counts[0] == 0 && counts[1] == 1000);
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
		if (policy_choose(policy, list, NULL, &member, &error) != 1)
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
	const struct policy_type *types[] = {&policy_random, &policy_weighted,
	    &policy_p2c, &policy_least_loaded};
	struct policy_options options = {.seed = 99};
	struct fixture fixture;
	struct policy policy;
	struct svc_error error;
	char first[256];
	size_t i, round;

	open_with_utilizations(&fixture, r, 4);
	for (i = 0; i < 4; i++) {
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

#define LADDER 64

/* Chooses once from each of the 2,080 intervals of a ladder; counts errors. */
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
				NULL, &member, &error) != 1 ||
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
	CHECK(climb(&policy_least_loaded, &fixture, false) == 0);
	fixture_close(&fixture);
}

static void
p2c_compares_own_load_and_then_what_was_observed(void)
{
	double own[] = {4.0 / 8, 3.0 / 4};
	struct policy_options options = {.seed = 3, .own = own};
	struct fixture fixture = {.count = 0};
	double counts[2] = {0};
	struct policy policy;
	struct svc_error error;
	const struct eligible *list;

	fixture_add(&fixture, "s", "a", ",\"utilization\":0.9");
	fixture_add(&fixture, "s", "b", ",\"utilization\":0.1");
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "", &error);
	policy_open(&policy, &policy_p2c, fixture.pool, &options, &error);
	count_draws(&policy, list, 100, counts);
	CHECK(counts[0] == 100);
	own[1] = 2.0 / 4;
	count_draws(&policy, list, 100, counts);
	CHECK(counts[1] == 100);
	policy_close(&policy);
	fixture_close(&fixture);
}

/* Equal ones: each is the first drawn as often as any. */
static void
p2c_among_equal_ones_is_uniform(void)
{
	static const double one[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	static const double own[10] = {0};
	struct policy_options options = {.seed = 8, .own = own};
	double counts[10] = {0};
	struct fixture fixture;
	struct policy policy;
	struct svc_error error;

	open_with_utilizations(&fixture, own, 10);
	policy_open(&policy, &policy_p2c, fixture.pool, &options, &error);
	count_draws(
	    &policy, fixture_list(&fixture, NULL, "", &error), DRAWS, counts);
	/* 9 degrees of freedom, p = 0.001 */
	CHECK(chi_square(counts, one, 10) < 27.88);
	policy_close(&policy);
	fixture_close(&fixture);
}

/* Equally loaded ones: each is the first drawn by slots x speed. */
static void
p2c_draws_by_slots_times_speed(void)
{
	static const double abilities[] = {1, 2, 4, 16, 3, 0.5};
	static const char *const capacities[] = {"", "\"slots\":2",
	    "\"speed\":4", "\"slots\":8,\"speed\":2", "\"slots\":3",
	    "\"speed\":0.5"};
	static const double own[6];
	struct policy_options options = {.seed = 8, .own = own};
	struct fixture fixture = {.count = 0};
	double counts[6] = {0};
	struct policy policy;
	struct svc_error error;
	char id[2] = "a", more[64];
	size_t i;

	for (i = 0; i < 6; i++, id[0]++) {
		snprintf(
		    more, sizeof(more), ",\"capacity\":{%s}", capacities[i]);
		fixture_add(&fixture, "s", id, more);
	}
	fixture_open(&fixture);
	policy_open(&policy, &policy_p2c, fixture.pool, &options, &error);
	count_draws(
	    &policy, fixture_list(&fixture, NULL, "", &error), DRAWS, counts);
	/* 5 degrees of freedom, p = 0.001 */
	CHECK(chi_square(counts, abilities, 6) < 20.52);
	policy_close(&policy);
	fixture_close(&fixture);
}

#define REPORTS(utilization)             \
	",\"lease\":\"ttl\",\"ttl\":30," \
	"\"reported\":\"2026-11-22T10:00:00Z\",\"utilization\":" utilization

#define CHOICES 100000

/* How often the first of four is chosen, of CHOICES. */
static double
first_of_four(const char *const reports[4], const double own[4])
{
	struct policy_options options = {.seed = 5, .own = own};
	struct fixture fixture = {.count = 0};
	double counts[4] = {0};
	struct policy policy;
	struct svc_error error;
	char id[2] = "a";
	size_t i;

	for (i = 0; i < 4; i++, id[0]++)
		fixture_add(&fixture, "s", id, reports[i]);
	fixture_open(&fixture);
	policy_open(&policy, &policy_p2c, fixture.pool, &options, &error);
	count_draws(
	    &policy, fixture_list(&fixture, NULL, "", &error), CHOICES, counts);
	policy_close(&policy);
	fixture_close(&fixture);
	return counts[0];
}

static void
p2c_draws_again_where_both_look_loaded(void)
{
	static const char *const idle[] = {
	    REPORTS("0"), REPORTS("1"), REPORTS("1"), REPORTS("1")};
	static const char *const busy[] = {
	    REPORTS("1"), REPORTS("1"), REPORTS("0"), REPORTS("0")};
	static const char *const silent[] = {
	    "", ",\"utilization\":1", ",\"utilization\":1", ""};
	static const double none[4], others[] = {0, 1, 1, 1};

	/* 1/2 drawn at first, 1/4 afterwards, and probes; deviation 140 */
	CHECK(fabs(first_of_four(idle, none) - 0.735 * CHOICES) < 600);
	/* who has least of the caller's own is taken, drawn again or not */
	CHECK(fabs(first_of_four(busy, others) - 0.50375 * CHOICES) < 600);
	/* where nobody's load is known to be fresh, two are enough */
	CHECK(fabs(first_of_four(silent, none) - 5.0 / 12 * CHOICES) < 600);
}

static void
p2c_with_all_that_is_drawn_is_repeated_by_its_seed(void)
{
	struct policy_options options = {.seed = 77};
	struct fixture fixture = {.count = 0};
	const struct eligible *list;
	struct policy policy;
	struct svc_error error;
	char first[256];

	fixture_add(
	    &fixture, "s", "a", REPORTS("0.9") ",\"capacity\":{\"slots\":500}");
	fixture_add(&fixture, "s", "b", REPORTS("0.8"));
	fixture_add(&fixture, "s", "c", REPORTS("0.7"));
	fixture_add(&fixture, "s", "d", REPORTS("0.1"));
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "", &error);
	policy_open(&policy, &policy_p2c, fixture.pool, &options, &error);
	snprintf(
	    first, sizeof(first), "%s", choices(&policy, &fixture, list, 200));
	policy_close(&policy);
	CHECK(strchr(first, 'a') != NULL && strchr(first, 'd') != NULL);
	policy_open(&policy, &policy_p2c, fixture.pool, &options, &error);
	CHECK_STRING(choices(&policy, &fixture, list, 200), first);
	policy_close(&policy);
	fixture_close(&fixture);
}

#define BALLS 256

/* The largest count of n draws from n: the mean over some seeds. */
static double
largest_counts(const struct policy_type *type, struct fixture *fixture)
{
	double sum = 0;
	uint64_t seed;
	size_t i;

	for (seed = 0; seed < 50; seed++) {
		struct policy_options options = {.seed = seed};
		double counts[BALLS] = {0}, largest = 0;
		struct policy policy;
		struct svc_error error;

		policy_open(&policy, type, fixture->pool, &options, &error);
		count_draws(&policy, fixture_list(fixture, NULL, "", &error),
		    BALLS, counts);
		for (i = 0; i < BALLS; i++)
			largest = fmax(largest, counts[i]);
		sum += largest;
		policy_close(&policy);
	}
	return sum / 50;
}

static void
two_choices_balance_better_than_one(void)
{
	struct fixture fixture = {.count = 0};
	char id[8];
	int i;

	for (i = 0; i < BALLS; i++) {
		snprintf(id, sizeof(id), "i%03d", i);
		fixture_add(&fixture, "s", id, "");
	}
	fixture_open(&fixture);
	CHECK(largest_counts(&policy_least_loaded, &fixture) == 1);
	CHECK(largest_counts(&policy_p2c, &fixture) < 3.2);
	CHECK(largest_counts(&policy_random, &fixture) > 4.5);
	fixture_close(&fixture);
}

/* In how many of so many processes that choose once the first member is it. */
static double
first_chosen(const struct policy_type *type, const double *own)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.own = own};
	double counts[2] = {0};
	struct policy policy;
	struct svc_error error;

	fixture_add(&fixture, "s", "a", FULL);
	fixture_add(&fixture, "s", "b", ",\"utilization\":0");
	fixture_open(&fixture);
	for (options.seed = 0; options.seed < 20000; options.seed++) {
		policy_open(&policy, type, fixture.pool, &options, &error);
		count_draws(&policy, fixture_list(&fixture, NULL, "", &error),
		    1, counts);
		policy_close(&policy);
	}
	fixture_close(&fixture);
	return counts[0];
}

static void
one_that_looks_full_goes_on_being_tried(void)
{
	static const double equal[] = {2, 2}, less[] = {2, 1};

	/* 300 expected, with a deviation of 17 */
	CHECK(fabs(first_chosen(&policy_p2c, NULL) - 300) < 70);
	CHECK(fabs(first_chosen(&policy_least_loaded, NULL) - 300) < 70);
	CHECK(fabs(first_chosen(&policy_p2c, equal) - 300) < 70);
	CHECK(fabs(first_chosen(&policy_least_loaded, equal) - 300) < 70);
	/* who has less of the caller's own is known to be less loaded */
	CHECK(first_chosen(&policy_p2c, less) == 0);
	CHECK(first_chosen(&policy_least_loaded, less) == 0);
}

static void
explanations_foretell_what_is_drawn(void)
{
	const struct policy_type *types[] = {
	    &policy_random, &policy_weighted, &policy_p2c, &policy_round_robin};
	struct policy_options options = {.seed = 12};
	struct fixture fixture = {.count = 0};
	struct policy policy;
	struct svc_error error;
	const struct eligible *list;
	uint32_t member, k;
	size_t i, wrong = 0;
	int round;

	fixture_add(&fixture, "s", "a", FULL);
	fixture_add(&fixture, "s", "b", ",\"utilization\":0.5");
	fixture_add(&fixture, "s", "c", ",\"utilization\":0.25");
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "", &error);
	for (i = 0; i < 4; i++) {
		policy_open(&policy, types[i], fixture.pool, &options, &error);
		for (round = 0; round < 500; round++) {
			bool said[3];

			for (k = 0; k < 3; k++)
				said[k] = strstr(explained(&policy, list, k),
					      "\":true") != NULL;
			policy_choose(&policy, list, NULL, &member, &error);
			wrong += !said[member];
			wrong += said[0] + said[1] + said[2] > 2;
		}
		policy_close(&policy);
	}
	CHECK(wrong == 0);
	fixture_close(&fixture);
}

static void
explanations_foretell_what_is_drawn_again(void)
{
	struct policy_options options = {.seed = 12};
	struct fixture fixture = {.count = 0};
	size_t round, k, said, wrong = 0, more_than_two = 0;
	const struct eligible *list;
	struct policy policy;
	struct svc_error error;
	uint32_t member;
	bool drawn[4];

	fixture_add(&fixture, "s", "a", REPORTS("1"));
	fixture_add(&fixture, "s", "b", REPORTS("1"));
	fixture_add(
	    &fixture, "s", "c", REPORTS("1") ",\"capacity\":{\"slots\":9}");
	fixture_add(&fixture, "s", "d", REPORTS("0"));
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "", &error);
	policy_open(&policy, &policy_p2c, fixture.pool, &options, &error);
	for (round = 0; round < 500; round++) {
		for (k = said = 0; k < 4; k++)
			said += drawn[k] =
			    strstr(explained(&policy, list, (uint32_t)k),
				"\":true") != NULL;
		policy_choose(&policy, list, NULL, &member, &error);
		wrong += !drawn[member];
		more_than_two += said > 2;
	}
	CHECK(wrong == 0);
	CHECK(more_than_two > 100);
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
explanations_show_every_term(void)
{
	static const double r[] = {0.5, 0.25};
	struct policy_options options = {.seed = 1};
	struct fixture fixture;
	struct policy policy;
	struct svc_error error;
	const struct eligible *list;

	open_with_utilizations(&fixture, r, 2);
	list = fixture_list(&fixture, NULL, "", &error);
	policy_open(&policy, &policy_random, fixture.pool, &options, &error);
	CHECK(strstr(explained(&policy, list, 0), ",\"chance\":0.5") != NULL);
	policy_close(&policy);
	policy_open(
	    &policy, &policy_round_robin, fixture.pool, &options, &error);
	CHECK_STRING(
	    explained(&policy, list, 0), ",\"last\":null,\"next\":true");
	CHECK_STRING(choices(&policy, &fixture, list, 1), "a");
	CHECK_STRING(explained(&policy, list, 0), ",\"last\":\"a\"");
	CHECK_STRING(
	    explained(&policy, list, 1), ",\"last\":\"a\",\"next\":true");
	policy_close(&policy);
	policy_open(&policy, &policy_p2c, fixture.pool, &options, &error);
	CHECK_STRING(explained(&policy, list, 1),
	    ",\"own\":0,\"observed\":0.25,\"source\":\"pinned\","
	    "\"drawn\":true");
	CHECK_STRING(choices(&policy, &fixture, list, 1), "b");
	CHECK(strstr(explained(&policy, list, 1), ",\"own\":1,") != NULL);
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
round_robin_explains_from_the_shared_cursor(void)
{
	static const double r[] = {0, 0, 0};
	struct cursor_set shelf = {.works = 10000};
	struct policy_options options = on_shelf(&shelf);
	struct policy policy;
	struct fixture fixture;
	struct svc_error error;
	const struct eligible *list;

	open_with_utilizations(&fixture, r, 3);
	list = fixture_list(&fixture, NULL, "", &error);
	policy_open(
	    &policy, &policy_round_robin, fixture.pool, &options, &error);
	CHECK_STRING(choices(&policy, &fixture, list, 1), "a");
	policy_settle(&policy);
	snprintf(shelf_find(&shelf, "s.a.b.c"), NAME_MAX_LENGTH + 1, "b");
	CHECK_STRING(
	    explained(&policy, list, 2), ",\"last\":\"b\",\"next\":true");
	policy_settle(&policy);
	CHECK_STRING(shelf_find(&shelf, "s.a.b.c"), "b");
	CHECK_STRING(choices(&policy, &fixture, list, 1), "c");
	policy_close(&policy);
	fixture_close(&fixture);
}

static void
policies_are_read_with_their_arguments(void)
{
	static const struct {
		const char *text;
		const struct policy_type *type;
		const char *field;
		const char *message;
	} rows[] = {
	    {"p2c", &policy_p2c, NULL, NULL},
	    {"least-loaded", &policy_least_loaded, NULL, NULL},
	    {"weighted", &policy_weighted, NULL, NULL},
	    {"weighted=headroom", &policy_weighted, "headroom", NULL},
	    {"weighted=meta.a=b", &policy_weighted, "meta.a=b", NULL},
	    {"weighted=", NULL, NULL,
		"not a member: '' (say capacity.cpu, or headroom)"},
	    {"p2c=2", NULL, NULL, "p2c takes no argument: '2' (say p2c)"},
	    {"p2", NULL, NULL,
		"not a policy: 'p2' (say random, round-robin, weighted, "
		"constrained, least-loaded, p2c or hash)"},
	    {"", NULL, NULL, "not a policy: ''"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct policy_type *type = NULL;
		struct policy_options options = {.field = NULL};
		struct svc_error error = {0, ""};
		int parsed =
		    policy_parse(rows[i].text, &type, &options, &error);

		CHECK(parsed == (rows[i].type == NULL ? -1 : 0));
		CHECK(type == rows[i].type);
		CHECK((options.field == NULL) == (rows[i].field == NULL));
		if (options.field != NULL && rows[i].field != NULL)
			CHECK_STRING(options.field, rows[i].field);
		if (rows[i].message != NULL &&
		    !CHECK(error.code == 64 &&
			   strstr(error.message, rows[i].message) != NULL))
			printf("# %s\n", error.message);
	}
}

static void
policies_are_told_with_what_was_said_of_them(void)
{
	static const struct {
		const char *text;
		bool smooth;
		const char *told;
		bool load;
	} rows[] = {
	    {"random", false, "random", false},
	    {"weighted", false, "weighted", false},
	    {"weighted=headroom", false, "weighted=headroom", true},
	    {"weighted=utilization", true, "weighted=utilization, smooth",
		false},
	    {"constrained", false, "constrained", false},
	    {"constrained=spread", false, "constrained", false},
	    {"constrained=pack", true, "constrained=pack", false},
	    {"least-loaded", false, "least-loaded", true},
	    {"p2c", true, "p2c", true},
	    {"hash", false, "hash", false},
	    {"hash=/a~1b", false, "hash=/a~1b", false},
	};
	struct buffer out = BUFFER_INIT;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_options options = {.smooth = rows[i].smooth};
		const struct policy_type *type;

		buffer_clear(&out);
		if (!CHECK(
			policy_parse(rows[i].text, &type, &options, NULL) == 0))
			continue;
		policy_describe(type, &options, &out);
		CHECK_STRING(buffer_string(&out), rows[i].told);
		CHECK(policy_weighs_load(type, &options) == rows[i].load);
	}
	buffer_release(&out);
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
	RUN(policies_are_read_with_their_arguments);
	RUN(policies_are_told_with_what_was_said_of_them);
	RUN(weighted_draws_follow_the_formula);
	RUN(weights_that_are_all_zero_are_uniform);
	RUN(headroom_gives_the_idle_more);
	RUN(headroom_counts_slots_and_their_lack_as_one);
	RUN(headroom_is_weighed_again_when_the_load_has_changed);
	RUN(plain_weights_are_untouched_by_age_and_floor);
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
	RUN(p2c_compares_own_load_and_then_what_was_observed);
	RUN(p2c_among_equal_ones_is_uniform);
	RUN(p2c_draws_by_slots_times_speed);
	RUN(p2c_draws_again_where_both_look_loaded);
	RUN(p2c_with_all_that_is_drawn_is_repeated_by_its_seed);
	RUN(two_choices_balance_better_than_one);
	RUN(one_that_looks_full_goes_on_being_tried);
	RUN(explanations_foretell_what_is_drawn);
	RUN(explanations_foretell_what_is_drawn_again);
	RUN(explanations_show_every_term);
	RUN(round_robin_explains_from_the_shared_cursor);
	return check_done();
}
