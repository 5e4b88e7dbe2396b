#include "net/call_queue.h"

void
call_queue_init(struct call_queue *queue, bool keep_order)
{
	TAILQ_INIT(&queue->spare);
	TAILQ_INIT(&queue->active);
	TAILQ_INIT(&queue->ended);
	queue->keep_order = keep_order;
	queue->busy = queue->held = 0;
}

static void
free_items(struct call_items *items)
{
	struct call_item *item;

	while ((item = TAILQ_FIRST(items)) != NULL) {
		TAILQ_REMOVE(items, item, link);
		call_item_free(item);
	}
}

void
call_queue_release(struct call_queue *queue)
{
	free_items(&queue->spare);
	free_items(&queue->active);
	free_items(&queue->ended);
}

struct call_item *
call_queue_take(struct call_queue *queue)
{
	struct call_item *item = TAILQ_FIRST(&queue->spare);

	if (item != NULL)
		TAILQ_REMOVE(&queue->spare, item, link);
	else if ((item = call_item_new()) == NULL)
		return NULL;
	queue->busy++;
	TAILQ_INSERT_TAIL(&queue->active, item, link);
	return item;
}

void
call_queue_hold(struct call_queue *queue, const struct call_item *item)
{
	queue->held += item->size;
}

void
call_queue_end(struct call_queue *queue, struct call_item *item)
{
	queue->held -= item->size;
	call_item_settle(item);
	queue->held += item->size;
	item->ended = true;
	if (queue->keep_order)
		return;
	TAILQ_REMOVE(&queue->active, item, link);
	TAILQ_INSERT_TAIL(&queue->ended, item, link);
}

struct call_item *
call_queue_next(const struct call_queue *queue)
{
	struct call_item *item;

	item = queue->keep_order ? TAILQ_FIRST(&queue->active)
				 : TAILQ_FIRST(&queue->ended);
	return item != NULL && item->ended ? item : NULL;
}

void
call_queue_drop(struct call_queue *queue, struct call_item *item)
{
	if (queue->keep_order)
		TAILQ_REMOVE(&queue->active, item, link);
	else
		TAILQ_REMOVE(&queue->ended, item, link);
	TAILQ_INSERT_HEAD(&queue->spare, item, link);
	queue->busy--;
	queue->held -= item->size;
	call_item_clear(item);
}
