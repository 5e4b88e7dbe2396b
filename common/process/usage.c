#include "process/usage.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "line/buffer.h"
#include "line/units.h"

#define PROCESSORS_MAX (1 << 20)

struct look {
	struct usage_process *items;
	size_t count;
	size_t capacity;
	uint64_t looked; /* ticks since boot */
	double time; /* on the monotonic clock */
};

struct usage {
	pid_t pid;
	double ticks; /* a second */
	struct look last;
	struct buffer text;
};

/* Reads a file of /proc, which says no size: 1, 0 (gone, or not for us), -1. */
static int
read_file(const char *path, struct buffer *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	char *room;

	buffer_clear(text);
	if (fd == -1)
		return 0;
	do {
		room = buffer_reserve(text, 1024);
		if (room == NULL)
			break;
		n = read(fd, room, 1023);
		if (n > 0)
			text->length += (size_t)n;
	} while (n > 0 || (n == -1 && errno == EINTR));
	close(fd);
	if (room == NULL || buffer_string(text) == NULL)
		return -1;
	return n == 0;
}

/* Reads /proc/PID/stat into process: 1, 0, -1. */
static int
read_process(pid_t pid, struct buffer *text, struct usage_process *process)
{
	uint64_t user, system, waited_user, waited_system;
	char path[64];
	const char *fields;
	int status;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	status = read_file(path, text);
	if (status != 1)
		return status;
	/* The command's name, in parentheses, may have any in itself. */
	fields = strrchr(text->data, ')');
	process->pid = pid;
	if (fields == NULL ||
	    sscanf(fields,
		") %*c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s"
		" %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		" %*s %*s %*s %*s %" SCNu64,
		&process->parent, &user, &system, &waited_user, &waited_system,
		&process->started) != 6)
		return 0;
	process->own = user + system;
	process->waited = waited_user + waited_system;
	return 1;
}

static int
add(struct look *look, const struct usage_process *process)
{
	struct usage_process *items;
	size_t capacity;

	if (look->count == USAGE_PROCESSES_MAX)
		return 0;
	if (look->count == look->capacity) {
		capacity = look->capacity == 0 ? 16 : 2 * look->capacity;
		items = reallocarray(look->items, capacity, sizeof(*items));
		if (items == NULL)
			return -1;
		look->items = items;
		look->capacity = capacity;
	}
	look->items[look->count++] = *process;
	return 0;
}

static int
add_pid(struct look *look, pid_t pid, struct buffer *text)
{
	struct usage_process process;
	int status = read_process(pid, text, &process);

	return status == 1 ? add(look, &process) : status;
}

/* Adds the children that one thread has made. */
static int
add_children(
    struct look *look, pid_t pid, const char *thread, struct buffer *text)
{
	struct buffer scratch = BUFFER_INIT;
	char path[64 + sizeof(((struct dirent *)0)->d_name)];
	const char *next;
	char *end;
	long child;
	int status;

	snprintf(path, sizeof(path), "/proc/%ld/task/%s/children", (long)pid,
	    thread);
	status = read_file(path, text);
	next = status == 1 ? text->data : "";
	while (status != -1 && (child = strtol(next, &end, 10)) > 0) {
		next = end;
		status = add_pid(look, (pid_t)child, &scratch);
	}
	buffer_release(&scratch);
	return status == -1 ? -1 : 0;
}

