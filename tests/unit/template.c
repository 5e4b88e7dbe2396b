/* Text with places for members: what is copied, looked up, and refused. */
#include "ui/template.h"

#include <stdlib.h>
#include <sysexits.h>

#include "check.h"

/* The member "no" is absent; any other is its path in parentheses. */
static void
member(const void *argument, const char *path, struct buffer *out)
{
	CHECK_STRING(argument, "argument");
	if (strcmp(path, "no") != 0)
		buffer_append_format(out, "(%s)", path);
}

static void
check_filled(const char *text, const char *want)
{
	struct svc_error error = {0, ""};
	struct buffer out = BUFFER_INIT;
	struct template *template;

	if (!CHECK(template_parse(&template, text, &error) == 0)) {
		printf("# %s\n", error.message);
		return;
	}
	buffer_append_string(&out, "before\n");
	template_append(template, member, "argument", &out);
	CHECK_STRING(buffer_string(&out) + 7, want);
	buffer_release(&out);
	template_free(template);
}

static void
check_refused(const char *text, const char *want)
{
	struct svc_error error = {0, ""};
	struct template *template;

	CHECK(template_parse(&template, text, &error) == -1);
	CHECK(template == NULL);
	CHECK(error.code == EX_USAGE);
	CHECK_STRING(error.message, want);
}

static void
members_stand_where_they_are_named(void)
{
	check_filled("%{a}", "(a)\n");
	check_filled("<%{a}%{b.c.d}>%{a}", "<(a)(b.c.d)>(a)\n");
	check_filled("%{a-b c}{}", "(a-b c){}\n");
}

static void
escapes_are_those_of_C(void)
{
	check_filled("a\\tb\\nc\\\\%%{x}", "a\tb\nc\\%{x}\n");
}

static void
a_line_ends_once(void)
{
	check_filled("%{a}\\n", "(a)\n");
	check_filled("%{a}\n", "(a)\n");
	check_filled("%{a}\\n\\n", "(a)\n\n");
}

static void
what_is_absent_leaves_a_line(void)
{
	check_filled("%{no}", "\n");
	check_filled("", "\n");
}

static void
what_is_wrong_is_named(void)
{
	check_refused("%{a", "FORMAT: no '}' after '%{a'");
	check_refused("%{}", "FORMAT: '%{}' names no member: write %{address}");
	check_refused("%{a} %d",
	    "FORMAT: '%d': only %{member}, %%, \\t, \\n and \\\\ are known");
	check_refused("\\",
	    "FORMAT: '\\': only %{member}, %%, \\t, \\n and \\\\ are known");
}

static void
a_word_is_not_taken_for_one(void)
{
	CHECK(template_wanted("x%{a}"));
	CHECK(!template_wanted("table"));
	CHECK(!template_wanted("100%%"));
	template_free(NULL);
}

int
main(void)
{
	RUN(members_stand_where_they_are_named);
	RUN(escapes_are_those_of_C);
	RUN(a_line_ends_once);
	RUN(what_is_absent_leaves_a_line);
	RUN(what_is_wrong_is_named);
	RUN(a_word_is_not_taken_for_one);
	return check_done();
}
