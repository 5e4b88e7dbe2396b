#include "net/call_output.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sysexits.h>

/* More than this is full; and a longer text is not copied. */
#define PENDING_MAX (1024UL * 1024)

size_t
call_output_pending(const struct call_output *output)
{
	return writer_pending(output->options.writer);
}

bool
call_output_full(const struct call_output *output)
{
	return call_output_pending(output) > PENDING_MAX;
}

bool
call_output_idle(const struct call_output *output)
{
	return output->tail.length == 0 && call_output_pending(output) == 0;
}

static void
on_writable(evutil_socket_t fd, short what, void *argument)
{
	struct call_output *output = argument;
	struct call_output_options *options = &output->options;
	struct svc_error error;
	int more;

	(void)fd;
	(void)what;
	more = writer_step(options->writer, &error);
	if (more == -1) {
		options->moved(options->argument, &error);
		return;
	}
	if (more == 1)
		event_add(output->event, NULL);
	if (!call_output_full(output))
		options->moved(options->argument, NULL);
}

/* Whether the writer should have text; a long one waits until none is copied.
 */
static bool
has_room(const struct call_output *output, const struct buffer *text)
{
	size_t pending = call_output_pending(output);

	return pending == 0 ||
	       (pending <= PENDING_MAX && text->length <= PENDING_MAX);
}

static int
put_text(struct call_output *output, bool complaint, struct buffer *text,
    struct svc_error *error)
{
	if (text->length == 0)
		return 0;
	if (!complaint)
		return writer_take(output->options.writer, text, error);
	output->options.complain(
	    output->options.complain_argument, text->data, text->length);
	return 0;
}

/* As many items as there is room for. */
static int
hand_over(struct call_output *output, struct call_queue *queue,
    struct svc_error *error)
{
	struct call_item *item;

	while ((item = call_queue_next(queue)) != NULL &&
	       has_room(output, &item->out)) {
		if (put_text(output, item->complaint, &item->out, error) == -1)
			return -1;
		call_queue_drop(queue, item);
	}
	if (queue->busy > 0)
		return 0;
	if (buffer_failed(&output->tail))
		return svc_error_set(error, EX_OSERR, "out of memory");
	return put_text(output, false, &output->tail, error);
}

int
call_output_put(struct call_output *output, struct call_queue *queue,
    struct svc_error *error)
{
	struct writer *writer = output->options.writer;

	for (;;) {
		if (hand_over(output, queue, error) == -1)
			return -1;
		if (writer_pending(writer) == 0)
			return 0;
		if (output->event != NULL) {
			event_add(output->event, NULL);
			return 0;
		}
		if (writer_flush(writer, error) == -1)
			return -1;
	}
}

void
call_output_append(
    struct call_output *output, bool complaint, struct buffer *text)
{
	if (complaint)
		(void)put_text(output, true, text, NULL);
	else
		buffer_append(&output->tail, text->data, text->length);
}

int
call_output_open(struct call_output *output, struct event_base *base,
    const struct call_output_options *options, struct svc_error *error)
{
	memset(output, 0, sizeof(*output));
	output->options = *options;
	writer_set_queued(options->writer, true);
	if (!writer_pollable(options->writer))
		return 0;
	output->event =
	    event_new(base, options->descriptor, EV_WRITE, on_writable, output);
	if (output->event == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

void
call_output_close(struct call_output *output)
{
	if (output->event != NULL)
		event_free(output->event);
	buffer_release(&output->tail);
}
