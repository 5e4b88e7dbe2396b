#include "flow/task_table.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

void
task_table_init(struct task_table *table, struct line_file *file, bool whole)
{
	static const struct name_table none = NAME_TABLE_INIT;

	memset(table, 0, sizeof(*table));
	table->ids = none;
	table->file = file;
	table->whole = whole;
}

void
task_table_release(struct task_table *table)
{
	size_t i;

	for (i = 0; i < table->count && !table->whole; i++)
		free(table->tasks[i].line);
	byte_store_release(&table->lines);
	free(table->tasks);
	free(table->spare);
	free(table->by_name);
	name_table_release(&table->ids);
}

/* Room for one more of size bytes behind count of them. */
static int
grow(void *array, size_t *capacity, size_t count, size_t size,
    struct svc_error *error)
{
	void **items = array, *grown;
	size_t wanted = *capacity == 0 ? 64 : *capacity + *capacity / 2;

	if (count < *capacity)
		return 0;
	grown = reallocarray(*items, wanted, size);
	if (grown == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	*items = grown;
	*capacity = wanted;
	return 0;
}

int
task_table_new(
    struct task_table *table, uint32_t *task, struct svc_error *error)
{
	struct flow_task *made;

	if (table->spare_count > 0) {
		*task = table->spare[--table->spare_count];
	} else {
		if (table->count >= TASK_NONE)
			return svc_error_set(
			    error, EX_SOFTWARE, "too many tasks at once");
		if (grow(&table->tasks, &table->capacity, table->count,
			sizeof(*table->tasks), error) == -1)
			return -1;
		*task = (uint32_t)table->count++;
	}
	made = &table->tasks[*task];
	memset(made, 0, sizeof(*made));
	made->state = FLOW_READ;
	made->name = NAME_TABLE_NONE;
	made->because = TASK_NONE;
	made->place.offset = -1;
	table->open++;
	return 0;
}

struct flow_task *
task_table_get(const struct task_table *table, uint32_t task)
{
	return &table->tasks[task];
}

int
task_table_name(struct task_table *table, const char *id, uint32_t *name,
    struct svc_error *error)
{
	size_t before = table->ids.count;

	if (name_table_add(&table->ids, id, strlen(id), name) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (table->ids.count == before)
		return 0;
	if (grow(&table->by_name, &table->name_capacity, *name,
		sizeof(*table->by_name), error) == -1)
		return -1;
	table->by_name[*name] = TASK_NONE;
	return 0;
}

uint32_t
task_table_find(const struct task_table *table, uint32_t name)
{
	return table->by_name[name];
}

void
task_table_claim(struct task_table *table, uint32_t name, uint32_t task)
{
	table->by_name[name] = task;
	table->tasks[task].name = name;
}

const char *
task_table_id(const struct task_table *table, uint32_t task)
{
	uint32_t name = table->tasks[task].name;

	return name == NAME_TABLE_NONE ? ""
				       : name_table_name(&table->ids, name);
}

int
task_table_keep(struct task_table *table, uint32_t task, const char *line,
    size_t length, struct svc_error *error)
{
	struct flow_task *kept = &table->tasks[task];

	kept->length = length;
	if (length > TASK_LINE_KEPT)
		return line_file_put(
		    table->file, line, length, &kept->place, error);
	kept->line = table->whole ? byte_store_reserve(&table->lines, length)
				  : malloc(length + 1);
	if (kept->line == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (length > 0)
		memcpy(kept->line, line, length);
	table->bytes += length;
	return 0;
}

int
task_table_line(const struct task_table *table, uint32_t task,
    struct buffer *store, const char **line, size_t *length,
    struct svc_error *error)
{
	const struct flow_task *kept = &table->tasks[task];

	*length = kept->length;
	*line = kept->line;
	if (kept->line != NULL)
		return 0;
	buffer_clear(store);
	if (line_file_get(table->file, &kept->place, store, error) == -1)
		return -1;
	*line = store->data;
	return 0;
}

void
task_table_forget(struct task_table *table, uint32_t task)
{
	struct flow_task *kept = &table->tasks[task];

	if (kept->line == NULL)
		return;
	table->bytes -= kept->length;
	if (!table->whole)
		free(kept->line);
	kept->line = NULL;
}

void
task_table_out(struct task_table *table, uint32_t task)
{
	struct flow_task *out = &table->tasks[task];

	task_table_forget(table, task);
	table->open--;
	if (out->name != NAME_TABLE_NONE) {
		out->state = FLOW_OUT;
		return;
	}
	out->state = FLOW_FREE;
	/* Without memory for the note the number is not used again. */
	if (grow(&table->spare, &table->spare_capacity, table->spare_count,
		sizeof(*table->spare), NULL) == 0)
		table->spare[table->spare_count++] = task;
}
