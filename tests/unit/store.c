/* The file store: its files, its protocol, and what it refuses. */
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sysexits.h>
#include <time.h>

#include "store_fixture.h"

static void
what_is_put_can_be_got(void)
{
	struct store *store = open_store();
	struct stat st;

	CHECK(put(store, "a/b/c.json", "one") == 0);
	CHECK_STRING(get(store, "a/b/c.json"), "one");
	CHECK(put(store, "a/b/c.json", "two") == 0);
	CHECK_STRING(get(store, "a/b/c.json"), "two");
	CHECK_STRING(get(store, "a/b/none"), "");
	CHECK(stat(spool_path("a/b/c.json"), &st) == 0 &&
	      (st.st_mode & 07777) == 0644);
	close_store(store);
}

static void
the_first_writer_makes_the_version_file(void)
{
	struct store *store = open_store();

	CHECK(access(spool_path("version"), F_OK) == -1);
	CHECK(put(store, "a", "1") == 0);
	CHECK_STRING(get(store, "version"), "svckit spool 1\n");
	close_store(store);
}

static void
another_version_is_refused(void)
{
	static const char *const texts[] = {"svckit spool 2\n",
	    "svckit spool 0\n", "hello\n", "svckit spool 1x\n",
	    "svckit spool\n", ""};
	struct store *store;
	struct svc_error error;
	size_t i;

	spool_begin();
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		spool_write("version", texts[i]);
		error.code = 0;
		CHECK(store_open(&store, spool, &error) == -1);
		CHECK(error.code == EX_CONFIG);
	}
	spool_end();
}

static void
what_is_no_key_never_reaches_the_disk(void)
{
	static const char *const keys[] = {"", "/", "a/", "/a", "a//b", "..",
	    "a/../b", ".tmp.1", "a/.b", "a b", "a\nb", "-a", "a/./b"};
	struct store *store = open_store();
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		CHECK(put(store, keys[i], "1") == EX_USAGE);
	CHECK(access(spool_path("version"), F_OK) == -1);
	close_store(store);
}

static void
a_scheme_without_a_store_is_unavailable(void)
{
	struct store *store;
	struct svc_error error;

	CHECK(store_open(&store, "etcd://h:2379", &error) == -1);
	CHECK(error.code == EX_UNAVAILABLE);
	CHECK(strstr(error.message, "'etcd'") != NULL);
}

static void
put_asks_for_absence_and_revision(void)
{
	struct store *store = open_store();
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	struct store_put request = {
	    .key = "k", .value = "2", .length = 1, .if_absent = true};
	struct svc_error error;

	CHECK(put(store, "k", "1") == 0);
	CHECK(store_put(store, &request, NULL, &error) == -1);
	CHECK(error.code == EX_CANTCREAT);
	CHECK(store_get(store, "k", 100, &scratch, &entry, NULL) == 1);
	request.if_absent = false;
	request.if_revision = &entry.revision;
	CHECK(store_put(store, &request, NULL, &error) == 0);
	CHECK(request.replaced);
	CHECK(store_put(store, &request, NULL, &error) == -1);
	CHECK(error.code == EX_TEMPFAIL);
	CHECK(store_delete(store, "k", &entry.revision, false, NULL) == 0);
	CHECK_STRING(get(store, "k"), "2");
	CHECK(store_delete(store, "k", NULL, false, NULL) == 1);
	CHECK(store_delete(store, "k", NULL, false, NULL) == 0);
	buffer_release(&scratch);
	close_store(store);
}

static void
an_empty_value_is_absent(void)
{
	struct store *store = open_store();
	struct store_put request = {
	    .key = "k", .value = "1", .length = 1, .if_absent = true};

	CHECK(put(store, "k", "") == 0);
	CHECK_STRING(get(store, "k"), "");
	CHECK(store_exists(store, "k", NULL) == 1);
	CHECK(store_put(store, &request, NULL, NULL) == 0);
	CHECK(!request.replaced);
	CHECK_STRING(get(store, "k"), "1");
	close_store(store);
}

