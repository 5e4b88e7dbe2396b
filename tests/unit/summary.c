/* One line about everything, as a monitoring plugin prints it. */
#include "check.h"
#include "line/instance.h"
#include "ui/summary.h"

#define PERF(p, w, u, c, d, e)                                         \
	" | passing=" #p " warning=" #w " unknown=" #u " critical=" #c \
	" draining=" #d " expired=" #e

static const struct {
	const char *lines[4]; /* instance lines, NULL ends them */
	const char *asked[3];
	const char *expected;
	int status;
} cases[] = {
    {{"{\"service\":\"a\",\"id\":\"1\",\"address\":\"h:1\"}",
	 "{\"service\":\"b\",\"id\":\"1\",\"address\":\"h:2\"}"},
	{NULL},
	"OK - 2 instances of 2 services: 2 passing" PERF(2, 0, 0, 0, 0, 0), 0},
    {{"{\"service\":\"a\",\"id\":\"1\",\"address\":\"h:1\"}"}, {"a"},
	"OK - 1 instance of 1 service: 1 passing" PERF(1, 0, 0, 0, 0, 0), 0},
    {{"{\"service\":\"a\",\"id\":\"1\",\"address\":\"h:1\"}",
	 "{\"service\":\"a\",\"id\":\"2\",\"address\":\"h:1\",\"status\":"
	 "\"draining\"}",
	 "{\"service\":\"a\",\"id\":\"3\",\"address\":\"h:1\",\"status\":"
	 "\"expired\"}"},
	{NULL},
	"OK - 3 instances of 1 service: 1 passing, 1 draining, 1 expired" PERF(
	    1, 0, 0, 0, 1, 1),
	0},
    {{"{\"service\":\"a\",\"id\":\"1\",\"address\":\"h:1\"}",
	 "{\"service\":\"a\",\"id\":\"2\",\"address\":\"h:1\",\"status\":"
	 "\"critical\",\"reason\":\"x\\u001b[2J\"}"},
	{NULL},
	"CRITICAL - a: 1 of 2 critical (x\\x1b[2J)" PERF(1, 0, 0, 1, 0, 0), 1},
    {{"{\"service\":\"a\",\"id\":\"1\",\"address\":\"h:1\",\"status\":"
      "\"warning\"}",
	 "{\"service\":\"b\",\"id\":\"1\",\"address\":\"h:1\",\"status\":"
	 "\"critical\"}",
	 "{\"service\":\"b\",\"id\":\"2\",\"address\":\"h:1\"}"},
	{NULL},
	"CRITICAL - b: 1 of 2 critical; a: 1 of 1 warning" PERF(
	    1, 1, 0, 1, 0, 0),
	1},
    {{"{\"service\":\"a\",\"id\":\"1\",\"address\":\"h:1\",\"status\":"
      "\"warning\",\"reason\":\"status 429\"}"},
	{NULL},
	"WARNING - a: 1 of 1 warning (status 429)" PERF(0, 1, 0, 0, 0, 0), 0},
    {{"{\"service\":\"a\",\"id\":\"1\",\"address\":\"h:1\",\"status\":"
      "\"expired\"}",
	 "{\"service\":\"a\",\"id\":\"2\",\"address\":\"h:1\",\"status\":"
	 "\"unknown\"}"},
	{NULL},
	"CRITICAL - a: none available: 1 of 2 unknown, 1 of 2 expired" PERF(
	    0, 0, 1, 0, 0, 1),
	1},
    {{"{\"service\":\"a\",\"id\":\"1\",\"address\":\"h:1\"}"}, {"a", "b"},
	"CRITICAL - b: no instances" PERF(1, 0, 0, 0, 0, 0), 1},
    {{NULL}, {NULL}, "UNKNOWN - no instances" PERF(0, 0, 0, 0, 0, 0), 1},
};

static void
the_line_says_what_is_wrong_and_what_there_is(void)
{
	struct buffer line = BUFFER_INIT;
	struct instance instances[4];
	size_t i, k, count, asked;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (count = 0; cases[i].lines[count] != NULL; count++)
			if (!CHECK(
				instance_parse(&instances[count],
				    cases[i].lines[count],
				    strlen(cases[i].lines[count]), NULL) == 0))
				return;
		for (asked = 0; cases[i].asked[asked] != NULL; asked++)
			continue;
		buffer_clear(&line);
		CHECK(summary_append(instances, count, cases[i].asked, asked,
			  &line) == cases[i].status);
		CHECK_STRING(buffer_string(&line), cases[i].expected);
		for (k = 0; k < count; k++)
			instance_release(&instances[k]);
	}
	buffer_release(&line);
}

static void
of_many_services_ten_are_named(void)
{
	static const char *const statuses[] = {
	    "critical", "warning", "passing"};
	struct instance instances[14];
	struct buffer line = BUFFER_INIT;
	char text[96];
	int i;

	for (i = 0; i < 14; i++) {
		snprintf(text, sizeof(text),
		    "{\"service\":\"s%02d\",\"id\":\"1\",\"address\":\"h:1\","
		    "\"status\":\"%s\"}",
		    i, statuses[i < 3 ? i : 0]);
		CHECK(instance_parse(&instances[i], text, strlen(text), NULL) ==
		      0);
	}
	CHECK(summary_append(instances, 14, NULL, 0, &line) == 1);
	CHECK(strstr(buffer_string(&line),
		  "; s11: none available: 1 of 1 critical; and 3 more |") !=
	      NULL);
	CHECK(strstr(buffer_string(&line), "s12") == NULL);
	for (i = 0; i < 14; i++)
		instance_release(&instances[i]);
	buffer_release(&line);
}

int
main(void)
{
	RUN(of_many_services_ten_are_named);
	RUN(the_line_says_what_is_wrong_and_what_there_is);
	return check_done();
}
