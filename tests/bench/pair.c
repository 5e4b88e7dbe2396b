/*
 * pair: times commands side by side, in turn, so that a machine whose speed
 * drifts slows all of them alike.
 *
 *	pair ROUNDS REPEATS COMMAND [ARG ...] [-- COMMAND [ARG ...]] ...
 *
 * In each of ROUNDS (after one that is not counted) every command runs REPEATS
 * times, one after another, its output going to /dev/null unless it redirects
 * it itself.  Prints a line a command: the median, minimum and maximum seconds
 * of one run, the largest resident size in KiB, and the median seconds of
 * processor time (user and system, with what it waited for).  A command that
 * does not exit with 0 ends the measurement: a figure of a failure is none.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 16

extern char **environ;

struct contender {
	char **argv;
	double *seconds; /* of one run, a round each */
	double *busy; /* processor time of one run, a round each */
	long resident; /* KiB */
};

static double
monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double
processor_time(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) /
		   1e6;
}

/* Returns the processor time. */
static double
run_once(struct contender *contender)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, contender->argv[0], &actions, NULL,
		contender->argv, environ) != 0)
		errx(127, "cannot run %s", contender->argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	if (wait4(pid, &status, 0, &usage) == -1)
		err(71, "wait4");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "%s ended with status %d", contender->argv[0], status);
	if (usage.ru_maxrss > contender->resident)
		contender->resident = usage.ru_maxrss;
	return processor_time(&usage);
}

/* REPEATS runs; round: which it is, -1: one that is not counted. */
static void
run_round(struct contender *contender, long repeats, long round)
{
	double start = monotonic(), busy = 0;
	long i;

	for (i = 0; i < repeats; i++)
		busy += run_once(contender);
	if (round < 0)
		return;
	contender->seconds[round] = (monotonic() - start) / (double)repeats;
	contender->busy[round] = busy / (double)repeats;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int
split(char **argv, struct contender *contenders)
{
	int count = 0;

	while (*argv != NULL) {
		if (count == COMMANDS_MAX)
			errx(64, "at most %d commands", COMMANDS_MAX);
		contenders[count++].argv = argv;
		while (*argv != NULL && strcmp(*argv, "--") != 0)
			argv++;
		if (*argv != NULL)
			*argv++ = NULL;
	}
	return count;
}

static void
print_row(struct contender *contender, size_t rounds)
{
	double *seconds = contender->seconds, *busy = contender->busy;

	qsort(seconds, rounds, sizeof(*seconds), compare);
	qsort(busy, rounds, sizeof(*busy), compare);
	printf("%.6f %.6f %.6f %ld %.6f\n", seconds[rounds / 2], seconds[0],
	    seconds[rounds - 1], contender->resident, busy[rounds / 2]);
}

int
main(int argc, char *argv[])
{
	struct contender contenders[COMMANDS_MAX] = {0};
	long rounds, repeats, round;
	int count, c;

	if (argc < 4)
		errx(64, "usage: pair ROUNDS REPEATS COMMAND ... [-- ...]");
	rounds = strtol(argv[1], NULL, 10);
	repeats = strtol(argv[2], NULL, 10);
	count = split(argv + 3, contenders);
	if (rounds < 1 || repeats < 1 || count < 1)
		errx(64, "rounds and repeats are at least 1");
	for (c = 0; c < count; c++) {
		contenders[c].seconds = calloc((size_t)rounds, sizeof(double));
		contenders[c].busy = calloc((size_t)rounds, sizeof(double));
		if (contenders[c].seconds == NULL || contenders[c].busy == NULL)
			err(71, NULL);
	}
	for (round = -1; round < rounds; round++)
		for (c = 0; c < count; c++)
			run_round(&contenders[c], repeats, round);
	for (c = 0; c < count; c++) {
		print_row(&contenders[c], (size_t)rounds);
		free(contenders[c].seconds);
		free(contenders[c].busy);
	}
	return 0;
}
