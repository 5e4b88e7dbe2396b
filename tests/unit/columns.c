/* Text in columns. */
#include "check.h"

#include "ui/columns.h"

static const char *const headings[] = {"NAME", "N", "LAST"};
static const bool right[] = {false, true, false};

static void
check_columns(const struct columns *columns, const char *expected)
{
	struct buffer out = BUFFER_INIT;

	columns_append(columns, &out);
	CHECK_STRING(buffer_string(&out), expected);
	buffer_release(&out);
}

static void
numbers_stand_to_the_right_and_nothing_behind_the_last(void)
{
	struct columns *columns = columns_new(headings, right, 3);

	columns_cell(columns, "%s", "alice");
	columns_cell(columns, "%d", 7);
	columns_cell(columns, "%s", "a long one");
	columns_cell(columns, "%s", "bo");
	columns_cell(columns, "%d", 12345);
	columns_cell(columns, "%s", "b");
	check_columns(columns, "NAME       N  LAST\n"
			       "alice      7  a long one\n"
			       "bo     12345  b\n");
	columns_free(columns);
}

static void
without_rows_there_is_the_heading(void)
{
	struct columns *columns = columns_new(headings, right, 3);

	check_columns(columns, "NAME  N  LAST\n");
	columns_free(columns);
}

static void
what_is_empty_leaves_no_space_at_the_end(void)
{
	struct columns *columns = columns_new(headings, right, 3);

	columns_cell(columns, "%s", "");
	columns_cell(columns, "%d", 1);
	columns_cell(columns, "%s", "");
	columns_cell(columns, "%s", "only");
	check_columns(columns, "NAME  N  LAST\n"
			       "      1\n"
			       "only\n");
	columns_free(columns);
}

static void
hostile_text_is_escaped_and_counted_as_it_is_shown(void)
{
	struct columns *columns = columns_new(headings, right, 3);

	columns_cell(columns, "a\x1b[2J\nb");
	columns_cell(columns, "%d", 1);
	columns_cell(columns, "%s", "\xff");
	columns_text(columns, "a\0b", 3);
	check_columns(columns, "NAME         N  LAST\n"
			       "a\\x1b[2J\\nb  1  \\xff\n"
			       "a\\x00b\n");
	columns_free(columns);
}

static void
a_character_of_several_bytes_is_one(void)
{
	struct columns *columns = columns_new(headings, right, 3);

	columns_cell(columns, "J\xc3\xbcrgen");
	columns_cell(columns, "%d", 1);
	columns_cell(columns, "%s", "x");
	check_columns(columns, "NAME    N  LAST\n"
			       "J\xc3\xbcrgen  1  x\n");
	columns_free(columns);
}

static void
ten_thousand_rows_are_as_wide_as_the_widest(void)
{
	struct columns *columns = columns_new(headings, right, 3);
	struct buffer out = BUFFER_INIT;
	size_t i;

	for (i = 0; i < 10000; i++) {
		columns_cell(columns, "i%zu", i);
		columns_cell(columns, "%zu", i);
		columns_cell(columns, "%s", "x");
	}
	columns_append(columns, &out);
	CHECK(strstr(buffer_string(&out),
		  "NAME      N  LAST\ni0        0  x\n") == out.data);
	CHECK(strstr(out.data, "\ni9999  9999  x\n") != NULL);
	CHECK(out.length == sizeof("NAME      N  LAST\n") - 1 +
				10000 * (sizeof("i9999  9999  x\n") - 1));
	buffer_release(&out);
	columns_free(columns);
}

int
main(void)
{
	RUN(numbers_stand_to_the_right_and_nothing_behind_the_last);
	RUN(without_rows_there_is_the_heading);
	RUN(what_is_empty_leaves_no_space_at_the_end);
	RUN(hostile_text_is_escaped_and_counted_as_it_is_shown);
	RUN(a_character_of_several_bytes_is_one);
	RUN(ten_thousand_rows_are_as_wide_as_the_widest);
	return check_done();
}
