/* What people do to tasks in the queue, wherever they are. */
#include <pwd.h>
#include <signal.h>

#include "queue_fixture.h"
#include "registry/queue_look.h"
#include "store_fault.h"

#define LINE "{\"id\":\"t.1\",\"task\":{\"n\":1e400}}\n"

/* A queue that has been used: its directories have their locks. */
static struct store *
begin(void)
{
	static const char *const keys[] = {"tasks/new/x", "tasks/held/x",
	    "tasks/running/x", "tasks/done/x", "tasks/failed/x"};
	struct svc_error error;
	struct store *store = open_store();
	size_t i;

	CHECK(queue_create(store, &error) == 0);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		CHECK(put(store, keys[i], "1") == 0);
		CHECK(store_delete(store, keys[i], NULL, false, &error) == 1);
	}
	return store;
}

/* One task, as if it had come to key with value; NULL: nowhere. */
static struct store *
begin_at(const char *key, const char *value)
{
	struct store *store = begin();

	CHECK(put(store, "tasks/ids/t.1", LINE) == 0);
	if (key != NULL)
		spool_write(key, value);
	return store;
}

/* Where the one task is; "" nowhere; "?" at several places. */
static const char *
place_of(void)
{
	static const char *const directories[] = {
	    "new", "held", "running", "done", "failed", "corrupt"};
	static char found[600];
	struct dirent *entry;
	char key[64];
	size_t i;
	DIR *stream;

	found[0] = '\0';
	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		snprintf(key, sizeof(key), "tasks/%s", directories[i]);
		stream = opendir(spool_path(key));
		while (stream != NULL && (entry = readdir(stream)) != NULL) {
			if (entry->d_name[0] == '.')
				continue;
			if (found[0] != '\0')
				snprintf(found, sizeof(found), "?");
			else
				snprintf(found, sizeof(found), "%s/%s",
				    directories[i], entry->d_name);
		}
		closedir(stream);
	}
	return found;
}

static const char *const places[] = {"new/t.1.0", "new/t.1.2", "held/t.1.1",
    "running/t.1.2@c", "done/t.1", "failed/t.1", ""};

/* Where each change takes a task from each of these places; NULL: it does not
 * do it. */
static const struct {
	enum queue_change change;
	const char *targets[7];
} rows[] = {
    {QUEUE_CANCEL, {"failed/t.1", "failed/t.1", "failed/t.1", "failed/t.1",
		       NULL, NULL, NULL}},
    {QUEUE_RETRY, {NULL, NULL, NULL, NULL, NULL, "new/t.1.0", NULL}},
    {QUEUE_HOLD, {"held/t.1.0", "held/t.1.2", NULL, NULL, NULL, NULL, NULL}},
    {QUEUE_RELEASE, {NULL, NULL, "new/t.1.1", NULL, NULL, NULL, NULL}},
    {QUEUE_PURGE, {NULL, NULL, NULL, NULL, "", "", ""}},
};

static void
check_row(size_t row, size_t from, bool dry)
{
	const char *target = rows[row].targets[from];
	char key[QUEUE_KEY_MAX];
	struct store *store;
	struct queue_place place;
	struct svc_error error;
	int changed;

	snprintf(key, sizeof(key), "tasks/%s", places[from]);
	store = begin_at(places[from][0] == '\0' ? NULL : key, LINE);
	changed =
	    queue_change(store, "t.1", rows[row].change, dry, &place, &error);
	CHECK(changed == (target != NULL));
	CHECK_STRING(place_of(), target == NULL || dry ? places[from] : target);
	if (place.state != QUEUE_ABSENT)
		queue_key(&place, key);
	CHECK(place.state == QUEUE_ABSENT ? places[from][0] == '\0'
					  : strcmp(key + 6, places[from]) == 0);
	CHECK(queue_has("ids/t.1", LINE) ==
	      (dry || target == NULL || target[0] != '\0'));
	close_store(store);
}

static void
a_change_is_made_in_its_states_only(void)
{
	size_t row, from;

	for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
		for (from = 0; from < 7; from++)
			check_row(row, from, false);
}

