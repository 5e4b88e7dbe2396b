#include "sched/hash_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sched/stable_hash.h"

/* A list with less than this part of the service's points has its own ring. */
#define SPARSE (1.0 / 256)

#define WORD_BITS 64

struct hash_views {
	struct pool *pool;
	struct hash_node *nodes; /* of each member */
	struct hash_ring **rings; /* at the first member of each service */
	struct hash_view views[POOL_SETS_MAX]; /* by slot */
	size_t bytes; /* of all views */
};

static uint64_t
hash_name(const struct instance *instance)
{
	char name[2 * (NAME_MAX_LENGTH + 1)];
	int length;

	length = snprintf(
	    name, sizeof(name), "%s/%s", instance->service, instance->id);
	return stable_hash(name, (size_t)length);
}

/* By powers of two, so that halving leaves half of each member's points. */
static double
points_per_slot(const struct pool *pool)
{
	double points = HASH_POINTS_PER_SLOT, slots = 0;
	size_t i;

	for (i = 0; i < pool_count(pool); i++)
		slots += pool_member(pool, (uint32_t)i)->slots;
	while (points * slots > HASH_POINTS_MAX)
		points /= 2;
	return points;
}

static void
make_nodes(struct hash_views *views)
{
	double scale = points_per_slot(views->pool), points;
	const struct pool_member *member;
	size_t i;

	for (i = 0; i < pool_count(views->pool); i++) {
		member = pool_member(views->pool, (uint32_t)i);
		points = round(member->slots * scale);
		views->nodes[i].points = (uint32_t)fmax(1, points);
		views->nodes[i].name = hash_name(member->instance);
	}
}

int
hash_views_open(
    struct hash_views **opened, struct pool *pool, struct svc_error *error)
{
	struct hash_views *views = calloc(1, sizeof(*views));
	size_t count = pool_count(pool);

	if (views != NULL) {
		views->pool = pool;
		views->nodes = calloc(count + 1, sizeof(*views->nodes));
		views->rings = calloc(count + 1, sizeof(struct hash_ring *));
	}
	if (views == NULL || views->nodes == NULL || views->rings == NULL) {
		hash_views_close(views);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	make_nodes(views);
	*opened = views;
	return 0;
}

static void
drop(struct hash_views *views, struct hash_view *view)
{
	views->bytes -= view->bytes;
	hash_ring_free(view->own);
	free(view->held);
	memset(view, 0, sizeof(*view));
}

static void
drop_all(struct hash_views *views)
{
	size_t i;

	for (i = 0; i < POOL_SETS_MAX; i++)
		drop(views, &views->views[i]);
}

void
hash_views_close(struct hash_views *views)
{
	size_t i;

	if (views == NULL)
		return;
	drop_all(views);
	for (i = 0; views->rings != NULL && i < pool_count(views->pool); i++)
		hash_ring_free(views->rings[i]);
	free(views->rings);
	free(views->nodes);
	free(views);
}

/* The ring of count members from first on, made when it is first needed. */
static const struct hash_ring *
service_ring(struct hash_views *views, uint32_t first, size_t count,
    struct svc_error *error)
{
	if (views->rings[first] == NULL)
		views->rings[first] =
		    hash_ring_new(views->nodes, first, NULL, count, error);
	return views->rings[first];
}

static bool
is_sparse(const struct hash_views *views, const struct hash_view *view,
    const struct eligible *list)
{
	double points = 0;
	size_t i;

	for (i = 0; i < list->count; i++)
		points += views->nodes[list->members[i]].points;
	return points < SPARSE * (double)view->ring->count;
}

static int
make_own_ring(const struct hash_views *views, struct hash_view *view,
    const struct eligible *list, struct svc_error *error)
{
	view->own =
	    hash_ring_new(views->nodes, 0, list->members, list->count, error);
	if (view->own == NULL)
		return -1;
	view->ring = view->own;
	view->bytes = view->own->count * sizeof(*view->own->points);
	return 0;
}

/* Marks those of the service's count members that the list holds. */
static int
mark_held(struct hash_view *view, const struct eligible *list, size_t count,
    struct svc_error *error)
{
	size_t words = count / WORD_BITS + 1, i;
	uint32_t bit;

	view->held = calloc(words, sizeof(*view->held));
	if (view->held == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	view->bytes = words * sizeof(*view->held);
	for (i = 0; i < list->count; i++) {
		bit = list->members[i] - view->first;
		view->held[bit / WORD_BITS] |= UINT64_C(1) << bit % WORD_BITS;
	}
	return 0;
}

static int
make(struct hash_views *views, struct hash_view *view,
    const struct eligible *list, struct svc_error *error)
{
	size_t count;
	int result;

	pool_range(views->pool, list->service, &view->first, &count);
	view->ring = service_ring(views, view->first, count, error);
	if (view->ring == NULL)
		return -1;
	if (list->count == count)
		result = 0;
	else if (is_sparse(views, view, list))
		result = make_own_ring(views, view, list, error);
	else
		result = mark_held(view, list, count, error);
	if (result == 0)
		view->serial = list->serial;
	views->bytes += view->bytes;
	return result;
}

const struct hash_view *
hash_views_find(struct hash_views *views, const struct eligible *list,
    struct svc_error *error)
{
	struct hash_view *view = &views->views[list->slot];

	if (view->serial == list->serial)
		return view;
	drop(views, view);
	if (views->bytes > HASH_VIEWS_MAX)
		drop_all(views);
	return make(views, view, list, error) == 0 ? view : NULL;
}

double
hash_views_distance(
    const struct hash_views *views, uint32_t member, uint64_t key)
{
	return hash_ring_distance(&views->nodes[member], key);
}
