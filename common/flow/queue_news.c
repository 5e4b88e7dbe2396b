#include "flow/queue_news.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"
#include "line/units.h"
#include "store/store.h"

/* Seconds that a slice of the listing takes at most, but for its last value. */
#define SLICE 0.01
/* Seconds after which all is told anew where nothing can be followed. */
#define POLL_INTERVAL 2
/* Values larger than that are rare: their memory is given back. */
#define KEPT_BUFFER (128UL * 1024)

struct queue_news {
	struct queue_news_options options;
	struct event_base *base;
	struct store *store;
	struct store_watch *watch; /* NULL: nothing can be followed */
	struct event *readable;
	struct event *slice; /* the next one, or to look at all again */
	struct buffer keys; /* to be read yet, each with its NUL */
	size_t offset; /* of the next one */
	size_t told; /* of them */
	bool whole;
	bool restart; /* events were lost */
	bool again; /* something could not be read */
	struct buffer value;
};

static void
warn_error(const struct queue_news *news, const struct svc_error *error)
{
	news->options.warn(news->options.argument, error->message);
}

/* What is there that cannot be read is for whoever claims it. */
static void
tell_place(
    struct queue_news *news, const struct queue_place *place, const char *key)
{
	const struct queue_news_options *options = &news->options;
	struct store_entry entry;
	struct svc_error error;
	int got = store_get(
	    news->store, key, STORE_VALUE_MAX, &news->value, &entry, &error);

	if (got == 1) {
		options->waits(options->argument, place, &entry);
	} else if (got == -1 && error.code == EX_OSERR) {
		/* Nothing is wrong with the task: it is looked for later. */
		warn_error(news, &error);
		news->again = true;
	} else if (got == -1 && error.code != EX_DATAERR) {
		warn_error(news, &error);
	} else if (got == -1 || store_exists(news->store, key, &error) == 1) {
		options->waits(options->argument, place, NULL);
	} else {
		options->left(options->argument, place);
	}
	buffer_trim(&news->value, KEPT_BUFFER);
}

void
queue_news_look(struct queue_news *news, const struct queue_place *place)
{
	char key[QUEUE_KEY_MAX];

	queue_key(place, key);
	tell_place(news, place, key);
	news->options.told(news->options.argument);
}

static void
tell_change(struct queue_news *news, const char *key)
{
	const struct queue_news_options *options = &news->options;
	struct queue_place place;

	if (strncmp(key, "tasks/claimants/", strlen("tasks/claimants/")) == 0) {
		options->claimants(options->argument);
		return;
	}
	if (!queue_place_read(&place, key))
		return;
	switch (place.state) {
	case QUEUE_WAITING:
		tell_place(news, &place, key);
		break;
	case QUEUE_RUNNING:
		options->running(options->argument, &place);
		break;
	case QUEUE_DONE:
	case QUEUE_FAILED:
		options->ended(options->argument, place.id);
		break;
	default:
		break;
	}
}

static void
on_change(void *argument, const struct store_change *change)
{
	struct queue_news *news = argument;

	if (change->kind == STORE_CHANGED)
		tell_change(news, change->key);
	else
		news->restart = true;
}

static int
keep_key(void *argument, const char *key, struct svc_error *error)
{
	struct buffer *keys = argument;

	buffer_append(keys, key, strlen(key) + 1);
	return buffer_failed(keys)
		   ? svc_error_set(error, EX_OSERR, "out of memory")
		   : 0;
}

static void
plan_slice(struct queue_news *news, double seconds)
{
	const struct timeval wait = duration_timeval(seconds);

	(void)evtimer_add(news->slice, &wait);
}

static void
unfollow(struct queue_news *news)
{
	if (news->readable != NULL)
		event_free(news->readable);
	news->readable = NULL;
	store_watch_close(news->watch);
	news->watch = NULL;
}

static void
ignore_change(void *argument, const struct store_change *change)
{
	(void)argument;
	(void)change;
}

static void on_readable(evutil_socket_t fd, short what, void *argument);

