/*
 * A queue of ready tasks that are made of lines, for the tests of
 * ready_queue.h.
 */
#ifndef SVCKIT_TESTS_READY_FIXTURE_H
#define SVCKIT_TESTS_READY_FIXTURE_H

#include <stdlib.h>

#include "check.h"
#include "flow/ready_queue.h"

#define FIXTURE_NOW 1000000 /* ms since 1970 */

/* Tasks are numbered as they come, from 0. */
struct ready_fixture {
	struct ready_queue *queue;
	struct group_shares shares;
	struct envelope envelope;
	uint32_t count;
	char text[1024];
};

static inline void
ready_fixture_bail(const struct svc_error *error)
{
	printf("Bail out! %s\n", error->message);
	exit(1);
}

/* shares: as on a command line; NULL: none. */
static inline void
ready_fixture_open(
    struct ready_fixture *fixture, enum task_order order, const char *shares)
{
	struct svc_error error;

	memset(fixture, 0, sizeof(*fixture));
	envelope_init(&fixture->envelope);
	if ((shares != NULL &&
		group_shares_add(&fixture->shares, shares, &error) == -1) ||
	    ready_queue_open(
		&fixture->queue, order, &fixture->shares, &error) == -1)
		ready_fixture_bail(&error);
}

static inline void
ready_fixture_close(struct ready_fixture *fixture)
{
	ready_queue_close(fixture->queue);
	group_shares_release(&fixture->shares);
	envelope_release(&fixture->envelope);
}

/* The key of {"task":1,MEMBERS}. */
static inline int
ready_fixture_key(struct ready_fixture *fixture, const char *service,
    const struct task_instance *planned, const char *members,
    struct ready_key *key, struct svc_error *error)
{
	static const struct envelope_options options = {
	    .run = "run", .source = "stdin"};
	struct line line = {.data = fixture->text, .number = 1};

	line.length = (size_t)snprintf(fixture->text, sizeof(fixture->text),
	    "{\"task\":1%s%s}", members[0] == '\0' ? "" : ",", members);
	if (envelope_enter(&fixture->envelope, &line, &options, error) !=
	    ENVELOPE_READY)
		ready_fixture_bail(error);
	return ready_queue_key(
	    fixture->queue, &fixture->envelope, service, planned, key, error);
}

static inline void
ready_fixture_push(struct ready_fixture *fixture, const struct ready_key *key)
{
	struct svc_error error;

	if (ready_queue_push(fixture->queue, fixture->count, fixture->count,
		key, FIXTURE_NOW, &error) == -1)
		ready_fixture_bail(&error);
	fixture->count++;
}

/* A task with these members, of service "render".  Its lane. */
static inline uint32_t
ready_fixture_add(struct ready_fixture *fixture, const char *members)
{
	struct svc_error error;
	struct ready_key key;

	if (ready_fixture_key(fixture, "render", NULL, members, &key, &error) ==
	    -1)
		ready_fixture_bail(&error);
	ready_fixture_push(fixture, &key);
	return key.lane;
}

/* The numbers of all in a lane, in their order: "2 0 1". */
static inline const char *
ready_fixture_take_all(struct ready_fixture *fixture, uint32_t lane)
{
	size_t length = 0;
	uint32_t task;

	fixture->text[0] = '\0';
	while ((task = ready_queue_pop(fixture->queue, lane)) != READY_NONE)
		length += (size_t)snprintf(fixture->text + length,
		    sizeof(fixture->text) - length, "%s%u",
		    length == 0 ? "" : " ", task);
	CHECK(ready_queue_waiting(fixture->queue, lane) == 0);
	return fixture->text;
}

#endif
