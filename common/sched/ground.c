#include "sched/ground.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of grounds that are remembered. */
#define BYTES_MAX (16UL << 20)

/* What a ground is made of. */
struct source {
	const struct eligible *list;
	double speed;
	const struct domain_column *const *columns;
	size_t count; /* of columns */
	const double *totals[DEMAND_NUMBERS_MAX];
};

static void
release(struct ground *ground)
{
	size_t k;

	for (k = 0; ground->domains != NULL && k < ground->domains_count; k++)
		free(ground->domains[k].numbers);
	free(ground->domains);
	free(ground->members);
	free(ground);
}

static void
release_value(void *value)
{
	release(*(struct ground **)value);
}

void
grounds_init(struct grounds *grounds, struct pool *pool)
{
	static const struct buffer empty = BUFFER_INIT;

	memset(grounds, 0, sizeof(*grounds));
	grounds->pool = pool;
	grounds->key = empty;
	grounds->memo.value_size = sizeof(struct ground *);
	grounds->memo.cost_max = BYTES_MAX;
	grounds->memo.release = release_value;
}

void
grounds_release(struct grounds *grounds)
{
	memo_clear(&grounds->memo);
	buffer_release(&grounds->key);
}

/* Numbers count as what they come to, as in listing.c.  -1: no memory. */
static int
make_key(struct grounds *grounds, const struct source *source)
{
	const struct demand *demand = source->list->demand;
	struct buffer *key = &grounds->key;
	double below, above;
	size_t k;

	buffer_clear(key);
	buffer_append(key, (const char *)&source->list->serial,
	    sizeof(source->list->serial));
	buffer_append(key, (const char *)&source->speed, sizeof(source->speed));
	buffer_append_char(key, source->list->mixed ? 'm' : '-');
	for (k = 0; k < source->count; k++)
		buffer_append(key, demand->spreads[k].label,
		    strlen(demand->spreads[k].label) + 1);
	buffer_append_char(key, '\0'); /* no label is empty */
	for (k = 0; k < demand->count; k++) {
		const struct demand_number *number = &demand->numbers[k];

		if (pool_around(grounds->pool, number->name, number->amount,
			&below, &above) == -1)
			return -1;
		buffer_append(key, (const char *)&above, sizeof(above));
		buffer_append(key, number->name, strlen(number->name) + 1);
	}
	return buffer_failed(key) ? -1 : 0;
}

static int
find_totals(struct pool *pool, struct source *source)
{
	const struct demand *demand = source->list->demand;
	size_t k;

	for (k = 0; k < demand->count; k++) {
		source->totals[k] =
		    pool_capacity(pool, demand->numbers[k].name);
		if (source->totals[k] == NULL)
			return -1;
	}
	return 0;
}

/* Whether it could take the task if it were idle: pool_labelled() lists all. */
static bool
has_numbers(const struct source *source, uint32_t member)
{
	const struct demand *demand = source->list->demand;
	size_t k;

	for (k = 0; k < demand->count; k++)
		if (!(source->totals[k][member] >= demand->numbers[k].amount))
			return false;
	return true;
}

static bool
passes(const struct pool *pool, uint32_t member)
{
	return pool_member(pool, member)->instance->status == STATUS_PASSING;
}

/* Fills fastest and passing_only. */
static void
look_over(
    struct ground *ground, const struct pool *pool, const struct source *source)
{
	const struct eligible *list = source->list;
	size_t i;

	for (i = 0; i < list->count; i++) {
		uint32_t member = list->members[i];

		if (!has_numbers(source, member))
			continue;
		ground->fastest =
		    fmax(ground->fastest, pool_member(pool, member)->speed);
		if (list->mixed && passes(pool, member))
			ground->passing_only = true;
	}
}

static bool
has_labels(const struct source *source, uint32_t member)
{
	size_t k;

	for (k = 0; k < source->count; k++)
		if (source->columns[k]->domains[member] == DOMAIN_NONE)
			return false;
	return true;
}

static void
fill_members(
    struct ground *ground, const struct pool *pool, const struct source *source)
{
	size_t i;

	for (i = 0; i < source->list->count; i++) {
		uint32_t member = source->list->members[i];

		if (pool_member(pool, member)->speed >= source->speed &&
		    (!ground->passing_only || passes(pool, member)) &&
		    has_labels(source, member))
			ground->members[ground->count++] = member;
	}
}

/* Adds the domains of members that have, or have not, the numbers. */
static void
add_domains(struct ground_domains *domains, const struct ground *ground,
    const struct source *source, const struct domain_column *column, bool have,
    unsigned char *seen)
{
	size_t i;

	for (i = 0; i < ground->count; i++) {
		uint32_t member = ground->members[i];
		uint32_t domain = column->domains[member];

		if (seen[domain] || has_numbers(source, member) != have)
			continue;
		seen[domain] = 1;
		domains->numbers[domains->count++] = domain;
	}
}

static int
fill_domains(struct ground *ground, const struct source *source)
{
	size_t k;

	for (k = 0; k < source->count; k++) {
		const struct domain_column *column = source->columns[k];
		struct ground_domains *domains = &ground->domains[k];
		unsigned char *seen = calloc(column->count + 1, 1);

		domains->numbers =
		    calloc(column->count + 1, sizeof(*domains->numbers));
		if (seen == NULL || domains->numbers == NULL) {
			free(seen);
			return -1;
		}
		add_domains(domains, ground, source, column, true, seen);
		domains->compared = domains->count;
		add_domains(domains, ground, source, column, false, seen);
		free(seen);
	}
	return 0;
}

/* NULL: no memory. */
static struct ground *
make(struct pool *pool, struct source *source)
{
	struct ground *ground = calloc(1, sizeof(*ground));

	if (ground == NULL)
		return NULL;
	ground->domains_count = source->count;
	ground->domains = calloc(source->count + 1, sizeof(*ground->domains));
	ground->members =
	    calloc(source->list->count + 1, sizeof(*ground->members));
	if (ground->domains != NULL && ground->members != NULL &&
	    find_totals(pool, source) == 0) {
		look_over(ground, pool, source);
		fill_members(ground, pool, source);
		if (fill_domains(ground, source) == 0)
			return ground;
	}
	release(ground);
	return NULL;
}

/* Bytes, about. */
static size_t
cost_of(const struct ground *ground, const struct source *source)
{
	size_t numbers = source->list->count, k;

	for (k = 0; k < source->count; k++)
		numbers += source->columns[k]->count;
	return sizeof(*ground) + numbers * sizeof(uint32_t);
}

const struct ground *
grounds_find(struct grounds *grounds, const struct eligible *list, double speed,
    const struct domain_column *const *columns, size_t count)
{
	struct source source = {list, speed, columns, count, {NULL}};
	struct ground **kept, *ground;

	if (make_key(grounds, &source) == -1)
		return NULL;
	kept = memo_find(
	    &grounds->memo, 0, grounds->key.data, grounds->key.length);
	if (kept != NULL)
		return *kept;
	ground = make(grounds->pool, &source);
	if (ground == NULL)
		return NULL;
	ground->number = pool_number(grounds->pool);
	kept = memo_keep(&grounds->memo, 0, grounds->key.data,
	    grounds->key.length, &ground, cost_of(ground, &source));
	if (kept == NULL)
		release(ground);
	return kept == NULL ? NULL : ground;
}
