#include "registry/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "registry/stream_roster.h"

struct stream {
	struct stream_options options;
	struct stream_counts counts;
	struct stream_roster roster;
	int64_t began; /* ms since 1970 */
	struct buffer line;
	bool failed;
	const char *because; /* a selector's reason to tell, or NULL */
};

int
stream_open(struct stream **stream, const struct stream_options *options,
    struct svc_error *error)
{
	*stream = calloc(1, sizeof(**stream));
	if (*stream == NULL)
		return svc_error_errno(error, "stream");
	(*stream)->options = *options;
	(*stream)->counts.lag = -1;
	(*stream)->began = time_now();
	buffer_init(&(*stream)->line);
	return 0;
}

void
stream_close(struct stream *stream)
{
	if (stream == NULL)
		return;
	stream_roster_release(&stream->roster);
	buffer_release(&stream->line);
	free(stream);
}

/* NULL without memory, which stream_failed() tells. */
static struct stream_service *
service_of(struct stream *stream, const char *name)
{
	struct stream_service *service =
	    stream_roster_add(&stream->roster, name);

	if (service == NULL)
		stream->failed = true;
	return service;
}

/* Hands the line that was made to the teller. */
static void
tell_line(struct stream *stream, const struct event *event, bool more)
{
	if (buffer_failed(&stream->line)) {
		stream->failed = true;
		return;
	}
	stream->counts.events++;
	stream->options.tell(
	    stream->options.argument, event, &stream->line, more);
}

static void
tell(struct stream *stream, const struct event *event)
{
	buffer_clear(&stream->line);
	event_print(event, &stream->line);
	tell_line(stream, event, false);
}

static bool
matches(const struct stream *stream, const struct instance *instance)
{
	return instance != NULL &&
	       selector_match(stream->options.selector, instance);
}

void
stream_narrow(const struct stream *stream, struct instance_list *list)
{
	size_t i, kept = 0;

	for (i = 0; i < list->count; i++)
		if (matches(stream, &list->items[i]))
			list->items[kept++] = list->items[i];
	list->count = kept;
}

/* Services that are in panic when the stream begins. */
static void
note_panic(struct stream *stream, const struct instance_list *instances)
{
	struct stream_service *service;
	size_t i;

	for (i = 0; i < instances->count; i++) {
		if (!instances->items[i].panic)
			continue;
		service = service_of(stream, instances->items[i].service);
		if (service != NULL)
			service->panic = true;
	}
}

/* An instance's mark came or went: stream_settle() looks at its service. */
static void
note_mark(struct stream *stream, const struct instance *before,
    const struct instance *after)
{
	bool was = before != NULL && before->panic;
	bool is = after != NULL && after->panic;
	struct stream_service *service;

	if (was == is)
		return;
	service = service_of(stream, (after != NULL ? after : before)->service);
	if (service != NULL)
		service->stirred = true;
}

int
stream_sync(struct stream *stream, const struct instance_list *instances,
    struct svc_error *error)
{
	struct event event = {.kind = EVENT_SYNC, .at = time_now()};
	struct instance_list list = {.count = instances->count};
	size_t done = 0;

	list.items = calloc(list.count + 1, sizeof(*list.items));
	if (list.items == NULL)
		return svc_error_errno(error, "stream");
	if (list.count > 0)
		memcpy(list.items, instances->items,
		    list.count * sizeof(*list.items));
	note_panic(stream, &list);
	stream_narrow(stream, &list);
	do {
		buffer_clear(&stream->line);
		done += event_print_sync(list.items + done, list.count - done,
		    event.at, &stream->line);
		tell_line(stream, &event, done < list.count);
	} while (done < list.count && !stream->failed);
	free(list.items);
	return stream->failed ? svc_error_set(error, EX_OSERR, "out of memory")
			      : 0;
}

/* From event_differences(). */
static void
take_event(void *argument, const struct event *event)
{
	struct stream *stream = argument;
	struct event told = *event;
	struct stream_service *service;

	if (stream->because != NULL)
		told.reason = stream->because;
	if (told.kind == EVENT_EXPIRE &&
	    (service = service_of(stream, told.service)) != NULL)
		service->expiries++;
	tell(stream, &told);
}

static void
note_lag(struct stream *stream, const struct instance *before,
    const struct instance *after)
{
	struct stream_counts *counts = &stream->counts;

	/* A time that was set back, or an old file that was moved here, is no
	 * write of this moment. */
	if (after == NULL || after->heartbeat < stream->began ||
	    (before != NULL && after->heartbeat <= before->heartbeat))
		return;
	counts->lag = (double)(time_now() - after->heartbeat) / 1000;
	if (counts->lag < 0)
		counts->lag = 0;
	if (counts->lag > counts->lag_max)
		counts->lag_max = counts->lag;
}

