/* Records of the queue in each format. */
#include "ui/task_format.h"

#include <locale.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "check.h"
#include "line/json.h"

#define NOW 1795341664900 /* 2026-11-22T10:01:04.9Z */

static const char waiting[] =
    "{\"id\":\"t1\",\"service\":\"render\",\"state\":\"waiting\",\"attempt\":0,"
    "\"since\":\"2026-11-22T10:00:00.000Z\",\"reason\":\"turn\","
    "\"message\":\"3 tasks come\\tbefore it\"}";
static const char running[] =
    "{\"id\":\"t22\",\"state\":\"running\",\"attempt\":1,"
    "\"where\":\"web1-7-x\",\"since\":\"2026-11-22T10:01:04.000Z\"}";
static const char done[] =
    "{\"id\":\"t3\",\"state\":\"done\",\"attempt\":1,"
    "\"where\":\"render/i1\",\"since\":\"2026-11-22T10:01:04.000Z\","
    "\"line\":{\"task\":1,\"result\":{\"a\": 1e400}}}";
static const char failed[] =
    "{\"id\":\"t4\",\"state\":\"failed\",\"attempt\":1,"
    "\"since\":\"2026-11-22T10:01:04.000Z\",\"reason\":\"exit\","
    "\"line\":{\"task\":1,\"error\":{},\"result\":1}}";
static const struct format_screen wide;

/* The records in that format, on that screen. */
static const char *
formatted(const char *name, const struct format_screen *screen)
{
	static const char *const records[] = {waiting, running, done, failed};
	static char text[4096];
	struct buffer out = BUFFER_INIT;
	struct task_format *format;
	struct svc_error error;
	size_t i;

	text[0] = '\0';
	if (!CHECK(task_format_parse(&format, name, &error) == 0))
		return text;
	for (i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		CHECK(task_format_add(format, records[i], strlen(records[i]),
			  NOW, &out, &error) == 0);
	CHECK(task_format_end(format, screen, &out, &error) == 0);
	snprintf(text, sizeof(text), "%s", buffer_string(&out));
	buffer_release(&out);
	task_format_free(format);
	return text;
}

static void
json_is_the_record(void)
{
	const char *text = formatted("json", &wide);

	CHECK(strncmp(text, waiting, sizeof(waiting) - 1) == 0);
	CHECK(strstr(text, "{\"a\": 1e400}") != NULL);
}

static void
tsv_has_eight_columns_with_the_id_first(void)
{
	CHECK_STRING(formatted("tsv", &wide),
	    "t1\trender\twaiting\t0\t\t2026-11-22T10:00:00.000Z\tturn\t"
	    "3 tasks come\\tbefore it\n"
	    "t22\t\trunning\t1\tweb1-7-x\t2026-11-22T10:01:04.000Z\t\t\n"
	    "t3\t\tdone\t1\trender/i1\t2026-11-22T10:01:04.000Z\t\t\n"
	    "t4\t\tfailed\t1\t\t2026-11-22T10:01:04.000Z\texit\t\n");
}

static void
result_is_that_of_done_ones_alone(void)
{
	CHECK_STRING(formatted("result", &wide), "{\"a\": 1e400}\n");
}

static void
a_text_names_members_also_of_the_line(void)
{
	CHECK_STRING(formatted("%{id}=%{line.result.a}", &wide),
	    "t1=\nt22=\nt3=1e400\nt4=\n");
}

static void
the_table_tells_why_or_where(void)
{
	CHECK_STRING(formatted("table", &wide),
	    "ID  SERVICE STATE   TRY  AGE DETAIL\n"
	    "t1  render  waiting   0 1.1m 3 tasks come\\tbefore it\n"
	    "t22         running   1   0s web1-7-x\n"
	    "t3          done      1   0s render/i1\n"
	    "t4          failed    1   0s exit\n");
}

static void
on_a_narrow_screen_the_detail_gives_way_first(void)
{
	struct format_screen narrow = {.width = 48};

	CHECK_STRING(formatted("table", &narrow),
	    "ID  SERVICE STATE   TRY  AGE DETAIL\n"
	    "t1  render  waiting   0 1.1m 3 tasks come\\tbefo\xe2\x80\xa6\n"
	    "t22         running   1   0s web1-7-x\n"
	    "t3          done      1   0s render/i1\n"
	    "t4          failed    1   0s exit\n");
}

static void
the_state_is_in_colour_where_the_screen_has_some(void)
{
	struct format_screen colored = {.color = true};

	CHECK(strstr(formatted("table", &colored), "33mrunning") != NULL);
	CHECK(strstr(formatted("table", &wide), "\033") == NULL);
}

static void
a_list_without_end_has_no_heading(void)
{
	struct format_screen colored = {.color = true};
	struct buffer out = BUFFER_INIT;
	struct task_format *format;
	struct svc_error error;

	CHECK(task_format_parse(&format, "table", &error) == 0);
	CHECK(task_format_line(
		  format, running, strlen(running), &wide, &out, &error) == 0);
	CHECK(task_format_line(
		  format, done, strlen(done), &colored, &out, &error) == 0);
	CHECK_STRING(buffer_string(&out),
	    "10:01:04  running  t22  web1-7-x\n"
	    "10:01:04  \033[32mdone\033[0m     t3   render/i1\n");
	task_format_free(format);
	buffer_release(&out);
}

static const char *
counted(const char *name)
{
	static const char first[] =
	    "{\"service\":null,\"waiting\":3,\"done\":0}";
	static const char second[] =
	    "{\"service\":\"render\",\"waiting\":12,\"done\":1}";
	static char text[1024];
	struct buffer out = BUFFER_INIT;
	struct task_format *format;
	struct svc_error error;

	text[0] = '\0';
	if (!CHECK(task_format_parse(&format, name, &error) == 0))
		return text;
	CHECK(task_format_add_count(
		  format, first, strlen(first), &out, &error) == 0);
	CHECK(task_format_add_count(
		  format, second, strlen(second), &out, &error) == 0);
	CHECK(task_format_end(format, &wide, &out, &error) == 0);
	snprintf(text, sizeof(text), "%s", buffer_string(&out));
	task_format_free(format);
	buffer_release(&out);
	return text;
}

static void
counts_have_their_members_as_columns(void)
{
	CHECK_STRING(counted("tsv"), "\t3\t0\nrender\t12\t1\n");
	CHECK_STRING(counted("table"), "SERVICE  WAITING  DONE\n"
				       "-              3     0\n"
				       "render        12     1\n");
	CHECK_STRING(counted("%{service}:%{waiting}"), ":3\nrender:12\n");
}

static void
what_is_neither_a_format_nor_a_text_is_refused(void)
{
	struct task_format *format;
	struct svc_error error;

	CHECK(task_format_parse(&format, "xml", &error) == -1 &&
	      error.code == EX_USAGE);
	CHECK(strstr(error.message, "result") != NULL);
}

int
main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC0", 1);
	tzset();
	RUN(json_is_the_record);
	RUN(tsv_has_eight_columns_with_the_id_first);
	RUN(result_is_that_of_done_ones_alone);
	RUN(a_text_names_members_also_of_the_line);
	RUN(the_table_tells_why_or_where);
	RUN(on_a_narrow_screen_the_detail_gives_way_first);
	RUN(the_state_is_in_colour_where_the_screen_has_some);
	RUN(a_list_without_end_has_no_heading);
	RUN(counts_have_their_members_as_columns);
	RUN(what_is_neither_a_format_nor_a_text_is_refused);
	return check_done();
}
