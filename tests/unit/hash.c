/* Consistent hashing with bounded loads. */
#include "sched/policy.h"

#include <math.h>
#include <sysexits.h>

#include "check.h"
#include "pool_fixture.h"
#include "sched/hash_ring.h"
#include "sched/random.h"
#include "sched/stable_hash.h"

#define ALL	    ""
#define NOBODY	    UINT32_MAX
#define MEMBERS_MAX 256
#define KEYS	    20000
#define MILLION	    1000000

struct run {
	struct fixture fixture;
	struct policy policy;
};

static uint64_t
key_of(const char *text)
{
	return stable_hash(text, strlen(text));
}

static uint64_t
nth_key(size_t i)
{
	char text[32];

	snprintf(text, sizeof(text), "customer-%zu", i);
	return key_of(text);
}

/* Adds render/webN with slots (a JSON number) and the label l. */
static void
add(struct run *run, size_t number, const char *slots, size_t label)
{
	char id[32], more[128];

	snprintf(id, sizeof(id), "web%zu", number);
	snprintf(more, sizeof(more),
	    ",\"capacity\":{\"slots\":%s},\"labels\":{\"l\":\"%zu\"}", slots,
	    label);
	fixture_add(&run->fixture, "render", id, more);
}

static void
open_run(struct run *run)
{
	struct policy_options options = {.seed = 1};
	struct svc_error error;

	fixture_open(&run->fixture);
	CHECK(policy_open(&run->policy, &policy_hash, run->fixture.pool,
		  &options, &error) == 0);
}

/* web1 to webN, but for one, with a slot each. */
static void
open_alike(struct run *run, size_t count, size_t without)
{
	size_t i;

	memset(run, 0, sizeof(*run));
	for (i = 1; i <= count; i++)
		if (i != without)
			add(run, i, "1", 0);
	open_run(run);
}

static void
close_run(struct run *run)
{
	policy_close(&run->policy);
	fixture_close(&run->fixture);
}

static const struct eligible *
list_of(struct run *run, const char *requires)
{
	struct svc_error error;
	const struct eligible *list =
	    fixture_list(&run->fixture, "render", requires, &error);

	CHECK(list != NULL && list->count > 0);
	return list;
}

static uint32_t
choose(struct run *run, const struct eligible *list, uint64_t key)
{
	struct policy_task task = {.key = key};
	struct svc_error error;
	uint32_t member = NOBODY;

	CHECK(policy_choose(&run->policy, list, &task, &member, &error) == 1);
	return member;
}

/* As if each task ended before the next one comes. */
static uint32_t
choose_briefly(struct run *run, const struct eligible *list, uint64_t key)
{
	uint32_t member = choose(run, list, key);

	policy_give_back(&run->policy, NULL, member);
	return member;
}

/* The number of an instance: 7 of web7. */
static size_t
number_of(const struct run *run, uint32_t member)
{
	return strtoul(fixture_id(&run->fixture, member) + 3, NULL, 10);
}

