/*
 * A queue of the test's own, and a run that does nothing but take what a source
 * (queue_source.h) gives, and end it when it is told to.
 */
#ifndef SVCKIT_TESTS_QUEUE_FIXTURE_H
#define SVCKIT_TESTS_QUEUE_FIXTURE_H

#include <dirent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sysexits.h>

#include "flow/queue_source.h"
#include "line/json.h"
#include "registry/queue_change.h"
#include "registry/queue_submit.h"
#include "spool_fixture.h"

#define RUN_MAX	   2048
#define WAIT_LIMIT 30.0 /* seconds until what is waited for counts as failed */

struct fake_run {
	struct event_base *base;
	struct event *pump;
	struct event *tick; /* so that waiting looks at its clock */
	struct queue_source *source;
	struct queue_source_options options;
	size_t slots; /* of each service, but of "nobody" */
	bool begins; /* what is taken begins at once */
	bool ends; /* ... and ends, with a result */
	size_t taken; /* in all */
	size_t running;
	size_t most; /* of running, so far */
	char ids[RUN_MAX][32]; /* of those that run */
	char order[RUN_MAX * 8]; /* ids in the order in which they came */
	char line[4096]; /* the last one */
	char revoked[256]; /* ids */
	bool empty;
	int broken; /* the code */
	int warnings;
	char warning[600]; /* the last one */
};

static inline struct store *
queue_store(void)
{
	struct store *store = NULL;
	struct svc_error error;

	if (!CHECK(store_open(&store, spool, &error) == 0))
		exit(1);
	return store;
}

/* line has %s where its id belongs; the answer. */
static inline enum queue_answer
queue_put(const char *id, const char *members)
{
	struct queue_item item = {.id = id};
	struct store *store = queue_store();
	struct svc_error error;
	char line[1024];

	item.line = line;
	item.length = (size_t)snprintf(line, sizeof(line),
	    "{\"id\":\"%s\",\"task\":1%s%s}\n", id, *members == '\0' ? "" : ",",
	    members);
	CHECK(queue_create(store, &error) == 0);
	if (!CHECK(queue_submit(store, &item, 1, &error) == 0))
		printf("# %s\n", error.message);
	store_close(store);
	return item.answer;
}

static inline int
queue_alter(const char *id, enum queue_change change)
{
	struct store *store = queue_store();
	struct queue_place place;
	struct svc_error error;
	int changed = queue_change(store, id, change, false, &place, &error);

	store_close(store);
	return changed;
}

