/* Instances for people and programs: see format.h. */
#include "ui/format.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/json.h"
#include "line/units.h"
#include "ui/cell.h"
#include "ui/escape.h"
#include "ui/prometheus.h"
#include "ui/table.h"

enum kind {
	KIND_JSON,
	KIND_TABLE,
	KIND_TSV,
	KIND_ADDRESS,
	KIND_PROMETHEUS,
	KIND_CUSTOM
};

static const char *const kind_names[] = {
    [KIND_JSON] = "json",
    [KIND_TABLE] = "table",
    [KIND_TSV] = "tsv",
    [KIND_ADDRESS] = "address",
    [KIND_PROMETHEUS] = "prometheus",
};

/* A FORMAT taken apart. */
struct piece {
	char *text; /* owned: a member's path, or what is copied */
	bool member;
};

struct format {
	enum kind kind;
	struct piece *pieces;
	size_t count;
};

static int
add_piece(struct format *format, const char *text, size_t length, bool member)
{
	struct piece *grown;
	char *copy;

	grown = realloc(
	    format->pieces, (format->count + 1) * sizeof(*format->pieces));
	if (grown == NULL)
		return -1;
	format->pieces = grown;
	if ((copy = strndup(text, length)) == NULL)
		return -1;
	grown[format->count].text = copy;
	grown[format->count++].member = member;
	return 0;
}

/*
 * The character that the two at text stand for, a percent sign or a backslash
 * and another; -1 when there is none.
 */
static int
unescape(const char *text)
{
	if (text[0] == '%')
		return text[1] == '%' ? '%' : -1;
	switch (text[1]) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case '\\':
		return '\\';
	default:
		return -1;
	}
}

/* A run of text up to the next "%{" or the end; moves *text behind it. */
static int
parse_literal(struct format *format, const char **text, struct svc_error *error)
{
	struct buffer out = BUFFER_INIT;
	const char *p = *text;
	int c, result = -1;

	while (*p != '\0' && strncmp(p, "%{", 2) != 0) {
		if (*p != '%' && *p != '\\') {
			buffer_append_char(&out, *p++);
			continue;
		}
		if ((c = unescape(p)) == -1) {
			svc_error_set(error, EX_USAGE,
			    "FORMAT: '%.2s': only %%{member}, %%%%, \\t, \\n "
			    "and \\\\ are known",
			    p);
			goto out;
		}
		buffer_append_char(&out, (char)c);
		p += 2;
	}
	*text = p;
	if (out.length == 0)
		result = 0;
	else if (buffer_failed(&out) ||
		 add_piece(format, out.data, out.length, false) == -1)
		svc_error_set(error, EX_OSERR, "out of memory");
	else
		result = 0;
out:
	buffer_release(&out);
	return result;
}

