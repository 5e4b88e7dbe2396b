/* The names of the queue's files, and putting tasks into it. */
#include <errno.h>
#include <signal.h>

#include "queue_fixture.h"
#include "registry/queue_look.h"
#include "store_fault.h"

#define LONG_ID                                                            \
	"a234567890123456789012345678901234567890123456789012345678901234" \
	"b234567890123456789012345678901234567890123456789012345678901234"

/* A store of a queue of its own. */
static struct store *
begin(void)
{
	struct svc_error error;
	struct store *store = open_store();

	CHECK(queue_create(store, &error) == 0);
	return store;
}

static void
keys_are_read_as_they_are_written(void)
{
	static const struct queue_place places[] = {
	    {QUEUE_WAITING, "t1.3", 0, ""},
	    {QUEUE_WAITING, "a.0", 2, ""},
	    {QUEUE_WAITING, "0", 3, ""},
	    {QUEUE_HELD, "a.b.0.1", 1, ""},
	    {QUEUE_HELD, LONG_ID, 3, ""},
	    {QUEUE_RUNNING, "t1.3", 2, "web1-411-k2.8"},
	    {QUEUE_RUNNING, LONG_ID, 0, LONG_ID},
	    {QUEUE_DONE, "t1.3", 0, ""},
	    {QUEUE_FAILED, LONG_ID, 0, ""},
	};
	struct queue_place place;
	char key[QUEUE_KEY_MAX];
	size_t i;

	CHECK(strlen(LONG_ID) == NAME_MAX_LENGTH);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		queue_key(&places[i], key);
		CHECK(queue_place_read(&place, key));
		CHECK(place.state == places[i].state);
		CHECK(place.claims == places[i].claims);
		CHECK_STRING(place.id, places[i].id);
		CHECK_STRING(place.claimant, places[i].claimant);
	}
}

static void
foreign_names_are_no_places(void)
{
	static const char *const keys[] = {"", "tasks", "tasks/new", "new/t1.0",
	    "tasks/ids/t1", "tasks/corrupt/t1.0", "tasks/claimants/c",
	    "tasks/new/sub/t1.0", "tasks/new/t1", "tasks/new/t1.",
	    "tasks/new/.0", "tasks/new/t1.01", "tasks/new/t1.-1",
	    "tasks/new/t1.+1", "tasks/new/t1.0x", "tasks/new/t1.4",
	    "tasks/new/t1.99999999999999999999", "tasks/new/-t1.0",
	    "tasks/new/t 1.0", "tasks/new/" LONG_ID "x.0", "tasks/new/t1.0@c",
	    "tasks/held/t1", "tasks/running/t1.0", "tasks/running/t1.0@",
	    "tasks/running/t1@c", "tasks/running/@c", "tasks/running/t1.0@c@d",
	    "tasks/running/t1.0@" LONG_ID "x", "tasks/done/", "tasks/done/t@1",
	    "tasks/done/.t1", "tasks/failed/" LONG_ID "x"};
	struct queue_place place;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!CHECK(!queue_place_read(&place, keys[i])))
			printf("# %s\n", keys[i]);
}

static void
a_state_is_found_by_its_name(void)
{
	int state;

	for (state = QUEUE_WAITING; state < QUEUE_STATE_COUNT; state++)
		CHECK((int)queue_state_find(
			  queue_state_name((enum queue_state)state)) == state);
	CHECK(queue_state_find("absent") == QUEUE_ABSENT);
	CHECK(queue_state_find("Waiting") == QUEUE_ABSENT);
	CHECK(queue_state_find("") == QUEUE_ABSENT);
}

static int
count_place(void *argument, const struct queue_place *place,
    const struct store_entry *entry, struct svc_error *error)
{
	size_t *count = argument;

	(void)error;
	CHECK(place->state != QUEUE_ABSENT && place->id[0] != '\0');
	CHECK(entry == NULL || entry->length > 0);
	(*count)++;
	return 0;
}

static void
count_skipped(void *argument, const char *key, const char *why)
{
	(void)argument;
	CHECK(key != NULL && why != NULL);
	warnings++;
}

