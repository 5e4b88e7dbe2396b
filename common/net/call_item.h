/*
 * One line of input on its way through the call engine, and the line that comes
 * out for it.
 */
#ifndef SVCKIT_NET_CALL_ITEM_H
#define SVCKIT_NET_CALL_ITEM_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/task.h"
#include "net/call.h"

/* What a line of input is. */
enum call_input {
	INPUT_TASKS, /* a task, or a finished one */
	INPUT_INSTANCES, /* an instance: the payload goes to each */
	INPUT_PAYLOAD /* there are no lines: the payload is the one task */
};

struct call_item_options {
	enum call_input input;
	struct json_span payload; /* of the last two; one line of JSON */
	bool base64; /* the payload is a string of it: "encoding" says so */
	const char *content_type; /* that the caller names; or NULL */
	struct envelope_options envelope;
	const char *service; /* for lines that name none; or NULL */
	double timeout; /* of lines that say none; negative: not said */
	bool hash; /* tasks need their key */
	const char *pointer; /* that the key is at, or NULL: task_key.h */
	bool result_only; /* the line is the result alone */
	bool linked; /* lines may wait for others; else they are refused */
};

struct call_item {
	struct envelope envelope;
	struct buffer line; /* what the envelope points into; not of text */
	struct buffer body; /* what is sent, where that is not on the line */
	size_t size; /* bytes of both; once settled, of out */
	struct task_instance planned;
	struct call_task task;
	struct buffer out; /* what comes out, whole lines */
	bool complaint; /* out belongs on stderr: -o result */
	bool ended; /* out is complete */
	bool passed; /* it was not ours to work on */
	enum task_code code; /* how it ended */
	int attempts; /* requests that were sent for it */
	uint32_t number; /* the caller's */
	TAILQ_ENTRY(call_item) link; /* the queue's */
};

enum item_state {
	ITEM_READY, /* task can be submitted */
	ITEM_FINISHED, /* out is complete */
	ITEM_FAILED, /* out is complete, and the task has failed */
	ITEM_INVALID /* out is complete, and the line could not be read */
};

/* NULL: no memory. */
struct call_item *call_item_new(void);
void call_item_free(struct call_item *item);
/* The line is needed no more: large memory of it is given back. */
void call_item_forget(struct call_item *item);

/* From here on only out counts: the same, and size is that of out. */
void call_item_settle(struct call_item *item);

/* Ready for the next line; large memory is given back. */
void call_item_clear(struct call_item *item);

/*
 * Reads one line, and copies it; but where item->line is not empty, that is
 * the memory that the line lies in.  What is wrong with it is in error when it
 * is ITEM_INVALID; EX_OSERR means that memory ran out.
 */
enum item_state call_item_read(struct call_item *item, const struct line *line,
    const struct call_item_options *options, struct svc_error *error);

#endif
