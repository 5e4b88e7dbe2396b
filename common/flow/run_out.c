/* Lines come out: as tasks end, or in the order of the input. */
#include "flow/run_state.h"
#include "line/json.h"

/* -o result: the result alone; of text, where lines are text, its bytes. */
static void
show_result(struct run *run, struct call_item *item)
{
	const struct json_member *member = NULL;
	struct buffer *out = &item->out;
	struct buffer text = BUFFER_INIT;

	if (json_scan(&run->document, out->data, out->length, NULL) == 0 &&
	    json_member(&run->document, "error") == NULL)
		member = json_member(&run->document, "result");
	if (member == NULL) {
		item->complaint = true;
		return;
	}
	if (run->options.item.envelope.text &&
	    member->value.type == JSON_STRING)
		json_decode(&member->value, &text);
	else
		buffer_append(
		    &text, member->value.span.data, member->value.span.length);
	buffer_append_char(&text, '\n');
	buffer_release(out);
	*out = text;
}

static void
come_out(struct run *run, struct call_item *item)
{
	uint32_t task = item->number;

	if (run->options.item.result_only)
		show_result(run, item);
	if (buffer_failed(&item->out))
		run_fail_memory(run);
	if (run->options.source != NULL)
		run_feed_end(run, item);
	call_queue_end(&run->queue, item);
	task_table_out(&run->tasks, task);
	if (task_table_get(&run->tasks, task)->state == FLOW_FREE)
		dependencies_drop(run->dependencies, task);
}

/* Its turn has not come: the line waits where it takes no memory. */
static void
hold_back(struct run *run, struct call_item *item)
{
	struct flow_task *flow = task_table_get(&run->tasks, item->number);
	struct svc_error error;

	if (!flow->journalled && flow->place.offset == -1 &&
	    line_file_put(run->file, item->out.data, item->out.length,
		&flow->place, &error) == -1)
		run_fail(run, RUN_INPUT, &error);
	buffer_clear(&item->out);
	call_queue_end(&run->queue, item);
}

void
run_out(struct run *run, struct call_item *item)
{
	if (run->options.keep_order &&
	    number_queue_peek(&run->order) != item->number) {
		hold_back(run, item);
		return;
	}
	if (run->options.keep_order)
		(void)number_queue_pop(&run->order);
	come_out(run, item);
}

/* A line that was held back. */
static void
bring_out(struct run *run, uint32_t task)
{
	struct flow_task *flow = task_table_get(&run->tasks, task);
	struct call_item *item = call_queue_take(&run->queue);
	struct svc_error error;
	int got;

	if (item == NULL) {
		run_fail_memory(run);
		return;
	}
	item->number = task;
	got = flow->journalled
		  ? journal_get(
			run->options.journal, &flow->place, &item->out, &error)
		  : line_file_get(run->file, &flow->place, &item->out, &error);
	if (got == -1)
		run_fail(run, RUN_INPUT, &error);
	else
		come_out(run, item);
}

bool
run_out_next(struct run *run)
{
	uint32_t task;
	int n;

	for (n = 0; n < RUN_BATCH; n++) {
		task = number_queue_peek(&run->order);
		if (task == NUMBER_NONE || run->broken ||
		    call_output_full(&run->output) ||
		    task_table_get(&run->tasks, task)->state != FLOW_ENDED)
			return false;
		(void)number_queue_pop(&run->order);
		bring_out(run, task);
	}
	return true;
}
