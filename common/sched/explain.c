#include "sched/explain.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* A status, a label, each number, slots and speed; or that it is full. */
#define REASONS_MAX (2 + DEMAND_NUMBERS_MAX + 2 + CONSTRAINTS_REASONS_MAX + 1)

/* As much as rounding makes of a capacity (policy_constrained.c). */
#define ROUNDING 1e-9

struct reasons {
	struct reason items[REASONS_MAX];
	size_t count;
};

/* What is looked at. */
struct view {
	const struct explain_question *question;
	const struct eligible *all; /* as the pool says */
	const struct eligible *list; /* as constraints leave it */
	const double *capacities[DEMAND_NUMBERS_MAX]; /* of each number */
	bool passing_only;
	uint32_t first; /* the service's instances */
	size_t count;
};

/* 0, or -1: requires cannot be read, or no memory. */
static int
look(struct view *view, const struct explain_question *question)
{
	const struct demand *demand;
	size_t i;

	view->question = question;
	pool_range(
	    question->pool, question->service, &view->first, &view->count);
	if (constraints_find(question->constraints, question->service,
		question->requires, question->policy->type->takes_room,
		question->constrained, &view->all, &view->list, NULL) == -1)
		return -1;
	view->passing_only =
	    constraints_passing_only(question->constraints, view->all);
	demand = view->all->demand;
	for (i = 0; i < demand->count; i++) {
		view->capacities[i] =
		    pool_capacity(question->pool, demand->numbers[i].name);
		if (view->capacities[i] == NULL)
			return -1;
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
add_reason(struct reasons *reasons, const struct reason *reason)
{
	size_t i;

	for (i = 0; i < reasons->count; i++)
		if (reason_is_same(&reasons->items[i], reason))
			return;
	reasons->items[reasons->count++] = *reason;
}

static void
add_status(struct reasons *reasons, enum instance_status status)
{
	add_reason(reasons, &(struct reason){.code = reason_of_status(status)});
}

/* "!zone in (a,b)" is about "zone". */
static void
add_label(struct reasons *reasons, const char *term)
{
	term += strspn(term, "! \t");
	add_reason(reasons, &(struct reason){.code = REASON_LABEL,
				.name = term,
				.length = strcspn(term, " \t=!<>")});
}

/* Whether left is enough, as the policy sees it. */
static bool
suffices(const struct view *view, double left, double capacity, double amount)
{
	if (view->question->policy->type->takes_room)
		left += capacity * ROUNDING;
	return left >= amount;
}

static void
add_number(
    const struct view *view, uint32_t member, size_t k, struct reasons *reasons)
{
	const struct demand_number *number = &view->all->demand->numbers[k];
	const struct policy *policy = view->question->policy;
	double capacity = view->capacities[k][member], left = capacity;
	struct reason reason = {.code = REASON_MISSING,
	    .name = number->name,
	    .length = strlen(number->name)};

	if (!isnan(capacity)) {
		if (policy->type->left != NULL)
			left = policy->type->left(
			    policy, member, number->name, capacity);
		if (suffices(view, left, capacity, number->amount))
			return;
		reason.code = REASON_INSUFFICIENT;
		reason.need = number->amount;
		reason.most = left;
	}
	add_reason(reasons, &reason);
}

/* Who has no slots, or no speed, gets no work whatever is asked for. */
static void
add_idle(const struct pool_member *member, struct reasons *reasons)
{
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
				.need = 1});
}

static void
add_constraints(
    const struct view *view, uint32_t member, struct reasons *reasons)
{
	const struct explain_question *question = view->question;
	struct reason found[CONSTRAINTS_REASONS_MAX];
	size_t i, count = constraints_reasons(question->constraints,
		      question->constrained, member, found);

	for (i = 0; i < count; i++)
		add_reason(reasons, &found[i]);
}

/* What is left to be against one that fits: others pass, or it is full. */
static void
add_choice(const struct view *view, uint32_t member, struct reasons *reasons)
{
	const struct explain_question *question = view->question;
	const struct policy *policy = question->policy;
	enum instance_status status =
	    pool_member(question->pool, member)->instance->status;
	struct reason reason;

	if (!is_listed(view->all, member) ||
	    (view->passing_only && status != STATUS_PASSING))
		add_status(reasons, status);
	else if (policy->type->refuses != NULL &&
		 policy->type->refuses(
		     policy, view->list, question->task, member, &reason) == 1)
		add_reason(reasons, &reason);
}

