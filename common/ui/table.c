/* The table of instances: see table.h. */
#include "ui/table.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <wchar.h>

#include "line/units.h"
#include "ui/cell.h"
#include "ui/escape.h"

static void
cell_service(const struct instance *instance, struct buffer *out)
{
	buffer_append_string(out, instance->service);
}

static void
cell_id(const struct instance *instance, struct buffer *out)
{
	buffer_append_string(out, instance->id);
}

static void
cell_address(const struct instance *instance, struct buffer *out)
{
	escape_append(out, instance->address, strlen(instance->address));
}

static void
cell_status(const struct instance *instance, struct buffer *out)
{
	buffer_append_string(out, status_name(instance->status));
	if (instance->panic)
		buffer_append_string(out, " (panic)");
}

static void
cell_load(const struct instance *instance, struct buffer *out)
{
	buffer_append_format(out, "%.2f", instance->utilization);
}

/* Whole seconds are enough for people. */
static void
cell_age(const struct instance *instance, struct buffer *out)
{
	if (instance->age < 0)
		buffer_append_char(out, '-');
	else
		duration_append(out, (double)(long long)instance->age);
}

static void
cell_why(const struct instance *instance, struct buffer *out)
{
	if (instance->reason != NULL)
		escape_append(out, instance->reason, strlen(instance->reason));
}

enum {
	COLUMN_SERVICE,
	COLUMN_ID,
	COLUMN_ADDRESS,
	COLUMN_STATUS,
	COLUMN_LOAD,
	COLUMN_AGE,
	COLUMN_LABELS,
	COLUMN_WHY,
	COLUMN_COUNT
};

static const struct {
	const char *name;
	int flags;
	void (*append)(const struct instance *instance, struct buffer *out);
} columns[COLUMN_COUNT] = {
    {"SERVICE", 0, cell_service},
    {"ID", 0, cell_id},
    {"ADDRESS", 0, cell_address},
    {"STATUS", 0, cell_status},
    {"LOAD", SCOLS_FL_RIGHT, cell_load},
    {"AGE", SCOLS_FL_RIGHT, cell_age},
    {"LABELS", 0, cell_labels},
    {"WHY", 0, cell_why},
};

/*
 * What gives way on a narrow screen, in this order, and the columns that it
 * keeps.  An address that was cut is of no use: it is the last.  Below some 60
 * columns lines are longer than the screen.
 */
static const struct {
	int column;
	size_t least;
} yielding[] = {
    {COLUMN_LABELS, 6},
    {COLUMN_WHY, 4},
    {COLUMN_ID, 4},
    {COLUMN_SERVICE, 7},
    {COLUMN_ADDRESS, 16},
};

/* How the table is laid out. */
struct layout {
	size_t count; /* of columns */
	size_t widths[COLUMN_COUNT]; /* of their cells, at most */
	const char *mark; /* at the end of what was cut */
};

static const char *const status_colors[STATUS_COUNT] = {
    [STATUS_PASSING] = "green",
    [STATUS_WARNING] = "yellow",
    [STATUS_UNKNOWN] = "cyan",
    [STATUS_CRITICAL] = "red",
    [STATUS_DRAINING] = "blue",
    [STATUS_EXPIRED] = "darkgray",
};

static size_t
count_columns(const struct instance *instances, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (instances[i].reason != NULL)
			return COLUMN_COUNT;
	return COLUMN_WHY;
}

/*
 * Text that is none in the locale's encoding has no width: there everything
 * beyond ASCII is escaped.
 */
static const char *
text_of_locale(struct buffer *text)
{
	struct buffer escaped = BUFFER_INIT;
	const char *string = buffer_string(text);
	size_t i;

	if (string == NULL || mbstowcs(NULL, string, 0) != (size_t)-1)
		return string;
	for (i = 0; i < text->length; i++) {
		if ((unsigned char)text->data[i] < 0x80)
			buffer_append_char(&escaped, text->data[i]);
		else
			buffer_append_format(
			    &escaped, "\\x%02x", (unsigned char)text->data[i]);
	}
	buffer_release(text);
	*text = escaped;
	return buffer_string(text);
}

/* The bytes of text's first characters that fit into limit columns. */
static size_t
bytes_within(const char *text, size_t limit, size_t *width)
{
	mbstate_t state = {0};
	size_t length, done = 0;
	wchar_t c;
	int columns_of;

	*width = 0;
	for (; (length = mbrtowc(&c, text + done, MB_CUR_MAX, &state)) > 0 &&
	       length < (size_t)-2;
	     done += length) {
		columns_of = wcwidth(c);
		if (columns_of < 0)
			columns_of = 0;
		if (*width + (size_t)columns_of > limit)
			break;
		*width += (size_t)columns_of;
	}
	return done;
}

