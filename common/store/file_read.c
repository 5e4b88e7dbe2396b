#include "store/file_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_lock.h"

#define READ_FLAGS  (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
#define KEPT_BUFFER (128UL * 1024)

int
file_open_read(int directory, const char *leaf, struct stat *st)
{
	int fd = openat(directory, leaf, READ_FLAGS);
	int saved;

	if (fd == -1 || fstat(fd, st) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

struct store_revision
file_revision(const struct stat *st)
{
	struct store_revision revision;

	revision.part[0] = (uint64_t)st->st_ino ^ ((uint64_t)st->st_size << 40);
	revision.part[1] = (uint64_t)st->st_ctim.tv_sec * 1000000000 +
			   (uint64_t)st->st_ctim.tv_nsec;
	return revision;
}

static int64_t
milliseconds(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

int64_t
file_heartbeat(const struct stat *st)
{
	int64_t modified = milliseconds(&st->st_mtim);
	int64_t changed = milliseconds(&st->st_ctim);

	return modified < changed ? modified : changed;
}

/* Why a file that cannot be opened is passed over; NULL: it is an error. */
static const char *
why_not_open(int code)
{
	switch (code) {
	case ELOOP:
		return "a symbolic link";
	case ENXIO:
	case ENODEV:
	case EISDIR:
		return "not a regular file";
	case EACCES:
	case EPERM:
		return "may not be read";
	default:
		return NULL;
	}
}

/*
 * Reads what is open into buffer.  1; 0 and *why: not a value ("" when it is
 * empty); -1 and errno.
 */
static int
read_value(int fd, const struct stat *st, size_t limit, struct buffer *buffer,
    const char **why)
{
	size_t want = (size_t)st->st_size;
	char *room;
	ssize_t n;

	*why = "not a regular file";
	if (!S_ISREG(st->st_mode))
		return 0;
	*why = "";
	if (want == 0)
		return 0;
	*why = "too large";
	if (want > limit)
		return 0;
	buffer_clear(buffer);
	room = buffer_reserve(buffer, want + 1);
	if (room == NULL) {
		errno = ENOMEM;
		return -1;
	}
	/* Written values never grow: one read gets all, or the file is edited
	 * in place, which is its editor's risk. */
	do
		n = read(fd, room, want);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	*why = "";
	room[n] = '\0';
	buffer->length = (size_t)n;
	return n > 0;
}

static void
fill_entry(struct store_entry *entry, const char *key,
    const struct buffer *value, const struct stat *st, int fd)
{
	entry->key = key;
	entry->value = value->data;
	entry->length = value->length;
	entry->revision = file_revision(st);
	entry->heartbeat = file_heartbeat(st);
	entry->changed = milliseconds(&st->st_ctim);
	entry->owner = st->st_uid;
	entry->held = false;
	entry->descriptor = fd;
}

int
file_get(struct store *base, const char *key, size_t limit,
    struct buffer *scratch, struct store_entry *entry, struct svc_error *error)
{
	struct file_location location;
	const char *why = NULL;
	struct stat st;
	int fd, status;

	status = file_locate(
	    (struct file_store *)base, key, false, &location, error);
	if (status != 1)
		return status;
	fd = file_open_read(location.directory, location.leaf, &st);
	status = -1;
	if (fd != -1)
		status = read_value(fd, &st, limit, scratch, &why);
	else if (errno == ENOENT)
		status = 0;
	else
		why = why_not_open(errno);
	if (why != NULL && *why != '\0' && status != 1)
		status = svc_error_set(error, EX_DATAERR, "%s: %s", key, why);
	else if (status == -1)
		svc_error_errno(error, "%s", key);
	if (status == 1) {
		fill_entry(entry, key, scratch, &st, -1);
		entry->held = file_lock_held(fd);
	}
	if (fd != -1)
		close(fd);
	file_location_release(&location);
	return status;
}

int
file_exists(struct store *base, const char *key, struct svc_error *error)
{
	struct file_location location;
	struct stat st;
	int status;

	status = file_locate(
	    (struct file_store *)base, key, false, &location, error);
	if (status != 1)
		return status;
	if (fstatat(location.directory, location.leaf, &st,
		AT_SYMLINK_NOFOLLOW) == -1)
		status =
		    errno == ENOENT ? 0 : svc_error_errno(error, "%s", key);
	file_location_release(&location);
	return status;
}

/* One listing on its way. */
struct listing {
	const struct store_list *list;
	int directory;
	size_t limit;
	struct buffer value;
	char key[STORE_KEY_MAX + 1];
	char *leaf; /* in key */
	size_t room; /* behind leaf */
};

static bool
ends_with(const char *name, size_t length, const char *suffix)
{
	size_t n = strlen(suffix);

	return length >= n && memcmp(name + length - n, suffix, n) == 0;
}

static void
skip(const struct listing *listing, const char *why)
{
	if (listing->list->skip != NULL)
		listing->list->skip(listing->list->argument, listing->key, why);
}

/* Whether the value need not be read.  What is no value is for the reader to
 * find out. */
static bool
is_unwanted(const struct listing *listing)
{
	static const struct buffer none = BUFFER_INIT;
	struct store_entry entry;
	struct stat st;

	if (listing->list->look == NULL ||
	    fstatat(listing->directory, listing->leaf, &st,
		AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode) || st.st_size == 0)
		return false;
	fill_entry(&entry, listing->key, &none, &st, -1);
	return !listing->list->look(listing->list->argument, &entry);
}

/* A value that vanishes meanwhile was removed: it is passed over in silence. */
static int
list_value(struct listing *listing, struct svc_error *error)
{
	const struct store_list *list = listing->list;
	struct store_entry entry;
	const char *why = NULL;
	struct stat st;
	int status = 0;
	int fd;

	if (is_unwanted(listing))
		return 0;
	fd = file_open_read(listing->directory, listing->leaf, &st);
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 && (why = why_not_open(errno)) == NULL)
		return svc_error_errno(error, "%s", listing->key);
	if (fd != -1)
		status =
		    read_value(fd, &st, listing->limit, &listing->value, &why);
	if (status == -1)
		svc_error_errno(error, "%s", listing->key);
	else if (status == 0 && *why != '\0')
		skip(listing, why);
	if (status == 1) {
		fill_entry(&entry, listing->key, &listing->value, &st, fd);
		status = list->entry(list->argument, &entry, error);
	}
	if (fd != -1)
		close(fd);
	buffer_trim(&listing->value, KEPT_BUFFER);
	return status;
}

/* Names that begin with a dot are nobody's business: temporary files. */
static int
list_name(struct listing *listing, const char *name, struct svc_error *error)
{
	const struct store_list *list = listing->list;
	size_t length = strlen(name);

	if (*name == '.' || length >= listing->room)
		return 0;
	memcpy(listing->leaf, name, length + 1);
	if (list->mark_suffix != NULL &&
	    ends_with(name, length, list->mark_suffix))
		return list->mark(list->argument, listing->key, error);
	if (!ends_with(name, length, list->suffix))
		return 0;
	return list_value(listing, error);
}

static int
list_all(struct listing *listing, DIR *stream, struct svc_error *error)
{
	struct dirent *entry;
	int status = 0;

	while (status == 0 && (errno = 0, entry = readdir(stream)) != NULL)
		status = list_name(listing, entry->d_name, error);
	if (status == 0 && entry == NULL && errno != 0)
		status = svc_error_errno(error, "%s", listing->list->directory);
	return status;
}

/*
 * Keeps each name of the stream with the probability sample / names seen
 * (Vitter's algorithm R), then lists those.
 */
static int
list_sample(struct listing *listing, DIR *stream, struct svc_error *error)
{
	size_t room = listing->list->sample;
	char(*names)[NAME_MAX + 1];
	struct dirent *entry;
	size_t seen = 0;
	size_t slot, i;
	int status = 0;

	names = calloc(room, sizeof(*names));
	if (names == NULL)
		return svc_error_errno(error, "%s", listing->list->directory);
	while ((entry = readdir(stream)) != NULL) {
		slot = seen++;
		if (slot >= room)
			slot = arc4random_uniform((uint32_t)seen);
		if (slot < room)
			memcpy(names[slot], entry->d_name,
			    strlen(entry->d_name) + 1);
	}
	for (i = 0; i < room && i < seen && status == 0; i++)
		status = list_name(listing, names[i], error);
	free(names);
	return status;
}

int
file_list(
    struct store *base, const struct store_list *list, struct svc_error *error)
{
	struct listing listing = {.list = list, .value = BUFFER_INIT};
	DIR *stream;
	int status, length;

	status = file_directory_open((struct file_store *)base, list->directory,
	    false, &listing.directory, error);
	if (status != 1)
		return status;
	stream = fdopendir(listing.directory);
	if (stream == NULL) {
		close(listing.directory);
		return svc_error_errno(error, "%s", list->directory);
	}
	length =
	    snprintf(listing.key, sizeof(listing.key), "%s/", list->directory);
	listing.leaf = listing.key + length;
	listing.room = sizeof(listing.key) - (size_t)length;
	listing.limit = list->limit == 0 ? STORE_VALUE_MAX : list->limit;
	if (list->sample == 0)
		status = list_all(&listing, stream, error);
	else
		status = list_sample(&listing, stream, error);
	buffer_release(&listing.value);
	closedir(stream);
	return status;
}
