/* What is long expired is removed, and nothing that lives. */
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <time.h>

#include "registry/handle.h"
#include "registry/reaper.h"
#include "spool_fixture.h"

#define TTL(id)                                                          \
	"{\"service\":\"render\",\"id\":\"" id "\",\"address\":\"h:1\"," \
	"\"lease\":\"ttl\",\"ttl\":30}"
#define RECORD(id) "services/render/" id ".json"
#define NOBODY	   65534
#define ROUNDS	   6000 /* of the race */

/* What is added to the clocks: how time passes here, and how it is set. */
static long boot_ahead, wall_ahead;

static int removed_count, failed_count, failed_code;

int
clock_gettime(clockid_t clock, struct timespec *now)
{
	long status = syscall(SYS_clock_gettime, clock, now);

	if (clock == CLOCK_BOOTTIME)
		now->tv_sec += boot_ahead;
	if (clock == CLOCK_REALTIME)
		now->tv_sec += wall_ahead;
	return (int)status;
}

static void
note_removed(void *argument, const char *service, const char *id)
{
	CHECK(*service != '\0' && *id != '\0');
	CHECK(argument == &removed_count);
	removed_count++;
}

static void
note_failed(void *argument, const struct svc_error *error)
{
	CHECK(argument == &removed_count && error->message[0] != '\0');
	failed_code = error->code;
	failed_count++;
}

static size_t
run(struct reaper *reaper, bool dry_run)
{
	removed_count = failed_count = failed_code = 0;
	return reaper_run(
	    reaper, dry_run, note_removed, note_failed, &removed_count);
}

/* Lists all, and tells the reaper of each, as one that watches does first. */
static void
sight_all(struct reaper *reaper, struct registry *registry)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	size_t i;

	CHECK(registry_list(registry, NULL, &list, NULL) == 0);
	for (i = 0; i < list.count; i++)
		reaper_sight(reaper, NULL, &list.items[i]);
	instance_list_release(&list);
}

static bool
exists(const char *key)
{
	return access(spool_path(key), F_OK) == 0;
}

static struct reaper *
open_reaper(struct registry *registry)
{
	struct reaper *reaper = NULL;

	if (!CHECK(reaper_open(&reaper, registry, NULL) == 0))
		exit(1);
	return reaper;
}

static struct registry *
begin(struct reaper **reaper)
{
	struct registry *registry;

	spool_begin();
	boot_ahead = wall_ahead = 0;
	registry = spool_open();
	*reaper = open_reaper(registry);
	return registry;
}

static void
end(struct registry *registry, struct reaper *reaper)
{
	reaper_close(reaper);
	registry_close(registry);
	spool_end();
}

/* Registers it, and lets its lease have run out long ago. */
static void
make_expired(struct registry *registry, const char *record, const char *key)
{
	CHECK(spool_register(registry, record) == 0);
	spool_set_time(key, time(NULL) - 1000);
}

static void
what_is_sighted_twice_is_removed_with_its_marker(void)
{
	struct registry *registry;
	struct reaper *reaper;

	registry = begin(&reaper);
	CHECK(reaper_due(reaper) < 0);
	make_expired(registry, TTL("a"), RECORD("a"));
	CHECK(spool_register(registry, TTL("b")) == 0);
	CHECK(registry_drain(registry, "render", "a", true, NULL) == 1);
	CHECK(registry_drain(registry, "render", "b", true, NULL) == 1);
	sight_all(reaper, registry);
	CHECK(reaper_due(reaper) > 20 && reaper_due(reaper) <= 30);
	boot_ahead = 20;
	sight_all(reaper, registry);
	CHECK(run(reaper, false) == 0 && exists(RECORD("a")));
	CHECK(reaper_due(reaper) > 0 && reaper_due(reaper) <= 10);
	boot_ahead = 31;
	CHECK(reaper_due(reaper) == 0);
	CHECK(run(reaper, false) == 1 && removed_count == 1);
	CHECK(!exists(RECORD("a")) && !exists("services/render/a.drain"));
	CHECK(exists(RECORD("b")) && exists("services/render/b.drain"));
	CHECK(reaper_due(reaper) < 0);
	end(registry, reaper);
}

