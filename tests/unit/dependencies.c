#include "sched/dependencies.h"

#include <malloc.h>
#include <stdlib.h>

#include "check.h"

/*
 * The reference: tasks that remember all that they wait for, and are looked
 * through from the beginning each time.
 */
#define MODEL_MAX 64

struct model_task {
	uint32_t number; /* as dependencies know it */
	enum task_when when;
	enum task_end end;
	enum task_decision decision; /* as it was told of */
	int awaits[MODEL_MAX]; /* indices of tasks */
	int count;
	int told; /* how often */
	bool dropped;
};

struct model {
	struct dependencies *dependencies;
	struct model_task *tasks;
	int count;
	int *of_number; /* index of the task that has a number now */
	int last; /* the one that ended last */
};

static uint32_t state = 1;

/* From 0 to limit - 1; the same ones in each run. */
static int
below(int limit)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return (int)(state % (uint32_t)limit);
}

static struct dependencies *
open_dependencies(void)
{
	struct dependencies *dependencies = NULL;
	struct svc_error error;

	CHECK(dependencies_open(&dependencies, &error) == 0);
	return dependencies;
}

static void
add(struct dependencies *dependencies, uint32_t task, enum task_when when)
{
	CHECK(dependencies_add(dependencies, task, when, NULL) == 0);
}

/* task waits for other. */
static void
join(struct dependencies *dependencies, uint32_t task, uint32_t other)
{
	CHECK(dependencies_link(dependencies, task, other, NULL) == 0);
}

/* What can be known of a task. */
static enum task_decision
model_decide(const struct model *model, const struct model_task *task)
{
	int i, open = 0, failed = 0, without = 0;

	for (i = 0; i < task->count; i++) {
		enum task_end end = model->tasks[task->awaits[i]].end;

		open += end == END_OPEN;
		failed += end == END_FAILED;
		without += end != END_OPEN && end != END_OK;
	}
	if (task->when == WHEN_OK && without > 0)
		return DECISION_SKIP;
	if (open > 0)
		return DECISION_WAIT;
	if (task->when == WHEN_FAILED && failed == 0)
		return DECISION_SKIP;
	return DECISION_READY;
}

static bool
awaits(const struct model_task *task, int other)
{
	int i;

	for (i = 0; i < task->count; i++)
		if (task->awaits[i] == other)
			return true;
	return false;
}

/* Who is said to have decided is one whose end can have. */
static void
check_because(const struct model *model, const struct model_task *task)
{
	uint32_t because =
	    dependencies_because(model->dependencies, task->number);
	int other;

	if (task->decision != DECISION_SKIP || task->count == 0) {
		CHECK(because == DEPENDENCIES_NONE);
		return;
	}
	other = model->of_number[because];
	CHECK(awaits(task, other));
	if (task->when == WHEN_OK)
		CHECK(model->tasks[other].end > END_OK);
}

static void
tell(void *argument, uint32_t number, enum task_decision decision)
{
	struct model *model = argument;
	struct model_task *task = &model->tasks[model->of_number[number]];

	CHECK(task->number == number && !task->dropped);
	CHECK(awaits(task, model->last));
	CHECK(decision != DECISION_WAIT);
	task->decision = decision;
	task->told++;
	check_because(model, task);
	if (decision == DECISION_SKIP)
		CHECK(model->of_number[dependencies_because(
			  model->dependencies, number)] == model->last);
}

static void
check_all(const struct model *model)
{
	int i;

	for (i = 0; i < model->count; i++) {
		const struct model_task *task = &model->tasks[i];

		if (task->dropped)
			continue;
		CHECK(dependencies_ended(model->dependencies, task->number) ==
		      task->end);
		CHECK(dependencies_when(model->dependencies, task->number) ==
		      task->when);
		/* One that ended while it waited is told of no more. */
		if (task->end == END_OPEN || task->told > 0)
			CHECK(task->decision == model_decide(model, task));
		CHECK(task->told == (task->decision != DECISION_WAIT));
	}
}

