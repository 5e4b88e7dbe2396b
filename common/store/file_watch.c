#include "store/file_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_watch_set.h"

#define EVENTS_SIZE (64 * 1024)
/* So many reads take all that the kernel's queue can hold by default; who
 * writes faster than we read is read on the next call. */
#define READS_MAX 32

/* A lease that ends is IN_CLOSE_WRITE: its holder had the file open to write.
 */
#define VALUE_EVENTS                                                     \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |           \
	    IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | \
	    IN_ONLYDIR)

struct file_watch {
	struct store_watch watch;
	int inotify;
	struct watch_set set;
	bool resync; /* of all, to be told */
	bool overflowed;
};

/* Whom a read tells. */
struct listener {
	void (*fn)(void *argument, const struct store_change *change);
	void *argument;
};

/* Through /proc, since inotify takes paths and the way there has been checked.
 * 1 and *wd; 0: it does not exist; -1. */
static int
watch_directory(struct file_watch *watch, const struct watch_node *node,
    int *wd, struct svc_error *error)
{
	char path[64];
	int descriptor, status;

	*wd = -1;
	status = file_directory_open((struct file_store *)watch->watch.store,
	    node->key, false, &descriptor, error);
	if (status != 1)
		return status;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	*wd = inotify_add_watch(watch->inotify, path, VALUE_EVENTS);
	if (*wd == -1 && errno == ENOSPC)
		status = svc_error_errno(error,
		    "cannot watch '%s' (fs.inotify.max_user_watches?)",
		    node->key);
	else if (*wd == -1)
		status = svc_error_errno(error, "cannot watch '%s'", node->key);
	close(descriptor);
	return status;
}

/* A directory of somebody else's that may not be looked into is none to us. */
static bool
is_hostile(const struct watch_node *node, const struct svc_error *error)
{
	return node->listed &&
	       (error->code == EX_DATAERR || error->code == EX_NOPERM);
}

/* Watches what the node's key leads to, and that alone.  1; 0: nothing; -1. */
static int
arm_node(
    struct file_watch *watch, struct watch_node *node, struct svc_error *error)
{
	struct svc_error why;
	int old = node->wd, wd, status;

	status = watch_directory(watch, node, &wd, &why);
	if (status == -1 && !is_hostile(node, &why)) {
		if (error != NULL)
			*error = why;
		return -1;
	}
	if (watch_set_wd(&watch->set, node, wd) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	/* It fails where the kernel has done it by itself. */
	if (old != -1 && wd != old)
		(void)inotify_rm_watch(watch->inotify, old);
	return wd != -1;
}

struct child_list {
	struct file_watch *watch;
	const char *parent;
};

/* The node of a directory below a deep one.  1; 0: it can have none; -1. */
static int
add_child(struct file_watch *watch, const char *parent, const char *name,
    struct watch_node **node, struct svc_error *error)
{
	char key[STORE_KEY_MAX + 1];
	int length = snprintf(key, sizeof(key), "%s/%s", parent, name);

	if (length < 0 || (size_t)length >= sizeof(key))
		return 0;
	*node = watch_set_find(&watch->set, key);
	if (*node != NULL)
		return 1;
	*node = watch_set_add(&watch->set, key);
	if (*node == NULL)
		return svc_error_errno(error, "cannot watch %s", key);
	(*node)->values = (*node)->listed = true;
	return 1;
}

static int
add_listed(void *argument, const char *name, struct svc_error *error)
{
	struct child_list *children = argument;
	struct watch_node *node;

	return add_child(
		   children->watch, children->parent, name, &node, error) == -1
		   ? -1
		   : 0;
}

static bool
is_below(const char *key, const char *directory)
{
	size_t length = strlen(directory);

	return length == 0 || (strncmp(key, directory, length) == 0 &&
				  (key[length] == '/' || key[length] == '\0'));
}

/*
 * Watches all that exists of what is followed at and below directory.  A
 * directory made while this runs is an event of its parent, which is watched
 * before its children are listed.
 */
static int
arm_below(
    struct file_watch *watch, const char *directory, struct svc_error *error)
{
	struct child_list children = {.watch = watch};
	struct watch_node *node, *next;
	int status;