/* How many tasks are listed. */
static size_t
list(struct store *store, unsigned states, bool values)
{
	struct svc_error error;
	size_t count = 0;
	struct queue_list request = {.states = states,
	    .values = values,
	    .fn = count_place,
	    .skip = count_skipped,
	    .argument = &count};

	CHECK(queue_list(store, &request, &error) == 0);
	return count;
}

#define ALL (QUEUE_STATES_OPEN | QUEUE_STATES_ENDED)

static void
where_there_is_no_queue_there_is_nothing(void)
{
	struct store *store = open_store();
	struct queue_place place;
	struct svc_error error;
	struct stat st;

	CHECK(list(store, ALL, true) == 0 && list(store, ALL, false) == 0);
	CHECK(queue_look(store, "t1", &place, &error) == 0);
	CHECK(place.state == QUEUE_ABSENT);
	CHECK(
	    queue_change(store, "t1", QUEUE_PURGE, false, &place, &error) == 0);
	CHECK(stat(spool_path("tasks"), &st) == -1);
	CHECK(warnings == 0);
	close_store(store);
}

static void
the_directories_are_the_owners_alone(void)
{
	static const char *const directories[] = {"tasks", "tasks/ids",
	    "tasks/new", "tasks/held", "tasks/running", "tasks/done",
	    "tasks/failed", "tasks/corrupt", "tasks/claimants"};
	struct store *store = begin();
	struct svc_error error;
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		CHECK(stat(spool_path(directories[i]), &st) == 0 &&
		      (st.st_mode & 07777) == 0700 && st.st_uid == geteuid());
	CHECK(chmod(spool_path("tasks/new"), 0750) == 0);
	CHECK(queue_create(store, &error) == 0);
	CHECK(stat(spool_path("tasks/new"), &st) == 0 &&
	      (st.st_mode & 07777) == 0750);
	close_store(store);
}

static void
what_root_makes_belongs_to_the_owner_of_the_registry(void)
{
	struct store *store = open_store();
	struct svc_error error;
	struct stat st;

	if (geteuid() != 0) {
		SKIP("needs root");
	} else {
		CHECK(chown(spool, 4711, 4711) == 0);
		CHECK(queue_create(store, &error) == 0);
		CHECK(stat(spool_path("tasks/new"), &st) == 0);
		CHECK(st.st_uid == 4711 && (st.st_mode & 07777) == 0700);
		CHECK(stat(spool_path("tasks"), &st) == 0);
		CHECK(st.st_uid == 4711);
	}
	close_store(store);
}

/* The answer; what there is to say of the place is in *item. */
static enum queue_answer
submit(struct store *store, struct queue_item *item, const char *id,
    const char *line)
{
	struct svc_error error;
	int status;

	*item =
	    (struct queue_item){.id = id, .line = line, .length = strlen(line)};
	status = queue_submit(store, item, 1, &error);
	CHECK((status == -1) == (item->answer == QUEUE_REFUSED));
	return item->answer;
}

static void
what_is_accepted_waits_and_its_id_keeps_the_line(void)
{
	struct store *store = begin();
	struct queue_item item;
	struct stat id, waits;

	CHECK(submit(store, &item, "t1.3", "{1}\n") == QUEUE_ACCEPTED);
	CHECK(item.place.state == QUEUE_WAITING && item.place.claims == 0);
	CHECK_STRING(item.place.id, "t1.3");
	CHECK(queue_has("ids/t1.3", "{1}\n"));
	CHECK(stat(spool_path("tasks/ids/t1.3"), &id) == 0);
	CHECK(stat(spool_path("tasks/new/t1.3.0"), &waits) == 0);
	CHECK(id.st_ino == waits.st_ino && id.st_nlink == 2);
	CHECK(submit(store, &item, LONG_ID, "{2}\n") == QUEUE_ACCEPTED);
	CHECK(queue_has("new/" LONG_ID ".0", "{2}\n"));
	close_store(store);
}

static void
what_is_to_be_held_never_waits(void)
{
	struct store *store = begin();
	struct queue_item item = {
	    .id = "a.0", .line = "{1}\n", .length = 4, .hold = true};
	struct svc_error error;

	CHECK(queue_submit(store, &item, 1, &error) == 0);
	CHECK(item.answer == QUEUE_ACCEPTED && item.place.state == QUEUE_HELD);
	CHECK(queue_has("held/a.0.0", "{1}\n") && queue_files("new") == 0);
	close_store(store);
}

