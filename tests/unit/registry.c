/* The registry on files: leases, health, hostile files, cursors, waiting. */
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sysexits.h>
#include <time.h>

#include "line/units.h"
#include "registry/cursor.h"
#include "registry/wait.h"
#include "spool_fixture.h"

#define NONE(id) \
	"{\"service\":\"render\",\"id\":\"" id "\",\"address\":\"h:1\"}"
#define TTL(id, ttl)                                                     \
	"{\"service\":\"render\",\"id\":\"" id "\",\"address\":\"h:1\"," \
	"\"lease\":\"ttl\",\"ttl\":" ttl "}"
#define CHECKED(id)                                                      \
	"{\"service\":\"render\",\"id\":\"" id "\",\"address\":\"h:1\"," \
	"\"check\":{\"http\":\"/health\"}}"

/* The status of an instance of "render"; "absent" when there is none. */
static const char *
status_of(struct registry *registry, const char *id)
{
	struct instance instance;
	const char *status = "absent";

	if (registry_get(registry, "render", id, &instance, NULL) == 1) {
		status = status_name(instance.status);
		instance_release(&instance);
	}
	return status;
}

static size_t
count_all(struct registry *registry)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	size_t count;

	CHECK(registry_list(registry, NULL, &list, NULL) == 0);
	count = list.count;
	instance_list_release(&list);
	return count;
}

static void
what_is_registered_is_listed_sorted(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct registry *registry;

	spool_begin();
	registry = spool_open();
	CHECK(spool_register(registry, NONE("b")) == 0);
	CHECK(spool_register(registry, TTL("a", "30")) == 0);
	CHECK(
	    spool_register(registry,
		"{\"service\":\"art\",\"id\":\"z\",\"address\":\"h:1\"}") == 0);
	CHECK(registry_list(registry, NULL, &list, NULL) == 0);
	CHECK(list.count == 3);
	CHECK_STRING(list.items[0].id, "z");
	CHECK_STRING(list.items[1].id, "a");
	CHECK_STRING(list.items[2].id, "b");
	CHECK(list.items[1].age >= 0 && list.items[1].age < 5);
	CHECK(list.items[0].owner != NULL);
	instance_list_release(&list);
	registry_close(registry);
	spool_end();
}

static void
a_registry_that_does_not_exist_is_no_input(void)
{
	struct registry *registry;
	struct svc_error error;
	struct stat st;

	spool_begin();
	CHECK(registry_open(&registry, spool_path("x/y"), false, &error) == -1);
	CHECK(error.code == EX_NOINPUT);
	CHECK(registry_open(&registry, spool_path("x/y"), true, &error) == 0);
	CHECK(
	    stat(spool_path("x/y"), &st) == 0 && (st.st_mode & 07777) == 0700);
	registry_close(registry);
	spool_end();
}

static void
a_place_is_found_in_the_documented_order(void)
{
	struct buffer place = BUFFER_INIT;
	char own[128];

	spool_begin();
	CHECK(registry_place("opt", "env", "/s", "/h", &place, NULL) == 0);
	CHECK_STRING(buffer_string(&place), "opt");
	buffer_clear(&place);
	CHECK(registry_place(NULL, "etcd://h", "/s", "/h", &place, NULL) == 0);
	CHECK_STRING(buffer_string(&place), "etcd://h");
	buffer_clear(&place);
	snprintf(own, sizeof(own), "%s/svckit", spool);
	CHECK(mkdir(own, 0700) == 0);
	CHECK(registry_place("", "", spool, "/h", &place, NULL) == 0);
	CHECK_STRING(buffer_string(&place), own);
	buffer_release(&place);
	spool_end();
}

static void
a_ttl_expires_and_a_heartbeat_revives(void)
{
	struct registry *registry;

	spool_begin();
	registry = spool_open();
	CHECK(spool_register(registry, TTL("a", "30")) == 0);
	CHECK_STRING(status_of(registry, "a"), "passing");
	spool_set_time("services/render/a.json", time(NULL) - 40);
	CHECK_STRING(status_of(registry, "a"), "expired");
	CHECK(registry_renew(registry, "render", "a", NULL) == 1);
	CHECK_STRING(status_of(registry, "a"), "passing");
	CHECK(registry_renew(registry, "render", "b", NULL) == 0);
	registry_close(registry);
	spool_end();
}

