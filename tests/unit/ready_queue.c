/* Tasks that wait for their turn; what ORDER_FAIR says is in ready_fair.c. */
#include "flow/ready_queue.h"

#include <malloc.h>
#include <stdlib.h>
#include <sysexits.h>

#include "check.h"
#include "ready_fixture.h"

/* From 0 to limit - 1; the same ones in each run. */
static uint32_t
below(uint32_t *state, uint32_t limit)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % limit;
}

static void
tasks_come_as_they_came(void)
{
	struct ready_fixture fixture;
	int i;

	ready_fixture_open(&fixture, ORDER_FIFO, NULL);
	for (i = 0; i < 5; i++)
		CHECK(ready_fixture_add(&fixture, "") == 0);
	CHECK(ready_queue_waiting(fixture.queue, 0) == 5);
	CHECK(ready_queue_count(fixture.queue) == 5);
	CHECK_STRING(ready_fixture_take_all(&fixture, 0), "0 1 2 3 4");
	CHECK(ready_queue_count(fixture.queue) == 0);
	ready_fixture_close(&fixture);
}

static void
what_becomes_ready_late_goes_where_it_stood_in_the_input(void)
{
	const struct ready_key key = {0};
	static const uint64_t sequences[] = {5, 9, 2, 7, 1};
	struct ready_fixture fixture;
	uint32_t i;

	ready_fixture_open(&fixture, ORDER_FIFO, NULL);
	ready_fixture_add(&fixture, "");
	CHECK(ready_queue_pop(fixture.queue, 0) == 0);
	for (i = 0; i < 5; i++)
		CHECK(ready_queue_push(fixture.queue, i, sequences[i], &key,
			  FIXTURE_NOW, NULL) == 0);
	CHECK_STRING(ready_fixture_take_all(&fixture, 0), "4 2 0 3 1");
	ready_fixture_close(&fixture);
}

/* Of an order, what each of some lines says, and how they then come. */
struct ordering {
	enum task_order order;
	const char *lines[7];
	const char *want;
};

static const struct ordering orderings[] = {
    {ORDER_FIFO,
	{"\"priority\":-1", "", "\"priority\":0.5", "\"priority\":7",
	    "\"priority\":-0.25", "\"priority\":0.5", "\"priority\":-0.0"},
	"3 2 5 1 6 4 0"},
    {ORDER_FIFO,
	{"\"duration\":1", "\"duration\":9", "\"duration\":3",
	    "\"deadline\":\"2030-01-01T00:00:00Z\""},
	"0 1 2 3"},
    {ORDER_EDF,
	{"", "\"deadline\":\"2030-01-02T00:00:00Z\"",
	    "\"deadline\":\"2030-01-01T00:00:00.001Z\"",
	    "\"deadline\":\"2030-01-01T00:00:00Z\"",
	    "\"deadline\":\"2030-01-02T00:00:00Z\"", "\"priority\":1", ""},
	"5 3 2 1 4 0 6"},
    {ORDER_LPT,
	{"\"duration\":0.5", "", "\"duration\":2", "\"duration\":1",
	    "\"duration\":2", "\"duration\":9,\"priority\":-1",
	    "\"duration\":0"},
	"2 4 1 3 0 6 5"},
};

static void
each_order_has_its_own_first(void)
{
	struct ready_fixture fixture;
	size_t i, line;

	for (i = 0; i < sizeof(orderings) / sizeof(orderings[0]); i++) {
		const char *const *lines = orderings[i].lines;

		ready_fixture_open(&fixture, orderings[i].order, NULL);
		for (line = 0; line < 7 && lines[line] != NULL; line++)
			CHECK(ready_fixture_add(&fixture, lines[line]) == 0);
		CHECK_STRING(
		    ready_fixture_take_all(&fixture, 0), orderings[i].want);
		ready_fixture_close(&fixture);
	}
}

static uint32_t
lane_of(struct ready_fixture *fixture, const char *service,
    const char *instance, const char *members)
{
	struct task_instance planned = {.service = "render"};
	struct svc_error error;
	struct ready_key key;

	if (instance != NULL)
		snprintf(planned.id, sizeof(planned.id), "%s", instance);
	if (ready_fixture_key(fixture, service,
		instance == NULL ? NULL : &planned, members, &key,
		&error) == -1)
		ready_fixture_bail(&error);
	return key.lane;
}

