#include "line/instance.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/instance_check.h"
#include "line/instance_field.h"
#include "line/units.h"

/* What instance_parse() gathers before it knows how much memory it needs. */
struct parsing {
	struct instance_fields fields;
	char service[NAME_MAX_LENGTH + 1];
	char id[NAME_MAX_LENGTH + 1];
	struct buffer address;
	const char *url; /* in address */
};

static bool
has(const struct parsing *parsing, enum instance_field field)
{
	return instance_fields_have(&parsing->fields, field);
}

static int
read_name(const struct parsing *parsing, enum instance_field field,
    char name[NAME_MAX_LENGTH + 1], struct svc_error *error)
{
	int length = json_string(
	    &parsing->fields.found[field], name, NAME_MAX_LENGTH + 1);

	if (length < 0 || !name_valid(name, (size_t)length))
		return instance_field_refuse(&parsing->fields, field,
		    "a name (1 to 128 of A-Z a-z 0-9 . _ -, as in \"web-1\")",
		    error);
	return 0;
}

static int
derive_id(struct parsing *parsing, struct svc_error *error)
{
	struct buffer id = BUFFER_INIT;
	int result = -1;

	address_id(parsing->url, &id);
	if (buffer_string(&id) == NULL) {
		svc_error_set(error, EX_OSERR, "out of memory");
		goto out;
	}
	memcpy(parsing->id, buffer_string(&id), id.length + 1);
	result = 0;
out:
	buffer_release(&id);
	return result;
}

