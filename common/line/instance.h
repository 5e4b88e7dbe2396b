/*
 * An instance of a service: one record, and what was observed of it.
 *
 * The record keeps the members it came with, in their order and with their
 * bytes, unknown ones included; what svckit interprets is decoded beside it.
 * What was observed (status, utilization, pinned, reported, latency_ms,
 * checked, age, owner, draining, panic, reason) is never part of the record: a
 * line that carries it is taken apart.  Only a pinned utilization belongs to
 * the record: one with "pinned":true beside it, or, where "pinned" does not
 * stand, one in a line without "status" and "reported".  So two records that
 * differ in load alone are equal, byte by byte.  instance-line(5) describes the
 * line.
 */
#ifndef SVCKIT_LINE_INSTANCE_H
#define SVCKIT_LINE_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "line/address.h"
#include "line/buffer.h"
#include "line/error.h"
#include "line/instance_view.h"
#include "line/json.h"
#include "line/status.h"

#define INSTANCE_RECORD_MAX  (64UL * 1024)
#define INSTANCE_MEMBERS_MAX 256 /* capacities, labels */
/* A record with what was observed of it. */
#define INSTANCE_LINE_MAX (INSTANCE_RECORD_MAX + 4096)

enum instance_lease { LEASE_NONE, LEASE_TTL, LEASE_LOCK };

struct instance {
	/* One JSON object on one line; owned by the instance. */
	struct json_span record;
	const char *service; /* names; owned by the instance */
	const char *id;
	const char *address; /* the whole URL, owned by the instance */
	enum instance_lease lease;
	double ttl; /* seconds; of LEASE_TTL */
	const char *boot; /* of LEASE_LOCK: the boot it was made in; or NULL */
	double slots; /* capacity.slots; 0 when it names none */
	bool pinned; /* the record itself has a utilization */
	/* observed; instance_parse() takes them from the line if it has them */
	enum instance_status status; /* else passing */
	double utilization; /* the pinned one; 0 when nobody said */
	int64_t reported; /* when its holder said the utilization, in ms since
			     1970; 0: it did not */
	double latency_ms; /* negative: not measured */
	int64_t checked; /* ms since 1970; 0: never */
	double age; /* seconds since the last heartbeat; negative: not known */
	int64_t heartbeat; /* that, in ms since 1970; 0: not known.  Of a
			      registry's listing, and not printed */
	bool draining;
	bool panic; /* its service is in panic, and it is served meanwhile */
	const char *owner; /* user name, or uid in decimal; or NULL.  Owned */
	const char *reason; /* why it is critical or warning; or NULL.  Owned */
	/* private to registry/observe.h: what the observed follow from */
	double said; /* the utilization that came with the record */
	int64_t said_at; /* reported, likewise */
	uid_t owner_id;
	bool held; /* somebody holds its lock lease */
	uint64_t revision[2]; /* of the value in the store */
	/* private: where they stand in the record; data NULL: absent */
	struct json_span pin; /* the pinned utilization, with its comma */
	struct json_span labels;
	struct json_span capacity;
	char *memory; /* what the pointers above point into */
	char *observed_memory;
};

/*
 * Decodes and checks one record or instance line; the bytes are copied.  A
 * value of the wrong kind, a name that is none, or a member that stands twice
 * is EX_DATAERR, and the message names the member.  The address may be short
 * (HOST:PORT): the record then has the whole URL.  A missing id is derived from
 * the address (address_id()).  An optional member that is null counts as
 * absent.  After -1 nothing needs release.
 */
int instance_parse(struct instance *instance, const char *text, size_t length,
    struct svc_error *error);
void instance_release(struct instance *instance);

/* A copy that shares nothing with from.  -1 without memory. */
int instance_copy(struct instance *instance, const struct instance *from);

/* Sets owner and reason (copied; either may be NULL).  -1 without memory. */
int instance_observe(
    struct instance *instance, const char *owner, const char *reason);

/*
 * Whether it may get new work by itself: status_works(), or the mark of a panic
 * overrides its status.  Nothing overrides draining, and of the expired a ttl
 * alone can be mistaken.
 */
bool instance_works(const struct instance *instance);

/*
 * Marks in available[] (count bytes, 1 or 0) which instances may get work, by
 * service: those that pass; where none passes, those that warn; in a panic all
 * that instance_works() says.  The instances of a service must stand together,
 * as instance_compare() sorts them.
 */
void instances_available(
    const struct instance *instances, size_t count, unsigned char *available);

/* Compares by service, then id (strcmp order), for qsort(3). */
int instance_compare(const void *a, const void *b);

#endif
