/* What really happened in a run, kept and drawn. */
#include "ui/run_chart.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "check.h"
#include "line/units.h"

static struct run_bars run;

static struct run_request
request_of(uint32_t task, const char *service, const char *instance)
{
	return (struct run_request){.task = task,
	    .service = service,
	    .instance = instance,
	    .label = "t"};
}

static void
begin(uint32_t task, const char *service, const char *instance, double at)
{
	struct run_request request = request_of(task, service, instance);

	run_bars_begin(&run, &request, at);
}

static void
end(uint32_t task, const char *service, const char *instance, double at,
    enum request_end how)
{
	struct run_request request = request_of(task, service, instance);

	run_bars_end(&run, &request, at, how);
}

/* The slot that the n-th request got, of its instance. */
static uint32_t
slot_of(size_t n)
{
	return run.slots[run.bars[n].lane].number;
}

static void
a_request_takes_the_first_slot_that_is_free(void)
{
	run_bars_init(&run);
	begin(1, "a", "x", 0);
	begin(2, "a", "x", 1);
	begin(3, "a", "x", 2);
	end(2, "a", "x", 3, REQUEST_RESULT);
	end(1, "a", "x", 4, REQUEST_RESULT);
	begin(4, "a", "x", 5);
	begin(5, "a", "x", 6);
	begin(6, "a", "x", 7);
	CHECK(slot_of(0) == 0 && slot_of(1) == 1 && slot_of(2) == 2);
	CHECK(slot_of(3) == 0 && slot_of(4) == 1 && slot_of(5) == 3);
	CHECK(run.slot_count == 4);
	CHECK(run.bars[1].start == 1 && run.bars[1].end == 3);
	run_bars_release(&run);
}

/* A hedge: one task, two instances; and the same id in two services. */
static void
a_request_is_known_by_task_service_and_instance(void)
{
	run_bars_init(&run);
	begin(1, "a", "x", 0);
	begin(1, "a", "y", 1);
	begin(1, "b", "x", 2);
	begin(1025, "a", "x", 2);
	end(1, "a", "y", 3, REQUEST_RESULT);
	end(1, "a", "z", 4, REQUEST_RESULT);
	end(2, "a", "x", 4, REQUEST_RESULT);
	end(1, "a", "x", 5, REQUEST_DROPPED);
	CHECK(run.bars[0].end == 5 && run.bars[1].end == 3);
	CHECK(run.bars[2].end == 2 && run.bars[3].end == 2);
	run_bars_stop(&run, 9);
	CHECK(run.bars[0].end == 5 && run.bars[2].end == 9);
	CHECK(run.bars[3].end == 9 && run.end == 9);
	run_bars_release(&run);
}

static const char *
chart(struct buffer *out)
{
	struct svc_error error;

	CHECK(run_chart_append(
		  &run, "flow.ndjson", "5 tasks", 8, out, &error) == 0);
	return buffer_string(out);
}

static void
check_has(const char *svg, const char *text)
{
	if (!CHECK(strstr(svg, text) != NULL))
		printf("# missing: %s\n", text);
}

static void
the_chart_says_what_it_is_of_and_what_it_took(void)
{
	struct buffer out = BUFFER_INIT;
	const char *svg;

	run_bars_init(&run);
	begin(1, "a", "x", 0);
	begin(2, "a", "y", 1);
	end(1, "a", "x", 2.5, REQUEST_RESULT);
	end(2, "a", "y", 7, REQUEST_RESULT);
	begin(3, "a", "x", 7);
	svg = chart(&out);
	check_has(svg, "flow.ndjson</title>");
	check_has(svg, "5 tasks; 2 instances, 2 slots; 3 attempts; "
		       "makespan 8s");
	check_has(svg, ">a<");
	check_has(svg, ">dropped<");
	CHECK(strstr(svg, "a/x") == NULL);
	buffer_release(&out);
	run_bars_release(&run);
}

