#include "ui/columns.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/escape.h"

#define GAP 2 /* spaces between columns */

struct cell {
	size_t start; /* in the text */
	size_t length; /* bytes */
	size_t width; /* characters */
};

struct columns {
	size_t count;
	const char *const *headings;
	bool right[COLUMNS_MAX];
	size_t widths[COLUMNS_MAX];
	struct buffer text; /* of all cells, escaped */
	struct cell *cells; /* owned; row by row */
	size_t cell_count;
	size_t cell_capacity;
	bool failed;
};

/* Of text that is UTF-8, as all that was escaped is. */
static size_t
width_of(const char *text, size_t length)
{
	size_t width = 0, i;

	for (i = 0; i < length; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

struct columns *
columns_new(const char *const *headings, const bool *right, size_t count)
{
	struct columns *columns = calloc(1, sizeof(*columns));
	size_t i;

	if (columns == NULL)
		return NULL;
	columns->count = count;
	columns->headings = headings;
	for (i = 0; i < count; i++) {
		columns->right[i] = right[i];
		columns->widths[i] = width_of(headings[i], strlen(headings[i]));
	}
	return columns;
}

void
columns_free(struct columns *columns)
{
	if (columns == NULL)
		return;
	buffer_release(&columns->text);
	free(columns->cells);
	free(columns);
}

static struct cell *
add_cell(struct columns *columns)
{
	struct cell *cells = columns->cells;
	size_t capacity = columns->cell_capacity;

	if (columns->cell_count == capacity) {
		capacity = capacity == 0 ? 64 : 2 * capacity;
		cells = reallocarray(cells, capacity, sizeof(*cells));
		if (cells == NULL)
			return NULL;
		columns->cells = cells;
		columns->cell_capacity = capacity;
	}
	return &cells[columns->cell_count++];
}

void
columns_text(struct columns *columns, const char *text, size_t length)
{
	size_t column = columns->cell_count % columns->count;
	struct cell *cell = add_cell(columns);

	if (cell == NULL) {
		columns->failed = true;
		return;
	}
	cell->start = columns->text.length;
	escape_append(&columns->text, text, length);
	cell->length = columns->text.length - cell->start;
	cell->width = 0;
	if (!buffer_failed(&columns->text))
		cell->width =
		    width_of(columns->text.data + cell->start, cell->length);
	if (cell->width > columns->widths[column])
		columns->widths[column] = cell->width;
}

void
columns_cell(struct columns *columns, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		columns->failed = true;
		return;
	}
	columns_text(columns, text, (size_t)length);
	free(text);
}

static void
append_spaces(struct buffer *out, size_t count)
{
	while (count-- > 0)
		buffer_append_char(out, ' ');
}

static void
append_cell(const struct columns *columns, size_t column, const char *text,
    size_t length, size_t width, struct buffer *out)
{
	size_t padding = columns->widths[column] - width;

	append_spaces(out,
	    (column > 0 ? GAP : 0) + (columns->right[column] ? padding : 0));
	buffer_append(out, text, length);
	if (!columns->right[column])
		append_spaces(out, padding);
}

static void
end_line(struct buffer *out)
{
	while (out->length > 0 && out->data[out->length - 1] == ' ')
		out->length--;
	buffer_append_char(out, '\n');
}

void
columns_append(const struct columns *columns, struct buffer *out)
{
	size_t i;

	if (columns->failed || buffer_failed(&columns->text)) {
		out->failed = true;
		return;
	}
	for (i = 0; i < columns->count; i++) {
		const char *heading = columns->headings[i];
		size_t length = strlen(heading);

		append_cell(columns, i, heading, length,
		    width_of(heading, length), out);
	}
	end_line(out);
	for (i = 0; i < columns->cell_count; i++) {
		const struct cell *cell = &columns->cells[i];

		append_cell(columns, i % columns->count,
		    columns->text.data + cell->start, cell->length, cell->width,
		    out);
		if (i % columns->count == columns->count - 1 ||
		    i == columns->cell_count - 1)
			end_line(out);
	}
}
