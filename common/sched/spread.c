#include "sched/spread.h"

#include <math.h>
#include <string.h>
#include <sysexits.h>

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
spread_init(struct spread *spread, struct pool *pool, struct svc_error *error)
{
	spread->counts = (struct spread_counts)SPREAD_COUNTS_INIT;
	spread->count = 0;
	return domains_init(&spread->domains, pool, error);
}

void
spread_release(struct spread *spread)
{
	spread_counts_release(&spread->counts);
	domains_release(&spread->domains);
}

void
spread_begin_none(struct spread *spread)
{
	spread->count = 0;
}

int
spread_begin(struct spread *spread, const struct demand *demand,
    const struct spread_key *key, struct svc_error *error)
{
	uint64_t *counts;
	size_t k;

	spread->count = demand->spread_count;
	for (k = 0; k < demand->spread_count; k++) {
		struct gauge *gauge = &spread->gauges[k];

		gauge->label = demand->spreads[k].label;
		gauge->skew = demand->spreads[k].skew;
		gauge->floor = INFINITY;
		if (domains_find(&spread->domains, gauge->label, &gauge->column,
			error) == -1)
			return -1;
		if (spread_counts_find(&spread->counts, key, &gauge->column,
			false, &counts) == -1)
			return no_memory(error);
		gauge->counts = counts;
	}
	return 0;
}

static bool
is_absent(const struct gauge *gauge, uint32_t member)
{
	return gauge->column.domains[member] == DOMAIN_NONE;
}

bool
spread_covers(const struct spread *spread, uint32_t member)
{
	size_t k;

	for (k = 0; k < spread->count; k++)
		if (is_absent(&spread->gauges[k], member))
			return false;
	return true;
}

/* How many tasks are in the domain of a member, which has the label. */
static double
tasks_beside(const struct gauge *gauge, uint32_t member)
{
	if (gauge->counts == NULL)
		return 0;
	return (double)gauge->counts[gauge->column.domains[member]];
}

void
spread_lower(struct spread *spread, uint32_t member)
{
	size_t k;

	for (k = 0; k < spread->count; k++) {
		struct gauge *gauge = &spread->gauges[k];

		gauge->floor = fmin(gauge->floor, tasks_beside(gauge, member));
	}
}

/* How far its domain would be ahead, with this task. */
static double
skew_at(const struct gauge *gauge, uint32_t member)
{
	return tasks_beside(gauge, member) + 1 - gauge->floor;
}

bool
spread_allows(const struct spread *spread, uint32_t member)
{
	size_t k;

	for (k = 0; k < spread->count; k++)
		if (skew_at(&spread->gauges[k], member) >
		    spread->gauges[k].skew)
			return false;
	return true;
}

size_t
spread_reasons(
    const struct spread *spread, uint32_t member, struct reason *reasons)
{
	size_t count = 0, k;

	for (k = 0; k < spread->count; k++) {
		const struct gauge *gauge = &spread->gauges[k];
		bool absent = is_absent(gauge, member);
		double ahead = absent ? 0 : skew_at(gauge, member);

		if (!absent && ahead <= gauge->skew)
			continue;
		reasons[count++] = (struct reason){
		    .code = absent ? REASON_LABEL : REASON_SPREAD,
		    .name = gauge->label,
		    .length = strlen(gauge->label),
		    .need = gauge->skew,
		    .most = ahead};
	}
	return count;
}

int
spread_placed(struct spread *spread, const struct demand *demand,
    const struct spread_key *key, uint32_t member, struct svc_error *error)
{
	struct domain_column column;
	uint64_t *counts;
	size_t k;

	for (k = 0; k < demand->spread_count; k++) {
		if (domains_find(&spread->domains, demand->spreads[k].label,
			&column, error) == -1)
			return -1;
		if (column.domains[member] == DOMAIN_NONE)
			continue;
		if (spread_counts_find(
			&spread->counts, key, &column, true, &counts) == -1)
			return no_memory(error);
		counts[column.domains[member]]++;
	}
	return 0;
}

void
spread_ended(struct spread *spread, const struct demand *demand,
    const struct spread_key *key, uint32_t member)
{
	struct domain_column column;
	uint64_t *counts;
	size_t k;

	/* what was counted is there, so that nothing has to be made */
	for (k = 0; k < demand->spread_count; k++) {
		if (domains_find(&spread->domains, demand->spreads[k].label,
			&column, NULL) == -1 ||
		    spread_counts_find(
			&spread->counts, key, &column, false, &counts) == -1 ||
		    counts == NULL || column.domains[member] == DOMAIN_NONE)
			continue;
		if (counts[column.domains[member]] > 0)
			counts[column.domains[member]]--;
	}
}
