#include "registry/reaper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "registry/handle.h"
#include "registry/sighting.h"

struct reaper {
	struct registry *registry;
	struct sightings sightings;
	const struct selector *selector; /* NULL: any */
	const char *const *services; /* sorted */
	size_t service_count; /* 0: all */
	bool lost; /* one could not be kept: no memory */
};

/* One call of reaper_run(). */
struct run {
	struct reaper *reaper;
	double now; /* on the boot's clock */
	bool dry_run;
	void (*removed)(void *argument, const char *service, const char *id);
	void (*failed)(void *argument, const struct svc_error *error);
	void *argument;
	size_t count; /* of removed */
};

struct candidate {
	struct sighting *sighting; /* NULL: it is settled */
	struct store_revision revision;
};

/* Nobody can set it, and it goes on while the machine sleeps. */
static double
boot_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int
reaper_open(
    struct reaper **reaper, struct registry *registry, struct svc_error *error)
{
	*reaper = calloc(1, sizeof(**reaper));
	if (*reaper == NULL)
		return svc_error_errno(error, "reaper");
	(*reaper)->registry = registry;
	return 0;
}

void
reaper_close(struct reaper *reaper)
{
	if (reaper == NULL)
		return;
	sightings_release(&reaper->sightings);
	free(reaper);
}

void
reaper_confine(struct reaper *reaper, const struct selector *selector,
    const char *const *services, size_t service_count)
{
	reaper->selector = selector;
	reaper->services = services;
	reaper->service_count = service_count;
}

static int
compare_name(const void *name, const void *element)
{
	return strcmp(name, *(const char *const *)element);
}

/* Whether it is over, and any of this reaper's business. */
static bool
is_prey(const struct reaper *reaper, const struct instance *instance)
{
	return instance->status == STATUS_EXPIRED &&
	       (reaper->service_count == 0 ||
		   bsearch(instance->service, reaper->services,
		       reaper->service_count, sizeof(*reaper->services),
		       compare_name) != NULL) &&
	       selector_match(reaper->selector, instance);
}

static double
ttl_of(const struct instance *instance)
{
	return instance->lease == LEASE_TTL ? instance->ttl
					    : REGISTRY_REMOTE_TTL;
}

/* Another heartbeat is another sighting. */
static void
sight(struct sighting *sighting, const struct instance *instance, double now)
{
	sighting->ttl = ttl_of(instance);
	if (sighting->at >= 0 && sighting->heartbeat == instance->heartbeat)
		return;
	sighting->heartbeat = instance->heartbeat;
	sighting->at = now;
	sighting->next = 0;
}

void
reaper_sight(struct reaper *reaper, const struct instance *before,
    const struct instance *after)
{
	const struct instance *named = after != NULL ? after : before;
	struct sighting *sighting;

	if (after == NULL || !is_prey(reaper, after)) {
		sightings_drop(&reaper->sightings, named->service, named->id);
		return;
	}
	sighting = sightings_add(&reaper->sightings, after->service, after->id);
	if (sighting == NULL)
		reaper->lost = true;
	else
		sight(sighting, after, boot_clock());
}

/* When to look at it again, on the boot's clock. */
static double
due(const struct sighting *sighting)
{
	double second = sighting->ttl < 0 ? 0 : sighting->at + sighting->ttl;

	return second > sighting->next ? second : sighting->next;
}

double
reaper_due(const struct reaper *reaper)
{
	const struct sightings *sightings = &reaper->sightings;
	double next = -1, left;
	size_t i;

	if (reaper->lost)
		return 0;
	for (i = 0; i < sightings->count; i++)
		if (next < 0 || due(sightings->items[i]) < next)
			next = due(sightings->items[i]);
	if (next < 0)
		return -1;
	left = next - boot_clock();
	return left > 0 ? left : 0;
}