/* Tells what turns before into after, and nothing of the whole service. */
static void
tell_differences(struct stream *stream, const struct instance *before,
    const struct instance *after)
{
	const struct instance *was = matches(stream, before) ? before : NULL;
	const struct instance *is = matches(stream, after) ? after : NULL;

	if (was == NULL && is == NULL)
		return;
	stream->because = NULL;
	if (was == NULL && before != NULL)
		stream->because = "it matches by what changed";
	if (is == NULL && after != NULL)
		stream->because = "it matches no more by what changed";
	event_differences(
	    was, is, stream->options.all, time_now(), take_event, stream);
	stream->because = NULL;
}

/* Says why: "3 of 4 instances are critical". */
static void
tell_panic(struct stream *stream, const struct stream_service *service,
    const struct instance *instances, size_t count)
{
	struct buffer reason = BUFFER_INIT;
	struct event event = {.service = service->name, .at = time_now()};
	size_t i, critical = 0, expired = 0;

	for (i = 0; i < count; i++) {
		critical += instances[i].status == STATUS_CRITICAL;
		expired += instances[i].status == STATUS_EXPIRED;
	}
	event.kind = service->panic ? EVENT_PANIC : EVENT_CALM;
	buffer_append_format(&reason, "%zu of %zu instances %s critical",
	    critical, count, critical == 1 ? "is" : "are");
	if (expired > 0)
		buffer_append_format(&reason, ", %zu expired", expired);
	event.reason = buffer_string(&reason);
	if (event.reason == NULL)
		stream->failed = true;
	else
		tell(stream, &event);
	buffer_release(&reason);
}

/* The marks of its instances have changed: tells whether it is in panic. */
static void
settle_service(struct stream *stream, struct stream_service *service,
    const struct instance *instances, size_t count)
{
	bool panic = false;
	size_t i;

	for (i = 0; i < count; i++)
		panic = panic || instances[i].panic;
	service->stirred = false;
	if (panic == service->panic)
		return;
	service->panic = panic;
	tell_panic(stream, service, instances, count);
}

/* The same of all services, whose instances stand in a sorted list. */
static void
settle_list(struct stream *stream, const struct instance_list *list)
{
	struct stream_service *service;
	size_t i, first, end;

	for (i = 0; i < stream->roster.count; i++) {
		service = &stream->roster.services[i];
		if (!service->stirred)
			continue;
		for (first = 0; first < list->count; first++)
			if (strcmp(list->items[first].service, service->name) >=
			    0)
				break;
		for (end = first; end < list->count; end++)
			if (strcmp(list->items[end].service, service->name) !=
			    0)
				break;
		settle_service(
		    stream, service, list->items + first, end - first);
	}
}

static int
compare_name(const void *name, const void *entry)
{
	return strcmp(name, *(const char *const *)entry);
}

/* Whether the stream is about the service. */
static bool
is_watched(const struct stream *stream, const char *service)
{
	const struct stream_options *options = &stream->options;

	return options->service_count == 0 ||
	       bsearch(service, options->services, options->service_count,
		   sizeof(*options->services), compare_name) != NULL;
}

void
stream_catch_up(struct stream *stream, const struct instance_list *told,
    const struct instance_list *instances)
{
	const struct instance *was = told->items;
	const struct instance *was_end = was + told->count;
	const struct instance *is = instances->items;
	const struct instance *is_end = is + instances->count;
	const struct instance *before, *after;
	int order;

	note_panic(stream, told);
	while (was < was_end || is < is_end) {
		order = was == was_end ? 1
			: is == is_end ? -1
				       : instance_compare(was, is);
		before = order <= 0 ? was : NULL;
		after = order >= 0 ? is : NULL;
		was += order <= 0;
		is += order >= 0;
		if (after == NULL && !is_watched(stream, before->service))
			continue;
		tell_differences(stream, before, after);
		note_mark(stream, before, after);
	}
	settle_list(stream, instances);
}

void
stream_resync(struct stream *stream, const char *reason)
{
	stream->counts.resyncs++;
	stream_say(stream, EVENT_RESYNC, reason);
}

void
stream_say(struct stream *stream, enum event_kind kind, const char *reason)
{
	struct event event = {.kind = kind, .reason = reason, .at = time_now()};

	tell(stream, &event);
}

void
stream_changed(struct stream *stream, const struct instance *before,
    const struct instance *after)
{
	tell_differences(stream, before, after);
	note_lag(stream, before, after);
	note_mark(stream, before, after);
}

void
stream_settle(struct stream *stream, const struct view *view)
{
	const struct instance *instances;
	struct stream_service *service;
	size_t i, count;

	for (i = 0; i < stream->roster.count; i++) {
		service = &stream->roster.services[i];
		if (!service->stirred)
			continue;
		instances = view_instances(view, service->name, &count);
		settle_service(stream, service, instances, count);
	}
}

bool
stream_failed(const struct stream *stream)
{
	return stream->failed;
}

struct stream_counts
stream_counts(const struct stream *stream)
{
	return stream->counts;
}

void
stream_forget_lag(struct stream *stream)
{
	stream->counts.lag_max = 0;
}

unsigned long
stream_expiries(const struct stream *stream, const char *service)
{
	const struct stream_service *told =
	    stream_roster_find(&stream->roster, service);

	return told == NULL ? 0 : told->expiries;
}