static void
what_is_renewed_or_registered_anew_in_between_stays(void)
{
	struct registry *registry;
	struct reaper *reaper;

	registry = begin(&reaper);
	make_expired(registry, TTL("a"), RECORD("a"));
	make_expired(registry, TTL("b"), RECORD("b"));
	make_expired(registry, TTL("c"), RECORD("c"));
	CHECK(registry_drain(registry, "render", "a", true, NULL) == 1);
	sight_all(reaper, registry);
	CHECK(registry_renew(registry, "render", "a", NULL) == 1);
	CHECK(spool_register(registry, TTL("b")) == 0);
	spool_set_time(RECORD("c"), time(NULL) - 500);
	boot_ahead = 31;
	CHECK(run(reaper, false) == 0 && failed_count == 0);
	CHECK(exists(RECORD("a")) && exists("services/render/a.drain"));
	CHECK(exists(RECORD("b")));
	/* Another heartbeat that is over is sighted for the first time. */
	CHECK(exists(RECORD("c")));
	CHECK(reaper_due(reaper) > 20 && reaper_due(reaper) <= 30);
	boot_ahead = 62;
	CHECK(run(reaper, false) == 1 && !exists(RECORD("c")));
	end(registry, reaper);
}

static void
what_is_told_to_live_or_to_be_gone_is_forgotten(void)
{
	struct instance instance;
	struct registry *registry;
	struct reaper *reaper;

	registry = begin(&reaper);
	make_expired(registry, TTL("a"), RECORD("a"));
	sight_all(reaper, registry);
	CHECK(registry_renew(registry, "render", "a", NULL) == 1);
	sight_all(reaper, registry);
	CHECK(reaper_due(reaper) < 0);
	spool_set_time(RECORD("a"), time(NULL) - 1000);
	sight_all(reaper, registry);
	CHECK(reaper_due(reaper) >= 0);
	CHECK(registry_get(registry, "render", "a", &instance, NULL) == 1);
	reaper_sight(reaper, &instance, NULL);
	CHECK(reaper_due(reaper) < 0);
	instance_release(&instance);
	end(registry, reaper);
}

static void
a_stepped_wall_clock_removes_nothing_that_renews(void)
{
	struct registry *registry;
	struct reaper *reaper;
	int i;

	registry = begin(&reaper);
	CHECK(spool_register(registry, TTL("a")) == 0);
	wall_ahead = 86400;
	sight_all(reaper, registry);
	CHECK(reaper_due(reaper) >= 0);
	wall_ahead = 0;
	boot_ahead = 31;
	CHECK(run(reaper, false) == 0 && reaper_due(reaper) < 0);
	/* A clock that stays ahead of the files: each beat is another. */
	wall_ahead = 86400;
	for (i = 0; i < 4; i++) {
		sight_all(reaper, registry);
		boot_ahead += 31;
		spool_set_time(RECORD("a"), time(NULL) - 10 + i);
		CHECK(run(reaper, false) == 0);
	}
	CHECK(exists(RECORD("a")));
	end(registry, reaper);
}

static void
forged_times_help_nobody_and_harm_only_their_forger(void)
{
	struct registry *registry;
	struct reaper *reaper;

	registry = begin(&reaper);
	CHECK(spool_register(registry, TTL("past")) == 0);
	CHECK(spool_register(registry, TTL("future")) == 0);
	spool_set_time(RECORD("past"), 0);
	spool_set_time(RECORD("future"), 4102444800); /* 2100 */
	sight_all(reaper, registry);
	boot_ahead = 20;
	spool_set_time(RECORD("past"), 0);
	CHECK(run(reaper, false) == 0);
	boot_ahead = 31;
	CHECK(run(reaper, false) == 1);
	CHECK(!exists(RECORD("past")) && exists(RECORD("future")));
	/* ctime cannot be forged: in time that one runs out as all do. */
	wall_ahead = 1000;
	sight_all(reaper, registry);
	boot_ahead = 62;
	CHECK(run(reaper, false) == 1 && !exists(RECORD("future")));
	end(registry, reaper);
}

