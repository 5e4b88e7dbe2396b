/*
 * One condition on a service or an instance: a term of registry/until.h, which
 * describes them.
 */
#ifndef SVCKIT_REGISTRY_CONDITION_H
#define SVCKIT_REGISTRY_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "line/status.h"

enum condition_kind { CONDITION_COUNT, CONDITION_STATUS, CONDITION_GONE };

enum condition_comparison {
	COMPARE_AT_LEAST,
	COMPARE_AT_MOST,
	COMPARE_EQUAL,
	COMPARE_UNEQUAL,
	COMPARE_MORE,
	COMPARE_LESS
};

struct condition {
	char *text; /* as written, without space around it; owned */
	char *service; /* owned */
	char *id; /* owned; NULL: of all instances of the service */
	enum condition_kind kind;
	enum condition_comparison comparison; /* of CONDITION_COUNT */
	size_t count; /* the same */
	enum instance_status status; /* of CONDITION_STATUS */
};

/* Reads length bytes of text.  EX_USAGE.  Also after -1 it needs release. */
int condition_parse(struct condition *condition, const char *text,
    size_t length, struct svc_error *error);
void condition_release(struct condition *condition);

/* Whether count compares as a CONDITION_COUNT asks. */
bool condition_compare(const struct condition *condition, size_t count);

/* Whether such a one that count does not satisfy asks for less than count. */
bool condition_wants_less(const struct condition *condition, size_t count);

#endif