static void
a_forged_time_makes_nobody_immortal(void)
{
	struct instance instance;
	struct registry *registry;

	spool_begin();
	registry = spool_open();
	CHECK(spool_register(registry, TTL("a", "30")) == 0);
	spool_set_time("services/render/a.json", 4102444800); /* 2100 */
	CHECK(registry_get(registry, "render", "a", &instance, NULL) == 1);
	CHECK(instance.age >= 0 && instance.age < 5);
	instance_release(&instance);
	spool_set_time("services/render/a.json", 0); /* 1970 */
	CHECK_STRING(status_of(registry, "a"), "expired");
	registry_close(registry);
	spool_end();
}

static int
try_hold(struct registry *registry, const char *id, struct registry_hold **hold,
    struct svc_error *error)
{
	struct registration registration = {0};
	struct instance instance;
	char record[256];
	int status;

	snprintf(record, sizeof(record),
	    "{\"service\":\"render\",\"id\":\"%s\",\"address\":\"h:1\"}", id);
	if (!CHECK(
		instance_parse(&instance, record, strlen(record), error) == 0))
		return -1;
	registration.instance = &instance;
	status = registry_hold(registry, &registration, hold, error);
	instance_release(&instance);
	return status;
}

static void
a_held_instance_is_gone_when_it_is_released(void)
{
	struct registry_hold *hold = NULL, *other = NULL;
	struct registry *registry;
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	CHECK(try_hold(registry, "a", &hold, &error) == 0);
	CHECK(registry_hold_ttl(hold) == 0);
	CHECK_STRING(status_of(registry, "a"), "passing");
	CHECK(try_hold(registry, "a", &other, &error) == -1);
	CHECK(error.code == EX_TEMPFAIL);
	CHECK(strstr(error.message, "held by a living process") != NULL);
	CHECK(spool_register(registry, NONE("a")) == EX_TEMPFAIL);
	CHECK(registry_hold_beat(hold, &error) == 1);
	CHECK(registry_hold_release(hold, &error) == 0);
	CHECK_STRING(status_of(registry, "a"), "absent");
	registry_close(registry);
	spool_end();
}

static void
what_nobody_holds_and_another_boot_are_expired(void)
{
	struct registry_hold *hold = NULL;
	struct registry *registry;
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	CHECK(try_hold(registry, "a", &hold, &error) == 0);
	registry_hold_abandon(hold);
	CHECK_STRING(status_of(registry, "a"), "expired");
	spool_write("services/render/b.json",
	    "{\"service\":\"render\",\"id\":\"b\",\"address\":\"h:1\","
	    "\"lease\":\"lock\",\"boot\":\"another\"}");
	CHECK_STRING(status_of(registry, "b"), "expired");
	CHECK(registry_remove(registry, "render", "b", &error) == 1);
	registry_close(registry);
	spool_end();
}

static void
the_next_registrant_sweeps_the_dead_and_only_them(void)
{
	struct registry_hold *dead = NULL, *alive = NULL, *next = NULL;
	struct registry *registry, *later;
	struct svc_error error;

	spool_begin();
	registry = spool_open();
	CHECK(try_hold(registry, "dead", &dead, &error) == 0);
	CHECK(try_hold(registry, "alive", &alive, &error) == 0);
	CHECK(spool_register(registry, TTL("old", "30")) == 0);
	spool_set_time("services/render/old.json", 0);
	registry_hold_abandon(dead);
	later = spool_open();
	CHECK(try_hold(later, "next", &next, &error) == 0);
	CHECK_STRING(status_of(registry, "dead"), "absent");
	CHECK_STRING(status_of(registry, "alive"), "passing");
	CHECK_STRING(status_of(registry, "old"), "expired");
	registry_hold_abandon(next);
	registry_hold_abandon(alive);
	registry_close(later);
	registry_close(registry);
	spool_end();
}