	for (node = TAILQ_FIRST(&watch->set.nodes); node != NULL; node = next) {
		status = is_below(node->key, directory)
			     ? arm_node(watch, node, error)
			     : -2;
		if (status == -1)
			return -1;
		children.parent = node->key;
		if (status == 1 && node->deep &&
		    file_directories(watch->watch.store, node->key, add_listed,
			&children, error) == -1)
			return -1;
		/* Children are behind their parents, new ones last. */
		next = TAILQ_NEXT(node, link);
		if (status == 0 && node->listed)
			watch_set_drop(&watch->set, node);
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
	watch_set_init(&watch->set);
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

/* The directories on the way, and that one. */
int
file_watch_add(
    struct store_watch *base, const char *directory, struct svc_error *error)
{
	struct file_watch *watch = (struct file_watch *)base;
	char key[STORE_KEY_MAX + 1];
	struct watch_node *node = watch_set_find(&watch->set, "");
	bool first = node == NULL;
	size_t length;

	if (first)
		node = watch_set_add(&watch->set, "");
	if (node == NULL || (first && arm_node(watch, node, error) == -1))
		goto fail;
	for (length = 1; length <= strlen(directory); length++) {
		if (directory[length] != '/' && directory[length] != '\0')
			continue;
		memcpy(key, directory, length);
		key[length] = '\0';
		node = watch_set_add(&watch->set, key);
		if (node == NULL)
			goto fail;
		node->listed = false;
	}
	node->values = true;
	node->deep = strcmp(directory, "services") == 0;
	watch->resync = true;
	memcpy(key, directory, strcspn(directory, "/"));
	key[strcspn(directory, "/")] = '\0';
	return arm_below(watch, key, error);
fail:
	return node != NULL
		   ? -1
		   : svc_error_errno(error, "cannot watch %s", directory);
}

void
file_watch_close(struct store_watch *base)
{
	struct file_watch *watch = (struct file_watch *)base;

	close(watch->inotify);
	watch_set_release(&watch->set);
	free(watch);
}

int
file_watch_descriptor(const struct store_watch *base)
{
	return ((const struct file_watch *)base)->inotify;
}

/* A directory came or went in one that is watched. */
static int
take_directory(struct file_watch *watch, const struct watch_node *parent,
    const struct inotify_event *event, struct svc_error *error)
{
	struct watch_node *node;
	char key[STORE_KEY_MAX + 1];
	int length;

	if (!(event->mask &
		(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)))
		return 0;
	if (parent->deep) {
		switch (
		    add_child(watch, parent->key, event->name, &node, error)) {
		case -1:
			return -1;
		case 0:
			return 0;
		}
	} else {
		length = snprintf(key, sizeof(key), "%s%s%s", parent->key,
		    *parent->key == '\0' ? "" : "/", event->name);
		if (length < 0 || (size_t)length >= sizeof(key))
			return 0;
		node = watch_set_find(&watch->set, key);
		if (node == NULL)
			return 0;
	}
	watch_set_turn(&watch->set, node, (event->mask & IN_MOVED_FROM) != 0);
	return 0;
}

static int
take_event(struct file_watch *watch, const struct inotify_event *event,
    const struct listener *listener, struct svc_error *error)
{
	struct store_change change = {.kind = STORE_CHANGED};
	char key[STORE_KEY_MAX + 1];
	struct watch_node *node;
	int length;

	if (event->mask & IN_Q_OVERFLOW) {
		watch->overflowed = true;
		return 0;
	}
	node = watch_set_find_wd(&watch->set, event->wd);
	if (node == NULL)
		return 0;
	if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
		/* What stood in a service's own directory was removed from it
		 * before it could be; the others are never removed for show. */
		watch_set_turn(&watch->set, node,
		    !node->listed || (event->mask & IN_MOVE_SELF) != 0);
		if (event->mask & IN_IGNORED)
			return watch_set_wd(&watch->set, node, -1);
		return 0;
	}
	/* The kernel's names for files that have none begin with '#'. */
	if (event->len == 0 || event->name[0] == '.' || event->name[0] == '#')
		return 0;
	if (event->mask & IN_ISDIR)
		return take_directory(watch, node, event, error);
	if (!node->values)
		return 0;
	length = snprintf(key, sizeof(key), "%s/%s", node->key, event->name);
	if (length < 0 || (size_t)length >= sizeof(key))
		return 0;
	change.key = key;
	listener->fn(listener->argument, &change);
	return 0;
}

static int
take_events(struct file_watch *watch, const struct listener *listener,
    struct svc_error *error)
{
	_Alignas(struct inotify_event) char events[EVENTS_SIZE];
	const struct inotify_event *event;
	const char *p;
	ssize_t n = 0;
	int reads;

	for (reads = 0; reads < READS_MAX; reads++) {
		n = read(watch->inotify, events, sizeof(events));
		if (n <= 0)
			break;
		for (p = events; p < events + n;
		     p += sizeof(*event) + event->len) {
			event = (const struct inotify_event *)(const void *)p;
			if (take_event(watch, event, listener, error) == -1)
				return -1;
		}
	}
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		return svc_error_errno(error, "cannot watch");
	return 0;
}

/* Watches what came, lets go of what went, and tells of both. */
static int
settle(struct file_watch *watch, struct watch_node *node,
    const struct listener *listener, struct svc_error *error)
{
	struct store_change change = {.kind = STORE_RESYNC, .lost = node->lost};
	char key[STORE_KEY_MAX + 1];
	int status;

	snprintf(key, sizeof(key), "%s", node->key);
	change.key = *key == '\0' ? NULL : key;
	if (!node->listed)
		status = arm_below(watch, key, error);
	else if ((status = arm_node(watch, node, error)) == 0)
		watch_set_drop(&watch->set, node);
	if (status == -1) {
		/* The next call tries again. */
		watch->resync = watch->overflowed = true;
		return -1;
	}
	listener->fn(listener->argument, &change);
	return 0;
}

int
file_watch_read(struct store_watch *base,
    void (*fn)(void *argument, const struct store_change *change),
    void *argument, struct svc_error *error)
{
	struct store_change all = {.kind = STORE_RESYNC};
	struct file_watch *watch = (struct file_watch *)base;
	const struct listener listener = {fn, argument};
	struct watch_node *node;

	if (take_events(watch, &listener, error) == -1)
		return -1;
	if (watch->overflowed) {
		while (watch_set_next_turned(&watch->set) != NULL)
			continue;
		if (arm_below(watch, "", error) == -1)
			return -1;
		watch->resync = all.lost = true;
	}
	while ((node = watch_set_next_turned(&watch->set)) != NULL)
		if (settle(watch, node, &listener, error) == -1)
			return -1;
	if (watch->resync) {
		watch->resync = watch->overflowed = false;
		fn(argument, &all);
	}
	return 0;
}
