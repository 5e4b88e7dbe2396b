#include "sched/plan_class.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"

#define SLOTS	  "slots"
#define NO_MEMBER 0 /* the set */

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

/* Room for one more of size bytes in an array of count; NULL: no memory. */
static void *
grow(void *array, size_t count, size_t *capacity, size_t size)
{
	void *grown;

	if (count < *capacity)
		return array;
	grown = reallocarray(array, *capacity == 0 ? 16 : 2 * *capacity, size);
	if (grown != NULL)
		*capacity = *capacity == 0 ? 16 : 2 * *capacity;
	return grown;
}

static struct plan_set *
add_set(struct plan_classes *classes)
{
	struct plan_set *sets = grow(classes->sets, classes->set_count,
	    &classes->set_capacity, sizeof(*sets));

	if (sets == NULL)
		return NULL;
	classes->sets = sets;
	sets = &sets[classes->set_count++];
	memset(sets, 0, sizeof(*sets));
	return sets;
}

static int
fill_set(
    struct plan_set *set, const struct plan *plan, const struct eligible *list)
{
	size_t i;

	set->members = reallocarray(NULL, list->count, sizeof(*set->members));
	if (set->members == NULL)
		return -1;
	set->count = list->count;
	set->slowest = HUGE_VAL;
	memcpy(
	    set->members, list->members, list->count * sizeof(*list->members));
	for (i = 0; i < set->count; i++) {
		double speed =
		    pool_member(plan->chooser->pool, set->members[i])->speed;

		set->slowest = fmin(set->slowest, speed);
		set->fastest = fmax(set->fastest, speed);
	}
	return 0;
}

/* The set with the members of list. */
static int
find_set(struct plan_classes *classes, const struct plan *plan,
    const struct eligible *list, uint32_t *number)
{
	char serial[sizeof(list->serial)];
	struct plan_set *set;

	*number = NO_MEMBER;
	if (list->count == 0)
		return 0;
	memcpy(serial, &list->serial, sizeof(serial));
	if (name_table_add(&classes->serials, serial, sizeof(serial), number) ==
	    -1)
		return -1;
	++*number; /* the first is that without members */
	if (*number < classes->set_count)
		return 0;
	set = add_set(classes);
	return set == NULL ? -1 : fill_set(set, plan, list);
}

static int
add_number(struct plan_classes *classes, const struct demand_number *asked)
{
	struct plan_number *numbers = grow(classes->numbers,
	    classes->number_count, &classes->number_capacity, sizeof(*numbers));

	if (numbers == NULL)
		return -1;
	classes->numbers = numbers;
	numbers = &numbers[classes->number_count++];
	numbers->amount = asked->amount;
	return name_table_add(
	    &classes->names, asked->name, strlen(asked->name), &numbers->name);
}

static int
fill_numbers(struct plan_classes *classes, struct plan_class *class,
    const struct plan *plan, const struct demand *demand)
{
	size_t i;

	class->numbers = classes->number_count;
	for (i = 0; i < demand->count; i++) {
		const struct demand_number *asked = &demand->numbers[i];

		if (add_number(classes, asked) == -1)
			return -1;
		if (plan->chooser->policy->type->takes_room &&
		    strcmp(asked->name, SLOTS) == 0)
			class->slots = plan_slots(asked->amount);
	}
	class->number_count = demand->count;
	return 0;
}

/* Asks the pool about the tasks of a class, of which task is one. */
static int
fill_class(struct plan_classes *classes, struct plan_class *class,
    const struct plan *plan, const struct batch_task *task,
    struct svc_error *error)
{
	const char *service = batch_service(plan->batch, task->service);
	const struct eligible *list;
	struct json_value requires;

	memset(class, 0, sizeof(*class));
	class->slots = 1;
	class->set = NO_MEMBER;
	batch_requires(task, &requires);
	if (pool_eligible(plan->chooser->pool,
		service != NULL ? service : plan->chooser->service, &requires,
		&list, error) == -1)
		return error->code == EX_DATAERR ? 0 : -1;
	class->spread = list->demand->spread_count > 0;
	if (find_set(classes, plan, list, &class->set) == -1 ||
	    fill_numbers(classes, class, plan, list->demand) == -1)
		return no_memory(error);
	return 0;
}

/* The number of the class with key, which is made where there is none. */
static int
find_class(struct plan_classes *classes, struct buffer *key,
    const struct plan *plan, const struct batch_task *task, uint32_t *number,
    struct svc_error *error)
{
	struct plan_class *items;

	if (buffer_failed(key) || name_table_add(&classes->keys, key->data,
				      key->length, number) == -1)
		return no_memory(error);
	if (*number < classes->count)
		return 0;
	items = grow(
	    classes->items, classes->count, &classes->capacity, sizeof(*items));
	if (items == NULL)
		return no_memory(error);
	classes->items = items;
	items += classes->count++;
	if (fill_class(classes, items, plan, task, error) == -1)
		return -1;
	if (items->spread && name_table_add(&classes->families, key->data,
				 sizeof(task->service) + sizeof(task->group),
				 &items->family) == -1)
		return no_memory(error);
	return 0;
}

static int
classify(struct plan_classes *classes, const struct plan *plan,
    const struct batch_task *task, struct buffer *key, uint32_t *number,
    struct svc_error *error)
{
	uint32_t group = BATCH_NO_GROUP;

	buffer_clear(key);
	buffer_append(key, &task->service, sizeof(task->service));
	buffer_append(key, &group, sizeof(group));
	buffer_append(key, task->line + task->requires, task->requires_length);
	if (find_class(classes, key, plan, task, number, error) == -1)
		return -1;
	if (!classes->items[*number].spread || task->group == group)
		return 0;
	memcpy(key->data + sizeof(task->service), &task->group, sizeof(group));
	return find_class(classes, key, plan, task, number, error);
}

int
plan_classes_open(struct plan_classes *classes, const struct plan *plan,
    struct svc_error *error)
{
	const struct batch_task *tasks = batch_tasks(plan->batch);
	size_t count = batch_count(plan->batch), i;
	struct buffer key = BUFFER_INIT;
	int result = -1;

	memset(classes, 0, sizeof(*classes));
	classes->names = classes->families = classes->keys = classes->serials =
	    (struct name_table)NAME_TABLE_INIT;
	classes->of = reallocarray(NULL, count + 1, sizeof(*classes->of));
	if (classes->of == NULL || add_set(classes) == NULL) {
		no_memory(error);
		goto out;
	}
	for (i = 0; i < count; i++) {
		if (classify(classes, plan, &tasks[i], &key, &classes->of[i],
			error) == -1)
			goto out;
		classes->items[classes->of[i]].count++;
	}
	result = 0;
out:
	buffer_release(&key);
	if (result == -1)
		plan_classes_close(classes);
	return result;
}

void
plan_classes_close(struct plan_classes *classes)
{
	size_t i;

	for (i = 0; i < classes->set_count; i++)
		free(classes->sets[i].members);
	free(classes->sets);
	free(classes->items);
	free(classes->numbers);
	free(classes->of);
	name_table_release(&classes->names);
	name_table_release(&classes->families);
	name_table_release(&classes->keys);
	name_table_release(&classes->serials);
	memset(classes, 0, sizeof(*classes));
}

bool
plan_set_has(const struct plan_set *set, uint32_t member)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->members[middle] == member)
			return true;
		if (set->members[middle] < member)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
