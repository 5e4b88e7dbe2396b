/* The order in which people want to see instances. */
#ifndef SVCKIT_UI_ORDER_H
#define SVCKIT_UI_ORDER_H

#include <stddef.h>

#include "line/error.h"
#include "line/instance.h"

/*
 * Sorts count instances by field, the dotted path of a member, with a '-' in
 * front in descending order.  Numbers (with units, too) come before text and
 * are compared as numbers; instances without the member come last both ways;
 * equal ones keep their order.  Returns how many have the member, -1: EX_OSERR.
 */
long order_instances(struct instance *instances, size_t count,
    const char *field, struct svc_error *error);

#endif