static int
lock_put(struct store *store, const char *value, struct store_hold **hold)
{
	struct store_put request = {.key = "d/k",
	    .value = value,
	    .length = strlen(value),
	    .lease = STORE_LOCK};
	struct svc_error error;

	return store_put(store, &request, hold, &error) == 0 ? 0 : error.code;
}

static void
a_held_value_is_replaced_by_its_holder_only(void)
{
	struct store *store = open_store();
	struct store_hold *hold = NULL, *other = NULL;
	struct svc_error error;

	CHECK(lock_put(store, "mine", &hold) == 0);
	CHECK(put(store, "d/k", "theirs") == EX_TEMPFAIL);
	CHECK(lock_put(store, "theirs", &other) == EX_TEMPFAIL);
	CHECK(store_delete(store, "d/k", NULL, true, NULL) == 0);
	CHECK(store_hold_put(hold, "still mine", 10, &error) == 0);
	CHECK_STRING(get(store, "d/k"), "still mine");
	CHECK(put(store, "d/k", "theirs") == EX_TEMPFAIL);
	CHECK(store_release(hold, &error) == 0);
	CHECK_STRING(get(store, "d/k"), "");
	CHECK(put(store, "d/k", "theirs") == 0);
	close_store(store);
}

static void
what_is_removed_by_hand_stays_removed(void)
{
	struct store *store = open_store();
	struct store_hold *hold = NULL;
	struct svc_error error;

	CHECK(lock_put(store, "mine", &hold) == 0);
	CHECK(unlink(spool_path("d/k")) == 0);
	CHECK(store_hold_valid(hold, &error) == 0);
	CHECK(store_hold_put(hold, "again", 5, &error) == -1);
	CHECK(error.code == EX_TEMPFAIL);
	CHECK(put(store, "d/k", "theirs") == 0);
	CHECK(store_release(hold, &error) == 0);
	CHECK_STRING(get(store, "d/k"), "theirs");
	close_store(store);
}

static bool
is_held(struct store *store)
{
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	bool held = store_get(store, "d/k", 100, &scratch, &entry, NULL) == 1 &&
		    entry.held;

	buffer_release(&scratch);
	return held;
}

static void
a_holder_that_is_killed_holds_nothing(void)
{
	struct store *store = open_store();
	struct store_hold *hold;
	int ready[2];
	pid_t pid;
	char c = 0;

	CHECK(pipe(ready) == 0);
	pid = fork();
	if (pid == 0) {
		c = lock_put(store, "child", &hold) == 0 ? 'y' : 'n';
		_exit(write(ready[1], &c, 1) == 1 ? pause() : 1);
	}
	CHECK(read(ready[0], &c, 1) == 1 && c == 'y');
	CHECK(is_held(store));
	CHECK(put(store, "d/k", "mine") == EX_TEMPFAIL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(!is_held(store));
	CHECK(put(store, "d/k", "mine") == 0);
	CHECK_STRING(get(store, "d/k"), "mine");
	close(ready[0]);
	close(ready[1]);
	close_store(store);
}

static void
a_read_lock_is_no_sign_of_life(void)
{
	struct store *store = open_store();
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	int fd;

	CHECK(put(store, "d/k", "1") == 0);
	fd = open(spool_path("d/k"), O_RDONLY);
	CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0);
	CHECK(!is_held(store));
	close(fd);
	close_store(store);
}

/* Starts a process that puts value under "d/k", and has 10 seconds for it. */
static pid_t
start_put(struct store *store, const char *value)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(10);
		_exit(put(store, "d/k", value));
	}
	return pid;
}

static void
who_only_reads_keeps_no_writer_out(void)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	struct store *store = open_store();
	int directory, value;

	CHECK(put(store, "d/k", "1") == 0);
	directory = open(spool_path("d"), O_RDONLY | O_DIRECTORY);
	CHECK(flock(directory, LOCK_EX) == 0);
	value = open(spool_path("d/k"), O_RDONLY);
	CHECK(fcntl(value, F_OFD_SETLK, &lock) == 0);
	CHECK(ended_well(start_put(store, "2")));
	CHECK_STRING(get(store, "d/k"), "2");
	close(value);
	close(directory);
	close_store(store);
}

