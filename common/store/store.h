/*
 * A registry's storage: eight operations on keys.
 *
 * Keys are relative paths ("services/render/web1.json") of components that
 * begin with a letter or digit and consist of letters, digits and "._@-";
 * anything else is EX_USAGE and never reaches the disk.  The file store
 * (store/file.h) is compiled in; other stores implement the same table
 * (store/backend.h).
 *
 * The file store writes a temporary file in the same directory, fsyncs it where
 * durability was asked, renames it and fsyncs the directory; readers take no
 * lock and never see half a value.  svc-spool(5) describes files and leases.
 *
 * Calling sequence:
 *
 *	if (store_open(&store, "/var/spool/svckit", &error) == -1)
 *		...
 *	put.key = "services/render/web1.json";
 *	put.value = record, put.length = length;
 *	if (store_put(store, &put, NULL, &error) == -1)
 *		...
 *	store_close(store);
 */
#ifndef SVCKIT_STORE_STORE_H
#define SVCKIT_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "line/buffer.h"
#include "line/error.h"

#define STORE_VALUE_MAX (20UL * 1024 * 1024)
#define STORE_KEY_MAX	1024

/* A store must outlive what was opened in it. */
struct store;
struct store_hold; /* a lock lease that this process holds */
struct store_watch; /* a subscription */

/*
 * Changes whenever the value or its heartbeat does (of two heartbeats within
 * one tick of the kernel's clock, 4 ms, only once).
 */
struct store_revision {
	uint64_t part[2];
};

struct store_entry {
	const char *key; /* the whole key; valid during the call */
	const char *value; /* length bytes, NUL behind them; the same */
	size_t length;
	struct store_revision revision;
	int64_t heartbeat; /* ms since 1970: min(mtime, ctime) */
	int64_t changed; /* the same: when it was last written or moved */
	uid_t owner;
	bool held; /* store_get(): somebody holds its lock lease */
	int descriptor; /* private to the store */
};

enum store_lease { STORE_DURABLE, STORE_SOFT, STORE_LOCK };

struct store_put {
	const char *key;
	const char *value;
	size_t length; /* 0: a marker, which only store_exists() and mark see */
	/*
	 * Or NULL: a second key that gets the same value.  key says whether it
	 * may: with if_absent, which this needs, also is made only where key
	 * was, and never replaced.  Where it exists key is not made, either:
	 * EX_TEMPFAIL.  Who dies between both leaves key alone: store_guard()
	 * says who may look for also then.  Not for STORE_LOCK, nor a marker.
	 */
	const char *also;
	enum store_lease lease; /* STORE_DURABLE is on disk when put returns */
	bool if_absent; /* EX_CANTCREAT when the key exists */
	const struct store_revision *if_revision; /* or NULL; EX_TEMPFAIL */
	const uid_t
	    *if_owner; /* or NULL: replace only this user's: EX_NOPERM */
	bool replaced; /* out: a value stood there before */
	struct svc_error error; /* out, of a batch: code 0 when it was stored */
};

/*
 * Opens the store at place: a directory, which must exist (EX_NOINPUT).  Its
 * version file is checked, and made by the first write: a newer one, or one
 * that is none, is EX_CONFIG.  A place with a scheme that no store is built in
 * for ("etcd://") is EX_UNAVAILABLE.
 */
int store_open(
    struct store **store, const char *place, struct svc_error *error);
void store_close(struct store *store);

/*
 * Makes sure that the store's place still leads to what was opened.  0: it
 * does; 1: another one stands there, which is read and written from here on
 * (watches must be opened anew); -1: nothing stands there (EX_NOINPUT), or no
 * store, and what was opened stays.
 */
int store_reopen(struct store *store, struct svc_error *error);

/* Makes the directory of a file store, 0700, and its parents. */
int store_create(const char *place, struct svc_error *error);

/* Whether locks tell of processes here: false on network file systems. */
bool store_is_local(const struct store *store);

