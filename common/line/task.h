/*
 * Task lines: the envelope that travels through every utility.
 *
 * task-line(5) describes the line, its rules and the error codes.  One
 * function, envelope_enter(), applies the rules for all utilities: bare
 * payloads are wrapped, finished envelopes are turned (result becomes task),
 * failed ones pass through, and what cannot be read comes out as a line that
 * says so.
 *
 * Calling sequence of a filter:
 *
 *	while ((n = reader_line(reader, &line, &error)) == 1) {
 *		switch (envelope_enter(&envelope, &line, &options, &error)) {
 *		case ENVELOPE_READY:
 *			envelope_begin(
 *			    &envelope, out, MEMBER_BIT(MEMBER_INSTANCE));
 *			buffer_append_string(out, ",\"instance\":");
 *			instance_print_reference(instance, out);
 *			envelope_end(out);
 *			break;
 *		case ENVELOPE_PASS:
 *		case ENVELOPE_INVALID:
 *			envelope_copy(&envelope, out);
 *			break;
 *		}
 *		writer_line(writer, out->data, out->length, &error);
 *	}
 */
#ifndef SVCKIT_LINE_TASK_H
#define SVCKIT_LINE_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/address.h"
#include "line/buffer.h"
#include "line/error.h"
#include "line/task_failure.h"
#include "line/json.h"
#include "line/reader.h"
#include "line/task_member.h"
#include "line/task_write.h"
#include "line/traceparent.h"
#include "line/units.h"

#define TASK_LENGTH_MAX	  (8UL * 1024 * 1024) /* a task, a result */
#define INVALID_INPUT_MAX 1024

/*
 * What utilities may add to a line to be worked on, which is so much shorter
 * than LINE_LENGTH_MAX: id, instance, an error with what the server said.
 */
#define LINE_ROOM (64UL * 1024)

/* The members that tell of an attempt, which its failure replaces. */
#define ENVELOPE_FAIL_DROP                                        \
	(MEMBER_BIT(MEMBER_ERROR) | MEMBER_BIT(MEMBER_STATUS) |   \
	    MEMBER_BIT(MEMBER_MS) | MEMBER_BIT(MEMBER_ATTEMPTS) | \
	    MEMBER_BIT(MEMBER_RESULT))

/* The members that a result says anew. */
#define ENVELOPE_RESULT_DROP                                \
	(ENVELOPE_FAIL_DROP | MEMBER_BIT(MEMBER_INSTANCE) | \
	    MEMBER_BIT(MEMBER_ENCODING) | MEMBER_BIT(MEMBER_TASK_ENCODING))

/* The members that tell how and for when its instance was chosen. */
#define ENVELOPE_PLAN_DROP                                   \
	(MEMBER_BIT(MEMBER_WHY) | MEMBER_BIT(MEMBER_START) | \
	    MEMBER_BIT(MEMBER_END))

struct envelope_options {
	bool bare; /* --bare: every line is a payload */
	bool text; /* -L: every line is a string payload */
	bool retry; /* --retry: failed ones go again, finished ones pass */
	bool outside; /* refuse instance, status, result, error */
	size_t max_task; /* bytes; 0: TASK_LENGTH_MAX */
	const char *run; /* prefix of made ids: task_run_id() */
	const char *source; /* for messages: "stdin" */
};

enum envelope_state {
	ENVELOPE_READY, /* to be worked on */
	ENVELOPE_PASS, /* copy it out as it is */
	ENVELOPE_INVALID /* copy it out: envelope_copy() writes the error */
};

/*
 * One line, decoded: valid until the next envelope_enter(), and while the
 * bytes of the line live.  Optional members that are null count as absent.
 */
struct envelope {
	char id[NAME_MAX_LENGTH + 1];
	struct json_value task; /* what is sent; after turning */
	bool base64; /* task is a string of base64 */
	char service[NAME_MAX_LENGTH + 1]; /* "" when the line names none */
	/* span.data NULL: absent, or dropped by turning or --retry */
	struct json_value members[MEMBER_COUNT];
	double timeout; /* seconds; negative: not said */
	int64_t deadline; /* ms since 1970; 0: none */
	int64_t not_before; /* the same */
	double priority; /* 0 */
	double duration; /* seconds; negative: not said */
	int retries; /* -1: not said */
	char traceparent[TRACEPARENT_LENGTH + 1]; /* "": not said */
	bool failed; /* PASS or INVALID, and it makes for exit 1 (65) */
	struct task_failure failure; /* of INVALID; else code CODE_NONE */
	/* private */
	struct line line;
	struct json_value whole; /* the line as JSON */
	struct buffer scratch;
	unsigned long present; /* members that stand in the line */
	unsigned long dropped; /* members that do not go on */
	bool wrapped; /* a bare payload */
	bool turned;
	bool made_id;
	bool readable; /* of INVALID: the envelope itself can be written */
};

/* Zeroes it; release frees what envelope_enter() has gathered. */
void envelope_init(struct envelope *envelope);
void envelope_release(struct envelope *envelope);

/*
 * Reads one line.  INVALID fills error (EX_DATAERR, "stdin:17: ...") and
 * envelope->failure; it is also the answer, with EX_OSERR, when memory runs
 * out.
 */
enum envelope_state envelope_enter(struct envelope *envelope,
    const struct line *line, const struct envelope_options *options,
    struct svc_error *error);

/* The instance that a line came with. */
struct task_instance {
	char service[NAME_MAX_LENGTH + 1];
	char id[NAME_MAX_LENGTH + 1];
	char address[ADDRESS_MAX]; /* the whole URL */
	double slots; /* 0: not said */
};

/* 1: *instance; 0: the line has none; -1: it is wrong (EX_DATAERR). */
int envelope_instance(const struct envelope *envelope,
    struct task_instance *instance, struct svc_error *error);

/*
 * A prefix for made ids, which are RUN-N: time and randomness of this process,
 * a valid name of under 40 bytes.
 */
void task_run_id(char run[40]);

#endif
