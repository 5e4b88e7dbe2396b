#include "sched/plan_queue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *
node_of(const struct plan_queue *queue, size_t node)
{
	return queue->least + node * queue->kinds;
}

int
plan_queue_open(struct plan_queue *queue, size_t count, size_t kinds)
{
	size_t i;

	queue->kinds = kinds;
	for (queue->leaves = 1; queue->leaves < count;)
		queue->leaves *= 2;
	queue->least = reallocarray(
	    NULL, 2 * queue->leaves, kinds * sizeof(*queue->least));
	if (queue->least == NULL)
		return -1;
	for (i = 0; i < 2 * queue->leaves * kinds; i++)
		queue->least[i] = HUGE_VAL;
	return 0;
}

void
plan_queue_close(struct plan_queue *queue)
{
	free(queue->least);
	memset(queue, 0, sizeof(*queue));
}

/* Works out what is above node, as far as it changes. */
static void
climb(struct plan_queue *queue, size_t node)
{
	size_t k;

	while ((node /= 2) > 0) {
		double *least = node_of(queue, node);
		const double *below = node_of(queue, 2 * node);
		bool changed = false;

		for (k = 0; k < queue->kinds; k++) {
			double value = fmin(below[k], below[queue->kinds + k]);

			changed = changed || value != least[k];
			least[k] = value;
		}
		if (!changed)
			break;
	}
}

void
plan_queue_put(struct plan_queue *queue, uint32_t task, const double *needs)
{
	size_t leaf = queue->leaves + task;

	memcpy(node_of(queue, leaf), needs, queue->kinds * sizeof(*needs));
	climb(queue, leaf);
}

void
plan_queue_drop(struct plan_queue *queue, uint32_t task)
{
	double *needs = node_of(queue, queue->leaves + task);
	size_t k;

	for (k = 0; k < queue->kinds; k++)
		needs[k] = HUGE_VAL;
	climb(queue, queue->leaves + task);
}

static bool
may_fit(const struct plan_queue *queue, size_t node, const double *most)
{
	const double *least = node_of(queue, node);
	size_t k;

	for (k = 0; k < queue->kinds; k++)
		if (least[k] > most[k])
			return false;
	return true;
}

bool
plan_queue_next(
    const struct plan_queue *queue, const double *most, uint32_t *task)
{
	size_t node = queue->leaves + *task;

	if (*task >= queue->leaves)
		return false;
	while (node != 0) {
		if (may_fit(queue, node, most)) {
			if (node >= queue->leaves) {
				*task = (uint32_t)(node - queue->leaves);
				return true;
			}
			node *= 2;
			continue;
		}
		/* on to what stands to the right, as high up as can be */
		while (node % 2 == 1)
			node /= 2;
		if (node != 0)
			node++;
	}
	return false;
}
