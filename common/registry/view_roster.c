#include "registry/view_roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "registry/handle.h"

static size_t
find_place(const struct view_roster *roster, const char *name)
{
	size_t low = 0, high = roster->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(roster->services[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct view_service *
view_roster_find(const struct view_roster *roster, const char *name)
{
	size_t place = find_place(roster, name);

	if (place < roster->count &&
	    strcmp(roster->services[place]->name, name) == 0)
		return roster->services[place];
	return NULL;
}

struct view_service *
view_roster_add(struct view_roster *roster, const char *name)
{
	struct view_service *service = view_roster_find(roster, name),
			    **services;
	size_t place, capacity;

	if (service != NULL)
		return service;
	if (roster->count == roster->capacity) {
		capacity = roster->capacity == 0 ? 16 : 2 * roster->capacity;
		services =
		    reallocarray(roster->services, capacity, sizeof(*services));
		if (services == NULL)
			return NULL;
		roster->services = services;
		roster->capacity = capacity;
	}
	service = view_service_new(name);
	if (service == NULL)
		return NULL;
	place = find_place(roster, name);
	memmove(&roster->services[place + 1], &roster->services[place],
	    (roster->count - place) * sizeof(*roster->services));
	roster->services[place] = service;
	roster->count++;
	return service;
}

void
view_roster_release(struct view_roster *roster)
{
	while (roster->count > 0)
		view_service_free(roster->services[--roster->count]);
	free(roster->services);
}

int
view_roster_list(struct view_roster *roster, struct registry *registry,
    struct svc_error *error)
{
	char **names;
	size_t count, i;
	int status = 0;

	if (roster->fixed)
		return 0;
	if (registry_services(registry, &names, &count, error) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		if (status == 0 && view_roster_add(roster, names[i]) == NULL)
			status = svc_error_errno(error, "services");
		free(names[i]);
	}
	free(names);
	return status;
}

int
view_roster_misses(const struct view_roster *roster, struct registry *registry,
    struct svc_error *error)
{
	size_t count, i;
	char **names;
	int missed = 0;

	if (roster->fixed)
		return 0;
	if (registry_services(registry, &names, &count, error) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		missed |= view_roster_find(roster, names[i]) == NULL;
		free(names[i]);
	}
	free(names);
	return missed;
}

void
view_roster_doubt(struct view_roster *roster)
{
	struct view_service *service;
	size_t i;

	for (i = 0; i < roster->count; i++) {
		service = roster->services[i];
		service->list_again = service->health_again = true;
		service->gone = roster->gone = !roster->fixed;
	}
}

/* 1: there is none of that name any more; 0; -1. */
static int
is_gone(struct registry *registry, const struct view_service *service,
    struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE];
	uid_t owner;
	int found;

	if (!service->gone || service->list.count > 0)
		return 0;
	snprintf(key, sizeof(key), "services/%s", service->name);
	found =
	    store_directory_owner(registry_store(registry), key, &owner, error);
	/* A link in its place is none, either. */
	if (found == -1 && error->code == EX_DATAERR)
		found = 0;
	return found == -1 ? -1 : !found;
}

int
view_roster_drop_gone(struct view_roster *roster, struct registry *registry,
    struct svc_error *error)
{
	struct view_service *service;
	size_t kept = 0, i;
	int status = 0;

	if (!roster->gone)
		return 0;
	for (i = 0; i < roster->count; i++) {
		service = roster->services[i];
		if (status != -1)
			status = is_gone(registry, service, error);
		if (status == 1) {
			view_service_free(service);
			continue;
		}
		if (status == 0)
			service->gone = false;
		roster->services[kept++] = service;
	}
	roster->count = kept;
	roster->gone = status == -1;
	return status == -1 ? -1 : 0;
}

/* Splits "services/NAME/LEAF" or "services/NAME" (*leaf NULL) or "health/NAME"
 * behind its directory.  The length of NAME; 0: it is none. */
static size_t
name_in_key(const char *key, const char **name, const char **leaf)
{
	size_t length;

	*name = strchr(key, '/');
	*leaf = NULL;
	if (*name == NULL)
		return 0;
	length = strcspn(++*name, "/");
	if ((*name)[length] == '/')
		*leaf = *name + length + 1;
	return name_valid(*name, length) ? length : 0;
}

static void
note_health(struct view_roster *roster, const char *name)
{
	struct view_service *service;
	size_t i;

	if (name == NULL) {
		for (i = 0; i < roster->count; i++)
			roster->services[i]->health_again = true;
		return;
	}
	/* Of a service that nobody has registered with there is none to keep.
	 */
	service = view_roster_find(roster, name);
	if (service != NULL)
		service->health_again = true;
}

/* The instance that a file tells of: "ID.json" or "ID.drain". */
static void
note_file(
    struct view_roster *roster, struct view_service *service, const char *leaf)
{
	const char *end = strrchr(leaf, '.');

	if (end == NULL ||
	    (strcmp(end, ".json") != 0 && strcmp(end, ".drain") != 0) ||
	    !name_valid(leaf, (size_t)(end - leaf)))
		return;
	if (view_service_mark(service, leaf, (size_t)(end - leaf)) == -1)
		roster->failed = true;
}

static void
note_service(struct view_roster *roster, const char *name, const char *leaf)
{
	struct view_service *service = roster->fixed
					   ? view_roster_find(roster, name)
					   : view_roster_add(roster, name);

	if (service == NULL) {
		roster->failed = roster->failed || !roster->fixed;
		return;
	}
	if (leaf == NULL) {
		service->list_again = true;
		service->gone = roster->gone = !roster->fixed;
	} else {
		note_file(roster, service, leaf);
	}
}

void
view_roster_note(void *argument, const struct store_change *change)
{
	struct view_roster *roster = argument;
	char name[NAME_MAX_LENGTH + 1];
	const char *start, *leaf;
	size_t length;

	if (change->lost)
		roster->lost = change->key == NULL ? "events were lost"
						   : "a directory vanished";
	if (change->key == NULL || strcmp(change->key, "services") == 0) {
		roster->all_again = true;
		return;
	}
	if (strcmp(change->key, "health") == 0) {
		note_health(roster, NULL);
		return;
	}
	length = name_in_key(change->key, &start, &leaf);
	if (length == 0)
		return;
	memcpy(name, start, length);
	name[length] = '\0';
	if (strncmp(change->key, "health/", strlen("health/")) == 0)
		note_health(roster, name);
	else
		note_service(roster, name, leaf);
}
