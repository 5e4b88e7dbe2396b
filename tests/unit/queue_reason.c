/* Why tasks of the queue wait. */
#include "registry/queue_reason.h"

#include "registry/claimant.h"
#include "spool_fixture.h"

#define NOW 1795341600000 /* 2026-11-22T10:00:00Z */

static struct registry *registry;
static struct queue_reasons *reasons;
static char sentence[512];

static void
begin(bool ordered)
{
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	CHECK(queue_create(registry_store(registry), &error) == 0);
	CHECK(queue_reasons_open(&reasons, registry, ordered, &error) == 0);
}

static void
end(void)
{
	queue_reasons_close(reasons);
	registry_close(registry);
	spool_end();
}

/* Somebody who executes tasks. */
static struct claimant *
schedule(double ttl)
{
	struct claimant_options options = {.host = "here", .ttl = ttl};
	struct claimant *claimant = NULL;
	struct svc_error error;

	CHECK(claimant_open(
		  &claimant, registry_store(registry), &options, &error) == 0);
	return claimant;
}

/* The word; the sentence is put into sentence. */
static const char *
why(struct queue_record *record)
{
	struct buffer text = BUFFER_INIT;
	const char *reason = "";
	struct svc_error error;

	if (record->state == QUEUE_ABSENT)
		record->state = QUEUE_WAITING;
	if (record->id == NULL)
		record->id = "t1";
	CHECK(queue_reasons_tell(
		  reasons, record, NOW, &reason, &text, &error) != -1);
	snprintf(sentence, sizeof(sentence), "%s",
	    text.length == 0 ? "" : buffer_string(&text));
	buffer_release(&text);
	return reason;
}

static void
one_that_is_held_says_how_it_is_released(void)
{
	struct queue_record record = {.state = QUEUE_HELD};

	begin(true);
	CHECK_STRING(why(&record), "held");
	CHECK_STRING(sentence, "it is held until 'task-status --release t1'");
	end();
}

static void
one_that_does_not_wait_has_no_reason(void)
{
	struct queue_record record = {.state = QUEUE_RUNNING};

	begin(true);
	CHECK_STRING(why(&record), "");
	CHECK_STRING(sentence, "");
	end();
}

static void
one_that_waits_for_others_names_the_first_of_them(void)
{
	struct queue_record record = {
	    .after = "a\0b\0c\0d\0e", .after_count = 5};

	begin(true);
	spool_write("tasks/new/a.0", "{\"task\":1}\n");
	spool_write("tasks/held/b.0", "{\"task\":1}\n");
	spool_write("tasks/running/c.1@x", "{\"task\":1}\n");
	spool_write("tasks/done/d", "{\"task\":1,\"result\":1}\n");
	spool_write("tasks/new/e.2", "{\"task\":1}\n");
	CHECK_STRING(why(&record), "after");
	CHECK_STRING(sentence, "it waits for 4 of 5: a, b, c, ...");
	end();
}

static void
one_that_is_ruled_out_says_by_whom(void)
{
	struct queue_record ok = {.after = "bad\0open", .after_count = 2};
	struct queue_record undone = {.after = "skipped", .after_count = 1};
	struct queue_record gone = {
	    .after = "bad\0gone", .after_count = 2, .when = QUEUE_WHEN_DONE};

	begin(true);
	spool_write("tasks/new/open.0", "{\"task\":1}\n");
	spool_write(
	    "tasks/failed/bad", "{\"task\":1,\"error\":{\"code\":\"exit\"}}\n");
	spool_write("tasks/failed/skipped",
	    "{\"task\":1,\"error\":{\"code\":\"skipped\"}}\n");
	CHECK_STRING(why(&ok), "ruled-out");
	CHECK_STRING(sentence, "'bad', which it waits for, failed");
	CHECK_STRING(why(&undone), "ruled-out");
	CHECK_STRING(sentence,
	    "'skipped', which it waits for, was skipped or cancelled");
	CHECK_STRING(why(&gone), "ruled-out");
	CHECK_STRING(
	    sentence, "'gone', which it waits for, is not in the queue");
	end();
}

static void
an_undo_step_is_ruled_out_when_nothing_failed(void)
{
	struct queue_record fine = {
	    .after = "good", .after_count = 1, .when = QUEUE_WHEN_FAILED};
	struct queue_record needed = {
	    .after = "bad\0good", .after_count = 2, .when = QUEUE_WHEN_FAILED};
	struct queue_record open = {
	    .after = "good\0open", .after_count = 2, .when = QUEUE_WHEN_FAILED};

	begin(true);
	spool_write("tasks/new/open.0", "{\"task\":1}\n");
	spool_write("tasks/done/good", "{\"task\":1,\"result\":1}\n");
	spool_write(
	    "tasks/failed/bad", "{\"task\":1,\"error\":{\"code\":\"exit\"}}\n");
	CHECK_STRING(why(&fine), "ruled-out");
	CHECK_STRING(
	    sentence, "it runs when what it waits for fails, and that has not");
	CHECK_STRING(why(&needed), "no-scheduler");
	CHECK_STRING(why(&open), "after");
	end();
}