static void
what_would_be_done_is_not_done(void)
{
	size_t row, from;

	for (row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
		for (from = 0; from < 7; from++)
			check_row(row, from, true);
}

static void
what_is_no_task_cannot_be_changed(void)
{
	struct store *store = begin();
	struct queue_place place;
	struct svc_error error;
	int change;

	for (change = QUEUE_CANCEL; change <= QUEUE_PURGE; change++) {
		CHECK(queue_change(store, "none", (enum queue_change)change,
			  false, &place, &error) == 0);
		CHECK(place.state == QUEUE_ABSENT);
		CHECK(queue_change(store, "../../x", (enum queue_change)change,
			  false, &place, &error) == 0);
	}
	close_store(store);
}

static void
who_looks_only_waits_for_nobody(void)
{
	struct store *store = begin_at("tasks/new/t.1.0", LINE);
	struct queue_place place;
	struct svc_error error;
	int guard = -1;

	CHECK(store_guard(store, "tasks/ids/t.1", &guard, &error) == 1);
	alarm(20);
	CHECK(queue_change(store, "t.1", QUEUE_CANCEL, true, &place, &error) ==
	      1);
	alarm(0);
	close(guard);
	close_store(store);
}

static void
a_cancelled_line_says_by_whom_and_keeps_its_bytes(void)
{
	struct store *store = begin_at("tasks/new/t.1.0", LINE);
	const struct passwd *user = getpwuid(getuid());
	char message[128];

	snprintf(message, sizeof(message), "cancelled by %.64s while it waited",
	    user == NULL ? "uid" : user->pw_name);
	CHECK(queue_alter("t.1", QUEUE_CANCEL) == 1);
	CHECK(queue_has("failed/t.1",
	    "{\"id\":\"t.1\",\"task\":{\"n\":1e400},\"error\":"
	    "{\"code\":\"cancelled\","));
	CHECK(user == NULL || queue_has("failed/t.1", message));
	CHECK(queue_has("ids/t.1", LINE));
	close_store(store);
}

/* What a claimant that died within completing it leaves. */
static void
a_result_is_not_cancelled(void)
{
	static const char *const keys[] = {
	    "tasks/new/t.1.1", "tasks/held/t.1.0", "tasks/running/t.1.0@c"};
	struct store *store;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		store = begin_at(
		    keys[i], "{\"id\":\"t.1\",\"task\":1,\"result\":7}\n");
		CHECK(queue_alter("t.1", QUEUE_CANCEL) == 0);
		CHECK_STRING(place_of(), "done/t.1");
		CHECK(queue_has("done/t.1", "\"task\":1,\"result\":7}\n"));
		close_store(store);
	}
}

static void
a_failure_keeps_its_error_when_it_is_cancelled(void)
{
	struct store *store = begin_at("tasks/running/t.1.0@c",
	    "{\"id\":\"t.1\",\"task\":1,\"error\":{\"code\":\"http\"}}\n");

	CHECK(queue_alter("t.1", QUEUE_CANCEL) == 0);
	CHECK_STRING(place_of(), "failed/t.1");
	CHECK(queue_has("failed/t.1", "{\"code\":\"http\"}}\n"));
	close_store(store);
}

/* Torn, empty, another's: it can be cancelled, and then be retried. */
static void
what_cannot_be_read_is_cancelled_as_invalid(void)
{
	static const char *const values[] = {"", "\n", "{\"id\":\"t.1\",\"ta",
	    "[1]\n", "{\"id\":\"t.2\",\"task\":1}\n", "{\"task\":1}\n",
	    "{\"id\":\"t.1\",\"task\":1,\"deadline\":\"soon\"}\n"};
	struct store *store;
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		store = begin_at("tasks/new/t.1.0", values[i]);
		CHECK(queue_alter("t.1", QUEUE_CANCEL) == 1);
		CHECK_STRING(place_of(), "failed/t.1");
		CHECK(queue_has("failed/t.1", "\"code\":\"invalid\""));
		CHECK(!queue_has("failed/t.1", "\"id\":\"t.2\""));
		CHECK(queue_alter("t.1", QUEUE_RETRY) == 1);
		CHECK(queue_has("new/t.1.0", LINE));
		close_store(store);
	}
}

