/* One value under two keys, and the guard of the first. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "store_fault.h"

#define KEY  "ids/t"
#define ALSO "new/t.0"

static struct store_put
both(const char *key, const char *also, const char *value)
{
	return (struct store_put){.key = key,
	    .also = also,
	    .value = value,
	    .length = strlen(value),
	    .lease = STORE_DURABLE,
	    .if_absent = true};
}

/* 0, or the code of the refusal. */
static int
put_both(
    struct store *store, const char *key, const char *also, const char *value)
{
	struct store_put request = both(key, also, value);
	struct svc_error error;

	return store_put(store, &request, NULL, &error) == 0 ? 0 : error.code;
}

static int
put_task(struct store *store)
{
	return put_both(store, KEY, ALSO, "task");
}

/* The inode of key; 0: there is none. */
static ino_t
inode_of(const char *key)
{
	struct stat st;

	return lstat(spool_path(key), &st) == 0 ? st.st_ino : 0;
}

static void
a_value_gets_both_keys(void)
{
	struct store *store = open_store();
	struct stat st;

	CHECK(put_task(store) == 0);
	CHECK_STRING(get(store, KEY), "task");
	CHECK_STRING(get(store, ALSO), "task");
	CHECK(inode_of(KEY) == inode_of(ALSO));
	CHECK(stat(spool_path(ALSO), &st) == 0 && (st.st_mode & 07777) == 0644);
	CHECK(count_names("ids", ".tmp") + count_names("new", ".tmp") == 0);
	close_store(store);
}

static void
a_key_that_exists_keeps_the_other_away(void)
{
	struct store *store = open_store();

	CHECK(put(store, KEY, "old") == 0);
	CHECK(put_task(store) == EX_CANTCREAT);
	CHECK_STRING(get(store, KEY), "old");
	CHECK(inode_of(ALSO) == 0);
	close_store(store);
}

static void
where_the_other_exists_none_is_made(void)
{
	struct store *store = open_store();

	CHECK(put(store, ALSO, "old") == 0);
	CHECK(put_task(store) == EX_TEMPFAIL);
	CHECK(inode_of(KEY) == 0);
	CHECK_STRING(get(store, ALSO), "old");
	close_store(store);
}

static void
an_empty_file_is_replaced_by_a_value_with_two_keys(void)
{
	struct store *store = open_store();

	CHECK(put(store, KEY, "") == 0);
	CHECK(put_task(store) == 0);
	CHECK_STRING(get(store, KEY), "task");
	CHECK(inode_of(KEY) == inode_of(ALSO));
	close_store(store);
}

static void
only_what_is_absent_gets_two_keys(void)
{
	struct store *store = open_store();
	struct store_put puts[3] = {both(KEY, ALSO, "1"), both(KEY, ALSO, ""),
	    both(KEY, "new/../t", "1")};
	struct svc_error error;

	puts[0].if_absent = false;
	CHECK(store_put(store, &puts[0], NULL, &error) == -1);
	CHECK(error.code == EX_SOFTWARE);
	CHECK(store_batch(store, puts, 3, &error) == -1);
	CHECK(puts[0].error.code == EX_SOFTWARE);
	CHECK(puts[1].error.code == EX_SOFTWARE);
	CHECK(puts[2].error.code == EX_USAGE);
	CHECK(inode_of(KEY) == 0);
	close_store(store);
}

#define MANY 700

struct many {
	char keys[MANY][32];
	char others[MANY][32];
	char values[MANY][16];
	struct store_put puts[MANY];
};

/* Item i has the id i; those from 600 on have ids that came before. */
static void
make_many(struct many *many)
{
	int i, id;

	for (i = 0; i < MANY; i++) {
		id = i < 600 ? i : i - 600;
		snprintf(many->keys[i], sizeof(many->keys[i]), "ids/t%d", id);
		snprintf(
		    many->others[i], sizeof(many->others[i]), "new/t%d.0", id);
		snprintf(
		    many->values[i], sizeof(many->values[i]), "value %d", i);
		many->puts[i] =
		    both(many->keys[i], many->others[i], many->values[i]);
	}
}

static void
a_batch_of_more_than_the_process_may_open_gets_both_keys(void)
{
	static struct many many;
	struct store *store = open_store();
	struct rlimit limit, low;
	int i;

	make_many(&many);
	CHECK(put(store, "ids/t5", "old") == 0);
	CHECK(put(store, "new/t6.0", "old") == 0);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	low = limit;
	low.rlim_cur = 64;
	CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	CHECK(store_batch(store, many.puts, MANY, NULL) == -1);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(many.puts[5].error.code == EX_CANTCREAT);
	CHECK(many.puts[6].error.code == EX_TEMPFAIL);
	for (i = 0; i < 600; i++) {
		if (i == 5 || i == 6)
			continue;
		CHECK(many.puts[i].error.code == 0);
		CHECK_STRING(get(store, many.keys[i]), many.values[i]);
		CHECK(inode_of(many.keys[i]) == inode_of(many.others[i]));
	}
	for (i = 600; i < MANY; i++)
		CHECK(many.puts[i].error.code ==
		      (i == 606 ? EX_TEMPFAIL : EX_CANTCREAT));
	CHECK(count_names("ids", ".tmp") + count_names("new", ".tmp") == 0);
	close_store(store);
}

