/* Which instance of a service gets the next task, by each policy. */
#include "net/call_choice.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"

#define MANY 1000

struct table {
	struct instance *instances;
	size_t count;
	struct call_choice *choice;
	struct pool *pool; /* of the same, for the bare policy */
	unsigned *open; /* of each member */
	unsigned slots; /* of each */
	double now;
};

static void
bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static void
init(struct table *table)
{
	memset(table, 0, sizeof(*table));
	table->instances = calloc(MANY, sizeof(*table->instances));
	table->open = calloc(MANY, sizeof(*table->open));
	if (table->instances == NULL || table->open == NULL)
		bail_out("no memory");
	table->slots = 1000;
}

/* members: what the line has beside its names, each with a comma in front. */
static void
add(struct table *table, const char *id, const char *members)
{
	char line[512];
	struct svc_error error;
	int length;

	length = snprintf(line, sizeof(line),
	    "{\"service\":\"w\",\"id\":\"%s\","
	    "\"address\":\"http://127.0.0.1:9/task\"%s}",
	    id, members);
	if (instance_parse(&table->instances[table->count++], line,
		(size_t)length, &error) == -1)
		bail_out(error.message);
}

static int
open_as(struct table *table, const char *policy, struct svc_error *error)
{
	struct policy_options options = {.seed = 7};
	const struct policy_type *type;

	if (policy_parse(policy, &type, &options, error) == -1)
		bail_out(error->message);
	return call_choice_open(&table->choice, "w", table->instances,
	    table->count, type, &options, false, error);
}

/* The engine's part: how loaded a member is. */
static void
tell_load(struct table *table, uint32_t member, unsigned failures, bool ejected)
{
	unsigned open = table->open[member];
	const struct call_load load = {
	    .open = open,
	    .failures = failures,
	    .ready = open < table->slots,
	    .full = open >= table->slots,
	    .ejected = ejected,
	};

	call_seats_set(call_choice_seats(table->choice), member, &load);
}

static void
open_table(struct table *table, const char *policy)
{
	struct svc_error error;
	size_t i;

	if (open_as(table, policy, &error) == -1)
		bail_out(error.message);
	for (i = 0; i < table->count; i++)
		tell_load(table, (uint32_t)i, 0, false);
}

static void
close_table(struct table *table)
{
	size_t i;

	call_choice_close(table->choice);
	for (i = 0; i < table->count; i++)
		instance_release(&table->instances[i]);
	free(table->instances);
	free(table->open);
}

static struct json_value
requiring(const char *text)
{
	struct json_value value = {{NULL, 0}, JSON_OBJECT, false};

	if (text != NULL) {
		value.span.data = text;
		value.span.length = strlen(text);
	}
	return value;
}

/* The member that a task with requires (NULL: none) and key goes to. */
static uint32_t
choose(struct table *table, const char *requires, uint64_t key, uint32_t avoid)
{
	const struct json_value value = requiring(requires);
	const struct call_wish wish = {
	    .requires = &value,
	    .key = key,
	    .avoid = avoid,
	    .now = table->now,
	};
	uint32_t member;
	bool counted;

	if (!call_choice_next(table->choice, &wish, &member, &counted))
		return CALL_NOBODY;
	return member;
}

/* The same, and it begins to run there. */
static uint32_t
start(struct table *table, const char *requires, uint64_t key)
{
	uint32_t member = choose(table, requires, key, CALL_NOBODY);

	if (member == CALL_NOBODY)
		return member;
	table->open[member]++;
	tell_load(table, member, 0, false);
	return member;
}

static void
end(struct table *table, const char *requires, uint32_t member)
{
	const struct json_value value = requiring(requires);

	if (call_choice_counts(table->choice, &value))
		call_choice_give_back(table->choice, &value, member);
	table->open[member]--;
	tell_load(table, member, 0, false);
}

/* "a" is 0, as they are sorted. */
static char
name(const struct table *table, uint32_t member)
{
	return member == CALL_NOBODY ? '-' : *table->instances[member].id;
}

