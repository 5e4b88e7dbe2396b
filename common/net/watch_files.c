#include "net/watch_files.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/replace.h"
#include "net/watch_metrics.h"
#include "registry/state.h"

#define STATE_SECONDS 1

struct watch_files {
	struct watch_files_options options;
	struct event *save;
	struct event *measure;
	bool started;
};

static void
fail(struct watch_files *files, const struct svc_error *error)
{
	files->options.failed(files->options.argument, error);
}

static void
on_save(evutil_socket_t descriptor, short what, void *argument)
{
	struct watch_files *files = argument;
	const struct watch_files_options *options = &files->options;
	struct instance_list list = INSTANCE_LIST_INIT;

	(void)descriptor;
	(void)what;
	/* What was not read from us was not told. */
	if (options->settled != NULL && !options->settled(options->argument)) {
		watch_files_stir(files);
		return;
	}
	(void)options->collect(options->argument, &list);
	watch_files_write_state(files, &list);
	free(list.items);
}

static void
on_measure(evutil_socket_t descriptor, short what, void *argument)
{
	struct watch_files *files = argument;
	struct instance_list list = INSTANCE_LIST_INIT;
	const struct prober *prober;

	(void)descriptor;
	(void)what;
	prober = files->options.collect(files->options.argument, &list);
	watch_files_write_metrics(files, &list, prober);
	free(list.items);
}

int
watch_files_open(struct watch_files **files,
    const struct watch_files_options *options, struct svc_error *error)
{
	struct watch_files *made;

	if ((options->state != NULL &&
		replace_check(options->state, error) == -1) ||
	    (options->metrics != NULL &&
		replace_check(options->metrics, error) == -1))
		return -1;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return svc_error_errno(error, "files");
	made->options = *options;
	made->save = evtimer_new(options->base, on_save, made);
	made->measure =
	    event_new(options->base, -1, EV_PERSIST, on_measure, made);
	if (made->save != NULL && made->measure != NULL) {
		*files = made;
		return 0;
	}
	watch_files_close(made);
	return svc_error_set(error, EX_OSERR, "files: no timer");
}

void
watch_files_close(struct watch_files *files)
{
	if (files == NULL)
		return;
	if (files->save != NULL)
		event_free(files->save);
	if (files->measure != NULL)
		event_free(files->measure);
	free(files);
}

int
watch_files_read(struct watch_files *files, struct instance_list *told,
    struct svc_error *error)
{
	const struct watch_files_options *options = &files->options;

	if (options->state == NULL)
		return 0;
	return state_read(options->state, told, options->reaper, error);
}

void
watch_files_start(struct watch_files *files)
{
	static const struct timeval period = {(time_t)WATCH_METRICS_SECONDS, 0};

	files->started = true;
	watch_files_stir(files);
	if (files->options.metrics == NULL)
		return;
	on_measure(-1, 0, files);
	(void)event_add(files->measure, &period);
}

void
watch_files_stir(struct watch_files *files)
{
	static const struct timeval soon = {STATE_SECONDS, 0};

	if (files->started && files->options.state != NULL &&
	    evtimer_pending(files->save, NULL) == 0)
		(void)evtimer_add(files->save, &soon);
}

/* Only what was told of belongs into the files. */
static int
narrow(const struct watch_files *files, const struct instance_list *list,
    struct instance_list *told, struct svc_error *error)
{
	told->count = list->count;
	told->items = calloc(list->count + 1, sizeof(*told->items));
	if (told->items == NULL)
		return svc_error_errno(error, "files");
	if (list->count > 0)
		memcpy(told->items, list->items,
		    list->count * sizeof(*told->items));
	stream_narrow(files->options.stream, told);
	return 0;
}

void
watch_files_write_state(
    struct watch_files *files, const struct instance_list *list)
{
	const struct watch_files_options *options = &files->options;
	struct instance_list told = INSTANCE_LIST_INIT;
	struct svc_error error;

	if (options->state == NULL)
		return;
	if (narrow(files, list, &told, &error) == -1 ||
	    state_write(options->state, &told, options->reaper, &error) == -1)
		fail(files, &error);
	free(told.items);
}

void
watch_files_write_metrics(struct watch_files *files,
    const struct instance_list *list, const struct prober *prober)
{
	const struct watch_files_options *options = &files->options;
	struct watch_metrics_options metrics = {.services = options->services,
	    .service_count = options->service_count,
	    .stream = options->stream,
	    .prober = prober};
	struct instance_list told = INSTANCE_LIST_INIT;
	struct buffer text = BUFFER_INIT;
	struct svc_error error;

	if (options->metrics == NULL)
		return;
	if (narrow(files, list, &told, &error) == -1 ||
	    watch_metrics_append(&metrics, &told, &text, &error) == -1 ||
	    replace_file(
		options->metrics, text.data, text.length, false, &error) == -1)
		fail(files, &error);
	buffer_release(&text);
	free(told.items);
}
