#include "sched/explain.h"

#include <inttypes.h>
#include <string.h>

#include "sched/survey.h"

void
explain_none(const struct explain_question *question, struct buffer *out)
{
	struct reason_tally tally = {NULL, 0, false};
	uint32_t first;
	size_t i, count;

	pool_range(question->pool, question->service, &first, &count);
	if (survey_count(question, &tally) == -1)
		out->failed = true;
	reason_tally_sort(&tally);
	buffer_append_format(
	    out, "0 of %zu instance%s", count, count == 1 ? "" : "s");
	for (i = 0; i < tally.count; i++) {
		buffer_append_string(out, i == 0 ? ": " : ", ");
		reason_append(&tally.reasons[i], out);
	}
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
append_candidate(const struct survey *survey, uint32_t member,
    const struct survey_reasons *reasons, struct buffer *out)
{
	const struct explain_question *question = survey->question;
	const char *id = pool_member(question->pool, member)->instance->id;
	struct policy *policy = question->policy;

	buffer_append_string(out, "{\"id\":");
	json_append_string(out, id, strlen(id));
	if (reasons->count > 0)
		append_reasons(reasons->items, reasons->count, out);
	else if (policy->type->explain != NULL)
		policy->type->explain(
		    policy, survey->list, question->task, member, out);
	buffer_append_char(out, '}');
}

/* Counts all reasons; candidates (NULL: not asked for) gets each instance. */
static size_t
count_all(const struct survey *survey, struct reason_tally *tally,
    struct buffer *candidates)
{
	struct survey_reasons reasons;
	size_t eligible = 0, i, k;

	for (i = 0; i < survey->count; i++) {
		uint32_t member = survey->first + (uint32_t)i;

		survey_find(survey, member, &reasons);
		eligible += reasons.count == 0;
		for (k = 0; k < reasons.count; k++)
			reason_tally_add(tally, &reasons.items[k]);
		if (candidates == NULL)
			continue;
		buffer_append_string(candidates, i == 0 ? "" : ",");
		append_candidate(survey, member, &reasons, candidates);
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
	struct survey survey;
	size_t eligible;

	if (survey_open(&survey, question) == -1) {
		out->failed = true;
		return;
	}
	eligible = count_all(&survey, &tally, full ? &candidates : NULL);
	reason_tally_sort(&tally);
	buffer_append_format(out,
	    "{\"policy\":\"%s\",\"seed\":%" PRIu64
	    ",\"eligible\":%zu,\"of\":%zu",
	    policy->type->name, policy->options.seed, eligible, survey.count);
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