static struct registry_hold *
hold(struct registry *registry)
{
	const char *record =
	    "{\"service\":\"render\",\"id\":\"held\",\"address\":\"h:1\"}";
	struct registration registration = {0};
	struct registry_hold *held = NULL;
	struct instance instance;

	CHECK(instance_parse(&instance, record, strlen(record), NULL) == 0);
	registration.instance = &instance;
	CHECK(registry_hold(registry, &registration, &held, NULL) == 0);
	instance_release(&instance);
	return held;
}

static void
a_lock_is_removed_when_it_is_dead_and_only_then(void)
{
	struct registry *registry;
	struct reaper *reaper;
	struct registry_hold *held;

	registry = begin(&reaper);
	held = hold(registry);
	/* Taken for one of another boot, and yet somebody holds it. */
	snprintf(registry->boot, sizeof(registry->boot), "another");
	sight_all(reaper, registry);
	CHECK(reaper_due(reaper) > 0 &&
	      reaper_due(reaper) <= REGISTRY_REMOTE_TTL);
	boot_ahead = 16;
	CHECK(run(reaper, false) == 0 && failed_count == 0);
	CHECK(exists(RECORD("held")));
	CHECK(reaper_due(reaper) > 0);
	registry_hold_abandon(held);
	boot_ahead = 32;
	CHECK(run(reaper, false) == 1 && !exists(RECORD("held")));
	end(registry, reaper);
}

static void
a_dry_run_tells_once_a_ttl_and_removes_nothing(void)
{
	struct registry *registry;
	struct reaper *reaper;

	registry = begin(&reaper);
	make_expired(registry, TTL("a"), RECORD("a"));
	sight_all(reaper, registry);
	boot_ahead = 31;
	CHECK(run(reaper, true) == 1 && removed_count == 1);
	CHECK(run(reaper, true) == 0 && removed_count == 0);
	CHECK(reaper_due(reaper) > 20);
	boot_ahead = 62;
	CHECK(run(reaper, true) == 1 && exists(RECORD("a")));
	end(registry, reaper);
}

static void
what_may_not_be_removed_is_told_and_tried_again_later(void)
{
	struct registry *registry;
	struct reaper *reaper;

	registry = begin(&reaper);
	make_expired(registry, TTL("a"), RECORD("a"));
	CHECK(chmod(spool, 0755) == 0);
	CHECK(chmod(spool_path("services"), 0755) == 0);
	CHECK(chmod(spool_path("services/render"), 0777) == 0);
	CHECK(chmod(spool_path(RECORD("a")), 0444) == 0);
	sight_all(reaper, registry);
	boot_ahead = 31;
	CHECK(geteuid() != 0 || seteuid(NOBODY) == 0);
	CHECK(run(reaper, false) == 0 && removed_count == 0);
	CHECK(failed_count == 1 && failed_code == EX_NOPERM);
	CHECK(run(reaper, false) == 0 && failed_count == 0);
	CHECK(getuid() == geteuid() || seteuid(getuid()) == 0);
	CHECK(exists(RECORD("a")));
	CHECK(reaper_due(reaper) > 20 && reaper_due(reaper) <= 30);
	CHECK(chmod(spool_path(RECORD("a")), 0644) == 0);
	sight_all(reaper, registry);
	boot_ahead = 62;
	CHECK(run(reaper, false) == 1 && !exists(RECORD("a")));
	end(registry, reaper);
}

