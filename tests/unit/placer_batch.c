/* Lines that are held, and how they come out. */
#include "sched/placer_batch.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "pool_fixture.h"
#include "sched/planner.h"
#include "sched/random.h"
#include "sched/task_order.h"

/* All that a run needs, and what came of it. */
struct run {
	struct fixture fixture;
	struct policy policy;
	struct constraints *constraints;
	struct chooser chooser;
	struct placer placer;
	struct envelope_options options;
	struct placer_pipe filter;
	struct svc_error error;
	int output;
	int warnings;
	char text[8192]; /* what was written */
};

static void
must(bool done, const struct svc_error *error)
{
	if (done)
		return;
	printf("Bail out! %s\n", error->message);
	exit(1);
}

static void
count_warning(void *argument, const struct svc_error *error)
{
	struct run *run = argument;

	(void)error;
	run->warnings++;
}

/* A descriptor from which text can be read. */
static int
file_of(const char *text)
{
	int descriptor = memfd_create("test", MFD_CLOEXEC);

	if (descriptor == -1 ||
	    write(descriptor, text, strlen(text)) != (ssize_t)strlen(text) ||
	    lseek(descriptor, 0, SEEK_SET) == -1) {
		printf("Bail out! memfd_create: %s\n", strerror(errno));
		exit(1);
	}
	return descriptor;
}

/* Everything open but the policy; the two instances are s/a and s/b. */
static void
run_open(struct run *run, const char *input, const char *output)
{
	struct svc_error *error = &run->error;

	memset(run, 0, sizeof(*run));
	fixture_add(&run->fixture, "s", "a", ",\"capacity\":{\"cpu\":4}");
	fixture_add(&run->fixture, "s", "b", ",\"capacity\":{\"cpu\":2}");
	fixture_open(&run->fixture);
	run->chooser =
	    (struct chooser){.pool = run->fixture.pool, .policy = &run->policy};
	run->placer.chooser = &run->chooser;
	run->options = (struct envelope_options){.run = "RUN", .source = "in"};
	run->output =
	    output == NULL ? file_of("") : open(output, O_WRONLY | O_CLOEXEC);
	run->filter = (struct placer_pipe){.placer = &run->placer,
	    .options = &run->options,
	    .warn = count_warning,
	    .argument = run};
	must(reader_open(&run->filter.reader, file_of(input), "in",
		 LINE_LENGTH_MAX, error) == 0,
	    error);
	must(writer_open(&run->filter.writer, run->output, "out", error) == 0,
	    error);
}

static void
run_open_policy(struct run *run, const struct policy_type *type)
{
	const struct policy_options options = {.seed = 5};
	struct svc_error *error = &run->error;

	must(policy_open(
		 &run->policy, type, run->fixture.pool, &options, error) == 0,
	    error);
	must(constraints_open(&run->constraints, run->fixture.pool, error) == 0,
	    error);
	run->chooser.constraints = run->constraints;
}

static void
run_close(struct run *run)
{
	if (run->policy.type != NULL)
		policy_close(&run->policy);
	constraints_close(run->constraints);
	close(reader_descriptor(run->filter.reader));
	reader_close(run->filter.reader);
	writer_close(run->filter.writer);
	close(run->output);
	batch_close(run->filter.batch);
	fixture_close(&run->fixture);
}

static const char *
written(struct run *run)
{
	ssize_t length =
	    pread(run->output, run->text, sizeof(run->text) - 1, 0);

	run->text[length > 0 ? length : 0] = '\0';
	return run->text;
}

/* Holds all lines, orders them and writes them; as placer_batch_write(). */
static int
hold_and_write(struct run *run, enum task_order order)
{
	struct svc_error *error = &run->error;

	must(batch_open(&run->filter.batch, error) == 0, error);
	if (placer_pipe_run(&run->filter, error) == -1 ||
	    task_order_sort(run->filter.batch, order, run->fixture.pool, NULL,
		0, error) == -1)
		return -1;
	return placer_batch_write(&run->filter, run->filter.batch, error);
}

#define A                                                \
	",\"instance\":{\"service\":\"s\",\"id\":\"a\"," \
	"\"address\":\"http://127.0.0.1:9/task\"}}\n"
#define B                                                \
	",\"instance\":{\"service\":\"s\",\"id\":\"b\"," \
	"\"address\":\"http://127.0.0.1:9/task\"}}\n"