static void
a_lane_is_a_service_what_is_required_and_an_instance(void)
{
	static const struct {
		const char *service, *instance, *members;
		uint32_t lane;
	} lines[] = {
	    {"render", NULL, "", 0},
	    {"ocr", NULL, "", 1},
	    {"render", NULL, "\"requires\":{\"cpu\":1}", 2},
	    {"render", NULL, "\"requires\":{\"cpu\":2}", 3},
	    {"ocr", NULL, "\"requires\":{\"cpu\":2}", 4},
	    {"render", "a", "", 5},
	    {"render", "b", "", 6},
	    {"render", "a", "\"requires\":{\"cpu\":2}", 7},
	    {"", NULL, "", 8},
	    {"render", NULL, "\"priority\":3,\"requires\":null", 0},
	    {"render", NULL, "\"duration\":5,\"requires\":{\"cpu\":2}", 3},
	    {"render", "a", "\"group\":\"alice\"", 5},
	    {"", NULL, "", 8},
	};
	struct ready_fixture fixture;
	size_t i;

	ready_fixture_open(&fixture, ORDER_FIFO, NULL);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		uint32_t lane = lane_of(&fixture, lines[i].service,
		    lines[i].instance, lines[i].members);

		if (CHECK(lane == lines[i].lane))
			CHECK_STRING(ready_queue_service(fixture.queue, lane),
			    lines[i].service);
	}
	CHECK(ready_queue_lanes(fixture.queue) == 9);
	ready_fixture_close(&fixture);
}

static void
one_lane_is_empty_while_another_is_not(void)
{
	struct ready_fixture fixture;

	ready_fixture_open(&fixture, ORDER_FIFO, NULL);
	CHECK(ready_fixture_add(&fixture, "") == 0);
	CHECK(ready_fixture_add(&fixture, "\"requires\":{\"gpu\":1}") == 1);
	CHECK(ready_queue_pop(fixture.queue, 0) == 0);
	CHECK(ready_queue_pop(fixture.queue, 0) == READY_NONE);
	CHECK(ready_queue_waiting(fixture.queue, 1) == 1);
	CHECK(ready_queue_count(fixture.queue) == 1);
	CHECK(ready_queue_pop(fixture.queue, 1) == 1);
	ready_fixture_close(&fixture);
}

static void
what_cannot_be_required_is_refused_each_time_and_makes_no_lane(void)
{
	struct ready_fixture fixture;
	struct svc_error error;
	struct ready_key key;
	int i;

	ready_fixture_open(&fixture, ORDER_FIFO, NULL);
	for (i = 0; i < 2; i++) {
		error.code = 0;
		CHECK(ready_fixture_key(&fixture, "render", NULL,
			  "\"requires\":{\"cpu\":-1}", &key, &error) == -1);
		CHECK(error.code == EX_DATAERR);
		CHECK_STRING(error.message, "\"requires.cpu\": negative: -1");
	}
	CHECK(ready_queue_lanes(fixture.queue) == 0);
	CHECK(ready_fixture_add(&fixture, "\"requires\":{\"cpu\":1}") == 0);
	ready_fixture_close(&fixture);
}

#define MANY_LANES 20000

/* A list of them would look at 200 million. */
static void
each_of_many_lanes_is_found_again(void)
{
	struct ready_fixture fixture;
	char members[64];
	uint32_t i;
	int again, wrong = 0;

	ready_fixture_open(&fixture, ORDER_FIFO, NULL);
	for (again = 0; again < 2; again++)
		for (i = 0; i < MANY_LANES; i++) {
			snprintf(members, sizeof(members),
			    "\"requires\":{\"mem\":\"%uM\"}", i);
			wrong += ready_fixture_add(&fixture, members) != i;
		}
	for (i = 0; i < MANY_LANES; i++) {
		wrong += ready_queue_pop(fixture.queue, i) != i;
		wrong += ready_queue_pop(fixture.queue, i) != MANY_LANES + i;
		wrong += ready_queue_waiting(fixture.queue, i) != 0;
	}
	CHECK(wrong == 0);
	CHECK(ready_queue_lanes(fixture.queue) == MANY_LANES);
	ready_fixture_close(&fixture);
}

