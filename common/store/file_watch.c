#include "store/file_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_directory.h"

#define EVENTS_SIZE (64 * 1024)

/* A lease that ends is IN_CLOSE_WRITE: its holder had the file open to write.
 */
#define VALUE_EVENTS                                                     \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |           \
	    IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | \
	    IN_ONLYDIR)

/* One watched directory. */
struct node {
	char *key; /* "" is the store itself */
	int wd; /* inotify's, -1: it does not exist at the moment */
	bool values; /* changes of its files are told */
	bool deep; /* its directories are followed, too */
	bool listed; /* of deep: found by a listing; goes when it vanishes */
};

struct file_watch {
	struct store_watch watch;
	int inotify;
	struct node *nodes;
	size_t count;
	size_t capacity;
	bool resync; /* to be told */
	bool stale; /* directories came or went: arm again */
};

static struct node *
find_key(struct file_watch *watch, const char *key, size_t length)
{
	size_t i;

	for (i = 0; i < watch->count; i++)
		if (strncmp(watch->nodes[i].key, key, length) == 0 &&
		    watch->nodes[i].key[length] == '\0')
			return &watch->nodes[i];
	return NULL;
}

static struct node *
find_wd(struct file_watch *watch, int wd)
{
	size_t i;

	for (i = 0; i < watch->count; i++)
		if (watch->nodes[i].wd == wd)
			return &watch->nodes[i];
	return NULL;
}

/* The node for the first length bytes of key, made when there is none. */
static struct node *
add_node(struct file_watch *watch, const char *key, size_t length,
    struct svc_error *error)
{
	struct node *node = find_key(watch, key, length);
	size_t capacity;

	if (node != NULL)
		return node;
	if (watch->count == watch->capacity) {
		capacity = watch->capacity == 0 ? 8 : 2 * watch->capacity;
		node = reallocarray(watch->nodes, capacity, sizeof(*node));
		if (node == NULL)
			goto fail;
		watch->nodes = node;
		watch->capacity = capacity;
	}
	node = &watch->nodes[watch->count];
	*node = (struct node){.wd = -1};
	node->key = strndup(key, length);
	if (node->key == NULL)
		goto fail;
	watch->count++;
	return node;
fail:
	svc_error_errno(error, "cannot watch %s", key);
	return NULL;
}

static void
drop_node(struct file_watch *watch, struct node *node)
{
	free(node->key);
	*node = watch->nodes[--watch->count];
}

/* Through /proc, since inotify takes paths and the way there has been checked.
 * 1; 0: it does not exist; -1. */
static int
arm_node(struct file_watch *watch, struct node *node, struct svc_error *error)
{
	char path[64];
	int descriptor, status, wd;

	status = file_directory_open((struct file_store *)watch->watch.store,
	    node->key, false, &descriptor, error);
	wd = -1;
	if (status == 1) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
		wd = inotify_add_watch(watch->inotify, path, VALUE_EVENTS);
		if (wd == -1)
			status = svc_error_errno(
			    error, "cannot watch %s", node->key);
		close(descriptor);
	}
	if (wd != node->wd)
		watch->resync = true;
	node->wd = wd;
	return status;
}

struct child_list {
	struct file_watch *watch;
	const char *parent;
};

static int
add_child(void *argument, const char *name, struct svc_error *error)
{
	struct child_list *children = argument;
	char key[STORE_KEY_MAX + 1];
	struct node *node;
	int length;

	length = snprintf(key, sizeof(key), "%s/%s", children->parent, name);
	if (length < 0 || (size_t)length >= sizeof(key))
		return 0;
	node = add_node(children->watch, key, (size_t)length, error);
	if (node == NULL)
		return -1;
	node->values = true;
	node->listed = true;
	return 0;
}

static int
add_children(
    struct file_watch *watch, const char *parent, struct svc_error *error)
{
	struct child_list children = {watch, parent};

	return file_directories(
	    watch->watch.store, parent, add_child, &children, error);
}

/*
 * Watches all that exists.  A directory made while this runs is an event of its
 * parent, which is watched before its children are listed.
 */
static int
arm(struct file_watch *watch, struct svc_error *error)
{
	char *parent;
	size_t i;
	int status;

	watch->stale = false;
	for (i = 0; i < watch->count; i++) {
		status = arm_node(watch, &watch->nodes[i], error);
		if (status == -1)
			return -1;
		if (status == 0 && watch->nodes[i].listed) {
			drop_node(watch, &watch->nodes[i--]);
			continue;
		}
		if (status == 0 || !watch->nodes[i].deep)
			continue;
		parent = strdup(watch->nodes[i].key);
		if (parent == NULL)
			return svc_error_errno(error, "cannot watch");
		status = add_children(watch, parent, error);
		free(parent);
		if (status == -1)
			return -1;
	}
	return 0;
}

