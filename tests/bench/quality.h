/*
 * What the programs of bench-quality share: instances made of lines, policies
 * made of their names, targets told as tests/bench/run tells them.  Whatever
 * goes wrong ends the program: a table with a hole is none.
 */
#ifndef SVCKIT_TESTS_QUALITY_H
#define SVCKIT_TESTS_QUALITY_H

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/instance.h"
#include "sched/policy.h"
#include "sched/pool.h"

struct quality_stock {
	struct instance *instances; /* sorted as they were added */
	size_t count;
	struct pool *pool;
};

/* For calls that return -1 with error filled. */
static inline void
quality_must(int result, const struct svc_error *error)
{
	if (result == -1)
		errx(error->code, "%s", error->message);
}

static inline void *
quality_allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL)
		err(EX_OSERR, NULL);
	return memory;
}

/*
 * count instances, each with one number in its capacity: name is values[i], or
 * values[0] of all where alike.
 */
static inline void
quality_stock_open(struct quality_stock *stock, size_t count, const char *name,
    const double *values, bool alike)
{
	struct svc_error error;
	char line[256];
	size_t i;
	int length;

	stock->instances = quality_allocate(count, sizeof(struct instance));
	stock->count = count;
	for (i = 0; i < count; i++) {
		length = snprintf(line, sizeof(line),
		    "{\"service\":\"s\",\"id\":\"i%05zu\","
		    "\"address\":\"http://127.0.0.1:9/task\","
		    "\"capacity\":{\"%s\":%.17g}}",
		    i, name, values[alike ? 0 : i]);
		quality_must(instance_parse(&stock->instances[i], line,
				 (size_t)length, &error),
		    &error);
	}
	quality_must(
	    pool_open(&stock->pool, stock->instances, count, &error), &error);
}

static inline void
quality_stock_close(struct quality_stock *stock)
{
	size_t i;

	pool_close(stock->pool);
	for (i = 0; i < stock->count; i++)
		instance_release(&stock->instances[i]);
	free(stock->instances);
}

/* Opens the policy that text ("weighted=headroom") names. */
static inline void
quality_policy_open(struct policy *policy, const char *text, struct pool *pool,
    struct policy_options *options)
{
	const struct policy_type *type;
	struct svc_error error;

	quality_must(policy_parse(text, &type, options, &error), &error);
	quality_must(policy_open(policy, type, pool, options, &error), &error);
}

/* Prints a figure and its target ("at most", "below"); whether it is missed. */
static inline bool
quality_target(const char *label, double value, const char *how, double limit)
{
	bool met =
	    value < limit || (value == limit && strcmp(how, "at most") == 0);

	printf("  %-56s %8.3f  %s %g: %s\n", label, value, how, limit,
	    met ? "met" : "MISSED");
	return !met;
}

#endif
