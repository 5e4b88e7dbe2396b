#include "registry/health_book.h"

#include <errno.h>
#include <signal.h>
#include <sysexits.h>

#include "line/units.h"
#include "spool_fixture.h"

#define FILE_KEY "health/render"

static struct health_line lines[] = {
    {.id = (char *)"a",
	.status = STATUS_CRITICAL,
	.utilization = 0.25,
	.latency_ms = 2.5,
	.checked = 1795341600000,
	.since = 1795341500000,
	.flaps = 3,
	.reason = (char *)"connection \"refused\""},
    {.id = (char *)"b",
	.status = STATUS_PASSING,
	.utilization = -1,
	.latency_ms = -1},
};

static void
make_service(struct registry *registry)
{
	CHECK(spool_register(registry, "{\"service\":\"render\",\"id\":\"a\","
				       "\"address\":\"127.0.0.1:1\"}") == 0);
	CHECK(spool_register(registry, "{\"service\":\"render\",\"id\":\"b\","
				       "\"address\":\"127.0.0.1:2\"}") == 0);
}

static struct health_book *
open_book(struct registry *registry)
{
	struct health_book *book = NULL;
	struct svc_error error;

	if (!CHECK(health_book_open(&book, registry, "render", &error) == 0))
		exit(1);
	return book;
}

static int
claim(struct health_book *book)
{
	struct health taken;
	struct svc_error error;
	int status = health_book_claim(book, &taken, &error);

	if (status == 1)
		health_release(&taken);
	return status;
}

static int
write_lines(struct health_book *book, enum health_panic panic)
{
	struct health health = {.lines = lines,
	    .count = 2,
	    .panic = panic,
	    .panic_since = 1795341600000};
	struct svc_error error;

	return health_book_write(book, &health, &error);
}

static void
what_is_written_is_read(void)
{
	struct registry *registry;
	struct health_book *book;
	struct health health;
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	book = open_book(registry);
	CHECK(claim(book) == 1);
	CHECK(write_lines(book, PANIC_CRITICAL) == 1);
	CHECK(health_read(&health, registry, "render", &error) == 0);
	CHECK(health.fresh && health.trusted && health.count == 2);
	CHECK(health.panic == PANIC_CRITICAL);
	CHECK(health.panic_since == 1795341600000);
	CHECK(health.lines[0].status == STATUS_CRITICAL);
	CHECK(health.lines[0].utilization == 0.25);
	CHECK(health.lines[0].latency_ms == 2.5);
	CHECK(health.lines[0].checked == lines[0].checked);
	CHECK(health.lines[0].since == lines[0].since);
	CHECK(health.lines[0].flaps == 3);
	CHECK_STRING(health.lines[0].reason, lines[0].reason);
	CHECK(health.lines[1].utilization < 0 && health.lines[1].flaps == 0);
	CHECK(health.lines[1].reason == NULL && health.lines[1].since == 0);
	CHECK(warnings == 0);
	health_release(&health);
	health_book_close(book);
	registry_close(registry);
	spool_end();
}

static void
nothing_known_yet_is_a_prober_all_the_same(void)
{
	struct registry *registry;
	struct health_book *book;
	struct health none = {0}, health;
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	book = open_book(registry);
	CHECK(claim(book) == 1);
	CHECK(health_read(&health, registry, "render", &error) == 0);
	CHECK(!health.fresh);
	CHECK(health_book_write(book, &none, &error) == 1);
	CHECK(health_read(&health, registry, "render", &error) == 0);
	CHECK(health.fresh && health.count == 0 && warnings == 0);
	health_release(&health);
	health_book_close(book);
	registry_close(registry);
	spool_end();
}

static void
a_second_book_stands_by_until_the_first_is_closed(void)
{
	struct registry *registry;
	struct health_book *first, *second;
	struct health taken;
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	first = open_book(registry);
	second = open_book(registry);
	CHECK(claim(first) == 1 && claim(second) == 0);
	CHECK(write_lines(first, PANIC_EXPIRED) == 1);
	CHECK(claim(second) == 0 && !health_book_held(second));
	CHECK(write_lines(second, PANIC_NONE) == 0);
	health_book_close(first);
	CHECK(health_book_claim(second, &taken, &error) == 1);
	CHECK(taken.fresh && taken.count == 2);
	CHECK(taken.panic == PANIC_EXPIRED);
	CHECK(health_find(&taken, "a")->flaps == 3);
	CHECK(health_find(&taken, "c") == NULL);
	health_release(&taken);
	/* It stands there for readers, too, from the first moment on. */
	CHECK(health_read(&taken, registry, "render", &error) == 0);
	CHECK(taken.fresh && taken.count == 2);
	health_release(&taken);
	health_book_close(second);
	registry_close(registry);
	spool_end();
}