/*
 * The value of key, if it has at most limit bytes (EX_DATAERR), copied into
 * scratch, which *entry points into.  1; 0: absent or empty; -1: also for a
 * hostile file (EX_DATAERR).
 */
int store_get(struct store *store, const char *key, size_t limit,
    struct buffer *scratch, struct store_entry *entry, struct svc_error *error);

/* Whether key exists, be it empty: 1, 0, -1. */
int store_exists(struct store *store, const char *key, struct svc_error *error);

/*
 * Lists the values directly under directory.  One that does not exist lists
 * nothing.  entry and mark stop the list with -1.
 */
typedef int (*store_entry_fn)(
    void *argument, const struct store_entry *entry, struct svc_error *error);
typedef int (*store_mark_fn)(
    void *argument, const char *key, struct svc_error *error);
typedef bool (*store_look_fn)(void *argument, const struct store_entry *entry);
typedef void (*store_skip_fn)(void *argument, const char *key, const char *why);
struct store_list {
	const char *directory;
	const char *suffix; /* entry gets keys that end so; "" for all */
	size_t limit; /* of a value; 0: STORE_VALUE_MAX */
	size_t sample; /* 0: all; else at most so many, chosen at random */
	store_look_fn look; /* or NULL: asked first, with all but the value,
			       whether entry is to be told */
	store_entry_fn entry; /* in no order */
	const char
	    *mark_suffix; /* or NULL: keys that end so are told by name */
	store_mark_fn mark;
	store_skip_fn skip; /* or NULL: told of hostile files, and why */
	void *argument; /* of all of them */
};
int store_list(struct store *store, const struct store_list *list,
    struct svc_error *error);

/*
 * Tells the keys directly under directory, without a look at their values: in
 * no order, each once, those that come and go meanwhile or not.  Names that are
 * no keys are not told.  fn stops it with -1.
 */
int store_keys(struct store *store, const char *directory, store_mark_fn fn,
    void *argument, struct svc_error *error);

/* Whether the lock lease of the entry that a callback was given is held. */
bool store_entry_held(const struct store_entry *entry);

/* The names of the directories directly under directory, in no order. */
int store_directories(struct store *store, const char *directory,
    int (*fn)(void *argument, const char *name, struct svc_error *error),
    void *argument, struct svc_error *error);

/*
 * Makes a directory with this mode (the umask does not count) and owner (-1:
 * the caller).  1: made; 0: it exists, and was given owner and mode if uid or
 * gid is not -1; -1.
 */
int store_make_directory(struct store *store, const char *directory, uid_t uid,
    gid_t gid, mode_t mode, struct svc_error *error);

/* Who owns a directory, or (directory "") the whole store: 1, 0, -1. */
int store_directory_owner(struct store *store, const char *directory,
    uid_t *owner, struct svc_error *error);

/*
 * Writes a value.  With STORE_LOCK *hold receives the lock, which lives until
 * store_release() or the death of every process that has its descriptor (it is
 * close-on-exec).  A value whose lock another process holds is never replaced:
 * EX_TEMPFAIL.  hold is NULL for the other leases.
 */
int store_put(struct store *store, struct store_put *put,
    struct store_hold **hold, struct svc_error *error);

/*
 * Many values with few syncs, which several threads wait for; each put's error
 * tells of itself.  -1 when any failed: error is that of the first.  STORE_LOCK
 * is refused.
 */
int store_batch(struct store *store, struct store_put *puts, size_t count,
    struct svc_error *error);

/*
 * Replaces the value under a lock that this process holds, which stays held.
 * EX_TEMPFAIL when the key was removed or is another's by now.
 */
int store_hold_put(struct store_hold *hold, const char *value, size_t length,
    struct svc_error *error);
/* Whether the key still leads to the value that is held: 1, 0, -1. */
int store_hold_valid(struct store_hold *hold, struct svc_error *error);
/* What the lock lives with, for a child that is to hold it, too; the hold's. */
int store_hold_descriptor(const struct store_hold *hold);
/* Lets go: removes the value if it is still ours, then the lock; frees hold. */
int store_release(struct store_hold *hold, struct svc_error *error);
/* Frees hold and lets go of the descriptor alone: what a forked child does. */
void store_hold_abandon(struct store_hold *hold);