/* Adds the children of all threads of a process. */
static int
add_generation(struct look *look, pid_t pid, struct buffer *text)
{
	char path[64];
	struct dirent *entry;
	int status = 0;
	DIR *stream;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	stream = opendir(path);
	if (stream == NULL)
		return errno == ENOMEM ? -1 : 0;
	while (status == 0 && (entry = readdir(stream)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			status = add_children(look, pid, entry->d_name, text);
	closedir(stream);
	return status;
}

/* Adds what the processes from first on have started, and those in turn. */
static int
add_descendants(struct look *look, size_t first, struct buffer *text)
{
	size_t i;

	for (i = first; i < look->count; i++)
		if (add_generation(look, look->items[i].pid, text) == -1)
			return -1;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	pid_t left = ((const struct usage_process *)a)->pid,
	      right = ((const struct usage_process *)b)->pid;

	return (left > right) - (left < right);
}

static void
sort_look(struct look *look)
{
	size_t kept = 0, i;

	qsort(look->items, look->count, sizeof(*look->items), compare);
	/* One that lost its parent during the walk may have been met twice. */
	for (i = 0; i < look->count; i++)
		if (kept == 0 ||
		    look->items[kept - 1].pid != look->items[i].pid)
			look->items[kept++] = look->items[i];
	look->count = kept;
}

/* Whether it is in a look whose first items are sorted. */
static bool
contains(const struct look *look, size_t sorted, pid_t pid)
{
	struct usage_process wanted = {.pid = pid};
	size_t i;

	if (bsearch(&wanted, look->items, sorted, sizeof(wanted), compare) !=
	    NULL)
		return true;
	for (i = sorted; i < look->count; i++)
		if (look->items[i].pid == pid)
			return true;
	return false;
}

/*
 * Adds those of the last look that a children file left out, which happens
 * while other children end (proc(5)).
 */
static int
add_missed(struct look *look, const struct look *last, struct buffer *text)
{
	const struct usage_process *item, *end = last->items + last->count;
	struct usage_process process;
	size_t first, sorted;
	int status;

	sort_look(look);
	sorted = look->count;
	for (item = last->items; item < end; item++) {
		if (contains(look, sorted, item->pid))
			continue;
		status = read_process(item->pid, text, &process);
		if (status == -1)
			return -1;
		if (status == 0 || process.started != item->started ||
		    !contains(look, sorted, process.parent))
			continue;
		first = look->count;
		if (add(look, &process) == -1 ||
		    add_descendants(look, first, text) == -1)
			return -1;
	}
	sort_look(look);
	return 0;
}

/* 1; 0: the process is gone; -1: out of memory. */
static int
take_look(struct usage *usage, struct look *look)
{
	struct timespec boot;

	/* Before the walk: what starts during it is younger. */
	look->time = time_monotonic();
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	look->looked =
	    (uint64_t)(((double)boot.tv_sec + (double)boot.tv_nsec / 1e9) *
		       usage->ticks);
	if (add_pid(look, usage->pid, &usage->text) == -1)
		return -1;
	if (look->count == 0)
		return 0;
	if (add_descendants(look, 0, &usage->text) == -1 ||
	    add_missed(look, &usage->last, &usage->text) == -1)
		return -1;
	return 1;
}

static uint64_t
grown(uint64_t before, uint64_t after)
{
	return after > before ? after - before : 0;
}

uint64_t
usage_difference(const struct usage_process *before, size_t before_count,
    const struct usage_process *after, size_t after_count, uint64_t looked)
{
	uint64_t used = 0; /* by those that live */
	uint64_t waited = 0; /* by those that were waited for, since ever */
	uint64_t counted = 0; /* of that, what earlier looks saw */
	const struct usage_process *old = before, *end = before + before_count;
	const struct usage_process *item = after;

	for (; item < after + after_count; item++) {
		/* Those that are gone; their pids may be others' by now. */
		while (old < end && (old->pid < item->pid ||
					(old->pid == item->pid &&
					    old->started != item->started)))
			counted += old->own + old->waited, old++;
		if (old < end && old->pid == item->pid) {
			used += grown(old->own, item->own);
			waited += grown(old->waited, item->waited);
			old++;
		} else if (item->started >= looked) {
			used += item->own;
			waited += item->waited;
		}
	}
	for (; old < end; old++)
		counted += old->own + old->waited;
	/* Less: one that nobody waited for has gone with its time. */
	return used + grown(counted, waited);
}

int
usage_open(struct usage **usage, pid_t pid, struct svc_error *error)
{
	struct usage *made = calloc(1, sizeof(*made));
	long ticks = sysconf(_SC_CLK_TCK);

	if (made == NULL)
		return svc_error_errno(error, "usage");
	made->pid = pid;
	made->ticks = ticks > 0 ? (double)ticks : 100;
	if (take_look(made, &made->last) == -1) {
		usage_close(made);
		return svc_error_set(error, EX_OSERR, "usage: out of memory");
	}
	*usage = made;
	return 0;
}

void
usage_close(struct usage *usage)
{
	if (usage == NULL)
		return;
	free(usage->last.items);
	buffer_release(&usage->text);
	free(usage);
}

int
usage_take(
    struct usage *usage, double *used, double *passed, struct svc_error *error)
{
	struct look look = {0};
	int status = take_look(usage, &look);

	if (status != 1) {
		free(look.items);
		return status == 0 ? 0
				   : svc_error_set(error, EX_OSERR,
					 "usage: out of memory");
	}
	*used = (double)usage_difference(usage->last.items, usage->last.count,
		    look.items, look.count, usage->last.looked) /
		usage->ticks;
	*passed = look.time - usage->last.time;
	free(usage->last.items);
	usage->last = look;
	return 1;
}

int
usage_processors(pid_t pid)
{
	int most, count = 0;
	cpu_set_t *set;
	size_t size;

	/* A mask that is smaller than the kernel's is EINVAL. */
	for (most = 1024; count == 0 && most <= PROCESSORS_MAX; most *= 2) {
		set = CPU_ALLOC((size_t)most);
		if (set == NULL)
			break;
		size = CPU_ALLOC_SIZE((size_t)most);
		if (sched_getaffinity(pid, size, set) == 0)
			count = CPU_COUNT_S(size, set);
		else if (errno != EINVAL)
			most = PROCESSORS_MAX;
		CPU_FREE(set);
	}
	return count > 0 ? count : 1;
}
