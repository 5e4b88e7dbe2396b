#include "sched/member_load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/json_write.h"

struct member_load {
	struct pool *pool;
	const double *own; /* the caller's, or NULL */
	double stale; /* ms */
	size_t count;
	double *observed; /* of each member, from here on */
	double *placed; /* tasks, since the observation */
	double *values; /* observed + placed / slots */
	unsigned char *sources; /* enum member_load_source */
	bool *above; /* the mean of the fresh ones */
	bool telling; /* somebody's load is fresh or stale */
	uint64_t version;
};

static const struct instance *
instance_of(const struct member_load *load, size_t member)
{
	return pool_member(load->pool, (uint32_t)member)->instance;
}

static enum member_load_source
by_age(const struct member_load *load, int64_t told, int64_t now)
{
	return (double)now - (double)told <= load->stale ? LOAD_FRESH
							 : LOAD_STALE;
}

static enum member_load_source
classify(const struct member_load *load, const struct instance *instance,
    int64_t now)
{
	if (instance->pinned)
		return LOAD_PINNED;
	if (instance->reported != 0) {
		if (instance->lease != LEASE_NONE &&
		    instance->status != STATUS_EXPIRED)
			return LOAD_FRESH;
		return by_age(load, instance->reported, now);
	}
	/* also 0 that a prober did not hear: one that is idle says no more */
	if (instance->checked != 0)
		return by_age(load, instance->checked, now);
	return instance->utilization > 0 ? LOAD_FRESH : LOAD_UNKNOWN;
}

/* Of the members of one service: count of them from first on. */
static void
observe_service(
    struct member_load *load, size_t first, size_t count, int64_t now)
{
	double sum = 0, mean;
	size_t fresh = 0, i;

	for (i = first; i < first + count; i++) {
		const struct instance *instance = instance_of(load, i);
		enum member_load_source source = classify(load, instance, now);

		load->sources[i] = (unsigned char)source;
		load->observed[i] = fmax(0, instance->utilization);
		if (source == LOAD_FRESH || source == LOAD_STALE)
			load->telling = true;
		if (source == LOAD_FRESH &&
		    pool_works(load->pool, (uint32_t)i)) {
			sum += load->observed[i];
			fresh++;
		}
	}
	mean = fresh > 0 ? sum / (double)fresh : 0;
	for (i = first; i < first + count; i++) {
		if (load->sources[i] == LOAD_STALE ||
		    load->sources[i] == LOAD_UNKNOWN)
			load->observed[i] = mean;
		load->above[i] = fresh > 0 && load->observed[i] > mean;
		load->values[i] = load->observed[i];
	}
}

void
member_load_observe(struct member_load *load, int64_t now)
{
	size_t first, end;

	load->telling = false;
	for (first = 0; first < load->count; first = end) {
		const char *service = instance_of(load, first)->service;

		end = first + 1;
		while (end < load->count &&
		       strcmp(instance_of(load, end)->service, service) == 0)
			end++;
		observe_service(load, first, end - first, now);
	}
	memset(load->placed, 0, load->count * sizeof(*load->placed));
	load->version++;
}

