#include "sched/placer_pipe.h"

#include <sys/stat.h>

#include <string.h>
#include <sysexits.h>

#include "sched/policy.h"
#include "sched/task_key.h"

/* Output that gathers before it is written, as far as input is there. */
#define CHUNK (512UL * 1024)

int
placer_pipe_flush(struct placer_pipe *filter, struct svc_error *error)
{
	if (filter->writer == NULL)
		return 0;
	filter->output_failed = writer_flush(filter->writer, error) == -1;
	return filter->output_failed ? -1 : 0;
}

int
placer_pipe_put(struct placer_pipe *filter, const struct buffer *lines,
    struct svc_error *error)
{
	if (filter->writer == NULL || lines->length == 0)
		return 0;
	if (writer_line(filter->writer, lines->data, lines->length, error) ==
	    -1) {
		filter->output_failed = true;
		return -1;
	}
	return writer_pending(filter->writer) >= CHUNK;
}

void
placer_pipe_note(struct placer_pipe *filter, const struct task_failure *failure,
    unsigned long line)
{
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

/* Where lines are held, nothing has been chosen yet. */
static int
settle(struct placer_pipe *filter, struct svc_error *error)
{
	if (filter->batch == NULL)
		policy_settle(filter->placer->chooser->policy);
	return placer_pipe_flush(filter, error);
}

/*
 * What orders and plans need to know is read off the line: 0; 1: it cannot be,
 * and placer->failure says why; -1.
 */
static int
hold(struct placer_pipe *filter, const struct envelope *envelope,
    const struct line *line, struct svc_error *error)
{
	struct placer *placer = filter->placer;
	struct task_instance planned;
	const char *service;
	uint64_t key;

	placer->failure.code = CODE_NONE;
	if (placer_service(placer, envelope, &planned, &service) == -1)
		return 1;
	if (task_key(envelope, placer->pointer, &key, error) == -1) {
		if (error->code == EX_OSERR)
			return -1;
		task_failure_set(
		    &placer->failure, CODE_INVALID, "%s", error->message);
		return 1;
	}
	return batch_add(filter->batch, envelope, line, service, key, error);
}

/* A READY line is placed, or held. */
static int
take_on(struct placer_pipe *filter, const struct envelope *envelope,
    const struct line *line, struct buffer *out, struct svc_error *error)
{
	static const struct buffer no_why = BUFFER_INIT;
	struct placer *placer = filter->placer;
	bool failed;
	int result;

	if (filter->batch == NULL) {
		result = placer_task(placer, envelope, out, error);
		failed = result == 0;
	} else {
		result = hold(filter, envelope, line, error);
		failed = result == 1;
		if (failed)
			placer_append_failed(
			    envelope, &placer->failure, &no_why, out);
	}
	if (failed)
		placer_pipe_note(filter, &placer->failure, line->number);
	return result == -1 ? -1 : 0;
}

/* One task line becomes the one in out, which is empty if it is held. */
static int
decide(struct placer_pipe *filter, struct envelope *envelope,
    const struct line *line, struct buffer *out, struct svc_error *error)
{
	switch (envelope_enter(envelope, line, filter->options, error)) {
	case ENVELOPE_READY:
		if (take_on(filter, envelope, line, out, error) == -1)
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
	int gathered;

	do {
		buffer_trim(out, CHUNK);
		if (decide(filter, envelope, line, out, error) == -1)
			return -1;
		gathered = placer_pipe_put(filter, out, error);
		if (gathered == -1 ||
		    (gathered == 1 && settle(filter, error) == -1))
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
	if (filter->writer != NULL)
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
