/* Whether a file is a workflow: everybody that is waited for is there, and
 * nobody waits for himself, by whatever way. */
#include <stdlib.h>
#include <sysexits.h>

#include "flow/run_state.h"

/* Faults that are told one by one; tasks of a cycle that are named. */
#define FAULTS_TOLD 20
#define CYCLE_TOLD  12

int
run_link(struct run *run, uint32_t task, uint32_t name, bool bound,
    struct svc_error *error)
{
	struct run_link *grown;
	size_t wanted;

	if (run->pending_count == run->pending_capacity) {
		wanted = run->pending_capacity == 0 ? 256
						    : 2 * run->pending_capacity;
		grown = reallocarray(run->pending, wanted, sizeof(*grown));
		if (grown == NULL)
			return svc_error_set(error, EX_OSERR, "out of memory");
		run->pending = grown;
		run->pending_capacity = wanted;
	}
	run->pending[run->pending_count].task = task;
	run->pending[run->pending_count].name = name;
	run->pending[run->pending_count++].bound = bound;
	return 0;
}

static unsigned long
line_of(const struct run *run, uint32_t task)
{
	return task_table_get(&run->tasks, task)->number;
}

static void
tell_unknown(struct run *run, const struct run_link *link)
{
	if (run->faults++ >= FAULTS_TOLD)
		return;
	run_warn(run, "%s:%lu: \"%s\": no task has the id '%s'",
	    run->item.envelope.source, line_of(run, link->task),
	    link->bound ? "bind" : "after",
	    name_table_name(&run->tasks.ids, link->name));
}

/* The links, once all tasks are known. */
static int
make_links(struct run *run, struct svc_error *error)
{
	const struct run_link *link;
	uint32_t other;
	size_t i;

	for (i = 0; i < run->pending_count; i++) {
		link = &run->pending[i];
		other = task_table_find(&run->tasks, link->name);
		if (other == TASK_NONE) {
			tell_unknown(run, link);
			continue;
		}
		if (link->bound)
			task_table_get(&run->tasks, other)->needed = true;
		if (dependencies_link(
			run->dependencies, link->task, other, error) == -1)
			return -1;
	}
	free(run->pending);
	run->pending = NULL;
	run->pending_count = run->pending_capacity = 0;
	return 0;
}

/* Where to begin: at the task whose line comes first. */
static size_t
first_of(const struct run *run, const uint32_t *cycle, size_t length)
{
	size_t first = 0, i;

	for (i = 1; i < length; i++)
		if (line_of(run, cycle[i]) < line_of(run, cycle[first]))
			first = i;
	return first;
}

/* "a (line 1) waits for b (line 2), which waits for a" */
static void
tell_cycle(struct run *run, const uint32_t *cycle, size_t length)
{
	size_t i, told = length < CYCLE_TOLD ? length : CYCLE_TOLD;
	size_t first = first_of(run, cycle, length);
	struct buffer text = BUFFER_INIT;
	const char *words;
	uint32_t task;

	run->faults++;
	for (i = 0; i < told; i++) {
		task = cycle[(first + i) % length];
		buffer_append_format(&text, "%s (line %lu), which waits for ",
		    task_table_id(&run->tasks, task), line_of(run, task));
	}
	if (told < length)
		buffer_append_format(
		    &text, "%zu others, the last for ", length - told);
	buffer_append_string(&text, task_table_id(&run->tasks, cycle[first]));
	words = buffer_string(&text);
	run_warn(run, "%s: a cycle: %s", run->item.envelope.source,
	    words == NULL ? "" : words);
	buffer_release(&text);
}

int
run_check(struct run *run, struct svc_error *error)
{
	uint32_t *cycle = NULL;
	size_t length;
	int found = 0;

	if (make_links(run, error) == -1)
		return -1;
	if (run->faults == 0)
		found = dependencies_cycle(
		    run->dependencies, &cycle, &length, error);
	if (found == -1)
		return -1;
	if (found == 1)
		tell_cycle(run, cycle, length);
	free(cycle);
	if (run->faults == 0)
		return 0;
	if (run->faults > FAULTS_TOLD)
		run_warn(run, "%s: %zu faults more", run->item.envelope.source,
		    run->faults - FAULTS_TOLD);
	return svc_error_set(error, EX_DATAERR,
	    "%s: no workflow: nothing was started", run->item.envelope.source);
}
