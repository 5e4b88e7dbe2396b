#include "line/instance_view.h"

#include <inttypes.h>
#include <string.h>

#include "line/instance.h"
#include "line/instance_field.h"
#include "line/member.h"
#include "line/units.h"

static int
append_text(struct buffer *out, const char *text)
{
	if (text == NULL)
		return 0;
	json_append_string(out, text, strlen(text));
	return 1;
}

/* A time in thousandths at most: what was measured is no more exact. */
static void
append_thousandths(struct buffer *out, double number)
{
	int64_t whole;

	if (!(number < 1e12)) {
		json_append_number(out, number);
		return;
	}
	whole = (int64_t)(number * 1000 + 0.5);
	buffer_append_format(out, "%" PRId64, whole / 1000);
	whole %= 1000;
	if (whole != 0) {
		buffer_append_format(out, ".%03d", (int)whole);
		while (out->length > 0 && out->data[out->length - 1] == '0')
			out->length--;
	}
}

static int
append_time(struct buffer *out, int64_t time)
{
	if (time == 0)
		return 0;
	buffer_append_char(out, '"');
	time_append(out, time);
	buffer_append_char(out, '"');
	return 1;
}

static int
append_true(struct buffer *out, bool holds)
{
	if (holds)
		buffer_append_string(out, "true");
	return holds;
}

/* Appends the value of an observed member; 0 when it is not known. */
static int
append_observed(const struct instance *instance, int field, struct buffer *out)
{
	switch (field) {
	case FIELD_STATUS:
		buffer_append_char(out, '"');
		buffer_append_string(out, status_name(instance->status));
		buffer_append_char(out, '"');
		return 1;
	case FIELD_UTILIZATION:
		if (instance->utilization == 0)
			buffer_append_char(out, '0');
		else
			json_append_number(out, instance->utilization);
		return 1;
	case FIELD_PINNED:
		return append_true(out, instance->pinned);
	case FIELD_REPORTED:
		return append_time(out, instance->reported);
	case FIELD_LATENCY:
		if (instance->latency_ms < 0)
			return 0;
		append_thousandths(out, instance->latency_ms);
		return 1;
	case FIELD_CHECKED:
		return append_time(out, instance->checked);
	case FIELD_AGE:
		if (instance->age < 0)
			return 0;
		append_thousandths(out, instance->age);
		return 1;
	case FIELD_DRAINING:
		return append_true(out, instance->draining);
	case FIELD_PANIC:
		return append_true(out, instance->panic);
	case FIELD_OWNER:
	case FIELD_REASON:
		return append_text(out,
		    field == FIELD_OWNER ? instance->owner : instance->reason);
	default:
		return 0;
	}
}

void
instance_print(const struct instance *instance, struct buffer *out)
{
	/* In this order; the name with its comma and colon, and its field. */
	static const struct {
		const char *name;
		int field;
	} observed[] = {
	    {",\"status\":", FIELD_STATUS},
	    {",\"utilization\":", FIELD_UTILIZATION},
	    {",\"pinned\":", FIELD_PINNED},
	    {",\"reported\":", FIELD_REPORTED},
	    {",\"latency_ms\":", FIELD_LATENCY},
	    {",\"checked\":", FIELD_CHECKED},
	    {",\"age\":", FIELD_AGE},
	    {",\"owner\":", FIELD_OWNER},
	    {",\"draining\":", FIELD_DRAINING},
	    {",\"panic\":", FIELD_PANIC},
	    {",\"reason\":", FIELD_REASON},
	};
	const char *data = instance->record.data, *rest = data;
	size_t i, mark, length = instance->record.length - 1;

	if (instance->pin.data != NULL) {
		rest = instance->pin.data + instance->pin.length;
		buffer_append(out, data, (size_t)(instance->pin.data - data));
		length -= (size_t)(rest - data);
	}
	buffer_append(out, rest, length);
	for (i = 0; i < sizeof(observed) / sizeof(observed[0]); i++) {
		mark = out->length;
		buffer_append_string(out, observed[i].name);
		if (append_observed(instance, observed[i].field, out) == 0)
			out->length = mark;
	}
	buffer_append_char(out, '}');
}

void
instance_print_reference(const struct instance *instance, struct buffer *out)
{
	/* None of the three has a character that JSON escapes. */
	buffer_append_string(out, "{\"service\":\"");
	buffer_append_string(out, instance->service);
	buffer_append_string(out, "\",\"id\":\"");
	buffer_append_string(out, instance->id);
	buffer_append_string(out, "\",\"address\":\"");
	buffer_append_string(out, instance->address);
	buffer_append_char(out, '"');
	if (instance->slots > 0) {
		buffer_append_string(out, ",\"slots\":");
		json_append_number(out, instance->slots);
	}
	buffer_append_char(out, '}');
}

/* The record's own: labels and capacity are asked for often. */
static int
find_in_record(
    const struct instance *instance, const char *path, struct json_value *value)
{
	int found = 0;

	if (strncmp(path, "labels.", 7) == 0) {
		if (instance->labels.data != NULL)
			found = json_path(instance->labels, path + 7, value);
	} else if (strncmp(path, "capacity.", 9) == 0) {
		if (instance->capacity.data != NULL)
			found = json_path(instance->capacity, path + 9, value);
	} else {
		found = json_path(instance->record, path, value);
	}
	return found;
}

int
instance_member(const struct instance *instance, const char *path,
    struct buffer *scratch, struct json_value *value)
{
	struct json_member name = {
	    {path, strlen(path)}, false, {{NULL, 0}, 0, 0}};
	int field = instance_field_find(&name);

	if (field < FIELD_STATUS)
		return find_in_record(instance, path, value);
	buffer_clear(scratch);
	if (append_observed(instance, field, scratch) == 0 ||
	    buffer_failed(scratch))
		return 0;
	value->span = (struct json_span){scratch->data, scratch->length};
	value->escaped = memchr(scratch->data, '\\', scratch->length) != NULL;
	value->type = scratch->data[0] == '"'	? JSON_STRING
		      : scratch->data[0] == 't' ? JSON_TRUE
						: JSON_NUMBER;
	return 1;
}

int
instance_number(
    const struct instance *instance, const char *path, double *number)
{
	struct buffer scratch = BUFFER_INIT;
	struct json_value value;
	int found = instance_member(instance, path, &scratch, &value);

	if (found == 1 && value.type != JSON_NULL)
		found = member_quantity(&value, number) ? 1 : -1;
	else
		found = 0;
	buffer_release(&scratch);
	return found;
}
