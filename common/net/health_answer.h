/*
 * What an HTTP answer says of its service's health and load.
 */
#ifndef SVCKIT_NET_HEALTH_ANSWER_H
#define SVCKIT_NET_HEALTH_ANSWER_H

#include <stddef.h>

#include "net/probe.h"

/*
 * Fills result, status, busy, slots and utilization of answer from a status
 * (200 to 599) and length bytes of a body, as probe.h has it; a body that is
 * not one JSON object says nothing.  reason (size bytes) is "" when it passes.
 */
void health_answer_read(struct probe_answer *answer, int status,
    const char *body, size_t length, char *reason, size_t size);

#endif
