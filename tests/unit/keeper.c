/*
 * Keeping an instance without an event loop, also where locks do not tell of
 * processes: this program's own fstatfs(2) says which file system it is.
 */
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <time.h>

#include "registry/keeper.h"
#include "spool_fixture.h"
#include "store/file_lock.h"

static bool remote; /* what fstatfs(2) says */
static char noticed[256];

/* What the library calls instead of libc's. */
int
fstatfs(int descriptor, struct statfs *fs)
{
	int status = (int)syscall(SYS_fstatfs, descriptor, fs);

	if (status == 0 && remote)
		fs->f_type = NFS_SUPER_MAGIC;
	return status;
}

static void
note(void *argument, const char *message)
{
	(void)argument;
	snprintf(noticed, sizeof(noticed), "%s", message);
}

/* Keeps "a" of "render" by a lease of this kind; exits when that fails. */
static struct keeper *
keep(struct registry *registry, const char *lease)
{
	struct keeper_options options = {.notice = note};
	struct registration registration = {0};
	struct keeper *keeper = NULL;
	struct instance instance;
	static char record[2 * INSTANCE_RECORD_MAX];

	noticed[0] = '\0';
	snprintf(record, sizeof(record),
	    "{\"service\":\"render\",\"id\":\"a\",\"address\":\"h:1\",%s}",
	    lease);
	if (!CHECK(
		instance_parse(&instance, record, strlen(record), NULL) == 0))
		exit(1);
	registration.instance = &instance;
	if (!CHECK(keeper_open(
		       &keeper, registry, &registration, &options, NULL) == 0))
		exit(1);
	instance_release(&instance);
	return keeper;
}

static double
age(struct registry *registry)
{
	struct instance instance;
	double seconds;

	if (registry_get(registry, "render", "a", &instance, NULL) != 1)
		return -1;
	seconds = instance.age;
	instance_release(&instance);
	return seconds;
}

/* The lease that the record has in the registry. */
static enum instance_lease
stored_lease(struct registry *registry)
{
	struct instance instance;
	enum instance_lease lease = LEASE_NONE;

	if (registry_get(registry, "render", "a", &instance, NULL) == 1) {
		lease = instance.lease;
		instance_release(&instance);
	}
	return lease;
}

static void
a_lock_becomes_a_ttl_where_locks_tell_nothing(void)
{
	struct registry *registry;
	struct keeper *keeper;

	spool_begin();
	remote = true;
	registry = spool_open();
	keeper = keep(registry, "\"lease\":\"lock\"");
	CHECK(keeper_ttl(keeper) == REGISTRY_REMOTE_TTL);
	CHECK(keeper_interval(keeper) * 3 == REGISTRY_REMOTE_TTL);
	CHECK(stored_lease(registry) == LEASE_TTL);
	spool_set_time("services/render/a.json", time(NULL) - 10);
	CHECK(age(registry) >= 9);
	CHECK(keeper_check(keeper) == 1);
	CHECK(age(registry) >= 0 && age(registry) < 9);
	CHECK(keeper_close(keeper, NULL) == 0);
	CHECK(age(registry) == -1);
	registry_close(registry);
	remote = false;
	spool_end();
}

static void
elsewhere_it_stays_a_lock(void)
{
	struct registry *registry;
	struct keeper *keeper;

	spool_begin();
	registry = spool_open();
	keeper = keep(registry, "\"lease\":\"lock\"");
	CHECK(keeper_ttl(keeper) == 0);
	CHECK(stored_lease(registry) == LEASE_LOCK);
	CHECK(keeper_check(keeper) == 1);
	CHECK(keeper_close(keeper, NULL) == 0);
	CHECK(age(registry) == -1);
	registry_close(registry);
	spool_end();
}

static void
a_record_that_is_removed_or_replaced_stays_so(void)
{
	static const char *leases[] = {
	    "\"lease\":\"lock\"", "\"lease\":\"ttl\",\"ttl\":60"};
	struct registry *registry;
	struct keeper *keeper;
	size_t i;

	for (i = 0; i < 4; i++) {
		spool_begin();
		remote = i < 2;
		registry = spool_open();
		keeper = keep(registry, leases[i % 2]);
		CHECK(unlink(spool_path("services/render/a.json")) == 0);
		CHECK(spool_register(registry,
			  "{\"service\":\"render\",\"id\":\"a\","
			  "\"address\":\"other:1\"}") == 0);
		CHECK(keeper_check(keeper) == 0);
		CHECK(strstr(noticed, "removed or replaced") != NULL);
		noticed[0] = '\0';
		CHECK(keeper_check(keeper) == 0);
		CHECK_STRING(noticed, "");
		CHECK(keeper_close(keeper, NULL) == 0);
		/* The other's record is none of ours. */
		CHECK(age(registry) >= 0);
		registry_close(registry);
		spool_end();
	}
	remote = false;
}

