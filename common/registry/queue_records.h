/*
 * The tasks of the queue as records: all of some states, or one by its id, and
 * how many there are.  What cannot be read is warned of, once, and left out.
 */
#ifndef SVCKIT_REGISTRY_QUEUE_RECORDS_H
#define SVCKIT_REGISTRY_QUEUE_RECORDS_H

#include <stddef.h>

#include "registry/queue_record.h"
#include "registry/registry.h"

/* A list of records, owned by the caller.  Zeroes are an empty one. */
struct queue_records {
	struct queue_record *items;
	size_t count;
	size_t capacity;
};
void queue_records_release(struct queue_records *records);

/*
 * Lists all of the states (QUEUE_STATE_BITs), and with service not NULL only
 * those whose lines name it, sorted by queue_record_compare().  Each id stands
 * once, also when it moved meanwhile: where it was seen last, in the order in
 * which schedulers move.
 */
int queue_records_list(struct registry *registry, unsigned states,
    const char *service, struct queue_records *records,
    struct svc_error *error);

/*
 * Reads one task, without looking at others: 1, and the caller releases record;
 * 0: there is none, and *known says whether its id is one of the queue's; -1:
 * also when its line cannot be read (EX_DATAERR).
 */
int queue_records_get(struct registry *registry, const char *id,
    struct queue_record *record, bool *known, struct svc_error *error);

/* How many tasks are in which state. */
struct queue_count {
	char service[NAME_MAX_LENGTH + 1]; /* "": of those that name none */
	size_t states[QUEUE_STATE_COUNT];
};

/*
 * Counts the tasks of the states: all in one, for which no line is read, or
 * (by_service) those of each service, sorted by its name.  The caller frees
 * *counts with free(3).
 */
int queue_records_count(struct registry *registry, unsigned states,
    bool by_service, struct queue_count **counts, size_t *count,
    struct svc_error *error);

/* Appends a count as a JSON object with the states that were counted. */
void queue_count_print(const struct queue_count *count, unsigned states,
    bool by_service, struct buffer *out);

#endif
