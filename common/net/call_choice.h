/*
 * Inside the call engine: which instance of one service gets the next task, by
 * a policy (sched/policy.h) over copies of the instances that the engine was
 * told of.
 *
 * Instances are numbers here: the members of the choice's pool, in the order of
 * their ids.  The policy chooses among those who meet what the task requires,
 * and of those, who has room now (call_seats.h).  The policies that draw draw
 * from all, until they come upon one who has, and round-robin goes on to it: so
 * what they keep for a set of instances, a cursor that other processes share
 * above all, is that of all who meet the requirements.
 *
 * What was chosen is counted where the policy counts (constrained, hash) or the
 * task asks for spread, until call_choice_give_back(); and where the choice is
 * to consume, the numbers that the task requires are taken until then.
 */
#ifndef SVCKIT_NET_CALL_CHOICE_H
#define SVCKIT_NET_CALL_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/instance.h"
#include "line/json.h"
#include "net/call_seats.h"
#include "sched/policy.h"

struct call_choice;

/* Who is wanted. */
struct call_wish {
	const struct json_value *requires; /* of the task, or NULL */
	uint64_t key; /* hash */
	uint32_t avoid; /* a member, or CALL_NOBODY */
	bool strictly; /* not even where there is nobody else */
	double now; /* monotonic seconds */
};

/*
 * instances are copied; the last one of an id counts.  service is borrowed, as
 * is what options point to; own and now are not the caller's.  Whom the policy
 * has no weight for is on no list: call_choice_unweighed().  EX_OSERR.
 */
int call_choice_open(struct call_choice **choice, const char *service,
    const struct instance *instances, size_t count,
    const struct policy_type *type, const struct policy_options *options,
    bool consume, struct svc_error *error);
void call_choice_close(struct call_choice *choice);

/*
 * Takes in what instances say of their load, where that is all that has changed
 * since the choice was opened.  false: another choice is needed.
 */
bool call_choice_observe(
    struct call_choice *choice, const struct instance *instances, size_t count);

/*
 * One line that says who works and gets nothing, for want of a weight, and why;
 * NULL: nobody.
 */
const char *call_choice_unweighed(const struct call_choice *choice);

/* The member with that id, or CALL_NOBODY. */
uint32_t call_choice_find(const struct call_choice *choice, const char *id);

/* Of its members. */
struct call_seats *call_choice_seats(struct call_choice *choice);

/*
 * Who gets work and meets requires (NULL: everybody does); until the next call
 * of anything here.  NULL: EX_OSERR; EX_DATAERR, it cannot be read.
 */
const struct eligible *call_choice_list(struct call_choice *choice,
    const struct json_value *requires, struct svc_error *error);

/*
 * Chooses one who has room.  false: nobody has.  *counted: it is to be given
 * back.  Without memory a policy may be passed over, but not who has room.
 */
bool call_choice_next(struct call_choice *choice, const struct call_wish *wish,
    uint32_t *member, bool *counted);

/* Whether choices for tasks with requires may be counted. */
bool call_choice_counts(
    const struct call_choice *choice, const struct json_value *requires);

/*
 * Counts for member what another choice has counted there.  false: there is no
 * room for it, or no memory, and nothing is to be given back.
 */
bool call_choice_take(struct call_choice *choice,
    const struct json_value *requires, uint32_t member);

/* What was counted has ended. */
void call_choice_give_back(struct call_choice *choice,
    const struct json_value *requires, uint32_t member);

/* A run of choices ends. */
void call_choice_settle(struct call_choice *choice);

/* Appends why nobody meets requires: explain_none(). */
void call_choice_explain(struct call_choice *choice,
    const struct json_value *requires, struct buffer *out);

#endif
