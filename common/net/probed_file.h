/*
 * The health file of a service that is probed: claimed, gone on from, written
 * when something has changed, and now and then for the times in it, touched
 * when not, and given up.
 */
#ifndef SVCKIT_NET_PROBED_FILE_H
#define SVCKIT_NET_PROBED_FILE_H

#include <stdbool.h>

#include "net/probed_service.h"

/* Whether there is anything to keep it for. */
bool probed_file_wanted(const struct probed_service *service);

/* When it is to be written or touched, on the monotonic clock; of one we hold.
 */
double probed_file_due(const struct probed_service *service);

/* Does what is due now: claims, writes, touches or removes. */
void probed_file_keep(struct probed_service *service, double now);

/* Writes at once what is known; of one we hold. */
void probed_file_write(struct probed_service *service, double now);

#endif
