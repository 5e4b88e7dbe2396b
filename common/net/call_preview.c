#include "net/call_preview.h"

#include "net/call_line.h"

enum item_state
call_refuse_nobody(struct call_engine *engine, struct call_watch *watch,
    struct call_item *item, const struct call_item_options *options)
{
	const char *service = item->task.service;
	struct task_failure failure;

	call_nobody(engine, &item->task, &failure);
	call_watch_explain(watch, service, &failure);
	return call_line_fail(item, &failure, options);
}

enum item_state
call_preview_item(struct call_engine *engine, struct call_watch *watch,
    struct call_item *item, const struct call_item_options *options,
    struct svc_error *error)
{
	struct buffer *out = &item->out;
	int found;

	buffer_append_format(out, "{\"id\":\"%s\",\"service\":\"%s\",",
	    item->task.id, item->task.service);
	found = call_preview(engine, &item->task, out, error);
	if (found == 0)
		return call_refuse_nobody(engine, watch, item, options);
	if (found == -1)
		return call_line_refuse(item, options, error->message, error);
	buffer_append_string(out, "}\n");
	return ITEM_FINISHED;
}
