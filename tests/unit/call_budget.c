/* What may be sent beside the first request of each task. */
#include "net/call_budget.h"

#include <stddef.h>

#include "check.h"

static size_t
take_all(struct call_budget *budget)
{
	size_t count = 0;

	while (call_budget_take(budget))
		count++;
	return count;
}

static void
begin(struct call_budget *budget, size_t tasks)
{
	while (tasks-- > 0)
		call_budget_begin(budget);
}

static void
it_starts_with_its_floor(void)
{
	struct call_budget budget;

	call_budget_init(&budget, 0.2, 3, 16);
	CHECK(take_all(&budget) == 3);
	CHECK(!call_budget_take(&budget));
}

static void
five_tasks_begun_give_one_retry(void)
{
	struct call_budget budget;

	call_budget_init(&budget, 0.2, 3, 16);
	take_all(&budget);
	begin(&budget, 4);
	CHECK(!call_budget_take(&budget));
	begin(&budget, 1);
	CHECK(call_budget_take(&budget));
	CHECK(!call_budget_take(&budget));
}

static void
what_many_good_minutes_saved_is_capped(void)
{
	struct call_budget budget;

	call_budget_init(&budget, 0.2, 3, 16);
	begin(&budget, 1000000);
	CHECK(take_all(&budget) == 16);
}

static void
a_cap_below_the_floor_is_the_floor(void)
{
	struct call_budget budget;

	call_budget_init(&budget, 0.2, 9, 1);
	begin(&budget, 1000);
	CHECK(take_all(&budget) == 9);
}

static void
where_everything_fails_it_is_a_fifth_and_the_floor(void)
{
	struct call_budget budget;
	size_t task, extra = 0;

	call_budget_init(&budget, 0.2, 3, 16);
	for (task = 0; task < 100000; task++) {
		call_budget_begin(&budget);
		extra += take_all(&budget);
	}
	CHECK(extra == 20003);
}

static void
what_was_not_sent_is_given_back_but_never_over_the_cap(void)
{
	struct call_budget budget;

	call_budget_init(&budget, 0.1, 1, 1);
	CHECK(call_budget_take(&budget));
	call_budget_return(&budget);
	CHECK(take_all(&budget) == 1);
	call_budget_return(&budget);
	call_budget_return(&budget);
	CHECK(take_all(&budget) == 1);
}

int
main(void)
{
	RUN(it_starts_with_its_floor);
	RUN(five_tasks_begun_give_one_retry);
	RUN(what_many_good_minutes_saved_is_capped);
	RUN(a_cap_below_the_floor_is_the_floor);
	RUN(where_everything_fails_it_is_a_fifth_and_the_floor);
	RUN(what_was_not_sent_is_given_back_but_never_over_the_cap);
	return check_done();
}
