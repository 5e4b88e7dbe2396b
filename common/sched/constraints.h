/*
 * Constraints that depend on more than the instance: a deadline, on how fast
 * it is; spread, on where earlier tasks went.
 *
 * They narrow the list that the pool has found for a task (pool.h), and the
 * policy chooses from what is left.
 *
 * "requires":{"spread":{"zone":2}} allows in each zone at most 2 tasks more
 * than in the one that has the fewest.  Counted are the tasks of the same
 * service and the same group (those without one together) that ask for spread
 * over the same label; the zones are the values of that label among the
 * instances that fit the task otherwise, its deadline included.  An instance
 * without the label is in no zone and gets none of those tasks.  This is
 * maxSkew with whenUnsatisfiable: DoNotSchedule of Kubernetes' topology spread
 * constraints.
 *
 * A task is late where it would end after its deadline: duration / speed is
 * more than what remains.
 */
#ifndef SVCKIT_SCHED_CONSTRAINTS_H
#define SVCKIT_SCHED_CONSTRAINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/error.h"
#include "line/json.h"
#include "sched/pool.h"
#include "sched/reason.h"

/* What constraints look at beside requires. */
struct constrained_task {
	const char *group; /* bytes of the decoded name; NULL: none, as "" */
	size_t group_length;
	double duration; /* seconds at speed 1; negative: not said, and 0 */
	double remaining; /* seconds until its deadline; INFINITY: none */
};

struct constraints;

/* pool is borrowed.  EX_OSERR. */
int constraints_open(struct constraints **constraints, struct pool *pool,
    struct svc_error *error);
void constraints_close(struct constraints *constraints);

/*
 * *narrowed: those of list that the constraints leave, in the same order; list
 * itself where nothing constrains, which costs next to nothing.  Owned by the
 * pool, as list is.  A task that is constrained keeps to those that pass where
 * constraints_passing_only() says so.  -1: EX_OSERR.
 */
int constraints_narrow(struct constraints *constraints,
    const struct eligible *list, const struct constrained_task *task,
    const struct eligible **narrowed, struct svc_error *error);

/*
 * What there is to choose from: *all as the pool says, by pool_labelled() for a
 * policy that takes room, else by pool_eligible(); *narrowed as above.  -1: as
 * those.
 */
int constraints_find(struct constraints *constraints, const char *service,
    const struct json_value *requires, bool takes_room,
    const struct constrained_task *task, const struct eligible **all,
    const struct eligible **narrowed, struct svc_error *error);

/*
 * Those of list whose byte in keep, one a member of the pool, is not 0.  As
 * above.
 */
int constraints_among(struct constraints *constraints,
    const struct eligible *list, const unsigned char *keep,
    const struct eligible **among, struct svc_error *error);

/*
 * Whether there are some of list that have the numbers, and the task is too
 * late on each; *seconds is what it takes on the fastest.
 */
bool constraints_all_late(struct constraints *constraints,
    const struct eligible *list, const struct constrained_task *task,
    double *seconds);

/*
 * Counts a task that was placed on member; list is any of those it was chosen
 * from.  -1: EX_OSERR.
 */
int constraints_placed(struct constraints *constraints,
    const struct eligible *list, const struct constrained_task *task,
    uint32_t member, struct svc_error *error);

/* The task has ended, and is no longer counted. */
void constraints_ended(struct constraints *constraints,
    const struct eligible *list, const struct constrained_task *task,
    uint32_t member);

/*
 * Whether those of list that only warn are out, because one that passes has the
 * numbers: of a mixed list of pool_labelled().
 */
bool constraints_passing_only(
    struct constraints *constraints, const struct eligible *list);

#define CONSTRAINTS_REASONS_MAX (DEMAND_SPREADS_MAX + 1)

/*
 * Why a member of the pool was narrowed out, or would have been if it were one
 * of the list: fills reasons (room for CONSTRAINTS_REASONS_MAX), spread before
 * late, and returns how many.  To be called after constraints_narrow() for the
 * same task, before anything is placed or ended.
 */
size_t constraints_reasons(const struct constraints *constraints,
    const struct constrained_task *task, uint32_t member,
    struct reason reasons[CONSTRAINTS_REASONS_MAX]);

/*
 * Drops from members (*count of them, ascending) those that would be narrowed
 * out, and counts each in tally for the first of its reasons.  To be called as
 * the above.
 */
void constraints_sieve(const struct constraints *constraints,
    const struct constrained_task *task, uint32_t *members, size_t *count,
    struct reason_tally *tally);

#endif