static void
a_writer_waits_for_another_that_replaces_the_file(void)
{
	struct flock lock = {
	    .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	struct store *store = open_store();
	int status, fd;
	pid_t pid;

	CHECK(put(store, "d/k", "1") == 0);
	fd = open(spool_path("d/k"), O_RDWR);
	CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0);
	pid = start_put(store, "2");
	while (!is_waited_for(fd))
		if (!CHECK(waitpid(pid, &status, WNOHANG) == 0))
			break;
	CHECK_STRING(get(store, "d/k"), "1");
	/* Closing would not do: the child has the descriptor, too. */
	lock.l_type = F_UNLCK;
	CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0);
	CHECK(ended_well(pid));
	close(fd);
	CHECK_STRING(get(store, "d/k"), "2");
	close_store(store);
}

static mode_t
mode_of(const char *key)
{
	struct stat st;

	return lstat(spool_path(key), &st) == 0 ? st.st_mode & 07777 : 0;
}

static void
who_may_write_to_the_directory_may_lock_it(void)
{
	struct store *store = open_store();
	mode_t mask = umask(077);

	CHECK(put(store, "a/k", "1") == 0);
	CHECK(mode_of("a") == 0700 && mode_of("a/.lock") == 0600);
	CHECK(mode_of("a/k") == 0644);
	CHECK(mkdir(spool_path("b"), 0) == 0);
	CHECK(chmod(spool_path("b"), 03775) == 0);
	CHECK(put(store, "b/k", "1") == 0);
	CHECK(mode_of("b/.lock") == 0660);
	CHECK(mkdir(spool_path("c"), 0) == 0);
	CHECK(chmod(spool_path("c"), 01777) == 0);
	CHECK(put(store, "c/k", "1") == 0);
	CHECK(mode_of("c/.lock") == 0666);
	umask(mask);
	close_store(store);
}

static void
old_temporary_files_are_swept_and_young_ones_stay(void)
{
	struct store *store = open_store();

	CHECK(put(store, "d/a", "1") == 0);
	store_close(store);
	spool_write("d/.tmp.1.old", "x");
	spool_set_time("d/.tmp.1.old", time(NULL) - 3700);
	spool_write("d/.tmp.1.young", "x");
	CHECK(store_open(&store, spool, NULL) == 0);
	CHECK(put(store, "d/b", "1") == 0);
	CHECK(access(spool_path("d/.tmp.1.old"), F_OK) == -1);
	CHECK(access(spool_path("d/.tmp.1.young"), F_OK) == 0);
	close_store(store);
}

static int
count_entry(
    void *argument, const struct store_entry *entry, struct svc_error *error)
{
	(void)entry;
	(void)error;
	++*(int *)argument;
	return 0;
}