static void
a_drained_instance_stays_so_until_undrained_or_removed(void)
{
	struct registry *registry;

	spool_begin();
	registry = spool_open();
	CHECK(registry_drain(registry, "render", "a", true, NULL) == 0);
	CHECK(spool_register(registry, NONE("a")) == 0);
	CHECK(registry_drain(registry, "render", "a", true, NULL) == 1);
	CHECK(registry_drain(registry, "render", "a", true, NULL) == 1);
	CHECK_STRING(status_of(registry, "a"), "draining");
	CHECK(spool_register(registry, NONE("a")) == 0);
	CHECK_STRING(status_of(registry, "a"), "draining");
	CHECK(count_all(registry) == 1);
	CHECK(registry_drain(registry, "render", "a", false, NULL) == 1);
	CHECK_STRING(status_of(registry, "a"), "passing");
	CHECK(registry_drain(registry, "render", "a", true, NULL) == 1);
	CHECK(registry_remove(registry, "render", "a", NULL) == 1);
	CHECK(registry_remove(registry, "render", "a", NULL) == 0);
	CHECK(access(spool_path("services/render/a.drain"), F_OK) == -1);
	registry_close(registry);
	spool_end();
}

static void
many_are_removed_at_once_and_each_says_so(void)
{
	struct removal removals[] = {
	    {.id = "a"}, {.id = "none"}, {.id = "../a"}, {.id = "b"}};
	struct registry *registry;

	spool_begin();
	registry = spool_open();
	CHECK(spool_register(registry, NONE("a")) == 0);
	CHECK(spool_register(registry, NONE("b")) == 0);
	CHECK(spool_register(registry, NONE("c")) == 0);
	/* What drains an id that is gone goes with it. */
	spool_write("services/render/none.drain", "");
	registry_remove_batch(registry, "render", removals, 4);
	CHECK(removals[0].result == 1 && removals[3].result == 1);
	CHECK(removals[1].result == 0);
	CHECK(removals[2].result == -1 && removals[2].error.code == EX_USAGE);
	CHECK(access(spool_path("services/render/none.drain"), F_OK) == -1);
	CHECK(count_all(registry) == 1);
	registry_close(registry);
	spool_end();
}

static void
health_is_believed_while_it_is_fresh(void)
{
	struct instance instance;
	struct registry *registry;

	spool_begin();
	registry = spool_open();
	CHECK(spool_register(registry, CHECKED("a")) == 0);
	CHECK(spool_register(registry, CHECKED("b")) == 0);
	CHECK(spool_register(registry, NONE("c")) == 0);
	CHECK_STRING(status_of(registry, "a"), "passing");
	CHECK(mkdir(spool_path("health"), 0755) == 0);
	spool_write("health/render",
	    "{\"id\":\"a\",\"status\":\"critical\",\"utilization\":0.5,"
	    "\"latency_ms\":2.5,\"checked\":\"2026-11-22T10:00:00Z\","
	    "\"reason\":\"connection refused\"}\n");
	CHECK(registry_get(registry, "render", "a", &instance, NULL) == 1);
	CHECK_STRING(status_name(instance.status), "critical");
	CHECK(instance.utilization == 0.5 && instance.latency_ms == 2.5);
	CHECK(instance.checked == 1795341600000);
	CHECK_STRING(instance.reason, "connection refused");
	instance_release(&instance);
	CHECK_STRING(status_of(registry, "b"), "unknown");
	CHECK_STRING(status_of(registry, "c"), "passing");
	spool_set_time("health/render", time(NULL) - 16);
	CHECK_STRING(status_of(registry, "a"), "passing");
	CHECK_STRING(status_of(registry, "b"), "passing");
	registry_close(registry);
	spool_end();
}

