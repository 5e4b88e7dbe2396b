/*
 * quality_queue: how long tasks wait in line under each policy.
 *
 *	quality_queue equal|unequal|declared
 *
 * Tasks arrive at random (a Poisson process) at ten instances of one slot,
 * each of which does its own one after another.  They are equally fast, or of
 * speeds 1, 2, 4 in turn; their records tell of it as capacity.speed, or not.
 * A task takes 1 second on average at speed 1: either exponential, or 90 %
 * short ones and 10 % ten times as long.
 *
 * Each task is dispatched by one of many processes, as task-schedule or
 * svc-call are started by many users: it knows what the instances report, and
 * nothing of what others have dispatched or it has itself; it breaks ties its
 * own way.  An instance reports (busy + queued) / slots every so many seconds,
 * each at a phase of its own; at 0 the reports are those of the instant.
 * Round-robin has its cursor, which processes share.
 *
 * The real policies choose.  All see the same arrivals and durations: several
 * runs, each with a seed of its own and a part at its beginning that does not
 * count, taken together.  random and round-robin do not look at reports, so
 * they are run once for all ages.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "quality.h"
#include "quality_server.h"
#include "sched/random.h"

#define INSTANCES   10
#define DISPATCHERS 100
#define RUNS	    6
#define WARMING	    100000 /* arrivals of a run */
#define COUNTED	    300000 /* after those */
#define PERCENTILE  0.99

enum rule {
	BY_RANDOM,
	BY_ROUND_ROBIN,
	BY_HEADROOM,
	BY_LEAST_LOADED,
	BY_P2C,
	RULES
};

static const char *const rules[RULES] = {
    "random", "round-robin", "weighted=headroom", "least-loaded", "p2c"};
static const double loads[] = {0.70, 0.90, 0.95};
static const double ages[] = {0, 1, 5}; /* seconds between two reports */
#define LOADS (sizeof(loads) / sizeof(loads[0]))
#define AGES  (sizeof(ages) / sizeof(ages[0]))
#define ROWS  (LENGTHS * LOADS * AGES)

enum fleet { EQUAL, UNEQUAL, DECLARED, FLEETS };

static const struct {
	const char *name;
	const char *title;
} fleets[FLEETS] = {
    [EQUAL] = {"equal", "equally fast"},
    [UNEQUAL] = {"unequal", "of speeds 1, 2, 4 that no record tells"},
    [DECLARED] = {"declared", "of speeds 1, 2, 4 that their records tell"},
};

enum length { EXPONENTIAL, SHORT_AND_LONG, LENGTHS };

static const char *const length_names[LENGTHS] = {"exponential", "90 % short"};

/* One row of the table. */
struct scenario {
	enum fleet fleet;
	enum length length;
	double load;
	double age;
	double p99[RULES];
};

struct dispatcher {
	struct policy policy;
	uint64_t version; /* of the reports that it has seen */
};

struct simulation {
	const struct scenario *scenario;
	struct quality_stock stock;
	struct server servers[INSTANCES];
	struct dispatcher dispatchers[DISPATCHERS];
	size_t dispatcher_count;
	const struct eligible *list;
	double rate; /* arrivals a second */
	double now;
	uint64_t version; /* of the reports, from 1 */
	/* of its own, so that all policies see the same arrivals */
	struct random arrivals;
	struct random random; /* phases, and who dispatches */
};

static bool
looks_at_reports(enum rule rule)
{
	return rule != BY_RANDOM && rule != BY_ROUND_ROBIN;
}

static double
exponential(struct random *random, double mean)
{
	return -mean * log(1 - random_unit(random));
}

static double
draw_duration(struct random *random, enum length length)
{
	/* 0.9 x + 0.1 * 10 x = 1 */
	static const double brief = 1 / 1.9;

	if (length == EXPONENTIAL)
		return exponential(random, 1);
	return random_unit(random) < 0.9 ? brief : 10 * brief;
}

static void
make_servers(struct simulation *simulation)
{
	const struct scenario *scenario = simulation->scenario;
	static const double cycle[] = {1, 2, 4}, one = 1;
	double speeds[INSTANCES], total = 0;
	struct server *server;
	size_t i;

	for (i = 0; i < INSTANCES; i++)
		speeds[i] = scenario->fleet == EQUAL ? 1 : cycle[i % 3];
	if (scenario->fleet == DECLARED)
		quality_stock_open(
		    &simulation->stock, INSTANCES, "speed", speeds, false);
	else
		quality_stock_open(
		    &simulation->stock, INSTANCES, "slots", &one, true);
	for (i = 0; i < INSTANCES; i++) {
		server = &simulation->servers[i];
		server->speed = speeds[i];
		server->phase =
		    random_unit(&simulation->random) * scenario->age;
		server->reported = -1;
		simulation->stock.instances[i].reported = EPOCH;
		total += server->speed;
	}
	simulation->rate = scenario->load * total;
}

