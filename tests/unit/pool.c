/* Who fits what. */
#include "sched/pool.h"

#include <math.h>

#include "check.h"
#include "pool_fixture.h"

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
slots_and_speed_are_one_where_none_is_named(void)
{
	struct fixture fixture = {.count = 0};

	fixture_add(&fixture, "s", "a",
	    ",\"capacity\":{\"slots\":4,\"speed\":\"1.5\"}");
	fixture_add(&fixture, "s", "b", "");
	fixture_open(&fixture);
	CHECK(pool_member(fixture.pool, 0)->slots == 4);
	CHECK(pool_member(fixture.pool, 0)->speed == 1.5);
	CHECK(pool_member(fixture.pool, 1)->slots == 1);
	CHECK(pool_member(fixture.pool, 1)->speed == 1);
	fixture_close(&fixture);
}

/* No line can say so: what a record says is checked when it is read. */
static void
take_slots(struct instance *instance)
{
	struct json_value slots;

	if (CHECK(json_path(instance->record, "capacity.slots", &slots) == 1))
		memset((char *)slots.span.data, '0', slots.span.length);
}

static void
who_has_no_slots_or_no_speed_is_on_no_list(void)
{
	struct fixture fixture = {.count = 0};
	struct svc_error error;
	int all;

	fixture_add(&fixture, "s", "a", ",\"capacity\":{\"slots\":4}");
	fixture_add(&fixture, "s", "b", ",\"capacity\":{\"speed\":0}");
	fixture_add(&fixture, "s", "c", "");
	take_slots(&fixture.instances[0]);
	for (all = 0; all < 2; all++) {
		qsort(fixture.instances, fixture.count, sizeof(struct instance),
		    instance_compare);
		CHECK(pool_open(&fixture.pool, fixture.instances, fixture.count,
			  &error) == 0);
		pool_set_all(fixture.pool, all);
		CHECK(pool_works(fixture.pool, 0));
		CHECK_STRING(fixture_ids(&fixture,
				 fixture_list(&fixture, NULL, "", &error)),
		    "c");
		CHECK_STRING(fixture_ids(&fixture,
				 fixture_labelled(&fixture, NULL, "", &error)),
		    "c");
		pool_close(fixture.pool);
		fixture.pool = NULL;
	}
	fixture_close(&fixture);
}

static void
labelled_lists_look_at_labels_alone(void)
{
	static const struct {
		const char *requires;
		const char *ids;
	} rows[] = {
	    {"", "a b c"},
	    {"null", "a b c"},
	    {"{\"cpu\":3}", "a b c"},
	    {"{\"gpu\":1}", "a b c"},
	    {"{\"labels\":\"zone=eu-1\"}", "a b"},
	    {"{\"mem\":\"1P\",\"labels\":\"zone=eu-1\"}", "a b"},
	    {"{\"labels\":\"zone=mars\"}", ""},
	};
	struct fixture fixture = {.count = 0};
	struct svc_error error = {0, ""};
	size_t i;

	add_mixed(&fixture);
	fixture_open(&fixture);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!CHECK_STRING(
			fixture_ids(&fixture, fixture_labelled(&fixture, NULL,
						  rows[i].requires, &error)),
			rows[i].ids))
			printf("# of %s\n", rows[i].requires);
	CHECK(fixture_labelled(&fixture, "extract", "", &error)->count == 0);
	CHECK(
	    fixture_labelled(&fixture, NULL, "{\"cpu\":-1}", &error) == NULL &&
	    error.code == 65);
	fixture_close(&fixture);
}

/* Other numbers: another demand, but the same list, and that of nobody else. */
static void
labelled_lists_are_shared_by_selector(void)
{
	struct fixture fixture = {.count = 0};
	const struct eligible *list;
	struct svc_error error;
	char requires[64];
	uint64_t serial;
	int i, wrong = 0;

	add_mixed(&fixture);
	fixture_open(&fixture);
	serial = fixture_labelled(&fixture, NULL, "", &error)->serial;
	CHECK(fixture_list(&fixture, NULL, "", &error)->serial == serial);
	CHECK(fixture_list(&fixture, NULL, "{\"cpu\":3}", &error)->serial !=
	      serial);
	for (i = 0; i < 3000; i++) {
		snprintf(requires, sizeof(requires), "{\"cpu\":%d.5}", i);
		list = fixture_labelled(&fixture, NULL, requires, &error);
		wrong += list->serial != serial || list->count != 3 ||
			 list->demand->numbers[0].amount != i + 0.5;
	}
	CHECK(wrong == 0);
	fixture_close(&fixture);
}

