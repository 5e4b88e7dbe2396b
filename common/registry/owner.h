/*
 * Who is to own a service of a registry that several users share.
 */
#ifndef SVCKIT_REGISTRY_OWNER_H
#define SVCKIT_REGISTRY_OWNER_H

#include <sys/types.h>

#include "line/error.h"

/*
 * Looks up "USER" or "USER:GROUP", names or numbers; without GROUP it is the
 * user's own.  EX_USAGE: neither; EX_NOUSER: there is none of that name.
 */
int owner_parse(
    const char *text, uid_t *user, gid_t *group, struct svc_error *error);

#endif
