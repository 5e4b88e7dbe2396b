#include "line/task_member.h"

#include <math.h>
#include <string.h>
#include <sysexits.h>

#include "line/member.h"
#include "line/task.h"
#include "line/traceparent.h"
#include "line/units.h"

/* The most frequent ones first. */
static const struct member_name names[] = {
    MEMBER_NAME("id", MEMBER_ID),
    MEMBER_NAME("task", MEMBER_TASK),
    MEMBER_NAME("instance", MEMBER_INSTANCE),
    MEMBER_NAME("requires", MEMBER_REQUIRES),
    MEMBER_NAME("service", MEMBER_SERVICE),
    MEMBER_NAME("priority", MEMBER_PRIORITY),
    MEMBER_NAME("duration", MEMBER_DURATION),
    MEMBER_NAME("timeout", MEMBER_TIMEOUT),
    MEMBER_NAME("deadline", MEMBER_DEADLINE),
    MEMBER_NAME("status", MEMBER_STATUS),
    MEMBER_NAME("ms", MEMBER_MS),
    MEMBER_NAME("attempts", MEMBER_ATTEMPTS),
    MEMBER_NAME("result", MEMBER_RESULT),
    MEMBER_NAME("error", MEMBER_ERROR),
    MEMBER_NAME("key", MEMBER_KEY),
    MEMBER_NAME("group", MEMBER_GROUP),
    MEMBER_NAME("after", MEMBER_AFTER),
    MEMBER_NAME("when", MEMBER_WHEN),
    MEMBER_NAME("bind", MEMBER_BIND),
    MEMBER_NAME("not_before", MEMBER_NOT_BEFORE),
    MEMBER_NAME("retries", MEMBER_RETRIES),
    MEMBER_NAME("traceparent", MEMBER_TRACEPARENT),
    MEMBER_NAME("encoding", MEMBER_ENCODING),
    MEMBER_NAME("task_encoding", MEMBER_TASK_ENCODING),
    MEMBER_NAME("why", MEMBER_WHY),
    MEMBER_NAME("start", MEMBER_START),
    MEMBER_NAME("end", MEMBER_END),
    MEMBER_NAME("lost", MEMBER_LOST),
    MEMBER_NAME("line", MEMBER_LINE),
    MEMBER_NAME("input", MEMBER_INPUT),
    MEMBER_NAME("truncated", MEMBER_TRUNCATED),
};
#define NAMES (sizeof(names) / sizeof(names[0]))

int
task_member_find(const struct json_member *member)
{
	return member_find(names, NAMES, member);
}

const char *
task_member_name(enum task_member member)
{
	return member_name(names, NAMES, (int)member);
}

static int
refuse(enum task_member member, const char *what,
    const struct json_value *value, struct svc_error *error)
{
	return member_refuse(task_member_name(member), what, value, error);
}

/* A name into out, of NAME_MAX_LENGTH + 1 bytes. */
static int
read_name(enum task_member member, const struct json_value *value, char *out,
    struct svc_error *error)
{
	int length;

	length = json_string(value, out, NAME_MAX_LENGTH + 1);
	if (length > 0 && name_valid(out, (size_t)length))
		return 0;
	out[0] = '\0';
	return refuse(member,
	    "a name (1 to 128 of A-Z a-z 0-9 . _ -, as in \"t-1\")", value,
	    error);
}

static int
read_number(enum task_member member, const struct json_value *value,
    double *number, struct svc_error *error)
{
	if (value->type == JSON_NUMBER) {
		*number = json_number(value);
		if (isfinite(*number))
			return 0;
	}
	return refuse(member, "a number (as in 5)", value, error);
}

static int
read_timeout(
    const struct json_value *value, double *timeout, struct svc_error *error)
{
	if (member_seconds("timeout", value, timeout, error) == -1)
		return -1;
	if (*timeout > 0)
		return 0;
	return refuse(
	    MEMBER_TIMEOUT, "more than 0 seconds (as in 30)", value, error);
}

/* "now" and "+5m" are for command lines: in a line they would move. */
static int
read_time(enum task_member member, const struct json_value *value,
    int64_t *milliseconds, struct svc_error *error)
{
	char text[64];

	if (json_string(value, text, sizeof(text)) > 0 && text[0] >= '0' &&
	    text[0] <= '9' && time_parse(text, 0, milliseconds, NULL) == 0) {
		/* 0 stands for none; 1969 is as long ago. */
		if (*milliseconds <= 0)
			*milliseconds = 1;
		return 0;
	}
	return refuse(member, "an RFC 3339 time", value, error);
}

static int
check_after(const struct json_value *value, struct svc_error *error)
{
	char name[NAME_MAX_LENGTH + 1];
	const char *cursor = value->span.data;
	struct json_value element;

	if (value->type != JSON_ARRAY)
		return refuse(MEMBER_AFTER, "a list of ids (as in [\"t0\"])",
		    value, error);
	while (json_next_element(value->span, &cursor, &element) == 1) {
		if (read_name(MEMBER_AFTER, &element, name, error) == -1)
			return -1;
	}
	return 0;
}

static int
check_when(const struct json_value *value, struct svc_error *error)
{
	static const char *const whens[] = {"ok", "failed", "done"};
	char text[8];
	size_t i;

	if (json_string(value, text, sizeof(text)) > 0) {
		for (i = 0; i < sizeof(whens) / sizeof(whens[0]); i++) {
			if (strcmp(text, whens[i]) == 0)
				return 0;
		}
	}
	return refuse(
	    MEMBER_WHEN, "\"ok\", \"failed\" or \"done\"", value, error);
}

