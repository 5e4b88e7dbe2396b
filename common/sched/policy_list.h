/*
 * Several policies in one text: "random,weighted=headroom,hash=/user".
 */
#ifndef SVCKIT_SCHED_POLICY_LIST_H
#define SVCKIT_SCHED_POLICY_LIST_H

#include <stddef.h>

#include "line/error.h"
#include "sched/policy.h"

#define POLICY_LIST_MAX 32

struct policy_list_item {
	const char *text; /* "weighted=headroom", for policy_parse() */
	const struct policy_type *type;
	struct policy_options options; /* what the text says; else all zero */
};

/* All zero is an empty list. */
struct policy_list {
	struct policy_list_item items[POLICY_LIST_MAX];
	size_t count;
	const char *pointer; /* of all that are hash; NULL: the line's key */
	char *text; /* private: what all of these point into, owned */
};

/*
 * Makes list what text says, instead of what it held.  -1: EX_USAGE, one is no
 * policy, they are too many, or hash is to go by two keys (a task's key is made
 * once, when it is read); EX_OSERR.  The list is then empty.
 */
int policy_list_parse(
    struct policy_list *list, const char *text, struct svc_error *error);
void policy_list_release(struct policy_list *list);

#endif
