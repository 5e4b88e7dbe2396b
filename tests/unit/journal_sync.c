/*
 * The thread that brings a journal to the disk.  fdatasync(2) is the test's
 * own: it can be held, and be made to fail, and is counted.
 */
#include "journal_fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "line/units.h"

#define PATIENCE 10 /* seconds, for what comes at once */

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int calls; /* that have begun */
	int ended;
	int fails; /* errno */
	bool held;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER};

int
fdatasync(int descriptor)
{
	int failure;

	(void)descriptor;
	pthread_mutex_lock(&disk.mutex);
	disk.calls++;
	pthread_cond_broadcast(&disk.changed);
	while (disk.held)
		pthread_cond_wait(&disk.changed, &disk.mutex);
	disk.ended++;
	failure = disk.fails;
	pthread_mutex_unlock(&disk.mutex);
	errno = failure;
	return failure == 0 ? 0 : -1;
}

static void
set_disk(bool held, int fails)
{
	pthread_mutex_lock(&disk.mutex);
	disk.held = held;
	disk.fails = fails;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.mutex);
}

/* Waits until the calls-th sync has begun. */
static bool
sync_begins(int calls)
{
	struct timespec until;
	int status = 0;
	bool begun;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE;
	pthread_mutex_lock(&disk.mutex);
	while (disk.calls < calls && status == 0)
		status =
		    pthread_cond_timedwait(&disk.changed, &disk.mutex, &until);
	begun = disk.calls >= calls;
	pthread_mutex_unlock(&disk.mutex);
	return begun;
}

static int
syncs_ended(void)
{
	int ended;

	pthread_mutex_lock(&disk.mutex);
	ended = disk.ended;
	pthread_mutex_unlock(&disk.mutex);
	return ended;
}

static struct journal *
begin(void)
{
	journal_begin();
	set_disk(false, 0);
	disk.calls = disk.ended = 0;
	return resume_journal();
}

static bool
readable(const struct journal *journal, int seconds)
{
	struct pollfd pollfd = {journal_descriptor(journal), POLLIN, 0};

	return poll(&pollfd, 1, seconds * 1000) == 1;
}

static void
write_lines(struct journal *journal, int lines)
{
	int i;

	for (i = 0; i < lines; i++)
		append_ok(journal, "t", "1");
	flush(journal);
}

/* However loaded the machine is, one of so many tries is not held up. */
static void
a_line_is_on_its_way_to_the_disk_within_the_time(void)
{
	struct journal *journal = begin();
	double began, taken, least = PATIENCE;
	int i;

	for (i = 1; i <= 50 && least > JOURNAL_SECONDS; i++) {
		began = time_monotonic();
		write_lines(journal, 1);
		if (!CHECK(sync_begins(i)))
			break;
		taken = time_monotonic() - began;
		least = taken < least ? taken : least;
	}
	CHECK(least <= JOURNAL_SECONDS);
	CHECK(journal_close(journal, &error) == 0);
	journal_end();
}

/* The first sync is held, so that the second group gathers meanwhile. */
static void
lines_are_synced_in_groups(void)
{
	struct journal *journal = begin();
	int i;

	set_disk(true, 0);
	write_lines(journal, 1);
	CHECK(sync_begins(1));
	for (i = 0; i < 300; i++)
		write_lines(journal, 1);
	set_disk(false, 0);
	CHECK(journal_close(journal, &error) == 0);
	CHECK(disk.calls == 2);
	journal_end();
}

static void
many_lines_do_not_wait_for_the_time(void)
{
	struct journal *journal = begin();
	double began, taken, least = PATIENCE;
	int i;

	for (i = 1; i <= 50 && least > JOURNAL_SECONDS / 4; i++) {
		began = time_monotonic();
		write_lines(journal, JOURNAL_LINES);
		if (!CHECK(sync_begins(i)))
			break;
		taken = time_monotonic() - began;
		least = taken < least ? taken : least;
	}
	CHECK(least <= JOURNAL_SECONDS / 4);
	CHECK(journal_close(journal, &error) == 0);
	journal_end();
}

static void
it_is_behind_until_the_disk_has_enough(void)
{
	struct journal *journal = begin();

	set_disk(true, 0);
	write_lines(journal, 1);
	CHECK(sync_begins(1));
	write_lines(journal, JOURNAL_LINES - 1);
	CHECK(!journal_behind(journal));
	write_lines(journal, 1);
	CHECK(journal_behind(journal));
	CHECK(!readable(journal, 0));
	set_disk(false, 0);
	CHECK(readable(journal, PATIENCE));
	CHECK(!journal_behind(journal));
	CHECK(journal_check(journal, &error) == 0);
	CHECK(!readable(journal, 0));
	CHECK(journal_close(journal, &error) == 0);
	journal_end();
}