/* A reaper that starts with what another has left. */
static struct reaper *
pass_on(struct registry *registry, const struct reaper *from)
{
	struct reaper *reaper = open_reaper(registry);
	struct buffer text = BUFFER_INIT;
	struct svc_error error = {0};

	reaper_print(from, &text);
	CHECK(json_valid(text.data, text.length));
	CHECK(reaper_parse(reaper, (struct json_span){text.data, text.length},
		  &error) == 0);
	CHECK_STRING(error.message, "");
	buffer_release(&text);
	return reaper;
}

static void
sightings_that_were_kept_count_in_the_next_run(void)
{
	struct registry *registry;
	struct reaper *first, *next, *silent, *other_boot;

	registry = begin(&first);
	make_expired(registry, TTL("a"), RECORD("a"));
	make_expired(registry, TTL("b"), RECORD("b"));
	make_expired(registry, TTL("c"), RECORD("c"));
	sight_all(first, registry);
	next = pass_on(registry, first);
	silent = pass_on(registry, first);
	CHECK(registry_renew(registry, "render", "b", NULL) == 1);
	/* Too early: looked at, and kept. */
	CHECK(reaper_due(silent) == 0 && run(silent, false) == 0);
	CHECK(reaper_due(silent) > 20 && reaper_due(silent) <= 30);
	boot_ahead = 31;
	snprintf(registry->boot, sizeof(registry->boot), "another");
	other_boot = pass_on(registry, next);
	CHECK(reaper_due(other_boot) == 0);
	reaper_close(other_boot);
	sight_all(next, registry);
	CHECK(run(next, false) == 2);
	CHECK(!exists(RECORD("a")) && exists(RECORD("b")));
	CHECK(run(silent, false) == 0 && reaper_due(silent) < 0);
	reaper_close(silent);
	reaper_close(next);
	end(registry, first);
}

static void
what_it_is_not_asked_for_stays_also_when_it_was_sighted(void)
{
	static const char *const services[] = {"none", "render"};
	struct selector *selector = NULL;
	struct registry *registry;
	struct reaper *all, *some;

	registry = begin(&all);
	make_expired(registry, TTL("a"), RECORD("a"));
	make_expired(registry,
	    "{\"service\":\"render\",\"id\":\"b\",\"address\":\"h:1\","
	    "\"lease\":\"ttl\",\"ttl\":30,\"labels\":{\"zone\":\"two\"}}",
	    RECORD("b"));
	make_expired(registry,
	    "{\"service\":\"other\",\"id\":\"c\",\"address\":\"h:1\","
	    "\"lease\":\"ttl\",\"ttl\":30}",
	    "services/other/c.json");
	sight_all(all, registry);
	some = pass_on(registry, all);
	CHECK(selector_parse(&selector, "!zone", NULL) == 0);
	reaper_confine(some, selector, services, 2);
	sight_all(some, registry);
	boot_ahead = 31;
	CHECK(run(some, false) == 1 && reaper_due(some) < 0);
	CHECK(!exists(RECORD("a")) && exists(RECORD("b")));
	CHECK(exists("services/other/c.json"));
	reaper_close(some);
	selector_free(selector);
	end(registry, all);
}

static int
parse(struct reaper *reaper, const char *text, struct svc_error *error)
{
	return reaper_parse(
	    reaper, (struct json_span){text, strlen(text)}, error);
}

static void
sightings_of_another_boot_are_dropped(void)
{
	struct registry *registry;
	struct reaper *reaper;

	registry = begin(&reaper);
	make_expired(registry, TTL("a"), RECORD("a"));
	CHECK(parse(reaper,
		  "{\"boot\":\"another\",\"sightings\":{\"render/a\":"
		  "{\"heartbeat\":1,\"at\":2}}}",
		  NULL) == 0);
	CHECK(reaper_due(reaper) < 0);
	registry->boot[0] = '\0';
	CHECK(parse(reaper,
		  "{\"boot\":\"\",\"sightings\":{\"render/a\":"
		  "{\"heartbeat\":1,\"at\":2}}}",
		  NULL) == 0);
	CHECK(reaper_due(reaper) < 0);
	end(registry, reaper);
}

