#include "cli_tasks.h"

#include <stdlib.h>
#include <sysexits.h>

#include "registry/queue_look.h"
#include "registry/queue_reason.h"

struct cli_tasks {
	const struct cli *cli;
	struct registry *registry;
	struct task_format *format;
	struct queue_reasons *reasons; /* NULL: no registry */
	struct writer *writer;
	struct format_screen screen;
	bool follows;
	struct buffer value; /* of a finished line */
	struct buffer sentence;
	struct buffer record;
	struct buffer text;
};

static void
fail_memory(void)
{
	struct svc_error error;

	svc_error_set(&error, EX_OSERR, "out of memory");
	cli_fail(&error);
}

void
cli_tasks_open(struct cli_tasks **tasks, const struct cli *cli,
    struct registry *registry, struct task_format *format, bool ordered)
{
	struct cli_tasks *made = calloc(1, sizeof(*made));
	struct svc_error error;

	if (made == NULL)
		fail_memory();
	made->cli = cli;
	made->registry = registry;
	made->format = format;
	made->writer = cli_stdout();
	if (task_format_is_table(format))
		cli_screen(&made->screen);
	if (registry != NULL &&
	    queue_reasons_open(&made->reasons, registry, ordered, &error) == -1)
		cli_fail(&error);
	*tasks = made;
}

void
cli_tasks_renew(struct cli_tasks *tasks)
{
	queue_reasons_renew(tasks->reasons);
}

int
cli_tasks_get(struct cli_tasks *tasks, const char *id,
    struct queue_record *record, int *status)
{
	struct svc_error error;
	bool known = false;
	int found = 0;

	if (tasks->registry != NULL)
		found = queue_records_get(
		    tasks->registry, id, record, &known, &error);
	if (found == 1)
		return 1;
	if (found == -1)
		*status = cli_worse(*status, cli_warn(&error));
	else if (known)
		cli_warn_line("%s: it never came into the queue, or its file "
			      "is in tasks/corrupt: submit it again",
		    id);
	else
		cli_warn_line("%s: no such task", id);
	*status = cli_worse(*status, 1);
	return 0;
}

/* Without the LF that ends a line. */
static struct json_span
span_of(const struct store_entry *entry)
{
	struct json_span line = {entry->value, entry->length};

	while (line.length > 0 && line.data[line.length - 1] == '\n')
		line.length--;
	return line;
}

struct json_span
cli_tasks_line(struct cli_tasks *tasks, const struct queue_record *record)
{
	struct json_span none = {NULL, 0};
	struct queue_place place;
	struct store_entry entry;
	struct svc_error error;
	int found;

	if (!task_format_wants_line(tasks->format) ||
	    (QUEUE_STATE_BIT(record->state) & QUEUE_STATES_ENDED) == 0)
		return none;
	queue_record_place(record, &place);
	found = queue_read(registry_store(tasks->registry), &place,
	    &tasks->value, &entry, &error);
	if (found == -1)
		cli_fail(&error);
	/* It was valid when the record was read; it may be another by now. */
	if (found == 0 || !json_valid(entry.value, entry.length))
		return none;
	return span_of(&entry);
}

static void
write_text(struct cli_tasks *tasks)
{
	struct buffer *text = &tasks->text;
	struct svc_error error;

	if (text->length > 0 &&
	    writer_line(tasks->writer, text->data, text->length, &error) == -1)
		cli_output_failed(&error);
}

void
cli_tasks_print(struct cli_tasks *tasks, const struct queue_record *record,
    const char *would, struct json_span line)
{
	struct queue_record_more more = {.would = would, .line = line};
	struct buffer *text = &tasks->record;
	struct svc_error error = {0, ""};
	int64_t now = time_now();
	int result = queue_reasons_tell(tasks->reasons, record, now,
	    &more.reason, &tasks->sentence, &error);

	if (result == -1)
		cli_fail(&error);
	if (result == 1)
		more.message = buffer_string(&tasks->sentence);
	buffer_clear(text);
	buffer_clear(&tasks->text);
	queue_record_print(record, &more, text);
	if (buffer_failed(text))
		fail_memory();
	result = tasks->follows
		     ? task_format_line(tasks->format, text->data, text->length,
			   &tasks->screen, &tasks->text, &error)
		     : task_format_add(tasks->format, text->data, text->length,
			   now, &tasks->text, &error);
	if (result == -1)
		cli_fail(&error);
	write_text(tasks);
}

void
cli_tasks_print_count(struct cli_tasks *tasks, const struct queue_count *count,
    unsigned states, bool by_service)
{
	struct buffer *text = &tasks->record;
	struct svc_error error;

	buffer_clear(text);
	buffer_clear(&tasks->text);
	queue_count_print(count, states, by_service, text);
	if (buffer_failed(text))
		fail_memory();
	if (task_format_add_count(tasks->format, text->data, text->length,
		&tasks->text, &error) == -1)
		cli_fail(&error);
	write_text(tasks);
}

void
cli_tasks_flush(struct cli_tasks *tasks)
{
	struct svc_error error;

	buffer_clear(&tasks->text);
	if (task_format_end(
		tasks->format, &tasks->screen, &tasks->text, &error) == -1)
		cli_fail(&error);
	write_text(tasks);
	if (writer_flush(tasks->writer, &error) == -1)
		cli_output_failed(&error);
}

void
cli_tasks_follow(struct cli_tasks *tasks)
{
	cli_tasks_flush(tasks);
	writer_set_prompt(tasks->writer, true);
	tasks->follows = true;
}

int
cli_tasks_close(struct cli_tasks *tasks, int status)
{
	cli_tasks_flush(tasks);
	status = cli_finish(tasks->writer, status);
	queue_reasons_close(tasks->reasons);
	buffer_release(&tasks->value);
	buffer_release(&tasks->sentence);
	buffer_release(&tasks->record);
	buffer_release(&tasks->text);
	free(tasks);
	return status;
}
