/*
 * A book of the queue, and a world in which tasks end, for the tests of
 * queue_book.h.
 */
#ifndef SVCKIT_TESTS_BOOK_FIXTURE_H
#define SVCKIT_TESTS_BOOK_FIXTURE_H

#include <stdlib.h>

#include "check.h"
#include "flow/queue_book.h"

#define BOOK_WORLD 8

struct book_fixture {
	struct queue_book *book;
	/* What options.look knows of; the first without an id is the last. */
	struct {
		const char *id;
		enum task_end end;
	} world[BOOK_WORLD];
	int looks; /* how often it was called */
	bool broken; /* it fails */
	char text[128];
};

static inline int
book_fixture_look(
    void *argument, const char *id, enum task_end *end, struct svc_error *error)
{
	struct book_fixture *fixture = argument;
	int i;

	fixture->looks++;
	if (fixture->broken)
		return svc_error_set(error, 74, "cannot look");
	for (i = 0; i < BOOK_WORLD && fixture->world[i].id != NULL; i++)
		if (strcmp(fixture->world[i].id, id) == 0) {
			*end = fixture->world[i].end;
			return 1;
		}
	return 0;
}

static inline void
book_fixture_open(struct book_fixture *fixture)
{
	struct queue_book_options options = {.service = "render",
	    .look = book_fixture_look,
	    .argument = fixture,
	    .seed = 7};
	struct svc_error error;

	memset(fixture, 0, sizeof(*fixture));
	if (queue_book_open(&fixture->book, &options, &error) == -1) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
}

static inline void
book_fixture_close(struct book_fixture *fixture)
{
	queue_book_close(fixture->book);
}

/* Where id waits, with so many claims. */
static inline struct queue_place
book_fixture_place(const char *id, unsigned claims)
{
	struct queue_place place = {.state = QUEUE_WAITING, .claims = claims};

	snprintf(place.id, sizeof(place.id), "%s", id);
	return place;
}

/* What queue_book_add() says of {"id":ID,"task":1,MEMBERS}. */
static inline int
book_fixture_add_at(struct book_fixture *fixture, const char *id,
    unsigned claims, const char *members, int64_t submitted, int64_t rest)
{
	struct queue_place place = book_fixture_place(id, claims);
	struct svc_error error = {.message = ""};
	char line[1024];
	int length =
	    snprintf(line, sizeof(line), "{\"id\":\"%s\",\"task\":1%s%s}\n", id,
		*members == '\0' ? "" : ",", members);
	int result = queue_book_add(fixture->book, &place, line, (size_t)length,
	    submitted, rest, &error);

	if (result == -1 && !fixture->broken)
		printf("# %s: %s\n", id, error.message);
	return result;
}

static inline void
book_fixture_add(
    struct book_fixture *fixture, const char *id, const char *members)
{
	CHECK(book_fixture_add_at(fixture, id, 0, members, 1000, 0) == 1);
}

static inline void
book_fixture_remove(struct book_fixture *fixture, const char *id)
{
	struct queue_place place = book_fixture_place(id, 0);

	queue_book_remove(fixture->book, &place);
}

/* The next one of a lane, "ID.CLAIMS", or "". */
static inline const char *
book_fixture_take(struct book_fixture *fixture, uint32_t lane)
{
	struct queue_place place;

	fixture->text[0] = '\0';
	if (queue_book_take(fixture->book, lane, 1, &place)) {
		CHECK(place.state == QUEUE_WAITING);
		CHECK_STRING(place.claimant, "");
		snprintf(fixture->text, sizeof(fixture->text), "%.100s.%u",
		    place.id, place.claims);
	}
	return fixture->text;
}

/* "READY BLOCKED ASLEEP"; lanes say the same. */
static inline const char *
book_fixture_counts(struct book_fixture *fixture)
{
	struct queue_book_counts counts;
	size_t ready = 0;
	uint32_t lane;

	queue_book_counts(fixture->book, &counts);
	for (lane = 0; lane < queue_book_lanes(fixture->book); lane++)
		ready += queue_book_ready(fixture->book, lane);
	CHECK(ready == counts.ready);
	snprintf(fixture->text, sizeof(fixture->text), "%zu %zu %zu",
	    counts.ready, counts.blocked, counts.asleep);
	return fixture->text;
}

#endif
