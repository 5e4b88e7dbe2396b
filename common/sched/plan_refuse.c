#include "sched/plan_refuse.h"

#include <math.h>
#include <stdlib.h>
#include <sysexits.h>

#include "sched/plan_task.h"

#define NONE UINT32_MAX

/* Of each class its tasks in order: the first, and to each the next. */
struct roll {
	uint32_t *first; /* or NONE */
	uint32_t *next; /* or NONE */
};

static int
roll_init(struct roll *roll, const struct plan_classes *classes,
    const uint32_t *order, size_t count)
{
	size_t i;

	roll->first = calloc(classes->count + 1, sizeof(*roll->first));
	roll->next = calloc(count + 1, sizeof(*roll->next));
	if (roll->first == NULL || roll->next == NULL)
		return -1;
	for (i = 0; i < classes->count; i++)
		roll->first[i] = NONE;
	for (i = count; i-- > 0;) {
		uint32_t *first = &roll->first[classes->of[order[i]]];

		roll->next[order[i]] = *first;
		*first = order[i];
	}
	return 0;
}

static void
roll_release(struct roll *roll)
{
	free(roll->first);
	free(roll->next);
}

int
plan_refuse_probe(const struct plan *plan, uint32_t task, struct buffer *why,
    struct task_failure *failure, struct svc_error *error)
{
	struct plan_question question;
	const struct eligible *list;
	uint32_t member;
	int chosen;

	buffer_clear(why);
	plan_question_ask(&question, plan, task, 0);
	question.asked.constrained.remaining = INFINITY;
	chosen = chooser_choose(plan->chooser, &question.asked, &member, &list,
	    why, failure, error);
	if (chosen == 1)
		chooser_ended(plan->chooser, &question.asked, list, member);
	return chosen;
}

/* If the first task cannot be placed, neither can the others of its class. */
static int
refuse_class(struct plan *plan, const struct roll *roll, uint32_t first,
    struct buffer *why, unsigned char *refused, struct svc_error *error)
{
	struct task_failure failure;
	uint32_t task;
	int chosen;

	chosen = plan_refuse_probe(plan, first, why, &failure, error);
	if (chosen != 0)
		return chosen == -1 ? -1 : 0;
	*refused = 1;
	for (task = first; task != NONE; task = roll->next[task])
		if (plan_tell(plan, task, &failure, why, error) == -1)
			return -1;
	return 0;
}

int
plan_refuse(struct plan *plan, const struct plan_classes *classes,
    const uint32_t *order, unsigned char *refused, struct svc_error *error)
{
	struct buffer why = BUFFER_INIT;
	struct roll roll;
	size_t i;
	int result = 0;

	if (roll_init(&roll, classes, order, batch_count(plan->batch)) == -1)
		result = svc_error_set(error, EX_OSERR, "out of memory");
	for (i = 0; result == 0 && i < classes->count; i++)
		if (roll.first[i] != NONE)
			result = refuse_class(plan, &roll, roll.first[i], &why,
			    &refused[i], error);
	roll_release(&roll);
	buffer_release(&why);
	return result;
}
