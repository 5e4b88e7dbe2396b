#include "line/instance.h"

#include <stdlib.h>
#include <sysexits.h>

#include "check.h"

/* Prints what line becomes, or its refusal. */
static const char *
printed(const char *line)
{
	static char text[4096];
	struct buffer out = BUFFER_INIT;
	struct instance instance;
	struct svc_error error;

	if (instance_parse(&instance, line, strlen(line), &error) == -1) {
		snprintf(
		    text, sizeof(text), "%d %s", error.code, error.message);
		return text;
	}
	instance_print(&instance, &out);
	snprintf(text, sizeof(text), "%s", buffer_string(&out));
	buffer_release(&out);
	instance_release(&instance);
	return text;
}

static bool
parse(struct instance *instance, const char *line)
{
	struct svc_error error;

	if (instance_parse(instance, line, strlen(line), &error) == 0)
		return true;
	printf("# %s\n", error.message);
	return CHECK(false);
}

#define A "\"service\":\"a\",\"id\":\"i\",\"address\":\"http://h:1/\""

static void
a_record_is_printed_with_its_bytes_and_what_was_observed(void)
{
	CHECK_STRING(
	    printed("{" A ",\"x\":{\"b\":1e400,\"a\": [9007199254740993]}}"),
	    "{" A ",\"x\":{\"b\":1e400,\"a\": [9007199254740993]},"
	    "\"status\":\"passing\",\"utilization\":0}");
	CHECK_STRING(
	    printed("{\"reason\":\"late\",\"draining\":true,\"age\":4.5,"
		    "\"status\":\"critical\"," A ",\"owner\":\"eve\","
		    "\"utilization\":0.42,\"latency_ms\":1.25,"
		    "\"checked\":\"2026-11-22T10:00:00Z\"}"),
	    "{" A ",\"status\":\"critical\",\"utilization\":0.42,"
	    "\"latency_ms\":1.25,\"checked\":\"2026-11-22T10:00:00.000Z\","
	    "\"age\":4.5,\"owner\":\"eve\",\"draining\":true,"
	    "\"reason\":\"late\"}");
}

static void
a_printed_line_is_printed_alike_again(void)
{
	char once[4096];

	snprintf(once, sizeof(once), "%s",
	    printed("{" A ",\"age\":0.001,\"owner\":\"a\\\"b\\u00e9\","
		    "\"utilization\":0.1}"));
	CHECK_STRING(printed(once), once);
}

static void
a_short_address_becomes_a_url_and_names_the_instance(void)
{
	CHECK_STRING(printed("{\"service\":\"a\",\"address\":\"web1:8081\"}"),
	    "{\"service\":\"a\",\"id\":\"web1-8081\","
	    "\"address\":\"http://web1:8081/task\","
	    "\"status\":\"passing\",\"utilization\":0}");
	CHECK_STRING(printed("{\"id\":null,\"address\":\"[::1]:80\","
			     "\"service\":\"a\"}"),
	    "{\"address\":\"http://[::1]:80/task\",\"service\":\"a\","
	    "\"id\":\"1-80\",\"status\":\"passing\",\"utilization\":0}");
}

static void
escaped_names_and_values_mean_the_same(void)
{
	struct instance instance;

	if (!parse(&instance,
		"{\"s\\u0065rvice\":\"\\u0061\",\"id\":\"i\","
		"\"address\":\"http:\\/\\/h\\/x\",\"boot\":\"\\u0062\"}"))
		return;
	CHECK_STRING(instance.service, "a");
	CHECK_STRING(instance.address, "http://h/x");
	CHECK_STRING(instance.boot, "b");
	instance_release(&instance);
}

static void
a_record_on_several_lines_is_printed_on_one(void)
{
	CHECK_STRING(printed("{\n" A ",\n\"meta\":{\n\"a\":1}\n}"),
	    "{" A ",\"meta\":{ \"a\":1},\"status\":\"passing\","
	    "\"utilization\":0}");
}