/* Worked out by a program of its own, in another language. */
static void
keys_have_the_instances_that_they_have_always_had(void)
{
	static const size_t owners[] = {
	    5, 2, 1, 4, 3, 3, 2, 5, 4, 3, 5, 4, 2, 5, 4, 5};
	struct run run;
	size_t i;

	open_alike(&run, 5, 0);
	for (i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		CHECK(number_of(&run, choose_briefly(&run, list_of(&run, ALL),
					  nth_key(i))) == owners[i]);
	close_run(&run);
}

static void
no_task_has_the_key_0(void)
{
	struct svc_error error;
	struct run run;
	uint32_t member;

	open_alike(&run, 5, 0);
	CHECK(policy_choose(
		  &run.policy, list_of(&run, ALL), NULL, &member, &error) == 1);
	CHECK(number_of(&run, member) == 5);
	CHECK(choose(&run, list_of(&run, ALL), 0) == member);
	close_run(&run);
}

static void
ten_tasks_of_a_key_stay_together_and_more_where_there_are_slots(void)
{
	const struct eligible *list;
	struct run run = {.fixture = {.count = 0}};
	uint32_t first;
	size_t i, limit;

	for (i = 1; i <= 50; i++)
		add(&run, i, i % 2 == 0 ? "1" : "25", 0);
	open_run(&run);
	list = list_of(&run, ALL);
	first = choose(&run, list, key_of("customer-17"));
	limit = number_of(&run, first) % 2 == 0 ? 10 : 25;
	for (i = 1; i < limit; i++)
		CHECK(choose(&run, list, key_of("customer-17")) == first);
	CHECK(choose(&run, list, key_of("customer-17")) != first);
	close_run(&run);
}

/* Where KEYS keys go among count instances without one; by number. */
static void
place_keys(size_t count, size_t without, bool briefly, unsigned *numbers)
{
	const struct eligible *list;
	struct run run;
	uint32_t member;
	size_t i;

	open_alike(&run, count, without);
	list = list_of(&run, ALL);
	for (i = 0; i < KEYS; i++) {
		member = briefly ? choose_briefly(&run, list, nth_key(i))
				 : choose(&run, list, nth_key(i));
		numbers[i] = (unsigned)number_of(&run, member);
	}
	close_run(&run);
}

/*
 * The parts of KEYS keys that have to move when web3 leaves (or comes), and
 * that move although they need not.
 */
struct moved {
	double must, other;
};

static struct moved
measure_moves(size_t count, bool briefly)
{
	static unsigned with[KEYS], without[KEYS];
	struct moved moved = {0, 0};
	size_t i;

	place_keys(count, 0, briefly, with);
	place_keys(count, 3, briefly, without);
	for (i = 0; i < KEYS; i++) {
		if (with[i] == 3)
			moved.must += 1.0 / KEYS;
		else if (with[i] != without[i])
			moved.other += 1.0 / KEYS;
	}
	printf("# %zu instances%s: %.4f must move, %.4f others do\n", count,
	    briefly ? "" : " that get full", moved.must, moved.other);
	return moved;
}

static void
only_the_keys_of_one_that_leaves_or_comes_move(void)
{
	static const size_t counts[] = {5, 50};
	struct moved moved;
	size_t i;

	for (i = 0; i < 2; i++) {
		moved = measure_moves(counts[i], true);
		CHECK(moved.must > 0.5 / (double)counts[i]);
		CHECK(moved.must < 2.0 / (double)counts[i]);
		CHECK(moved.other == 0);
	}
}

/*
 * What one leaves behind fills others up, and moves keys of theirs on.
 */
static void
about_one_in_n_keys_moves_where_instances_get_full(void)
{
	static const size_t counts[] = {5, 50};
	struct moved moved;
	size_t i;

	for (i = 0; i < 2; i++) {
		moved = measure_moves(counts[i], false);
		CHECK(moved.must > 0.5 / (double)counts[i]);
		CHECK(moved.must < 1.26 / (double)counts[i]);
		CHECK(moved.must + moved.other < 2.0 / (double)counts[i]);
	}
}

/* The bound as policy_hash.c's first comment has it, from the pool. */
struct tally {
	double slots, placed, loads[MEMBERS_MAX];
};

static double
bound_of(const struct tally *tally, double slots)
{
	return fmax(fmax(slots, 10),
	    ceil(1.25 * (tally->placed + 1) * slots / tally->slots));
}

static struct tally
tally_of(
    const struct run *run, const struct eligible *list, const uint64_t *loads)
{
	struct tally tally = {0, 0, {0}};
	size_t i;

	for (i = 0; i < list->count; i++) {
		tally.slots +=
		    pool_member(run->fixture.pool, list->members[i])->slots;
		tally.placed += (double)loads[list->members[i]];
	}
	return tally;
}

static double
slots_of(const struct run *run, uint32_t member)
{
	return pool_member(run->fixture.pool, member)->slots;
}

/*
 * Places tasks with keys under different (1: all have one) and checks each:
 * the one that grew is the only one that can have come to be above its bound.
 */
static void
check_bounds(struct run *run, size_t tasks, size_t different, uint64_t *loads)
{
	const struct eligible *list = list_of(run, ALL);
	struct tally tally = tally_of(run, list, loads);
	size_t i, above = 0;
	uint32_t member;

	for (i = 0; i < tasks; i++) {
		member = choose(run, list, nth_key(i % different));
		loads[member]++;
		if ((double)loads[member] >
		    bound_of(&tally, slots_of(run, member)))
			above++;
		tally.placed++;
	}
	CHECK(above == 0);
}

static void
nobody_is_ever_above_its_bound(void)
{
	static const char *const slots[] = {"1", "2", "4", "8", "64", "10.5"};
	uint64_t loads[MEMBERS_MAX] = {0};
	struct run run;
	size_t i;

	open_alike(&run, 20, 0);
	check_bounds(&run, 100000, SIZE_MAX, loads);
	close_run(&run);
	memset(loads, 0, sizeof(loads));
	memset(&run, 0, sizeof(run));
	for (i = 1; i <= 20; i++)
		add(&run, i, slots[i % 6], 0);
	open_run(&run);
	check_bounds(&run, 50000, SIZE_MAX, loads);
	check_bounds(&run, 50000, 3, loads);
	close_run(&run);
}

static void
a_million_tasks_of_one_key_are_spread_within_the_bound(void)
{
	uint64_t loads[MEMBERS_MAX] = {0};
	size_t i, most = 0;
	struct run run;

	open_alike(&run, 50, 0);
	check_bounds(&run, MILLION, 1, loads);
	for (i = 0; i < 50; i++)
		most = loads[i] > most ? loads[i] : most;
	CHECK(most == MILLION / 50 * 5 / 4);
	close_run(&run);
}

static void
shares_are_in_proportion_to_slots(void)
{
	static const char *const slots[] = {"1", "2", "4", "8"};
	double counts[MEMBERS_MAX] = {0}, total = 0, share;
	struct run run = {.fixture = {.count = 0}};
	const struct eligible *list;
	size_t i;

	for (i = 1; i <= 20; i++)
		add(&run, i, slots[i % 4], 0);
	open_run(&run);
	list = list_of(&run, ALL);
	for (i = 0; i < list->count; i++)
		total += slots_of(&run, (uint32_t)i);
	for (i = 0; i < 200000; i++)
		counts[choose_briefly(&run, list, nth_key(i))]++;
	for (i = 0; i < list->count; i++) {
		/* 128 points a slot: deviates by 9 % / sqrt(slots) */
		share =
		    counts[i] / 200000 * total / slots_of(&run, (uint32_t)i);
		if (!CHECK(share > 0.7 && share < 1.3))
			printf("# %zu: %g\n", i, share);
	}
	close_run(&run);
}

/* The nearest of list that has room, found by looking at all of them. */
static uint32_t
nearest(const struct run *run, const struct eligible *list,
    const uint64_t *loads, const struct hash_node *nodes, uint64_t key)
{
	struct tally tally = tally_of(run, list, loads);
	double distance, least = 2;
	uint32_t member, found = NOBODY;
	size_t i;

	for (i = 0; i < list->count; i++) {
		member = list->members[i];
		if ((double)loads[member] + 1 >
		    bound_of(&tally, slots_of(run, member)))
			continue;
		distance = hash_ring_distance(&nodes[member], key);
		if (distance < least) {
			least = distance;
			found = member;
		}
	}
	return found;
}

static void
make_nodes(const struct run *run, struct hash_node *nodes)
{
	char name[64];
	uint32_t i;

	for (i = 0; i < run->fixture.count; i++) {
		snprintf(name, sizeof(name), "%s/%s",
		    pool_member(run->fixture.pool, i)->instance->service,
		    fixture_id(&run->fixture, i));
		nodes[i].name = key_of(name);
		nodes[i].points = (uint32_t)(128 * slots_of(run, i));
	}
}

/*
 * Behind another service; l is 7 of one instance, with so few slots that it has
 * a ring of its own.
 */
static void
open_mixed(struct run *run)
{
	static const char *const slots[] = {"8", "2", "16", "1", "7"};
	static const char *const ids[] = {"a", "b", "c", "d", "e"};
	size_t i;

	memset(run, 0, sizeof(*run));
	for (i = 0; i < 5; i++)
		fixture_add(&run->fixture, "extract", ids[i], "");
	for (i = 1; i <= 60; i++)
		add(run, i, slots[i % 5], i % 3);
	add(run, 61, "1", 7);
	open_run(run);
}

/*
 * Lists by turns and for long, so that what a list has missed is counted in
 * each of the ways; tasks that end; keys that are frequent.
 */
static void
every_choice_is_the_nearest_with_room_whatever_came_between(void)
{
	static const char *const requires[] = {ALL, "{\"labels\":\"l=1\"}",
	    "{\"labels\":\"l in (0,2)\"}", "{\"labels\":\"l=7\"}",
	    "{\"labels\":\"l!=7\"}"};
	struct hash_node nodes[MEMBERS_MAX];
	uint64_t loads[MEMBERS_MAX] = {0}, key;
	const struct eligible *list;
	struct random random;
	struct run run;
	uint32_t member;
	size_t i, wrong = 0;

	random_seed(&random, 20261122);
	open_mixed(&run);
	make_nodes(&run, nodes);
	for (i = 0; i < 20000; i++) {
		list =
		    list_of(&run, requires[i < 10000 ? random_below(&random, 5)
						     : i / 1500 % 5]);
		key = nth_key(random_below(
		    &random, random_below(&random, 2) == 0 ? 3 : 10000));
		member = nearest(&run, list, loads, nodes, key);
		if (choose(&run, list, key) != member)
			wrong++;
		loads[member]++;
		member = (uint32_t)random_below(&random, run.fixture.count);
		if (i % 9000 < 3000 && i % 3 == 0 && loads[member] > 0) {
			policy_give_back(&run.policy, NULL, member);
			loads[member]--;
		}
	}
	CHECK(wrong == 0);
	close_run(&run);
}

/* The bound of web1, of which the list of all says what it has counted. */
static double
bound_among_all(struct run *run)
{
	struct policy_task task = {.key = 0};
	struct buffer out = BUFFER_INIT;
	const char *bound;
	double number = 0;
	uint32_t first;
	size_t count;

	pool_range(run->fixture.pool, "render", &first, &count);
	CHECK(number_of(run, first) == 1);
	policy_hash.explain(
	    &run->policy, list_of(run, ALL), &task, first, &out);
	bound = strstr(buffer_string(&out), "\"bound\":");
	CHECK(bound != NULL && sscanf(bound, "\"bound\":%lf", &number) == 1);
	buffer_release(&out);
	return number;
}

/* So large a list that it pays to look at what changed, if that is known. */
static void
what_went_by_way_of_another_list_counts_however_much_it_is(void)
{
	static const size_t missed[] = {30000, 1, 1000, 1024, 1025, 1100};
	struct tally tally = {.slots = 9000 + 8999};
	struct run run = {.fixture = {.count = 0}};
	const struct eligible *list;
	size_t i, j;

	for (i = 1; i <= 9000; i++)
		add(&run, i, i == 1 ? "9000" : "1", i > 10);
	open_run(&run);
	for (i = 0; i < sizeof(missed) / sizeof(missed[0]); i++) {
		list = list_of(&run, "{\"labels\":\"l=0\"}");
		for (j = 0; j < missed[i] - missed[i] / 8; j++)
			choose(&run, list, nth_key(j));
		tally.placed += (double)j;
		for (; j < missed[i]; j++, tally.placed--)
			policy_give_back(&run.policy, NULL, list->members[0]);
		CHECK(bound_among_all(&run) == bound_of(&tally, 9000));
	}
	close_run(&run);
}

static void
a_key_keeps_its_instance_in_every_list_that_holds_it(void)
{
	static const char *const requires[] = {"{\"labels\":\"l=1\"}",
	    "{\"labels\":\"l in (0,2)\"}", "{\"labels\":\"l=7\"}"};
	static const char *const labels[] = {"1", "02", "7"};
	struct run run;
	uint32_t among_all;
	size_t i, j, number;
	char label;

	open_mixed(&run);
	for (i = 0; i < 1000; i++) {
		among_all =
		    choose_briefly(&run, list_of(&run, ALL), nth_key(i));
		number = number_of(&run, among_all);
		label = number == 61 ? '7' : (char)('0' + number % 3);
		for (j = 0; j < 3; j++)
			if (strchr(labels[j], label) != NULL)
				CHECK(choose_briefly(&run,
					  list_of(&run, requires[j]),
					  nth_key(i)) == among_all);
	}
	close_run(&run);
}

/* More lists than a pool keeps, each with a ring or marks of its own. */
static void
lists_that_are_made_again_choose_alike(void)
{
	static uint32_t first[1500];
	char requires[128];
	struct run run;
	size_t i, round;

	memset(&run, 0, sizeof(run));
	for (i = 1; i <= 200; i++)
		add(&run, i, "1", i);
	open_run(&run);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 1500; i++) {
			snprintf(requires, sizeof(requires),
			    "{\"labels\":\"l!=%zu,l!=%zu\"}", i % 200 + 1,
			    i / 200 + 1 + i % 200);
			if (round == 0)
				first[i] = choose_briefly(
				    &run, list_of(&run, requires), nth_key(i));
			else
				CHECK(choose_briefly(&run,
					  list_of(&run, requires),
					  nth_key(i)) == first[i]);
		}
	}
	close_run(&run);
}