static void
a_line_is_known_and_an_id_taken_wherever_the_task_is(void)
{
	static const char *const places[] = {"tasks/new/t.0", "tasks/held/t.0",
	    "tasks/new/t.2", "tasks/running/t.2@c", "tasks/done/t",
	    "tasks/failed/t"};
	struct store *store = begin();
	struct queue_place place;
	struct queue_item item;
	struct svc_error error;
	size_t i;

	CHECK(submit(store, &item, "t", "{1}\n") == QUEUE_ACCEPTED);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (i > 0)
			CHECK(store_move(store, places[i - 1], places[i],
				  i > 3 ? "{ended}\n" : NULL, i > 3 ? 8 : 0,
				  &error) == 1);
		CHECK(queue_place_read(&place, places[i]));
		CHECK(submit(store, &item, "t", "{1}\n") == QUEUE_KNOWN);
		CHECK(item.place.state == place.state);
		CHECK(submit(store, &item, "t", "{2}\n") == QUEUE_TAKEN);
		CHECK(item.place.state == place.state);
	}
	CHECK(queue_has("ids/t", "{1}\n"));
	CHECK(queue_files("new") + queue_files("held") == 0);
	close_store(store);
}

#define MANY 2500

static void
of_one_id_in_a_batch_the_first_counts(void)
{
	static struct queue_item items[MANY];
	static char ids[MANY][16], lines[MANY][32];
	struct store *store = begin();
	struct svc_error error;
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(ids[i], sizeof(ids[i]), "t.%d", i % 2000);
		snprintf(lines[i], sizeof(lines[i]), "{%d}\n",
		    i % 2 == 0 ? i % 2000 : i);
		items[i] = (struct queue_item){
		    .id = ids[i], .line = lines[i], .length = strlen(lines[i])};
	}
	CHECK(queue_submit(store, items, MANY, &error) == 0);
	for (i = 0; i < MANY; i++)
		CHECK(items[i].answer == (i < 2000	  ? QUEUE_ACCEPTED
					     : i % 2 == 0 ? QUEUE_KNOWN
							  : QUEUE_TAKEN));
	CHECK(queue_files("ids") == 2000 && queue_files("new") == 2000);
	CHECK(queue_has("new/t.1.0", "{1}\n"));
	close_store(store);
}

/* A submitter that died between both names. */
static void
an_orphan_is_queued_by_who_submits_it_again(void)
{
	struct store *store = begin();
	struct queue_item item;

	CHECK(put(store, "tasks/ids/t1", "{1}\n") == 0);
	CHECK(submit(store, &item, "t1", "{2}\n") == QUEUE_TAKEN);
	CHECK(item.place.state == QUEUE_ABSENT && queue_files("new") == 0);
	CHECK(submit(store, &item, "t1", "{1}\n") == QUEUE_ACCEPTED);
	CHECK(item.place.state == QUEUE_WAITING);
	CHECK(queue_has("new/t1.0", "{1}\n"));
	CHECK(submit(store, &item, "t1", "{1}\n") == QUEUE_KNOWN);
	CHECK(queue_files("new") == 1 && queue_files("ids") == 1);
	close_store(store);
}

static void
a_task_that_lost_its_id_gets_it_back(void)
{
	struct store *store = begin();
	struct queue_item item;

	CHECK(put(store, "tasks/new/t1.0", "{1}\n") == 0);
	CHECK(submit(store, &item, "t1", "{2}\n") == QUEUE_TAKEN);
	CHECK(item.place.state == QUEUE_WAITING);
	CHECK(queue_has("ids/t1", "{1}\n"));
	CHECK(submit(store, &item, "t1", "{1}\n") == QUEUE_KNOWN);
	CHECK(queue_files("new") == 1);
	close_store(store);
}