static void
a_pinned_utilization_beats_the_observed_one(void)
{
	struct instance instance;
	struct registry *registry;

	spool_begin();
	registry = spool_open();
	CHECK(spool_register(registry,
		  "{\"service\":\"render\",\"id\":\"a\",\"address\":\"h:1\","
		  "\"utilization\":0.25}") == 0);
	CHECK(mkdir(spool_path("health"), 0755) == 0);
	spool_write("health/render",
	    "this is no health\n"
	    "{\"id\":\"a\",\"status\":\"warning\",\"utilization\":0.9}\n");
	CHECK(registry_get(registry, "render", "a", &instance, NULL) == 1);
	CHECK(instance.utilization == 0.25);
	CHECK_STRING(status_name(instance.status), "warning");
	CHECK(warnings == 1);
	instance_release(&instance);
	registry_close(registry);
	spool_end();
}

static void
hostile_files_are_skipped_with_one_warning_each(void)
{
	static char large[70 * 1024];
	struct registry *registry;

	spool_begin();
	registry = spool_open();
	memset(large, ' ', sizeof(large) - 1);
	CHECK(spool_register(registry, NONE("good")) == 0);
	CHECK(mkfifo(spool_path("services/render/fifo.json"), 0644) == 0);
	CHECK(
	    symlink("good.json", spool_path("services/render/link.json")) == 0);
	CHECK(mkdir(spool_path("services/render/dir.json"), 0755) == 0);
	spool_write("services/render/large.json", large);
	spool_write("services/render/other.json", NONE("good"));
	spool_write("services/render/broken.json", "{\"service\":");
	spool_write("services/render/empty.json", "");
	spool_write("services/render/README", "not ours");
	spool_write("services/render/.hidden.json", "{");
	CHECK(count_all(registry) == 1);
	CHECK(warnings == 6);
	CHECK(count_all(registry) == 1);
	CHECK(warnings == 6);
	registry_close(registry);
	spool_end();
}

static void
a_batch_registers_the_good_ones(void)
{
	struct registration registrations[3] = {0};
	struct instance instances[3];
	const char *const records[3] = {NONE("a"),
	    "{\"service\":\"render\",\"id\":\"b\",\"address\":\"h:1\","
	    "\"lease\":\"lock\"}",
	    TTL("c", "5")};
	struct registry *registry;
	struct svc_error error;
	int i;

	spool_begin();
	registry = spool_open();
	for (i = 0; i < 3; i++) {
		CHECK(instance_parse(&instances[i], records[i],
			  strlen(records[i]), NULL) == 0);
		registrations[i].instance = &instances[i];
	}
	CHECK(
	    registry_register_batch(registry, registrations, 3, &error) == -1);
	CHECK(error.code == EX_DATAERR);
	CHECK(registrations[0].error.code == 0);
	CHECK(registrations[1].error.code == EX_DATAERR);
	CHECK(registrations[2].error.code == 0);
	CHECK(count_all(registry) == 2);
	for (i = 0; i < 3; i++)
		instance_release(&instances[i]);
	registry_close(registry);
	spool_end();
}

/* Runs test as a user; what it returns is the exit status. */
static int
as_user(const char *name, int (*test)(void))
{
	struct passwd *user = getpwnam(name);
	int status = 0;
	pid_t pid;

	if (user == NULL)
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) == -1 || setgid(user->pw_gid) == -1 ||
		    setuid(user->pw_uid) == -1)
			_exit(100);
		_exit(test());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
as_nobody(int (*test)(void))
{
	return as_user("nobody", test);
}

static int
register_theirs(void)
{
	struct registry *registry = spool_open();
	int code = spool_register(registry, NONE("root"));

	registry_close(registry);
	return code;
}

static int
register_new_service(void)
{
	struct registry *registry = spool_open();
	int code = spool_register(
	    registry, "{\"service\":\"new\",\"id\":\"a\",\"address\":\"h:1\"}");

	registry_close(registry);
	return code;
}

static int
register_own(void)
{
	struct registry *registry = spool_open();
	int code = spool_register(registry, NONE("nobody"));

	registry_close(registry);
	return code;
}

static int
remove_theirs(void)
{
	struct registry *registry = spool_open();
	struct svc_error error = {.code = 0};

	registry_remove(registry, "render", "root", &error);
	registry_close(registry);
	return error.code;
}

