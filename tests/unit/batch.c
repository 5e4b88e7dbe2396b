/* Tasks that are held: what is kept of them, and in how much memory. */
#include "sched/batch.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <stdint.h>
#include <sysexits.h>
#include <unistd.h>

#include "batch_fixture.h"
#include "check.h"
#include "sched/random.h"
#include "sched/task_order.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

#define MANY 1000000

static void
what_orders_look_at_is_read_once(void)
{
	struct batch *batch = batch_fixture_open();
	const struct batch_task *task;
	struct json_value requires;

	batch_fixture_add(batch,
	    "{\"id\":\"t1\",\"task\":1,\"priority\":-2.5,\"duration\":\"2m\","
	    "\"deadline\":\"1970-01-01T00:00:07Z\",\"requires\": {\"cpu\":2} ,"
	    "\"not_before\":\"1970-01-01T00:00:03Z\",\"service\":\"render\","
	    "\"group\":\"alice\"}");
	batch_fixture_add(batch, "{\"task\":2}");
	CHECK(batch_count(batch) == 2);
	task = batch_tasks(batch);
	CHECK(task->number == 1 && task->key == 3);
	CHECK(task->priority == -2.5 && task->duration == 120);
	CHECK(task->deadline == 7000 && task->not_before == 3000);
	CHECK_STRING(batch_group(batch, task->group), "alice");
	CHECK_STRING(batch_service(batch, task->service), "render");
	batch_requires(task, &requires);
	CHECK(requires.type == JSON_OBJECT && requires.span.length == 9 &&
	      memcmp(requires.span.data, "{\"cpu\":2}", 9) == 0);
	task++;
	CHECK(task->number == 2 && task->priority == 0 && task->duration < 0);
	CHECK(task->deadline == 0 && task->not_before == 0);
	CHECK(task->group == BATCH_NO_GROUP);
	CHECK(batch_service(batch, task->service) == NULL);
	batch_requires(task, &requires);
	CHECK(requires.span.data == NULL);
	batch_close(batch);
}

static void
names_of_groups_are_compared_after_unescaping(void)
{
	static const struct {
		const char *member;
		uint32_t group;
	} rows[] = {
	    {"", BATCH_NO_GROUP},
	    {",\"group\":\"alice\"", 1},
	    {",\"group\":\"bob\"", 2},
	    {",\"group\":\"al\\u0069ce\"", 1},
	    {",\"group\":\"\"", BATCH_NO_GROUP},
	    {",\"group\":null", BATCH_NO_GROUP},
	    {",\"group\":\"a\\u0000b\"", 3},
	    {",\"group\":\"a\\u0000c\"", 4},
	    {",\"group\":\"\\\"\\\\\"", 5},
	};
	struct batch *batch = batch_fixture_open();
	char line[128];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "{\"task\":1%s}", rows[i].member);
		batch_fixture_add(batch, line);
		if (!CHECK(batch_tasks(batch)[i].group == rows[i].group))
			printf("# of %s\n", line);
	}
	CHECK(batch_groups(batch) == 6);
	CHECK_STRING(batch_group(batch, BATCH_NO_GROUP), "");
	CHECK_STRING(batch_group(batch, 5), "\"\\");
	CHECK(batch_group_find(batch, "bob") == 2);
	CHECK(batch_group_find(batch, "") == BATCH_NO_GROUP);
	CHECK(batch_group_find(batch, "carol") == batch_groups(batch));
	batch_close(batch);
}

/* A line of length bytes (64 at least), which no other number has. */
static void
make_line(char *line, size_t number, size_t length)
{
	int head = snprintf(line, length,
	    "{\"id\":\"t%zu\",\"group\":\"g%zu\",\"task\":\"", number,
	    number % 1000);

	memset(line + head, 'a' + (int)(number % 26), length - (size_t)head);
	memcpy(line + length - 2, "\"}", 2);
}

