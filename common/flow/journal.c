#include "flow/journal.h"

#include <errno.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/journal_file.h"
#include "flow/journal_index.h"
#include "flow/journal_line.h"
#include "flow/journal_read.h"
#include "flow/journal_sync.h"

/* Memory that is kept for the next lines. */
#define WAITING_KEPT (256UL * 1024)
/* The kernel writes no more than 2 GiB at once. */
#define LENGTH_MAX (1UL << 30)

struct journal {
	struct journal_file file;
	struct journal_index index;
	struct journal_sync *sync;
	struct buffer waiting; /* lines that are not written */
	int64_t written; /* where the first of them will be */
	size_t lines; /* of waiting */
	bool failed; /* for ever; waiting is then kept for journal_get() */
	struct svc_error failure;
};

static int
fail(struct journal *journal, struct svc_error *error)
{
	journal->failed = true;
	if (error != NULL)
		*error = journal->failure;
	return -1;
}

/* number: errno of a sync that failed, or 0. */
static int
check(struct journal *journal, int number, struct svc_error *error)
{
	if (!journal->failed && number == 0)
		return 0;
	if (!journal->failed) {
		errno = number;
		journal_file_fail(
		    &journal->file, "cannot be synced", &journal->failure);
	}
	return fail(journal, error);
}

static int
refuse_lines(const struct journal *journal, struct svc_error *error)
{
	return svc_error_set(error, EX_CANTCREAT,
	    "%s: the journal of an earlier run: go on with it (--resume), or "
	    "remove it",
	    journal->file.path);
}

/* Reads what there is; the file then ends with a whole line. */
static int
take_over(struct journal *journal, const struct journal_options *options,
    struct svc_error *error)
{
	int more = journal_file_begin(&journal->file, error);

	if (more == 0 || more == -1)
		return more;
	if (!options->resume)
		return refuse_lines(journal, error);
	if (journal_read(&journal->file, &journal->index, options, error) == -1)
		return -1;
	return journal_file_cut(&journal->file, error);
}

static void
warn_unlocked(
    const struct journal *journal, const struct journal_options *options)
{
	struct svc_error message;

	if (options->warn == NULL)
		return;
	svc_error_set(&message, EX_OK,
	    "%s: cannot be locked on this file system: see that no other run "
	    "uses it",
	    journal->file.path);
	options->warn(options->argument, message.message);
}

int
journal_open(struct journal **result, const struct journal_options *options,
    struct svc_error *error)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int locked;

	*result = NULL;
	if (journal == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	locked = journal_file_open(&journal->file, options->path, error);
	if (locked == -1) {
		free(journal);
		return -1;
	}
	if (locked == 0)
		warn_unlocked(journal, options);
	journal_index_init(&journal->index);
	buffer_init(&journal->waiting);
	if (take_over(journal, options, error) == -1 ||
	    journal_sync_open(&journal->sync, journal->file.descriptor,
		options->sync, error) == -1) {
		(void)journal_close(journal, NULL);
		return -1;
	}
	journal->written = journal->file.size;
	*result = journal;
	return 0;
}

int
journal_close(struct journal *journal, struct svc_error *error)
{
	int result = 0;

	if (journal == NULL)
		return 0;
	if (journal->sync != NULL)
		result = journal_flush(journal, error);
	/* Also after a failed write: what came before it is to stay. */
	if (check(journal, journal_sync_close(journal->sync), error) == -1)
		result = -1;
	if (journal_file_close(&journal->file, result == 0 ? error : NULL) ==
	    -1)
		result = -1;
	journal_index_release(&journal->index);
	buffer_release(&journal->waiting);
	free(journal);
	return result;
}

static void
hash_member(SHA2_CTX *context, const char *tag, const struct json_value *value)
{
	if (value->span.data == NULL)
		return;
	SHA256Update(context, (const uint8_t *)"", 1);
	SHA256Update(context, (const uint8_t *)tag, strlen(tag));
	SHA256Update(
	    context, (const uint8_t *)value->span.data, value->span.length);
}