static void
how_others_ended_is_asked_once_until_renewed(void)
{
	struct queue_record record = {.after = "a", .after_count = 1};

	begin(true);
	spool_write("tasks/new/a.0", "{\"task\":1}\n");
	CHECK_STRING(why(&record), "after");
	CHECK(unlink(spool_path("tasks/new/a.0")) == 0);
	CHECK_STRING(why(&record), "after");
	queue_reasons_renew(reasons);
	CHECK_STRING(why(&record), "ruled-out");
	end();
}

static void
one_whose_time_has_not_come_says_when_it_does(void)
{
	struct queue_record record = {.not_before = NOW + 1};

	begin(true);
	CHECK_STRING(why(&record), "not-before");
	CHECK_STRING(
	    sentence, "it is not to start before 2026-11-22T10:00:00.001Z");
	record.not_before = NOW;
	CHECK_STRING(why(&record), "no-scheduler");
	end();
}

static void
one_that_came_back_rests_longer_each_time(void)
{
	struct queue_record record = {.claims = 2, .submitted = NOW - 1999};

	begin(true);
	CHECK_STRING(why(&record), "rests");
	CHECK_STRING(sentence, "it came back from a claim that was lost (2 of "
			       "3), and rests until 2026-11-22T10:00:00.001Z");
	record.submitted = NOW - 2000;
	CHECK_STRING(why(&record), "no-scheduler");
	end();
}

static void
without_a_scheduler_it_says_how_to_start_one(void)
{
	struct queue_record record = {.service = "render"};

	begin(true);
	CHECK_STRING(why(&record), "no-scheduler");
	CHECK_STRING(sentence,
	    "no task-run executes the queue: start 'task-run --queue'");
	end();
}

static void
without_instances_it_says_what_is_wrong_with_them(void)
{
	struct queue_record record = {.service = "render"};
	struct claimant *claimant;

	begin(true);
	claimant = schedule(0);
	CHECK_STRING(why(&record), "no-instances");
	CHECK_STRING(sentence, "render: no instances");
	CHECK(spool_register(registry, "{\"service\":\"render\",\"id\":\"i\","
				       "\"address\":\"http://h:1/\"}") == 0);
	spool_write("services/render/i.drain", "");
	queue_reasons_renew(reasons);
	CHECK_STRING(why(&record), "no-instances");
	CHECK_STRING(
	    sentence, "render: 1 instance, none available: 1 draining");
	claimant_close(claimant);
	end();
}

static void
those_before_it_are_counted_by_service(void)
{
	struct queue_record render = {.service = "render"}, none = {0};
	struct claimant *claimant;

	begin(true);
	CHECK(spool_register(registry, "{\"service\":\"render\",\"id\":\"i\","
				       "\"address\":\"http://h:1/\"}") == 0);
	claimant = schedule(30);
	CHECK_STRING(why(&render), "busy");
	CHECK_STRING(sentence,
	    "it is next, as soon as an instance of render has room for it");
	CHECK_STRING(why(&none), "busy");
	CHECK_STRING(
	    sentence, "it is next, as soon as a task-run has room for it");
	CHECK_STRING(why(&render), "turn");
	CHECK_STRING(sentence, "1 task of render comes before it");
	CHECK_STRING(why(&render), "turn");
	CHECK_STRING(sentence, "2 tasks of render come before it");
	CHECK_STRING(why(&none), "turn");
	CHECK_STRING(sentence, "1 task comes before it");
	claimant_close(claimant);
	end();
}

static void
asked_about_one_alone_it_counts_the_others(void)
{
	struct queue_record record = {0};
	struct claimant *claimant;

	begin(false);
	claimant = schedule(0);
	spool_write("tasks/new/t1.0", "{\"task\":1}\n");
	CHECK_STRING(why(&record), "busy");
	spool_write("tasks/new/t2.0", "{\"task\":1}\n");
	spool_write("tasks/new/t3.0", "{\"task\":1}\n");
	queue_reasons_renew(reasons);
	CHECK_STRING(why(&record), "turn");
	CHECK_STRING(sentence, "it waits for its turn, as 2 others");
	claimant_close(claimant);
	end();
}

int
main(void)
{
	RUN(one_that_is_held_says_how_it_is_released);
	RUN(one_that_does_not_wait_has_no_reason);
	RUN(one_that_waits_for_others_names_the_first_of_them);
	RUN(one_that_is_ruled_out_says_by_whom);
	RUN(an_undo_step_is_ruled_out_when_nothing_failed);
	RUN(how_others_ended_is_asked_once_until_renewed);
	RUN(one_whose_time_has_not_come_says_when_it_does);
	RUN(one_that_came_back_rests_longer_each_time);
	RUN(without_a_scheduler_it_says_how_to_start_one);
	RUN(without_instances_it_says_what_is_wrong_with_them);
	RUN(those_before_it_are_counted_by_service);
	RUN(asked_about_one_alone_it_counts_the_others);
	return check_done();
}
