/*
 * A batch: tasks held until all are known, to be put in order.
 *
 * A task is its line's bytes and what ordering and planning need of it, in at
 * most BATCH_TASK_MAX bytes beside the line, also counting what allocation
 * costs, while the batch grows and while it is put in order, too.  Names of
 * groups and services are kept once each, within that bound up to some 48 bytes
 * a task.  What else stands in the line is read again when it goes out.
 */
#ifndef SVCKIT_SCHED_BATCH_H
#define SVCKIT_SCHED_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "line/json.h"
#include "line/reader.h"
#include "line/task.h"

#define BATCH_TASK_MAX 200 /* bytes */

#define BATCH_NO_GROUP 0 /* the index of those without one, or with "" */

/* What a task takes that does not say its duration, in seconds. */
#define TASK_DURATION_DEFAULT 1.0

struct batch_task {
	const char *line; /* length bytes, owned by the batch, no LF */
	uint32_t length;
	uint32_t group; /* index into batch_group() */
	uint64_t number; /* of the input line */
	uint64_t key; /* task_key() */
	double priority;
	double duration; /* seconds; negative: not said */
	int64_t deadline; /* ms since 1970; 0: none */
	int64_t not_before; /* the same */
	uint32_t requires; /* offset in line; and length, 0: nothing */
	uint32_t requires_length;
	uint32_t service; /* index into batch_service() */
};

struct batch;

int batch_open(struct batch **batch, struct svc_error *error);
void batch_close(struct batch *batch);

/*
 * Takes a READY envelope that was made of line; both are copied.  service is
 * where it goes (placer.h), or NULL; key its key.  -1: EX_OSERR, and the batch
 * holds what it held.
 */
int batch_add(struct batch *batch, const struct envelope *envelope,
    const struct line *line, const char *service, uint64_t key,
    struct svc_error *error);

/*
 * In the order of the input, until somebody sorts them (task_order.h); valid
 * until the next batch_add().  NULL: there are none.
 */
struct batch_task *batch_tasks(struct batch *batch);
size_t batch_count(const struct batch *batch);

/* Groups, by index, in the order in which they came: 0 is BATCH_NO_GROUP. */
size_t batch_groups(const struct batch *batch);
const char *batch_group(const struct batch *batch, uint32_t group);
size_t batch_group_length(const struct batch *batch, uint32_t group);
/* The index of a group; batch_groups() when no task has it. */
uint32_t batch_group_find(const struct batch *batch, const char *name);

/* By index: NULL is that of tasks that go nowhere in particular. */
const char *batch_service(const struct batch *batch, uint32_t service);

/* Seconds at speed 1, TASK_DURATION_DEFAULT where it says none. */
double batch_duration(const struct batch_task *task);

/* The value of requires, for pool_eligible(); absent where it has none. */
void batch_requires(const struct batch_task *task, struct json_value *requires);

/* The line as a reader would yield it. */
void batch_line(const struct batch_task *task, struct line *line);

#endif
