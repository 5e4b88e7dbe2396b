/* Tasks executed by commands: the contract of the command pool. */
#include "flow/command_pool.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "line/units.h"

#define TASKS	 8
#define PATIENCE 20.0
#define RESULT	 16 /* bytes that one may have */

/* -Wwrite-strings, and argv is not const for historical reasons. */
#define WORD(text) ((char *)(uintptr_t)(text))

struct ending {
	int times; /* done() was called */
	struct task_failure failure;
	char body[256]; /* of the result, or what the failure says */
	int attempts;
	char type[64];
};

struct scene {
	struct event_base *base;
	struct event *guard;
	struct command_pool *pool;
	struct call_task tasks[TASKS];
	char ids[TASKS][16];
	struct ending endings[TASKS];
	int ended; /* so many, in all */
	int sent; /* attempts, as the trace was told */
	int most; /* at once */
	int settled;
	char complaints[256];
	bool hung;
};

static void
bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static void
copy(char *text, size_t size, const char *from, size_t length)
{
	length = length < size - 1 ? length : size - 1;
	if (from != NULL)
		memcpy(text, from, length);
	text[from == NULL ? 0 : length] = '\0';
}

static bool
on_done(
    void *argument, struct call_task *task, const struct call_outcome *outcome)
{
	struct scene *scene = argument;
	struct ending *ending = &scene->endings[task - scene->tasks];

	ending->times++;
	ending->failure = outcome->failure;
	ending->attempts = outcome->attempts;
	if (outcome->failure.code == CODE_NONE)
		copy(ending->body, sizeof(ending->body), outcome->body,
		    outcome->body_length);
	else
		copy(ending->body, sizeof(ending->body), outcome->failure.body,
		    outcome->failure.body_length);
	snprintf(ending->type, sizeof(ending->type), "%s",
	    outcome->content_type == NULL ? "" : outcome->content_type);
	scene->ended++;
	return true;
}

static void
on_sent(void *argument, const struct call_task *task,
    const struct call_instance *instance, enum call_reason reason, int attempt)
{
	struct scene *scene = argument;
	int running = (int)command_pool_running(scene->pool);

	(void)task;
	CHECK_STRING(instance->id, "here");
	CHECK(reason == (attempt == 1 ? CALL_FIRST : CALL_RETRY));
	scene->sent++;
	if (running > scene->most)
		scene->most = running;
}

static void
on_settled(void *argument)
{
	struct scene *scene = argument;

	scene->settled++;
}

static void
on_complaint(void *argument, const struct call_task *task, const char *text,
    size_t length)
{
	struct scene *scene = argument;
	size_t before = strlen(scene->complaints);

	snprintf(scene->complaints + before, sizeof(scene->complaints) - before,
	    "%s:%.*s", task->id, (int)length, text);
}

static void
on_guard(evutil_socket_t fd, short what, void *argument)
{
	struct scene *scene = argument;

	(void)fd;
	(void)what;
	scene->hung = true;
}

static void
turn(struct scene *scene)
{
	event_base_loop(scene->base, EVLOOP_ONCE);
}

/* Runs the loop until *count is at least wanted. */
static void
wait_until(struct scene *scene, const int *count, int wanted)
{
	while (*count < wanted && !scene->hung)
		turn(scene);
	CHECK(*count >= wanted);
}

static void
open_scene(struct scene *scene, struct command_pool_options *options)
{
	static char *const environment[] = {
	    WORD("PATH=/usr/bin:/bin"), WORD("SVC_ATTEMPT=mine"), NULL};
	const struct timeval patience = duration_timeval(PATIENCE);
	struct svc_error error;

	memset(scene, 0, sizeof(*scene));
	scene->base = event_base_new();
	scene->guard = evtimer_new(scene->base, on_guard, scene);
	if (scene->base == NULL || scene->guard == NULL)
		bail_out("no event base");
	evtimer_add(scene->guard, &patience);
	if (options->environment == NULL)
		options->environment = environment;
	options->max_result = RESULT;
	options->host = "here";
	options->jobs = options->jobs == 0 ? 2 : options->jobs;
	options->inherit = options->inherit == 0 ? -1 : options->inherit;
	options->complaint = on_complaint;
	options->argument = scene;
	options->trace.sent = on_sent;
	options->trace.settled = on_settled;
	options->trace.argument = scene;
	if (command_pool_open(&scene->pool, scene->base, options, on_done,
		scene, &error) == -1)
		bail_out(error.message);
}

