/*
 * One line about everything, as monitoring plugins print it:
 *
 *	OK - 12 instances of 3 services: 12 passing | passing=12 warning=0 ...
 *	WARNING - render: 1 of 3 warning (status 429) | ...
 *	CRITICAL - render: 1 of 3 critical (connection refused) | ...
 *
 * Behind the bar stands the count of each status, as performance data
 * (https://www.monitoring-plugins.org/doc/guidelines.html).
 */
#ifndef SVCKIT_UI_SUMMARY_H
#define SVCKIT_UI_SUMMARY_H

#include <stddef.h>

#include "line/buffer.h"
#include "line/instance.h"

/*
 * Appends the line, without LF, for count instances, sorted by service and id;
 * services are those that were asked for (sorted; service_count 0: whatever
 * there is), and one without instances is critical.  What is critical is told
 * before what warns, of ten services, and the others are counted; draining and
 * expired instances are only counted.
 *
 * 0: nothing is critical, and every service has an instance that may get work;
 * 1: it is not so.
 */
int summary_append(const struct instance *instances, size_t count,
    const char *const *services, size_t service_count, struct buffer *out);

#endif
