#include "sched/plan_offer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/explain.h"

/*
 * Policies compare with a tolerance for rounding; what is passed over without
 * asking them must lack more than that.
 */
#define TOLERANCE 2e-9

/* Of so few it is looked at each one's capacities before the policy is asked */
#define FEW 16

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
plan_offer_open(struct plan_offer *offer, struct plan *plan,
    const struct plan_classes *classes)
{
	struct pool *pool = plan->chooser->pool;
	size_t count = pool_count(pool), i;

	memset(offer, 0, sizeof(*offer));
	offer->plan = plan;
	offer->classes = classes;
	offer->lanes = calloc(count + 1, sizeof(*offer->lanes));
	offer->freed = calloc(count + 1, sizeof(*offer->freed));
	offer->is_freed = calloc(count + 1, sizeof(*offer->is_freed));
	offer->keep = calloc(count + 1, sizeof(*offer->keep));
	if (offer->lanes == NULL || offer->freed == NULL ||
	    offer->is_freed == NULL || offer->keep == NULL)
		return -1;
	for (i = 0; i < count; i++)
		plan_lanes_init(&offer->lanes[i],
		    plan_slots(pool_member(pool, (uint32_t)i)->slots));
	return 0;
}

void
plan_offer_close(struct plan_offer *offer)
{
	size_t i;

	for (i = 0;
	     offer->lanes != NULL && i < pool_count(offer->plan->chooser->pool);
	     i++)
		plan_lanes_release(&offer->lanes[i]);
	free(offer->lanes);
	free(offer->freed);
	free(offer->is_freed);
	free(offer->keep);
	buffer_release(&offer->why);
	memset(offer, 0, sizeof(*offer));
}

static const struct plan_class *
class_of(const struct plan_offer *offer, uint32_t task)
{
	return &offer->classes->items[offer->classes->of[task]];
}

/* Asks for the task at any time, and where it may go. */
static int
list_task(const struct plan_offer *offer, uint32_t task,
    struct plan_question *question, const struct eligible **list,
    struct svc_error *error)
{
	const struct chooser *chooser = offer->plan->chooser;
	const char *service;
	bool mixed;

	plan_question_ask(question, offer->plan, task, 0);
	service = question->asked.service;
	return pool_labelled(chooser->pool,
	    service != NULL ? service : chooser->service, &question->requires,
	    list, &mixed, error);
}

int
plan_offer_withdraw(struct plan_offer *offer, uint32_t task, uint32_t member,
    struct svc_error *error)
{
	struct plan_question question;
	const struct eligible *list;

	if (list_task(offer, task, &question, &list, error) == -1)
		return -1;
	chooser_ended(offer->plan->chooser, &question.asked, list, member);
	return 0;
}

int
plan_offer_ended(
    struct plan_offer *offer, uint32_t task, struct svc_error *error)
{
	const struct plan_placement *placement = &offer->plan->placements[task];
	uint32_t member = placement->member;

	if (plan_lanes_give_back(&offer->lanes[member],
		class_of(offer, task)->slots, placement->slot) == -1)
		return no_memory(error);
	if (!offer->is_freed[member])
		offer->freed[offer->freed_count++] = member;
	offer->is_freed[member] = 1;
	return plan_offer_withdraw(offer, task, member, error);
}

void
plan_offer_clear(struct plan_offer *offer)
{
	while (offer->freed_count > 0)
		offer->is_freed[offer->freed[--offer->freed_count]] = 0;
}

/* What member has left of the capacity called name; less than 0: none. */
static double
left_of(const struct plan_offer *offer, uint32_t member, const char *name)
{
	const struct policy *policy = offer->plan->chooser->policy;
	const double *totals = pool_capacity(policy->pool, name), *left;
	double total = totals == NULL ? NAN : totals[member];

	if (isnan(total))
		return -1;
	if (policy->type->left == NULL)
		return total;
	left = policy->type->left(policy, name);
	return (left == NULL ? total : fmax(0, left[member])) +
	       total * TOLERANCE;
}

static uint32_t
free_slots(const struct plan_offer *offer, uint32_t member)
{
	return offer->lanes[member].count - offer->lanes[member].taken;
}

void
plan_offer_most(const struct plan_offer *offer, size_t capacities,
    double most[PLAN_KINDS_MAX])
{
	const struct pool *pool = offer->plan->chooser->pool;
	size_t i, k;

	for (k = 0; k < PLAN_KINDS_MAX; k++)
		most[k] = -1;
	for (i = 0; i < offer->freed_count; i++) {
		uint32_t member = offer->freed[i];

		if (free_slots(offer, member) == 0)
			continue;
		most[PLAN_SLOTS] =
		    fmax(most[PLAN_SLOTS], free_slots(offer, member));
		most[PLAN_SPEED] =
		    fmax(most[PLAN_SPEED], pool_member(pool, member)->speed);
		for (k = 0; k < capacities; k++)
			most[PLAN_CAPACITY + k] = fmax(most[PLAN_CAPACITY + k],
			    left_of(offer, member,
				name_table_name(
				    &offer->classes->names, (uint32_t)k)));
	}
}

static bool
has_left(const struct plan_offer *offer, const struct plan_class *class,
    uint32_t member)
{
	const struct plan_classes *classes = offer->classes;
	size_t i;

	for (i = 0; i < class->number_count; i++) {
		const struct plan_number *number =
		    &classes->numbers[class->numbers + i];

		if (left_of(offer, member,
			name_table_name(&classes->names, number->name)) <
		    number->amount)
			return false;
	}
	return true;
}

