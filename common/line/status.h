/*
 * The status of an instance: whether it may get work (instance-line(5),
 * STATUS).
 */
#ifndef SVCKIT_LINE_STATUS_H
#define SVCKIT_LINE_STATUS_H

#include <stdbool.h>
#include <stddef.h>

/* In the order of preference: the first two may get work. */
enum instance_status {
	STATUS_PASSING,
	STATUS_WARNING,
	STATUS_UNKNOWN,
	STATUS_CRITICAL,
	STATUS_DRAINING,
	STATUS_EXPIRED
};
#define STATUS_COUNT (STATUS_EXPIRED + 1)

const char *status_name(enum instance_status status);

/* 1 and *status, or 0: no such status. */
int status_parse(const char *name, size_t length, enum instance_status *status);

/*
 * Whether it may get new work by itself: passing or warning.  (warning counts
 * only where nothing of its service passes: instances_available().)
 */
bool status_works(enum instance_status status);

#endif
