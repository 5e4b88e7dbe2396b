/*
 * A pool: the instances to choose from, and who fits what.
 *
 * A pool never does I/O.  Filter, then choose: pool_eligible() yields, for the
 * requirements of a task, the list of instances that may take it; a policy
 * (policy.h) chooses one of the list; explain.h says why an instance is not on
 * it.  Requirements are looked up by their bytes, so that a task that asks for
 * what an earlier one asked for costs a hash and a comparison.
 */
#ifndef SVCKIT_SCHED_POOL_H
#define SVCKIT_SCHED_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/instance.h"
#include "line/json.h"
#include "sched/demand.h"
#include "sched/member_sets.h"
#include "sched/unlisted.h"

struct pool;

struct pool_member {
	const struct instance *instance; /* borrowed */
	const char *reference; /* {"service",...} as it goes on task lines */
	size_t reference_length;
	double slots; /* capacity.slots, 1 when it names none; 0: no work */
	double speed; /* capacity.speed, 1 when it names none; 0: no work */
	const char *unweighed; /* as pool_exclude() has it; or NULL */
};

/* How many different lists a pool keeps, subsets with them. */
#define POOL_SETS_MAX (2 * SETS_MAX)

/*
 * The members that fit one task, in order of id.  Owned by the pool, until the
 * next pool_eligible() or pool_labelled().
 */
struct eligible {
	const uint32_t *members; /* indices into the pool, ascending */
	size_t count;
	/*
	 * Names the set of members: lists with the same members have the same
	 * serial (subsets one of their own), and no other list of this pool
	 * ever has it.
	 */
	uint64_t serial;
	uint32_t slot; /* under POOL_SETS_MAX: where policies may keep state for
			  the serial, until another one comes with this slot */
	const char *service;
	const struct demand *demand; /* what the task asks for */
	/*
	 * It is of pool_labelled(), and has both such that pass and such that
	 * do not, and the former go first.
	 */
	bool mixed;
};

/*
 * instances (count, sorted by instance_compare(), no two alike) are borrowed
 * until pool_close().  EX_OSERR.
 */
int pool_open(struct pool **pool, const struct instance *instances,
    size_t count, struct svc_error *error);
void pool_close(struct pool *pool);

/* Also instances whose status gets no work (--all).  Before anything else. */
void pool_set_all(struct pool *pool, bool all);

/*
 * Puts a member on no list, because it has no weight in field, which is
 * borrowed until pool_close().  Before anything else.
 */
void pool_exclude(struct pool *pool, uint32_t index, const char *field);

size_t pool_count(const struct pool *pool);
const struct pool_member *pool_member(const struct pool *pool, uint32_t index);

/* How many services the instances belong to. */
size_t pool_services(const struct pool *pool);

/* Appends their names, the first few, for a message: "extract, render". */
void pool_list_services(const struct pool *pool, struct buffer *out);

/*
 * The instances of service (NULL or "": of all): *count of them from index
 * *first on.
 */
void pool_range(const struct pool *pool, const char *service, uint32_t *first,
    size_t *count);

/*
 * Which members may take a task: of service (NULL or "": of the one service
 * there is), with the numbers and labels that requires (a JSON object; NULL,
 * absent or null: nothing) asks for, and passing; where none of those passes,
 * the ones that warn; in a panic (instance_works()) all alike.
 *
 * 0 and *list, whose count may be 0; or -1: EX_DATAERR when requires cannot be
 * read (the message names the member) or service is needed and not given.
 */
int pool_eligible(struct pool *pool, const char *service,
    const struct json_value *requires, const struct eligible **list,
    struct svc_error *error);

/*
 * As pool_eligible(), but without a look at the numbers that requires asks for:
 * whoever works and has the labels, in the order of ids, with those that warn
 * among those that pass.  For policies that compare the numbers themselves,
 * which then must keep to those that pass where one of those has the numbers;
 * *mixed (may be NULL) says that there are both.
 */
int pool_labelled(struct pool *pool, const char *service,
    const struct json_value *requires, const struct eligible **list,
    bool *mixed, struct svc_error *error);

/*
 * Those of list whose byte in keep (one a member of the list, by its place in
 * it) is not 0: list itself where all are kept; else owned by the pool, with a
 * serial and a slot as any list.  list may be a subset itself, and stays valid;
 * a subset is valid as long as the list that it comes from, and until the next
 * but three.  -1: EX_OSERR.
 */
int pool_subset(struct pool *pool, const struct eligible *list,
    const unsigned char *keep, const struct eligible **subset,
    struct svc_error *error);

/*
 * Those of list that are in members (count, ascending), as a subset that
 * pool_recall() finds by key (length bytes) for lists of the same serial, until
 * it is forgotten.  With a key of NULL it is not to be found again, and costs
 * no more than its members.  Else as pool_subset().
 */
int pool_keep(struct pool *pool, const struct eligible *list,
    const uint32_t *members, size_t count, const char *key, size_t length,
    const struct eligible **subset, struct svc_error *error);

/* A number from 1 on that this pool has not given before: to make keys of. */
uint64_t pool_number(struct pool *pool);

/* 1: *subset, of list; 0: none is kept by that key. */
int pool_recall(struct pool *pool, const struct eligible *list, const char *key,
    size_t length, const struct eligible **subset);

/*
 * Who of service is on no list for a task of demand, for its status or labels,
 * and why; owned by the pool, until the next call.  NULL: no memory.
 */
const struct unlisted *pool_unlisted(
    struct pool *pool, const char *service, const struct demand *demand);

/*
 * Whether the member's status lets it get work: instance_works(), or --all.
 * One without slots or speed (a capacity of 0) is on no list all the same.
 */
bool pool_works(const struct pool *pool, uint32_t index);

/*
 * What each member has of a capacity, in an array of pool_count() numbers that
 * the pool owns; NAN where it names none.  NULL: no memory.
 */
const double *pool_capacity(struct pool *pool, const char *name);

/* Whether somebody's record names such a capacity. */
bool pool_names(const struct pool *pool, const char *name);

/*
 * The greatest number that somebody has of a capacity below amount, and the
 * least that is not below it; -INFINITY and INFINITY where there is none.  -1:
 * no memory.
 */
int pool_around(struct pool *pool, const char *name, double amount,
    double *below, double *above);

#endif
