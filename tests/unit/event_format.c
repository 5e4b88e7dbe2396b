/* Outputs of events: the line, the table, tsv, FORMATs. */
#include "ui/event_format.h"

#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "check.h"

#define AT "\"at\":\"2026-11-22T10:00:05.250Z\""

static const char down[] =
    "{\"event\":\"down\",\"service\":\"render\",\"id\":\"web1\","
    "\"status\":\"critical\",\"reason\":\"connection refused\"," AT "}";
static const char added[] =
    "{\"event\":\"register\",\"service\":\"render\",\"id\":\"web1\","
    "\"status\":\"passing\",\"reason\":\"registered\"," AT ","
    "\"instance\":{\"service\":\"render\",\"id\":\"web1\","
    "\"address\":\"http://h:81/task\",\"labels\":{\"zone\":\"eu-1\"}}}";
static const char change[] =
    "{\"event\":\"change\",\"service\":\"render\",\"id\":\"web1\","
    "\"status\":\"passing\",\"reason\":\"the record changed\","
    "\"members\":[\"address\",\"labels\"],\"old\":{\"address\":\"a\"},"
    "\"new\":{\"address\":\"b\"}," AT "}";
static const char panic[] =
    "{\"event\":\"panic\",\"service\":\"render\","
    "\"reason\":\"3 of 4 instances turned critical within 5s\"," AT "}";
static const char resync[] =
    "{\"event\":\"resync\",\"reason\":\"events were lost\"," AT "}";
static const char handler[] =
    "{\"event\":\"handler\",\"reason\":\"exit status 3\"," AT "}";

#define INSTANCE(service, id, status)                  \
	"{\"service\":\"" service "\",\"id\":\"" id    \
	"\",\"address\":\"http://h:81/task\",\"meta\"" \
	":{\"status\":\"x\"},\"status\":\"" status "\"}"
static const char synced[] =
    "{\"event\":\"sync\"," AT
    ",\"instances\":[" INSTANCE("a", "1", "passing") "," INSTANCE(
	"render", "web1", "critical") "," INSTANCE("render", "web2",
	"passing") "," INSTANCE("render", "long-name", "warning") "]}";

/* The lines in the output called name, one after another. */
static char *
output(const char *name, const char *const *lines, size_t count, bool color)
{
	struct format_screen screen = {0, color};
	struct svc_error error = {0, ""};
	struct buffer out = BUFFER_INIT;
	struct event_format *format;
	size_t i;

	if (!CHECK(event_format_parse(&format, name, &error) == 0))
		return NULL;
	for (i = 0; i < count; i++)
		if (!CHECK(event_format_line(format, lines[i], strlen(lines[i]),
			       &screen, &out, &error) == 0))
			printf("# %s\n", error.message);
	event_format_free(format);
	buffer_append_char(&out, '\0');
	return buffer_detach(&out);
}

static void
check_output(const char *name, const char *line, const char *want)
{
	char *text = output(name, &line, 1, false);

	CHECK_STRING(text, want);
	free(text);
}

static void
json_is_the_line_itself(void)
{
	char with_end[sizeof(down) + 1];

	(void)snprintf(with_end, sizeof(with_end), "%s\n", down);
	check_output("json", down, with_end);
	check_output(NULL, with_end, with_end);
}

static void
the_table_says_what_happened_to_whom(void)
{
	check_output("table", down,
	    "11:00:05  down     render/web1  critical: connection refused\n");
	check_output("table", added,
	    "11:00:05  register render/web1  passing: registered\n");
	check_output("table", panic,
	    "11:00:05  panic    render  "
	    "3 of 4 instances turned critical within 5s\n");
	check_output("table", resync, "11:00:05  resync   events were lost\n");
	check_output("table", handler, "11:00:05  handler  exit status 3\n");
}

static void
a_status_is_said_once_and_of_what_is_there(void)
{
	check_output("table",
	    "{\"event\":\"up\",\"service\":\"a\",\"id\":\"b\"," AT ","
	    "\"status\":\"passing\",\"reason\":\"passing\"}",
	    "11:00:05  up       a/b  passing\n");
	check_output("table",
	    "{\"event\":\"remove\",\"service\":\"a\",\"id\":\"b\"," AT ","
	    "\"status\":\"passing\",\"reason\":\"removed\"}",
	    "11:00:05  remove   a/b  removed\n");
}

static void
a_change_names_the_members_that_differ(void)
{
	check_output("table", change,
	    "11:00:05  change   render/web1  address, labels\n");
	check_output("table",
	    "{\"event\":\"change\",\"service\":\"a\",\"id\":\"b\"," AT ","
	    "\"status\":\"warning\",\"reason\":\"429\",\"members\":[]}",
	    "11:00:05  change   a/b  warning: 429\n");
	check_output("table",
	    "{\"event\":\"change\",\"service\":\"a\",\"id\":\"b\"," AT ","
	    "\"status\":\"warning\",\"reason\":\"429\","
	    "\"members\":[\"meta\",\"status\"]}",
	    "11:00:05  change   a/b  meta; warning: 429\n");
}

