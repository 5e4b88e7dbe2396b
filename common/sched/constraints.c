#include "sched/constraints.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/ground.h"
#include "sched/spread.h"

/* The speeds of a list, found once. */
struct speeds {
	uint64_t serial; /* of the list; 0: none yet */
	double *values; /* owned; ascending, each once */
	size_t count;
};

struct constraints {
	struct pool *pool;
	struct spread spread;
	struct grounds grounds;
	struct speeds speeds[POOL_SETS_MAX]; /* by slot */
	struct buffer key; /* scratch */
	uint32_t *members; /* scratch; room for all of the pool */
	unsigned char *keep; /* scratch; a byte a member of a list */
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
constraints_open(
    struct constraints **opened, struct pool *pool, struct svc_error *error)
{
	static const struct buffer empty = BUFFER_INIT;
	struct constraints *constraints = calloc(1, sizeof(*constraints));

	*opened = NULL;
	if (constraints == NULL)
		return no_memory(error);
	constraints->pool = pool;
	constraints->key = empty;
	grounds_init(&constraints->grounds, pool);
	constraints->keep = calloc(pool_count(pool) + 1, 1);
	constraints->members =
	    calloc(pool_count(pool) + 1, sizeof(*constraints->members));
	if (spread_init(&constraints->spread, pool, error) == -1 ||
	    constraints->keep == NULL || constraints->members == NULL) {
		constraints_close(constraints);
		return no_memory(error);
	}
	*opened = constraints;
	return 0;
}

void
constraints_close(struct constraints *constraints)
{
	size_t i;

	if (constraints == NULL)
		return;
	for (i = 0; i < POOL_SETS_MAX; i++)
		free(constraints->speeds[i].values);
	spread_release(&constraints->spread);
	grounds_release(&constraints->grounds);
	buffer_release(&constraints->key);
	free(constraints->members);
	free(constraints->keep);
	free(constraints);
}

/* What the task takes on a member, which has a speed. */
static double
seconds_at(const struct constrained_task *task, double speed)
{
	return task->duration > 0 ? task->duration / speed : 0;
}

static bool
is_late(const struct constraints *constraints,
    const struct constrained_task *task, uint32_t member)
{
	double speed = pool_member(constraints->pool, member)->speed;

	return seconds_at(task, speed) > task->remaining;
}

static int
compare_speeds(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* NULL: no memory. */
static const struct speeds *
find_speeds(struct constraints *constraints, const struct eligible *list)
{
	struct speeds *speeds = &constraints->speeds[list->slot];
	double *values;
	size_t i;

	if (speeds->serial == list->serial)
		return speeds;
	values = calloc(list->count + 1, sizeof(*values));
	if (values == NULL)
		return NULL;
	for (i = 0; i < list->count; i++)
		values[i] =
		    pool_member(constraints->pool, list->members[i])->speed;
	qsort(values, list->count, sizeof(*values), compare_speeds);
	free(speeds->values);
	speeds->values = values;
	speeds->serial = list->serial;
	speeds->count = 0;
	for (i = 0; i < list->count; i++)
		if (i == 0 || values[i] > values[i - 1])
			values[speeds->count++] = values[i];
	return speeds;
}

/*
 * *speed: the least that is enough for the deadline; 0: everybody of list is
 * fast enough; INFINITY: nobody is.  -1: no memory.
 */
static int
find_speed(struct constraints *constraints, const struct eligible *list,
    const struct constrained_task *task, double *speed)
{
	const struct speeds *speeds;
	size_t low = 0, high, middle;

	*speed = task->remaining < 0 ? INFINITY : 0;
	if (task->remaining == INFINITY || task->remaining < 0 ||
	    !(task->duration > 0))
		return 0;
	speeds = find_speeds(constraints, list);
	if (speeds == NULL)
		return -1;
	high = speeds->count;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (seconds_at(task, speeds->values[middle]) > task->remaining)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0)
		*speed = low < speeds->count ? speeds->values[low] : INFINITY;
	return 0;
}

static struct spread_key
key_of(const struct eligible *list, const struct constrained_task *task)
{
	return (struct spread_key){
	    list->service, task->group, task->group_length};
}

/* The ground of list for the labels that its demand is to be spread over. */
static const struct ground *
find_ground(
    struct constraints *constraints, const struct eligible *list, double speed)
{
	const struct domain_column *columns[DEMAND_SPREADS_MAX];
	struct spread *spread = &constraints->spread;
	size_t k;

	for (k = 0; k < spread->count; k++)
		columns[k] = &spread->gauges[k].column;
	return grounds_find(
	    &constraints->grounds, list, speed, columns, spread->count);
}

/* That for nothing but the numbers. */
static const struct ground *
find_bare_ground(struct constraints *constraints, const struct eligible *list)
{
	return grounds_find(&constraints->grounds, list, 0, NULL, 0);
}

/*
 * Compares the domains, and writes as a key which of them are open; *all: they
 * all are.  -1: no memory.
 */
static int
weigh_domains(
    struct constraints *constraints, const struct ground *ground, bool *all)
{
	struct buffer *key = &constraints->key;
	bool open;
	size_t k;

