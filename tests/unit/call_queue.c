/* Lines between input and output: their order, and what they hold. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "net/call_queue.h"

#define COUNT 4

/* Takes COUNT items whose lines have 10 bytes each. */
static void
take(struct call_queue *queue, struct call_item *items[COUNT])
{
	int i;

	for (i = 0; i < COUNT; i++) {
		items[i] = call_queue_take(queue);
		CHECK(items[i] != NULL);
		items[i]->size = 10;
		call_queue_hold(queue, items[i]);
	}
}

/* Ends the one that was taken as the number-th, with its number as text. */
static void
end(struct call_queue *queue, struct call_item *items[COUNT], int number)
{
	buffer_append_format(&items[number]->out, "%d", number);
	call_queue_end(queue, items[number]);
}

/* The texts of all that come out now, one after the other. */
static const char *
come_out(struct call_queue *queue)
{
	static char text[COUNT + 1];
	struct call_item *item;

	text[0] = '\0';
	while ((item = call_queue_next(queue)) != NULL) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s",
		    buffer_string(&item->out));
		call_queue_drop(queue, item);
	}
	return text;
}

static void
items_come_out_as_they_end(void)
{
	struct call_item *items[COUNT];
	struct call_queue queue;

	call_queue_init(&queue, false);
	take(&queue, items);
	CHECK_STRING(come_out(&queue), "");
	end(&queue, items, 2);
	end(&queue, items, 0);
	CHECK_STRING(come_out(&queue), "20");
	end(&queue, items, 3);
	end(&queue, items, 1);
	CHECK_STRING(come_out(&queue), "31");
	call_queue_release(&queue);
}

static void
or_in_the_order_of_the_input(void)
{
	struct call_item *items[COUNT];
	struct call_queue queue;

	call_queue_init(&queue, true);
	take(&queue, items);
	end(&queue, items, 2);
	end(&queue, items, 1);
	CHECK_STRING(come_out(&queue), "");
	end(&queue, items, 0);
	CHECK_STRING(come_out(&queue), "012");
	end(&queue, items, 3);
	CHECK_STRING(come_out(&queue), "3");
	call_queue_release(&queue);
}

static void
what_is_held_is_lines_and_then_texts(void)
{
	struct call_item *items[COUNT];
	struct call_queue queue;

	call_queue_init(&queue, false);
	take(&queue, items);
	CHECK(queue.busy == COUNT && queue.held == 10 * COUNT);
	end(&queue, items, 0);
	CHECK(queue.busy == COUNT && queue.held == 10 * (COUNT - 1) + 1);
	/* What the writer has taken away is not held any more all the same. */
	buffer_clear(&items[0]->out);
	call_queue_drop(&queue, items[0]);
	CHECK(queue.busy == COUNT - 1 && queue.held == 10 * (COUNT - 1));
	call_queue_release(&queue);
}

static void
items_are_used_again_as_if_new(void)
{
	struct call_item *items[COUNT], *again;
	struct call_queue queue;

	call_queue_init(&queue, true);
	take(&queue, items);
	items[0]->complaint = items[0]->passed = true;
	items[0]->code = CODE_BUSY;
	end(&queue, items, 0);
	call_queue_drop(&queue, items[0]);
	again = call_queue_take(&queue);
	CHECK(again == items[0] && !again->ended && !again->complaint);
	CHECK(!again->passed && again->code == CODE_NONE);
	CHECK(again->out.length == 0 && again->size == 0);
	/* It stands behind those that were taken before. */
	again->size = 10;
	call_queue_hold(&queue, again);
	end(&queue, items, 0);
	CHECK(call_queue_next(&queue) == NULL);
	call_queue_release(&queue);
}

int
main(void)
{
	RUN(items_come_out_as_they_end);
	RUN(or_in_the_order_of_the_input);
	RUN(what_is_held_is_lines_and_then_texts);
	RUN(items_are_used_again_as_if_new);
	return check_done();
}