static void
a_value_that_is_replaced_never_leaves_a_gap(void)
{
	struct store *store = open_store();
	int count, status, i;
	struct store_list list = {
	    .directory = "d", .suffix = "", .entry = count_entry};
	pid_t pid;

	list.argument = &count;
	CHECK(put(store, "d/k", "0123456789") == 0);
	pid = fork();
	if (pid == 0) {
		struct store_put request = {.key = "d/k",
		    .value = "0123456789",
		    .length = 10,
		    .lease = STORE_SOFT};

		for (i = 0; i < 3000; i++)
			if (store_put(store, &request, NULL, NULL) == -1)
				_exit(1);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		count = 0;
		if (!CHECK(store_list(store, &list, NULL) == 0 && count == 1) ||
		    !CHECK(strcmp(get(store, "d/k"), "0123456789") == 0))
			break;
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close_store(store);
}

static void
a_batch_stores_the_good_ones_and_says_which_are_bad(void)
{
	static char keys[300][32];
	static struct store_put puts[300];
	struct store *store = open_store();
	struct svc_error error;
	int i;

	for (i = 0; i < 300; i++) {
		snprintf(keys[i], sizeof(keys[i]), "d%d/k%d", i % 150, i);
		puts[i] = (struct store_put){
		    .key = keys[i], .value = "v", .length = 1};
	}
	puts[7].key = "d/../x";
	puts[8].length = STORE_VALUE_MAX + 1;
	CHECK(mkdir(spool_path("d9"), 0755) == 0);
	CHECK(mkdir(spool_path("d9/k9"), 0755) == 0);
	CHECK(store_batch(store, puts, 300, &error) == -1);
	CHECK(error.code == EX_USAGE);
	for (i = 0; i < 300; i++) {
		CHECK((puts[i].error.code != 0) == (i >= 7 && i <= 9));
		if (i < 7 || i > 9)
			CHECK_STRING(get(store, keys[i]), "v");
	}
	puts[7].key = keys[7];
	CHECK(store_batch(store, puts, 8, &error) == 0);
	CHECK(puts[0].replaced && !puts[7].replaced);
	close_store(store);
}

static void
of_two_of_one_key_in_a_batch_the_later_counts(void)
{
	static const enum store_lease leases[][2] = {{STORE_SOFT, STORE_SOFT},
	    {STORE_DURABLE, STORE_SOFT}, {STORE_SOFT, STORE_DURABLE},
	    {STORE_DURABLE, STORE_DURABLE}};
	struct store *store = open_store();
	size_t i;

	for (i = 0; i < 4; i++) {
		struct store_put puts[2] = {
		    {.key = "d/k", .value = "1", .length = 1},
		    {.key = "d/k", .value = "2", .length = 1}};

		puts[0].lease = leases[i][0];
		puts[1].lease = leases[i][1];
		CHECK(store_batch(store, puts, 2, NULL) == 0);
		CHECK(!puts[0].replaced && puts[1].replaced);
		CHECK_STRING(get(store, "d/k"), "2");
		CHECK(store_delete(store, "d/k", NULL, false, NULL) == 1);
	}
	close_store(store);
}

/* Counts the keys that are told, and those that no value can have. */
static void
count_told(void *argument, const struct store_change *change)
{
	int *counts = argument;

	if (change->kind == STORE_CHANGED)
		counts[strncmp(change->key, "d/k", 3) != 0]++;
}

static void
a_batch_of_new_and_old_keys_is_stored_and_told(void)
{
	static char keys[200][16];
	static struct store_put puts[200];
	struct store *store = open_store();
	struct store_watch *watch = NULL;
	mode_t mask = umask(027);
	int counts[2] = {0, 0};
	int i;

	CHECK(put(store, "d/k150", "old") == 0);
	CHECK(store_watch_open(store, "d", &watch, NULL) == 0);
	for (i = 0; i < 200; i++) {
		snprintf(keys[i], sizeof(keys[i]), "d/k%d", i);
		puts[i] = (struct store_put){.key = keys[i],
		    .value = "v",
		    .length = 1,
		    .lease = STORE_SOFT};
	}
	CHECK(store_batch(store, puts, 200, NULL) == 0);
	umask(mask);
	for (i = 0; i < 200; i++) {
		CHECK(puts[i].replaced == (i == 150));
		CHECK_STRING(get(store, keys[i]), "v");
		CHECK(mode_of(puts[i].key) == 0644);
	}
	CHECK(store_watch_read(watch, count_told, counts, NULL) == 0);
	CHECK(counts[0] >= 200 && counts[1] == 0);
	store_watch_close(watch);
	close_store(store);
}

static void
move_is_atomic_and_replaces_nothing(void)
{
	struct store *store = open_store();
	struct svc_error error;

	CHECK(put(store, "new/t", "task") == 0);
	CHECK(store_move(store, "new/t", "run/t", NULL, 0, &error) == 1);
	CHECK_STRING(get(store, "new/t"), "");
	CHECK_STRING(get(store, "run/t"), "task");
	CHECK(store_move(store, "new/t", "run/t", NULL, 0, &error) == 0);
	CHECK(store_move(store, "run/t", "done/t", "ended", 5, &error) == 1);
	CHECK_STRING(get(store, "done/t"), "ended");
	CHECK(store_move(store, "run/t", "done/t", "late", 4, &error) == 0 ||
	      error.code == EX_CANTCREAT);
	CHECK_STRING(get(store, "done/t"), "ended");
	CHECK(put(store, "run/t", "again") == 0);
	CHECK(store_move(store, "run/t", "done/t", "2", 1, &error) == -1);
	CHECK(error.code == EX_CANTCREAT);
	CHECK_STRING(get(store, "run/t"), "again");
	close_store(store);
}

/* Of several that move one key, one does. */
static void
a_key_is_moved_once(void)
{
	struct store *store = open_store();
	char key[32], target[32];
	int status, won = 0;
	int i, n;

	for (i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "new/t%d", i);
		put(store, key, "task");
	}
	for (n = 0; n < 4; n++) {
		if (fork() != 0)
			continue;
		for (i = 0; i < 100; i++) {
			snprintf(key, sizeof(key), "new/t%d", i);
			snprintf(target, sizeof(target), "run/t%d.%d", i, n);
			won += store_move(store, key, target,
				   i % 2 ? "v" : NULL, 1, NULL) == 1;
		}
		_exit(won);
	}
	won = 0;
	for (n = 0; n < 4; n++)
		if (wait(&status) != -1)
			won += WEXITSTATUS(status);
	CHECK(won == 100);
	close_store(store);
}

