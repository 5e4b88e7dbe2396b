#include "net/call_preview.h"

#include "line/task_write.h"
#include "net/call_line.h"

/* What the line says anew. */
#define PREVIEW_DROP (MEMBER_BIT(MEMBER_SERVICE) | MEMBER_BIT(MEMBER_INSTANCE))

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

	envelope_begin(&item->envelope, out, PREVIEW_DROP);
	buffer_append_format(out, ",\"service\":\"%s\",", item->task.service);
	found = call_preview(engine, &item->task, out, error);
	if (found == 0)
		return call_refuse_nobody(engine, watch, item, options);
	if (found == -1)
		return call_line_refuse(item, options, error->message, error);
	envelope_end(out);
	return ITEM_FINISHED;
}