static void
a_retried_task_is_as_it_was_submitted(void)
{
	struct store *store = begin_at("tasks/failed/t.1",
	    "{\"id\":\"t.1\",\"task\":{\"n\":1e400},\"lost\":[\"c, x\"],"
	    "\"error\":{\"code\":\"lost\"}}\n");

	CHECK(queue_alter("t.1", QUEUE_RETRY) == 1);
	CHECK_STRING(place_of(), "new/t.1.0");
	CHECK(queue_has("new/t.1.0", LINE) && !queue_has("new/t.1.0", "lost"));
	close_store(store);
}

static void
without_its_id_nobody_knows_what_to_retry(void)
{
	struct store *store = begin();
	struct queue_place place;
	struct svc_error error;

	CHECK(put(store, "tasks/failed/t.1", LINE) == 0);
	CHECK(queue_change(store, "t.1", QUEUE_RETRY, false, &place, &error) ==
	      -1);
	CHECK(error.code == EX_DATAERR);
	CHECK(strstr(error.message, "tasks/ids/t.1") != NULL);
	CHECK_STRING(place_of(), "failed/t.1");
	close_store(store);
}

/* What it is stopped in, and who is to do it again. */
static enum queue_change stopped;

static int
change_one(struct store *store)
{
	struct queue_place place;
	struct svc_error error;

	return queue_change(store, "t.1", stopped, false, &place, &error) == -1
		   ? 1
		   : 0;
}

#define RENAME_NEW  1 /* RENAME_NOREPLACE */
#define RENAME_SWAP 2 /* RENAME_EXCHANGE */

/* Killed at each step: the task is somewhere, and the same command does it. */
static void
who_dies_in_a_change_leaves_what_the_next_one_completes(void)
{
	static const struct {
		enum queue_change change;
		const char *from, *to;
		struct fault fault;
	} steps[] = {
	    {QUEUE_CANCEL, "new/t.1.0", "failed/t.1",
		{SYS_fsync, FAULT_KILL, 0}},
	    {QUEUE_CANCEL, "new/t.1.0", "failed/t.1",
		{SYS_renameat2, FAULT_KILL, RENAME_SWAP}},
	    {QUEUE_RETRY, "failed/t.1", "new/t.1.0",
		{SYS_renameat2, FAULT_KILL, RENAME_SWAP}},
	    {QUEUE_RETRY, "failed/t.1", "new/t.1.0",
		{SYS_renameat2, FAULT_KILL, RENAME_NEW}},
	    {QUEUE_HOLD, "new/t.1.0", "held/t.1.0",
		{SYS_renameat2, FAULT_KILL, RENAME_NEW}},
	    {QUEUE_RELEASE, "held/t.1.0", "new/t.1.0",
		{SYS_renameat2, FAULT_KILL, RENAME_NEW}},
	    {QUEUE_PURGE, "done/t.1", "", {SYS_unlinkat, FAULT_KILL, 0}},
	};
	struct store *store;
	char key[64];
	size_t i;
	int status;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		snprintf(key, sizeof(key), "tasks/%s", steps[i].from);
		store = begin_at(key, LINE);
		stopped = steps[i].change;
		status = fault_run(store, change_one, &steps[i].fault);
		if (status == -2) {
			SKIP("needs seccomp");
			close_store(store);
			return;
		}
		CHECK(status == -1);
		CHECK_STRING(place_of(), steps[i].from);
		alarm(20);
		CHECK(queue_alter("t.1", steps[i].change) == 1);
		alarm(0);
		CHECK_STRING(place_of(), steps[i].to);
		close_store(store);
	}
}

/* The cancelled line stands where the task was: the next cancel moves it on,
 * and says that it has failed. */
