/* A store of the test's own, and short ways to use it. */
#ifndef SVCKIT_TESTS_STORE_FIXTURE_H
#define SVCKIT_TESTS_STORE_FIXTURE_H

#include "spool_fixture.h"
#include "store/store.h"

static inline struct store *
open_store(void)
{
	struct store *store = NULL;

	spool_begin();
	if (!CHECK(store_open(&store, spool, NULL) == 0))
		exit(1);
	return store;
}

static inline void
close_store(struct store *store)
{
	store_close(store);
	spool_end();
}

static inline int
put(struct store *store, const char *key, const char *value)
{
	struct store_put request = {.key = key,
	    .value = value,
	    .length = strlen(value),
	    .lease = STORE_DURABLE};
	struct svc_error error;

	return store_put(store, &request, NULL, &error) == 0 ? 0 : error.code;
}

/* The value of key; "" when it is absent. */
static inline const char *
get(struct store *store, const char *key)
{
	static char value[256];
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;

	value[0] = '\0';
	if (store_get(store, key, sizeof(value) - 1, &scratch, &entry, NULL) ==
	    1)
		snprintf(value, sizeof(value), "%s", entry.value);
	buffer_release(&scratch);
	return value;
}

/* Whether the kernel knows of somebody who waits for a lock of the file. */
static inline bool
is_waited_for(int descriptor)
{
	char line[256], inode[32];
	struct stat st;
	bool found = false;
	FILE *locks = fopen("/proc/locks", "r");

	if (locks == NULL || fstat(descriptor, &st) == -1)
		return false;
	snprintf(inode, sizeof(inode), ":%lu ", (unsigned long)st.st_ino);
	while (fgets(line, sizeof(line), locks) != NULL)
		found |=
		    strstr(line, "->") != NULL && strstr(line, inode) != NULL;
	fclose(locks);
	return found;
}

static inline bool
ended_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

#endif
