/*
 * Handlers with real children: order, what waits, time, failure, and that
 * nothing is left behind.
 *
 * Each script writes to the file "log" of its own directory.  A run that finds
 * the FIFO "gate" there waits at it until open_gate().
 */
#include "process/handler.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <event2/event.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "line/buffer.h"
#include "line/units.h"

#define DEADLINE 20.0

/* -Wwrite-strings, and argv is not const for historical reasons. */
#define WORD(text) ((char *)(uintptr_t)(text))

/* Notes id and lines, and waits at the gate. */
#define SCRIPT                                                 \
	"mkdir running || echo overlap >>log; "                \
	"echo \"$SVC_EVENT:$SVC_SERVICE:$SVC_ID:$SVC_EVENTS\"" \
	" \"$(tr '\\n' ' ')\" >>log; "                         \
	"[ ! -p gate ] || read -r x <gate; rmdir running"

struct fixture {
	char directory[PATH_MAX];
	struct event_base *base;
	struct event *tick;
	struct handler *handler;
	struct handler_options options;
	char *argv[4];
	struct buffer failures; /* a line each */
	int idle;
	int descriptors; /* open when it began */
	int home;
};

static int
count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		(void)closedir(directory);
	return count;
}

static void
on_tick(evutil_socket_t descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	(void)argument;
}

static void
on_failed(void *argument, const char *reason)
{
	struct fixture *fixture = argument;

	buffer_append_format(&fixture->failures, "%s\n", reason);
}

static void
on_idle(void *argument)
{
	struct fixture *fixture = argument;

	fixture->idle++;
}

/* Goes to a directory of its own; the handler is opened by open_handler(). */
static void
fixture_init(struct fixture *fixture, const char *script)
{
	struct timeval tick = {0, 20000};
	char path[] = "/tmp/svckit-handler.XXXXXX";

	memset(fixture, 0, sizeof(*fixture));
	fixture->descriptors = count_descriptors();
	fixture->home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(mkdtemp(path) != NULL && chdir(path) == 0);
	(void)snprintf(fixture->directory, sizeof(path), "%s", path);
	fixture->base = event_base_new();
	fixture->tick =
	    event_new(fixture->base, -1, EV_PERSIST, on_tick, fixture);
	CHECK(event_add(fixture->tick, &tick) == 0);
	fixture->argv[0] = WORD("sh");
	fixture->argv[1] = WORD("-c");
	fixture->argv[2] = WORD(script);
	fixture->options.base = fixture->base;
	fixture->options.argv = fixture->argv;
	fixture->options.environment = environ;
	fixture->options.failed = on_failed;
	fixture->options.idle = on_idle;
	fixture->options.argument = fixture;
}

static void
open_handler(struct fixture *fixture)
{
	struct svc_error error = {0, ""};

	if (!CHECK(handler_open(&fixture->handler, &fixture->options, &error) ==
		   0))
		printf("# %s\n", error.message);
}