static void
a_drained_id_drains_and_that_is_said(void)
{
	static const char *leases[] = {
	    "\"lease\":\"lock\"", "\"lease\":\"ttl\",\"ttl\":60"};
	struct registry *registry;
	struct keeper *keeper;
	size_t i;

	for (i = 0; i < 2; i++) {
		spool_begin();
		registry = spool_open();
		keeper = keep(registry, leases[i]);
		CHECK_STRING(noticed, "");
		CHECK(registry_drain(registry, "render", "a", true, NULL) == 1);
		CHECK(keeper_close(keeper, NULL) == 0);
		keeper = keep(registry, leases[i]);
		CHECK(strstr(noticed, "render/a: drains") != NULL);
		CHECK(keeper_close(keeper, NULL) == 0);
		registry_close(registry);
		spool_end();
	}
}

/* The file as it is. */
static const char *
stored(void)
{
	static char text[1024];
	FILE *file = fopen(spool_path("services/render/a.json"), "re");
	size_t length = 0;

	if (file != NULL) {
		length = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[length] = '\0';
	return text;
}

/* The load in the registry; negative: nobody has reported any. */
static double
load(struct registry *registry)
{
	struct instance instance;
	double utilization = -1;

	if (registry_get(registry, "render", "a", &instance, NULL) != 1)
		return -2;
	CHECK_STRING(status_name(instance.status), "passing");
	if (instance.reported != 0)
		utilization = instance.utilization;
	instance_release(&instance);
	return utilization;
}

/* The leases: a lock, a ttl, and a lock that a remote place makes a ttl. */
static const struct {
	bool remote;
	const char *lease;
} kinds[] = {
    {false, "\"lease\":\"lock\""},
    {false, "\"lease\":\"ttl\",\"ttl\":60"},
    {true, "\"lease\":\"lock\""},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void
load_is_reported_in_the_record_and_nothing_else_changes(void)
{
	struct registry *registry;
	struct keeper *keeper;
	char before[1024];
	size_t i;

	for (i = 0; i < KINDS; i++) {
		spool_begin();
		remote = kinds[i].remote;
		registry = spool_open();
		keeper = keep(registry, kinds[i].lease);
		snprintf(before, sizeof(before), "%s", stored());
		CHECK(load(registry) == -1);
		CHECK(keeper_report(keeper, -1, 100) == 1);
		CHECK_STRING(stored(), before);
		CHECK(keeper_report(keeper, 0.421, 100) == 1);
		CHECK(load(registry) == 0.421);
		/* Less its last "}" and LF, it begins as it was. */
		CHECK(strncmp(stored(), before, strlen(before) - 2) == 0);
		CHECK(keeper_report(keeper, 0.9, 102) == 1);
		CHECK(keeper_report(keeper, 0.43, 105) == 1);
		CHECK(load(registry) == 0.421);
		CHECK(keeper_report(keeper, 0.9, 110) == 1);
		CHECK(keeper_report(keeper, 0, 115) == 1);
		CHECK(load(registry) == 0);
		CHECK(keeper_check(keeper) == 1);
		CHECK_STRING(noticed, "");
		CHECK(keeper_close(keeper, NULL) == 0);
		CHECK(age(registry) == -1);
		registry_close(registry);
		spool_end();
	}
	remote = false;
}

static void
a_record_that_is_removed_or_replaced_gets_no_load(void)
{
	static const char other[] = "{\"service\":\"render\",\"id\":\"a\","
				    "\"address\":\"http://other:1/task\"}";
	struct registry *registry;
	struct keeper *keeper;
	size_t i;

	for (i = 0; i < 2 * KINDS; i++) {
		spool_begin();
		remote = kinds[i / 2].remote;
		registry = spool_open();
		keeper = keep(registry, kinds[i / 2].lease);
		CHECK(keeper_report(keeper, 0.5, 100) == 1);
		CHECK(unlink(spool_path("services/render/a.json")) == 0);
		if (i % 2 == 1)
			spool_write("services/render/a.json", other);
		CHECK(keeper_report(keeper, 0.9, 110) == 0);
		CHECK_STRING(stored(), i % 2 == 1 ? other : "");
		CHECK(strstr(noticed, "removed or replaced") != NULL);
		noticed[0] = '\0';
		CHECK(keeper_report(keeper, 0.1, 120) == 0);
		CHECK_STRING(noticed, "");
		CHECK(keeper_close(keeper, NULL) == 0);
		CHECK_STRING(stored(), i % 2 == 1 ? other : "");
		registry_close(registry);
		spool_end();
	}
	remote = false;
}

static void
a_pinned_utilization_is_not_reported_over(void)
{
	struct registry *registry;
	struct keeper *keeper;
	char before[1024], lease[128];
	size_t i;

	for (i = 0; i < KINDS; i++) {
		spool_begin();
		remote = kinds[i].remote;
		registry = spool_open();
		snprintf(lease, sizeof(lease), "%s,\"utilization\":0.25",
		    kinds[i].lease);
		keeper = keep(registry, lease);
		snprintf(before, sizeof(before), "%s", stored());
		CHECK(keeper_report(keeper, 0.9, 100) == 1);
		CHECK_STRING(stored(), before);
		CHECK(keeper_close(keeper, NULL) == 0);
		registry_close(registry);
		spool_end();
	}
	remote = false;
}

static void
a_heartbeat_and_a_drain_of_others_do_not_stop_the_reports(void)
{
	struct registry *registry;
	struct keeper *keeper;
	struct instance instance;

	spool_begin();
	registry = spool_open();
	keeper = keep(registry, kinds[1].lease);
	CHECK(keeper_report(keeper, 0.5, 100) == 1);
	CHECK(registry_renew(registry, "render", "a", NULL) == 1);
	CHECK(registry_drain(registry, "render", "a", true, NULL) == 1);
	CHECK(keeper_report(keeper, 0.9, 110) == 1);
	CHECK(registry_get(registry, "render", "a", &instance, NULL) == 1);
	CHECK(instance.utilization == 0.9 && instance.draining);
	instance_release(&instance);
	CHECK(keeper_close(keeper, NULL) == 0);
	registry_close(registry);
	spool_end();
}

static void
what_a_prober_says_of_the_load_beats_what_was_reported(void)
{
	struct registry *registry;
	struct keeper *keeper;
	struct instance instance;

	spool_begin();
	registry = spool_open();
	keeper = keep(registry, kinds[0].lease);
	CHECK(keeper_report(keeper, 0.5, 100) == 1);
	CHECK(mkdir(spool_path("health"), 0755) == 0);
	spool_write("health/render", "{\"id\":\"a\",\"status\":\"passing\"}\n");
	CHECK(load(registry) == 0.5);
	spool_write("health/render",
	    "{\"id\":\"a\",\"status\":\"passing\",\"utilization\":0.9}\n");
	CHECK(registry_get(registry, "render", "a", &instance, NULL) == 1);
	CHECK(instance.utilization == 0.9 && instance.reported == 0);
	instance_release(&instance);
	CHECK(keeper_close(keeper, NULL) == 0);
	registry_close(registry);
	spool_end();
}

static void
who_opened_the_record_before_a_report_still_finds_it_held(void)
{
	struct registry *registry;
	struct keeper *keeper;
	int fd;

	spool_begin();
	registry = spool_open();
	keeper = keep(registry, kinds[0].lease);
	fd = open(spool_path("services/render/a.json"), O_RDONLY | O_CLOEXEC);
	CHECK(file_lock_held(fd));
	CHECK(keeper_report(keeper, 0.5, 100) == 1);
	CHECK(file_lock_held(fd));
	CHECK(keeper_report(keeper, 0.9, 110) == 1);
	CHECK(keeper_close(keeper, NULL) == 0);
	CHECK(!file_lock_held(fd));
	(void)close(fd);
	registry_close(registry);
	spool_end();
}

static void
a_record_that_load_would_make_too_large_stays_as_it_is(void)
{
	static char lease[INSTANCE_RECORD_MAX];
	struct registry *registry;
	struct keeper *keeper;
	size_t used;

	used = (size_t)snprintf(
	    lease, sizeof(lease), "\"lease\":\"lock\",\"meta\":{\"x\":\"");
	memset(lease + used, 'x', INSTANCE_RECORD_MAX - 110 - used);
	snprintf(lease + INSTANCE_RECORD_MAX - 110, 4, "\"}");
	spool_begin();
	registry = spool_open();
	keeper = keep(registry, lease);
	CHECK(load(registry) == -1);
	CHECK(keeper_report(keeper, 0.5, 100) == 1);
	CHECK(load(registry) == -1);
	CHECK(strstr(noticed, "its load cannot be reported") != NULL);
	noticed[0] = '\0';
	CHECK(keeper_report(keeper, 0.9, 110) == 1);
	CHECK_STRING(noticed, "");
	CHECK(keeper_close(keeper, NULL) == 0);
	registry_close(registry);
	spool_end();
}

int
main(void)
{
	RUN(a_lock_becomes_a_ttl_where_locks_tell_nothing);
	RUN(elsewhere_it_stays_a_lock);
	RUN(a_record_that_is_removed_or_replaced_stays_so);
	RUN(a_drained_id_drains_and_that_is_said);
	RUN(load_is_reported_in_the_record_and_nothing_else_changes);
	RUN(a_record_that_is_removed_or_replaced_gets_no_load);
	RUN(a_pinned_utilization_is_not_reported_over);
	RUN(a_heartbeat_and_a_drain_of_others_do_not_stop_the_reports);
	RUN(what_a_prober_says_of_the_load_beats_what_was_reported);
	RUN(who_opened_the_record_before_a_report_still_finds_it_held);
	RUN(a_record_that_load_would_make_too_large_stays_as_it_is);
	return check_done();
}
