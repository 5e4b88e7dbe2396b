/*
 * Inside the call engine: what happens to a job: it waits, runs, is judged,
 * waits again, ends.  call_engine.h has the struct.
 */
#ifndef SVCKIT_NET_CALL_JOB_H
#define SVCKIT_NET_CALL_JOB_H

#include <stdbool.h>

#include "line/error.h"
#include "line/task.h"
#include "net/call.h"

struct call_answer;
struct call_engine;
struct call_job;
struct call_place;
struct call_service;

/* A job for task of service, among the engine's; NULL without memory. */
struct call_job *call_job_new(struct call_engine *engine,
    struct call_service *service, struct call_task *task);

/* The job goes without a word to anybody; it neither waits nor runs. */
void call_job_free(struct call_job *job);

/*
 * Into a lane: the place's that it was planned onto (when it is not NULL), or
 * the service's.  -1: EX_OSERR; EX_DATAERR, "requires" cannot be read.
 */
int call_job_queue(
    struct call_job *job, struct call_place *place, struct svc_error *error);

/* Into the lane that it came from, or wherever its like are by now. */
void call_job_queue_again(struct call_job *job);

/*
 * Where it was planned, and stays while that takes work; NULL: it was not, or
 * does not stay.
 */
struct call_place *call_job_planned(const struct call_job *job);

/* Sends it to place. */
void call_job_start(struct call_job *job, struct call_place *place, double now);

/*
 * Out of its lane, or the end of its delay; what it took for a retry that will
 * not be is given back.
 */
void call_job_leave(struct call_job *job);

/*
 * Ends it: done() is called, the job is gone.  It neither waits nor runs;
 * answer may be NULL.  Returns what done() did.
 */
bool call_job_finish(struct call_job *job, const struct task_failure *failure,
    const struct call_place *place, const struct call_answer *answer);

/* Ends a waiting or running one as CODE_CANCELLED. */
void call_job_cancel(struct call_job *job);

/* Cancels what runs of it, and takes it out of where it waits. */
void call_job_stop(struct call_job *job);

/* The ended callback of call_http; argument is the attempt. */
void call_job_ended(void *argument, const struct call_answer *answer);

/* A line for those who asked for notes: "ID: ...". */
void call_job_note(const struct call_job *job, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