static int
parse_member(struct format *format, const char **text, struct svc_error *error)
{
	const char *path = *text + 2, *end = strchr(path, '}');

	if (end == NULL)
		return svc_error_set(
		    error, EX_USAGE, "FORMAT: no '}' after '%s'", *text);
	if (end == path)
		return svc_error_set(error, EX_USAGE,
		    "FORMAT: '%%{}' names no member: write %%{address}");
	if (add_piece(format, path, (size_t)(end - path), true) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	*text = end + 1;
	return 0;
}

static int
parse_pieces(struct format *format, const char *text, struct svc_error *error)
{
	while (*text != '\0') {
		if (parse_literal(format, &text, error) == -1)
			return -1;
		if (*text != '\0' && parse_member(format, &text, error) == -1)
			return -1;
	}
	return 0;
}

static int
parse_name(struct format *format, const char *name, struct svc_error *error)
{
	size_t i;

	for (i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++) {
		if (name == NULL || strcmp(name, kind_names[i]) == 0) {
			format->kind = (enum kind)i;
			return 0;
		}
	}
	if (strstr(name, "%{") == NULL)
		return svc_error_set(error, EX_USAGE,
		    "not an output: '%s': json, table, tsv, address, "
		    "prometheus, or a FORMAT with %%{member}",
		    name);
	format->kind = KIND_CUSTOM;
	return parse_pieces(format, name, error);
}

int
format_parse(struct format **format, const char *name, struct svc_error *error)
{
	if ((*format = calloc(1, sizeof(**format))) == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (parse_name(*format, name, error) == -1) {
		format_free(*format);
		*format = NULL;
		return -1;
	}
	return 0;
}

void
format_free(struct format *format)
{
	size_t i;

	if (format == NULL)
		return;
	for (i = 0; i < format->count; i++)
		free(format->pieces[i].text);
	free(format->pieces);
	free(format);
}

bool
format_is_table(const struct format *format)
{
	return format->kind == KIND_TABLE;
}

bool
format_is_document(const struct format *format)
{
	return format->kind == KIND_PROMETHEUS;
}

static void
append_tsv(const struct instance *instance, struct buffer *out)
{
	buffer_append_format(out, "%s\t%s\t", instance->service, instance->id);
	escape_append(out, instance->address, strlen(instance->address));
	buffer_append_format(out, "\t%s\t", status_name(instance->status));
	json_append_number(out, instance->utilization);
	buffer_append_char(out, '\t');
	if (instance->age >= 0)
		json_append_number(out, instance->age);
	buffer_append_char(out, '\t');
	if (instance->owner != NULL)
		escape_append(out, instance->owner, strlen(instance->owner));
	buffer_append_char(out, '\t');
	cell_labels(instance, out);
}

static void
append_custom(const struct format *format, const struct instance *instance,
    struct buffer *out)
{
	size_t i;

	for (i = 0; i < format->count; i++) {
		if (format->pieces[i].member)
			cell_member(instance, format->pieces[i].text, out);
		else
			buffer_append_string(out, format->pieces[i].text);
	}
}

static void
append_one(const struct format *format, const struct instance *instance,
    struct buffer *out)
{
	switch (format->kind) {
	case KIND_TSV:
		append_tsv(instance, out);
		break;
	case KIND_ADDRESS:
		escape_append(
		    out, instance->address, strlen(instance->address));
		break;
	case KIND_CUSTOM:
		append_custom(format, instance, out);
		break;
	default:
		instance_print(instance, out);
		break;
	}
	if (out->length == 0 || out->data[out->length - 1] != '\n')
		buffer_append_char(out, '\n');
}

/* Table and array: made whole, handed on line by line. */
static int
whole(const struct format *format, const struct instance *instances,
    size_t count, const struct format_screen *screen, format_line_fn line,
    void *argument, struct svc_error *error)
{
	struct buffer out = BUFFER_INIT;
	const char *p, *end, *next;
	int result;

	result = format->kind == KIND_TABLE
		     ? table_append(instances, count, screen, &out, error)
		     : prometheus_append(instances, count, &out, error);
	if (result == 0 && buffer_failed(&out))
		result = svc_error_set(error, EX_OSERR, "out of memory");
	end = out.length == 0 ? out.data : out.data + out.length;
	for (p = out.data; result == 0 && p != end; p = next) {
		next = memchr(p, '\n', (size_t)(end - p));
		next = next == NULL ? end : next + 1;
		result = line(argument, p, (size_t)(next - p), error);
	}
	buffer_release(&out);
	return result;
}

int
format_instances(const struct format *format, const struct instance *instances,
    size_t count, const struct format_screen *screen, format_line_fn line,
    void *argument, struct svc_error *error)
{
	struct buffer out = BUFFER_INIT;
	int result = 0;
	size_t i;

	if (format->kind == KIND_TABLE || format->kind == KIND_PROMETHEUS)
		return whole(
		    format, instances, count, screen, line, argument, error);
	for (i = 0; i < count && result == 0; i++) {
		buffer_clear(&out);
		append_one(format, &instances[i], &out);
		result = buffer_failed(&out)
			     ? svc_error_set(error, EX_OSERR, "out of memory")
			     : line(argument, out.data, out.length, error);
	}
	buffer_release(&out);
	return result;
}