int
member_load_open(struct member_load **opened, struct pool *pool,
    const double *own, double stale, int64_t now, struct svc_error *error)
{
	size_t count = pool_count(pool);
	struct member_load *load = calloc(1, sizeof(*load));

	*opened = NULL;
	if (load == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	load->pool = pool;
	load->own = own;
	load->stale = 1000 * (stale > 0 ? stale : MEMBER_LOAD_STALE);
	load->count = count;
	/* one more than needed: of no members there is an array too */
	load->observed = calloc(count + 1, sizeof(*load->observed));
	load->placed = calloc(count + 1, sizeof(*load->placed));
	load->values = calloc(count + 1, sizeof(*load->values));
	load->sources = calloc(count + 1, sizeof(*load->sources));
	load->above = calloc(count + 1, sizeof(*load->above));
	if (load->observed == NULL || load->placed == NULL ||
	    load->values == NULL || load->sources == NULL ||
	    load->above == NULL) {
		member_load_close(load);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	member_load_observe(load, now);
	*opened = load;
	return 0;
}

void
member_load_close(struct member_load *load)
{
	if (load == NULL)
		return;
	free(load->above);
	free(load->sources);
	free(load->values);
	free(load->placed);
	free(load->observed);
	free(load);
}

double
member_load_observed(const struct member_load *load, uint32_t member)
{
	return load->observed[member];
}

enum member_load_source
member_load_source(const struct member_load *load, uint32_t member)
{
	return (enum member_load_source)load->sources[member];
}

bool
member_load_above(const struct member_load *load, uint32_t member)
{
	return load->above[member];
}

double
member_load_headroom(const struct member_load *load, uint32_t member)
{
	double floor =
	    load->sources[member] == LOAD_PINNED ? 0 : MEMBER_LOAD_FLOOR;

	return pool_member(load->pool, member)->slots *
	       fmax(floor, 1 - load->observed[member]);
}

/* A whole number of tasks by a slot: k x slots tasks are k, exactly. */
static double
placed_a_slot(const struct member_load *load, uint32_t member)
{
	double placed = load->placed[member];

	return placed > 0 ? placed / pool_member(load->pool, member)->slots : 0;
}

void
member_load_placed(struct member_load *load, uint32_t member)
{
	if (load->own != NULL)
		return;
	load->placed[member]++;
	load->values[member] =
	    load->observed[member] + placed_a_slot(load, member);
}

void
member_load_ended(struct member_load *load, uint32_t member)
{
	/* it may have been placed before the observation */
	if (load->own != NULL || load->placed[member] <= 0)
		return;
	load->placed[member]--;
	load->values[member] =
	    load->observed[member] + placed_a_slot(load, member);
	load->version++;
}

const double *
member_load_values(const struct member_load *load)
{
	return load->own != NULL ? load->own : load->values;
}

const double *
member_load_ties(const struct member_load *load)
{
	return load->own != NULL ? load->observed : load->values;
}

uint64_t
member_load_version(const struct member_load *load)
{
	return load->version;
}

int
member_load_compare(const struct member_load *load, uint32_t a, uint32_t b)
{
	const double *values = member_load_values(load);
	const double *ties = member_load_ties(load);

	if (values[a] != values[b])
		return values[a] < values[b] ? -1 : 1;
	return ties[a] < ties[b] ? -1 : ties[a] > ties[b];
}

bool
member_load_probe(const struct member_load *load, struct random *random,
    const struct eligible *list, uint32_t *member)
{
	uint32_t drawn;
	size_t i;

	if (!load->telling || random_unit(random) >= MEMBER_LOAD_FLOOR)
		return false;
	drawn = list->members[random_below(random, list->count)];
	if (load->sources[drawn] == LOAD_PINNED ||
	    load->sources[drawn] == LOAD_UNKNOWN)
		return false;
	if (load->own != NULL)
		for (i = 0; i < list->count; i++)
			if (load->own[list->members[i]] < load->own[drawn])
				return false;
	*member = drawn;
	return true;
}

void
member_load_explain(
    const struct member_load *load, uint32_t member, struct buffer *out)
{
	static const char *const sources[] = {[LOAD_PINNED] = "pinned",
	    [LOAD_FRESH] = "fresh",
	    [LOAD_STALE] = "stale",
	    [LOAD_UNKNOWN] = "unknown"};

	buffer_append_string(out, ",\"own\":");
	json_append_number(out, load->own != NULL
				    ? load->own[member]
				    : placed_a_slot(load, member));
	buffer_append_string(out, ",\"observed\":");
	json_append_number(out, load->observed[member]);
	buffer_append_format(
	    out, ",\"source\":\"%s\"", sources[load->sources[member]]);
}
