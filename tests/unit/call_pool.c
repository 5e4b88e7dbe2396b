/* Who gets the next task: the call engine's pool, without a network. */
#include "net/call_pool.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "line/units.h"
#include "net/call_choice.h"
#include "net/call_ejection.h"
#include "net/call_engine.h"
#include "net/call_place.h"

#define MANY 64
#define NOW  1000.0

struct table {
	struct call_options options;
	struct call_pool pool;
	struct call_service *service;
	struct instance instances[MANY];
	size_t count;
	struct call_job jobs[MANY];
	struct call_task tasks[MANY];
	size_t job_count;
	char notes[256]; /* the last one */
};

static void
bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static void
note(void *argument, const char *message)
{
	struct table *table = argument;

	snprintf(table->notes, sizeof(table->notes), "%s", message);
}

/* policy: "constrained=pack", as --policy takes it. */
static void
open_policy(struct table *table, const char *policy)
{
	struct svc_error error;

	memset(table, 0, sizeof(*table));
	if (policy_parse(policy, &table->options.policy, &table->options.choice,
		&error) == -1)
		bail_out(error.message);
	table->options.jobs = MANY;
	table->options.choice.seed = 7;
	table->options.note = note;
	table->options.note_argument = table;
	call_pool_init(&table->pool, &table->options);
	table->service = call_pool_service(&table->pool, "w");
	if (table->service == NULL)
		bail_out("no memory");
}

static void
open_table(struct table *table)
{
	open_policy(table, "p2c");
}

static void
forget_instances(struct table *table)
{
	while (table->count > 0)
		instance_release(&table->instances[--table->count]);
}

static void
close_table(struct table *table)
{
	struct call_grant *grant;
	struct call_job *job;
	size_t i;

	while ((grant = TAILQ_FIRST(&table->service->grants)) != NULL)
		call_grant_end(&table->pool, grant);
	for (i = 0; i < table->job_count; i++) {
		job = &table->jobs[i];
		if (job->lane != NULL)
			call_lane_remove(&table->pool, job->lane, job);
	}
	forget_instances(table);
	call_pool_release(&table->pool);
}

/* An instance for the next tell(), as its line has it. */
static void
add_line(struct table *table, const char *line)
{
	struct svc_error error;

	if (instance_parse(&table->instances[table->count++], line,
		strlen(line), &error) == -1)
		bail_out(error.message);
}

/* slots 0: it names none. */
static void
add_at(struct table *table, const char *id, int port, int slots,
    enum instance_status status)
{
	char line[256], capacity[64] = "";

	if (slots > 0)
		snprintf(capacity, sizeof(capacity),
		    ",\"capacity\":{\"slots\":%d}", slots);
	snprintf(line, sizeof(line),
	    "{\"service\":\"w\",\"id\":\"%s\","
	    "\"address\":\"http://127.0.0.1:%d/task\"%s,\"status\":\"%s\"}",
	    id, port, capacity, status_name(status));
	add_line(table, line);
}

static void
add(struct table *table, const char *id, int slots)
{
	add_at(table, id, 9, slots, STATUS_PASSING);
}

/* Tells the pool of what was added since the last time. */
static void
tell(struct table *table)
{
	struct svc_error error;

	if (call_pool_tell(&table->pool, table->service, table->instances,
		table->count, NOW, &error) == -1)
		bail_out(error.message);
	forget_instances(table);
}

static struct call_place *
planned(struct table *table, const char *id, int port)
{
	struct task_instance instance = {.service = "w", .slots = 2};
	struct call_place *place;
	struct svc_error error;

	snprintf(instance.id, sizeof(instance.id), "%s", id);
	snprintf(instance.address, sizeof(instance.address),
	    "http://127.0.0.1:%d/task", port);
	if (call_pool_planned(
		&table->pool, table->service, &instance, &place, &error) != 1)
		return NULL;
	return place;
}

/* The value of "requires"; text lives on. */
static struct json_value
requiring(const char *text)
{
	struct json_value value = {{text, strlen(text)}, JSON_OBJECT, false};

	return value;
}

static struct call_job *
new_job(struct table *table, const char *requires)
{
	struct call_task *task = &table->tasks[table->job_count];
	struct call_job *job = &table->jobs[table->job_count++];

	memset(task, 0, sizeof(*task));
	memset(job, 0, sizeof(*job));
	job->task = task;
	job->service = table->service;
	if (requires != NULL)
	task->requires = requiring(requires);
	return job;
}

/* A job in the lane of place, or (NULL) of the service. */
static struct call_job *
wait_for(struct table *table, struct call_place *place)
{
	struct call_job *job = new_job(table, NULL);

	call_lane_add(&table->pool,
	    place == NULL ? &table->service->lane : &place->lane, job);
	return job;
}

/* A job of the service that not everybody may take. */
static struct call_job *
wait_requiring(struct table *table, const char *requires)
{
	struct call_job *job = new_job(table, requires);
	struct call_lane *lane;
	struct svc_error error;

	lane = call_pool_lane(&table->pool, table->service, job->task, &error);
	if (lane == NULL)
		bail_out(error.message);
	call_lane_add(&table->pool, lane, job);
	return job;
}

