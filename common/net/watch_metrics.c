#include "net/watch_metrics.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ui/metrics.h"

/* Sorted by name. */
struct gathering {
	struct metrics_service *services;
	size_t count;
};

static int
compare_name(const void *name, const void *service)
{
	const struct metrics_service *of = service;

	return strcmp(name, of->service);
}

static struct metrics_service *
find_service(const struct gathering *gathering, const char *name)
{
	return bsearch(name, gathering->services, gathering->count,
	    sizeof(*gathering->services), compare_name);
}

static struct metrics_service *
add_service(struct gathering *gathering, const char *name)
{
	struct metrics_service *service =
	    &gathering->services[gathering->count++];

	*service = (struct metrics_service){.service = name};
	return service;
}

/* Merges the services that are asked for, sorted, with those of instances. */
static void
count_instances(struct gathering *gathering,
    const struct watch_metrics_options *options,
    const struct instance_list *instances)
{
	struct metrics_service *service = NULL;
	const struct instance *instance;
	size_t asked = 0, i;

	for (i = 0; i < instances->count; i++) {
		instance = &instances->items[i];
		for (; asked < options->service_count &&
		       strcmp(options->services[asked], instance->service) <= 0;
		     asked++)
			service =
			    add_service(gathering, options->services[asked]);
		if (service == NULL ||
		    strcmp(service->service, instance->service) != 0)
			service = add_service(gathering, instance->service);
		service->instances[instance->status]++;
		service->panic |= instance->panic;
	}
	while (asked < options->service_count)
		(void)add_service(gathering, options->services[asked++]);
}

static void
add_probes(struct gathering *gathering, const struct prober *prober)
{
	struct prober_service probed;
	struct metrics_service *service;
	size_t i;

	for (i = 0; prober_service(prober, i, &probed) == 1; i++) {
		service = find_service(gathering, probed.service);
		if (service == NULL)
			continue;
		service->prober = probed.holder;
		service->failures = probed.counts.failures;
		service->flaps = probed.counts.flaps;
		service->answers = probed.answers;
		service->seconds = probed.seconds;
	}
}

int
watch_metrics_append(const struct watch_metrics_options *options,
    const struct instance_list *instances, struct buffer *out,
    struct svc_error *error)
{
	struct stream_counts counts = stream_counts(options->stream);
	struct gathering gathering = {NULL, 0};
	struct metrics metrics = {.events = counts.events,
	    .resyncs = counts.resyncs,
	    .lag = counts.lag,
	    .lag_max = counts.lag_max};
	size_t i;

	gathering.services =
	    calloc(instances->count + options->service_count + 1,
		sizeof(*gathering.services));
	if (gathering.services == NULL)
		return svc_error_errno(error, "metrics");
	count_instances(&gathering, options, instances);
	if (options->prober != NULL)
		add_probes(&gathering, options->prober);
	for (i = 0; i < gathering.count; i++)
		gathering.services[i].expiries = stream_expiries(
		    options->stream, gathering.services[i].service);
	metrics.services = gathering.services;
	metrics.service_count = gathering.count;
	metrics_append(&metrics, out);
	stream_forget_lag(options->stream);
	free(gathering.services);
	return buffer_failed(out)
		   ? svc_error_set(error, EX_OSERR, "out of memory")
		   : 0;
}
