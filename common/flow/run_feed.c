#include "flow/run_feed.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/run_state.h"

#define CAPACITY_MIN 64

void
run_feed_release(struct run_feed *feed)
{
	size_t i;

	for (i = 0; i < feed->capacity; i++)
		free(feed->ids[i]);
	free(feed->ids);
	memset(feed, 0, sizeof(*feed));
}

static int
reserve(struct run_feed *feed, uint32_t task)
{
	size_t capacity = feed->capacity == 0 ? CAPACITY_MIN : feed->capacity;
	char **grown;

	while (capacity <= task)
		capacity *= 2;
	if (capacity == feed->capacity)
		return 0;
	grown = reallocarray(feed->ids, capacity, sizeof(*grown));
	if (grown == NULL)
		return -1;
	memset(grown + feed->capacity, 0,
	    (capacity - feed->capacity) * sizeof(*grown));
	feed->ids = grown;
	feed->capacity = capacity;
	return 0;
}

int
run_feed_name(struct run_feed *feed, uint32_t task, const char *id)
{
	char *copy = strdup(id);

	if (copy == NULL || reserve(feed, task) == -1) {
		free(copy);
		return -1;
	}
	free(feed->ids[task]);
	feed->ids[task] = copy;
	return 0;
}

const char *
run_feed_id(const struct run_feed *feed, uint32_t task)
{
	return task >= feed->capacity || feed->ids[task] == NULL
		   ? ""
		   : feed->ids[task];
}

void
run_feed_end(struct run *run, struct call_item *item)
{
	const struct run_source *source = run->options.source;
	const struct run_ended ended = {
	    .id = run_feed_id(&run->feed, item->number),
	    .line = &item->out,
	    .code = item->code,
	    .attempts = item->attempts,
	};

	source->ended(source->argument, &ended);
}

void
run_feed_clear(struct run *run)
{
	struct call_item *item;

	while ((item = call_queue_next(&run->queue)) != NULL)
		call_queue_drop(&run->queue, item);
}

void
run_feed(struct run *run)
{
	run_wake(run);
}

void
run_finish(struct run *run)
{
	run->intake.ended = true;
	run_wake(run);
}

size_t
run_vacant(struct run *run, const char *service)
{
	struct svc_error error;

	if (run->commands != NULL)
		return command_pool_vacant(run->commands);
	if (run->watch != NULL &&
	    call_watch_add(run->watch, service, false, &error) == -1) {
		run_fail(run, RUN_INPUT, &error);
		return 0;
	}
	return call_vacant(run->engine, service);
}

/* One that has not been handed over yet goes its way: what it comes to counts
 * for nothing. */
void
run_revoke(struct run *run, const char *id)
{
	struct call_item *item;

	TAILQ_FOREACH(item, &run->queue.active, link)
	if (!item->ended &&
	    strcmp(run_feed_id(&run->feed, item->number), id) == 0)
		break;
	if (item == NULL)
		return;
	if (run->commands != NULL)
		command_pool_revoke(run->commands, &item->task);
	else
		call_revoke(run->engine, &item->task);
}
