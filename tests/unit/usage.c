/* CPU time of process trees: the difference of two looks, and real children. */
#include "process/usage.h"

#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "line/units.h"

#define DEADLINE 20.0 /* seconds, on a busy machine */

#define COUNT(items) (sizeof(items) / sizeof((items)[0]))
#define DIFFERENCE(before, after)                                            \
	usage_difference((before), (before)[0].pid == 0 ? 0 : COUNT(before), \
	    (after), COUNT(after), 50)

static const struct usage_process nothing[] = {{0, 0, 0, 0, 0}};

/* pid, parent, own, waited, started; looked at 50. */
static void
the_difference_is_what_all_have_used_since(void)
{
	const struct usage_process before[] = {
	    {10, 1, 100, 7, 5}, {20, 10, 30, 0, 6}};
	const struct usage_process same[] = {
	    {10, 1, 100, 7, 5}, {20, 10, 30, 0, 6}};
	const struct usage_process after[] = {
	    {10, 1, 103, 7, 5}, {20, 10, 34, 0, 6}, {30, 20, 5, 2, 60}};

	CHECK(DIFFERENCE(before, same) == 0);
	CHECK(DIFFERENCE(before, after) == 3 + 4 + 5 + 2);
}

static void
what_a_process_used_counts_once_when_it_is_waited_for(void)
{
	const struct usage_process before[] = {
	    {10, 1, 100, 7, 5}, {20, 10, 30, 1, 6}};
	const struct usage_process after[] = {{10, 1, 100, 7 + 30 + 1 + 4, 5}};

	CHECK(DIFFERENCE(before, after) == 4);
}

static void
who_vanishes_with_its_time_takes_nothing_from_the_others(void)
{
	const struct usage_process before[] = {
	    {10, 1, 100, 7, 5}, {20, 10, 5000, 900, 6}, {30, 10, 40, 0, 7}};
	const struct usage_process after[] = {
	    {10, 1, 100, 7, 5}, {30, 10, 52, 0, 7}};

	CHECK(DIFFERENCE(before, after) == 12);
}

static void
a_pid_that_is_used_again_is_another_process(void)
{
	const struct usage_process before[] = {
	    {10, 1, 100, 0, 5}, {20, 10, 30, 0, 6}};
	const struct usage_process after[] = {
	    {10, 1, 100, 33, 5}, {20, 10, 2, 0, 70}};

	CHECK(DIFFERENCE(before, after) == 2 + 3);
}

static void
who_was_overlooked_counts_from_the_next_look_on(void)
{
	const struct usage_process before[] = {{10, 1, 100, 0, 5}};
	const struct usage_process after[] = {
	    {10, 1, 101, 0, 5}, {20, 10, 9000, 80, 6}};

	CHECK(DIFFERENCE(before, after) == 1);
	CHECK(DIFFERENCE(nothing, after) == 0);
}

/* A child that runs fn and never returns. */
static pid_t
begin(void (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	return pid;
}

static void
end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}

static void
burn(void)
{
	volatile unsigned long n = 0;

	/* A test that dies must not leave it for ever. */
	(void)alarm(60);
	for (;;)
		n++;
}

static void
rest(void)
{
	(void)alarm(60);
	for (;;)
		(void)pause();
}

/* Starts one that burns, and says its pid on descriptor 3. */
static int telling;

static void
burn_in_a_child(void)
{
	pid_t pid;

	/* Nobody waits for it: its time goes with it. */
	(void)signal(SIGCHLD, SIG_IGN);
	pid = begin(burn);
	if (write(telling, &pid, sizeof(pid)) == sizeof(pid))
		rest();
}

/* Until it has used so many seconds since the first call; 0 at the deadline. */
static double
used_at_least(struct usage *usage, double wanted)
{
	double deadline = time_monotonic() + DEADLINE, sum = 0, used, passed;

	while (sum < wanted && time_monotonic() < deadline) {
		(void)poll(NULL, 0, 20);
		if (!CHECK(usage_take(usage, &used, &passed, NULL) == 1))
			return 0;
		CHECK(used >= 0 && passed > 0);
		sum += used;
	}
	return sum >= wanted ? sum : 0;
}

static void
a_process_that_is_busy_uses_time(void)
{
	pid_t pid = begin(burn);
	struct usage *usage = NULL;
	double start = time_monotonic(), used;

	if (!CHECK(usage_open(&usage, pid, NULL) == 0))
		return;
	used = used_at_least(usage, 0.2);
	CHECK(used >= 0.2);
	/* One thread, one processor; a tick may be seen late. */
	CHECK(used <= time_monotonic() - start + 0.1);
	end(pid);
	CHECK(usage_take(usage, &used, &start, NULL) == 0);
	usage_close(usage);
}

static void
a_process_that_rests_uses_none(void)
{
	pid_t pid = begin(rest);
	struct usage *usage = NULL;
	double used, passed;

	if (!CHECK(usage_open(&usage, pid, NULL) == 0))
		return;
	(void)poll(NULL, 0, 200);
	CHECK(usage_take(usage, &used, &passed, NULL) == 1);
	CHECK(used <= 0.02 && passed >= 0.19);
	end(pid);
	usage_close(usage);
}

static void
descendants_count_and_when_one_is_killed_it_is_never_less_than_0(void)
{
	struct usage *usage = NULL;
	double used, passed;
	pid_t pid, child = 0;
	int ends[2];

	if (!CHECK(pipe(ends) == 0))
		return;
	telling = ends[1];
	pid = begin(burn_in_a_child);
	(void)close(ends[1]);
	CHECK(read(ends[0], &child, sizeof(child)) == sizeof(child));
	(void)close(ends[0]);
	if (!CHECK(usage_open(&usage, pid, NULL) == 0))
		return;
	CHECK(used_at_least(usage, 0.2) >= 0.2);
	CHECK(child > 0 && kill(child, SIGKILL) == 0);
	while (kill(child, 0) == 0)
		(void)poll(NULL, 0, 5);
	CHECK(usage_take(usage, &used, &passed, NULL) == 1);
	CHECK(used >= 0 && used < 0.2);
	end(pid);
	usage_close(usage);
}

static void
processors_are_those_it_may_run_on(void)
{
	cpu_set_t all, one;
	int i = 0;

	if (sched_getaffinity(0, sizeof(all), &all) == -1) {
		SKIP("more processors than this test knows");
		return;
	}
	CHECK(usage_processors(getpid()) == CPU_COUNT(&all));
	while (!CPU_ISSET(i, &all))
		i++;
	CPU_ZERO(&one);
	CPU_SET(i, &one);
	CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
	CHECK(usage_processors(getpid()) == 1);
	CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
}

int
main(void)
{
	RUN(the_difference_is_what_all_have_used_since);
	RUN(what_a_process_used_counts_once_when_it_is_waited_for);
	RUN(who_vanishes_with_its_time_takes_nothing_from_the_others);
	RUN(a_pid_that_is_used_again_is_another_process);
	RUN(who_was_overlooked_counts_from_the_next_look_on);
	RUN(a_process_that_is_busy_uses_time);
	RUN(a_process_that_rests_uses_none);
	RUN(descendants_count_and_when_one_is_killed_it_is_never_less_than_0);
	RUN(processors_are_those_it_may_run_on);
	return check_done();
}
