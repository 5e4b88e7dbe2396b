#include "line/instance_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "line/member.h"
#include "line/text.h"
#include "line/units.h"

#define NAME_SHOWN 60 /* bytes of a member's name in a message */

static bool
has(const struct instance_fields *fields, enum instance_field field)
{
	return instance_fields_have(fields, field);
}

static int
refuse(const struct instance_fields *fields, enum instance_field field,
    const char *what, struct svc_error *error)
{
	return instance_field_refuse(fields, field, what, error);
}

static bool
is_string(const struct json_value *value, const char *string)
{
	size_t length = strlen(string);

	return value->type == JSON_STRING && value->span.length == length + 2 &&
	       memcmp(value->span.data + 1, string, length) == 0;
}

static int
read_ttl(
    const struct instance_fields *fields, double *ttl, struct svc_error *error)
{
	if (!has(fields, FIELD_TTL))
		return 0;
	if (member_seconds("ttl", &fields->found[FIELD_TTL], ttl, error) == -1)
		return -1;
	if (*ttl == 0)
		return refuse(
		    fields, FIELD_TTL, "more than 0 seconds (as in 30)", error);
	return 0;
}

static int
read_lease(struct instance *instance, const struct instance_fields *fields,
    struct svc_error *error)
{
	const struct json_value *lease = &fields->found[FIELD_LEASE];
	bool ttl = has(fields, FIELD_TTL);

	if (read_ttl(fields, &instance->ttl, error) == -1)
		return -1;
	if (!has(fields, FIELD_LEASE))
		instance->lease = ttl ? LEASE_TTL : LEASE_NONE;
	else if (is_string(lease, "none") && !ttl)
		instance->lease = LEASE_NONE;
	else if (is_string(lease, "ttl") && ttl)
		instance->lease = LEASE_TTL;
	else if (is_string(lease, "lock"))
		instance->lease = LEASE_LOCK;
	else if (is_string(lease, "ttl"))
		return svc_error_set(error, EX_DATAERR,
		    "\"ttl\" is missing, and \"lease\" is \"ttl\" (as in "
		    "\"ttl\":30)");
	else if (is_string(lease, "none"))
		return svc_error_set(error, EX_DATAERR,
		    "\"ttl\" stands beside \"lease\":\"none\": leave out one");
	else
		return refuse(fields, FIELD_LEASE,
		    "\"none\", \"ttl\" or \"lock\"", error);
	return 0;
}

/* What is wrong with a member of a member: "labels.zone": not ... */
static int
refuse_inner(enum instance_field field, const struct json_member *inner,
    const char *what, struct svc_error *error)
{
	char name[80];
	size_t length =
	    text_cut(inner->name.data, inner->name.length, NAME_SHOWN);

	snprintf(name, sizeof(name), "%s.%.*s", instance_field_name(field),
	    (int)length, inner->name.data);
	return member_refuse(name, what, &inner->value, error);
}

/*
 * Of two members with one name, a selector would go by the first and jq(1) by
 * the last.
 */
static int
check_names(const struct json_document *object, enum instance_field field,
    struct svc_error *error)
{
	const struct json_member *members = object->members;
	size_t i, k;

	for (i = 1; i < object->count; i++) {
		for (k = 0; k < i; k++)
			if (json_text_equal(members[i].name, members[k].name))
				return svc_error_set(error, EX_DATAERR,
				    "\"%s.%.*s\" stands twice",
				    instance_field_name(field),
				    (int)text_cut(members[k].name.data,
					members[k].name.length, NAME_SHOWN),
				    members[k].name.data);
	}
	return 0;
}

/* Scans the members of a member into fields->inner. */
static int
open_object(struct instance_fields *fields, enum instance_field field,
    const char *example, struct svc_error *error)
{
	const struct json_value *value = &fields->found[field];

	if (value->type != JSON_OBJECT)
		return refuse(fields, field, example, error);
	if (json_scan(&fields->inner, value->span.data, value->span.length,
		error) == -1)
		return -1;
	if (fields->inner.count > INSTANCE_MEMBERS_MAX)
		return svc_error_set(error, EX_DATAERR,
		    "\"%s\": %zu members, and at most %d are allowed",
		    instance_field_name(field), fields->inner.count,
		    INSTANCE_MEMBERS_MAX);
	return check_names(&fields->inner, field, error);
}

static int
read_capacity(struct instance *instance, struct instance_fields *fields,
    struct svc_error *error)
{
	const struct json_member *member;
	double number;
	size_t i;

	if (!has(fields, FIELD_CAPACITY))
		return 0;
	if (open_object(fields, FIELD_CAPACITY,
		"an object (as in {\"slots\":4,\"mem\":\"16G\"})", error) == -1)
		return -1;
	for (i = 0; i < fields->inner.count; i++) {
		member = &fields->inner.members[i];
		if (!member_quantity(&member->value, &number))
			return refuse_inner(FIELD_CAPACITY, member,
			    "a number of at least 0, or one with a unit "
			    "(\"16G\")",
			    error);
		if (!json_name_is(member, "slots"))
			continue;
		if (number < 1)
			return refuse_inner(
			    FIELD_CAPACITY, member, "at least 1", error);
		instance->slots = number;
	}
	return 0;
}

