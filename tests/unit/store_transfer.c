/* Many moves with values: what they do, and what they never lose. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sysexits.h>

#include "store_fault.h"

#define MANY 300

struct many {
	char sources[MANY][32];
	char targets[MANY][32];
	char values[MANY][16];
	struct store_transfer transfers[MANY];
};

/* PREFIXrun/tI to PREFIXdone/tI, with "ended I". */
static void
make_many(struct many *many, const char *prefix)
{
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(many->sources[i], sizeof(many->sources[i]),
		    "%srun/t%d", prefix, i);
		snprintf(many->targets[i], sizeof(many->targets[i]),
		    "%sdone/t%d", prefix, i);
		snprintf(
		    many->values[i], sizeof(many->values[i]), "ended %d", i);
		many->transfers[i] = (struct store_transfer){
		    .source = many->sources[i],
		    .target = many->targets[i],
		    .value = many->values[i],
		    .length = strlen(many->values[i]),
		};
	}
}

/* Puts "task" under the first sources: how many could not be. */
static int
put_sources(struct store *store, struct many *many, int count)
{
	static struct store_put puts[MANY];
	int i, failed = 0;

	for (i = 0; i < count; i++)
		puts[i] = (struct store_put){.key = many->sources[i],
		    .value = "task",
		    .length = 4,
		    .lease = STORE_DURABLE};
	store_batch(store, puts, (size_t)count, NULL);
	for (i = 0; i < count; i++)
		failed += puts[i].error.code != 0;
	return failed;
}

static void
each_transfer_tells_what_became_of_it(void)
{
	static struct many many;
	struct store *store = open_store();
	int i;

	make_many(&many, "");
	CHECK(put_sources(store, &many, MANY) == 0);
	CHECK(unlink(spool_path("run/t3")) == 0);
	CHECK(put(store, "done/t4", "old") == 0);
	many.transfers[5].target = "done/../t5";
	many.transfers[6].source = "nowhere/t6";
	many.transfers[7].value = NULL;
	CHECK(unlink(spool_path("run/t8")) == 0);
	CHECK(mkdir(spool_path("run/t8"), 0755) == 0);
	CHECK(store_transfers(store, many.transfers, MANY, NULL) == -1);
	CHECK(many.transfers[3].moved == 0 && many.transfers[6].moved == 0);
	CHECK(many.transfers[4].error.code == EX_CANTCREAT);
	CHECK(many.transfers[5].error.code == EX_USAGE);
	CHECK(many.transfers[7].error.code == EX_SOFTWARE);
	CHECK(many.transfers[8].error.code == EX_DATAERR);
	CHECK_STRING(get(store, "run/t4"), "task");
	CHECK_STRING(get(store, "done/t4"), "old");
	for (i = 9; i < MANY; i++) {
		CHECK(many.transfers[i].moved == 1);
		CHECK_STRING(get(store, many.sources[i]), "");
		CHECK_STRING(get(store, many.targets[i]), many.values[i]);
	}
	CHECK(count_names("run", ".tmp") == 0);
	close_store(store);
}

static void
of_two_that_have_one_target_the_second_stays(void)
{
	struct store *store = open_store();
	struct store_transfer pair[2] = {
	    {.source = "run/a", .target = "done/t", .value = "A", .length = 1},
	    {.source = "run/b", .target = "done/t", .value = "B", .length = 1}};

	CHECK(put(store, "run/a", "a") == 0 && put(store, "run/b", "b") == 0);
	CHECK(store_transfers(store, pair, 2, NULL) == -1);
	CHECK(pair[0].moved == 1 && pair[1].error.code == EX_CANTCREAT);
	CHECK_STRING(get(store, "done/t"), "A");
	CHECK_STRING(get(store, "run/b"), "b");
	CHECK(count_names("run", ".tmp") == 0);
	close_store(store);
}

/* Moves all sources to targets of its own: how many it got, with its value. */
static int
move_own(struct store *store, int number)
{
	static struct many many;
	char value[8];
	int i, won = 0;

	alarm(60);
	make_many(&many, "");
	snprintf(value, sizeof(value), "by %d", number);
	for (i = 0; i < MANY; i++) {
		snprintf(many.targets[i], sizeof(many.targets[i]),
		    "done/t%d.%d", i, number);
		many.transfers[i].value = value;
		many.transfers[i].length = strlen(value);
	}
	for (i = 0; i < MANY; i += 10)
		if (store_transfers(store, many.transfers + i, 10, NULL) == -1)
			return 255;
	for (i = 0; i < MANY; i++) {
		if (many.transfers[i].moved != 1)
			continue;
		won++;
		if (strcmp(get(store, many.targets[i]), value) != 0)
			return 254;
	}
	return won > 250 ? 250 : won;
}

