/*
 * The queue as a source of tasks, on a real spool and a real event loop, with a
 * run that only pretends to execute them.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "queue_fixture.h"

/* What the library calls instead of libc's. */
static atomic_bool disk_full, sync_fails;

ssize_t
write(int fd, const void *data, size_t length)
{
	struct stat st;

	if (disk_full && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_write, fd, data, length);
}

int
fsync(int fd)
{
	if (sync_fails) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static struct fake_run *
begin(void)
{
	spool_begin();
	return run_new(NULL);
}

static void
end(struct fake_run *run)
{
	if (run->source != NULL)
		CHECK(run_close_source(run) == 0);
	CHECK(queue_files("claimants") == 0);
	run_free(run, true);
	spool_end();
}

static bool
took_one(struct fake_run *run)
{
	return run->taken == 1;
}

static bool
took_two(struct fake_run *run)
{
	return run->taken == 2;
}

static bool
took_three(struct fake_run *run)
{
	return run->taken == 3;
}

static bool
took_five(struct fake_run *run)
{
	return run->taken == 5;
}

static bool
is_empty(struct fake_run *run)
{
	return run->empty;
}

static void
put_many(const char *prefix, int count, const char *members)
{
	char id[32];
	int i;

	for (i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "%s%d", prefix, i);
		CHECK(queue_put(id, members) == QUEUE_ACCEPTED);
	}
}

static void
no_more_is_claimed_than_there_is_room_for(void)
{
	struct fake_run *run = begin();

	put_many("t", 10, "\"service\":\"a\"");
	run->slots = 2;
	run_open_source(run);
	CHECK(run_until(run, took_two));
	run_for(run, 0.1);
	CHECK(run->taken == 2 && queue_files("running") == 2);
	CHECK(queue_files("new") == 8);
	run_end(run, run->ids[0], CODE_NONE, 1, "");
	CHECK(run_until(run, took_three));
	CHECK(run_counts_of(run).claimed == 2);
	CHECK(run_counts_of(run).waiting == 7);
	end(run);
}

static void
of_a_service_with_nobody_nothing_is_claimed(void)
{
	struct fake_run *run = begin();

	put_many("a", 2, "\"service\":\"nobody\"");
	put_many("b", 2, "\"service\":\"there\"");
	run_open_source(run);
	CHECK(run_until(run, took_two));
	run_for(run, 0.1);
	CHECK_STRING(run->order, "b0 b1");
	CHECK(queue_files("new") == 2);
	end(run);
}

static void
so_many_are_claimed_at_once_as_the_limit_says(void)
{
	struct fake_run *run = begin();

	put_many("t", 10, "\"service\":\"a\"");
	run->options.claims_max = 3;
	run_open_source(run);
	CHECK(run_until(run, took_three));
	run_for(run, 0.1);
	CHECK(run->taken == 3);
	end(run);
}

static void
of_a_lane_one_is_claimed_until_it_begins(void)
{
	struct fake_run *run = begin();

	put_many("a", 3, "\"service\":\"a\"");
	put_many("b", 3, "\"service\":\"b\"");
	run->begins = false;
	run_open_source(run);
	CHECK(run_until(run, took_two));
	run_for(run, 0.1);
	CHECK(run->taken == 2);
	CHECK(strcmp(run->order, "a0 b0") == 0 ||
	      strcmp(run->order, "b0 a0") == 0);
	queue_source_begun(run->source, "a0");
	CHECK(run_until(run, took_three));
	CHECK(strcmp(run->ids[2], "a1") == 0);
	end(run);
}

static void
tasks_come_in_the_order_of_priority_deadline_and_submission(void)
{
	struct fake_run *run = begin();

	queue_put("t2", "");
	queue_put("far", "\"deadline\":\"2099-01-01T00:00:00Z\"");
	queue_put("near", "\"deadline\":\"2098-01-01T00:00:00Z\"");
	queue_put("high", "\"priority\":5");
	queue_put("low", "\"priority\":-5");
	run->options.service = "a";
	run->options.until_empty = run->ends = true;
	run->slots = 1;
	run_open_source(run);
	CHECK(run_until(run, is_empty));
	CHECK_STRING(run->order, "high near far t2 low");
	CHECK(queue_files("done") == 5 && queue_files("running") == 0);
	CHECK(run_counts_of(run).done == 5);
	end(run);
}

