#include "process/handler_queue.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

void
handler_queue_init(struct handler_queue *queue)
{
	TAILQ_INIT(&queue->waiting);
	queue->tree = NULL;
}

void
handler_batch_release(struct handler_batch *batch)
{
	struct handler_waiting *waiting;

	while ((waiting = TAILQ_FIRST(batch)) != NULL) {
		TAILQ_REMOVE(batch, waiting, link);
		free(waiting);
	}
}

/* The list frees what the tree points to. */
static void
keep(void *waiting)
{
	(void)waiting;
}

void
handler_queue_release(struct handler_queue *queue)
{
	tdestroy(queue->tree, keep);
	queue->tree = NULL;
	handler_batch_release(&queue->waiting);
}

bool
handler_queue_empty(const struct handler_queue *queue)
{
	return TAILQ_EMPTY(&queue->waiting);
}

bool
handler_queue_open(const struct handler_queue *queue)
{
	const struct handler_waiting *last =
	    TAILQ_LAST(&queue->waiting, handler_batch);

	return last != NULL && last->more;
}

/*
 * Its kind where it takes the place of that kind only: what is of no instance,
 * and what says nothing of whether the instance may get work, so that a beat
 * does not take away that it is down.
 */
static const char *
place_of(const struct handler_waiting *waiting)
{
	const char *kind = waiting->names[WAITING_KIND];

	if (waiting->names[WAITING_ID][0] == '\0' ||
	    strcmp(kind, "renew") == 0 || strcmp(kind, "load") == 0)
		return kind;
	return "";
}

static int
compare(const void *a, const void *b)
{
	const struct handler_waiting *left = a, *right = b;
	int order;

	order =
	    strcmp(left->names[WAITING_SERVICE], right->names[WAITING_SERVICE]);
	if (order == 0)
		order =
		    strcmp(left->names[WAITING_ID], right->names[WAITING_ID]);
	if (order == 0)
		order = strcmp(place_of(left), place_of(right));
	return order;
}

/* Copies string to *end and moves that behind it. */
static const char *
put_name(char **end, const char *string)
{
	char *start = *end;
	size_t size = string == NULL ? 1 : strlen(string) + 1;

	memcpy(start, string == NULL ? "" : string, size);
	*end += size;
	return start;
}

static struct handler_waiting *
copy_event(const struct handler_event *event)
{
	const char *const names[] = {event->kind, event->service, event->id};
	size_t size = sizeof(struct handler_waiting) + event->length + 1, i;
	struct handler_waiting *made;
	char *end;

	for (i = 0; i < WAITING_NAMES; i++)
		size += names[i] == NULL ? 1 : strlen(names[i]) + 1;
	if ((made = malloc(size)) == NULL)
		return NULL;
	end = (char *)(made + 1);
	for (i = 0; i < WAITING_NAMES; i++)
		made->names[i] = put_name(&end, names[i]);
	memcpy(end, event->line, event->length);
	made->line = end;
	made->length = event->length;
	if (made->length == 0 || end[made->length - 1] != '\n')
		end[made->length++] = '\n';
	made->more = event->more;
	made->part = false;
	return made;
}

/* Frees what waits for the same; made takes its place in the tree. */
static int
index_event(struct handler_queue *queue, struct handler_waiting *made)
{
	struct handler_waiting **found, *old;

	if ((found = tsearch(made, &queue->tree, compare)) == NULL)
		return -1;
	old = *found;
	if (old == made)
		return 0;
	*found = made;
	TAILQ_REMOVE(&queue->waiting, old, link);
	free(old);
	return 0;
}

/* A whole state: nothing that was told before it matters. */
static int
index_alone(struct handler_queue *queue, struct handler_waiting *made)
{
	void *tree = NULL;

	if (tsearch(made, &tree, compare) == NULL)
		return -1;
	handler_queue_release(queue);
	queue->tree = tree;
	return 0;
}

static int
index_by_kind(struct handler_queue *queue, struct handler_waiting *made)
{
	if (handler_queue_open(queue)) {
		made->part = true;
		return 0;
	}
	if (strcmp(made->names[WAITING_KIND], "sync") == 0)
		return index_alone(queue, made);
	return index_event(queue, made);
}

int
handler_queue_add(
    struct handler_queue *queue, const struct handler_event *event)
{
	struct handler_waiting *made = copy_event(event);

	if (made == NULL || index_by_kind(queue, made) == -1) {
		/* What it would have continued must not wait for it. */
		if (!event->more && handler_queue_open(queue))
			TAILQ_LAST(&queue->waiting, handler_batch)->more =
			    false;
		free(made);
		return -1;
	}
	TAILQ_INSERT_TAIL(&queue->waiting, made, link);
	return 0;
}

static void
take_first(struct handler_queue *queue, struct handler_batch *batch)
{
	struct handler_waiting *first;
	bool more;

	do {
		first = TAILQ_FIRST(&queue->waiting);
		more = first->more;
		if (!first->part)
			tdelete(first, &queue->tree, compare);
		TAILQ_REMOVE(&queue->waiting, first, link);
		TAILQ_INSERT_TAIL(batch, first, link);
	} while (more && !handler_queue_empty(queue));
}

void
handler_queue_take(
    struct handler_queue *queue, bool all, struct handler_batch *batch)
{
	if (!all && !handler_queue_empty(queue)) {
		take_first(queue, batch);
		return;
	}
	tdestroy(queue->tree, keep);
	queue->tree = NULL;
	TAILQ_CONCAT(batch, &queue->waiting, link);
}
