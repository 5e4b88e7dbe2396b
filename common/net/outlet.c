#include "net/outlet.h"

#include <event2/event.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

struct outlet {
	struct outlet_options options;
	struct event *room; /* NULL: it never blocks */
	struct event *reader; /* of a pipe: it has gone */
};

static void
on_room(evutil_socket_t descriptor, short what, void *argument)
{
	struct outlet *outlet = argument;
	struct svc_error error;
	int more = writer_step(outlet->options.writer, &error);
	bool gone = more == -1 && errno == EPIPE;

	(void)descriptor;
	(void)what;
	if (more == 1)
		return;
	(void)event_del(outlet->room);
	if (more == -1)
		outlet->options.broken(outlet->options.argument, gone);
	else
		outlet->options.drained(outlet->options.argument);
}

static void
on_gone(evutil_socket_t descriptor, short what, void *argument)
{
	struct outlet *outlet = argument;

	(void)descriptor;
	(void)what;
	outlet->options.broken(outlet->options.argument, true);
}

/* The end of a pipe that is written to is "readable" when the other is closed;
 * a socket or a terminal is for other reasons. */
static bool
is_pipe(int descriptor)
{
	struct stat status;

	return fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode);
}

int
outlet_open(struct outlet **outlet, const struct outlet_options *options,
    struct svc_error *error)
{
	struct outlet *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_errno(error, "output");
	made->options = *options;
	writer_set_queued(options->writer, true);
	if (writer_pollable(options->writer)) {
		made->room = event_new(options->base, options->descriptor,
		    EV_WRITE | EV_PERSIST, on_room, made);
		if (made->room == NULL)
			goto out;
	}
	if (is_pipe(options->descriptor)) {
		made->reader = event_new(
		    options->base, options->descriptor, EV_READ, on_gone, made);
		if (made->reader == NULL || event_add(made->reader, NULL) == -1)
			goto out;
	}
	*outlet = made;
	return 0;
out:
	outlet_close(made);
	return svc_error_set(error, EX_OSERR, "output: no event");
}

void
outlet_close(struct outlet *outlet)
{
	if (outlet == NULL)
		return;
	if (outlet->room != NULL)
		event_free(outlet->room);
	if (outlet->reader != NULL)
		event_free(outlet->reader);
	free(outlet);
}

void
outlet_wake(struct outlet *outlet)
{
	struct svc_error error;

	if (outlet->room != NULL)
		(void)event_add(outlet->room, NULL);
	else if (writer_flush(outlet->options.writer, &error) == -1)
		outlet->options.broken(
		    outlet->options.argument, errno == EPIPE);
}

int
outlet_drain(struct outlet *outlet, int milliseconds, struct svc_error *error)
{
	struct pollfd room = {
	    .fd = outlet->options.descriptor, .events = POLLOUT};
	struct writer *writer = outlet->options.writer;

	if (outlet->room == NULL)
		return writer_flush(writer, error) == -1 ? -1 : 1;
	while (writer_pending(writer) > 0) {
		if (poll(&room, 1, milliseconds) == 0)
			return 0;
		if (writer_step(writer, error) == -1)
			return -1;
	}
	return 1;
}