/* The cell's text in the locale's encoding; NULL without memory. */
static const char *
cell_text(const struct instance *instance, size_t column, struct buffer *text)
{
	buffer_clear(text);
	columns[column].append(instance, text);
	return text_of_locale(text);
}

static const char *
cut(struct buffer *text, size_t limit, const char *mark)
{
	size_t width, mark_width, length;

	length = bytes_within(text->data, limit, &width);
	if (text->data[length] == '\0')
		return text->data;
	bytes_within(mark, limit, &mark_width);
	length = bytes_within(text->data, limit - mark_width, &width);
	text->length = length;
	buffer_append_string(text, mark);
	return buffer_string(text);
}

/* The widths that all cells have room in. */
static int
measure(struct layout *layout, const struct instance *instances, size_t count,
    struct buffer *text)
{
	const char *string;
	size_t i, column, width;

	for (column = 0; column < layout->count; column++) {
		layout->widths[column] = strlen(columns[column].name);
		for (i = 0; i < count; i++) {
			string = cell_text(&instances[i], column, text);
			if (string == NULL)
				return -1;
			bytes_within(string, SIZE_MAX, &width);
			if (width > layout->widths[column])
				layout->widths[column] = width;
		}
	}
	return 0;
}

static void
fit(struct layout *layout, size_t screen)
{
	size_t total = layout->count - 1, i, *width, room;

	for (i = 0; i < layout->count; i++)
		total += layout->widths[i];
	for (i = 0; i < sizeof(yielding) / sizeof(yielding[0]); i++) {
		width = &layout->widths[yielding[i].column];
		if (total <= screen || *width <= yielding[i].least)
			continue;
		room = *width - yielding[i].least;
		if (room > total - screen)
			room = total - screen;
		*width -= room;
		total -= room;
	}
}

static int
add_row(struct libscols_table *table, const struct instance *instance,
    const struct layout *layout, struct buffer *text)
{
	struct libscols_line *row;
	struct libscols_cell *cell;
	const char *string;
	size_t i;

	if ((row = scols_table_new_line(table, NULL)) == NULL)
		return -1;
	for (i = 0; i < layout->count; i++) {
		if (cell_text(instance, i, text) == NULL)
			return -1;
		string = cut(text, layout->widths[i], layout->mark);
		if (string == NULL || scols_line_set_data(row, i, string) != 0)
			return -1;
	}
	cell = scols_line_get_cell(row, COLUMN_STATUS);
	return scols_cell_set_color(cell, status_colors[instance->status]) == 0
		   ? 0
		   : -1;
}

static int
fill(struct libscols_table *table, const struct instance *instances,
    size_t count, const struct format_screen *screen)
{
	struct layout layout = {.count = count_columns(instances, count)};
	struct buffer text = BUFFER_INIT;
	int result;
	size_t i;

	/* One character, where the locale's encoding has it. */
	layout.mark =
	    mbstowcs(NULL, "\xe2\x80\xa6", 0) == 1 ? "\xe2\x80\xa6" : "...";
	result = measure(&layout, instances, count, &text);
	if (screen->width > 0)
		fit(&layout, screen->width);
	for (i = 0; i < layout.count && result == 0; i++)
		if (scols_table_new_column(table, columns[i].name,
			(double)layout.widths[i], columns[i].flags) == NULL)
			result = -1;
	for (i = 0; i < count && result == 0; i++)
		result = add_row(table, &instances[i], &layout, &text);
	buffer_release(&text);
	return result;
}

/*
 * The cells are harmless already (with a wider notion of harm than
 * libsmartcols has), so that its own encoding would only spoil them.
 */
static void
set_screen(struct libscols_table *table, const struct format_screen *screen)
{
	scols_table_enable_noencoding(table, 1);
	scols_table_enable_colors(table, screen->color);
	/* It cuts without a mark: the cells fit already. */
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
}

int
table_append(const struct instance *instances, size_t count,
    const struct format_screen *screen, struct buffer *out,
    struct svc_error *error)
{
	struct libscols_table *table;
	char *text = NULL;
	int result = -1;

	if ((table = scols_new_table()) == NULL)
		goto out;
	set_screen(table, screen);
	if (fill(table, instances, count, screen) == -1 ||
	    scols_print_table_to_string(table, &text) != 0)
		goto out;
	buffer_append_string(out, text);
	/* It leaves the last line open. */
	if (out->length > 0 && out->data[out->length - 1] != '\n')
		buffer_append_char(out, '\n');
	result = 0;
out:
	free(text);
	scols_unref_table(table);
	if (result == -1)
		svc_error_set(error, EX_OSERR, "cannot make the table");
	return result;
}
