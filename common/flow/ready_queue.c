#include "flow/ready_queue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/ready_lanes.h"
#include "flow/ready_shares.h"
#include "flow/ready_sleep.h"
#include "line/buffer.h"
#include "sched/batch.h"
#include "sched/demand.h"
#include "sched/name_table.h"

/* The capacity that a task takes one of when it asks for none. */
#define SLOTS "slots"

#define SCRATCH_KEPT 4096

/* Until when one sleeps on who cannot be woken for want of memory. */
#define AGAIN_MS 1000

struct ready_queue {
	enum task_order order;
	struct ready_shares *shares; /* of ORDER_FAIR, else NULL */
	struct ready_lanes lanes;
	struct name_table names; /* of lanes, by their numbers */
	struct ready_sleep sleep;
	struct buffer scratch;
	size_t count; /* tasks in all lanes */
	uint32_t cursor; /* no lane in front of it has tasks */
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
ready_queue_open(struct ready_queue **opened, enum task_order order,
    const struct group_shares *shares, struct svc_error *error)
{
	struct ready_queue *queue = calloc(1, sizeof(*queue));

	*opened = NULL;
	if (queue == NULL)
		return no_memory(error);
	queue->order = order;
	if (order == ORDER_FAIR &&
	    ready_shares_open(&queue->shares, shares, error) == -1) {
		free(queue);
		return -1;
	}
	ready_lanes_init(&queue->lanes, queue->shares);
	*opened = queue;
	return 0;
}

void
ready_queue_close(struct ready_queue *queue)
{
	if (queue == NULL)
		return;
	ready_lanes_release(&queue->lanes);
	ready_shares_close(queue->shares);
	name_table_release(&queue->names);
	ready_sleep_release(&queue->sleep);
	buffer_release(&queue->scratch);
	free(queue);
}

static double
seconds_of(const struct envelope *envelope)
{
	return envelope->duration < 0 ? TASK_DURATION_DEFAULT
				      : envelope->duration;
}

static double
rank_of(const struct ready_queue *queue, const struct envelope *envelope)
{
	switch (queue->order) {
	case ORDER_EDF:
		return envelope->deadline == 0 ? INFINITY
					       : (double)envelope->deadline;
	case ORDER_LPT:
		return -seconds_of(envelope);
	case ORDER_FAIR:
		return seconds_of(envelope);
	default:
		return 0;
	}
}

static int
find_group(struct ready_queue *queue, const struct json_value *name,
    uint32_t *group, struct svc_error *error)
{
	struct buffer *text = &queue->scratch;
	int result = -1;

	*group = 0;
	if (queue->shares == NULL || name->span.data == NULL)
		return 0;
	json_decode(name, text);
	if (!buffer_failed(text))
		result = ready_shares_group(
		    queue->shares, text->data, text->length, group);
	buffer_trim(text, SCRATCH_KEPT);
	return result == -1 ? no_memory(error) : 0;
}

/* Texts with a NUL behind each, which no JSON has: the service comes first. */
static void
write_lane(struct buffer *text, const char *service,
    const struct json_span *requires, const struct task_instance *planned)
{
	buffer_clear(text);
	buffer_append(text, service, strlen(service) + 1);
	if (requires->data != NULL)
		buffer_append(text, requires->data, requires->length);
	buffer_append_char(text, '\0');
	if (planned != NULL)
		buffer_append_format(
		    text, "%s/%s", planned->service, planned->id);
}

/* What demand takes in a second; *count stays below what is allocated. */
static struct ready_charge *
make_charges(struct ready_queue *queue, const char *service,
    const struct demand *demand, size_t *count)
{
	struct ready_charge *charges =
	    reallocarray(NULL, demand->count + 1, sizeof(*charges));
	int result = 0;
	size_t i;

	*count = 0;
	for (i = 0; charges != NULL && i < demand->count && result == 0; i++) {
		const struct demand_number *number = &demand->numbers[i];

		if (number->amount == 0)
			continue;
		charges[*count].amount = number->amount;
		result = ready_shares_resource(queue->shares, service,
		    number->name, &charges[(*count)++].resource);
	}
	if (charges != NULL && *count == 0) {
		charges[0].amount = 1;
		result = ready_shares_resource(queue->shares, service, SLOTS,
		    &charges[(*count)++].resource);
	}
	if (result == 0)
		return charges;
	free(charges);
	return NULL;
}

/* The lane whose text is in scratch, and which there is not yet. */
static int
add_lane(struct ready_queue *queue, const char *service,
    const struct json_value *requires, uint32_t *lane, struct svc_error *error)
{
	const struct buffer *text = &queue->scratch;
	struct ready_charge *charges = NULL;
	struct demand demand;
	size_t count = 0;

	if (demand_parse(&demand, requires, error) == -1)
		return -1;
	if (queue->shares != NULL)
		charges = make_charges(queue, service, &demand, &count);
	demand_release(&demand);
	if ((queue->shares != NULL && charges == NULL) ||
	    ready_lanes_reserve(&queue->lanes) == -1 ||
	    name_table_add(&queue->names, text->data, text->length, lane) ==
		-1) {
		free(charges);
		return no_memory(error);
	}
	ready_lanes_add(&queue->lanes, charges, count);
	return 0;
}

static int
find_lane(struct ready_queue *queue, const struct envelope *envelope,
    const char *service, const struct task_instance *planned, uint32_t *lane,
    struct svc_error *error)
{
	const struct json_value *requires = &envelope->members[MEMBER_REQUIRES];
	struct buffer *text = &queue->scratch;
	int result = 0;