static void
a_utilization_without_a_status_is_pinned(void)
{
	static const char *const lines[] = {
	    "{\"utilization\":0.5," A "}",
	    "{" A ",\"utilization\":0.5}",
	    ("{\"service\":\"a\",\"utilization\":0.5,\"id\":\"i\","
	     "\"address\":\"http://h:1/\"}"),
	};
	struct instance instance;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!parse(&instance, lines[i]))
			continue;
		CHECK(instance.pinned && instance.utilization == 0.5);
		CHECK(instance.record.length == strlen(lines[i]));
		CHECK(memcmp(instance.record.data, lines[i],
			  instance.record.length) == 0);
		instance_release(&instance);
		CHECK_STRING(printed(lines[i]),
		    "{" A ",\"status\":\"passing\",\"utilization\":0.5,"
		    "\"pinned\":true}");
	}
	if (parse(&instance,
		"{\"status\":\"passing\"," A ",\"utilization\":0.5}")) {
		CHECK(!instance.pinned && instance.utilization == 0.5);
		CHECK(instance.record.length == strlen("{" A "}"));
		instance_release(&instance);
	}
}

#define REPORTED "\"reported\":\"2026-11-22T10:00:00Z\""

/* Who said the utilization: whether it stays in the record. */
static void
pinned_and_reported_tell_whose_a_utilization_is(void)
{
	static const struct {
		const char *members;
		bool pinned;
		int64_t reported;
	} rows[] = {
	    {"\"utilization\":0.5", true, 0},
	    {"\"utilization\":0.5,\"pinned\":true", true, 0},
	    {"\"utilization\":0.5,\"pinned\":false", false, 0},
	    {"\"utilization\":0.5,\"pinned\":null", true, 0},
	    {"\"utilization\":0.5,\"status\":\"passing\"", false, 0},
	    {"\"utilization\":0.5,\"status\":\"passing\",\"pinned\":true", true,
		0},
	    {"\"utilization\":0.5," REPORTED, false, 1795341600000},
	    {REPORTED ",\"status\":\"passing\",\"utilization\":0.5", false,
		1795341600000},
	    {"\"pinned\":true,\"utilization\":0.5," REPORTED, true, 0},
	    {REPORTED, false, 0},
	    {"\"pinned\":true", false, 0},
	};
	struct instance instance;
	char line[256];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "{" A ",%s}", rows[i].members);
		if (!parse(&instance, line))
			continue;
		if (!CHECK(instance.pinned == rows[i].pinned &&
			   instance.reported == rows[i].reported &&
			   instance.record.length ==
			       strlen(rows[i].pinned ? "{" A
						       ",\"utilization\":0.5}"
						     : "{" A "}")))
			printf("# %s\n", line);
		instance_release(&instance);
	}
}

static void
a_reported_utilization_is_printed_with_its_time(void)
{
	static const char line[] =
	    "{" A ",\"status\":\"passing\",\"utilization\":0.5,"
	    "\"reported\":\"2026-11-22T10:00:00.000Z\"}";

	CHECK_STRING(printed("{" REPORTED ",\"utilization\":0.5," A "}"), line);
	CHECK_STRING(printed(line), line);
}

static void
leases_follow_from_what_stands_there(void)
{
	static const struct {
		const char *members;
		enum instance_lease lease;
		double ttl;
	} rows[] = {
	    {"", LEASE_NONE, 0},
	    {",\"ttl\":30", LEASE_TTL, 30},
	    {",\"ttl\":\"2m\"", LEASE_TTL, 120},
	    {",\"lease\":\"ttl\",\"ttl\":0.5", LEASE_TTL, 0.5},
	    {",\"lease\":\"lock\",\"boot\":\"b\"", LEASE_LOCK, 0},
	    {",\"lease\":\"none\"", LEASE_NONE, 0},
	    {",\"lease\":null,\"ttl\":null", LEASE_NONE, 0},
	};
	struct instance instance;
	char line[256];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "{" A "%s}", rows[i].members);
		if (!parse(&instance, line))
			continue;
		CHECK(instance.lease == rows[i].lease);
		CHECK(instance.ttl == rows[i].ttl);
		instance_release(&instance);
	}
}

