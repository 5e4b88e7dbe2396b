/*
 * A free port for a command that is about to start, and %p, which stands for
 * it on command lines.
 *
 *	descriptor = port_reserve(&port, &error);
 *	... port_substitute(argument, port, &out) ...
 *	close(descriptor);	just before the command binds it
 */
#ifndef SVCKIT_PROCESS_PORT_H
#define SVCKIT_PROCESS_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"

/*
 * Binds a TCP port that is free on every address of this machine, IPv6 and
 * IPv4, and returns the close-on-exec descriptor that keeps it, or -1.  While
 * it is open nobody else is given the port by the kernel.
 */
int port_reserve(uint16_t *port, struct svc_error *error);

/* Whether text has a %p ("%%p" is none). */
bool port_wanted(const char *text);

/*
 * Appends text with %p as port and %% as a percent sign; any other % stays as
 * it is, so that a URL's %20 does.
 */
void port_substitute(const char *text, uint16_t port, struct buffer *out);

/*
 * A copy of argv with the port in each argument; one block to free(3).  NULL
 * without memory.
 */
char **port_arguments(
    char *const *argv, uint16_t port, struct svc_error *error);

#endif