/* It could not end beside the other one. */
static void
beside_what_has_ended_without_its_id_nothing_is_queued(void)
{
	static const char *const keys[] = {"tasks/done/t1", "tasks/failed/t1"};
	struct store *store = begin();
	struct queue_item item;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		CHECK(put(store, keys[i], "{1}\n") == 0);
		CHECK(submit(store, &item, "t1", "{1}\n") == QUEUE_REFUSED);
		CHECK(item.error.code == EX_DATAERR);
		CHECK(strstr(item.error.message, keys[i]) != NULL);
		CHECK(queue_files("ids") + queue_files("new") == 0);
		CHECK(queue_alter("t1", QUEUE_PURGE) == 1);
		CHECK(submit(store, &item, "t1", "{1}\n") == QUEUE_ACCEPTED);
		CHECK(store_delete(
			  store, "tasks/new/t1.0", NULL, false, NULL) == 1);
		CHECK(queue_alter("t1", QUEUE_PURGE) == 1);
	}
	close_store(store);
}

static int
submit_one(struct store *store)
{
	struct queue_item item;

	if (submit(store, &item, "t1", "{1}\n") == QUEUE_REFUSED &&
	    (item.error.code == 0 ||
		strstr(item.error.message, "tasks/") == NULL))
		return 99;
	return 1 + (int)item.answer;
}

/* Whatever cannot be done: it is refused with a message that says where,
 * nothing of it counts, and once it can be done it is accepted. */
static void
what_is_refused_was_never_submitted(void)
{
	static const struct fault faults[] = {
	    {SYS_write, FAULT_ERRNO(ENOSPC), 0},
	    {SYS_renameat2, FAULT_ERRNO(EROFS), 0},
	    {SYS_renameat2, FAULT_ERRNO(EDQUOT), 0},
	    {SYS_linkat, FAULT_ERRNO(ENOSPC), 0},
	    {SYS_linkat, FAULT_ERRNO(EROFS), 0},
	    {SYS_fsync, FAULT_ERRNO(EIO), 0},
	};
	struct store *store = begin();
	struct queue_item item;
	size_t i;
	int answer;

	CHECK(submit(store, &item, "t0", "{0}\n") == QUEUE_ACCEPTED);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		answer = fault_run(store, submit_one, &faults[i]);
		if (answer == -2) {
			SKIP("needs seccomp");
			break;
		}
		CHECK(answer == 1 + QUEUE_REFUSED);
		CHECK(queue_files("ids") == 1 && queue_files("new") == 1);
	}
	CHECK(submit(store, &item, "t1", "{1}\n") == QUEUE_ACCEPTED);
	close_store(store);
}

/* Directories cannot be synced, while this is set. */
static bool directories_fail;

/* Instead of libc's. */
int
fsync(int descriptor)
{
	struct stat st;

	if (directories_fail && fstat(descriptor, &st) == 0 &&
	    S_ISDIR(st.st_mode)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, descriptor);
}

/* Its submitter may have died before it was on disk. */
static void
what_is_known_is_on_disk_or_it_is_refused(void)
{
	struct store *store = begin();
	struct queue_item item;

	CHECK(submit(store, &item, "t1", "{1}\n") == QUEUE_ACCEPTED);
	directories_fail = true;
	CHECK(submit(store, &item, "t1", "{1}\n") == QUEUE_REFUSED);
	CHECK(strstr(item.error.message, "sync") != NULL);
	CHECK(submit(store, &item, "t1", "{2}\n") == QUEUE_TAKEN);
	directories_fail = false;
	CHECK(submit(store, &item, "t1", "{1}\n") == QUEUE_KNOWN);
	close_store(store);
}

#define IDS 150

/* Submits all ids, each a few times, by ones and twos. */
static int
submit_all(struct store *store)
{
	struct queue_item items[2];
	char ids[2][16], lines[2][16];
	struct svc_error error;
	int i, j, accepted = 0;

	for (i = 0; i < IDS; i++) {
		for (j = 0; j < 2; j++) {
			snprintf(ids[j], sizeof(ids[j]), "t%d", (i + j) % IDS);
			snprintf(lines[j], sizeof(lines[j]), "{%d}\n",
			    (i + j) % IDS);
			items[j] = (struct queue_item){.id = ids[j],
			    .line = lines[j],
			    .length = strlen(lines[j])};
		}
		if (queue_submit(store, items, 1 + (size_t)(i % 2), &error) ==
		    -1)
			return 255;
		for (j = 0; j < 1 + i % 2; j++) {
			if (items[j].answer == QUEUE_TAKEN)
				return 254;
			accepted += items[j].answer == QUEUE_ACCEPTED;
		}
	}
	return accepted;
}