static void
who_is_full_says_so_with_numbers(void)
{
	const struct policy_type *type = &policy_hash;
	struct policy_task task = {.key = 0};
	const struct eligible *list;
	struct reason reason;
	struct run run;
	uint32_t member = 0;
	size_t i;

	open_alike(&run, 50, 0);
	list = list_of(&run, ALL);
	for (i = 0; i < 10; i++) {
		CHECK(type->refuses(
			  &run.policy, list, &task, member, &reason) == 0);
		member = choose(&run, list, task.key);
	}
	CHECK(type->refuses(&run.policy, list, &task, member, &reason) == 1);
	CHECK(reason.code == REASON_FULL && reason.length == 0);
	CHECK(reason.need == 11 && reason.most == 10);
	close_run(&run);
}

static void
the_terms_are_distance_load_and_bound(void)
{
	struct policy_task task = {.key = nth_key(0)};
	struct buffer out = BUFFER_INIT;
	const struct eligible *list;
	struct hash_node nodes[MEMBERS_MAX];
	double distance;
	struct run run;
	int length = 0;

	open_alike(&run, 5, 0);
	list = list_of(&run, ALL);
	make_nodes(&run, nodes);
	CHECK(number_of(&run, choose(&run, list, task.key)) == 5);
	policy_hash.explain(&run.policy, list, &task, 4, &out);
	CHECK(sscanf(buffer_string(&out),
		  ",\"distance\":%lf,\"load\":1,\"bound\":10%n", &distance,
		  &length) == 1);
	CHECK(length == (int)out.length);
	CHECK(distance == hash_ring_distance(&nodes[4], task.key));
	CHECK(distance < hash_ring_distance(&nodes[0], task.key));
	buffer_release(&out);
	close_run(&run);
}

