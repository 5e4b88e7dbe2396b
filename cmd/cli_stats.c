/* What a run came to, in a file: see cli_stats.h. */
#include "cli_stats.h"

#include <stdlib.h>
#include <sysexits.h>

#include "cli.h"
#include "cli_report_file.h"
#include "line/units.h"

#define OPTION "--stats"

struct cli_stats {
	const char *path; /* borrowed */
	double began; /* monotonic seconds */
	struct call_stats *counts;
};

void
cli_stats_open(struct cli_stats **stats, const char *path)
{
	struct cli_stats *made = calloc(1, sizeof(*made));
	struct svc_error error;

	if (made == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	cli_report_file_check(OPTION, path);
	if (call_stats_open(&made->counts, &error) == -1)
		cli_fail(&error);
	made->path = path;
	made->began = time_monotonic();
	*stats = made;
}

struct call_stats *
cli_stats_counts(const struct cli_stats *stats)
{
	return stats == NULL ? NULL : stats->counts;
}

static int
print(
    const struct cli_stats *stats, struct buffer *text, struct svc_error *error)
{
	double seconds = time_monotonic() - stats->began;
	int result = call_stats_print(stats->counts, seconds, text, error);

	buffer_append_char(text, '\n');
	if (result == 0 && buffer_failed(text))
		result = svc_error_set(error, EX_OSERR, "out of memory");
	return result;
}

int
cli_stats_close(struct cli_stats *stats)
{
	struct buffer text = BUFFER_INIT;
	struct svc_error error;
	int status;

	if (stats == NULL)
		return EX_OK;
	if (print(stats, &text, &error) == 0) {
		status = cli_report_file_write(OPTION, stats->path, &text);
	} else {
		cli_warn_line(OPTION ": %s", error.message);
		status = EX_IOERR;
	}
	buffer_release(&text);
	call_stats_close(stats->counts);
	free(stats);
	return status;
}
