/*
 * What submitters leave that were stopped, what others have done to the files,
 * and disks that are full or cannot be written.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include "queue_fixture.h"
#include "registry/queue_look.h"
#include "store_fault.h"

#define LINE "{\"id\":\"t.1\",\"task\":1}\n"

static struct store *
begin(void)
{
	struct store *store = open_store();
	struct svc_error error;

	CHECK(queue_create(store, &error) == 0);
	return store;
}

static enum queue_answer
submit(struct store *store, struct queue_item *item, const char *id,
    const char *line)
{
	struct svc_error error;
	int status;

	*item =
	    (struct queue_item){.id = id, .line = line, .length = strlen(line)};
	status = queue_submit(store, item, 1, &error);
	CHECK((status == -1) == (item->answer == QUEUE_REFUSED));
	return item->answer;
}

static int
submit_task(struct store *store)
{
	struct queue_item item;

	return 1 + (int)submit(store, &item, "t.1", LINE);
}

/* The call that makes the second name, and those behind it: the same line,
 * submitted again, is accepted or known, and there once. */
static void
who_dies_at_any_step_leaves_what_the_next_submitter_completes(void)
{
	static const struct fault faults[] = {
	    {SYS_write, FAULT_KILL, 0},
	    {SYS_fsync, FAULT_KILL, 0},
	    {SYS_renameat2, FAULT_KILL, 0},
	    {SYS_linkat, FAULT_KILL, 0},
	};
	struct queue_item item;
	struct store *store;
	size_t i;
	int status;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		store = begin();
		/* What is made once: the version, the locks. */
		CHECK(submit(store, &item, "t.0", "{}\n") == QUEUE_ACCEPTED);
		status = fault_run(store, submit_task, &faults[i]);
		if (status == -2) {
			SKIP("needs seccomp");
			close_store(store);
			return;
		}
		CHECK(status == -1 && queue_files("new") == 1);
		alarm(20);
		CHECK(submit(store, &item, "t.1", LINE) == QUEUE_ACCEPTED);
		CHECK(submit(store, &item, "t.1", LINE) == QUEUE_KNOWN);
		alarm(0);
		CHECK(queue_has("new/t.1.0", LINE));
		CHECK(queue_files("new") == 2 && queue_files("ids") == 2);
		close_store(store);
	}
}

/* Another process holds the guard of an id that it is about to queue. */
static void
an_id_that_is_just_being_queued_is_waited_for(void)
{
	struct flock unlock = {
	    .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
	struct store *store = begin();
	struct svc_error error;
	int guard = -1, status = 0;
	pid_t pid;

	CHECK(put(store, "tasks/ids/t.1", LINE) == 0);
	CHECK(store_guard(store, "tasks/ids/t.1", &guard, &error) == 1);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(30);
		_exit(submit_task(store));
	}
	while (!is_waited_for(guard))
		if (!CHECK(waitpid(pid, &status, WNOHANG) == 0))
			break;
	CHECK(put(store, "tasks/new/t.1.0", LINE) == 0);
	/* Closing would not do: the child has the descriptor, too. */
	CHECK(fcntl(guard, F_OFD_SETLK, &unlock) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 1 + QUEUE_KNOWN);
	CHECK(queue_files("new") == 1);
	close(guard);
	close_store(store);
}