static int
remove_entry(
    const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

/* Also checks that neither a zombie nor a descriptor is left. */
static void
fixture_release(struct fixture *fixture)
{
	handler_close(fixture->handler);
	event_free(fixture->tick);
	event_base_free(fixture->base);
	CHECK(fchdir(fixture->home) == 0);
	(void)close(fixture->home);
	CHECK(nftw(fixture->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS) ==
	      0);
	buffer_release(&fixture->failures);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	CHECK(count_descriptors() == fixture->descriptors);
}

/* Runs the loop until *value is at least least. */
static void
loop_until(struct fixture *fixture, const int *value, int least)
{
	double end = time_monotonic() + DEADLINE;

	while (*value < least && time_monotonic() < end)
		(void)event_base_loop(fixture->base, EVLOOP_ONCE);
	CHECK(*value >= least);
}

/* The text of the file, without its end; the caller frees it. */
static char *
text_of(const char *path)
{
	struct buffer out = BUFFER_INIT;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 0;
	char *room;

	while (file != -1 && (room = buffer_reserve(&out, 4096)) != NULL &&
	       (got = read(file, room, 4096)) > 0)
		out.length += (size_t)got;
	if (file != -1)
		(void)close(file);
	buffer_append_char(&out, '\0');
	return buffer_detach(&out);
}

static void
check_file(const char *path, const char *want)
{
	char *text = text_of(path);

	CHECK_STRING(text, want);
	free(text);
}

/* Runs the loop until the file has the text somewhere. */
static void
loop_until_text(struct fixture *fixture, const char *path, const char *want)
{
	double end = time_monotonic() + DEADLINE;
	bool found = false;
	char *text;

	while (!found && time_monotonic() < end) {
		(void)event_base_loop(fixture->base, EVLOOP_ONCE);
		text = text_of(path);
		found = strstr(text, want) != NULL;
		free(text);
	}
	if (!CHECK(found))
		printf("# %s: no %s\n", path, want);
}

/* What failed() was told, a line each. */
static void
check_told(struct fixture *fixture, const char *want)
{
	CHECK_STRING(buffer_string(&fixture->failures), want);
}

static void
add(struct fixture *fixture, const char *kind, const char *service,
    const char *id, const char *line)
{
	struct handler_event event = {.kind = kind,
	    .service = service,
	    .id = id,
	    .line = line,
	    .length = strlen(line)};

	handler_add(fixture->handler, &event);
}

static void
add_part(struct fixture *fixture, const char *line, bool more)
{
	struct handler_event event = {
	    .kind = "sync", .line = line, .length = strlen(line), .more = more};

	handler_add(fixture->handler, &event);
}

static void
make_gate(void)
{
	CHECK(mkfifo("gate", 0600) == 0);
}

/*
 * Lets the run at the gate pass, and all after it.  It is there when the FIFO
 * can be opened to be written without waiting.
 */
static void
open_gate(struct fixture *fixture)
{
	double end = time_monotonic() + DEADLINE;
	int gate;

	while ((gate = open("gate", O_WRONLY | O_NONBLOCK | O_CLOEXEC)) == -1 &&
	       time_monotonic() < end)
		(void)event_base_loop(fixture->base, EVLOOP_ONCE);
	CHECK(gate != -1);
	(void)unlink("gate");
	(void)close(gate);
}

/* Whether it has ended; a zombie has, too. */
static bool
is_gone(pid_t pid)
{
	char path[64], *text;
	const char *state;
	bool gone;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	text = text_of(path);
	state = strrchr(text, ')');
	gone = state == NULL || state[2] == 'Z' || state[2] == 'X';
	free(text);
	return gone;
}

static void
check_goes(struct fixture *fixture, pid_t pid)
{
	double end = time_monotonic() + DEADLINE;

	while (!is_gone(pid) && time_monotonic() < end)
		(void)event_base_loop(fixture->base, EVLOOP_ONCE);
	CHECK(is_gone(pid));
}

static pid_t
pid_in(const char *path)
{
	char *text = text_of(path);
	pid_t pid = (pid_t)strtol(text, NULL, 10);

	free(text);
	CHECK(pid > 1);
	return pid;
}

static void
an_event_is_handed_over_at_once(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	open_handler(&fixture);
	CHECK(!handler_busy(fixture.handler));
	add(&fixture, "down", "render", "web1", "{\"event\":\"down\"}");
	CHECK(handler_busy(fixture.handler));
	loop_until(&fixture, &fixture.idle, 1);
	CHECK(!handler_busy(fixture.handler));
	check_file("log", "down:render:web1:1 {\"event\":\"down\"} \n");
	check_told(&fixture, "");
	fixture_release(&fixture);
}

static void
what_an_event_lacks_is_empty(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	CHECK(setenv("SVC_ID", "of the caller", 1) == 0);
	fixture.options.environment = environ;
	open_handler(&fixture);
	CHECK(unsetenv("SVC_ID") == 0);
	add(&fixture, "resync", NULL, NULL, "1\n");
	loop_until(&fixture, &fixture.idle, 1);
	check_file("log", "resync:::1 1 \n");
	fixture_release(&fixture);
}

static void
what_an_event_says_is_data(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	open_handler(&fixture);
	add(&fixture, "$(touch a)", "PATH=/x", ";touch b", "`touch c`");
	loop_until(&fixture, &fixture.idle, 1);
	check_file("log", "$(touch a):PATH=/x:;touch b:1 `touch c` \n");
	CHECK(access("a", F_OK) == -1 && access("b", F_OK) == -1);
	CHECK(access("c", F_OK) == -1);
	fixture_release(&fixture);
}

static void
runs_follow_in_order_one_at_a_time(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "up", "s", "2", "b");
	add(&fixture, "up", "s", "3", "c");
	add(&fixture, "up", "t", "1", "d");
	loop_until(&fixture, &fixture.idle, 1);
	check_file(
	    "log", "up:s:1:1 a \nup:s:2:1 b \nup:s:3:1 c \nup:t:1:1 d \n");
	CHECK(fixture.idle == 1);
	fixture_release(&fixture);
}

