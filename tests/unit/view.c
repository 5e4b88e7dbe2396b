/* The registry in memory: what is told of what happens in the registry. */
#include <signal.h>

#include "view_fixture.h"

static void
the_first_update_lists_all_in_order(void)
{
	const struct instance *instances;
	struct instance_list list = INSTANCE_LIST_INIT;
	size_t count;

	registry_begin();
	CHECK(put_instance("b", "2", "") == 0);
	CHECK(put_instance("b", "1", "") == 0);
	CHECK(put_instance("a", "9", "") == 0);
	view_begin(NULL, 0, 0);
	CHECK_STRING(seen.log, "+9 passing;+1 passing;+2 passing;");
	CHECK(seen.resyncs == 0);
	CHECK(view_service_count(view) == 2);
	CHECK_STRING(view_service(view, 0), "a");
	instances = view_instances(view, "b", &count);
	CHECK(count == 2 && strcmp(instances[1].id, "2") == 0);
	CHECK(view_instances(view, "c", &count) == NULL && count == 0);
	CHECK(view_find(view, "b", "2") == &instances[1]);
	CHECK(view_find(view, "b", "3") == NULL);
	CHECK(view_find(view, "c", "1") == NULL);
	CHECK(view_list(view, &list, NULL) == 0 && list.count == 3);
	CHECK(llabs(list.items[0].heartbeat - time_now()) < 60000);
	free(list.items);
	view_end();
}

static void
records_that_come_change_and_go_are_told_as_pairs(void)
{
	registry_begin();
	view_begin(NULL, 0, 0);
	CHECK_STRING(seen.log, "");
	CHECK(put_instance("s", "a", "") == 0);
	CHECK(view_tells("+a passing;"));
	CHECK(put_instance("s", "a", ",\"meta\":{\"x\":1}") == 0);
	CHECK(view_tells(";a passing;"));
	CHECK(strstr(view_find(view, "s", "a")->record.data, "meta") != NULL);
	view_forget();
	remove_file("services/s/a.json");
	CHECK(view_tells("-a;"));
	CHECK(view_find(view, "s", "a") == NULL);
	CHECK(seen.resyncs == 0 && seen.changes == 1);
	view_end();
}

static void
a_heartbeat_and_a_write_that_changes_nothing_are_told_as_equal(void)
{
	int64_t before;

	registry_begin();
	CHECK(put_instance("s", "a", ",\"lease\":\"ttl\",\"ttl\":60") == 0);
	spool_set_time("services/s/a.json", time(NULL) - 30);
	view_begin(NULL, 0, 0);
	before = view_find(view, "s", "a")->heartbeat;
	CHECK(view_find(view, "s", "a")->age >= 29);
	view_forget();
	CHECK(registry_renew(registry, "s", "a", NULL) == 1);
	CHECK(view_tells("a passing;"));
	CHECK(view_find(view, "s", "a")->heartbeat > before + 25000);
	CHECK(view_find(view, "s", "a")->age < 20);
	/* Two heartbeats within a millisecond are one. */
	spool_set_time("services/s/a.json", time(NULL) - 20);
	CHECK(view_tells("a passing;a passing;"));
	view_forget();
	CHECK(put_instance("s", "a", ",\"lease\":\"ttl\",\"ttl\":60") == 0);
	CHECK(view_tells("a passing;"));
	CHECK(strchr(seen.log, '>') == NULL && strchr(seen.log, '-') == NULL);
	view_end();
}

static void
draining_is_told_and_its_end(void)
{
	registry_begin();
	CHECK(put_instance("s", "a", "") == 0);
	view_begin(NULL, 0, 0);
	CHECK(registry_drain(registry, "s", "a", true, NULL) == 1);
	CHECK(view_tells("a passing>draining;"));
	CHECK(view_find(view, "s", "a")->draining);
	CHECK(registry_drain(registry, "s", "a", false, NULL) == 1);
	CHECK(view_tells("a draining>passing;"));
	view_end();
}

