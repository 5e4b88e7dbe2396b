/*
 * Gathers the metrics of a watch (ui/metrics.h) from those who count.
 */
#ifndef SVCKIT_NET_WATCH_METRICS_H
#define SVCKIT_NET_WATCH_METRICS_H

#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "net/prober.h"
#include "registry/list.h"
#include "registry/stream.h"

struct watch_metrics_options {
	/* Those that have series also without instances; sorted, borrowed. */
	const char *const *services;
	size_t service_count;
	struct stream *stream;
	const struct prober *prober; /* NULL: nothing is probed */
};

/*
 * Appends the metrics of instances, sorted by service and id.  The greatest lag
 * starts anew with each call.
 */
int watch_metrics_append(const struct watch_metrics_options *options,
    const struct instance_list *instances, struct buffer *out,
    struct svc_error *error);

#endif
