/*
 * Inside the call engine: whether a job is sent again when an attempt of it was
 * in vain.  What is busy is waited for; a failure that may be tried again takes
 * one of the job's retries and one of the engine's budget.  One that the
 * instance would only repeat (TLS, forbidden by our own options) is tried again
 * only where there is another instance; and what was forbidden has never left,
 * so it counts for nothing but the job's retries.
 */
#ifndef SVCKIT_NET_CALL_RESEND_H
#define SVCKIT_NET_CALL_RESEND_H

#include <stdbool.h>

#include "net/call_retry.h"

struct call_attempt;
struct call_job;

/*
 * After attempt, which has ended as job->last says: whether job goes on; else
 * it is at its end.
 */
bool call_resend(struct call_job *job, const struct call_attempt *attempt,
    enum call_verdict verdict, double now);

#endif