/* A process that holds s/ID by a lock lease until it is killed. */
static pid_t
hold(const char *id)
{
	struct registration registration = {0};
	struct registry_hold *held;
	struct instance instance;
	char record[256];
	int made[2];
	char byte;
	pid_t pid;

	CHECK(pipe(made) == 0);
	pid = fork();
	if (pid != 0) {
		close(made[1]);
		CHECK(read(made[0], &byte, 1) == 1);
		close(made[0]);
		return pid;
	}
	snprintf(record, sizeof(record),
	    "{\"service\":\"s\",\"id\":\"%s\",\"address\":\"h:1\","
	    "\"lease\":\"lock\"}",
	    id);
	registration.instance = &instance;
	if (instance_parse(&instance, record, strlen(record), NULL) == -1 ||
	    registry_hold(registry, &registration, &held, NULL) == -1 ||
	    write(made[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void
a_lock_whose_holder_is_killed_is_told(void)
{
	pid_t one, other;

	registry_begin();
	one = hold("a");
	view_begin(NULL, 0, 0);
	CHECK_STRING(seen.log, "+a passing;");
	other = hold("b");
	CHECK(view_tells("+b passing;"));
	kill(one, SIGKILL);
	CHECK(view_tells("a passing>expired;"));
	CHECK(view_find(view, "s", "b")->status == STATUS_PASSING);
	kill(other, SIGKILL);
	CHECK(view_tells("b passing>expired;"));
	waitpid(one, NULL, 0);
	waitpid(other, NULL, 0);
	view_end();
}

static void
a_hundred_locks_that_end_at_once_are_told(void)
{
	pid_t holders[100];
	char id[16];
	int i;

	registry_begin();
	view_begin(NULL, 0, 0);
	for (i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "h%d", i);
		holders[i] = hold(id);
	}
	CHECK(view_wait(view_is_level, NULL));
	for (i = 0; i < 100; i++)
		kill(holders[i], SIGKILL);
	for (i = 0; i < 100; i++)
		waitpid(holders[i], NULL, 0);
	CHECK(view_wait(view_is_level, NULL));
	CHECK(view_find(view, "s", "h99")->status == STATUS_EXPIRED);
	view_end();
}

static void
a_ttl_that_runs_out_is_told_at_its_time_and_its_renewal(void)
{
	int64_t end;

	registry_begin();
	CHECK(put_instance("s", "a", ",\"lease\":\"ttl\",\"ttl\":1") == 0);
	CHECK(put_instance("s", "b", ",\"lease\":\"ttl\",\"ttl\":90") == 0);
	view_begin(NULL, 0, 0);
	end = view_find(view, "s", "a")->heartbeat + 1000;
	CHECK(view_tells("a passing>expired;"));
	CHECK(time_now() >= end);
	CHECK(view_find(view, "s", "b")->status == STATUS_PASSING);
	CHECK(registry_renew(registry, "s", "a", NULL) == 1);
	CHECK(view_tells("a expired>passing;"));
	CHECK(seen.resyncs == 0);
	view_end();
}

static void
forged_times_expire_once_and_live_no_longer(void)
{
	registry_begin();
	CHECK(put_instance("s", "a", ",\"lease\":\"ttl\",\"ttl\":60") == 0);
	CHECK(put_instance("s", "b", ",\"lease\":\"ttl\",\"ttl\":1") == 0);
	view_begin(NULL, 0, 0);
	spool_set_time("services/s/a.json", 0);
	CHECK(view_tells("a passing>expired;"));
	spool_set_time("services/s/b.json", 4102444800);
	CHECK(view_tells("b passing>expired;"));
	spool_set_time("services/s/a.json", 4102444800);
	CHECK(view_tells("a expired>passing;"));
	view_end();
}

static void
health_is_told_when_it_is_written_and_when_it_ends(void)
{
	registry_begin();
	CHECK(mkdir(spool_path("health"), 0755) == 0);
	CHECK(put_instance("s", "a", "") == 0);
	CHECK(put_instance("s", "b", "") == 0);
	view_begin(NULL, 0, 0);
	view_forget();
	spool_write("health/s",
	    "{\"id\":\"a\",\"status\":\"critical\","
	    "\"utilization\":0.5,\"reason\":\"refused\"}\n");
	CHECK(view_tells("a passing>critical;"));
	CHECK_STRING(view_find(view, "s", "a")->reason, "refused");
	CHECK(view_find(view, "s", "a")->utilization == 0.5);
	CHECK(strstr(seen.log, "b ") == NULL);
	/* It was written 14 seconds ago: in one it is believed no more. */
	spool_set_time("health/s", time(NULL) - 14);
	CHECK(view_tells("a critical>passing;"));
	CHECK(view_find(view, "s", "a")->reason == NULL);
	CHECK(view_find(view, "s", "a")->utilization == 0);
	CHECK(utimensat(AT_FDCWD, spool_path("health/s"), NULL, 0) == 0);
	CHECK(view_tells(";a passing>critical;"));
	remove_file("health/s");
	CHECK(view_tells("a critical>passing;a passing>critical;"
			 "a critical>passing;"));
	view_end();
}

static bool
has_changes(const void *argument)
{
	return seen.changes >= *(const int *)argument;
}

static void
a_touch_of_health_tells_nothing_and_keeps_it_alive(void)
{
	int two = 2;

	registry_begin();
	CHECK(mkdir(spool_path("health"), 0755) == 0);
	CHECK(put_instance("s", "a", "") == 0);
	spool_write("health/s", "{\"id\":\"a\",\"status\":\"critical\"}\n");
	spool_set_time("health/s", time(NULL) - 13);
	view_begin(NULL, 0, 0);
	CHECK_STRING(seen.log, "+a critical;");
	CHECK(utimensat(AT_FDCWD, spool_path("health/s"), NULL, 0) == 0);
	CHECK(put_instance("s", "b", "") == 0);
	CHECK(view_wait(has_changes, &two));
	/* Past the end that it had. */
	CHECK(put_instance("s", "c", ",\"lease\":\"ttl\",\"ttl\":3") == 0);
	CHECK(view_tells("c passing>expired;"));
	CHECK(strstr(seen.log, "critical>") == NULL);
	view_end();
}

static void
only_the_services_asked_for_are_followed(void)
{
	static const char *const names[] = {"a", "c"};

	registry_begin();
	CHECK(put_instance("a", "1", "") == 0);
	CHECK(put_instance("b", "2", "") == 0);
	view_begin(names, 2, 0);
	CHECK_STRING(seen.log, "+1 passing;");
	CHECK(put_instance("b", "3", "") == 0);
	CHECK(put_instance("c", "4", "") == 0);
	CHECK(view_tells("+4 passing;"));
	CHECK(put_instance("a", "5", "") == 0);
	CHECK(view_tells("+5 passing;"));
	CHECK(strstr(seen.log, "3") == NULL && strstr(seen.log, "2") == NULL);
	CHECK(view_service_count(view) == 2);
	view_end();
}

static void
what_stands_in_a_records_place_is_no_record(void)
{
	registry_begin();
	CHECK(put_instance("s", "a", "") == 0);
	CHECK(put_instance("s", "b", "") == 0);
	view_begin(NULL, 0, 0);
	remove_file("services/s/a.json");
	CHECK(mkfifo(spool_path("services/s/a.json"), 0644) == 0);
	CHECK(view_tells("-a;"));
	spool_write("other", "{\"service\":\"s\",\"id\":\"b\","
			     "\"address\":\"h:1\"}");
	remove_file("services/s/b.json");
	CHECK(symlink("../../other", spool_path("services/s/b.json")) == 0);
	CHECK(view_tells("-b;"));
	CHECK(warnings == 2);
	spool_write("services/s/c.json", "{\"service\":\"s\",\"id\":\"d\","
					 "\"address\":\"h:1\"}");
	CHECK(put_instance("s", "e", "") == 0);
	CHECK(view_tells("+e passing;"));
	CHECK(view_find(view, "s", "c") == NULL);
	CHECK(view_find(view, "s", "d") == NULL);
	view_end();
}

static void
a_change_that_no_event_tells_of_is_found(void)
{
	static const char text[] =
	    "{\"service\":\"s\",\"id\":\"a\",\"address\":\"h:2\"}";
	static const char changed[] =
	    "{\"service\":\"s\",\"id\":\"a\",\"address\":\"h:333\"}";
	int fd;

	registry_begin();
	CHECK(put_instance("s", "a", "") == 0);
	/* Who writes into an open file makes no event until he closes it. */
	fd = open(spool_path("services/s/a.json"), O_WRONLY | O_TRUNC);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	view_begin(NULL, 0, 0.2);
	CHECK(view_find(view, "s", "a") != NULL);
	CHECK(pwrite(fd, changed, strlen(changed), 0) ==
	      (ssize_t)strlen(changed));
	CHECK(view_tells(";a passing;"));
	CHECK(strstr(view_find(view, "s", "a")->address, "h:3") != NULL);
	CHECK(seen.resyncs == 1);
	CHECK_STRING(seen.reason, "a listing found what no event told of");
	close(fd);
	view_end();
}

static void
a_clock_that_was_set_is_told_and_all_is_looked_at(void)
{
	registry_begin();
	CHECK(put_instance("s", "a", ",\"lease\":\"ttl\",\"ttl\":60") == 0);
	view_begin(NULL, 0, 0.2);
	CHECK(seen.jumps == 0);
	clock_shift = 3600;
	CHECK(view_tells("a passing>expired;"));
	CHECK(seen.jumps == 1);
	/* The kernel's timer does not know of our clock: an event wakes. */
	clock_shift = -3600;
	CHECK(put_instance("s", "b", "") == 0);
	CHECK(view_tells("a expired>passing;"));
	CHECK(seen.jumps == 2);
	CHECK(view_find(view, "s", "a")->age == 0);
	clock_shift = 0;
	CHECK(put_instance("s", "c", "") == 0);
	CHECK(view_wait(view_is_level, NULL));
	view_end();
}

static void
distrust_lists_all_and_is_told(void)
{
	registry_begin();
	CHECK(put_instance("s", "a", "") == 0);
	view_begin(NULL, 0, 0);
	view_distrust(view);
	CHECK(view_update(view, &listener, NULL) == 0);
	CHECK(seen.resyncs == 1);
	CHECK_STRING(seen.log, "+a passing;");
	view_end();
}

int
main(void)
{
	RUN(the_first_update_lists_all_in_order);
	RUN(records_that_come_change_and_go_are_told_as_pairs);
	RUN(a_heartbeat_and_a_write_that_changes_nothing_are_told_as_equal);
	RUN(draining_is_told_and_its_end);
	RUN(a_lock_whose_holder_is_killed_is_told);
	RUN(a_hundred_locks_that_end_at_once_are_told);
	RUN(a_ttl_that_runs_out_is_told_at_its_time_and_its_renewal);
	RUN(forged_times_expire_once_and_live_no_longer);
	RUN(health_is_told_when_it_is_written_and_when_it_ends);
	RUN(a_touch_of_health_tells_nothing_and_keeps_it_alive);
	RUN(only_the_services_asked_for_are_followed);
	RUN(what_stands_in_a_records_place_is_no_record);
	RUN(a_change_that_no_event_tells_of_is_found);
	RUN(a_clock_that_was_set_is_told_and_all_is_looked_at);
	RUN(distrust_lists_all_and_is_told);
	return check_done();
}
