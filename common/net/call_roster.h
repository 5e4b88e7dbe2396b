/*
 * Inside the call engine: how the registry's list, and the instances on task
 * lines, become places, and how places end.  call_pool.h has the structs, and
 * call_pool_planned().
 */
#ifndef SVCKIT_NET_CALL_ROSTER_H
#define SVCKIT_NET_CALL_ROSTER_H

#include <stddef.h>

#include "line/instance.h"

struct call_pool;
struct call_service;

/*
 * Makes a place of each of instances, or tells the one there is.  The same id
 * at another address, or of another owner, is another place.  -1: no memory.
 */
int call_roster_take(struct call_pool *pool, struct call_service *service,
    const struct instance *instances, size_t count);

/*
 * After that: who was not among them goes, and whoever may not keep what was
 * planned onto it gives it to the service's lanes.
 */
void call_roster_sweep(struct call_pool *pool, struct call_service *service);

#endif
