#include "line/record_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/check.h"
#include "line/json.h"
#include "line/units.h"

int
record_add_pair(
    struct record_pairs *pairs, const char *text, struct svc_error *error)
{
	const char *value;
	const char **items;
	size_t length, i;

	if (pair_parse(text, &length, &value, error) == -1)
		return -1;
	for (i = 0; i < pairs->count; i++) {
		if (strncmp(pairs->items[i], text, length + 1) == 0)
			return svc_error_set(error, EX_USAGE,
			    "'%.*s' is set twice: '%s' and '%s'", (int)length,
			    text, pairs->items[i], text);
	}
	items =
	    reallocarray(pairs->items, pairs->count + 1, sizeof(*pairs->items));
	if (items == NULL)
		return svc_error_errno(error, "'%s'", text);
	items[pairs->count++] = text;
	pairs->items = items;
	return 0;
}

static int
set_id(struct record_parts *parts, const char *value, struct svc_error *error)
{
	parts->id = value;
	return name_check("instance", value, error);
}

static int
set_label(
    struct record_parts *parts, const char *value, struct svc_error *error)
{
	return record_add_pair(&parts->labels, value, error);
}

static int
set_capacity(
    struct record_parts *parts, const char *value, struct svc_error *error)
{
	struct svc_error why;
	const char *amount;
	size_t length;
	double number;

	if (record_add_pair(&parts->capacity, value, error) == -1 ||
	    pair_parse(value, &length, &amount, error) == -1)
		return -1;
	if (quantity_parse(amount, &number, &why) == -1)
		return svc_error_set(error, EX_USAGE, "%.*s: %s", (int)length,
		    value, why.message);
	return 0;
}

static int
set_meta(struct record_parts *parts, const char *value, struct svc_error *error)
{
	return record_add_pair(&parts->meta, value, error);
}

static int
set_utilization(
    struct record_parts *parts, const char *value, struct svc_error *error)
{
	if (number_parse(value, &parts->utilization, error) == -1)
		return -1;
	if (parts->utilization < 0)
		return svc_error_set(error, EX_USAGE,
		    "not a utilization: '%s' (say 0.42; at least 0)", value);
	return 0;
}

static int
set_accepts(
    struct record_parts *parts, const char *value, struct svc_error *error)
{
	(void)error;
	parts->accepts = value;
	return 0;
}

static int
set_produces(
    struct record_parts *parts, const char *value, struct svc_error *error)
{
	(void)error;
	parts->produces = value;
	return 0;
}

/* A duration that is not 0. */
static int
parse_span(const char *value, double *seconds, struct svc_error *error)
{
	if (duration_parse(value, seconds, error) == -1)
		return -1;
	if (*seconds <= 0)
		return svc_error_set(error, EX_USAGE,
		    "not a duration over 0: '%s' (say 30s)", value);
	return 0;
}

static int
set_ttl(struct record_parts *parts, const char *value, struct svc_error *error)
{
	parts->lease = LEASE_TTL;
	return parse_span(value, &parts->ttl, error);
}

static int
set_check_http(
    struct record_parts *parts, const char *value, struct svc_error *error)
{
	if (value[0] != '/')
		return svc_error_set(
		    error, EX_USAGE, "not a path: '%s' (say /health)", value);
	parts->check_http = value;
	return 0;
}

static int
set_check_tcp(
    struct record_parts *parts, const char *value, struct svc_error *error)
{
	(void)value;
	(void)error;
	parts->check_tcp = true;
	return 0;
}

static int
set_interval(
    struct record_parts *parts, const char *value, struct svc_error *error)
{
	return parse_span(value, &parts->check_interval, error);
}

int
record_set(struct record_parts *parts, const char *name, const char *value,
    struct svc_error *error)
{
	static const struct {
		const char *name;
		int (*set)(struct record_parts *parts, const char *value,
		    struct svc_error *error);
	} setters[] = {
	    {"accepts", set_accepts},
	    {"capacity", set_capacity},
	    {"check-http", set_check_http},
	    {"check-tcp", set_check_tcp},
	    {"id", set_id},
	    {"interval", set_interval},
	    {"label", set_label},
	    {"meta", set_meta},
	    {"produces", set_produces},
	    {"ttl", set_ttl},
	    {"utilization", set_utilization},
	};
	size_t i;

	for (i = 0; i < sizeof(setters) / sizeof(setters[0]); i++) {
		if (strcmp(name, setters[i].name) == 0)
			return setters[i].set(parts, value, error) == -1 ? -1
									 : 1;
	}
	return 0;
}

void
record_parts_release(struct record_parts *parts)
{
	free(parts->capacity.items);
	free(parts->labels.items);
	free(parts->meta.items);
}

static void
append_name(struct buffer *out, const char *name)
{
	buffer_append_char(out, ',');
	json_append_string(out, name, strlen(name));
	buffer_append_char(out, ':');
}

/* Appends a member whose value is a string, unless that is NULL. */
static void
append_text(struct buffer *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	append_name(out, name);
	json_append_string(out, value, strlen(value));
}

