/* The table of instances: see table.h. */
#include "ui/table.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

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

#define NARROW 80 /* columns */

enum { COLUMN_STATUS = 3, COLUMN_WHY = 7 };

static const struct {
	const char *name;
	double width; /* libsmartcols' hint: 0 < x < 1 is a part of the whole */
	int flags;
	void (*append)(const struct instance *instance, struct buffer *out);
} columns[] = {
    {"SERVICE", 1, 0, cell_service},
    {"ID", 1, 0, cell_id},
    {"ADDRESS", 0.3, SCOLS_FL_TRUNC, cell_address},
    {"STATUS", 1, 0, cell_status},
    {"LOAD", 1, SCOLS_FL_RIGHT, cell_load},
    {"AGE", 1, SCOLS_FL_RIGHT, cell_age},
    {"LABELS", 0.2, SCOLS_FL_TRUNC, cell_labels},
    {"WHY", 0.2, SCOLS_FL_TRUNC, cell_why},
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
			return COLUMN_WHY + 1;
	return COLUMN_WHY;
}

/*
 * libsmartcols never ends when it has to cut text that is none in the locale's
 * encoding (2.38): there everything beyond ASCII is escaped.
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

static int
add_row(struct libscols_table *table, const struct instance *instance,
    size_t width, struct buffer *text)
{
	struct libscols_line *row;
	struct libscols_cell *cell;
	const char *string;
	size_t i;

	if ((row = scols_table_new_line(table, NULL)) == NULL)
		return -1;
	for (i = 0; i < width; i++) {
		buffer_clear(text);
		columns[i].append(instance, text);
		string = text_of_locale(text);
		if (string == NULL || scols_line_set_data(row, i, string) != 0)
			return -1;
	}
	cell = scols_line_get_cell(row, COLUMN_STATUS);
	return scols_cell_set_color(cell, status_colors[instance->status]) == 0
		   ? 0
		   : -1;
}

/* Names are cut only where there is no room for them at all. */
static int
fill(struct libscols_table *table, const struct instance *instances,
    size_t count, const struct format_screen *screen)
{
	bool narrow = screen->width > 0 && screen->width < NARROW;
	struct buffer text = BUFFER_INIT;
	size_t width = count_columns(instances, count), i;
	int result = 0, flags;

	for (i = 0; i < width; i++) {
		flags = columns[i].flags | (narrow ? SCOLS_FL_TRUNC : 0);
		if (scols_table_new_column(table, columns[i].name,
			columns[i].width, flags) == NULL)
			result = -1;
	}
	for (i = 0; i < count && result == 0; i++)
		result = add_row(table, &instances[i], width, &text);
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
	if (screen->width == 0) {
		scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
		return;
	}
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table, screen->width);
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