static void
a_file_that_was_removed_or_replaced_is_lost(void)
{
	struct registry *registry;
	struct health_book *first, *second;
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	first = open_book(registry);
	second = open_book(registry);
	CHECK(claim(first) == 1);
	CHECK(health_book_check(first, &error) == 1);
	CHECK(unlink(spool_path(FILE_KEY)) == 0);
	CHECK(health_book_check(first, &error) == 0);
	CHECK(claim(first) == 1 && write_lines(first, PANIC_NONE) == 1);
	CHECK(unlink(spool_path(FILE_KEY)) == 0 && claim(second) == 1);
	CHECK(write_lines(first, PANIC_NONE) == 0 && claim(first) == 0);
	CHECK(write_lines(second, PANIC_NONE) == 1);
	CHECK(health_book_touch(second, &error) == 1);
	CHECK(unlink(spool_path(FILE_KEY)) == 0);
	spool_write(FILE_KEY, "{\"id\":\"a\",\"status\":\"passing\"}\n");
	CHECK(health_book_touch(second, &error) == 0);
	CHECK(claim(second) == 1);
	health_book_close(first);
	health_book_close(second);
	registry_close(registry);
	spool_end();
}

static void
what_is_stale_is_not_made_fresh_by_a_claim(void)
{
	struct registry *registry;
	struct health_book *book;
	struct health taken;
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	book = open_book(registry);
	CHECK(mkdir(spool_path("health"), 0755) == 0);
	spool_write(FILE_KEY, "{\"id\":\"a\",\"status\":\"critical\","
			      "\"flaps\":9}\n");
	spool_set_time(FILE_KEY, 1000000000);
	CHECK(health_book_claim(book, &taken, &error) == 1);
	CHECK(!taken.fresh && taken.count == 1 && taken.lines[0].flaps == 9);
	health_release(&taken);
	CHECK(health_read(&taken, registry, "render", &error) == 0);
	CHECK(!taken.fresh);
	health_release(&taken);
	health_book_close(book);
	registry_close(registry);
	spool_end();
}

static void
hostile_bytes_are_not_gone_on_from(void)
{
	static const char *const texts[] = {"{", "\n\n\n", "[]",
	    "{\"panic\":\"now\"}\n", "{\"panic\":\"critical\",\"since\":7}\n",
	    "{\"id\":\"a\",\"status\":\"expired\"}\n",
	    "{\"id\":\"../a\",\"status\":\"passing\"}\n",
	    "{\"id\":\"a\",\"status\":\"passing\",\"flaps\":1e400}\n",
	    "{\"id\":\"a\",\"status\":\"passing\",\"flaps\":-1,"
	    "\"since\":\"now\",\"utilization\":-2}\n"};
	struct health health;
	size_t i, k;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(&health, 0, sizeof(health));
		CHECK(health_parse(&health, texts[i], strlen(texts[i]), NULL,
			  NULL) == 0);
		CHECK(health.panic_since == 0);
		for (k = 0; k < health.count; k++) {
			CHECK(health.lines[k].flaps == 0);
			CHECK(health.lines[k].since == 0);
			CHECK(health.lines[k].utilization == -1);
			CHECK_STRING(health.lines[k].id, "a");
		}
		health_release(&health);
	}
}

static void
a_file_that_cannot_be_made_says_why(void)
{
	struct registry *registry;
	struct health_book *book;
	struct health taken;
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	book = open_book(registry);
	CHECK(mkdir(spool_path("health"), 0755) == 0);
	CHECK(mkdir(spool_path(FILE_KEY), 0755) == 0);
	CHECK(health_book_claim(book, &taken, &error) == -1);
	CHECK(error.code == EX_CANTCREAT);
	CHECK(rmdir(spool_path(FILE_KEY)) == 0);
	CHECK(symlink("/etc/passwd", spool_path(FILE_KEY)) == 0);
	CHECK(health_book_claim(book, &taken, &error) == -1);
	health_book_close(book);
	registry_close(registry);
	spool_end();
}

