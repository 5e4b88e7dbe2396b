#include "registry/stream_roster.h"

#include <stdlib.h>
#include <string.h>

void
stream_roster_release(struct stream_roster *roster)
{
	while (roster->count > 0)
		free(roster->services[--roster->count].name);
	free(roster->services);
}

/* Where name stands among the services, or would. */
static size_t
find_place(const struct stream_roster *roster, const char *name)
{
	size_t low = 0, high = roster->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(roster->services[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct stream_service *
stream_roster_find(const struct stream_roster *roster, const char *name)
{
	size_t place = find_place(roster, name);

	if (place < roster->count &&
	    strcmp(roster->services[place].name, name) == 0)
		return &roster->services[place];
	return NULL;
}

/* Room for one more.  -1: no memory. */
static int
grow(struct stream_roster *roster)
{
	struct stream_service *services;
	size_t capacity = roster->capacity == 0 ? 16 : 2 * roster->capacity;

	if (roster->count < roster->capacity)
		return 0;
	services = reallocarray(roster->services, capacity, sizeof(*services));
	if (services == NULL)
		return -1;
	roster->services = services;
	roster->capacity = capacity;
	return 0;
}

struct stream_service *
stream_roster_add(struct stream_roster *roster, const char *name)
{
	struct stream_service *service = stream_roster_find(roster, name);
	size_t place;
	char *copy;

	if (service != NULL)
		return service;
	if (grow(roster) == -1)
		return NULL;
	copy = strdup(name);
	if (copy == NULL)
		return NULL;
	place = find_place(roster, name);
	service = &roster->services[place];
	memmove(
	    service + 1, service, (roster->count - place) * sizeof(*service));
	*service = (struct stream_service){.name = copy};
	roster->count++;
	return service;
}
