/* What becomes of a claimed task when it ends (queue_state.h). */
#include <bsd/string.h>
#include <sysexits.h>

#include "flow/queue_state.h"
#include "line/units.h"
#include "store/store.h"

/* Seconds that a lane rests of which one found nobody. */
#define REST	    5.0
#define KEPT_BUFFER (128UL * 1024)

void
queue_source_begun(void *argument, const char *id)
{
	struct queue_source *source = argument;
	struct queue_claim *claim = queue_claims_find(&source->claims, id);

	if (claim == NULL || claim->begun)
		return;
	queue_lanes_leave(&source->lanes, claim);
	queue_turn(source);
}

void
queue_claim_finish(struct queue_source *source, struct queue_claim *claim,
    char *line, size_t length, bool failed)
{
	claim->job.place = claim->place;
	claim->job.line = line;
	claim->job.length = length;
	claim->job.failed = failed;
	queue_claims_end(&source->claims, claim);
	queue_finish_put(source->finish, &claim->job);
}

/* Frees a claim that has gone.  What came under its id meanwhile may be
 * claimed from here on. */
static void
drop(struct queue_source *source, struct queue_claim *claim)
{
	const struct queue_place again = claim->again;

	queue_claims_drop(&source->claims, claim);
	if (again.state != QUEUE_ABSENT && !source->stopped)
		queue_news_look(source->news, &again);
}

/* Whether the finished line has a deadline that has passed. */
static bool
is_late(const struct buffer *line)
{
	const struct json_span text = {line->data, line->length};
	const int64_t now = time_now();
	struct json_value value;
	char written[64];
	int64_t deadline;

	return json_path(text, "deadline", &value) == 1 &&
	       json_string(&value, written, sizeof(written)) > 0 &&
	       time_parse(written, now, &deadline, NULL) == 0 &&
	       deadline <= now;
}

/* Whether it ended since there was nobody to execute it. */
static bool
found_nobody(const struct run_ended *ended)
{
	switch (ended->code) {
	case CODE_NO_INSTANCES:
	case CODE_UNPLACEABLE:
	case CODE_BUSY:
		return ended->attempts == 0;
	case CODE_UNREACHABLE:
		/* Its attempts are connections that were refused. */
		return true;
	default:
		return false;
	}
}

/*
 * Nothing fails in the queue because nobody was there, or because the run
 * stops.  What was stopped at its deadline has had its time.
 */
static bool
returns(struct queue_source *source, const struct queue_claim *claim,
    const struct run_ended *ended)
{
	if (ended->code == CODE_CANCELLED)
		return true;
	if (!found_nobody(ended) || is_late(ended->line))
		return false;
	queue_lanes_rest(&source->lanes, claim, time_monotonic() + REST);
	return true;
}

void
queue_source_ended(void *argument, const struct run_ended *ended)
{
	struct queue_source *source = argument;
	struct queue_claim *claim =
	    queue_claims_find(&source->claims, ended->id);
	size_t length = ended->line->length;
	char *line;

	if (claim == NULL || claim->ending)
		return;
	if (claim->lost) {
		queue_lanes_leave(&source->lanes, claim);
		drop(source, claim);
	} else if (returns(source, claim, ended)) {
		queue_lanes_leave(&source->lanes, claim);
		queue_claim_finish(source, claim, NULL, 0, false);
	} else {
		queue_lanes_leave(&source->lanes, claim);
		line = buffer_detach(ended->line);
		queue_claim_finish(
		    source, claim, line, length, ended->code != CODE_NONE);
	}
	queue_turn(source);
}

void
queue_claim_lost(struct queue_source *source, struct queue_claim *claim)
{
	char id[sizeof(claim->place.id)];

	if (claim->ending || claim->lost)
		return;
	claim->lost = true;
	source->counts.lost++;
	memcpy(id, claim->place.id, sizeof(id));
	queue_note(source, "%s: its claim was lost, or it was cancelled", id);
	source->options.revoke(source->options.argument, id);
}

/* How one that is no more ours to end has gone. */
static void
count(struct queue_source *source, const struct queue_job *job)
{
	struct queue_source_counts *counts = &source->counts;

	if (job->moved == -1) {
		queue_warn(source, "%s: cannot be %s: %s", job->place.id,
		    job->line == NULL ? "given back" : "completed",
		    job->error.message);
		return;
	}
	if (job->moved == 0) {
		counts->lost++;
		queue_note(source,
		    "%s: its claim was lost, or it was cancelled",
		    job->place.id);
	} else if (job->line == NULL) {
		counts->given_back++;
	} else if (job->failed) {
		counts->failed++;
	} else {
		counts->done++;
	}
}

