/*
 * What task-status tells of one task of the queue: where it is and since when,
 * how often it was claimed, what it waits for or how it ended.
 *
 *	{"id":"t1","service":"render","state":"running","attempt":1,
 *	 "where":"web1-411-k2x8","since":"2026-11-22T10:00:00.000Z",
 *	 "priority":5}
 *
 * Read from the name of the task's file, its times and its line; of the line
 * only what is told is kept, so that a listing does not hold payloads.
 */
#ifndef SVCKIT_REGISTRY_QUEUE_RECORD_H
#define SVCKIT_REGISTRY_QUEUE_RECORD_H

#include <stdint.h>

#include "line/buffer.h"
#include "line/json.h"
#include "registry/queue.h"

/* As task-line(5) has "when". */
enum queue_when { QUEUE_WHEN_OK, QUEUE_WHEN_FAILED, QUEUE_WHEN_DONE };

/* Strings are owned by it, NULL: it has none. */
struct queue_record {
	enum queue_state state;
	unsigned claims; /* of its place */
	unsigned attempt; /* claims so far, this one included */
	const char *id;
	const char *service;
	const char *where; /* claimant, or "service/instance" of an ended one */
	const char *reason; /* the code of a failed one's error */
	const char *message; /* and its message */
	int64_t since; /* ms since 1970: in this state */
	int64_t submitted; /* the same; of one that came back: when it did */
	double priority; /* 0: not said */
	int64_t deadline; /* ms since 1970; 0: none */
	int64_t not_before; /* the same */
	enum queue_when when;
	const char *after; /* names, each with its NUL, one behind the other */
	size_t after_count;
	char *text; /* private: all of the strings */
};

/* What reading one record after the other uses again.  Zeroes will do. */
struct queue_record_reader {
	struct json_document document;
	struct buffer text;
};
void queue_record_reader_release(struct queue_record_reader *reader);

/*
 * Reads what a listing tells of a task: its place and its value.  The caller
 * releases record.  -1: EX_DATAERR, it is no task line; EX_OSERR.
 */
int queue_record_read(struct queue_record *record,
    struct queue_record_reader *reader, const struct queue_place *place,
    const struct store_entry *entry, struct svc_error *error);
void queue_record_release(struct queue_record *record);

/* The place that it was read from. */
void queue_record_place(
    const struct queue_record *record, struct queue_place *place);

/*
 * For qsort(3): by state, and then those that wait in the order in which they
 * are to run (greater priority, earlier deadline, submission, id in natural
 * order), the others the earlier one first.
 */
int queue_record_compare(const void *a, const void *b);

/* What is printed beside the record itself; zeroes: nothing. */
struct queue_record_more {
	const char *reason; /* why it waits; NULL: the record's own */
	const char *message;
	const char *would; /* what --dry-run would do to it */
	struct json_span line; /* the finished line */
};

/* Appends the record as one JSON object, without LF. */
void queue_record_print(const struct queue_record *record,
    const struct queue_record_more *more, struct buffer *out);

#endif
