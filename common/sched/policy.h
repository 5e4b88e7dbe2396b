/*
 * Policies: how one instance is chosen from those that fit.
 *
 * Each is one file with one struct policy_type; policy.c has the table.  A new
 * policy is a new file and one row.  A policy never does I/O: what processes
 * share (round-robin's cursor) reaches it by callbacks.
 *
 * Calling sequence:
 *
 *	pool_eligible(pool, service, requires, &list, &error);
 *	if (list->count > 0 &&
 *	    policy_choose(&policy, list, &member, &error) == 1)
 *		... pool_member(pool, member) ...
 *	else
 *		explain_none(pool, &policy, service, requires, out);
 */
#ifndef SVCKIT_SCHED_POLICY_H
#define SVCKIT_SCHED_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/units.h"
#include "sched/pool.h"
#include "sched/random.h"

struct policy;

#define POLICY_KEY_SIZE (2 * NAME_MAX_LENGTH)

/* The caller's; registry/cursor.h has one. */
struct cursor_set;

/*
 * Where round-robin keeps its place: the functions of registry/cursor.h, or
 * what is like them.
 */
struct policy_cursor {
	struct cursor_set *set; /* NULL: in memory */
	void (*key)(const char *service, const char *const *ids, size_t count,
	    char key[POLICY_KEY_SIZE]);
	int (*load)(struct cursor_set *set, const char *key,
	    char id[NAME_MAX_LENGTH + 1], struct svc_error *error);
	int (*store)(struct cursor_set *set, const char *key, const char *id,
	    struct svc_error *error);
	int (*commit)(struct cursor_set *set, struct svc_error *error);
	/*
	 * One of those has failed: they are not called again, and round-robin
	 * goes on in memory.
	 */
	void (*lost)(void *argument, const struct svc_error *error);
	void *argument;
};

enum policy_score { SCORE_SPREAD, SCORE_PACK };

struct policy_options {
	const char *field; /* weighted; NULL: "utilization".  Borrowed */
	/*
	 * The service that is asked for, or NULL: of others field may be
	 * wrong until they are asked for.  Weighted; borrowed.
	 */
	const char *service;
	bool smooth; /* weighted */
	enum policy_score score; /* constrained */
	uint64_t seed;
	struct policy_cursor cursor; /* round-robin */
	/* Own outstanding requests of a member, for p2c; or NULL. */
	double (*outstanding)(void *argument, uint32_t member);
	void *outstanding_argument;
};

struct policy_type {
	const char *name; /* "round-robin": the option without dashes */
	const char *summary; /* one clause for --help and the page */
	int (*open)(struct policy *policy, struct svc_error *error);
	void (*close)(struct policy *policy);
	/*
	 * Chooses one of list, which is not empty.  1: *member; 0: none has
	 * room left (constrained); -1: EX_OSERR; EX_DATAERR, one of the list
	 * has no weight (weighted).
	 */
	int (*choose)(struct policy *policy, const struct eligible *list,
	    uint32_t *member, struct svc_error *error);
	/* A run of decisions ends: cursors are stored.  May be NULL. */
	void (*settle)(struct policy *policy);
	/* How much a member has left of a capacity.  NULL: all of it. */
	double (*left)(const struct policy *policy, uint32_t member,
	    const char *name, double capacity);
	/*
	 * Appends what speaks for a member as JSON members (,"weight":3).
	 * May be NULL.
	 */
	void (*explain)(
	    const struct policy *policy, uint32_t member, struct buffer *out);
};

struct policy {
	const struct policy_type *type;
	struct pool *pool; /* borrowed */
	struct policy_options options;
	struct random random;
	void *state; /* the type's own */
};

/* The table, ended by NULL. */
extern const struct policy_type *const policy_types[];
/* NULL: no such policy. */
const struct policy_type *policy_find(const char *name);

/*
 * pool and what options point to are borrowed until policy_close().
 * EX_DATAERR: e.g. a negative weight, named with its instance.
 */
int policy_open(struct policy *policy, const struct policy_type *type,
    struct pool *pool, const struct policy_options *options,
    struct svc_error *error);
void policy_close(struct policy *policy);

/* As the type's: 1, 0, -1.  list is the pool's latest. */
int policy_choose(struct policy *policy, const struct eligible *list,
    uint32_t *member, struct svc_error *error);

/*
 * To be called before blocking, and at the end: until then round-robin may
 * hold what other processes wait for.
 */
void policy_settle(struct policy *policy);

extern const struct policy_type policy_random;
extern const struct policy_type policy_round_robin;
extern const struct policy_type policy_weighted;
extern const struct policy_type policy_constrained;
extern const struct policy_type policy_p2c;

#endif