static void
held_lines_come_out_in_order_and_others_before_them(void)
{
	static const char input[] =
	    "{\"id\":\"t1\",\"task\":1,\"requires\":{\"cpu\":3}}\n"
	    "17\n"
	    "{\"id\":\"t3\",\"task\":3,\"priority\":1,"
	    "\"requires\":{\"cpu\":4}}\n"
	    "{\"id\":\"t4\",\"task\":4,\"error\":{\"code\":\"http\"}}\n"
	    "{\"id\":\"t5\",\"task\":5,\"result\":[5],"
	    "\"requires\":{\"cpu\":3}}";
	static const char wanted[] =
	    "{\"id\":\"t4\",\"task\":4,\"error\":{\"code\":\"http\"}}\n"
	    "{\"id\":\"t3\",\"task\":3,\"priority\":1,"
	    "\"requires\":{\"cpu\":4}" A
	    "{\"id\":\"t1\",\"task\":1,\"requires\":{\"cpu\":3}" A
	    "{\"id\":\"RUN-2\",\"task\":17" A
	    "{\"id\":\"t5\",\"task\":[5],\"requires\":{\"cpu\":3}" A;
	struct run run;

	run_open(&run, input, NULL);
	run_open_policy(&run, &policy_round_robin);
	CHECK(hold_and_write(&run, ORDER_FIFO) == 0);
	CHECK_STRING(written(&run), wanted);
	CHECK(run.filter.tasks == 5 && run.filter.failed == 1);
	CHECK(run.filter.invalid == 0 && run.filter.unplaced == 0);
	run_close(&run);
}

static void
what_cannot_be_placed_is_counted_as_in_a_stream(void)
{
	static const char input[] =
	    "{\"task\":1,\"requires\":{\"cpu\":5}}\n"
	    "not json\n"
	    "{\"task\":1,\"requires\":{\"cpu\":-1}}\n"
	    "{\"task\":1,\"requires\":{\"cpu\":6},\"priority\":1}\n"
	    "{\"task\":1,\"instance\":{\"id\":\"x\"}}\n"
	    "{\"task\":1}\n";
	struct run stream, held;

	run_open(&stream, input, NULL);
	run_open_policy(&stream, &policy_random);
	CHECK(placer_pipe_run(&stream.filter, &stream.error) == 0);
	run_open(&held, input, NULL);
	run_open_policy(&held, &policy_random);
	CHECK(hold_and_write(&held, ORDER_FIFO) == 0);
	CHECK(held.filter.tasks == 6 && stream.filter.tasks == 6);
	CHECK(held.filter.invalid == 3 && stream.filter.invalid == 3);
	CHECK(held.warnings == 3 && stream.warnings == 3);
	CHECK(held.filter.unplaced == 2 && stream.filter.unplaced == 2);
	CHECK(held.filter.first_line == 4 && stream.filter.first_line == 1);
	CHECK(strstr(held.filter.first, "cpu") != NULL);
	CHECK(strlen(written(&held)) == strlen(written(&stream)));
	run_close(&stream);
	run_close(&held);
}

/* Lines of all kinds that are READY. */
static void
make_input(char *input, size_t size, struct random *random)
{
	static const char *const kinds[][2] = {
	    {"{\"id\":\"x", "\",\"task\":{\"a\":1e400}}\n"},
	    {"{\"task\":\"", "\",\"requires\":{\"cpu\":3}}\n"},
	    {"[", ", 2]\n"},
	    {"{\"task\":", ",\"requires\":{\"cpu\":9},\"group\":\"g\"}\n"},
	    {"{\"task\":0,\"result\":", ",\"service\":\"old\"}\n"},
	    {"{\"task\":", ",\"service\":\"elsewhere\"}\n"},
	};
	size_t i, kind, length = 0;

	for (i = 0; i < 30; i++) {
		kind = random_below(random, sizeof(kinds) / sizeof(kinds[0]));
		length += (size_t)snprintf(input + length, size - length,
		    "%s%zu%s", kinds[kind][0], i, kinds[kind][1]);
	}
}

static void
in_their_own_order_held_lines_come_out_as_they_stream(void)
{
	static const struct policy_type *const types[] = {
	    &policy_random, &policy_round_robin, &policy_constrained};
	struct run stream, held;
	struct random random;
	char input[4096];
	int round;

	random_seed(&random, 3);
	for (round = 0; round < 30; round++) {
		make_input(input, sizeof(input), &random);
		run_open(&stream, input, NULL);
		run_open_policy(&stream, types[round % 3]);
		CHECK(placer_pipe_run(&stream.filter, &stream.error) == 0);
		run_open(&held, input, NULL);
		run_open_policy(&held, types[round % 3]);
		CHECK(hold_and_write(&held, ORDER_FIFO) == 0);
		CHECK_STRING(written(&held), written(&stream));
		run_close(&stream);
		run_close(&held);
	}
}

static void
lines_of_text_are_held_as_text(void)
{
	struct run run;

	run_open(&run, "one \"1\"\n{\"task\":2}\n", NULL);
	run.options.text = true;
	run_open_policy(&run, &policy_round_robin);
	CHECK(hold_and_write(&run, ORDER_LPT) == 0);
	CHECK_STRING(written(&run),
	    "{\"id\":\"RUN-1\",\"task\":\"one \\\"1\\\"\"" A
	    "{\"id\":\"RUN-2\",\"task\":\"{\\\"task\\\":2}\"" B);
	run_close(&run);
}