struct told {
	char key[64];
	int changes;
	int resyncs;
};

static void
tell(void *argument, const struct store_change *change)
{
	struct told *told = argument;

	if (change->kind == STORE_RESYNC) {
		told->resyncs++;
		return;
	}
	told->changes++;
	snprintf(told->key, sizeof(told->key), "%s", change->key);
}

static struct told
wait_told(struct store_watch *watch)
{
	struct pollfd poller = {store_watch_descriptor(watch), POLLIN, 0};
	struct told told = {"", 0, 0};

	while (told.changes + told.resyncs == 0 && poll(&poller, 1, 5000) == 1)
		CHECK(store_watch_read(watch, tell, &told, NULL) == 0);
	return told;
}

static void
a_watch_tells_of_writes_touches_and_removals(void)
{
	struct store *store = open_store();
	struct store_watch *watch = NULL;
	struct told told = {"", 0, 0};

	CHECK(put(store, "d/k", "1") == 0);
	CHECK(store_watch_open(store, "d", &watch, NULL) == 0);
	CHECK(store_watch_read(watch, tell, &told, NULL) == 0);
	CHECK(told.resyncs == 1);
	CHECK(put(store, "d/k", "2") == 0);
	CHECK_STRING(wait_told(watch).key, "d/k");
	CHECK(store_touch(store, "d/k", NULL) == 1);
	CHECK_STRING(wait_told(watch).key, "d/k");
	CHECK(store_delete(store, "d/k", NULL, false, NULL) == 1);
	CHECK_STRING(wait_told(watch).key, "d/k");
	CHECK(store_touch(store, "d/k", NULL) == 0);
	store_watch_close(watch);
	close_store(store);
}

static void
a_watch_tells_that_a_lock_was_let_go(void)
{
	struct store *store = open_store();
	struct store_watch *watch = NULL;
	struct store_hold *hold = NULL;
	struct told told = {"", 0, 0};

	CHECK(lock_put(store, "mine", &hold) == 0);
	CHECK(store_watch_open(store, "d", &watch, NULL) == 0);
	CHECK(store_watch_read(watch, tell, &told, NULL) == 0);
	store_hold_abandon(hold);
	CHECK_STRING(wait_told(watch).key, "d/k");
	CHECK(!is_held(store));
	store_watch_close(watch);
	close_store(store);
}

