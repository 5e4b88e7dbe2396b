#include "sched/survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sched/room_scan.h"

int
survey_open(struct survey *survey, const struct explain_question *question)
{
	const struct policy *policy = question->policy;
	const struct demand *demand;
	size_t k;

	survey->question = question;
	pool_range(
	    question->pool, question->service, &survey->first, &survey->count);
	if (constraints_find(question->constraints, question->service,
		question->requires, policy->type->takes_room,
		question->constrained, &survey->all, &survey->list, NULL) == -1)
		return -1;
	survey->passing_only =
	    constraints_passing_only(question->constraints, survey->all);
	demand = survey->all->demand;
	survey->unlisted =
	    pool_unlisted(question->pool, question->service, demand);
	if (survey->unlisted == NULL)
		return -1;
	for (k = 0; k < demand->count; k++) {
		const char *name = demand->numbers[k].name;

		survey->totals[k] = pool_capacity(question->pool, name);
		if (survey->totals[k] == NULL)
			return -1;
		survey->lefts[k] = policy->type->left == NULL
				       ? NULL
				       : policy->type->left(policy, name);
		if (survey->lefts[k] == NULL)
			survey->lefts[k] = survey->totals[k];
	}
	return 0;
}

static bool
is_listed(const struct eligible *list, uint32_t member)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->members[middle] == member)
			return true;
		if (list->members[middle] < member)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Adds it, unless it stands there: an instance counts once for a reason. */
static void
add_reason(struct survey_reasons *reasons, const struct reason *reason)
{
	size_t i;

	for (i = 0; i < reasons->count; i++)
		if (reason_is_same(&reasons->items[i], reason))
			return;
	reasons->items[reasons->count++] = *reason;
}

static void
add_label(const struct survey *survey, uint32_t member,
    struct survey_reasons *reasons)
{
	const struct unlisted *unlisted = survey->unlisted;
	struct reason reason = {.code = REASON_LABEL, .first = member};
	uint32_t label;

	if (unlisted->labels == NULL)
		return;
	label = unlisted->labels[member - survey->first];
	if (label == NAME_TABLE_NONE)
		return;
	reason.name = name_table_name(&unlisted->names, label);
	reason.length = strlen(reason.name);
	add_reason(reasons, &reason);
}

/* Whether left is enough, as the policy sees it. */
static bool
suffices(bool takes_room, double total, double left, double amount)
{
	return takes_room ? room_suffices(total, left, amount)
			  : total >= amount;
}

static void
add_number(const struct survey *survey, uint32_t member, size_t k,
    struct survey_reasons *reasons)
{
	const struct demand_number *number = &survey->all->demand->numbers[k];
	double total = survey->totals[k][member];
	double left = survey->lefts[k][member];
	struct reason reason = {.code = REASON_MISSING,
	    .name = number->name,
	    .length = strlen(number->name),
	    .first = member};

	if (!isnan(total)) {
		if (suffices(survey->question->policy->type->takes_room, total,
			left, number->amount))
			return;
		reason.code = REASON_INSUFFICIENT;
		reason.need = number->amount;
		reason.most = fmax(0, left);
	}
	add_reason(reasons, &reason);
}

/* Who has no slots, speed or weight gets no work whatever is asked for. */
static void
add_idle(
    const struct survey *survey, uint32_t index, struct survey_reasons *reasons)
{
	const struct pool_member *member =
	    pool_member(survey->question->pool, index);
	const struct {
		const char *name;
		double value;
	} needed[] = {{"slots", member->slots}, {"speed", member->speed}};
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (needed[i].value == 0)
			add_reason(reasons,
			    &(struct reason){.code = REASON_INSUFFICIENT,
				.name = needed[i].name,
				.length = strlen(needed[i].name),
				.need = 1,
				.first = index});
	if (member->unweighed != NULL)
		add_reason(reasons, &(struct reason){.code = REASON_WEIGHT,
					.name = member->unweighed,
					.length = strlen(member->unweighed),
					.first = index});
}

static void
add_constraints(const struct survey *survey, uint32_t member,
    struct survey_reasons *reasons)
{
	const struct explain_question *question = survey->question;
	struct reason found[CONSTRAINTS_REASONS_MAX];
	size_t i, count = constraints_reasons(question->constraints,
		      question->constrained, member, found);

	for (i = 0; i < count; i++)
		add_reason(reasons, &found[i]);
}

/*
 * What is left to be against one that fits: others pass, or it is full.
 * Returns whether there is such a reason.
 */
