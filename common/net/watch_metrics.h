/*
 * Gathers the metrics of a watch (ui/metrics.h) from those who count.
 */
#ifndef SVCKIT_NET_WATCH_METRICS_H
#define SVCKIT_NET_WATCH_METRICS_H

#include "line/buffer.h"
#include "line/error.h"
#include "net/prober.h"
#include "registry/list.h"
#include "registry/stream.h"

/*
 * Appends the metrics of instances, sorted by service and id; prober may be
 * NULL.  The greatest lag starts anew with each call.
 */
int watch_metrics_append(const struct instance_list *instances,
    struct stream *stream, const struct prober *prober, struct buffer *out,
    struct svc_error *error);

#endif
