/*
 * Inside svc-call: the line that comes out for an item.
 */
#ifndef SVCKIT_NET_CALL_LINE_H
#define SVCKIT_NET_CALL_LINE_H

#include "line/error.h"
#include "line/task.h"
#include "net/call_item.h"

/* Of an outcome.  ITEM_FINISHED or ITEM_FAILED. */
enum item_state call_line_finish(struct call_item *item,
    const struct call_outcome *outcome,
    const struct call_item_options *options);

/* Of a failure without an outcome.  ITEM_FAILED. */
enum item_state call_line_fail(struct call_item *item,
    const struct task_failure *failure,
    const struct call_item_options *options);

/*
 * Of a line that turns out not to be readable.  ITEM_INVALID, and error is
 * filled with where it stands and message.
 */
enum item_state call_line_refuse(struct call_item *item,
    const struct call_item_options *options, const char *message,
    struct svc_error *error);

/* Of an envelope that is not READY: as it came, or with what is wrong. */
enum item_state call_line_pass(struct call_item *item,
    const struct call_item_options *options, enum envelope_state state);

#endif
