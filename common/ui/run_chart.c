#include "ui/run_chart.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ui/gantt_axis.h"

/* What a chart is drawn from. */
struct drawing {
	struct run_bars *run;
	struct run_place **order; /* by service and id */
	struct gantt_lane *lanes;
	uint32_t *group_of; /* of what bars have as groups */
	const char **groups; /* those that are to be seen */
	size_t group_count;
};

static void
drawing_release(struct drawing *drawing)
{
	free(drawing->order);
	free(drawing->lanes);
	free(drawing->group_of);
	free(drawing->groups);
}

static int
drawing_reserve(struct drawing *drawing)
{
	const struct run_bars *run = drawing->run;
	size_t services = run->services.count;

	/* one more than needed: of nothing there is an array, too */
	drawing->order = calloc(run->names.count + 1, sizeof(*drawing->order));
	drawing->lanes = calloc(run->slot_count + 1, sizeof(*drawing->lanes));
	drawing->group_of =
	    calloc(services * REQUEST_ENDS + 1, sizeof(*drawing->group_of));
	drawing->groups =
	    calloc(services + REQUEST_ENDS, sizeof(*drawing->groups));
	return drawing->order == NULL || drawing->lanes == NULL ||
		       drawing->group_of == NULL || drawing->groups == NULL
		   ? -1
		   : 0;
}

static int
compare_places(const void *one, const void *other)
{
	const struct run_place *const *a = one, *const *b = other;
	int order = strcmp((*a)->service, (*b)->service);

	return order != 0 ? order : strcmp((*a)->name, (*b)->name);
}

/* Those of an instance stand together, and those of a service. */
static void
make_lanes(struct drawing *drawing)
{
	struct run_bars *run = drawing->run;
	struct gantt_lane *lane = drawing->lanes;
	bool several = run->services.count > 1;
	struct run_place *place;
	uint32_t slot;
	size_t i;

	for (i = 0; i < run->names.count; i++)
		drawing->order[i] = &run->places[i];
	qsort(drawing->order, run->names.count, sizeof(*drawing->order),
	    compare_places);
	for (i = 0; i < run->names.count; i++) {
		place = drawing->order[i];
		place->first = (uint32_t)(lane - drawing->lanes);
		for (slot = 0; slot < place->slots; slot++, lane++) {
			lane->name = place->name;
			if (!several)
				lane->name += strlen(place->service) + 1;
			lane->slot = slot;
		}
	}
}

/* The group of what ended so, of one service or of all; used: if there is no
 * such, too. */
static void
add_group(struct drawing *drawing, uint32_t service, size_t count,
    enum request_end end, const char *name, bool used)
{
	uint32_t *group = drawing->group_of + service * REQUEST_ENDS + end;
	size_t i;

	for (i = 0; i < count; i++) {
		used |= group[i * REQUEST_ENDS] != 0;
		group[i * REQUEST_ENDS] = (uint32_t)drawing->group_count;
	}
	if (used)
		drawing->groups[drawing->group_count++] = name;
}

/*
 * A legend is of what is to be seen, and of all services that were called: one
 * without a bar of its own has brought nothing.
 */
static void
make_groups(struct drawing *drawing)
{
	const struct run_bars *run = drawing->run;
	const struct run_place *place, *before = NULL;
	size_t services = run->services.count, i;

	for (i = 0; i < run->bar_count; i++)
		drawing->group_of[run->bars[i].group] = 1;
	for (i = 0; i < run->names.count; i++, before = place) {
		place = drawing->order[i];
		if (before != NULL && before->number == place->number)
			continue;
		add_group(drawing, place->number, 1, REQUEST_RESULT,
		    place->service[0] == '\0' ? "result" : place->service,
		    place->service[0] != '\0');
	}
	add_group(drawing, 0, services, REQUEST_FAILED, "failed", false);
	add_group(drawing, 0, services, REQUEST_BUSY, "busy", false);
	add_group(drawing, 0, services, REQUEST_DROPPED, "dropped", false);
}

static void
place_bars(struct drawing *drawing)
{
	struct run_bars *run = drawing->run;
	const struct run_slot *slot;
	struct gantt_bar *bar;
	size_t i;

	for (i = 0; i < run->bar_count; i++) {
		bar = &run->bars[i];
		slot = &run->slots[bar->lane];
		bar->lane = run->places[slot->place].first + slot->number;
		bar->group = drawing->group_of[bar->group];
	}
}

static void
append_count(struct buffer *out, size_t count, const char *what)
{
	buffer_append_format(
	    out, "%zu %s%s", count, what, count == 1 ? "" : "s");
}

static void
append_subtitle(
    const struct run_bars *run, const char *note, struct buffer *out)
{
	buffer_append_format(out, "%s%s", note, *note == '\0' ? "" : "; ");
	append_count(out, run->names.count, "instance");
	buffer_append_string(out, ", ");
	append_count(out, run->slot_count, "slot");
	buffer_append_string(out, "; ");
	append_count(out, run->bar_count, "attempt");
	buffer_append_string(out, "; makespan ");
	gantt_time(out, run->end);
}

static void
draw(const struct drawing *drawing, const char *title, const char *subtitle,
    struct buffer *out)
{
	const struct run_bars *run = drawing->run;
	const struct gantt gantt = {.title = title,
	    .subtitle = subtitle,
	    .lanes = drawing->lanes,
	    .lane_count = run->slot_count,
	    .bars = run->bars,
	    .bar_count = run->bar_count,
	    .groups = drawing->groups,
	    .group_count = drawing->group_count,
	    .end = run->end,
	    .marker = -1};

	gantt_append(&gantt, out);
}

int
run_chart_append(struct run_bars *run, const char *title, const char *note,
    double now, struct buffer *out, struct svc_error *error)
{
	struct drawing drawing = {.run = run};
	struct buffer subtitle = BUFFER_INIT;
	int result = -1;

	if (run->failed || drawing_reserve(&drawing) == -1)
		goto out;
	run_bars_stop(run, now);
	make_lanes(&drawing);
	make_groups(&drawing);
	place_bars(&drawing);
	append_subtitle(run, note, &subtitle);
	if (buffer_string(&subtitle) == NULL)
		goto out;
	draw(&drawing, title, subtitle.data, out);
	result = buffer_failed(out) ? -1 : 0;
out:
	drawing_release(&drawing);
	buffer_release(&subtitle);
	if (result == -1)
		svc_error_set(error, EX_OSERR, "out of memory");
	return result;
}