static bool
is_panic(struct registry *registry, const char *id, bool works)
{
	struct instance instance;
	struct svc_error error;
	bool panic;

	if (!CHECK(
		registry_get(registry, "render", id, &instance, &error) == 1))
		return false;
	panic = instance.panic;
	CHECK(instance_works(&instance) == works);
	instance_release(&instance);
	return panic;
}

static void
the_mark_serves_all_but_those_that_drain(void)
{
	struct registry *registry;
	struct health_book *book;
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	make_service(registry);
	book = open_book(registry);
	CHECK(claim(book) == 1 && write_lines(book, PANIC_NONE) == 1);
	CHECK(!is_panic(registry, "a", false));
	CHECK(!is_panic(registry, "b", true));
	CHECK(write_lines(book, PANIC_CRITICAL) == 1);
	CHECK(is_panic(registry, "a", true));
	CHECK(is_panic(registry, "b", true));
	CHECK(registry_drain(registry, "render", "a", true, &error) == 1);
	CHECK(!is_panic(registry, "a", false));
	spool_set_time(FILE_KEY, 1000000000);
	CHECK(!is_panic(registry, "b", true));
	health_book_close(book);
	registry_close(registry);
	spool_end();
}

static void
the_mark_of_expiry_serves_a_ttl_that_ran_out(void)
{
	struct registry *registry;
	struct health_book *book;

	spool_begin();
	registry = spool_open();
	make_service(registry);
	CHECK(spool_register(registry,
		  "{\"service\":\"render\",\"id\":\"t\",\"ttl\":30,"
		  "\"address\":\"127.0.0.1:3\"}") == 0);
	spool_set_time("services/render/t.json", 1000000000);
	book = open_book(registry);
	CHECK(claim(book) == 1 && write_lines(book, PANIC_CRITICAL) == 1);
	CHECK(!is_panic(registry, "t", false));
	CHECK(write_lines(book, PANIC_EXPIRED) == 1);
	CHECK(is_panic(registry, "t", true));
	health_book_close(book);
	registry_close(registry);
	spool_end();
}

/* Claims, writes and lets go, again and again; while it holds the file nobody
 * else may. */
static void
compete(struct registry *registry)
{
	struct health_book *book;
	struct health health = {.lines = lines, .count = 1};
	struct health taken;
	struct svc_error error;
	int rounds = 0, witness;

	while (rounds < 100) {
		if (health_book_open(&book, registry, "render", &error) == -1)
			_exit(2);
		if (health_book_claim(book, &taken, &error) == 1) {
			health_release(&taken);
			witness = open(spool_path("witness"),
			    O_CREAT | O_EXCL | O_CLOEXEC | O_WRONLY, 0600);
			if (witness == -1 || close(witness) == -1 ||
			    health_book_write(book, &health, &error) != 1 ||
			    unlink(spool_path("witness")) == -1)
				_exit(3);
			rounds++;
		}
		health_book_close(book);
	}
	_exit(0);
}

static void
no_two_processes_ever_hold_it(void)
{
	struct registry *registry;
	pid_t pids[4];
	int i, status;

	spool_begin();
	registry = spool_open();
	for (i = 0; i < 4; i++)
		if ((pids[i] = fork()) == 0)
			compete(registry);
	for (i = 0; i < 4; i++)
		CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
	registry_close(registry);
	spool_end();
}

int
main(void)
{
	RUN(what_is_written_is_read);
	RUN(nothing_known_yet_is_a_prober_all_the_same);
	RUN(a_second_book_stands_by_until_the_first_is_closed);
	RUN(a_file_that_was_removed_or_replaced_is_lost);
	RUN(what_is_stale_is_not_made_fresh_by_a_claim);
	RUN(hostile_bytes_are_not_gone_on_from);
	RUN(a_file_that_cannot_be_made_says_why);
	RUN(the_mark_serves_all_but_those_that_drain);
	RUN(the_mark_of_expiry_serves_a_ttl_that_ran_out);
	RUN(no_two_processes_ever_hold_it);
	return check_done();
}
