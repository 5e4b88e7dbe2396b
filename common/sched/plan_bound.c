#include "sched/plan_bound.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/plan_task.h"

/* A placed task. */
struct job {
	double duration; /* seconds at speed 1 */
	double release;
	double before; /* the durations of all that are longer, in a part */
	uint32_t set;
	uint32_t slots;
};

/* Slots of one speed. */
struct machine {
	double speed;
	double slots;
};

/* Memory for the while. */
struct scratch {
	unsigned char *joined; /* of each member */
	unsigned char *seen; /* of each set */
	uint32_t *members;
	double *work; /* of each class, the seconds of its placed tasks */
};

/* What is looked at: tasks, and the instances they fit on. */
struct part {
	struct job *jobs; /* the longest first */
	size_t job_count;
	struct machine *machines; /* the fastest first */
	size_t machine_count;
	double slots;
	double speed; /* of all slots together */
};

static int
compare_sets(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	return x->set < y->set ? -1 : x->set > y->set;
}

static int
compare_durations(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	return x->duration > y->duration ? -1 : x->duration < y->duration;
}

static int
compare_releases(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	return x->release > y->release ? -1 : x->release < y->release;
}

static int
compare_speeds(const void *a, const void *b)
{
	const struct machine *x = a, *y = b;

	return x->speed > y->speed ? -1 : x->speed < y->speed;
}

static struct job *
list_jobs(
    const struct plan *plan, const struct plan_classes *classes, size_t *count)
{
	size_t all = batch_count(plan->batch), i;
	struct job *jobs = reallocarray(NULL, all + 1, sizeof(*jobs));

	*count = 0;
	for (i = 0; jobs != NULL && i < all; i++) {
		const struct plan_class *class =
		    &classes->items[classes->of[i]];
		struct job *job = &jobs[*count];

		if (plan->placements[i].member == PLAN_NOT_PLACED)
			continue;
		job->duration = plan_task_duration(plan, (uint32_t)i);
		job->release = plan->placements[i].release;
		job->set = class->set;
		job->slots = class->slots;
		++*count;
	}
	return jobs;
}

static void
list_machines(
    struct part *part, struct pool *pool, const uint32_t *members, size_t count)
{
	size_t i;

	part->machine_count = count;
	part->slots = part->speed = 0;
	for (i = 0; i < count; i++) {
		const struct pool_member *member =
		    pool_member(pool, members[i]);
		struct machine *machine = &part->machines[i];

		machine->speed = member->speed;
		machine->slots = plan_slots(member->slots);
		part->slots += machine->slots;
		part->speed += machine->slots * machine->speed;
	}
	qsort(part->machines, count, sizeof(*part->machines), compare_speeds);
}

/* The j longest by the j fastest. */
static double
bound_fastest(const struct part *part)
{
	double work = 0, speed = 0, left = 0, bound = 0;
	size_t j, machine = 0;

	for (j = 0; j < part->job_count && j < part->slots; j++) {
		while (left < 1)
			left += part->machines[machine++].slots;
		left--;
		work += part->jobs[j].duration;
		speed += part->machines[machine - 1].speed;
		bound = fmax(bound, work / speed);
	}
	return bound;
}

/* The k + 1 shortest of the k x m + 1 longest. */
static double
bound_shared(const struct part *part)
{
	const struct job *jobs = part->jobs;
	double bound = 0;
	size_t k, m;

	if (part->slots >= (double)part->job_count)
		return 0;
	m = (size_t)part->slots;
	for (k = 1; k * m < part->job_count; k++)
		bound = fmax(bound, jobs[k * m].before + jobs[k * m].duration -
					jobs[k * m - k].before);
	return bound / part->machines[0].speed;
}

/* What is released late, and what that takes.  Leaves the jobs by release. */
static double
bound_released(struct part *part)
{
	double work = 0, bound = 0;
	size_t i;

	qsort(
	    part->jobs, part->job_count, sizeof(*part->jobs), compare_releases);
	for (i = 0; i < part->job_count; i++) {
		const struct job *job = &part->jobs[i];

		work += job->duration * job->slots;
		bound = fmax(bound, job->release + work / part->speed);
		bound = fmax(bound,
		    job->release + job->duration / part->machines[0].speed);
	}
	return bound;
}

static double
bound_part(struct part *part)
{
	double bound, before = 0;
	size_t i;

	qsort(part->jobs, part->job_count, sizeof(*part->jobs),
	    compare_durations);
	for (i = 0; i < part->job_count; i++) {
		part->jobs[i].before = before;
		before += part->jobs[i].duration;
	}
	bound = fmax(bound_fastest(part), bound_shared(part));
	return fmax(bound, bound_released(part));
}

/* Those that fit on the same instances, each for themselves. */
static double
bound_sets(struct part *all, const struct plan *plan,
    const struct plan_classes *classes)
{
	struct part part = {.machines = all->machines};
	double bound = 0;
	size_t i;

	qsort(all->jobs, all->job_count, sizeof(*all->jobs), compare_sets);
	for (i = 0; i < all->job_count; i += part.job_count) {
		const struct plan_set *set = &classes->sets[all->jobs[i].set];

		part.jobs = &all->jobs[i];
		part.job_count = 0;
		while (i + part.job_count < all->job_count &&
		       part.jobs[part.job_count].set == part.jobs[0].set)
			part.job_count++;
		list_machines(
		    &part, plan->chooser->pool, set->members, set->count);
		bound = fmax(bound, bound_part(&part));
	}
	return bound;
}