static void
model_seal(struct model *model, int which)
{
	struct model_task *task = &model->tasks[which];

	task->decision = dependencies_seal(model->dependencies, task->number);
	task->told = task->decision != DECISION_WAIT;
	CHECK(task->decision == model_decide(model, task));
	check_because(model, task);
}

static void
model_end(struct model *model, int which, enum task_end end)
{
	struct model_task *task = &model->tasks[which];

	task->end = end;
	model->last = which;
	dependencies_end(model->dependencies, task->number, end, tell, model);
	CHECK(!dependencies_awaited(model->dependencies, task->number));
}

/* A decided task, or any that is open; -1: there is none. */
static int
pick(const struct model *model, bool decided)
{
	int i, n, start = below(model->count);

	for (n = 0; n < model->count; n++) {
		i = (start + n) % model->count;
		if (model->tasks[i].end == END_OPEN &&
		    (!decided || model->tasks[i].decision != DECISION_WAIT))
			return i;
	}
	return -1;
}

static enum task_end
random_end(const struct model_task *task)
{
	if (task->decision == DECISION_SKIP)
		return END_SKIPPED;
	if (task->decision == DECISION_WAIT || below(12) == 0)
		return END_CANCELLED;
	return below(3) == 0 ? END_FAILED : END_OK;
}

/* Tasks wait for some of those with a lesser index; numbers are shuffled. */
static void
make_graph(struct model *model, int density)
{
	int i, j;

	for (i = 0; i < model->count; i++) {
		j = below(i + 1);
		model->tasks[i].number = (uint32_t)i;
		model->tasks[i].number = model->tasks[j].number;
		model->tasks[j].number = (uint32_t)i;
	}
	for (i = 0; i < model->count; i++) {
		struct model_task *task = &model->tasks[i];

		model->of_number[task->number] = i;
		task->when = (enum task_when)(below(5) % 3);
		add(model->dependencies, task->number, task->when);
		for (j = 0; j < i; j++)
			if (below(100) < density)
				task->awaits[task->count++] = j;
	}
	for (i = 0; i < model->count; i++)
		for (j = 0; j < model->tasks[i].count; j++)
			join(model->dependencies, model->tasks[i].number,
			    model->tasks[model->tasks[i].awaits[j]].number);
}

static void
run_graph(int count, int density, bool interrupted)
{
	static struct model_task tasks[MODEL_MAX];
	static int of_number[MODEL_MAX];
	struct model model = {open_dependencies(), tasks, count, of_number, -1};
	uint32_t *cycle;
	size_t length;
	int i;

	memset(tasks, 0, sizeof(tasks));
	make_graph(&model, density);
	CHECK(
	    dependencies_cycle(model.dependencies, &cycle, &length, NULL) == 0);
	for (i = 0; i < count; i++)
		model_seal(&model, i);
	check_all(&model);
	while ((i = pick(&model, !interrupted || below(8) != 0)) != -1) {
		model_end(&model, i, random_end(&tasks[i]));
		check_all(&model);
	}
	for (i = 0; i < count; i++)
		CHECK(tasks[i].end != END_OPEN);
	dependencies_close(model.dependencies);
}

static void
a_thousand_random_graphs_go_as_the_reference_says(void)
{
	int i;

	for (i = 0; i < 1000; i++)
		run_graph(1 + below(MODEL_MAX), below(40), i % 4 == 3);
}

/*
 * A stream: tasks come and go, and a number is used again at once, also that of
 * a task which was skipped while others that it waited for still run.
 */
#define STREAM_TASKS   20000
#define STREAM_NUMBERS 24

static void
come(struct model *model, uint32_t number)
{
	struct model_task *task = &model->tasks[model->count];
	int i, other;

	memset(task, 0, sizeof(*task));
	task->number = number;
	task->when = (enum task_when)below(3);
	add(model->dependencies, number, task->when);
	for (i = below(5); i > 0; i--) {
		other = model->of_number[below(STREAM_NUMBERS)];
		if (other == -1)
			continue;
		task->awaits[task->count++] = other;
		join(model->dependencies, number, model->tasks[other].number);
	}
	model->of_number[number] = model->count++;
	model_seal(model, model->count - 1);
}