static void
who_dies_between_line_and_move_has_cancelled_it(void)
{
	static const struct fault fault = {
	    SYS_renameat2, FAULT_KILL, RENAME_NEW};
	struct store *store = begin_at("tasks/running/t.1.0@c", LINE);
	int status;

	stopped = QUEUE_CANCEL;
	status = fault_run(store, change_one, &fault);
	if (status == -2) {
		SKIP("needs seccomp");
	} else {
		CHECK(queue_has("running/t.1.0@c", "\"code\":\"cancelled\""));
		CHECK(queue_alter("t.1", QUEUE_CANCEL) == 0);
		CHECK_STRING(place_of(), "failed/t.1");
		CHECK(queue_has("failed/t.1", "\"code\":\"cancelled\""));
	}
	close_store(store);
}

static void
what_was_purged_in_part_is_purged(void)
{
	struct store *store = begin_at(NULL, NULL);

	CHECK(queue_alter("t.1", QUEUE_CANCEL) == 0);
	CHECK(queue_alter("t.1", QUEUE_PURGE) == 1);
	CHECK(!queue_has("ids/t.1", NULL));
	CHECK(queue_alter("t.1", QUEUE_PURGE) == 0);
	CHECK(queue_put("t.1", "") == QUEUE_ACCEPTED);
	close_store(store);
}

/* A hand has put it there: nothing is replaced, and nothing lost. */
static void
a_task_in_two_places_is_not_put_upon_itself(void)
{
	struct store *store = begin_at("tasks/new/t.1.0", LINE);
	struct queue_place place;
	struct svc_error error;

	spool_write("tasks/held/t.1.0", "other\n");
	CHECK(queue_change(store, "t.1", QUEUE_HOLD, false, &place, &error) ==
	      -1);
	CHECK(error.code == EX_DATAERR);
	CHECK(strstr(error.message, "tasks/held/t.1.0") != NULL);
	CHECK(queue_has("new/t.1.0", LINE));
	CHECK(queue_has("held/t.1.0", "other\n"));
	spool_write("tasks/done/t.1", LINE);
	CHECK(queue_alter("t.1", QUEUE_CANCEL) == 0);
	CHECK(queue_has("new/t.1.0", LINE) && queue_has("done/t.1", LINE));
	close_store(store);
}

/* A full or read-only disk: an error, and the task where it was. */
static void
what_cannot_be_changed_stays(void)
{
	static const struct fault faults[] = {
	    {SYS_write, FAULT_ERRNO(ENOSPC), 0},
	    {SYS_renameat2, FAULT_ERRNO(EROFS), 0},
	    {SYS_fsync, FAULT_ERRNO(EIO), 0},
	};
	struct store *store = begin_at("tasks/new/t.1.0", LINE);
	size_t i;
	int status;

	stopped = QUEUE_CANCEL;
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		status = fault_run(store, change_one, &faults[i]);
		if (status == -2) {
			SKIP("needs seccomp");
			break;
		}
		CHECK(status == 1);
		CHECK_STRING(place_of(), "new/t.1.0");
		CHECK(queue_has("new/t.1.0", LINE));
	}
	close_store(store);
}

int
main(void)
{
	RUN(a_change_is_made_in_its_states_only);
	RUN(what_would_be_done_is_not_done);
	RUN(what_is_no_task_cannot_be_changed);
	RUN(who_looks_only_waits_for_nobody);
	RUN(a_cancelled_line_says_by_whom_and_keeps_its_bytes);
	RUN(a_result_is_not_cancelled);
	RUN(a_failure_keeps_its_error_when_it_is_cancelled);
	RUN(what_cannot_be_read_is_cancelled_as_invalid);
	RUN(a_retried_task_is_as_it_was_submitted);
	RUN(without_its_id_nobody_knows_what_to_retry);
	RUN(who_dies_in_a_change_leaves_what_the_next_one_completes);
	RUN(who_dies_between_line_and_move_has_cancelled_it);
	RUN(what_was_purged_in_part_is_purged);
	RUN(a_task_in_two_places_is_not_put_upon_itself);
	RUN(what_cannot_be_changed_stays);
	return check_done();
}
