#include "net/call_seats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64

enum { STATE_FULL = 1, STATE_FAILING = 2, STATE_EJECTED = 4 };

static size_t
words(size_t count)
{
	return count / WORD_BITS + 1;
}

static bool
has_bit(const uint64_t *bits, uint32_t member)
{
	return (bits[member / WORD_BITS] >> member % WORD_BITS & 1) != 0;
}

/* Sets a bit as it is to be; *count counts those that are set. */
static void
set_bit(uint64_t *bits, uint32_t member, bool wanted, size_t *count)
{
	uint64_t bit = UINT64_C(1) << member % WORD_BITS;

	if (has_bit(bits, member) == wanted)
		return;
	bits[member / WORD_BITS] ^= bit;
	*count += wanted ? 1 : (size_t)-1;
}

int
call_seats_init(struct call_seats *seats, struct pool *pool)
{
	size_t count = pool_count(pool), i;

	memset(seats, 0, sizeof(*seats));
	seats->count = count;
	/* one more than needed: of no members there is an array too */
	seats->own = calloc(count + 1, sizeof(*seats->own));
	seats->loads = calloc(count + 1, sizeof(*seats->loads));
	seats->slots = calloc(count + 1, sizeof(*seats->slots));
	seats->states = calloc(count + 1, sizeof(*seats->states));
	seats->ready = calloc(words(count), sizeof(*seats->ready));
	seats->free = calloc(words(count), sizeof(*seats->free));
	if (seats->own == NULL || seats->loads == NULL ||
	    seats->slots == NULL || seats->states == NULL ||
	    seats->ready == NULL || seats->free == NULL)
		return -1;
	for (i = 0; i < count; i++)
		seats->slots[i] = pool_member(pool, (uint32_t)i)->slots;
	return 0;
}

void
call_seats_release(struct call_seats *seats)
{
	free(seats->free);
	free(seats->ready);
	free(seats->states);
	free(seats->slots);
	free(seats->loads);
	free(seats->own);
}

void
call_seats_set(
    struct call_seats *seats, uint32_t member, const struct call_load *load)
{
	unsigned char *state = &seats->states[member];

	double load_open = (double)load->open + 1;

	seats->loads[member] = load_open + load->failures;
	/*
	 * Failures are not divided: else one of many slots could fail for long
	 * before it looked loaded.  Whoever has no slots at all is on no list.
	 */
	seats->own[member] = load_open / seats->slots[member] + load->failures;
	set_bit(seats->ready, member, load->ready, &seats->ready_count);
	set_bit(seats->free, member, load->ready && !load->ejected,
	    &seats->free_count);
	seats->full_count -= (*state & STATE_FULL) != 0;
	seats->ejected_count -= (*state & STATE_EJECTED) != 0;
	*state = (unsigned char)((load->full ? STATE_FULL : 0) |
				 (load->failures > 0 ? STATE_FAILING : 0) |
				 (load->ejected ? STATE_EJECTED : 0));
	seats->full_count += load->full;
	seats->ejected_count += load->ejected;
}

void
call_search_init(struct call_search *search, const struct call_seats *seats,
    const struct eligible *list, const double *weights, uint32_t avoid)
{
	memset(search, 0, sizeof(*search));
	search->seats = seats;
	search->list = list;
	search->weights = weights;
	search->avoid = avoid;
	search->bits = seats->free;
}

static void
find_full(struct call_search *search)
{
	const struct call_seats *seats = search->seats;
	size_t i;

	search->looked = true;
	search->full = INFINITY;
	for (i = 0; seats->full_count > 0 && i < search->list->count; i++) {
		uint32_t member = search->list->members[i];

		if ((seats->states[member] & (STATE_FULL | STATE_EJECTED)) ==
		    STATE_FULL)
			search->full = fmin(search->full, seats->loads[member]);
	}
}

void
call_search_need(
    struct call_search *search, const struct room_number *numbers, size_t count)
{
	search->numbers = numbers;
	search->number_count = count;
}

static bool
has_left(const struct call_search *search, uint32_t member)
{
	const struct room_number *number = search->numbers;
	size_t i;

	for (i = 0; i < search->number_count; i++, number++)
		if (!room_suffices(number->total[member], number->free[member],
			number->amount))
			return false;
	return true;
}

bool
call_search_takes(struct call_search *search, uint32_t member)
{
	const struct call_seats *seats = search->seats;

	if (member == search->avoid || !has_bit(search->bits, member) ||
	    (search->weights != NULL && search->weights[member] == 0) ||
	    !has_left(search, member))
		return false;
	if ((seats->states[member] & STATE_FAILING) == 0)
		return true;
	if (!search->looked)
		find_full(search);
	return search->full >= seats->loads[member];
}

/* Lists ascend. */
static bool
is_listed(const struct eligible *list, uint32_t member)
{
	size_t low = 0, high = list->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (list->members[middle] < member)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->members[low] == member;
}

static size_t
gather(struct call_search *search, uint32_t *members)
{
	const struct eligible *list = search->list;
	bool all = list->count == search->seats->count;
	size_t count = 0, i;

	for (i = 0; i < words(search->seats->count); i++) {
		uint64_t bits = search->bits[i];

		for (; bits != 0; bits &= bits - 1) {
			uint32_t member = (uint32_t)(i * WORD_BITS) +
					  (uint32_t)__builtin_ctzll(bits);

			if ((all || is_listed(list, member)) &&
			    call_search_takes(search, member))
				members[count++] = member;
		}
	}
	return count;
}

/* Whether one of the list is drawn at all; else they are all alike. */
static bool
any_weighs(const struct call_search *search)
{
	size_t i;

	for (i = 0; i < search->list->count; i++)
		if (search->weights[search->list->members[i]] != 0)
			return true;
	return false;
}

/* Of those who weigh: who does not gets nothing anyhow. */
static bool
all_ejected(const struct call_search *search)
{
	const struct call_seats *seats = search->seats;
	size_t i;

	if (seats->ejected_count == 0)
		return false;
	for (i = 0; i < search->list->count; i++) {
		uint32_t member = search->list->members[i];

		if ((seats->states[member] & STATE_EJECTED) == 0 &&
		    (search->weights == NULL || search->weights[member] != 0))
			return false;
	}
	return true;
}

size_t
call_search_all(struct call_search *search, uint32_t *members)
{
	size_t count = gather(search, members);

	if (count == 0 && search->weights != NULL && !any_weighs(search)) {
		search->weights = NULL;
		count = gather(search, members);
	}
	if (count == 0 && search->bits == search->seats->free &&
	    all_ejected(search)) {
		search->bits = search->seats->ready;
		count = gather(search, members);
	}
	return count;
}