/* The lanes that were woken, as text. */
static void
on_woken(void *argument, uint32_t lane)
{
	char *text = argument;
	size_t length = strlen(text);

	snprintf(text + length, 64 - length, " %u", lane);
}

static void
those_that_sleep_are_woken_in_time(void)
{
	/* by lane: ms after now */
	static const int after[] = {300, 100, 200, 100, 0, -500};
	struct ready_fixture fixture;
	char woken[64] = "";
	uint32_t i;

	ready_fixture_open(&fixture, ORDER_FIFO, NULL);
	CHECK(
	    ready_queue_wake(fixture.queue, FIXTURE_NOW, on_woken, woken) == 0);
	for (i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		struct ready_key key = {.lane = i};
		char members[64];

		snprintf(
		    members, sizeof(members), "\"requires\":{\"n\":%u}", i);
		CHECK(lane_of(&fixture, "render", NULL, members) == i);
		key.not_before = FIXTURE_NOW + after[i];
		ready_fixture_push(&fixture, &key);
	}
	CHECK(ready_queue_asleep(fixture.queue) == 6);
	CHECK(ready_queue_count(fixture.queue) == 0);
	CHECK(ready_queue_pop(fixture.queue, 4) == READY_NONE);
	CHECK(ready_queue_wake(fixture.queue, FIXTURE_NOW, on_woken, woken) ==
	      FIXTURE_NOW + 100);
	CHECK_STRING(woken, " 4 5");
	CHECK(ready_queue_wake(fixture.queue, FIXTURE_NOW + 99, on_woken,
		  woken) == FIXTURE_NOW + 100);
	CHECK(ready_queue_wake(fixture.queue, FIXTURE_NOW + 250, on_woken,
		  woken) == FIXTURE_NOW + 300);
	CHECK_STRING(woken, " 4 5 1 3 2");
	CHECK(ready_queue_asleep(fixture.queue) == 1);
	CHECK(ready_queue_count(fixture.queue) == 5);
	CHECK(ready_queue_wake(
		  fixture.queue, FIXTURE_NOW + 300, on_woken, woken) == 0);
	CHECK(ready_queue_pop(fixture.queue, 0) == 0);
	ready_fixture_close(&fixture);
}

static void
one_that_was_woken_stands_where_its_key_says(void)
{
	struct ready_fixture fixture;
	char woken[64] = "";

	ready_fixture_open(&fixture, ORDER_FIFO, NULL);
	ready_fixture_add(&fixture, "\"not_before\":\"1970-01-01T01:00:00Z\"");
	ready_fixture_add(&fixture, "");
	ready_fixture_add(
	    &fixture, "\"not_before\":\"1970-01-01T01:00:00Z\",\"priority\":1");
	ready_fixture_add(&fixture, "\"not_before\":\"1969-01-01T01:00:00Z\"");
	CHECK(ready_queue_asleep(fixture.queue) == 3);
	CHECK(ready_queue_wake(fixture.queue, 3600000, on_woken, woken) == 0);
	CHECK_STRING(woken, " 0 0 0");
	CHECK_STRING(ready_fixture_take_all(&fixture, 0), "2 0 1 3");
	ready_fixture_close(&fixture);
}

static void
all_are_drained_asleep_or_not(void)
{
	bool drained[4] = {false};
	struct ready_fixture fixture;
	uint32_t task;
	int count = 0;

	ready_fixture_open(&fixture, ORDER_FIFO, NULL);
	CHECK(ready_queue_drain(fixture.queue) == READY_NONE);
	ready_fixture_add(&fixture, "");
	ready_fixture_add(&fixture, "\"not_before\":\"2100-01-01T00:00:00Z\"");
	ready_fixture_add(&fixture, "\"requires\":{\"gpu\":1}");
	while ((task = ready_queue_drain(fixture.queue)) != READY_NONE) {
		drained[task] = true;
		/* one that comes to a lane that was looked at already */
		if (count++ == 1)
			ready_fixture_add(&fixture, "");
	}
	CHECK(count == 4);
	CHECK(drained[0] && drained[1] && drained[2] && drained[3]);
	CHECK(ready_queue_count(fixture.queue) == 0);
	CHECK(ready_queue_asleep(fixture.queue) == 0);
	ready_fixture_close(&fixture);
}