static void
of_four_processes_one_moves_each_source_with_its_own_value(void)
{
	static struct many many;
	struct store *store = open_store();
	int status, n;

	make_many(&many, "");
	CHECK(put_sources(store, &many, MANY) == 0);
	for (n = 0; n < 4; n++)
		if (fork() == 0)
			_exit(move_own(store, n));
	for (n = 0; n < 4; n++) {
		status = -1;
		CHECK(wait(&status) > 0 && WIFEXITED(status));
		CHECK(WEXITSTATUS(status) <= 250);
	}
	CHECK(count_names("done", "t") == MANY);
	CHECK(count_names("run", "t") == 0 && count_names("run", ".tmp") == 0);
	close_store(store);
}

/* In a thread: a batch and its transfers, through a store of its own. */
static void *
work_alone(void *argument)
{
	struct many *many = argument;
	struct store *store;
	struct store_put put = {.value = "task", .length = 4};
	size_t failed = 0;
	int i;

	if (store_open(&store, spool, NULL) == -1)
		return many;
	for (i = 0; i < MANY; i++) {
		put.key = many->sources[i];
		failed += store_put(store, &put, NULL, NULL) == -1;
	}
	failed += store_transfers(store, many->transfers, MANY, NULL) == -1;
	for (i = 0; i < MANY; i++)
		failed += many->transfers[i].moved != 1;
	store_close(store);
	return failed == 0 ? NULL : many;
}

static void
threads_with_a_store_each_do_not_meet(void)
{
	static struct many many[4];
	struct store *store = open_store();
	pthread_t threads[4];
	void *failed = NULL;
	char prefix[8];
	int n;

	CHECK(put(store, "x", "1") == 0);
	for (n = 0; n < 4; n++) {
		snprintf(prefix, sizeof(prefix), "%d/", n);
		make_many(&many[n], prefix);
		CHECK(pthread_create(&threads[n], NULL, work_alone, &many[n]) ==
		      0);
	}
	for (n = 0; n < 4; n++) {
		CHECK(pthread_join(threads[n], &failed) == 0);
		CHECK(failed == NULL);
	}
	close_store(store);
}

static int
transfer_ten(struct store *store)
{
	static struct many many;

	make_many(&many, "");
	return store_transfers(store, many.transfers, 10, NULL) == 0 ? 0 : 1;
}

/* Of each of the first count tasks: it is in one place, with a whole value. */
static void
check_nothing_lost(struct store *store, int count)
{
	static struct many many;
	char waits[16], ended[16];
	int i;

	make_many(&many, "");
	for (i = 0; i < count; i++) {
		snprintf(
		    waits, sizeof(waits), "%s", get(store, many.sources[i]));
		snprintf(
		    ended, sizeof(ended), "%s", get(store, many.targets[i]));
		CHECK((*waits == '\0') != (*ended == '\0'));
		if (*waits != '\0' && strcmp(waits, "task") != 0)
			CHECK_STRING(waits, many.values[i]);
		if (*ended != '\0')
			CHECK_STRING(ended, many.values[i]);
	}
}

static void
a_step_that_fails_or_kills_loses_nothing(void)
{
	static const struct {
		struct fault fault;
		int moved; /* of ten; the others have the old value */
	} steps[] = {
	    {{SYS_openat, FAULT_KILL, 0}, 0},
	    {{SYS_openat, FAULT_ERRNO(EMFILE), 0}, 0},
	    {{SYS_write, FAULT_KILL, 0}, 0},
	    {{SYS_write, FAULT_ERRNO(ENOSPC), 0}, 0},
	    {{SYS_fsync, FAULT_ERRNO(EIO), 0}, 0},
	    {{SYS_renameat2, FAULT_KILL, RENAME_EXCHANGE}, 0},
	    {{SYS_renameat2, FAULT_ERRNO(EROFS), RENAME_EXCHANGE}, 0},
	    {{SYS_renameat2, FAULT_KILL, RENAME_NOREPLACE}, 0},
	    {{SYS_renameat2, FAULT_ERRNO(ENOSPC), RENAME_NOREPLACE}, 0},
	    {{SYS_unlinkat, FAULT_KILL, 0}, 10},
	};
	static struct many many;
	struct store *store = open_store();
	int status, temporaries;
	bool killed;
	size_t i;

	make_many(&many, "");
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		killed = steps[i].fault.end == FAULT_KILL;
		CHECK(put_sources(store, &many, 10) == 0);
		temporaries = count_names("run", ".tmp");
		status = fault_run(store, transfer_ten, &steps[i].fault);
		if (status == -2) {
			SKIP("needs seccomp");
			break;
		}
		CHECK(status == (killed ? -1 : 1));
		check_nothing_lost(store, 10);
		CHECK(count_names("done", "t") == steps[i].moved);
		if (!killed)
			CHECK_STRING(get(store, "run/t0"), "task");
		if (!killed)
			CHECK(count_names("run", ".tmp") == temporaries);
	}
	close_store(store);
}