	write_lane(text, service, &requires->span, planned);
	if (buffer_failed(text))
		return no_memory(error);
	*lane = name_table_find(&queue->names, text->data, text->length);
	if (*lane == NAME_TABLE_NONE)
		result = add_lane(queue, service, requires, lane, error);
	buffer_trim(text, SCRATCH_KEPT);
	return result;
}

int
ready_queue_key(struct ready_queue *queue, const struct envelope *envelope,
    const char *service, const struct task_instance *planned,
    struct ready_key *key, struct svc_error *error)
{
	key->priority = envelope->priority;
	key->rank = rank_of(queue, envelope);
	key->not_before = envelope->not_before;
	if (find_lane(queue, envelope, service, planned, &key->lane, error) ==
	    -1)
		return -1;
	return find_group(
	    queue, &envelope->members[MEMBER_GROUP], &key->group, error);
}

const char *
ready_queue_service(const struct ready_queue *queue, uint32_t lane)
{
	return name_table_name(&queue->names, lane);
}

size_t
ready_queue_lanes(const struct ready_queue *queue)
{
	return queue->lanes.count;
}

static int
enter(struct ready_queue *queue, uint32_t task, uint64_t sequence,
    const struct ready_key *key)
{
	struct ready_entry entry = {.priority = key->priority,
	    .rank = key->rank,
	    .sequence = sequence,
	    .task = task};

	if (queue->order == ORDER_FAIR) {
		entry.rank = 0;
		entry.seconds = (float)key->rank;
	}
	if (ready_lanes_push(&queue->lanes, key->lane, key->group, &entry) ==
	    -1)
		return -1;
	queue->count++;
	if (key->lane < queue->cursor)
		queue->cursor = key->lane;
	return 0;
}

int
ready_queue_push(struct ready_queue *queue, uint32_t task, uint64_t sequence,
    const struct ready_key *key, int64_t now, struct svc_error *error)
{
	struct ready_sleeper sleeper = {*key, sequence, task};
	int result;

	/* Those whose time has passed are equal. */
	if (sleeper.key.not_before < now)
		sleeper.key.not_before = now;
	result = key->not_before == 0
		     ? enter(queue, task, sequence, key)
		     : ready_sleep_add(&queue->sleep, &sleeper);
	return result == -1 ? no_memory(error) : 0;
}

/* It leaves its lane. */
static uint32_t
leave(struct ready_queue *queue, uint32_t lane, bool taken)
{
	struct ready_entry entry;
	uint32_t group;

	if (ready_lanes_pop(&queue->lanes, lane, &entry, &group) == 0)
		return READY_NONE;
	if (taken)
		ready_lanes_charge(
		    &queue->lanes, lane, group, (double)entry.seconds);
	queue->count--;
	return entry.task;
}

uint32_t
ready_queue_pop(struct ready_queue *queue, uint32_t lane)
{
	return leave(queue, lane, true);
}

size_t
ready_queue_waiting(const struct ready_queue *queue, uint32_t lane)
{
	return ready_lanes_waiting(&queue->lanes, lane);
}

size_t
ready_queue_count(const struct ready_queue *queue)
{
	return queue->count;
}

size_t
ready_queue_asleep(const struct ready_queue *queue)
{
	return queue->sleep.count;
}

int64_t
ready_queue_wake(struct ready_queue *queue, int64_t now,
    void (*woken)(void *argument, uint32_t lane), void *argument)
{
	const struct ready_sleeper *first;
	uint32_t lane;

	while ((first = ready_sleep_first(&queue->sleep)) != NULL) {
		if (first->key.not_before > now)
			return first->key.not_before;
		if (enter(queue, first->task, first->sequence, &first->key) ==
		    -1)
			return now + AGAIN_MS;
		lane = first->key.lane;
		ready_sleep_pop(&queue->sleep);
		woken(argument, lane);
	}
	return 0;
}

uint32_t
ready_queue_drain(struct ready_queue *queue)
{
	const struct ready_sleeper *first = ready_sleep_first(&queue->sleep);
	uint32_t task = READY_NONE;

	while (
	    queue->count > 0 && ready_queue_waiting(queue, queue->cursor) == 0)
		queue->cursor++;
	if (queue->count > 0)
		return leave(queue, queue->cursor, false);
	if (first != NULL) {
		task = first->task;
		ready_sleep_pop(&queue->sleep);
	}
	return task;
}
