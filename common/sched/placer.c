#include "sched/placer.h"

#include <math.h>
#include <string.h>
#include <sysexits.h>

#include "sched/task_key.h"

/* What an earlier planning left on the line. */
#define STALE (MEMBER_BIT(MEMBER_INSTANCE) | ENVELOPE_PLAN_DROP)

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

/* 0: the line is to blame, and placer->failure says so; -1: memory is. */
static int
fail_line(struct placer *placer, const struct svc_error *error)
{
	if (error->code != EX_DATAERR)
		return -1;
	task_failure_set(&placer->failure, CODE_INVALID, "%s", error->message);
	return 0;
}

static void
append_parts(
    const struct buffer *why, const struct buffer *more, struct buffer *out)
{
	if (why != NULL && why->length > 0) {
		buffer_append_string(out, ",\"why\":");
		buffer_append(out, why->data, why->length);
	}
	if (more != NULL && more->length > 0)
		buffer_append(out, more->data, more->length);
	envelope_end(out);
}

void
placer_append(const struct placer *placer, const struct envelope *envelope,
    uint32_t member, const struct buffer *why, const struct buffer *more,
    unsigned long drop, struct buffer *out)
{
	const struct pool_member *chosen =
	    pool_member(placer->chooser->pool, member);

	envelope_begin(envelope, out, STALE | drop);
	buffer_append_string(out, ",\"instance\":");
	buffer_append(out, chosen->reference, chosen->reference_length);
	append_parts(why, more, out);
}

void
placer_append_failed(const struct envelope *envelope,
    const struct task_failure *failure, const struct buffer *why,
    struct buffer *out)
{
	/* its instance stays: it may be all that names the service */
	envelope_begin(envelope, out, ENVELOPE_FAIL_DROP | ENVELOPE_PLAN_DROP);
	task_failure_append(failure, out);
	append_parts(why, NULL, out);
}

int
placer_service(struct placer *placer, const struct envelope *envelope,
    struct task_instance *planned, const char **service)
{
	struct svc_error error;

	*service = placer->chooser->service;
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

/* The bytes of the group's name; scratch is for one that has escapes. */
static void
read_group(const struct envelope *envelope, struct constrained_task *task,
    struct buffer *scratch)
{
	const struct json_value *group = &envelope->members[MEMBER_GROUP];

	task->group = NULL;
	task->group_length = 0;
	if (group->span.data == NULL)
		return;
	task->group = group->span.data + 1;
	task->group_length = group->span.length - 2;
	if (!group->escaped)
		return;
	json_decode(group, scratch);
	task->group = scratch->data;
	task->group_length = scratch->length;
}

/*
 * What the chooser looks at, all but the service.  0; -1: EX_DATAERR, the line
 * has no key; EX_OSERR.
 */
static int
read_task(const struct placer *placer, const struct envelope *envelope,
    struct chooser_task *task, struct buffer *scratch, struct svc_error *error)
{
	task->requires = &envelope->members[MEMBER_REQUIRES];
	read_group(envelope, &task->constrained, scratch);
	task->constrained.duration = envelope->duration;
	task->constrained.remaining = INFINITY;
	if (envelope->deadline != 0)
		task->constrained.remaining =
		    (double)(envelope->deadline - time_now()) / 1000;
	task->policy.key = 0;
	if (placer->chooser->policy->type == &policy_hash)
		return task_key(
		    envelope, placer->pointer, &task->policy.key, error);
	return 0;
}

/* 1: *member; 0: placer->failure; -1. */
static int
choose(struct placer *placer, const struct envelope *envelope, uint32_t *member,
    struct buffer *why, struct svc_error *error)
{
	struct buffer scratch = BUFFER_INIT;
	struct task_instance planned;
	const struct eligible *list;
	struct chooser_task task;
	int chosen;

	if (placer_service(placer, envelope, &planned, &task.service) == -1)
		return 0;
	if (read_task(placer, envelope, &task, &scratch, error) == -1)
		chosen = fail_line(placer, error);
	else if (scratch.failed)
		chosen = no_memory(error);
	else
		chosen = chooser_choose(placer->chooser, &task, member, &list,
		    why, &placer->failure, error);
	buffer_release(&scratch);
	return chosen;
}

int
placer_task(struct placer *placer, const struct envelope *envelope,
    struct buffer *out, struct svc_error *error)
{
	struct buffer why = BUFFER_INIT;
	uint32_t member = 0;
	int chosen;

	placer->failure.code = CODE_NONE;
	chosen = choose(placer, envelope, &member, &why, error);
	if (chosen == 1)
		placer_append(placer, envelope, member, &why, NULL, 0, out);
	else if (chosen == 0)
		placer_append_failed(envelope, &placer->failure, &why, out);
	if (why.failed || buffer_failed(out))
		chosen = no_memory(error);
	buffer_release(&why);
	return chosen;
}

int
placer_any(struct placer *placer, struct buffer *out, struct svc_error *error)
{
	struct chooser_task task = {
	    .constrained = {.duration = -1, .remaining = INFINITY}};
	struct buffer why = BUFFER_INIT;
	const struct eligible *list;
	uint32_t member = 0;
	int chosen;

	placer->failure.code = CODE_NONE;
	chosen = chooser_choose(placer->chooser, &task, &member, &list, &why,
	    &placer->failure, error);
	if (chosen == 1) {
		instance_print(
		    pool_member(placer->chooser->pool, member)->instance, out);
		if (why.length > 0 && out->length > 0) {
			out->length--; /* the closing brace */
			buffer_append_string(out, ",\"why\":");
			buffer_append(out, why.data, why.length);
			buffer_append_char(out, '}');
		}
		buffer_append_char(out, '\n');
	}
	if (why.failed || buffer_failed(out))
		chosen = no_memory(error);
	buffer_release(&why);
	return chosen;
}
