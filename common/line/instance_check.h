/* Whether the members of an instance line are of the right kinds. */
#ifndef SVCKIT_LINE_INSTANCE_CHECK_H
#define SVCKIT_LINE_INSTANCE_CHECK_H

#include "line/error.h"
#include "line/instance.h"
#include "line/instance_field.h"

/*
 * Checks all fields but service, id, address and check (line/check.h), and
 * fills the numbers, the lease, and what was observed but the texts.
 * EX_DATAERR names the member.
 */
int instance_check(struct instance *instance, struct instance_fields *fields,
    struct svc_error *error);

#endif