static void
what_comes_later_is_followed(void)
{
	struct fake_run *run = begin();

	run->options.service = "a";
	run_open_source(run);
	run_for(run, 0.05);
	queue_put("t1.3", "");
	CHECK(run_until(run, took_one));
	CHECK_STRING(run->order, "t1.3");
	CHECK(strstr(run->line, "\"task\":1") != NULL);
	end(run);
}

static void
one_that_waits_for_another_comes_behind_it_and_gets_its_result(void)
{
	struct fake_run *run = begin();
	struct task_result found;
	struct svc_error error;

	queue_put("first", "");
	queue_put("second", "\"after\":[\"first\"]");
	run->options.service = "a";
	run_open_source(run);
	CHECK(run_until(run, took_one));
	run_for(run, 0.1);
	CHECK_STRING(run->order, "first");
	CHECK(run_counts_of(run).blocked == 1);
	CHECK(queue_source_result(run->source, "first", &found, &error) == -1);
	run_end(run, "first", CODE_NONE, 1, "");
	CHECK(run_until(run, took_two));
	CHECK(queue_source_result(run->source, "first", &found, &error) == 0);
	CHECK(found.value.span.length == 7 &&
	      memcmp(found.value.span.data, "{\"n\":1}", 7) == 0);
	CHECK(!found.base64);
	end(run);
}

static bool
two_failed(struct fake_run *run)
{
	return run_counts_of(run).failed == 2;
}

static void
one_that_cannot_run_any_more_fails_as_skipped(void)
{
	struct fake_run *run = begin();

	queue_put("first", "");
	queue_put("second", "\"after\":[\"first\"]");
	queue_put("third", "\"after\":[\"first\"],\"when\":\"failed\"");
	run->options.service = "a";
	run_open_source(run);
	CHECK(run_until(run, took_one));
	run_end(run, "first", CODE_HTTP, 1, "");
	CHECK(run_until(run, two_failed));
	CHECK(run_until(run, took_two));
	CHECK_STRING(run->order, "first third");
	CHECK(queue_has("failed/second", "\"skipped\""));
	CHECK(queue_has("failed/second", "\"id\":\"second\",\"task\":1"));
	end(run);
}

static bool
gave_one_back(struct fake_run *run)
{
	return run_counts_of(run).given_back == 1;
}

static void
one_that_found_nobody_goes_back_and_its_lane_rests(void)
{
	static const struct {
		enum task_code code;
		int attempts;
	} ends[] = {{CODE_NO_INSTANCES, 0}, {CODE_UNPLACEABLE, 0},
	    {CODE_BUSY, 0}, {CODE_UNREACHABLE, 0}, {CODE_UNREACHABLE, 3}};
	struct fake_run *run;
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		run = begin();
		queue_put("t", "\"service\":\"a\"");
		run_open_source(run);
		CHECK(run_until(run, took_one));
		run_end(run, "t", ends[i].code, ends[i].attempts,
		    ",\"deadline\":\"2099-01-01T00:00:00Z\"");
		CHECK(run_until(run, gave_one_back));
		CHECK(queue_has("new/t.0", "\"task\":1"));
		run_for(run, 0.2);
		CHECK(run->taken == 1);
		end(run);
	}
}

static bool
one_ended(struct fake_run *run)
{
	struct queue_source_counts counts = run_counts_of(run);

	return counts.done + counts.failed == 1;
}

static void
what_was_sent_or_is_late_fails_all_the_same(void)
{
	static const struct {
		enum task_code code;
		int attempts;
		const char *members;
	} ends[] = {
	    {CODE_NO_INSTANCES, 0, ",\"deadline\":\"2001-01-01T00:00:00Z\""},
	    {CODE_BUSY, 2, ""}, {CODE_TIMEOUT, 0, ""}, {CODE_HTTP, 1, ""}};
	struct fake_run *run;
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		run = begin();
		queue_put("t", "\"service\":\"a\"");
		run_open_source(run);
		CHECK(run_until(run, took_one));
		run_end(
		    run, "t", ends[i].code, ends[i].attempts, ends[i].members);
		CHECK(run_until(run, one_ended));
		CHECK(queue_has("failed/t", task_code_name(ends[i].code)));
		end(run);
	}
}

