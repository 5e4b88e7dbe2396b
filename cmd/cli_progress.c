/* How far a run has come: see cli_progress.h. */
#include "cli_progress.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "line/units.h"
#include "ui/progress.h"

/* Timers that fire ten times a second do so with a little more or less. */
#define PERIOD		0.09
#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT	24

/* ECMA-48: from the cursor to the end of the line, and of the screen. */
#define ERASE_REST  "\033[K"
#define ERASE_BELOW "\033[J"

struct cli_progress {
	bool live; /* stderr is a terminal to draw on */
	bool shown; /* the lines are there */
	struct buffer lines; /* as they were drawn, each with LF */
	struct buffer services; /* the lines of those, as they are to be */
	double size; /* of the input, bytes; 0: not known */
	double began; /* monotonic seconds */
	double drawn;
	struct progress_rate rate;
	struct call_progress counts; /* as told last */
};

static bool
may_draw(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) != 1 &&
	       term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

/* What is left of a regular file. */
static double
size_of(int input)
{
	struct stat st;
	off_t at;

	if (input == -1 || fstat(input, &st) == -1 || !S_ISREG(st.st_mode))
		return 0;
	at = lseek(input, 0, SEEK_CUR);
	return at == -1 || at > st.st_size ? 0 : (double)(st.st_size - at);
}

void
cli_progress_open(struct cli_progress **progress, int input)
{
	struct cli_progress *made = calloc(1, sizeof(*made));
	struct svc_error error;

	if (made == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	made->live = may_draw();
	made->size = size_of(input);
	made->began = time_monotonic();
	made->drawn = made->began - PERIOD;
	progress_rate_init(&made->rate, made->began);
	buffer_init(&made->lines);
	buffer_init(&made->services);
	*progress = made;
}

static size_t
done_of(const struct call_progress *counts)
{
	return counts->done - counts->cancelled;
}

static double
part_of(const struct cli_progress *progress)
{
	const struct call_progress *counts = &progress->counts;
	double ended = 0;

	if (counts->taken > 0)
		ended = (double)done_of(counts) / (double)counts->taken;
	else if (counts->ended)
		ended = 1;
	/* A file that has grown has more than its size. */
	if (progress->size > 0 && (double)counts->consumed <= progress->size)
		return (double)counts->consumed / progress->size * ended;
	/* Of what a signal has kept from being read nobody knows how much. */
	return counts->ended && counts->cancelled == 0 ? ended : -1;
}

static struct progress
describe(struct cli_progress *progress, double now)
{
	const struct call_progress *counts = &progress->counts;

	return (struct progress){.part = part_of(progress),
	    .done = done_of(counts),
	    .failed = counts->failed,
	    .cancelled = counts->cancelled,
	    .running = counts->running,
	    .seconds = now - progress->began,
	    .rate = progress_rate_update(
		&progress->rate, done_of(counts) - counts->restored, now)};
}

/* One column stays free: a cursor behind the last one may wrap. */
static size_t
columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return COLUMNS_DEFAULT - 1;
	return (size_t)size.ws_col - 1U;
}

/* The first row is that of all services; one stays free for what is above. */
static size_t
rows_of_services(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_row == 0)
		return ROWS_DEFAULT - 2;
	return size.ws_row < 2 ? 0 : (size_t)size.ws_row - 2U;
}

/* In the background others have the terminal, and one that is stopped waits. */
static bool
is_ready(void)
{
	struct pollfd terminal = {.fd = STDERR_FILENO, .events = POLLOUT};
	pid_t foreground = tcgetpgrp(STDERR_FILENO);

	return (foreground == -1 || foreground == getpgrp()) &&
	       poll(&terminal, 1, 0) == 1 && (terminal.revents & POLLOUT) != 0;
}

/*
 * In how many rows the lines stand that were drawn.  A terminal that has become
 * narrower since has broken those that are too long for it.
 */
