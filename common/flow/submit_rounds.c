#include "flow/submit_rounds.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct submit_known {
	unsigned round; /* of the last task that has the id */
	bool queued; /* it is in the queue */
};

static int
fail_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

void
submit_turn_init(struct submit_turn *turn)
{
	memset(turn, 0, sizeof(*turn));
	turn->name = NAME_TABLE_NONE;
}

void
submit_rounds_release(struct submit_rounds *rounds)
{
	name_table_release(&rounds->names);
	free(rounds->known);
	free(rounds->waits);
	memset(rounds, 0, sizeof(*rounds));
}

void
submit_rounds_clear(struct submit_rounds *rounds, bool keep)
{
	size_t i;

	rounds->wait_count = 0;
	rounds->count = 0;
	if (!keep)
		name_table_release(&rounds->names);
	for (i = 0; i < rounds->names.count; i++)
		rounds->known[i].round = 0;
}

/* Room for one more wait. */
static int
grow_waits(struct submit_rounds *rounds)
{
	size_t capacity = rounds->wait_capacity;
	uint32_t *waits;

	if (rounds->wait_count < capacity)
		return 0;
	capacity = capacity == 0 ? 64 : 2 * capacity;
	waits = reallocarray(rounds->waits, capacity, sizeof(*waits));
	if (waits == NULL)
		return -1;
	rounds->waits = waits;
	rounds->wait_capacity = capacity;
	return 0;
}

/* Room for what is known of one id more. */
static int
grow_known(struct submit_rounds *rounds)
{
	size_t capacity = rounds->known_capacity;
	struct submit_known *known;

	if (rounds->names.count < capacity)
		return 0;
	capacity = capacity == 0 ? 64 : 2 * capacity;
	known = reallocarray(rounds->known, capacity, sizeof(*known));
	if (known == NULL)
		return -1;
	rounds->known = known;
	rounds->known_capacity = capacity;
	return 0;
}

int
submit_rounds_wait(struct submit_rounds *rounds, struct submit_turn *turn,
    const char *id, struct svc_error *error)
{
	uint32_t name = name_table_find(&rounds->names, id, strlen(id));

	if (name == NAME_TABLE_NONE)
		return 0;
	if (grow_waits(rounds) == -1)
		return fail_memory(error);
	if (turn->wait_count == 0)
		turn->wait_begin = rounds->wait_count;
	rounds->waits[rounds->wait_count++] = name;
	turn->wait_count++;
	if (turn->round <= rounds->known[name].round)
		turn->round = rounds->known[name].round + 1;
	return 1;
}

int
submit_rounds_add(struct submit_rounds *rounds, struct submit_turn *turn,
    const char *id, struct svc_error *error)
{
	size_t before = rounds->names.count;
	struct submit_known *known;

	if (grow_known(rounds) == -1 ||
	    name_table_add(&rounds->names, id, strlen(id), &turn->name) == -1)
		return fail_memory(error);
	known = &rounds->known[turn->name];
	if (rounds->names.count > before)
		memset(known, 0, sizeof(*known));
	if (turn->round < known->round)
		turn->round = known->round;
	known->round = turn->round;
	if (rounds->count <= turn->round)
		rounds->count = turn->round + 1;
	return 0;
}

const char *
submit_rounds_id(
    const struct submit_rounds *rounds, const struct submit_turn *turn)
{
	return turn->name == NAME_TABLE_NONE
		   ? ""
		   : name_table_name(&rounds->names, turn->name);
}

void
submit_rounds_queued(
    struct submit_rounds *rounds, const struct submit_turn *turn)
{
	rounds->known[turn->name].queued = true;
}

const char *
submit_rounds_missing(
    const struct submit_rounds *rounds, const struct submit_turn *turn)
{
	uint32_t name;
	size_t i;

	for (i = 0; i < turn->wait_count; i++) {
		name = rounds->waits[turn->wait_begin + i];
		if (!rounds->known[name].queued)
			return name_table_name(&rounds->names, name);
	}
	return NULL;
}
