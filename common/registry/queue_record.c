#include "registry/queue_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"

/* What a finished line says of where it went. */
#define WHERE_MAX (2 * NAME_MAX_LENGTH + 2)

void
queue_record_reader_release(struct queue_record_reader *reader)
{
	json_document_release(&reader->document);
	buffer_release(&reader->text);
}

void
queue_record_release(struct queue_record *record)
{
	free(record->text);
	record->text = NULL;
}

/* The member, unless it is null or absent. */
static const struct json_value *
find(const struct json_document *document, const char *name)
{
	const struct json_member *member = json_member(document, name);

	return member == NULL || member->value.type == JSON_NULL
		   ? NULL
		   : &member->value;
}

/* A string of the line that is a name; false: it is none. */
static bool
read_name(const struct json_value *value, char name[NAME_MAX_LENGTH + 1])
{
	int length =
	    value == NULL ? -1 : json_string(value, name, NAME_MAX_LENGTH + 1);

	if (length >= 0 && name_valid(name, (size_t)length))
		return true;
	name[0] = '\0';
	return false;
}

static double
read_number(const struct json_value *value)
{
	double number = 0;

	if (value != NULL && value->type == JSON_NUMBER)
		number = json_number(value);
	return number == number ? number : 0;
}

/* ms since 1970; 0: there is none. */
static int64_t
read_time(const struct json_value *value)
{
	char text[64];
	int64_t time;

	if (value == NULL || json_string(value, text, sizeof(text)) == -1 ||
	    time_parse(text, time_now(), &time, NULL) == -1)
		return 0;
	return time;
}

static enum queue_when
read_when(const struct json_value *value)
{
	char text[8];

	if (value == NULL || json_string(value, text, sizeof(text)) == -1)
		return QUEUE_WHEN_OK;
	if (strcmp(text, "failed") == 0)
		return QUEUE_WHEN_FAILED;
	return strcmp(text, "done") == 0 ? QUEUE_WHEN_DONE : QUEUE_WHEN_OK;
}

static bool
stands_among(const struct buffer *text, size_t start, const char *name)
{
	while (!buffer_failed(text) && start < text->length) {
		if (strcmp(text->data + start, name) == 0)
			return true;
		start += strlen(text->data + start) + 1;
	}
	return false;
}

/* A name that it waits for, or "name#pointer" of a binding. */
static void
add_after(struct queue_record *record, struct buffer *text, size_t start,
    const struct json_value *value)
{
	struct buffer decoded = BUFFER_INIT;
	const char *name;
	char *pointer;

	if (value->type == JSON_STRING)
		json_decode(value, &decoded);
	buffer_append_char(&decoded, '\0');
	if (buffer_failed(&decoded)) {
		text->failed = true;
	} else {
		if ((pointer = strchr(decoded.data, '#')) != NULL)
			*pointer = '\0';
		name = decoded.data;
		if (name_valid(name, strlen(name)) &&
		    !stands_among(text, start, name)) {
			buffer_append(text, name, strlen(name) + 1);
			record->after_count++;
		}
	}
	buffer_release(&decoded);
}

/* Behind text: the names of after, then those of bind. */
static void
read_after(struct queue_record *record, const struct json_document *document,
    struct buffer *text)
{
	const struct json_value *after = find(document, "after");
	const struct json_value *bind = find(document, "bind");
	size_t start = text->length;
	struct json_member member;
	struct json_value value;
	const char *cursor;

	if (after != NULL && after->type == JSON_ARRAY) {
		cursor = after->span.data;
		while (json_next_element(after->span, &cursor, &value) == 1)
			add_after(record, text, start, &value);
	}
	if (bind != NULL && bind->type == JSON_OBJECT) {
		cursor = bind->span.data;
		while (json_next_member(bind->span, &cursor, &member) == 1)
			add_after(record, text, start, &member.value);
	}
}