static bool
is_mixed(struct fixture *fixture, const char *requires)
{
	struct json_value value = fixture_requires(requires);
	const struct eligible *list;
	bool mixed = false;

	CHECK(pool_labelled(fixture->pool, NULL, &value, &list, &mixed, NULL) ==
	      0);
	CHECK(list->mixed == mixed);
	return mixed;
}

static void
a_list_with_warning_among_passing_says_so(void)
{
	struct fixture fixture = {.count = 0};
	struct svc_error error;

	fixture_add(&fixture, "s", "a", ",\"labels\":{\"p\":\"\"}");
	fixture_add(&fixture, "s", "b",
	    ",\"status\":\"warning\",\"labels\":{\"w\":\"\"}");
	fixture_add(&fixture, "s", "c",
	    ",\"status\":\"expired\",\"labels\":{\"p\":\"\"}");
	fixture_open(&fixture);
	CHECK(is_mixed(&fixture, ""));
	CHECK_STRING(
	    fixture_ids(&fixture, fixture_labelled(&fixture, NULL, "", &error)),
	    "a b");
	CHECK_STRING(
	    fixture_ids(&fixture, fixture_list(&fixture, NULL, "", &error)),
	    "a");
	CHECK(!is_mixed(&fixture, "{\"labels\":\"p\"}"));
	CHECK(!is_mixed(&fixture, "{\"labels\":\"w\"}"));
	pool_close(fixture.pool);
	fixture_open(&fixture);
	pool_set_all(fixture.pool, true);
	CHECK(!is_mixed(&fixture, ""));
	pool_close(fixture.pool);
	fixture.instances[2].panic = true;
	fixture.instances[2].status = STATUS_CRITICAL;
	fixture_open(&fixture);
	CHECK(!is_mixed(&fixture, ""));
	CHECK_STRING(
	    fixture_ids(&fixture, fixture_labelled(&fixture, NULL, "", &error)),
	    "a b c");
	fixture_close(&fixture);
}

static void
a_subset_keeps_those_that_are_marked(void)
{
	struct fixture fixture = {.count = 0};
	const struct eligible *list, *two, *one, *all, *again;
	struct svc_error error;

	add_mixed(&fixture);
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "{\"cpu\":1}", &error);
	CHECK(pool_subset(fixture.pool, list, (const unsigned char[]){1, 0, 1},
		  &two, &error) == 0);
	CHECK_STRING(fixture_ids(&fixture, two), "a c");
	CHECK(pool_subset(fixture.pool, two, (const unsigned char[]){0, 2},
		  &one, &error) == 0);
	CHECK_STRING(fixture_ids(&fixture, one), "c");
	CHECK(one->demand == list->demand && one->service == list->service);
	CHECK(one->slot >= SETS_MAX && one->slot < POOL_SETS_MAX);
	CHECK(one->serial != two->serial && two->serial != list->serial);
	CHECK(pool_subset(fixture.pool, list, (const unsigned char[]){1, 1, 1},
		  &all, &error) == 0);
	CHECK(all == list);
	CHECK(pool_subset(fixture.pool, list, (const unsigned char[]){0, 0, 1},
		  &again, &error) == 0);
	CHECK(again->serial == one->serial && again->slot == one->slot);
	CHECK_STRING(fixture_ids(&fixture, two), "a c");
	CHECK(pool_subset(fixture.pool, list, (const unsigned char[]){0, 0, 0},
		  &all, &error) == 0);
	CHECK(all->count == 0);
	fixture_close(&fixture);
}

static void
a_subset_that_was_kept_is_found_by_its_key(void)
{
	static const uint32_t both[] = {0, 2};
	struct fixture fixture = {.count = 0};
	const struct eligible *list, *other, *kept, *found, *marked;
	struct svc_error error;

	add_mixed(&fixture);
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "{\"cpu\":1}", &error);
	CHECK(pool_recall(fixture.pool, list, "k", 1, &found) == 0);
	CHECK(
	    pool_keep(fixture.pool, list, both, 2, "k", 1, &kept, &error) == 0);
	other = fixture_list(&fixture, NULL, "{\"cpu\":1.0}", &error);
	CHECK(other->serial == list->serial && other->demand != list->demand);
	CHECK(pool_recall(fixture.pool, other, "k", 1, &found) == 1);
	CHECK_STRING(fixture_ids(&fixture, found), "a c");
	CHECK(found->serial == kept->serial && found->slot == kept->slot);
	CHECK(found->demand == other->demand);
	CHECK(pool_subset(fixture.pool, list, (const unsigned char[]){1, 0, 1},
		  &marked, &error) == 0);
	CHECK(marked->serial == kept->serial);
	fixture_close(&fixture);
}

