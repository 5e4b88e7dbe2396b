/* Who fits what, and the sentences that say why not. */
#include "sched/pool.h"

#include "check.h"
#include "pool_fixture.h"
#include "sched/explain.h"

static void
add_mixed(struct fixture *fixture)
{
	fixture_add(fixture, "render", "a",
	    ",\"capacity\":{\"cpu\":8,\"mem\":\"16G\"},"
	    "\"labels\":{\"zone\":\"eu-1\"}");
	fixture_add(fixture, "render", "b",
	    ",\"capacity\":{\"cpu\":2,\"mem\":\"4G\"},"
	    "\"labels\":{\"zone\":\"eu-1\"}");
	fixture_add(fixture, "render", "c",
	    ",\"capacity\":{\"cpu\":16},\"labels\":{\"zone\":\"us-1\"}");
	fixture_add(fixture, "render", "d",
	    ",\"capacity\":{\"cpu\":16},\"labels\":{\"zone\":\"eu-1\"},"
	    "\"status\":\"critical\"");
}

static void
requirements_select_instances(void)
{
	static const struct {
		const char *requires;
		const char *ids;
	} rows[] = {
	    {"", "a b c"},
	    {"null", "a b c"},
	    {"{}", "a b c"},
	    {"{\"cpu\":2}", "a b c"},
	    {"{\"cpu\":2.5}", "a c"},
	    {"{\"cpu\":\"4\"}", "a c"},
	    {"{\"cpu\":0}", "a b c"},
	    {"{\"mem\":\"4G\"}", "a b"},
	    {"{\"mem\":4294967297}", "a"},
	    {"{\"gpu\":1}", ""},
	    {"{\"gpu\":0}", ""},
	    {"{\"labels\":\"zone=eu-1\"}", "a b"},
	    {"{\"labels\":\"zone in (us-1,us-2)\"}", "c"},
	    {"{\"labels\":\"!zone\"}", ""},
	    {"{\"cpu\":4,\"labels\":\"zone=eu-1\"}", "a"},
	    {"{\"c\\u0070u\":4}", "a c"},
	};
	struct fixture fixture = {.count = 0};
	struct svc_error error = {0, ""};
	size_t i;

	add_mixed(&fixture);
	fixture_open(&fixture);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct eligible *list =
		    fixture_list(&fixture, NULL, rows[i].requires, &error);

		if (!CHECK(list != NULL))
			printf("# %s: %s\n", rows[i].requires, error.message);
		else if (!CHECK_STRING(
			     fixture_ids(&fixture, list), rows[i].ids))
			printf("# of %s\n", rows[i].requires);
	}
	fixture_close(&fixture);
}

static void
wrong_requirements_name_the_member(void)
{
	static const struct {
		const char *requires;
		const char *says;
	} rows[] = {
	    {"{\"cpu\":-1}", "requires.cpu"},
	    {"{\"cpu\":1e400}", "requires.cpu"},
	    {"{\"cpu\":\"many\"}", "requires.cpu"},
	    {"{\"cpu\":\"NaN\"}", "requires.cpu"},
	    {"{\"cpu\":\"-2G\"}", "requires.cpu"},
	    {"{\"cpu\":true}", "requires.cpu"},
	    {"{\"cpu\":null}", "requires.cpu"},
	    {"{\"mem\":[1]}", "requires.mem"},
	    {"{\"labels\":3}", "requires.labels"},
	    {"{\"labels\":\"zone in (\"}", "requires.labels"},
	    {"{\"labels\":\"a\",\"labels\":\"b\"}", "requires.labels"},
	    {"{\"labels\":\"\",\"labels\":\"\"}", "requires.labels"},
	    {"{\"cpu\":1,\"c\\u0070u\":2}", "requires.cpu"},
	    {"{\"\":1}", "\"requires\""},
	    {"[]", "\"requires\""},
	    {"4", "\"requires\""},
	};
	struct fixture fixture = {.count = 0};
	size_t i;

	add_mixed(&fixture);
	fixture_open(&fixture);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct svc_error error = {0, ""};

		if (!CHECK(fixture_list(&fixture, NULL, rows[i].requires,
			       &error) == NULL) ||
		    !CHECK(error.code == 65) ||
		    !CHECK(strstr(error.message, rows[i].says) != NULL))
			printf("# %s: %s\n", rows[i].requires, error.message);
	}
	fixture_close(&fixture);
}