static pid_t
start(struct store *store)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(60);
		_exit(submit_all(store));
	}
	return pid;
}

static void
of_many_who_submit_a_line_one_is_told_that_it_was_accepted(void)
{
	struct store *store = begin();
	int accepted = 0, status = 0, i;
	pid_t pids[4];

	for (i = 0; i < 4; i++)
		pids[i] = start(store);
	for (i = 0; i < 4; i++) {
		CHECK(waitpid(pids[i], &status, 0) == pids[i]);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 200);
		accepted += WEXITSTATUS(status);
	}
	CHECK(accepted == IDS);
	CHECK(queue_files("ids") == IDS && queue_files("new") == IDS);
	close_store(store);
}

/* Submitters die at any step; whoever submits all of it next gets it in. */
static void
killed_submitters_leave_what_the_next_one_completes(void)
{
	struct store *store = begin();
	size_t limit, files;
	int round, status;
	pid_t pid;

	for (round = 0; round < 12; round++) {
		pid = start(store);
		limit = queue_files("ids") + 5;
		do {
			files = queue_files("ids");
			status = waitpid(pid, NULL, WNOHANG);
		} while (status == 0 && files < limit && files < IDS);
		if (status == 0) {
			kill(pid, SIGKILL);
			CHECK(waitpid(pid, NULL, 0) == pid);
		}
	}
	CHECK(submit_all(store) <= IDS);
	CHECK(queue_files("ids") == IDS && queue_files("new") == IDS);
	close_store(store);
}

static void
what_is_no_task_is_not_listed_and_stops_nothing(void)
{
	struct store *store = begin();
	struct queue_item item;

	CHECK(submit(store, &item, "t1.3", "{1}\n") == QUEUE_ACCEPTED);
	CHECK(put(store, "tasks/done/t2", "{2}\n") == 0);
	CHECK(put(store, "tasks/running/t3.0@c", "{3}\n") == 0);
	CHECK(put(store, "tasks/running/t4.0", "{4}\n") == 0);
	spool_write("tasks/new/README", "read me\n");
	spool_write("tasks/new/t5.0~", "{5}\n");
	spool_write("tasks/new/t6.0", "");
	CHECK(mkdir(spool_path("tasks/new/t7.0"), 0700) == 0);
	CHECK(symlink("t1.3.0", spool_path("tasks/new/t8.0")) == 0);
	CHECK(mkfifo(spool_path("tasks/new/t9.0"), 0600) == 0);
	CHECK(list(store, ALL, true) == 3);
	CHECK(warnings > 0);
	CHECK(list(store, QUEUE_STATE_BIT(QUEUE_RUNNING), false) == 1);
	CHECK(list(store, QUEUE_STATES_ENDED, true) == 1);
	close_store(store);
}

int
main(void)
{
	RUN(keys_are_read_as_they_are_written);
	RUN(foreign_names_are_no_places);
	RUN(a_state_is_found_by_its_name);
	RUN(where_there_is_no_queue_there_is_nothing);
	RUN(the_directories_are_the_owners_alone);
	RUN(what_root_makes_belongs_to_the_owner_of_the_registry);
	RUN(what_is_accepted_waits_and_its_id_keeps_the_line);
	RUN(what_is_to_be_held_never_waits);
	RUN(a_line_is_known_and_an_id_taken_wherever_the_task_is);
	RUN(of_one_id_in_a_batch_the_first_counts);
	RUN(an_orphan_is_queued_by_who_submits_it_again);
	RUN(a_task_that_lost_its_id_gets_it_back);
	RUN(beside_what_has_ended_without_its_id_nothing_is_queued);
	RUN(what_is_refused_was_never_submitted);
	RUN(what_is_known_is_on_disk_or_it_is_refused);
	RUN(of_many_who_submit_a_line_one_is_told_that_it_was_accepted);
	RUN(killed_submitters_leave_what_the_next_one_completes);
	RUN(what_is_no_task_is_not_listed_and_stops_nothing);
	return check_done();
}
