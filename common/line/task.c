#include "line/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "line/depth.h"
#include "line/member.h"
#include "line/text.h"

#define TURNED_DROP                                                       \
	(MEMBER_BIT(MEMBER_INSTANCE) | MEMBER_BIT(MEMBER_STATUS) |        \
	    MEMBER_BIT(MEMBER_MS) | MEMBER_BIT(MEMBER_ATTEMPTS) |         \
	    MEMBER_BIT(MEMBER_RESULT) | MEMBER_BIT(MEMBER_SERVICE) |      \
	    MEMBER_BIT(MEMBER_TASK_ENCODING) | MEMBER_BIT(MEMBER_AFTER) | \
	    MEMBER_BIT(MEMBER_WHEN) | MEMBER_BIT(MEMBER_BIND) |           \
	    ENVELOPE_PLAN_DROP)
#define RETRY_DROP (ENVELOPE_FAIL_DROP | ENVELOPE_PLAN_DROP)

/* Memory that is kept for the next line. */
#define SCRATCH_KEPT (64UL * 1024)

void
envelope_init(struct envelope *envelope)
{
	memset(envelope, 0, sizeof(*envelope));
}

void
envelope_release(struct envelope *envelope)
{
	buffer_release(&envelope->scratch);
	envelope_init(envelope);
}

/* Forgets the last line; a reasonable scratch is kept. */
static void
reset(struct envelope *envelope, const struct line *line)
{
	unsigned long left;

	for (left = envelope->present; left != 0; left &= left - 1)
		envelope->members[__builtin_ctzl(left)].span.data = NULL;
	envelope->id[0] = envelope->service[0] = '\0';
	envelope->task.span.data = NULL;
	envelope->base64 = envelope->failed = envelope->wrapped = false;
	envelope->turned = envelope->made_id = envelope->readable = false;
	envelope->timeout = envelope->duration = -1;
	envelope->deadline = envelope->not_before = 0;
	envelope->priority = 0;
	envelope->retries = -1;
	envelope->traceparent[0] = '\0';
	envelope->failure.code = CODE_NONE;
	envelope->line = *line;
	envelope->present = envelope->dropped = 0;
	buffer_trim(&envelope->scratch, SCRATCH_KEPT);
}

/* Puts where the line came from in front of why->message. */
static enum envelope_state
invalid(struct envelope *envelope, const struct envelope_options *options,
    enum task_code code, const struct svc_error *why, struct svc_error *error)
{
	task_failure_set(&envelope->failure, code, "%s", why->message);
	svc_error_set(error, why->code, "%s:%lu: %s", options->source,
	    envelope->line.number, why->message);
	envelope->failed = true;
	return ENVELOPE_INVALID;
}

