/* Outputs of instances: escaping, FORMATs, the table, targets, sorting. */
#include "ui/format.h"

#include <locale.h>
#include <stdlib.h>
#include <sysexits.h>

#include "check.h"
#include "line/buffer.h"
#include "line/json.h"
#include "ui/escape.h"
#include "ui/order.h"

static const char web[] =
    "{\"service\":\"render\",\"id\":\"web1\",\"address\":\"http://h:81/task\","
    "\"labels\":{\"zone\":\"eu-1\",\"g.p-u\":\"a\\u001b[2J\"},"
    "\"capacity\":{\"slots\":4,\"mem\":\"16G\"},\"none\":null,"
    "\"status\":\"passing\",\"utilization\":0.5,\"age\":75.5}";
static const char tls[] =
    "{\"service\":\"render\",\"id\":\"web2\",\"address\":\"https://[::1]/x\","
    "\"capacity\":{\"slots\":12,\"mem\":\"2G\"},\"status\":\"critical\","
    "\"reason\":\"connection refused\"}";
static const char unix_socket[] =
    "{\"service\":\"render\",\"id\":\"web3\","
    "\"address\":\"http+unix:///run/x.sock:/task\",\"status\":\"passing\"}";

struct three {
	struct instance items[3];
};

static void
three_init(struct three *three)
{
	static const char *const texts[] = {web, tls, unix_socket};
	struct svc_error error = {0, ""};
	int i;

	for (i = 0; i < 3; i++)
		if (!CHECK(instance_parse(&three->items[i], texts[i],
			       strlen(texts[i]), &error) == 0))
			printf("# %s\n", error.message);
}

static void
three_release(struct three *three)
{
	int i;

	for (i = 0; i < 3; i++)
		instance_release(&three->items[i]);
}

static int
gather(void *argument, const char *line, size_t length, struct svc_error *error)
{
	(void)error;
	buffer_append(argument, line, length);
	return 0;
}

/* count instances in the output called name; the caller frees it. */
static char *
output(const char *name, const struct instance *instances, size_t count,
    size_t width)
{
	struct format_screen screen = {width, false};
	struct buffer out = BUFFER_INIT;
	struct svc_error error = {0, ""};
	struct format *format;

	if (!CHECK(format_parse(&format, name, &error) == 0))
		return NULL;
	CHECK(format_instances(format, instances, count, &screen, gather, &out,
		  &error) == 0);
	format_free(format);
	buffer_append_char(&out, '\0');
	return buffer_detach(&out);
}

static void
check_output(const char *name, size_t count, const char *want)
{
	struct three three;
	char *text;

	three_init(&three);
	text = output(name, three.items, count, 0);
	CHECK_STRING(text, want);
	free(text);
	three_release(&three);
}

static void
check_escape(const char *text, size_t length, const char *want)
{
	struct buffer out = BUFFER_INIT;

	escape_append(&out, text, length);
	CHECK_STRING(buffer_string(&out), want);
	buffer_release(&out);
}

#define ESCAPE(text, want) check_escape((text), sizeof(text) - 1, (want))

static void
controls_are_escaped(void)
{
	ESCAPE("plain", "plain");
	ESCAPE("", "");
	ESCAPE("a\tb\nc\rd", "a\\tb\\nc\\rd");
	ESCAPE("\033[2J\007\0x\177", "\\x1b[2J\\x07\\x00x\\x7f");
	ESCAPE("\302\205\302\233", "\\u{0085}\\u{009b}");
}

static void
bidirectional_marks_are_escaped(void)
{
	ESCAPE("\342\200\256x\342\200\252", "\\u{202e}x\\u{202a}");
	ESCAPE("\342\201\246\342\201\251", "\\u{2066}\\u{2069}");
	ESCAPE(
	    "\342\200\216\342\200\217\330\234", "\\u{200e}\\u{200f}\\u{061c}");
	ESCAPE("\342\200\250\342\200\251", "\\u{2028}\\u{2029}");
}

static void
other_letters_stay(void)
{
	ESCAPE("gr\303\274n \342\202\254 \360\237\230\200",
	    "gr\303\274n \342\202\254 \360\237\230\200");
	ESCAPE("\302\240\342\200\220\342\200\257",
	    "\302\240\342\200\220\342\200\257");
}

static void
bytes_that_are_not_utf8_are_escaped(void)
{
	ESCAPE("a\377b", "a\\xffb");
	ESCAPE("\300\257", "\\xc0\\xaf");
	ESCAPE("\355\240\200", "\\xed\\xa0\\x80");
	ESCAPE("\360\237\230", "\\xf0\\x9f\\x98");
	ESCAPE("\302", "\\xc2");
}

static void
a_format_takes_members_and_escapes(void)
{
	check_output("%{id}\\t%{labels.zone}\\n", 1, "web1\teu-1\n");
	check_output("%{capacity.mem} 100%% \\\\ %{status}\\n", 1,
	    "16G 100% \\ passing\n");
	check_output("%{labels}\\n", 1,
	    "{\"zone\":\"eu-1\",\"g.p-u\":\"a\\u001b[2J\"}\n");
}

static void
an_absent_member_is_empty(void)
{
	check_output("<%{nothing}%{none}>\\n", 1, "<>\n");
}

