/* What task-run shows of a run: see cli_run.h. */
#include "cli_run.h"

#include <stdlib.h>
#include <sysexits.h>

#include "cli.h"
#include "cli_report_file.h"
#include "flow/run_log.h"
#include "flow/run_tally.h"
#include "line/units.h"
#include "ui/run_chart.h"

#define OPTION_GANTT_NAME "--gantt"

struct cli_run {
	struct cli_run_options options;
	bool began; /* there was an event */
	double origin; /* monotonic seconds: when the run began */
	int64_t wall; /* the same, ms since 1970 */
	struct run_tally *tally; /* for the progress; else NULL */
	struct progress_service *services; /* owned; scratch */
	size_t service_capacity;
	struct run_bars bars; /* for the chart */
	struct buffer line; /* scratch */
	bool lost; /* an event, for want of memory */
};

static void
fail_memory(void)
{
	struct svc_error error;

	svc_error_set(&error, EX_OSERR, "out of memory");
	cli_fail(&error);
}

void
cli_run_open(struct cli_run **view, const struct cli_run_options *options)
{
	struct cli_run *made = calloc(1, sizeof(*made));
	struct svc_error error;

	if (made == NULL)
		fail_memory();
	if (options->gantt != NULL)
		cli_report_file_check(OPTION_GANTT_NAME, options->gantt);
	if (options->progress != NULL &&
	    run_tally_open(&made->tally, &error) == -1)
		cli_fail(&error);
	made->options = *options;
	made->origin = time_monotonic();
	made->wall = time_now();
	run_bars_init(&made->bars);
	buffer_init(&made->line);
	*view = made;
}

/* Events tell how long ago the run began. */
static void
take_time(struct cli_run *view, const struct run_event *event)
{
	view->origin = time_monotonic() - event->at;
	view->wall = time_now() - (int64_t)(event->at * 1000);
	view->began = true;
}

static void
log_event(struct cli_run *view, const struct run_event *event)
{
	buffer_clear(&view->line);
	run_log_append(event, view->wall, &view->line);
	if (buffer_failed(&view->line)) {
		view->lost = true;
		return;
	}
	cli_progress_hide(view->options.progress);
	cli_report(&view->line);
}

static enum request_end
end_of(enum call_result result)
{
	switch (result) {
	case CALL_ANSWERED:
		return REQUEST_RESULT;
	case CALL_BUSY:
		return REQUEST_BUSY;
	case CALL_DROPPED:
		return REQUEST_DROPPED;
	case CALL_FAILED:
	case CALL_FORBIDDEN:
		break;
	}
	return REQUEST_FAILED;
}

/* A made id says nothing that the number of its line does not say shorter. */
static const char *
label_of(struct cli_run *view, const struct run_event *event)
{
	const char *label;

	if (!event->made)
		return event->id;
	buffer_clear(&view->line);
	buffer_append_format(&view->line, "line %lu", event->line);
	label = buffer_string(&view->line);
	return label == NULL ? "" : label;
}

static void
chart_event(struct cli_run *view, const struct run_event *event)
{
	struct run_request request = {.task = event->task};

	if (event->instance == NULL)
		return;
	request.instance = event->instance->id;
	request.service =
	    event->instance->service == NULL ? "" : event->instance->service;
	if (event->kind == RUN_SENT) {
		request.label = label_of(view, event);
		run_bars_begin(&view->bars, &request, event->at);
	} else if (event->kind == RUN_ANSWERED) {
		run_bars_end(
		    &view->bars, &request, event->at, end_of(event->result));
	}
}

void
cli_run_event(void *argument, const struct run_event *event)
{
	struct cli_run *view = argument;
	struct svc_error error;

	if (view == NULL)
		return;
	if (!view->began)
		take_time(view, event);
	if (view->options.log)
		log_event(view, event);
	if (view->options.gantt != NULL)
		chart_event(view, event);
	/* Where a service cannot be counted it has no line of its own. */
	if (view->tally != NULL)
		(void)run_tally_add(view->tally, event, &error);
}

static bool
reserve_services(struct cli_run *view, size_t count)
{
	struct progress_service *grown;

	if (count <= view->service_capacity)
		return true;
	grown = reallocarray(view->services, count, sizeof(*grown));
	if (grown == NULL)
		return false;
	view->services = grown;
	view->service_capacity = count;
	return true;
}