void
journal_hash(const struct envelope *envelope, unsigned char hash[JOURNAL_HASH])
{
	static const struct json_value nothing = {{"", 0}, JSON_NULL, false};
	const struct json_value *members = envelope->members;
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)envelope->task.span.data,
	    envelope->task.span.length);
	hash_member(&context, "", &members[MEMBER_BIND]);
	if (envelope->base64)
		hash_member(&context, "encoding", &nothing);
	if (members[MEMBER_ID].span.data == NULL) {
		hash_member(&context, "service=", &members[MEMBER_SERVICE]);
		hash_member(&context, "instance=", &members[MEMBER_INSTANCE]);
	}
	SHA256Final(hash, &context);
}

int
journal_find(struct journal *journal, const char *id,
    const unsigned char hash[JOURNAL_HASH], struct journal_entry *entry)
{
	return journal_index_find(&journal->index, id, hash, entry);
}

int
journal_append(struct journal *journal, const char *line, size_t length,
    const unsigned char hash[JOURNAL_HASH], bool made, struct line_place *place,
    struct svc_error *error)
{
	struct buffer *waiting = &journal->waiting;
	size_t before = waiting->length;

	if (length < LENGTH_MAX)
		journal_line_append(waiting, line, length, hash, made);
	else
		waiting->failed = true;
	if (buffer_failed(waiting)) {
		/* What it has is whole, and can still be written. */
		waiting->failed = false;
		return svc_error_set(
		    error, EX_OSERR, "%s: out of memory", journal->file.path);
	}
	journal->lines++;
	place->offset = journal->written + (int64_t)before;
	place->length = waiting->length - before;
	return 0;
}

int
journal_flush(struct journal *journal, struct svc_error *error)
{
	struct buffer *waiting = &journal->waiting;

	if (check(journal, journal_sync_failure(journal->sync), error) == -1)
		return -1;
	if (waiting->length == 0)
		return 0;
	journal->failed = journal_file_append(&journal->file, waiting->data,
			      waiting->length, &journal->failure) == -1;
	/* Of what could not be written, too, some may be there. */
	if (check(journal, journal_sync_wrote(journal->sync, journal->lines),
		error) == -1)
		return -1;
	journal->written = journal->file.size;
	journal->lines = 0;
	buffer_trim(waiting, WAITING_KEPT);
	return 0;
}

bool
journal_behind(const struct journal *journal)
{
	return journal_sync_behind(journal->sync);
}

int
journal_descriptor(const struct journal *journal)
{
	return journal_sync_descriptor(journal->sync);
}

int
journal_check(struct journal *journal, struct svc_error *error)
{
	return check(journal, journal_sync_check(journal->sync), error);
}

/* The line at place, as it is in the file, or will be. */
static int
get_line(const struct journal *journal, const struct line_place *place,
    struct buffer *store, const char **line, struct svc_error *error)
{
	char *room;

	if (place->offset >= journal->written) {
		*line = journal->waiting.data +
			(size_t)(place->offset - journal->written);
		return 0;
	}
	room = buffer_reserve(store, place->length);
	if (room == NULL)
		return svc_error_set(
		    error, EX_OSERR, "%s: out of memory", journal->file.path);
	*line = room;
	return journal_file_get(
	    &journal->file, place->offset, room, place->length, error);
}

int
journal_get(struct journal *journal, const struct line_place *place,
    struct buffer *out, struct svc_error *error)
{
	struct buffer store = BUFFER_INIT;
	const char *line = NULL;
	int result;

	result = get_line(journal, place, &store, &line, error);
	if (result == 0 && journal_line_strip(out, line, place->length) == -1)
		result = svc_error_set(error, EX_IOERR,
		    "%s: byte %lld: changed by another program",
		    journal->file.path, (long long)place->offset);
	if (result == 0 && buffer_failed(out))
		result = svc_error_set(
		    error, EX_OSERR, "%s: out of memory", journal->file.path);
	buffer_release(&store);
	return result;
}

size_t
journal_count(const struct journal *journal)
{
	return journal_index_count(&journal->index);
}
