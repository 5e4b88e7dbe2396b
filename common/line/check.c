#include "line/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "line/member.h"
#include "line/units.h"

enum member {
	MEMBER_HTTP,
	MEMBER_TCP,
	MEMBER_INTERVAL,
	MEMBER_TIMEOUT,
	MEMBER_RISE,
	MEMBER_FALL
};

static const struct member_name names[] = {
    MEMBER_NAME("http", MEMBER_HTTP),
    MEMBER_NAME("interval", MEMBER_INTERVAL),
    MEMBER_NAME("timeout", MEMBER_TIMEOUT),
    MEMBER_NAME("tcp", MEMBER_TCP),
    MEMBER_NAME("rise", MEMBER_RISE),
    MEMBER_NAME("fall", MEMBER_FALL),
};
#define NAMES (sizeof(names) / sizeof(names[0]))

/* What would be right; NULL: it is.  The same below. */
static const char *
read_path(const struct json_value *value, struct check *check)
{
	const char *c;

	if (json_string(value, check->path, sizeof(check->path)) == -1)
		return value->type == JSON_STRING &&
			       value->span.length > sizeof(check->path)
			   ? "a path of less than 512 bytes"
			   : "a path (as in \"/health\")";
	if (check->path[0] != '/')
		return "a path (as in \"/health\")";
	for (c = check->path; *c > ' ' && *c != 0x7f; c++)
		continue;
	if (*c != '\0')
		return "a path of printable ASCII (as in \"/health\")";
	check->kind = CHECK_HTTP;
	return NULL;
}

static const char *
read_seconds(const struct json_value *value, double *seconds)
{
	if (member_seconds("", value, seconds, NULL) == -1 || *seconds == 0)
		return "more than 0 seconds (as in 5)";
	return *seconds > DURATION_MAX ? "at most 36500 days (as in 5)" : NULL;
}

static const char *
read_count(const struct json_value *value, int *count)
{
	double number = 0;

	if (value->type == JSON_NUMBER)
		number = json_number(value);
	if (!(number >= 1 && number <= CHECK_COUNT_MAX) ||
	    number != floor(number))
		return "a whole number from 1 to 1000";
	*count = (int)number;
	return NULL;
}

static const char *
read_member(int name, const struct json_value *value, struct check *check)
{
	switch (name) {
	case MEMBER_HTTP:
		return read_path(value, check);
	case MEMBER_TCP:
		if (value->type != JSON_TRUE && value->type != JSON_FALSE)
			return "true or false";
		if (value->type == JSON_FALSE && check->kind == CHECK_TCP)
			check->kind = CHECK_NONE;
		return NULL;
	case MEMBER_INTERVAL:
		return read_seconds(value, &check->interval);
	case MEMBER_TIMEOUT:
		return read_seconds(value, &check->timeout);
	case MEMBER_RISE:
		return read_count(value, &check->rise);
	default:
		return read_count(value, &check->fall);
	}
}

static int
read_members(
    struct json_span object, struct check *check, struct svc_error *error)
{
	const char *cursor = object.data, *fault;
	struct json_member member;
	unsigned seen = 0;
	char name[32];

	while (json_next_member(object, &cursor, &member) == 1) {
		int known = member_find(names, NAMES, &member);

		if (known == -1)
			continue;
		(void)snprintf(name, sizeof(name), "check.%s",
		    member_name(names, NAMES, known));
		/* jq(1) goes by the last one. */
		if ((seen & 1U << known) != 0)
			return svc_error_set(
			    error, EX_DATAERR, "\"%s\" stands twice", name);
		seen |= 1U << known;
		fault = read_member(known, &member.value, check);
		if (fault != NULL)
			return member_refuse(name, fault, &member.value, error);
	}
	return 0;
}

int
check_read(const struct instance *instance, double default_interval,
    struct check *check, struct svc_error *error)
{
	struct json_value value;

	memset(check, 0, sizeof(*check));
	check->interval = default_interval;
	check->timeout = CHECK_TIMEOUT;
	check->rise = CHECK_RISE;
	check->fall = CHECK_FALL;
	if (json_path(instance->record, "check", &value) == 0 ||
	    value.type == JSON_NULL)
		return 0;
	if (value.type != JSON_OBJECT)
		return member_refuse("check",
		    "an object (as in {\"http\":\"/health\"})", &value, error);
	check->kind = CHECK_TCP;
	if (read_members(value.span, check, error) == -1)
		return -1;
	if (check->interval < CHECK_INTERVAL_MIN)
		check->interval = CHECK_INTERVAL_MIN;
	if (check->timeout > CHECK_TIMEOUT_MAX)
		check->timeout = CHECK_TIMEOUT_MAX;
	return check->kind != CHECK_NONE;
}

bool
check_wanted(const struct instance *instance)
{
	struct check check;

	return check_read(instance, CHECK_INTERVAL, &check, NULL) != 0;
}
