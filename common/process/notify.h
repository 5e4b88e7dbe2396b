/*
 * Telling a service manager how it goes: sd_notify(3)'s protocol, one datagram
 * of lines "NAME=VALUE" to a Unix socket whose name the manager has put into
 * the environment (NOTIFY_SOCKET; "@" begins an abstract one).
 *
 *	notify_open(&notify, getenv("NOTIFY_SOCKET"), &error);
 *	notify_send(notify, "READY=1\nSTATUS=3 running", &error);
 *	notify_close(notify);
 *
 * The source of the protocol is sd_notify(3), NOTES.
 */
#ifndef SVCKIT_PROCESS_NOTIFY_H
#define SVCKIT_PROCESS_NOTIFY_H

#include "line/error.h"

struct notify;

/*
 * Nobody is told where name is NULL or empty: *notify is NULL then, which the
 * others allow.  -1: EX_CONFIG, name is that of no socket; EX_OSERR.
 */
int notify_open(
    struct notify **notify, const char *name, struct svc_error *error);
void notify_close(struct notify *notify);

/* -1: EX_OSERR, the manager does not listen.  Never blocks. */
int notify_send(
    struct notify *notify, const char *state, struct svc_error *error);

/*
 * How often to say "WATCHDOG=1", in seconds: half of what microseconds
 * (WATCHDOG_USEC) asks for, where pid (WATCHDOG_PID; NULL: anybody) is ours.
 * 0: it is not asked for.
 */
double notify_watchdog(const char *microseconds, const char *pid);

#endif