/* A pool of "sh -c script". */
static void
open_shell(struct scene *scene, const char *script,
    const struct command_pool_options *options)
{
	static char *command[4];
	struct command_pool_options own = {.jobs = 0};

	if (options != NULL)
		own = *options;
	command[0] = WORD("sh");
	command[1] = WORD("-c");
	command[2] = WORD(script);
	command[3] = NULL;
	own.command = command;
	open_scene(scene, &own);
}

static void
close_scene(struct scene *scene)
{
	int i;

	for (i = 0; i < TASKS; i++)
		CHECK(scene->endings[i].times == (scene->tasks[i].id != NULL));
	CHECK(command_pool_pending(scene->pool) == 0);
	CHECK(command_pool_running(scene->pool) == 0);
	command_pool_close(scene->pool);
	event_free(scene->guard);
	event_base_free(scene->base);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* retries: negative: the pool's. */
static void
submit_retried(struct scene *scene, int number, int retries, const char *body)
{
	struct call_task *task = &scene->tasks[number];
	struct svc_error error;

	snprintf(scene->ids[number], sizeof(scene->ids[number]), "t%d", number);
	*task = (struct call_task){.id = scene->ids[number],
	    .service = "",
	    .body = {body, strlen(body)},
	    .timeout = -1,
	    .retries = retries};
	CHECK(command_pool_submit(scene->pool, task, &error) == 0);
}

static void
submit(struct scene *scene, int number, const char *body)
{
	submit_retried(scene, number, -1, body);
}

/* One task from its beginning to its end. */
static const struct ending *
run(struct scene *scene, const char *body)
{
	submit(scene, 0, body);
	CHECK(scene->ended == 0);
	wait_until(scene, &scene->ended, 1);
	return &scene->endings[0];
}

/* A task of "sh -c script"; it is closed, and ending is what it came to. */
static struct ending
run_shell(const char *script, const char *body,
    const struct command_pool_options *options)
{
	struct ending ending;
	struct scene scene;

	open_shell(&scene, script, options);
	ending = *run(&scene, body);
	close_scene(&scene);
	return ending;
}

static void
the_task_is_standard_input_and_what_is_printed_is_the_result(void)
{
	struct ending ending = run_shell("od -An -c | tr -d ' '", "[1]", NULL);

	CHECK(ending.failure.code == CODE_NONE && ending.attempts == 1);
	CHECK_STRING(ending.body, "[1]\\n\n");
	CHECK_STRING(ending.type, "");
}

static void
text_is_characters_in_and_characters_out_without_the_last_LF(void)
{
	const struct command_pool_options options = {.text = true};
	struct ending ending = run_shell("cat", "\"a\\n\\u00fc\\n\"", &options);

	/* Its own two, and the one behind the task. */
	CHECK_STRING(ending.body, "a\n\xc3\xbc\n");
	CHECK_STRING(ending.type, "text/plain; charset=utf-8");
	ending = run_shell("printf '%s' x", "\"\"", &options);
	CHECK_STRING(ending.body, "x");
}

static void
the_environment_names_task_and_attempt_and_the_deadline_if_any(void)
{
	static const char script[] =
	    "printf %s \"$SVC_TASK_ID $SVC_ATTEMPT ${SVC_DEADLINE+set}\"";
	const struct command_pool_options options = {.timeout = 60};
	struct ending ending = run_shell(script, "1", NULL);

	CHECK_STRING(ending.body, "t0 1 ");
	ending = run_shell(script, "1", &options);
	CHECK_STRING(ending.body, "t0 1 set");
}

static void
an_exit_status_is_an_error_with_the_last_of_standard_error(void)
{
	struct ending ending =
	    run_shell("echo a >&2; echo b >&2; exit 5", "1", NULL);

	CHECK(ending.failure.code == CODE_EXIT && ending.failure.status == 5);
	CHECK_STRING(ending.failure.message, "exit status 5: b");
	CHECK_STRING(ending.body, "a\nb");
	ending = run_shell("kill -9 $$", "1", NULL);
	CHECK(ending.failure.status == 137);
}

static void
an_exit_status_is_seen_where_SIGCHLD_was_ignored(void)
{
	struct ending ending;

	(void)signal(SIGCHLD, SIG_IGN);
	ending = run_shell("exit 3", "1", NULL);
	CHECK(ending.failure.code == CODE_EXIT && ending.failure.status == 3);
	(void)signal(SIGCHLD, SIG_DFL);
}

static void
standard_error_is_handed_on_in_lines_with_their_task(void)
{
	struct scene scene;

	open_shell(&scene, "printf 'a\\nb' >&2", NULL);
	run(&scene, "1");
	CHECK_STRING(scene.complaints, "t0:a\nt0:b\n");
	close_scene(&scene);
}

/* So many bytes, and what is behind them. */
static enum task_code
print(int bytes, const char *end)
{
	const struct command_pool_options options = {.text = true};
	char script[64];

	snprintf(script, sizeof(script), "printf '%%0%dd%s' 0", bytes, end);
	return run_shell(script, "1", &options).failure.code;
}

static void
a_result_may_have_the_limit_and_its_LF_but_no_byte_more(void)
{
	CHECK(print(RESULT, "") == CODE_NONE);
	CHECK(print(RESULT, "\\n") == CODE_NONE);
	CHECK(print(RESULT + 1, "") == CODE_TOO_LARGE);
	CHECK(print(RESULT + 1, "\\n") == CODE_TOO_LARGE);
	CHECK(print(RESULT, "\\n\\n") == CODE_TOO_LARGE);
}

static void
one_that_prints_for_ever_is_stopped(void)
{
	CHECK(run_shell("yes", "1", NULL).failure.code == CODE_TOO_LARGE);
}

static void
at_its_time_the_group_gets_TERM_and_may_end(void)
{
	const struct command_pool_options options = {.timeout = 0.1};
	struct ending ending =
	    run_shell("trap 'echo ended >&2; exit 0' TERM; sleep 60 & wait",
		"1", &options);

	CHECK(ending.failure.code == CODE_TIMEOUT);
	CHECK(ending.failure.attempts == 1);
}

static void
who_ignores_TERM_is_killed(void)
{
	const struct command_pool_options options = {.timeout = 0.1};
	struct scene scene;
	double before = time_monotonic();

	open_shell(&scene, "trap '' TERM; while :; do :; done", &options);
	CHECK(run(&scene, "1")->failure.code == CODE_TIMEOUT);
	CHECK(time_monotonic() - before >= 2);
	close_scene(&scene);
}

static void
what_the_process_leaves_in_its_group_is_killed(void)
{
	struct command_pool_options options = {.jobs = 1};
	struct scene scene;
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC) == -1)
		bail_out("no pipe");
	/* The one left behind has its write end until it ends. */
	options.inherit = ends[1];
	open_shell(&scene, "sleep 60 >&2 & echo 1", &options);
	CHECK(run(&scene, "1")->failure.code == CODE_NONE);
	close(ends[1]);
	CHECK(read(ends[0], &byte, 1) == 0);
	close(ends[0]);
	close_scene(&scene);
}