static void
in_a_system_registry_a_record_belongs_to_who_made_it(void)
{
	struct passwd *nobody = getpwnam("nobody");
	struct registry *registry;
	struct instance instance;

	if (geteuid() != 0 || nobody == NULL) {
		SKIP("needs root and a user nobody");
		return;
	}
	spool_begin();
	CHECK(chmod(spool, 0755) == 0);
	registry = spool_open();
	CHECK(registry_create_service(
		  registry, "render", 0, nobody->pw_gid, NULL) == 0);
	CHECK(spool_register(registry, NONE("root")) == 0);
	CHECK(as_nobody(register_own) == 0);
	CHECK(as_nobody(register_theirs) == EX_NOPERM);
	CHECK(as_nobody(remove_theirs) == EX_NOPERM);
	CHECK(as_nobody(register_new_service) == EX_NOPERM);
	CHECK(spool_register(registry, NONE("nobody")) == EX_NOPERM);
	CHECK(registry_get(registry, "render", "nobody", &instance, NULL) == 1);
	CHECK_STRING(instance.owner, "nobody");
	instance_release(&instance);
	registry_close(registry);
	spool_end();
}

/* Holds, registers and replaces an instance whose id is the user's name: 0, or
 * the code of the refusal. */
static int
use_service(void)
{
	struct registry *registry = spool_open();
	struct registration registration = {0};
	struct registry_hold *hold;
	struct instance instance;
	struct svc_error error = {.code = 0};
	char record[128];
	int i;

	umask(077);
	snprintf(record, sizeof(record),
	    "{\"service\":\"render\",\"id\":\"u%lu\",\"address\":\"h:1\"}",
	    (unsigned long)geteuid());
	CHECK(instance_parse(&instance, record, strlen(record), &error) == 0);
	registration.instance = &instance;
	if (registry_hold(registry, &registration, &hold, &error) == 0)
		registry_hold_release(hold, &error);
	instance_release(&instance);
	for (i = 0; i < 2 && error.code == 0; i++)
		error.code = spool_register(registry, record);
	registry_close(registry);
	return error.code;
}

/* The owner need not be in the group, whose members come first here. */
static void
a_service_is_used_by_its_group_and_by_its_owner(void)
{
	struct group *group = getgrnam("daemon");
	struct passwd *owner = getpwnam("nobody");
	struct registry *registry;

	if (geteuid() != 0 || owner == NULL || group == NULL) {
		SKIP("needs root, users nobody and daemon");
		return;
	}
	spool_begin();
	CHECK(chmod(spool, 0755) == 0);
	registry = spool_open();
	CHECK(registry_create_service(
		  registry, "render", owner->pw_uid, group->gr_gid, NULL) == 0);
	CHECK(as_user("daemon", use_service) == 0);
	CHECK(as_user("nobody", use_service) == 0);
	CHECK(as_user("bin", use_service) == EX_NOPERM);
	CHECK(use_service() == 0);
	CHECK(as_user("daemon", use_service) == 0);
	CHECK(count_all(registry) == 3);
	registry_close(registry);
	spool_end();
}

/* Root makes the lock anew for whom it gives the service to. */
static void
a_service_is_given_with_its_lock(void)
{
	struct passwd *nobody = getpwnam("nobody");
	struct registry *registry;
	char theirs[512];
	struct stat st;

	if (geteuid() != 0 || nobody == NULL) {
		SKIP("needs root and a user nobody");
		return;
	}
	spool_begin();
	registry = spool_open();
	CHECK(spool_register(registry, NONE("a")) == 0);
	CHECK(registry_create_service(registry, "render", nobody->pw_uid,
		  nobody->pw_gid, NULL) == 0);
	CHECK(stat(spool_path("services/render/.lock"), &st) == 0 &&
	      st.st_uid == nobody->pw_uid && (st.st_mode & 07777) == 0660);
	/* The same where somebody else has made the directory. */
	CHECK(unlink(spool_path("services/render/.lock")) == 0);
	CHECK(spool_register(registry, NONE("b")) == 0);
	CHECK(stat(spool_path("services/render/.lock"), &st) == 0 &&
	      st.st_uid == nobody->pw_uid && (st.st_mode & 07777) == 0660);
	/* A link to a stranger's file is not given to anybody. */
	spool_write("theirs", "x");
	CHECK(unlink(spool_path("services/render/.lock")) == 0);
	snprintf(theirs, sizeof(theirs), "%s", spool_path("theirs"));
	CHECK(link(theirs, spool_path("services/render/.lock")) == 0);
	CHECK(registry_create_service(registry, "render", nobody->pw_uid,
		  nobody->pw_gid, NULL) == -1);
	CHECK(stat(spool_path("theirs"), &st) == 0 && st.st_uid == 0);
	registry_close(registry);
	spool_end();
}

