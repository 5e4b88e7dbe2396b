/* The least loaded against a twin that looks at all of them. */
#include "sched/policy.h"

#include <math.h>

#include "check.h"
#include "pool_fixture.h"

#define COUNT 40
#define KINDS 6 /* labels, and lists that overlap */
#define STEPS 4000

struct twin {
	struct policy policy;
	struct fixture fixture;
	struct random random;
	double placed[COUNT]; /* unless own */
	double own[COUNT];
	bool has_own;
	uint32_t order[COUNT];
};

/* Pinned, so that nothing is probed. */
static void
add_instance(struct twin *twin, size_t index)
{
	char id[8], more[256];
	int length, k;

	snprintf(id, sizeof(id), "i%02zu", index);
	length = snprintf(more, sizeof(more),
	    ",\"utilization\":%g,\"capacity\":{\"slots\":%u},\"labels\":{",
	    (double)random_below(&twin->random, 4) / 4,
	    1 + (unsigned)random_below(&twin->random, 4));
	for (k = 0; k < KINDS; k++)
		if (random_below(&twin->random, 2) == 0)
			length += snprintf(more + length,
			    sizeof(more) - (size_t)length, "\"l%d\":\"\",", k);
	snprintf(more + length, sizeof(more) - (size_t)length, "\"x\":\"\"}");
	fixture_add(&twin->fixture, "s", id, more);
}

/* In which order equal ones come is told by the explanation. */
static void
read_order(struct twin *twin, const struct eligible *list)
{
	struct buffer out = BUFFER_INIT;
	uint32_t i;

	for (i = 0; i < COUNT; i++) {
		const char *text;

		buffer_clear(&out);
		twin->policy.type->explain(&twin->policy, list, NULL, i, &out);
		text = strstr(buffer_string(&out), "\"order\":");
		twin->order[i] = (uint32_t)strtoul(text + 8, NULL, 10);
	}
	buffer_release(&out);
}

static void
twin_open(struct twin *twin, uint64_t seed, bool has_own)
{
	struct policy_options options = {.seed = seed};
	struct svc_error error;
	size_t i;

	memset(twin, 0, sizeof(*twin));
	random_seed(&twin->random, seed);
	twin->has_own = has_own;
	for (i = 0; i < COUNT; i++)
		add_instance(twin, i);
	fixture_open(&twin->fixture);
	if (has_own)
		options.own = twin->own;
	CHECK(policy_open(&twin->policy, &policy_least_loaded,
		  twin->fixture.pool, &options, &error) == 0);
	read_order(twin, fixture_list(&twin->fixture, NULL, "", &error));
}

static void
twin_close(struct twin *twin)
{
	policy_close(&twin->policy);
	fixture_close(&twin->fixture);
}

static bool
less(const struct twin *twin, uint32_t a, uint32_t b)
{
	const struct pool_member *one = pool_member(twin->fixture.pool, a);
	const struct pool_member *two = pool_member(twin->fixture.pool, b);
	double first = one->instance->utilization,
	       second = two->instance->utilization;

	if (twin->has_own) {
		if (twin->own[a] != twin->own[b])
			return twin->own[a] < twin->own[b];
	} else {
		first += twin->placed[a] / one->slots;
		second += twin->placed[b] / two->slots;
	}
	if (first != second)
		return first < second;
	return twin->order[a] < twin->order[b];
}

static uint32_t
brute_force(const struct twin *twin, const struct eligible *list)
{
	uint32_t best = list->members[0];
	size_t i;

	for (i = 1; i < list->count; i++)
		if (less(twin, list->members[i], best))
			best = list->members[i];
	return best;
}

/* Of one of many lists; whether both agree. */
static bool
agree(struct twin *twin)
{
	const struct eligible *list;
	struct svc_error error;
	char requires[64];
	uint32_t member, best;

	snprintf(requires, sizeof(requires), "{\"labels\":\"l%u,x%s\"}",
	    (unsigned)random_below(&twin->random, KINDS),
	    random_below(&twin->random, 2) == 0 ? ",!l0" : "");
	list = fixture_list(&twin->fixture, NULL, requires, &error);
	if (list->count == 0)
		return true;
	best = brute_force(twin, list);
	if (policy_choose(&twin->policy, list, NULL, &member, &error) != 1)
		return false;
	twin->placed[best]++;
	return member == best;
}

static void
loads_counted_here_go_as_the_twin_has_it(void)
{
	struct twin twin;
	size_t wrong = 0, i;
	uint64_t seed;

	for (seed = 0; seed < 5; seed++) {
		twin_open(&twin, seed, false);
		for (i = 0; i < STEPS; i++)
			wrong += !agree(&twin);
		twin_close(&twin);
	}
	CHECK(wrong == 0);
}

/* Tasks end, and instances say something else. */
static void
loads_that_become_less_go_as_the_twin_has_it(void)
{
	struct twin twin;
	size_t wrong = 0, i;

	twin_open(&twin, 17, false);
	for (i = 0; i < STEPS; i++) {
		uint32_t member = (uint32_t)random_below(&twin.random, COUNT);

		wrong += !agree(&twin);
		if (i % 5 == 0 && twin.placed[member] > 0) {
			policy_give_back(&twin.policy, NULL, member);
			twin.placed[member]--;
		}
		if (i % 100 == 0) {
			twin.fixture.instances[member].utilization = 0.25;
			policy_observe(&twin.policy, 0);
			memset(twin.placed, 0, sizeof(twin.placed));
		}
	}
	CHECK(wrong == 0);
	twin_close(&twin);
}

static void
loads_of_the_caller_go_as_the_twin_has_it(void)
{
	struct twin twin;
	size_t wrong = 0, i;

	twin_open(&twin, 23, true);
	for (i = 0; i < STEPS; i++) {
		twin.own[random_below(&twin.random, COUNT)] =
		    (double)random_below(&twin.random, 3);
		wrong += !agree(&twin);
	}
	CHECK(wrong == 0);
	twin_close(&twin);
}

static void
processes_that_start_at_once_do_not_herd(void)
{
	struct fixture fixture = {.count = 0};
	struct policy_options options = {.seed = 0};
	double counts[10] = {0}, sum = 0;
	char id[2] = "a";
	struct policy policy;
	struct svc_error error;
	uint32_t member;
	size_t i;

	for (i = 0; i < 10; i++, id[0]++)
		fixture_add(&fixture, "s", id, "");
	fixture_open(&fixture);
	for (; options.seed < 10000; options.seed++) {
		policy_open(&policy, &policy_least_loaded, fixture.pool,
		    &options, &error);
		if (CHECK(policy_choose(&policy,
			      fixture_list(&fixture, NULL, "", &error), NULL,
			      &member, &error) == 1))
			counts[member]++;
		policy_close(&policy);
	}
	for (i = 0; i < 10; i++)
		sum += pow(counts[i] - 1000, 2) / 1000;
	/* 9 degrees of freedom, p = 0.001 */
	CHECK(sum < 27.88);
	fixture_close(&fixture);
}

int
main(void)
{
	RUN(loads_counted_here_go_as_the_twin_has_it);
	RUN(loads_that_become_less_go_as_the_twin_has_it);
	RUN(loads_of_the_caller_go_as_the_twin_has_it);
	RUN(processes_that_start_at_once_do_not_herd);
	return check_done();
}