static void
retries_are_as_many_as_was_said_and_have_numbers(void)
{
	static const char script[] =
	    "echo $SVC_ATTEMPT >&2; [ $SVC_ATTEMPT = 3 ] && echo 1";
	const struct command_pool_options options = {.jobs = 1, .retries = 1};
	struct scene scene;

	open_shell(&scene, script, &options);
	CHECK(run(&scene, "1")->failure.code == CODE_EXIT);
	CHECK(scene.endings[0].attempts == 2);
	CHECK_STRING(scene.complaints, "t0:1\nt0:2\n");
	submit_retried(&scene, 1, 2, "1");
	wait_until(&scene, &scene.ended, 2);
	CHECK(scene.endings[1].failure.code == CODE_NONE);
	CHECK(scene.endings[1].attempts == 3 && scene.sent == 5);
	close_scene(&scene);
}

static void
what_cannot_be_run_is_not_tried_again(void)
{
	static const struct {
		const char *name;
		int status;
	} rows[] = {{"no-such-command-here", 127}, {"/", 126}};
	const struct ending *ending;
	struct scene scene;
	char *command[] = {NULL, NULL};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct command_pool_options options = {
		    .command = command, .retries = 9};

		command[0] = WORD(rows[i].name);
		open_scene(&scene, &options);
		ending = run(&scene, "1");
		CHECK(ending->failure.code == CODE_EXIT);
		CHECK(ending->failure.status == rows[i].status);
		CHECK(!ending->failure.retryable && ending->attempts == 0);
		close_scene(&scene);
	}
}