static void
append_number(struct buffer *out, const char *name, double number)
{
	append_name(out, name);
	json_append_number(out, number);
}

/* A plain number is one in JSON too; with a unit it stays as it was written. */
static int
append_quantity(struct buffer *out, const char *text, struct svc_error *error)
{
	double number;

	if (number_parse(text, &number, NULL) == 0 && number >= 0)
		json_append_number(out, number);
	else if (quantity_parse(text, &number, error) == 0)
		json_append_string(out, text, strlen(text));
	else
		return -1;
	return 0;
}

static int
append_pairs(struct buffer *out, const char *name,
    const struct record_pairs *pairs, bool quantities, struct svc_error *error)
{
	struct svc_error why;
	const char *value;
	size_t length, i;

	for (i = 0; i < pairs->count; i++) {
		if (pair_parse(pairs->items[i], &length, &value, error) == -1)
			return -1;
		if (i == 0) {
			append_name(out, name);
			buffer_append_char(out, '{');
		} else {
			buffer_append_char(out, ',');
		}
		json_append_string(out, pairs->items[i], length);
		buffer_append_char(out, ':');
		if (!quantities)
			json_append_string(out, value, strlen(value));
		else if (append_quantity(out, value, &why) == -1)
			return svc_error_set(error, EX_USAGE, "%s '%s': %s",
			    name, pairs->items[i], why.message);
	}
	if (pairs->count > 0)
		buffer_append_char(out, '}');
	return 0;
}

static int
append_check(struct buffer *out, const struct record_parts *parts,
    struct svc_error *error)
{
	double interval = parts->check_interval;

	if (parts->check_http == NULL && !parts->check_tcp) {
		if (interval > 0)
			return svc_error_set(error, EX_USAGE,
			    "--interval needs --check-http or --check-tcp");
		return 0;
	}
	if (parts->check_http != NULL && parts->check_tcp)
		return svc_error_set(error, EX_USAGE,
		    "--check-http and --check-tcp exclude each other");
	if (interval <= 0)
		interval = CHECK_INTERVAL;
	buffer_append_string(out, ",\"check\":{");
	if (parts->check_http != NULL) {
		buffer_append_string(out, "\"http\":");
		json_append_string(
		    out, parts->check_http, strlen(parts->check_http));
	} else {
		buffer_append_string(out, "\"tcp\":true");
	}
	append_number(out, "interval", interval);
	append_number(out, "timeout",
	    interval < CHECK_TIMEOUT ? interval : CHECK_TIMEOUT);
	buffer_append_char(out, '}');
	return 0;
}

static int
append_identity(struct buffer *out, const struct record_parts *parts,
    struct svc_error *error)
{
	struct buffer url = BUFFER_INIT, id = BUFFER_INIT;
	int result = -1;

	if (name_check("service", parts->service, error) == -1 ||
	    address_expand(parts->address, &url, error) == -1)
		goto out;
	if (buffer_string(&url) == NULL) {
		(void)svc_error_set(error, EX_OSERR, "out of memory");
		goto out;
	}
	if (parts->id != NULL)
		buffer_append_string(&id, parts->id);
	else
		address_id(url.data, &id);
	if (buffer_string(&id) == NULL) {
		(void)svc_error_set(error, EX_OSERR, "out of memory");
		goto out;
	}
	if (name_check("instance", id.data, error) == -1)
		goto out;
	buffer_append_string(out, "{\"service\":");
	json_append_string(out, parts->service, strlen(parts->service));
	append_text(out, "id", id.data);
	append_text(out, "address", url.data);
	result = 0;
out:
	buffer_release(&url);
	buffer_release(&id);
	return result;
}

static int
append_lease(struct buffer *out, const struct record_parts *parts,
    struct svc_error *error)
{
	static const char *const names[] = {
	    [LEASE_NONE] = "none", [LEASE_TTL] = "ttl", [LEASE_LOCK] = "lock"};

	append_text(out, "lease", names[parts->lease]);
	if (parts->lease != LEASE_TTL)
		return 0;
	if (!(parts->ttl > 0))
		return svc_error_set(
		    error, EX_USAGE, "a ttl is more than 0, as '30s'");
	append_number(out, "ttl", parts->ttl);
	return 0;
}

int
record_build(const struct record_parts *parts, struct buffer *out,
    struct svc_error *error)
{
	if (append_identity(out, parts, error) == -1 ||
	    append_lease(out, parts, error) == -1 ||
	    append_pairs(out, "capacity", &parts->capacity, true, error) ==
		-1 ||
	    append_pairs(out, "labels", &parts->labels, false, error) == -1)
		return -1;
	append_text(out, "accepts", parts->accepts);
	append_text(out, "produces", parts->produces);
	if (parts->utilization >= 0)
		append_number(out, "utilization", parts->utilization);
	if (append_check(out, parts, error) == -1 ||
	    append_pairs(out, "meta", &parts->meta, false, error) == -1)
		return -1;
	buffer_append_char(out, '}');
	if (buffer_failed(out))
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}
