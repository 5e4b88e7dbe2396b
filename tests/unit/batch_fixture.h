/*
 * A batch made of task lines, for the tests of batches and orders.
 */
#ifndef SVCKIT_TESTS_BATCH_FIXTURE_H
#define SVCKIT_TESTS_BATCH_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line/task.h"
#include "sched/batch.h"

/* The options that its lines are entered with. */
static const struct envelope_options batch_fixture_options = {.run = "run",
    .source = "test",
    .max_task = LINE_LENGTH_MAX};

static inline struct batch *
batch_fixture_open(void)
{
	struct batch *batch;
	struct svc_error error;

	if (batch_open(&batch, &error) == -1) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return batch;
}

/* Adds a line that must be READY, for its own service or none; as batch_add. */
static inline int
batch_fixture_try(struct batch *batch, struct envelope *envelope,
    const char *text, size_t length, struct svc_error *error)
{
	struct line line = {
	    .data = text, .length = length, .number = batch_count(batch) + 1};

	if (envelope_enter(envelope, &line, &batch_fixture_options, error) !=
	    ENVELOPE_READY) {
		printf("Bail out! %s\n", error->message);
		exit(1);
	}
	return batch_add(batch, envelope, &line,
	    *envelope->service == '\0' ? NULL : envelope->service,
	    line.number * 3, error);
}

static inline void
batch_fixture_add(struct batch *batch, const char *text)
{
	struct envelope envelope;
	struct svc_error error;

	envelope_init(&envelope);
	if (batch_fixture_try(batch, &envelope, text, strlen(text), &error) ==
	    -1) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	envelope_release(&envelope);
}

/* The ids of all tasks in their order, as "a b c". */
static inline const char *
batch_fixture_ids(struct batch *batch)
{
	static char ids[65536];
	struct envelope envelope;
	struct svc_error error;
	struct line line;
	size_t i, length = 0;

	ids[0] = '\0';
	envelope_init(&envelope);
	for (i = 0; i < batch_count(batch); i++) {
		batch_line(&batch_tasks(batch)[i], &line);
		envelope_enter(
		    &envelope, &line, &batch_fixture_options, &error);
		length += (size_t)snprintf(ids + length, sizeof(ids) - length,
		    "%s%s", i > 0 ? " " : "", envelope.id);
	}
	envelope_release(&envelope);
	return ids;
}

#endif
