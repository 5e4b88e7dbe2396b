/*
 * A pool made of instance lines, for the tests of pool and policies.
 */
#ifndef SVCKIT_TESTS_POOL_FIXTURE_H
#define SVCKIT_TESTS_POOL_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line/instance.h"
#include "sched/pool.h"

/* Zeroes to begin with. */
struct fixture {
	struct instance *instances;
	size_t count;
	size_t capacity;
	struct pool *pool;
};

static inline void
fixture_grow(struct fixture *fixture)
{
	if (fixture->count < fixture->capacity)
		return;
	fixture->capacity = 2 * fixture->capacity + 64;
	fixture->instances = reallocarray(
	    fixture->instances, fixture->capacity, sizeof(*fixture->instances));
	if (fixture->instances == NULL) {
		printf("Bail out! no memory\n");
		exit(1);
	}
}

/* Adds an instance; more is what follows "address", e.g. ,"labels":{}. */
static inline void
fixture_add(struct fixture *fixture, const char *service, const char *id,
    const char *more)
{
	struct svc_error error;
	char line[1024];
	int length;

	length = snprintf(line, sizeof(line),
	    "{\"service\":\"%s\",\"id\":\"%s\","
	    "\"address\":\"http://127.0.0.1:9/task\"%s}",
	    service, id, more);
	fixture_grow(fixture);
	if (instance_parse(&fixture->instances[fixture->count], line,
		(size_t)length, &error) == -1) {
		printf("Bail out! %s: %s\n", line, error.message);
		exit(1);
	}
	fixture->count++;
}

static inline void
fixture_open(struct fixture *fixture)
{
	struct svc_error error;

	qsort(fixture->instances, fixture->count, sizeof(struct instance),
	    instance_compare);
	if (pool_open(&fixture->pool, fixture->instances, fixture->count,
		&error) == -1) {
		printf("Bail out! %s\n", error.message);
		exit(1);
	}
}

static inline void
fixture_close(struct fixture *fixture)
{
	size_t i;

	pool_close(fixture->pool);
	for (i = 0; i < fixture->count; i++)
		instance_release(&fixture->instances[i]);
	free(fixture->instances);
	memset(fixture, 0, sizeof(*fixture));
}

/* requires as a value; "" is none. */
static inline struct json_value
fixture_requires(const char *text)
{
	struct json_value value;

	memset(&value, 0, sizeof(value));
	if (*text == '\0')
		return value;
	value.span.data = text;
	value.span.length = strlen(text);
	value.type = *text == '{'   ? JSON_OBJECT
		     : *text == '[' ? JSON_ARRAY
		     : *text == 'n' ? JSON_NULL
				    : JSON_NUMBER;
	return value;
}

/* The list for requires, or NULL and *error. */
static inline const struct eligible *
fixture_list(struct fixture *fixture, const char *service, const char *requires,
    struct svc_error *error)
{
	struct json_value value = fixture_requires(requires);
	const struct eligible *list;

	if (pool_eligible(fixture->pool, service, &value, &list, error) == -1)
		return NULL;
	return list;
}

/* The same, of pool_labelled(). */
static inline const struct eligible *
fixture_labelled(struct fixture *fixture, const char *service,
    const char *requires, struct svc_error *error)
{
	struct json_value value = fixture_requires(requires);
	const struct eligible *list;

	if (pool_labelled(fixture->pool, service, &value, &list, NULL, error) ==
	    -1)
		return NULL;
	return list;
}

static inline const char *
fixture_id(const struct fixture *fixture, uint32_t member)
{
	return pool_member(fixture->pool, member)->instance->id;
}

/* The ids of a list, as "a b c". */
static inline const char *
fixture_ids(const struct fixture *fixture, const struct eligible *list)
{
	static char ids[4096];
	size_t i, length = 0;

	ids[0] = '\0';
	for (i = 0; i < list->count; i++)
		length += (size_t)snprintf(ids + length, sizeof(ids) - length,
		    "%s%s", i > 0 ? " " : "",
		    fixture_id(fixture, list->members[i]));
	return ids;
}

#endif