static void
random_gives_each_the_same(void)
{
	struct table table;
	int i, seen[4] = {0};

	init(&table);
	add(&table, "a", "");
	add(&table, "b", ",\"capacity\":{\"slots\":8}");
	add(&table, "c", ",\"utilization\":0.9");
	add(&table, "d", "");
	open_table(&table, "random");
	for (i = 0; i < 4000; i++)
		seen[choose(&table, NULL, 0, CALL_NOBODY)]++;
	/* The standard deviation is 27. */
	for (i = 0; i < 4; i++)
		CHECK(seen[i] > 850 && seen[i] < 1150);
	close_table(&table);
}

static void
round_robin_goes_on_to_the_next_that_has_room(void)
{
	struct table table;
	char got[16] = "";
	int i;

	init(&table);
	add(&table, "a", "");
	add(&table, "b", "");
	add(&table, "c", "");
	table.slots = 3;
	open_table(&table, "round-robin");
	table.open[1] = 2;
	tell_load(&table, 1, 0, false);
	for (i = 0; i < 8; i++)
		got[i] = name(&table, start(&table, NULL, 0));
	CHECK_STRING(got, "abcacac-");
	close_table(&table);
}

static void
weighted_is_in_proportion_and_a_weight_of_none_gets_nothing(void)
{
	struct table table;
	int i, seen[3] = {0};

	init(&table);
	add(&table, "a", ",\"labels\":{\"w\":\"3\"}");
	add(&table, "b", ",\"labels\":{\"w\":\"1\"}");
	add(&table, "c", ",\"labels\":{\"w\":\"0\"}");
	open_table(&table, "weighted=labels.w");
	for (i = 0; i < 4000; i++)
		seen[choose(&table, NULL, 0, CALL_NOBODY)]++;
	/* 3000 and 1000; the standard deviation is 27. */
	CHECK(seen[0] > 2850 && seen[0] < 3150 && seen[2] == 0);
	/* Where all others are full it is worth to wait for them. */
	table.open[0] = table.open[1] = table.slots;
	tell_load(&table, 0, 0, false);
	CHECK(name(&table, choose(&table, NULL, 0, CALL_NOBODY)) == 'b');
	tell_load(&table, 1, 0, false);
	CHECK(name(&table, choose(&table, NULL, 0, CALL_NOBODY)) == '-');
	close_table(&table);
}

/* Else they would wait until the ejection ends: the third never gets them. */
static void
where_all_who_weigh_are_ejected_they_get_the_tasks(void)
{
	struct table table;

	init(&table);
	add(&table, "a", ",\"labels\":{\"w\":\"3\"}");
	add(&table, "b", ",\"labels\":{\"w\":\"1\"}");
	add(&table, "c", ",\"labels\":{\"w\":\"0\"}");
	open_table(&table, "weighted=labels.w");
	tell_load(&table, 0, 5, true);
	CHECK(name(&table, choose(&table, NULL, 0, CALL_NOBODY)) == 'b');
	tell_load(&table, 1, 5, true);
	CHECK(name(&table, choose(&table, NULL, 0, CALL_NOBODY)) != 'c');
	CHECK(name(&table, choose(&table, NULL, 0, CALL_NOBODY)) != '-');
	close_table(&table);
}

static void
weights_that_are_all_none_are_alike(void)
{
	struct table table;
	int i, seen[2] = {0};

	init(&table);
	add(&table, "a", "");
	add(&table, "b", "");
	open_table(&table, "weighted");
	for (i = 0; i < 400; i++)
		seen[choose(&table, NULL, 0, CALL_NOBODY)]++;
	CHECK(seen[0] > 120 && seen[1] > 120);
	close_table(&table);
}