/* Each member of the wrong kind is refused, and the message names it. */
static void
what_is_of_the_wrong_kind_is_refused_by_name(void)
{
	static const struct {
		const char *member;
		const char *named;
	} rows[] = {
	    {"\"ttl\":0", "\"ttl\": not more than 0"},
	    {"\"ttl\":-3", "\"ttl\": not"},
	    {"\"ttl\":\"soon\"", "\"ttl\": not"},
	    {"\"lease\":\"forever\"", "\"lease\": not"},
	    {"\"lease\":\"ttl\"", "\"ttl\" is missing"},
	    {"\"lease\":\"none\",\"ttl\":3", "\"ttl\" stands beside"},
	    {"\"capacity\":4", "\"capacity\": not an object"},
	    {"\"capacity\":{\"cpu\":-1}", "\"capacity.cpu\": not"},
	    {"\"capacity\":{\"mem\":\"big\"}", "\"capacity.mem\": not"},
	    {"\"capacity\":{\"cpu\":1e400}", "\"capacity.cpu\": not"},
	    {"\"capacity\":{\"slots\":0}", "\"capacity.slots\": not at least"},
	    {"\"labels\":{\"n\":3}", "\"labels.n\": not a string"},
	    {"\"labels\":[]", "\"labels\": not an object"},
	    {"\"accepts\":3", "\"accepts\": not"},
	    {"\"produces\":[\"a/b\",1]", "\"produces\": not"},
	    {"\"meta\":1", "\"meta\": not an object"},
	    {"\"boot\":7", "\"boot\": not a string"},
	    {"\"status\":\"fine\"", "\"status\": not passing"},
	    {"\"utilization\":-0.5", "\"utilization\": not a number of at "
				     "least 0: -0.5"},
	    {"\"utilization\":1e999", "\"utilization\": not"},
	    {"\"checked\":\"yesterday\"", "\"checked\": not an RFC 3339"},
	    {"\"reported\":\"lately\"", "\"reported\": not an RFC 3339"},
	    {"\"pinned\":1", "\"pinned\": not true or false"},
	    {"\"age\":\"old\"", "\"age\": not a number"},
	    {"\"draining\":1", "\"draining\": not true or false"},
	    {"\"owner\":\"a\\u0000b\"", "\"owner\": not"},
	    {"\"serv\\u0069ce\":\"b\"", "\"service\" stands twice"},
	    {"\"labels\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"1\"}",
		"\"labels.a\" stands twice"},
	    {"\"labels\":{\"\\u0061b\":\"1\",\"a\\u0062\":\"2\"}",
		"\"labels.\\u0061b\" stands twice"},
	    {"\"capacity\":{\"cpu\":1,\"cp\\u0075\":2}",
		"\"capacity.cpu\" stands twice"},
	};
	char line[256];
	const char *said;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "{" A ",%s}", rows[i].member);
		said = printed(line);
		if (!CHECK(strncmp(said, "65 ", 3) == 0 &&
			   strncmp(said + 3, rows[i].named,
			       strlen(rows[i].named)) == 0))
			printf("# %s: %s\n", rows[i].member, said);
	}
}

