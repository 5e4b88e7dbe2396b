#include "flow/queue_waits.h"

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* How an id stands: as it has ended, or it is not in the queue. */
#define UNKNOWN	     (END_CANCELLED + 1)
#define STANDS_COUNT (UNKNOWN + 1)

struct wait_link {
	LIST_ENTRY(wait_link) entry; /* among those who wait for the same */
	struct awaited *awaited;
	struct queue_wait *wait;
};

/* An id that somebody waits for. */
struct awaited {
	struct id_node node;
	LIST_HEAD(, wait_link) waiters;
	int stands;
	bool telling; /* it is kept although nobody is left */
	char id[];
};

struct queue_wait {
	void *task;
	enum task_when when;
	uint32_t count; /* of links */
	uint32_t stand[STANDS_COUNT]; /* how many of its ids stand so */
	struct wait_link links[];
};

static void
drop_node(void *argument, struct id_node *node)
{
	(void)argument;
	free(node);
}

void
queue_waits_release(struct queue_waits *waits)
{
	id_map_release(&waits->ids, drop_node, NULL);
}

/* Asks how an id stands that nobody has waited for. */
static int
look(
    struct queue_waits *waits, struct awaited *awaited, struct svc_error *error)
{
	enum task_end end = END_OPEN;
	int found = waits->look(waits->argument, awaited->id, &end, error);

	awaited->stands = found == 0 ? (int)UNKNOWN : (int)end;
	return found == -1 ? -1 : 0;
}

/* NULL: EX_OSERR, or what look() says. */
static struct awaited *
find_awaited(struct queue_waits *waits, const char *id, struct svc_error *error)
{
	const size_t size = strlen(id) + 1;
	struct awaited *awaited =
	    (struct awaited *)id_map_find(&waits->ids, id);

	if (awaited != NULL)
		return awaited;
	awaited = calloc(1, sizeof(*awaited) + size);
	if (awaited == NULL) {
		svc_error_set(error, EX_OSERR, "out of memory");
		return NULL;
	}
	memcpy(awaited->id, id, size);
	awaited->node.id = awaited->id;
	LIST_INIT(&awaited->waiters);
	if (look(waits, awaited, error) == -1) {
		free(awaited);
		return NULL;
	}
	if (id_map_add(&waits->ids, &awaited->node) == -1) {
		svc_error_set(error, EX_OSERR, "out of memory");
		free(awaited);
		return NULL;
	}
	return awaited;
}

static void
forget_unawaited(struct queue_waits *waits, struct awaited *awaited)
{
	if (awaited->telling || !LIST_EMPTY(&awaited->waiters))
		return;
	id_map_remove(&waits->ids, &awaited->node);
	free(awaited);
}

int
queue_waits_add(struct queue_waits *waits, const struct task_links *links,
    void *task, struct queue_wait **result, struct svc_error *error)
{
	struct queue_wait *wait;
	struct wait_link *link;
	size_t i;

	*result = NULL;
	if (links->after_count == 0 && links->when != WHEN_FAILED)
		return 0;
	wait = calloc(
	    1, sizeof(*wait) + links->after_count * sizeof(wait->links[0]));
	if (wait == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	wait->task = task;
	wait->when = links->when;
	for (i = 0; i < links->after_count; i++) {
		link = &wait->links[i];
		link->wait = wait;
		link->awaited = find_awaited(waits, links->after[i], error);
		if (link->awaited == NULL) {
			queue_waits_drop(waits, wait);
			return -1;
		}
		LIST_INSERT_HEAD(&link->awaited->waiters, link, entry);
		wait->stand[link->awaited->stands]++;
		wait->count++;
	}
	*result = wait;
	return 0;
}

void
queue_waits_drop(struct queue_waits *waits, struct queue_wait *wait)
{
	struct wait_link *link;

	if (wait == NULL)
		return;
	for (link = wait->links; link < wait->links + wait->count; link++) {
		LIST_REMOVE(link, entry);
		forget_unawaited(waits, link->awaited);
	}
	free(wait);
}

/* Of one that waits for success. */
static bool
is_bad(int stands)
{
	return stands != END_OPEN && stands != END_OK;
}

enum task_decision
queue_wait_decision(const struct queue_wait *wait)
{
	const uint32_t *stand = wait->stand;

	if (stand[UNKNOWN] > 0 ||
	    (wait->when == WHEN_OK &&
		stand[END_OPEN] + stand[END_OK] < wait->count))
		return DECISION_SKIP;
	if (stand[END_OPEN] > 0)
		return DECISION_WAIT;
	if (wait->when == WHEN_FAILED && stand[END_FAILED] == 0)
		return DECISION_SKIP;
	return DECISION_READY;
}

/* The first link that keeps it from running; NULL: it has no links. */
static const struct awaited *
find_reason(const struct queue_wait *wait)
{
	const bool unknown = wait->stand[UNKNOWN] > 0;
	uint32_t i;

	for (i = 0; i < wait->count; i++) {
		const struct awaited *awaited = wait->links[i].awaited;

		if (unknown
			? awaited->stands == (int)UNKNOWN
			: wait->when == WHEN_FAILED || is_bad(awaited->stands))
			return awaited;
	}
	return NULL;
}

void
queue_wait_explain(const struct queue_wait *wait, struct task_failure *failure)
{
	static const char *const ends[STANDS_COUNT] = {
	    [END_OPEN] = "has not ended",
	    [END_OK] = "has not failed",
	    [END_FAILED] = "failed",
	    [END_SKIPPED] = "was skipped",
	    [END_CANCELLED] = "was cancelled",
	};
	const struct awaited *reason = find_reason(wait);

	if (reason == NULL)
		task_failure_set(failure, CODE_SKIPPED,
		    "it is for a failure, and waits for nobody");
	else if (reason->stands == (int)UNKNOWN)
		task_failure_set(failure, CODE_UNKNOWN_TASK,
		    "it waits for '%s', which is not in the queue", reason->id);
	else
		task_failure_set(failure, CODE_SKIPPED, "%s %s", reason->id,
		    ends[reason->stands]);
}

static void
tell(struct wait_link *link, int before, int after,
    void (*decided)(void *argument, void *task), void *argument)
{
	struct queue_wait *wait = link->wait;
	const enum task_decision decision = queue_wait_decision(wait);

	wait->stand[before]--;
	wait->stand[after]++;
	if (queue_wait_decision(wait) != decision)
		decided(argument, wait->task);
}

bool
queue_waits_awaited(const struct queue_waits *waits, const char *id)
{
	return id_map_find(&waits->ids, id) != NULL;
}

void
queue_waits_ended(struct queue_waits *waits, const char *id, enum task_end end,
    void (*decided)(void *argument, void *task), void *argument)
{
	struct awaited *awaited =
	    (struct awaited *)id_map_find(&waits->ids, id);
	struct wait_link *link, *next;
	int before;

	if (awaited == NULL || awaited->stands == (int)end)
		return;
	before = awaited->stands;
	awaited->stands = (int)end;
	awaited->telling = true;
	for (link = LIST_FIRST(&awaited->waiters); link != NULL; link = next) {
		next = LIST_NEXT(link, entry);
		tell(link, before, (int)end, decided, argument);
	}
	awaited->telling = false;
	forget_unawaited(waits, awaited);
}