static void
lines_of_all_lengths_are_kept_byte_for_byte(void)
{
	enum { LINES = 3000, LONGEST = 300000 };
	static char text[LONGEST];
	struct batch *batch = batch_fixture_open();
	struct envelope envelope;
	struct svc_error error;
	struct random random;
	struct line line;
	size_t lengths[LINES], i;

	random_seed(&random, 4);
	envelope_init(&envelope);
	for (i = 0; i < LINES; i++) {
		lengths[i] = 64 + (size_t)random_below(&random,
				      i % 40 == 0 ? LONGEST - 64 : 300);
		make_line(text, i, lengths[i]);
		if (!CHECK(batch_fixture_try(batch, &envelope, text, lengths[i],
			       &error) == 0))
			break;
	}
	for (i = 0; i < batch_count(batch); i++) {
		batch_line(&batch_tasks(batch)[i], &line);
		make_line(text, i, lengths[i]);
		if (!CHECK(line.number == i + 1 && !line.too_long &&
			   !line.has_nul && line.length == lengths[i] &&
			   memcmp(line.data, text, lengths[i]) == 0))
			break;
	}
	envelope_release(&envelope);
	batch_close(batch);
}

/* The value of a line of /proc/self/status, in bytes. */
static size_t
status_of(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	size_t value = 0, length = strlen(name);
	char line[256];

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			value = strtoul(line + length + 1, NULL, 10) * 1024;
	fclose(file);
	return value;
}

