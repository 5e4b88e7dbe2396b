/*
 * Inside svc-call: lines about tasks that are not sent, because that was not
 * asked for, or because there is nobody to send them to.
 */
#ifndef SVCKIT_NET_CALL_PREVIEW_H
#define SVCKIT_NET_CALL_PREVIEW_H

#include "net/call.h"
#include "net/call_item.h"
#include "net/call_watch.h"

/*
 * The line is still the task's, planned onto an instance, and says what would
 * be sent; or why nothing would, as the line of a call does.  watch may be
 * NULL.  error is filled when it is ITEM_INVALID.
 */
enum item_state call_preview_item(struct call_engine *engine,
    struct call_watch *watch, struct call_item *item,
    const struct call_item_options *options, struct svc_error *error);

/* The line of a task that finds nobody, and need not wait.  ITEM_FAILED. */
enum item_state call_refuse_nobody(struct call_engine *engine,
    struct call_watch *watch, struct call_item *item,
    const struct call_item_options *options);

#endif