/* Keeps member if it has the slots; returns how many were kept. */
static size_t
keep_free(
    struct plan_offer *offer, const struct plan_class *class, uint32_t member)
{
	if (free_slots(offer, member) < class->slots)
		return 0;
	offer->keep[member] = 1;
	return 1;
}

/* Fills keep with who may be asked; returns how many. */
static size_t
fill_keep(struct plan_offer *offer, const struct plan_class *class, bool freed)
{
	const struct plan_set *set = &offer->classes->sets[class->set];
	size_t i, kept = 0;

	if (freed && offer->freed_count <= FEW) {
		for (i = 0; i < offer->freed_count; i++)
			if (plan_set_has(set, offer->freed[i]) &&
			    has_left(offer, class, offer->freed[i]))
				kept +=
				    keep_free(offer, class, offer->freed[i]);
		return kept;
	}
	for (i = 0; i < set->count; i++)
		if (!freed || offer->is_freed[set->members[i]])
			kept += keep_free(offer, class, set->members[i]);
	return kept;
}

static void
clear_keep(struct plan_offer *offer, const struct plan_class *class, bool freed)
{
	const struct plan_set *set = &offer->classes->sets[class->set];
	size_t i;

	if (freed) {
		for (i = 0; i < offer->freed_count; i++)
			offer->keep[offer->freed[i]] = 0;
		return;
	}
	for (i = 0; i < set->count; i++)
		offer->keep[set->members[i]] = 0;
}

void
plan_offer_explain(struct plan_offer *offer, uint32_t task, double now)
{
	struct chooser *chooser = offer->plan->chooser;
	struct plan_question question;
	const struct chooser_task *asked = &question.asked;

	buffer_clear(&offer->why);
	if (chooser->explain == EXPLAIN_NO)
		return;
	plan_question_ask(&question, offer->plan, task, now);
	explain_append(&(struct explain_question){.pool = chooser->pool,
			   .policy = chooser->policy,
			   .constraints = chooser->constraints,
			   .service = asked->service != NULL ? asked->service
							     : chooser->service,
			   .requires = asked->requires,
			   .constrained = &asked->constrained,
			   .task = &asked->policy},
	    chooser->explain == EXPLAIN_FULL, &offer->why);
}

/*
 * Chooses from those that are kept.  Why is known only before a choice, and
 * whether there is one only after it: then it is made once more.
 */
static int
choose_kept(struct plan_offer *offer, uint32_t task, double now,
    uint32_t *member, struct svc_error *error)
{
	struct chooser *chooser = offer->plan->chooser;
	struct plan_question question;
	const struct eligible *list;
	int chosen;

	plan_question_ask(&question, offer->plan, task, now);
	chosen = chooser_choose_among(
	    chooser, &question.asked, offer->keep, member, &list, error);
	if (chosen != 1 || chooser->explain == EXPLAIN_NO)
		return chosen;
	chooser_ended(chooser, &question.asked, list, *member);
	plan_offer_explain(offer, task, now);
	return chooser_choose_among(
	    chooser, &question.asked, offer->keep, member, &list, error);
}

int
plan_offer_try(struct plan_offer *offer, uint32_t task, double now, bool freed,
    uint32_t *member, struct svc_error *error)
{
	const struct plan_class *class = class_of(offer, task);
	int chosen = 0;

	if (fill_keep(offer, class, freed) > 0)
		chosen = choose_kept(offer, task, now, member, error);
	clear_keep(offer, class, freed);
	return chosen;
}

int
plan_offer_hurried(struct plan_offer *offer, uint32_t task, double now,
    bool freed, struct svc_error *error)
{
	const struct plan_class *class = class_of(offer, task);
	struct plan_question question;
	const struct eligible *list;
	uint32_t member;
	int chosen = 0;

	plan_question_ask(&question, offer->plan, task, now);
	/* what the slowest could do in time lacks only room */
	if (question.asked.constrained.duration /
		offer->classes->sets[class->set].slowest <
	    question.asked.constrained.remaining)
		return 0;
	question.asked.constrained.remaining = INFINITY;
	if (fill_keep(offer, class, freed) > 0)
		chosen = chooser_choose_among(offer->plan->chooser,
		    &question.asked, offer->keep, &member, &list, error);
	clear_keep(offer, class, freed);
	if (chosen == 1)
		chooser_ended(
		    offer->plan->chooser, &question.asked, list, member);
	return chosen;
}

int
plan_offer_crowded(struct plan_offer *offer, uint32_t task, bool freed,
    struct svc_error *error)
{
	const struct plan_class *class = class_of(offer, task);
	struct chooser *chooser = offer->plan->chooser;
	struct plan_question question;
	const struct eligible *list;
	uint32_t member;
	int chosen = 0;

	if (fill_keep(offer, class, freed) > 0) {
		if (list_task(offer, task, &question, &list, error) == -1 ||
		    constraints_among(chooser->constraints, list, offer->keep,
			&list, error) == -1)
			chosen = -1;
		else if (list->count > 0)
			chosen = policy_choose(chooser->policy, list,
			    &question.asked.policy, &member, error);
	}
	clear_keep(offer, class, freed);
	if (chosen == 1)
		policy_give_back(chooser->policy, list->demand, member);
	return chosen;
}
