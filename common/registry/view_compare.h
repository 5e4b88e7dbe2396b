/*
 * Whether a service stands in the registry as a view has it: the slow rescan,
 * which looks at each file and reads only those that are not the ones it knows,
 * and those whose lock may have been let go.
 */
#ifndef SVCKIT_REGISTRY_VIEW_COMPARE_H
#define SVCKIT_REGISTRY_VIEW_COMPARE_H

#include "line/error.h"
#include "registry/view_service.h"

struct registry;

/* 1: something is not as it is in memory; 0: all is; -1.  Nothing is changed or
 * told. */
int view_compare(const struct view_service *service, struct registry *registry,
    struct svc_error *error);

#endif