/* Holds all lines and plans them from 0 on; as placer_batch_plan(). */
static int
hold_and_plan(struct run *run, const struct policy_type *type)
{
	const struct planner_options options = {.type = type};
	struct svc_error *error = &run->error;
	struct planner planner;
	int result;

	must(batch_open(&run->filter.batch, error) == 0, error);
	must(placer_pipe_run(&run->filter, error) == 0, error);
	must(planner_open(&planner, run->fixture.pool, run->filter.batch,
		 &options, error) == 0,
	    error);
	run->placer.chooser = &planner.chooser;
	result = placer_batch_plan(&run->filter, &planner.plan, error);
	run->placer.chooser = &run->chooser;
	planner_close(&planner);
	return result;
}

static void
a_plan_writes_when_each_task_starts_and_ends(void)
{
	static const char input[] =
	    "{\"id\":\"t1\",\"task\":1,\"duration\":2.5,\"start\":9,"
	    "\"requires\":{\"cpu\":3}}\n"
	    "{\"id\":\"t2\",\"task\":2,\"requires\":{\"cpu\":4}}\n"
	    "{\"id\":\"t3\",\"task\":3,\"requires\":{\"cpu\":5}}\n";
	struct run run;
	const char *text;

	run_open(&run, input, NULL);
	CHECK(hold_and_plan(&run, &policy_round_robin) == 0);
	text = written(&run);
	CHECK(strstr(text, "\"id\":\"t1\",\"task\":1,\"duration\":2.5,"
			   "\"requires\":{\"cpu\":3},\"instance\":") != NULL);
	CHECK(strstr(text, ",\"start\":0,\"end\":2.5}\n") != NULL);
	CHECK(strstr(text, ",\"start\":2.5,\"end\":3.5}\n") != NULL);
	CHECK(strstr(text, "\"id\":\"t3\",\"task\":3,\"requires\":{\"cpu\":5},"
			   "\"error\":{\"code\":\"unplaceable\"") != NULL);
	CHECK(run.filter.tasks == 3 && run.filter.unplaced == 1);
	CHECK(run.filter.first_line == 3);
	run_close(&run);
}

static void
without_a_writer_everything_is_only_counted(void)
{
	struct run run;
	struct writer *writer;

	run_open(&run, "{\"task\":1}\nnot json\n{\"task\":2}\n", NULL);
	writer = run.filter.writer;
	run.filter.writer = NULL;
	CHECK(hold_and_plan(&run, &policy_round_robin) == 0);
	CHECK(run.filter.tasks == 3 && run.filter.invalid == 1);
	CHECK(batch_count(run.filter.batch) == 2);
	CHECK_STRING(written(&run), "");
	run.filter.writer = writer;
	run_close(&run);
}

static void
output_that_fails_is_told_from_other_errors(void)
{
	struct run run;

	run_open(&run, "{\"task\":1}\n{\"task\":2}\n", "/dev/full");
	run_open_policy(&run, &policy_random);
	CHECK(hold_and_write(&run, ORDER_FIFO) == -1);
	CHECK(run.filter.output_failed && errno == ENOSPC);
	run_close(&run);
	run_open(&run, "{\"task\":1}\n", "/dev/full");
	CHECK(hold_and_plan(&run, &policy_random) == -1);
	CHECK(run.filter.output_failed && errno == ENOSPC);
	run_close(&run);
}

/* A descriptor that yields text, and then an error. */
static int
broken_after(const char *text)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1 ||
	    write(ends[1], text, strlen(text)) != (ssize_t)strlen(text) ||
	    write(ends[0], "x", 1) != 1) {
		printf("Bail out! socketpair: %s\n", strerror(errno));
		exit(1);
	}
	/* closed before it has read the x: ECONNRESET */
	close(ends[1]);
	return ends[0];
}

static void
what_was_held_when_reading_fails_can_still_be_written(void)
{
	static const char input[] = "{\"task\":1,\"error\":{}}\n{\"task\":2}\n";
	struct svc_error error;
	struct run run;
	int broken = broken_after(input);

	run_open(&run, "", NULL);
	run_open_policy(&run, &policy_round_robin);
	must(batch_open(&run.filter.batch, &error) == 0, &error);
	CHECK(dup2(broken, reader_descriptor(run.filter.reader)) != -1);
	close(broken);
	CHECK(placer_pipe_run(&run.filter, &error) == -1);
	CHECK(!run.filter.output_failed);
	CHECK_STRING(written(&run), "{\"task\":1,\"error\":{}}\n");
	CHECK(placer_batch_write(&run.filter, run.filter.batch, &error) == 0);
	CHECK_STRING(written(&run),
	    "{\"task\":1,\"error\":{}}\n{\"id\":\"RUN-2\",\"task\":2" A);
	run_close(&run);
}

int
main(void)
{
	RUN(held_lines_come_out_in_order_and_others_before_them);
	RUN(what_cannot_be_placed_is_counted_as_in_a_stream);
	RUN(in_their_own_order_held_lines_come_out_as_they_stream);
	RUN(lines_of_text_are_held_as_text);
	RUN(a_plan_writes_when_each_task_starts_and_ends);
	RUN(without_a_writer_everything_is_only_counted);
	RUN(output_that_fails_is_told_from_other_errors);
	RUN(what_was_held_when_reading_fails_can_still_be_written);
	return check_done();
}