/* Begins with no members. */
static void
join_none(struct scratch *scratch, const struct plan *plan,
    const struct plan_classes *classes)
{
	memset(scratch->joined, 0, pool_count(plan->chooser->pool));
	memset(scratch->seen, 0, classes->set_count);
}

static void
join(struct scratch *scratch, const struct plan_classes *classes, uint32_t set)
{
	const struct plan_set *joining = &classes->sets[set];
	size_t i;

	if (scratch->seen[set])
		return;
	scratch->seen[set] = 1;
	for (i = 0; i < joining->count; i++)
		scratch->joined[joining->members[i]] = 1;
}

/* All of them together, on whatever one of them fits on. */
static double
bound_all(struct part *all, const struct plan *plan,
    const struct plan_classes *classes, struct scratch *scratch)
{
	size_t count = pool_count(plan->chooser->pool), i, joined = 0;

	join_none(scratch, plan, classes);
	for (i = 0; i < all->job_count; i++)
		join(scratch, classes, all->jobs[i].set);
	for (i = 0; i < count; i++)
		if (scratch->joined[i])
			scratch->members[joined++] = (uint32_t)i;
	list_machines(all, plan->chooser->pool, scratch->members, joined);
	return bound_part(all);
}

/* What the class takes of the resource; 0: nothing. */
static double
amount_of(const struct plan_classes *classes, const struct plan_class *class,
    uint32_t name)
{
	size_t i;

	for (i = 0; i < class->number_count; i++)
		if (classes->numbers[class->numbers + i].name == name)
			return classes->numbers[class->numbers + i].amount;
	return 0;
}

/* What there is of the resource in a second, on the members that joined. */
static double
supply_of(
    const struct plan *plan, const struct scratch *scratch, const char *name)
{
	struct pool *pool = plan->chooser->pool;
	const double *totals = pool_capacity(pool, name);
	double supply = 0;
	size_t i;

	for (i = 0; totals != NULL && i < pool_count(pool); i++)
		if (scratch->joined[i])
			supply +=
			    totals[i] * pool_member(pool, (uint32_t)i)->speed;
	return supply;
}

/* The resource is taken for the whole of a task. */
static double
bound_resource(const struct plan *plan, const struct plan_classes *classes,
    struct scratch *scratch, uint32_t name)
{
	double bound = 0, supply;
	size_t i;

	join_none(scratch, plan, classes);
	for (i = 0; i < classes->count; i++)
		if (scratch->work[i] > 0 &&
		    amount_of(classes, &classes->items[i], name) > 0)
			join(scratch, classes, classes->items[i].set);
	supply =
	    supply_of(plan, scratch, name_table_name(&classes->names, name));
	/* parts of it, for sums of amounts need not be finite */
	for (i = 0; supply > 0 && i < classes->count; i++)
		bound += amount_of(classes, &classes->items[i], name) / supply *
			 scratch->work[i];
	return bound;
}

static double
bound_resources(const struct plan *plan, const struct plan_classes *classes,
    struct scratch *scratch)
{
	double bound = 0;
	uint32_t name;
	size_t i;

	if (!plan->chooser->policy->type->takes_room)
		return 0;
	for (i = 0; i < batch_count(plan->batch); i++)
		if (plan->placements[i].member != PLAN_NOT_PLACED)
			scratch->work[classes->of[i]] +=
			    plan_task_duration(plan, (uint32_t)i);
	for (name = 0; name < classes->names.count; name++)
		bound =
		    fmax(bound, bound_resource(plan, classes, scratch, name));
	return bound;
}

static int
scratch_init(
    struct scratch *scratch, size_t members, const struct plan_classes *classes)
{
	scratch->joined = calloc(members + 1, sizeof(*scratch->joined));
	scratch->seen = calloc(classes->set_count, sizeof(*scratch->seen));
	scratch->members = calloc(members + 1, sizeof(*scratch->members));
	scratch->work = calloc(classes->count + 1, sizeof(*scratch->work));
	return scratch->joined == NULL || scratch->seen == NULL ||
		       scratch->members == NULL || scratch->work == NULL
		   ? -1
		   : 0;
}

static void
scratch_release(struct scratch *scratch)
{
	free(scratch->joined);
	free(scratch->seen);
	free(scratch->members);
	free(scratch->work);
}

int
plan_bound(const struct plan *plan, const struct plan_classes *classes,
    double *seconds, struct svc_error *error)
{
	size_t count = pool_count(plan->chooser->pool);
	struct scratch scratch;
	struct part all = {0};
	int result = scratch_init(&scratch, count, classes);

	*seconds = 0;
	all.machines = calloc(count + 1, sizeof(*all.machines));
	all.jobs = list_jobs(plan, classes, &all.job_count);
	if (result == -1 || all.machines == NULL || all.jobs == NULL) {
		result = svc_error_set(error, EX_OSERR, "out of memory");
	} else if (all.job_count > 0) {
		*seconds = bound_sets(&all, plan, classes);
		*seconds =
		    fmax(*seconds, bound_all(&all, plan, classes, &scratch));
		*seconds =
		    fmax(*seconds, bound_resources(plan, classes, &scratch));
	}
	scratch_release(&scratch);
	free(all.machines);
	free(all.jobs);
	return result;
}
