/* Conditions on the registry: what holds, and why something does not. */
#include <stdlib.h>
#include <sysexits.h>

#include "check.h"
#include "registry/until.h"

#define WORD_MAX 160

/* Adds one instance of "SERVICE/ID:STATUS", with "!" behind it in panic. */
static void
add_instance(struct instance_list *list, const char *word)
{
	struct instance *instance = instance_list_add(list);
	char service[WORD_MAX], id[WORD_MAX], status[WORD_MAX], line[1024];
	const char *reason = "";
	struct svc_error error;
	bool panic;

	if (!CHECK(sscanf(word, "%159[^/]/%159[^:]:%159[a-z]", service, id,
		       status) == 3))
		exit(1);
	panic = word[strlen(word) - 1] == '!';
	if (strcmp(status, "critical") == 0)
		reason = ",\"reason\":\"connection refused\"";
	if (strcmp(status, "expired") == 0)
		reason = ",\"age\":240";
	snprintf(line, sizeof(line),
	    "{\"service\":\"%s\",\"id\":\"%s\",\"address\":\"h:1\","
	    "\"status\":\"%s\"%s%s}",
	    service, id, status, reason, panic ? ",\"panic\":true" : "");
	if (!CHECK(instance_parse(instance, line, strlen(line), &error) == 0))
		exit(1);
}

/* Reads "a/1:passing a/2:critical", sorted. */
static void
make_list(struct instance_list *list, const char *state)
{
	char word[WORD_MAX];
	int length;

	*list = (struct instance_list)INSTANCE_LIST_INIT;
	while (sscanf(state, " %159s%n", word, &length) == 1) {
		add_instance(list, word);
		state += length;
	}
}

static struct until *
parse(const char *text)
{
	struct until *until = NULL;
	struct svc_error error = {0};

	if (!CHECK(until_parse(&until, text, &error) == 0)) {
		printf("# %s: %s\n", text, error.message);
		exit(1);
	}
	return until;
}

/* Whether a condition holds; out, if not NULL, gets why not. */
static bool
holds(const char *state, const char *text, struct buffer *out)
{
	struct until *until = parse(text);
	struct instance_list list;
	int held;

	make_list(&list, state);
	held = until_holds(until, &list, NULL);
	CHECK(held != -1);
	if (out != NULL)
		until_why(until, &list, out);
	instance_list_release(&list);
	until_free(until);
	return held == 1;
}

struct row {
	const char *state;
	const char *condition;
	bool holds;
};

static void
check_rows(const struct row *rows, size_t count)
{
	struct buffer why = BUFFER_INIT;
	size_t i;

	for (i = 0; i < count; i++) {
		buffer_clear(&why);
		if (!CHECK(holds(rows[i].state, rows[i].condition, &why) ==
			   rows[i].holds))
			printf("# '%s' in '%s'\n", rows[i].condition,
			    rows[i].state);
		CHECK((why.length == 0) == rows[i].holds);
	}
	buffer_release(&why);
}
#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof((rows)[0]))

static void
counts_are_of_what_may_get_work(void)
{
	static const struct row rows[] = {
	    {"", "r", false},
	    {"r/a:passing", "r", true},
	    {"r/a:critical", "r", false},
	    {"r/a:unknown r/b:draining r/c:expired", "r", false},
	    {"r/a:passing r/b:passing", "r>=2", true},
	    {"r/a:passing r/b:critical", "r>=2", false},
	    {"r/a:passing r/b:passing", "r>2", false},
	    {"r/a:passing r/b:passing", "r>1", true},
	    {"r/a:passing r/b:passing", "r=2", true},
	    {"r/a:passing r/b:passing", "r==2", true},
	    {"r/a:passing r/b:passing", "r=1", false},
	    {"r/a:passing r/b:passing", "r!=2", false},
	    {"r/a:passing r/b:passing", "r!=3", true},
	    {"r/a:passing r/b:passing", "r<=2", true},
	    {"r/a:passing r/b:passing", "r<=1", false},
	    {"r/a:passing r/b:passing", "r<2", false},
	    {"r/a:passing r/b:passing", "r<3", true},
	    {"", "r=0", true},
	    {"", "r>=0", true},
	    {"r/a:critical", "r=0", true},
	    {"r/a:passing", "r=0", false},
	};

	CHECK_ROWS(rows);
}

static void
warning_counts_where_nothing_passes(void)
{
	static const struct row rows[] = {
	    {"r/a:warning r/b:warning", "r>=2", true},
	    {"r/a:warning r/b:passing", "r>=2", false},
	    {"r/a:warning r/b:passing", "r=1", true},
	    {"q/a:passing r/a:warning", "r", true},
	};

	CHECK_ROWS(rows);
}