static void
the_newest_of_an_instance_waits_in_the_newests_place(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	make_gate();
	open_handler(&fixture);
	add(&fixture, "up", "s", "0", "first");
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "up", "s", "2", "b");
	add(&fixture, "down", "s", "1", "c");
	add(&fixture, "panic", "s", NULL, "d");
	add(&fixture, "panic", "t", NULL, "e");
	add(&fixture, "calm", "s", NULL, "f");
	add(&fixture, "panic", "s", NULL, "g");
	open_gate(&fixture);
	loop_until(&fixture, &fixture.idle, 1);
	check_file("log", "up:s:0:1 first \nup:s:2:1 b \ndown:s:1:1 c \n"
			  "panic:t::1 e \ncalm:s::1 f \npanic:s::1 g \n");
	fixture_release(&fixture);
}

static void
a_beat_or_a_load_takes_the_place_of_its_kind_only(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	make_gate();
	open_handler(&fixture);
	add(&fixture, "up", "s", "0", "first");
	add(&fixture, "load", "s", "1", "a");
	add(&fixture, "down", "s", "1", "b");
	add(&fixture, "load", "s", "1", "c");
	add(&fixture, "renew", "s", "1", "d");
	add(&fixture, "load", "s", "2", "e");
	add(&fixture, "renew", "s", "1", "f");
	open_gate(&fixture);
	loop_until(&fixture, &fixture.idle, 1);
	check_file("log", "up:s:0:1 first \ndown:s:1:1 b \nload:s:1:1 c \n"
			  "load:s:2:1 e \nrenew:s:1:1 f \n");
	fixture_release(&fixture);
}

static void
a_sync_clears_what_waits_before_it(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	make_gate();
	open_handler(&fixture);
	add(&fixture, "sync", NULL, NULL, "first");
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "resync", NULL, NULL, "b");
	add(&fixture, "sync", NULL, NULL, "c");
	add(&fixture, "down", "s", "1", "d");
	open_gate(&fixture);
	loop_until(&fixture, &fixture.idle, 1);
	check_file("log", "sync:::1 first \nsync:::1 c \ndown:s:1:1 d \n");
	fixture_release(&fixture);
}

static void
a_sync_of_several_lines_is_one_run(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	open_handler(&fixture);
	add_part(&fixture, "a", true);
	add_part(&fixture, "b", true);
	CHECK(access("log", F_OK) == -1);
	add_part(&fixture, "c", false);
	add(&fixture, "up", "s", "1", "d");
	loop_until(&fixture, &fixture.idle, 1);
	check_file("log", "sync:::3 a b c \nup:s:1:1 d \n");
	fixture_release(&fixture);
}

static void
thousands_of_events_collapse_while_one_runs(void)
{
	char id[16], line[16], want[64];
	struct fixture fixture;
	const char *end;
	char *text;
	int i;

	fixture_init(&fixture, SCRIPT);
	make_gate();
	open_handler(&fixture);
	for (i = 0; i < 20000; i++) {
		(void)snprintf(id, sizeof(id), "%d", i % 10);
		(void)snprintf(line, sizeof(line), "%d", i);
		add(&fixture, "change", "s", id, line);
	}
	open_gate(&fixture);
	loop_until(&fixture, &fixture.idle, 1);
	text = text_of("log");
	for (i = 0; i < 10; i++) {
		(void)snprintf(
		    want, sizeof(want), "\nchange:s:%d:1 %d \n", i, 19990 + i);
		CHECK(strstr(text, want) != NULL);
	}
	for (i = 0, end = text; (end = strchr(end, '\n')) != NULL; end++)
		i++;
	CHECK(i == 1 + 10);
	free(text);
	fixture_release(&fixture);
}

