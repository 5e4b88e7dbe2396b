/*
 * The panic of a service that is probed: the rule of net/panic.h, fed from its
 * instances.
 */
#ifndef SVCKIT_NET_PROBED_PANIC_H
#define SVCKIT_NET_PROBED_PANIC_H

#include <stdint.h>

#include "net/probed_service.h"

/* now and below: the monotonic clock. */
void probed_panic_review(struct probed_service *service, double now);

/* The clock jumped: what expires within an interval, or just did, is in doubt.
 */
void probed_panic_doubt(struct probed_service *service, double now);

/* Goes on from the mark in the health file, since in ms since 1970. */
void probed_panic_resume(
    struct probed_service *service, enum health_panic mark, int64_t since);

#endif
