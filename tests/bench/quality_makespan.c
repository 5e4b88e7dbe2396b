/*
 * quality_makespan: how far plans end after the lower bound, on instances of
 * P||Cmax.
 *
 * m machines, n tasks, n/m >= 10.  Durations are whole seconds from 1 to 100;
 * or non-uniform: 98 % of them from 0.9 D to D, the others up to 0.2 D, with D
 * of 100, 1,000 and 10,000 in turn, after França, Gendreau, Laporte,
 * Müller, "A Composite Heuristic for the Identical Parallel Machine
 * Scheduling Problem with Minimum Makespan Objective", Computers & Operations
 * Research 21(2), 1994.  The gap is makespan / bound - 1, the mean of SEEDS
 * problems.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>

#include "line/task.h"
#include "quality.h"
#include "sched/batch.h"
#include "sched/chooser.h"
#include "sched/plan.h"
#include "sched/plan_measure.h"
#include "sched/random.h"
#include "sched/task_order.h"

#define SEEDS 30

enum durations { UNIFORM, NON_UNIFORM, DURATIONS };

struct method {
	const char *title;
	enum task_order order;
	const char *policy;
};

/* A sort cannot be undone: fifo stands first, lpt last. */
static const struct method methods[] = {
    {"random", ORDER_FIFO, "random"},
    {"round-robin", ORDER_FIFO, "round-robin"},
    {"p2c", ORDER_FIFO, "p2c"},
    {"fifo", ORDER_FIFO, "least-loaded"},
    {"lpt", ORDER_LPT, "least-loaded"},
};
#define METHODS (sizeof(methods) / sizeof(methods[0]))
#define LPT	(METHODS - 1)

static const struct {
	const char *name;
	double limit; /* of the mean gap under lpt, in per cent */
} classes[DURATIONS] = {
    [UNIFORM] = {"uniform", 1},
    [NON_UNIFORM] = {"non-uniform", 2.5},
};

static const struct {
	size_t machines;
	size_t tasks;
} cells[] = {{5, 50}, {5, 100}, {5, 250}, {5, 500}, {5, 1000}, {10, 100},
    {10, 250}, {10, 500}, {10, 1000}, {25, 250}, {25, 500}, {25, 1000}};
#define CELLS (sizeof(cells) / sizeof(cells[0]))

/* What came of all problems of one class. */
struct tally {
	double total; /* of LPT's gaps */
	double worst; /* of the means of cells */
	size_t problems;
	size_t alike; /* of those, one instance of m slots did the same */
};

static double
between(struct random *random, double low, double high)
{
	double span = floor(high) - ceil(low) + 1;

	return ceil(low) + (double)random_below(random, (uint64_t)span);
}

/* The duration of task i of count. */
static double
draw_duration(struct random *random, enum durations class, uint64_t seed,
    size_t i, size_t count)
{
	static const double largest[] = {100, 1000, 10000};
	double most = largest[seed % 3];

	if (class == UNIFORM)
		return between(random, 1, 100);
	if (i < count - count / 50)
		return between(random, 0.9 * most, most);
	return between(random, 1, 0.2 * most);
}

/* The tasks in random order: in the non-uniform class as many are short. */
static void
draw_durations(
    double *durations, size_t count, enum durations class, uint64_t seed)
{
	struct random random;
	double swapped;
	size_t i, j;

	random_seed(&random, seed);
	for (i = 0; i < count; i++)
		durations[i] = draw_duration(&random, class, seed, i, count);
	for (i = count; i > 1; i--) {
		j = random_below(&random, i);
		swapped = durations[i - 1];
		durations[i - 1] = durations[j];
		durations[j] = swapped;
	}
}

static struct batch *
make_batch(const double *durations, size_t count)
{
	struct envelope_options options = {.run = "q", .source = "tasks"};
	struct envelope envelope;
	struct svc_error error;
	struct batch *batch;
	char text[64];
	size_t i;

	quality_must(batch_open(&batch, &error), &error);
	envelope_init(&envelope);
	for (i = 0; i < count; i++) {
		struct line line = {.data = text, .number = i + 1};

		line.length = (size_t)snprintf(text, sizeof(text),
		    "{\"task\":null,\"duration\":%.17g}", durations[i]);
		if (envelope_enter(&envelope, &line, &options, &error) !=
		    ENVELOPE_READY)
			errx(EX_SOFTWARE, "%s", error.message);
		quality_must(
		    batch_add(batch, &envelope, &line, NULL, i, &error),
		    &error);
	}
	envelope_release(&envelope);
	return batch;
}