/* The finished one of a purge that a power cut has cut off. */
static void
an_id_beside_an_old_end_is_refused_until_that_is_purged(void)
{
	static const char *const keys[] = {
	    "tasks/done/t.1", "tasks/failed/t.1"};
	static const char other[] = "{\"id\":\"t.2\",\"task\":1}\n";
	struct queue_item items[2];
	struct svc_error error;
	struct store *store;
	size_t i;

	for (i = 0; i < 2; i++) {
		store = begin();
		CHECK(put(store, keys[i], LINE) == 0);
		items[0] = (struct queue_item){
		    .id = "t.1", .line = LINE, .length = strlen(LINE)};
		items[1] = (struct queue_item){
		    .id = "t.2", .line = other, .length = strlen(other)};
		CHECK(queue_submit(store, items, 2, &error) == -1);
		CHECK(items[0].answer == QUEUE_REFUSED);
		CHECK(items[0].error.code == EX_DATAERR);
		CHECK(strstr(items[0].error.message, keys[i]) != NULL &&
		      strstr(items[0].error.message, "purge 't.1'") != NULL);
		CHECK(items[1].answer == QUEUE_ACCEPTED);
		CHECK(queue_has("new/t.2.0", other));
		CHECK(queue_files("new") == 1 && queue_files("ids") == 1);
		CHECK(queue_alter("t.1", QUEUE_PURGE) == 1);
		CHECK(submit(store, items, "t.1", LINE) == QUEUE_ACCEPTED);
		close_store(store);
	}
}

static void
a_task_in_two_places_is_where_it_has_ended(void)
{
	struct store *store = begin();
	struct queue_place place;
	struct svc_error error;

	CHECK(put(store, "tasks/ids/t.1", LINE) == 0);
	CHECK(put(store, "tasks/new/t.1.0", LINE) == 0);
	CHECK(put(store, "tasks/failed/t.1", LINE) == 0);
	CHECK(queue_look(store, "t.1", &place, &error) == 1);
	CHECK(place.state == QUEUE_FAILED);
	CHECK(queue_change(store, "t.1", QUEUE_RETRY, false, &place, &error) ==
	      -1);
	CHECK(error.code == EX_DATAERR);
	CHECK(strstr(error.message, "tasks/failed/t.1") != NULL &&
	      strstr(error.message, "tasks/new/t.1.0") != NULL);
	CHECK(queue_files("new") == 1 && queue_files("failed") == 1);
	close_store(store);
}

static enum queue_change asked;

static int
ask(struct store *store)
{
	struct queue_place place;
	struct svc_error error;

	return 1 + queue_change(store, "t.1", asked, false, &place, &error);
}

/* Another process may have moved it, and died before it was on disk. */
static void
what_has_been_done_is_on_disk_when_that_is_said(void)
{
	static const struct fault fault = {SYS_fsync, FAULT_ERRNO(EIO), 0};
	static const struct {
		enum queue_change change;
		const char *key;
	} rows[] = {
	    {QUEUE_CANCEL, "tasks/failed/t.1"},
	    {QUEUE_RETRY, "tasks/new/t.1.0"},
	    {QUEUE_HOLD, "tasks/held/t.1.0"},
	    {QUEUE_RELEASE, "tasks/new/t.1.0"},
	};
	struct store *store;
	size_t i;
	int status = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]) && status != -2; i++) {
		store = begin();
		CHECK(put(store, "tasks/ids/t.1", LINE) == 0);
		CHECK(put(store, rows[i].key, LINE) == 0);
		asked = rows[i].change;
		CHECK(ask(store) == 1);
		status = fault_run(store, ask, &fault);
		if (status != -2)
			CHECK(status == 0);
		close_store(store);
	}
	if (status == -2)
		SKIP("needs seccomp");
}

/* What cannot be opened is an error that names it, for each command. */
static void
what_is_no_file_is_an_error_that_names_it(void)
{
	struct store *store = begin();
	struct queue_place place;
	struct queue_item item;
	struct svc_error error;

	CHECK(mkdir(spool_path("tasks/ids/t.1"), 0700) == 0);
	CHECK(submit(store, &item, "t.1", LINE) == QUEUE_REFUSED);
	CHECK(strstr(item.error.message, "tasks/ids/t.1") != NULL);
	CHECK(rmdir(spool_path("tasks/ids/t.1")) == 0);
	CHECK(put(store, "tasks/ids/t.1", LINE) == 0);
	CHECK(symlink("../ids/t.1", spool_path("tasks/new/t.1.0")) == 0);
	CHECK(queue_change(store, "t.1", QUEUE_CANCEL, false, &place, &error) ==
	      -1);
	CHECK(error.code == EX_DATAERR);
	CHECK(strstr(error.message, "tasks/new/t.1.0") != NULL);
	CHECK(queue_has("ids/t.1", LINE) && queue_files("failed") == 0);
	close_store(store);
}

