#include "net/probe_queue.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "line/units.h"

#define DEADLINE 20.0 /* seconds; nothing is asserted about speed */
#define HANGING	 24
#define PROMPT	 HANGING /* its index */

/* Jobs on a port that takes connections, and never answers a request. */
struct rig {
	struct event_base *base;
	struct probe_queue *queue;
	struct probe_job jobs[HANGING + 1];
	int asked[HANGING + 1]; /* how often each has had its result */
	int most; /* that ran at a time */
	int listener;
	char url[64];
	bool again; /* each is queued anew */
};

static int
count_running(const struct rig *rig)
{
	int running = 0, i;

	for (i = 0; i <= HANGING; i++)
		running += rig->jobs[i].probe != NULL;
	return running;
}

static void
on_done(void *argument, struct probe_job *job,
    const struct probe_answer *answer, const struct svc_error *error)
{
	struct rig *rig = argument;
	/* The one that has ended is not among those that run any more. */
	int running = count_running(rig) + 1;

	(void)error;
	CHECK(answer != NULL && !probe_queue_has(job));
	if (running > rig->most)
		rig->most = running;
	rig->asked[job - rig->jobs]++;
	if (rig->again)
		CHECK(probe_queue_add(rig->queue, job, 0) == 0);
}

static void
rig_open(struct rig *rig, int jobs, double timeout)
{
	struct probe_queue_options options = {
	    .jobs = jobs, .done = on_done, .argument = rig};
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	struct svc_error error;
	int i;

	memset(rig, 0, sizeof(*rig));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rig->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(rig->listener, (struct sockaddr *)&address, length) == -1 ||
	    listen(rig->listener, 4096) == -1 ||
	    getsockname(rig->listener, (struct sockaddr *)&address, &length) ==
		-1)
		exit(1);
	snprintf(rig->url, sizeof(rig->url), "http://127.0.0.1:%d/task",
	    ntohs(address.sin_port));
	options.base = rig->base = event_base_new();
	if (!CHECK(probe_queue_open(&rig->queue, &options, &error) == 0))
		exit(1);
	for (i = 0; i <= HANGING; i++) {
		rig->jobs[i].url = rig->url;
		rig->jobs[i].path = i == PROMPT ? NULL : "/health";
		rig->jobs[i].timeout = i == PROMPT ? DEADLINE : timeout;
		CHECK(probe_queue_add(rig->queue, &rig->jobs[i], 0) == 0);
	}
}

static void
rig_close(struct rig *rig)
{
	int i;

	for (i = 0; i <= HANGING; i++)
		probe_queue_remove(rig->queue, &rig->jobs[i]);
	probe_queue_close(rig->queue);
	event_base_free(rig->base);
	close(rig->listener);
}

/* Goes on until each has been asked so often, or the deadline. */
static bool
rig_until(struct rig *rig, int times)
{
	double deadline = time_monotonic() + DEADLINE;
	int i = 0;

	while (i <= HANGING) {
		if (time_monotonic() > deadline)
			return false;
		event_base_loop(rig->base, EVLOOP_ONCE);
		for (i = 0; i <= HANGING && rig->asked[i] >= times; i++)
			continue;
	}
	return true;
}

static void
no_more_than_so_many_run_at_a_time(void)
{
	struct rig rig;

	rig_open(&rig, 5, 0.05);
	CHECK(rig_until(&rig, 1));
	CHECK(rig.most == 5);
	rig_close(&rig);
}

/* In one line each would be asked once a round. */
static void
those_that_hang_delay_only_each_other(void)
{
	struct rig rig;
	int first;

	rig_open(&rig, 4, 0.05);
	rig.again = true;
	CHECK(rig_until(&rig, 1));
	first = rig.asked[PROMPT];
	CHECK(rig_until(&rig, 3));
	CHECK(rig.asked[PROMPT] - first > 2 * HANGING);
	CHECK(rig.most == 4);
	rig_close(&rig);
}

static void
in_one_place_both_lines_take_turns(void)
{
	struct rig rig;
	int hanging = 0, i;

	rig_open(&rig, 1, 0.02);
	rig.again = true;
	CHECK(rig_until(&rig, 1));
	memset(rig.asked, 0, sizeof(rig.asked));
	CHECK(rig_until(&rig, 2));
	for (i = 0; i < HANGING; i++)
		hanging += rig.asked[i];
	CHECK(rig.asked[PROMPT] >= hanging - 1);
	CHECK(rig.asked[PROMPT] <= hanging + 1);
	CHECK(rig.most == 1);
	rig_close(&rig);
}

static void
lag_is_what_they_wait_for_their_turn(void)
{
	struct rig rig;

	rig_open(&rig, 1, 0.02);
	CHECK(probe_queue_lag(rig.queue) == 0);
	rig.again = true;
	CHECK(rig_until(&rig, 2));
	CHECK(probe_queue_lag(rig.queue) >= 0.02 * (HANGING - 1));
	rig_close(&rig);
}

static void
who_is_taken_out_is_not_told_of(void)
{
	struct rig rig;

	rig_open(&rig, 4, 0.05);
	while (rig.jobs[0].probe == NULL)
		event_base_loop(rig.base, EVLOOP_ONCE);
	probe_queue_remove(rig.queue, &rig.jobs[0]);
	probe_queue_remove(rig.queue, &rig.jobs[PROMPT]);
	CHECK(!probe_queue_has(&rig.jobs[0]));
	CHECK(!probe_queue_has(&rig.jobs[PROMPT]));
	while (rig.asked[HANGING - 1] == 0)
		event_base_loop(rig.base, EVLOOP_ONCE);
	CHECK(rig.asked[0] == 0);
	CHECK(rig.asked[PROMPT] == 0);
	rig_close(&rig);
}

int
main(void)
{
	RUN(no_more_than_so_many_run_at_a_time);
	RUN(those_that_hang_delay_only_each_other);
	RUN(in_one_place_both_lines_take_turns);
	RUN(lag_is_what_they_wait_for_their_turn);
	RUN(who_is_taken_out_is_not_told_of);
	return check_done();
}