/* {"POINTER":"ID#POINTER"}, a pointer being "" or with a slash first. */
static int
check_bind(const struct json_value *value, struct svc_error *error)
{
	const char *cursor = value->span.data;
	struct json_member member;

	if (value->type != JSON_OBJECT)
		return refuse(MEMBER_BIND,
		    "an object (as in {\"/image\":\"t0#/files/0\"})", value,
		    error);
	while (json_next_member(value->span, &cursor, &member) == 1) {
		if (member.value.type != JSON_STRING ||
		    (member.name.length > 0 && !member.escaped &&
			member.name.data[0] != '/'))
			return refuse(MEMBER_BIND,
			    "pointers to \"ID#POINTER\" (as in "
			    "{\"/image\":\"t0#/files/0\"})",
			    value, error);
	}
	return 0;
}

static int
read_retries(
    const struct json_value *value, int *retries, struct svc_error *error)
{
	double number = value->type == JSON_NUMBER ? json_number(value) : -1;

	if (!(number >= 0 && number <= 1000000) || number != floor(number))
		return refuse(MEMBER_RETRIES,
		    "a whole number from 0 to 1000000", value, error);
	*retries = (int)number;
	return 0;
}

static int
read_traceparent(
    const struct json_value *value, char *out, struct svc_error *error)
{
	if (json_string(value, out, TRACEPARENT_LENGTH + 1) ==
		TRACEPARENT_LENGTH &&
	    traceparent_valid(out))
		return 0;
	out[0] = '\0';
	return refuse(MEMBER_TRACEPARENT,
	    "a trace context (00-TRACE-PARENT-FLAGS: 32, 16 and 2 digits of "
	    "0-9 a-f)",
	    value, error);
}

static int
read_encoding(struct envelope *envelope, enum task_member member,
    const struct json_value *value, struct svc_error *error)
{
	char text[8];

	if (json_string(value, text, sizeof(text)) < 0 ||
	    strcmp(text, "base64") != 0)
		return refuse(member, "\"base64\"", value, error);
	if (envelope->task.type != JSON_STRING)
		return refuse(MEMBER_TASK,
		    "a string, and its encoding is said to be \"base64\"",
		    &envelope->task, error);
	envelope->base64 = true;
	return 0;
}

static int
check_type(enum task_member member, const struct json_value *value,
    struct svc_error *error)
{
	switch (member) {
	case MEMBER_REQUIRES:
		if (value->type == JSON_OBJECT)
			return 0;
		return refuse(
		    member, "an object (as in {\"cpu\":2})", value, error);
	case MEMBER_INSTANCE:
		if (value->type == JSON_OBJECT)
			return 0;
		return refuse(member,
		    "an object with \"service\", \"id\" and \"address\"", value,
		    error);
	case MEMBER_GROUP:
		if (value->type == JSON_STRING)
			return 0;
		return refuse(
		    member, "a string (as in \"alice\")", value, error);
	default:
		if (value->type == JSON_STRING || value->type == JSON_NUMBER)
			return 0;
		return refuse(
		    member, "a string (as in \"customer-17\")", value, error);
	}
}

static int
decode(
    struct envelope *envelope, enum task_member member, struct svc_error *error)
{
	const struct json_value *value = &envelope->members[member];

	switch (member) {
	case MEMBER_ID:
		return read_name(member, value, envelope->id, error);
	case MEMBER_SERVICE:
		return read_name(member, value, envelope->service, error);
	case MEMBER_PRIORITY:
		return read_number(member, value, &envelope->priority, error);
	case MEMBER_DURATION:
		return member_seconds(
		    "duration", value, &envelope->duration, error);
	case MEMBER_TIMEOUT:
		return read_timeout(value, &envelope->timeout, error);
	case MEMBER_DEADLINE:
		return read_time(member, value, &envelope->deadline, error);
	case MEMBER_NOT_BEFORE:
		return read_time(member, value, &envelope->not_before, error);
	case MEMBER_AFTER:
		return check_after(value, error);
	case MEMBER_WHEN:
		return check_when(value, error);
	case MEMBER_BIND:
		return check_bind(value, error);
	case MEMBER_RETRIES:
		return read_retries(value, &envelope->retries, error);
	case MEMBER_TRACEPARENT:
		return read_traceparent(value, envelope->traceparent, error);
	case MEMBER_ENCODING:
	case MEMBER_TASK_ENCODING:
		return read_encoding(envelope, member, value, error);
	case MEMBER_REQUIRES:
	case MEMBER_INSTANCE:
	case MEMBER_GROUP:
	case MEMBER_KEY:
		return check_type(member, value, error);
	default: /* what svckit itself writes, and task, which may be all */
		return 0;
	}
}

int
task_members_decode(struct envelope *envelope, struct svc_error *error)
{
	unsigned long left = envelope->present & ~envelope->dropped;
	int member;

	for (; left != 0; left &= left - 1) {
		member = __builtin_ctzl(left);
		if (envelope->members[member].span.data != NULL &&
		    decode(envelope, (enum task_member)member, error) == -1)
			return -1;
	}
	return 0;
}
