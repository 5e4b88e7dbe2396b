#include "ui/plan_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "line/json.h"
#include "ui/columns.h"

/* All times of a report have as many decimals: the longest gets so many. */
#define DIGITS	     4
#define DECIMALS_MAX 6

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int
decimals_for(double longest)
{
	int digits;

	if (!(longest > 0))
		return 0;
	digits = DIGITS - 1 - (int)floor(log10(longest));
	if (digits < 0)
		return 0;
	return digits > DECIMALS_MAX ? DECIMALS_MAX : digits;
}

/* How far from the best, at least 1. */
static double
ratio_of(const struct plan_measure *measure)
{
	return measure->bound > 0 ? measure->makespan / measure->bound : 1;
}

static const char *
plural(double count)
{
	return count == 1 ? "" : "s";
}

/* 0: it gets no task. */
static double
slots_of(const struct pool_member *member)
{
	return member->slots > 0 && member->speed > 0
		   ? plan_slots(member->slots)
		   : 0;
}

static void
append_head(const struct plan *plan, const struct plan_measure *measure,
    const char *policy, const char *order, struct buffer *out)
{
	const struct pool *pool = plan->chooser->pool;
	size_t tasks = batch_count(plan->batch), count = pool_count(pool), i;
	int decimals = decimals_for(measure->makespan);
	double slots = 0;

	for (i = 0; i < count; i++)
		slots += slots_of(pool_member(pool, (uint32_t)i));
	buffer_append_format(out,
	    "plan: %zu task%s on %zu instance%s (%.0f slot%s), %s, %s\n", tasks,
	    plural((double)tasks), count, plural((double)count), slots,
	    plural(slots), policy, order);
	if (measure->placed == 0)
		buffer_append_string(out, "no task was placed\n");
	else
		buffer_append_format(out,
		    "makespan %.*fs, at best %.*fs, ratio %.3f\n", decimals,
		    measure->makespan, decimals, measure->bound,
		    ratio_of(measure));
	if (measure->missed > 0 || measure->failed > 0)
		buffer_append_format(out,
		    "%zu deadline%s missed, %zu not placed\n", measure->missed,
		    plural((double)measure->missed), measure->failed);
}

/* How many tasks each member has.  NULL: no memory. */
static size_t *
count_tasks(const struct plan *plan)
{
	size_t *counts =
	    calloc(pool_count(plan->chooser->pool) + 1, sizeof(*counts));
	size_t i;

	for (i = 0; counts != NULL && i < batch_count(plan->batch); i++)
		if (plan->placements[i].member != PLAN_NOT_PLACED)
			counts[plan->placements[i].member]++;
	return counts;
}

static void
append_instances(const struct plan *plan, const struct plan_measure *measure,
    struct buffer *out)
{
	static const char *const headings[] = {
	    "INSTANCE", "SLOTS", "TASKS", "BUSY", "UTILIZATION"};
	static const bool right[] = {false, true, true, true, true};
	const struct pool *pool = plan->chooser->pool;
	struct columns *columns =
	    columns_new(headings, right, COUNT_OF(headings));
	size_t *tasks = count_tasks(plan), i;
	int decimals = decimals_for(measure->makespan);

	if (columns == NULL || tasks == NULL)
		out->failed = true;
	for (i = 0; !out->failed && i < pool_count(pool); i++) {
		const struct pool_member *member =
		    pool_member(pool, (uint32_t)i);

		columns_cell(columns, "%s/%s", member->instance->service,
		    member->instance->id);
		columns_cell(columns, "%.0f", slots_of(member));
		columns_cell(columns, "%zu", tasks[i]);
		columns_cell(columns, "%.*fs", decimals, measure->busy[i]);
		columns_cell(columns, "%.1f%%", 100 * measure->utilization[i]);
	}
	if (!out->failed)
		columns_append(columns, out);
	columns_free(columns);
	free(tasks);
}

/* Behind the cell with the name of whose wait it is. */
static void
add_wait(struct columns *columns, const struct plan_wait *wait, int decimals)
{
	columns_cell(columns, "%zu", wait->count);
	columns_cell(columns, "%.*fs", decimals, wait->mean);
	columns_cell(columns, "%.*fs", decimals, wait->p50);
	columns_cell(columns, "%.*fs", decimals, wait->p99);
	columns_cell(columns, "%.*fs", decimals, wait->most);
}