/* Takes the next job out of its lane and starts it; where, or NULL. */
static struct call_place *
start_next(struct table *table, struct call_job **job)
{
	struct call_place *place;
	struct call_job *next;

	next = call_pool_next(&table->pool, false, NOW, &place);
	if (job != NULL)
		*job = next;
	if (next == NULL)
		return NULL;
	call_lane_remove(&table->pool, next->lane, next);
	call_place_begin(&table->pool, place);
	return place;
}

static const char *
id_of(const struct call_place *place)
{
	return place == NULL ? "nobody" : place->instance.id;
}

/* Who would get a task that failed at avoid (NULL: nowhere). */
static const char *
choose(struct table *table, const struct call_place *avoid, double now)
{
	struct call_job *job = wait_for(table, NULL);
	struct call_place *place = NULL;

	job->avoid = avoid;
	if (call_pool_next(&table->pool, false, now, &place) != job)
		place = NULL;
	call_lane_remove(&table->pool, job->lane, job);
	table->job_count--;
	call_pool_settle(&table->pool);
	return id_of(place);
}

static void
the_less_loaded_of_two_gets_the_task(void)
{
	struct table table;
	int i;

	open_table(&table);
	add(&table, "a", 8);
	add(&table, "b", 8);
	tell(&table);
	call_place_begin(&table.pool, planned(&table, "a", 9));
	call_place_begin(&table.pool, planned(&table, "a", 9));
	call_place_begin(&table.pool, planned(&table, "b", 9));
	for (i = 0; i < 100; i++)
		CHECK_STRING(choose(&table, NULL, NOW), "b");
	close_table(&table);
}

static void
of_many_the_most_loaded_is_never_chosen_and_each_other_is(void)
{
	struct table table;
	int i, seen[4] = {0};

	open_table(&table);
	add(&table, "a", 8);
	add(&table, "b", 8);
	add(&table, "c", 8);
	add(&table, "d", 8);
	tell(&table);
	call_place_begin(&table.pool, planned(&table, "a", 9));
	for (i = 0; i < 600; i++)
		seen[*choose(&table, NULL, NOW) - 'a']++;
	CHECK(seen[0] == 0);
	/* 200 each; the standard deviation is 12. */
	for (i = 1; i < 4; i++)
		CHECK(seen[i] > 140 && seen[i] < 260);
	close_table(&table);
}

static void
slots_are_never_exceeded(void)
{
	struct table table;
	struct call_place *place;
	int i, count[2] = {0, 0};

	open_table(&table);
	add(&table, "a", 2);
	add(&table, "b", 3);
	tell(&table);
	for (i = 0; i < 20; i++)
		wait_for(&table, NULL);
	while ((place = start_next(&table, NULL)) != NULL)
		count[*place->instance.id - 'a']++;
	CHECK(count[0] == 2 && count[1] == 3);
	call_place_end(&table.pool, planned(&table, "a", 9));
	CHECK_STRING(id_of(start_next(&table, NULL)), "a");
	CHECK(start_next(&table, NULL) == NULL);
	close_table(&table);
}

static void
fewer_slots_are_obeyed_at_once_and_more_are_used(void)
{
	struct table table;
	int i;

	open_table(&table);
	add(&table, "a", 3);
	tell(&table);
	for (i = 0; i < 20; i++)
		wait_for(&table, NULL);
	for (i = 0; i < 3; i++)
		CHECK_STRING(id_of(start_next(&table, NULL)), "a");
	add(&table, "a", 2);
	tell(&table);
	call_place_end(&table.pool, planned(&table, "a", 9));
	CHECK(start_next(&table, NULL) == NULL);
	add(&table, "a", 4);
	tell(&table);
	CHECK(start_next(&table, NULL) != NULL);
	CHECK(start_next(&table, NULL) != NULL);
	CHECK(start_next(&table, NULL) == NULL);
	close_table(&table);
}

static void
an_instance_that_names_no_slots_may_get_all_jobs(void)
{
	struct table table;
	int i;

	open_table(&table);
	add(&table, "a", 0);
	tell(&table);
	for (i = 0; i < MANY; i++)
		wait_for(&table, NULL);
	for (i = 0; i < MANY; i++)
		CHECK(start_next(&table, NULL) != NULL);
	close_table(&table);
}

static void
a_planned_task_waits_for_its_own_instance(void)
{
	struct table table;
	struct call_place *a;

	open_table(&table);
	add(&table, "a", 1);
	add(&table, "b", 8);
	tell(&table);
	a = planned(&table, "a", 9);
	wait_for(&table, a);
	wait_for(&table, a);
	CHECK_STRING(id_of(start_next(&table, NULL)), "a");
	CHECK(start_next(&table, NULL) == NULL);
	call_place_end(&table.pool, a);
	CHECK_STRING(id_of(start_next(&table, NULL)), "a");
	close_table(&table);
}