/* A line for each service. */
static void
update_services(struct cli_run *view)
{
	size_t count = run_tally_services(view->tally), i;
	struct run_tally_count tally;

	if (!reserve_services(view, count))
		return;
	for (i = 0; i < count; i++) {
		view->services[i].name =
		    run_tally_service(view->tally, i, &tally);
		view->services[i].done = tally.done - tally.cancelled;
		view->services[i].failed = tally.failed;
		view->services[i].running = tally.running;
		view->services[i].waiting = tally.waiting;
		view->services[i].skipped = tally.skipped;
		view->services[i].cancelled = tally.cancelled;
	}
	cli_progress_services(view->options.progress, view->services, count);
}

void
cli_run_update(struct cli_run *view, const struct run_counts *counts)
{
	const struct call_progress progress = {.consumed = counts->consumed,
	    .taken = counts->taken,
	    .done = counts->done,
	    .failed = counts->failed,
	    .cancelled = counts->cancelled,
	    .restored = counts->restored,
	    .running = counts->running,
	    .ended = counts->ended};

	if (view == NULL || view->options.progress == NULL)
		return;
	update_services(view);
	cli_progress_update(view->options.progress, &progress);
}

static void
append_count(struct buffer *out, size_t count, const char *what)
{
	if (count > 0)
		buffer_append_format(out, ", %zu %s", count, what);
}

/* What has ended, and how. */
static void
append_ends(struct buffer *out, const struct run_counts *counts)
{
	append_count(out, counts->failed, "failed");
	append_count(out, counts->skipped, "skipped");
	append_count(out, counts->cancelled, "cancelled");
	append_count(out, counts->restored, "restored");
}

void
cli_run_status(struct cli_run *view, const struct run_counts *counts)
{
	struct buffer line = BUFFER_INIT;
	const char *text;

	if (view == NULL)
		return;
	buffer_append_format(&line, "%zu of %zu done",
	    counts->done - counts->cancelled, counts->taken);
	append_ends(&line, counts);
	buffer_append_format(&line, ", %zu running, %zu waiting",
	    counts->running, counts->waiting);
	text = buffer_string(&line);
	cli_progress_hide(view->options.progress);
	cli_warn_line("%s", text == NULL ? "out of memory" : text);
	buffer_release(&line);
}

static int
draw(struct cli_run *view, const struct run_counts *counts, struct buffer *out,
    struct svc_error *error)
{
	struct buffer title = BUFFER_INIT, note = BUFFER_INIT;
	double now = time_monotonic() - view->origin;
	int result = -1;

	if (view->options.title != NULL)
		buffer_append_format(&title, "%s, ", view->options.title);
	time_append(&title, view->wall);
	buffer_append_format(
	    &note, "%zu task%s", counts->taken, counts->taken == 1 ? "" : "s");
	append_ends(&note, counts);
	if (buffer_string(&title) != NULL && buffer_string(&note) != NULL)
		result = run_chart_append(
		    &view->bars, title.data, note.data, now, out, error);
	else
		svc_error_set(error, EX_OSERR, "out of memory");
	buffer_release(&title);
	buffer_release(&note);
	return result;
}

static int
write_chart(struct cli_run *view, const struct run_counts *counts)
{
	struct buffer chart = BUFFER_INIT;
	struct svc_error error;
	int status;

	if (draw(view, counts, &chart, &error) == 0) {
		status = cli_report_file_write(
		    OPTION_GANTT_NAME, view->options.gantt, &chart);
	} else {
		cli_warn_line(OPTION_GANTT_NAME ": %s", error.message);
		status = EX_IOERR;
	}
	buffer_release(&chart);
	return status;
}

int
cli_run_close(struct cli_run *view, const struct run_counts *counts)
{
	int status = EX_OK;

	if (view == NULL)
		return EX_OK;
	if (view->options.gantt != NULL) {
		cli_progress_hide(view->options.progress);
		status = write_chart(view, counts);
	}
	if (view->lost) {
		cli_warn_line("out of memory: not all events were told");
		status = EX_IOERR;
	}
	run_tally_close(view->tally);
	run_bars_release(&view->bars);
	buffer_release(&view->line);
	free(view->services);
	free(view);
	return status;
}
