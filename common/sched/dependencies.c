#include "sched/dependencies.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define NONE	       DEPENDENCIES_NONE
#define CAPACITY_LEAST 64

/*
 * What is known of a task.  It is found by its number, but links name it by its
 * place: one that was skipped early may be dropped, and its number used again,
 * while links still name it.  Its place is free only when they are gone, too.
 */
struct node {
	uint32_t number;
	uint32_t open; /* links that name it: what it waits for */
	uint32_t waiters; /* the last link of those who wait for it, or NONE */
	uint32_t because; /* number of who decided; of a free place, the next */
	unsigned when : 2;
	unsigned end : 3;
	unsigned sealed : 1;
	unsigned decided : 1; /* or it has ended anyway */
	unsigned skipped : 1; /* that is what was decided */
	unsigned failed : 1; /* somebody that it waits for has, by itself */
	unsigned dropped : 1;
};

/* One who waits.  Those of one task are a ring: its last leads to its first. */
struct link {
	uint32_t node; /* who waits */
	uint32_t next; /* of a free link, the next free one */
};

struct dependencies {
	uint32_t *places; /* of numbers, in nodes; NONE: the number is free */
	size_t number_count;
	size_t number_capacity;
	struct node *nodes;
	size_t node_count;
	size_t node_capacity;
	uint32_t free_node; /* or NONE */
	struct link *links;
	size_t link_count;
	size_t link_capacity;
	uint32_t free_link;
};

int
dependencies_open(struct dependencies **dependencies, struct svc_error *error)
{
	struct dependencies *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	made->free_node = made->free_link = NONE;
	*dependencies = made;
	return 0;
}

void
dependencies_close(struct dependencies *dependencies)
{
	if (dependencies == NULL)
		return;
	free(dependencies->places);
	free(dependencies->nodes);
	free(dependencies->links);
	free(dependencies);
}

/* The array, or a larger one, with room for count elements; NULL: no memory. */
static void *
make_room(void *array, size_t *capacity, size_t count, size_t size)
{
	size_t grown = *capacity == 0 ? CAPACITY_LEAST : *capacity;
	void *made;

	if (count <= *capacity)
		return array;
	/* NONE is nobody's number. */
	if (count > NONE)
		return NULL;
	while (grown < count)
		grown *= 2;
	made = reallocarray(array, grown, size);
	if (made != NULL)
		*capacity = grown;
	return made;
}

static struct node *
node_of(const struct dependencies *dependencies, uint32_t task)
{
	return &dependencies->nodes[dependencies->places[task]];
}

static int
know_number(struct dependencies *dependencies, uint32_t task)
{
	size_t count = (size_t)task + 1;
	uint32_t *places = make_room(dependencies->places,
	    &dependencies->number_capacity, count, sizeof(*places));

	if (places == NULL)
		return -1;
	dependencies->places = places;
	while (dependencies->number_count < count)
		places[dependencies->number_count++] = NONE;
	return 0;
}

static int
take_node(struct dependencies *dependencies, uint32_t *place)
{
	struct node *nodes;

	if (dependencies->free_node != NONE) {
		*place = dependencies->free_node;
		dependencies->free_node = dependencies->nodes[*place].because;
		return 0;
	}
	nodes = make_room(dependencies->nodes, &dependencies->node_capacity,
	    dependencies->node_count + 1, sizeof(*nodes));
	if (nodes == NULL)
		return -1;
	dependencies->nodes = nodes;
	*place = (uint32_t)dependencies->node_count++;
	return 0;
}

static void
free_node(struct dependencies *dependencies, uint32_t place)
{
	dependencies->nodes[place].because = dependencies->free_node;
	dependencies->free_node = place;
}

static int
take_link(struct dependencies *dependencies, uint32_t *number)
{
	struct link *links;

	if (dependencies->free_link != NONE) {
		*number = dependencies->free_link;
		dependencies->free_link = dependencies->links[*number].next;
		return 0;
	}
	links = make_room(dependencies->links, &dependencies->link_capacity,
	    dependencies->link_count + 1, sizeof(*links));
	if (links == NULL)
		return -1;
	dependencies->links = links;
	*number = (uint32_t)dependencies->link_count++;
	return 0;
}