/* Why the member is not chosen from; no reasons: it is. */
static void
find_reasons(const struct view *view, uint32_t index, struct reasons *reasons)
{
	struct pool *pool = view->question->pool;
	const struct pool_member *member = pool_member(pool, index);
	const struct demand *demand = view->all->demand;
	const char *term;
	size_t k;

	reasons->count = 0;
	if (!pool_works(pool, index))
		add_status(reasons, member->instance->status);
	term = selector_failing(demand->labels, member->instance);
	if (term != NULL)
		add_label(reasons, term);
	for (k = 0; k < demand->count; k++)
		add_number(view, index, k, reasons);
	add_idle(member, reasons);
	add_constraints(view, index, reasons);
	if (reasons->count == 0)
		add_choice(view, index, reasons);
}

void
explain_none(const struct explain_question *question, struct buffer *out)
{
	struct reason_tally tally = {NULL, 0, false};
	struct reasons reasons;
	struct view view;
	size_t i;

	if (look(&view, question) == -1) {
		out->failed = true;
		return;
	}
	for (i = 0; i < view.count; i++) {
		find_reasons(&view, view.first + (uint32_t)i, &reasons);
		if (reasons.count > 0)
			reason_tally_add(&tally, &reasons.items[0]);
	}
	reason_tally_sort(&tally);
	buffer_append_format(
	    out, "0 of %zu instance%s", view.count, view.count == 1 ? "" : "s");
	for (i = 0; i < tally.count; i++) {
		buffer_append_string(out, i == 0 ? ": " : ", ");
		reason_append(&tally.reasons[i], out);
	}
	out->failed = out->failed || tally.failed;
	reason_tally_release(&tally);
}

static void
append_reasons(const struct reason *reasons, size_t count, struct buffer *out)
{
	size_t i;

	buffer_append_string(out, ",\"excluded\":[");
	for (i = 0; i < count; i++) {
		buffer_append_string(out, i == 0 ? "" : ",");
		reason_append_json(&reasons[i], out);
	}
	buffer_append_char(out, ']');
}

/* Appends one of candidates. */
static void
append_candidate(const struct view *view, uint32_t member,
    const struct reasons *reasons, struct buffer *out)
{
	const struct explain_question *question = view->question;
	const char *id = pool_member(question->pool, member)->instance->id;
	struct policy *policy = question->policy;

	buffer_append_string(out, "{\"id\":");
	json_append_string(out, id, strlen(id));
	if (reasons->count > 0)
		append_reasons(reasons->items, reasons->count, out);
	else if (policy->type->explain != NULL)
		policy->type->explain(
		    policy, view->list, question->task, member, out);
	buffer_append_char(out, '}');
}

/* Counts all reasons; candidates (NULL: not asked for) gets each instance. */
static size_t
survey(const struct view *view, struct reason_tally *tally,
    struct buffer *candidates)
{
	struct reasons reasons;
	size_t eligible = 0, i, k;

	for (i = 0; i < view->count; i++) {
		uint32_t member = view->first + (uint32_t)i;

		find_reasons(view, member, &reasons);
		eligible += reasons.count == 0;
		for (k = 0; k < reasons.count; k++)
			reason_tally_add(tally, &reasons.items[k]);
		if (candidates == NULL)
			continue;
		buffer_append_string(candidates, i == 0 ? "" : ",");
		append_candidate(view, member, &reasons, candidates);
	}
	return eligible;
}

void
explain_append(
    const struct explain_question *question, bool full, struct buffer *out)
{
	const struct policy *policy = question->policy;
	struct reason_tally tally = {NULL, 0, false};
	struct buffer candidates = BUFFER_INIT;
	struct view view;
	size_t eligible;

	if (look(&view, question) == -1) {
		out->failed = true;
		return;
	}
	eligible = survey(&view, &tally, full ? &candidates : NULL);
	reason_tally_sort(&tally);
	buffer_append_format(out,
	    "{\"policy\":\"%s\",\"seed\":%" PRIu64
	    ",\"eligible\":%zu,\"of\":%zu",
	    policy->type->name, policy->options.seed, eligible, view.count);
	append_reasons(tally.reasons, tally.count, out);
	if (full) {
		buffer_append_string(out, ",\"candidates\":[");
		buffer_append(out, candidates.data, candidates.length);
		buffer_append_char(out, ']');
	}
	buffer_append_char(out, '}');
	out->failed = out->failed || tally.failed || candidates.failed;
	buffer_release(&candidates);
	reason_tally_release(&tally);
}
