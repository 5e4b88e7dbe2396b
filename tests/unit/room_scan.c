/* The scan against a plain loop: the same place, and the same bits. */
#include "sched/room_scan.h"

#include <float.h>
#include <math.h>

#include "check.h"
#include "sched/random.h"

#define SCAN_MAX 3000

static int
pick(struct random *random, int low, int high)
{
	return low + (int)random_below(random, (uint64_t)(high - low + 1));
}

/* The columns of a random scan. */
struct scan_case {
	double total[2][SCAN_MAX], unused[2][SCAN_MAX], inverse[2][SCAN_MAX];
	uint32_t members[SCAN_MAX];
	size_t count;
	struct room_number numbers[2];
};

static void
make_scan(struct scan_case *scan, struct random *random)
{
	int i, k, few = pick(random, 1, pick(random, 1, SCAN_MAX));
	int every = pick(random, 1, 3), start = pick(random, 0, few - 1);

	for (k = 0; k < 2; k++) {
		for (i = 0; i < few; i++) {
			double total = pick(random, -1, 9);

			scan->total[k][i] = total == -1 ? NAN : total;
			scan->unused[k][i] =
			    scan->total[k][i] * pick(random, 0, 12) / 12;
			scan->inverse[k][i] = fmin(1 / total, DBL_MAX);
		}
		scan->numbers[k] = (struct room_number){scan->total[k],
		    scan->unused[k], scan->inverse[k], pick(random, 0, 7) / 3.,
		    pick(random, 0, 1)};
	}
	scan->count = 0;
	for (i = start; i < few; i++)
		if (every == 1 || pick(random, 1, every) == 1)
			scan->members[scan->count++] = (uint32_t)i;
}

static size_t
plain_scan(
    const struct scan_case *scan, size_t numbers, double sign, double *scores)
{
	double best = -INFINITY;
	size_t i, k;

	for (i = 0; i < scan->count; i++) {
		scores[i] = 0;
		for (k = 0; k < numbers; k++) {
			const struct room_number *number = &scan->numbers[k];
			uint32_t m = scan->members[i];
			double part = (number->free[m] - number->amount) *
				      number->inverse[m];

			if (!(number->total[m] >= number->amount) ||
			    !(part >= -ROOM_ROUNDING))
				scores[i] = -INFINITY;
			else
				scores[i] += sign * part;
		}
		best = fmax(best, scores[i]);
	}
	for (i = 0; i < scan->count; i++)
		if (scores[i] > -INFINITY && scores[i] >= best - ROOM_ROUNDING)
			break;
	return i;
}

static void
scans_are_the_same_to_the_last_bit(void)
{
	static struct scan_case scan;
	static double got[SCAN_MAX], want[SCAN_MAX];
	struct random random;
	int i, wrong = 0;

	random_seed(&random, 5);
	for (i = 0; i < 2000; i++) {
		size_t numbers = (size_t)pick(&random, 1, 2);
		double sign = pick(&random, 0, 1) ? 1 : -1;

		make_scan(&scan, &random);
		wrong +=
		    room_scan(scan.numbers, numbers, scan.members, scan.count,
			sign, got) != plain_scan(&scan, numbers, sign, want) ||
		    memcmp(got, want, scan.count * sizeof(*got)) != 0;
	}
	CHECK(wrong == 0);
}

int
main(void)
{
	RUN(scans_are_the_same_to_the_last_bit);
	return check_done();
}