static void
a_planned_task_moves_when_its_place_is_gone_draining_or_critical(void)
{
	static const struct {
		enum instance_status status;
		const char *where;
	} rows[] = {{STATUS_PASSING, "a"}, {STATUS_WARNING, "a"},
	    {STATUS_UNKNOWN, "a"}, {STATUS_CRITICAL, "b"},
	    {STATUS_DRAINING, "b"}, {STATUS_EXPIRED, "b"}, {STATUS_COUNT, "b"}};
	struct table table;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_table(&table);
		add(&table, "a", 4);
		add(&table, "b", 4);
		tell(&table);
		wait_for(&table, planned(&table, "a", 9));
		if (rows[i].status != STATUS_COUNT)
			add_at(&table, "a", 9, 4, rows[i].status);
		add(&table, "b", 4);
		tell(&table);
		CHECK_STRING(id_of(start_next(&table, NULL)), rows[i].where);
		CHECK((planned(&table, "a", 9) != NULL) ==
		      (*rows[i].where == 'a'));
		close_table(&table);
	}
}

static void
a_warning_gets_new_work_only_where_nothing_passes(void)
{
	struct table table;
	int i;

	open_table(&table);
	add(&table, "a", 8);
	add_at(&table, "b", 9, 8, STATUS_WARNING);
	tell(&table);
	for (i = 0; i < 50; i++)
		CHECK_STRING(choose(&table, NULL, NOW), "a");
	add_at(&table, "a", 9, 8, STATUS_UNKNOWN);
	add_at(&table, "b", 9, 8, STATUS_WARNING);
	tell(&table);
	for (i = 0; i < 50; i++)
		CHECK_STRING(choose(&table, NULL, NOW), "b");
	close_table(&table);
}

static void
an_id_at_another_address_takes_over_what_waits(void)
{
	struct table table;
	struct call_place *old;

	open_table(&table);
	add(&table, "a", 1);
	tell(&table);
	old = planned(&table, "a", 9);
	call_place_begin(&table.pool, old);
	wait_for(&table, old);
	add_at(&table, "a", 10, 1, STATUS_PASSING);
	tell(&table);
	CHECK_STRING(start_next(&table, NULL)->instance.address,
	    "http://127.0.0.1:10/task");
	/* The old one ends with its last request. */
	call_place_end(&table.pool, old);
	CHECK(table.service->place_count == 1);
	close_table(&table);
}

static void
an_instance_that_fails_does_not_attract_work(void)
{
	struct table table;
	struct call_place *bad, *good;
	int i;

	open_table(&table);
	add(&table, "bad", 4);
	add(&table, "good", 4);
	tell(&table);
	bad = planned(&table, "bad", 9);
	good = planned(&table, "good", 9);
	for (i = 0; i < 5; i++)
		call_place_failed(&table.pool, bad, false, NOW);
	for (i = 0; i < 4; i++) {
		CHECK_STRING(choose(&table, NULL, NOW), "good");
		call_place_begin(&table.pool, good);
	}
	/* A full one that works is worth waiting for ... */
	CHECK_STRING(choose(&table, NULL, NOW), "nobody");
	/* ... until the failures are forgiven, one a second. */
	CHECK_STRING(choose(&table, NULL, NOW + 0.9), "nobody");
	CHECK_STRING(choose(&table, NULL, NOW + 2), "bad");
	call_place_succeeded(&table.pool, bad);
	CHECK_STRING(choose(&table, NULL, NOW), "bad");
	close_table(&table);
}

static void
who_waits_for_a_full_instance_is_woken_when_a_slot_is_free(void)
{
	struct table table;
	struct call_place *bad, *good;
	int i;

	open_table(&table);
	add(&table, "bad", 4);
	add(&table, "good", 1);
	tell(&table);
	bad = planned(&table, "bad", 9);
	good = planned(&table, "good", 9);
	for (i = 0; i < 5; i++)
		call_place_failed(&table.pool, bad, false, NOW);
	wait_for(&table, NULL);
	wait_for(&table, NULL);
	CHECK(start_next(&table, NULL) == good);
	CHECK(start_next(&table, NULL) == NULL);
	call_place_end(&table.pool, good);
	CHECK(start_next(&table, NULL) == good);
	close_table(&table);
}

static void
a_retry_goes_to_another_instance_where_there_is_one(void)
{
	struct table table;
	struct call_place *a;
	int i;

	open_table(&table);
	add(&table, "a", 8);
	add(&table, "b", 8);
	tell(&table);
	a = planned(&table, "a", 9);
	call_place_begin(&table.pool, planned(&table, "b", 9));
	for (i = 0; i < 50; i++)
		CHECK_STRING(choose(&table, a, NOW), "b");
	add(&table, "a", 8);
	tell(&table);
	CHECK_STRING(choose(&table, a, NOW), "a");
	close_table(&table);
}

static void
busy_cuts_an_instance_to_what_it_has_and_rests_let_it_grow(void)
{
	struct table table;
	struct call_place *a;
	double next;
	int i;

	open_table(&table);
	add(&table, "a", 4);
	tell(&table);
	a = planned(&table, "a", 9);
	for (i = 0; i < 10; i++)
		wait_for(&table, NULL);
	for (i = 0; i < 3; i++)
		start_next(&table, NULL);
	call_place_busy(&table.pool, a, -1, NOW, NOW);
	call_place_end(&table.pool, a);
	CHECK(start_next(&table, NULL) == NULL);
	next = call_pool_wake(&table.pool, NOW);
	CHECK(next > NOW && next <= NOW + 0.025);
	next = call_pool_wake(&table.pool, next);
	CHECK(start_next(&table, NULL) == a);
	CHECK(start_next(&table, NULL) == NULL);
	CHECK(next > 0);
	/* The next rest ends at all slots, and is the last. */
	CHECK(call_pool_wake(&table.pool, next) <= 0);
	CHECK(start_next(&table, NULL) == a);
	CHECK(start_next(&table, NULL) == NULL);
	close_table(&table);
}