/* Also where those that have one weigh nothing, and are alike. */
static void
who_has_no_weight_gets_nothing_and_is_named(void)
{
	static const char *const weights[] = {"3", "0"};
	struct table table;
	size_t i, k;

	for (k = 0; k < 2; k++) {
		char more[64];

		snprintf(more, sizeof(more), ",\"labels\":{\"w\":\"%s\"}",
		    weights[k]);
		init(&table);
		add(&table, "a", more);
		add(&table, "b", "");
		add(&table, "c", ",\"labels\":{\"w\":\"-1\"}");
		open_table(&table, "weighted=labels.w");
		for (i = 0; i < 200; i++)
			CHECK(choose(&table, NULL, 0, CALL_NOBODY) == 0);
		CHECK_STRING(call_choice_unweighed(table.choice),
		    "w/b: \"labels.w\": no such member, so it has no weight: "
		    "it gets no tasks, like c");
		close_table(&table);
	}
}

/* Of many the first ones are named; of those that get no work anyhow none. */
static void
without_a_weight_anywhere_nobody_is_chosen_and_it_is_said_why(void)
{
	struct buffer why = BUFFER_INIT;
	struct table table;
	char id[2] = "a";

	init(&table);
	for (; *id < 'f'; (*id)++)
		add(&table, id, "");
	table.instances[4].status = STATUS_CRITICAL;
	open_table(&table, "weighted=meta.w");
	CHECK(name(&table, choose(&table, NULL, 0, CALL_NOBODY)) == '-');
	CHECK_STRING(call_choice_unweighed(table.choice),
	    "w/a: \"meta.w\": no such member, so it has no weight: "
	    "it gets no tasks, like b, c and 1 more");
	call_choice_explain(table.choice, NULL, &why);
	CHECK_STRING(buffer_string(&why),
	    "0 of 5 instances: 4 no weight meta.w, 1 critical");
	buffer_release(&why);
	close_table(&table);
}

static void
least_loaded_and_p2c_go_by_what_is_open_a_slot(void)
{
	static const char *const policies[] = {"least-loaded", "p2c"};
	struct table table;
	size_t i, k;

	for (k = 0; k < 2; k++) {
		init(&table);
		add(&table, "a", ",\"capacity\":{\"slots\":1}");
		add(&table, "b", ",\"capacity\":{\"slots\":3}");
		open_table(&table, policies[k]);
		for (i = 0; i < 40; i++)
			start(&table, NULL, 0);
		CHECK(table.open[0] == 10 && table.open[1] == 30);
		/* Whose requests end gets the next one. */
		end(&table, NULL, 0);
		end(&table, NULL, 0);
		CHECK(name(&table, start(&table, NULL, 0)) == 'a');
		close_table(&table);
	}
}

static void
reported_load_decides_between_equal_ones(void)
{
	struct table table;
	int i, of_a = 0;

	init(&table);
	add(&table, "a", ",\"utilization\":0.9,\"pinned\":true");
	add(&table, "b", ",\"utilization\":0.1,\"pinned\":true");
	open_table(&table, "p2c");
	for (i = 0; i < 100; i++)
		of_a += choose(&table, NULL, 0, CALL_NOBODY) == 0;
	CHECK(of_a == 0);
	close_table(&table);
}

static void
constrained_obeys_what_is_left_until_it_is_given_back(void)
{
	struct table table;

	init(&table);
	add(&table, "a", ",\"capacity\":{\"cpu\":4}");
	add(&table, "b", ",\"capacity\":{\"cpu\":2}");
	open_table(&table, "constrained=pack");
	CHECK(name(&table, start(&table, "{\"cpu\":2}", 0)) == 'b');
	CHECK(name(&table, start(&table, "{\"cpu\":3}", 0)) == 'a');
	CHECK(name(&table, start(&table, "{\"cpu\":2}", 0)) == '-');
	CHECK(name(&table, start(&table, "{\"cpu\":1}", 0)) == 'a');
	CHECK(name(&table, start(&table, NULL, 0)) != '-');
	end(&table, "{\"cpu\":2}", 1);
	CHECK(name(&table, start(&table, "{\"cpu\":2}", 0)) == 'b');
	close_table(&table);
}

