#include "net/watch_metrics.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ui/metrics.h"

/* The services of instances, and of the prober what has none any more. */
struct gathering {
	struct metrics_service *services;
	size_t count;
};

static struct metrics_service *
find_service(const struct gathering *gathering, const char *name)
{
	size_t i;

	for (i = 0; i < gathering->count; i++)
		if (strcmp(gathering->services[i].service, name) == 0)
			return &gathering->services[i];
	return NULL;
}

static void
count_instances(
    struct gathering *gathering, const struct instance_list *instances)
{
	struct metrics_service *service = NULL;
	const struct instance *instance;
	size_t i;

	for (i = 0; i < instances->count; i++) {
		instance = &instances->items[i];
		if (service == NULL ||
		    strcmp(service->service, instance->service) != 0) {
			service = &gathering->services[gathering->count++];
			*service = (struct metrics_service){
			    .service = instance->service};
		}
		service->instances[instance->status]++;
		service->panic |= instance->panic;
	}
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
watch_metrics_append(const struct instance_list *instances,
    struct stream *stream, const struct prober *prober, struct buffer *out,
    struct svc_error *error)
{
	struct stream_counts counts = stream_counts(stream);
	struct gathering gathering = {NULL, 0};
	struct metrics metrics = {.events = counts.events,
	    .resyncs = counts.resyncs,
	    .lag = counts.lag,
	    .lag_max = counts.lag_max};
	size_t i;

	gathering.services =
	    calloc(instances->count + 1, sizeof(*gathering.services));
	if (gathering.services == NULL)
		return svc_error_errno(error, "metrics");
	count_instances(&gathering, instances);
	if (prober != NULL)
		add_probes(&gathering, prober);
	for (i = 0; i < gathering.count; i++)
		gathering.services[i].expiries =
		    stream_expiries(stream, gathering.services[i].service);
	metrics.services = gathering.services;
	metrics.service_count = gathering.count;
	metrics_append(&metrics, out);
	stream_forget_lag(stream);
	free(gathering.services);
	return buffer_failed(out)
		   ? svc_error_set(error, EX_OSERR, "out of memory")
		   : 0;
}