static void
retry_after_is_the_least_rest(void)
{
	struct table table;
	struct call_place *a;
	double next;

	open_table(&table);
	add(&table, "a", 1);
	tell(&table);
	a = planned(&table, "a", 9);
	wait_for(&table, NULL);
	wait_for(&table, NULL);
	start_next(&table, NULL);
	call_place_busy(&table.pool, a, 3, NOW, NOW);
	call_place_end(&table.pool, a);
	/* Not all who were told so come back at the same time. */
	next = call_pool_wake(&table.pool, NOW + 2.9);
	CHECK(next > NOW + 3.01 && next <= NOW + 4);
	CHECK(start_next(&table, NULL) == NULL);
	call_pool_wake(&table.pool, next);
	CHECK(start_next(&table, NULL) == a);
	close_table(&table);
}

/* The longest rest of many, each after the last one was in vain. */
static double
longest_rest(struct table *table, struct call_place *place)
{
	double now = NOW, next, longest = 0;
	int i;

	for (i = 0; i < 200; i++) {
		call_place_begin(&table->pool, place);
		call_place_busy(&table->pool, place, -1, now, now);
		call_place_end(&table->pool, place);
		next = call_pool_wake(&table->pool, now);
		longest = fmax(longest, next - now);
		now = fmax(now, next);
		call_pool_wake(&table->pool, now);
	}
	return longest;
}

static void
rests_double_up_to_two_seconds_or_one_where_it_refuses(void)
{
	struct table table;
	struct call_place *a;
	double longest;

	open_table(&table);
	add(&table, "a", 2);
	tell(&table);
	a = planned(&table, "a", 9);
	longest = longest_rest(&table, a);
	CHECK(longest > 1.8 && longest <= 2);
	close_table(&table);
	open_table(&table);
	add(&table, "a", 2);
	tell(&table);
	a = planned(&table, "a", 9);
	call_place_refused(a, NOW);
	longest = longest_rest(&table, a);
	CHECK(longest > 0.9 && longest <= 1);
	/* It is back. */
	call_place_answered(a);
	CHECK(a->pace == 0);
	close_table(&table);
}

static void
a_rest_after_which_nothing_is_turned_away_halves_the_next(void)
{
	struct table table;
	struct call_place *a;
	double next = NOW, paces[] = {0.8, 0.4, 0.2, 0.1, 0.05, 0.025, 0.025};
	size_t i;

	open_table(&table);
	add(&table, "a", 16);
	tell(&table);
	a = planned(&table, "a", 9);
	call_place_begin(&table.pool, a);
	call_place_busy(&table.pool, a, 0.8, NOW, NOW);
	call_place_end(&table.pool, a);
	next = call_pool_wake(&table.pool, NOW);
	for (i = 0; i < sizeof(paces) / sizeof(paces[0]); i++) {
		call_pool_wake(&table.pool, next);
		CHECK(a->limit == i + 1);
		call_place_begin(&table.pool, a);
		CHECK(fabs(a->pace - paces[i]) < 1e-9);
		CHECK(a->until <= next + paces[i]);
		next = a->until;
	}
	close_table(&table);
}

static void
a_success_ends_no_rest_and_without_one_the_next_is_short(void)
{
	struct table table;
	struct call_place *a;

	open_table(&table);
	add(&table, "a", 2);
	tell(&table);
	a = planned(&table, "a", 9);
	call_place_begin(&table.pool, a);
	call_place_begin(&table.pool, a);
	call_place_busy(&table.pool, a, 3, NOW, NOW);
	call_place_end(&table.pool, a);
	call_place_succeeded(&table.pool, a);
	CHECK(a->until > NOW + 3 && a->limit == 1 && a->pace >= 1);
	call_pool_wake(&table.pool, NOW + 4);
	CHECK(a->until <= 0 && a->limit == 2);
	call_place_succeeded(&table.pool, a);
	CHECK(a->pace == 0);
	close_table(&table);
}

static void
a_connection_that_dies_holds_back_what_is_not_sent_yet(void)
{
	struct table table;
	struct call_place *a;

	open_table(&table);
	add(&table, "a", 4);
	tell(&table);
	a = planned(&table, "a", 9);
	call_place_begin(&table.pool, a);
	call_place_begin(&table.pool, a);
	/* It may fail so each time, for all that is known. */
	call_place_lost(&table.pool, a, NOW);
	CHECK(a->limit == 4 && a->until <= 0);
	call_place_answered(a);
	call_place_lost(&table.pool, a, NOW);
	call_place_end(&table.pool, a);
	CHECK(a->limit == 1 && fabs(a->until - NOW - 0.1) < 1e-6);
	wait_for(&table, NULL);
	CHECK(start_next(&table, NULL) == NULL);
	call_pool_wake(&table.pool, NOW + 0.1);
	CHECK(start_next(&table, NULL) == a);
	close_table(&table);
}

