#include "sched/spread.h"

#include <math.h>
#include <stdlib.h>
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
	memset(spread->gauges, 0, sizeof(spread->gauges));
	spread->count = 0;
	return domains_init(&spread->domains, pool, error);
}

void
spread_release(struct spread *spread)
{
	size_t k;

	for (k = 0; k < DEMAND_SPREADS_MAX; k++)
		free(spread->gauges[k].open);
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

/* How many tasks are in a domain. */
static double
tasks_in(const struct gauge *gauge, uint32_t domain)
{
	return gauge->counts == NULL ? 0 : (double)gauge->counts[domain];
}

/* How far a domain would be ahead, with this task. */
static double
skew_of(const struct gauge *gauge, uint32_t domain)
{
	return tasks_in(gauge, domain) + 1 - gauge->floor;
}

static int
clear_open(struct gauge *gauge)
{
	size_t size = gauge->column.count;
	unsigned char *grown;

	if (gauge->open_size <= size) {
		grown = realloc(gauge->open, size + 1);
		if (grown == NULL)
			return -1;
		gauge->open = grown;
		gauge->open_size = size + 1;
	}
	memset(gauge->open, 0, size);
	return 0;
}

int
spread_weigh(struct spread *spread, size_t k, const uint32_t *domains,
    size_t count, size_t compared, struct buffer *key, bool *all)
{
	struct gauge *gauge = &spread->gauges[k];
	double tasks;
	size_t i;

	*all = true;
	if (clear_open(gauge) == -1)
		return -1;
	for (i = 0; i < compared; i++) {
		tasks = tasks_in(gauge, domains[i]);
		gauge->floor = tasks < gauge->floor ? tasks : gauge->floor;
	}
	for (i = 0; i < count; i++) {
		bool open = skew_of(gauge, domains[i]) <= gauge->skew;

		gauge->open[domains[i]] = open;
		*all &= open;
	}
	buffer_append(key, (const char *)gauge->open, gauge->column.count);
	return 0;
}

size_t
spread_allow(const struct spread *spread, const uint32_t *members, size_t count,
    uint32_t *allowed)
{
	size_t i, k, kept = 0;

	for (i = 0; i < count; i++) {
		uint32_t member = members[i];
		unsigned open = 1;

		for (k = 0; k < spread->count; k++) {
			const struct gauge *gauge = &spread->gauges[k];

			open &= gauge->open[gauge->column.domains[member]];
		}
		allowed[kept] = member;
		kept += open;
	}
	return kept;
}

/* Whether the label is a reason against member. */
static bool
find_reason(const struct gauge *gauge, uint32_t member, struct reason *reason)
{
	uint32_t domain = gauge->column.domains[member];
	bool absent = domain == DOMAIN_NONE;
	double ahead = absent ? 0 : skew_of(gauge, domain);

	if (!absent && ahead <= gauge->skew)
		return false;
	*reason = (struct reason){.code = absent ? REASON_LABEL : REASON_SPREAD,
	    .name = gauge->label,
	    .length = strlen(gauge->label),
	    .need = absent ? 0 : gauge->skew,
	    .most = ahead,
	    .first = member};
	return true;
}

size_t
spread_reasons(
    const struct spread *spread, uint32_t member, struct reason *reasons)
{
	size_t count = 0, k;

	for (k = 0; k < spread->count; k++)
		count +=
		    find_reason(&spread->gauges[k], member, &reasons[count]);
	return count;
}

/* As spread_sieve(), for one label; its domains are looked at once each. */
static void
sieve_label(const struct gauge *gauge, uint32_t *members, size_t *count,
    struct reason_tally *tally)
{
	struct reason found, reasons[2] = {{.count = 0}, {.count = 0}};
	size_t i, kept = 0;

	for (i = 0; i < *count; i++) {
		uint32_t domain = gauge->column.domains[members[i]];
		struct reason *reason = &reasons[domain == DOMAIN_NONE];
		bool open = domain != DOMAIN_NONE &&
			    skew_of(gauge, domain) <= gauge->skew;

		members[kept] = members[i];
		kept += open;
		if (open)
			continue;
		if (reason->count > 0 &&
		    (domain == DOMAIN_NONE ||
			skew_of(gauge, domain) >= reason->most)) {
			reason->count++;
			continue;
		}
		find_reason(gauge, members[i], &found);
		found.count = reason->count + 1;
		found.first = reason->count > 0 ? reason->first : found.first;
		*reason = found;
	}
	*count = kept;
	reason_tally_add_all(tally, &reasons[0]);
	reason_tally_add_all(tally, &reasons[1]);
}

void
spread_sieve(const struct spread *spread, uint32_t *members, size_t *count,
    struct reason_tally *tally)
{
	size_t k;

	for (k = 0; k < spread->count; k++)
		sieve_label(&spread->gauges[k], members, count, tally);
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
