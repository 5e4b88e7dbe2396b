#include "ui/plan_chart.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/json.h"
#include "sched/pool.h"
#include "ui/gantt.h"
#include "ui/gantt_axis.h"

/* Of an instance with more slots only those are drawn that something uses. */
#define IDLE_SLOTS_MAX 64
/* The same, of all instances. */
#define LANES_MAX 20000

/* What a chart is made of. */
struct chart {
	const struct plan *plan; /* borrowed */
	struct pool *pool;
	uint32_t *lanes_of; /* each member: how many lanes, then the first */
	size_t member_count; /* those that have lanes */
	struct buffer names; /* of those */
	struct gantt_lane *lanes;
	size_t lane_count;
	struct gantt_bar *bars;
	size_t bar_count;
	uint32_t *group_of; /* each group of the batch: where it stands in */
	const char **groups; /* those with a bar */
	size_t group_count;
	struct buffer labels; /* of tasks that were given no id */
};

static void
chart_release(struct chart *chart)
{
	free(chart->lanes_of);
	free(chart->lanes);
	free(chart->bars);
	free(chart->group_of);
	free(chart->groups);
	buffer_release(&chart->names);
	buffer_release(&chart->labels);
}

static const struct plan_placement *
placement_of(const struct chart *chart, size_t task)
{
	return &chart->plan->placements[task];
}

static size_t
task_count(const struct chart *chart)
{
	return batch_count(chart->plan->batch);
}

/*
 * Gives members the lanes of their slots, one to those with more than idle_max;
 * none to what gets no task.
 */
static void
count_slots(
    struct chart *chart, uint32_t first, size_t count, uint32_t idle_max)
{
	const struct pool_member *member;
	uint32_t slots;
	size_t i;

	for (i = first; i < first + count; i++) {
		member = pool_member(chart->pool, (uint32_t)i);
		if (!pool_works(chart->pool, (uint32_t)i) ||
		    member->slots <= 0 || member->speed <= 0)
			continue;
		slots = plan_slots(member->slots);
		chart->lanes_of[i] = slots <= idle_max ? slots : 1;
	}
}

/* The lanes of a service that is used. */
static void
count_service(struct chart *chart, uint32_t member, uint32_t idle_max)
{
	uint32_t first;
	size_t count;

	pool_range(chart->pool,
	    pool_member(chart->pool, member)->instance->service, &first,
	    &count);
	count_slots(chart, first, count, idle_max);
}

/* Of services that are used; of all, when there is nothing to be seen. */
static void
count_lanes(struct chart *chart, uint32_t idle_max)
{
	size_t members = pool_count(chart->pool), i;
	const struct plan_placement *placement;

	memset(chart->lanes_of, 0, members * sizeof(*chart->lanes_of));
	chart->bar_count = chart->lane_count = chart->member_count = 0;
	for (i = 0; i < task_count(chart); i++) {
		placement = placement_of(chart, i);
		if (placement->member == PLAN_NOT_PLACED)
			continue;
		chart->bar_count++;
		if (chart->lanes_of[placement->member] == 0)
			count_service(chart, placement->member, idle_max);
		if (chart->lanes_of[placement->member] <= placement->slot)
			chart->lanes_of[placement->member] =
			    placement->slot + 1;
	}
	if (chart->bar_count == 0)
		count_slots(chart, 0, members, idle_max);
	for (i = 0; i < members; i++) {
		chart->lane_count += chart->lanes_of[i];
		chart->member_count += chart->lanes_of[i] > 0;
	}
}

/* Writes the names of what has lanes, each ended by NUL: "render/web1". */
static void
make_names(struct chart *chart)
{
	size_t i;

	for (i = 0; i < pool_count(chart->pool); i++) {
		const struct instance *instance =
		    pool_member(chart->pool, (uint32_t)i)->instance;

		if (chart->lanes_of[i] == 0)
			continue;
		if (pool_services(chart->pool) > 1)
			buffer_append_format(
			    &chart->names, "%s/", instance->service);
		buffer_append(
		    &chart->names, instance->id, strlen(instance->id) + 1);
	}
}

/* Turns numbers of lanes into the first one of each member. */
static void
make_lanes(struct chart *chart)
{
	size_t members = pool_count(chart->pool), i;
	struct gantt_lane *lane = chart->lanes;
	const char *name = chart->names.data;
	uint32_t count, slot;

	for (i = 0; i < members; i++) {
		count = chart->lanes_of[i];
		chart->lanes_of[i] = (uint32_t)(lane - chart->lanes);
		for (slot = 0; slot < count; slot++, lane++) {
			lane->name = name;
			lane->slot = slot;
		}
		if (count > 0)
			name += strlen(name) + 1;
	}
}

/* The id that the line gives; what was wrapped, and made ones, have none. */
static int
given_id(const struct batch_task *task, struct json_span *id)
{
	struct json_span line = {task->line, task->length};
	struct json_value value;

	if (line.length == 0 || line.data[0] != '{' ||
	    !json_valid(line.data, line.length) ||
	    json_path(line, "task", &value) == 0 ||
	    json_path(line, "id", &value) == 0 || value.type != JSON_STRING ||
	    value.span.length < 2)
		return 0;
	id->data = value.span.data + 1;
	id->length = value.span.length - 2;
	return 1;
}

