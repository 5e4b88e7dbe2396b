/*
 * Text in columns, for reports: a heading, rows, numbers to the right.
 *
 * For instances on a terminal there is table.h, which cuts to its width; this
 * needs no library, so that filters start fast.
 */
#ifndef SVCKIT_UI_COLUMNS_H
#define SVCKIT_UI_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"

#define COLUMNS_MAX 16

struct columns;

/*
 * headings: count (1 to COLUMNS_MAX) strings, borrowed; right[i]: the column is
 * of numbers.  NULL: no memory.
 */
struct columns *columns_new(
    const char *const *headings, const bool *right, size_t count);
void columns_free(struct columns *columns);

/*
 * Adds the next cell of the row.  Its text is escaped (escape.h), its width is
 * the number of its characters.
 */
void columns_cell(struct columns *columns, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with length bytes of text, any. */
void columns_text(struct columns *columns, const char *text, size_t length);

/*
 * Appends all, two spaces between columns, none at the end of a line.  Out of
 * memory, also by one of the cells: out->failed.
 */
void columns_append(const struct columns *columns, struct buffer *out);

#endif