static void
nothing_starts_for_a_service_without_instances(void)
{
	struct table table;
	double since;
	bool worked;

	open_table(&table);
	wait_for(&table, NULL);
	CHECK(start_next(&table, NULL) == NULL);
	CHECK(call_lane_down(&table.service->lane, &since, &worked));
	CHECK(!worked);
	add_at(&table, "a", 9, 1, STATUS_CRITICAL);
	tell(&table);
	CHECK(start_next(&table, NULL) == NULL);
	CHECK(call_lane_down(&table.service->lane, &since, &worked));
	add(&table, "a", 1);
	tell(&table);
	CHECK(!call_lane_down(&table.service->lane, &since, &worked));
	CHECK_STRING(id_of(start_next(&table, NULL)), "a");
	tell(&table);
	CHECK(call_lane_down(&table.service->lane, &since, &worked));
	CHECK(worked);
	close_table(&table);
}

/* As the engine does, of a request that is open there. */
static void
turn_away(struct table *table, struct call_place *place, double now)
{
	call_place_answered(place);
	call_place_busy(&table->pool, place, -1, now, now);
	call_place_end(&table->pool, place);
}

static void
refuse(struct table *table, struct call_place *place, double now)
{
	call_place_refused(place, now);
	call_place_busy(&table->pool, place, -1, now, now);
	call_place_end(&table->pool, place);
}

static void
a_service_where_all_refuse_is_down_until_one_answers(void)
{
	struct table table;
	struct call_place *a;
	double since;
	bool worked;

	open_table(&table);
	add(&table, "a", 1);
	tell(&table);
	a = planned(&table, "a", 9);
	call_place_begin(&table.pool, a);
	refuse(&table, a, NOW);
	CHECK(call_lane_down(&table.service->lane, &since, &worked));
	CHECK(fabs(since - NOW) < 1e-6 && !worked);
	CHECK(call_lane_down(&a->lane, &since, &worked));
	/* While one more tries nobody knows. */
	call_pool_wake(&table.pool, NOW + 1);
	call_place_begin(&table.pool, a);
	CHECK(!call_lane_down(&table.service->lane, &since, &worked));
	refuse(&table, a, NOW + 1);
	CHECK(call_lane_down(&table.service->lane, &since, &worked));
	CHECK(fabs(since - NOW) < 1e-6 && !worked);
	call_place_answered(a);
	CHECK(!call_lane_down(&table.service->lane, &since, &worked));
	CHECK(!call_lane_down(&a->lane, &since, &worked));
	close_table(&table);
}

static void
a_service_where_all_are_busy_is_down_until_one_has_a_result(void)
{
	struct table table;
	struct call_place *a, *b;
	double since;
	bool worked;

	open_table(&table);
	add(&table, "a", 2);
	add(&table, "b", 1);
	tell(&table);
	a = planned(&table, "a", 9);
	b = planned(&table, "b", 9);
	call_place_begin(&table.pool, a);
	call_place_begin(&table.pool, a);
	call_place_begin(&table.pool, b);
	/* Whoever is in there still may come out with a result. */
	turn_away(&table, a, NOW);
	turn_away(&table, b, NOW);
	CHECK(!call_lane_down(&table.service->lane, &since, &worked));
	CHECK(!call_lane_down(&a->lane, &since, &worked));
	turn_away(&table, a, NOW + 1);
	CHECK(call_lane_down(&table.service->lane, &since, &worked));
	CHECK(fabs(since - NOW - 1) < 1e-6 && !worked);
	call_pool_wake(&table.pool, NOW + 9);
	call_place_begin(&table.pool, b);
	call_place_succeeded(&table.pool, b);
	call_place_end(&table.pool, b);
	CHECK(!call_lane_down(&table.service->lane, &since, &worked));
	/* Now it has worked. */
	call_place_begin(&table.pool, b);
	turn_away(&table, b, NOW + 10);
	call_place_begin(&table.pool, a);
	turn_away(&table, a, NOW + 11);
	CHECK(call_lane_down(&table.service->lane, &since, &worked));
	CHECK(fabs(since - NOW - 10) < 1e-6 && worked);
	close_table(&table);
}

/* Lines may bring any number of names. */
static void
since_when_nobody_is_there_is_known_of_names_asked_for_last(void)
{
	struct call_service *service;
	struct table table;
	char name[32];
	double first;
	int i;

	open_table(&table);
	service = call_pool_service(&table.pool, "nobody");
	if (!CHECK(service != NULL))
		return;
	first = service->down;
	call_pool_forget(&table.pool, service);
	while (time_monotonic() <= first)
		continue;
	service = call_pool_service(&table.pool, "nobody");
	CHECK(service != NULL && service->down <= first);
	call_pool_forget(&table.pool, service);
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "nobody%d", i);
		service = call_pool_service(&table.pool, name);
		if (CHECK(service != NULL))
			call_pool_forget(&table.pool, service);
	}
	CHECK(call_pool_find(&table.pool, "nobody") == NULL);
	CHECK(call_pool_find(&table.pool, "nobody4999") == service);
	CHECK(table.pool.absent_count < 2000);
	close_table(&table);
}

