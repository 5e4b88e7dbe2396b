/*
 * What happens in a run, kept for a chart of it (run_chart.h): requests, or
 * commands, with when they began and ended, and in which slot.
 *
 * Slots have no numbers in the world: a request takes the first one of its
 * instance that is free at that moment, so that an instance gets as many lanes
 * as it ever had requests at once.
 *
 *	run_bars_init(&run);
 *	run_bars_begin(&run, &request, at);
 *	run_bars_end(&run, &request, at, REQUEST_RESULT);
 *	...
 *	run_bars_release(&run);
 *
 * Memory is 40 bytes a request, of which 16 lead to its label, and the label.
 */
#ifndef SVCKIT_UI_RUN_BARS_H
#define SVCKIT_UI_RUN_BARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "sched/byte_store.h"
#include "sched/min_heap.h"
#include "sched/name_table.h"
#include "ui/gantt.h"

#define RUN_BARS_NONE	 UINT32_MAX
#define RUN_BARS_BUCKETS 1024

enum request_end {
	REQUEST_RESULT,
	REQUEST_FAILED,
	REQUEST_BUSY,
	REQUEST_DROPPED,
	REQUEST_ENDS /* how many */
};

struct run_request {
	uint32_t task; /* any number that no other task has meanwhile */
	const char *service; /* may be "" */
	const char *instance;
	const char *label; /* copied; of run_bars_begin() alone */
};

/* An instance. */
struct run_place {
	const char *name; /* "SERVICE/ID", of run_bars.names */
	const char *service;
	uint32_t number; /* of the service */
	uint32_t slots; /* so far */
	uint32_t first; /* lane of the chart */
	struct min_heap free; /* slots, with their lanes as indices */
};

struct run_slot {
	uint32_t place;
	uint32_t number; /* from 0 */
	uint32_t task; /* that runs there */
	uint32_t next; /* in its bucket */
	size_t bar;
};

/* To be looked at only. */
struct run_bars {
	bool failed; /* memory ran out: what is here is not all */
	struct name_table services;
	struct name_table names; /* of places */
	struct run_place *places; /* owned, as all that follows */
	size_t place_capacity;
	struct run_slot *slots;
	size_t slot_count;
	size_t slot_capacity;
	uint32_t buckets[RUN_BARS_BUCKETS]; /* slots in use, by task */
	struct gantt_bar *bars; /* lane: a slot; group: service and end */
	size_t bar_count;
	size_t bar_capacity;
	struct byte_store labels;
	struct buffer key; /* scratch */
	double end; /* of the last request that has ended */
};

void run_bars_init(struct run_bars *run);
void run_bars_release(struct run_bars *run);

/*
 * A request of a task begins; at: seconds since the run began, which never go
 * back.
 */
void run_bars_begin(
    struct run_bars *run, const struct run_request *request, double at);

/* It ends; nothing happens where none of that task runs there. */
void run_bars_end(struct run_bars *run, const struct run_request *request,
    double at, enum request_end end);

/* All that still run are dropped. */
void run_bars_stop(struct run_bars *run, double at);

#endif
