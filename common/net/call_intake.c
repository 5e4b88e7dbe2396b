#include "net/call_intake.h"

#include <event2/event.h>
#include <string.h>
#include <sysexits.h>

static int
fill(struct call_intake *intake, struct svc_error *error)
{
	int came = reader_fill(intake->options.reader, error);

	/* A last line without newline appears only then. */
	if (came == 0)
		intake->drained = true;
	return came;
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct call_intake *intake = argument;
	struct call_intake_options *options = &intake->options;
	struct svc_error error;

	(void)fd;
	(void)what;
	if (intake->drained)
		return;
	if (fill(intake, &error) == -1)
		options->came(options->argument, &error);
	else
		options->came(options->argument, NULL);
}

static enum intake_state
only_line(struct call_intake *intake, struct line *line)
{
	if (intake->ended)
		return INTAKE_WAITS;
	memset(line, 0, sizeof(*line));
	line->number = 1;
	intake->drained = intake->ended = true;
	return INTAKE_LINE;
}

enum intake_state
call_intake_next(
    struct call_intake *intake, struct line *line, struct svc_error *error)
{
	if (intake->options.reader == NULL)
		return only_line(intake, line);
	if (reader_next(intake->options.reader, line) == 1)
		return INTAKE_LINE;
	if (intake->drained) {
		intake->ended = true;
		return INTAKE_WAITS;
	}
	if (intake->event != NULL) {
		event_add(intake->event, NULL);
		return INTAKE_WAITS;
	}
	return fill(intake, error) == -1 ? INTAKE_FAILED : INTAKE_AGAIN;
}

int
call_intake_stop(struct call_intake *intake, struct svc_error *error)
{
	bool drained = intake->drained;

	intake->drained = true;
	if (intake->event != NULL)
		event_del(intake->event);
	if (drained || intake->options.reader == NULL)
		return 0;
	return reader_stop(intake->options.reader, error);
}

int
call_intake_take(struct call_intake *intake, struct buffer *store)
{
	if (intake->options.reader == NULL)
		return -1;
	return reader_take(intake->options.reader, store);
}

uint64_t
call_intake_consumed(const struct call_intake *intake)
{
	return intake->options.reader == NULL
		   ? 0
		   : reader_consumed(intake->options.reader);
}

int
call_intake_open(struct call_intake *intake, struct event_base *base,
    const struct call_intake_options *options, struct svc_error *error)
{
	struct reader *reader = options->reader;

	memset(intake, 0, sizeof(*intake));
	intake->options = *options;
	if (reader == NULL || !reader_pollable(reader))
		return 0;
	intake->event = event_new(
	    base, reader_descriptor(reader), EV_READ, on_readable, intake);
	if (intake->event == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

void
call_intake_close(struct call_intake *intake)
{
	if (intake->event != NULL)
		event_free(intake->event);
}
