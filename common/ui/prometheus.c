/* Targets for Prometheus: see prometheus.h. */
#include "ui/prometheus.h"

#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#include "line/json.h"

static void
append_label(struct buffer *out, const char *name, const char *value)
{
	buffer_append_format(out, ",\"%s\":", name);
	json_append_string(out, value, strlen(value));
}

/* [a-zA-Z0-9_]: the name stands behind a prefix, so that a digit may lead. */
static void
append_sanitized(struct buffer *out, const char *name, size_t length)
{
	size_t i;
	char c;

	for (i = 0; i < length; i++) {
		c = name[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9'))
			buffer_append_char(out, c);
		else
			buffer_append_char(out, '_');
	}
}

/* Prometheus knows only strings; other values become the text they are. */
static void
append_value(struct buffer *out, const struct json_value *value)
{
	if (value->type == JSON_STRING)
		buffer_append(out, value->span.data, value->span.length);
	else
		json_append_string(out, value->span.data, value->span.length);
}

/*
 * ,"__meta_svckit_label_NAME": into key.  Between the same quotes it can stand
 * nowhere else than as a key: in a value they would be escaped.
 */
static void
make_key(const struct json_member *member, struct buffer *key)
{
	struct json_value name = {
	    .span = {member->name.data - 1, member->name.length + 2},
	    .type = JSON_STRING,
	    .escaped = member->escaped,
	};
	struct buffer text = BUFFER_INIT;

	json_decode(&name, &text);
	buffer_clear(key);
	buffer_append_string(key, ",\"__meta_svckit_label_");
	append_sanitized(key, text.data, text.length);
	buffer_append_string(key, "\":");
	if (buffer_failed(&text))
		key->failed = true;
	buffer_release(&text);
}

/* Of labels whose names become the same the first stands. */
static void
append_labels(const struct instance *instance, struct buffer *out)
{
	struct json_document document = {0};
	struct buffer scratch = BUFFER_INIT, key = BUFFER_INIT;
	struct json_value labels;
	size_t i, start = out->length;

	if (instance_member(instance, "labels", &scratch, &labels) == 1 &&
	    labels.type == JSON_OBJECT) {
		if (json_scan(&document, labels.span.data, labels.span.length,
			NULL) == -1)
			out->failed = true;
		for (i = 0; i < document.count; i++) {
			make_key(&document.members[i], &key);
			if (buffer_failed(&key) || buffer_failed(out)) {
				out->failed = true;
				break;
			}
			if (memmem(out->data + start, out->length - start,
				key.data, key.length) != NULL)
				continue;
			buffer_append(out, key.data, key.length);
			append_value(out, &document.members[i].value);
		}
	}
	json_document_release(&document);
	buffer_release(&key);
	buffer_release(&scratch);
}

static void
append_target(const struct instance *instance, const struct address *address,
    struct buffer *out)
{
	bool v6 = strchr(address->host, ':') != NULL;
	struct buffer target = BUFFER_INIT;

	buffer_append_format(
	    &target, v6 ? "[%s]:%s" : "%s:%s", address->host, address->port);
	buffer_append_string(out, "{\"targets\":[");
	json_append_string(out, target.data, target.length);
	buffer_append_string(out, "],\"labels\":{\"service\":");
	json_append_string(out, instance->service, strlen(instance->service));
	append_label(out, "id", instance->id);
	if (address->tls)
		append_label(out, "__scheme__", "https");
	append_label(out, "__meta_svckit_address", instance->address);
	append_label(
	    out, "__meta_svckit_status", status_name(instance->status));
	if (instance->owner != NULL)
		append_label(out, "__meta_svckit_owner", instance->owner);
	append_labels(instance, out);
	buffer_append_string(out, "}}");
	buffer_release(&target);
}

int
prometheus_append(const struct instance *instances, size_t count,
    struct buffer *out, struct svc_error *error)
{
	struct address address;
	bool first = true;
	size_t i;

	buffer_append_char(out, '[');
	for (i = 0; i < count; i++) {
		if (address_parse(instances[i].address, &address, error) == -1)
			return -1;
		if (address.socket)
			continue;
		if (!first)
			buffer_append_char(out, ',');
		append_target(&instances[i], &address, out);
		first = false;
	}
	buffer_append_string(out, "]\n");
	return buffer_failed(out)
		   ? svc_error_set(error, EX_OSERR, "out of memory")
		   : 0;
}