static void
a_format_without_a_newline_gets_one(void)
{
	check_output("%{id}", 2, "web1\nweb2\n");
	check_output("%{id}\\n", 2, "web1\nweb2\n");
}

static void
a_format_escapes_what_records_say(void)
{
	check_output("%{labels.g.p-u}\\n", 1, "a\\x1b[2J\n");
}

static void
tsv_has_eight_columns_and_no_heading(void)
{
	check_output("tsv", 1,
	    "render\tweb1\thttp://h:81/task\tpassing\t0.5\t75.5\t\t"
	    "zone=eu-1,g.p-u=a\\x1b[2J\n");
}

static void
address_is_one_url_a_line(void)
{
	check_output("address", 3,
	    "http://h:81/task\nhttps://[::1]/x\n"
	    "http+unix:///run/x.sock:/task\n");
}

static void
prometheus_is_one_array_of_targets(void)
{
	struct json_document document = {0};
	struct three three;
	char *text;

	three_init(&three);
	text = output("prometheus", three.items, 3, 0);
	CHECK(json_scan(&document, text, strlen(text), NULL) == 0);
	CHECK(strncmp(text, "[{\"targets\":[\"h:81\"],\"labels\":{", 31) == 0);
	CHECK(strstr(text, "\"service\":\"render\",\"id\":\"web1\"") != NULL);
	CHECK(strstr(text, "\"__meta_svckit_label_g_p_u\":\"a\\u001b[2J\"") !=
	      NULL);
	CHECK(strstr(text, "[\"[::1]:443\"]") != NULL);
	CHECK(strstr(text, "\"__scheme__\":\"https\"") != NULL);
	CHECK(strstr(text, "web3") == NULL);
	free(text);
	json_document_release(&document);
	three_release(&three);
	check_output("prometheus", 0, "[]\n");
}

static void
the_table_shows_a_reason_where_there_is_one(void)
{
	struct three three;
	char *text;

	three_init(&three);
	text = output("table", three.items, 1, 0);
	CHECK(strstr(text, "SERVICE ID   ADDRESS ") == text);
	CHECK(strstr(text, "a\\x1b[2J") != NULL);
	CHECK(strstr(text, "WHY") == NULL);
	free(text);
	text = output("table", three.items, 3, 0);
	CHECK(strstr(text, "WHY") != NULL);
	CHECK(strstr(text, "connection refused\n") != NULL);
	free(text);
	three_release(&three);
}

static void
the_table_fits_the_screen(void)
{
	struct three three;
	const char *line, *end;
	char *text;
	int columns;

	three_init(&three);
	text = output("table", three.items, 3, 60);
	for (line = text; *line != '\0'; line = end + 1) {
		for (end = line, columns = 0; *end != '\n'; end++)
			columns += (*end & 0xc0) != 0x80;
		CHECK(columns <= 60);
	}
	free(text);
	three_release(&three);
}

static void
check_refused(const char *name)
{
	struct format *format;
	struct svc_error error = {0, ""};

	CHECK(format_parse(&format, name, &error) == -1);
	CHECK(error.code == EX_USAGE);
	CHECK(error.message[0] != '\0');
}

static void
wrong_outputs_are_refused(void)
{
	check_refused("yaml");
	check_refused("");
	check_refused("%%");
	check_refused("%{id");
	check_refused("%{}");
	check_refused("%{id} %d");
	check_refused("%{id}\\x");
	check_refused("%{id}\\");
	check_refused("%{id}%");
}

static void
check_order(const char *field, long having, const char *want)
{
	struct three three;
	char *text;

	three_init(&three);
	CHECK(order_instances(three.items, 3, field, NULL) == having);
	text = output("%{id}", three.items, 3, 0);
	CHECK_STRING(text, want);
	free(text);
	three_release(&three);
}

static void
numbers_sort_as_numbers_and_what_lacks_them_last(void)
{
	check_order("capacity.slots", 2, "web1\nweb2\nweb3\n");
	check_order("-capacity.slots", 2, "web2\nweb1\nweb3\n");
	check_order("capacity.mem", 2, "web2\nweb1\nweb3\n");
}

static void
text_sorts_as_text_and_equal_ones_keep_their_order(void)
{
	check_order("status", 3, "web2\nweb1\nweb3\n");
	check_order("-status", 3, "web1\nweb3\nweb2\n");
	check_order("nothing", 0, "web1\nweb2\nweb3\n");
}

int
main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	RUN(controls_are_escaped);
	RUN(bidirectional_marks_are_escaped);
	RUN(other_letters_stay);
	RUN(bytes_that_are_not_utf8_are_escaped);
	RUN(a_format_takes_members_and_escapes);
	RUN(an_absent_member_is_empty);
	RUN(a_format_without_a_newline_gets_one);
	RUN(a_format_escapes_what_records_say);
	RUN(tsv_has_eight_columns_and_no_heading);
	RUN(address_is_one_url_a_line);
	RUN(prometheus_is_one_array_of_targets);
	RUN(the_table_shows_a_reason_where_there_is_one);
	RUN(the_table_fits_the_screen);
	RUN(wrong_outputs_are_refused);
	RUN(numbers_sort_as_numbers_and_what_lacks_them_last);
	RUN(text_sorts_as_text_and_equal_ones_keep_their_order);
	return check_done();
}