/* A small file system of the test's own in the place of the spool: 0, or why
 * not. */
static const char *
mount_small(void)
{
	if (geteuid() != 0)
		return "needs root";
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", spool, "tmpfs", 0, "size=256k,mode=0700") == -1)
		return "cannot mount";
	return NULL;
}

/* Submits until it is refused: how many were accepted. */
static int
submit_until_refused(struct store *store, struct queue_item *item)
{
	static char id[16], line[9000];
	int i;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 2] = '\n';
	for (i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "x%d", i);
		if (submit(store, item, id, line) != QUEUE_ACCEPTED)
			break;
	}
	return i;
}

/* In a mount namespace of its own. */
static int
fill_and_change(void)
{
	struct store *store = NULL;
	struct queue_place place;
	struct queue_item item;
	struct svc_error error;
	int accepted;

	CHECK(store_open(&store, spool, &error) == 0);
	CHECK(queue_create(store, &error) == 0);
	accepted = submit_until_refused(store, &item);
	CHECK(accepted > 0 && accepted < 1000);
	CHECK(strstr(item.error.message, "No space left") != NULL);
	CHECK(queue_files("ids") == (size_t)accepted);
	CHECK(queue_files("new") == (size_t)accepted);
	/* No value has to be written: it works; with one it does not. */
	CHECK(
	    queue_change(store, "x0", QUEUE_HOLD, false, &place, &error) == 1);
	CHECK(queue_change(store, "x1", QUEUE_CANCEL, false, &place, &error) ==
	      -1);
	CHECK(strstr(error.message, "No space left") != NULL);
	CHECK(queue_has("new/x1.0", NULL) && queue_files("failed") == 0);
	CHECK(mount("none", spool, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHECK(submit(store, &item, "x0", "{}\n") == QUEUE_REFUSED);
	CHECK(strstr(item.error.message, "Read-only") != NULL);
	CHECK(queue_change(store, "x0", QUEUE_RELEASE, false, &place, &error) ==
	      -1);
	CHECK(strstr(error.message, "Read-only") != NULL);
	CHECK(queue_look(store, "x0", &place, &error) == 1);
	CHECK(place.state == QUEUE_HELD);
	CHECK(mount("none", spool, NULL, MS_REMOUNT, "size=1m") == 0);
	CHECK(queue_change(store, "x1", QUEUE_CANCEL, false, &place, &error) ==
	      1);
	store_close(store);
	fflush(stdout);
	return check_failures != 0;
}

static void
a_full_or_read_only_disk_refuses_and_keeps_what_was_accepted(void)
{
	const char *why;
	int status = 0;
	pid_t pid;

	spool_begin();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(60);
		check_failures = 0;
		why = mount_small();
		_exit(why == NULL ? fill_and_change() : 77);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		SKIP("needs root and a mount namespace");
	else
		CHECK(WEXITSTATUS(status) == 0);
	spool_end();
}

int
main(void)
{
	RUN(who_dies_at_any_step_leaves_what_the_next_submitter_completes);
	RUN(an_id_that_is_just_being_queued_is_waited_for);
	RUN(an_id_beside_an_old_end_is_refused_until_that_is_purged);
	RUN(a_task_in_two_places_is_where_it_has_ended);
	RUN(what_has_been_done_is_on_disk_when_that_is_said);
	RUN(what_is_no_file_is_an_error_that_names_it);
	RUN(a_full_or_read_only_disk_refuses_and_keeps_what_was_accepted);
	return check_done();
}
