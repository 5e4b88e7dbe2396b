/* Following the queue: what is told, and how often. */
#include "registry/queue_follow.h"

#include <poll.h>

#include "registry/queue_records.h"
#include "spool_fixture.h"

static struct registry *registry;
static struct queue_follow *follow;
static char told[4096]; /* "ID=STATE " of each, "-ID " of what is gone */
static bool (*wanted)(void *argument, const struct queue_place *place);

static bool
wants_all(void *argument, const struct queue_place *place)
{
	(void)argument;
	(void)place;
	return true;
}

static bool
wants_ended(void *argument, const struct queue_place *place)
{
	(void)argument;
	return (QUEUE_STATE_BIT(place->state) & QUEUE_STATES_ENDED) != 0;
}

static int
on_changed(
    void *argument, const struct queue_record *record, struct svc_error *error)
{
	size_t length = strlen(told);

	(void)argument;
	(void)error;
	snprintf(told + length, sizeof(told) - length, "%s=%s ", record->id,
	    queue_state_name(record->state));
	return 0;
}

static int
on_gone(void *argument, const char *id, struct svc_error *error)
{
	size_t length = strlen(told);

	(void)argument;
	(void)error;
	snprintf(told + length, sizeof(told) - length, "-%s ", id);
	return 0;
}

static void
begin(bool directories)
{
	struct queue_follow_options options = {
	    .wants = wanted, .changed = on_changed, .gone = on_gone};
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	if (directories)
		CHECK(queue_create(registry_store(registry), &error) == 0);
	CHECK(queue_follow_open(&follow, registry, &options, &error) == 0);
}

static void
end(void)
{
	queue_follow_close(follow);
	registry_close(registry);
	spool_end();
}

/* What is told of all that happened by now. */
static const char *
read_all(void)
{
	struct pollfd poller = {
	    .fd = queue_follow_descriptor(follow), .events = POLLIN};
	struct svc_error error;

	told[0] = '\0';
	while (poll(&poller, 1, 0) == 1)
		if (!CHECK(queue_follow_read(follow, &error) == 0))
			break;
	return told;
}

static void
put(const char *key, const char *line)
{
	struct store_put put = {.key = key,
	    .value = line,
	    .length = strlen(line),
	    .lease = STORE_SOFT};
	struct svc_error error;

	CHECK(store_put(registry_store(registry), &put, NULL, &error) == 0);
}

static void
move(const char *source, const char *target)
{
	struct svc_error error;

	CHECK(store_move(registry_store(registry), source, target, NULL, 0,
		  &error) == 1);
}

static void
a_change_is_told_once(void)
{
	wanted = wants_all;
	begin(true);
	put("tasks/new/a.0", "{\"task\":1}\n");
	CHECK_STRING(read_all(), "a=waiting ");
	CHECK_STRING(read_all(), "");
	move("tasks/new/a.0", "tasks/held/a.0");
	CHECK_STRING(read_all(), "a=held ");
	move("tasks/held/a.0", "tasks/new/a.0");
	CHECK_STRING(read_all(), "a=waiting ");
	end();
}

static void
of_a_quick_one_the_last_state_is_told(void)
{
	wanted = wants_all;
	begin(true);
	put("tasks/new/a.0", "{\"task\":1}\n");
	move("tasks/new/a.0", "tasks/running/a.0@x");
	move("tasks/running/a.0@x", "tasks/done/a");
	CHECK_STRING(read_all(), "a=done ");
	end();
}

static void
what_was_noted_is_not_told_again(void)
{
	struct queue_record record;
	struct svc_error error;
	bool known;

	wanted = wants_all;
	begin(true);
	put("tasks/new/a.0", "{\"task\":1}\n");
	put("tasks/new/b.0", "{\"task\":1}\n");
	if (CHECK(queue_records_get(registry, "a", &record, &known, &error) ==
		  1)) {
		CHECK(queue_follow_note(follow, &record, &error) == 0);
		queue_record_release(&record);
	}
	CHECK_STRING(read_all(), "b=waiting ");
	end();
}

static void
one_that_is_purged_is_gone(void)
{
	struct svc_error error;

	wanted = wants_all;
	begin(true);
	put("tasks/done/a", "{\"task\":1,\"result\":1}\n");
	CHECK_STRING(read_all(), "a=done ");
	CHECK(store_delete(registry_store(registry), "tasks/done/a", NULL,
		  false, &error) == 1);
	CHECK_STRING(read_all(), "-a ");
	put("tasks/done/a", "{\"task\":1,\"result\":1}\n");
	CHECK_STRING(read_all(), "a=done ");
	end();
}

static void
only_what_is_wanted_is_told(void)
{
	wanted = wants_ended;
	begin(true);
	put("tasks/new/a.0", "{\"task\":1}\n");
	CHECK_STRING(read_all(), "");
	move("tasks/new/a.0", "tasks/failed/a");
	CHECK_STRING(read_all(), "a=failed ");
	move("tasks/failed/a", "tasks/new/a.0");
	CHECK_STRING(read_all(), "-a ");
	move("tasks/new/a.0", "tasks/failed/a");
	CHECK_STRING(read_all(), "a=failed ");
	end();
}

static void
a_queue_that_comes_later_is_followed(void)
{
	struct svc_error error;

	wanted = wants_all;
	begin(false);
	CHECK_STRING(read_all(), "");
	CHECK(queue_create(registry_store(registry), &error) == 0);
	put("tasks/new/a.0", "{\"task\":1}\n");
	read_all();
	put("tasks/new/b.0", "{\"task\":1}\n");
	CHECK_STRING(read_all(), "b=waiting ");
	end();
}

static void
a_file_that_is_no_task_is_warned_of(void)
{
	wanted = wants_all;
	begin(true);
	put("tasks/new/a.0", "no\n");
	put("tasks/new/b.0", "{\"task\":1}\n");
	CHECK_STRING(read_all(), "b=waiting ");
	CHECK(warnings == 1);
	end();
}

static void
many_are_remembered_and_forgotten(void)
{
	struct queue_record record = {.state = QUEUE_DONE};
	struct svc_error error;
	char id[16], key[32];
	size_t i;

	wanted = wants_all;
	begin(true);
	for (i = 0; i < 3000; i++) {
		snprintf(id, sizeof(id), "t%zu", i);
		record.id = id;
		CHECK(queue_follow_note(follow, &record, &error) == 0);
	}
	for (i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "tasks/done/t%zu", 7 * i);
		put(key, "{\"task\":1,\"result\":1}\n");
		CHECK(read_all()[0] == 't');
		CHECK(store_delete(registry_store(registry), key, NULL, false,
			  &error) == 1);
		CHECK(read_all()[0] == '-');
	}
	end();
}

int
main(void)
{
	RUN(a_change_is_told_once);
	RUN(of_a_quick_one_the_last_state_is_told);
	RUN(what_was_noted_is_not_told_again);
	RUN(one_that_is_purged_is_gone);
	RUN(only_what_is_wanted_is_told);
	RUN(a_queue_that_comes_later_is_followed);
	RUN(a_file_that_is_no_task_is_warned_of);
	RUN(many_are_remembered_and_forgotten);
	return check_done();
}