static void
add_group(struct columns *columns, const struct batch *batch, uint32_t group)
{
	if (group == BATCH_NO_GROUP)
		columns_cell(columns, "(none)");
	else
		columns_text(columns, batch_group(batch, group),
		    batch_group_length(batch, group));
}

/* All together, and where there are groups, each. */
static void
append_waits(const struct plan *plan, const struct plan_measure *measure,
    struct buffer *out)
{
	static const char *const headings[] = {
	    "GROUP", "TASKS", "MEAN WAIT", "P50", "P99", "MAX"};
	static const bool right[] = {false, true, true, true, true, true};
	struct columns *columns =
	    columns_new(headings, right, COUNT_OF(headings));
	int decimals = decimals_for(measure->makespan);
	size_t i;

	if (columns == NULL) {
		out->failed = true;
		return;
	}
	for (i = 0; i < measure->group_count; i++) {
		const struct plan_wait *wait = &measure->groups[i];

		if (wait->group == BATCH_NO_GROUP && measure->group_count == 1)
			break;
		add_group(columns, plan->batch, wait->group);
		add_wait(columns, wait, decimals);
	}
	columns_cell(columns, "(all)");
	add_wait(columns, &measure->all, decimals);
	columns_append(columns, out);
	columns_free(columns);
}

void
plan_report_summary(const struct plan *plan, const struct plan_measure *measure,
    const char *policy, const char *order, struct buffer *out)
{
	append_head(plan, measure, policy, order, out);
	append_instances(plan, measure, out);
	append_waits(plan, measure, out);
}

static void
add_row(struct columns *columns, const struct comparison_row *row, int decimals)
{
	const struct plan_measure *measure = &row->measure;

	columns_cell(columns, "%s", row->policy);
	columns_cell(columns, "%zu", measure->placed);
	columns_cell(columns, "%zu", measure->missed);
	columns_cell(columns, "%zu", measure->failed);
	columns_cell(columns, "%.*fs", decimals, measure->makespan);
	columns_cell(columns, "%.3f", ratio_of(measure));
	columns_cell(columns, "%.3f", measure->imbalance);
	columns_cell(columns, "%.*fs", decimals, measure->all.p50);
	columns_cell(columns, "%.*fs", decimals, measure->all.p99);
}

void
plan_report_compare(
    const struct comparison_row *rows, size_t count, struct buffer *out)
{
	static const char *const headings[] = {"POLICY", "PLACED", "MISSED",
	    "UNPLACED", "MAKESPAN", "RATIO", "IMBALANCE", "WAIT P50",
	    "WAIT P99"};
	static const bool right[] = {
	    false, true, true, true, true, true, true, true, true};
	struct columns *columns =
	    columns_new(headings, right, COUNT_OF(headings));
	double longest = 0;
	size_t i;

	if (columns == NULL) {
		out->failed = true;
		return;
	}
	for (i = 0; i < count; i++)
		longest = fmax(longest, rows[i].measure.makespan);
	for (i = 0; i < count; i++)
		add_row(columns, &rows[i], decimals_for(longest));
	columns_append(columns, out);
	columns_free(columns);
}

static void
append_number(struct buffer *out, const char *name, double number)
{
	buffer_append_format(out, ",\"%s\":", name);
	json_append_number(out, number);
}

void
plan_report_compare_json(
    const struct comparison_row *rows, size_t count, struct buffer *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct plan_measure *measure = &rows[i].measure;

		buffer_append_string(out, "{\"policy\":");
		json_append_string(out, rows[i].policy, strlen(rows[i].policy));
		append_number(out, "placed", (double)measure->placed);
		append_number(out, "missed", (double)measure->missed);
		append_number(out, "unplaced", (double)measure->failed);
		append_number(out, "makespan", measure->makespan);
		append_number(out, "bound", measure->bound);
		append_number(out, "ratio", ratio_of(measure));
		append_number(out, "imbalance", measure->imbalance);
		append_number(out, "wait_mean", measure->all.mean);
		append_number(out, "wait_p50", measure->all.p50);
		append_number(out, "wait_p99", measure->all.p99);
		append_number(out, "wait_max", measure->all.most);
		buffer_append_string(out, "}\n");
	}
}
