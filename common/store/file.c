#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_batch.h"
#include "store/file_directory.h"
#include "store/file_hold.h"
#include "store/file_lock.h"
#include "store/file_move.h"
#include "store/file_read.h"
#include "store/file_temp.h"
#include "store/file_transfer.h"
#include "store/file_watch.h"
#include "store/file_write.h"

#define VERSION_TEXT "svckit spool "

/* Those that <linux/magic.h> does not have. */
#define CIFS_MAGIC 0xff534d42
#define P9_MAGIC   0x01021997

/* On these a lock, if there is one at all, may be of a process elsewhere. */
static const unsigned long remote_file_systems[] = {NFS_SUPER_MAGIC,
    SMB_SUPER_MAGIC, SMB2_SUPER_MAGIC, CIFS_MAGIC, FUSE_SUPER_MAGIC, P9_MAGIC,
    AFS_SUPER_MAGIC, AFS_FS_MAGIC, CEPH_SUPER_MAGIC, CODA_SUPER_MAGIC,
    NCP_SUPER_MAGIC, OCFS2_SUPER_MAGIC};

static bool
is_local(int directory)
{
	struct statfs fs;
	size_t i;

	if (fstatfs(directory, &fs) == -1)
		return false;
	for (i = 0; i < sizeof(remote_file_systems) / sizeof(unsigned long);
	     i++)
		if (((unsigned long)fs.f_type & 0xffffffff) ==
		    remote_file_systems[i])
			return false;
	return true;
}

static int
parse_version(
    const struct file_store *store, const char *text, struct svc_error *error)
{
	size_t prefix = strlen(VERSION_TEXT);
	unsigned long version;
	char *end;

	if (strncmp(text, VERSION_TEXT, prefix) == 0 && text[prefix] >= '0' &&
	    text[prefix] <= '9') {
		version = strtoul(text + prefix, &end, 10);
		if (strcmp(end, "\n") == 0 && version == FILE_STORE_VERSION)
			return 0;
		if (strcmp(end, "\n") == 0)
			return svc_error_set(error, EX_CONFIG,
			    "%s is a spool of version %lu, and this svckit "
			    "knows version %d",
			    store->path, version, FILE_STORE_VERSION);
	}
	return svc_error_set(error, EX_CONFIG,
	    "%s/version: not the version of a spool: should be '%s%d'",
	    store->path, VERSION_TEXT, FILE_STORE_VERSION);
}

/* 1: it is one that we know; 0: there is none; -1. */
static int
read_version(struct file_store *store, struct svc_error *error)
{
	char text[64];
	struct stat st;
	ssize_t n;
	int fd;

	fd = file_open_read(store->root, "version", &st);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1)
		return svc_error_errno(error, "%s/version", store->path);
	n = S_ISREG(st.st_mode) ? read(fd, text, sizeof(text) - 1) : 0;
	close(fd);
	if (n == -1)
		return svc_error_errno(error, "%s/version", store->path);
	text[n] = '\0';
	if (memchr(text, '\0', (size_t)n) != NULL)
		text[0] = '\0';
	return parse_version(store, text, error) == -1 ? -1 : 1;
}

/*
 * A reader that finds no version file waits for nobody: the first writer makes
 * it, whole, under its name.  Where the caller may not (a system registry that
 * root has not finished), the write itself tells.
 */
int
file_store_begin(struct file_store *store, struct svc_error *error)
{
	struct store_put put = {.key = "version", .lease = STORE_DURABLE};
	struct svc_error failure;
	char text[32];
	int found;

	if (store->version_known)
		return 0;
	found = read_version(store, error);
	if (found == -1)
		return -1;
	if (found == 0) {
		put.value = text;
		put.length = (size_t)snprintf(text, sizeof(text), "%s%d\n",
		    VERSION_TEXT, FILE_STORE_VERSION);
		put.if_absent = true;
		if (file_write(store, &put, NULL, &failure) == -1 &&
		    failure.code != EX_CANTCREAT && failure.code != EX_NOPERM)
			return svc_error_set(error,
			    failure.code == EX_NOINPUT ? EX_CANTCREAT
						       : failure.code,
			    "registry %s: %s", store->path, failure.message);
	}
	store->version_known = true;
	return 0;
}