#define MODEL_TASKS 400
#define MODEL_LANES 3
#define MODEL_STEPS 4000

enum whereabouts { SPARE, ASLEEP, WAITING };

/* The reference: tasks that are all looked at each time. */
struct model {
	struct ready_fixture fixture;
	enum task_order order;
	int64_t now;
	uint64_t sequence;
	struct {
		enum whereabouts where;
		uint64_t sequence;
		struct ready_key key;
	} tasks[MODEL_TASKS];
	uint32_t random;
};

static size_t
model_count(const struct model *model, enum whereabouts where)
{
	size_t count = 0;
	int i;

	for (i = 0; i < MODEL_TASKS; i++)
		count += model->tasks[i].where == where;
	return count;
}

/* Whether task i comes before task j of the same lane. */
static bool
model_before(const struct model *model, uint32_t i, uint32_t j)
{
	const struct ready_key *a = &model->tasks[i].key;
	const struct ready_key *b = &model->tasks[j].key;

	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->rank != b->rank)
		return a->rank < b->rank;
	return model->tasks[i].sequence < model->tasks[j].sequence;
}

static uint32_t
model_first(const struct model *model, uint32_t lane)
{
	uint32_t first = READY_NONE, i;

	for (i = 0; i < MODEL_TASKS; i++)
		if (model->tasks[i].where == WAITING &&
		    model->tasks[i].key.lane == lane &&
		    (first == READY_NONE || model_before(model, i, first)))
			first = i;
	return first;
}

/* The time of the next that is to be woken; 0: none. */
static int64_t
model_next(const struct model *model)
{
	int64_t next = 0;
	int i;

	for (i = 0; i < MODEL_TASKS; i++)
		if (model->tasks[i].where == ASLEEP &&
		    (next == 0 || model->tasks[i].key.not_before < next))
			next = model->tasks[i].key.not_before;
	return next;
}

/* Few values, so that many are equal; ranks as the order has them. */
static void
model_push(struct model *model)
{
	static const double priorities[] = {0, 0, 0, -1, 2.5, -0.5, 1e300};
	uint32_t task = below(&model->random, MODEL_TASKS);
	struct ready_key key = {
	    .lane = below(&model->random, MODEL_LANES),
	    .priority = priorities[below(&model->random, 7)],
	    .rank =
		model->order == ORDER_FIFO ? 0 : below(&model->random, 6) * 0.5,
	};

	if (model->tasks[task].where != SPARE)
		return;
	if (below(&model->random, 4) == 0)
		key.not_before = model->now + 1 + below(&model->random, 50);
	model->tasks[task].where = key.not_before == 0 ? WAITING : ASLEEP;
	model->tasks[task].key = key;
	/* As they come, or late; no two are the same. */
	model->tasks[task].sequence = below(&model->random, 2) == 0
					  ? model->sequence * 2
					  : (model->sequence ^ 0x15) * 2 + 1;
	model->sequence++;
	CHECK(ready_queue_push(model->fixture.queue, task,
		  model->tasks[task].sequence, &key, model->now, NULL) == 0);
}

static void
model_pop(struct model *model)
{
	uint32_t lane = below(&model->random, MODEL_LANES);
	uint32_t want = model_first(model, lane);

	CHECK(ready_queue_pop(model->fixture.queue, lane) == want);
	if (want != READY_NONE)
		model->tasks[want].where = SPARE;
}

static void
count_woken(void *argument, uint32_t lane)
{
	size_t *count = argument;

	(*count) += lane < MODEL_LANES;
}

static void
model_wake(struct model *model)
{
	size_t woken = 0, want = 0, i;
	int64_t next;

	model->now += below(&model->random, 20);
	next = ready_queue_wake(
	    model->fixture.queue, model->now, count_woken, &woken);
	for (i = 0; i < MODEL_TASKS; i++)
		if (model->tasks[i].where == ASLEEP &&
		    model->tasks[i].key.not_before <= model->now) {
			model->tasks[i].where = WAITING;
			want++;
		}
	CHECK(woken == want);
	CHECK(next == model_next(model));
}

