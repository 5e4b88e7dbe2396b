#include "registry/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "registry/handle.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define WARNED_MAX   4096
#define SERVICE_MODE 03775

struct owner_name {
	uid_t uid;
	char *name;
};

/* Without it lock leases are as good as the locks alone. */
static void
read_boot(char boot[BOOT_ID_SIZE])
{
	int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	boot[0] = '\0';
	if (fd == -1)
		return;
	n = read(fd, boot, BOOT_ID_SIZE - 1);
	close(fd);
	boot[n < 0 ? 0 : n] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
}

static int
open_store(struct registry *registry, const char *place, bool create,
    struct svc_error *error)
{
	if (store_open(&registry->store, place, error) == 0)
		return 0;
	if (!create || error->code != EX_NOINPUT)
		return -1;
	if (store_create(place, error) == -1)
		return -1;
	return store_open(&registry->store, place, error);
}

int
registry_open(struct registry **result, const char *place, bool create,
    struct svc_error *error)
{
	struct registry *registry;
	struct svc_error ignored;

	if (error == NULL)
		error = &ignored;
	*result = NULL;
	registry = calloc(1, sizeof(*registry));
	if (registry == NULL)
		return svc_error_errno(error, "registry %s", place);
	registry->place = strdup(place);
	if (registry->place == NULL) {
		svc_error_errno(error, "registry %s", place);
		goto fail;
	}
	if (open_store(registry, place, create, error) == -1 ||
	    store_directory_owner(
		registry->store, "", &registry->owner, error) == -1)
		goto fail;
	read_boot(registry->boot);
	*result = registry;
	return 0;
fail:
	registry_close(registry);
	return -1;
}

void
registry_close(struct registry *registry)
{
	size_t i;

	if (registry == NULL)
		return;
	store_close(registry->store);
	for (i = 0; i < registry->owner_count; i++)
		free(registry->owners[i].name);
	free(registry->owners);
	free(registry->warned);
	free(registry->place);
	free(registry);
}

void
registry_set_warn(
    struct registry *registry, registry_warn_fn warn, void *argument)
{
	registry->warn = warn;
	registry->warn_argument = argument;
}

struct store *
registry_store(struct registry *registry)
{
	return registry->store;
}

int
registry_key(char key[REGISTRY_KEY_SIZE], const char *service, const char *id,
    const char *suffix, struct svc_error *error)
{
	if (name_check("service", service, error) == -1 ||
	    name_check("instance", id, error) == -1)
		return -1;
	snprintf(
	    key, REGISTRY_KEY_SIZE, "services/%s/%s%s", service, id, suffix);
	return 0;
}

static char *
ask_owner(uid_t uid)
{
	struct passwd entry, *found = NULL;
	char memory[4096];
	char number[24];

	if (getpwuid_r(uid, &entry, memory, sizeof(memory), &found) == 0 &&
	    found != NULL)
		return strdup(entry.pw_name);
	snprintf(number, sizeof(number), "%lu", (unsigned long)uid);
	return strdup(number);
}

const char *
registry_owner_name(struct registry *registry, uid_t uid)
{
	struct owner_name *owners;
	size_t i;

	for (i = 0; i < registry->owner_count; i++)
		if (registry->owners[i].uid == uid)
			return registry->owners[i].name;
	owners = reallocarray(registry->owners, registry->owner_count + 1,
	    sizeof(*registry->owners));
	if (owners == NULL)
		return NULL;
	registry->owners = owners;
	owners[registry->owner_count].uid = uid;
	owners[registry->owner_count].name = ask_owner(uid);
	if (owners[registry->owner_count].name == NULL)
		return NULL;
	return owners[registry->owner_count++].name;
}

/* FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
static uint64_t
hash(const char *string)
{
	uint64_t value = 0xcbf29ce484222325;

	while (*string != '\0')
		value = (value ^ (unsigned char)*string++) * 0x100000001b3;
	return value;
}

/* A waiter lists often: what it has been told once is enough. */
static bool
was_warned(struct registry *registry, const char *message)
{
	uint64_t value = hash(message);
	uint64_t *warned;
	size_t i;

	for (i = 0; i < registry->warned_count; i++)
		if (registry->warned[i] == value)
			return true;
	if (registry->warned_count == WARNED_MAX)
		return false;
	warned = reallocarray(registry->warned, registry->warned_count + 1,
	    sizeof(*registry->warned));
	if (warned == NULL)
		return false;
	registry->warned = warned;
	warned[registry->warned_count++] = value;
	return false;
}

void
registry_warn(struct registry *registry, const char *key, const char *why)
{
	struct buffer message = BUFFER_INIT;
	const char *text;

	if (registry->warn == NULL)
		return;
	buffer_append_format(
	    &message, "%s/%s: %s: skipped", registry->place, key, why);
	text = buffer_string(&message);
	if (text != NULL && !was_warned(registry, text))
		registry->warn(registry->warn_argument, text);
	buffer_release(&message);
}

struct name_list {
	char **names;
	size_t count;
	size_t capacity;
};

static int
add_name(void *argument, const char *name, struct svc_error *error)
{
	struct name_list *list = argument;
	size_t capacity;
	char **names;

	if (!name_valid(name, strlen(name)))
		return 0;
	if (list->count == list->capacity) {
		capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
		names = reallocarray(list->names, capacity, sizeof(*names));
		if (names == NULL)
			return svc_error_errno(error, "services");
		list->names = names;
		list->capacity = capacity;
	}
	list->names[list->count] = strdup(name);
	if (list->names[list->count] == NULL)
		return svc_error_errno(error, "services");
	list->count++;
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
registry_services(struct registry *registry, char ***names, size_t *count,
    struct svc_error *error)
{
	struct name_list list = {NULL, 0, 0};

	if (store_directories(
		registry->store, "services", add_name, &list, error) == -1) {
		while (list.count > 0)
			free(list.names[--list.count]);
		free(list.names);
		return -1;
	}
	if (list.count > 0)
		qsort(
		    list.names, list.count, sizeof(*list.names), compare_names);
	*names = list.names;
	*count = list.count;
	return 0;
}

int
registry_create_service(struct registry *registry, const char *service,
    uid_t uid, gid_t gid, struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE];

	if (name_check("service", service, error) == -1)
		return -1;
	snprintf(key, sizeof(key), "services/%s", service);
	return store_make_directory(
		   registry->store, key, uid, gid, SERVICE_MODE, error) == -1
		   ? -1
		   : 0;
}

int
registry_watch_open(struct registry *registry, const char *service,
    struct store_watch **watch, struct svc_error *error)
{
	char key[REGISTRY_KEY_SIZE] = "services";

	if (service != NULL) {
		if (name_check("service", service, error) == -1)
			return -1;
		snprintf(key, sizeof(key), "services/%s", service);
	}
	if (store_watch_open(registry->store, key, watch, error) == -1)
		return -1;
	if (store_watch_add(*watch, "health", error) == 0)
		return 0;
	store_watch_close(*watch);
	*watch = NULL;
	return -1;
}