static void
file_close(struct store *base)
{
	struct file_store *store = (struct file_store *)base;

	if (store->root != -1)
		close(store->root);
	free(store->path);
	free(store);
}

/* The descriptor keeps its number: who has a copy of the old one finds only
 * what was moved away. */
static int
file_reopen(struct store *base, struct svc_error *error)
{
	struct file_store *store = (struct file_store *)base;
	struct file_store found = *store;
	struct stat now, then;
	int status = -1;

	found.root = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (found.root == -1)
		return svc_error_errno(error, "registry %s", store->path);
	if (fstat(found.root, &now) == -1 || fstat(store->root, &then) == -1) {
		svc_error_errno(error, "registry %s", store->path);
		goto out;
	}
	status = 0;
	if (now.st_dev == then.st_dev && now.st_ino == then.st_ino)
		goto out;
	status = read_version(&found, error);
	if (status == -1)
		goto out;
	store->version_known = status == 1;
	store->local = is_local(found.root);
	status = 1;
	if (dup3(found.root, store->root, O_CLOEXEC) == -1)
		status = svc_error_errno(error, "registry %s", store->path);
out:
	close(found.root);
	return status;
}

static bool
file_is_local(const struct store *base)
{
	return ((const struct file_store *)base)->local;
}

static const struct store_operations file_operations = {
    .close = file_close,
    .reopen = file_reopen,
    .is_local = file_is_local,
    .get = file_get,
    .exists = file_exists,
    .list = file_list,
    .directories = file_directories,
    .keys = file_keys,
    .make_directory = file_make_directory,
    .directory_owner = file_directory_owner,
    .put = file_put,
    .batch = file_batch,
    .hold_put = file_hold_put,
    .hold_valid = file_hold_valid,
    .release = file_hold_release,
    .hold_descriptor = file_hold_descriptor,
    .hold_abandon = file_hold_abandon,
    .touch = file_touch,
    .move = file_move,
    .transfers = file_transfers,
    .remove = file_remove,
    .sync = file_sync,
    .watch_open = file_watch_open,
    .watch_add = file_watch_add,
    .watch_close = file_watch_close,
    .watch_descriptor = file_watch_descriptor,
    .watch_read = file_watch_read,
    .guard = file_guard,
    .lock = file_lock_section,
};

int
file_store_open(
    struct store **result, const char *path, struct svc_error *error)
{
	struct file_store *store;
	int found;

	*result = NULL;
	store = calloc(1, sizeof(*store));
	if (store == NULL)
		return svc_error_errno(error, "%s", path);
	store->store.operations = &file_operations;
	store->path = strdup(path);
	/* The user's own path may lead through links; below it none may. */
	store->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->path == NULL || store->root == -1) {
		svc_error_errno(error, "registry %s", path);
		file_close(&store->store);
		return -1;
	}
	store->local = is_local(store->root);
	found = read_version(store, error);
	if (found == -1) {
		file_close(&store->store);
		return -1;
	}
	store->version_known = found == 1;
	*result = &store->store;
	return 0;
}

int
file_store_create(const char *path, struct svc_error *error)
{
	char *copy = strdup(path);
	char *p = copy;
	int status = -1;

	if (copy == NULL)
		return svc_error_errno(error, "%s", path);
	do {
		p += strspn(p, "/");
		p += strcspn(p, "/");
		if (*p == '/')
			*p = '\0';
		else
			p = NULL;
		if (*copy != '\0' && mkdir(copy, 0700) == -1 &&
		    errno != EEXIST) {
			svc_error_errno(
			    error, "registry %s: cannot make %s", path, copy);
			if (error->code != EX_NOPERM && error->code != EX_OSERR)
				error->code = EX_CANTCREAT;
			goto out;
		}
		if (p != NULL)
			*p++ = '/';
	} while (p != NULL && *p != '\0');
	status = 0;
out:
	free(copy);
	return status;
}
