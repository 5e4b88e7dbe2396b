/* Option tables: see options.h. */
#include "ui/options.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define LINE_WIDTH   80
#define HELP_COLUMN  30 /* options longer than this have their help below */
#define USAGE_INDENT 7 /* strlen("usage: ") */

static bool
is_optional(const struct option_row *row)
{
	return row->argument != NULL && strncmp(row->argument, "[=", 2) == 0;
}

static void
row_to_long(const struct option_row *row, struct option *slot)
{
	slot->name = row->name;
	slot->has_arg = row->argument == NULL ? no_argument
			: is_optional(row)    ? optional_argument
					      : required_argument;
	slot->flag = NULL;
	slot->val = row->value;
}

int
option_parser_init(struct option_parser *parser, const struct option_row *rows,
    struct svc_error *error)
{
	size_t count = 0, i, n = 0;

	while (rows[count].value != 0)
		count++;
	parser->letters = malloc(2 * count + 3);
	parser->longs = calloc(count + 1, sizeof(*parser->longs));
	if (parser->letters == NULL || parser->longs == NULL) {
		option_parser_release(parser);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	parser->letters[n++] = '+';
	parser->letters[n++] = ':';
	for (i = 0; i < count; i++) {
		row_to_long(&rows[i], &parser->longs[i]);
		if (rows[i].value >= OPTION_LONG)
			continue;
		if (is_optional(&rows[i])) {
			option_parser_release(parser);
			return svc_error_set(error, EX_SOFTWARE,
			    "-%c: a letter with an optional argument",
			    rows[i].value);
		}
		parser->letters[n++] = (char)rows[i].value;
		if (rows[i].argument != NULL)
			parser->letters[n++] = ':';
	}
	parser->letters[n] = '\0';
	return 0;
}

void
option_parser_release(struct option_parser *parser)
{
	free(parser->letters);
	free(parser->longs);
	parser->letters = NULL;
	parser->longs = NULL;
}

const struct option_row *
option_row_find(const struct option_row *rows, int value)
{
	for (; rows->value != 0; rows++)
		if (rows->value == value)
			return rows;
	return NULL;
}

size_t
option_row_matches(
    const struct option_row *rows, const char *name, size_t length)
{
	size_t count = 0;

	for (; rows->value != 0; rows++)
		if (strncmp(rows->name, name, length) == 0)
			count++;
	return count;
}

/* The next word, or bracketed group, of text: its length. */
static size_t
word_length(const char *text)
{
	size_t length;
	int depth = 0;

	for (length = 0; text[length] != '\0' && text[length] != '\n';
	     length++) {
		if (text[length] == '[')
			depth++;
		else if (text[length] == ']' && depth > 0)
			depth--;
		else if (text[length] == ' ' && depth == 0)
			break;
	}
	return length;
}

/* Columns, not bytes: text is UTF-8 without wide characters. */
static size_t
text_columns(const char *text, size_t length)
{
	size_t columns = 0, i;

	for (i = 0; i < length; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			columns++;
	return columns;
}

static void
append_spaces(struct buffer *out, size_t count)
{
	while (count-- > 0)
		buffer_append_char(out, ' ');
}

/*
 * Appends text from column on, broken before LINE_WIDTH, what follows indented
 * to indent.  A LF in text begins a line at first.
 */
static void
append_wrapped(struct buffer *out, const char *text, size_t column,
    size_t first, size_t indent)
{
	bool fresh = true;
	size_t length, columns;

	for (; *text != '\0'; text += length) {
		if (*text == '\n') {
			buffer_append_char(out, '\n');
			append_spaces(out, first);
			column = first;
			fresh = true;
			length = 1;
			continue;
		}
		if (*text == ' ') {
			length = 1;
			continue;
		}
		length = word_length(text);
		columns = text_columns(text, length);
		if (!fresh && column + 1 + columns > LINE_WIDTH) {
			buffer_append_char(out, '\n');
			append_spaces(out, indent);
			column = indent;
		} else if (!fresh) {
			buffer_append_char(out, ' ');
			column++;
		}
		buffer_append(out, text, length);
		column += columns;
		fresh = false;
	}
	buffer_append_char(out, '\n');
}

/* "  -j, --jobs N", "      --smooth", "      --weighted[=FIELD]". */
static void
append_option(const struct option_row *row, struct buffer *out)
{
	if (row->value < OPTION_LONG)
		buffer_append_format(out, "  -%c, --%s", row->value, row->name);
	else
		buffer_append_format(out, "      --%s", row->name);
	if (row->argument == NULL)
		return;
	if (!is_optional(row))
		buffer_append_char(out, ' ');
	buffer_append_string(out, row->argument);
}

void
option_help(const struct option_row *rows, const char *synopsis,
    const char *summary, struct buffer *out)
{
	size_t start, column;

	buffer_append_string(out, "usage: ");
	append_wrapped(
	    out, synopsis, USAGE_INDENT, USAGE_INDENT, USAGE_INDENT + 4);
	buffer_append_char(out, '\n');
	append_wrapped(out, summary, 0, 0, 0);
	buffer_append_char(out, '\n');
	for (; rows->value != 0 && !buffer_failed(out); rows++) {
		start = out->length;
		append_option(rows, out);
		column = text_columns(out->data + start, out->length - start);
		if (column + 2 > HELP_COLUMN) {
			buffer_append_char(out, '\n');
			column = 0;
		}
		append_spaces(out, HELP_COLUMN - column);
		append_wrapped(
		    out, rows->help, HELP_COLUMN, HELP_COLUMN, HELP_COLUMN);
	}
}
