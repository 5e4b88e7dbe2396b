/*
 * The members of a task line that mean something: their names and kinds.
 */
#ifndef SVCKIT_LINE_TASK_MEMBER_H
#define SVCKIT_LINE_TASK_MEMBER_H

#include "line/error.h"
#include "line/json.h"

struct envelope;

/* Each may stand once. */
enum task_member {
	MEMBER_ID,
	MEMBER_TASK,
	MEMBER_SERVICE,
	MEMBER_REQUIRES,
	MEMBER_PRIORITY,
	MEMBER_DURATION,
	MEMBER_TIMEOUT,
	MEMBER_DEADLINE,
	MEMBER_NOT_BEFORE,
	MEMBER_AFTER,
	MEMBER_WHEN,
	MEMBER_BIND,
	MEMBER_GROUP,
	MEMBER_KEY,
	MEMBER_RETRIES,
	MEMBER_TRACEPARENT,
	MEMBER_ENCODING,
	MEMBER_TASK_ENCODING,
	MEMBER_INSTANCE,
	MEMBER_STATUS,
	MEMBER_MS,
	MEMBER_ATTEMPTS,
	MEMBER_RESULT,
	MEMBER_WHY,
	MEMBER_START,
	MEMBER_END,
	MEMBER_ERROR,
	MEMBER_LOST,
	MEMBER_LINE,
	MEMBER_INPUT,
	MEMBER_TRUNCATED,
	MEMBER_COUNT
};
#define MEMBER_BIT(member) (1UL << (member))

/* Which one it is, after unescaping; -1: none of them. */
int task_member_find(const struct json_member *member);

const char *task_member_name(enum task_member member);

/*
 * Checks the kinds of the members that stand in envelope->members and fills
 * the decoded ones.  EX_DATAERR names the member ("\"timeout\": not ...").
 */
int task_members_decode(struct envelope *envelope, struct svc_error *error);

#endif
