/*
 * Whether a command can be started, told before it is needed: a service whose
 * command does not exist should not be offered at all.
 */
#ifndef SVCKIT_PROCESS_COMMAND_H
#define SVCKIT_PROCESS_COMMAND_H

#include "line/error.h"

/*
 * Looks name up as execvp(3) does, in path (the value of PATH; NULL: the
 * system's default) unless it has a slash.  0; -1 with EX_UNAVAILABLE and errno
 * ENOENT where there is none, EACCES where it cannot be run.
 */
int command_check(const char *name, const char *path, struct svc_error *error);

#endif
