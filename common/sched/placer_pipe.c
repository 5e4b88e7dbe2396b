#include "sched/placer_pipe.h"

#include <sys/stat.h>

#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"
#include "sched/policy.h"

/* Output that gathers before it is written, as far as input is there. */
#define CHUNK (512UL * 1024)

static int
settle(struct placer_pipe *filter, struct svc_error *error)
{
	policy_settle(filter->placer->policy);
	filter->output_failed = writer_flush(filter->writer, error) == -1;
	return filter->output_failed ? -1 : 0;
}

static void
note_unplaced(struct placer_pipe *filter, unsigned long line)
{
	const struct task_failure *failure = &filter->placer->failure;
	struct svc_error error;

	if (failure->code == CODE_INVALID) {
		filter->invalid++;
		svc_error_set(&error, EX_DATAERR, "%s:%lu: %s",
		    reader_name(filter->reader), line, failure->message);
		filter->warn(filter->argument, &error);
	} else if (filter->unplaced++ == 0) {
		memcpy(filter->first, failure->message, sizeof(filter->first));
		filter->first_line = line;
	}
}

/* One task line becomes the one in out. */
static int
decide(struct placer_pipe *filter, struct envelope *envelope,
    const struct line *line, struct buffer *out, struct svc_error *error)
{
	int placed;

	switch (envelope_enter(envelope, line, filter->options, error)) {
	case ENVELOPE_READY:
		placed = placer_task(filter->placer, envelope, out, error);
		if (placed == 0)
			note_unplaced(filter, line->number);
		if (placed == -1)
			return -1;
		break;
	case ENVELOPE_PASS:
		filter->failed += envelope->failed;
		envelope_copy(envelope, out);
		break;
	case ENVELOPE_INVALID:
		if (error->code == EX_OSERR)
			return -1;
		filter->invalid++;
		filter->warn(filter->argument, error);
		envelope_copy(envelope, out);
	}
	filter->tasks++;
	if (buffer_failed(out))
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

/* All lines that are there, beginning with this one. */
static int
decide_all(struct placer_pipe *filter, struct envelope *envelope,
    struct line *line, struct buffer *out, struct svc_error *error)
{
	do {
		buffer_trim(out, CHUNK);
		if (decide(filter, envelope, line, out, error) == -1)
			return -1;
		if (writer_line(
			filter->writer, out->data, out->length, error) == -1) {
			filter->output_failed = true;
			return -1;
		}
		if (writer_pending(filter->writer) >= CHUNK &&
		    settle(filter, error) == -1)
			return -1;
	} while (reader_next(filter->reader, line) == 1);
	return 0;
}

/* A file never keeps us waiting; only what gathers is a reason to settle. */
static bool
may_block(const struct placer_pipe *filter)
{
	struct stat status;

	return fstat(reader_descriptor(filter->reader), &status) == -1 ||
	       !S_ISREG(status.st_mode);
}

int
placer_pipe_run(struct placer_pipe *filter, struct svc_error *error)
{
	struct buffer out = BUFFER_INIT;
	struct envelope envelope;
	struct svc_error ignored;
	struct line line;
	bool waits = may_block(filter);
	int more;

	envelope_init(&envelope);
	writer_set_queued(filter->writer, true);
	while ((more = reader_line(filter->reader, &line, error)) == 1) {
		more = decide_all(filter, &envelope, &line, &out, error);
		if (more == 0 && waits)
			more = settle(filter, error);
		if (more == -1)
			break;
	}
	if (more == 0)
		more = settle(filter, error);
	/* what was decided before the error comes out */
	if (more == -1 && !filter->output_failed)
		(void)settle(filter, &ignored);
	envelope_release(&envelope);
	buffer_release(&out);
	return more;
}