static void
spread_leaves_no_zone_far_behind_under_any_policy(void)
{
	static const char spread[] = "{\"spread\":{\"zone\":1}}";
	static const char *const policies[] = {
	    "p2c", "random", "round-robin", "constrained", "hash"};
	struct table table;
	unsigned left, right;
	size_t k, i;

	for (k = 0; k < sizeof(policies) / sizeof(policies[0]); k++) {
		init(&table);
		add(&table, "a", ",\"labels\":{\"zone\":\"1\"}");
		add(&table, "b", ",\"labels\":{\"zone\":\"1\"}");
		add(&table, "c", ",\"labels\":{\"zone\":\"2\"}");
		open_table(&table, policies[k]);
		for (i = 0; i < 40; i++)
			CHECK(start(&table, spread, i) != CALL_NOBODY);
		left = table.open[0] + table.open[1];
		right = table.open[2];
		CHECK(left == 20 && right == 20);
		end(&table, spread, 2);
		end(&table, spread, 2);
		CHECK(name(&table, start(&table, spread, 0)) == 'c');
		close_table(&table);
	}
}

static void
hash_keeps_a_key_and_goes_on_where_it_is_full(void)
{
	struct table table;
	uint32_t home[64], away;
	uint64_t key;

	init(&table);
	add(&table, "a", "");
	add(&table, "b", "");
	add(&table, "c", "");
	table.slots = 1;
	open_table(&table, "hash");
	for (key = 0; key < 64; key++) {
		home[key] = start(&table, NULL, key << 58);
		end(&table, NULL, home[key]);
	}
	for (key = 0; key < 64; key++) {
		CHECK(start(&table, NULL, key << 58) == home[key]);
		away = start(&table, NULL, key << 58);
		CHECK(away != home[key] && away != CALL_NOBODY);
		end(&table, NULL, home[key]);
		CHECK(start(&table, NULL, key << 58) == home[key]);
		end(&table, NULL, away);
		end(&table, NULL, home[key]);
	}
	close_table(&table);
}

static const char *const all[] = {"random", "round-robin", "weighted",
    "weighted=capacity.w", "constrained", "constrained=pack", "least-loaded",
    "p2c", "hash"};

#define ALL (sizeof(all) / sizeof(all[0]))

static void
open_four(struct table *table, const char *policy)
{
	init(table);
	add(table, "a", ",\"capacity\":{\"cpu\":2,\"w\":1}");
	add(table, "b",
	    ",\"capacity\":{\"cpu\":4,\"w\":1},"
	    "\"labels\":{\"gpu\":\"a100\"}");
	add(table, "c",
	    ",\"capacity\":{\"cpu\":8,\"w\":1},"
	    "\"labels\":{\"gpu\":\"\"}");
	add(table, "d",
	    ",\"capacity\":{\"cpu\":64,\"w\":1},"
	    "\"status\":\"critical\"");
	open_table(table, policy);
}

static void
requires_is_honoured_by_every_policy(void)
{
	struct table table;
	const char *rows[][2] = {{"{\"cpu\":8}", "c"}, {"{\"cpu\":9}", "-"},
	    {"{\"labels\":\"gpu=a100\"}", "b"},
	    {"{\"cpu\":3,\"labels\":\"gpu=a100\"}", "b"},
	    {"{\"labels\":\"!gpu\"}", "a"}, {"{\"mem\":1}", "-"}};
	uint32_t member;
	size_t k, i;

	for (k = 0; k < ALL; k++) {
		open_four(&table, all[k]);
		for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			member = start(&table, rows[i][0], i << 60);
			if (!CHECK(name(&table, member) == *rows[i][1]))
				printf("# %s %s: %c\n", all[k], rows[i][0],
				    name(&table, member));
			if (member != CALL_NOBODY)
				end(&table, rows[i][0], member);
		}
		close_table(&table);
	}
}