static void
a_watch_waits_for_directories_that_do_not_exist(void)
{
	struct store *store = open_store();
	struct store_watch *watch = NULL;
	struct told told = {"", 0, 0};

	CHECK(store_watch_open(store, "services", &watch, NULL) == 0);
	CHECK(store_watch_read(watch, tell, &told, NULL) == 0);
	CHECK(mkdir(spool_path("services"), 0755) == 0);
	CHECK(wait_told(watch).resyncs == 1);
	CHECK(mkdir(spool_path("services/a"), 0755) == 0);
	CHECK(wait_told(watch).resyncs == 1);
	CHECK(put(store, "services/a/k", "1") == 0);
	CHECK_STRING(wait_told(watch).key, "services/a/k");
	spool_end();
	CHECK(wait_told(watch).resyncs >= 1);
	store_watch_close(watch);
	store_close(store);
}

static int
queue_limit(void)
{
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	int limit = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%d", &limit) != 1)
		limit = 0;
	fclose(file);
	return limit;
}

static void
a_watch_tells_of_an_overflow(void)
{
	struct store *store = open_store();
	struct store_watch *watch = NULL;
	struct told told = {"", 0, 0};
	int limit = queue_limit();
	int i;

	if (limit > 100000)
		limit = 0; /* that many events are too many for a test */
	CHECK(put(store, "d/a", "1") == 0 && put(store, "d/b", "1") == 0);
	CHECK(store_watch_open(store, "d", &watch, NULL) == 0);
	CHECK(store_watch_read(watch, tell, &told, NULL) == 0);
	/* Equal events in a row are one: two names by turns are not. */
	for (i = 0; i <= limit; i++)
		utimensat(
		    AT_FDCWD, spool_path(i % 2 == 0 ? "d/a" : "d/b"), NULL, 0);
	told.resyncs = 0;
	CHECK(store_watch_read(watch, tell, &told, NULL) == 0);
	CHECK(limit == 0 || told.resyncs == 1);
	store_watch_close(watch);
	close_store(store);
}

static void
directories_are_not_followed_through_links(void)
{
	struct store *store = open_store();

	CHECK(symlink("/tmp", spool_path("d")) == 0);
	CHECK(put(store, "d/svckit-escaped", "1") == EX_DATAERR);
	CHECK(access("/tmp/svckit-escaped", F_OK) == -1);
	CHECK(symlink("/etc/passwd", spool_path("k")) == 0);
	CHECK_STRING(get(store, "k"), "");
	CHECK(put(store, "k", "1") == EX_CANTCREAT);
	close_store(store);
}

int
main(void)
{
	RUN(what_is_put_can_be_got);
	RUN(the_first_writer_makes_the_version_file);
	RUN(another_version_is_refused);
	RUN(what_is_no_key_never_reaches_the_disk);
	RUN(a_scheme_without_a_store_is_unavailable);
	RUN(put_asks_for_absence_and_revision);
	RUN(an_empty_value_is_absent);
	RUN(a_held_value_is_replaced_by_its_holder_only);
	RUN(what_is_removed_by_hand_stays_removed);
	RUN(a_holder_that_is_killed_holds_nothing);
	RUN(a_read_lock_is_no_sign_of_life);
	RUN(who_only_reads_keeps_no_writer_out);
	RUN(a_writer_waits_for_another_that_replaces_the_file);
	RUN(who_may_write_to_the_directory_may_lock_it);
	RUN(old_temporary_files_are_swept_and_young_ones_stay);
	RUN(a_value_that_is_replaced_never_leaves_a_gap);
	RUN(a_batch_stores_the_good_ones_and_says_which_are_bad);
	RUN(of_two_of_one_key_in_a_batch_the_later_counts);
	RUN(a_batch_of_new_and_old_keys_is_stored_and_told);
	RUN(move_is_atomic_and_replaces_nothing);
	RUN(a_key_is_moved_once);
	RUN(a_watch_tells_of_writes_touches_and_removals);
	RUN(a_watch_tells_that_a_lock_was_let_go);
	RUN(a_watch_waits_for_directories_that_do_not_exist);
	RUN(a_watch_tells_of_an_overflow);
	RUN(directories_are_not_followed_through_links);
	return check_done();
}