static void
lanes_take_turns(void)
{
	struct table table;
	struct call_place *a, *b;
	int i, of_a = 0;

	open_table(&table);
	add(&table, "a", 20);
	add(&table, "b", 20);
	tell(&table);
	a = planned(&table, "a", 9);
	b = planned(&table, "b", 9);
	for (i = 0; i < 20; i++)
		wait_for(&table, a);
	for (i = 0; i < 20; i++)
		wait_for(&table, b);
	for (i = 0; i < 10; i++)
		of_a += start_next(&table, NULL) == a;
	CHECK(of_a == 5);
	close_table(&table);
}

static void
what_was_sent_before_goes_first_and_alone_while_paused(void)
{
	struct table table;
	struct call_job *begun, *job;
	struct call_place *place;

	open_table(&table);
	add(&table, "a", 8);
	tell(&table);
	wait_for(&table, NULL);
	CHECK(call_pool_next(&table.pool, true, NOW, &place) == NULL);
	begun = new_job(&table, NULL);
	begun->begun = true;
	call_lane_add(&table.pool, &table.service->lane, begun);
	CHECK(call_pool_next(&table.pool, true, NOW, &place) == begun);
	start_next(&table, &job);
	CHECK(job == begun);
	CHECK(call_pool_next(&table.pool, true, NOW, &place) == NULL);
	close_table(&table);
}

static void
an_instance_of_an_unknown_service_is_used_as_the_line_has_it(void)
{
	struct table table;
	struct call_place *stray, *place;

	open_table(&table);
	stray = planned(&table, "a", 9);
	CHECK(stray != NULL && planned(&table, "a", 9) == stray);
	/* What lines say of an id is not checked. */
	CHECK(planned(&table, "a", 10) != stray);
	wait_for(&table, stray);
	wait_for(&table, NULL);
	CHECK(start_next(&table, NULL) == stray);
	/* The other one is for whoever the registry will name. */
	CHECK(start_next(&table, NULL) == NULL);
	wait_for(&table, stray);
	add(&table, "a", 2);
	add(&table, "b", 2);
	tell(&table);
	place = planned(&table, "a", 9);
	CHECK(place != NULL && place != stray && place->told);
	CHECK(!TAILQ_EMPTY(&place->lane.jobs));
	call_place_end(&table.pool, stray);
	close_table(&table);
}

static void
instances_that_only_lines_name_are_forgotten(void)
{
	struct table table;
	struct call_place *busy;
	int i;

	open_table(&table);
	busy = planned(&table, "busy", 1);
	call_place_begin(&table.pool, busy);
	for (i = 1; i < 20000; i++)
		if (!CHECK(planned(&table, "a", i) != NULL))
			break;
	CHECK(table.pool.strays <= 2048);
	CHECK(planned(&table, "busy", 1) == busy);
	call_place_end(&table.pool, busy);
	close_table(&table);
}

static void
tasks_go_to_whom_has_what_they_require(void)
{
	struct table table;
	struct call_job *job;

	open_table(&table);
	add(&table, "a", 1);
	add_line(&table, "{\"service\":\"w\",\"id\":\"b\","
			 "\"address\":\"http://127.0.0.1:9/task\","
			 "\"labels\":{\"gpu\":\"1\"},"
			 "\"capacity\":{\"slots\":1}}");
	tell(&table);
	wait_requiring(&table, "{\"labels\":\"gpu\"}");
	wait_requiring(&table, "{\"labels\":\"gpu\"}");
	wait_requiring(&table, "{\"labels\":\"!gpu\"}");
	CHECK_STRING(id_of(start_next(&table, &job)), "b");
	/* The second one waits, and lets the third one pass. */
	CHECK_STRING(id_of(start_next(&table, &job)), "a");
	CHECK(job == &table.jobs[2]);
	CHECK(start_next(&table, NULL) == NULL);
	call_place_end(&table.pool, planned(&table, "a", 9));
	CHECK(start_next(&table, NULL) == NULL);
	call_place_end(&table.pool, planned(&table, "b", 9));
	CHECK_STRING(id_of(start_next(&table, NULL)), "b");
	close_table(&table);
}

static void
what_nobody_meets_waits_until_somebody_comes_who_does(void)
{
	struct table table;
	struct call_job *job;
	struct task_failure failure;
	double since;
	bool worked;

	open_table(&table);
	add(&table, "a", 1);
	tell(&table);
	job = wait_requiring(&table, "{\"slots\":2}");
	CHECK(!job->lane->runnable);
	CHECK(start_next(&table, NULL) == NULL);
	CHECK(call_lane_down(job->lane, &since, &worked) && !worked);
	call_lane_why(job->lane, &failure);
	CHECK(failure.code == CODE_UNPLACEABLE);
	CHECK_STRING(failure.message,
	    "w: 0 of 1 instance: 1 insufficient slots (need 2, most free 1)");
	add(&table, "a", 2);
	tell(&table);
	CHECK(!call_lane_down(job->lane, &since, &worked));
	CHECK_STRING(id_of(start_next(&table, NULL)), "a");
	close_table(&table);
}

