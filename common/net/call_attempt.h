/*
 * Inside the call engine: one request of a job at a place, with all that counts
 * it: the engine's jobs, the place's slots, the rate, the statistics.
 * call_engine.h has the struct.
 */
#ifndef SVCKIT_NET_CALL_ATTEMPT_H
#define SVCKIT_NET_CALL_ATTEMPT_H

#include <stddef.h>

#include "line/error.h"
#include "net/call_http.h"
#include "net/call_stats.h"

struct call_attempt;
struct call_job;
struct call_place;

/*
 * Sends job, which has been begun and has fewer than CALL_ATTEMPTS under way,
 * to place.  It may take what remains of the job's time.  -1: it cannot be
 * sent.
 */
int call_attempt_start(struct call_job *job, struct call_place *place,
    enum call_reason reason, double now, struct svc_error *error);

/* The one of job that runs, or the first of two; NULL: none. */
struct call_attempt *call_attempt_first(struct call_job *job);

/* call_http has told of its end: the job may have another one. */
void call_attempt_free(struct call_attempt *attempt);

/*
 * The end of a request that was begun as attempt says: tells the trace of it,
 * while the job lives.
 */
void call_attempt_tell(
    const struct call_attempt *attempt, enum call_result result, double ms);

/* And counts it.  sent: the server may have seen it; received: bytes. */
void call_attempt_count(const struct call_attempt *attempt,
    enum call_result result, double ms, bool sent, size_t received);

/*
 * Ends one that runs; its place has done neither well nor badly.  Returns the
 * place, for which call_place_end() is left to the caller.
 */
struct call_place *call_attempt_cancel(
    struct call_attempt *attempt, double now);

/* What is the same for all requests of a task, and for a preview. */
void call_attempt_describe(struct call_post *post,
    const struct call_options *options, const struct call_task *task,
    const struct call_place *place);

#endif