/* Who finds an id that somebody makes sees both keys once he has the guard. */
static int
race(struct store *store, int rounds)
{
	char key[32], also[32];
	int won = 0, guard, status, i;

	alarm(60);
	for (i = 0; i < rounds; i++) {
		snprintf(key, sizeof(key), "ids/r%d", i);
		snprintf(also, sizeof(also), "new/r%d.0", i);
		status = put_both(store, key, also, "task");
		won += status == 0;
		if (status == 0)
			continue;
		if (status != EX_CANTCREAT ||
		    store_guard(store, key, &guard, NULL) != 1 ||
		    inode_of(also) == 0)
			return 255;
		close(guard);
	}
	return won;
}

static void
of_two_processes_that_put_one_key_one_makes_both(void)
{
	struct store *store = open_store();
	int status = 0, won, other;
	pid_t pid;

	CHECK(put(store, "ids/x", "1") == 0 && put(store, "new/x", "1") == 0);
	pid = fork();
	if (pid == 0)
		_exit(race(store, 200));
	won = race(store, 200);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	other = WEXITSTATUS(status);
	CHECK(won != 255 && other != 255 && won + other == 200);
	close_store(store);
}

static void
who_dies_between_both_keys_leaves_the_first_and_no_guard(void)
{
	struct store *store = open_store();
	int guard = -1;
	struct fault fault = {.call = SYS_linkat, .end = FAULT_KILL};
	int status = fault_run(store, put_task, &fault);

	if (status == -2) {
		SKIP("needs seccomp");
	} else {
		CHECK(status == -1);
		CHECK_STRING(get(store, KEY), "task");
		CHECK(inode_of(ALSO) == 0);
		CHECK(put_task(store) == EX_CANTCREAT);
		alarm(20);
		CHECK(store_guard(store, KEY, &guard, NULL) == 1);
		alarm(0);
		CHECK(put(store, ALSO, "task") == 0);
		close(guard);
	}
	close_store(store);
}

static int
batch_of_ten(struct store *store)
{
	static struct many many;

	make_many(&many);
	return store_batch(store, many.puts, 10, NULL) == 0 ? 0 : 1;
}

/* Whatever fails, and with what: an error is told, the second key never stands
 * alone, no temporary file stays, and nobody has a guard. */
static void
a_step_that_fails_leaves_nothing_of_what_was_refused(void)
{
	static const struct fault faults[] = {
	    {SYS_write, FAULT_ERRNO(ENOSPC), 0},
	    {SYS_fchmod, FAULT_ERRNO(EROFS), 0},
	    {SYS_fsync, FAULT_ERRNO(EIO), 0},
	    {SYS_renameat2, FAULT_ERRNO(EDQUOT), 0},
	    {SYS_linkat, FAULT_ERRNO(ENOSPC), 0},
	};
	struct store *store = open_store();
	int one, ten;
	size_t i;

	CHECK(put(store, "ids/x", "1") == 0 && put(store, "new/x", "1") == 0);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		one = fault_run(store, put_task, &faults[i]);
		ten = fault_run(store, batch_of_ten, &faults[i]);
		if (one == -2) {
			SKIP("needs seccomp");
			break;
		}
		CHECK(one > 0 && ten == 1);
		CHECK(count_names("ids", "") == 4); /* . .. .lock x */
		CHECK(count_names("new", "") == 4);
	}
	CHECK(put_task(store) == 0 && batch_of_ten(store) == 0);
	close_store(store);
}

/* Puts ids until it is killed, and writes a byte for each that is on disk. */
static void
put_forever(struct store *store, int acknowledge, int run)
{
	char keys[8][32], others[8][32];
	struct store_put puts[8];
	int i, n;

	for (n = 0;; n += 8) {
		for (i = 0; i < 8; i++) {
			snprintf(
			    keys[i], sizeof(keys[i]), "ids/k%d-%d", run, n + i);
			snprintf(others[i], sizeof(others[i]), "new/k%d-%d.0",
			    run, n + i);
			puts[i] = both(keys[i], others[i], "task");
		}
		if (store_batch(store, puts, 8, NULL) == -1 ||
		    write(acknowledge, "........", 8) != 8)
			_exit(1);
	}
}

/* How many ids had been acknowledged when the process was killed. */
static int
kill_one(struct store *store, int run)
{
	char bytes[64];
	ssize_t n;
	int fds[2];
	int count = 0, limit = 8 * (1 + (int)arc4random_uniform(4));
	pid_t pid;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0)
		put_forever(store, fds[1], run);
	close(fds[1]);
	while (count < limit && (n = read(fds[0], bytes, 8)) > 0)
		count += (int)n;
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
	while ((n = read(fds[0], bytes, sizeof(bytes))) > 0)
		count += (int)n;
	close(fds[0]);
	return count;
}