static void
what_nobody_sighted_is_refused(void)
{
	static const char *const rows[] = {
	    "",
	    "[]",
	    "{}",
	    "{\"boot\":\"x\"}",
	    "{\"boot\":1,\"sightings\":{}}",
	    "{\"boot\":\"x\",\"sightings\":[]}",
	    "{\"boot\":\"x\",\"sightings\":{\"render\":"
	    "{\"heartbeat\":1,\"at\":2}}}",
	    "{\"boot\":\"x\",\"sightings\":{\"../x/a\":"
	    "{\"heartbeat\":1,\"at\":2}}}",
	    "{\"boot\":\"x\",\"sightings\":{\"a/../b\":"
	    "{\"heartbeat\":1,\"at\":2}}}",
	    "{\"boot\":\"x\",\"sightings\":{\"a/b\":1}}",
	    "{\"boot\":\"x\",\"sightings\":{\"a/b\":{\"at\":2}}}",
	    "{\"boot\":\"x\",\"sightings\":{\"a/b\":{\"heartbeat\":1}}}",
	    "{\"boot\":\"x\",\"sightings\":{\"a/b\":"
	    "{\"heartbeat\":\"1\",\"at\":2}}}",
	    "{\"boot\":\"x\",\"sightings\":{\"a/b\":"
	    "{\"heartbeat\":1e400,\"at\":2}}}",
	    "{\"boot\":\"x\",\"sightings\":{\"a/b\":"
	    "{\"heartbeat\":1,\"at\":-2}}}",
	};
	struct registry *registry;
	struct reaper *reaper;
	struct svc_error error;
	size_t i;

	registry = begin(&reaper);
	snprintf(registry->boot, sizeof(registry->boot), "x");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error.code = 0;
		CHECK(parse(reaper, rows[i], &error) == -1);
		if (!CHECK(error.code == EX_DATAERR))
			printf("# %s\n", rows[i]);
	}
	CHECK(reaper_due(reaper) < 0);
	end(registry, reaper);
}

static void
a_sighting_of_the_future_was_one_of_the_present(void)
{
	struct registry *registry;
	struct reaper *reaper;
	struct instance instance;
	char text[256];

	registry = begin(&reaper);
	make_expired(registry, TTL("a"), RECORD("a"));
	CHECK(registry_get(registry, "render", "a", &instance, NULL) == 1);
	snprintf(text, sizeof(text),
	    "{\"boot\":\"%s\",\"sightings\":{\"render/a\":"
	    "{\"heartbeat\":%lld,\"at\":1e15}}}",
	    registry->boot, (long long)instance.heartbeat);
	instance_release(&instance);
	CHECK(parse(reaper, text, NULL) == 0);
	CHECK(run(reaper, false) == 0);
	CHECK(reaper_due(reaper) <= 30);
	boot_ahead = 31;
	CHECK(run(reaper, false) == 1);
	end(registry, reaper);
}

static void
thousands_of_several_services_go_in_one_run(void)
{
	struct registry *registry;
	struct reaper *reaper;
	char record[160], key[64];
	int i;

	registry = begin(&reaper);
	for (i = 0; i < 2000; i++) {
		snprintf(record, sizeof(record),
		    "{\"service\":\"s%d\",\"id\":\"i%d\",\"address\":\"h:1\","
		    "\"lease\":\"ttl\",\"ttl\":30}",
		    i % 7, i);
		snprintf(key, sizeof(key), "services/s%d/i%d.json", i % 7, i);
		make_expired(registry, record, key);
	}
	CHECK(spool_register(registry, TTL("a")) == 0);
	sight_all(reaper, registry);
	boot_ahead = 31;
	CHECK(run(reaper, false) == 2000 && removed_count == 2000);
	CHECK(exists(RECORD("a")) && !exists("services/s0/i0.json"));
	CHECK(reaper_due(reaper) < 0);
	end(registry, reaper);
}