static void
make_dispatchers(struct simulation *simulation, enum rule rule)
{
	static const double own[INSTANCES]; /* none has anything outstanding */
	struct policy_options options = {.own = own, .now = EPOCH};
	size_t i;

	/* Round-robin's processes have one cursor, which makes them one. */
	simulation->dispatcher_count = rule == BY_ROUND_ROBIN ? 1 : DISPATCHERS;
	for (i = 0; i < simulation->dispatcher_count; i++) {
		options.seed = random_next(&simulation->random);
		quality_policy_open(&simulation->dispatchers[i].policy,
		    rules[rule], simulation->stock.pool, &options);
	}
}

static void
simulation_open(struct simulation *simulation, const struct scenario *scenario,
    enum rule rule, uint64_t seed)
{
	struct svc_error error;

	memset(simulation, 0, sizeof(*simulation));
	simulation->scenario = scenario;
	random_seed(&simulation->arrivals, seed);
	random_seed(&simulation->random, seed + RUNS);
	make_servers(simulation);
	make_dispatchers(simulation, rule);
	quality_must(pool_eligible(simulation->stock.pool, "s", NULL,
			 &simulation->list, &error),
	    &error);
}

static void
simulation_close(struct simulation *simulation)
{
	size_t i;

	for (i = 0; i < simulation->dispatcher_count; i++)
		policy_close(&simulation->dispatchers[i].policy);
	quality_stock_close(&simulation->stock);
	for (i = 0; i < INSTANCES; i++)
		free(simulation->servers[i].ends);
}

static void
take_reports(struct simulation *simulation)
{
	bool changed = false;
	size_t i;

	for (i = 0; i < INSTANCES; i++)
		changed |= server_report(&simulation->servers[i],
		    &simulation->stock.instances[i], simulation->scenario->age,
		    simulation->now);
	simulation->version += changed;
}

/* Somebody chooses, by the reports that there are. */
static struct server *
dispatch(struct simulation *simulation)
{
	const struct policy_task task = {0};
	struct dispatcher *dispatcher;
	struct svc_error error;
	uint32_t member;

	dispatcher = &simulation->dispatchers[random_below(
	    &simulation->random, simulation->dispatcher_count)];
	if (dispatcher->policy.type->observe != NULL) {
		take_reports(simulation);
		if (dispatcher->version != simulation->version)
			policy_observe(&dispatcher->policy,
			    EPOCH + (int64_t)(simulation->now * 1000));
		dispatcher->version = simulation->version;
	}
	quality_must(policy_choose(&dispatcher->policy, simulation->list, &task,
			 &member, &error),
	    &error);
	return &simulation->servers[member];
}

/* The next arrival; returns how long it waits. */
static double
arrive(struct simulation *simulation)
{
	double duration;

	simulation->now +=
	    exponential(&simulation->arrivals, 1 / simulation->rate);
	duration =
	    draw_duration(&simulation->arrivals, simulation->scenario->length);
	return server_take(dispatch(simulation), duration, simulation->now);
}

static void
swap(double *a, double *b)
{
	double value = *a;

	*a = *b;
	*b = value;
}

/* What would stand at n if values were sorted (Hoare's FIND, 1961). */
static double
select_nth(double *values, ptrdiff_t count, ptrdiff_t n)
{
	ptrdiff_t low = 0, high = count - 1, i, j;
	double pivot;

	while (low < high) {
		pivot = values[n];
		i = low;
		j = high;
		while (i <= j) {
			while (values[i] < pivot)
				i++;
			while (pivot < values[j])
				j--;
			if (i <= j)
				swap(&values[i++], &values[j--]);
		}
		if (j < n)
			low = i;
		if (n < i)
			high = j;
	}
	return values[n];
}

/* The 99th percentile of the waits of all runs under a rule. */
static double
simulate(const struct scenario *scenario, enum rule rule, double *waits)
{
	struct simulation simulation;
	ptrdiff_t count = 0;
	uint64_t run, i;

	for (run = 1; run <= RUNS; run++) {
		simulation_open(&simulation, scenario, rule, run);
		for (i = 0; i < WARMING; i++)
			arrive(&simulation);
		for (i = 0; i < COUNTED; i++)
			waits[count++] = arrive(&simulation);
		simulation_close(&simulation);
	}
	return select_nth(
	    waits, count, (ptrdiff_t)(PERCENTILE * (double)count));
}