static void
warning_works_only_where_nothing_that_fits_passes(void)
{
	struct fixture fixture = {.count = 0};
	struct svc_error error;

	fixture_add(&fixture, "s", "a", ",\"status\":\"warning\"");
	fixture_add(&fixture, "s", "b", "");
	fixture_add(&fixture, "s", "c",
	    ",\"status\":\"warning\",\"labels\":{\"gpu\":\"x\"}");
	fixture_add(&fixture, "s", "d", ",\"status\":\"expired\"");
	fixture_open(&fixture);
	CHECK_STRING(
	    fixture_ids(&fixture, fixture_list(&fixture, "s", "", &error)),
	    "b");
	CHECK_STRING(fixture_ids(&fixture, fixture_list(&fixture, "s",
					       "{\"labels\":\"gpu\"}", &error)),
	    "c");
	fixture_close(&fixture);
}

static void
all_takes_every_status(void)
{
	struct fixture fixture = {.count = 0};
	struct svc_error error;

	add_mixed(&fixture);
	fixture_open(&fixture);
	pool_set_all(fixture.pool, true);
	CHECK_STRING(
	    fixture_ids(&fixture, fixture_list(&fixture, NULL, "", &error)),
	    "a b c d");
	fixture_close(&fixture);
}

static void
a_service_is_needed_only_among_several(void)
{
	struct fixture fixture = {.count = 0};
	struct svc_error error;
	const struct eligible *list;

	fixture_add(&fixture, "extract", "a", "");
	fixture_add(&fixture, "render", "a", "");
	fixture_add(&fixture, "render", "b", "");
	fixture_open(&fixture);
	CHECK(pool_services(fixture.pool) == 2);
	CHECK(fixture_list(&fixture, NULL, "", &error) == NULL);
	list = fixture_list(&fixture, "render", "", &error);
	CHECK(list != NULL && list->count == 2);
	CHECK_STRING(list->service, "render");
	list = fixture_list(&fixture, "rendr", "", &error);
	CHECK(list != NULL && list->count == 0);
	fixture_close(&fixture);
}

static void
equal_sets_have_one_serial_whatever_was_asked(void)
{
	struct fixture fixture = {.count = 0};
	struct svc_error error;
	uint64_t all, large;

	add_mixed(&fixture);
	fixture_open(&fixture);
	all = fixture_list(&fixture, NULL, "", &error)->serial;
	large = fixture_list(&fixture, NULL, "{\"cpu\":3}", &error)->serial;
	CHECK(all != large);
	CHECK(
	    fixture_list(&fixture, NULL, "{\"cpu\":1}", &error)->serial == all);
	CHECK(fixture_list(&fixture, "render", "{\"cpu\":4}", &error)->serial ==
	      large);
	fixture_close(&fixture);
}

/* More different requirements than are remembered, twice over. */
static void
the_cache_starts_over_and_goes_on_being_right(void)
{
	struct fixture fixture = {.count = 0};
	struct svc_error error;
	char requires[64];
	int round, i, wrong = 0;

	add_mixed(&fixture);
	fixture_open(&fixture);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 3000; i++) {
			const struct eligible *list;

			double cpu = i / 150.0;

			snprintf(
			    requires, sizeof(requires), "{\"cpu\":%.17g}", cpu);
			list = fixture_list(&fixture, NULL, requires, &error);
			wrong +=
			    list == NULL ||
			    list->count !=
				(size_t)((cpu <= 2) + (cpu <= 8) + (cpu <= 16));
		}
	}
	CHECK(wrong == 0);
	fixture_close(&fixture);
}

/* A list of the instances whose bits are not in mask. */
static const struct eligible *
list_without(struct fixture *fixture, unsigned mask)
{
	struct svc_error error;
	char requires[256];
	size_t length;
	int bit;

	length = (size_t)snprintf(
	    requires, sizeof(requires), "{\"labels\":\"any!=1");
	for (bit = 0; bit < 11; bit++)
		if (mask & 1U << bit)
			length += (size_t)snprintf(requires + length,
			    sizeof(requires) - length, ",!l%d", bit);
	snprintf(requires + length, sizeof(requires) - length, "\"}");
	return fixture_list(fixture, NULL, requires, &error);
}