/* A heartbeat: 1; 0: no such key; -1. */
int store_touch(struct store *store, const char *key, struct svc_error *error);

/*
 * Moves source to target, which must not exist (EX_CANTCREAT); 0 when source is
 * gone, 1 when moved.  With a value (not NULL) it is replaced on the way,
 * durably; a crash in between leaves the new value under source.  Of several
 * who move source with a value one is told 1, and his value is target's.
 */
int store_move(struct store *store, const char *source, const char *target,
    const char *value, size_t length, struct svc_error *error);

/*
 * Many moves with values, each as store_move() does it, with few syncs, as
 * store_batch().  -1 when any failed: error is that of the first.
 */
struct store_transfer {
	const char *source;
	const char *target;
	const char *value;
	size_t length;
	int moved; /* out: 1; 0: source is gone; -1: error says why */
	bool unsynced; /* out, of -1: a sync failed, which is final */
	struct svc_error error; /* out */
};
int store_transfers(struct store *store, struct store_transfer *transfers,
    size_t count, struct svc_error *error);

/*
 * 1: deleted; 0: no such key; -1.  With if_revision another revision, and with
 * it or dead_only a key whose lock lease is held, is not deleted: 0.  Not
 * durable: store_sync() makes it so.
 */
int store_delete(struct store *store, const char *key,
    const struct store_revision *if_revision, bool dead_only,
    struct svc_error *error);

/* Makes what was deleted and moved under directory durable. */
int store_sync(
    struct store *store, const char *directory, struct svc_error *error);

/*
 * Follows the values directly under directory (or, with "services", the
 * directories under it and their values); store_watch_add() follows one more.
 * They need not exist yet.  Level-triggered: a change says "look again", never
 * what is true.  Read once right after opening, then whenever the descriptor is
 * readable.
 */
enum store_change_kind {
	STORE_CHANGED, /* key was written, touched, removed or let go */
	STORE_RESYNC /* anything in the directory key may have changed */
};
struct store_change {
	enum store_change_kind kind;
	/*
	 * Valid during the call.  Of STORE_RESYNC: a directory that came or
	 * went, be it one on the way to those followed ("services"): list again
	 * what is in and below it; NULL: list all.
	 */
	const char *key;
	/*
	 * Of STORE_RESYNC: something may have come and gone untold (events were
	 * dropped; a directory was moved away with what was in it).
	 */
	bool lost;
};
int store_watch_open(struct store *store, const char *directory,
    struct store_watch **watch, struct svc_error *error);
int store_watch_add(
    struct store_watch *watch, const char *directory, struct svc_error *error);
void store_watch_close(struct store_watch *watch);
/* Readable when store_watch_read() has something to tell. */
int store_watch_descriptor(const struct store_watch *watch);
/* Tells all that is there, without blocking; the first time STORE_RESYNC. */
int store_watch_read(struct store_watch *watch,
    void (*fn)(void *argument, const struct store_change *change),
    void *argument, struct svc_error *error);

/*
 * Keeps others who ask for the same away from key's value, which must exist, be
 * it empty, until the descriptor, which is close-on-exec, is closed: 1; 0: no
 * such key; -1.  Blocks.  Nothing else waits for it: the value may be replaced
 * and removed meanwhile.  Who makes it with store_put.also has it until both
 * keys are there and, if they are to be, on disk, or he is dead: what a dead
 * one had not synced store_sync() of both directories makes durable.
 */
int store_guard(struct store *store, const char *key, int *descriptor,
    struct svc_error *error);

/*
 * A lock for a critical section of cooperating processes (round-robin cursors):
 * returns a descriptor to close(2), or -1.  Blocks.
 */
int store_lock(struct store *store, const char *key, struct svc_error *error);

#endif
