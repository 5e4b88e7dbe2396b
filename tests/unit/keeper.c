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
	char record[128];

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

int
main(void)
{
	RUN(a_lock_becomes_a_ttl_where_locks_tell_nothing);
	RUN(elsewhere_it_stays_a_lock);
	RUN(a_record_that_is_removed_or_replaced_stays_so);
	RUN(a_drained_id_drains_and_that_is_said);
	return check_done();
}
