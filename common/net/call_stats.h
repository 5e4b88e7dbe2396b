/*
 * What calling came to: counts by outcome, instance and error code, bytes,
 * latencies.  One JSON object; svc-call(1), STATISTICS, describes it.
 *
 *	{"tasks":5,"ok":4,"failed":1,"passed":2,"passed_failed":1,
 *	 "codes":{"timeout":1},"attempts":7,"retries":1,"waits":1,"hedges":0,
 *	 "hedges_won":0,"bytes_sent":210,"bytes_received":180,
 *	 "seconds":1.25,"rate":4,
 *	 "latency_ms":{"p50":1.8,"p90":9.2,"p99":9.2,"p99.9":9.2,"max":9.113},
 *	 "instances":[{"service":"render","id":"web1","attempts":7,"ok":4,
 *	  "busy":1,"failed":2,"dropped":0,"bytes_sent":210,
 *	  "bytes_received":180,"latency_ms":{...}}]}
 *
 * tasks = ok + failed are the lines that ended here, passed those that were
 * passed on as they came (passed_failed of them with an error): together all
 * lines of input.  codes has the codes that occurred.  latency_ms at the top is
 * of tasks with a result, from their first request on, right to 1/64; that of
 * an instance is of requests with a result, right to 1/16; null when there was
 * none.  attempts of an instance are its ok, busy, failed and dropped, and
 * those that were still open when the statistics were made.  instances are
 * sorted by service and id; of more than CALL_STATS_INSTANCES those that came
 * last are one row at the end, service and id null.
 *
 * The call engine tells of requests, who reads its outcomes of tasks.  Memory
 * is that of the instances, not of the tasks: about 700 bytes each.
 */
#ifndef SVCKIT_NET_CALL_STATS_H
#define SVCKIT_NET_CALL_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/task_failure.h"
#include "net/call.h"

#define CALL_STATS_INSTANCES 10000

struct call_stats;

/* EX_OSERR. */
int call_stats_open(struct call_stats **stats, struct svc_error *error);
/* NULL is allowed. */
void call_stats_close(struct call_stats *stats);

/* A request goes to instance. */
void call_stats_sent(struct call_stats *stats,
    const struct call_instance *instance, enum call_reason reason);

/* How one ended. */
struct call_stats_end {
	enum call_reason reason; /* as it was sent */
	enum call_result result;
	double ms;
	size_t sent; /* bytes of bodies, as far as they left */
	size_t received;
};

/* It has ended.  CALL_FORBIDDEN: then it is as if it had never been. */
void call_stats_ended(struct call_stats *stats,
    const struct call_instance *instance, const struct call_stats_end *end);

/*
 * A line has ended: CODE_NONE with a result, ms after its first request was
 * begun; negative: it was not sent at all (it could not be).
 */
void call_stats_task(struct call_stats *stats, enum task_code code, double ms);

/* A line that was not ours to work on; failed: with an error. */
void call_stats_passed(struct call_stats *stats, bool failed);

/*
 * Appends the object, without LF.  seconds: how long it all took.  -1: a count
 * was lost for want of memory (EX_OSERR).
 */
int call_stats_print(const struct call_stats *stats, double seconds,
    struct buffer *out, struct svc_error *error);

#endif
