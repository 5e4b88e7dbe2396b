/* The table of instances: see table.h. */
#include "ui/table.h"

#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "ui/cell.h"
#include "ui/escape.h"
#include "ui/grid.h"

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

enum { COLUMN_STATUS = 3, COLUMN_WHY = 7, COLUMN_COUNT };

/*
 * An address that was cut is of no use: it gives way last.  Below some 60
 * columns lines are longer than the screen.
 */
static const struct grid_column columns[COLUMN_COUNT] = {
    {"SERVICE", false, 4, 7},
    {"ID", false, 3, 4},
    {"ADDRESS", false, 5, 16},
    {"STATUS", false, 0, 0},
    {"LOAD", true, 0, 0},
    {"AGE", true, 0, 0},
    {"LABELS", false, 1, 6},
    {"WHY", false, 2, 4},
};

static void (*const cells[COLUMN_COUNT])(const struct instance *instance,
    struct buffer *out) = {cell_service, cell_id, cell_address, cell_status,
    cell_load, cell_age, cell_labels, cell_why};

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

static void
add_row(struct grid *grid, const struct instance *instance, size_t count,
    struct buffer *text)
{
	size_t i;

	for (i = 0; i < count && !buffer_failed(text); i++) {
		buffer_clear(text);
		cells[i](instance, text);
		grid_cell(grid, text->data, text->length,
		    i == COLUMN_STATUS ? status_colors[instance->status]
				       : NULL);
	}
}

int
table_append(const struct instance *instances, size_t count,
    const struct format_screen *screen, struct buffer *out,
    struct svc_error *error)
{
	size_t column_count = count_columns(instances, count), i;
	struct grid *grid = grid_new(columns, column_count);
	struct buffer text = BUFFER_INIT;
	int result = -1;

	for (i = 0; i < count && grid != NULL; i++)
		add_row(grid, &instances[i], column_count, &text);
	if (grid == NULL || buffer_failed(&text))
		svc_error_set(error, EX_OSERR, "cannot make the table");
	else
		result = grid_append(grid, screen, out, error);
	buffer_release(&text);
	grid_free(grid);
	return result;
}
