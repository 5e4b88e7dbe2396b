/*
 * The tasks of a run, by number.
 *
 * A task is about 150 bytes, beside its line.  A line over TASK_LINE_KEPT bytes
 * lies in a line_file meanwhile.  Numbers of tasks whose ids were made are used
 * again when they have come out, so that a run may go on for ever; an id that
 * was given is kept, since a later line may name it.
 */
#ifndef SVCKIT_FLOW_TASK_TABLE_H
#define SVCKIT_FLOW_TASK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/journal.h"
#include "flow/line_file.h"
#include "flow/ready_queue.h"
#include "line/buffer.h"
#include "line/error.h"
#include "line/reader.h"
#include "sched/byte_store.h"
#include "sched/name_table.h"

#define TASK_NONE      UINT32_MAX
#define TASK_LINE_KEPT 4096

enum flow_state {
	FLOW_FREE, /* the number is not in use */
	FLOW_READ, /* its line has been read */
	FLOW_WAITS, /* for others, or for its turn */
	FLOW_RUNS,
	FLOW_ENDED, /* but its line has not come out */
	FLOW_OUT /* it has; the id is still known */
};

struct flow_task {
	char *line; /* the table's: as read, or as it comes out; or NULL */
	size_t length;
	struct line_place place; /* where that lies, or a result's line */
	unsigned long number; /* of the line of input */
	uint64_t sequence; /* of the task, from 0 */
	uint32_t name; /* of the id, in ids; NAME_TABLE_NONE: made */
	enum flow_state state;
	struct ready_key key;
	double since; /* when it became ready, monotonic seconds */
	uint32_t stage; /* the longest chain of tasks in front of it */
	uint32_t because; /* who ruled it out; TASK_NONE: nobody */
	unsigned char hash[JOURNAL_HASH]; /* where there is a journal */
	bool journalled; /* place is in the journal */
	bool linked; /* it has after or bind */
	bool binds;
	bool needed; /* some task binds its result */
	bool begun; /* it has left its lane */
	bool own; /* it was read to be worked on, and not passed on */
	bool restored; /* an earlier run has ended it */
	bool passed; /* it came in as it comes out */
	bool failed; /* of one that is not own, or has ended */
	bool skip; /* of a decided one: what it waits for rules it out */
	enum task_code code; /* of one that has ended, or is not own */
};

struct task_table {
	struct flow_task *tasks;
	size_t count; /* numbers in use, or free again */
	size_t capacity;
	uint32_t *spare; /* numbers that are free */
	size_t spare_count;
	size_t spare_capacity;
	size_t open; /* tasks that have not come out */
	size_t bytes; /* of lines in memory */
	bool whole;
	struct byte_store lines; /* of a file */
	struct name_table ids;
	uint32_t *by_name; /* task of a name, or TASK_NONE */
	size_t name_capacity;
	struct line_file *file; /* of long lines and of results; borrowed */
};

/*
 * whole: all lines are kept before the first one is forgotten.  They lie behind
 * each other then, and go together: given back one by one, in the order in
 * which tasks of a graph end, they leave holes that cost more than the memory
 * is worth.
 */
void task_table_init(
    struct task_table *table, struct line_file *file, bool whole);
void task_table_release(struct task_table *table);

/* A number for a new task, all zero but its state.  -1: EX_OSERR. */
int task_table_new(
    struct task_table *table, uint32_t *task, struct svc_error *error);

/* Until the next task_table_new(). */
struct flow_task *task_table_get(const struct task_table *table, uint32_t task);

/*
 * The number of a name, which need not be a task's yet.  -1: EX_OSERR.
 */
int task_table_name(struct task_table *table, const char *id, uint32_t *name,
    struct svc_error *error);
/* The task of that name; TASK_NONE. */
uint32_t task_table_find(const struct task_table *table, uint32_t name);
/* name is task's from now on. */
void task_table_claim(struct task_table *table, uint32_t name, uint32_t task);
/* Its id, where it was given, or "". */
const char *task_table_id(const struct task_table *table, uint32_t task);

/* Keeps a copy of a line for task.  -1: EX_OSERR, EX_IOERR. */
int task_table_keep(struct task_table *table, uint32_t task, const char *line,
    size_t length, struct svc_error *error);
/*
 * That line, in memory of the table or of store, until either changes.  -1:
 * EX_OSERR, EX_IOERR.
 */
int task_table_line(const struct task_table *table, uint32_t task,
    struct buffer *store, const char **line, size_t *length,
    struct svc_error *error);
/* It is not needed any more. */
void task_table_forget(struct task_table *table, uint32_t task);

/* The task has come out; where its id was made, its number is free. */
void task_table_out(struct task_table *table, uint32_t task);

#endif