static int
check_labels(struct instance_fields *fields, struct svc_error *error)
{
	const struct json_member *member;
	size_t i;

	if (!has(fields, FIELD_LABELS))
		return 0;
	if (open_object(fields, FIELD_LABELS,
		"an object (as in {\"zone\":\"eu-1\"})", error) == -1)
		return -1;
	for (i = 0; i < fields->inner.count; i++) {
		member = &fields->inner.members[i];
		if (member->value.type != JSON_STRING)
			return refuse_inner(FIELD_LABELS, member,
			    "a string (as in {\"zone\":\"eu-1\"})", error);
	}
	return 0;
}

/* A media type, or a list of alternatives. */
static int
check_types(const struct instance_fields *fields, enum instance_field field,
    struct svc_error *error)
{
	const struct json_value *value = &fields->found[field];
	const char *cursor = value->span.data;
	struct json_value element;

	if (!has(fields, field) || value->type == JSON_STRING)
		return 0;
	if (value->type == JSON_ARRAY) {
		while (json_next_element(value->span, &cursor, &element) == 1) {
			if (element.type != JSON_STRING)
				goto refused;
		}
		return 0;
	}
refused:
	return refuse(fields, field,
	    "a media type, or a list of them (as in \"text/csv\")", error);
}

/* A number of at least 0 into number; left alone when absent. */
static int
read_number(const struct instance_fields *fields, enum instance_field field,
    double *number, struct svc_error *error)
{
	const struct json_value *value = &fields->found[field];

	if (!has(fields, field))
		return 0;
	if (value->type != JSON_NUMBER || !isfinite(json_number(value)) ||
	    json_number(value) < 0)
		return refuse(fields, field, "a number of at least 0", error);
	*number = json_number(value);
	return 0;
}

/* Left alone when absent. */
static int
read_flag(const struct instance_fields *fields, enum instance_field field,
    bool *flag, struct svc_error *error)
{
	const struct json_value *value = &fields->found[field];

	if (!has(fields, field))
		return 0;
	if (value->type != JSON_TRUE && value->type != JSON_FALSE)
		return refuse(fields, field, "true or false", error);
	*flag = value->type == JSON_TRUE;
	return 0;
}

/* In milliseconds since 1970; left alone when absent. */
static int
read_time(const struct instance_fields *fields, enum instance_field field,
    int64_t *time, struct svc_error *error)
{
	char text[64];

	if (!has(fields, field))
		return 0;
	if (json_string(&fields->found[field], text, sizeof(text)) < 0 ||
	    time_parse(text, 0, time, NULL) == -1)
		return refuse(fields, field,
		    "an RFC 3339 time (as in \"2026-11-22T10:00:00Z\")", error);
	return 0;
}

static int
read_status(struct instance *instance, const struct instance_fields *fields,
    struct svc_error *error)
{
	const struct json_value *status = &fields->found[FIELD_STATUS];

	if (read_flag(fields, FIELD_DRAINING, &instance->draining, error) ==
		-1 ||
	    read_flag(fields, FIELD_PANIC, &instance->panic, error) == -1)
		return -1;
	if (!has(fields, FIELD_STATUS)) {
		instance->status =
		    instance->draining ? STATUS_DRAINING : STATUS_PASSING;
		return 0;
	}
	if (status->type != JSON_STRING ||
	    status_parse(status->span.data + 1, status->span.length - 2,
		&instance->status) == 0)
		return refuse(fields, FIELD_STATUS,
		    "passing, warning, unknown, critical, draining or expired",
		    error);
	return 0;
}

/* The utilization, and who said it: the record, its holder or a prober. */
static int
read_load(struct instance *instance, const struct instance_fields *fields,
    struct svc_error *error)
{
	instance->pinned =
	    !has(fields, FIELD_STATUS) && !has(fields, FIELD_REPORTED);
	if (read_number(fields, FIELD_UTILIZATION, &instance->utilization,
		error) == -1 ||
	    read_flag(fields, FIELD_PINNED, &instance->pinned, error) == -1 ||
	    read_time(fields, FIELD_REPORTED, &instance->reported, error) == -1)
		return -1;
	if (!has(fields, FIELD_UTILIZATION))
		instance->pinned = false;
	if (!has(fields, FIELD_UTILIZATION) || instance->pinned)
		instance->reported = 0;
	return 0;
}

static int
read_observed(struct instance *instance, const struct instance_fields *fields,
    struct svc_error *error)
{
	instance->latency_ms = instance->age = -1;
	if (read_status(instance, fields, error) == -1 ||
	    read_load(instance, fields, error) == -1 ||
	    read_number(fields, FIELD_LATENCY, &instance->latency_ms, error) ==
		-1 ||
	    read_number(fields, FIELD_AGE, &instance->age, error) == -1)
		return -1;
	return read_time(fields, FIELD_CHECKED, &instance->checked, error);
}

int
instance_check(struct instance *instance, struct instance_fields *fields,
    struct svc_error *error)
{
	if (has(fields, FIELD_META) &&
	    fields->found[FIELD_META].type != JSON_OBJECT)
		return refuse(fields, FIELD_META,
		    "an object (as in {\"version\":\"1.2\"})", error);
	if (read_lease(instance, fields, error) == -1 ||
	    read_observed(instance, fields, error) == -1 ||
	    check_types(fields, FIELD_ACCEPTS, error) == -1 ||
	    check_types(fields, FIELD_PRODUCES, error) == -1 ||
	    read_capacity(instance, fields, error) == -1)
		return -1;
	return check_labels(fields, error);
}