static void
requires_that_cannot_be_read_has_no_lane(void)
{
	struct table table;
	struct call_job *job;
	struct svc_error error;
	int told;

	open_table(&table);
	for (told = 0; told < 2; told++) {
		job = new_job(&table, "{\"cpu\":-1}");
		CHECK(call_pool_lane(&table.pool, table.service, job->task,
			  &error) == NULL);
		CHECK_STRING(error.message, "\"requires.cpu\": negative: -1");
		add(&table, "a", 1);
		tell(&table);
	}
	close_table(&table);
}

static void
a_planned_task_that_moves_keeps_what_it_requires(void)
{
	struct table table;
	struct call_job *job;

	open_table(&table);
	add(&table, "a", 1);
	add(&table, "b", 4);
	tell(&table);
	job = new_job(&table, "{\"slots\":4}");
	call_lane_add(&table.pool, &planned(&table, "a", 9)->lane, job);
	add(&table, "b", 3);
	add(&table, "c", 4);
	tell(&table);
	CHECK_STRING(id_of(start_next(&table, NULL)), "c");
	close_table(&table);
}

static void
lanes_of_what_is_required_no_more_are_forgotten(void)
{
	struct table table;
	char requires[64];
	int i;

	open_table(&table);
	add(&table, "a", 1);
	tell(&table);
	for (i = 0; i < 10000; i++) {
		struct call_job *job;

		snprintf(requires, sizeof(requires), "{\"slots\":0.%d}", i);
		job = wait_requiring(&table, requires);
		call_lane_remove(&table.pool, job->lane, job);
		table.job_count = 0;
	}
	CHECK(table.service->lane_count <= 64);
	close_table(&table);
}

/* Starts one that requires that; the grant, to end it. */
static struct call_place *
start_granted(
    struct table *table, const char *requires, struct call_grant **grant)
{
	struct call_job *job = wait_requiring(table, requires), *next;
	struct call_place *place;

	next = call_pool_next(&table->pool, false, NOW, &place);
	call_lane_remove(&table->pool, job->lane, job);
	if (next == NULL)
		return NULL;
	*grant = call_place_begin(&table->pool, place);
	return place;
}

static void
what_runs_is_counted_by_the_next_choice_too(void)
{
	struct table table;
	struct call_grant *grant, *other;
	struct call_place *a;
	int i;

	open_policy(&table, "constrained");
	add(&table, "a", 4);
	tell(&table);
	a = start_granted(&table, "{\"slots\":3}", &grant);
	CHECK_STRING(id_of(a), "a");
	for (i = 0; i < 3; i++) {
		CHECK(start_granted(&table, "{\"slots\":2}", &other) == NULL);
		/* Who comes makes another choice. */
		add(&table, "a", 4);
		if (i == 1)
			add_at(&table, "b", 9, 4, STATUS_CRITICAL);
		tell(&table);
	}
	call_grant_end(&table.pool, grant);
	call_place_end(&table.pool, a);
	CHECK(start_granted(&table, "{\"slots\":2}", &other) == a);
	call_grant_end(&table.pool, other);
	call_place_end(&table.pool, a);
	close_table(&table);
}

static void
what_was_chosen_and_not_begun_is_not_counted(void)
{
	struct table table;
	struct call_job *job;
	struct call_place *place;
	int i;

	open_policy(&table, "constrained");
	add(&table, "a", 4);
	tell(&table);
	job = wait_requiring(&table, "{\"slots\":4}");
	for (i = 0; i < 3; i++) {
		CHECK(call_pool_next(&table.pool, false, NOW, &place) == job);
		CHECK(call_pool_other(&table.pool, table.service, job->task,
			  NULL, NOW) == place);
		CHECK(call_pool_other(&table.pool, table.service, job->task,
			  place, NOW) == NULL);
	}
	close_table(&table);
}

static void
fail(struct table *table, const char *id, int times, bool fault, double now)
{
	while (times-- > 0)
		call_place_failed(
		    &table->pool, planned(table, id, 9), fault, now);
}

static void
five_faults_in_a_row_eject_an_instance_for_30_seconds_times(void)
{
	struct table table;
	double now = NOW, next;
	int times, i;

	open_table(&table);
	add(&table, "a", 9);
	add(&table, "b", 9);
	tell(&table);
	for (times = 1; times <= 3; times++) {
		fail(&table, "a", 4, true, now);
		CHECK(call_pool_wake(&table.pool, now) <= 0);
		fail(&table, "a", 1, true, now);
		next = call_pool_wake(&table.pool, now);
		CHECK(fabs(next - now - 30 * times) < 1e-6);
		now = next - 0.1;
		call_place_begin(&table.pool, planned(&table, "b", 9));
		for (i = 0; i < 50; i++)
			CHECK_STRING(choose(&table, NULL, now), "b");
		now = next;
		CHECK(call_pool_wake(&table.pool, now) <= 0);
		CHECK_STRING(table.notes, "w/a: may be chosen again");
		CHECK_STRING(choose(&table, NULL, now), "a");
		call_place_end(&table.pool, planned(&table, "b", 9));
	}
	/* Each 30 s without one make the next one shorter. */
	now += 61;
	fail(&table, "a", 5, true, now);
	CHECK_STRING(
	    table.notes, "w/a: 5 failures in a row; not chosen for 60 s");
	close_table(&table);
}

