#include "net/pass.h"

#include <event2/event.h>

#include <sysexits.h>

static int
list_all(const struct pass_options *options, struct instance_list *list,
    struct svc_error *error)
{
	const char *service;
	size_t i = 0;

	instance_list_release(list);
	do {
		service =
		    options->service_count == 0 ? NULL : options->services[i];
		if (registry_list(options->registry, service, list, error) ==
		    -1)
			return -1;
	} while (++i < options->service_count);
	return 0;
}

/* Those that were sighted before, and still are as they were. */
static int
reap(const struct pass_options *options, struct instance_list *list,
    struct svc_error *error)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		reaper_sight(options->reaper, NULL, &list->items[i]);
	if (reaper_run(options->reaper, options->dry_run, options->removed,
		options->kept, options->argument) == 0)
		return 0;
	return list_all(options, list, error);
}

static int
probe(const struct pass_options *options, struct instance_list *list,
    struct prober **prober, struct svc_error *error)
{
	struct prober_options once = *options->prober;
	size_t i;

	once.once = true;
	once.idle = NULL;
	if (prober_open(prober, &once, error) == -1)
		return -1;
	for (i = 0; i < list->count; i++)
		prober_update(*prober, NULL, &list->items[i]);
	if (event_base_dispatch(once.base) == -1)
		return svc_error_set(error, EX_OSERR, "event loop failed");
	for (i = 0; i < list->count; i++)
		if (prober_overlay(*prober, &list->items[i]) == -1)
			return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

int
pass_run(const struct pass_options *options, struct instance_list *list,
    struct prober **prober, struct svc_error *error)
{
	*prober = NULL;
	if (options->registry == NULL) {
		instance_list_release(list);
		return 0;
	}
	if (list_all(options, list, error) == -1 ||
	    (options->reaper != NULL && reap(options, list, error) == -1))
		return -1;
	return options->prober == NULL ? 0
				       : probe(options, list, prober, error);
}