static void
no_more_than_jobs_run_at_once_and_what_is_left_is_vacant(void)
{
	const struct command_pool_options options = {.jobs = 3};
	struct scene scene;
	int i;

	open_shell(&scene, "cat", &options);
	CHECK(command_pool_vacant(scene.pool) == 3);
	for (i = 0; i < TASKS; i++) {
		submit(&scene, i, "1");
		CHECK(command_pool_vacant(scene.pool) ==
		      (size_t)(i < 2 ? 2 - i : 0));
	}
	wait_until(&scene, &scene.ended, TASKS);
	CHECK(scene.most == 3 && scene.sent == TASKS);
	i = scene.settled;
	wait_until(&scene, &scene.settled, i + 1);
	CHECK(command_pool_vacant(scene.pool) == 3);
	close_scene(&scene);
}

static void
while_paused_nothing_is_begun_and_nothing_vacant(void)
{
	struct scene scene;

	open_shell(&scene, "cat", NULL);
	command_pool_pause(scene.pool, true);
	CHECK(command_pool_vacant(scene.pool) == 0);
	submit(&scene, 0, "1");
	wait_until(&scene, &scene.settled, 1);
	CHECK(scene.sent == 0);
	command_pool_pause(scene.pool, false);
	CHECK(command_pool_vacant(scene.pool) == 1);
	wait_until(&scene, &scene.ended, 1);
	CHECK(scene.endings[0].failure.code == CODE_NONE);
	close_scene(&scene);
}

static void
one_that_waits_is_revoked_at_once(void)
{
	const struct command_pool_options options = {.jobs = 1};
	struct scene scene;

	open_shell(&scene, "cat", &options);
	submit(&scene, 0, "1");
	submit(&scene, 1, "1");
	command_pool_revoke(scene.pool, &scene.tasks[1]);
	CHECK(scene.endings[1].failure.code == CODE_CANCELLED);
	CHECK(scene.endings[1].attempts == 0);
	wait_until(&scene, &scene.ended, 2);
	CHECK(scene.endings[0].failure.code == CODE_NONE && scene.sent == 1);
	close_scene(&scene);
}

static void
one_that_runs_is_revoked_when_its_process_has_ended(void)
{
	struct scene scene;

	open_shell(&scene,
	    "trap 'echo bye >&2; exit 0' TERM; echo up >&2; sleep 60 & wait",
	    NULL);
	submit(&scene, 0, "1");
	while (scene.complaints[0] == '\0' && !scene.hung)
		turn(&scene);
	command_pool_revoke(scene.pool, &scene.tasks[0]);
	CHECK(scene.ended == 0 && command_pool_running(scene.pool) == 1);
	wait_until(&scene, &scene.ended, 1);
	CHECK(scene.endings[0].failure.code == CODE_CANCELLED);
	CHECK(scene.endings[0].attempts == 1);
	CHECK_STRING(scene.complaints, "t0:up\nt0:bye\n");
	close_scene(&scene);
}

static void
one_that_rests_is_revoked_and_not_started_again(void)
{
	const struct command_pool_options options = {.retries = 1000};
	struct scene scene;

	open_shell(&scene, "exit 1", &options);
	submit(&scene, 0, "1");
	/* After a few attempts the rests are long. */
	while ((scene.sent < 5 || command_pool_running(scene.pool) > 0) &&
	       !scene.hung)
		turn(&scene);
	CHECK(scene.ended == 0);
	command_pool_revoke(scene.pool, &scene.tasks[0]);
	CHECK(scene.endings[0].failure.code == CODE_CANCELLED);
	CHECK(scene.endings[0].attempts == scene.sent);
	close_scene(&scene);
}

static void
where_the_machine_has_no_room_it_is_waited_for(void)
{
	struct scene scene;
	struct rlimit before, few;

	open_shell(&scene, "cat", NULL);
	if (getrlimit(RLIMIT_NOFILE, &before) == -1)
		bail_out("no limits");
	few = before;
	few.rlim_cur = 3;
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	submit(&scene, 0, "1");
	wait_until(&scene, &scene.settled, 2);
	CHECK(scene.sent == 0 && command_pool_vacant(scene.pool) == 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	wait_until(&scene, &scene.ended, 1);
	CHECK(scene.endings[0].failure.code == CODE_NONE);
	CHECK(command_pool_vacant(scene.pool) == 2);
	close_scene(&scene);
}

/* Whether somebody holds the lock of path. */
static bool
is_locked(const char *path)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || fcntl(fd, F_OFD_GETLK, &lock) == -1)
		bail_out("no lock to look at");
	close(fd);
	return lock.l_type != F_UNLCK;
}

