#include "cli_task_follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "registry/queue_follow.h"

/* How old, in seconds, what the registry said of reasons may be. */
#define REASONS_AGE 1.0

struct following {
	struct cli_tasks *tasks;
	const struct cli_task_follow *options;
	struct queue_follow *follow;
	bool named; /* there are ids */
	double renewed; /* when, on the monotonic clock */
	int status;
};

static bool
has_ended(enum queue_state state)
{
	return (QUEUE_STATE_BIT(state) & QUEUE_STATES_ENDED) != 0;
}

static bool
wants(void *argument, const struct queue_place *place)
{
	const struct following *self = argument;

	if (self->named)
		return cli_task_ids_have(self->options->ids, place->id);
	return (self->options->states & QUEUE_STATE_BIT(place->state)) != 0;
}

/* Prints it if it is asked for; a named one that has ended is done with. */
static void
tell(struct following *self, const struct queue_record *record, unsigned states)
{
	const char *service = self->options->service;

	if ((states & QUEUE_STATE_BIT(record->state)) != 0 &&
	    (service == NULL || (record->service != NULL &&
				    strcmp(service, record->service) == 0)))
		cli_tasks_print(self->tasks, record, NULL,
		    cli_tasks_line(self->tasks, record));
	if (!has_ended(record->state) ||
	    !cli_task_ids_remove(self->options->ids, record->id))
		return;
	if (record->state == QUEUE_FAILED)
		self->status = cli_worse(self->status, 1);
}

static int
on_changed(
    void *argument, const struct queue_record *record, struct svc_error *error)
{
	struct following *self = argument;

	(void)error;
	tell(self, record, self->options->states);
	return 0;
}

static int
on_gone(void *argument, const char *id, struct svc_error *error)
{
	struct following *self = argument;
	struct queue_record record;

	(void)error;
	if (!cli_task_ids_have(self->options->ids, id))
		return 0;
	if (cli_tasks_get(self->tasks, id, &record, &self->status) == 1)
		queue_record_release(&record);
	else
		cli_task_ids_remove(self->options->ids, id);
	return 0;
}

static void
begin_named(struct following *self)
{
	const struct cli_task_ids *ids = self->options->ids;
	struct queue_record record;
	struct svc_error error;
	size_t i = 0, count;

	/* The list shrinks as those that have ended are removed. */
	while (i < ids->count) {
		if (cli_tasks_get(self->tasks, ids->items[i], &record,
			&self->status) == 0) {
			cli_task_ids_remove(self->options->ids, ids->items[i]);
			continue;
		}
		count = ids->count;
		if (queue_follow_note(self->follow, &record, &error) == -1)
			cli_fail(&error);
		tell(self, &record, self->options->states);
		queue_record_release(&record);
		i += ids->count == count;
	}
}

static void
begin_all(struct following *self, struct registry *registry)
{
	const struct cli_task_follow *options = self->options;
	struct queue_records records = {0};
	struct svc_error error;
	size_t i;

	if (queue_records_list(registry, options->first, options->service,
		&records, &error) == -1)
		cli_fail(&error);
	for (i = 0; i < records.count; i++) {
		if (queue_follow_note(
			self->follow, &records.items[i], &error) == -1)
			cli_fail(&error);
		tell(self, &records.items[i], options->first);
	}
	queue_records_release(&records);
}

/* Until something has changed; a reader of stdout that goes ends it all. */
static void
wait_for_change(const struct following *self)
{
	struct pollfd pollers[] = {
	    {.fd = queue_follow_descriptor(self->follow), .events = POLLIN},
	    {.fd = STDOUT_FILENO}};
	struct svc_error error;

	while (poll(pollers, 2, -1) == -1) {
		if (errno == EINTR)
			continue;
		svc_error_errno(&error, "cannot wait");
		cli_fail(&error);
	}
	if ((pollers[1].revents & POLLERR) != 0)
		cli_die_of(SIGPIPE);
}

static void
read_changes(struct following *self)
{
	struct svc_error error;

	if (time_monotonic() - self->renewed >= REASONS_AGE) {
		cli_tasks_renew(self->tasks);
		self->renewed = time_monotonic();
	}
	if (queue_follow_read(self->follow, &error) == -1)
		cli_fail(&error);
}

int
cli_task_follow(struct cli_tasks *tasks, struct registry *registry,
    const struct cli_task_follow *options)
{
	struct following self = {.tasks = tasks,
	    .options = options,
	    .named = options->ids->count > 0,
	    .renewed = time_monotonic(),
	    .status = EX_OK};
	struct queue_follow_options follow = {.wants = wants,
	    .changed = on_changed,
	    .gone = on_gone,
	    .argument = &self};
	struct svc_error error;

	if (queue_follow_open(&self.follow, registry, &follow, &error) == -1)
		cli_fail(&error);
	if (self.named)
		begin_named(&self);
	else
		begin_all(&self, registry);
	cli_tasks_follow(tasks);
	while (!self.named || options->ids->count > 0) {
		wait_for_change(&self);
		read_changes(&self);
	}
	queue_follow_close(self.follow);
	return self.status;
}
