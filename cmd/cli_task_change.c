#include "cli_task_change.h"

#include <string.h>
#include <sysexits.h>

/* Which tasks can be changed so, for messages. */
static const char *const rules[] = {
    [QUEUE_CANCEL] = "only waiting, held and running tasks can be cancelled",
    [QUEUE_RETRY] = "only failed tasks can be retried",
    [QUEUE_HOLD] = "only waiting tasks can be held",
    [QUEUE_RELEASE] = "only held tasks can be released",
    [QUEUE_PURGE] = "only done and failed tasks can be purged",
};

/* Prints what has become of it. */
static int
print_changed(struct cli_tasks *tasks, const char *id)
{
	struct queue_record record;
	int status = EX_OK;

	if (cli_tasks_get(tasks, id, &record, &status) == 0)
		return status;
	cli_tasks_print(tasks, &record, NULL, (struct json_span){NULL, 0});
	queue_record_release(&record);
	return status;
}

/* 1: changed, or would be; 0: it was said why not; *status is what it made. */
static int
change_one(struct registry *registry, const struct cli_task_change *change,
    const char *id, int *status)
{
	struct queue_place place;
	struct svc_error error;
	int result = queue_change(registry_store(registry), id, change->change,
	    change->dry_run, &place, &error);

	if (result == 1)
		return 1;
	if (result == -1)
		*status = cli_worse(*status, cli_warn(&error));
	else if (place.state == QUEUE_ABSENT)
		cli_warn_line("%s: no such task", id);
	else
		cli_warn_line("%s: is %s: %s", id,
		    queue_state_name(place.state), rules[change->change]);
	*status = cli_worse(*status, 1);
	return 0;
}

/* What it was is read before; what it is, after. */
static int
change_and_print(struct cli_tasks *tasks, struct registry *registry,
    const struct cli_task_change *change, const char *id)
{
	bool keeps = change->dry_run || change->change == QUEUE_PURGE;
	struct json_span line = {NULL, 0};
	struct queue_record record;
	int status = EX_OK;

	if (!keeps)
		return change_one(registry, change, id, &status) == 1
			   ? print_changed(tasks, id)
			   : status;
	if (cli_tasks_get(tasks, id, &record, &status) == 0)
		return status;
	if (!change->dry_run)
		line = cli_tasks_line(tasks, &record);
	if (change_one(registry, change, id, &status) == 1)
		cli_tasks_print(tasks, &record,
		    change->dry_run ? queue_change_name(change->change) : NULL,
		    line);
	queue_record_release(&record);
	return status;
}

static int
sync_purged(struct registry *registry)
{
	static const char *const directories[] = {
	    "tasks/done", "tasks/failed", "tasks/ids"};
	struct svc_error error;
	int status = EX_OK;
	size_t i;

	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (store_sync(
			registry_store(registry), directories[i], &error) == -1)
			status = cli_worse(status, cli_warn(&error));
	return status;
}

int
cli_task_change(struct cli_tasks *tasks, struct registry *registry,
    const struct cli_task_change *change, const struct cli_task_ids *ids)
{
	int status = EX_OK;
	size_t i;

	for (i = 0; i < ids->count; i++)
		status = cli_worse(status,
		    change_and_print(tasks, registry, change, ids->items[i]));
	if (change->change == QUEUE_PURGE && !change->dry_run && ids->count > 0)
		status = cli_worse(status, sync_purged(registry));
	return status;
}

/* A search for what is old. */
struct search {
	struct cli_task_ids *ids;
	int64_t before; /* ms since 1970 */
};

/* Names and times are enough: no value is read. */
static bool
look(void *argument, const struct store_entry *entry)
{
	const struct search *search = argument;
	struct queue_place place;

	if (entry->changed <= search->before &&
	    queue_place_read(&place, entry->key))
		cli_task_ids_add(search->ids, place.id);
	return false;
}

static int
never(void *argument, const struct store_entry *entry, struct svc_error *error)
{
	(void)argument;
	(void)entry;
	(void)error;
	return 0;
}

void
cli_task_find_older(struct registry *registry, unsigned states, double age,
    struct cli_task_ids *ids)
{
	struct search search = {ids, time_now() - (int64_t)(age * 1000)};
	struct store_list list = {
	    .suffix = "", .look = look, .entry = never, .argument = &search};
	struct svc_error error;
	int state;

	for (state = QUEUE_DONE; state <= QUEUE_FAILED; state++) {
		if ((states & QUEUE_STATE_BIT(state)) == 0)
			continue;
		list.directory = queue_directory((enum queue_state)state);
		if (store_list(registry_store(registry), &list, &error) == -1)
			cli_fail(&error);
	}
	cli_task_ids_sort(ids);
}
