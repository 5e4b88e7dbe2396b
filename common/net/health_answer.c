#include "net/health_answer.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "line/json.h"

#define WORD_MAX 16

/* What a body has said so far. */
struct said {
	enum probe_result result;
	double busy;
	double slots;
	double utilization;
};

static enum probe_result
read_word(const struct json_value *value)
{
	static const struct {
		const char *word;
		enum probe_result result;
	} words[] = {
	    {"warning", PROBE_WARNING},
	    {"warn", PROBE_WARNING},
	    {"critical", PROBE_CRITICAL},
	    {"fail", PROBE_CRITICAL},
	    {"error", PROBE_CRITICAL},
	    {"down", PROBE_CRITICAL},
	};
	char word[WORD_MAX];
	size_t i;

	if (json_string(value, word, sizeof(word)) == -1)
		return PROBE_PASSING;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(word, words[i].word) == 0)
			return words[i].result;
	}
	return PROBE_PASSING;
}

/* Negative: it says nothing. */
static double
read_measure(const struct json_value *value, double maximum)
{
	double number;

	if (value->type != JSON_NUMBER)
		return -1;
	number = json_number(value);
	if (!isfinite(number) || number < 0)
		return -1;
	return number < maximum ? number : maximum;
}

static void
take(void *argument, const struct json_member *member)
{
	struct said *said = argument;

	if (json_name_is(member, "status"))
		said->result = read_word(&member->value);
	else if (json_name_is(member, "busy"))
		said->busy = read_measure(&member->value, PROBE_COUNT_MAX);
	else if (json_name_is(member, "slots"))
		said->slots = read_measure(&member->value, PROBE_COUNT_MAX);
	else if (json_name_is(member, "utilization"))
		said->utilization =
		    read_measure(&member->value, PROBE_UTILIZATION_MAX);
}

static void
read_body(struct said *said, const char *body, size_t length)
{
	const struct said nothing = {PROBE_PASSING, -1, -1, -1};
	struct json_value whole;

	*said = nothing;
	if (length == 0)
		return;
	/* Members are taken before the rest has turned out to be JSON. */
	if (json_scan_members(body, length, &whole, take, said, NULL) == -1 ||
	    whole.type != JSON_OBJECT)
		*said = nothing;
	if (said->utilization < 0 && said->busy >= 0 && said->slots > 0)
		said->utilization =
		    fmin(said->busy / said->slots, PROBE_UTILIZATION_MAX);
}

static enum probe_result
read_status(int status)
{
	if (status >= 200 && status < 300)
		return PROBE_PASSING;
	return status == 429 ? PROBE_WARNING : PROBE_CRITICAL;
}

void
health_answer_read(struct probe_answer *answer, int status, const char *body,
    size_t length, char *reason, size_t size)
{
	enum probe_result result = read_status(status);
	struct said said;

	read_body(&said, body, length);
	answer->status = status;
	answer->busy = said.busy;
	answer->slots = said.slots;
	answer->utilization = said.utilization;
	answer->result = said.result > result ? said.result : result;
	if (said.result > result)
		(void)snprintf(reason, size, "status %d, but its body says %s",
		    status,
		    said.result == PROBE_WARNING ? "warning" : "critical");
	else if (result != PROBE_PASSING)
		(void)snprintf(reason, size, "status %d", status);
	else
		reason[0] = '\0';
}
