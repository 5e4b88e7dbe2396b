/*
 * Inside a run (run.h): its state, and who does what.
 *
 *	run_read	lines come in and become tasks
 *	run_check	of a file: is it a workflow at all?
 *	run_decide	what has been decided about tasks: ready, skipped
 *	run_start	ready tasks go to who executes them, when there is room
 *	run_end		tasks end: journal, those that wait for them
 *	run_out		their lines come out
 *	run_feed	between a source and the run
 *	run_cancel	what becomes of the rest when a run stops
 *	run_tell	what happens is told to who wants to know
 */
#ifndef SVCKIT_FLOW_RUN_STATE_H
#define SVCKIT_FLOW_RUN_STATE_H

#include <event2/event.h>
#include <stdarg.h>

#include "flow/number_queue.h"
#include "flow/run.h"
#include "flow/run_feed.h"
#include "flow/task_bind.h"
#include "flow/task_links.h"
#include "flow/task_table.h"
#include "net/call_intake.h"
#include "net/call_output.h"
#include "net/call_queue.h"
#include "sched/dependencies.h"

/* Of a stream: so many tasks, and bytes of lines, at once. */
#define RUN_TASKS_MAX 65536
#define RUN_BYTES_MAX (64UL * 1024 * 1024)
/* What is done in one go, before other events get their turn. */
#define RUN_BATCH 128

enum run_phase {
	PHASE_READ, /* a file is read */
	PHASE_BEGIN, /* its tasks are looked at, one by one */
	PHASE_RUN
};

/* A link of a file, whose other end may not have come yet. */
struct run_link {
	uint32_t task;
	uint32_t name; /* of whom it waits for */
	bool bound; /* for its result */
};

/* Tasks of a lane of ready_queue that were handed over. */
struct run_lane {
	size_t waiting; /* and have not begun */
	bool hungry; /* among the hungry ones */
};

struct run {
	struct event_base *base;
	struct run_options options;
	struct call_item_options item; /* whole lines, whatever comes out */
	struct call_engine *engine; /* one of these two */
	struct command_pool *commands;
	struct call_watch *watch; /* or NULL */
	struct event *pump;
	struct event *tick; /* or NULL */
	struct event *alarm; /* the next not_before */
	struct event *synced; /* of the journal; or NULL */
	struct call_intake intake;
	struct call_output output;
	struct call_queue queue;
	struct call_item *scratch; /* for lines as they are looked at */
	struct buffer store; /* for lines that lie in a file */
	struct buffer found; /* for results that lie in a file */
	struct json_document document; /* for their members */
	struct line_file *file;
	struct run_feed feed; /* with a source */
	struct task_table tasks;
	struct dependencies *dependencies;
	struct ready_queue *ready;
	struct task_links links;
	struct run_link *pending; /* links of a file */
	size_t pending_count;
	size_t pending_capacity;
	size_t faults; /* of a file */
	enum run_phase phase;
	uint32_t cursor; /* of PHASE_BEGIN; later, of what is cancelled */
	uint64_t sequence; /* of the next line */
	struct number_queue decided; /* tasks */
	struct number_queue order; /* that have not come out: keep_order */
	struct run_lane *lanes;
	size_t lane_count;
	struct number_queue hungry; /* lanes */
	struct run_counts counts;
	size_t ok; /* own tasks that have a result */
	double began; /* monotonic seconds */
	int stops;
	bool stopping; /* nothing new is started */
	bool cancel; /* what waits at the engine is to be cancelled */
	bool cancel_running; /* what runs, too */
	bool full; /* the journal has failed */
	char reason[160]; /* why what is cancelled is */
	bool broken;
	enum run_fault fault;
	int number; /* errno of that */
	struct svc_error error;
};

/* The loop ends, for this reason; errno is remembered. */
void run_fail(
    struct run *run, enum run_fault fault, const struct svc_error *error);
void run_fail_memory(struct run *run);
/* The pump runs as soon as the loop comes round. */
void run_wake(struct run *run);
void run_warn(struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
double run_now(const struct run *run);

/* run_tell: to run_options.event; the rest of event is filled in. */
void run_tell(struct run *run, uint32_t task, struct run_event *event);
/* How item's task has ended. */
void run_tell_end(
    struct run *run, const struct call_item *item, enum run_event_kind kind);
/* argument: the run, which has run_options.event. */
void run_tell_note(void *argument, const char *message);
/* How a line says that it has ended. */
enum task_code run_line_code(const struct buffer *line);

/* run_read: true: there is more to take. */
bool run_read(struct run *run);

/* run_check: the file has ended.  -1: it is no workflow; or EX_OSERR. */
int run_link(struct run *run, uint32_t task, uint32_t name, bool bound,
    struct svc_error *error);
int run_check(struct run *run, struct svc_error *error);

/* run_decide */
void run_seal(struct run *run, uint32_t task);
void run_decided(void *argument, uint32_t task, enum task_decision decision);
/* true: there is more. */
bool run_decide(struct run *run);
bool run_begin(struct run *run);
/* The links of a task, read again into run->links.  -1: the run has failed. */
int run_links(struct run *run, uint32_t task);

/* run_start */
int run_open_backend(struct run *run, struct svc_error *error);
void run_close_backend(struct run *run);
void run_hunger(struct run *run, uint32_t lane);
void run_fill(struct run *run);
/* Somebody sleeps until his not_before. */
void run_alarm(struct run *run);
void run_pause(struct run *run);
size_t run_running(const struct run *run);
void run_cancel_backend(struct run *run, bool running);
/* Reads the line of a task into item once more.  false: the run has failed. */
bool run_reread(struct run *run, uint32_t task, struct call_item *item);

/* run_end: item has the line that comes out; it goes. */
void run_end(
    struct run *run, struct call_item *item, enum task_end end, double seconds);
/* The same of a task that never began: its line is read again. */
void run_end_unbegun(
    struct run *run, uint32_t task, const struct task_failure *failure);
void run_end_restored(struct run *run, uint32_t task);
void run_end_planned(struct run *run, uint32_t task);
void run_end_passed(struct run *run, uint32_t task);
/* Finds a result that a task binds (task_bind.h). */
int run_result(void *argument, const char *id, struct task_result *found,
    struct svc_error *error);

/* run_out: takes the item's line. */
void run_out(struct run *run, struct call_item *item);
/* What has become possible.  true: there is more. */
bool run_out_next(struct run *run);

/* run_cancel: reason: a sentence for the lines. */
void run_halt(struct run *run, bool running, const char *reason);
/* true: there is more. */
bool run_cancel_rest(struct run *run);

#endif