/* The claims that a line has lost, as claim_recover() notes them. */
static unsigned
count_lost(const struct json_document *document)
{
	const struct json_value *lost = find(document, "lost");
	struct json_value value;
	const char *cursor;
	unsigned count = 0;

	if (lost == NULL || lost->type != JSON_ARRAY)
		return 0;
	cursor = lost->span.data;
	while (json_next_element(lost->span, &cursor, &value) == 1)
		count++;
	return count;
}

/* "service/instance" that a finished line came to. */
static void
read_where(const struct json_document *document, char where[WHERE_MAX])
{
	const struct json_value *instance = find(document, "instance");
	char service[NAME_MAX_LENGTH + 1], id[NAME_MAX_LENGTH + 1];
	struct json_value value;

	where[0] = '\0';
	if (instance == NULL || instance->type != JSON_OBJECT)
		return;
	if (json_path(instance->span, "service", &value) == 0 ||
	    !read_name(&value, service) ||
	    json_path(instance->span, "id", &value) == 0 ||
	    !read_name(&value, id))
		return;
	snprintf(where, WHERE_MAX, "%s/%s", service, id);
}

/* Appends a string with its NUL: where it stands, 1 more; 0: it is empty. */
static size_t
keep(struct buffer *text, const char *string)
{
	size_t start = text->length;

	if (*string == '\0')
		return 0;
	buffer_append(text, string, strlen(string) + 1);
	return start + 1;
}

static size_t
keep_string(struct buffer *text, const struct json_value *value)
{
	size_t start = text->length;

	if (value == NULL || value->type != JSON_STRING)
		return 0;
	json_decode(value, text);
	buffer_append_char(text, '\0');
	return start + 1;
}

/* Whether it was executed by somebody who told how that ended. */
static bool
was_executed(const struct queue_record *record,
    const struct json_document *document, const struct json_value *failure)
{
	struct json_value attempts;

	if (record->state == QUEUE_DONE || find(document, "instance") != NULL)
		return true;
	return failure != NULL &&
	       json_path(failure->span, "attempts", &attempts) == 1 &&
	       read_number(&attempts) > 0;
}

/* Where the strings stand in the text, 1 more each; 0: absent. */
struct offsets {
	size_t id;
	size_t service;
	size_t where;
	size_t reason;
	size_t message;
	size_t after;
};

static void
read_end(struct queue_record *record, const struct json_document *document,
    struct buffer *text, struct offsets *at)
{
	const struct json_value *failure = find(document, "error");
	char where[WHERE_MAX];
	struct json_value value;

	if (failure != NULL && failure->type != JSON_OBJECT)
		failure = NULL;
	record->attempt =
	    count_lost(document) + was_executed(record, document, failure);
	read_where(document, where);
	at->where = keep(text, where);
	if (failure == NULL || record->state != QUEUE_FAILED)
		return;
	if (json_path(failure->span, "code", &value) == 1)
		at->reason = keep_string(text, &value);
	if (json_path(failure->span, "message", &value) == 1)
		at->message = keep_string(text, &value);
}

static void
read_line(struct queue_record *record, const struct json_document *document,
    const struct queue_place *place, struct buffer *text, struct offsets *at)
{
	char name[NAME_MAX_LENGTH + 1];

	at->id = keep(text, place->id);
	read_name(find(document, "service"), name);
	at->service = keep(text, name);
	record->priority = read_number(find(document, "priority"));
	record->deadline = read_time(find(document, "deadline"));
	record->not_before = read_time(find(document, "not_before"));
	if (record->state == QUEUE_DONE || record->state == QUEUE_FAILED) {
		read_end(record, document, text, at);
		return;
	}
	record->attempt = place->claims + (record->state == QUEUE_RUNNING);
	at->where = keep(text, place->claimant);
	record->when = read_when(find(document, "when"));
	at->after = text->length + 1;
	read_after(record, document, text);
}

static const char *
string_at(const char *text, size_t at)
{
	return at == 0 ? NULL : text + at - 1;
}