int
dependencies_add(struct dependencies *dependencies, uint32_t task,
    enum task_when when, struct svc_error *error)
{
	struct node *node;
	uint32_t place;

	if (know_number(dependencies, task) == -1 ||
	    take_node(dependencies, &place) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	node = &dependencies->nodes[place];
	memset(node, 0, sizeof(*node));
	node->number = task;
	node->when = when;
	node->waiters = node->because = NONE;
	dependencies->places[task] = place;
	return 0;
}

/* What the end of other says to a node that waits for it. */
static void
learn(struct node *node, uint32_t other, enum task_end end)
{
	if (end == END_FAILED)
		node->failed = 1;
	switch ((enum task_when)node->when) {
	case WHEN_OK:
		/* The first one that has no result decides. */
		if (end != END_OK && node->because == NONE)
			node->because = other;
		break;
	case WHEN_FAILED:
		node->because = other;
		break;
	case WHEN_DONE:
		break;
	}
}

int
dependencies_link(struct dependencies *dependencies, uint32_t task,
    uint32_t other, struct svc_error *error)
{
	struct node *node = node_of(dependencies, task);
	struct node *awaited = node_of(dependencies, other);
	struct link *links;
	uint32_t number;

	if (awaited->end != END_OPEN) {
		learn(node, other, (enum task_end)awaited->end);
		return 0;
	}
	if (take_link(dependencies, &number) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	links = dependencies->links;
	links[number].node = dependencies->places[task];
	links[number].next = number;
	if (awaited->waiters != NONE) {
		links[number].next = links[awaited->waiters].next;
		links[awaited->waiters].next = number;
	}
	awaited->waiters = number;
	node->open++;
	return 0;
}

/* Decides about a node as soon as it can be known, and once. */
static enum task_decision
decide(struct node *node)
{
	bool ready;

	if (!node->sealed || node->decided)
		return DECISION_WAIT;
	if (node->when == WHEN_OK && node->because != NONE)
		ready = false;
	else if (node->open > 0)
		return DECISION_WAIT;
	else
		ready = node->when != WHEN_FAILED || node->failed;
	node->decided = 1;
	node->skipped = !ready;
	return ready ? DECISION_READY : DECISION_SKIP;
}

enum task_decision
dependencies_seal(struct dependencies *dependencies, uint32_t task)
{
	struct node *node = node_of(dependencies, task);

	node->sealed = 1;
	return decide(node);
}

/*
 * Takes the first link out of a ring whose last one is last, and returns the
 * place of who waited; *over: it was the last one.
 */
static uint32_t
release_link(struct dependencies *dependencies, uint32_t last, bool *over)
{
	struct link *links = dependencies->links;
	uint32_t first = links[last].next;

	*over = first == last;
	links[last].next = links[first].next;
	links[first].next = dependencies->free_link;
	dependencies->free_link = first;
	return links[first].node;
}

void
dependencies_end(struct dependencies *dependencies, uint32_t task,
    enum task_end end,
    void (*decided)(void *argument, uint32_t task, enum task_decision decision),
    void *argument)
{
	struct node *node = node_of(dependencies, task);
	enum task_decision decision;
	uint32_t last = node->waiters, place;
	bool over = last == NONE;

	node->end = end;
	node->decided = 1; /* nobody is told of it any more */
	node->waiters = NONE;
	while (!over) {
		place = release_link(dependencies, last, &over);
		/* decided() may have moved the nodes. */
		node = &dependencies->nodes[place];
		node->open--;
		if (node->dropped) {
			if (node->open == 0)
				free_node(dependencies, place);
			continue;
		}
		learn(node, task, end);
		decision = decide(node);
		if (decision != DECISION_WAIT)
			decided(argument, node->number, decision);
	}
}

enum task_end
dependencies_ended(const struct dependencies *dependencies, uint32_t task)
{
	return (enum task_end)node_of(dependencies, task)->end;
}

enum task_when
dependencies_when(const struct dependencies *dependencies, uint32_t task)
{
	return (enum task_when)node_of(dependencies, task)->when;
}

uint32_t
dependencies_because(const struct dependencies *dependencies, uint32_t task)
{
	const struct node *node = node_of(dependencies, task);

	return node->skipped ? node->because : NONE;
}

bool
dependencies_awaited(const struct dependencies *dependencies, uint32_t task)
{
	return node_of(dependencies, task)->waiters != NONE;
}

void
dependencies_drop(struct dependencies *dependencies, uint32_t task)
{
	uint32_t place = dependencies->places[task];

	dependencies->places[task] = NONE;
	dependencies->nodes[place].dropped = 1;
	if (dependencies->nodes[place].open == 0)
		free_node(dependencies, place);
}

/* A search along the links, deep first. */
struct search {
	unsigned char *seen; /* of places: enum seen */
	struct step *way; /* from where it began to where it is */
	size_t length;
};

enum seen { SEEN_NOT, SEEN_ON_WAY, SEEN_WHOLLY };

struct step {
	uint32_t node;
	uint32_t link; /* the one gone last; NONE: none yet */
};

static void
step_into(struct search *search, uint32_t place)
{
	search->seen[place] = SEEN_ON_WAY;
	search->way[search->length].node = place;
	search->way[search->length++].link = NONE;
}

/* Who waits next for the node of step: true, *place; false: no one more. */
static bool
next_waiter(
    const struct dependencies *dependencies, struct step *step, uint32_t *place)
{
	uint32_t last = dependencies->nodes[step->node].waiters;

	if (last == step->link)
		return false;
	step->link =
	    dependencies->links[step->link == NONE ? last : step->link].next;
	*place = dependencies->links[step->link].node;
	return true;
}

/* Goes on from where it began.  true: *place is on the way already. */
static bool
search_on(const struct dependencies *dependencies, struct search *search,
    uint32_t *place)
{
	struct step *step;

	while (search->length > 0) {
		step = &search->way[search->length - 1];
		if (!next_waiter(dependencies, step, place)) {
			search->seen[step->node] = SEEN_WHOLLY;
			search->length--;
		} else if (search->seen[*place] == SEEN_ON_WAY) {
			return true;
		} else if (search->seen[*place] == SEEN_NOT) {
			step_into(search, *place);
		}
	}
	return false;
}

/* The way goes from who is waited for to who waits: it is told backwards. */
static int
tell_cycle(const struct dependencies *dependencies, const struct search *search,
    uint32_t place, uint32_t **cycle, size_t *length, struct svc_error *error)
{
	size_t begin = search->length - 1, i;

	while (search->way[begin].node != place)
		begin--;
	*length = search->length - begin;
	*cycle = reallocarray(NULL, *length, sizeof(**cycle));
	if (*cycle == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	for (i = 0; i < *length; i++)
		(*cycle)[i] =
		    dependencies
			->nodes[search->way[search->length - 1 - i].node]
			.number;
	return 1;
}

int
dependencies_cycle(const struct dependencies *dependencies, uint32_t **cycle,
    size_t *length, struct svc_error *error)
{
	size_t count = dependencies->node_count, i;
	struct search search = {0};
	uint32_t place;
	int result = -1;

	if (count == 0)
		return 0;
	search.seen = calloc(count, sizeof(*search.seen));
	search.way = reallocarray(NULL, count, sizeof(*search.way));
	if (search.seen == NULL || search.way == NULL) {
		svc_error_set(error, EX_OSERR, "out of memory");
		goto out;
	}
	result = 0;
	for (i = 0; i < count && result == 0; i++) {
		if (search.seen[i] != SEEN_NOT)
			continue;
		step_into(&search, (uint32_t)i);
		if (search_on(dependencies, &search, &place))
			result = tell_cycle(
			    dependencies, &search, place, cycle, length, error);
	}
out:
	free(search.seen);
	free(search.way);
	return result;
}
