/*
 * Where in a task its bindings point: the places that results go to.
 */
#ifndef SVCKIT_FLOW_TASK_PLACE_H
#define SVCKIT_FLOW_TASK_PLACE_H

#include <stddef.h>

#include "flow/task_links.h"
#include "line/error.h"
#include "line/json.h"

struct task_place {
	struct task_binding binding;
	struct json_value value; /* what stands there: bytes of the task */
	/* private */
	const char *rest; /* of binding.into, to be followed from value */
	struct json_value next;
};

/*
 * Finds count places in task, which a scan has accepted: of each, binding is
 * filled in, its pointers being such (line/json_pointer.h).  As there, the last
 * one of names that stand twice counts.  Afterwards they are in the order of
 * their bytes.
 *
 * All at once, O(bytes of task * length of pointers in steps), however many:
 * for each a search from the beginning would be quadratic.
 *
 * -1: EX_DATAERR, a place that is not there, or that lies in another one;
 * EX_OSERR.
 */
int task_places_find(struct task_place *places, size_t count,
    const struct json_value *task, struct svc_error *error);

#endif