/* What a process of its own, which calls work, needs at its peak, less size. */
static size_t
peak_over(size_t (*work)(void))
{
	size_t *peak = mmap(NULL, sizeof(*peak), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t before, lines, result;
	pid_t child;
	int status;

	if (peak == MAP_FAILED || (child = fork()) == -1)
		return SIZE_MAX;
	if (child == 0) {
		before = status_of("VmRSS");
		lines = work();
		*peak = status_of("VmHWM") - before - lines;
		_exit(before == 0 || lines == 0);
	}
	if (waitpid(child, &status, 0) == -1 || status != 0)
		*peak = SIZE_MAX;
	result = *peak;
	munmap(peak, sizeof(*peak));
	return result;
}

/* Adds count lines that format makes of their number; how long they are. */
static size_t
add_many(struct batch *batch, size_t count,
    size_t (*format)(char line[256], size_t number))
{
	struct envelope envelope;
	struct svc_error error;
	char line[256];
	size_t i, length, sum = 0;

	envelope_init(&envelope);
	for (i = 0; i < count; i++) {
		length = format(line, i);
		if (batch_fixture_try(batch, &envelope, line, length, &error) ==
		    -1)
			_exit(1);
		sum += length;
	}
	envelope_release(&envelope);
	return sum;
}

static size_t
format_small(char line[256], size_t number)
{
	return (size_t)snprintf(line, 256,
	    "{\"id\":\"t%zu\",\"task\":{\"n\":1},\"priority\":%zu,"
	    "\"duration\":%zu,\"requires\":{\"cpu\":2},\"group\":\"g%zu\"}",
	    number, number * 7919 % 13, number * 104729 % 977, number % 100);
}

static size_t
format_own_group(char line[256], size_t number)
{
	return (size_t)snprintf(line, 256,
	    "{\"task\":1,\"group\":\"somebody-%09zu@example.org\"}",
	    number * 7919 % MANY);
}

static size_t
hold_and_sort(size_t (*format)(char line[256], size_t number))
{
	struct batch *batch = batch_fixture_open();
	struct svc_error error;
	struct pool *pool;
	size_t lines;
	int order;

	lines = add_many(batch, MANY, format);
	if (pool_open(&pool, NULL, 0, &error) == -1)
		_exit(1);
	for (order = 0; order < ORDER_COUNT; order++)
		if (task_order_sort(batch, (enum task_order)order, pool, NULL,
			0, &error) == -1)
			_exit(1);
	return lines;
}

static size_t
hold_small(void)
{
	return hold_and_sort(format_small);
}

static size_t
hold_own_groups(void)
{
	return hold_and_sort(format_own_group);
}

static void
a_million_tasks_take_at_most_200_bytes_each_over_their_lines(void)
{
	size_t peak;

	if (SANITIZED) {
		SKIP("a sanitizer takes memory of its own");
		return;
	}
	peak = peak_over(hold_small);
	printf("# %zu bytes a task\n", peak / MANY);
	CHECK(peak <= (size_t)MANY * BATCH_TASK_MAX);
}

static void
so_they_do_when_each_has_a_group_of_its_own(void)
{
	size_t peak;

	if (SANITIZED) {
		SKIP("a sanitizer takes memory of its own");
		return;
	}
	peak = peak_over(hold_own_groups);
	printf("# %zu bytes a task\n", peak / MANY);
	CHECK(peak <= (size_t)MANY * BATCH_TASK_MAX);
}

/* Three of the longest lines that there may be. */
static size_t
hold_huge(void)
{
	size_t length = LINE_LENGTH_MAX - LINE_ROOM, i;
	char *text = mmap(NULL, length, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct batch *batch = batch_fixture_open();
	struct envelope envelope;
	struct svc_error error;

	if (text == MAP_FAILED)
		_exit(1);
	envelope_init(&envelope);
	for (i = 0; i < 3; i++) {
		make_line(text, i, length);
		if (batch_fixture_try(batch, &envelope, text, length, &error) ==
		    -1)
			_exit(1);
	}
	/* the one that came in, and those that are held */
	return length + i * length;
}

static void
of_a_huge_line_nothing_is_wasted(void)
{
	size_t peak;

	if (SANITIZED) {
		SKIP("a sanitizer takes memory of its own");
		return;
	}
	peak = peak_over(hold_huge);
	printf("# %zu bytes\n", peak);
	CHECK((ssize_t)peak < 4L * 1024 * 1024); /* a huge page or two */
}

/* Adds lines until there is no memory; then all that are held must be whole. */
static int
fill_up(void)
{
	enum { LENGTH = 1000 };
	const struct rlimit limit = {128UL << 20, 128UL << 20};
	struct batch *batch = batch_fixture_open();
	struct envelope envelope;
	struct svc_error error;
	char text[LENGTH];
	struct line line;
	size_t i;

	envelope_init(&envelope);
	if (setrlimit(RLIMIT_AS, &limit) == -1)
		return 2;
	for (i = 0; i < MANY; i++) {
		make_line(text, i, LENGTH);
		if (batch_fixture_try(batch, &envelope, text, LENGTH, &error) ==
		    -1)
			break;
	}
	if (i == MANY || error.code != EX_OSERR || batch_count(batch) != i)
		return 3;
	/* most of what there was has been made use of */
	if (i < (64UL << 20) / LENGTH)
		return 4;
	while (i-- > 0) {
		make_line(text, i, LENGTH);
		batch_line(&batch_tasks(batch)[i], &line);
		if (line.length != LENGTH ||
		    memcmp(line.data, text, LENGTH) != 0)
			return 5;
	}
	batch_close(batch);
	return 0;
}

static void
without_memory_what_is_held_stays(void)
{
	pid_t child;
	int status = -1;

	if (SANITIZED) {
		SKIP("a sanitizer needs more addresses than the limit");
		return;
	}
	child = fork();
	if (child == 0)
		_exit(fill_up());
	CHECK(child != -1 && waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		printf("# at %d\n", WEXITSTATUS(status));
}

static void
an_empty_batch_has_no_tasks(void)
{
	struct batch *batch = batch_fixture_open();

	CHECK(batch_count(batch) == 0);
	CHECK(batch_groups(batch) == 1);
	CHECK(batch_service(batch, 0) == NULL);
	batch_close(batch);
	batch_close(NULL);
}

int
main(void)
{
	RUN(an_empty_batch_has_no_tasks);
	RUN(what_orders_look_at_is_read_once);
	RUN(names_of_groups_are_compared_after_unescaping);
	RUN(lines_of_all_lengths_are_kept_byte_for_byte);
	RUN(a_million_tasks_take_at_most_200_bytes_each_over_their_lines);
	RUN(so_they_do_when_each_has_a_group_of_its_own);
	RUN(of_a_huge_line_nothing_is_wasted);
	RUN(without_memory_what_is_held_stays);
	return check_done();
}
