/* What is remembered, and when it is forgotten. */
#include "sched/memo.h"

#include <stdlib.h>

#include "check.h"

/* Each value is a counter of its own releases. */
struct counter {
	int *released;
};

static void
count_release(void *value)
{
	struct counter *counter = value;

	++*counter->released;
}

static struct memo *
new_memo(size_t cost_max)
{
	struct memo *memo = calloc(1, sizeof(*memo));

	if (memo == NULL) {
		printf("Bail out! no memory\n");
		exit(1);
	}
	memo->value_size = sizeof(struct counter);
	memo->cost_max = cost_max;
	memo->release = count_release;
	return memo;
}

static void
an_answer_is_found_by_topic_and_bytes(void)
{
	struct memo *memo = new_memo(1000);
	int released[3] = {0, 0, 0};
	struct counter a = {&released[0]}, b = {&released[1]},
		       none = {&released[2]};

	CHECK(memo_find(memo, 1, "abcdefghij", 10) == NULL);
	CHECK(memo_keep(memo, 1, "abcdefghij", 10, &a, 0) != NULL);
	CHECK(memo_keep(memo, 2, "abcdefghij", 10, &b, 0) != NULL);
	CHECK(memo_keep(memo, 1, NULL, 0, &none, 0) != NULL);
	CHECK(((struct counter *)memo_find(memo, 1, "abcdefghij", 10))
		  ->released == &released[0]);
	CHECK(((struct counter *)memo_find(memo, 2, "abcdefghij", 10))
		  ->released == &released[1]);
	CHECK(((struct counter *)memo_find(memo, 1, NULL, 0))->released ==
	      &released[2]);
	CHECK(memo_find(memo, 1, "abcdefghik", 10) == NULL);
	CHECK(memo_find(memo, 1, "abcdefghi", 9) == NULL);
	memo_clear(memo);
	CHECK(released[0] == 1 && released[1] == 1 && released[2] == 1);
	CHECK(memo_find(memo, 1, "abcdefghij", 10) == NULL);
	free(memo);
}

static void
a_full_memo_forgets_and_releases_everything_once(void)
{
	struct memo *memo = new_memo(1UL << 30);
	int released = 0, i;
	struct counter counter = {&released};
	char bytes[16];

	for (i = 0; i < 3 * MEMO_ENTRIES_MAX; i++) {
		snprintf(bytes, sizeof(bytes), "%d", i);
		CHECK(memo_keep(memo, 0, bytes, strlen(bytes), &counter, 0) !=
		      NULL);
		CHECK(memo_find(memo, 0, bytes, strlen(bytes)) != NULL);
	}
	CHECK(released == 2 * MEMO_ENTRIES_MAX);
	memo_clear(memo);
	CHECK(released == 3 * MEMO_ENTRIES_MAX);
	free(memo);
}

static void
a_memo_is_full_by_cost_too(void)
{
	struct memo *memo = new_memo(100);
	int released = 0;
	struct counter counter = {&released};

	CHECK(memo_keep(memo, 0, "a", 1, &counter, 60) != NULL);
	CHECK(memo_keep(memo, 0, "b", 1, &counter, 38) != NULL);
	CHECK(released == 0);
	CHECK(memo_keep(memo, 0, "c", 1, &counter, 1) != NULL);
	CHECK(released == 2 && memo_find(memo, 0, "a", 1) == NULL);
	CHECK(memo_keep(memo, 0, "d", 1, &counter, 1000) != NULL);
	CHECK(memo_find(memo, 0, "d", 1) != NULL);
	memo_clear(memo);
	free(memo);
}

int
main(void)
{
	RUN(an_answer_is_found_by_topic_and_bytes);
	RUN(a_full_memo_forgets_and_releases_everything_once);
	RUN(a_memo_is_full_by_cost_too);
	return check_done();
}
