#include "ui/task_format.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "line/json.h"
#include "line/units.h"
#include "ui/cell.h"
#include "ui/columns.h"
#include "ui/grid.h"
#include "ui/template.h"

/* One task with a long id does not push all others to the right. */
#define ID_WIDTH_MAX 40
#define STATE_WIDTH  7 /* "waiting" */

enum kind { KIND_JSON, KIND_TABLE, KIND_TSV, KIND_RESULT, KIND_CUSTOM };

static const char *const kind_names[] = {
    [KIND_JSON] = "json",
    [KIND_TABLE] = "table",
    [KIND_TSV] = "tsv",
    [KIND_RESULT] = "result",
};

enum { COLUMN_ID, COLUMN_SERVICE, COLUMN_STATE, COLUMN_COUNT = 6 };

static const struct grid_column table_columns[COLUMN_COUNT] = {
    {"ID", false, 2, 8},
    {"SERVICE", false, 3, 7},
    {"STATE", false, 0, 0},
    {"TRY", true, 0, 0},
    {"AGE", true, 0, 0},
    {"DETAIL", false, 1, 12},
};

/* A state's colour, as libsmartcols calls it and as terminals do. */
static const struct {
	const char *state;
	const char *name;
	const char *sequence;
} colors[] = {
    {"waiting", "cyan", "\033[36m"},
    {"held", "blue", "\033[34m"},
    {"running", "yellow", "\033[33m"},
    {"done", "green", "\033[32m"},
    {"failed", "red", "\033[31m"},
};
#define COLOR_COUNT (sizeof(colors) / sizeof(colors[0]))
#define COLOR_END   "\033[0m"

struct task_format {
	enum kind kind;
	struct template *template; /* of KIND_CUSTOM */
	struct grid *grid; /* of records; NULL: none was added */
	struct columns *columns; /* of counts; the same */
	struct buffer headings; /* of counts, each with its NUL */
	const char *heading[COLUMNS_MAX]; /* in headings */
	struct buffer cell;
	size_t id_width; /* of task_format_line() */
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
task_format_parse(
    struct task_format **format, const char *name, struct svc_error *error)
{
	int kind;

	if ((*format = calloc(1, sizeof(**format))) == NULL)
		return no_memory(error);
	kind = template_choose(
	    kind_names, KIND_CUSTOM, name, &(*format)->template, error);
	if (kind == -1) {
		task_format_free(*format);
		*format = NULL;
		return -1;
	}
	(*format)->kind = (enum kind)kind;
	return 0;
}

void
task_format_free(struct task_format *format)
{
	if (format == NULL)
		return;
	template_free(format->template);
	grid_free(format->grid);
	columns_free(format->columns);
	buffer_release(&format->headings);
	buffer_release(&format->cell);
	free(format);
}

bool
task_format_is_table(const struct task_format *format)
{
	return format->kind == KIND_TABLE;
}

bool
task_format_is_result(const struct task_format *format)
{
	return format->kind == KIND_RESULT;
}

bool
task_format_wants_line(const struct task_format *format)
{
	return format->kind != KIND_TABLE && format->kind != KIND_TSV;
}

/* A member of the record, argument, which is valid JSON. */
static void
append_member(const void *argument, const char *path, struct buffer *out)
{
	const struct json_span *record = argument;
	struct json_value value;

	if (json_path(*record, path, &value) == 1)
		cell_value(&value, out);
}

static void
append_tsv(struct json_span record, struct buffer *out)
{
	static const char *const columns[] = {"id", "service", "state",
	    "attempt", "where", "since", "reason", "message"};
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (i > 0)
			buffer_append_char(out, '\t');
		append_member(&record, columns[i], out);
	}
	buffer_append_char(out, '\n');
}

static void
append_result(struct json_span record, struct buffer *out)
{
	struct json_value line, result;

	if (json_path(record, "line", &line) == 0 || line.type != JSON_OBJECT ||
	    json_path(line.span, "error", &result) == 1 ||
	    json_path(line.span, "result", &result) == 0)
		return;
	json_append_line(out, result.span);
	buffer_append_char(out, '\n');
}

static bool
get_text(struct json_span record, const char *name, struct json_value *value)
{
	return json_path(record, name, value) == 1 &&
	       value->type == JSON_STRING && value->span.length > 2;
}

