/* Claimants that are processes of their own, on a queue of the test's own. */
#ifndef SVCKIT_TESTS_CLAIM_FIXTURE_H
#define SVCKIT_TESTS_CLAIM_FIXTURE_H

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/units.h"
#include "registry/claim.h"
#include "registry/queue_submit.h"
#include "spool_fixture.h"

#define WAIT_LIMIT 30.0

static inline struct store *
open_store(void)
{
	struct store *store = NULL;
	struct svc_error error;

	if (store_open(&store, spool, &error) == -1 ||
	    queue_create(store, &error) == -1) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return store;
}

static inline void
submit(struct store *store, const char *id)
{
	char line[256];
	struct queue_item item = {.id = id, .line = line};
	struct svc_error error;

	item.length = (size_t)snprintf(
	    line, sizeof(line), "{\"id\":\"%s\",\"task\":1}\n", id);
	CHECK(queue_submit(store, &item, 1, &error) == 0);
}

static inline bool
exists(const char *key)
{
	return access(spool_path(key), F_OK) == 0;
}

/* Whether the file at key has text in it. */
static inline bool
says(const char *key, const char *text)
{
	static char content[8192];
	FILE *file = fopen(spool_path(key), "re");
	size_t length;

	if (file == NULL)
		return false;
	length = fread(content, 1, sizeof(content) - 1, file);
	content[length] = '\0';
	fclose(file);
	return strstr(content, text) != NULL;
}

static inline struct claimant *
open_claimant(struct store *store, double ttl)
{
	const struct claimant_options options = {.host = "here", .ttl = ttl};
	struct claimant *claimant = NULL;
	struct svc_error error;

	if (claimant_open(&claimant, store, &options, &error) == -1) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
	return claimant;
}

/* Claims id, which nobody has lost yet but claims times: 1, 0, -1. */
static inline int
take(struct store *store, const char *claimant, const char *id, unsigned claims,
    struct queue_place *place)
{
	struct buffer line = BUFFER_INIT;
	struct svc_error error;
	int taken;

	memset(place, 0, sizeof(*place));
	place->state = QUEUE_WAITING;
	place->claims = claims;
	snprintf(place->id, sizeof(place->id), "%s", id);
	taken = claim_take(store, claimant, place, &line, NULL, NULL, &error);
	buffer_release(&line);
	return taken;
}

/* Completes it with a result: what moved says. */
static inline int
complete(struct store *store, const struct queue_place *place)
{
	char line[256];
	struct claim_end end = {.place = *place, .line = line};
	struct svc_error error;

	end.length = (size_t)snprintf(line, sizeof(line),
	    "{\"id\":\"%s\",\"task\":1,\"result\":2}\n", place->id);
	(void)claim_complete(store, &end, 1, &error);
	return end.moved;
}

/* Looks who is alive, and puts back what the dead had: how many. */
static inline int
recover(struct store *store, struct claimants *claimants, size_t *failed)
{
	struct svc_error error;
	double next;
	int count;

	CHECK(claimants_look(claimants, &next, &error) == 0);
	count = claim_recover(store, claimants, NULL, NULL, failed, &error);
	CHECK(count != -1 && claimants_sweep(claimants, &error) == 0);
	return count;
}

/*
 * A process that has claimed the count ids, and waits: its name is read from
 * the pipe.
 */
static inline pid_t
start_holder(const char *const *ids, size_t count, double ttl,
    char name[NAME_MAX_LENGTH + 1])
{
	int channel[2];
	ssize_t n;
	pid_t pid;

	if (pipe(channel) == -1 || (pid = fork()) == -1)
		exit(1);
	if (pid == 0) {
		struct store *store = open_store();
		struct claimant *claimant = open_claimant(store, ttl);
		struct queue_place place;
		size_t i;

		for (i = 0; i < count; i++)
			if (take(store, claimant_name(claimant), ids[i], 0,
				&place) != 1)
				_exit(1);
		if (write(channel[1], claimant_name(claimant),
			strlen(claimant_name(claimant))) == -1)
			_exit(1);
		close(channel[1]);
		for (;;)
			(void)pause();
	}
	close(channel[1]);
	n = read(channel[0], name, NAME_MAX_LENGTH);
	name[n > 0 ? n : 0] = '\0';
	CHECK(n > 0);
	close(channel[0]);
	return pid;
}

static inline void
kill_holder(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

#endif