static void
what_was_acknowledged_survives_kills_and_nothing_is_half(void)
{
	struct store *store = open_store();
	char key[32], also[32];
	int count, guard, run, i;

	CHECK(put(store, "ids/x", "1") == 0 && put(store, "new/x", "1") == 0);
	alarm(60);
	for (run = 0; run < 40; run++) {
		count = kill_one(store, run);
		for (i = 0; i < count + 8; i++) {
			snprintf(key, sizeof(key), "ids/k%d-%d", run, i);
			snprintf(also, sizeof(also), "new/k%d-%d.0", run, i);
			if (i < count)
				CHECK(inode_of(also) != 0);
			if (inode_of(also) != 0)
				CHECK(inode_of(also) == inode_of(key));
			if (inode_of(key) == 0)
				continue;
			CHECK_STRING(get(store, key), "task");
			CHECK(store_guard(store, key, &guard, NULL) == 1);
			close(guard);
		}
	}
	alarm(0);
	close_store(store);
}

/* A child that waits for the guard of KEY: 10: got that of the file KEY leads
 * to, 11: there is no such key. */
static pid_t
start_guard(struct store *store)
{
	pid_t pid = fork();
	struct stat st;
	int guard = -1;
	int status;

	if (pid != 0)
		return pid;
	alarm(20);
	status = store_guard(store, KEY, &guard, NULL);
	if (status != 1)
		_exit(status == 0 ? 11 : 12);
	_exit(fstat(guard, &st) == 0 && st.st_ino == inode_of(KEY) ? 10 : 13);
}

/* What the child that waits for guard gets after change. */
static int
guard_after(void (*change)(struct store *store))
{
	struct flock unlock = {
	    .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
	struct store *store = open_store();
	int guard = -1, status = 0;
	pid_t pid;

	CHECK(put(store, KEY, "1") == 0);
	CHECK(store_guard(store, KEY, &guard, NULL) == 1);
	pid = start_guard(store);
	while (!is_waited_for(guard))
		if (!CHECK(waitpid(pid, &status, WNOHANG) == 0))
			break;
	change(store);
	/* Closing would not do: the child has the descriptor, too. */
	CHECK(fcntl(guard, F_OFD_SETLK, &unlock) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	close(guard);
	close_store(store);
	return WEXITSTATUS(status);
}

static void
change_nothing(struct store *store)
{
	(void)store;
}

static void
replace_key(struct store *store)
{
	CHECK(put(store, KEY, "2") == 0);
}

static void
delete_key(struct store *store)
{
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;

	CHECK(store_get(store, KEY, 100, &scratch, &entry, NULL) == 1);
	CHECK(!entry.held);
	CHECK(store_delete(store, KEY, &entry.revision, false, NULL) == 1);
	buffer_release(&scratch);
}

static void
a_guard_keeps_others_waiting_for_what_the_key_leads_to_then(void)
{
	CHECK(guard_after(change_nothing) == 10);
	CHECK(guard_after(replace_key) == 10);
	CHECK(guard_after(delete_key) == 11);
}

static void
only_what_is_there_is_guarded(void)
{
	struct store *store = open_store();
	struct svc_error error;
	int guard = -1;

	CHECK(store_guard(store, "none/t", &guard, &error) == 0);
	CHECK(put(store, "ids/x", "1") == 0);
	CHECK(store_guard(store, KEY, &guard, &error) == 0);
	CHECK(mkfifo(spool_path("ids/fifo"), 0644) == 0);
	CHECK(mkdir(spool_path("ids/d"), 0755) == 0);
	CHECK(symlink("x", spool_path("ids/link")) == 0);
	CHECK(store_guard(store, "ids/fifo", &guard, &error) == -1);
	CHECK(store_guard(store, "ids/d", &guard, &error) == -1);
	CHECK(store_guard(store, "ids/link", &guard, &error) == -1);
	CHECK(error.code == EX_DATAERR && guard == -1);
	CHECK(store_guard(store, "ids/x", &guard, &error) == 1);
	CHECK((fcntl(guard, F_GETFD) & FD_CLOEXEC) != 0);
	close(guard);
	close_store(store);
}

int
main(void)
{
	RUN(a_value_gets_both_keys);
	RUN(a_key_that_exists_keeps_the_other_away);
	RUN(where_the_other_exists_none_is_made);
	RUN(an_empty_file_is_replaced_by_a_value_with_two_keys);
	RUN(only_what_is_absent_gets_two_keys);
	RUN(a_batch_of_more_than_the_process_may_open_gets_both_keys);
	RUN(of_two_processes_that_put_one_key_one_makes_both);
	RUN(who_dies_between_both_keys_leaves_the_first_and_no_guard);
	RUN(a_step_that_fails_leaves_nothing_of_what_was_refused);
	RUN(what_was_acknowledged_survives_kills_and_nothing_is_half);
	RUN(a_guard_keeps_others_waiting_for_what_the_key_leads_to_then);
	RUN(only_what_is_there_is_guarded);
	return check_done();
}