int
file_watch_open(
    struct store *store, struct store_watch **result, struct svc_error *error)
{
	struct file_watch *watch = calloc(1, sizeof(*watch));

	*result = NULL;
	if (watch == NULL)
		return svc_error_errno(error, "cannot watch");
	watch->watch.store = store;
	watch->resync = true;
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->inotify == -1) {
		svc_error_errno(
		    error, "cannot watch (fs.inotify.max_user_instances?)");
		free(watch);
		return -1;
	}
	*result = &watch->watch;
	return 0;
}

int
file_watch_add(
    struct store_watch *base, const char *directory, struct svc_error *error)
{
	struct file_watch *watch = (struct file_watch *)base;
	size_t length = strlen(directory);
	struct node *node;
	size_t i;

	if (add_node(watch, "", 0, error) == NULL)
		return -1;
	for (i = 1; i < length; i++)
		if (directory[i] == '/' &&
		    add_node(watch, directory, i, error) == NULL)
			return -1;
	node = add_node(watch, directory, length, error);
	if (node == NULL)
		return -1;
	node->values = true;
	node->deep = strcmp(directory, "services") == 0;
	node->listed = false;
	watch->resync = true;
	return arm(watch, error);
}

void
file_watch_close(struct store_watch *base)
{
	struct file_watch *watch = (struct file_watch *)base;
	size_t i;

	close(watch->inotify);
	for (i = 0; i < watch->count; i++)
		free(watch->nodes[i].key);
	free(watch->nodes);
	free(watch);
}

int
file_watch_descriptor(const struct store_watch *base)
{
	return ((const struct file_watch *)base)->inotify;
}

/* Whether a directory that came or went is one that we follow. */
static bool
concerns(struct file_watch *watch, const struct node *node, const char *name)
{
	char key[STORE_KEY_MAX + 1];
	int length;

	if (node->deep)
		return true;
	length = snprintf(key, sizeof(key), "%s%s%s", node->key,
	    *node->key == '\0' ? "" : "/", name);
	return length > 0 && (size_t)length < sizeof(key) &&
	       find_key(watch, key, (size_t)length) != NULL;
}

static void
take_event(struct file_watch *watch, const struct inotify_event *event,
    void (*fn)(void *argument, const struct store_change *change),
    void *argument)
{
	struct store_change change = {.kind = STORE_CHANGED};
	char key[STORE_KEY_MAX + 1];
	struct node *node;
	int length;

	if (event->mask & IN_Q_OVERFLOW) {
		watch->resync = watch->stale = true;
		return;
	}
	node = find_wd(watch, event->wd);
	if (node == NULL)
		return;
	if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
		if (event->mask & IN_MOVE_SELF)
			inotify_rm_watch(watch->inotify, event->wd);
		node->wd = -1;
		watch->resync = watch->stale = true;
		return;
	}
	/* The kernel's names for files that have none begin with '#'. */
	if (event->len == 0 || event->name[0] == '.' || event->name[0] == '#')
		return;
	if (event->mask & IN_ISDIR) {
		if ((event->mask & (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM |
				       IN_DELETE)) &&
		    concerns(watch, node, event->name))
			watch->resync = watch->stale = true;
		return;
	}
	if (!node->values)
		return;
	length = snprintf(key, sizeof(key), "%s/%s", node->key, event->name);
	if (length < 0 || (size_t)length >= sizeof(key))
		return;
	change.key = key;
	fn(argument, &change);
}

int
file_watch_read(struct store_watch *base,
    void (*fn)(void *argument, const struct store_change *change),
    void *argument, struct svc_error *error)
{
	static const struct store_change resync = {STORE_RESYNC, NULL};
	struct file_watch *watch = (struct file_watch *)base;
	_Alignas(struct inotify_event) char events[EVENTS_SIZE];
	const struct inotify_event *event;
	const char *p;
	ssize_t n;

	while ((n = read(watch->inotify, events, sizeof(events))) > 0) {
		for (p = events; p < events + n;
		     p += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)(const void *)p;
			take_event(watch, event, fn, argument);
		}
	}
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		return svc_error_errno(error, "cannot watch");
	if (watch->stale && arm(watch, error) == -1)
		return -1;
	if (watch->resync) {
		watch->resync = false;
		fn(argument, &resync);
	}
	return 0;
}