/* The last of a group that was killed may be about to die yet. */
static bool
becomes_free(const char *path)
{
	const double until = time_monotonic() + 10;

	while (is_locked(path) && time_monotonic() < until)
		(void)poll(NULL, 0, 2);
	return !is_locked(path);
}

/* A file in path, made from a template, with a lock that lives with the
 * descriptor returned. */
static int
open_lock(char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd == -1 || fcntl(fd, F_OFD_SETLK, &lock) == -1)
		bail_out("no lock");
	return fd;
}

static void
a_lock_that_is_inherited_lives_until_the_last_process_has_ended(void)
{
	struct command_pool_options options = {.jobs = 1};
	char path[] = "/tmp/command_pool.XXXXXX";
	struct scene scene;

	options.inherit = open_lock(path);
	open_shell(&scene, "echo up >&2; sleep 60", &options);
	submit(&scene, 0, "1");
	while (scene.complaints[0] == '\0' && !scene.hung)
		turn(&scene);
	CHECK(fcntl(options.inherit, F_GETFD) == FD_CLOEXEC);
	close(options.inherit);
	CHECK(is_locked(path));
	command_pool_revoke(scene.pool, &scene.tasks[0]);
	wait_until(&scene, &scene.ended, 1);
	CHECK(becomes_free(path));
	close_scene(&scene);
	unlink(path);
}

static void
nobody_has_the_descriptor_but_who_is_to_inherit_it(void)
{
	static const char script[] =
	    "ls -l /proc/self/fd | grep -c \"$LOCK\" || :";
	char path[] = "/tmp/command_pool.XXXXXX", variable[64];
	char *environment[] = {WORD("PATH=/usr/bin:/bin"), variable, NULL};
	struct command_pool_options options = {
	    .environment = environment, .text = true};
	int fd = open_lock(path);

	snprintf(variable, sizeof(variable), "LOCK=%s", path);
	CHECK_STRING(run_shell(script, "1", &options).body, "0");
	options.inherit = fd;
	CHECK_STRING(run_shell(script, "1", &options).body, "1");
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	close(fd);
	unlink(path);
}

static void
closing_kills_what_runs_without_a_word(void)
{
	struct scene scene;

	open_shell(&scene, "echo up >&2; sleep 60", NULL);
	submit(&scene, 0, "1");
	while (scene.complaints[0] == '\0' && !scene.hung)
		turn(&scene);
	command_pool_close(scene.pool);
	CHECK(scene.ended == 0);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	event_free(scene.guard);
	event_base_free(scene.base);
}

int
main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	RUN(the_task_is_standard_input_and_what_is_printed_is_the_result);
	RUN(text_is_characters_in_and_characters_out_without_the_last_LF);
	RUN(the_environment_names_task_and_attempt_and_the_deadline_if_any);
	RUN(an_exit_status_is_an_error_with_the_last_of_standard_error);
	RUN(an_exit_status_is_seen_where_SIGCHLD_was_ignored);
	RUN(standard_error_is_handed_on_in_lines_with_their_task);
	RUN(a_result_may_have_the_limit_and_its_LF_but_no_byte_more);
	RUN(one_that_prints_for_ever_is_stopped);
	RUN(at_its_time_the_group_gets_TERM_and_may_end);
	RUN(who_ignores_TERM_is_killed);
	RUN(what_the_process_leaves_in_its_group_is_killed);
	RUN(retries_are_as_many_as_was_said_and_have_numbers);
	RUN(what_cannot_be_run_is_not_tried_again);
	RUN(no_more_than_jobs_run_at_once_and_what_is_left_is_vacant);
	RUN(while_paused_nothing_is_begun_and_nothing_vacant);
	RUN(one_that_waits_is_revoked_at_once);
	RUN(one_that_runs_is_revoked_when_its_process_has_ended);
	RUN(one_that_rests_is_revoked_and_not_started_again);
	RUN(where_the_machine_has_no_room_it_is_waited_for);
	RUN(a_lock_that_is_inherited_lives_until_the_last_process_has_ended);
	RUN(nobody_has_the_descriptor_but_who_is_to_inherit_it);
	RUN(closing_kills_what_runs_without_a_word);
	return check_done();
}
