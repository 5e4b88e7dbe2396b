/*
 * Why a task of the queue waits: one word and one sentence.
 *
 *	held          somebody holds it
 *	ruled-out     what it waits for did not end as it must have
 *	after         it waits for others
 *	not-before    its time has not come
 *	rests         it came back from a claim that was lost
 *	no-scheduler  no task-run executes the queue
 *	no-instances  its service has none that takes work
 *	turn          others come before it
 *	busy          it is next, and there is no room for it
 *
 * The first that holds is told.  What is asked of the registry (who schedules,
 * how tasks have ended, which instances there are) is asked once, when a task
 * makes it matter, and kept until queue_reasons_renew().
 */
#ifndef SVCKIT_REGISTRY_QUEUE_REASON_H
#define SVCKIT_REGISTRY_QUEUE_REASON_H

#include <stdbool.h>
#include <stdint.h>

#include "line/buffer.h"
#include "registry/queue_record.h"
#include "registry/registry.h"

struct queue_reasons;

/*
 * The reasons of the queue in registry, which must outlive them.  ordered: all
 * that wait are asked about, in the order of queue_record_compare(), so that
 * those before one can be counted; else just the others that wait are.
 */
int queue_reasons_open(struct queue_reasons **reasons,
    struct registry *registry, bool ordered, struct svc_error *error);
void queue_reasons_close(struct queue_reasons *reasons);

/* Forgets what was asked. */
void queue_reasons_renew(struct queue_reasons *reasons);

/*
 * Why record waits at now (ms since 1970): *reason is the word, and the
 * sentence is put into sentence, which is emptied.  1; 0: it does not wait; -1.
 */
int queue_reasons_tell(struct queue_reasons *reasons,
    const struct queue_record *record, int64_t now, const char **reason,
    struct buffer *sentence, struct svc_error *error);

#endif
