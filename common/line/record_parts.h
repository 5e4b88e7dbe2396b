/*
 * Makes an instance's record from the parts that command lines give.
 *
 * instance-line(5) describes the record; the members stand in its order, and a
 * part that was not given is left out.  What record_build() made is read back
 * with instance_parse(), so that there is one place that checks records.
 *
 *	struct record_parts parts = RECORD_PARTS_INIT;
 *
 *	parts.service = "render";
 *	parts.address = "web1:8081";
 *	if (record_set(&parts, "label", "zone=eu-1", &error) == -1 || ...
 *	if (record_build(&parts, &record, &error) == -1 || ...
 *	record_parts_release(&parts);
 */
#ifndef SVCKIT_LINE_RECORD_PARTS_H
#define SVCKIT_LINE_RECORD_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/instance.h"

/* Pairs as they were given, "K=V" each; the strings are borrowed. */
struct record_pairs {
	const char **items;
	size_t count;
};

struct record_parts {
	const char *service;
	const char *id; /* NULL: made from the address */
	const char *address; /* short (HOST:PORT) or whole */
	enum instance_lease lease;
	double ttl; /* seconds, of LEASE_TTL */
	struct record_pairs capacity; /* K=N, N with a unit or without */
	struct record_pairs labels;
	struct record_pairs meta;
	const char *accepts; /* NULL: not said; the same below */
	const char *produces;
	double utilization; /* pinned; negative: not */
	const char *check_http; /* the path that is probed */
	bool check_tcp; /* a connection is enough */
	double check_interval; /* seconds; 0: CHECK_INTERVAL */
};
#define RECORD_PARTS_INIT           \
	{                           \
		.utilization = -1.0 \
	}

/*
 * Sets the part that the option called name (long, no dashes) describes: id,
 * label, capacity, utilization, meta, accepts, produces, ttl (which makes the
 * lease one), check-http, check-tcp (value NULL), interval.  value must live as
 * long as parts.  1; 0: no option of that name describes a record; -1 with
 * EX_USAGE: the value is wrong.
 */
int record_set(struct record_parts *parts, const char *name, const char *value,
    struct svc_error *error);

/*
 * Adds "K=V" to pairs; text must live as long as they.  EX_USAGE: no pair, or
 * a key that is there already.
 */
int record_add_pair(
    struct record_pairs *pairs, const char *text, struct svc_error *error);
void record_parts_release(struct record_parts *parts);

/*
 * Appends the record, without LF.  EX_USAGE names the part that is wrong; a
 * capacity that is a plain number becomes one, "16G" stays a string.
 */
int record_build(const struct record_parts *parts, struct buffer *out,
    struct svc_error *error);

#endif
