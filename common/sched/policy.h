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
 *	    policy_choose(&policy, list, &task, &member, &error) == 1)
 *		... pool_member(pool, member) ...
 *
 * chooser.h does so for whole tasks, with constraints and explanations.
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
#include "sched/reason.h"

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
	const char *pointer; /* hash: into "task"; or NULL.  Borrowed */
	/* Load (member_load.h): headroom, least-loaded, p2c. */
	const double *own; /* of each member, a slot; or NULL.  Borrowed */
	double stale; /* seconds; 0: MEMBER_LOAD_STALE */
	int64_t now; /* ms since 1970 */
};

/*
 * What a policy may look at of a task, beside its demand.  Where functions take
 * one it may be NULL: no task in particular.
 */
struct policy_task {
	uint64_t key; /* task_key.h; hash */
};

struct policy_type {
	const char *name; /* "round-robin": the option without dashes */
	const char *summary; /* one clause for --help and the page */
	/*
	 * What may follow in "weighted=FIELD", for messages, and who reads it
	 * (text is borrowed on; EX_USAGE).  NULL: nothing may.
	 */
	const char *argument;
	int (*configure)(struct policy_options *options, const char *text,
	    struct svc_error *error);
	/*
	 * Appends what options say beyond the name, for those who read it:
	 * "=headroom, smooth".  NULL: nothing.
	 */
	void (*describe)(
	    const struct policy_options *options, struct buffer *out);
	/*
	 * The member that instance's weight is to be in, where it has none
	 * there, and error says so (EX_DATAERR).  Else NULL, as where there is
	 * no such function.
	 */
	const char *(*unweighed)(const struct policy_options *options,
	    const struct instance *instance, struct svc_error *error);
	/* Whether it goes by load, which may be stale.  NULL: no. */
	bool (*weighs_load)(const struct policy_options *options);
	/*
	 * It compares the numbers of a demand itself, with what is left: its
	 * lists are those of pool_labelled(), and choose() may return 0.
	 */
	bool takes_room;
	int (*open)(struct policy *policy, struct svc_error *error);
	void (*close)(struct policy *policy);
	/*
	 * Chooses one of list, which is not empty, and counts it.  1: *member;
	 * 0: none has room left (takes_room); -1: EX_OSERR; EX_DATAERR, one of
	 * the list has no weight (weighted).
	 */
	int (*choose)(struct policy *policy, const struct eligible *list,
	    const struct policy_task *task, uint32_t *member,
	    struct svc_error *error);
	/* What a task of demand took of member is given back.  May be NULL. */
	void (*give_back)(struct policy *policy, const struct demand *demand,
	    uint32_t member);
	/*
	 * The pool's instances say something else of themselves, or time has
	 * passed.  May be NULL.
	 */
	void (*observe)(struct policy *policy, int64_t now);
	/* A run of decisions ends: cursors are stored.  May be NULL. */
	void (*settle)(struct policy *policy);
	/*
	 * What each member of the pool has left of a capacity, NAN where it has
	 * none; at rounding it may be a little less than nothing.  NULL, as
	 * where there is no such function: all of it.
	 */
	const double *(*left)(const struct policy *policy, const char *name);
	/*
	 * By what members are drawn, one number each: who has 0 is chosen only
	 * where all of a list have.  NULL, as where there is no such function:
	 * not by anything of the kind.
	 */
	const double *(*weights)(const struct policy *policy);
	/*
	 * Why it would not take member of list although it fits: 1, *reason; 0:
	 * it might (hash).  May be NULL.
	 */
	int (*refuses)(const struct policy *policy, const struct eligible *list,
	    const struct policy_task *task, uint32_t member,
	    struct reason *reason);
	/*
	 * Appends every term that speaks for member of list as JSON members
	 * (,"weight":3,"share":0.25), as the next choice for task would weigh
	 * it, random draws included (on a copy of policy->random).  May be
	 * NULL.
	 */
	void (*explain)(struct policy *policy, const struct eligible *list,
	    const struct policy_task *task, uint32_t member,
	    struct buffer *out);
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
 * Reads "weighted=headroom" or "p2c": the type, and its argument into options.
 * text must live as long as options.  EX_USAGE: no such policy, or no such
 * argument; the message says what would be right.
 */
int policy_parse(const char *text, const struct policy_type **type,
    struct policy_options *options, struct svc_error *error);

/* Appends "weighted=headroom, smooth", for those who read it. */
void policy_describe(const struct policy_type *type,
    const struct policy_options *options, struct buffer *out);

/* As the type's. */
bool policy_weighs_load(
    const struct policy_type *type, const struct policy_options *options);

/* The same. */
const char *policy_unweighed(const struct policy_type *type,
    const struct policy_options *options, const struct instance *instance,
    struct svc_error *error);

/*
 * pool and what options point to are borrowed until policy_close().
 * EX_DATAERR: a member that gets work has no weight; it is named.  For that not
 * to be, pool_exclude() those that policy_unweighed() tells of.
 */
int policy_open(struct policy *policy, const struct policy_type *type,
    struct pool *pool, const struct policy_options *options,
    struct svc_error *error);
void policy_close(struct policy *policy);

/* As the type's: 1, 0, -1.  list is the pool's latest. */
int policy_choose(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t *member, struct svc_error *error);

/* As the type's, where it has one. */
void policy_give_back(
    struct policy *policy, const struct demand *demand, uint32_t member);
void policy_observe(struct policy *policy, int64_t now);
const double *policy_weights(const struct policy *policy);

/*
 * To be called before blocking, and at the end: until then round-robin may
 * hold what other processes wait for.
 */
void policy_settle(struct policy *policy);

extern const struct policy_type policy_random;
extern const struct policy_type policy_round_robin;
extern const struct policy_type policy_weighted;
extern const struct policy_type policy_constrained;
extern const struct policy_type policy_least_loaded;
extern const struct policy_type policy_p2c;
extern const struct policy_type policy_hash;

#endif
