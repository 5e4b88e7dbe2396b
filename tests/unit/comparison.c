/* One batch under several policies: the rows of --compare. */
#include <sysexits.h>

#include "check.h"
#include "plan_fixture.h"
#include "sched/comparison.h"

static void
fill(struct plan_fixture *fixture)
{
	size_t i;

	plan_fixture_open(fixture);
	plan_fixture_instance(fixture, "a", ",\"utilization\":0");
	plan_fixture_instance(
	    fixture, "b", ",\"utilization\":1,\"capacity\":{\"slots\":2}");
	for (i = 0; i < 60; i++)
		plan_fixture_task(fixture, "\"duration\":%zu", 1 + i % 7);
}

/* As the fixture plans, but for all of list. */
static int
compare(struct plan_fixture *fixture, const struct policy_list *list,
    struct comparison *comparison, struct svc_error *error)
{
	struct planner_options options = {.start = FIXTURE_START};

	options.policy.seed = 1;
	return comparison_run(
	    comparison, list, fixture->pool, fixture->batch, &options, error);
}

static void
each_row_is_the_plan_under_its_policy_alone(void)
{
	static const char text[] =
	    "random,weighted,weighted=headroom,p2c,least-loaded,round-robin";
	struct policy_list list = {.count = 0};
	struct comparison comparison;
	struct plan_fixture fixture;
	struct svc_error error;
	size_t i;

	fill(&fixture);
	CHECK(policy_list_parse(&list, text, &error) == 0);
	plan_fixture_run(&fixture, "random", ORDER_LPT);
	CHECK(compare(&fixture, &list, &comparison, &error) == 0);
	CHECK(comparison.count == 6);
	for (i = 0; i < comparison.count; i++) {
		const struct comparison_row *row = &comparison.rows[i];

		plan_fixture_unplan(&fixture);
		plan_fixture_run(&fixture, row->policy, ORDER_LPT);
		CHECK_STRING(row->policy, list.items[i].text);
		CHECK(row->measure.placed == 60);
		CHECK(row->measure.makespan == fixture.measure.makespan);
		CHECK(row->measure.bound == fixture.measure.bound);
		CHECK(row->measure.all.p99 == fixture.measure.all.p99);
	}
	/* the fields differ: what one row says does not reach the next */
	CHECK(comparison.rows[1].measure.busy[0] == 0);
	CHECK(comparison.rows[2].measure.busy[0] > 0);
	CHECK(comparison.rows[2].measure.busy[1] == 0);
	comparison_release(&comparison);
	policy_list_release(&list);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

static void
a_policy_that_cannot_weigh_ends_it_and_leaves_nothing(void)
{
	struct policy_list list = {.count = 0};
	struct comparison comparison;
	struct plan_fixture fixture;
	struct svc_error error;

	fill(&fixture);
	CHECK(policy_list_parse(&list, "random,weighted=nobody", &error) == 0);
	plan_fixture_run(&fixture, "random", ORDER_FIFO);
	CHECK(compare(&fixture, &list, &comparison, &error) == -1);
	CHECK(error.code == EX_DATAERR);
	CHECK(comparison.count == 0);
	policy_list_release(&list);
	plan_fixture_unplan(&fixture);
	plan_fixture_close(&fixture);
}

int
main(void)
{
	RUN(each_row_is_the_plan_under_its_policy_alone);
	RUN(a_policy_that_cannot_weigh_ends_it_and_leaves_nothing);
	return check_done();
}
