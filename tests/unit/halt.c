/* When a run stops before its end. */
#include "flow/halt.h"

#include <stdio.h>
#include <sysexits.h>

#include "check.h"

/* A text, how many ended how out of how many, and whether that is enough. */
static const struct {
	const char *text;
	size_t ok, failed, total;
	bool reached;
} cases[] = {
    {"never", 1000, 1000, 2000, false},
    {"soon,fail=1", 10, 0, 0, false},
    {"soon,fail=1", 0, 1, 0, true},
    {"soon,fail", 9, 0, 0, false},
    {"soon,fail", 9, 1, 0, true},
    {"now,success", 0, 9, 0, false},
    {"now,success", 1, 9, 0, true},
    {"now,fail=3", 9, 2, 100, false},
    {"now,fail=3", 9, 3, 100, true},
    {"now,fail=3", 9, 4, 100, true},
    {"soon,success=1", 0, 9, 0, false},
    {"soon,success=1", 1, 9, 0, true},
    {"soon,done=5", 2, 2, 0, false},
    {"soon,done=5", 2, 3, 0, true},
    /* a part of all that there are */
    {"soon,fail=10%", 0, 9, 100, false},
    {"soon,fail=10%", 0, 10, 100, true},
    {"soon,fail=10%", 5, 1, 15, false},
    {"soon,fail=10%", 5, 2, 15, true},
    {"soon,fail=10%", 0, 1, 1, true},
    {"soon,fail=0.1%", 500, 0, 1000, false},
    {"soon,fail=0.1%", 0, 1, 1000, true},
    {"soon,fail=100%", 0, 6, 7, false},
    {"soon,fail=100%", 0, 7, 7, true},
    {"now,success=50%", 49, 51, 100, false},
    {"now,success=50%", 50, 0, 100, true},
    {"now,done=33.3%", 200, 132, 1000, false},
    {"now,done=33.3%", 200, 133, 1000, true},
    {"now,done=7%", 3, 4, 100, true},
    /* of those that have ended: three at least */
    {"soon,fail=50%", 0, 2, 0, false},
    {"soon,fail=50%", 1, 1, 0, false},
    {"soon,fail=50%", 1, 2, 0, true},
    {"soon,fail=50%", 2, 1, 0, false},
    {"soon,fail=50%", 2, 2, 0, true},
    {"soon,success=100%", 3, 0, 0, true},
    {"soon,success=100%", 50, 1, 0, false},
    {"soon,fail=1%", 99, 0, 0, false},
    /* all of those that have ended have */
    {"soon,done=1%", 1000, 1000, 0, false},
};

static void
it_stops_when_enough_have_ended_so(void)
{
	struct svc_error error;
	struct halt halt;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!CHECK(halt_parse(&halt, cases[i].text, &error) == 0) ||
		    !CHECK(halt_reached(&halt, cases[i].ok, cases[i].failed,
			       cases[i].total) == cases[i].reached))
			printf("# %s: %zu %zu of %zu\n", cases[i].text,
			    cases[i].ok, cases[i].failed, cases[i].total);
	}
}

static void
all_zero_is_never(void)
{
	const struct halt halt = {0};

	CHECK(!halt_reached(&halt, 10, 10, 20));
	CHECK(!halt_reached(&halt, 10, 10, 0));
}

static void
soon_and_now_are_told_apart(void)
{
	struct halt halt;

	CHECK(halt_parse(&halt, "soon,fail=1", NULL) == 0);
	CHECK(halt.how == HALT_SOON && halt.on == HALT_FAIL);
	CHECK(halt_parse(&halt, "now,success=2", NULL) == 0);
	CHECK(halt.how == HALT_NOW && halt.on == HALT_SUCCESS);
	CHECK(halt_parse(&halt, "never", NULL) == 0);
	CHECK(halt.how == HALT_NEVER);
}

