/* Numbers in a ring: what goes in comes out, in that order. */
#include "flow/number_queue.h"

#include "check.h"
#include "sched/random.h"

static void
an_empty_one_has_no_number(void)
{
	struct number_queue queue = {.count = 0};

	CHECK(number_queue_peek(&queue) == NUMBER_NONE);
	CHECK(number_queue_pop(&queue) == NUMBER_NONE);
	CHECK(queue.count == 0);
	CHECK(number_queue_push(&queue, 7) == 0);
	CHECK(number_queue_peek(&queue) == 7 && queue.count == 1);
	CHECK(number_queue_pop(&queue) == 7);
	CHECK(number_queue_pop(&queue) == NUMBER_NONE);
	number_queue_release(&queue);
	CHECK(number_queue_peek(&queue) == NUMBER_NONE);
}

static void
numbers_come_out_as_they_went_in_however_many(void)
{
	struct number_queue queue = {.count = 0};
	uint32_t i;

	for (i = 0; i < 100000; i++)
		if (number_queue_push(&queue, i * 3) == -1)
			break;
	CHECK(queue.count == 100000);
	for (i = 0; number_queue_peek(&queue) == i * 3; i++)
		(void)number_queue_pop(&queue);
	CHECK(i == 100000 && queue.count == 0);
	number_queue_release(&queue);
}

/* The ring is grown where its first number stands, at each place. */
static void
one_that_is_grown_in_the_middle_of_its_ring_keeps_its_order(void)
{
	uint32_t shift, i, last;

	for (shift = 0; shift < 64; shift++) {
		struct number_queue queue = {.count = 0};

		for (i = 0; i < shift; i++)
			(void)number_queue_push(&queue, 0);
		for (i = 0; i < shift; i++)
			(void)number_queue_pop(&queue);
		for (i = 0; i < 200; i++)
			(void)number_queue_push(&queue, i);
		for (last = 0; number_queue_pop(&queue) == last; last++)
			;
		CHECK(last == 200 && queue.count == 0);
		number_queue_release(&queue);
	}
}

static void
a_mix_of_both_ends_is_that_of_a_plain_count(void)
{
	struct number_queue queue = {.count = 0};
	struct random random;
	uint32_t in = 0, out = 0;
	int i;

	random_seed(&random, 1);
	for (i = 0; i < 100000; i++) {
		/* It grows for a while, and shrinks for a while. */
		if (random_unit(&random) < (i / 10000 % 2 == 0 ? 0.6 : 0.4))
			CHECK(number_queue_push(&queue, in++) == 0);
		else if (out < in)
			CHECK(number_queue_pop(&queue) == out++);
		else
			CHECK(number_queue_pop(&queue) == NUMBER_NONE);
		CHECK(queue.count == in - out);
	}
	CHECK(in > 1000);
	number_queue_release(&queue);
}

int
main(void)
{
	RUN(an_empty_one_has_no_number);
	RUN(numbers_come_out_as_they_went_in_however_many);
	RUN(one_that_is_grown_in_the_middle_of_its_ring_keeps_its_order);
	RUN(a_mix_of_both_ends_is_that_of_a_plain_count);
	return check_done();
}