static void
go(struct model *model, int which)
{
	struct model_task *task = &model->tasks[which];

	if (task->end == END_OPEN) {
		if (task->decision != DECISION_WAIT || below(20) == 0)
			model_end(model, which, random_end(task));
		return;
	}
	dependencies_drop(model->dependencies, task->number);
	task->dropped = true;
	model->of_number[task->number] = -1;
}

/* Only those that have a number now; the rest is over. */
static void
check_stream(const struct model *model)
{
	const struct model_task *task;
	uint32_t i;

	for (i = 0; i < STREAM_NUMBERS; i++) {
		if (model->of_number[i] == -1)
			continue;
		task = &model->tasks[model->of_number[i]];
		CHECK(task->told <= 1);
		CHECK(dependencies_ended(model->dependencies, i) == task->end);
		if (task->end == END_OPEN)
			CHECK(task->decision == model_decide(model, task));
	}
}

static void
numbers_that_were_dropped_are_other_tasks(void)
{
	struct model model = {open_dependencies(), NULL, 0, NULL, -1};
	int of_number[STREAM_NUMBERS], i;

	model.tasks = calloc(STREAM_TASKS, sizeof(*model.tasks));
	model.of_number = of_number;
	for (i = 0; i < STREAM_NUMBERS; i++)
		of_number[i] = -1;
	while (model.count < STREAM_TASKS) {
		i = below(STREAM_NUMBERS);
		if (of_number[i] == -1)
			come(&model, (uint32_t)i);
		else
			go(&model, of_number[i]);
		check_stream(&model);
	}
	dependencies_close(model.dependencies);
	free(model.tasks);
}

/* One end at a time: what is told is written down as "NUMBER+" or "NUMBER-". */
static void
note(void *argument, uint32_t task, enum task_decision decision)
{
	char *text = argument;
	size_t length = strlen(text);

	snprintf(text + length, 64 - length, "%u%c ", (unsigned)task,
	    decision == DECISION_READY ? '+' : '-');
}

static const char *
end_of(struct dependencies *dependencies, uint32_t task, enum task_end end)
{
	static char text[64];

	text[0] = '\0';
	dependencies_end(dependencies, task, end, note, text);
	return text;
}

static void
a_condition_is_decided_as_soon_as_it_can_be_known(void)
{
	static const struct {
		enum task_when when;
		enum task_end first, second;
		const char *after_first, *after_second;
	} rows[] = {
	    {WHEN_OK, END_OK, END_OK, "", "2+ "},
	    {WHEN_OK, END_OK, END_FAILED, "", "2- "},
	    {WHEN_OK, END_FAILED, END_OK, "2- ", ""},
	    {WHEN_OK, END_SKIPPED, END_OK, "2- ", ""},
	    {WHEN_OK, END_CANCELLED, END_FAILED, "2- ", ""},
	    {WHEN_FAILED, END_OK, END_OK, "", "2- "},
	    {WHEN_FAILED, END_FAILED, END_OK, "", "2+ "},
	    {WHEN_FAILED, END_OK, END_FAILED, "", "2+ "},
	    {WHEN_FAILED, END_SKIPPED, END_CANCELLED, "", "2- "},
	    {WHEN_FAILED, END_SKIPPED, END_FAILED, "", "2+ "},
	    {WHEN_DONE, END_OK, END_OK, "", "2+ "},
	    {WHEN_DONE, END_SKIPPED, END_CANCELLED, "", "2+ "},
	    {WHEN_DONE, END_FAILED, END_FAILED, "", "2+ "},
	};
	struct dependencies *dependencies;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dependencies = open_dependencies();
		add(dependencies, 2, rows[i].when);
		add(dependencies, 0, WHEN_OK);
		add(dependencies, 1, WHEN_OK);
		join(dependencies, 2, 0);
		join(dependencies, 2, 1);
		CHECK(dependencies_seal(dependencies, 2) == DECISION_WAIT);
		CHECK_STRING(end_of(dependencies, 0, rows[i].first),
		    rows[i].after_first);
		CHECK_STRING(end_of(dependencies, 1, rows[i].second),
		    rows[i].after_second);
		/* The same where both have ended before it came. */
		add(dependencies, 3, rows[i].when);
		join(dependencies, 3, 0);
		join(dependencies, 3, 1);
		CHECK(
		    dependencies_seal(dependencies, 3) ==
		    (strcmp(rows[i].after_second, "2+ ") == 0 ? DECISION_READY
							      : DECISION_SKIP));
		dependencies_close(dependencies);
	}
}

