/*
 * Instances as targets of Prometheus' file-based service discovery
 * (file_sd_config): an array of objects with "targets" and "labels".
 */
#ifndef SVCKIT_UI_PROMETHEUS_H
#define SVCKIT_UI_PROMETHEUS_H

#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/instance.h"

/*
 * Appends the array, LF included.  A target is HOST:PORT; its labels are
 * service, id, __scheme__ where that is https, and for relabelling
 * __meta_svckit_address, _status, _owner and one __meta_svckit_label_NAME for
 * each label, characters that a label's name cannot have as '_'; where names
 * become the same the first of the record stands.  A label of a record can so
 * never take the place of one that Prometheus heeds.  Instances on unix sockets
 * have no target and are left out.
 */
int prometheus_append(const struct instance *instances, size_t count,
    struct buffer *out, struct svc_error *error);

#endif
