/*
 * What a store implements: one table of operations.
 *
 * store.c checks keys and values and calls the table; the contracts are those
 * of store.h.  keys may tell names that are no keys.  batch and transfers find
 * error.code 0 in each item that they have to do, and return -1 for what failed
 * for all.  A backend embeds struct store (and struct store_hold, struct
 * store_watch) as the first member of its own.
 */
#ifndef SVCKIT_STORE_BACKEND_H
#define SVCKIT_STORE_BACKEND_H

#include "store/store.h"

struct store_operations {
	void (*close)(struct store *store);
	int (*reopen)(struct store *store, struct svc_error *error);
	bool (*is_local)(const struct store *store);
	int (*get)(struct store *store, const char *key, size_t limit,
	    struct buffer *scratch, struct store_entry *entry,
	    struct svc_error *error);
	int (*exists)(
	    struct store *store, const char *key, struct svc_error *error);
	int (*list)(struct store *store, const struct store_list *list,
	    struct svc_error *error);
	int (*directories)(struct store *store, const char *directory,
	    int (*fn)(
		void *argument, const char *name, struct svc_error *error),
	    void *argument, struct svc_error *error);
	int (*keys)(struct store *store, const char *directory,
	    store_mark_fn fn, void *argument, struct svc_error *error);
	int (*make_directory)(struct store *store, const char *directory,
	    uid_t uid, gid_t gid, mode_t mode, struct svc_error *error);
	int (*directory_owner)(struct store *store, const char *directory,
	    uid_t *owner, struct svc_error *error);
	int (*put)(struct store *store, struct store_put *put,
	    struct store_hold **hold, struct svc_error *error);
	int (*batch)(struct store *store, struct store_put *puts, size_t count,
	    struct svc_error *error);
	int (*hold_put)(struct store_hold *hold, const char *value,
	    size_t length, struct svc_error *error);
	int (*hold_valid)(struct store_hold *hold, struct svc_error *error);
	int (*release)(struct store_hold *hold, struct svc_error *error);
	int (*hold_descriptor)(const struct store_hold *hold);
	void (*hold_abandon)(struct store_hold *hold);
	int (*touch)(
	    struct store *store, const char *key, struct svc_error *error);
	int (*move)(struct store *store, const char *source, const char *target,
	    const char *value, size_t length, struct svc_error *error);
	int (*transfers)(struct store *store, struct store_transfer *transfers,
	    size_t count, struct svc_error *error);
	int (*remove)(struct store *store, const char *key,
	    const struct store_revision *if_revision, bool dead_only,
	    struct svc_error *error);
	int (*sync)(struct store *store, const char *directory,
	    struct svc_error *error);
	int (*watch_open)(struct store *store, struct store_watch **watch,
	    struct svc_error *error);
	int (*watch_add)(struct store_watch *watch, const char *directory,
	    struct svc_error *error);
	void (*watch_close)(struct store_watch *watch);
	int (*watch_descriptor)(const struct store_watch *watch);
	int (*watch_read)(struct store_watch *watch,
	    void (*fn)(void *argument, const struct store_change *change),
	    void *argument, struct svc_error *error);
	int (*guard)(struct store *store, const char *key, int *descriptor,
	    struct svc_error *error);
	int (*lock)(
	    struct store *store, const char *key, struct svc_error *error);
};

struct store {
	const struct store_operations *operations;
};

struct store_hold {
	struct store *store;
};

struct store_watch {
	struct store *store;
};

#endif
