/*
 * quality_pack: how many bins constrained --score=pack fills, the largest task
 * first.
 *
 * A bin is an instance, a task takes a part of it: its size, which also is its
 * duration, so that the order lpt is the order of sizes.  The most allocated
 * bin with room is best fit decreasing, which needs at most 11/9 of the fewest
 * bins possible, and 2/3 of one (Johnson, Demers, Ullman, Garey, Graham,
 * "Worst-Case Performance Bounds for Simple One-Dimensional Packing
 * Algorithms", SIAM J. Comput. 3(4), 1974).  Measured is bins / ceil(sum /
 * capacity), which is no less.
 */
#include <math.h>
#include <stdint.h>

#include "line/task.h"
#include "quality.h"
#include "sched/batch.h"
#include "sched/chooser.h"
#include "sched/random.h"
#include "sched/task_order.h"

#define SEEDS	 30
#define CAPACITY 1000000
#define LIMIT	 1.22

/* Parts of a capacity, above low up to high; so much of them is of a kind. */
struct kind {
	double part;
	double low;
	double high;
};

static const struct {
	const char *name;
	struct kind kinds[2];
} distributions[] = {
    {"(0, 1]", {{1, 0, 1}}},
    {"(0.2, 0.5]", {{1, 0.2, 0.5}}},
    {"(0, 0.1]", {{1, 0, 0.1}}},
    {"half (0.05, 0.15], half (0.4, 0.6]",
	{{0.5, 0.05, 0.15}, {0.5, 0.4, 0.6}}},
};
#define DISTRIBUTIONS (sizeof(distributions) / sizeof(distributions[0]))

static const size_t counts[] = {100, 500, 2000};
#define COUNTS (sizeof(counts) / sizeof(counts[0]))

static uint64_t
draw_size(struct random *random, const struct kind kinds[2])
{
	const struct kind *kind = &kinds[0];
	uint64_t low, high;

	if (kind->part < 1 && random_unit(random) >= kind->part)
		kind = &kinds[1];
	low = (uint64_t)llround(kind->low * CAPACITY);
	high = (uint64_t)llround(kind->high * CAPACITY);
	return low + 1 + random_below(random, high - low);
}

/* Tasks of the sizes of one seed; returns the least number of bins. */
static uint64_t
make_batch(struct batch **batch, const struct kind kinds[2], size_t count,
    uint64_t seed)
{
	struct envelope_options options = {.run = "q", .source = "tasks"};
	struct envelope envelope;
	struct svc_error error;
	struct random random;
	uint64_t size, sum = 0;
	char text[128];
	size_t i;

	random_seed(&random, seed);
	quality_must(batch_open(batch, &error), &error);
	envelope_init(&envelope);
	for (i = 0; i < count; i++) {
		struct line line = {.data = text, .number = i + 1};

		sum += size = draw_size(&random, kinds);
		line.length = (size_t)snprintf(text, sizeof(text),
		    "{\"task\":null,\"requires\":{\"size\":%ju},"
		    "\"duration\":%ju}",
		    (uintmax_t)size, (uintmax_t)size);
		if (envelope_enter(&envelope, &line, &options, &error) !=
		    ENVELOPE_READY)
			errx(EX_SOFTWARE, "%s", error.message);
		quality_must(
		    batch_add(*batch, &envelope, &line, NULL, i, &error),
		    &error);
	}
	envelope_release(&envelope);
	return (sum + CAPACITY - 1) / CAPACITY;
}

/* Places the batch in its order; returns how many bins have something. */
static size_t
place(struct batch *batch, struct chooser *chooser, unsigned char *used)
{
	const struct batch_task *tasks = batch_tasks(batch);
	const struct eligible *list;
	struct task_failure failure;
	struct json_value requires;
	struct svc_error error;
	size_t i, bins = 0;
	uint32_t member;

	for (i = 0; i < batch_count(batch); i++) {
		struct chooser_task task = {.requires = &requires,
		    .constrained = {.duration = -1, .remaining = INFINITY}};
		int placed;

		batch_requires(&tasks[i], &requires);
		placed = chooser_choose(
		    chooser, &task, &member, &list, NULL, &failure, &error);
		quality_must(placed, &error);
		if (placed == 0)
			errx(EX_SOFTWARE, "%s", failure.message);
		bins += !used[member];
		used[member] = 1;
	}
	return bins;
}

/* How many bins a batch needs; there are as many as it has tasks. */
static size_t
pack(struct batch *batch, enum task_order order, const char *name)
{
	static const double capacity = CAPACITY;
	struct policy_options options = {.score = SCORE_PACK};
	struct constraints *constraints;
	struct quality_stock stock;
	struct svc_error error;
	struct policy policy;
	struct chooser chooser = {.policy = &policy};
	unsigned char *used;
	size_t bins, count = batch_count(batch);

	used = quality_allocate(count, 1);
	quality_stock_open(&stock, count, "size", &capacity, true);
	quality_must(
	    task_order_sort(batch, order, stock.pool, NULL, 0, &error), &error);
	quality_must(
	    constraints_open(&constraints, stock.pool, &error), &error);
	quality_policy_open(&policy, name, stock.pool, &options);
	chooser.pool = stock.pool;
	chooser.constraints = constraints;
	bins = place(batch, &chooser, used);
	policy_close(&policy);
	constraints_close(constraints);
	quality_stock_close(&stock);
	free(used);
	return bins;
}

static double
run_cell(const struct kind kinds[2], size_t count, double *worst)
{
	double fifo = 0, lpt = 0, most = 0, ratio;
	struct batch *batch;
	uint64_t bound, seed;

	for (seed = 1; seed <= SEEDS; seed++) {
		bound = make_batch(&batch, kinds, count, seed);
		ratio = (double)pack(batch, ORDER_FIFO, "constrained") /
			(double)bound;
		fifo += ratio / SEEDS;
		ratio = (double)pack(batch, ORDER_LPT, "constrained") /
			(double)bound;
		lpt += ratio / SEEDS;
		most = fmax(most, ratio);
		batch_close(batch);
	}
	printf(" %8.4f %8.4f %8.4f\n", fifo, lpt, most);
	*worst = fmax(*worst, most);
	return lpt;
}

int
main(void)
{
	double worst = 0;
	bool missed;
	size_t i, j;

	printf("bins over the lower bound, constrained --score=pack, %d seeds: "
	       "means of fifo and lpt, the most of lpt\n"
	       "%-36s %6s %8s %8s %8s\n",
	    SEEDS, "sizes", "tasks", "fifo", "lpt", "most");
	for (i = 0; i < DISTRIBUTIONS; i++)
		for (j = 0; j < COUNTS; j++) {
			printf("%-36s %6zu", distributions[i].name, counts[j]);
			run_cell(distributions[i].kinds, counts[j], &worst);
		}
	missed = quality_target(
	    "pack in lpt order, the most of all", worst, "at most", LIMIT);
	if (fflush(stdout) == EOF)
		err(EX_IOERR, "stdout");
	return missed;
}
