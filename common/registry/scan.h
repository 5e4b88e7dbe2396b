/*
 * Reading the instances of one service from the store, given its health.
 */
#ifndef SVCKIT_REGISTRY_SCAN_H
#define SVCKIT_REGISTRY_SCAN_H

#include "line/error.h"
#include "registry/health.h"
#include "registry/list.h"

struct registry;

/*
 * Appends all instances of service, sorted by id, with everything observed
 * filled in.  Hostile files are warned of and skipped.
 */
int scan_service(struct registry *registry, const char *service,
    const struct health *health, struct instance_list *list,
    struct svc_error *error);

/* One of them, which the caller releases: 1, 0, -1. */
int scan_instance(struct registry *registry, const char *service,
    const char *id, const struct health *health, struct instance *instance,
    struct svc_error *error);

#endif