static void
what_a_panic_serves_is_counted(void)
{
	static const struct row rows[] = {
	    {"r/a:critical! r/b:critical! r/c:passing!", "r>=3", true},
	    {"r/a:critical r/b:critical r/c:passing", "r>=3", false},
	    {"r/a:critical! r/b:draining!", "r>=2", false},
	    {"r/a:critical! r/b:passing!", "r=passing", false},
	};

	CHECK_ROWS(rows);
}

static void
a_status_is_that_of_all_that_live(void)
{
	static const struct row rows[] = {
	    {"", "r=passing", false},
	    {"r/a:passing", "r=passing", true},
	    {"r/a:passing r/b:passing", "r=passing", true},
	    {"r/a:passing r/b:warning", "r=passing", false},
	    {"r/a:passing r/b:critical", "r=passing", false},
	    {"r/a:passing r/b:unknown", "r=passing", false},
	    {"r/a:passing r/b:expired", "r=passing", true},
	    {"r/a:passing r/b:draining", "r=passing", true},
	    {"r/a:expired r/b:draining", "r=passing", false},
	    {"r/a:warning r/b:warning", "r=warning", true},
	    {"r/a:warning r/b:passing", "r=warning", false},
	    {"r/a:unknown", "r=unknown", true},
	    {"r/a:critical r/b:expired", "r=critical", true},
	    {"r/a:critical r/b:passing", "r=critical", false},
	    {"r/a:passing", "r==passing", true},
	};

	CHECK_ROWS(rows);
}

static void
draining_expired_and_gone_look_at_the_dead_as_documented(void)
{
	static const struct row rows[] = {
	    {"", "r=draining", false},
	    {"r/a:draining", "r=draining", true},
	    {"r/a:draining r/b:expired", "r=draining", true},
	    {"r/a:draining r/b:passing", "r=draining", false},
	    {"r/a:expired", "r=draining", false},
	    {"", "r=expired", false},
	    {"r/a:expired r/b:expired", "r=expired", true},
	    {"r/a:expired r/b:passing", "r=expired", false},
	    {"r/a:expired r/b:draining", "r=expired", false},
	    {"", "r=gone", true},
	    {"q/a:passing s/a:passing", "r=gone", true},
	    {"r/a:expired", "r=gone", true},
	    {"r/a:expired r/b:draining", "r=gone", false},
	    {"r/a:critical", "r=gone", false},
	};

	CHECK_ROWS(rows);
}

static void
one_instance_can_be_asked_for(void)
{
	static const struct row rows[] = {
	    {"r/a:passing r/b:critical", "r/a=passing", true},
	    {"r/a:passing r/b:critical", "r/b=passing", false},
	    {"r/a:passing r/b:critical", "r/b=critical", true},
	    {"r/a:passing", "r/c=passing", false},
	    {"r/a:draining r/b:passing", "r/a=draining", true},
	    {"r/a:expired r/b:passing", "r/a=expired", true},
	    {"r/a:expired r/b:passing", "r/a=gone", true},
	    {"r/b:passing", "r/a=gone", true},
	    {"r/a:passing", "r/a=gone", false},
	    {"r/a:passing", "r/a", true},
	    {"r/a:warning r/b:passing", "r/a", false},
	    {"r/a:warning", "r/a", true},
	    {"q/a:passing", "r/a", false},
	};

	CHECK_ROWS(rows);
}

static void
several_must_all_hold(void)
{
	static const struct row rows[] = {
	    {"q/a:passing r/a:passing", "r>=1,q=passing", true},
	    {"q/a:critical r/a:passing", "r>=1,q=passing", false},
	    {"q/a:passing", "r,q", false},
	    {"r/a:passing r/b:passing", "r>=1,r<=2", true},
	    {"r/a:passing r/b:passing", "r>=1,r<2", false},
	};

	CHECK_ROWS(rows);
}

static void
space_may_stand_around_what_is_written(void)
{
	static const struct row rows[] = {
	    {"r/a:passing r/b:passing", " r >= 2 ", true},
	    {"r/a:passing r/b:passing", "r >=\t3", false},
	    {"q/a:passing r/a:passing", "r = passing ,\n q=passing\n", true},
	    {"r/a:critical", " r / a = critical", true},
	};

	CHECK_ROWS(rows);
}

