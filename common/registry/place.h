/*
 * Where the registry is.
 */
#ifndef SVCKIT_REGISTRY_PLACE_H
#define SVCKIT_REGISTRY_PLACE_H

#include "line/buffer.h"
#include "line/error.h"

#define REGISTRY_SYSTEM_PLACE "/var/spool/svckit"

/*
 * Appends the place, a path or scheme://...: option (-R), else environment
 * (SVC_REGISTRY), else the user's own (state_home/svckit, or
 * home/.local/state/svckit) if it exists, else /var/spool/svckit if it exists
 * and may be written, else the user's own.  Any of the four may be NULL or "".
 * EX_CONFIG when none of them says where.
 */
int registry_place(const char *option, const char *environment,
    const char *state_home, const char *home, struct buffer *place,
    struct svc_error *error);

#endif