static bool
state_is(struct json_span record, const char *state)
{
	struct json_value value;
	struct json_span text;

	if (!get_text(record, "state", &value))
		return false;
	text = (struct json_span){value.span.data + 1, value.span.length - 2};
	return json_text_is(text, state, strlen(state));
}

/* When the state began, ms since 1970: 1, 0. */
static int
get_since(struct json_span record, int64_t *since)
{
	struct json_value value;
	char text[64];

	return get_text(record, "since", &value) &&
	       json_string(&value, text, sizeof(text)) != -1 &&
	       time_parse(text, 0, since, NULL) == 0;
}

/* Whole seconds are enough for people. */
static void
append_age(struct json_span record, int64_t now, struct buffer *out)
{
	int64_t since;

	if (get_since(record, &since) == 1)
		duration_append(
		    out, since < now ? (double)((now - since) / 1000) : 0);
}

/* Why it waits or has failed, else where it is or was. */
static void
append_detail(struct json_span record, struct buffer *out)
{
	static const char *const members[] = {"message", "reason", "where"};
	struct json_value value;
	size_t i;

	if (get_text(record, "would", &value)) {
		buffer_append_string(out, "would ");
		cell_value(&value, out);
		return;
	}
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (get_text(record, members[i], &value)) {
			cell_value(&value, out);
			return;
		}
	}
}

static void
append_cell(
    struct json_span record, size_t column, int64_t now, struct buffer *out)
{
	static const char *const members[] = {
	    "id", "service", "state", "attempt"};

	if (column < sizeof(members) / sizeof(members[0]))
		append_member(&record, members[column], out);
	else if (column == COLUMN_COUNT - 1)
		append_detail(record, out);
	else
		append_age(record, now, out);
}

static int
add_row(struct task_format *format, struct json_span record, int64_t now,
    struct svc_error *error)
{
	const char *color = NULL;
	size_t i;

	if (format->grid == NULL)
		format->grid = grid_new(table_columns, COLUMN_COUNT);
	if (format->grid == NULL)
		return no_memory(error);
	for (i = 0; i < COLOR_COUNT; i++)
		if (state_is(record, colors[i].state))
			color = colors[i].name;
	for (i = 0; i < COLUMN_COUNT; i++) {
		buffer_clear(&format->cell);
		append_cell(record, i, now, &format->cell);
		if (buffer_failed(&format->cell))
			return no_memory(error);
		grid_cell(format->grid, format->cell.data, format->cell.length,
		    i == COLUMN_STATE ? color : NULL);
	}
	return 0;
}

static int
scan(const char *text, size_t length, struct json_span *record,
    struct svc_error *error)
{
	struct json_value value;

	if (json_scan_members(text, length, &value, NULL, NULL, error) == -1)
		return -1;
	if (value.type != JSON_OBJECT)
		return svc_error_set(
		    error, EX_DATAERR, "a record is not a JSON object");
	*record = value.span;
	return 0;
}

int
task_format_add(struct task_format *format, const char *text, size_t length,
    int64_t now, struct buffer *out, struct svc_error *error)
{
	struct json_span record;

	if (scan(text, length, &record, error) == -1)
		return -1;
	switch (format->kind) {
	case KIND_TABLE:
		return add_row(format, record, now, error);
	case KIND_TSV:
		append_tsv(record, out);
		break;
	case KIND_RESULT:
		append_result(record, out);
		break;
	case KIND_CUSTOM:
		template_append(format->template, append_member, &record, out);
		break;
	default:
		json_append_line(out, record);
		buffer_append_char(out, '\n');
		break;
	}
	return buffer_failed(out) ? no_memory(error) : 0;
}

/* The names of the first count's members, in capitals, are the headings. */
static int
begin_counts(
    struct task_format *format, struct json_span count, struct svc_error *error)
{
	const char *cursor = count.data;
	struct json_member member;
	bool right[COLUMNS_MAX];
	size_t n = 0, at = 0, i;

	while (
	    n < COLUMNS_MAX && json_next_member(count, &cursor, &member) == 1) {
		right[n++] = member.value.type == JSON_NUMBER;
		for (i = 0; i < member.name.length; i++)
			buffer_append_char(&format->headings,
			    (char)toupper((unsigned char)member.name.data[i]));
		buffer_append_char(&format->headings, '\0');
	}
	if (buffer_failed(&format->headings) || n == 0)
		return no_memory(error);
	for (i = 0; i < n; i++) {
		format->heading[i] = format->headings.data + at;
		at += strlen(format->heading[i]) + 1;
	}
	format->columns = columns_new(format->heading, right, n);
	return format->columns == NULL ? no_memory(error) : 0;
}