static void
slots_that_no_machine_has_do_no_harm(void)
{
	static const char *const slots[] = {
	    "1e308", "1e308", "1", "2.5", "9007199254740993"};
	uint64_t loads[MEMBERS_MAX] = {0};
	struct run run = {.fixture = {.count = 0}};
	size_t i;

	for (i = 0; i < 5; i++)
		add(&run, i, slots[i], 0);
	open_run(&run);
	check_bounds(&run, 1000, SIZE_MAX, loads);
	close_run(&run);
}

static void
a_ring_is_sorted_and_has_all_points(void)
{
	static const uint32_t members[] = {1, 2};
	struct hash_node nodes[] = {{1, 1000}, {2, 1}, {3, 70000}};
	size_t counts[3] = {0}, i;
	struct hash_ring *ring;
	struct svc_error error;

	ring = hash_ring_new(nodes, 0, NULL, 3, &error);
	for (i = 0; i < ring->count; i++) {
		counts[hash_ring_node(ring, i)]++;
		CHECK(i == 0 || ring->points[i - 1] < ring->points[i]);
		CHECK(hash_ring_find(ring, ring->points[i] & ~0xffffffffUL) ==
			  i ||
		      (i > 0 &&
			  ring->points[i] >> 32 == ring->points[i - 1] >> 32));
	}
	CHECK(counts[0] == 1000 && counts[1] == 1 && counts[2] == 70000);
	CHECK(hash_ring_find(ring, UINT64_MAX) == 0 ||
	      ring->points[ring->count - 1] >> 32 == UINT32_MAX);
	hash_ring_free(ring);
	ring = hash_ring_new(nodes, 0, members, 1, &error);
	CHECK(ring->count == 1 && hash_ring_node(ring, 0) == 1);
	CHECK(hash_ring_find(ring, 0) == 0 &&
	      hash_ring_find(ring, UINT64_MAX) == 0 &&
	      hash_ring_next(ring, 0) == 0);
	hash_ring_free(ring);
}