static int
follow(struct queue_news *news, struct svc_error *error)
{
	static const enum queue_state states[] = {
	    QUEUE_DONE, QUEUE_FAILED, QUEUE_RUNNING};
	size_t i;

	if (store_watch_open(news->store, queue_directory(QUEUE_WAITING),
		&news->watch, error) == -1) {
		news->watch = NULL;
		return -1;
	}
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (store_watch_add(
			news->watch, queue_directory(states[i]), error) == -1)
			return -1;
	if (store_watch_add(news->watch, "tasks/claimants", error) == -1)
		return -1;
	news->readable =
	    event_new(news->base, store_watch_descriptor(news->watch),
		EV_READ | EV_PERSIST, on_readable, news);
	if (news->readable == NULL || event_add(news->readable, NULL) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	/* It says that all is to be listed, which comes next anyway. */
	return store_watch_read(news->watch, ignore_change, NULL, error);
}

/* Follows, where it does not, and takes the keys of all that waits. */
static int
begin(struct queue_news *news, struct svc_error *error)
{
	if (news->watch == NULL && follow(news, error) == -1) {
		unfollow(news);
		warn_error(news, error);
	}
	buffer_clear(&news->keys);
	news->offset = news->told = 0;
	news->whole = news->restart = false;
	if (store_keys(news->store, queue_directory(QUEUE_WAITING), keep_key,
		&news->keys, error) == -1)
		return -1;
	plan_slice(news, 0);
	return 0;
}

/* All is told anew.  Where that fails it is tried again. */
static void
begin_again(struct queue_news *news)
{
	const struct queue_news_options *options = &news->options;
	struct svc_error error;

	options->restarted(options->argument);
	options->running(options->argument, NULL);
	options->claimants(options->argument);
	if (begin(news, &error) == -1) {
		warn_error(news, &error);
		buffer_clear(&news->keys);
		news->restart = true;
		plan_slice(news, POLL_INTERVAL);
	}
}

static void
end_listing(struct queue_news *news)
{
	news->whole = true;
	buffer_release(&news->keys);
	buffer_init(&news->keys);
	news->restart = news->again;
	news->again = false;
	if (news->watch == NULL || news->restart)
		plan_slice(news, POLL_INTERVAL);
}

static void
read_slice(struct queue_news *news)
{
	double until = time_monotonic() + SLICE;
	struct queue_place place;
	const char *key;

	while (news->offset < news->keys.length) {
		key = news->keys.data + news->offset;
		news->offset += strlen(key) + 1;
		news->told++;
		if (queue_place_read(&place, key))
			tell_place(news, &place, key);
		if (time_monotonic() >= until)
			break;
	}
	if (news->offset < news->keys.length)
		plan_slice(news, 0);
	else
		end_listing(news);
}

static void
on_slice(evutil_socket_t fd, short what, void *argument)
{
	struct queue_news *news = argument;

	(void)fd;
	(void)what;
	if (news->restart || (news->whole && news->watch == NULL))
		begin_again(news);
	else
		read_slice(news);
	news->options.told(news->options.argument);
}

void
queue_news_read(struct queue_news *news)
{
	struct svc_error error;

	if (news->watch == NULL)
		return;
	if (store_watch_read(news->watch, on_change, news, &error) == -1) {
		warn_error(news, &error);
		unfollow(news);
		news->restart = true;
	}
	if (news->restart)
		begin_again(news);
}

static void
on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct queue_news *news = argument;

	(void)fd;
	(void)what;
	queue_news_read(news);
	news->options.told(news->options.argument);
}

int
queue_news_open(struct queue_news **result, struct event_base *base,
    struct store *store, const struct queue_news_options *options,
    struct svc_error *error)
{
	struct queue_news *news = calloc(1, sizeof(*news));

	*result = NULL;
	if (news == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	news->options = *options;
	news->base = base;
	news->store = store;
	news->slice = evtimer_new(base, on_slice, news);
	if (news->slice == NULL) {
		free(news);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	if (begin(news, error) == -1) {
		queue_news_close(news);
		return -1;
	}
	*result = news;
	return 0;
}

void
queue_news_close(struct queue_news *news)
{
	if (news == NULL)
		return;
	unfollow(news);
	event_free(news->slice);
	buffer_release(&news->keys);
	buffer_release(&news->value);
	free(news);
}

bool
queue_news_begun(const struct queue_news *news)
{
	return news->whole || news->told >= QUEUE_NEWS_FIRST;
}

bool
queue_news_whole(const struct queue_news *news)
{
	return news->whole;
}
