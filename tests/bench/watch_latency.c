/*
 * watch_latency: how long after a rename(2) a watcher tells of it.
 *
 *	watch_latency COUNT REGISTRY WORD COMMAND [ARG ...]
 *
 * REGISTRY is a directory with services below services/.  Starts
 * COMMAND, whose stdout is a pipe, and waits until it has told of a first
 * rename; then COUNT times renames a record into one of the services (each time
 * another one, a new id) and takes the time until a line arrives that has the
 * id and WORD in it ("" for any).  Prints the median and the 99th percentile in
 * milliseconds, the CPU seconds that the command has used for it, and its
 * resident size in KiB.
 */
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define NAMES_MAX 1000
#define WAIT	  10000 /* ms for a line */
#define PAUSE	  2 /* ms between two, so that each is told alone */
#define ATTEMPTS  100 /* at the first rename, while the command starts */
#define ATTEMPT	  100 /* ms for each of them */

extern char **environ;

struct command {
	pid_t pid;
	int output;
	char pending[1 << 20];
	size_t length;
};

struct registry {
	const char *path;
	char *names[NAMES_MAX];
	size_t count;
};

static double
monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
start(struct command *command, char *argv[])
{
	posix_spawn_file_actions_t actions;
	int ends[2], status;

	if (pipe2(ends, O_CLOEXEC) == -1)
		err(EX_OSERR, "pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	status =
	    posix_spawnp(&command->pid, argv[0], &actions, NULL, argv, environ);
	if (status != 0)
		errx(127, "cannot run %s: %s", argv[0], strerror(status));
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	command->output = ends[0];
}

static void
find_services(struct registry *registry)
{
	char path[4096];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "%s/services", registry->path);
	directory = opendir(path);
	if (directory == NULL)
		err(EX_NOINPUT, "%s", path);
	while (registry->count < NAMES_MAX &&
	       (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		registry->names[registry->count] = strdup(entry->d_name);
		if (registry->names[registry->count++] == NULL)
			err(EX_OSERR, NULL);
	}
	closedir(directory);
	if (registry->count == 0)
		errx(EX_DATAERR, "%s: no service", path);
}

/* Writes the record of id beside its place and renames it there; returns when,
 * as svc-register would, but for the syncs. */
static double
put(const struct registry *registry, const char *service, const char *id)
{
	char temp[4096], path[4096], record[512];
	double when;
	int fd, length;

	snprintf(temp, sizeof(temp), "%s/services/%s/.temp", registry->path,
	    service);
	snprintf(path, sizeof(path), "%s/services/%s/%s.json", registry->path,
	    service, id);
	length = snprintf(record, sizeof(record),
	    "{\"service\":\"%s\",\"id\":\"%s\","
	    "\"address\":\"http://127.0.0.1:9/task\"}",
	    service, id);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1 || write(fd, record, (size_t)length) != length ||
	    close(fd) == -1)
		err(EX_IOERR, "%s", temp);
	when = monotonic();
	if (rename(temp, path) == -1)
		err(EX_IOERR, "%s", path);
	return when;
}

/* Takes the lines that are there off; whether one has both words. */
static bool
take_lines(struct command *command, const char *id, const char *word)
{
	char *newline;
	bool found = false;
	size_t length;

	while ((newline = memchr(command->pending, '\n', command->length)) !=
	       NULL) {
		*newline = '\0';
		found = found || (strstr(command->pending, id) != NULL &&
				     strstr(command->pending, word) != NULL);
		length = (size_t)(newline + 1 - command->pending);
		command->length -= length;
		memmove(command->pending, newline + 1, command->length);
	}
	/* Of a line that is longer the rest will do. */
	if (command->length == sizeof(command->pending))
		command->length = 0;
	return found;
}

/* Whether the command tells of id within so many milliseconds. */
static bool
is_told(struct command *command, const char *id, const char *word, int wait)
{
	struct pollfd poller = {.fd = command->output, .events = POLLIN};
	double end = monotonic() + wait / 1000.0, left;
	ssize_t n;

	while ((left = end - monotonic()) > 0) {
		if (poll(&poller, 1, (int)(left * 1000) + 1) != 1)
			continue;
		n = read(command->output, command->pending + command->length,
		    sizeof(command->pending) - command->length);
		if (n == 0 || (n == -1 && errno != EINTR))
			errx(EX_SOFTWARE, "the command ended");
		command->length += n == -1 ? 0 : (size_t)n;
		if (take_lines(command, id, word))
			return true;
	}
	return false;
}

static void
wait_until_it_watches(
    struct command *command, const struct registry *registry, const char *word)
{
	char id[64];
	int i;

	for (i = 0; i < ATTEMPTS; i++) {
		snprintf(id, sizeof(id), "first-%d-%d-", (int)getpid(), i);
		(void)put(registry, registry->names[0], id);
		if (is_told(command, id, word, ATTEMPT))
			return;
	}
	errx(EX_TEMPFAIL, "the command tells of nothing");
}

static void
measure(struct command *command, const struct registry *registry,
    const char *word, double *times, long count)
{
	const struct timespec pause = {0, PAUSE * 1000000L};
	const char *service;
	char id[64];
	double when;
	long i;

	for (i = 0; i < count; i++) {
		service = registry->names[(size_t)i % registry->count];
		snprintf(id, sizeof(id), "i-%d-%ld-", (int)getpid(), i);
		when = put(registry, service, id);
		if (!is_told(command, id, word, WAIT))
			errx(EX_TEMPFAIL, "%s/%s was not told", service, id);
		times[i] = (monotonic() - when) * 1000;
		nanosleep(&pause, NULL);
	}
}

static long
resident(pid_t pid)
{
	char path[64], line[256];
	long kibibytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kibibytes) == 1)
			break;
	fclose(file);
	return kibibytes;
}

static double
processor_seconds(pid_t pid)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &time) == -1)
		return 0;
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char *argv[])
{
	static struct command command;
	static struct registry registry;
	double *times, used;
	long count, size;

	if (argc < 5 || (count = strtol(argv[1], NULL, 10)) < 1)
		errx(EX_USAGE, "usage: watch_latency COUNT REGISTRY WORD "
			       "COMMAND [ARG ...]");
	registry.path = argv[2];
	times = calloc((size_t)count, sizeof(*times));
	if (times == NULL)
		err(EX_OSERR, NULL);
	find_services(&registry);
	start(&command, argv + 4);
	wait_until_it_watches(&command, &registry, argv[3]);
	used = processor_seconds(command.pid);
	measure(&command, &registry, argv[3], times, count);
	used = processor_seconds(command.pid) - used;
	size = resident(command.pid);
	kill(command.pid, SIGTERM);
	waitpid(command.pid, NULL, 0);
	qsort(times, (size_t)count, sizeof(*times), compare);
	printf("%.3f %.3f %.3f %ld\n", times[count / 2],
	    times[count * 99 / 100], used, size);
	free(times);
	return 0;
}
