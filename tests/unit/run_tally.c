/* How far a run is, service by service. */
#include "flow/run_tally.h"

#include "check.h"

static struct run_tally *tally;

static void
begin(void)
{
	struct svc_error error;

	CHECK(run_tally_open(&tally, &error) == 0);
}

static void
tell(enum run_event_kind kind, const char *service, enum task_code code)
{
	const struct run_event event = {
	    .kind = kind, .service = service, .code = code};
	struct svc_error error;

	CHECK(run_tally_add(tally, &event, &error) == 0);
}

/* done failed skipped cancelled restored running waiting */
static void
check_count(const struct run_tally_count *count, const char *want)
{
	char got[128];

	snprintf(got, sizeof(got), "%zu %zu %zu %zu %zu %zu %zu", count->done,
	    count->failed, count->skipped, count->cancelled, count->restored,
	    count->running, count->waiting);
	CHECK_STRING(got, want);
}

static void
check_service(size_t i, const char *name, const char *want)
{
	struct run_tally_count count;

	CHECK_STRING(run_tally_service(tally, i, &count), name);
	check_count(&count, want);
}

static void
check_total(const char *want)
{
	struct run_tally_count count;

	run_tally_total(tally, &count);
	check_count(&count, want);
}

static void
a_task_waits_then_runs_then_is_done(void)
{
	begin();
	tell(RUN_TASK, "render", CODE_NONE);
	check_service(0, "render", "0 0 0 0 0 0 1");
	tell(RUN_READY, "render", CODE_NONE);
	check_service(0, "render", "0 0 0 0 0 0 1");
	tell(RUN_SENT, "render", CODE_NONE);
	check_service(0, "render", "0 0 0 0 0 1 0");
	/* busy: it waits once more */
	tell(RUN_ANSWERED, "render", CODE_NONE);
	check_service(0, "render", "0 0 0 0 0 0 1");
	tell(RUN_SENT, "render", CODE_NONE);
	tell(RUN_ANSWERED, "render", CODE_NONE);
	tell(RUN_ENDED, "render", CODE_NONE);
	check_service(0, "render", "1 0 0 0 0 0 0");
	check_total("1 0 0 0 0 0 0");
	run_tally_close(tally);
}

static void
what_is_skipped_or_cancelled_has_not_failed(void)
{
	static const enum task_code codes[] = {
	    CODE_NONE, CODE_HTTP, CODE_SKIPPED, CODE_CANCELLED, CODE_TIMEOUT};
	size_t i;

	begin();
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		tell(RUN_TASK, "a", CODE_NONE);
		tell(RUN_ENDED, "a", codes[i]);
	}
	tell(RUN_TASK, "a", CODE_NONE);
	tell(RUN_RESTORED, "a", CODE_HTTP);
	check_service(0, "a", "6 3 1 1 1 0 0");
	run_tally_close(tally);
}

static void
two_requests_of_one_task_leave_none_waiting(void)
{
	begin();
	tell(RUN_TASK, "a", CODE_NONE);
	tell(RUN_SENT, "a", CODE_NONE);
	tell(RUN_SENT, "a", CODE_NONE);
	check_service(0, "a", "0 0 0 0 0 2 0");
	run_tally_close(tally);
}

static void
what_no_service_has_to_do_with_is_in_the_total_alone(void)
{
	begin();
	tell(RUN_TASK, "", CODE_NONE);
	tell(RUN_PASSED, "", CODE_INVALID);
	tell(RUN_NOTE, "", CODE_NONE);
	CHECK(run_tally_services(tally) == 0);
	check_total("1 1 0 0 0 0 0");
	run_tally_close(tally);
}

/* Names that came from last to first, and in between. */
static void
services_are_in_order_of_their_names(void)
{
	struct run_tally_count count;
	char name[16], before[16] = "";
	size_t i;

	begin();
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "s%03zu", i * 637 % 1000);
		tell(RUN_TASK, name, CODE_NONE);
		if (i % 2 == 0)
			tell(RUN_SENT, name, CODE_NONE);
	}
	CHECK(run_tally_services(tally) == 1000);
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%s",
		    run_tally_service(tally, i, &count));
		CHECK(strcmp(before, name) < 0);
		CHECK(count.waiting + count.running == 1);
		memcpy(before, name, sizeof(before));
	}
	check_total("0 0 0 0 0 500 500");
	run_tally_close(tally);
}

int
main(void)
{
	RUN(a_task_waits_then_runs_then_is_done);
	RUN(what_is_skipped_or_cancelled_has_not_failed);
	RUN(two_requests_of_one_task_leave_none_waiting);
	RUN(what_no_service_has_to_do_with_is_in_the_total_alone);
	RUN(services_are_in_order_of_their_names);
	return check_done();
}
