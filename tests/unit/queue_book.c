#include "flow/queue_book.h"

#include <malloc.h>
#include <stdlib.h>
#include <sysexits.h>

#include "book_fixture.h"
#include "sched/random.h"

static void
ids_of_one_millisecond_come_in_natural_order(void)
{
	static const char *const ids[] = {
	    "run-9", "t1.3", "run-10", "t1", "run-100", "run-1", "t1.20", "a"};
	static const char *const want[] = {"a.0", "run-1.0", "run-9.0",
	    "run-10.0", "run-100.0", "t1.0", "t1.3.0", "t1.20.0"};
	struct book_fixture fixture;
	size_t i;

	book_fixture_open(&fixture);
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		book_fixture_add(&fixture, ids[i], "");
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		CHECK_STRING(book_fixture_take(&fixture, 0), want[i]);
	CHECK_STRING(book_fixture_take(&fixture, 0), "");
	book_fixture_close(&fixture);
}

static void
priority_goes_before_the_deadline_and_that_before_submission(void)
{
	struct book_fixture fixture;

	book_fixture_open(&fixture);
	book_fixture_add_at(&fixture, "late", 0, "", 3000, 0);
	book_fixture_add_at(&fixture, "early", 0, "", 2000, 0);
	book_fixture_add_at(&fixture, "low", 0, "\"priority\":-1", 1, 0);
	book_fixture_add_at(&fixture, "high", 0, "\"priority\":0.5", 9000, 0);
	book_fixture_add_at(&fixture, "tomorrow", 0,
	    "\"deadline\":\"2100-01-02T00:00:00Z\"", 5000, 0);
	book_fixture_add_at(&fixture, "today", 0,
	    "\"deadline\":\"2100-01-01T00:00:00Z\"", 6000, 0);
	CHECK_STRING(book_fixture_take(&fixture, 0), "high.0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "today.0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "tomorrow.0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "early.0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "late.0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "low.0");
	book_fixture_close(&fixture);
}

#define MODEL_TASKS 3000

/* The reference: all that there are, sorted each time they are asked for. */
struct model_task {
	struct queue_place place;
	int priority;
	int deadline; /* year; 9999: none */
	int64_t submitted;
	bool there;
};

static int
compare_model(const void *p, const void *q)
{
	const struct model_task *a = p, *b = q;

	if (a->there != b->there)
		return a->there ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	if (a->deadline != b->deadline)
		return a->deadline < b->deadline ? -1 : 1;
	if (a->submitted != b->submitted)
		return a->submitted < b->submitted ? -1 : 1;
	return strverscmp(a->place.id, b->place.id);
}

static void
model_add(struct book_fixture *fixture, struct model_task *task,
    struct random *random, int number)
{
	char members[128], id[32];

	snprintf(id, sizeof(id), "%s%d", number % 3 == 0 ? "a" : "run-",
	    (int)random_below(random, 50) * MODEL_TASKS + number);
	task->place = book_fixture_place(id, number % 4 == 0);
	task->priority = (int)random_below(random, 3) - 1;
	task->deadline = random_below(random, 2) == 0
			     ? 9999
			     : 2090 + (int)random_below(random, 3);
	task->submitted = (int64_t)random_below(random, 40);
	task->there = true;
	snprintf(members, sizeof(members), "\"priority\":%d%s%.0d%s",
	    task->priority, task->deadline == 9999 ? "" : ",\"deadline\":\"",
	    task->deadline == 9999 ? 0 : task->deadline,
	    task->deadline == 9999 ? "" : "-01-01T00:00:00Z\"");
	CHECK(book_fixture_add_at(fixture, id, task->place.claims, members,
		  task->submitted, 0) == 1);
}

/* The place in the sorted reference of what the book took; -1: nowhere. */
static int
model_find(struct model_task *tasks, int count, const struct queue_place *place)
{
	int i;

	for (i = 0; i < count && tasks[i].there; i++)
		if (strcmp(tasks[i].place.id, place->id) == 0 &&
		    tasks[i].place.claims == place->claims)
			return i;
	return -1;
}

/* Removes and takes some between, so that what comes finds gaps. */
static void
model_thin(struct book_fixture *fixture, struct model_task *tasks, int count,
    struct random *random)
{
	struct queue_place place;
	int i, found;

	for (i = 0; i < count / 4; i++) {
		struct model_task *task =
		    &tasks[random_below(random, (uint64_t)count)];

		if (task->there)
			queue_book_remove(fixture->book, &task->place);
		task->there = false;
	}
	qsort(tasks, (size_t)count, sizeof(*tasks), compare_model);
	for (i = 0; i < 10; i++) {
		if (!CHECK(queue_book_take(fixture->book, 0, 1, &place)))
			return;
		found = model_find(tasks, count, &place);
		if (!CHECK(found == i))
			return;
	}
	for (i = 0; i < 10; i++)
		tasks[i].there = false;
}

static void
random_tasks_come_as_sorting_them_has_it(void)
{
	static struct model_task tasks[MODEL_TASKS];
	struct book_fixture fixture;
	struct queue_place place;
	struct random random;
	int i, wrong = 0, left = 0;

	book_fixture_open(&fixture);
	random_seed(&random, 11);
	for (i = 0; i < MODEL_TASKS; i++) {
		model_add(&fixture, &tasks[i], &random, i);
		if (i % 500 == 499)
			model_thin(&fixture, tasks, i + 1, &random);
	}
	qsort(tasks, MODEL_TASKS, sizeof(tasks[0]), compare_model);
	while (left < MODEL_TASKS && tasks[left].there)
		left++;
	CHECK(left > 500);
	CHECK(queue_book_ready(fixture.book, 0) == (size_t)left);
	for (i = 0; i < left; i++)
		wrong += !queue_book_take(fixture.book, 0, 1, &place) ||
			 strcmp(place.id, tasks[i].place.id) != 0 ||
			 place.claims != tasks[i].place.claims;
	CHECK(wrong == 0);
	CHECK(!queue_book_take(fixture.book, 0, 1, &place));
	CHECK_STRING(book_fixture_counts(&fixture), "0 0 0");
	book_fixture_close(&fixture);
}

#define AMONG  5
#define ROUNDS 20000

/* Each is expected ROUNDS / AMONG times: 4000, with a deviation of 57. */
static void
each_of_the_first_is_chosen_as_often(void)
{
	int taken[26] = {0}, i;
	struct book_fixture fixture;
	struct queue_place place;
	char id[2] = "";

	book_fixture_open(&fixture);
	for (i = 0; i < 26; i++) {
		id[0] = (char)('a' + i);
		book_fixture_add(&fixture, id, i < 2 ? "\"priority\":1" : "");
	}
	for (i = 0; i < ROUNDS; i++) {
		if (!CHECK(queue_book_take(fixture.book, 0, AMONG, &place)))
			break;
		taken[place.id[0] - 'a']++;
		book_fixture_add(&fixture, place.id,
		    place.id[0] < 'c' ? "\"priority\":1" : "");
	}
	for (i = 0; i < AMONG; i++)
		CHECK(abs(taken[i] - ROUNDS / AMONG) < 6 * 57);
	for (; i < 26; i++)
		CHECK(taken[i] == 0);
	book_fixture_close(&fixture);
}

static void
whoever_is_chosen_is_one_of_the_first_that_there_are(void)
{
	static struct model_task tasks[400];
	struct book_fixture fixture;
	struct queue_place place;
	struct random random;
	int i, found;
	size_t among;

	book_fixture_open(&fixture);
	random_seed(&random, 5);
	for (i = 0; i < 400; i++)
		model_add(&fixture, &tasks[i], &random, i);
	for (i = 0; i < 400; i++) {
		qsort(tasks, 400, sizeof(tasks[0]), compare_model);
		among = random_below(&random, 12); /* 0: the first, too */
		CHECK(queue_book_take(fixture.book, 0, among, &place));
		found = model_find(tasks, 400, &place);
		if (!CHECK(found != -1 && (found == 0 || found < (int)among)))
			break;
		tasks[found].there = false;
	}
	CHECK(!queue_book_take(fixture.book, 0, 3, &place));
	book_fixture_close(&fixture);
}

static void
lanes_are_of_a_service_and_what_is_required(void)
{
	struct book_fixture fixture;

	book_fixture_open(&fixture);
	CHECK(queue_book_lanes(fixture.book) == 0);
	CHECK(queue_book_ready(fixture.book, 0) == 0);
	book_fixture_add(&fixture, "a", "");
	book_fixture_add(&fixture, "b", "\"service\":\"ocr\"");
	book_fixture_add(&fixture, "c", "\"requires\":{\"cpu\":2}");
	book_fixture_add(&fixture, "d", "\"service\":\"render\"");
	CHECK(queue_book_lanes(fixture.book) == 3);
	CHECK_STRING(queue_book_service(fixture.book, 0), "render");
	CHECK_STRING(queue_book_service(fixture.book, 1), "ocr");
	CHECK_STRING(queue_book_service(fixture.book, 2), "render");
	CHECK(queue_book_ready(fixture.book, 0) == 2);
	CHECK_STRING(book_fixture_take(&fixture, 2), "c.0");
	CHECK_STRING(book_fixture_take(&fixture, 2), "");
	CHECK_STRING(book_fixture_take(&fixture, 1), "b.0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "a.0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "d.0");
	CHECK(queue_book_lanes(fixture.book) == 3);
	book_fixture_close(&fixture);
}

static void
one_that_comes_again_counts_once_and_with_more_claims_anew(void)
{
	struct book_fixture fixture;

	book_fixture_open(&fixture);
	CHECK(book_fixture_add_at(&fixture, "t1.3", 0, "", 5, 0) == 1);
	CHECK(book_fixture_add_at(&fixture, "t1.3", 0, "", 9, 0) == 0);
	CHECK_STRING(book_fixture_counts(&fixture), "1 0 0");
	CHECK(book_fixture_add_at(&fixture, "t1.3", 1, "", 5, 0) == 1);
	/* the one that has gone is told of late */
	book_fixture_remove(&fixture, "t1.3");
	CHECK_STRING(book_fixture_counts(&fixture), "1 0 0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "t1.3.1");
	CHECK_STRING(book_fixture_take(&fixture, 0), "");
	/* what was taken may come back */
	CHECK(book_fixture_add_at(&fixture, "t1.3", 1, "", 5, 0) == 1);
	CHECK_STRING(book_fixture_take(&fixture, 0), "t1.3.1");
	book_fixture_close(&fixture);
}

static void
whatever_is_removed_is_nowhere_any_more(void)
{
	static const char *const ids[] = {"ready", "blocked", "out", "asleep"};
	struct book_fixture fixture;
	struct task_failure failure;
	struct queue_place place;
	size_t i;

	book_fixture_open(&fixture);
	fixture.world[0].id = "open";
	book_fixture_add(&fixture, "ready", "");
	book_fixture_add(&fixture, "blocked", "\"after\":[\"open\",\"ready\"]");
	book_fixture_add(&fixture, "out", "\"after\":[\"gone\"]");
	book_fixture_add(
	    &fixture, "asleep", "\"not_before\":\"2100-01-01T00:00:00Z\"");
	CHECK_STRING(book_fixture_counts(&fixture), "1 2 1");
	book_fixture_remove(&fixture, "stranger");
	for (i = 0; i < 4; i++)
		book_fixture_remove(&fixture, ids[i]);
	CHECK_STRING(book_fixture_counts(&fixture), "0 0 0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "");
	CHECK(!queue_book_take_ruled_out(fixture.book, &place, &failure));
	queue_book_ended(fixture.book, "open", END_OK);
	queue_book_ended(fixture.book, "ready", END_OK);
	CHECK(queue_book_wake(fixture.book, INT64_MAX) == 0);
	CHECK_STRING(book_fixture_counts(&fixture), "0 0 0");
	book_fixture_close(&fixture);
}

static void
those_that_sleep_wake_when_both_times_have_come(void)
{
	static const char hour[] = "\"not_before\":\"1970-01-01T01:00:00Z\"";
	struct book_fixture fixture;

	book_fixture_open(&fixture);
	CHECK(book_fixture_add_at(&fixture, "hour", 0, hour, 1, 0) == 1);
	CHECK(book_fixture_add_at(&fixture, "rest", 1, "", 2, 3700000) == 1);
	CHECK(book_fixture_add_at(&fixture, "both", 1, hour, 3, 9000000) == 1);
	CHECK(book_fixture_add_at(&fixture, "less", 1, hour, 4, 1000) == 1);
	CHECK_STRING(book_fixture_counts(&fixture), "0 0 4");
	CHECK(queue_book_wake(fixture.book, 3599999) == 3600000);
	CHECK_STRING(book_fixture_take(&fixture, 0), "");
	CHECK(queue_book_wake(fixture.book, 3600000) == 3700000);
	CHECK_STRING(book_fixture_take(&fixture, 0), "hour.0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "less.1");
	CHECK_STRING(book_fixture_take(&fixture, 0), "");
	CHECK(queue_book_wake(fixture.book, 8000000) == 9000000);
	CHECK_STRING(book_fixture_take(&fixture, 0), "rest.1");
	/* whose time has passed by then need not sleep at all */
	CHECK(book_fixture_add_at(&fixture, "past", 0, hour, 5, 0) == 1);
	CHECK_STRING(book_fixture_take(&fixture, 0), "past.0");
	CHECK(queue_book_wake(fixture.book, 9000000) == 0);
	CHECK_STRING(book_fixture_take(&fixture, 0), "both.1");
	CHECK_STRING(book_fixture_counts(&fixture), "0 0 0");
	book_fixture_close(&fixture);
}

static void
one_that_waits_for_others_and_a_time_waits_for_both(void)
{
	static const char both[] =
	    "\"not_before\":\"1970-01-01T01:00:00Z\",\"after\":[\"a\"]";
	struct book_fixture fixture;

	book_fixture_open(&fixture);
	fixture.world[0].id = "a";
	book_fixture_add(&fixture, "first", both);
	book_fixture_add(&fixture, "then", both);
	book_fixture_remove(&fixture, "then");
	CHECK_STRING(book_fixture_counts(&fixture), "0 1 0");
	CHECK(queue_book_wake(fixture.book, 1000) == 0);
	queue_book_ended(fixture.book, "a", END_OK);
	CHECK_STRING(book_fixture_counts(&fixture), "0 0 1");
	CHECK(queue_book_wake(fixture.book, 1000) == 3600000);
	CHECK(queue_book_wake(fixture.book, 3600000) == 0);
	CHECK_STRING(book_fixture_take(&fixture, 0), "first.0");
	book_fixture_close(&fixture);
}

static void
what_is_no_line_of_the_task_is_ready_for_no_service(void)
{
	static const char *const lines[] = {
	    "",
	    "\n",
	    "{",
	    "{\"id\":\"x\"}",
	    "17",
	    "{\"id\":\"y\",\"task\":1}",
	    "{\"task\":1}",
	    "{\"id\":\"x\",\"task\":1,\"result\":2}",
	    "{\"id\":\"x\",\"task\":1,\"error\":{\"code\":\"http\"}}",
	    ("{\"id\":\"x\",\"task\":1,\"requires\":{\"cpu\":-1},"
	     "\"after\":[\"a\"]}"),
	    "{\"id\":\"x\",\"task\":1,\"bind\":{\"/n\":\"t0\"}}",
	    "{\"id\":\"x\",\"task\":1,\"after\":7}",
	};
	struct queue_place place = book_fixture_place("x", 2);
	struct book_fixture fixture;
	struct svc_error error;
	size_t i;

	book_fixture_open(&fixture);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		/* whatever came before it */
		book_fixture_add(&fixture, "w", "\"after\":[\"w\"]");
		book_fixture_remove(&fixture, "w");
		error.code = 0;
		if (!CHECK(queue_book_add(fixture.book, &place, lines[i],
			       strlen(lines[i]), 1, 0, &error) == -1 &&
			   error.code == EX_DATAERR && *error.message != '\0'))
			printf("# %s\n", lines[i]);
		CHECK(queue_book_add(fixture.book, &place, lines[i],
			  strlen(lines[i]), 1, 0, &error) == 0);
		CHECK_STRING(book_fixture_counts(&fixture), "1 0 0");
		CHECK_STRING(book_fixture_take(&fixture, 1), "x.2");
	}
	CHECK(queue_book_lanes(fixture.book) == 2);
	CHECK_STRING(queue_book_service(fixture.book, 1), "");
	CHECK(fixture.looks == 0);
	book_fixture_close(&fixture);
}

/* The message of the next that is ruled out, "ID: CODE: MESSAGE", or "". */
static const char *
take_ruled_out(struct book_fixture *fixture)
{
	struct task_failure failure;
	struct queue_place place;

	fixture->text[0] = '\0';
	if (queue_book_take_ruled_out(fixture->book, &place, &failure))
		snprintf(fixture->text, sizeof(fixture->text),
		    "%.8s: %s: %.80s", place.id, task_code_name(failure.code),
		    failure.message);
	return fixture->text;
}

static void
an_end_decides_as_when_says_and_tells_why(void)
{
	static const struct {
		const char *when;
		enum task_end end;
		const char *want; /* ""; NULL: it is ready */
	} cases[] = {
	    {"ok", END_OPEN, ""},
	    {"ok", END_OK, NULL},
	    {"ok", END_FAILED, "x: skipped: a failed"},
	    {"ok", END_SKIPPED, "x: skipped: a was skipped"},
	    {"ok", END_CANCELLED, "x: skipped: a was cancelled"},
	    {"failed", END_OPEN, ""},
	    {"failed", END_OK, "x: skipped: a has not failed"},
	    {"failed", END_FAILED, NULL},
	    {"failed", END_SKIPPED, "x: skipped: a was skipped"},
	    {"failed", END_CANCELLED, "x: skipped: a was cancelled"},
	    {"done", END_OPEN, ""},
	    {"done", END_OK, NULL},
	    {"done", END_FAILED, NULL},
	    {"done", END_SKIPPED, NULL},
	    {"done", END_CANCELLED, NULL},
	};
	struct book_fixture fixture;
	char members[64];
	size_t i;
	int late;

	for (i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		late = i % 2; /* it had not ended when x came */
		book_fixture_open(&fixture);
		fixture.world[0].id = "a";
		fixture.world[0].end = late ? END_OPEN : cases[i / 2].end;
		snprintf(members, sizeof(members),
		    "\"after\":[\"a\"],\"when\":\"%s\"", cases[i / 2].when);
		book_fixture_add(&fixture, "x", members);
		if (late)
			queue_book_ended(fixture.book, "a", cases[i / 2].end);
		CHECK_STRING(book_fixture_counts(&fixture),
		    cases[i / 2].want == NULL ? "1 0 0" : "0 1 0");
		CHECK_STRING(take_ruled_out(&fixture),
		    cases[i / 2].want == NULL ? "" : cases[i / 2].want);
		CHECK(fixture.looks == 1);
		book_fixture_close(&fixture);
	}
}

static void
who_waits_for_an_id_that_is_not_in_the_queue_fails(void)
{
	struct book_fixture fixture;

	book_fixture_open(&fixture);
	fixture.world[0].id = "a";
	book_fixture_add(
	    &fixture, "x", "\"after\":[\"a\",\"gone\"],\"when\":\"done\"");
	CHECK_STRING(take_ruled_out(&fixture),
	    "x: unknown-task: it waits for 'gone', which is not in the queue");
	book_fixture_add(&fixture, "y", "\"when\":\"failed\"");
	CHECK_STRING(take_ruled_out(&fixture),
	    "y: skipped: it is for a failure, and waits for nobody");
	book_fixture_add(
	    &fixture, "z", "\"bind\":{\"\":\"gone#/n\"},\"priority\":1");
	CHECK_STRING(take_ruled_out(&fixture),
	    "z: unknown-task: it waits for 'gone', which is not in the queue");
	CHECK_STRING(take_ruled_out(&fixture), "");
	book_fixture_close(&fixture);
}

static void
each_id_is_looked_for_once_while_somebody_waits_for_it(void)
{
	struct book_fixture fixture;

	book_fixture_open(&fixture);
	fixture.world[0].id = "a";
	book_fixture_add(&fixture, "x", "\"after\":[\"a\",\"a\"]");
	book_fixture_add(&fixture, "y", "\"after\":[\"a\"]");
	CHECK(fixture.looks == 1);
	/* that is in the book, and nobody need look */
	book_fixture_add(&fixture, "z", "\"after\":[\"x\",\"z\"]");
	CHECK(fixture.looks == 1);
	book_fixture_remove(&fixture, "x");
	book_fixture_remove(&fixture, "y");
	/* forgotten: it may be anything by now */
	fixture.world[0].end = END_OK;
	book_fixture_add(&fixture, "y", "\"after\":[\"a\"]");
	CHECK(fixture.looks == 2);
	CHECK_STRING(book_fixture_take(&fixture, 0), "y.0");
	book_fixture_close(&fixture);
}

static void
one_whose_others_cannot_be_looked_for_is_not_in_the_book(void)
{
	struct queue_place place = book_fixture_place("x", 0);
	struct book_fixture fixture;

	book_fixture_open(&fixture);
	book_fixture_add(&fixture, "a", "");
	fixture.broken = true;
	CHECK(book_fixture_add_at(
		  &fixture, "x", 0, "\"after\":[\"a\",\"b\"]", 1, 0) == -1);
	CHECK_STRING(book_fixture_counts(&fixture), "1 0 0");
	queue_book_ended(fixture.book, "a", END_FAILED);
	CHECK_STRING(take_ruled_out(&fixture), "");
	queue_book_remove(fixture.book, &place);
	fixture.broken = false;
	book_fixture_add(&fixture, "x", "\"after\":[\"a\"]");
	CHECK_STRING(book_fixture_counts(&fixture), "1 1 0");
	book_fixture_close(&fixture);
}

static void
an_end_that_is_taken_back_is_waited_for_again(void)
{
	struct book_fixture fixture;

	book_fixture_open(&fixture);
	fixture.world[0].id = "a";
	fixture.world[1].id = "b";
	book_fixture_add(&fixture, "both", "\"after\":[\"a\",\"b\"]");
	book_fixture_add(
	    &fixture, "undo", "\"after\":[\"a\",\"b\"],\"when\":\"failed\"");
	queue_book_ended(fixture.book, "a", END_FAILED);
	queue_book_ended(fixture.book, "a", END_FAILED);
	CHECK_STRING(book_fixture_counts(&fixture), "0 2 0");
	/* retried before the one that was ruled out was taken */
	queue_book_ended(fixture.book, "a", END_OPEN);
	CHECK_STRING(take_ruled_out(&fixture), "");
	queue_book_ended(fixture.book, "b", END_OK);
	CHECK_STRING(book_fixture_counts(&fixture), "0 2 0");
	queue_book_ended(fixture.book, "a", END_OK);
	CHECK_STRING(book_fixture_take(&fixture, 0), "both.0");
	CHECK_STRING(
	    take_ruled_out(&fixture), "undo: skipped: a has not failed");
	book_fixture_close(&fixture);
}

static void
those_who_wait_for_each_other_stay_blocked_until_they_go(void)
{
	struct book_fixture fixture;

	book_fixture_open(&fixture);
	fixture.world[0].id = "b";
	book_fixture_add(&fixture, "a", "\"after\":[\"b\"]");
	book_fixture_add(&fixture, "b", "\"after\":[\"a\"]");
	book_fixture_add(&fixture, "self", "\"after\":[\"self\"]");
	CHECK_STRING(book_fixture_counts(&fixture), "0 3 0");
	CHECK_STRING(take_ruled_out(&fixture), "");
	book_fixture_remove(&fixture, "self");
	queue_book_ended(fixture.book, "self", END_CANCELLED);
	book_fixture_remove(&fixture, "b");
	queue_book_ended(fixture.book, "b", END_CANCELLED);
	CHECK_STRING(take_ruled_out(&fixture), "a: skipped: b was cancelled");
	CHECK_STRING(book_fixture_counts(&fixture), "0 0 0");
	book_fixture_close(&fixture);
}

#define GRAPH_TASKS 250
#define GRAPH_AFTER 4

/* The reference: who waits for whom, and how all have ended. */
struct graph {
	struct queue_book *book;
	struct random random;
	struct {
		int after[GRAPH_AFTER]; /* numbers; GRAPH_TASKS: none such */
		int count;
		enum task_when when;
		enum task_end end;
		bool there; /* in the book */
		bool sure; /* it was ready, and stays so */
	} tasks[GRAPH_TASKS];
	int added;
};

static int
number_of(const char *id)
{
	return (int)strtol(id + 1, NULL, 10);
}

static int
graph_look(
    void *argument, const char *id, enum task_end *end, struct svc_error *error)
{
	const struct graph *graph = argument;
	int number = number_of(id);

	(void)error;
	if (number == GRAPH_TASKS)
		return 0;
	CHECK(!graph->tasks[number].there);
	*end = graph->tasks[number].end;
	return 1;
}

static void
graph_add(struct graph *graph)
{
	static const char *const whens[] = {"ok", "failed", "done"};
	const int number = graph->added++;
	struct queue_place place;
	struct svc_error error;
	char line[256], id[16];
	int length, i;

	snprintf(id, sizeof(id), "t%d", number);
	place = book_fixture_place(id, 0);
	graph->tasks[number].count =
	    number == 0 ? 0 : (int)random_below(&graph->random, GRAPH_AFTER);
	graph->tasks[number].when =
	    graph->tasks[number].count == 0
		? WHEN_OK
		: (enum task_when)random_below(&graph->random, 3);
	length = snprintf(line, sizeof(line),
	    "{\"id\":\"%s\",\"task\":0,\"when\":\"%s\",\"after\":[", id,
	    whens[graph->tasks[number].when]);
	for (i = 0; i < graph->tasks[number].count; i++) {
		graph->tasks[number].after[i] =
		    random_below(&graph->random, 60) == 0
			? GRAPH_TASKS
			: (int)random_below(&graph->random, (uint64_t)number);
		length += snprintf(line + length, sizeof(line) - (size_t)length,
		    "%s\"t%d\"", i == 0 ? "" : ",",
		    graph->tasks[number].after[i]);
	}
	length +=
	    snprintf(line + length, sizeof(line) - (size_t)length, "]}\n");
	graph->tasks[number].there = true;
	CHECK(queue_book_add(graph->book, &place, line, (size_t)length, number,
		  0, &error) == 1);
}

/* From scratch, as the header of dependencies.h says it. */
static enum task_decision
graph_decide(struct graph *graph, int number)
{
	bool open = false, bad = false, failed = false, unknown = false;
	enum task_end end;
	int i;

	for (i = 0; i < graph->tasks[number].count; i++) {
		if (graph->tasks[number].after[i] == GRAPH_TASKS) {
			unknown = true;
			continue;
		}
		end = graph->tasks[graph->tasks[number].after[i]].end;
		open |= end == END_OPEN;
		bad |= end != END_OPEN && end != END_OK;
		failed |= end == END_FAILED;
	}
	if (graph->tasks[number].sure)
		return DECISION_READY;
	if (unknown || (graph->tasks[number].when == WHEN_OK && bad))
		return DECISION_SKIP;
	if (open)
		return DECISION_WAIT;
	if (graph->tasks[number].when == WHEN_FAILED && !failed)
		return DECISION_SKIP;
	graph->tasks[number].sure = true;
	return DECISION_READY;
}

static void
graph_end(struct graph *graph, int number, enum task_end end)
{
	char id[16];

	snprintf(id, sizeof(id), "t%d", number);
	graph->tasks[number].end = end;
	queue_book_ended(graph->book, id, end);
}

/* Takes one, and ends it somehow; now and then somebody retries one. */
static bool
graph_step(struct graph *graph)
{
	static const enum task_end ends[] = {
	    END_OK, END_OK, END_OK, END_FAILED, END_CANCELLED, END_SKIPPED};
	struct task_failure failure;
	struct queue_place place;
	int number;

	if (queue_book_take_ruled_out(graph->book, &place, &failure)) {
		number = number_of(place.id);
		CHECK(graph_decide(graph, number) == DECISION_SKIP);
		graph->tasks[number].there = false;
		graph_end(graph, number,
		    failure.code == CODE_SKIPPED ? END_SKIPPED : END_FAILED);
		return true;
	}
	if (!queue_book_take(graph->book, 0, 8, &place))
		return false;
	number = number_of(place.id);
	CHECK(graph_decide(graph, number) == DECISION_READY);
	graph->tasks[number].there = false;
	graph_end(graph, number, ends[random_below(&graph->random, 6)]);
	return true;
}

/* A task that has failed goes again: the book learns that it has not ended. */
static void
graph_retry(struct graph *graph)
{
	int number = (int)random_below(&graph->random, (uint64_t)graph->added);

	if (graph->tasks[number].end != END_FAILED)
		return;
	graph_end(graph, number, END_OPEN);
	graph_end(graph, number,
	    random_below(&graph->random, 2) == 0 ? END_OK : END_FAILED);
}

static void
graph_check(struct graph *graph)
{
	struct queue_book_counts counts;
	size_t ready = 0, blocked = 0;
	int i;

	for (i = 0; i < graph->added; i++)
		if (graph->tasks[i].there) {
			if (graph_decide(graph, i) == DECISION_READY)
				ready++;
			else
				blocked++;
		}
	queue_book_counts(graph->book, &counts);
	CHECK(counts.ready == ready);
	CHECK(counts.blocked == blocked);
}

static void
random_graphs_end_as_a_look_at_all_of_them_says(void)
{
	static struct graph graph;
	struct queue_book_options options = {
	    .service = "render", .look = graph_look, .argument = &graph};
	struct svc_error error;
	uint64_t seed;
	bool going;

	for (seed = 1; seed <= 30; seed++) {
		memset(&graph, 0, sizeof(graph));
		random_seed(&graph.random, seed);
		options.seed = seed;
		if (!CHECK(queue_book_open(&graph.book, &options, &error) == 0))
			return;
		do {
			going = graph.added < GRAPH_TASKS;
			if (going && random_below(&graph.random, 3) > 0)
				graph_add(&graph);
			else
				going |= graph_step(&graph);
			graph_check(&graph);
			if (graph.added > 0 &&
			    random_below(&graph.random, 5) == 0)
				graph_retry(&graph);
			graph_check(&graph);
		} while (going);
		queue_book_close(graph.book);
	}
}

#define CROWD 50000

/* With a walk through all of them for each it would take minutes. */
static void
any_of_a_crowd_that_waits_for_one_can_leave(void)
{
	struct book_fixture fixture;
	char id[16];
	int i;

	book_fixture_open(&fixture);
	fixture.world[0].id = "a";
	for (i = 0; i < CROWD; i++) {
		snprintf(id, sizeof(id), "t%d", i);
		book_fixture_add(&fixture, id, "\"after\":[\"a\"]");
	}
	for (i = 0; i < CROWD; i += 2) {
		snprintf(id, sizeof(id), "t%d", i);
		book_fixture_remove(&fixture, id);
	}
	CHECK_STRING(book_fixture_counts(&fixture), "0 25000 0");
	queue_book_ended(fixture.book, "a", END_OK);
	CHECK_STRING(book_fixture_counts(&fixture), "25000 0 0");
	CHECK_STRING(book_fixture_take(&fixture, 0), "t1.0");
	CHECK(fixture.looks == 1);
	book_fixture_close(&fixture);
}

static size_t
bytes_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

#define MANY 200000
#define FLOW 2000000

static void
add_many(struct book_fixture *fixture, int from, int to)
{
	char id[32];
	int i;

	for (i = from; i < to; i++) {
		snprintf(id, sizeof(id), "20261122-%07d", i);
		book_fixture_add(
		    fixture, id, i % 8 == 0 ? "\"priority\":1" : "");
	}
}

static void
a_task_takes_200_bytes_at_most_and_gives_them_back(void)
{
	struct book_fixture fixture;
	size_t before;

#ifdef __SANITIZE_ADDRESS__
	SKIP("the sanitizer's malloc counts otherwise");
	return;
#endif
	book_fixture_open(&fixture);
	add_many(&fixture, 0, 1);
	before = bytes_in_use();
	add_many(&fixture, 1, MANY);
	CHECK(bytes_in_use() - before < (size_t)MANY * (200 + 17));
	while (*book_fixture_take(&fixture, 0) != '\0')
		;
	CHECK(bytes_in_use() < before + 65536);
	book_fixture_close(&fixture);
}

/* Others take most of what comes: it is removed, and never was in front. */
static void
millions_that_come_and_go_leave_nothing_behind(void)
{
	struct book_fixture fixture;
	size_t before = 0;
	char id[32];
	int i;

#ifdef __SANITIZE_ADDRESS__
	SKIP("the sanitizer's malloc counts otherwise");
	return;
#endif
	book_fixture_open(&fixture);
	for (i = 0; i < FLOW; i++) {
		snprintf(id, sizeof(id), "task-%d", i);
		book_fixture_add(
		    &fixture, id, i % 4 == 0 ? "\"after\":[\"task-0\"]" : "");
		snprintf(id, sizeof(id), "task-%d", i - 99);
		if (i > 1000 && i % 1000 != 0)
			book_fixture_remove(&fixture, id);
		else if (i > 1000)
			(void)book_fixture_take(&fixture, 0);
		snprintf(id, sizeof(id), "other-%d", i);
		queue_book_ended(fixture.book, id, END_OK);
		if (i == FLOW / 10)
			before = bytes_in_use();
	}
	CHECK(bytes_in_use() < before + before / 4 + 65536);
	book_fixture_close(&fixture);
}

int
main(void)
{
	RUN(ids_of_one_millisecond_come_in_natural_order);
	RUN(priority_goes_before_the_deadline_and_that_before_submission);
	RUN(random_tasks_come_as_sorting_them_has_it);
	RUN(each_of_the_first_is_chosen_as_often);
	RUN(whoever_is_chosen_is_one_of_the_first_that_there_are);
	RUN(lanes_are_of_a_service_and_what_is_required);
	RUN(one_that_comes_again_counts_once_and_with_more_claims_anew);
	RUN(whatever_is_removed_is_nowhere_any_more);
	RUN(those_that_sleep_wake_when_both_times_have_come);
	RUN(one_that_waits_for_others_and_a_time_waits_for_both);
	RUN(what_is_no_line_of_the_task_is_ready_for_no_service);
	RUN(an_end_decides_as_when_says_and_tells_why);
	RUN(who_waits_for_an_id_that_is_not_in_the_queue_fails);
	RUN(each_id_is_looked_for_once_while_somebody_waits_for_it);
	RUN(one_whose_others_cannot_be_looked_for_is_not_in_the_book);
	RUN(an_end_that_is_taken_back_is_waited_for_again);
	RUN(those_who_wait_for_each_other_stay_blocked_until_they_go);
	RUN(random_graphs_end_as_a_look_at_all_of_them_says);
	RUN(any_of_a_crowd_that_waits_for_one_can_leave);
	RUN(a_task_takes_200_bytes_at_most_and_gives_them_back);
	RUN(millions_that_come_and_go_leave_nothing_behind);
	return check_done();
}