static void
who_waits_for_nobody_is_decided_at_once(void)
{
	struct dependencies *dependencies = open_dependencies();

	add(dependencies, 0, WHEN_OK);
	add(dependencies, 1, WHEN_DONE);
	add(dependencies, 2, WHEN_FAILED); /* nobody has failed */
	CHECK(dependencies_seal(dependencies, 0) == DECISION_READY);
	CHECK(dependencies_seal(dependencies, 1) == DECISION_READY);
	CHECK(dependencies_seal(dependencies, 2) == DECISION_SKIP);
	CHECK(dependencies_because(dependencies, 2) == DEPENDENCIES_NONE);
	dependencies_close(dependencies);
}

/* A saga: the undo of each step, when a later one has failed. */
static void
undo_steps_run_for_the_steps_that_were_done(void)
{
	struct dependencies *dependencies = open_dependencies();
	uint32_t i, j;

	/* 0, 1, 2 are steps, 3 and 4 undo 0 and 1. */
	for (i = 0; i < 3; i++)
		add(dependencies, i, WHEN_OK);
	for (i = 3; i < 5; i++)
		add(dependencies, i, WHEN_FAILED);
	join(dependencies, 1, 0);
	join(dependencies, 2, 1);
	for (i = 3; i < 5; i++)
		for (j = i - 2; j < 3; j++)
			join(dependencies, i, j);
	CHECK(dependencies_seal(dependencies, 0) == DECISION_READY);
	for (i = 1; i < 5; i++)
		CHECK(dependencies_seal(dependencies, i) == DECISION_WAIT);
	CHECK_STRING(end_of(dependencies, 0, END_OK), "1+ ");
	CHECK_STRING(end_of(dependencies, 1, END_FAILED), "2- ");
	CHECK(dependencies_because(dependencies, 2) == 1);
	/* 4 waits for 2 alone, which has not failed by itself */
	CHECK_STRING(end_of(dependencies, 2, END_SKIPPED), "3+ 4- ");
	CHECK(dependencies_because(dependencies, 4) == 2);
	CHECK(dependencies_because(dependencies, 3) == DEPENDENCIES_NONE);
	dependencies_close(dependencies);
}

static void
a_pair_that_is_linked_twice_counts_as_once(void)
{
	struct dependencies *dependencies = open_dependencies();

	add(dependencies, 0, WHEN_OK);
	add(dependencies, 1, WHEN_OK);
	join(dependencies, 1, 0);
	join(dependencies, 1, 0);
	CHECK(dependencies_seal(dependencies, 1) == DECISION_WAIT);
	CHECK(dependencies_awaited(dependencies, 0));
	CHECK(!dependencies_awaited(dependencies, 1));
	CHECK_STRING(end_of(dependencies, 0, END_OK), "1+ ");
	dependencies_close(dependencies);
}

/* The callback makes many others, and so moves everything about. */
static void
make_more(void *argument, uint32_t task, enum task_decision decision)
{
	struct dependencies *dependencies = argument;
	uint32_t i, first = 100 + task * 1000;

	CHECK(decision == DECISION_READY);
	for (i = first; i < first + 1000; i++) {
		add(dependencies, i, WHEN_OK);
		join(dependencies, i, 0); /* which ends at the moment */
		join(dependencies, i, task);
		CHECK(dependencies_seal(dependencies, i) == DECISION_WAIT);
	}
}

static void
who_is_told_may_add_others(void)
{
	struct dependencies *dependencies = open_dependencies();
	uint32_t i;

	add(dependencies, 0, WHEN_OK);
	for (i = 1; i < 50; i++) {
		add(dependencies, i, WHEN_OK);
		join(dependencies, i, 0);
		CHECK(dependencies_seal(dependencies, i) == DECISION_WAIT);
	}
	dependencies_end(dependencies, 0, END_OK, make_more, dependencies);
	for (i = 1; i < 50; i++)
		CHECK(dependencies_awaited(dependencies, i));
	dependencies_close(dependencies);
}

