/* Load: when it is told and how, and how busy slots were. */
#include "registry/load.h"

#include <stdint.h>

#include "check.h"
#include "line/instance.h"
#include "net/worker_load.h"

static void
load_is_told_when_it_has_changed_and_not_too_often(void)
{
	static const struct {
		double told, elapsed, load;
		bool due;
	} rows[] = {
	    /* The first is always told. */
	    {-1, 0, 0, true},
	    {-1, 0, 0.7, true},
	    /* A change of 0.05 is one, up and down; less is none. */
	    {0.10, 5, 0.15, true},
	    {0.15, 5, 0.10, true},
	    {0.10, 5, 0.149, false},
	    {0.10, 3600, 0.149, false},
	    {0.42, 5, 0.42, false},
	    /* 0 and 1 are told although they are near. */
	    {0.01, 5, 0, true},
	    {0, 5, 0, false},
	    {0, 5, 0.01, false},
	    {0.98, 5, 1, true},
	    {0.98, 5, 1.02, true},
	    {1, 5, 1.01, false},
	    {1.01, 5, 1, false},
	    /* Whatever it is, not twice in 5 seconds. */
	    {0.10, 4.5, 1, false},
	    {0.90, 0, 0, false},
	    /* A timer that is a tick early is on time. */
	    {0.10, 4.996, 1, true},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!CHECK(load_due(rows[i].told, rows[i].elapsed,
			       rows[i].load) == rows[i].due))
			printf("# row %zu\n", i);
}

static void
load_is_never_negative_and_in_thousandths(void)
{
	CHECK(load_round(0.42349) == 0.423);
	CHECK(load_round(1.9996) == 2);
	CHECK(load_round(-0.2) == 0);
	CHECK(load_round(0.0 / 1) == 0);
}

static void
a_record_with_load_is_the_same_record(void)
{
	static const char record[] =
	    "{\"service\":\"a\",\"id\":\"i\",\"address\":\"http://h:1/\"}";
	struct json_span span = {record, sizeof(record) - 1};
	struct buffer line = BUFFER_INIT;
	struct instance instance;

	load_append(&line, span, 0.4235, 1795341600000);
	CHECK_STRING(buffer_string(&line),
	    "{\"service\":\"a\",\"id\":\"i\",\"address\":\"http://h:1/\","
	    "\"utilization\":0.424,"
	    "\"reported\":\"2026-11-22T10:00:00.000Z\"}\n");
	if (CHECK(
		instance_parse(&instance, line.data, line.length, NULL) == 0)) {
		CHECK(instance.record.length == span.length &&
		      memcmp(instance.record.data, record, span.length) == 0);
		CHECK(instance.utilization == 0.424 && !instance.pinned);
		CHECK(instance.reported == 1795341600000);
		instance_release(&instance);
	}
	buffer_release(&line);
}

static void
busy_slots_are_weighted_with_how_long_they_were_busy(void)
{
	struct worker_load load;

	worker_load_init(&load, 100);
	CHECK(worker_load_take(&load, 4, 100) < 0);
	worker_load_set(&load, 1, 101);
	worker_load_set(&load, 4, 103);
	worker_load_set(&load, 0, 104);
	/* One for 2 seconds, four for one, none for one more. */
	CHECK(worker_load_take(&load, 4, 105) == 6.0 / 20);
	CHECK(worker_load_take(&load, 4, 110) == 0);
	worker_load_set(&load, 4, 110);
	CHECK(worker_load_take(&load, 4, 112) == 1);
	/* What is busy stays so until it is said. */
	CHECK(worker_load_take(&load, 4, 113) == 1);
	worker_load_set(&load, 2, 113);
	CHECK(worker_load_take(&load, 4, 115) == 0.5);
}

int
main(void)
{
	RUN(load_is_told_when_it_has_changed_and_not_too_often);
	RUN(load_is_never_negative_and_in_thousandths);
	RUN(a_record_with_load_is_the_same_record);
	RUN(busy_slots_are_weighted_with_how_long_they_were_busy);
	return check_done();
}
