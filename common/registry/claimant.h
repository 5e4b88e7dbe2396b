/*
 * Claimants: the processes that execute tasks of the queue, and whether they
 * are alive.  One lives as long as it holds the lock of its record, where locks
 * tell (store_is_local()); elsewhere, or where a ttl was asked for, as long as
 * it beats.
 *
 *	tasks/claimants/HOST-PID-RANDOM
 *	{"claimant":"web1-411-k2x8","host":"web1","pid":411,"lease":"lock"}
 *	{"claimant":"web2-97-0vd1","host":"web2","pid":97,
 *	    "lease":"ttl","ttl":15}
 */
#ifndef SVCKIT_REGISTRY_CLAIMANT_H
#define SVCKIT_REGISTRY_CLAIMANT_H

#include "registry/queue.h"

#define CLAIMANT_TTL 15.0

struct claimant;

struct claimant_options {
	const char *host; /* as gethostname(2) says; other characters as - */
	double ttl; /* seconds; 0: a lock where that is possible, else 15 s */
	bool commands; /* it executes them: services do not matter to it */
};

/* Makes the record, before anything is claimed. */
int claimant_open(struct claimant **claimant, struct store *store,
    const struct claimant_options *options, struct svc_error *error);
/* Removes it: what it had claimed must have been completed or given back. */
void claimant_close(struct claimant *claimant);

const char *claimant_name(const struct claimant *claimant);
/* How often to beat, in seconds; 0: it need not, its lock tells. */
double claimant_interval(const struct claimant *claimant);
/*
 * 1: alive; 0: the record was gone, or the beat came so late that others may
 * have taken it for dead: what had been claimed may be another's, and a new
 * record, with a new name, was made; -1.
 */
int claimant_beat(struct claimant *claimant, struct svc_error *error);
/*
 * The descriptor that the lock lives with, for children whose work must end
 * before others take it over: they inherit it; -1: there is none.
 */
int claimant_descriptor(const struct claimant *claimant);

/*
 * Who is alive.  Of a ttl only time tells, and a clock may jump: one is dead
 * when it has not beaten for its ttl on our own monotonic clock, from when it
 * was seen first.
 */
struct claimants;
int claimants_open(
    struct claimants **claimants, struct store *store, struct svc_error *error);
void claimants_close(struct claimants *claimants);
/*
 * Looks again at all.  *next: seconds until somebody may turn out to be dead
 * who makes no event; HUGE_VAL: nobody.  -1.
 */
int claimants_look(
    struct claimants *claimants, double *next, struct svc_error *error);
/* Whether name lives, as claimants_look() has seen it.  One without a record
 * does not. */
bool claimants_alive(const struct claimants *claimants, const char *name);
/*
 * Whether it is dead, for whoever takes over what it had: 1; 0; -1.  One that
 * claimants_look() did not see is looked for once more: its record was made
 * before it claimed anything, but maybe after that look.
 */
int claimants_dead(const struct claimants *claimants, const char *name,
    struct svc_error *error);
size_t claimants_count(const struct claimants *claimants); /* of the living */
/* Removes the records of the dead, each only if it is: after what they had was
 * put back. */
int claimants_sweep(struct claimants *claimants, struct svc_error *error);

#endif