static void
a_sync_is_counted(void)
{
	check_output("table", synced,
	    "11:00:05  sync     4 instances of 2 services: 2 passing, "
	    "1 warning, 1 critical\n");
	check_output("table",
	    "{\"event\":\"sync\"," AT
	    ",\"more\":true,\"instances\":[" INSTANCE("a", "1", "passing") "]}",
	    "11:00:05  sync     1 instance of 1 service: 1 passing; "
	    "more follow\n");
	check_output("table", "{\"event\":\"sync\"," AT ",\"instances\":[]}",
	    "11:00:05  sync     0 instances\n");
}

static void
a_sync_makes_the_columns_fit(void)
{
	const char *const lines[] = {synced, down, panic};
	char *text = output("table", lines, 3, false);

	CHECK(strstr(text,
		  "\n11:00:05  down     render/web1       critical: ") != NULL);
	CHECK(strstr(text, "\n11:00:05  panic    render            3 of 4") !=
	      NULL);
	free(text);
}

static void
the_column_grows_with_what_comes(void)
{
	const char *const lines[] = {panic, down, panic};
	char *text = output("table", lines, 3, false);

	CHECK(strstr(text, "panic    render  3 of") != NULL);
	CHECK(strstr(text, "panic    render       3 of") != NULL);
	free(text);
}

static void
statuses_have_their_colors(void)
{
	const char *const lines[] = {synced, down};
	char *text = output("table", lines, 2, true);

	CHECK(strstr(text, "2 \033[32mpassing\033[0m, 1 \033[33mwarning") !=
	      NULL);
	CHECK(strstr(text, "  \033[31mcritical\033[0m: connection") != NULL);
	free(text);
}

static void
what_strangers_say_is_harmless(void)
{
	static const char hostile[] =
	    "{\"event\":\"down\\u001b\",\"service\":\"a\\nb\","
	    "\"id\":\"\\u202e\",\"status\":\"\\u001b[2J\","
	    "\"reason\":\"x\\ty\\u009b\"," AT "}";

	check_output("table", hostile,
	    "11:00:05  down\\x1b a\\nb/\\u{202e}  x\\ty\\u{009b}\n");
	check_output("tsv", hostile,
	    "2026-11-22T10:00:05.250Z\tdown\\x1b\ta\\nb\t\\u{202e}\t"
	    "\\x1b[2J\tx\\ty\\u{009b}\n");
	check_output("%{reason}", hostile, "x\\ty\\u{009b}\n");
}

static void
a_time_that_is_none_is_shown_as_such(void)
{
	check_output("table", "{\"event\":\"resync\",\"reason\":\"x\"}",
	    "--:--:--  resync   x\n");
	check_output("table", "{\"event\":\"resync\",\"at\":\"noon\"}",
	    "--:--:--  resync\n");
	check_output("table", "{}", "--:--:--\n");
}

static void
tsv_has_six_columns(void)
{
	check_output("tsv", down,
	    "2026-11-22T10:00:05.250Z\tdown\trender\tweb1\tcritical\t"
	    "connection refused\n");
	check_output("tsv", resync,
	    "2026-11-22T10:00:05.250Z\tresync\t\t\t\tevents were lost\n");
	check_output("tsv", synced, "2026-11-22T10:00:05.250Z\tsync\t\t\t\t\n");
}

static void
a_format_takes_dotted_paths(void)
{
	check_output("%{event} %{instance.address} %{instance.labels.zone}",
	    added, "register http://h:81/task eu-1\n");
	check_output("%{old.address}\\t%{new.address}\\t%{members}\\n", change,
	    "a\tb\t[\"address\",\"labels\"]\n");
	check_output("<%{instance.address}>", down, "<>\n");
}

static void
what_is_no_event_is_refused(void)
{
	static const char *const lines[] = {"", "{\"a\":}", "[1]", "{} {}"};
	struct format_screen screen = {0, false};
	struct event_format *format;
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	size_t i;

	CHECK(event_format_parse(&format, "tsv", &error) == 0);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		error.code = 0;
		CHECK(event_format_line(format, lines[i], strlen(lines[i]),
			  &screen, &out, &error) == -1);
		CHECK(error.code == EX_DATAERR && error.message[0] != '\0');
	}
	CHECK(out.length == 0);
	event_format_free(format);
	buffer_release(&out);
}

static void
wrong_outputs_are_refused(void)
{
	static const char *const names[] = {
	    "yaml", "", "address", "prometheus", "%{", "%{at} %d"};
	struct event_format *format;
	struct svc_error error;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		error.code = 0;
		CHECK(event_format_parse(&format, names[i], &error) == -1);
		CHECK(format == NULL && error.code == EX_USAGE);
	}
	event_format_free(NULL);
}

int
main(void)
{
	/* An hour ahead of UTC, so that local time shows. */
	(void)setenv("TZ", "EAST-1", 1);
	tzset();
	RUN(json_is_the_line_itself);
	RUN(the_table_says_what_happened_to_whom);
	RUN(a_status_is_said_once_and_of_what_is_there);
	RUN(a_change_names_the_members_that_differ);
	RUN(a_sync_is_counted);
	RUN(a_sync_makes_the_columns_fit);
	RUN(the_column_grows_with_what_comes);
	RUN(statuses_have_their_colors);
	RUN(what_strangers_say_is_harmless);
	RUN(a_time_that_is_none_is_shown_as_such);
	RUN(tsv_has_six_columns);
	RUN(a_format_takes_dotted_paths);
	RUN(what_is_no_event_is_refused);
	RUN(wrong_outputs_are_refused);
	return check_done();
}
