/* The registry in memory, when much changes: lost events, vanished directories,
 * many services. */
#include <signal.h>
#include <sysexits.h>

#include "view_fixture.h"

#define QUEUE_LIMIT "/proc/sys/fs/inotify/max_queued_events"
#define WRITERS	    4
#define CHANGES	    25000 /* of each writer; ten times less in passing */

static void
move(const char *from, const char *to)
{
	char source[512];

	snprintf(source, sizeof(source), "%s", spool_path(from));
	CHECK(rename(source, spool_path(to)) == 0);
}

static void
a_service_removed_and_made_anew_is_followed(void)
{
	registry_begin();
	CHECK(put_instance("s", "a", "") == 0);
	CHECK(put_instance("t", "b", "") == 0);
	view_begin(NULL, 0, 0);
	remove_file("services/s/a.json");
	(void)unlink(spool_path("services/s/.lock"));
	CHECK(rmdir(spool_path("services/s")) == 0);
	CHECK(view_tells("-a;"));
	CHECK(seen.resyncs == 0);
	CHECK(put_instance("s", "a", "") == 0);
	CHECK(view_tells("-a;+a passing;"));
	CHECK(put_instance("s", "c", "") == 0);
	CHECK(view_tells("+c passing;"));
	CHECK(strstr(seen.log, "-b") == NULL && seen.resyncs == 0);
	view_end();
}

static void
a_service_moved_away_and_back_is_followed(void)
{
	registry_begin();
	CHECK(put_instance("s", "a", "") == 0);
	view_begin(NULL, 0, 0);
	move("services/s", "elsewhere");
	CHECK(view_tells("-a;"));
	CHECK(seen.resyncs == 1);
	CHECK_STRING(seen.reason, "a directory vanished");
	CHECK(view_service_count(view) == 0);
	move("elsewhere", "services/s");
	CHECK(view_tells("-a;+a passing;"));
	CHECK(put_instance("s", "b", "") == 0);
	CHECK(view_tells("+b passing;"));
	view_end();
}

static void
a_service_renamed_is_followed_by_its_place(void)
{
	registry_begin();
	CHECK(put_instance("s", "a", "") == 0);
	view_begin(NULL, 0, 0);
	/* The record says "s", so under another name it is nobody's. */
	CHECK(mkdir(spool_path("services/t"), 0755) == 0);
	CHECK(rmdir(spool_path("services/t")) == 0);
	move("services/s", "services/t");
	CHECK(view_tells("-a;"));
	CHECK(put_instance("t", "b", "") == 0);
	CHECK(view_tells("+b passing;"));
	CHECK(put_instance("s", "c", "") == 0);
	CHECK(view_tells("+c passing;"));
	CHECK(put_instance("t", "d", "") == 0);
	CHECK(view_tells("+d passing;"));
	view_end();
}

static void
all_services_renamed_away_and_back_are_followed(void)
{
	registry_begin();
	CHECK(put_instance("s", "a", "") == 0);
	CHECK(put_instance("t", "b", "") == 0);
	view_begin(NULL, 0, 0);
	move("services", "away");
	CHECK(view_tells("-a;-b;"));
	CHECK(seen.resyncs == 1);
	move("away", "services");
	CHECK(view_tells("-a;-b;+a passing;+b passing;"));
	CHECK(put_instance("t", "c", "") == 0);
	CHECK(view_tells("+c passing;"));
	view_end();
}

static bool
is_away(const void *argument)
{
	struct svc_error error;

	(void)argument;
	return view_update(view, &listener, &error) == -1 &&
	       error.code == EX_NOINPUT;
}

static void
a_registry_moved_away_is_an_error_until_it_is_back(void)
{
	char away[80];

	registry_begin();
	CHECK(put_instance("s", "a", "") == 0);
	view_begin(NULL, 0, 0);
	snprintf(away, sizeof(away), "%s.away", spool);
	CHECK(rename(spool, away) == 0);
	CHECK(is_away(NULL) && is_away(NULL));
	CHECK(view_find(view, "s", "a") != NULL);
	CHECK(rename(away, spool) == 0);
	CHECK(put_instance("s", "b", "") == 0);
	CHECK(view_tells("+a passing;+b passing;"));
	CHECK(seen.resyncs == 1);
	CHECK(view_tells("+b passing;"));
	view_end();
}

static void
another_registry_in_its_place_is_taken(void)
{
	struct registry *mine;

	registry_begin();
	CHECK(put_instance("s", "a", "") == 0);
	view_begin(NULL, 0, 0);
	spool_end();
	CHECK(is_away(NULL));
	mine = registry;
	registry = spool_open();
	CHECK(put_instance("s", "b", "") == 0);
	registry_close(registry);
	registry = mine;
	CHECK(view_tells("+b passing;"));
	CHECK(strstr(seen.log, "-a;") != NULL);
	CHECK_STRING(seen.reason, "the registry is another one");
	view_end();
}

static void
many_services_made_one_after_another_are_followed(void)
{
	char name[32];
	int i;

	registry_begin();
	view_begin(NULL, 0, 0);
	for (i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		CHECK(put_instance(name, "a", "") == 0);
		if (i % 7 == 0)
			CHECK(view_update(view, &listener, NULL) == 0);
	}
	CHECK(view_wait(view_is_level, NULL));
	CHECK(view_service_count(view) == 500 && seen.resyncs == 0);
	CHECK(seen.changes == 500);
	view_forget();
	CHECK(put_instance("s499", "b", "") == 0);
	CHECK(view_tells("+b passing;"));
	view_end();
}