/* Whether list has the members that mask says. */
static bool
is_of_mask(const struct eligible *list, unsigned mask)
{
	unsigned seen = 0;
	size_t i;

	for (i = 0; i < list->count; i++)
		seen |= 1U << list->members[i];
	return seen == mask;
}

/* Also where the sets that it came from were forgotten meanwhile. */
static void
a_subset_is_valid_until_the_next_but_three(void)
{
	struct fixture fixture = {.count = 0};
	const struct eligible *list, *made[4096];
	struct svc_error error;
	uint32_t members[12];
	unsigned mask;
	char id[16];
	size_t count;
	int i, k, wrong = 0;

	for (i = 0; i < 12; i++) {
		snprintf(id, sizeof(id), "i%02d", i);
		fixture_add(&fixture, "s", id, "");
	}
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "", &error);
	for (mask = 0; mask < 4095; mask++) {
		for (count = 0, i = 0; i < 12; i++)
			if ((mask >> i & 1) != 0)
				members[count++] = (uint32_t)i;
		wrong += pool_keep(fixture.pool, list, members, count,
			     (const char *)&mask, sizeof(mask), &made[mask],
			     &error) != 0;
		for (k = 0; k < 4 && (unsigned)k <= mask; k++)
			wrong += !is_of_mask(
			    made[mask - (unsigned)k], mask - (unsigned)k);
	}
	CHECK(wrong == 0);
	mask = 1;
	CHECK(pool_recall(fixture.pool, list, (const char *)&mask, sizeof(mask),
		  &made[0]) == 0);
	mask = 4094;
	CHECK(pool_recall(fixture.pool, list, (const char *)&mask, sizeof(mask),
		  &made[0]) == 1 &&
	      is_of_mask(made[0], mask));
	fixture_close(&fixture);
}

/* 2,048 subsets of 11 members, twice as many as are kept. */
static void
subsets_start_over_and_leave_lists_alone(void)
{
	struct fixture fixture = {.count = 0};
	const struct eligible *list, *subset;
	struct svc_error error;
	unsigned char keep[11];
	uint64_t last = 0;
	unsigned mask;
	char id[16];
	int i, wrong = 0;

	for (i = 0; i < 11; i++) {
		snprintf(id, sizeof(id), "i%02d", i);
		fixture_add(&fixture, "s", id, "");
	}
	fixture_open(&fixture);
	list = fixture_list(&fixture, NULL, "", &error);
	for (mask = 0; mask < 2047; mask++) {
		for (i = 0; i < 11; i++)
			keep[i] = mask >> i & 1;
		if (pool_subset(fixture.pool, list, keep, &subset, &error) ==
			-1 ||
		    subset->serial <= last || subset->slot >= POOL_SETS_MAX ||
		    subset->slot < SETS_MAX ||
		    subset->count != (size_t)__builtin_popcount(mask))
			wrong++;
		else
			last = subset->serial;
	}
	CHECK(wrong == 0);
	CHECK(list->count == 11 && list->serial < last);
	CHECK(list == fixture_list(&fixture, NULL, "", &error));
	fixture_close(&fixture);
}

static void
capacities_are_columns_by_name(void)
{
	struct fixture fixture = {.count = 0};
	const double *column;

	fixture_add(&fixture, "s", "a",
	    ",\"capacity\":{\"cpu\":8,\"m\\u0065m\":\"4G\"}");
	fixture_add(&fixture, "s", "b", ",\"capacity\":{\"gpu.a100\":2}");
	fixture_open(&fixture);
	column = pool_capacity(fixture.pool, "cpu");
	CHECK(column[0] == 8 && isnan(column[1]));
	CHECK(pool_capacity(fixture.pool, "mem")[0] == 4294967296);
	CHECK(pool_capacity(fixture.pool, "gpu.a100")[1] == 2);
	CHECK(pool_names(fixture.pool, "mem"));
	CHECK(!pool_names(fixture.pool, "gpu"));
	column = pool_capacity(fixture.pool, "gpu");
	CHECK(isnan(column[0]) && isnan(column[1]));
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
	RUN(slots_and_speed_are_one_where_none_is_named);
	RUN(who_has_no_slots_or_no_speed_is_on_no_list);
	RUN(labelled_lists_look_at_labels_alone);
	RUN(labelled_lists_are_shared_by_selector);
	RUN(a_list_with_warning_among_passing_says_so);
	RUN(a_subset_keeps_those_that_are_marked);
	RUN(a_subset_that_was_kept_is_found_by_its_key);
	RUN(a_subset_is_valid_until_the_next_but_three);
	RUN(subsets_start_over_and_leave_lists_alone);
	RUN(capacities_are_columns_by_name);
	return check_done();
}