static void
settling_never_delays_the_first(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	fixture.options.settle = 3600;
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "up", "s", "2", "b");
	loop_until_text(&fixture, "log", "up:s:1:1 a \n");
	CHECK(fixture.idle == 0 && handler_busy(fixture.handler));
	handler_stop(fixture.handler, 20);
	loop_until(&fixture, &fixture.idle, 1);
	check_file("log", "up:s:1:1 a \n");
	fixture_release(&fixture);
}

static void
what_settles_is_one_run(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	fixture.options.settle = 0.3;
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "up", "s", "1", "b");
	add(&fixture, "down", "s", "2", "c");
	add(&fixture, "down", "s", "1", "d");
	loop_until(&fixture, &fixture.idle, 1);
	check_file("log", "up:s:1:1 a \ndown:s::2 c d \n");
	CHECK(fixture.idle == 1);
	fixture_release(&fixture);
}

static void
the_end_is_not_waited_for_in_quiet(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	fixture.options.settle = 3600;
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "up", "s", "2", "b");
	add(&fixture, "up", "s", "3", "c");
	handler_finish(fixture.handler);
	CHECK(fixture.idle == 0);
	loop_until(&fixture, &fixture.idle, 1);
	check_file("log", "up:s:1:1 a \nup:s::2 b c \n");
	fixture_release(&fixture);
}

static void
a_stream_of_events_does_not_starve_it(void)
{
	double end = time_monotonic() + DEADLINE;
	struct fixture fixture;
	char *text;
	bool second = false;

	fixture_init(&fixture, SCRIPT);
	fixture.options.settle = 0.2;
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	while (!second && time_monotonic() < end) {
		/* An event each 20 ms: never quiet. */
		(void)event_base_loop(fixture.base, EVLOOP_ONCE);
		add(&fixture, "down", "s", "1", "b");
		text = text_of("log");
		second = strstr(text, "down:s:1:1 b \n") != NULL;
		free(text);
	}
	CHECK(second);
	fixture_release(&fixture);
}

static void
check_failure(const char *script, const char *want)
{
	struct fixture fixture;

	fixture_init(&fixture, script);
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "up", "s", "2", "b");
	loop_until(&fixture, &fixture.idle, 1);
	check_told(&fixture, want);
	fixture_release(&fixture);
}

static void
a_failure_is_told_and_not_the_end(void)
{
	check_failure("[ $SVC_ID = 2 ] || exit 3", "exit status 3\n");
	check_failure(
	    "[ $SVC_ID = 1 ] || kill -9 $$", "killed by signal 9 (SIGKILL)\n");
	check_failure(
	    "kill -40 $$", "killed by signal 40\nkilled by signal 40\n");
	check_failure("exit 0", "");
}

static void
a_command_that_cannot_be_run_is_told(void)
{
	struct fixture fixture;

	fixture_init(&fixture, "");
	fixture.argv[0] = WORD("./no-such-handler");
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "up", "s", "2", "b");
	/* Not from within handler_add(). */
	check_told(&fixture, "");
	loop_until(&fixture, &fixture.idle, 1);
	check_told(&fixture,
	    "cannot be run: './no-such-handler': No such file or directory\n"
	    "cannot be run: './no-such-handler': No such file or directory\n");
	fixture_release(&fixture);
}

static void
a_failure_is_told_where_SIGCHLD_was_ignored(void)
{
	(void)signal(SIGCHLD, SIG_IGN);
	check_failure("exit 3", "exit status 3\nexit status 3\n");
	(void)signal(SIGCHLD, SIG_DFL);
}

/*
 * Four handlers at a time, each with a child.  Both ignore TERM; only the child
 * does; none does; the handler obeys it, in time and yet too late.
 */
#define HANG                                                               \
	"case $SVC_ID in 1) trap '' TERM;; 4) trap 'exit 0' TERM;; esac; " \
	"([ $SVC_ID != 2 ] || trap '' TERM; exec sleep 600) & "            \
	"echo $! >child$SVC_ID; wait"