static void
who_is_full_ejected_or_to_be_avoided_is_not_chosen(void)
{
	struct table table;
	size_t k;
	int i;

	for (k = 0; k < ALL; k++) {
		open_four(&table, all[k]);
		table.open[0] = table.slots;
		tell_load(&table, 0, 0, false);
		tell_load(&table, 1, 0, true);
		for (i = 0; i < 50; i++)
			CHECK(
			    name(&table, choose(&table, NULL, (uint64_t)i << 58,
					     CALL_NOBODY)) == 'c');
		CHECK(name(&table, choose(&table, NULL, 0, 2)) == 'c');
		tell_load(&table, 1, 0, false);
		for (i = 0; i < 50; i++)
			CHECK(name(&table, choose(&table, NULL, 0, 2)) == 'b');
		close_table(&table);
	}
}

static void
where_all_who_could_are_ejected_one_of_them_is_chosen(void)
{
	struct table table;
	size_t k;

	for (k = 0; k < ALL; k++) {
		open_four(&table, all[k]);
		tell_load(&table, 1, 0, true);
		CHECK(name(&table, choose(&table, "{\"labels\":\"gpu=a100\"}",
				       0, CALL_NOBODY)) == 'b');
		tell_load(&table, 1, 0, false);
		close_table(&table);
	}
}

static void
who_fails_waits_for_a_full_one_that_does_not(void)
{
	struct table table;
	size_t k;

	for (k = 0; k < ALL; k++) {
		open_four(&table, all[k]);
		table.slots = 4;
		table.open[0] = table.open[1] = 4;
		tell_load(&table, 0, 0, false);
		tell_load(&table, 1, 0, false);
		tell_load(&table, 2, 5, false);
		CHECK(choose(&table, NULL, 0, CALL_NOBODY) == CALL_NOBODY);
		tell_load(&table, 2, 4, false);
		CHECK(
		    name(&table, choose(&table, NULL, 0, CALL_NOBODY)) == 'c');
		close_table(&table);
	}
}

static void
load_alone_makes_no_other_choice(void)
{
	struct table table;

	init(&table);
	add(&table, "a", ",\"utilization\":0.1,\"pinned\":false");
	add(&table, "b", ",\"utilization\":0.9,\"pinned\":false");
	open_table(&table, "p2c");
	CHECK(name(&table, choose(&table, NULL, 0, CALL_NOBODY)) == 'a');
	table.instances[0].utilization = 0.95;
	CHECK(call_choice_observe(table.choice, table.instances, 2));
	CHECK(!call_choice_observe(table.choice, table.instances, 1));
	table.instances[0].status = STATUS_DRAINING;
	CHECK(!call_choice_observe(table.choice, table.instances, 2));
	close_table(&table);
}

static void
of_two_with_one_id_the_last_counts(void)
{
	struct table table;

	init(&table);
	add(&table, "b", "");
	add(&table, "a", "");
	add(&table, "b", ",\"capacity\":{\"cpu\":1}");
	open_table(&table, "p2c");
	CHECK(call_choice_seats(table.choice)->count == 2);
	CHECK(call_choice_find(table.choice, "a") == 0);
	CHECK(call_choice_find(table.choice, "b") == 1);
	CHECK(call_choice_find(table.choice, "c") == CALL_NOBODY);
	CHECK(choose(&table, "{\"cpu\":1}", 0, CALL_NOBODY) == 1);
	close_table(&table);
}

static void
why_nobody_will_do_is_one_sentence(void)
{
	struct table table;
	struct buffer why = BUFFER_INIT;
	const struct json_value value = requiring("{\"cpu\":9}");

	open_four(&table, "p2c");
	call_choice_explain(table.choice, &value, &why);
	CHECK_STRING(buffer_string(&why),
	    "0 of 4 instances: 3 insufficient cpu (need 9, most free 8), 1 "
	    "critical");
	buffer_release(&why);
	close_table(&table);
}

static void
open_many(struct table *table)
{
	char id[16];
	int i;

	init(table);
	for (i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "i%04d", i);
		add(table, id, ",\"capacity\":{\"slots\":4}");
	}
}