static const struct {
	const char *text, *message;
} wrong[] = {
    {"", "not how to stop: '' (say soon or now, as soon,fail=1; or never)"},
    {"later,fail=1",
	"not how to stop: 'later' (say soon or now, as soon,fail=1; or never)"},
    {"never,fail=1",
	"not how to stop: 'never' (say soon or now, as soon,fail=1; or never)"},
    {"soon", "'soon' does not say at what to stop (as soon,fail=1)"},
    {"now", "'now' does not say at what to stop (as now,fail=1)"},
    {"soon,", "not what to stop at: '' (say fail, success or done, as "
	      "soon,fail=1)"},
    {"soon,failed=1",
	"not what to stop at: 'failed' (say fail, success or done, as "
	"soon,fail=1)"},
    {"soon,fail=", "not a number of tasks: '' (say 1 or more, or as 10%)"},
    {"soon,fail=0", "not a number of tasks: '0' (say 1 or more, or as 10%)"},
    {"soon,fail=-1", "not a number of tasks: '-1' (say 1 or more, or as 10%)"},
    {"soon,fail=1.5",
	"not a number of tasks: '1.5' (say 1 or more, or as 10%)"},
    {"soon,fail=1,done=2",
	"not a number of tasks: '1,done=2' (say 1 or more, or as 10%)"},
    {"soon,fail=99999999999999999999",
	"not a number of tasks: '99999999999999999999' (say 1 or more, or as "
	"10%)"},
    {"soon,fail=%", "not a percentage: '%' (say more than 0%, up to 100%)"},
    {"soon,fail=0%", "not a percentage: '0%' (say more than 0%, up to 100%)"},
    {"soon,fail=100.1%",
	"not a percentage: '100.1%' (say more than 0%, up to 100%)"},
    {"soon,fail=-3%", "not a percentage: '-3%' (say more than 0%, up to 100%)"},
    {"soon,fail=nan%",
	"not a percentage: 'nan%' (say more than 0%, up to 100%)"},
    {"soon,fail=10%%",
	"not a percentage: '10%%' (say more than 0%, up to 100%)"},
    {"soon,fail=1000000000000000000000000000000000000000000000000000000000%",
	"not when to stop: 'soon,fail=1000000000000000000000...' (say as "
	"soon,fail=1)"},
};

static void
what_says_nothing_of_the_kind_is_refused_and_changes_nothing(void)
{
	struct halt halt = {HALT_NOW, HALT_DONE, 7, 0};
	struct svc_error error;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memset(&error, 0, sizeof(error));
		CHECK(halt_parse(&halt, wrong[i].text, &error) == -1);
		CHECK(error.code == EX_USAGE);
		CHECK_STRING(error.message, wrong[i].message);
	}
	CHECK(halt.how == HALT_NOW && halt.on == HALT_DONE);
	CHECK(halt.count == 7 && halt.part == 0);
}

static void
a_sentence_says_why_it_stopped(void)
{
	static const struct {
		const char *text;
		size_t ok, failed;
		const char *said;
	} sentences[] = {
	    {"soon,fail=2", 5, 2, "2 tasks have failed (--halt soon,fail=2)"},
	    {"now,fail=1", 5, 1, "1 task has failed (--halt now,fail=1)"},
	    {"now,success=1", 1, 9,
		"1 task has succeeded (--halt now,success=1)"},
	    {"soon,done=3", 1, 2, "3 tasks have ended (--halt soon,done=3)"},
	    {"soon,fail=12.5%", 1, 4,
		"4 tasks have failed (--halt soon,fail=12.5%)"},
	    {"soon,fail=33.3%", 1, 4,
		"4 tasks have failed (--halt soon,fail=33.3%)"},
	};
	struct halt halt;
	char said[160];
	size_t i;

	for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		CHECK(halt_parse(&halt, sentences[i].text, NULL) == 0);
		halt_describe(&halt, sentences[i].ok, sentences[i].failed, said,
		    sizeof(said));
		CHECK_STRING(said, sentences[i].said);
	}
}

int
main(void)
{
	RUN(it_stops_when_enough_have_ended_so);
	RUN(all_zero_is_never);
	RUN(soon_and_now_are_told_apart);
	RUN(what_says_nothing_of_the_kind_is_refused_and_changes_nothing);
	RUN(a_sentence_says_why_it_stopped);
	return check_done();
}