static void
model_drain(struct model *model)
{
	size_t left = model_count(model, WAITING) + model_count(model, ASLEEP);
	uint32_t task;

	for (; left > 0; left--) {
		task = ready_queue_drain(model->fixture.queue);
		if (!CHECK(task < MODEL_TASKS &&
			   model->tasks[task].where != SPARE))
			return;
		model->tasks[task].where = SPARE;
	}
	CHECK(ready_queue_drain(model->fixture.queue) == READY_NONE);
}

static void
model_open(struct model *model, enum task_order order, uint32_t seed)
{
	uint32_t lane;
	char members[64];

	memset(model, 0, sizeof(*model));
	model->order = order;
	model->random = seed;
	model->now = FIXTURE_NOW;
	ready_fixture_open(&model->fixture, order, NULL);
	for (lane = 0; lane < MODEL_LANES; lane++) {
		snprintf(
		    members, sizeof(members), "\"requires\":{\"n\":%u}", lane);
		CHECK(
		    lane_of(&model->fixture, "render", NULL, members) == lane);
	}
}

static void
any_operations_do_what_a_search_through_all_does(void)
{
	static const enum task_order orders[] = {
	    ORDER_FIFO, ORDER_EDF, ORDER_LPT};
	struct model model;
	uint32_t seed, choice;
	int step;

	for (seed = 1; seed <= 6; seed++) {
		model_open(&model, orders[seed % 3], seed * 7919);
		for (step = 0; step < MODEL_STEPS; step++) {
			/* now it fills, now it empties */
			choice = below(&model.random, 10);
			if (choice == 0)
				model_wake(&model);
			else if (choice < (step / 500 % 2 == 0 ? 8 : 3))
				model_push(&model);
			else
				model_pop(&model);
			CHECK(ready_queue_count(model.fixture.queue) ==
			      model_count(&model, WAITING));
			CHECK(ready_queue_asleep(model.fixture.queue) ==
			      model_count(&model, ASLEEP));
		}
		model_drain(&model);
		ready_fixture_close(&model.fixture);
	}
}

static size_t
bytes_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

#define MANY_TASKS ((uint32_t)1 << 20)

static void
a_million_tasks_take_32_bytes_each_and_give_them_back(void)
{
	const struct ready_key key = {0};
	struct ready_fixture fixture;
	size_t before;
	uint32_t i, wrong = 0;

#ifdef __SANITIZE_ADDRESS__
	SKIP("the sanitizer's malloc counts otherwise");
	return;
#endif
	ready_fixture_open(&fixture, ORDER_FIFO, NULL);
	CHECK(lane_of(&fixture, "render", NULL, "") == 0);
	before = bytes_in_use();
	for (i = 0; i < MANY_TASKS; i++)
		ready_fixture_push(&fixture, &key);
	CHECK(bytes_in_use() - before < MANY_TASKS * 32 + 65536);
	for (i = 0; i < MANY_TASKS; i++)
		wrong += ready_queue_pop(fixture.queue, 0) != i;
	CHECK(wrong == 0);
	CHECK(bytes_in_use() - before < 65536);
	ready_fixture_close(&fixture);
}

int
main(void)
{
	RUN(tasks_come_as_they_came);
	RUN(what_becomes_ready_late_goes_where_it_stood_in_the_input);
	RUN(each_order_has_its_own_first);
	RUN(a_lane_is_a_service_what_is_required_and_an_instance);
	RUN(one_lane_is_empty_while_another_is_not);
	RUN(what_cannot_be_required_is_refused_each_time_and_makes_no_lane);
	RUN(each_of_many_lanes_is_found_again);
	RUN(those_that_sleep_are_woken_in_time);
	RUN(one_that_was_woken_stands_where_its_key_says);
	RUN(all_are_drained_asleep_or_not);
	RUN(any_operations_do_what_a_search_through_all_does);
	RUN(a_million_tasks_take_32_bytes_each_and_give_them_back);
	return check_done();
}