static void
what_has_no_identity_is_refused(void)
{
	CHECK_STRING(printed("[]"),
	    "65 not an instance: it must be a JSON object with \"service\" "
	    "and \"address\"");
	CHECK_STRING(
	    printed("{\"address\":\"h:1\"}"), "65 \"service\" is missing");
	CHECK_STRING(
	    printed("{\"service\":\"a\"}"), "65 \"address\" is missing");
	CHECK(strstr(printed("{\"service\":\"../a\",\"address\":\"h:1\"}"),
		  "\"service\": not a name") != NULL);
	CHECK(strstr(printed("{\"service\":\"a\",\"id\":\"\",\"address\":"
			     "\"h:1\"}"),
		  "\"id\": not a name") != NULL);
	CHECK(strncmp(printed("{" A ",}"), "65 byte ", 8) == 0);
}

static void
a_record_over_the_limit_is_refused(void)
{
	size_t length = INSTANCE_LINE_MAX + 1;
	struct instance instance;
	struct svc_error error;
	char *line = malloc(length);

	if (!CHECK(line != NULL))
		return;
	memset(line, ' ', length);
	memcpy(line, "{" A "}", strlen("{" A "}"));
	CHECK(instance_parse(&instance, line, length, &error) == -1);
	CHECK(error.code == EX_DATAERR);
	CHECK(instance_parse(&instance, line, length - 1, &error) == 0);
	instance_release(&instance);
	free(line);
}

static void
members_are_found_by_path(void)
{
	static const struct {
		const char *path;
		int found;
		double number;
	} rows[] = {
	    {"capacity.mem", 1, 17179869184.0},
	    {"capacity.cpu", 1, 8},
	    {"capacity.gpu", 0, 0},
	    {"labels.zone", -1, 0},
	    {"labels.a.b", 1, 7},
	    {"utilization", 1, 0.25},
	    {"age", 1, 3.5},
	    {"latency_ms", 0, 0},
	    {"meta.depth.er", 1, 5},
	    {"status", -1, 0},
	    {"nothing", 0, 0},
	};
	struct instance instance;
	double number;
	size_t i;

	if (!parse(&instance,
		"{" A ",\"capacity\":{\"cpu\":8,\"mem\":\"16G\"},\"labels\":"
		"{\"zone\":\"eu\",\"a.b\":\"7\"},\"utilization\":0.25,"
		"\"age\":3.5,\"meta\":{\"depth\":{\"er\":5}}}"))
		return;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		number = 0;
		if (!CHECK(instance_number(&instance, rows[i].path, &number) ==
			   rows[i].found) ||
		    !CHECK(rows[i].found != 1 || number == rows[i].number))
			printf("# %s: %g\n", rows[i].path, number);
	}
	instance_release(&instance);
}

static void
owner_and_reason_can_be_told(void)
{
	struct buffer out = BUFFER_INIT;
	struct instance instance;

	if (!parse(&instance, "{" A "}"))
		return;
	CHECK(instance_observe(&instance, "eve", "refused") == 0);
	instance.status = STATUS_CRITICAL;
	instance.age = 12.3456;
	instance_print(&instance, &out);
	CHECK_STRING(buffer_string(&out),
	    "{" A ",\"status\":\"critical\",\"utilization\":0,\"age\":12.346,"
	    "\"owner\":\"eve\",\"reason\":\"refused\"}");
	CHECK(instance_observe(&instance, NULL, NULL) == 0);
	CHECK(instance.owner == NULL && instance.reason == NULL);
	buffer_release(&out);
	instance_release(&instance);
}

static void
a_reference_has_slots_only_where_they_are_said(void)
{
	struct buffer out = BUFFER_INIT;
	struct instance instance;

	if (parse(&instance, "{" A "}")) {
		instance_print_reference(&instance, &out);
		CHECK_STRING(buffer_string(&out), "{" A "}");
		instance_release(&instance);
	}
	buffer_clear(&out);
	if (parse(&instance, "{" A ",\"capacity\":{\"slots\":4}}")) {
		instance_print_reference(&instance, &out);
		CHECK_STRING(buffer_string(&out), "{" A ",\"slots\":4}");
		instance_release(&instance);
	}
	buffer_release(&out);
}

