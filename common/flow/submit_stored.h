/*
 * What the queue has under the id of a task that somebody wants to submit.
 */
#ifndef SVCKIT_FLOW_SUBMIT_STORED_H
#define SVCKIT_FLOW_SUBMIT_STORED_H

#include "line/buffer.h"
#include "registry/queue_submit.h"

/*
 * Fills item->answer (and place) as queue_submit() would, and stores nothing.
 * scratch is used.  -1: the store cannot be asked.
 */
int submit_stored_ask(struct store *store, struct queue_item *item,
    struct buffer *scratch, struct svc_error *error);

/*
 * Appends by which members the line that is stored differs from the item's:
 * which differs in "task", "priority"; nothing where that cannot be said.
 */
void submit_stored_difference(
    struct store *store, const struct queue_item *item, struct buffer *out);

#endif
