#include "sched/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A status, a label, and each number. */
#define REASONS_MAX (2 + DEMAND_NUMBERS_MAX)

enum reason_kind { REASON_STATUS, REASON_LABEL, REASON_NONE, REASON_LESS };

/*
 * Made for each instance, so it is a few words; reason_print() makes the text.
 */
struct reason {
	enum reason_kind kind;
	const char *name; /* borrowed */
	size_t length;
	double need; /* of REASON_LESS */
	double most; /* that one of those had left */
	size_t count; /* instances */
};

/* All reasons there were, in the order in which they came up. */
struct tally {
	struct reason *reasons;
	size_t count;
	bool failed; /* no memory */
};

/* What is looked at. */
struct question {
	struct pool *pool;
	const struct policy *policy;
	const struct eligible *list;
	const double *capacities[DEMAND_NUMBERS_MAX]; /* of each number */
	uint32_t first; /* the service's instances */
	size_t count;
};

/* 0, or -1: requires cannot be read, or no memory. */
static int
ask(struct question *question, struct pool *pool, const struct policy *policy,
    const char *service, const struct json_value *requires)
{
	const struct demand *demand;
	size_t i;

	question->pool = pool;
	question->policy = policy;
	pool_range(pool, service, &question->first, &question->count);
	if (pool_eligible(pool, service, requires, &question->list, NULL) == -1)
		return -1;
	demand = question->list->demand;
	for (i = 0; i < demand->count; i++) {
		question->capacities[i] =
		    pool_capacity(pool, demand->numbers[i].name);
		if (question->capacities[i] == NULL)
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

static struct reason *
add_reason(struct reason *reasons, size_t *count, enum reason_kind kind,
    const char *name, size_t length)
{
	struct reason *reason = &reasons[(*count)++];

	reason->kind = kind;
	reason->name = name;
	reason->length = length;
	reason->need = reason->most = 0;
	reason->count = 1;
	return reason;
}

static void
add_status_reason(
    struct reason *reasons, size_t *count, enum instance_status status)
{
	const char *name = status_name(status);

	add_reason(reasons, count, REASON_STATUS, name, strlen(name));
}

/* "!zone in (a,b)" is about "zone". */
static void
add_label_reason(struct reason *reasons, size_t *count, const char *term)
{
	term += strspn(term, "! \t");
	add_reason(
	    reasons, count, REASON_LABEL, term, strcspn(term, " \t=!<>"));
}

static void
add_number_reason(const struct question *question, uint32_t member, size_t k,
    struct reason *reasons, size_t *count)
{
	const struct demand_number *number =
	    &question->list->demand->numbers[k];
	const struct policy *policy = question->policy;
	double capacity = question->capacities[k][member], left = capacity;
	struct reason *reason;

	if (isnan(capacity)) {
		add_reason(reasons, count, REASON_NONE, number->name,
		    strlen(number->name));
		return;
	}
	if (policy != NULL && policy->type->left != NULL)
		left = policy->type->left(policy, member, number->name, left);
	/* what constrained lets in by rounding is no reason */
	if (left >= number->amount ||
	    (is_listed(question->list, member) &&
		left + capacity * 1e-9 >= number->amount))
		return;
	reason = add_reason(
	    reasons, count, REASON_LESS, number->name, strlen(number->name));
	reason->need = number->amount;
	reason->most = left;
}

/* Why the member is not chosen from; no reasons: it is. */
static size_t
find_reasons(const struct question *question, uint32_t member,
    struct reason reasons[REASONS_MAX])
{
	const struct instance *instance =
	    pool_member(question->pool, member)->instance;
	const struct demand *demand = question->list->demand;
	const char *term;
	size_t count = 0, k;

	if (!pool_works(question->pool, member))
		add_status_reason(reasons, &count, instance->status);
	term = selector_failing(demand->labels, instance);
	if (term != NULL)
		add_label_reason(reasons, &count, term);
	for (k = 0; k < demand->count; k++)
		add_number_reason(question, member, k, reasons, &count);
	/* it fits, but others pass */
	if (count == 0 && !is_listed(question->list, member))
		add_status_reason(reasons, &count, instance->status);
	return count;
}

static void
reason_print(const struct reason *reason, struct buffer *out)
{
	static const char *const kinds[] = {
	    [REASON_STATUS] = "",
	    [REASON_LABEL] = "label ",
	    [REASON_NONE] = "no ",
	    [REASON_LESS] = "insufficient ",
	};

	buffer_append_string(out, kinds[reason->kind]);
	buffer_append(out, reason->name, reason->length);
}

/* The same as a JSON string. */
static void
reason_print_quoted(const struct reason *reason, struct buffer *out)
{
	struct buffer text = BUFFER_INIT;

	reason_print(reason, &text);
	json_append_string(out, text.data, text.length);
	out->failed = out->failed || text.failed;
	buffer_release(&text);
}

static bool
is_same(const struct reason *a, const struct reason *b)
{
	return a->kind == b->kind && a->length == b->length &&
	       (a->name == b->name || memcmp(a->name, b->name, a->length) == 0);
}

static void
tally_add(struct tally *tally, const struct reason *reason)
{
	struct reason *reasons;
	size_t i;

	for (i = 0; i < tally->count; i++) {
		if (!is_same(&tally->reasons[i], reason))
			continue;
		tally->reasons[i].count++;
		tally->reasons[i].most =
		    fmax(tally->reasons[i].most, reason->most);
		return;
	}
	reasons =
	    reallocarray(tally->reasons, tally->count + 1, sizeof(*reasons));
	if (reasons == NULL) {
		tally->failed = true;
		return;
	}
	tally->reasons = reasons;
	reasons[tally->count++] = *reason;
}

/* Sizes as people write them: 2147483648 is 2G. */
static void
append_amount(struct buffer *out, double amount)
{
	static const char units[] = "KMGTP";
	size_t unit = 0;

	if (amount < 1024 * 1024) {
		buffer_append_format(out, "%.6g", amount);
		return;
	}
	for (amount /= 1024; amount >= 1024 && units[unit + 1] != '\0'; unit++)
		amount /= 1024;
	buffer_append_format(out, "%.4g%c", amount, units[unit]);
}

static void
append_reason(struct buffer *out, const struct reason *reason)
{
	buffer_append_format(out, "%zu ", reason->count);
	reason_print(reason, out);
	if (reason->kind != REASON_LESS)
		return;
	buffer_append_string(out, " (need ");
	append_amount(out, reason->need);
	buffer_append_string(out, ", most free ");
	append_amount(out, reason->most);
	buffer_append_char(out, ')');
}

/* The most frequent one first; insertion sort, for it is stable. */
static void
tally_sort(struct tally *tally)
{
	size_t i, j;

	for (i = 1; i < tally->count; i++) {
		struct reason reason = tally->reasons[i];

		for (j = i; j > 0 && tally->reasons[j - 1].count < reason.count;
		     j--)
			tally->reasons[j] = tally->reasons[j - 1];
		tally->reasons[j] = reason;
	}
}

void
explain_none(struct pool *pool, const struct policy *policy,
    const char *service, const struct json_value *requires, struct buffer *out)
{
	struct reason reasons[REASONS_MAX];
	struct tally tally = {NULL, 0, false};
	struct question question;
	size_t i;

	if (ask(&question, pool, policy, service, requires) == -1)
		return;
	for (i = 0; i < question.count; i++)
		if (find_reasons(
			&question, question.first + (uint32_t)i, reasons) > 0)
			tally_add(&tally, &reasons[0]);
	tally_sort(&tally);
	buffer_append_format(out, "0 of %zu instance%s", question.count,
	    question.count == 1 ? "" : "s");
	for (i = 0; i < tally.count; i++) {
		buffer_append_string(out, i == 0 ? ": " : ", ");
		append_reason(out, &tally.reasons[i]);
	}
	free(tally.reasons);
}

/* Appends one of candidates. */
static void
append_candidate(const struct question *question, uint32_t member,
    const struct reason *reasons, size_t count, struct buffer *out)
{
	const char *id = pool_member(question->pool, member)->instance->id;
	const struct policy *policy = question->policy;
	size_t i;

	buffer_append_string(out, "{\"id\":");
	json_append_string(out, id, strlen(id));
	if (count == 0 && policy->type->explain != NULL)
		policy->type->explain(policy, member, out);
	for (i = 0; i < count; i++) {
		buffer_append_string(out, i == 0 ? ",\"excluded\":[" : ",");
		reason_print_quoted(&reasons[i], out);
	}
	buffer_append_string(out, count > 0 ? "]}" : "}");
}

static void
append_excluded(const struct tally *tally, struct buffer *out)
{
	size_t i;

	buffer_append_string(out, ",\"excluded\":{");
	for (i = 0; i < tally->count; i++) {
		const struct reason *reason = &tally->reasons[i];

		buffer_append_string(out, i == 0 ? "" : ",");
		reason_print_quoted(reason, out);
		buffer_append_format(out, ":%zu", reason->count);
	}
	buffer_append_char(out, '}');
}

void
explain_append(struct pool *pool, const struct policy *policy,
    const char *service, const struct json_value *requires, bool full,
    struct buffer *out)
{
	struct reason reasons[REASONS_MAX];
	struct tally tally = {NULL, 0, false};
	struct buffer candidates = BUFFER_INIT;
	struct question question;
	size_t eligible = 0, i, k;

	if (ask(&question, pool, policy, service, requires) == -1) {
		buffer_append_string(out, "null");
		return;
	}
	for (i = 0; i < question.count; i++) {
		uint32_t member = question.first + (uint32_t)i;
		size_t count = find_reasons(&question, member, reasons);

		eligible += count == 0;
		for (k = 0; k < count; k++)
			tally_add(&tally, &reasons[k]);
		if (full && i > 0)
			buffer_append_char(&candidates, ',');
		if (full)
			append_candidate(
			    &question, member, reasons, count, &candidates);
	}
	buffer_append_format(out,
	    "{\"policy\":\"%s\",\"eligible\":%zu,\"of\":%zu",
	    policy->type->name, eligible, question.count);
	append_excluded(&tally, out);
	if (full) {
		buffer_append_string(out, ",\"candidates\":[");
		buffer_append(out, candidates.data, candidates.length);
		buffer_append_char(out, ']');
	}
	buffer_append_char(out, '}');
	out->failed = out->failed || tally.failed || candidates.failed;
	buffer_release(&candidates);
	free(tally.reasons);
}