/* Service, address and id: what every record must have, or be given. */
static int
read_identity(struct parsing *parsing, struct svc_error *error)
{
	char short_address[ADDRESS_MAX];
	struct svc_error why;

	if (!has(parsing, FIELD_SERVICE) || !has(parsing, FIELD_ADDRESS))
		return svc_error_set(error, EX_DATAERR, "\"%s\" is missing",
		    has(parsing, FIELD_SERVICE) ? "address" : "service");
	if (read_name(parsing, FIELD_SERVICE, parsing->service, error) == -1)
		return -1;
	if (json_string(&parsing->fields.found[FIELD_ADDRESS], short_address,
		sizeof(short_address)) < 0)
		return instance_field_refuse(&parsing->fields, FIELD_ADDRESS,
		    "a URL (as in \"http://web1:8081/task\")", error);
	if (address_expand(short_address, &parsing->address, &why) == -1)
		return svc_error_set(
		    error, EX_DATAERR, "\"address\": %s", why.message);
	parsing->url = buffer_string(&parsing->address);
	if (parsing->url == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (has(parsing, FIELD_ID))
		return read_name(parsing, FIELD_ID, parsing->id, error);
	return derive_id(parsing, error);
}

/* Appends to the record; its memory has been made large enough. */
static char *
put(char *to, const char *data, size_t length)
{
	memcpy(to, data, length);
	return to + length;
}

static char *
put_member(char *to, const char *record, const char *name, size_t name_length,
    const char *value, size_t value_length)
{
	if (to - record > 1)
		*to++ = ',';
	*to++ = '"';
	to = put(to, name, name_length);
	to = put(to, "\":", 2);
	return put(to, value, value_length);
}

static char *
put_string_member(
    char *to, const char *record, const char *name, const char *value)
{
	to = put_member(to, record, name, strlen(name), "\"", 1);
	to = put(to, value, strlen(value));
	return put(to, "\"", 1);
}

/* Whether the member belongs to the record as it is. */
static bool
belongs(
    const struct instance *instance, const struct parsing *parsing, int field)
{
	if (field == FIELD_UTILIZATION)
		return instance->pinned;
	return field < FIELD_STATUS &&
	       (field != FIELD_ID || has(parsing, field));
}

/* Where a member that is asked for often stands in the record. */
static void
remember(struct instance *instance, int field, const char *start,
    const char *end, const struct json_value *value)
{
	struct json_span span = {end - value->span.length, value->span.length};

	if (field == FIELD_UTILIZATION)
		instance->pin =
		    (struct json_span){start, (size_t)(end - start)};
	else if (value->type != JSON_OBJECT)
		return;
	else if (field == FIELD_LABELS)
		instance->labels = span;
	else if (field == FIELD_CAPACITY)
		instance->capacity = span;
}

/* A record that came on several lines, onto one: LF stands between tokens. */
static void
join_lines(char *record, size_t length)
{
	char *end = record + length;

	for (; (record = memchr(record, '\n', (size_t)(end - record))) != NULL;)
		*record = ' ';
}

/*
 * Writes the record at to: the members in their order with their bytes, less
 * what was observed; the id and the whole address where the line lacks them.
 * Returns what follows it.
 */
static char *
put_record(struct instance *instance, const struct parsing *parsing, char *to)
{
	const struct json_document *document = &parsing->fields.document;
	const struct json_member *member;
	char *record = to, *start;
	size_t i;
	int field;

	*to++ = '{';
	for (i = 0; i < document->count; i++) {
		member = &document->members[i];
		field = instance_field_find(member);
		if (!belongs(instance, parsing, field))
			continue;
		start = to;
		if (field == FIELD_ADDRESS)
			to = put_string_member(
			    to, record, "address", parsing->url);
		else
			to = put_member(to, record, member->name.data,
			    member->name.length, member->value.span.data,
			    member->value.span.length);
		remember(instance, field, start, to, &member->value);
		if (field == FIELD_SERVICE && !has(parsing, FIELD_ID))
			to = put_string_member(to, record, "id", parsing->id);
	}
	*to++ = '}';
	if (instance->pin.data == record + 1)
		instance->pin.length++;
	instance->record = (struct json_span){record, (size_t)(to - record)};
	join_lines(record, instance->record.length);
	return to;
}

/* The bytes of a string member, decoded, with its NUL; NULL when absent. */
static int
put_decoded(const struct parsing *parsing, enum instance_field field, char **to,
    const char **string, struct svc_error *error)
{
	const struct json_value *value = &parsing->fields.found[field];
	int length;

	*string = NULL;
	if (!has(parsing, field))
		return 0;
	length = json_string(value, *to, value->span.length);
	if (length < 0)
		return instance_field_refuse(
		    &parsing->fields, field, "a string", error);
	*string = *to;
	*to += length + 1;
	return 0;
}

static const char *
put_copy(char **to, const char *string)
{
	char *start = *to;
	size_t length = strlen(string) + 1;

	*to = put(*to, string, length);
	return start;
}

/* Allocates all that the instance points to, and copies it there. */
static int
fill_memory(struct instance *instance, const struct parsing *parsing,
    struct svc_error *error)
{
	static const enum instance_field strings[] = {
	    FIELD_BOOT, FIELD_OWNER, FIELD_REASON};
	size_t size, i;
	char *to;

	size = parsing->fields.document.value.span.length +
	       2 * (parsing->address.length + 1) + strlen(parsing->service) +
	       1 + 2 * (strlen(parsing->id) + 1) + sizeof("\"id\":\"\",{}");
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		size += parsing->fields.found[strings[i]].span.length;
	instance->memory = to = malloc(size);
	if (to == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	to = put_record(instance, parsing, to);
	instance->service = put_copy(&to, parsing->service);
	instance->id = put_copy(&to, parsing->id);
	instance->address = put_copy(&to, parsing->url);
	if (put_decoded(parsing, FIELD_BOOT, &to, &instance->boot, error) ==
		-1 ||
	    put_decoded(parsing, FIELD_OWNER, &to, &instance->owner, error) ==
		-1 ||
	    put_decoded(parsing, FIELD_REASON, &to, &instance->reason, error) ==
		-1)
		return -1;
	return 0;
}

int
instance_parse(struct instance *instance, const char *text, size_t length,
    struct svc_error *error)
{
	struct parsing parsing;
	int result = -1;

	memset(instance, 0, sizeof(*instance));
	memset(&parsing, 0, sizeof(parsing));
	if (length > INSTANCE_LINE_MAX) {
		svc_error_set(error, EX_DATAERR,
		    "an instance of %zu bytes: a record has at most %lu",
		    length, INSTANCE_RECORD_MAX);
		goto out;
	}
	if (json_scan(&parsing.fields.document, text, length, error) == -1 ||
	    instance_fields_gather(&parsing.fields, error) == -1 ||
	    read_identity(&parsing, error) == -1 ||
	    instance_check(instance, &parsing.fields, error) == -1 ||
	    fill_memory(instance, &parsing, error) == -1)
		goto out;
	result = 0;
out:
	if (result == -1)
		instance_release(instance);
	instance_fields_release(&parsing.fields);
	buffer_release(&parsing.address);
	return result;
}

void
instance_release(struct instance *instance)
{
	free(instance->memory);
	free(instance->observed_memory);
	memset(instance, 0, sizeof(*instance));
}

/* A copy of what may be absent. */
static const char *
put_optional(char **to, const char *string)
{
	return string == NULL ? NULL : put_copy(to, string);
}

static size_t
optional_size(const char *string)
{
	return string == NULL ? 0 : strlen(string) + 1;
}

/* A part of one record as the same part of another, which is equal. */
static void
move_span(
    struct json_span *span, struct json_span from, struct json_span record)
{
	if (span->data != NULL)
		span->data = record.data + (span->data - from.data);
}

int
instance_copy(struct instance *instance, const struct instance *from)
{
	size_t size = from->record.length + strlen(from->service) + 1 +
		      strlen(from->id) + 1 + strlen(from->address) + 1 +
		      optional_size(from->boot) + optional_size(from->owner) +
		      optional_size(from->reason);
	char *to = malloc(size);

	if (to == NULL)
		return -1;
	*instance = *from;
	instance->memory = to;
	instance->observed_memory = NULL;
	instance->record.data = to;
	to = put(to, from->record.data, from->record.length);
	move_span(&instance->pin, from->record, instance->record);
	move_span(&instance->labels, from->record, instance->record);
	move_span(&instance->capacity, from->record, instance->record);
	instance->service = put_copy(&to, from->service);
	instance->id = put_copy(&to, from->id);
	instance->address = put_copy(&to, from->address);
	instance->boot = put_optional(&to, from->boot);
	instance->owner = put_optional(&to, from->owner);
	instance->reason = put_optional(&to, from->reason);
	return 0;
}

int
instance_observe(
    struct instance *instance, const char *owner, const char *reason)
{
	size_t owner_size = owner == NULL ? 0 : strlen(owner) + 1;
	size_t reason_size = reason == NULL ? 0 : strlen(reason) + 1;
	char *memory = NULL, *to;

	if (owner_size + reason_size > 0) {
		memory = to = malloc(owner_size + reason_size);
		if (memory == NULL)
			return -1;
		if (owner != NULL)
			owner = put_copy(&to, owner);
		if (reason != NULL)
			reason = put_copy(&to, reason);
	}
	free(instance->observed_memory);
	instance->observed_memory = memory;
	instance->owner = owner;
	instance->reason = reason;
	return 0;
}

bool
instance_works(const struct instance *instance)
{
	if (!instance->panic)
		return status_works(instance->status);
	return instance->status != STATUS_DRAINING &&
	       (instance->status != STATUS_EXPIRED ||
		   instance->lease == LEASE_TTL);
}

void
instances_available(
    const struct instance *instances, size_t count, unsigned char *available)
{
	size_t start, end, i;
	enum instance_status wanted;
	bool panic;

	for (start = 0; start < count; start = end) {
		wanted = STATUS_WARNING;
		panic = false;
		for (end = start; end < count; end++) {
			if (strcmp(instances[end].service,
				instances[start].service) != 0)
				break;
			if (instances[end].status == STATUS_PASSING)
				wanted = STATUS_PASSING;
			panic = panic || instances[end].panic;
		}
		for (i = start; i < end; i++)
			available[i] = panic ? instance_works(&instances[i])
					     : instances[i].status == wanted;
	}
}

int
instance_compare(const void *a, const void *b)
{
	const struct instance *left = a, *right = b;
	int order = strcmp(left->service, right->service);

	return order != 0 ? order : strcmp(left->id, right->id);
}