static void
a_service_is_made_for_its_group(void)
{
	struct registry *registry;
	struct stat st;
	mode_t mask;

	spool_begin();
	registry = spool_open();
	mask = umask(077);
	CHECK(registry_create_service(
		  registry, "render", (uid_t)-1, (gid_t)-1, NULL) == 0);
	umask(mask);
	CHECK(stat(spool_path("services/render"), &st) == 0 &&
	      (st.st_mode & 07777) == 03775);
	registry_close(registry);
	spool_end();
}

static int
two_are_passing(void *argument, const struct instance_list *list)
{
	size_t passing = 0;
	size_t i;

	++*(int *)argument;
	for (i = 0; i < list->count; i++)
		passing += list->items[i].status == STATUS_PASSING;
	return passing == 2;
}

static void
a_wait_ends_when_it_is_enough(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct registry *registry;
	int asked = 0;
	pid_t pid;

	spool_begin();
	registry = spool_open();
	pid = fork();
	if (pid == 0)
		_exit(spool_register(registry, NONE("a")) != 0 ||
		      spool_register(registry, NONE("b")) != 0);
	CHECK(registry_wait(registry, "render", two_are_passing, &asked, 10,
		  &list, NULL) == 1);
	CHECK(list.count == 2 && asked > 0);
	waitpid(pid, NULL, 0);
	instance_list_release(&list);
	registry_close(registry);
	spool_end();
}

static int
none_is_passing(void *argument, const struct instance_list *list)
{
	++*(int *)argument;
	return list->count == 0 || list->items[0].status != STATUS_PASSING;
}

static void
a_wait_sees_a_ttl_run_out_without_polling(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct registry *registry;
	double begun = time_monotonic();
	int asked = 0;

	spool_begin();
	registry = spool_open();
	CHECK(spool_register(registry, TTL("a", "0.2")) == 0);
	CHECK(registry_wait(registry, "render", none_is_passing, &asked, 10,
		  &list, NULL) == 1);
	CHECK(time_monotonic() - begun >= 0.2);
	CHECK(asked <= 6);
	instance_list_release(&list);
	registry_close(registry);
	spool_end();
}

static void
a_wait_sees_a_holder_die(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct registry_hold *hold;
	struct registry *registry;
	struct svc_error error;
	int ready[2];
	int asked = 0;
	char c = 0;
	pid_t pid;

	spool_begin();
	registry = spool_open();
	CHECK(pipe(ready) == 0);
	pid = fork();
	if (pid == 0) {
		c = try_hold(registry, "a", &hold, &error) == 0;
		_exit(write(ready[1], &c, 1) == 1 ? pause() : 1);
	}
	CHECK(read(ready[0], &c, 1) == 1 && c == 1);
	CHECK(registry_wait(registry, "render", none_is_passing, &asked, 0,
		  &list, &error) == 0);
	kill(pid, SIGKILL);
	CHECK(registry_wait(registry, "render", none_is_passing, &asked, 10,
		  &list, &error) == 1);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	instance_list_release(&list);
	registry_close(registry);
	spool_end();
}

static void
the_sentence_says_why_none_is_available(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct buffer why = BUFFER_INIT;
	struct registry *registry;

	spool_begin();
	registry = spool_open();
	instance_list_why(&list, "render", &why);
	CHECK_STRING(buffer_string(&why), "render: no instances");
	CHECK(spool_register(registry, TTL("a", "30")) == 0);
	CHECK(spool_register(registry, NONE("b")) == 0);
	spool_set_time("services/render/a.json", time(NULL) - 240);
	CHECK(registry_drain(registry, "render", "b", true, NULL) == 1);
	CHECK(registry_list(registry, "render", &list, NULL) == 0);
	buffer_clear(&why);
	instance_list_why(&list, "render", &why);
	CHECK_STRING(buffer_string(&why),
	    "render: 2 instances, none available: 1 expired (4m), 1 draining");
	buffer_release(&why);
	instance_list_release(&list);
	registry_close(registry);
	spool_end();
}