/* A store on a file system of its own, with these limits; NULL: cannot. */
static struct store *
open_limited(const char *options)
{
	struct store *store = NULL;
	struct svc_error error;

	spool_begin();
	if (mount("svckit-unit", spool, "tmpfs", 0, options) == -1) {
		SKIP("needs to mount");
		spool_end();
		return NULL;
	}
	if (!CHECK(store_open(&store, spool, &error) == 0))
		exit(1);
	return store;
}

static void
close_limited(struct store *store)
{
	store_close(store);
	CHECK(umount(spool) == 0);
	spool_end();
}

/* Fills the file system with more tasks than it has room for, ends those that
 * are in, and counts. */
static void
fill_and_move(const char *options)
{
	static struct many many;
	struct store *store = open_limited(options);
	int i, refused, moved = 0;

	if (store == NULL)
		return;
	CHECK(put(store, "done/x", "1") == 0);
	make_many(&many, "");
	refused = put_sources(store, &many, MANY);
	CHECK(refused > 0 && refused < MANY);
	CHECK(count_names("run", "t") == MANY - refused);
	store_transfers(store, many.transfers, MANY, NULL);
	for (i = 0; i < MANY; i++) {
		moved += many.transfers[i].moved == 1;
		if (many.transfers[i].moved == -1)
			CHECK(many.transfers[i].error.code == EX_IOERR);
	}
	CHECK(count_names("done", "t") == moved);
	CHECK(count_names("run", "t") == MANY - refused - moved);
	CHECK(count_names("run", ".tmp") == 0);
	check_nothing_lost(store, 0);
	/* With room again it goes on. */
	CHECK(unlink(spool_path("done/x")) == 0);
	for (i = 0; i < MANY && moved > 0; i++)
		if (many.transfers[i].moved == 1)
			moved -= unlink(spool_path(many.targets[i])) == 0;
	for (i = MANY - 1; i > 0 && *get(store, many.sources[i]) == '\0';)
		i--;
	if (*get(store, many.sources[i]) != '\0') {
		CHECK(unlink(spool_path(many.sources[i])) == 0);
		store_transfers(store, many.transfers, MANY, NULL);
		CHECK(count_names("done", "t") > 0);
	}
	close_limited(store);
}

static void
a_full_disk_refuses_and_loses_nothing(void)
{
	fill_and_move("size=400k");
}

static void
without_inodes_it_refuses_and_loses_nothing(void)
{
	fill_and_move("nr_inodes=60");
}

static void
what_may_only_be_read_stays_as_it_is(void)
{
	static struct many many;
	struct store *store = open_limited("size=4m");
	struct store_put put = {.key = "ids/t",
	    .also = "run/t",
	    .value = "1",
	    .length = 1,
	    .if_absent = true};
	int i;

	if (store == NULL)
		return;
	make_many(&many, "");
	CHECK(put_sources(store, &many, MANY) == 0);
	CHECK(mount(NULL, spool, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHECK(store_transfers(store, many.transfers, MANY, NULL) == -1);
	for (i = 0; i < MANY; i++) {
		CHECK(many.transfers[i].moved == -1);
		CHECK_STRING(get(store, many.sources[i]), "task");
	}
	CHECK(store_put(store, &put, NULL, NULL) == -1);
	CHECK(store_batch(store, &put, 1, NULL) == -1);
	CHECK_STRING(get(store, "run/t"), "");
	close_limited(store);
}

int
main(void)
{
	RUN(each_transfer_tells_what_became_of_it);
	RUN(of_two_that_have_one_target_the_second_stays);
	RUN(of_four_processes_one_moves_each_source_with_its_own_value);
	RUN(threads_with_a_store_each_do_not_meet);
	RUN(a_step_that_fails_or_kills_loses_nothing);
	RUN(a_full_disk_refuses_and_loses_nothing);
	RUN(without_inodes_it_refuses_and_loses_nothing);
	RUN(what_may_only_be_read_stays_as_it_is);
	return check_done();
}