static void
tell_state(struct queue_source *source, enum queue_finish_state state,
    const struct svc_error *error)
{
	const bool stuck = state == QUEUE_FINISH_STUCK;

	if (stuck && !source->stuck)
		queue_warn(source,
		    "%s: nothing new is started until it can be written",
		    error->message);
	if (!stuck && source->stuck && state == QUEUE_FINISH_WELL)
		queue_warn(source, "it can be written again");
	source->stuck = stuck;
	if (state == QUEUE_FINISH_BROKEN)
		queue_break(source, error);
}

void
queue_claims_settle(struct queue_source *source)
{
	struct queue_jobs jobs = STAILQ_HEAD_INITIALIZER(jobs);
	enum queue_finish_state state;
	struct queue_job *job;
	struct svc_error error;

	state = queue_finish_take(source->finish, &jobs, &error);
	while ((job = STAILQ_FIRST(&jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(&jobs, link);
		count(source, job);
		drop(source, job->argument);
	}
	tell_state(source, state, &error);
}

/* Reads the line that id ended with into value, and scans it: 1, 0, -1. */
static int
read_end(struct queue_source *source, enum queue_state state, const char *id,
    struct svc_error *error)
{
	struct queue_place place = {.state = state};
	struct store_entry entry;
	char key[QUEUE_KEY_MAX];
	int got;

	strlcpy(place.id, id, sizeof(place.id));
	queue_key(&place, key);
	buffer_trim(&source->value, KEPT_BUFFER);
	got = store_get(
	    source->store, key, STORE_VALUE_MAX, &source->value, &entry, error);
	if (got == 1 && json_scan(&source->document, source->value.data,
			    source->value.length, error) == -1)
		return svc_error_set(
		    error, error->code, "%s: %s", key, error->message);
	return got;
}

int
queue_source_result(void *argument, const char *id, struct task_result *found,
    struct svc_error *error)
{
	struct queue_source *source = argument;
	const struct json_member *member;
	int got = read_end(source, QUEUE_DONE, id, error);

	if (got == -1)
		return -1;
	if (got == 0)
		return svc_error_set(error, EX_DATAERR, "%s: no such task", id);
	member = json_member(&source->document, "result");
	if (member == NULL)
		return svc_error_set(
		    error, EX_DATAERR, "%s: it has no result", id);
	found->value = member->value;
	found->base64 = json_member(&source->document, "encoding") != NULL;
	return 0;
}

/* One that did nothing which would have to be undone has not failed by itself
 * (sched/dependencies.h). */
static enum task_end
read_failure(const struct queue_source *source)
{
	const struct json_member *error =
	    json_member(&source->document, "error");
	struct json_value code;

	if (error == NULL || error->value.type != JSON_OBJECT ||
	    json_path(error->value.span, "code", &code) == 0 ||
	    code.type != JSON_STRING)
		return END_FAILED;
	code.span.data++;
	code.span.length -= 2;
	if (json_text_is(code.span, task_code_name(CODE_SKIPPED),
		strlen(task_code_name(CODE_SKIPPED))))
		return END_SKIPPED;
	if (json_text_is(code.span, task_code_name(CODE_CANCELLED),
		strlen(task_code_name(CODE_CANCELLED))))
		return END_CANCELLED;
	return END_FAILED;
}

/* A file under failed that cannot be read says as much. */
int
queue_end_look(
    void *argument, const char *id, enum task_end *end, struct svc_error *error)
{
	struct queue_place place = {.state = QUEUE_DONE};
	struct queue_source *source = argument;
	char key[QUEUE_KEY_MAX];
	int got;

	*end = END_OK;
	strlcpy(place.id, id, sizeof(place.id));
	queue_key(&place, key);
	got = store_exists(source->store, key, error);
	if (got != 0)
		return got;
	got = read_end(source, QUEUE_FAILED, id, error);
	*end = got == 1 ? read_failure(source) : END_FAILED;
	if (got == 1 || (got == -1 && error->code == EX_DATAERR))
		return 1;
	*end = END_OPEN;
	queue_id_key(id, key);
	return got == -1 ? -1 : store_exists(source->store, key, error);
}
