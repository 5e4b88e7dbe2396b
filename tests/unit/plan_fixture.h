/*
 * A plan made of instances and task lines, for the tests of what plans.
 */
#ifndef SVCKIT_TESTS_PLAN_FIXTURE_H
#define SVCKIT_TESTS_PLAN_FIXTURE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "line/instance.h"
#include "line/units.h"
#include "sched/batch.h"
#include "sched/plan.h"
#include "sched/plan_measure.h"
#include "sched/planner.h"
#include "sched/task_key.h"
#include "sched/task_order.h"

#define FIXTURE_START 1000000000000 /* ms since 1970 */

/* A plan that does not get on ends the program after so many seconds. */
#define FIXTURE_PATIENCE 120

struct plan_fixture {
	struct instance *instances;
	size_t instance_count;
	struct pool *pool;
	struct batch *batch;
	struct envelope envelope;
	struct planner planner;
	struct plan_measure measure;
	enum chooser_explain explain;
	struct task_failure failure; /* the last one */
	unsigned *decided; /* of each task, how often */
	unsigned *explained; /* of each task, whether there was a why */
	size_t stop; /* tell an error at this decision; 0: never */
	size_t decisions;
};

static inline void
plan_fixture_bail(const char *what, const struct svc_error *error)
{
	printf("Bail out! %s: %s\n", what, error->message);
	exit(1);
}

static inline void
plan_fixture_open(struct plan_fixture *fixture)
{
	struct svc_error error;

	memset(fixture, 0, sizeof(*fixture));
	envelope_init(&fixture->envelope);
	if (batch_open(&fixture->batch, &error) == -1)
		plan_fixture_bail("batch", &error);
}

/* Adds an instance of "s"; more follows "address", e.g. ,"labels":{}. */
static inline void
plan_fixture_instance(
    struct plan_fixture *fixture, const char *id, const char *more)
{
	size_t count = fixture->instance_count;
	struct svc_error error;
	char line[1024];
	int length;

	if ((count & (count - 1)) == 0)
		fixture->instances = realloc(fixture->instances,
		    (count == 0 ? 1 : 2 * count) * sizeof(struct instance));
	length = snprintf(line, sizeof(line),
	    "{\"service\":\"s\",\"id\":\"%s\","
	    "\"address\":\"http://127.0.0.1:9/task\"%s}",
	    id, more);
	if (instance_parse(
		&fixture->instances[count], line, (size_t)length, &error) == -1)
		plan_fixture_bail(line, &error);
	fixture->instance_count++;
}

/* Adds a task; format makes its members but for "task": "\"duration\":3". */
__attribute__((format(printf, 2, 3))) static inline void
plan_fixture_task(struct plan_fixture *fixture, const char *format, ...)
{
	struct envelope_options options = {.run = "t", .source = "test"};
	struct line line = {.number = batch_count(fixture->batch) + 1};
	struct svc_error error;
	char text[1024] = "{\"task\":0,", *end = text + strlen(text);
	va_list arguments;
	uint64_t key;

	va_start(arguments, format);
	vsnprintf(end, sizeof(text) - 16, format, arguments);
	va_end(arguments);
	if (*end == '\0')
		*--end = '\0';
	memcpy(end + strlen(end), "}", 2);
	line.data = text;
	line.length = strlen(text);
	if (envelope_enter(&fixture->envelope, &line, &options, &error) !=
		ENVELOPE_READY ||
	    task_key(&fixture->envelope, NULL, &key, &error) == -1 ||
	    batch_add(fixture->batch, &fixture->envelope, &line, NULL, key,
		&error) == -1)
		plan_fixture_bail(text, &error);
}

/* An instant as "2001-...", for deadline and not_before; a static buffer. */
static inline const char *
plan_fixture_time(double seconds)
{
	static char texts[4][64];
	static unsigned next;
	struct buffer out = BUFFER_INIT;
	char *text = texts[next++ % 4];

	time_append(&out, FIXTURE_START + (int64_t)(seconds * 1000 + 0.5));
	snprintf(text, sizeof(texts[0]), "%s", buffer_string(&out));
	buffer_release(&out);
	return text;
}