static void
make_bar(struct chart *chart, size_t task, struct gantt_bar *bar)
{
	const struct plan_placement *placement = placement_of(chart, task);
	const struct batch_task *held = &batch_tasks(chart->plan->batch)[task];
	struct json_span id;

	bar->lane = chart->lanes_of[placement->member] + placement->slot;
	bar->group = chart->group_of[held->group];
	bar->start = placement->start;
	bar->end = placement->end;
	if (given_id(held, &id)) {
		bar->label = id.data;
		bar->label_length = id.length;
		return;
	}
	/* told apart by NULL until all labels stand where they stay */
	bar->label = NULL;
	bar->label_length = chart->labels.length;
	buffer_append_format(
	    &chart->labels, "line %llu", (unsigned long long)held->number);
	buffer_append_char(&chart->labels, '\0');
}

static int
make_bars(struct chart *chart)
{
	struct gantt_bar *bar = chart->bars;
	size_t i;

	for (i = 0; i < task_count(chart); i++)
		if (placement_of(chart, i)->member != PLAN_NOT_PLACED)
			make_bar(chart, i, bar++);
	if (buffer_failed(&chart->labels))
		return -1;
	for (i = 0; i < chart->bar_count; i++) {
		bar = &chart->bars[i];
		if (bar->label != NULL)
			continue;
		bar->label = chart->labels.data + bar->label_length;
		bar->label_length = strlen(bar->label);
	}
	return 0;
}

/* A legend is of what is to be seen. */
static void
find_groups(struct chart *chart)
{
	struct batch *batch = chart->plan->batch;
	uint32_t group;
	size_t i;

	for (i = 0; i < task_count(chart); i++)
		if (placement_of(chart, i)->member != PLAN_NOT_PLACED)
			chart->group_of[batch_tasks(batch)[i].group] = 1;
	for (group = 0; group < batch_groups(batch); group++) {
		if (chart->group_of[group] == 0)
			continue;
		chart->group_of[group] = (uint32_t)chart->group_count;
		chart->groups[chart->group_count++] = batch_group(batch, group);
	}
}

static int
chart_make(struct chart *chart)
{
	struct batch *batch = chart->plan->batch;

	/* one more than needed: of nothing there is an array too */
	chart->lanes_of =
	    calloc(pool_count(chart->pool) + 1, sizeof(*chart->lanes_of));
	if (chart->lanes_of == NULL)
		return -1;
	count_lanes(chart, IDLE_SLOTS_MAX);
	if (chart->lane_count > LANES_MAX)
		count_lanes(chart, 0);
	make_names(chart);
	chart->lanes = calloc(chart->lane_count + 1, sizeof(*chart->lanes));
	chart->bars = calloc(chart->bar_count + 1, sizeof(*chart->bars));
	chart->groups = calloc(batch_groups(batch) + 1, sizeof(*chart->groups));
	chart->group_of =
	    calloc(batch_groups(batch) + 1, sizeof(*chart->group_of));
	if (chart->lanes == NULL || chart->bars == NULL ||
	    chart->groups == NULL || chart->group_of == NULL ||
	    buffer_failed(&chart->names))
		return -1;
	make_lanes(chart);
	find_groups(chart);
	return make_bars(chart);
}

static const char *
plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void
append_title(const struct plan_measure *measure, const char *policy,
    const char *order, struct buffer *out)
{
	buffer_append_format(out, "%zu task%s, %s, %s", measure->placed,
	    plural(measure->placed), policy, order);
}

static void
append_subtitle(const struct chart *chart, const struct plan_measure *measure,
    struct buffer *out)
{
	buffer_append_format(out, "%zu instance%s, %zu slot%s drawn",
	    chart->member_count, plural(chart->member_count), chart->lane_count,
	    plural(chart->lane_count));
	buffer_append_string(out, "; makespan ");
	gantt_time(out, measure->makespan);
	buffer_append_string(out, ", at best ");
	gantt_time(out, measure->bound);
	if (measure->bound > 0)
		buffer_append_format(
		    out, ", ratio %.3f", measure->makespan / measure->bound);
	if (measure->missed > 0)
		buffer_append_format(out, "; %zu deadline%s missed",
		    measure->missed, plural(measure->missed));
	if (measure->failed > 0)
		buffer_append_format(out, "; %zu not placed", measure->failed);
}

int
plan_chart_append(const struct plan *plan, const struct plan_measure *measure,
    const char *policy, const char *order, struct buffer *out,
    struct svc_error *error)
{
	struct buffer title = BUFFER_INIT, subtitle = BUFFER_INIT;
	struct chart chart = {.plan = plan,
	    .pool = plan->chooser->pool,
	    .labels = BUFFER_INIT,
	    .names = BUFFER_INIT};
	int result = -1;

	if (chart_make(&chart) == 0) {
		append_title(measure, policy, order, &title);
		append_subtitle(&chart, measure, &subtitle);
	} else {
		title.failed = true;
	}
	if (buffer_string(&title) != NULL && buffer_string(&subtitle) != NULL) {
		struct gantt gantt = {.title = title.data,
		    .subtitle = subtitle.data,
		    .lanes = chart.lanes,
		    .lane_count = chart.lane_count,
		    .bars = chart.bars,
		    .bar_count = chart.bar_count,
		    .groups = chart.groups,
		    .group_count = chart.group_count,
		    .end = measure->makespan,
		    .marker = measure->bound,
		    .marker_name = "at best"};

		gantt_append(&gantt, out);
		result = buffer_failed(out) ? -1 : 0;
	}
	chart_release(&chart);
	buffer_release(&title);
	buffer_release(&subtitle);
	if (result == -1)
		svc_error_set(error, EX_OSERR, "out of memory");
	return result;
}