static void
postpone(const struct run *run, struct sighting *sighting)
{
	double ttl = sighting->ttl < 0 ? REGISTRY_REMOTE_TTL : sighting->ttl;

	sighting->next = run->now + ttl;
}

static void
fail(const struct run *run, struct candidate *candidate,
    const struct svc_error *error)
{
	postpone(run, candidate->sighting);
	candidate->sighting = NULL;
	run->failed(run->argument, error);
}

static void
forget(const struct run *run, struct candidate *candidate)
{
	sightings_drop(&run->reaper->sightings, candidate->sighting->service,
	    candidate->sighting->id);
	candidate->sighting = NULL;
}

static void
tell_removed(struct run *run, const struct candidate *candidate)
{
	run->count++;
	run->removed(run->argument, candidate->sighting->service,
	    candidate->sighting->id);
}

/*
 * The revision is read before the status: what a listing then says is true of
 * every record that still has that revision when it is removed.
 */
static void
read_revision(
    const struct run *run, struct candidate *candidate, struct buffer *scratch)
{
	const struct sighting *sighting = candidate->sighting;
	char key[REGISTRY_KEY_SIZE];
	struct store_entry entry = {0};
	struct svc_error error;
	int found;

	found =
	    registry_key(key, sighting->service, sighting->id, ".json", &error);
	if (found == 0)
		found = store_get(run->reaper->registry->store, key,
		    INSTANCE_RECORD_MAX, scratch, &entry, &error);
	if (found == 1)
		candidate->revision = entry.revision;
	else if (found == 0)
		forget(run, candidate);
	else
		fail(run, candidate, &error);
}

/* Settles the candidate unless the instance is sighted a second time. */
static void
judge(const struct run *run, struct candidate *candidate,
    const struct instance_list *list)
{
	struct sighting *sighting = candidate->sighting;
	struct instance wanted = {
	    .service = sighting->service, .id = sighting->id};
	const struct instance *instance = NULL;

	if (list->count > 0)
		instance = bsearch(&wanted, list->items, list->count,
		    sizeof(*list->items), instance_compare);
	if (instance == NULL || !is_prey(run->reaper, instance)) {
		forget(run, candidate);
		return;
	}
	sight(sighting, instance, run->now);
	if (due(sighting) > run->now)
		candidate->sighting = NULL;
}

/* Moves those that are not settled to the front; how many. */
static size_t
compact(struct candidate *candidates, size_t count)
{
	size_t i, kept = 0;

	for (i = 0; i < count; i++)
		if (candidates[i].sighting != NULL)
			candidates[kept++] = candidates[i];
	return kept;
}

/* Those of one service that are sighted twice. */
static void
remove_all(struct run *run, const char *service, struct candidate *candidates,
    struct removal *removals, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		removals[i].id = candidates[i].sighting->id;
		removals[i].if_revision = &candidates[i].revision;
	}
	registry_remove_batch(run->reaper->registry, service, removals, count);
	for (i = 0; i < count; i++) {
		if (removals[i].result == -1) {
			fail(run, &candidates[i], &removals[i].error);
		} else if (removals[i].result == 0) {
			postpone(run, candidates[i].sighting);
		} else {
			tell_removed(run, &candidates[i]);
			forget(run, &candidates[i]);
		}
	}
}

/* The same, without removing. */
static void
tell_all(struct run *run, const struct candidate *candidates, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		tell_removed(run, &candidates[i]);
		postpone(run, candidates[i].sighting);
	}
}

/* Looks at candidates, all of one service, and says in error what kept it from
 * doing so. */