static bool
revoked_one(struct fake_run *run)
{
	return run->revoked[0] != '\0';
}

static void
one_that_is_cancelled_is_revoked_and_stays_failed(void)
{
	struct fake_run *run = begin();

	queue_put("t", "\"service\":\"a\"");
	queue_put("u", "\"service\":\"a\"");
	run_open_source(run);
	CHECK(run_until(run, took_two));
	CHECK(queue_alter("t", QUEUE_CANCEL) == 1);
	CHECK(run_until(run, revoked_one));
	run_for(run, 0.05);
	CHECK_STRING(run->revoked, "t");
	/* Whatever it comes to counts for nothing. */
	run_end(run, "t", CODE_NONE, 1, "");
	run_for(run, 0.05);
	CHECK(queue_files("done") == 0);
	CHECK(queue_has("failed/t", "\"cancelled\""));
	CHECK(run_counts_of(run).lost == 1 && run_counts_of(run).claimed == 1);
	end(run);
}

static void
one_that_is_retried_waits_for_the_end_of_its_last_attempt(void)
{
	struct fake_run *run = begin();

	queue_put("t", "\"service\":\"a\"");
	run_open_source(run);
	CHECK(run_until(run, took_one));
	CHECK(queue_alter("t", QUEUE_CANCEL) == 1);
	CHECK(run_until(run, revoked_one));
	CHECK(queue_alter("t", QUEUE_RETRY) == 1);
	run_for(run, 0.1);
	CHECK(run->taken == 1 && queue_has("new/t.0", NULL));
	run_end(run, "t", CODE_CANCELLED, 1, "");
	CHECK(run_until(run, took_two));
	run_end(run, "t", CODE_NONE, 1, "");
	CHECK(run_until(run, one_ended));
	CHECK(queue_has("done/t", "\"result\""));
	end(run);
}

static void
held_tasks_are_left_alone_until_they_are_released(void)
{
	struct fake_run *run = begin();

	queue_put("t", "\"service\":\"a\"");
	run->slots = 0;
	run_open_source(run);
	run_for(run, 0.05);
	CHECK(queue_alter("t", QUEUE_HOLD) == 1);
	run_for(run, 0.05);
	CHECK(run_counts_of(run).waiting == 0);
	run->slots = 1;
	queue_source_wake(run->source);
	run_for(run, 0.05);
	CHECK(run->taken == 0);
	CHECK(queue_alter("t", QUEUE_RELEASE) == 1);
	CHECK(run_until(run, took_one));
	end(run);
}