/* Its values, into the table or (columns NULL) between tabs. */
static void
append_values(struct task_format *format, struct columns *columns,
    struct json_span count, struct buffer *out)
{
	struct buffer *cell = &format->cell;
	const char *cursor = count.data, *separator = "";
	struct json_member member;

	while (json_next_member(count, &cursor, &member) == 1) {
		buffer_clear(cell);
		cell_value(&member.value, cell);
		if (columns != NULL) {
			columns_text(columns,
			    cell->length == 0 ? "-" : cell->data,
			    cell->length == 0 ? 1 : cell->length);
			continue;
		}
		buffer_append_string(out, separator);
		if (cell->length > 0)
			buffer_append(out, cell->data, cell->length);
		separator = "\t";
	}
	if (columns == NULL)
		buffer_append_char(out, '\n');
	if (buffer_failed(cell))
		out->failed = true;
}

int
task_format_add_count(struct task_format *format, const char *text,
    size_t length, struct buffer *out, struct svc_error *error)
{
	struct json_span count;

	if (format->kind != KIND_TABLE && format->kind != KIND_TSV)
		return task_format_add(format, text, length, 0, out, error);
	if (scan(text, length, &count, error) == -1)
		return -1;
	if (format->kind == KIND_TABLE && format->columns == NULL &&
	    begin_counts(format, count, error) == -1)
		return -1;
	append_values(format, format->columns, count, out);
	return buffer_failed(out) ? no_memory(error) : 0;
}

int
task_format_end(struct task_format *format, const struct format_screen *screen,
    struct buffer *out, struct svc_error *error)
{
	int result = 0;

	if (format->columns != NULL)
		columns_append(format->columns, out);
	if (format->grid != NULL)
		result = grid_append(format->grid, screen, out, error);
	columns_free(format->columns);
	grid_free(format->grid);
	format->columns = NULL;
	format->grid = NULL;
	if (result == 0 && buffer_failed(out))
		result = no_memory(error);
	return result;
}

static void
append_clock(struct json_span record, struct buffer *out)
{
	int64_t since;
	time_t seconds;
	struct tm local;

	if (get_since(record, &since) == 0)
		return;
	seconds = (time_t)(since / 1000);
	if (localtime_r(&seconds, &local) != NULL)
		buffer_append_format(out, "%02d:%02d:%02d  ", local.tm_hour,
		    local.tm_min, local.tm_sec);
}

/* Fills up what was appended since start to width columns, all ASCII. */
static void
pad(struct buffer *out, size_t start, size_t width)
{
	while (!buffer_failed(out) && out->length - start < width)
		buffer_append_char(out, ' ');
}

static void
append_state(struct json_span record, bool color, struct buffer *out)
{
	size_t i;

	for (i = 0; i < COLOR_COUNT; i++)
		if (state_is(record, colors[i].state))
			break;
	if (i == COLOR_COUNT)
		return;
	buffer_append_format(out, "%s%s%s%*s", color ? colors[i].sequence : "",
	    colors[i].state, color ? COLOR_END : "",
	    (int)(STATE_WIDTH - strlen(colors[i].state) + 2), "");
}

static void
append_row(struct task_format *format, struct json_span record, bool color,
    struct buffer *out)
{
	size_t start, width;

	append_clock(record, out);
	append_state(record, color, out);
	start = out->length;
	append_member(&record, "id", out);
	width = out->length - start;
	if (width > ID_WIDTH_MAX)
		width = ID_WIDTH_MAX;
	if (width > format->id_width)
		format->id_width = width;
	pad(out, start, format->id_width);
	buffer_append_string(out, "  ");
	append_detail(record, out);
	while (out->length > 0 && out->data[out->length - 1] == ' ')
		out->length--;
	buffer_append_char(out, '\n');
}

int
task_format_line(struct task_format *format, const char *text, size_t length,
    const struct format_screen *screen, struct buffer *out,
    struct svc_error *error)
{
	struct json_span record;

	if (format->kind != KIND_TABLE)
		return task_format_add(format, text, length, 0, out, error);
	if (scan(text, length, &record, error) == -1)
		return -1;
	append_row(format, record, screen->color, out);
	return buffer_failed(out) ? no_memory(error) : 0;
}