static bool
find_choice(const struct survey *survey, uint32_t member, struct reason *reason)
{
	const struct explain_question *question = survey->question;
	const struct policy *policy = question->policy;
	enum instance_status status =
	    pool_member(question->pool, member)->instance->status;
	bool found = true;

	if ((survey->passing_only && status != STATUS_PASSING) ||
	    !is_listed(survey->all, member))
		*reason = (struct reason){.code = reason_of_status(status)};
	else
		found = policy->type->refuses != NULL &&
			policy->type->refuses(policy, survey->list,
			    question->task, member, reason) == 1;
	reason->first = member;
	return found;
}

void
survey_find(
    const struct survey *survey, uint32_t index, struct survey_reasons *reasons)
{
	struct pool *pool = survey->question->pool;
	struct reason reason = {.first = index};
	size_t k;

	reasons->count = 0;
	if (!pool_works(pool, index)) {
		reason.code = reason_of_status(
		    pool_member(pool, index)->instance->status);
		add_reason(reasons, &reason);
	}
	add_label(survey, index, reasons);
	for (k = 0; k < survey->all->demand->count; k++)
		add_number(survey, index, k, reasons);
	add_idle(survey, index, reasons);
	add_constraints(survey, index, reasons);
	if (reasons->count == 0 && find_choice(survey, index, &reason))
		add_reason(reasons, &reason);
}

/*
 * Drops from members those that lack the number, and counts them.  Without
 * branches on what is anybody's guess.
 */
static void
sieve_number(const struct survey *survey, size_t k, uint32_t *members,
    size_t *count, struct reason_tally *tally)
{
	const struct demand_number *number = &survey->all->demand->numbers[k];
	const double *totals = survey->totals[k], *lefts = survey->lefts[k];
	bool takes_room = survey->question->policy->type->takes_room;
	struct reason lacks = {.code = REASON_INSUFFICIENT,
	    .name = number->name,
	    .length = strlen(number->name),
	    .need = number->amount,
	    .first = SIZE_MAX};
	struct reason misses = lacks;
	double most = 0;
	size_t i, kept = 0;

	misses.code = REASON_MISSING;
	for (i = 0; i < *count; i++) {
		uint32_t member = members[i];
		double total = totals[member], left = lefts[member];
		bool fits = suffices(takes_room, total, left, number->amount);
		bool missing = total != total, lacking = !fits & !missing;

		members[kept] = member;
		kept += fits;
		misses.count += missing;
		misses.first =
		    (missing & (misses.first > member)) ? member : misses.first;
		lacks.first =
		    (lacking & (lacks.first > member)) ? member : lacks.first;
		most = (lacking & (left > most)) ? left : most;
	}
	lacks.count = *count - kept - misses.count;
	lacks.most = most;
	*count = kept;
	reason_tally_add_all(tally, &misses);
	reason_tally_add_all(tally, &lacks);
}

/* Counts those of members, who work and have the labels. */
static void
sieve(const struct survey *survey, uint32_t *members, size_t count,
    struct reason_tally *tally)
{
	const struct explain_question *question = survey->question;
	struct reason reason;
	size_t i, k;

	for (k = 0; k < survey->all->demand->count; k++)
		sieve_number(survey, k, members, &count, tally);
	constraints_sieve(question->constraints, question->constrained, members,
	    &count, tally);
	for (i = 0; i < count; i++)
		if (find_choice(survey, members[i], &reason))
			reason_tally_add(tally, &reason);
}

static void
count_idle(const struct survey *survey, struct reason_tally *tally)
{
	const struct unlisted *unlisted = survey->unlisted;
	struct survey_reasons reasons;
	size_t i;

	for (i = 0; i < unlisted->idle_count; i++) {
		survey_find(survey, unlisted->idle[i], &reasons);
		reason_tally_add(tally, &reasons.items[0]);
	}
}

/* Those who work and have the labels, of whom *count; NULL: as survey_open() */
static uint32_t *
copy_labelled(const struct explain_question *question, size_t *count)
{
	const struct eligible *list;
	uint32_t *members;

	if (pool_labelled(question->pool, question->service, question->requires,
		&list, NULL, NULL) == -1)
		return NULL;
	members = calloc(list->count + 1, sizeof(*members));
	if (members != NULL)
		memcpy(members, list->members, list->count * sizeof(*members));
	*count = list->count;
	return members;
}

int
survey_count(
    const struct explain_question *question, struct reason_tally *tally)
{
	struct survey survey;
	size_t count = 0, i;
	uint32_t *members = copy_labelled(question, &count);
	int result = -1;

	if (members != NULL && survey_open(&survey, question) == 0) {
		const struct reason_tally *known = &survey.unlisted->tally;

		for (i = 0; i < known->count; i++)
			reason_tally_add_all(tally, &known->reasons[i]);
		sieve(&survey, members, count, tally);
		count_idle(&survey, tally);
		result = tally->failed ? -1 : 0;
	}
	free(members);
	return result;
}
