#include "flow/halt.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"

/* Before a part of those that have ended means anything. */
#define ENDED_LEAST 3

/* Longer than all that is right. */
#define TEXT_MAX 64

/* What rounding may do to a number of tasks. */
#define ROUNDING 1e-6

static const char *const hows[] = {
    [HALT_NEVER] = "never",
    [HALT_SOON] = "soon",
    [HALT_NOW] = "now",
};
#define HOWS (sizeof(hows) / sizeof(hows[0]))

static const struct {
	const char *name;
	const char *has; /* "1 task has ..." */
} ons[] = {
    [HALT_FAIL] = {"fail", "failed"},
    [HALT_SUCCESS] = {"success", "succeeded"},
    [HALT_DONE] = {"done", "ended"},
};
#define ONS (sizeof(ons) / sizeof(ons[0]))

static int
parse_how(struct halt *halt, const char *text, struct svc_error *error)
{
	size_t i;

	for (i = HALT_SOON; i < HOWS; i++)
		if (strcmp(hows[i], text) == 0) {
			halt->how = i;
			return 0;
		}
	return svc_error_set(error, EX_USAGE,
	    "not how to stop: '%s' (say soon or now, as soon,fail=1; or never)",
	    text);
}

static int
parse_on(struct halt *halt, const char *text, struct svc_error *error)
{
	size_t i;

	for (i = 0; i < ONS; i++)
		if (strcmp(ons[i].name, text) == 0) {
			halt->on = i;
			return 0;
		}
	return svc_error_set(error, EX_USAGE,
	    "not what to stop at: '%s' (say fail, success or done, as "
	    "soon,fail=1)",
	    text);
}

/* text is N%, without the '%'. */
static int
parse_percentage(struct halt *halt, const char *text, struct svc_error *error)
{
	double percentage;

	if (number_parse(text, &percentage, NULL) == -1 || percentage <= 0 ||
	    percentage > 100)
		return svc_error_set(error, EX_USAGE,
		    "not a percentage: '%s%%' (say more than 0%%, up to 100%%)",
		    text);
	halt->part = percentage / 100;
	return 0;
}

static int
parse_amount(struct halt *halt, char *text, struct svc_error *error)
{
	size_t length = strlen(text);
	long long count;

	if (length > 0 && text[length - 1] == '%') {
		text[length - 1] = '\0';
		return parse_percentage(halt, text, error);
	}
	if (integer_parse(text, 1, LLONG_MAX, &count, NULL) == -1)
		return svc_error_set(error, EX_USAGE,
		    "not a number of tasks: '%s' (say 1 or more, or as 10%%)",
		    text);
	halt->count = (size_t)count;
	return 0;
}

/* The parts of text, which is cut there. */
static int
parse_parts(struct halt *halt, char *text, struct svc_error *error)
{
	char *on = text, *amount;
	const char *how = strsep(&on, ",");

	if (parse_how(halt, how, error) == -1)
		return -1;
	if (on == NULL)
		return svc_error_set(error, EX_USAGE,
		    "'%s' does not say at what to stop (as %s,fail=1)", how,
		    how);
	amount = on;
	strsep(&amount, "=");
	if (parse_on(halt, on, error) == -1)
		return -1;
	if (amount == NULL) {
		halt->count = 1;
		return 0;
	}
	return parse_amount(halt, amount, error);
}

int
halt_parse(struct halt *halt, const char *text, struct svc_error *error)
{
	struct halt parsed = {.how = HALT_NEVER};
	char copy[TEXT_MAX];
	size_t length = strlen(text);

	if (length >= sizeof(copy))
		return svc_error_set(error, EX_USAGE,
		    "not when to stop: '%.*s...' (say as soon,fail=1)",
		    TEXT_MAX / 2, text);
	memcpy(copy, text, length + 1);
	if (strcmp(copy, hows[HALT_NEVER]) != 0 &&
	    parse_parts(&parsed, copy, error) == -1)
		return -1;
	*halt = parsed;
	return 0;
}

/* How many count. */
static size_t
count_of(const struct halt *halt, size_t ok, size_t failed)
{
	switch (halt->on) {
	case HALT_FAIL:
		return failed;
	case HALT_SUCCESS:
		return ok;
	default:
		return ok + failed;
	}
}

bool
halt_reached(const struct halt *halt, size_t ok, size_t failed, size_t total)
{
	size_t count = count_of(halt, ok, failed), ended = ok + failed;

	if (halt->how == HALT_NEVER || count == 0)
		return false;
	if (halt->count > 0)
		return count >= halt->count;
	if (total == 0) {
		if (halt->on == HALT_DONE || ended < ENDED_LEAST)
			return false;
		total = ended;
	}
	return (double)count >= halt->part * (double)total - ROUNDING;
}

void
halt_describe(
    const struct halt *halt, size_t ok, size_t failed, char *text, size_t size)
{
	size_t count = count_of(halt, ok, failed);
	char amount[32];

	if (halt->count > 0)
		snprintf(amount, sizeof(amount), "%zu", halt->count);
	else
		snprintf(amount, sizeof(amount), "%g%%", halt->part * 100);
	snprintf(text, size, "%zu %s %s (--halt %s,%s=%s)", count,
	    count == 1 ? "task has" : "tasks have", ons[halt->on].has,
	    hows[halt->how], ons[halt->on].name, amount);
}