/* Each of 11 instances in or out: twice as many sets as are kept. */
static void
sets_start_over_with_fresh_serials(void)
{
	struct fixture fixture = {.count = 0};
	char id[16], more[64];
	uint64_t last = 0;
	unsigned mask;
	int i, wrong = 0;

	for (i = 0; i < 11; i++) {
		snprintf(id, sizeof(id), "i%02d", i);
		snprintf(more, sizeof(more), ",\"labels\":{\"l%d\":\"x\"}", i);
		fixture_add(&fixture, "s", id, more);
	}
	fixture_open(&fixture);
	for (mask = 0; mask < 2048; mask++) {
		const struct eligible *list = list_without(&fixture, mask);

		if (list == NULL || list->serial <= last ||
		    list->slot >= POOL_SETS_MAX ||
		    list->count != (size_t)(11 - __builtin_popcount(mask)))
			wrong++;
		else
			last = list->serial;
	}
	CHECK(wrong == 0);
	CHECK(list_without(&fixture, 2047)->serial == last);
	CHECK(list_without(&fixture, 0)->serial > last);
	fixture_close(&fixture);
}

static void
the_sentence_counts_each_instance_once(void)
{
	struct fixture fixture = {.count = 0};
	struct buffer out = BUFFER_INIT;
	struct json_value requires =
	    fixture_requires("{\"cpu\":4,\"labels\":\"zone=eu-1\"}");
	char id[16];
	int i;

	for (i = 0; i < 12; i++) {
		snprintf(id, sizeof(id), "i%02d", i);
		fixture_add(&fixture, "render", id,
		    i < 7    ? ",\"capacity\":{\"cpu\":2},"
			       "\"labels\":{\"zone\":\"eu-1\"}"
		    : i < 10 ? ",\"capacity\":{\"cpu\":1},"
			       "\"labels\":{\"zone\":\"us\"}"
			     : ",\"status\":\"critical\"");
	}
	fixture_open(&fixture);
	explain_none(fixture.pool, NULL, NULL, &requires, &out);
	CHECK_STRING(buffer_string(&out),
	    "0 of 12 instances: 7 insufficient cpu (need 4, most free 2), "
	    "3 label zone, 2 critical");
	buffer_release(&out);
	fixture_close(&fixture);
}

static void
sentences_of_sizes_and_of_what_nobody_has(void)
{
	struct fixture fixture = {.count = 0};
	struct buffer out = BUFFER_INIT;
	struct json_value requires = fixture_requires("{\"mem\":\"64G\"}");

	add_mixed(&fixture);
	fixture_open(&fixture);
	explain_none(fixture.pool, NULL, NULL, &requires, &out);
	CHECK_STRING(buffer_string(&out),
	    "0 of 4 instances: 2 insufficient mem (need 64G, most free 16G), "
	    "1 no mem, 1 critical");
	buffer_release(&out);
	fixture_close(&fixture);
}

static void
explain_counts_all_reasons(void)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.seed = 1};
	struct buffer out = BUFFER_INIT;
	struct json_value requires =
	    fixture_requires("{\"cpu\":9,\"labels\":\"zone=eu-1\"}");
	struct policy policy;
	struct svc_error error;

	add_mixed(&fixture);
	fixture_open(&fixture);
	CHECK(policy_open(&policy, &policy_random, fixture.pool, &options,
		  &error) == 0);
	explain_append(fixture.pool, &policy, NULL, &requires, false, &out);
	CHECK_STRING(buffer_string(&out),
	    "{\"policy\":\"random\",\"eligible\":0,\"of\":4,\"excluded\":"
	    "{\"insufficient cpu\":2,\"label zone\":1,\"critical\":1}}");
	policy_close(&policy);
	buffer_release(&out);
	fixture_close(&fixture);
}

int
main(void)
{
	RUN(requirements_select_instances);
	RUN(wrong_requirements_name_the_member);
	RUN(warning_works_only_where_nothing_that_fits_passes);
	RUN(all_takes_every_status);
	RUN(a_service_is_needed_only_among_several);
	RUN(equal_sets_have_one_serial_whatever_was_asked);
	RUN(the_cache_starts_over_and_goes_on_being_right);
	RUN(sets_start_over_with_fresh_serials);
	RUN(the_sentence_counts_each_instance_once);
	RUN(sentences_of_sizes_and_of_what_nobody_has);
	RUN(explain_counts_all_reasons);
	return check_done();
}