/* Chooses the next of 20 ids count times, as 20 processes do at once. */
static int
advance(struct registry *registry, int count)
{
	struct cursor_set *set;
	char id[NAME_MAX_LENGTH + 1];
	char next[24];
	int i;

	if (cursor_set_open(&set, registry, NULL) == -1)
		return 1;
	for (i = 0; i < count; i++) {
		if (cursor_load(set, "render.0", id, NULL) == -1)
			return 1;
		snprintf(next, sizeof(next), "%ld", strtol(id, NULL, 10) + 1);
		if (cursor_store(set, "render.0", next, NULL) == -1 ||
		    cursor_set_commit(set, NULL) == -1)
			return 1;
	}
	cursor_set_close(set);
	return 0;
}

static void
a_cursor_is_exact_over_twenty_processes(void)
{
	struct registry *registry;
	struct cursor_set *set;
	char id[NAME_MAX_LENGTH + 1];
	int status, i;

	spool_begin();
	registry = spool_open();
	for (i = 0; i < 20; i++)
		if (fork() == 0)
			_exit(advance(registry, 25));
	for (i = 0; i < 20; i++)
		CHECK(wait(&status) != -1 && status == 0);
	CHECK(cursor_set_open(&set, registry, NULL) == 0);
	CHECK(cursor_load(set, "render.0", id, NULL) == 0);
	CHECK_STRING(id, "500");
	CHECK(cursor_load(set, "render.1", id, NULL) == 0);
	CHECK_STRING(id, "");
	cursor_set_close(set);
	registry_close(registry);
	spool_end();
}

static void
the_key_of_a_cursor_is_the_set_of_ids(void)
{
	static const char *const two[] = {"a", "b"};
	char key[2 * NAME_MAX_LENGTH], other[2 * NAME_MAX_LENGTH];

	cursor_key("render", two, 2, key);
	cursor_key("render", two, 1, other);
	/* printf 'a\nb\n' | sha256sum */
	CHECK_STRING(key, "render.911169ddaaf146af");
	CHECK(strcmp(key, other) != 0);
}

int
main(void)
{
	RUN(what_is_registered_is_listed_sorted);
	RUN(a_registry_that_does_not_exist_is_no_input);
	RUN(a_place_is_found_in_the_documented_order);
	RUN(a_ttl_expires_and_a_heartbeat_revives);
	RUN(a_forged_time_makes_nobody_immortal);
	RUN(a_held_instance_is_gone_when_it_is_released);
	RUN(what_nobody_holds_and_another_boot_are_expired);
	RUN(the_next_registrant_sweeps_the_dead_and_only_them);
	RUN(a_drained_instance_stays_so_until_undrained_or_removed);
	RUN(many_are_removed_at_once_and_each_says_so);
	RUN(health_is_believed_while_it_is_fresh);
	RUN(a_pinned_utilization_beats_the_observed_one);
	RUN(hostile_files_are_skipped_with_one_warning_each);
	RUN(a_batch_registers_the_good_ones);
	RUN(in_a_system_registry_a_record_belongs_to_who_made_it);
	RUN(a_service_is_used_by_its_group_and_by_its_owner);
	RUN(a_service_is_given_with_its_lock);
	RUN(a_service_is_made_for_its_group);
	RUN(a_wait_ends_when_it_is_enough);
	RUN(a_wait_sees_a_ttl_run_out_without_polling);
	RUN(a_wait_sees_a_holder_die);
	RUN(the_sentence_says_why_none_is_available);
	RUN(a_cursor_is_exact_over_twenty_processes);
	RUN(the_key_of_a_cursor_is_the_set_of_ids);
	return check_done();
}
