#include "ui/grid.h"

#include <libsmartcols/libsmartcols.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <wchar.h>

struct cell {
	size_t start; /* in the text, which ends with a NUL */
	const char *color;
};

struct grid {
	const struct grid_column *columns;
	size_t count;
	size_t widths[GRID_COLUMNS_MAX];
	const char *mark; /* at the end of what was cut */
	struct buffer text; /* of all cells */
	struct cell *cells; /* row by row */
	size_t cell_count;
	size_t cell_capacity;
	bool failed;
};

struct grid *
grid_new(const struct grid_column *columns, size_t count)
{
	struct grid *grid = calloc(1, sizeof(*grid));

	if (grid == NULL)
		return NULL;
	grid->columns = columns;
	grid->count = count;
	/* One character, where the locale's encoding has it. */
	grid->mark =
	    mbstowcs(NULL, "\xe2\x80\xa6", 0) == 1 ? "\xe2\x80\xa6" : "...";
	return grid;
}

void
grid_free(struct grid *grid)
{
	if (grid == NULL)
		return;
	buffer_release(&grid->text);
	free(grid->cells);
	free(grid);
}

/*
 * Text that is none in the locale's encoding has no width: there everything
 * beyond ASCII is escaped.
 */
static void
append_in_locale(struct buffer *out, const char *text, size_t length)
{
	size_t start = out->length, i;

	buffer_append(out, text, length);
	buffer_append_char(out, '\0');
	if (buffer_failed(out) ||
	    mbstowcs(NULL, out->data + start, 0) != (size_t)-1)
		return;
	out->length = start;
	for (i = 0; i < length; i++) {
		if ((unsigned char)text[i] < 0x80)
			buffer_append_char(out, text[i]);
		else
			buffer_append_format(
			    out, "\\x%02x", (unsigned char)text[i]);
	}
	buffer_append_char(out, '\0');
}

void
grid_cell(struct grid *grid, const char *text, size_t length, const char *color)
{
	size_t capacity = grid->cell_capacity;
	struct cell *cells = grid->cells;

	if (grid->cell_count == capacity) {
		capacity = capacity == 0 ? 64 : 2 * capacity;
		cells = reallocarray(cells, capacity, sizeof(*cells));
		if (cells == NULL) {
			grid->failed = true;
			return;
		}
		grid->cells = cells;
		grid->cell_capacity = capacity;
	}
	cells[grid->cell_count].start = grid->text.length;
	cells[grid->cell_count++].color = color;
	append_in_locale(&grid->text, text, length);
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

/* The widths that all cells have room in. */
static void
measure(struct grid *grid)
{
	size_t i, width, *widest;

	for (i = 0; i < grid->count; i++)
		grid->widths[i] = strlen(grid->columns[i].name);
	for (i = 0; i < grid->cell_count; i++) {
		widest = &grid->widths[i % grid->count];
		bytes_within(
		    grid->text.data + grid->cells[i].start, SIZE_MAX, &width);
		if (width > *widest)
			*widest = width;
	}
}

/* The column that gives way as number turn; count: none does. */
static size_t
yielding(const struct grid *grid, int turn)
{
	size_t i;

	for (i = 0; i < grid->count; i++)
		if (grid->columns[i].yields == turn)
			break;
	return i;
}

static void
fit(struct grid *grid, size_t screen)
{
	size_t total = grid->count - 1, i, *width, room;
	int turn;

	for (i = 0; i < grid->count; i++)
		total += grid->widths[i];
	/* A turn may be that of a column that this table goes without. */
	for (turn = 1; turn <= GRID_COLUMNS_MAX && total > screen; turn++) {
		i = yielding(grid, turn);
		if (i == grid->count)
			continue;
		width = &grid->widths[i];
		if (*width <= grid->columns[i].least)
			continue;
		room = *width - grid->columns[i].least;
		if (room > total - screen)
			room = total - screen;
		*width -= room;
		total -= room;
	}
}

/* The text, or as much of it and a mark as fits. */
static const char *
cut(const struct grid *grid, const char *text, size_t limit,
    struct buffer *scratch)
{
	size_t width, mark_width, length = bytes_within(text, limit, &width);

	if (text[length] == '\0')
		return text;
	bytes_within(grid->mark, limit, &mark_width);
	length = bytes_within(text, limit - mark_width, &width);
	buffer_clear(scratch);
	buffer_append(scratch, text, length);
	buffer_append_string(scratch, grid->mark);
	return buffer_string(scratch);
}

static int
add_row(struct libscols_table *table, const struct grid *grid, size_t first,
    struct buffer *scratch)
{
	struct libscols_line *row = scols_table_new_line(table, NULL);
	const struct cell *cell;
	const char *text;
	size_t i;

	if (row == NULL)
		return -1;
	for (i = 0; i < grid->count; i++) {
		cell = &grid->cells[first + i];
		text = cut(grid, grid->text.data + cell->start, grid->widths[i],
		    scratch);
		if (text == NULL || scols_line_set_data(row, i, text) != 0)
			return -1;
		if (cell->color != NULL &&
		    scols_cell_set_color(
			scols_line_get_cell(row, i), cell->color) != 0)
			return -1;
	}
	return 0;
}

static int
fill(struct libscols_table *table, struct grid *grid,
    const struct format_screen *screen)
{
	struct buffer scratch = BUFFER_INIT;
	int result = 0;
	size_t i;

	measure(grid);
	if (screen->width > 0)
		fit(grid, screen->width);
	for (i = 0; i < grid->count && result == 0; i++)
		if (scols_table_new_column(table, grid->columns[i].name,
			(double)grid->widths[i],
			grid->columns[i].right ? SCOLS_FL_RIGHT : 0) == NULL)
			result = -1;
	for (i = 0; i < grid->cell_count && result == 0; i += grid->count)
		result = add_row(table, grid, i, &scratch);
	buffer_release(&scratch);
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
grid_append(struct grid *grid, const struct format_screen *screen,
    struct buffer *out, struct svc_error *error)
{
	struct libscols_table *table = scols_new_table();
	char *text = NULL;
	int result = -1;

	if (table == NULL || grid->failed || buffer_failed(&grid->text))
		goto out;
	set_screen(table, screen);
	if (fill(table, grid, screen) == -1 ||
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
