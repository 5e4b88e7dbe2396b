#include "net/probed_instance.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/check.h"
#include "line/units.h"

/* What is not worth a write of the file. */
#define UTILIZATION_CHANGE 0.01
#define LATENCY_CHANGE	   0.1 /* of the latency, and */
#define LATENCY_CHANGE_MS  0.5

struct probed_instance *
probed_instance_new(struct probed_service *service, const char *id)
{
	struct probed_instance *probed = calloc(1, sizeof(*probed));

	if (probed == NULL || (probed->id = strdup(id)) == NULL) {
		free(probed);
		return NULL;
	}
	probed->service = service;
	verdict_init(&probed->verdict);
	probed->utilization = probed->latency_ms = -1;
	probed->turned = probed->lapsed = -1;
	return probed;
}

void
probed_instance_free(struct probed_instance *probed)
{
	free(probed->id);
	free(probed->memory);
	free(probed->reason);
	free(probed);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* reason may be NULL or "".  1: another one than before; 0; -1: no memory. */
static int
set_reason(struct probed_instance *probed, const char *reason)
{
	char *copy = NULL;

	if (reason != NULL && reason[0] == '\0')
		reason = NULL;
	if (same_text(reason, probed->reason))
		return 0;
	if (reason != NULL && (copy = strdup(reason)) == NULL)
		return -1;
	free(probed->reason);
	probed->reason = copy;
	return 1;
}

static void
forget(struct probed_instance *probed)
{
	verdict_init(&probed->verdict);
	(void)set_reason(probed, NULL);
	probed->utilization = probed->latency_ms = -1;
	probed->checked = 0;
	probed->turned = -1;
}

/* 1: other texts than before; 0; -1: no memory. */
static int
set_question(struct probed_instance *probed, const char *url, const char *path)
{
	size_t length = strlen(url) + 1;
	char *memory;

	if (same_text(url, probed->job.url) &&
	    same_text(path, probed->job.path))
		return 0;
	memory = malloc(length + (path == NULL ? 0 : strlen(path) + 1));
	if (memory == NULL)
		return -1;
	memcpy(memory, url, length);
	if (path != NULL)
		memcpy(memory + length, path, strlen(path) + 1);
	free(probed->memory);
	probed->memory = memory;
	probed->job.url = memory;
	probed->job.path = path == NULL ? NULL : memory + length;
	return 1;
}

int
probed_instance_read(struct probed_instance *probed,
    const struct instance *instance, double default_interval,
    struct svc_error *error)
{
	struct check check;
	struct svc_error why;
	enum probed_kind kind;
	int other, found;

	found = check_read(instance, default_interval, &check, &why);
	kind = found == 1 ? PROBED : found == 0 ? PROBED_NOT : PROBED_MALFORMED;
	other = set_question(probed, instance->address,
	    kind == PROBED && check.kind == CHECK_HTTP ? check.path : NULL);
	if (other == -1)
		return svc_error_errno(error, "%s", instance->id);
	if (kind != probed->kind)
		other = 1;
	if (other == 1)
		forget(probed);
	if (other == 1 && kind == PROBED_MALFORMED)
		probed->verdict.since = time_now();
	probed->kind = kind;
	probed->slots = instance->slots;
	probed->ttl = instance->lease == LEASE_TTL ? instance->ttl : 0;
	if (kind == PROBED_MALFORMED)
		return set_reason(probed, why.message) == -1
			   ? svc_error_errno(error, "%s", instance->id)
			   : other;
	if (kind == PROBED) {
		probed->interval = check.interval;
		probed->job.timeout = check.timeout;
		probed->rule = (struct verdict_rule){
		    .rise = check.rise, .fall = check.fall};
	}
	return other;
}

bool
probed_instance_due(const struct probed_instance *probed)
{
	return probed->kind == PROBED && !probed->expired;
}

int
probed_instance_resume(
    struct probed_instance *probed, const struct health_line *line, bool fresh)
{
	int status = 0;

	if (probed->kind != PROBED)
		return 0;
	verdict_resume(
	    &probed->verdict, line->status, line->since, line->flaps, fresh);
	if (fresh) {
		status = set_reason(probed, line->reason);
		probed->utilization = line->utilization;
		probed->latency_ms = line->latency_ms;
		probed->checked = line->checked;
		probed_instance_told(probed);
	}
	return status == -1 ? -1 : 0;
}

/* How busy it is, by its own account and, where it says no slots, the
 * record's. */
static double
utilization_of(
    const struct probed_instance *probed, const struct probe_answer *answer)
{
	if (answer->utilization >= 0)
		return answer->utilization;
	if (answer->busy >= 0 && probed->slots > 0)
		return answer->busy / probed->slots;
	return -1;
}

static bool
measures_changed(const struct probed_instance *probed)
{
	double change = fabs(probed->latency_ms - probed->told_latency);

	return fabs(probed->utilization - probed->told_utilization) >=
		   UTILIZATION_CHANGE ||
	       (change >= LATENCY_CHANGE_MS &&
		   change >= LATENCY_CHANGE * fabs(probed->told_latency));
}

static void
measure(struct probed_instance *probed, const struct probe_answer *answer)
{
	double utilization = utilization_of(probed, answer);

	if (answer->failure != 0)
		return;
	probed->latency_ms = verdict_mean(probed->latency_ms, answer->ms);
	/* One that does not say it any more has none: an old one would hide
	 * what the holder reports. */
	probed->utilization =
	    utilization < 0 ? -1
			    : verdict_mean(probed->utilization, utilization);
}

enum probed_change
probed_instance_take(struct probed_instance *probed,
    const struct probe_answer *answer, const struct svc_error *error,
    int64_t now, double clock)
{
	static const enum instance_status results[] = {
	    [PROBE_PASSING] = STATUS_PASSING,
	    [PROBE_WARNING] = STATUS_WARNING,
	    [PROBE_CRITICAL] = STATUS_CRITICAL};
	enum instance_status result = STATUS_WARNING;
	enum instance_status before = probed->verdict.status;
	const char *reason = answer == NULL ? error->message : answer->reason;
	bool known = probed->verdict.settled;
	bool changed;
	int other = 0;

	if (answer != NULL) {
		result = results[answer->result];
		measure(probed, answer);
	}
	probed->checked = now;
	changed = verdict_take(&probed->verdict, &probed->rule, result, now);
	if (changed && status_works(before) && result == STATUS_CRITICAL)
		probed->turned = clock;
	if (result == probed->verdict.status)
		other = set_reason(probed, reason);
	if (other == -1)
		return PROBED_NO_MEMORY;
	if (changed)
		return PROBED_STATUS;
	return other == 1 || !known || measures_changed(probed) ? PROBED_TOLD
								: PROBED_SAME;
}

bool
probed_instance_line(
    const struct probed_instance *probed, struct health_line *line)
{
	*line = (struct health_line){.id = probed->id,
	    .status = probed->verdict.status,
	    .utilization = probed->utilization,
	    .latency_ms = probed->latency_ms,
	    .checked = probed->checked,
	    .since = probed->verdict.since,
	    .flaps = probed->verdict.flaps,
	    .reason = probed->reason};
	if (probed->kind == PROBED_MALFORMED)
		line->status = STATUS_WARNING;
	return probed->kind == PROBED_MALFORMED ||
	       (probed->kind == PROBED && probed->verdict.settled);
}

void
probed_instance_told(struct probed_instance *probed)
{
	probed->told_utilization = probed->utilization;
	probed->told_latency = probed->latency_ms;
}