/* RUN-N. */
static void
make_id(struct envelope *envelope, const char *run)
{
	unsigned long number = envelope->line.number;
	char digits[20];
	size_t i = sizeof(digits), length = strlen(run);

	do {
		digits[--i] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	if (length > NAME_MAX_LENGTH - sizeof(digits) - 1)
		length = NAME_MAX_LENGTH - sizeof(digits) - 1;
	memcpy(envelope->id, run, length);
	envelope->id[length++] = '-';
	memcpy(envelope->id + length, digits + i, sizeof(digits) - i);
	envelope->id[length + sizeof(digits) - i] = '\0';
	envelope->made_id = true;
}

/*
 * A line that would grow too long for the next reader.  All that can still be
 * said of it is how it began.
 */
static enum envelope_state
refuse_length(struct envelope *envelope, size_t length,
    const struct envelope_options *options, struct svc_error *error)
{
	struct svc_error why;

	envelope->readable = false;
	svc_error_set(&why, EX_DATAERR,
	    "a task line of %zu bytes, and at most %lu are allowed", length,
	    LINE_LENGTH_MAX - LINE_ROOM);
	return invalid(envelope, options, CODE_TOO_LARGE, &why, error);
}

/* What is bounded is what is sent: of base64, the bytes that it stands for. */
static enum envelope_state
finish(struct envelope *envelope, const struct envelope_options *options,
    struct svc_error *error)
{
	size_t limit =
	    options->max_task == 0 ? TASK_LENGTH_MAX : options->max_task;
	size_t length = envelope->task.span.length;
	size_t whole = envelope->wrapped ? length : envelope->line.length;
	struct svc_error why;

	if (whole > LINE_LENGTH_MAX - LINE_ROOM)
		return refuse_length(envelope, whole, options, error);
	if (envelope->base64)
		length = length / 4 * 3;
	if (length <= limit)
		return ENVELOPE_READY;
	svc_error_set(&why, EX_DATAERR,
	    "\"task\": %zu bytes, and at most %zu are allowed (--max-task)",
	    length, limit);
	return invalid(envelope, options, CODE_TOO_LARGE, &why, error);
}

/* The line is the payload. */
static enum envelope_state
wrap(struct envelope *envelope, const struct json_value *payload,
    const struct envelope_options *options, struct svc_error *error)
{
	struct svc_error why;

	envelope->task = *payload;
	envelope->wrapped = true;
	make_id(envelope, options->run);
	if (!json_fits_inside(payload->span)) {
		svc_error_set(&why, EX_DATAERR, "nested deeper than %d levels",
		    JSON_DEPTH_MAX - 1);
		return invalid(envelope, options, CODE_INVALID, &why, error);
	}
	envelope->readable = true;
	return finish(envelope, options, error);
}

static enum envelope_state
enter_text(struct envelope *envelope, const struct envelope_options *options,
    struct svc_error *error)
{
	const struct line *line = &envelope->line;
	struct json_value payload = {{NULL, 0}, JSON_STRING, true};
	struct svc_error why;
	size_t length;

	if (!text_valid(line->data, line->length)) {
		svc_error_set(&why, EX_DATAERR, "not UTF-8");
		return invalid(envelope, options, CODE_INVALID, &why, error);
	}
	length = json_string_length(line->data, line->length);
	if (length > LINE_LENGTH_MAX - LINE_ROOM)
		return refuse_length(envelope, length, options, error);
	json_append_string(&envelope->scratch, line->data, line->length);
	if (buffer_failed(&envelope->scratch)) {
		svc_error_set(&why, EX_OSERR, "out of memory");
		return invalid(envelope, options, CODE_INVALID, &why, error);
	}
	payload.span.data = envelope->scratch.data;
	payload.span.length = envelope->scratch.length;
	payload.escaped = length != line->length + 2;
	return wrap(envelope, &payload, options, error);
}

/* Finds the members that mean something. */
struct gathering {
	struct envelope *envelope;
	int twice; /* the one that stands twice; -1: none does */
};

static void
gather(void *argument, const struct json_member *member)
{
	struct gathering *gathering = argument;
	struct envelope *envelope = gathering->envelope;
	int which = task_member_find(member);

	if (which == -1)
		return;
	if ((envelope->present & MEMBER_BIT(which)) != 0) {
		gathering->twice = which;
		return;
	}
	envelope->present |= MEMBER_BIT(which);
	/* null says as little as absence, but is a task, a result. */
	if (member->value.type != JSON_NULL || which == MEMBER_TASK ||
	    which == MEMBER_RESULT)
		envelope->members[which] = member->value;
}

static void
drop(struct envelope *envelope, unsigned long members)
{
	unsigned long left = members & envelope->present;

	envelope->dropped |= members;
	for (; left != 0; left &= left - 1)
		envelope->members[__builtin_ctzl(left)].span.data = NULL;
}

static bool
has(const struct envelope *envelope, enum task_member member)
{
	return envelope->members[member].span.data != NULL;
}

/* Whether "error" says that nothing of the line can be sent. */
static bool
was_invalid(const struct envelope *envelope)
{
	const struct json_value *error = &envelope->members[MEMBER_ERROR];
	struct json_value code;
	char name[16];

	if (has(envelope, MEMBER_INPUT))
		return true;
	return error->type == JSON_OBJECT &&
	       json_path(error->span, "code", &code) == 1 &&
	       json_string(&code, name, sizeof(name)) > 0 &&
	       strcmp(name, task_code_name(CODE_INVALID)) == 0;
}

/* Rules 2 and 3: what an earlier stage made of the line. */
static enum envelope_state
take_over(struct envelope *envelope, bool retry)
{
	envelope->task = envelope->members[MEMBER_TASK];
	if (has(envelope, MEMBER_ERROR)) {
		if (!retry || was_invalid(envelope)) {
			envelope->failed = true;
			return ENVELOPE_PASS;
		}
		drop(envelope, RETRY_DROP);
	} else if (has(envelope, MEMBER_RESULT)) {
		if (retry)
			return ENVELOPE_PASS;
		envelope->task = envelope->members[MEMBER_RESULT];
		envelope->turned = true;
		drop(envelope, TURNED_DROP | MEMBER_BIT(MEMBER_ERROR));
	}
	return ENVELOPE_READY;
}

/* What only svckit may say of a task. */
static int
check_outside(const struct envelope *envelope, struct svc_error *why)
{
	static const enum task_member inside[] = {MEMBER_INSTANCE,
	    MEMBER_STATUS, MEMBER_RESULT, MEMBER_ERROR, MEMBER_LOST};
	size_t i;

	for (i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		if ((envelope->present & MEMBER_BIT(inside[i])) != 0)
			return svc_error_set(why, EX_DATAERR,
			    "\"%s\" may not stand in a task from outside",
			    task_member_name(inside[i]));
	}
	return 0;
}

static enum envelope_state
enter_envelope(struct envelope *envelope,
    const struct envelope_options *options, struct svc_error *error)
{
	struct svc_error why;

	if (options->outside) {
		envelope->task = envelope->members[MEMBER_TASK];
		if (check_outside(envelope, &why) == -1)
			goto refused;
	} else if (take_over(envelope, options->retry) == ENVELOPE_PASS) {
		return ENVELOPE_PASS;
	}
	if (!has(envelope, MEMBER_ID)) {
		make_id(envelope, options->run);
		drop(envelope, MEMBER_BIT(MEMBER_ID));
	}
	if (task_members_decode(envelope, &why) == -1)
		goto refused;
	envelope->readable = true;
	return finish(envelope, options, error);
refused:
	envelope->readable = true;
	return invalid(envelope, options, CODE_INVALID, &why, error);
}

/* What no scanner needs to look at. */
static int
check_line(const struct line *line, struct svc_error *why)
{
	if (line->too_long)
		return svc_error_set(
		    why, EX_DATAERR, "a line of over %zu bytes", line->length);
	if (line->has_nul)
		return svc_error_set(
		    why, EX_DATAERR, "a NUL byte, which no text has");
	return 0;
}

/* Scans the line; what cannot be read has no members. */
static int
scan(struct envelope *envelope, bool bare, int *twice, struct svc_error *why)
{
	const struct line *line = &envelope->line;
	struct gathering gathering = {envelope, -1};
	struct svc_error cause;

	if (json_scan_members(line->data, line->length, &envelope->whole,
		bare ? NULL : gather, &gathering, &cause) == -1) {
		drop(envelope, ~0UL);
		return svc_error_set(
		    why, EX_DATAERR, "not JSON: %s", cause.message);
	}
	*twice = gathering.twice;
	return 0;
}

enum envelope_state
envelope_enter(struct envelope *envelope, const struct line *line,
    const struct envelope_options *options, struct svc_error *error)
{
	struct svc_error why;
	int twice = -1;

	reset(envelope, line);
	if (check_line(line, &why) == -1)
		return invalid(envelope, options, CODE_INVALID, &why, error);
	if (options->text)
		return enter_text(envelope, options, error);
	if (scan(envelope, options->bare, &twice, &why) == -1)
		return invalid(envelope, options, CODE_INVALID, &why, error);
	if (!has(envelope, MEMBER_TASK)) {
		/* What was found belongs to the payload. */
		drop(envelope, ~0UL);
		return wrap(envelope, &envelope->whole, options, error);
	}
	if (twice != -1) {
		svc_error_set(&why, EX_DATAERR, "\"%s\" stands twice",
		    task_member_name((enum task_member)twice));
		return invalid(envelope, options, CODE_INVALID, &why, error);
	}
	return enter_envelope(envelope, options, error);
}

static int
refuse_instance(
    const struct envelope *envelope, const char *what, struct svc_error *error)
{
	return member_refuse(task_member_name(MEMBER_INSTANCE), what,
	    &envelope->members[MEMBER_INSTANCE], error);
}

static bool
read_name(struct json_span object, const char *member, char *name)
{
	struct json_value value;
	int length;

	if (json_path(object, member, &value) == 0)
		return false;
	length = json_string(&value, name, NAME_MAX_LENGTH + 1);
	return length > 0 && name_valid(name, (size_t)length);
}

int
envelope_instance(const struct envelope *envelope,
    struct task_instance *instance, struct svc_error *error)
{
	struct json_span object = envelope->members[MEMBER_INSTANCE].span;
	struct json_value value;
	struct address address;

	if (object.data == NULL)
		return 0;
	if (!read_name(object, "service", instance->service) ||
	    !read_name(object, "id", instance->id))
		return refuse_instance(envelope,
		    "an object with the names \"service\" and \"id\"", error);
	if (json_path(object, "address", &value) == 0 ||
	    json_string(&value, instance->address, sizeof(instance->address)) <
		0 ||
	    address_parse(instance->address, &address, NULL) == -1)
		return refuse_instance(
		    envelope, "an object with a URL as \"address\"", error);
	instance->slots = 0;
	if (json_path(object, "slots", &value) == 0)
		return 1;
	instance->slots = value.type == JSON_NUMBER ? json_number(&value) : -1;
	if (!(instance->slots >= 0) || !isfinite(instance->slots))
		return refuse_instance(
		    envelope, "an object with a number as \"slots\"", error);
	return 1;
}

void
task_run_id(char run[40])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint64_t random = (uint64_t)arc4random() << 32 | arc4random();
	time_t now = (time_t)(time_now() / 1000);
	struct tm tm;
	size_t length = 0;
	int i;

	if (gmtime_r(&now, &tm) != NULL)
		length = strftime(run, 20, "%Y%m%dT%H%M%S-", &tm);
	for (i = 0; i < 8; i++) {
		run[length++] = digits[random & 31];
		random >>= 5;
	}
	run[length] = '\0';
}
