/*
 * Keeps one instance registered while this process lives.
 *
 * A record whose lease is "lock" is held by the kernel's lock and needs nothing
 * more; one whose lease is "ttl" gets three heartbeats a ttl.  Where lock
 * leases cannot work (a file system that is not local) the registry makes it a
 * ttl of 15 s, and it is beaten for like any other.
 *
 * A record that somebody removed or replaced stays so: notice is called once,
 * and the keeper does nothing more until it is closed.
 *
 * It also reports the instance's load in its record (registry/load.h), unless
 * the record pins it.
 *
 * Calling sequence, on an event base:
 *
 *	struct keeper_options options = { .base = base, .notice = say_so };
 *
 *	if (keeper_open(&keeper, registry, &registration, &options, &error)
 *	    == -1)
 *		...
 *	event_base_dispatch(base);
 *	keeper_close(keeper, &error);
 *
 * Without one: call keeper_check() every keeper_interval() seconds, and
 * keeper_report() every LOAD_INTERVAL.
 */
#ifndef SVCKIT_REGISTRY_KEEPER_H
#define SVCKIT_REGISTRY_KEEPER_H

#include "line/error.h"
#include "registry/lease.h"
#include "registry/registry.h"

struct event_base;
struct keeper;

struct keeper_options {
	struct event_base *base; /* NULL: the caller checks */
	/* One line for the user: the instance was drained before it was
	 * registered, its record is lost, or a heartbeat failed and will be
	 * tried again.  May be NULL; must not call keeper_close(). */
	void (*notice)(void *argument, const char *message);
	void *argument;
	/*
	 * Asked every LOAD_INTERVAL for the utilization since it was asked
	 * before; negative: not known.  Not asked where the record pins it.
	 * NULL: nothing is reported.
	 */
	double (*load)(void *load_argument);
	void *load_argument;
};

/*
 * Registers registration->instance, whose lease is LEASE_LOCK or LEASE_TTL
 * (another is EX_SOFTWARE), and keeps it.  registry must outlive the keeper;
 * the registration need not.  Fails as registry_hold() and
 * registry_register() do: EX_TEMPFAIL when a living process holds that id.
 */
int keeper_open(struct keeper **keeper, struct registry *registry,
    struct registration *registration, const struct keeper_options *options,
    struct svc_error *error);

/*
 * The ttl in seconds that heartbeats are sent for; 0: a lock.  Not 0 for a
 * record that asked for a lock: the place has none, tell the user.
 */
double keeper_ttl(const struct keeper *keeper);

/* How often keeper_check() is due, in seconds. */
double keeper_interval(const struct keeper *keeper);

/* Sends a heartbeat where the lease is a ttl, and looks whether the record is
 * still ours.  1: it is; 0: it is lost. */
int keeper_check(struct keeper *keeper);

/*
 * Writes the record again with this utilization, where load_due(): 1; 0: the
 * record is lost.  Nothing is written where the record pins its utilization, or
 * it is negative: not known.  now is time_monotonic().  What fails is told, and
 * left to the next report.
 */
int keeper_report(struct keeper *keeper, double utilization, double now);

/*
 * Removes the record, if it is still ours, and frees the keeper (NULL is
 * allowed).  0; -1: it could not be removed.
 */
int keeper_close(struct keeper *keeper, struct svc_error *error);

#endif
