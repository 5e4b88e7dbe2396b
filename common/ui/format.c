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
#include "ui/template.h"

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

struct format {
	enum kind kind;
	struct template *template; /* of KIND_CUSTOM */
};

int
format_parse(struct format **format, const char *name, struct svc_error *error)
{
	int kind;

	if ((*format = calloc(1, sizeof(**format))) == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	kind = template_choose(
	    kind_names, KIND_CUSTOM, name, &(*format)->template, error);
	if (kind == -1) {
		format_free(*format);
		*format = NULL;
		return -1;
	}
	(*format)->kind = (enum kind)kind;
	return 0;
}

void
format_free(struct format *format)
{
	if (format == NULL)
		return;
	template_free(format->template);
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
append_member(const void *argument, const char *path, struct buffer *out)
{
	cell_member(argument, path, out);
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
		template_append(format->template, append_member, instance, out);
		return;
	default:
		instance_print(instance, out);
		break;
	}
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