static void
what_follows_hash_is_a_json_pointer(void)
{
	struct policy_options options = {.pointer = NULL};
	struct svc_error error;

	CHECK(policy_hash.configure(&options, "/customer/id", &error) == 0);
	CHECK_STRING(options.pointer, "/customer/id");
	CHECK(policy_hash.configure(&options, "", &error) == 0);
	CHECK_STRING(options.pointer, "");
	CHECK(policy_hash.configure(&options, "customer", &error) == -1);
	CHECK(error.code == EX_USAGE);
	CHECK(strstr(error.message, "not a JSON Pointer: 'customer'") != NULL);
}

int
main(void)
{
	RUN(keys_have_the_instances_that_they_have_always_had);
	RUN(no_task_has_the_key_0);
	RUN(ten_tasks_of_a_key_stay_together_and_more_where_there_are_slots);
	RUN(only_the_keys_of_one_that_leaves_or_comes_move);
	RUN(about_one_in_n_keys_moves_where_instances_get_full);
	RUN(nobody_is_ever_above_its_bound);
	RUN(a_million_tasks_of_one_key_are_spread_within_the_bound);
	RUN(shares_are_in_proportion_to_slots);
	RUN(every_choice_is_the_nearest_with_room_whatever_came_between);
	RUN(what_went_by_way_of_another_list_counts_however_much_it_is);
	RUN(a_key_keeps_its_instance_in_every_list_that_holds_it);
	RUN(lists_that_are_made_again_choose_alike);
	RUN(who_is_full_says_so_with_numbers);
	RUN(the_terms_are_distance_load_and_bound);
	RUN(slots_that_no_machine_has_do_no_harm);
	RUN(a_ring_is_sorted_and_has_all_points);
	RUN(what_follows_hash_is_a_json_pointer);
	return check_done();
}
