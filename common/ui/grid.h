/*
 * A table on a terminal: columns as wide as their cells, cut where the screen
 * is narrower, one of the cells in a colour.  Made by libsmartcols, which only
 * what shows tables links.
 *
 *	grid = grid_new(columns, count);
 *	for each row, for each column
 *		grid_cell(grid, text, length, color);
 *	grid_append(grid, &screen, out, &error);
 *	grid_free(grid);
 */
#ifndef SVCKIT_UI_GRID_H
#define SVCKIT_UI_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "ui/format.h"

#define GRID_COLUMNS_MAX 12

struct grid_column {
	const char *name; /* the heading */
	bool right; /* numbers */
	/*
	 * Where the screen is narrow columns give way in this order, 1 to
	 * GRID_COLUMNS_MAX, down to so many characters; 0: never.
	 */
	int yields;
	size_t least;
};

struct grid;

/* columns, count of them, are borrowed.  NULL: no memory. */
struct grid *grid_new(const struct grid_column *columns, size_t count);
void grid_free(struct grid *grid);

/*
 * Adds the next cell of a row.  text is harmless already (ui/escape.h); color
 * is a name of libsmartcols's, or NULL, and lives as long as the grid.
 */
void grid_cell(
    struct grid *grid, const char *text, size_t length, const char *color);

/*
 * Appends a heading and the rows, cut to the screen's width.  Text that is none
 * in the encoding of LC_CTYPE's locale is escaped.
 */
int grid_append(struct grid *grid, const struct format_screen *screen,
    struct buffer *out, struct svc_error *error);

#endif
