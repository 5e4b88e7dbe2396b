#include "line/member.h"

#include <math.h>
#include <string.h>
#include <sysexits.h>

#include "line/text.h"
#include "line/units.h"

#define VALUE_SHOWN 80

static int
find(const struct member_name *rows, size_t count, const char *name,
    size_t length)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (rows[i].length == length && rows[i].name[0] == name[0] &&
		    memcmp(rows[i].name, name, length) == 0)
			return rows[i].value;
	}
	return -1;
}

int
member_find(const struct member_name *rows, size_t count,
    const struct json_member *member)
{
	char decoded[sizeof(rows->name)];
	struct json_value quoted = {
	    {member->name.data - 1, member->name.length + 2}, JSON_STRING,
	    true};
	int length;

	if (!member->escaped)
		return member->name.length == 0
			   ? -1
			   : find(rows, count, member->name.data,
				 member->name.length);
	/* What does not fit is longer than every name of the table. */
	length = json_string(&quoted, decoded, sizeof(decoded));
	return length <= 0 ? -1 : find(rows, count, decoded, (size_t)length);
}

const char *
member_name(const struct member_name *rows, size_t count, int value)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (rows[i].value == value)
			return rows[i].name;
	}
	return "";
}

int
member_refuse(const char *name, const char *what,
    const struct json_value *value, struct svc_error *error)
{
	const char *text = value->span.data;
	const char *quote = value->type == JSON_STRING ? "'" : "";
	size_t length = value->span.length, shown;

	if (value->type == JSON_STRING) {
		text++;
		length -= 2;
	}
	shown = text_cut(text, length, VALUE_SHOWN);
	return svc_error_set(error, EX_DATAERR, "\"%s\": not %s: %s%.*s%s%s",
	    name, what, quote, (int)shown, text, shown < length ? "..." : "",
	    quote);
}

int
member_seconds(const char *name, const struct json_value *value,
    double *seconds, struct svc_error *error)
{
	char text[64];

	if (value->type == JSON_NUMBER) {
		*seconds = json_number(value);
		if (isfinite(*seconds) && *seconds >= 0)
			return 0;
	} else if (json_string(value, text, sizeof(text)) > 0 &&
		   duration_parse(text, seconds, NULL) == 0) {
		return 0;
	}
	return member_refuse(
	    name, "a number of seconds, or a duration (\"5m\")", value, error);
}

int
member_quantity(const struct json_value *value, double *quantity)
{
	char text[64];

	if (value->type == JSON_NUMBER)
		*quantity = json_number(value);
	else if (json_string(value, text, sizeof(text)) <= 0 ||
		 size_parse(text, quantity, NULL) == -1)
		return 0;
	return isfinite(*quantity) && *quantity >= 0;
}