static void *
release_the_disk(void *argument)
{
	bool *released = argument;

	(void)sync_begins(1);
	*released = true;
	set_disk(false, 0);
	return NULL;
}

static void
closing_waits_for_the_disk(void)
{
	struct journal *journal = begin();
	bool released = false;
	pthread_t thread;

	set_disk(true, 0);
	append_ok(journal, "t", "1");
	CHECK(pthread_create(&thread, NULL, release_the_disk, &released) == 0);
	CHECK(journal_close(journal, &error) == 0);
	CHECK(syncs_ended() == 1);
	pthread_join(thread, NULL);
	CHECK(released);
	journal_end();
}

static void
a_journal_without_lines_needs_no_sync(void)
{
	struct journal *journal = begin();

	CHECK(journal_flush(journal, &error) == 0);
	CHECK(journal_close(journal, &error) == 0);
	CHECK(disk.calls == 0);
	journal_end();
}

static void
a_sync_that_fails_is_told_and_not_tried_again(void)
{
	struct journal *journal = begin();
	struct line_place place;

	set_disk(false, EIO);
	write_lines(journal, 1);
	CHECK(readable(journal, PATIENCE));
	set_disk(false, 0);
	CHECK(journal_check(journal, &error) == -1);
	CHECK(error.code == EX_IOERR &&
	      strstr(error.message, "cannot be synced: Input/output") != NULL);
	place = append_ok(journal, "t", "2");
	CHECK(journal_flush(journal, &error) == -1 && error.code == EX_IOERR);
	CHECK(journal_flush(journal, &error) == -1);
	gives(journal, &place, "{\"id\":\"t\",\"task\":1,\"result\":2}\n");
	CHECK(journal_close(journal, &error) == -1 && error.code == EX_IOERR);
	CHECK(disk.calls == 1);
	journal_end();
}

static void
a_last_sync_that_fails_is_told_by_closing(void)
{
	struct journal *journal = begin();

	set_disk(false, ENOSPC);
	append_ok(journal, "t", "1");
	CHECK(journal_close(journal, &error) == -1);
	CHECK(error.code == EX_IOERR &&
	      strstr(error.message, "No space left") != NULL);
	journal_end();
}

static void
each_flush_can_be_synced(void)
{
	struct journal_options options = {
	    .path = journal_path, .resume = true, .sync = true};
	struct journal *journal = begin();
	int i;

	CHECK(journal_close(journal, &error) == 0);
	CHECK(journal_open(&journal, &options, &error) == 0);
	for (i = 1; i <= 5; i++) {
		write_lines(journal, 3);
		CHECK(syncs_ended() == i);
	}
	CHECK(!journal_behind(journal) && !readable(journal, 0));
	set_disk(false, EIO);
	append_ok(journal, "t", "1");
	CHECK(journal_flush(journal, &error) == -1 && error.code == EX_IOERR);
	CHECK(journal_close(journal, &error) == -1);
	CHECK(disk.calls == 6);
	journal_end();
}

/* Were it the thread's, too, this one would end us. */
static void
signals_are_left_to_the_others(void)
{
	struct journal *journal;
	sigset_t set, pending, before;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	journal = begin();
	write_lines(journal, 1);
	CHECK(sync_begins(1)); /* it has been started, and runs */
	pthread_sigmask(SIG_BLOCK, &set, &before);
	kill(getpid(), SIGUSR1);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1);
	signal(SIGUSR1, SIG_IGN); /* which takes it away */
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	CHECK(!sigismember(&before, SIGUSR1));
	signal(SIGUSR1, SIG_DFL);
	journal_close(journal, &error);
	journal_end();
}

int
main(void)
{
	RUN(a_line_is_on_its_way_to_the_disk_within_the_time);
	RUN(lines_are_synced_in_groups);
	RUN(many_lines_do_not_wait_for_the_time);
	RUN(it_is_behind_until_the_disk_has_enough);
	RUN(closing_waits_for_the_disk);
	RUN(a_journal_without_lines_needs_no_sync);
	RUN(a_sync_that_fails_is_told_and_not_tried_again);
	RUN(a_last_sync_that_fails_is_told_by_closing);
	RUN(each_flush_can_be_synced);
	RUN(signals_are_left_to_the_others);
	return check_done();
}