/* How many files are in tasks/DIRECTORY. */
static inline size_t
queue_files(const char *directory)
{
	char key[64];
	struct dirent *entry;
	size_t count = 0;
	DIR *stream;

	snprintf(key, sizeof(key), "tasks/%s", directory);
	stream = opendir(spool_path(key));
	if (stream == NULL)
		return 0;
	while ((entry = readdir(stream)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(stream);
	return count;
}

/* Whether tasks/KEY exists and, text not NULL, has text in it. */
static inline bool
queue_has(const char *key, const char *text)
{
	static char content[8192];
	char path[300];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "tasks/%s", key);
	file = fopen(spool_path(path), "re");
	if (file == NULL)
		return false;
	length = fread(content, 1, sizeof(content) - 1, file);
	content[length] = '\0';
	fclose(file);
	return text == NULL || strstr(content, text) != NULL;
}

static inline size_t
run_find(const struct fake_run *run, const char *id)
{
	size_t i;

	for (i = 0; i < run->running; i++)
		if (strcmp(run->ids[i], id) == 0)
			break;
	return i;
}

/* One that runs ends so. */
static inline void
run_end(struct fake_run *run, const char *id, enum task_code code, int attempts,
    const char *members)
{
	struct run_ended ended = {.id = id, .code = code, .attempts = attempts};
	struct buffer line = BUFFER_INIT;
	size_t i = run_find(run, id);
	char copy[32];

	if (!CHECK(i < run->running))
		return;
	snprintf(copy, sizeof(copy), "%s", id);
	ended.id = copy;
	memcpy(run->ids[i], run->ids[--run->running], sizeof(run->ids[i]));
	buffer_append_format(
	    &line, "{\"id\":\"%s\",\"task\":1%s", copy, members);
	if (code == CODE_NONE)
		buffer_append_string(&line, ",\"result\":{\"n\":1}}\n");
	else
		buffer_append_format(&line, ",\"error\":{\"code\":\"%s\"}}\n",
		    task_code_name(code));
	ended.line = &line;
	queue_source_ended(run->source, &ended);
	buffer_release(&line);
}

/* Behind a space, where it is not the first one and there is room. */
static inline void
add_word(char *words, size_t size, const char *word)
{
	size_t used = strlen(words);

	snprintf(words + used, size - used, "%s%s", used == 0 ? "" : " ", word);
}

static inline void
run_take(struct fake_run *run, const struct line *line)
{
	const struct json_span text = {line->data, line->length};
	struct json_value value;
	char *id = run->ids[run->running];

	CHECK(json_path(text, "id", &value) == 1 &&
	      json_string(&value, id, sizeof(run->ids[0])) > 0);
	snprintf(run->line, sizeof(run->line), "%.*s", (int)line->length,
	    line->data);
	run->taken++;
	run->running++;
	if (run->running > run->most)
		run->most = run->running;
	add_word(run->order, sizeof(run->order), id);
	if (run->begins)
		queue_source_begun(run->source, id);
}

static inline void
on_pump(evutil_socket_t fd, short what, void *argument)
{
	struct fake_run *run = argument;
	struct svc_error error;
	struct line line;

	(void)fd;
	(void)what;
	while (queue_source_next(run->source, &line, &error) == 1)
		run_take(run, &line);
	while (run->ends && run->running > 0)
		run_end(run, run->ids[0], CODE_NONE, 1, "");
}

static inline size_t
on_vacant(void *argument, const char *service)
{
	const struct fake_run *run = argument;

	if (strcmp(service, "nobody") == 0 || run->running >= run->slots)
		return 0;
	return run->slots - run->running;
}

static inline void
on_feed(void *argument)
{
	static const struct timeval now = {0, 0};
	struct fake_run *run = argument;

	evtimer_add(run->pump, &now);
}

static inline void
on_revoke(void *argument, const char *id)
{
	struct fake_run *run = argument;

	CHECK(run_find(run, id) < run->running);
	add_word(run->revoked, sizeof(run->revoked), id);
}

static inline void
on_empty(void *argument)
{
	struct fake_run *run = argument;

	CHECK(!run->empty);
	run->empty = true;
}

static inline void
on_broken(void *argument, const struct svc_error *error)
{
	((struct fake_run *)argument)->broken = error->code;
}

static inline void
on_warn(void *argument, const char *message)
{
	struct fake_run *run = argument;

	run->warnings++;
	snprintf(run->warning, sizeof(run->warning), "%s", message);
}

static inline void
on_tick(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
}

/* One that begins what it takes; base NULL: its own. */
static inline struct fake_run *
run_new(struct event_base *base)
{
	static const struct timeval interval = {0, 10000};
	struct fake_run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		exit(1);
	run->base = base == NULL ? event_base_new() : base;
	run->pump = evtimer_new(run->base, on_pump, run);
	run->tick = event_new(run->base, -1, EV_PERSIST, on_tick, NULL);
	event_add(run->tick, &interval);
	run->slots = 100;
	run->begins = true;
	run->options.place = spool;
	run->options.claimant.host = "unit";
	run->options.claims_max = 1000;
	run->options.vacant = on_vacant;
	run->options.feed = on_feed;
	run->options.revoke = on_revoke;
	run->options.empty = on_empty;
	run->options.broken = on_broken;
	run->options.warn = on_warn;
	run->options.argument = run;
	return run;
}

static inline void
run_open_source(struct fake_run *run)
{
	struct svc_error error;

	if (!CHECK(queue_source_open(
		       &run->source, run->base, &run->options, &error) == 0)) {
		printf("# %s\n", error.message);
		exit(1);
	}
}

/* The loop runs until held() says so: whether it did in time. */
static inline bool
run_until(struct fake_run *run, bool (*held)(struct fake_run *run))
{
	double limit = time_monotonic() + WAIT_LIMIT;

	while (!held(run) && time_monotonic() < limit)
		event_base_loop(run->base, EVLOOP_ONCE);
	return held(run);
}

/* Lets all happen that can within so many seconds. */
static inline void
run_for(struct fake_run *run, double seconds)
{
	double limit = time_monotonic() + seconds;

	while (time_monotonic() < limit)
		event_base_loop(run->base, EVLOOP_ONCE);
}

/* -1, or 0. */
static inline int
run_close_source(struct fake_run *run)
{
	struct svc_error error;
	int result = queue_source_close(run->source, &error);

	run->source = NULL;
	evtimer_del(run->pump);
	return result;
}

static inline void
run_free(struct fake_run *run, bool base)
{
	event_free(run->pump);
	event_free(run->tick);
	if (base)
		event_base_free(run->base);
	free(run);
}

static inline struct queue_source_counts
run_counts_of(const struct fake_run *run)
{
	struct queue_source_counts counts;

	queue_source_counts(run->source, &counts);
	return counts;
}

#endif