/* Services one below the other; each has a colour, also without a result. */
static void
instances_stand_by_service_and_name(void)
{
	const char *svg, *first, *second, *third;
	struct buffer out = BUFFER_INIT;

	run_bars_init(&run);
	begin(1, "b", "x", 0);
	begin(2, "a-b", "x", 0);
	begin(3, "a", "z", 0);
	end(1, "b", "x", 1, REQUEST_FAILED);
	end(2, "a-b", "x", 1, REQUEST_BUSY);
	end(3, "a", "z", 1, REQUEST_RESULT);
	svg = chart(&out);
	first = strstr(svg, ">a/z<");
	second = strstr(svg, ">a-b/x<");
	third = strstr(svg, ">b/x<");
	CHECK(first != NULL && second != NULL && third != NULL);
	CHECK(first < second && second < third);
	check_has(svg, ">failed<");
	check_has(svg, ">busy<");
	check_has(svg, ">a<");
	check_has(svg, ">a-b<");
	check_has(svg, ">b<");
	buffer_release(&out);
	run_bars_release(&run);
}

/* Each lane's bars lie one behind the other, and nothing is lost. */
static void
lanes_of_the_chart_are_slots(void)
{
	struct buffer out = BUFFER_INIT;
	double until[64] = {0};
	char name[8];
	size_t i, j;

	run_bars_init(&run);
	for (i = 0; i < 4000; i++) {
		snprintf(name, sizeof(name), "i%zu", i % 7);
		begin((uint32_t)i, "s", name, (double)i);
		/* what began up to 20 steps ago */
		j = i < 20 ? i : i - (i * 31) % 20;
		snprintf(name, sizeof(name), "i%zu", j % 7);
		end((uint32_t)j, "s", name, (double)i + 0.5, REQUEST_RESULT);
	}
	CHECK(run.bar_count == 4000);
	(void)chart(&out);
	for (i = 0; i < run.bar_count; i++) {
		j = run.bars[i].lane;
		CHECK(j < run.slot_count && run.slot_count <= 64 * 64);
		if (j >= 64)
			continue;
		CHECK(run.bars[i].start >= until[j]);
		until[j] = run.bars[i].end;
	}
	buffer_release(&out);
	run_bars_release(&run);
}

static void
of_nothing_there_is_a_chart_too(void)
{
	struct buffer out = BUFFER_INIT;

	run_bars_init(&run);
	check_has(chart(&out), "0 instances, 0 slots; 0 attempts");
	buffer_release(&out);
	run_bars_release(&run);
}

static double
memory(void)
{
#ifdef __SANITIZE_ADDRESS__
	return 0;
#else
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss * 1024;
#endif
}

/* On 1,000 slots of 10 instances, ids of 7 digits. */
static void
a_million_requests_are_kept_and_drawn(void)
{
	double before = memory(), began = time_monotonic();
	struct buffer out = BUFFER_INIT;
	struct run_request request;
	char name[8], label[16];
	uint32_t i;

	run_bars_init(&run);
	for (i = 0; i < 1000000; i++) {
		snprintf(name, sizeof(name), "i%u", i % 10);
		snprintf(label, sizeof(label), "%07u", i);
		request = request_of(i, "s", name);
		request.label = label;
		if (i >= 1000)
			end(i - 1000, "s", name, i, REQUEST_RESULT);
		run_bars_begin(&run, &request, i);
	}
	CHECK(!run.failed && run.bar_count == 1000000);
	CHECK(run.slot_count == 1000);
	CHECK(memory() - before < 64e6);
	check_has(chart(&out), "1000000 attempts");
	CHECK(out.length < 40000000);
	CHECK(time_monotonic() - began < 60);
	buffer_release(&out);
	run_bars_release(&run);
}

int
main(void)
{
	RUN(a_request_takes_the_first_slot_that_is_free);
	RUN(a_request_is_known_by_task_service_and_instance);
	RUN(the_chart_says_what_it_is_of_and_what_it_took);
	RUN(instances_stand_by_service_and_name);
	RUN(lanes_of_the_chart_are_slots);
	RUN(of_nothing_there_is_a_chart_too);
	RUN(a_million_requests_are_kept_and_drawn);
	return check_done();
}
