#include "net/verdict.h"

#include <math.h>

#include "check.h"

/* Results as letters: p passing, w warning, c critical; u: none yet. */
static enum instance_status
status_of(char letter)
{
	switch (letter) {
	case 'p':
		return STATUS_PASSING;
	case 'w':
		return STATUS_WARNING;
	case 'c':
		return STATUS_CRITICAL;
	default:
		return STATUS_UNKNOWN;
	}
}

struct row {
	const char *results;
	const char *statuses; /* after each of them */
	unsigned long flaps;
};

static void
check_row(const struct row *row, int rise, int fall)
{
	struct verdict_rule rule = {rise, fall};
	struct verdict verdict;
	char got[64] = "";
	size_t i;

	verdict_init(&verdict);
	for (i = 0; row->results[i] != '\0'; i++) {
		enum instance_status result = status_of(row->results[i]);
		enum instance_status before = verdict.status;
		bool changed =
		    verdict_take(&verdict, &rule, result, (int64_t)i + 1);

		CHECK(changed == (verdict.status != before));
		CHECK(verdict.contradicted == (verdict.status != result));
		if (changed)
			CHECK(verdict.since == (int64_t)i + 1);
		got[i] = "pwuc"[verdict.status];
	}
	got[i] = '\0';
	CHECK_STRING(got, row->statuses);
	CHECK(verdict.flaps == row->flaps);
}

static void
the_first_result_decides_and_then_rise_and_fall_do(void)
{
	static const struct row rows[] = {
	    {"p", "p", 0},
	    {"w", "w", 0},
	    {"c", "c", 0},
	    {"pccpccpcc", "ppppppppp", 0},
	    {"pccc", "pppc", 1},
	    {"pcccp", "pppcc", 1},
	    {"pcccpp", "pppccp", 2},
	    {"cpcpcpp", "ccccccp", 1},
	    {"cpw", "ccw", 1},
	    {"cwp", "ccp", 1},
	    {"pw", "pw", 1},
	    {"pwp", "pww", 1},
	    {"pwpp", "pwwp", 2},
	    {"pwpwpp", "pwwwwp", 2},
	    {"pwccc", "pwwwc", 2},
	    {"pwcpccc", "pwwwwwc", 2},
	    {"pcwccc", "ppwwwc", 2},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i], 2, 3);
}

static void
rise_and_fall_of_one_follow_every_result(void)
{
	static const struct row row = {"pcpcwp", "pcpcwp", 5};

	check_row(&row, 1, 1);
}

static void
what_is_still_believed_is_gone_on_from(void)
{
	struct verdict_rule rule = {2, 3};
	struct verdict verdict;

	verdict_resume(&verdict, STATUS_CRITICAL, 50, 7, true);
	CHECK(!verdict_take(&verdict, &rule, STATUS_PASSING, 100));
	CHECK(verdict.status == STATUS_CRITICAL && verdict.since == 50);
	CHECK(verdict_take(&verdict, &rule, STATUS_PASSING, 101));
	CHECK(verdict.status == STATUS_PASSING && verdict.since == 101);
	CHECK(verdict.flaps == 8);
}

static void
what_is_stale_gives_way_to_the_first_result(void)
{
	struct verdict_rule rule = {2, 3};
	struct verdict verdict;

	verdict_resume(&verdict, STATUS_PASSING, 50, 7, false);
	CHECK(verdict_take(&verdict, &rule, STATUS_CRITICAL, 100));
	CHECK(verdict.since == 100 && verdict.flaps == 8);
	verdict_resume(&verdict, STATUS_PASSING, 50, 7, false);
	CHECK(!verdict_take(&verdict, &rule, STATUS_PASSING, 100));
	CHECK(verdict.since == 50 && verdict.flaps == 7 && verdict.settled);
}

static void
a_contradiction_is_looked_into_sooner(void)
{
	static const struct {
		double interval;
		double chance;
		double plain;
		double sooner;
	} rows[] = {
	    {5, 0.5, 5, 1},
	    {5, 0, 4.5, 0.9},
	    {5, 1, 5.5, 1.1},
	    {0.3, 0.5, 0.3, 0.1},
	    {0.05, 0.5, 0.05, 0.05},
	};
	struct verdict verdict;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		verdict_init(&verdict);
		CHECK(fabs(verdict_wait(
			       &verdict, rows[i].interval, rows[i].chance) -
			   rows[i].plain) < 1e-9);
		verdict.contradicted = true;
		CHECK(fabs(verdict_wait(
			       &verdict, rows[i].interval, rows[i].chance) -
			   rows[i].sooner) < 1e-9);
	}
}

static void
a_mean_begins_with_its_first_value(void)
{
	double mean = verdict_mean(-1, 10);

	CHECK(mean == 10);
	mean = verdict_mean(mean, 20);
	CHECK(fabs(mean - 13) < 1e-9);
	CHECK(verdict_mean(mean, -1) == mean);
	CHECK(verdict_mean(-1, -1) < 0);
}

int
main(void)
{
	RUN(the_first_result_decides_and_then_rise_and_fall_do);
	RUN(rise_and_fall_of_one_follow_every_result);
	RUN(what_is_still_believed_is_gone_on_from);
	RUN(what_is_stale_gives_way_to_the_first_result);
	RUN(a_contradiction_is_looked_into_sooner);
	RUN(a_mean_begins_with_its_first_value);
	return check_done();
}