/* Whether the tasks of a cycle wait for one another, each for the next. */
static void
check_cycle(const struct dependencies *dependencies, size_t wanted,
    const uint32_t *awaited)
{
	struct svc_error error;
	uint32_t *cycle = NULL;
	size_t length = 0, i;

	CHECK(dependencies_cycle(dependencies, &cycle, &length, &error) == 1);
	CHECK(length == wanted);
	for (i = 0; i < length; i++)
		CHECK(awaited[cycle[i]] == cycle[(i + 1) % length]);
	free(cycle);
}

/*
 * One cycle of length tasks among count others, which wait for it and which it
 * waits for, in any order of numbers.
 */
static void
hide_cycle(uint32_t length, uint32_t count)
{
	struct dependencies *dependencies = open_dependencies();
	uint32_t awaited[256], numbers[256], i, j, swap;
	/* The cycle waits for those before it; those behind for anybody. */
	uint32_t middle = length + (count - length) / 2;

	for (i = 0; i < count; i++)
		numbers[i] = i;
	for (i = 0; i < count; i++) {
		j = (uint32_t)below((int)count);
		swap = numbers[i];
		numbers[i] = numbers[j];
		numbers[j] = swap;
		awaited[i] = DEPENDENCIES_NONE;
	}
	for (i = 0; i < count; i++)
		add(dependencies, i, WHEN_OK);
	/* From greater places to lesser ones there is no cycle. */
	for (i = length; i < count; i++) {
		bool before = i < middle;

		if (before)
			join(dependencies, numbers[i - length], numbers[i]);
		for (j = 0; j < 3 && (!before || i > length); j++)
			join(dependencies, numbers[i],
			    numbers[before ? length + (uint32_t)below(
							  (int)(i - length))
					   : (uint32_t)below((int)i)]);
	}
	for (i = 0; i < length; i++) {
		awaited[numbers[i]] = numbers[(i + 1) % length];
		join(dependencies, numbers[i], awaited[numbers[i]]);
	}
	check_cycle(dependencies, length, awaited);
	dependencies_close(dependencies);
}

static void
cycles_of_every_length_are_found(void)
{
	uint32_t length;

	for (length = 1; length <= 100; length++) {
		hide_cycle(length, length);
		hide_cycle(length, 2 * length + 20);
	}
}

static void
a_task_that_waits_for_itself_is_a_cycle(void)
{
	struct dependencies *dependencies = open_dependencies();
	static const uint32_t awaited[] = {0, 1};
	uint32_t *cycle;
	size_t length;

	CHECK(dependencies_cycle(dependencies, &cycle, &length, NULL) == 0);
	add(dependencies, 0, WHEN_OK);
	add(dependencies, 1, WHEN_OK);
	join(dependencies, 1, 0);
	CHECK(dependencies_cycle(dependencies, &cycle, &length, NULL) == 0);
	join(dependencies, 1, 1);
	check_cycle(dependencies, 1, awaited);
	/* What has ended is no part of one. */
	CHECK(dependencies_seal(dependencies, 1) == DECISION_WAIT);
	CHECK_STRING(end_of(dependencies, 1, END_CANCELLED), "");
	CHECK(dependencies_cycle(dependencies, &cycle, &length, NULL) == 0);
	dependencies_close(dependencies);
}

#define CHAIN 1000000

static void
follow(void *argument, uint32_t task, enum task_decision decision)
{
	uint32_t *next = argument;

	CHECK(*next == DEPENDENCIES_NONE);
	CHECK(decision == DECISION_SKIP);
	*next = task;
}