static int
reap_service(struct run *run, struct candidate *candidates, size_t count,
    struct svc_error *error)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct buffer scratch = BUFFER_INIT;
	struct removal *removals = calloc(count, sizeof(*removals));
	char service[NAME_MAX_LENGTH + 1];
	int status = -1;
	size_t i;

	snprintf(service, sizeof(service), "%s", candidates->sighting->service);
	if (removals == NULL) {
		svc_error_errno(error, "services/%s", service);
		goto out;
	}
	for (i = 0; i < count; i++)
		read_revision(run, &candidates[i], &scratch);
	count = compact(candidates, count);
	if (registry_list(run->reaper->registry, service, &list, error) == -1)
		goto out;
	for (i = 0; i < count; i++)
		judge(run, &candidates[i], &list);
	count = compact(candidates, count);
	if (run->dry_run)
		tell_all(run, candidates, count);
	else
		remove_all(run, service, candidates, removals, count);
	status = 0;
out:
	for (i = 0; i < count && status == -1; i++)
		postpone(run, candidates[i].sighting);
	instance_list_release(&list);
	buffer_release(&scratch);
	free(removals);
	return status;
}

/* Those that are due, in a new array; NULL without memory. */
static struct candidate *
gather(const struct run *run, size_t *count)
{
	const struct sightings *sightings = &run->reaper->sightings;
	struct candidate *candidates;
	size_t i;

	*count = 0;
	candidates = calloc(sightings->count + 1, sizeof(*candidates));
	for (i = 0; i < sightings->count && candidates != NULL; i++)
		if (due(sightings->items[i]) <= run->now)
			candidates[(*count)++].sighting = sightings->items[i];
	return candidates;
}

static bool
same_service(const struct candidate *a, const struct candidate *b)
{
	return strcmp(a->sighting->service, b->sighting->service) == 0;
}

static int
reap(struct run *run)
{
	struct candidate *candidates;
	size_t count, start, end;
	struct svc_error error;

	candidates = gather(run, &count);
	if (candidates == NULL)
		return -1;
	for (start = 0; start < count; start = end) {
		for (end = start + 1; end < count; end++)
			if (!same_service(&candidates[start], &candidates[end]))
				break;
		if (reap_service(
			run, &candidates[start], end - start, &error) == -1)
			run->failed(run->argument, &error);
	}
	free(candidates);
	return 0;
}

size_t
reaper_run(struct reaper *reaper, bool dry_run,
    void (*removed)(void *argument, const char *service, const char *id),
    void (*failed)(void *argument, const struct svc_error *error),
    void *argument)
{
	struct run run = {.reaper = reaper,
	    .now = boot_clock(),
	    .dry_run = dry_run,
	    .removed = removed,
	    .failed = failed,
	    .argument = argument};
	struct svc_error error;

	if (reap(&run) == -1 || reaper->lost) {
		svc_error_set(&error, EX_OSERR,
		    "out of memory: not all that is expired is removed");
		failed(argument, &error);
		reaper->lost = false;
	}
	return run.count;
}

void
reaper_print(const struct reaper *reaper, struct buffer *out)
{
	buffer_append_string(out, "{\"boot\":");
	json_append_string(
	    out, reaper->registry->boot, strlen(reaper->registry->boot));
	buffer_append_string(out, ",\"sightings\":");
	sightings_print(&reaper->sightings, out);
	buffer_append_char(out, '}');
}

int
reaper_parse(
    struct reaper *reaper, struct json_span text, struct svc_error *error)
{
	struct json_value boot, sightings;
	char name[BOOT_ID_SIZE];

	if (!json_valid(text.data, text.length) || *text.data != '{' ||
	    json_path(text, "boot", &boot) != 1 || boot.type != JSON_STRING ||
	    json_path(text, "sightings", &sightings) != 1 ||
	    sightings.type != JSON_OBJECT)
		return svc_error_set(error, EX_DATAERR,
		    "not what a reaper has sighted (as in {\"boot\":\"\","
		    "\"sightings\":{}})");
	/* The clock of another boot, or of one that is not known, is none. */
	if (json_string(&boot, name, sizeof(name)) <= 0 ||
	    strcmp(name, reaper->registry->boot) != 0)
		return 0;
	return sightings_parse(
	    &reaper->sightings, sightings.span, boot_clock(), error);
}
