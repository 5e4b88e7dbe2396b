/*
 * A command that is registered as an instance while it runs.
 *
 * The command is started behind a wrapper (process/wrapper.h).  Without a
 * check the instance is registered just before it starts; with one, when the
 * check first passes.  TERM, INT and QUIT take the instance out of the registry
 * before the command hears of them, so that nobody finds what is about to end.
 *
 * Unless the record pins its utilization, the load is reported: the CPU time of
 * the command and its descendants (process/usage.h), over capacity.slots, or
 * where that is not said over the processors it may run on.
 */
#ifndef SVCKIT_NET_REGISTERED_COMMAND_H
#define SVCKIT_NET_REGISTERED_COMMAND_H

#include <signal.h>

#include "line/error.h"
#include "line/instance.h"
#include "registry/registry.h"

struct registered_command_options {
	struct registry *registry;
	struct instance *instance; /* its lease is a lock or a ttl */
	char *const *command;
	/* SVC_NAME, SVC_ID, SVC_ADDRESS and PORT are set in a copy of it. */
	char *const *environment;
	const sigset_t *ignored; /* what the command ignores; NULL: nothing */
	int reserved; /* port_reserve()'s, closed before the start; -1 */
	double ready_timeout; /* seconds until the check must have passed */
	/* ttl in seconds is not 0 where heartbeats are sent.  May be NULL. */
	void (*registered)(void *argument, double ttl);
	/* One line for the user: the record is lost and the like. */
	void (*notice)(void *argument, const char *message);
	void *argument;
};

/*
 * Runs the command to its end.  0: wait_status is waitpid(2)'s; -1: error->code
 * is the exit status of a wrapper: 127 the command was not found, 126 it cannot
 * be run, 125 it was started and then stopped, because the check did not pass
 * in time or the instance could not be registered; else nothing was started.
 */
int registered_command_run(const struct registered_command_options *options,
    int *wait_status, struct svc_error *error);

#endif
