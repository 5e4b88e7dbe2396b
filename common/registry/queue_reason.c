#include "registry/queue_reason.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sysexits.h>

#include "line/json.h"
#include "registry/claimant.h"
#include "registry/query.h"
#include "registry/queue_awaited.h"

#define REST_BEGIN 1000 /* ms after the first lost claim; doubled by each */

/* What is known of a service. */
struct known_service {
	SLIST_ENTRY(known_service) link;
	size_t asked; /* tasks that wait for nothing but their turn */
	bool looked;
	char *why; /* nobody takes work; NULL: somebody does */
	char name[];
};

struct queue_reasons {
	struct registry *registry;
	bool ordered;
	struct queue_awaited *awaited;
	SLIST_HEAD(, known_service) services;
	bool looked; /* for claimants */
	size_t claimants;
	bool commands; /* one of them executes commands: no service matters */
	long waiting; /* names in tasks/new; -1: not counted */
};

/* What all steps of one question share. */
struct question {
	struct queue_reasons *reasons;
	const struct queue_record *record;
	int64_t now;
	struct buffer *sentence;
	struct svc_error *error;
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
queue_reasons_open(struct queue_reasons **reasons, struct registry *registry,
    bool ordered, struct svc_error *error)
{
	struct queue_reasons *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return no_memory(error);
	if (queue_awaited_open(&made->awaited, registry, error) == -1) {
		free(made);
		return -1;
	}
	made->registry = registry;
	made->ordered = ordered;
	made->waiting = -1;
	*reasons = made;
	return 0;
}

void
queue_reasons_renew(struct queue_reasons *reasons)
{
	struct known_service *service;

	queue_awaited_renew(reasons->awaited);
	while ((service = SLIST_FIRST(&reasons->services)) != NULL) {
		SLIST_REMOVE_HEAD(&reasons->services, link);
		free(service->why);
		free(service);
	}
	reasons->looked = false;
	reasons->commands = false;
	reasons->waiting = -1;
}

void
queue_reasons_close(struct queue_reasons *reasons)
{
	if (reasons == NULL)
		return;
	queue_reasons_renew(reasons);
	queue_awaited_close(reasons->awaited);
	free(reasons);
}

/* Each step is 1 and *reason, when it is that; 0; -1. */
static int
check_after(const struct question *question, const char **reason)
{
	return queue_awaited_tell(question->reasons->awaited, question->record,
	    reason, question->sentence, question->error);
}

static int
check_time(const struct question *question, const char **reason)
{
	const struct queue_record *record = question->record;
	int64_t rest;

	if (record->not_before > question->now) {
		*reason = "not-before";
		buffer_append_string(
		    question->sentence, "it is not to start before ");
		time_append(question->sentence, record->not_before);
		return 1;
	}
	if (record->claims == 0 || record->claims > QUEUE_CLAIMS_MAX)
		return 0;
	rest =
	    record->submitted + ((int64_t)REST_BEGIN << (record->claims - 1));
	if (rest <= question->now)
		return 0;
	*reason = "rests";
	buffer_append_format(question->sentence,
	    "it came back from a claim that was lost (%u of %d), and rests "
	    "until ",
	    record->claims, QUEUE_CLAIMS_MAX);
	time_append(question->sentence, rest);
	return 1;
}

/* A listing of the claimants' records. */
struct roll {
	struct queue_reasons *reasons;
	const struct claimants *claimants;
};

/* Of one record: whether somebody alive executes commands. */
static int
note_claimant(
    void *argument, const struct store_entry *entry, struct svc_error *error)
{
	const struct roll *roll = argument;
	const char *slash = strrchr(entry->key, '/');
	struct json_span record = {entry->value, entry->length};
	struct json_value value;

	(void)error;
	if (slash != NULL && claimants_alive(roll->claimants, slash + 1) &&
	    json_valid(entry->value, entry->length) &&
	    json_path(record, "commands", &value) == 1 &&
	    value.type == JSON_TRUE)
		roll->reasons->commands = true;
	return 0;
}

static int
look_claimants(struct queue_reasons *reasons, struct svc_error *error)
{
	struct store *store = registry_store(reasons->registry);
	struct roll roll = {.reasons = reasons};
	struct store_list list = {.directory = "tasks/claimants",
	    .suffix = "",
	    .entry = note_claimant,
	    .argument = &roll};
	struct claimants *claimants;
	double next;
	int result;

	if (reasons->looked)
		return 0;
	if (claimants_open(&claimants, store, error) == -1)
		return -1;
	result = claimants_look(claimants, &next, error);
	reasons->claimants = claimants_count(claimants);
	roll.claimants = claimants;
	if (result != -1 && reasons->claimants > 0)
		result = store_list(store, &list, error);
	claimants_close(claimants);
	reasons->looked = result != -1;
	return result == -1 ? -1 : 0;
}

static int
check_scheduler(const struct question *question, const char **reason)
{
	if (look_claimants(question->reasons, question->error) == -1)
		return -1;
	if (question->reasons->claimants > 0)
		return 0;
	*reason = "no-scheduler";
	buffer_append_string(question->sentence,
	    "no task-run executes the queue: start 'task-run --queue'");
	return 1;
}

/* The service of that name ("" of tasks that name none); NULL: no memory. */
static struct known_service *
find_service(struct queue_reasons *reasons, const char *name)
{
	size_t size = strlen(name) + 1;
	struct known_service *service;

	SLIST_FOREACH(service, &reasons->services, link)
	if (strcmp(service->name, name) == 0)
		return service;
	if ((service = calloc(1, sizeof(*service) + size)) == NULL)
		return NULL;
	memcpy(service->name, name, size);
	SLIST_INSERT_HEAD(&reasons->services, service, link);
	return service;
}

static int
look_service(struct queue_reasons *reasons, struct known_service *service,
    struct svc_error *error)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	char *const names[] = {service->name};
	struct query query = {.services = names, .service_count = 1};
	struct buffer why = BUFFER_INIT;
	struct instance *chosen = NULL;
	size_t count = 0;
	int result = -1;