static int
take_text(struct queue_record *record, struct buffer *text,
    const struct offsets *at, struct svc_error *error)
{
	if (!buffer_failed(text))
		record->text = malloc(text->length);
	if (record->text == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	memcpy(record->text, text->data, text->length);
	record->id = string_at(record->text, at->id);
	record->service = string_at(record->text, at->service);
	record->where = string_at(record->text, at->where);
	record->reason = string_at(record->text, at->reason);
	record->message = string_at(record->text, at->message);
	record->after = record->after_count == 0
			    ? NULL
			    : string_at(record->text, at->after);
	return 0;
}

int
queue_record_read(struct queue_record *record,
    struct queue_record_reader *reader, const struct queue_place *place,
    const struct store_entry *entry, struct svc_error *error)
{
	struct json_document *document = &reader->document;
	struct offsets at = {0};

	memset(record, 0, sizeof(*record));
	record->state = place->state;
	record->claims = place->claims;
	record->since = entry->changed;
	record->submitted = entry->heartbeat;
	if (json_scan(document, entry->value, entry->length, error) == -1)
		return -1;
	if (document->value.type != JSON_OBJECT ||
	    json_member(document, "task") == NULL)
		return svc_error_set(error, EX_DATAERR, "not a task line");
	buffer_clear(&reader->text);
	read_line(record, document, place, &reader->text, &at);
	return take_text(record, &reader->text, &at, error);
}

void
queue_record_place(const struct queue_record *record, struct queue_place *place)
{
	memset(place, 0, sizeof(*place));
	place->state = record->state;
	place->claims = record->claims;
	snprintf(place->id, sizeof(place->id), "%s", record->id);
	if (record->state == QUEUE_RUNNING && record->where != NULL)
		snprintf(place->claimant, sizeof(place->claimant), "%s",
		    record->where);
}

static int
compare_times(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* None is later than any. */
static int
compare_deadlines(int64_t a, int64_t b)
{
	return compare_times(a == 0 ? INT64_MAX : a, b == 0 ? INT64_MAX : b);
}

int
queue_record_compare(const void *a, const void *b)
{
	const struct queue_record *x = a, *y = b;
	int order = (x->state > y->state) - (x->state < y->state);

	if (order != 0)
		return order;
	if (x->state == QUEUE_WAITING || x->state == QUEUE_HELD) {
		order =
		    (x->priority < y->priority) - (x->priority > y->priority);
		if (order == 0)
			order = compare_deadlines(x->deadline, y->deadline);
		if (order == 0)
			order = compare_times(x->submitted, y->submitted);
	} else {
		order = compare_times(x->since, y->since);
	}
	return order != 0 ? order : strverscmp(x->id, y->id);
}

static void
print_string(struct buffer *out, const char *name, const char *string)
{
	if (string == NULL)
		return;
	buffer_append_format(out, ",\"%s\":", name);
	json_append_string(out, string, strlen(string));
}

static void
print_time(struct buffer *out, const char *name, int64_t time)
{
	buffer_append_format(out, ",\"%s\":\"", name);
	time_append(out, time);
	buffer_append_char(out, '"');
}

void
queue_record_print(const struct queue_record *record,
    const struct queue_record_more *more, struct buffer *out)
{
	bool own = more->reason == NULL;

	buffer_append_string(out, "{\"id\":");
	json_append_string(out, record->id, strlen(record->id));
	print_string(out, "service", record->service);
	print_string(out, "state", queue_state_name(record->state));
	buffer_append_format(out, ",\"attempt\":%u", record->attempt);
	print_string(out, "where", record->where);
	print_time(out, "since", record->since);
	if (record->priority != 0) {
		buffer_append_string(out, ",\"priority\":");
		json_append_number(out, record->priority);
	}
	if (record->deadline != 0)
		print_time(out, "deadline", record->deadline);
	if (record->not_before != 0)
		print_time(out, "not_before", record->not_before);
	print_string(out, "reason", own ? record->reason : more->reason);
	print_string(out, "message", own ? record->message : more->message);
	print_string(out, "would", more->would);
	if (more->line.data != NULL) {
		buffer_append_string(out, ",\"line\":");
		json_append_line(out, more->line);
	}
	buffer_append_char(out, '}');
}