static void
warning_counts_only_where_nothing_passes(void)
{
	static const struct {
		const char *service;
		enum instance_status status;
		unsigned char available;
	} rows[] = {
	    {"a", STATUS_WARNING, 0},
	    {"a", STATUS_PASSING, 1},
	    {"a", STATUS_UNKNOWN, 0},
	    {"b", STATUS_WARNING, 1},
	    {"b", STATUS_EXPIRED, 0},
	    {"b", STATUS_WARNING, 1},
	    {"c", STATUS_CRITICAL, 0},
	    {"c", STATUS_DRAINING, 0},
	};
	struct instance instances[8];
	unsigned char available[8];
	size_t i;

	memset(instances, 0, sizeof(instances));
	for (i = 0; i < 8; i++) {
		instances[i].service = rows[i].service;
		instances[i].status = rows[i].status;
	}
	instances_available(instances, 8, available);
	for (i = 0; i < 8; i++)
		CHECK(available[i] == rows[i].available);
}

static void
statuses_are_named_both_ways(void)
{
	enum instance_status status, back;
	int i;

	for (i = 0; i < STATUS_COUNT; i++) {
		status = (enum instance_status)i;
		CHECK(status_parse(status_name(status),
			  strlen(status_name(status)), &back) == 1 &&
		      back == status);
		CHECK(status_works(status) == (i < 2));
	}
	CHECK(status_parse("pass", 4, &back) == 0);
	CHECK(status_parse("", 0, &back) == 0);
}

static void
addresses_are_taken_apart(void)
{
	static const struct {
		const char *url, *host, *port, *path;
		bool tls, socket;
	} rows[] = {
	    {"http://web1:8081/task", "web1", "8081", "/task", false, false},
	    {"https://web1", "web1", "443", "/", true, false},
	    {"http://10.0.0.1/", "10.0.0.1", "80", "/", false, false},
	    {"http://[::1]:80/a?b=c", "::1", "80", "/a?b=c", false, false},
	    {"http+unix:///run/x.sock:/task", "/run/x.sock", "", "/task", false,
		true},
	};
	struct address address;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!CHECK(address_parse(rows[i].url, &address, NULL) == 0))
			continue;
		CHECK_STRING(address.host, rows[i].host);
		CHECK_STRING(address.port, rows[i].port);
		CHECK_STRING(address.path, rows[i].path);
		CHECK(address.tls == rows[i].tls);
		CHECK(address.socket == rows[i].socket);
	}
}

static void
what_is_no_address_is_refused(void)
{
	static const char *const wrong[] = {"", "web1", "web1:", ":80",
	    "web1:0", "web1:65536", "web1:8081/task", "ftp://web1/", "http://",
	    "http:///x", "http://user@web1/", "http://web1:x/", "http://[::1/",
	    "http://[web1]/", "[::1]", "-x:80", "http://web1/a b",
	    "http://web1/\"", "http://web1/#a", "http://web1/\n",
	    "http://w\xc3\xa9/", "http+unix://run/x:/t", "http+unix:///run/x",
	    "web1 :80", "http://web1?x=1"};
	struct buffer url = BUFFER_INIT;
	struct svc_error error;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		error.code = 0;
		if (!CHECK(address_expand(wrong[i], &url, &error) == -1) ||
		    !CHECK(error.code == EX_USAGE) || !CHECK(url.length == 0))
			printf("# %s\n", wrong[i]);
	}
	buffer_release(&url);
}

static void
ids_made_of_addresses_are_names(void)
{
	static const char *const rows[][2] = {
	    {"http://web1:8081/task", "web1-8081"},
	    {"https://web_1.example", "web_1.example-443"},
	    {"http://[2001:db8::1]:80/", "2001-db8--1-80"},
	    {"http+unix:///run/x.sock:/task", "run-x.sock"},
	    {"http+unix:///-:/", "instance"},
	};
	struct buffer id = BUFFER_INIT;
	char url[400] = "http://";
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buffer_clear(&id);
		address_id(rows[i][0], &id);
		CHECK_STRING(buffer_string(&id), rows[i][1]);
	}
	memset(url + 7, 'h', 200);
	memcpy(url + 207, ":8081/", 7);
	buffer_clear(&id);
	address_id(url, &id);
	CHECK(id.length == 128);
	CHECK(strstr(buffer_string(&id), "h-8081") != NULL);
	buffer_release(&id);
}