	if (registry_list(reasons->registry, service->name, &list, error) ==
		-1 ||
	    query_choose(&query, &list, &chosen, &count, error) == -1)
		goto out;
	if (count == 0) {
		query_why(&query, &list, service->name, &why);
		if (buffer_string(&why) == NULL) {
			no_memory(error);
			goto out;
		}
		service->why = buffer_detach(&why);
	}
	service->looked = true;
	result = 0;
out:
	free(chosen);
	buffer_release(&why);
	instance_list_release(&list);
	return result;
}

static int
check_instances(const struct question *question, const char **reason)
{
	struct queue_reasons *reasons = question->reasons;
	struct known_service *service;

	if (question->record->service == NULL || reasons->commands)
		return 0;
	service = find_service(reasons, question->record->service);
	if (service == NULL)
		return no_memory(question->error);
	if (!service->looked &&
	    look_service(reasons, service, question->error) == -1)
		return -1;
	if (service->why == NULL)
		return 0;
	*reason = "no-instances";
	buffer_append_string(question->sentence, service->why);
	return 1;
}

static int
count_name(void *argument, const char *key, struct svc_error *error)
{
	long *count = argument;

	(void)key;
	(void)error;
	(*count)++;
	return 0;
}

/* The others that wait. */
static int
count_others(
    struct queue_reasons *reasons, size_t *others, struct svc_error *error)
{
	struct store *store = registry_store(reasons->registry);
	long count = 0;

	if (reasons->waiting == -1) {
		if (store_keys(store, queue_directory(QUEUE_WAITING),
			count_name, &count, error) == -1)
			return -1;
		reasons->waiting = count;
	}
	*others = reasons->waiting > 0 ? (size_t)reasons->waiting - 1 : 0;
	return 0;
}

static void
append_turn(const struct question *question, size_t before)
{
	const char *service = question->record->service;
	struct buffer *out = question->sentence;

	if (!question->reasons->ordered) {
		buffer_append_format(out,
		    "it waits for its turn, as %zu other%s", before,
		    before == 1 ? "" : "s");
		return;
	}
	buffer_append_format(out, "%zu task%s", before, before == 1 ? "" : "s");
	if (service != NULL)
		buffer_append_format(out, " of %s", service);
	buffer_append_format(out, " come%s before it", before == 1 ? "s" : "");
}

static int
check_turn(const struct question *question, const char **reason)
{
	const char *name = question->record->service;
	struct queue_reasons *reasons = question->reasons;
	struct known_service *service;
	size_t before = 0;

	service = find_service(reasons, name == NULL ? "" : name);
	if (service == NULL)
		return no_memory(question->error);
	if (reasons->ordered)
		before = service->asked++;
	else if (count_others(reasons, &before, question->error) == -1)
		return -1;
	*reason = before > 0 ? "turn" : "busy";
	if (before > 0)
		append_turn(question, before);
	else if (name == NULL || reasons->commands)
		buffer_append_string(question->sentence,
		    "it is next, as soon as a task-run has room for it");
	else
		buffer_append_format(question->sentence,
		    "it is next, as soon as an instance of %s has room for it",
		    name);
	return 1;
}

static int
check_held(const struct question *question, const char **reason)
{
	if (question->record->state != QUEUE_HELD)
		return 0;
	*reason = "held";
	buffer_append_format(question->sentence,
	    "it is held until 'task-status --release %s'",
	    question->record->id);
	return 1;
}

int
queue_reasons_tell(struct queue_reasons *reasons,
    const struct queue_record *record, int64_t now, const char **reason,
    struct buffer *sentence, struct svc_error *error)
{
	static int (*const checks[])(const struct question *question,
	    const char **reason) = {check_held, check_after, check_time,
	    check_scheduler, check_instances, check_turn};
	struct question question = {reasons, record, now, sentence, error};
	int result = 0;
	size_t i;

	buffer_clear(sentence);
	if (record->state != QUEUE_WAITING && record->state != QUEUE_HELD)
		return 0;
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]) && result == 0; i++)
		result = checks[i](&question, reason);
	if (result == 1 && buffer_string(sentence) == NULL)
		return no_memory(error);
	return result;
}