static void
what_is_no_fault_ejects_nobody_and_breaks_the_row(void)
{
	struct table table;

	open_table(&table);
	add(&table, "a", 9);
	add(&table, "b", 9);
	tell(&table);
	fail(&table, "a", 20, false, NOW);
	fail(&table, "a", 4, true, NOW);
	call_place_succeeded(&table.pool, planned(&table, "a", 9));
	fail(&table, "a", 4, true, NOW);
	fail(&table, "a", 1, false, NOW);
	fail(&table, "a", 4, true, NOW);
	CHECK(call_pool_wake(&table.pool, NOW) <= 0);
	close_table(&table);
}

static void
never_more_than_half_are_ejected(void)
{
	static const char *const ids[] = {"a", "b", "c", "d", "e"};
	struct table table;
	size_t count, i;

	for (count = 1; count <= 5; count++) {
		open_table(&table);
		for (i = 0; i < count; i++)
			add(&table, ids[i], 9);
		tell(&table);
		for (i = 0; i < count; i++)
			fail(&table, ids[i], 9, true, NOW);
		CHECK(table.service->out == count / 2);
		close_table(&table);
	}
}

static void
an_ejected_one_is_back_when_too_few_others_work(void)
{
	struct table table;

	open_table(&table);
	add(&table, "a", 9);
	add(&table, "b", 9);
	tell(&table);
	fail(&table, "a", 5, true, NOW);
	add(&table, "a", 9);
	add_at(&table, "b", 9, 9, STATUS_CRITICAL);
	tell(&table);
	CHECK_STRING(choose(&table, NULL, NOW), "a");
	CHECK_STRING(
	    table.notes, "w/a: may be chosen again: too few others work");
	CHECK(call_pool_wake(&table.pool, NOW) <= 0);
	close_table(&table);
}

static void
what_is_planned_onto_an_ejected_one_goes_on(void)
{
	struct table table;
	struct call_place *a;

	open_table(&table);
	add(&table, "a", 9);
	add(&table, "b", 9);
	tell(&table);
	fail(&table, "a", 5, true, NOW);
	a = planned(&table, "a", 9);
	wait_for(&table, a);
	CHECK(start_next(&table, NULL) == a);
	close_table(&table);
}

int
main(void)
{
	RUN(the_less_loaded_of_two_gets_the_task);
	RUN(of_many_the_most_loaded_is_never_chosen_and_each_other_is);
	RUN(slots_are_never_exceeded);
	RUN(fewer_slots_are_obeyed_at_once_and_more_are_used);
	RUN(an_instance_that_names_no_slots_may_get_all_jobs);
	RUN(a_planned_task_waits_for_its_own_instance);
	RUN(a_planned_task_moves_when_its_place_is_gone_draining_or_critical);
	RUN(a_warning_gets_new_work_only_where_nothing_passes);
	RUN(an_id_at_another_address_takes_over_what_waits);
	RUN(an_instance_that_fails_does_not_attract_work);
	RUN(who_waits_for_a_full_instance_is_woken_when_a_slot_is_free);
	RUN(a_retry_goes_to_another_instance_where_there_is_one);
	RUN(busy_cuts_an_instance_to_what_it_has_and_rests_let_it_grow);
	RUN(retry_after_is_the_least_rest);
	RUN(rests_double_up_to_two_seconds_or_one_where_it_refuses);
	RUN(a_rest_after_which_nothing_is_turned_away_halves_the_next);
	RUN(a_success_ends_no_rest_and_without_one_the_next_is_short);
	RUN(a_connection_that_dies_holds_back_what_is_not_sent_yet);
	RUN(nothing_starts_for_a_service_without_instances);
	RUN(a_service_where_all_refuse_is_down_until_one_answers);
	RUN(a_service_where_all_are_busy_is_down_until_one_has_a_result);
	RUN(since_when_nobody_is_there_is_known_of_names_asked_for_last);
	RUN(lanes_take_turns);
	RUN(what_was_sent_before_goes_first_and_alone_while_paused);
	RUN(an_instance_of_an_unknown_service_is_used_as_the_line_has_it);
	RUN(instances_that_only_lines_name_are_forgotten);
	RUN(tasks_go_to_whom_has_what_they_require);
	RUN(what_nobody_meets_waits_until_somebody_comes_who_does);
	RUN(requires_that_cannot_be_read_has_no_lane);
	RUN(a_planned_task_that_moves_keeps_what_it_requires);
	RUN(lanes_of_what_is_required_no_more_are_forgotten);
	RUN(what_runs_is_counted_by_the_next_choice_too);
	RUN(what_was_chosen_and_not_begun_is_not_counted);
	RUN(five_faults_in_a_row_eject_an_instance_for_30_seconds_times);
	RUN(what_is_no_fault_ejects_nobody_and_breaks_the_row);
	RUN(never_more_than_half_are_ejected);
	RUN(an_ejected_one_is_back_when_too_few_others_work);
	RUN(what_is_planned_onto_an_ejected_one_goes_on);
	return check_done();
}