static void
as_many_labels_as_are_allowed_and_one_more(void)
{
	struct instance instance;
	struct svc_error error;
	struct buffer line = BUFFER_INIT;
	int count, i;

	for (count = INSTANCE_MEMBERS_MAX; count <= INSTANCE_MEMBERS_MAX + 1;
	     count++) {
		buffer_clear(&line);
		buffer_append_string(&line, "{" A ",\"labels\":{");
		for (i = 0; i < count; i++)
			buffer_append_format(
			    &line, "%s\"l%d\":\"\"", i > 0 ? "," : "", i);
		buffer_append_string(&line, "}}");
		if (count == INSTANCE_MEMBERS_MAX) {
			CHECK(parse(&instance, buffer_string(&line)));
			instance_release(&instance);
		} else {
			CHECK(instance_parse(&instance, line.data, line.length,
				  &error) == -1);
			CHECK_STRING(error.message,
			    "\"labels\": 257 members, and at most 256 are "
			    "allowed");
		}
	}
	buffer_release(&line);
}

static void
a_copy_shares_nothing_and_says_the_same(void)
{
	static const char *const lines[] = {"{" A "}",
	    "{\"utilization\":0.5,\"pinned\":true," A
	    ",\"capacity\":{\"cpu\":4},\"labels\":{\"zone\":\"eu\"},"
	    "\"status\":\"warning\",\"reason\":\"slow\",\"owner\":\"eve\"}"};
	struct buffer before = BUFFER_INIT, after = BUFFER_INIT;
	struct instance instance, copy;
	double cpu;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!parse(&instance, lines[i]))
			continue;
		buffer_clear(&before);
		buffer_clear(&after);
		instance_print(&instance, &before);
		CHECK(instance_copy(&copy, &instance) == 0);
		instance_release(&instance);
		instance_print(&copy, &after);
		CHECK_STRING(buffer_string(&after), buffer_string(&before));
		CHECK(instance_number(&copy, "capacity.cpu", &cpu) == (i == 1));
		instance_release(&copy);
	}
	buffer_release(&after);
	buffer_release(&before);
}

int
main(void)
{
	RUN(a_record_is_printed_with_its_bytes_and_what_was_observed);
	RUN(a_printed_line_is_printed_alike_again);
	RUN(a_short_address_becomes_a_url_and_names_the_instance);
	RUN(escaped_names_and_values_mean_the_same);
	RUN(a_record_on_several_lines_is_printed_on_one);
	RUN(a_utilization_without_a_status_is_pinned);
	RUN(pinned_and_reported_tell_whose_a_utilization_is);
	RUN(a_reported_utilization_is_printed_with_its_time);
	RUN(leases_follow_from_what_stands_there);
	RUN(what_is_of_the_wrong_kind_is_refused_by_name);
	RUN(what_has_no_identity_is_refused);
	RUN(a_record_over_the_limit_is_refused);
	RUN(members_are_found_by_path);
	RUN(owner_and_reason_can_be_told);
	RUN(a_reference_has_slots_only_where_they_are_said);
	RUN(warning_counts_only_where_nothing_passes);
	RUN(statuses_are_named_both_ways);
	RUN(addresses_are_taken_apart);
	RUN(what_is_no_address_is_refused);
	RUN(ids_made_of_addresses_are_names);
	RUN(as_many_labels_as_are_allowed_and_one_more);
	RUN(a_copy_shares_nothing_and_says_the_same);
	return check_done();
}
