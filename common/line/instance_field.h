/*
 * The members of an instance line that svckit interprets, as they stand in the
 * line: for those that read and print instances.
 */
#ifndef SVCKIT_LINE_INSTANCE_FIELD_H
#define SVCKIT_LINE_INSTANCE_FIELD_H

#include <stdbool.h>

#include "line/error.h"
#include "line/json.h"

enum instance_field {
	FIELD_SERVICE,
	FIELD_ID,
	FIELD_ADDRESS,
	FIELD_LEASE,
	FIELD_TTL,
	FIELD_BOOT,
	FIELD_CAPACITY,
	FIELD_LABELS,
	FIELD_ACCEPTS,
	FIELD_PRODUCES,
	FIELD_CHECK,
	FIELD_META,
	FIELD_STATUS, /* observed, from here on */
	FIELD_UTILIZATION,
	FIELD_PINNED,
	FIELD_REPORTED,
	FIELD_LATENCY,
	FIELD_CHECKED,
	FIELD_AGE,
	FIELD_OWNER,
	FIELD_DRAINING,
	FIELD_PANIC,
	FIELD_REASON,
	FIELD_COUNT
};

/* Zeroes will do to begin with. */
struct instance_fields {
	struct json_document document; /* the line */
	struct json_document inner; /* a member of it that is an object */
	struct json_value found[FIELD_COUNT]; /* span.data NULL: absent */
	unsigned long present; /* which stand there, null ones too */
};

/* Which one it is, -1: none of them. */
int instance_field_find(const struct json_member *member);

const char *instance_field_name(enum instance_field field);

/*
 * Finds the fields of fields->document, which must be an object.  EX_DATAERR
 * names the one that stands twice.  What is null counts as absent.
 */
int instance_fields_gather(
    struct instance_fields *fields, struct svc_error *error);

void instance_fields_release(struct instance_fields *fields);

bool instance_fields_have(
    const struct instance_fields *fields, enum instance_field field);

/* member_refuse() of a field.  Returns -1. */
int instance_field_refuse(const struct instance_fields *fields,
    enum instance_field field, const char *what, struct svc_error *error);

#endif