static void
a_large_batch_is_listed_once(void)
{
	char name[32];
	int i;

	registry_begin();
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "i%d", i);
		CHECK(put_instance("s", name, "") == 0);
	}
	view_begin(NULL, 0, 0);
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "i%d", i);
		CHECK(
		    put_instance("s", name, i % 2 ? ",\"meta\":{}" : "") == 0);
	}
	for (i = 0; i < 300; i += 3) {
		snprintf(name, sizeof(name), "services/s/i%d.json", i);
		remove_file(name);
	}
	CHECK(view_wait(view_is_level, NULL));
	CHECK(seen.resyncs == 0);
	view_end();
}

/* 0: could not be set. */
static int
set_queue_limit(int limit)
{
	FILE *file = fopen(QUEUE_LIMIT, "r");
	int before = 0;

	if (file == NULL || fscanf(file, "%d", &before) != 1)
		before = 0;
	if (file != NULL)
		fclose(file);
	file = before == 0 ? NULL : fopen(QUEUE_LIMIT, "w");
	if (file == NULL)
		return 0;
	fprintf(file, "%d\n", limit);
	return fclose(file) == 0 ? before : 0;
}

/* One of several that change whatever they hit: files and markers. */
static void
change_at_random(unsigned seed, int changes)
{
	static const char record[] =
	    "{\"service\":\"s%d\",\"id\":\"i%d\",\"address\":\"h:%d\"}";
	char path[128], temp[128], text[128];
	int i, s, n, fd;

	for (i = 0; i < changes; i++) {
		s = rand_r(&seed) % 20;
		n = rand_r(&seed) % 40;
		snprintf(path, sizeof(path), "%s/services/s%d/i%d.%s", spool, s,
		    n, rand_r(&seed) % 4 == 0 ? "drain" : "json");
		switch (rand_r(&seed) % 4) {
		case 0:
			(void)unlink(path);
			break;
		case 1:
			(void)utimensat(AT_FDCWD, path, NULL, 0);
			break;
		default:
			snprintf(temp, sizeof(temp), "%s/services/s%d/.t%d",
			    spool, s, getpid());
			n = snprintf(text, sizeof(text), record, s, n,
			    1 + rand_r(&seed) % 60000);
			fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC, 0644);
			if (fd == -1 || write(fd, text, (size_t)n) != n)
				_exit(1);
			close(fd);
			if (rename(temp, path) == -1)
				_exit(1);
		}
	}
	_exit(0);
}

/* While writers write, the view stands still; its queue holds next to
 * nothing. */
static void
after_a_storm_of_lost_events_the_view_is_level(void)
{
	char name[32];
	pid_t writers[WRITERS];
	int i, before, status;

	registry_begin();
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		CHECK(put_instance(name, "i0", "") == 0);
	}
	before = set_queue_limit(16);
	if (before == 0)
		printf("# the queue holds what the system has it hold\n");
	view_begin(NULL, 0, 3600);
	if (before != 0)
		(void)set_queue_limit(before);
	for (i = 0; i < WRITERS; i++)
		if ((writers[i] = fork()) == 0)
			change_at_random((unsigned)i + 1, CHANGES);
	for (i = 0; i < WRITERS; i++)
		CHECK(waitpid(writers[i], &status, 0) == writers[i] &&
		      status == 0);
	CHECK(view_wait(view_is_level, NULL));
	CHECK(seen.resyncs >= 1);
	CHECK_STRING(seen.reason, "events were lost");
	/* What follows is told as ever. */
	view_forget();
	CHECK(put_instance("s1", "new", "") == 0);
	CHECK(view_tells("+new passing;"));
	view_end();
}

static void
during_a_storm_the_view_keeps_up(void)
{
	pid_t writers[WRITERS];
	char name[32];
	int i, status, left = WRITERS;
	struct pollfd poller;

	registry_begin();
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		CHECK(put_instance(name, "i0", "") == 0);
	}
	view_begin(NULL, 0, 3600);
	for (i = 0; i < WRITERS; i++)
		if ((writers[i] = fork()) == 0)
			change_at_random((unsigned)i + 1, CHANGES / 10);
	poller.fd = view_descriptor(view);
	poller.events = POLLIN;
	while (left > 0) {
		if (poll(&poller, 1, 100) == 1)
			CHECK(view_update(view, &listener, NULL) == 0);
		if (waitpid(-1, &status, WNOHANG) > 0) {
			CHECK(status == 0);
			left--;
		}
	}
	CHECK(view_wait(view_is_level, NULL));
	view_end();
}

int
main(void)
{
	RUN(a_service_removed_and_made_anew_is_followed);
	RUN(a_service_moved_away_and_back_is_followed);
	RUN(a_service_renamed_is_followed_by_its_place);
	RUN(all_services_renamed_away_and_back_are_followed);
	RUN(a_registry_moved_away_is_an_error_until_it_is_back);
	RUN(another_registry_in_its_place_is_taken);
	RUN(many_services_made_one_after_another_are_followed);
	RUN(a_large_batch_is_listed_once);
	RUN(after_a_storm_of_lost_events_the_view_is_level);
	RUN(during_a_storm_the_view_keeps_up);
	return check_done();
}
