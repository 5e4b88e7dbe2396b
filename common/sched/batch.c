#include "sched/batch.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/byte_store.h"
#include "sched/name_table.h"

#define TASKS_LEAST  1024
#define SCRATCH_KEPT 4096

/*
 * The tasks are mapped memory that grows by mremap(2): nothing is copied, so
 * there never is an old array beside the new one, and what has not been
 * written to takes no memory.
 */
struct batch {
	struct batch_task *tasks;
	size_t count;
	size_t capacity;
	struct byte_store lines;
	struct name_table groups;
	struct name_table services;
	struct buffer scratch; /* a group's name, decoded */
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
batch_open(struct batch **opened, struct svc_error *error)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	uint32_t none;

	*opened = NULL;
	/* number 0 of both: who has no group, who goes nowhere */
	if (batch == NULL ||
	    name_table_add(&batch->groups, "", 0, &none) == -1 ||
	    name_table_add(&batch->services, "", 0, &none) == -1) {
		batch_close(batch);
		return no_memory(error);
	}
	*opened = batch;
	return 0;
}

void
batch_close(struct batch *batch)
{
	if (batch == NULL)
		return;
	if (batch->tasks != NULL)
		munmap(batch->tasks, batch->capacity * sizeof(*batch->tasks));
	byte_store_release(&batch->lines);
	name_table_release(&batch->groups);
	name_table_release(&batch->services);
	buffer_release(&batch->scratch);
	free(batch);
}

static int
grow_to(struct batch *batch, size_t capacity)
{
	void *tasks;

	if (capacity > SIZE_MAX / sizeof(*batch->tasks))
		return -1;
	tasks =
	    batch->tasks == NULL
		? mmap(NULL, capacity * sizeof(*batch->tasks),
		      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0)
		: mremap(batch->tasks, batch->capacity * sizeof(*batch->tasks),
		      capacity * sizeof(*batch->tasks), MREMAP_MAYMOVE);
	if (tasks == MAP_FAILED)
		return -1;
	batch->tasks = tasks;
	batch->capacity = capacity;
	return 0;
}

/* Room for one more. */
static int
make_room(struct batch *batch)
{
	if (batch->count < batch->capacity)
		return 0;
	if (batch->capacity == 0)
		return grow_to(batch, TASKS_LEAST);
	/* where addresses are short (ulimit -v) a little may still fit */
	if (grow_to(batch, batch->capacity * 2) == 0)
		return 0;
	return grow_to(batch, batch->capacity + TASKS_LEAST);
}

static const char *
keep_line(struct batch *batch, const struct line *line)
{
	char *kept = byte_store_reserve(&batch->lines, line->length);

	if (kept != NULL)
		memcpy(kept, line->data, line->length);
	return kept;
}

/* The number of the group that the line names. */
static int
intern_group(
    struct batch *batch, const struct json_value *group, uint32_t *number)
{
	struct buffer *scratch = &batch->scratch;
	int result;

	*number = BATCH_NO_GROUP;
	if (group->span.data == NULL)
		return 0;
	if (!group->escaped) /* what stands between the quotes */
		return name_table_add(&batch->groups, group->span.data + 1,
		    group->span.length - 2, number);
	json_decode(group, scratch);
	if (buffer_failed(scratch))
		result = -1;
	else
		result = name_table_add(
		    &batch->groups, scratch->data, scratch->length, number);
	buffer_trim(scratch, SCRATCH_KEPT);
	return result;
}

static void
fill(struct batch_task *task, const struct envelope *envelope,
    const struct line *line)
{
	const struct json_span *requires =
	    &envelope->members[MEMBER_REQUIRES].span;

	task->length = (uint32_t)line->length;
	task->number = line->number;
	/* that of -0 is 0, which orders may compare by its bits */
	task->priority = envelope->priority + 0.0;
	task->duration = envelope->duration;
	task->deadline = envelope->deadline;
	task->not_before = envelope->not_before;
	if (requires->data != NULL) {
		task->requires = (uint32_t)(requires->data - line->data);
		task->requires_length = (uint32_t) requires->length;
	}
}

int
batch_add(struct batch *batch, const struct envelope *envelope,
    const struct line *line, const char *service, uint64_t key,
    struct svc_error *error)
{
	struct batch_task task = {.key = key};

	if (batch->count == UINT32_MAX || line->length > UINT32_MAX)
		return svc_error_set(error, EX_OSERR,
		    "%zu tasks, and no more can be held", batch->count);
	fill(&task, envelope, line);
	if (service == NULL)
		service = "";
	if (intern_group(
		batch, &envelope->members[MEMBER_GROUP], &task.group) == -1 ||
	    name_table_add(&batch->services, service, strlen(service),
		&task.service) == -1 ||
	    make_room(batch) == -1 ||
	    (task.line = keep_line(batch, line)) == NULL)
		return no_memory(error);
	batch->tasks[batch->count++] = task;
	return 0;
}

struct batch_task *
batch_tasks(struct batch *batch)
{
	return batch->tasks;
}

size_t
batch_count(const struct batch *batch)
{
	return batch->count;
}

size_t
batch_groups(const struct batch *batch)
{
	return batch->groups.count;
}

const char *
batch_group(const struct batch *batch, uint32_t group)
{
	return name_table_name(&batch->groups, group);
}

size_t
batch_group_length(const struct batch *batch, uint32_t group)
{
	return name_table_length(&batch->groups, group);
}

uint32_t
batch_group_find(const struct batch *batch, const char *name)
{
	uint32_t found = name_table_find(&batch->groups, name, strlen(name));

	return found == NAME_TABLE_NONE ? (uint32_t)batch_groups(batch) : found;
}

const char *
batch_service(const struct batch *batch, uint32_t service)
{
	return service == 0 ? NULL : name_table_name(&batch->services, service);
}

double
batch_duration(const struct batch_task *task)
{
	return task->duration < 0 ? TASK_DURATION_DEFAULT : task->duration;
}

void
batch_requires(const struct batch_task *task, struct json_value *requires)
{
	memset(requires, 0, sizeof(*requires));
	if (task->requires_length == 0)
		return;
	/* a line with anything else there is not READY */
	requires->type = JSON_OBJECT;
	requires->span.data = task->line + task->requires;
	requires->span.length = task->requires_length;
}

void
batch_line(const struct batch_task *task, struct line *line)
{
	memset(line, 0, sizeof(*line));
	line->data = task->line;
	line->length = task->length;
	line->number = task->number;
}
