/* Option tables: the parser and --help come from the same rows. */
#include "ui/options.h"

#include <sysexits.h>

#include "check.h"

static const struct option_row rows[] = {
    {'j', "jobs", "N", "at most N at once"},
    {'k', "keep-order", NULL, "answers in the order of the questions"},
    {OPTION_LONG, "weighted", "[=FIELD]", "a chance in proportion to FIELD"},
    {OPTION_LONG + 1, "work", "A-RATHER-LONG-ARGUMENT",
	"a clause that is so long that it cannot stand in one line of eighty"},
    OPTION_ROWS_COMMON,
    {0, NULL, NULL, NULL},
};

/* What getopt_long(3) makes of words, "j=3 k ..."; restarts it. */
static void
parse(char *words[], int count, char *out, size_t size)
{
	struct option_parser parser;
	size_t length = 0;
	int value;

	CHECK(option_parser_init(&parser, rows, NULL) == 0);
	optind = 0;
	opterr = 0;
	out[0] = '\0';
	while ((value = getopt_long(
		    count, words, parser.letters, parser.longs, NULL)) != -1)
		length += (size_t)snprintf(out + length, size - length,
		    value < OPTION_LONG ? "%c=%s " : "%d=%s ", value,
		    optarg == NULL ? "" : optarg);
	snprintf(out + length, size - length, "rest=%d", count - optind);
	option_parser_release(&parser);
}

#define PARSE(out, ...)                                                     \
	do {                                                                \
		static char words_[][32] = {"test", __VA_ARGS__};           \
		char *argv_[sizeof(words_) / sizeof(words_[0]) + 1];        \
		size_t i_;                                                  \
		for (i_ = 0; i_ < sizeof(words_) / sizeof(words_[0]); i_++) \
			argv_[i_] = words_[i_];                             \
		argv_[i_] = NULL;                                           \
		parse(argv_, (int)i_, (out), sizeof(out));                  \
	} while (0)

static void
letters_and_long_names_are_the_same_option(void)
{
	char out[256];

	PARSE(out, "-j", "3", "-k");
	CHECK_STRING(out, "j=3 k= rest=0");
	PARSE(out, "--jobs=3", "--keep-order");
	CHECK_STRING(out, "j=3 k= rest=0");
	PARSE(out, "--jobs", "3");
	CHECK_STRING(out, "j=3 rest=0");
}

static void
an_operand_ends_the_options(void)
{
	char out[256];

	PARSE(out, "-k", "render", "-j", "3");
	CHECK_STRING(out, "k= rest=3");
	PARSE(out, "-k", "--", "-j");
	CHECK_STRING(out, "k= rest=1");
}

static void
an_optional_argument_stands_behind_an_equals_sign(void)
{
	char out[256];

	PARSE(out, "--weighted", "x");
	CHECK_STRING(out, "256= rest=1");
	PARSE(out, "--weighted=headroom");
	CHECK_STRING(out, "256=headroom rest=0");
}

static void
a_missing_argument_is_told_from_an_unknown_option(void)
{
	char out[256];

	PARSE(out, "-j");
	CHECK_STRING(out, ":= rest=0");
	PARSE(out, "-x");
	CHECK_STRING(out, "?= rest=0");
}

static void
names_that_begin_alike_are_counted(void)
{
	CHECK(option_row_matches(rows, "wo", 2) == 1);
	CHECK(option_row_matches(rows, "w", 1) == 2);
	CHECK(option_row_matches(rows, "none", 4) == 0);
}

static void
a_letter_with_an_optional_argument_is_refused(void)
{
	static const struct option_row bad[] = {
	    {'w', "wait", "[=N]", "wait"},
	    {0, NULL, NULL, NULL},
	};
	struct option_parser parser;
	struct svc_error error;

	CHECK(option_parser_init(&parser, bad, &error) == -1);
	CHECK(error.code == EX_SOFTWARE);
}

static void
help_names_every_option_in_lines_of_eighty(void)
{
	struct buffer out = BUFFER_INIT;
	const char *text, *line, *end;
	size_t i;

	option_help(rows,
	    "test [-kqv] [-j N] [-R PLACE] [--weighted[=FIELD]] "
	    "[--work A-RATHER-LONG-ARGUMENT] NAME...\n"
	    "test --work X",
	    "Tests.", &out);
	text = buffer_string(&out);
	CHECK(strncmp(text, "usage: test [-kqv]", 18) == 0);
	CHECK(strstr(text, "\n       test --work X\n\nTests.\n\n") != NULL);
	CHECK(strstr(text, "  -j, --jobs N                at most") != NULL);
	CHECK(strstr(text, "      --weighted[=FIELD]      a chance") != NULL);
	CHECK(strstr(text, "ARGUMENT\n                              a cl") !=
	      NULL);
	for (i = 0; rows[i].value != 0; i++)
		CHECK(strstr(text, rows[i].name) != NULL);
	for (line = text; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		CHECK(end - line <= 80);
		CHECK(end == line || end[-1] != ' ');
	}
	buffer_release(&out);
}

int
main(void)
{
	RUN(letters_and_long_names_are_the_same_option);
	RUN(an_operand_ends_the_options);
	RUN(an_optional_argument_stands_behind_an_equals_sign);
	RUN(a_missing_argument_is_told_from_an_unknown_option);
	RUN(names_that_begin_alike_are_counted);
	RUN(a_letter_with_an_optional_argument_is_refused);
	RUN(help_names_every_option_in_lines_of_eighty);
	return check_done();
}
