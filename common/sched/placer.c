#include "sched/placer.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/explain.h"

/* What an earlier planning left on the line. */
#define STALE (MEMBER_BIT(MEMBER_INSTANCE) | MEMBER_BIT(MEMBER_WHY))

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static int
fail_sentence(struct placer *placer, enum task_code code,
    struct buffer *sentence, struct svc_error *error)
{
	const char *text = buffer_string(sentence);

	if (text == NULL) {
		buffer_release(sentence);
		return no_memory(error);
	}
	task_failure_set(&placer->failure, code, "%s", text);
	buffer_release(sentence);
	return 0;
}

static int
fail_nameless(struct placer *placer, struct svc_error *error)
{
	struct buffer sentence = BUFFER_INIT;

	buffer_append_string(&sentence, "several services (");
	pool_list_services(placer->pool, &sentence);
	buffer_append_string(&sentence, "), and none is named");
	return fail_sentence(placer, CODE_NO_SERVICE, &sentence, error);
}

static int
fail_unknown(
    struct placer *placer, const char *service, struct svc_error *error)
{
	struct buffer sentence = BUFFER_INIT;

	buffer_append_format(
	    &sentence, "no instances of \"%s\", only of ", service);
	pool_list_services(placer->pool, &sentence);
	return fail_sentence(placer, CODE_NO_INSTANCES, &sentence, error);
}

static int
fail_unplaceable(struct placer *placer, const char *service,
    const struct json_value *requires, struct svc_error *error)
{
	struct buffer sentence = BUFFER_INIT;

	explain_none(
	    placer->pool, placer->policy, service, requires, &sentence);
	return fail_sentence(placer, CODE_UNPLACEABLE, &sentence, error);
}

static bool
is_known(const struct placer *placer, const char *service)
{
	uint32_t first;
	size_t count;

	pool_range(placer->pool, service, &first, &count);
	return count > 0;
}

/*
 * Chooses for requires (or NULL).  1: *member, and *why when that is asked
 * for; 0: placer->failure; -1.
 */
static int
choose(struct placer *placer, const char *service,
    const struct json_value *requires, uint32_t *member, struct buffer *why,
    struct svc_error *error)
{
	const struct eligible *list;
	int chosen = 0;

	if (pool_count(placer->pool) == 0) {
		task_failure_set(&placer->failure, CODE_NO_INSTANCES, "%s",
		    placer->empty == NULL ? "no instances" : placer->empty);
		return 0;
	}
	if (service == NULL && pool_services(placer->pool) > 1)
		return fail_nameless(placer, error);
	if (!is_known(placer, service))
		return fail_unknown(placer, service, error);
	if (pool_eligible(placer->pool, service, requires, &list, error) ==
	    -1) {
		if (error->code != EX_DATAERR)
			return -1;
		task_failure_set(
		    &placer->failure, CODE_INVALID, "%s", error->message);
		return 0;
	}
	/* before the choice, which changes what it is made from */
	if (placer->explain != EXPLAIN_NO)
		explain_append(placer->pool, placer->policy, service, requires,
		    placer->explain == EXPLAIN_FULL, why);
	if (list->count > 0)
		chosen = policy_choose(placer->policy, list, member, error);
	if (chosen == -1 && error->code == EX_DATAERR) {
		task_failure_set(
		    &placer->failure, CODE_UNPLACEABLE, "%s", error->message);
		return 0;
	}
	if (chosen != 0)
		return chosen;
	return fail_unplaceable(placer, service, requires, error);
}

static void
append_why(const struct buffer *why, struct buffer *out)
{
	if (why->length == 0)
		return;
	buffer_append_string(out, ",\"why\":");
	buffer_append(out, why->data, why->length);
}

/*
 * Where the task goes: the line's service, that of the instance it was planned
 * for, the option's, NULL: whichever there is.  -1: the line's cannot be read.
 */
static int
find_service(struct placer *placer, const struct envelope *envelope,
    struct task_instance *planned, const char **service)
{
	struct svc_error error;

	*service = placer->service;
	if (envelope->service[0] != '\0') {
		*service = envelope->service;
		return 0;
	}
	switch (envelope_instance(envelope, planned, &error)) {
	case -1:
		task_failure_set(
		    &placer->failure, CODE_INVALID, "%s", error.message);
		return -1;
	case 1:
		*service = planned->service;
	}
	return 0;
}

/* Whether it is too late to start; sets placer->failure. */
static bool
is_late(struct placer *placer, const struct envelope *envelope)
{
	double late;

	if (envelope->deadline == 0)
		return false;
	late = (double)(time_now() - envelope->deadline) / 1000;
	if (late >= 0) {
		task_failure_set(&placer->failure, CODE_DEADLINE,
		    "its deadline has passed, %.1f s ago", late);
		return true;
	}
	if (late + envelope->duration >= 0 && envelope->duration > 0) {
		task_failure_set(&placer->failure, CODE_DEADLINE,
		    "takes %.6g s, and its deadline is in %.6g s",
		    envelope->duration, -late);
		return true;
	}
	return false;
}

static void
append_failed(const struct placer *placer, const struct envelope *envelope,
    const struct buffer *why, struct buffer *out)
{
	envelope_begin(envelope, out, ENVELOPE_FAIL_DROP);
	task_failure_append(&placer->failure, out);
	append_why(why, out);
	envelope_end(out);
}

static void
append_placed(const struct placer *placer, const struct envelope *envelope,
    uint32_t chosen, const struct buffer *why, struct buffer *out)
{
	const struct pool_member *member = pool_member(placer->pool, chosen);

	envelope_begin(envelope, out, STALE);
	buffer_append_string(out, ",\"instance\":");
	buffer_append(out, member->reference, member->reference_length);
	append_why(why, out);
	envelope_end(out);
}

int
placer_task(struct placer *placer, const struct envelope *envelope,
    struct buffer *out, struct svc_error *error)
{
	struct buffer why = BUFFER_INIT;
	struct task_instance planned;
	const char *service;
	uint32_t member = 0;
	int chosen = 0;

	placer->failure.code = CODE_NONE;
	if (find_service(placer, envelope, &planned, &service) == 0 &&
	    (pool_count(placer->pool) == 0 || !is_late(placer, envelope)))
		chosen = choose(placer, service,
		    &envelope->members[MEMBER_REQUIRES], &member, &why, error);
	if (chosen == 1)
		append_placed(placer, envelope, member, &why, out);
	else if (chosen == 0)
		append_failed(placer, envelope, &why, out);
	if (why.failed || buffer_failed(out))
		chosen = no_memory(error);
	buffer_release(&why);
	return chosen;
}

int
placer_any(struct placer *placer, struct buffer *out, struct svc_error *error)
{
	struct buffer why = BUFFER_INIT;
	uint32_t member = 0;
	int chosen;

	placer->failure.code = CODE_NONE;
	chosen = choose(placer, placer->service, NULL, &member, &why, error);
	if (chosen == 1) {
		instance_print(
		    pool_member(placer->pool, member)->instance, out);
		if (why.length > 0 && out->length > 0) {
			out->length--; /* the closing brace */
			append_why(&why, out);
			buffer_append_char(out, '}');
		}
		buffer_append_char(out, '\n');
	}
	if (why.failed || buffer_failed(out))
		chosen = no_memory(error);
	buffer_release(&why);
	return chosen;
}