static void
a_chain_of_a_million_needs_no_stack(void)
{
	struct dependencies *dependencies = open_dependencies();
	uint32_t *awaited = calloc(CHAIN, sizeof(*awaited));
	uint32_t *cycle, i, next;
	size_t length;

	for (i = 0; i < CHAIN; i++)
		add(dependencies, i, WHEN_OK);
	for (i = 0; i < CHAIN - 1; i++) {
		awaited[i] = i + 1;
		join(dependencies, i, i + 1);
	}
	CHECK(dependencies_cycle(dependencies, &cycle, &length, NULL) == 0);
	join(dependencies, CHAIN - 1, 0);
	check_cycle(dependencies, CHAIN, awaited);
	for (i = 0; i < CHAIN; i++)
		CHECK(dependencies_seal(dependencies, i) == DECISION_WAIT);
	/* One is cancelled: the others are skipped, each by its next. */
	for (i = CHAIN - 1; i != DEPENDENCIES_NONE; i = next) {
		next = DEPENDENCIES_NONE;
		dependencies_end(dependencies, i,
		    i == CHAIN - 1 ? END_CANCELLED : END_SKIPPED, follow,
		    &next);
		CHECK(next == (i == 0 ? DEPENDENCIES_NONE : i - 1));
		if (next != DEPENDENCIES_NONE)
			CHECK(dependencies_because(dependencies, next) == i);
	}
	free(awaited);
	dependencies_close(dependencies);
}

#define MANY_TASKS 100000
#define MANY_LINKS 300000

static size_t
bytes_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void
a_hundred_thousand_tasks_take_under_eight_mebibytes(void)
{
	struct dependencies *dependencies;
	size_t before = bytes_in_use(), taken;
	uint32_t i, task;

#ifdef __SANITIZE_ADDRESS__
	SKIP("the sanitizer's malloc counts otherwise");
	return;
#endif
	dependencies = open_dependencies();
	for (i = 0; i < MANY_TASKS; i++)
		add(dependencies, i, WHEN_OK);
	for (i = 0; i < MANY_LINKS; i++) {
		task = 1 + (uint32_t)below(MANY_TASKS - 1);
		join(dependencies, task, (uint32_t)below((int)task));
	}
	taken = bytes_in_use() - before;
	printf("# %zu bytes\n", taken);
	CHECK(taken < 8UL * 1024 * 1024);
	dependencies_close(dependencies);
}

/* A stream for ever: memory goes by what is open, and not by what has been. */
static void
what_was_dropped_leaves_no_memory_behind(void)
{
	struct dependencies *dependencies = open_dependencies();
	size_t before = 0;
	uint32_t i;

	add(dependencies, 0, WHEN_OK);
	CHECK(dependencies_seal(dependencies, 0) == DECISION_READY);
	for (i = 0; i < 200000; i++) {
		if (i == 1000)
			before = bytes_in_use();
		add(dependencies, 1, WHEN_OK);
		add(dependencies, 2, WHEN_OK);
		add(dependencies, 3, WHEN_OK);
		join(dependencies, 3, 1);
		join(dependencies, 3, 2);
		CHECK(dependencies_seal(dependencies, 3) == DECISION_WAIT);
		CHECK_STRING(end_of(dependencies, 1, END_FAILED), "3- ");
		CHECK_STRING(end_of(dependencies, 3, END_SKIPPED), "");
		dependencies_drop(dependencies, 1);
		dependencies_drop(dependencies, 3);
		/* 2 still has the link of the one that was 3. */
		CHECK_STRING(end_of(dependencies, 2, END_OK), "");
		dependencies_drop(dependencies, 2);
	}
	CHECK(bytes_in_use() == before);
	dependencies_close(dependencies);
}

int
main(void)
{
	RUN(who_waits_for_nobody_is_decided_at_once);
	RUN(a_condition_is_decided_as_soon_as_it_can_be_known);
	RUN(undo_steps_run_for_the_steps_that_were_done);
	RUN(a_pair_that_is_linked_twice_counts_as_once);
	RUN(who_is_told_may_add_others);
	RUN(a_thousand_random_graphs_go_as_the_reference_says);
	RUN(numbers_that_were_dropped_are_other_tasks);
	RUN(a_task_that_waits_for_itself_is_a_cycle);
	RUN(cycles_of_every_length_are_found);
	RUN(a_chain_of_a_million_needs_no_stack);
	RUN(a_hundred_thousand_tasks_take_under_eight_mebibytes);
	RUN(what_was_dropped_leaves_no_memory_behind);
	return check_done();
}