static size_t
rows_drawn(const struct cli_progress *progress)
{
	const char *line = progress->lines.data, *end;
	const char *last = line + progress->lines.length;
	size_t width = columns() + 1, rows = 0;

	for (; line < last; line = end + 1) {
		end = memchr(line, '\n', (size_t)(last - line));
		rows += end == line
			    ? 1
			    : ((size_t)(end - line) + width - 1) / width;
	}
	return rows;
}

static bool
has_several(const struct cli_progress *progress)
{
	return progress->shown && progress->lines.length > 0 &&
	       memchr(progress->lines.data, '\n', progress->lines.length - 1) !=
		   NULL;
}

/* To where the first line begins, from the end of the last one. */
static void
append_start(const struct cli_progress *progress, struct buffer *out)
{
	size_t rows;

	buffer_append_char(out, '\r');
	if (!has_several(progress))
		return;
	rows = rows_drawn(progress);
	if (rows > 1)
		buffer_append_format(out, "\033[%zuA", rows - 1);
}

/* Lines one below the other: what stood there goes. */
static void
append_lines(const struct buffer *lines, struct buffer *out)
{
	const char *line = lines->data, *last = line + lines->length, *end;

	for (; line < last; line = end + 1) {
		end = memchr(line, '\n', (size_t)(last - line));
		if (line > lines->data)
			buffer_append_string(out, "\r\n");
		buffer_append(out, line, (size_t)(end - line));
		buffer_append_string(out, ERASE_REST);
	}
}

/* What stands behind the lines: an end "\n" makes them stay. */
static void
draw(struct cli_progress *progress, const struct progress *state,
    const char *end)
{
	struct buffer *drawn = &progress->lines, text = BUFFER_INIT;
	bool several = has_several(progress);

	append_start(progress, &text);
	buffer_clear(drawn);
	progress_print(state, columns(), drawn);
	buffer_append_char(drawn, '\n');
	buffer_append(
	    drawn, progress->services.data, progress->services.length);
	progress->shown = !buffer_failed(drawn);
	if (progress->shown)
		append_lines(drawn, &text);
	/* there may have been more of them */
	if (several)
		buffer_append_string(&text, ERASE_BELOW);
	buffer_append_string(&text, end);
	/* without memory this one is left out, and the next one may come */
	if (!buffer_failed(&text))
		cli_report(&text);
	buffer_release(&text);
}

void
cli_progress_services(struct cli_progress *progress,
    const struct progress_service *services, size_t count)
{
	if (!progress->live)
		return;
	buffer_clear(&progress->services);
	progress_services_print(services, count, columns(), rows_of_services(),
	    &progress->services);
}

void
cli_progress_update(
    struct cli_progress *progress, const struct call_progress *counts)
{
	double now = time_monotonic();
	struct progress state;

	progress->counts = *counts;
	if (!progress->live || now - progress->drawn < PERIOD || !is_ready())
		return;
	state = describe(progress, now);
	draw(progress, &state, "");
	progress->drawn = now;
}

void
cli_progress_hide(struct cli_progress *progress)
{
	struct buffer text = BUFFER_INIT;

	if (progress == NULL || !progress->shown)
		return;
	append_start(progress, &text);
	buffer_append_string(
	    &text, has_several(progress) ? ERASE_BELOW : ERASE_REST);
	if (!buffer_failed(&text))
		cli_report(&text);
	buffer_release(&text);
	progress->shown = false;
}

/* As a message, without bar. */
static void
summarize(const struct progress *state)
{
	struct progress last = *state;
	struct buffer text = BUFFER_INIT;
	const char *line;

	last.part = -1;
	progress_print(&last, SIZE_MAX, &text);
	line = buffer_string(&text);
	if (line != NULL)
		cli_warn_line("%s", line);
	buffer_release(&text);
}

void
cli_progress_close(struct cli_progress *progress)
{
	double now = time_monotonic();
	struct progress state;

	if (progress == NULL)
		return;
	state = describe(progress, now);
	state.ended = true;
	if (state.seconds > 0)
		state.rate = (double)(state.done - progress->counts.restored) /
			     state.seconds;
	if (progress->live)
		draw(progress, &state, "\n");
	else
		summarize(&state);
	buffer_release(&progress->lines);
	buffer_release(&progress->services);
	free(progress);
}