static inline int
plan_fixture_decided(void *argument, size_t task,
    const struct plan_placement *placement, const struct task_failure *failure,
    const struct buffer *why, struct svc_error *error)
{
	struct plan_fixture *fixture = argument;

	fixture->decided[task]++;
	fixture->explained[task] += why->length > 0;
	if (failure != NULL)
		fixture->failure = *failure;
	CHECK((failure == NULL) == (placement->member != PLAN_NOT_PLACED));
	if (++fixture->decisions == fixture->stop)
		return svc_error_set(error, 1, "stopped");
	return 0;
}

/* Opens a planner under policy ("weighted=headroom"), the batch in order. */
static inline void
plan_fixture_plan(
    struct plan_fixture *fixture, const char *policy, enum task_order order)
{
	struct planner_options options = {
	    .start = FIXTURE_START, .explain = fixture->explain};
	struct svc_error error;

	options.policy.seed = 1;
	if (fixture->pool == NULL) {
		if (fixture->instance_count > 0)
			qsort(fixture->instances, fixture->instance_count,
			    sizeof(struct instance), instance_compare);
		if (pool_open(&fixture->pool, fixture->instances,
			fixture->instance_count, &error) == -1)
			plan_fixture_bail("pool", &error);
	}
	fixture->decided =
	    calloc(batch_count(fixture->batch) + 1, sizeof(*fixture->decided));
	fixture->explained = calloc(
	    batch_count(fixture->batch) + 1, sizeof(*fixture->explained));
	fixture->decisions = 0;
	if (policy_parse(policy, &options.type, &options.policy, &error) ==
		-1 ||
	    task_order_sort(
		fixture->batch, order, fixture->pool, NULL, 0, &error) == -1 ||
	    planner_open(&fixture->planner, fixture->pool, fixture->batch,
		&options, &error) == -1)
		plan_fixture_bail(policy, &error);
	fixture->planner.plan.decided = plan_fixture_decided;
	fixture->planner.plan.argument = fixture;
}

static inline void
plan_fixture_unplan(struct plan_fixture *fixture)
{
	plan_measure_release(&fixture->measure);
	planner_close(&fixture->planner);
	free(fixture->decided);
	free(fixture->explained);
}

/* The same, run and measured; every task has been decided once. */
static inline void
plan_fixture_run(
    struct plan_fixture *fixture, const char *policy, enum task_order order)
{
	struct svc_error error;
	size_t i, wrong = 0;

	plan_fixture_plan(fixture, policy, order);
	alarm(FIXTURE_PATIENCE);
	if (plan_run(&fixture->planner.plan, &error) == -1 ||
	    plan_measure(&fixture->measure, &fixture->planner.plan, &error) ==
		-1)
		plan_fixture_bail(policy, &error);
	alarm(0);
	for (i = 0; i < batch_count(fixture->batch); i++)
		wrong += fixture->decided[i] != 1;
	CHECK(wrong == 0);
}

static inline const struct plan_placement *
plan_fixture_placement(const struct plan_fixture *fixture, size_t task)
{
	return &fixture->planner.plan.placements[task];
}

/* Where the task went; "-": nowhere. */
static inline const char *
plan_fixture_id(const struct plan_fixture *fixture, size_t task)
{
	uint32_t member = plan_fixture_placement(fixture, task)->member;

	return member == PLAN_NOT_PLACED
		   ? "-"
		   : pool_member(fixture->pool, member)->instance->id;
}

static inline void
plan_fixture_close(struct plan_fixture *fixture)
{
	size_t i;

	pool_close(fixture->pool);
	batch_close(fixture->batch);
	envelope_release(&fixture->envelope);
	for (i = 0; i < fixture->instance_count; i++)
		instance_release(&fixture->instances[i]);
	free(fixture->instances);
}

#endif