static void
print_row(const struct scenario *row)
{
	size_t rule;

	printf("%-12s %3.0f %% %3.0f s", length_names[row->length],
	    row->load * 100, row->age);
	for (rule = 0; rule < RULES; rule++)
		printf(
		    " %17.*f", row->p99[rule] < 1000 ? 2 : 0, row->p99[rule]);
	putchar('\n');
	fflush(stdout);
}

/* All ages of one length and load: rows, one after another. */
static void
run_ages(struct scenario *rows, double *waits)
{
	size_t age, rule;

	for (age = 0; age < AGES; age++) {
		rows[age] = rows[0];
		rows[age].age = ages[age];
		for (rule = 0; rule < RULES; rule++)
			if (age == 0 || looks_at_reports(rule))
				rows[age].p99[rule] =
				    simulate(&rows[age], rule, waits);
		print_row(&rows[age]);
	}
}

static void
run_table(enum fleet fleet, struct scenario rows[ROWS])
{
	double *waits = quality_allocate(RUNS * COUNTED, sizeof(*waits));
	size_t i, rule;

	printf("p99 of the wait, in mean service times at speed 1: "
	       "10 instances, %s\n%-12s %5s %5s",
	    fleets[fleet].title, "durations", "load", "age");
	for (rule = 0; rule < RULES; rule++)
		printf(" %17s", rules[rule]);
	putchar('\n');
	for (i = 0; i < ROWS; i += AGES) {
		rows[i].fleet = fleet;
		rows[i].length = (enum length)(i / AGES / LOADS);
		rows[i].load = loads[i / AGES % LOADS];
		run_ages(&rows[i], waits);
	}
	if (fleet != EQUAL)
		puts("  1000 and more: a line that grows as long as a run "
		     "lasts, for some get more than they can do");
	free(waits);
}

/*
 * The largest p99 of p2c in that of rule, over the rows whose age is from low
 * to high; *lost of *count rows have more than 1.
 */
static double
largest_ratio(const struct scenario rows[ROWS], enum rule rule, double low,
    double high, size_t *lost, size_t *count)
{
	double largest = 0, ratio;
	size_t i;

	*lost = *count = 0;
	for (i = 0; i < ROWS; i++) {
		if (rows[i].age < low || rows[i].age > high)
			continue;
		ratio = rows[i].p99[BY_P2C] / rows[i].p99[rule];
		largest = fmax(largest, ratio);
		*lost += ratio >= 1;
		++*count;
	}
	return largest;
}

static bool
judge(const struct scenario rows[ROWS], enum fleet fleet, enum rule rule,
    double low, double high)
{
	char label[64];
	size_t lost, count;
	double ratio = largest_ratio(rows, rule, low, high, &lost, &count);

	snprintf(label, sizeof(label), "%s: p2c / %s, age %g to %g s, most",
	    fleets[fleet].name, rules[rule], low, high);
	return quality_target(label, ratio, "below", 1);
}

static void
print_losses(const struct scenario rows[ROWS])
{
	size_t age, rule, lost, count;
	double ratio;

	for (rule = 0; rule < BY_P2C; rule++)
		for (age = 0; age < AGES; age++) {
			ratio = largest_ratio(
			    rows, rule, ages[age], ages[age], &lost, &count);
			if (lost > 0)
				printf("  p2c loses to %s at age %g s in %zu "
				       "of %zu rows, at most by %.2f times\n",
				    rules[rule], ages[age], lost, count, ratio);
		}
}

int
main(int argc, char *argv[])
{
	struct scenario rows[ROWS] = {0};
	double oldest = ages[AGES - 1];
	bool missed = false;
	enum fleet fleet;

	for (fleet = 0; fleet < FLEETS; fleet++)
		if (argc == 2 && strcmp(argv[1], fleets[fleet].name) == 0)
			break;
	if (fleet == FLEETS)
		errx(EX_USAGE, "usage: quality_queue equal|unequal|declared");
	run_table(fleet, rows);
	/* Equal instances forgive who does not look, where reports are old. */
	if (fleet == EQUAL)
		oldest = ages[1];
	missed |= judge(rows, fleet, BY_RANDOM, 0, oldest);
	missed |= judge(rows, fleet, BY_ROUND_ROBIN, 0, oldest);
	missed |= judge(rows, fleet, BY_LEAST_LOADED, ages[1], ages[AGES - 1]);
	print_losses(rows);
	if (fflush(stdout) == EOF)
		err(EX_IOERR, "stdout");
	return missed;
}
