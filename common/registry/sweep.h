/*
 * Removing the records of processes that have died.
 */
#ifndef SVCKIT_REGISTRY_SWEEP_H
#define SVCKIT_REGISTRY_SWEEP_H

struct registry;

/*
 * Removes dead lock leases of service, each only under its inode's lock.  Looks
 * at all of a small service and at some, chosen at random, of a large one; once
 * in a row for each service.  keep (NULL: none) is the id that is about to be
 * replaced.  What cannot be removed is left for those who may.
 */
void registry_sweep(
    struct registry *registry, const char *service, const char *keep);

#endif
