#include "sched/reason.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "line/json.h"

static const char *const names[REASON_COUNT] = {
    [REASON_EXPIRED] = "expired",
    [REASON_DRAINING] = "draining",
    [REASON_CRITICAL] = "critical",
    [REASON_UNKNOWN] = "unknown",
    [REASON_WARNING] = "warning",
    [REASON_LABEL] = "label",
    [REASON_MISSING] = "missing",
    [REASON_WEIGHT] = "weight",
    [REASON_INSUFFICIENT] = "insufficient",
    [REASON_SPREAD] = "spread",
    [REASON_LATE] = "late",
    [REASON_FULL] = "full",
};

const char *
reason_name(enum reason_code code)
{
	return names[code];
}

enum reason_code
reason_of_status(enum instance_status status)
{
	switch (status) {
	case STATUS_EXPIRED:
		return REASON_EXPIRED;
	case STATUS_DRAINING:
		return REASON_DRAINING;
	case STATUS_CRITICAL:
		return REASON_CRITICAL;
	case STATUS_UNKNOWN:
		return REASON_UNKNOWN;
	default:
		return REASON_WARNING;
	}
}

bool
reason_has_numbers(enum reason_code code)
{
	return code >= REASON_INSUFFICIENT;
}

bool
reason_is_same(const struct reason *a, const struct reason *b)
{
	return a->code == b->code && a->length == b->length &&
	       (a->length == 0 || memcmp(a->name, b->name, a->length) == 0);
}

/* Sizes as people write them: 2147483648 is 2G.  Above 1024P are no sizes. */
static void
append_amount(struct buffer *out, double amount)
{
	static const char units[] = "KMGTP";
	size_t unit = 0;

	if (amount < 1024 * 1024 || amount >= 0x1p60) {
		buffer_append_format(out, "%.6g", amount);
		return;
	}
	for (amount /= 1024; amount >= 1024 && units[unit + 1] != '\0'; unit++)
		amount /= 1024;
	buffer_append_format(out, "%.4g%c", amount, units[unit]);
}

/* " (need 4, most free 2)", with all digits where they would look alike. */
static void
append_amounts(struct buffer *out, double need, double most)
{
	size_t start = out->length, middle;
	bool alike;

	append_amount(out, need);
	middle = out->length;
	append_amount(out, most);
	alike =
	    !out->failed && middle - start == out->length - middle &&
	    memcmp(out->data + start, out->data + middle, middle - start) == 0;
	out->length = start;
	buffer_append_string(out, " (need ");
	(alike ? json_append_number : append_amount)(out, need);
	buffer_append_string(out, ", most free ");
	(alike ? json_append_number : append_amount)(out, most);
	buffer_append_char(out, ')');
}

static void
append_numbers(const struct reason *reason, struct buffer *out)
{
	switch (reason->code) {
	case REASON_INSUFFICIENT:
		append_amounts(out, reason->need, reason->most);
		break;
	case REASON_SPREAD:
		buffer_append_format(out, " (%.6g ahead, at most %.6g)",
		    reason->most, reason->need);
		break;
	case REASON_LATE:
		buffer_append_format(out, " (takes %.6g s, %.6g s left)",
		    reason->need, reason->most);
		break;
	case REASON_FULL:
		buffer_append_format(out, " (would have %.6g, at most %.6g)",
		    reason->need, reason->most);
		break;
	default:
		break;
	}
}

/* "no mem" and "no weight meta.w" are what people say. */
static const char *
word_of(enum reason_code code)
{
	switch (code) {
	case REASON_MISSING:
		return "no";
	case REASON_WEIGHT:
		return "no weight";
	default:
		return names[code];
	}
}

void
reason_append(const struct reason *reason, struct buffer *out)
{
	buffer_append_format(out, "%zu ", reason->count);
	buffer_append_string(out, word_of(reason->code));
	if (reason->length > 0) {
		buffer_append_char(out, ' ');
		buffer_append(out, reason->name, reason->length);
	}
	append_numbers(reason, out);
}

void
reason_append_json(const struct reason *reason, struct buffer *out)
{
	buffer_append_format(out, "{\"reason\":\"%s\"", names[reason->code]);
	if (reason->length > 0) {
		buffer_append_string(out, ",\"name\":");
		json_append_string(out, reason->name, reason->length);
	}
	if (reason->count > 0)
		buffer_append_format(out, ",\"count\":%zu", reason->count);
	if (reason_has_numbers(reason->code)) {
		buffer_append_string(out, ",\"need\":");
		json_append_number(out, reason->need);
		buffer_append_string(out, ",\"most\":");
		json_append_number(out, reason->most);
	}
	buffer_append_char(out, '}');
}

static double
gap(const struct reason *reason)
{
	return fabs(reason->need - reason->most);
}

/* The nearer one's numbers and the earlier one's place are those of both. */
static void
merge(struct reason *reason, const struct reason *other)
{
	reason->count += other->count;
	if (other->first < reason->first)
		reason->first = other->first;
	if (gap(other) < gap(reason)) {
		reason->need = other->need;
		reason->most = other->most;
	}
}

void
reason_tally_add_all(struct reason_tally *tally, const struct reason *reason)
{
	struct reason *reasons;
	size_t i;

	if (reason->count == 0)
		return;
	for (i = 0; i < tally->count; i++) {
		if (reason_is_same(&tally->reasons[i], reason)) {
			merge(&tally->reasons[i], reason);
			return;
		}
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

void
reason_tally_add(struct reason_tally *tally, const struct reason *reason)
{
	struct reason one = *reason;

	one.count = 1;
	reason_tally_add_all(tally, &one);
}

static bool
goes_before(const struct reason *a, const struct reason *b)
{
	return a->count > b->count ||
	       (a->count == b->count && a->first < b->first);
}

/* Insertion sort, for it is stable, and there are few. */
void
reason_tally_sort(struct reason_tally *tally)
{
	size_t i, j;

	for (i = 1; i < tally->count; i++) {
		struct reason reason = tally->reasons[i];

		for (j = i;
		     j > 0 && goes_before(&reason, &tally->reasons[j - 1]); j--)
			tally->reasons[j] = tally->reasons[j - 1];
		tally->reasons[j] = reason;
	}
}

void
reason_tally_release(struct reason_tally *tally)
{
	free(tally->reasons);
	memset(tally, 0, sizeof(*tally));
}
