/*
 * Inside the call engine: when a waiting job has to give up, and why.
 *
 * A task's timeout counts from its first attempt.  Before that only waiting for
 * a service where nobody takes work counts: for tasks that were given a timeout
 * by name, and where nobody ever has.  There all wait together: for who comes
 * when the time is over there is none left.
 */
#ifndef SVCKIT_NET_CALL_EXPIRY_H
#define SVCKIT_NET_CALL_EXPIRY_H

#include "line/task_failure.h"

struct call_engine;
struct call_job;
struct call_place;
struct call_service;
struct call_task;

/* Seconds for all attempts together. */
double call_expiry_timeout(
    const struct call_engine *engine, const struct call_task *task);

/* When the job has to give up as things are; HUGE_VAL: never. */
double call_expiry_at(const struct call_job *job);

/* Sets the timer of a waiting job to that, or the end of its delay. */
void call_expiry_arm(struct call_job *job);
/* The same for all that wait for service: who is there has changed. */
void call_expiry_arm_service(
    struct call_engine *engine, const struct call_service *service);
/* And for all that may wait for place, which turns away who comes. */
void call_expiry_arm_lanes(struct call_place *place);
/* It does not wait any more. */
void call_expiry_disarm(struct call_job *job);

/* Ends a waiting job, with the reason why it waited. */
void call_expiry_end(struct call_job *job);

/*
 * Why nobody takes work of the service called name, which may not be known
 * (NULL).
 */
void call_expiry_nobody(const struct call_service *service, const char *name,
    struct task_failure *failure);

#endif
