/* Listing keys by their names alone. */
#include <signal.h>
#include <sysexits.h>

#include "store_fixture.h"

#define STABLE 500

struct told {
	int stable[STABLE];
	int others;
	int stop_after; /* 0: never */
};

static int
tell(void *argument, const char *key, struct svc_error *error)
{
	struct told *told = argument;
	int number;

	if (sscanf(key, "d/s%d", &number) == 1 && number < STABLE)
		told->stable[number]++;
	else
		told->others++;
	if (told->stop_after > 0 && --told->stop_after == 0)
		return svc_error_set(error, EX_TEMPFAIL, "enough");
	return 0;
}

static void
names_that_are_no_keys_are_not_told(void)
{
	static const char *const names[] = {
	    "d/.tmp.1.2", "d/a b", "d/-x", "d/a\nb", "d/\xff", "d/a~", "d/_a"};
	struct store *store = open_store();
	struct told told = {.others = 0};
	size_t i;

	CHECK(put(store, "d/t1.0@web1", "1") == 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		spool_write(names[i], "x");
	CHECK(mkdir(spool_path("d/directory"), 0755) == 0);
	CHECK(symlink("nowhere", spool_path("d/link")) == 0);
	spool_write("d/empty", "");
	CHECK(store_keys(store, "d", tell, &told, NULL) == 0);
	CHECK(told.others == 3);
	close_store(store);
}

static void
a_directory_that_does_not_exist_has_no_keys(void)
{
	struct store *store = open_store();
	struct told told = {.others = 0};
	struct svc_error error;

	CHECK(store_keys(store, "none", tell, &told, &error) == 0);
	CHECK(told.others == 0);
	CHECK(store_keys(store, "../etc", tell, &told, &error) == -1);
	CHECK(error.code == EX_USAGE);
	close_store(store);
}

static void
who_is_told_may_stop_it(void)
{
	struct store *store = open_store();
	struct told told = {.stop_after = 2};
	struct svc_error error;

	CHECK(put(store, "d/a", "1") == 0 && put(store, "d/b", "1") == 0);
	CHECK(put(store, "d/c", "1") == 0);
	CHECK(store_keys(store, "d", tell, &told, &error) == -1);
	CHECK(told.others == 2);
	CHECK_STRING(error.message, "enough");
	close_store(store);
}

static void
churn(struct store *store)
{
	struct store_put request = {
	    .value = "1", .length = 1, .lease = STORE_SOFT};
	char key[32], target[32];
	int i;

	for (i = 0;; i++) {
		snprintf(key, sizeof(key), "d/c%d", i);
		snprintf(target, sizeof(target), "d/m%d", i);
		request.key = key;
		if (store_put(store, &request, NULL, NULL) == -1 ||
		    store_move(store, key, target, NULL, 0, NULL) != 1)
			_exit(1);
		snprintf(target, sizeof(target), "d/m%d", i - 50);
		if (i >= 50 &&
		    store_delete(store, target, NULL, false, NULL) != 1)
			_exit(1);
	}
}

static void
what_stays_is_told_once_while_others_come_and_go(void)
{
	struct store *store = open_store();
	int i, round, status = 0, seen = 0;
	char key[32];
	pid_t pid;

	for (i = 0; i < STABLE; i++) {
		snprintf(key, sizeof(key), "d/s%d", i);
		if (i == 0)
			CHECK(put(store, key, "1") == 0);
		else
			spool_write(key, "1");
	}
	pid = fork();
	if (pid == 0)
		churn(store);
	alarm(60);
	for (round = 0; round < 50 || seen == 0; round++) {
		struct told told = {.others = 0};

		CHECK(store_keys(store, "d", tell, &told, NULL) == 0);
		for (i = 0; i < STABLE; i++)
			CHECK(told.stable[i] == 1);
		seen += told.others;
	}
	alarm(0);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	close_store(store);
}

int
main(void)
{
	RUN(names_that_are_no_keys_are_not_told);
	RUN(a_directory_that_does_not_exist_has_no_keys);
	RUN(who_is_told_may_stop_it);
	RUN(what_stays_is_told_once_while_others_come_and_go);
	return check_done();
}