static void
why_tells_what_is_asked_and_what_is(void)
{
	static const struct {
		const char *state, *condition, *why;
	} rows[] = {
	    {"r/a:critical r/b:critical r/c:passing", "r>=2",
		"r>=2: 1 of 3 instances may get work: 2 critical (connection "
		"refused)"},
	    {"r/a:passing", "r>=2", "r>=2: 1 of 1 instance may get work"},
	    {"", " r >= 2 ", "r >= 2: no instances"},
	    {"r/a:expired r/b:draining", "r",
		"r: 0 of 2 instances may get work: 1 expired (4m), 1 draining"},
	    {"r/a:passing r/b:critical", "r=0",
		"r=0: 1 of 2 instances may get work: 1 passing"},
	    {"r/a:passing r/b:critical", "r<1",
		"r<1: 1 of 2 instances may get work: 1 passing"},
	    {"r/a:passing r/b:critical r/c:expired", "r=passing",
		"r=passing: 1 of 2 instances is passing: 1 critical "
		"(connection refused)"},
	    {"r/a:expired", "r=passing",
		"r=passing: 0 of 1 instance is passing: 1 expired (4m)"},
	    {"r/a:expired r/b:draining r/c:passing", "r=gone",
		"r=gone: 2 of 3 instances are left: 1 draining, 1 passing"},
	    {"r/a:critical", "r/a=passing",
		"r/a=passing: critical (connection refused)"},
	    {"r/a:expired", "r/a", "r/a: expired (4m)"},
	    {"r/a:passing", "r/a=gone", "r/a=gone: passing"},
	    {"r/b:passing", "r/a=passing", "r/a=passing: no such instance"},
	    {"q/a:passing", "r,q,s=passing",
		"r: no instances; s=passing: no instances"},
	    {"q/a:passing", "q", ""},
	};
	struct buffer why = BUFFER_INIT;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buffer_clear(&why);
		holds(rows[i].state, rows[i].condition, &why);
		CHECK_STRING(buffer_string(&why), rows[i].why);
	}
	buffer_release(&why);
}

static void
what_is_no_condition_is_refused_with_a_right_one(void)
{
	static const struct {
		const char *text, *term, *example;
	} rows[] = {
	    {"", "''", "render>=2"},
	    {"a,,b", "''", "render>=2"},
	    {"a,", "''", "render>=2"},
	    {">=2", "'>=2'", "render>=2"},
	    {"../a=gone", "'../a=gone'", "render>=2"},
	    {"a b>=2", "'a b>=2'", "render>=2"},
	    {"ok,a/=gone", "'a/=gone'", "render/web1=passing"},
	    {"a/b/c=gone", "'a/b/c=gone'", "render/web1=passing"},
	    {"a>=", "'a>='", "render=passing"},
	    {"a>=two", "'a>=two'", "render=passing"},
	    {"a>=-1", "'a>=-1'", "render=passing"},
	    {"a>=1.5", "'a>=1.5'", "render=passing"},
	    {"a>=99999999999999999999", "9'", "render>=2"},
	    {"a=>2", "'a=>2'", "render=passing"},
	    {"a=!2", "'a=!2'", "render=passing"},
	    {"a!2", "'a!2'", "render!=0"},
	    {"a<0", "'a<0'", "render=0"},
	    {"a=healthy", "'a=healthy'", "render=passing"},
	    {"a=Passing", "'a=Passing'", "render=passing"},
	    {"a!=passing", "'a!=passing'", "render=passing"},
	    {"a>=gone", "'a>=gone'", "render=passing"},
	    {"a/b>=1", "'a/b>=1'", "render/web1=passing"},
	    {"a/b=1", "'a/b=1'", "render/web1=passing"},
	};
	struct svc_error error;
	struct until *until;
	char as_in[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error.message[0] = '\0';
		CHECK(until_parse(&until, rows[i].text, &error) == -1);
		CHECK(until == NULL && error.code == EX_USAGE);
		snprintf(as_in, sizeof(as_in), "(as in \"%s", rows[i].example);
		if (!CHECK(strstr(error.message, rows[i].term) != NULL) ||
		    !CHECK(strstr(error.message, as_in) != NULL))
			printf("# '%s': %s\n", rows[i].text, error.message);
	}
}

static void
a_long_wrong_condition_still_shows_a_right_one(void)
{
	struct svc_error error;
	struct until *until;
	char text[2000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	CHECK(until_parse(&until, text, &error) == -1);
	CHECK(strstr(error.message, "xxx...'") != NULL);
	CHECK(strstr(error.message, "render>=2") != NULL);
}

static void
services_are_told_sorted_and_once(void)
{
	struct until *until = parse("web/a=gone,db>=1,web,api=passing,db<9");
	const char *const *names;

	CHECK(until_services(until, &names) == 3);
	CHECK_STRING(names[0], "api");
	CHECK_STRING(names[1], "db");
	CHECK_STRING(names[2], "web");
	until_free(until);
	until_free(NULL);
}

int
main(void)
{
	RUN(counts_are_of_what_may_get_work);
	RUN(warning_counts_where_nothing_passes);
	RUN(what_a_panic_serves_is_counted);
	RUN(a_status_is_that_of_all_that_live);
	RUN(draining_expired_and_gone_look_at_the_dead_as_documented);
	RUN(one_instance_can_be_asked_for);
	RUN(several_must_all_hold);
	RUN(space_may_stand_around_what_is_written);
	RUN(why_tells_what_is_asked_and_what_is);
	RUN(what_is_no_condition_is_refused_with_a_right_one);
	RUN(a_long_wrong_condition_still_shows_a_right_one);
	RUN(services_are_told_sorted_and_once);
	return check_done();
}