static void
a_hanging_handler_is_killed_with_its_children(void)
{
	static const char *const ids[] = {"1", "2", "3", "4"};
	struct handler *handlers[4];
	struct fixture fixture;
	char path[16];
	int i;

	fixture_init(&fixture, HANG);
	fixture.options.timeout = 4;
	for (i = 0; i < 4; i++) {
		open_handler(&fixture);
		handlers[i] = fixture.handler;
		add(&fixture, "up", "s", ids[i], "a");
	}
	fixture.handler = NULL;
	loop_until(&fixture, &fixture.idle, 4);
	check_told(&fixture, "timed out after 4s\ntimed out after 4s\n"
			     "timed out after 4s\ntimed out after 4s\n");
	for (i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "child%d", i + 1);
		check_goes(&fixture, pid_in(path));
		handler_close(handlers[i]);
	}
	fixture_release(&fixture);
}

static void
a_server_that_a_handler_started_goes_on(void)
{
	struct fixture fixture;
	pid_t pid;

	fixture_init(
	    &fixture, "sleep 600 </dev/null >/dev/null 2>&1 & echo $! >child");
	fixture.options.timeout = 3600;
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	loop_until(&fixture, &fixture.idle, 1);
	check_told(&fixture, "");
	pid = pid_in("child");
	handler_stop(fixture.handler, 0);
	loop_until(&fixture, &fixture.idle, 2);
	handler_close(fixture.handler);
	fixture.handler = NULL;
	CHECK(!is_gone(pid));
	CHECK(pid > 1 && kill(pid, SIGKILL) == 0);
	check_goes(&fixture, pid);
	fixture_release(&fixture);
}

static void
an_event_of_5_MB_need_not_be_read(void)
{
	size_t length = 5UL * 1024 * 1024;
	char *line = calloc(1, length + 1);
	struct fixture fixture;

	if (!CHECK(line != NULL))
		return;
	memset(line, 'x', length);
	fixture_init(
	    &fixture, "[ $SVC_ID = 1 ] || { head -c 3 && wc -c; } >>log");
	open_handler(&fixture);
	add(&fixture, "sync", "s", "1", line);
	add(&fixture, "sync", "s", "2", line);
	loop_until(&fixture, &fixture.idle, 1);
	check_told(&fixture, "");
	check_file("log", "xxx5242878\n");
	free(line);
	fixture_release(&fixture);
}

static void
a_run_cannot_change_its_input(void)
{
	struct fixture fixture;

	fixture_init(&fixture, "(echo x >&0) 2>/dev/null && exit 9; cat >log");
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	loop_until(&fixture, &fixture.idle, 1);
	check_told(&fixture, "");
	check_file("log", "a\n");
	fixture_release(&fixture);
}

static void
what_a_run_prints_is_no_output_of_ours(void)
{
	struct fixture fixture;
	int saved = fcntl(2, F_DUPFD_CLOEXEC, 10), file;

	fixture_init(&fixture, "echo printed");
	file = open("stderr", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(dup2(file, 2) == 2);
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	loop_until(&fixture, &fixture.idle, 1);
	CHECK(dup2(saved, 2) == 2);
	(void)close(file);
	check_file("stderr", "printed\n");
	fixture_release(&fixture);
	(void)close(saved);
}

static void
what_we_ignore_it_ignores(void)
{
	struct fixture fixture;
	sigset_t ignored;

	fixture_init(&fixture, "kill -HUP $$; echo lives >log");
	sigemptyset(&ignored);
	(void)sigaddset(&ignored, SIGHUP);
	fixture.options.ignored = &ignored;
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	loop_until(&fixture, &fixture.idle, 1);
	check_file("log", "lives\n");
	fixture_release(&fixture);
}

/* Stops it while the run waits, after which script has written "ready". */
static void
check_stop(const char *script, double grace, const char *want)
{
	struct fixture fixture;

	fixture_init(&fixture, script);
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "up", "s", "2", "b");
	loop_until_text(&fixture, "log", "ready");
	handler_stop(fixture.handler, grace);
	add(&fixture, "up", "s", "3", "c");
	CHECK(fixture.idle == 0);
	loop_until(&fixture, &fixture.idle, 1);
	check_told(&fixture, want);
	check_file("log", "ready\n");
	check_goes(&fixture, pid_in("child"));
	fixture_release(&fixture);
}

