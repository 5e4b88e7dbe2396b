#include "line/instance_field.h"

#include <sysexits.h>

#include "line/member.h"

static const struct member_name names[] = {
    MEMBER_NAME("service", FIELD_SERVICE),
    MEMBER_NAME("id", FIELD_ID),
    MEMBER_NAME("address", FIELD_ADDRESS),
    MEMBER_NAME("capacity", FIELD_CAPACITY),
    MEMBER_NAME("labels", FIELD_LABELS),
    MEMBER_NAME("lease", FIELD_LEASE),
    MEMBER_NAME("ttl", FIELD_TTL),
    MEMBER_NAME("status", FIELD_STATUS),
    MEMBER_NAME("utilization", FIELD_UTILIZATION),
    MEMBER_NAME("reported", FIELD_REPORTED),
    MEMBER_NAME("age", FIELD_AGE),
    MEMBER_NAME("owner", FIELD_OWNER),
    MEMBER_NAME("latency_ms", FIELD_LATENCY),
    MEMBER_NAME("checked", FIELD_CHECKED),
    MEMBER_NAME("boot", FIELD_BOOT),
    MEMBER_NAME("check", FIELD_CHECK),
    MEMBER_NAME("accepts", FIELD_ACCEPTS),
    MEMBER_NAME("produces", FIELD_PRODUCES),
    MEMBER_NAME("meta", FIELD_META),
    MEMBER_NAME("draining", FIELD_DRAINING),
    MEMBER_NAME("panic", FIELD_PANIC),
    MEMBER_NAME("pinned", FIELD_PINNED),
    MEMBER_NAME("reason", FIELD_REASON),
};
#define NAMES (sizeof(names) / sizeof(names[0]))

int
instance_field_find(const struct json_member *member)
{
	return member_find(names, NAMES, member);
}

const char *
instance_field_name(enum instance_field field)
{
	return member_name(names, NAMES, (int)field);
}

void
instance_fields_release(struct instance_fields *fields)
{
	json_document_release(&fields->document);
	json_document_release(&fields->inner);
}

bool
instance_fields_have(
    const struct instance_fields *fields, enum instance_field field)
{
	return fields->found[field].span.data != NULL;
}

int
instance_field_refuse(const struct instance_fields *fields,
    enum instance_field field, const char *what, struct svc_error *error)
{
	return member_refuse(
	    instance_field_name(field), what, &fields->found[field], error);
}

int
instance_fields_gather(struct instance_fields *fields, struct svc_error *error)
{
	const struct json_document *document = &fields->document;
	const struct json_member *member;
	int field;
	size_t i;

	if (document->value.type != JSON_OBJECT)
		return svc_error_set(error, EX_DATAERR,
		    "not an instance: it must be a JSON object with "
		    "\"service\" and \"address\"");
	for (i = 0; i < document->count; i++) {
		member = &document->members[i];
		field = instance_field_find(member);
		if (field == -1)
			continue;
		if ((fields->present & 1UL << field) != 0)
			return svc_error_set(error, EX_DATAERR,
			    "\"%s\" stands twice",
			    instance_field_name((enum instance_field)field));
		fields->present |= 1UL << field;
		if (member->value.type != JSON_NULL)
			fields->found[field] = member->value;
	}
	return 0;
}