static void
run_policy(struct plan *plan, const struct method *method, struct pool *pool,
    uint64_t seed, struct plan_measure *measure)
{
	struct policy_options options = {.seed = seed, .own = plan->free_at};
	struct constraints *constraints;
	struct svc_error error;
	struct policy policy;
	struct chooser chooser = {.pool = pool, .policy = &policy};

	quality_must(constraints_open(&constraints, pool, &error), &error);
	quality_policy_open(&policy, method->policy, pool, &options);
	chooser.constraints = constraints;
	plan->chooser = &chooser;
	quality_must(plan_run(plan, &error), &error);
	quality_must(plan_measure(measure, plan, &error), &error);
	policy_close(&policy);
	constraints_close(constraints);
}

/* The makespan under method, and the gap above the bound in per cent. */
static double
makespan(const struct method *method, struct batch *batch,
    const struct quality_stock *stock, uint64_t seed, double *gap)
{
	struct plan_measure measure;
	struct svc_error error;
	struct plan plan = {.chooser = NULL};
	double result;

	quality_must(
	    task_order_sort(batch, method->order, stock->pool, NULL, 0, &error),
	    &error);
	quality_must(plan_open(&plan, stock->pool, batch, 0, &error), &error);
	run_policy(&plan, method, stock->pool, seed, &measure);
	if (measure.placed != batch_count(batch))
		errx(EX_SOFTWARE, "%s placed %zu of %zu tasks", method->title,
		    measure.placed, batch_count(batch));
	result = measure.makespan;
	*gap = (result / measure.bound - 1) * 100;
	plan_measure_release(&measure);
	plan_close(&plan);
	return result;
}

static void
run_problem(size_t cell, enum durations class, uint64_t seed, double *gaps,
    struct tally *tally)
{
	const double one = 1, machines = (double)cells[cell].machines;
	double durations[1000], gap, ends = 0;
	struct quality_stock stock, wide;
	struct batch *batch;
	size_t i;

	draw_durations(durations, cells[cell].tasks, class, seed);
	batch = make_batch(durations, cells[cell].tasks);
	quality_stock_open(&stock, cells[cell].machines, "slots", &one, true);
	quality_stock_open(&wide, 1, "slots", &machines, true);
	for (i = 0; i < METHODS; i++) {
		ends = makespan(&methods[i], batch, &stock, seed, &gap);
		gaps[i] += gap / SEEDS;
	}
	tally->total += gap;
	tally->problems++;
	tally->alike +=
	    makespan(&methods[LPT], batch, &wide, seed, &gap) == ends;
	quality_stock_close(&wide);
	quality_stock_close(&stock);
	batch_close(batch);
}

static bool run_class(enum durations class)
{
	struct tally tally = {0, 0, 0, 0};
	bool missed = false;
	uint64_t seed;
	size_t cell, i;

	printf("%-12s %4s %5s", classes[class].name, "m", "n");
	for (i = 0; i < METHODS; i++)
		printf(" %11s", methods[i].title);
	putchar('\n');
	for (cell = 0; cell < CELLS; cell++) {
		double gaps[METHODS] = {0};

		for (seed = 1; seed <= SEEDS; seed++)
			run_problem(cell, class, seed, gaps, &tally);
		printf("%-12s %4zu %5zu", "", cells[cell].machines,
		    cells[cell].tasks);
		for (i = 0; i < METHODS; i++)
			printf(" %11.3f", gaps[i]);
		putchar('\n');
		fflush(stdout);
		tally.worst = fmax(tally.worst, gaps[LPT]);
	}
	missed |= quality_target("lpt, mean gap of all, %",
	    tally.total / (double)tally.problems, "at most",
	    classes[class].limit);
	missed |= quality_target("lpt, mean gap of the worst row, %",
	    tally.worst, "at most", classes[class].limit);
	missed |= quality_target("problems that one instance of m slots ends "
				 "otherwise",
	    (double)(tally.problems - tally.alike), "at most", 0);
	return missed;
}

int
main(void)
{
	bool missed = false;
	int class;

	printf("makespan over the lower bound, per cent, means of %d: "
	       "random, round-robin, p2c, fifo and lpt with least-loaded\n",
	    SEEDS);
	for (class = 0; class < DURATIONS; class ++)
		missed |= run_class((enum durations) class);
	if (fflush(stdout) == EOF)
		err(EX_IOERR, "stdout");
	return missed;
}