static void
stopping_ends_the_run_and_starts_none(void)
{
	check_stop("sleep 600 & echo $! >child; echo ready >>log; wait", 3600,
	    "killed by signal 15 (SIGTERM)\n");
	check_stop("trap '' TERM; sleep 600 & echo $! >child; "
		   "echo ready >>log; wait; exit 0",
	    0.1, "killed by signal 9 (SIGKILL)\n");
	check_stop("trap 'exit 0' TERM; sleep 600 & echo $! >child; "
		   "echo ready >>log; wait",
	    3600, "");
}

static void
stopping_what_does_nothing_is_idle_too(void)
{
	struct fixture fixture;

	fixture_init(&fixture, SCRIPT);
	open_handler(&fixture);
	handler_stop(fixture.handler, 3600);
	CHECK(fixture.idle == 0 && handler_busy(fixture.handler));
	loop_until(&fixture, &fixture.idle, 1);
	CHECK(!handler_busy(fixture.handler));
	fixture_release(&fixture);
}

static void
closing_kills_the_run_and_its_children(void)
{
	struct fixture fixture;
	pid_t child;

	fixture_init(&fixture,
	    "trap '' TERM; sleep 600 & echo $! >child; echo ready >>log; "
	    "wait");
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "up", "s", "2", "b");
	loop_until_text(&fixture, "log", "ready");
	child = pid_in("child");
	handler_close(fixture.handler);
	fixture.handler = NULL;
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	check_goes(&fixture, child);
	fixture_release(&fixture);
}

static void
close_in_idle(void *argument)
{
	struct fixture *fixture = argument;

	fixture->idle++;
	handler_close(fixture->handler);
	fixture->handler = NULL;
}

static void
stop_in_failed(void *argument, const char *reason)
{
	struct fixture *fixture = argument;

	on_failed(argument, reason);
	handler_stop(fixture->handler, 0);
}

static void
it_may_be_stopped_and_closed_from_what_it_tells(void)
{
	struct fixture fixture;

	fixture_init(&fixture, "exit 1");
	fixture.options.failed = stop_in_failed;
	fixture.options.idle = close_in_idle;
	open_handler(&fixture);
	add(&fixture, "up", "s", "1", "a");
	add(&fixture, "up", "s", "2", "b");
	loop_until(&fixture, &fixture.idle, 1);
	(void)event_base_loop(fixture.base, EVLOOP_ONCE);
	CHECK(fixture.idle == 1);
	check_told(&fixture, "exit status 1\n");
	fixture_release(&fixture);
}

int
main(void)
{
	RUN(an_event_is_handed_over_at_once);
	RUN(what_an_event_lacks_is_empty);
	RUN(what_an_event_says_is_data);
	RUN(runs_follow_in_order_one_at_a_time);
	RUN(the_newest_of_an_instance_waits_in_the_newests_place);
	RUN(a_beat_or_a_load_takes_the_place_of_its_kind_only);
	RUN(a_sync_clears_what_waits_before_it);
	RUN(a_sync_of_several_lines_is_one_run);
	RUN(thousands_of_events_collapse_while_one_runs);
	RUN(settling_never_delays_the_first);
	RUN(what_settles_is_one_run);
	RUN(the_end_is_not_waited_for_in_quiet);
	RUN(a_stream_of_events_does_not_starve_it);
	RUN(a_failure_is_told_and_not_the_end);
	RUN(a_failure_is_told_where_SIGCHLD_was_ignored);
	RUN(a_command_that_cannot_be_run_is_told);
	RUN(a_hanging_handler_is_killed_with_its_children);
	RUN(a_server_that_a_handler_started_goes_on);
	RUN(an_event_of_5_MB_need_not_be_read);
	RUN(a_run_cannot_change_its_input);
	RUN(what_a_run_prints_is_no_output_of_ours);
	RUN(what_we_ignore_it_ignores);
	RUN(stopping_ends_the_run_and_starts_none);
	RUN(stopping_what_does_nothing_is_idle_too);
	RUN(closing_kills_the_run_and_its_children);
	RUN(it_may_be_stopped_and_closed_from_what_it_tells);
	return check_done();
}
