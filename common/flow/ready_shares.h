/*
 * Who has got how much of a run so far, for ORDER_FAIR (ready_queue.h).
 *
 * As fair.h has it, but for one thing: there the parts are of what all
 * instances together have.  In a run that is not known, and changes: here they
 * are of what all groups together have taken.  Of one resource both come to the
 * same; of several, one that is in little demand weighs more here than there.
 *
 * So each task changes the shares of all groups.  They are worked out anew only
 * when what was taken of a resource has grown by an eighth, for those who use
 * it; between, shares of one resource stay in order, and those of different
 * ones are wrong by no more than that eighth.
 */
#ifndef SVCKIT_FLOW_READY_SHARES_H
#define SVCKIT_FLOW_READY_SHARES_H

#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "sched/group_shares.h"

struct ready_shares;

/* weights (borrowed) of groups; may be NULL.  EX_OSERR. */
int ready_shares_open(struct ready_shares **shares,
    const struct group_shares *weights, struct svc_error *error);
void ready_shares_close(struct ready_shares *shares);

/*
 * The number of a group: 0 is that of tasks that name none, or "".  -1: no
 * memory.
 */
int ready_shares_group(struct ready_shares *shares, const char *name,
    size_t length, uint32_t *group);

/* The number of a capacity of a service.  -1: no memory. */
int ready_shares_resource(struct ready_shares *shares, const char *service,
    const char *capacity, uint32_t *resource);

/* The group will take of the resource, or does already.  -1: no memory. */
int ready_shares_join(
    struct ready_shares *shares, uint32_t group, uint32_t resource);

/* It takes amount, of what it has joined. */
void ready_shares_take(struct ready_shares *shares, uint32_t group,
    uint32_t resource, double amount);

/* The group's dominant share, divided by its weight. */
double ready_shares_of(const struct ready_shares *shares, uint32_t group);

/* Another number whenever the share of any group has become less. */
uint64_t ready_shares_epoch(const struct ready_shares *shares);

#endif