/* Another process claims what there is, says so, and dies of SIGKILL. */
static void
claim_and_die(bool (*held)(struct fake_run *run))
{
	struct fake_run *run;
	int fds[2], status;
	pid_t pid;
	char c;

	CHECK(pipe(fds) == 0);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		run = run_new(NULL);
		run_open_source(run);
		if (run_until(run, held))
			(void)!write(fds[1], "", 1);
		kill(getpid(), SIGKILL);
	}
	close(fds[1]);
	CHECK(read(fds[0], &c, 1) == 1);
	close(fds[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
}

static void
what_a_dead_claimant_had_comes_back_and_rests(void)
{
	struct fake_run *run = begin();
	double from;

	queue_put("t", "\"service\":\"a\"");
	claim_and_die(took_one);
	CHECK(queue_files("running") == 1);
	run_open_source(run);
	from = time_monotonic();
	CHECK(run_counts_of(run).recovered == 1);
	CHECK(queue_files("running") == 0 && queue_has("new/t.1", "\"lost\""));
	CHECK(queue_files("claimants") == 1);
	CHECK(run_until(run, took_one));
	CHECK(time_monotonic() - from >= 0.9);
	CHECK(strstr(run->line, "\"lost\":[") != NULL);
	run_end(run, "t", CODE_NONE, 1, "");
	CHECK(run_until(run, one_ended));
	CHECK(queue_files("done") == 1);
	end(run);
}

static bool
recovered_one(struct fake_run *run)
{
	return run_counts_of(run).recovered == 1;
}

static void
that_one_dies_is_seen_by_those_that_live(void)
{
	struct fake_run *run = begin();

	run->slots = 0;
	run_open_source(run);
	run_for(run, 0.05);
	queue_put("t", "\"service\":\"a\"");
	claim_and_die(took_one);
	CHECK(run_until(run, recovered_one));
	CHECK(queue_has("new/t.1", "\"lost\""));
	end(run);
}

static void
who_is_taken_for_dead_ends_nothing_that_he_had(void)
{
	struct fake_run *run = begin();
	char path[300];
	DIR *stream;
	struct dirent *entry;

	queue_put("t", "\"service\":\"a\"");
	run->options.claimant.ttl = 1;
	run_open_source(run);
	CHECK(run_until(run, took_one));
	stream = opendir(spool_path("tasks/claimants"));
	while ((entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(
		    path, sizeof(path), "tasks/claimants/%s", entry->d_name);
		CHECK(unlink(spool_path(path)) == 0);
	}
	closedir(stream);
	CHECK(run_until(run, revoked_one));
	run_end(run, "t", CODE_NONE, 1, "");
	/* It takes the task over from who it was, which rests first. */
	CHECK(run_until(run, took_two));
	CHECK(queue_files("done") == 0);
	run_end(run, "t", CODE_NONE, 1, "");
	CHECK(run_until(run, one_ended));
	CHECK(queue_files("done") == 1);
	end(run);
}

static void
until_empty_ends_when_nothing_can_be_done(void)
{
	struct fake_run *run = begin();

	queue_put("done", "\"service\":\"a\"");
	queue_put("later", "\"service\":\"a\",\"not_before\":"
			   "\"2099-01-01T00:00:00Z\"");
	queue_put("nobody", "\"service\":\"nobody\"");
	queue_put("blocked", "\"service\":\"a\",\"after\":[\"later\"]");
	run->options.until_empty = run->ends = true;
	run_open_source(run);
	CHECK(run_until(run, is_empty));
	CHECK_STRING(run->order, "done");
	CHECK(run_counts_of(run).waiting == 1);
	CHECK(run_counts_of(run).asleep == 1);
	CHECK(run_counts_of(run).blocked == 1);
	end(run);
	CHECK(queue_files("new") == 0);
}

static void
until_empty_waits_for_what_runs(void)
{
	struct fake_run *run = begin();

	queue_put("t", "\"service\":\"a\"");
	queue_put("u", "\"service\":\"a\",\"after\":[\"t\"]");
	run->options.until_empty = true;
	run_open_source(run);
	CHECK(run_until(run, took_one));
	run_for(run, 0.1);
	CHECK(!run->empty);
	run_end(run, "t", CODE_NONE, 1, "");
	CHECK(run_until(run, took_two) && !run->empty);
	run_end(run, "u", CODE_NONE, 1, "");
	CHECK(run_until(run, is_empty));
	CHECK(queue_files("done") == 2);
	end(run);
}

/* More events than the kernel keeps by default. */
static void
overflow(void)
{
	char key[64];
	int i;

	for (i = 0; i < 8000; i++) {
		snprintf(key, sizeof(key), "tasks/new/no-task-%d", i);
		spool_write(key, "x");
		CHECK(unlink(spool_path(key)) == 0);
	}
}

static void
lost_events_make_it_look_at_everything_again(void)
{
	struct fake_run *run = begin();

	queue_put("gone", "\"service\":\"a\"");
	queue_put("runs", "\"service\":\"b\"");
	queue_put("stays", "\"service\":\"a\"");
	run->slots = 1;
	run_open_source(run);
	CHECK(run_until(run, took_one));
	run_for(run, 0.05);
	overflow();
	CHECK(queue_alter("gone", QUEUE_CANCEL) == 1);
	CHECK(queue_alter("runs", QUEUE_CANCEL) == 1);
	queue_put("new", "\"service\":\"a\"");
	overflow();
	CHECK(run_until(run, revoked_one));
	end(run);
}

static void
what_is_no_task_stops_nobody(void)
{
	struct fake_run *run = begin();

	queue_put("good", "\"service\":\"a\"");
	spool_write("tasks/new/torn.0", "{\"id\":\"torn\",\"task\":");
	spool_write("tasks/new/empty.0", "");
	spool_write("tasks/new/.hidden", "x");
	spool_write("tasks/new/foreign", "x");
	spool_write("tasks/new/ended.0",
	    "{\"id\":\"ended\",\"task\":1,\"result\":2}\n");
	CHECK(symlink("/etc/passwd", spool_path("tasks/new/link.0")) == 0);
	run->options.until_empty = run->ends = true;
	run_open_source(run);
	CHECK(run_until(run, is_empty));
	CHECK_STRING(run->order, "good");
	CHECK(queue_has("done/good", NULL) && queue_has("done/ended", NULL));
	CHECK(queue_files("corrupt") >= 2 && run->warnings >= 2);
	CHECK(
	    !queue_has("new/torn.0", NULL) && !queue_has("new/empty.0", NULL));
	CHECK(queue_has("new/foreign", NULL));
	end(run);
}

static void
a_stop_gives_back_what_has_not_ended(void)
{
	struct fake_run *run = begin();

	put_many("t", 3, "\"service\":\"a\"");
	run->slots = 2;
	run_open_source(run);
	CHECK(run_until(run, took_two));
	queue_source_stop(run->source);
	run_end(run, "t0", CODE_CANCELLED, 1, "");
	CHECK(run_until(run, gave_one_back));
	run_for(run, 0.1);
	CHECK(run->taken == 2);
	CHECK(run_close_source(run) == 0);
	CHECK(queue_files("new") == 3 && queue_files("running") == 0);
	CHECK(queue_has("new/t0.0", NULL) && queue_has("new/t1.0", NULL));
	end(run);
}

static bool
warned(struct fake_run *run)
{
	return run->warnings > 0;
}

static bool
warned_twice(struct fake_run *run)
{
	return run->warnings > 1;
}

static void
on_a_full_disk_lines_wait_and_nothing_new_is_claimed(void)
{
	struct fake_run *run = begin();
	size_t taken;

	put_many("t", 9, "\"service\":\"a\"");
	run->slots = 2;
	run_open_source(run);
	CHECK(run_until(run, took_two));
	disk_full = true;
	run_end(run, "t0", CODE_NONE, 1, "");
	CHECK(run_until(run, warned));
	taken = run->taken;
	run->slots = 4;
	queue_source_wake(run->source);
	CHECK(strstr(run->warning, strerror(ENOSPC)) != NULL);
	/* Longer than until it is tried again. */
	run_for(run, 1.5);
	CHECK(run->taken == taken && run->warnings == 1);
	CHECK(queue_files("done") == 0);
	disk_full = false;
	CHECK(run_until(run, warned_twice));
	CHECK(run_until(run, took_five));
	CHECK(run->broken == 0);
	CHECK(queue_has("done/t0", "\"result\""));
	end(run);
}

static void
a_full_disk_at_the_end_leaves_the_task_to_others(void)
{
	struct fake_run *run = begin();

	queue_put("t", "\"service\":\"a\"");
	run_open_source(run);
	CHECK(run_until(run, took_one));
	disk_full = true;
	run_end(run, "t", CODE_NONE, 1, "");
	CHECK(run_close_source(run) == -1);
	disk_full = false;
	CHECK(queue_files("done") == 0 && queue_files("running") == 1);
	run_open_source(run);
	CHECK(run_counts_of(run).recovered == 1);
	CHECK(queue_has("new/t.1", NULL));
	end(run);
}

static bool
is_broken(struct fake_run *run)
{
	return run->broken != 0;
}

static void
a_sync_that_fails_ends_it(void)
{
	struct fake_run *run = begin();
	size_t taken;

	put_many("t", 5, "\"service\":\"a\"");
	run->slots = 1;
	run_open_source(run);
	CHECK(run_until(run, took_one));
	sync_fails = true;
	run_end(run, "t0", CODE_NONE, 1, "");
	CHECK(run_until(run, is_broken));
	sync_fails = false;
	CHECK(run->broken == EX_IOERR);
	taken = run->taken;
	run->slots = 4;
	queue_source_wake(run->source);
	run_for(run, 0.1);
	CHECK(run->taken == taken && queue_files("done") == 0);
	CHECK(run_close_source(run) == 0);
	/* What could not be completed is for others to do again. */
	CHECK(queue_files("running") == 1);
	end(run);
}

#define SHARED 1000

static bool
all_done(struct fake_run *run)
{
	(void)run;
	return queue_files("done") == SHARED;
}

static void
put_shared(void)
{
	static struct queue_item items[SHARED];
	static char lines[SHARED][64], ids[SHARED][16];
	struct store *store = queue_store();
	struct svc_error error;
	int i;

	for (i = 0; i < SHARED; i++) {
		snprintf(ids[i], sizeof(ids[i]), "t%d", i);
		items[i].id = ids[i];
		items[i].line = lines[i];
		items[i].length = (size_t)snprintf(lines[i], sizeof(lines[i]),
		    "{\"id\":\"t%d\",\"task\":1,\"service\":\"a\"}\n", i);
	}
	CHECK(queue_create(store, &error) == 0);
	CHECK(queue_submit(store, items, SHARED, &error) == 0);
	store_close(store);
}

static void
two_share_a_queue_and_each_task_is_executed_once(void)
{
	struct fake_run *a = begin(), *b = run_new(a->base);

	put_shared();
	a->ends = b->ends = true;
	a->slots = b->slots = 4;
	run_open_source(a);
	run_open_source(b);
	CHECK(run_until(a, all_done));
	run_for(a, 0.05);
	CHECK(run_counts_of(a).claimants == 2);
	CHECK(a->taken + b->taken == SHARED);
	CHECK(a->taken > 0 && b->taken > 0);
	CHECK(a->most <= 4 && b->most <= 4);
	CHECK(run_counts_of(a).lost + run_counts_of(b).lost == 0);
	CHECK(queue_files("new") + queue_files("running") == 0);
	CHECK(run_close_source(b) == 0);
	run_free(b, false);
	end(a);
}

int
main(void)
{
	RUN(no_more_is_claimed_than_there_is_room_for);
	RUN(of_a_service_with_nobody_nothing_is_claimed);
	RUN(so_many_are_claimed_at_once_as_the_limit_says);
	RUN(of_a_lane_one_is_claimed_until_it_begins);
	RUN(tasks_come_in_the_order_of_priority_deadline_and_submission);
	RUN(what_comes_later_is_followed);
	RUN(one_that_waits_for_another_comes_behind_it_and_gets_its_result);
	RUN(one_that_cannot_run_any_more_fails_as_skipped);
	RUN(one_that_found_nobody_goes_back_and_its_lane_rests);
	RUN(what_was_sent_or_is_late_fails_all_the_same);
	RUN(one_that_is_cancelled_is_revoked_and_stays_failed);
	RUN(one_that_is_retried_waits_for_the_end_of_its_last_attempt);
	RUN(held_tasks_are_left_alone_until_they_are_released);
	RUN(what_a_dead_claimant_had_comes_back_and_rests);
	RUN(that_one_dies_is_seen_by_those_that_live);
	RUN(who_is_taken_for_dead_ends_nothing_that_he_had);
	RUN(until_empty_ends_when_nothing_can_be_done);
	RUN(until_empty_waits_for_what_runs);
	RUN(lost_events_make_it_look_at_everything_again);
	RUN(what_is_no_task_stops_nobody);
	RUN(a_stop_gives_back_what_has_not_ended);
	RUN(on_a_full_disk_lines_wait_and_nothing_new_is_claimed);
	RUN(a_full_disk_at_the_end_leaves_the_task_to_others);
	RUN(a_sync_that_fails_ends_it);
	RUN(two_share_a_queue_and_each_task_is_executed_once);
	return check_done();
}