struct race {
	_Atomic bool over;
	_Atomic int removed;
	_Atomic int errors;
};
static struct race *race;

static void
count_race_removed(void *argument, const char *service, const char *id)
{
	(void)argument;
	(void)service;
	(void)id;
	race->removed++;
}

static void
count_race_failed(void *argument, const struct svc_error *error)
{
	(void)argument;
	fprintf(stderr, "# %s\n", error->message);
	race->errors++;
}

/* For it a ttl goes by between any two looks. */
static void
reap_until_over(void)
{
	struct registry *registry = spool_open();
	struct reaper *reaper = open_reaper(registry);

	while (!race->over) {
		sight_all(reaper, registry);
		boot_ahead += 31;
		reaper_run(
		    reaper, false, count_race_removed, count_race_failed, NULL);
	}
	reaper_close(reaper);
	registry_close(registry);
}

/* Comes to life in one of three ways: whether it lives by what it was told. */
static bool
come_to_life(struct registry *registry, int round)
{
	if (round % 3 == 0)
		return spool_register(registry, TTL("a")) == 0;
	return registry_renew(registry, "render", "a", NULL) == 1;
}

/* A reaper may take it away for an instant, to see whether it lives. */
static bool
stays(const char *key)
{
	double deadline = time_monotonic() + 5;

	while (!exists(key))
		if (time_monotonic() > deadline)
			return false;
	return true;
}

static void
nothing_alive_is_ever_removed(void)
{
	static const struct timespec past[2] = {{0, 0}, {0, 0}};
	struct registry *registry;
	struct reaper *reaper;
	int lost = 0, lived = 0;
	int i, looks;
	pid_t pid;

	registry = begin(&reaper);
	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(race != MAP_FAILED);
	CHECK(spool_register(registry, TTL("a")) == 0);
	pid = fork();
	if (pid == 0) {
		reap_until_over();
		_exit(0);
	}
	for (i = 0; lost == 0 && (i < ROUNDS || race->removed == 0); i++) {
		if (!come_to_life(registry, i))
			continue;
		lived++;
		for (looks = 0; looks < 20 && lost == 0; looks++)
			lost += !stays(RECORD("a"));
		utimensat(AT_FDCWD, spool_path(RECORD("a")), past, 0);
		for (looks = 0; looks < i % 97; looks++)
			exists(RECORD("a"));
	}
	race->over = true;
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(lost == 0 && lived > 0 && race->errors == 0);
	printf("# lived %d times, removed %d times\n", lived, race->removed);
	munmap(race, sizeof(*race));
	end(registry, reaper);
}

int
main(void)
{
	RUN(what_is_sighted_twice_is_removed_with_its_marker);
	RUN(what_is_renewed_or_registered_anew_in_between_stays);
	RUN(what_is_told_to_live_or_to_be_gone_is_forgotten);
	RUN(a_stepped_wall_clock_removes_nothing_that_renews);
	RUN(forged_times_help_nobody_and_harm_only_their_forger);
	RUN(a_lock_is_removed_when_it_is_dead_and_only_then);
	RUN(a_dry_run_tells_once_a_ttl_and_removes_nothing);
	RUN(what_may_not_be_removed_is_told_and_tried_again_later);
	RUN(sightings_that_were_kept_count_in_the_next_run);
	RUN(what_it_is_not_asked_for_stays_also_when_it_was_sighted);
	RUN(sightings_of_another_boot_are_dropped);
	RUN(what_nobody_sighted_is_refused);
	RUN(a_sighting_of_the_future_was_one_of_the_present);
	RUN(thousands_of_several_services_go_in_one_run);
	RUN(nothing_alive_is_ever_removed);
	return check_done();
}
