/*
 * How the tasks have ended that others wait for, and what that means to those:
 * the reasons "after" and "ruled-out" (registry/queue_reason.h).
 */
#ifndef SVCKIT_REGISTRY_QUEUE_AWAITED_H
#define SVCKIT_REGISTRY_QUEUE_AWAITED_H

#include "line/buffer.h"
#include "registry/queue_record.h"
#include "registry/registry.h"

struct queue_awaited;

/* registry must outlive it.  EX_OSERR. */
int queue_awaited_open(struct queue_awaited **awaited,
    struct registry *registry, struct svc_error *error);
/* NULL is allowed. */
void queue_awaited_close(struct queue_awaited *awaited);

/* Each task is looked for once, until this is called. */
void queue_awaited_renew(struct queue_awaited *awaited);

/*
 * Whether record waits for others that have not ended, or is ruled out by one
 * that has: 1, *reason is the word and the sentence is appended; 0; -1.
 */
int queue_awaited_tell(struct queue_awaited *awaited,
    const struct queue_record *record, const char **reason,
    struct buffer *sentence, struct svc_error *error);

#endif