static double
cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* Choices, each with a change of load, by sched's policy alone. */
static double
time_bare(struct table *table, int choices)
{
	double *own = calloc(MANY, sizeof(*own)), begun;
	struct policy_options options = {.seed = 7, .own = own};
	const struct eligible *list;
	struct policy policy;
	uint32_t member;
	int i;

	if (own == NULL ||
	    pool_open(&table->pool, table->instances, MANY, NULL) == -1 ||
	    policy_open(&policy, &policy_p2c, table->pool, &options, NULL) ==
		-1)
		bail_out("no memory");
	begun = cpu_seconds();
	for (i = 0; i < choices; i++) {
		if (pool_eligible(table->pool, "w", NULL, &list, NULL) == -1 ||
		    policy_choose(&policy, list, NULL, &member, NULL) != 1)
			bail_out("nobody");
		own[member] += 0.25;
	}
	begun = cpu_seconds() - begun;
	policy_close(&policy);
	pool_close(table->pool);
	free(own);
	return begun;
}

static double
time_choice(struct table *table, int choices)
{
	double begun;
	int i;

	open_table(table, "p2c");
	begun = cpu_seconds();
	for (i = 0; i < choices; i++)
		if (start(table, NULL, 0) == CALL_NOBODY)
			bail_out("nobody");
	return cpu_seconds() - begun;
}

static void
a_choice_costs_little_more_than_the_policy_does(void)
{
	struct table table;
	double bare, whole;

	open_many(&table);
	table.slots = 10000;
	bare = time_bare(&table, 1000000);
	whole = time_choice(&table, 1000000);
	printf("# a million: %.3f s, bare %.3f s\n", whole, bare);
	/* 1.5 to 2; a sanitizer makes it 3. */
	CHECK(whole < 5 * bare);
	close_table(&table);
}

/* One ends, one begins: of 1,000 a single one has room at any time. */
static void
where_nearly_all_are_full_a_choice_costs_little_too(void)
{
	struct table table;
	double bare, begun;
	uint32_t member;
	int i;

	open_many(&table);
	table.slots = 4;
	bare = time_bare(&table, 1000000);
	open_table(&table, "p2c");
	for (i = 0; i < 4 * MANY; i++)
		if (start(&table, NULL, 0) == CALL_NOBODY)
			bail_out("nobody");
	begun = cpu_seconds();
	for (i = 0; i < 1000000; i++) {
		member = (uint32_t)i % MANY * 7919 % MANY;
		end(&table, NULL, member);
		if (start(&table, NULL, 0) != member)
			bail_out("another one");
	}
	begun = cpu_seconds() - begun;
	printf("# a million: %.3f s, bare %.3f s\n", begun, bare);
	CHECK(begun < 8 * bare);
	close_table(&table);
}

int
main(void)
{
	RUN(random_gives_each_the_same);
	RUN(round_robin_goes_on_to_the_next_that_has_room);
	RUN(weighted_is_in_proportion_and_a_weight_of_none_gets_nothing);
	RUN(where_all_who_weigh_are_ejected_they_get_the_tasks);
	RUN(weights_that_are_all_none_are_alike);
	RUN(who_has_no_weight_gets_nothing_and_is_named);
	RUN(without_a_weight_anywhere_nobody_is_chosen_and_it_is_said_why);
	RUN(least_loaded_and_p2c_go_by_what_is_open_a_slot);
	RUN(reported_load_decides_between_equal_ones);
	RUN(constrained_obeys_what_is_left_until_it_is_given_back);
	RUN(spread_leaves_no_zone_far_behind_under_any_policy);
	RUN(hash_keeps_a_key_and_goes_on_where_it_is_full);
	RUN(requires_is_honoured_by_every_policy);
	RUN(who_is_full_ejected_or_to_be_avoided_is_not_chosen);
	RUN(where_all_who_could_are_ejected_one_of_them_is_chosen);
	RUN(who_fails_waits_for_a_full_one_that_does_not);
	RUN(load_alone_makes_no_other_choice);
	RUN(of_two_with_one_id_the_last_counts);
	RUN(why_nobody_will_do_is_one_sentence);
	RUN(a_choice_costs_little_more_than_the_policy_does);
	RUN(where_nearly_all_are_full_a_choice_costs_little_too);
	return check_done();
}
