#include "sched/chooser.h"

#include <sysexits.h>

#include "sched/explain.h"

static int
fail_sentence(struct task_failure *failure, enum task_code code,
    struct buffer *sentence, struct svc_error *error)
{
	const char *text = buffer_string(sentence);

	if (text == NULL)
		svc_error_set(error, EX_OSERR, "out of memory");
	else
		task_failure_set(failure, code, "%s", text);
	buffer_release(sentence);
	return text == NULL ? -1 : 0;
}

static int
fail_nameless(
    struct pool *pool, struct task_failure *failure, struct svc_error *error)
{
	struct buffer sentence = BUFFER_INIT;

	buffer_append_string(&sentence, "several services (");
	pool_list_services(pool, &sentence);
	buffer_append_string(&sentence, "), and none is named");
	return fail_sentence(failure, CODE_NO_SERVICE, &sentence, error);
}

static int
fail_unknown(struct pool *pool, const char *service,
    struct task_failure *failure, struct svc_error *error)
{
	struct buffer sentence = BUFFER_INIT;

	buffer_append_format(
	    &sentence, "no instances of \"%s\", only of ", service);
	pool_list_services(pool, &sentence);
	return fail_sentence(failure, CODE_NO_INSTANCES, &sentence, error);
}

static int
fail_unplaceable(const struct explain_question *question,
    struct task_failure *failure, struct svc_error *error)
{
	struct buffer sentence = BUFFER_INIT;

	explain_none(question, &sentence);
	return fail_sentence(failure, CODE_UNPLACEABLE, &sentence, error);
}

static void
fail_late(const struct constrained_task *task, double seconds,
    struct task_failure *failure)
{
	if (task->remaining < 0)
		task_failure_set(failure, CODE_DEADLINE,
		    "its deadline has passed, %.1f s ago", -task->remaining);
	else
		task_failure_set(failure, CODE_DEADLINE,
		    "takes %.6g s%s, and its deadline is in %.6g s", seconds,
		    seconds == task->duration ? "" : " on the fastest instance",
		    task->remaining);
}

static bool
is_known(struct pool *pool, const char *service)
{
	uint32_t first;
	size_t count;

	pool_range(pool, service, &first, &count);
	return count > 0;
}

/* What there is to choose from: before constraints, and after them. */
static int
find_lists(struct chooser *chooser, const char *service,
    const struct chooser_task *task, const struct eligible **all,
    const struct eligible **list, struct svc_error *error)
{
	return constraints_find(chooser->constraints, service, task->requires,
	    chooser->policy->type->takes_room, &task->constrained, all, list,
	    error);
}

/* 0: it is the task's fault, and failure says so with code; -1: ours. */
static int
fail_error(enum task_code code, struct task_failure *failure,
    const struct svc_error *error)
{
	if (error->code != EX_DATAERR)
		return -1;
	task_failure_set(failure, code, "%s", error->message);
	return 0;
}

/* Why nobody of list, which is the pool's, was chosen. */
static int
fail_unchosen(struct chooser *chooser, const struct explain_question *question,
    const struct eligible *list, struct task_failure *failure,
    struct svc_error *error)
{
	double seconds = 0;

	if (question->constrained->remaining < 0 ||
	    constraints_all_late(
		chooser->constraints, list, question->constrained, &seconds)) {
		fail_late(question->constrained, seconds, failure);
		return 0;
	}
	return fail_unplaceable(question, failure, error);
}

/* Chooses from list, which constraints have left, and counts the choice. */
static int
choose_from(struct chooser *chooser, const struct chooser_task *task,
    const struct eligible *list, uint32_t *member, struct svc_error *error)
{
	int chosen;

	if (list->count == 0)
		return 0;
	chosen =
	    policy_choose(chooser->policy, list, &task->policy, member, error);
	if (chosen == 1 && constraints_placed(chooser->constraints, list,
			       &task->constrained, *member, error) == -1)
		return -1;
	return chosen;
}

/* As chooser_choose(), for a service that is there, or the only one. */
static int
choose_for(struct chooser *chooser, const struct chooser_task *task,
    const struct explain_question *question, uint32_t *member,
    const struct eligible **list, struct buffer *why,
    struct task_failure *failure, struct svc_error *error)
{
	const char *service = question->service;
	const struct eligible *all;
	int chosen;

	if (find_lists(chooser, service, task, &all, list, error) == -1)
		return fail_error(CODE_INVALID, failure, error);
	if (chooser->explain != EXPLAIN_NO) {
		explain_append(question, chooser->explain == EXPLAIN_FULL, why);
		/* it has asked for lists of its own */
		if (find_lists(chooser, service, task, &all, list, error) == -1)
			return fail_error(CODE_INVALID, failure, error);
	}
	chosen = choose_from(chooser, task, *list, member, error);
	if (chosen == -1)
		return fail_error(CODE_UNPLACEABLE, failure, error);
	if (chosen == 1)
		return 1;
	return fail_unchosen(chooser, question, all, failure, error);
}

int
chooser_choose(struct chooser *chooser, const struct chooser_task *task,
    uint32_t *member, const struct eligible **list, struct buffer *why,
    struct task_failure *failure, struct svc_error *error)
{
	struct pool *pool = chooser->pool;
	struct explain_question question = {
	    .pool = pool,
	    .policy = chooser->policy,
	    .constraints = chooser->constraints,
	    .service = task->service != NULL ? task->service : chooser->service,
	    .requires = task->requires,
	    .constrained = &task->constrained,
	    .task = &task->policy,
	};

	if (pool_count(pool) == 0) {
		task_failure_set(failure, CODE_NO_INSTANCES, "%s",
		    chooser->empty == NULL ? "no instances" : chooser->empty);
		return 0;
	}
	if (question.service == NULL && pool_services(pool) > 1)
		return fail_nameless(pool, failure, error);
	if (!is_known(pool, question.service))
		return fail_unknown(pool, question.service, failure, error);
	return choose_for(
	    chooser, task, &question, member, list, why, failure, error);
}

int
chooser_choose_among(struct chooser *chooser, const struct chooser_task *task,
    const unsigned char *keep, uint32_t *member, const struct eligible **list,
    struct svc_error *error)
{
	const char *service =
	    task->service != NULL ? task->service : chooser->service;
	const struct eligible *all;
	int chosen = -1;

	if (find_lists(chooser, service, task, &all, list, error) == 0 &&
	    constraints_among(chooser->constraints, *list, keep, list, error) ==
		0)
		chosen = choose_from(chooser, task, *list, member, error);
	/* chooser_choose() says what is wrong with the task or a weight */
	return chosen == -1 && error->code == EX_DATAERR ? 0 : chosen;
}

void
chooser_ended(struct chooser *chooser, const struct chooser_task *task,
    const struct eligible *list, uint32_t member)
{
	constraints_ended(
	    chooser->constraints, list, &task->constrained, member);
	policy_give_back(chooser->policy, list->demand, member);
}