	*all = true;
	buffer_clear(key);
	buffer_append(
	    key, (const char *)&ground->number, sizeof(ground->number));
	for (k = 0; k < ground->domains_count; k++) {
		const struct ground_domains *domains = &ground->domains[k];

		if (spread_weigh(&constraints->spread, k, domains->numbers,
			domains->count, domains->compared, key, &open) == -1)
			return -1;
		*all = *all && open;
	}
	return buffer_failed(key) ? -1 : 0;
}

/* Keeps, by its key, those of the ground that the spread allows. */
static int
keep_allowed(struct constraints *constraints, const struct eligible *list,
    const struct ground *ground, const struct eligible **narrowed,
    struct svc_error *error)
{
	size_t count = spread_allow(&constraints->spread, ground->members,
	    ground->count, constraints->members);

	if (count == list->count) /* also where nobody was */
		return 0;
	return pool_keep(constraints->pool, list, constraints->members, count,
	    constraints->key.data, constraints->key.length, narrowed, error);
}

int
constraints_narrow(struct constraints *constraints, const struct eligible *list,
    const struct constrained_task *task, const struct eligible **narrowed,
    struct svc_error *error)
{
	struct spread_key key = key_of(list, task);
	const struct ground *ground;
	double speed;
	bool all;

	*narrowed = list;
	spread_begin_none(&constraints->spread);
	if (find_speed(constraints, list, task, &speed) == -1)
		return no_memory(error);
	if (list->demand->spread_count == 0 && speed == 0)
		return 0;
	if (spread_begin(&constraints->spread, list->demand, &key, error) == -1)
		return -1;
	ground = find_ground(constraints, list, speed);
	if (ground == NULL)
		return no_memory(error);
	if (weigh_domains(constraints, ground, &all) == -1)
		return no_memory(error);
	if ((all && ground->count == list->count) ||
	    pool_recall(constraints->pool, list, constraints->key.data,
		constraints->key.length, narrowed) == 1)
		return 0;
	return keep_allowed(constraints, list, ground, narrowed, error);
}

int
constraints_find(struct constraints *constraints, const char *service,
    const struct json_value *requires, bool takes_room,
    const struct constrained_task *task, const struct eligible **all,
    const struct eligible **narrowed, struct svc_error *error)
{
	struct pool *pool = constraints->pool;
	int found =
	    takes_room
		? pool_labelled(pool, service, requires, all, NULL, error)
		: pool_eligible(pool, service, requires, all, error);

	if (found == -1)
		return -1;
	return constraints_narrow(constraints, *all, task, narrowed, error);
}

bool
constraints_passing_only(
    struct constraints *constraints, const struct eligible *list)
{
	const struct ground *ground;

	if (!list->mixed)
		return false;
	ground = find_bare_ground(constraints, list);
	return ground != NULL && ground->passing_only;
}

int
constraints_among(struct constraints *constraints, const struct eligible *list,
    const unsigned char *keep, const struct eligible **among,
    struct svc_error *error)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		constraints->keep[i] = keep[list->members[i]];
	return pool_subset(
	    constraints->pool, list, constraints->keep, among, error);
}

bool
constraints_all_late(struct constraints *constraints,
    const struct eligible *list, const struct constrained_task *task,
    double *seconds)
{
	const struct ground *ground;

	if (task->remaining == INFINITY)
		return false;
	ground = find_bare_ground(constraints, list);
	if (ground == NULL || !(ground->fastest > 0))
		return false;
	*seconds = seconds_at(task, ground->fastest);
	return *seconds > task->remaining;
}

int
constraints_placed(struct constraints *constraints, const struct eligible *list,
    const struct constrained_task *task, uint32_t member,
    struct svc_error *error)
{
	struct spread_key key = key_of(list, task);

	return spread_placed(
	    &constraints->spread, list->demand, &key, member, error);
}

void
constraints_ended(struct constraints *constraints, const struct eligible *list,
    const struct constrained_task *task, uint32_t member)
{
	struct spread_key key = key_of(list, task);

	spread_ended(&constraints->spread, list->demand, &key, member);
}

/* In milliseconds, as deadlines are: what a plan adds for rounding is less. */
static double
shown(double seconds)
{
	return isfinite(seconds) ? round(seconds * 1000) / 1000 : seconds;
}

size_t
constraints_reasons(const struct constraints *constraints,
    const struct constrained_task *task, uint32_t member,
    struct reason reasons[CONSTRAINTS_REASONS_MAX])
{
	double speed = pool_member(constraints->pool, member)->speed;
	size_t count = spread_reasons(&constraints->spread, member, reasons);

	if (speed > 0 && is_late(constraints, task, member))
		reasons[count++] = (struct reason){.code = REASON_LATE,
		    .need = seconds_at(task, speed),
		    .most = shown(task->remaining),
		    .first = member};
	return count;
}

void
constraints_sieve(const struct constraints *constraints,
    const struct constrained_task *task, uint32_t *members, size_t *count,
    struct reason_tally *tally)
{
	struct reason reason = {
	    .code = REASON_LATE, .most = shown(task->remaining)};
	double fastest = 0;
	size_t i, kept = 0;

	spread_sieve(&constraints->spread, members, count, tally);
	if (task->remaining == INFINITY)
		return;
	for (i = 0; i < *count; i++) {
		double speed =
		    pool_member(constraints->pool, members[i])->speed;
		bool late = seconds_at(task, speed) > task->remaining;

		if (late && reason.count++ == 0)
			reason.first = members[i];
		fastest = late ? fmax(fastest, speed) : fastest;
		members[kept] = members[i];
		kept += !late;
	}
	*count = kept;
	reason.need = seconds_at(task, fastest);
	reason_tally_add_all(tally, &reason);
}
