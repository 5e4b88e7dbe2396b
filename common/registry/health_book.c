#include "registry/health_book.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/json.h"
#include "line/text.h"
#include "registry/handle.h"

struct health_book {
	struct registry *registry;
	char key[REGISTRY_KEY_SIZE];
	struct store_hold *hold; /* NULL: another's, or nobody's */
	struct buffer text; /* kept for its memory */
};

int
health_book_open(struct health_book **book, struct registry *registry,
    const char *service, struct svc_error *error)
{
	struct health_book *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_errno(error, "health/%s", service);
	made->registry = registry;
	(void)snprintf(made->key, sizeof(made->key), "health/%s", service);
	*book = made;
	return 0;
}

static void
let_go(struct health_book *book)
{
	if (book->hold != NULL)
		store_hold_abandon(book->hold);
	book->hold = NULL;
}

void
health_book_close(struct health_book *book)
{
	if (book == NULL)
		return;
	let_go(book);
	buffer_release(&book->text);
	free(book);
}

bool
health_book_held(const struct health_book *book)
{
	return book->hold != NULL;
}

/* What it would give us away to believe: anybody's file becomes ours. */
static bool
is_trusted(const struct health_book *book, uid_t owner)
{
	return owner == 0 || owner == book->registry->owner ||
	       owner == geteuid();
}

/* 1: what stood there is in taken, and entry; 0: nothing; -1: no memory. */
static int
read_old(struct health_book *book, const struct store_entry *entry,
    struct health *taken, struct svc_error *error)
{
	int64_t age = time_now() - entry->heartbeat;

	if (!is_trusted(book, entry->owner))
		return 0;
	taken->trusted = true;
	taken->owner = entry->owner;
	taken->fresh = age <= HEALTH_SECONDS * 1000;
	if (health_parse(taken, entry->value, entry->length, NULL, NULL) == -1)
		return svc_error_errno(error, "%s", book->key);
	return 1;
}

/*
 * old: what found (of store_get()) says of.  Where nothing was, somebody may
 * have come, written, and gone since: that must not be lost.
 */
static int
put_lock(struct health_book *book, int found, const struct store_entry *old,
    bool keep, struct svc_error *error)
{
	struct store_put put = {.key = book->key,
	    .value = keep ? old->value : "",
	    .length = keep ? old->length : 0,
	    .lease = STORE_LOCK,
	    .if_absent = found == 0,
	    .if_revision = found == 1 ? &old->revision : NULL};

	if (store_put(book->registry->store, &put, &book->hold, error) == 0)
		return 1;
	book->hold = NULL;
	return error->code == EX_TEMPFAIL || (put.if_absent && put.replaced)
		   ? 0
		   : -1;
}

int
health_book_claim(
    struct health_book *book, struct health *taken, struct svc_error *error)
{
	struct store_entry entry;
	int found, status;

	memset(taken, 0, sizeof(*taken));
	/* What cannot be read is not gone on from; whether it can be replaced
	 * is for the store to say. */
	found = store_get(book->registry->store, book->key, HEALTH_SIZE_MAX,
	    &book->text, &entry, NULL);
	if (found == 1 && entry.held)
		return 0;
	if (found == 1 && read_old(book, &entry, taken, error) == -1)
		return -1;
	status = put_lock(book, found, &entry, taken->fresh, error);
	if (status != 1)
		health_release(taken);
	return status;
}

int
health_book_check(struct health_book *book, struct svc_error *error)
{
	int status;

	if (book->hold == NULL)
		return 0;
	status = store_hold_valid(book->hold, error);
	if (status == 0)
		let_go(book);
	return status;
}

int
health_book_touch(struct health_book *book, struct svc_error *error)
{
	int status = health_book_check(book, error);

	return status == 1
		   ? store_touch(book->registry->store, book->key, error)
		   : status;
}

int
health_book_write(struct health_book *book, const struct health *health,
    struct svc_error *error)
{
	if (book->hold == NULL)
		return 0;
	buffer_clear(&book->text);
	health_print(health, &book->text);
	if (buffer_failed(&book->text))
		return svc_error_set(
		    error, EX_OSERR, "%s: out of memory", book->key);
	if (store_hold_put(
		book->hold, book->text.data, book->text.length, error) == 0)
		return 1;
	if (error->code != EX_TEMPFAIL)
		return -1;
	let_go(book);
	return 0;
}

int
health_book_remove(struct health_book *book, struct svc_error *error)
{
	struct store_hold *hold = book->hold;

	book->hold = NULL;
	return hold == NULL ? 0 : store_release(hold, error);
}

/* To three places: what is measured is no more exact. */
static void
print_measure(struct buffer *out, const char *name, double number)
{
	uint64_t thousandths;

	if (!(number >= 0 && number < 1e12))
		return;
	thousandths = (uint64_t)(number * 1000 + 0.5);
	buffer_append_format(out, ",\"%s\":%" PRIu64, name, thousandths / 1000);
	thousandths %= 1000;
	if (thousandths == 0)
		return;
	buffer_append_format(out, ".%03d", (int)thousandths);
	while (out->length > 0 && out->data[out->length - 1] == '0')
		out->length--;
}

static void
print_time(struct buffer *out, const char *name, int64_t time)
{
	if (time == 0)
		return;
	buffer_append_format(out, ",\"%s\":\"", name);
	time_append(out, time);
	buffer_append_char(out, '"');
}

static void
print_line(const struct health_line *line, struct buffer *out)
{
	/* A name has nothing to escape. */
	buffer_append_string(out, "{\"id\":\"");
	buffer_append_string(out, line->id);
	buffer_append_string(out, "\",\"status\":\"");
	buffer_append_string(out, status_name(line->status));
	buffer_append_char(out, '"');
	print_measure(out, "utilization", line->utilization);
	print_measure(out, "latency_ms", line->latency_ms);
	print_time(out, "checked", line->checked);
	print_time(out, "since", line->since);
	buffer_append_format(out, ",\"flaps\":%lu", line->flaps);
	if (line->reason != NULL && line->reason[0] != '\0') {
		buffer_append_string(out, ",\"reason\":");
		json_append_string(out, line->reason,
		    text_cut(
			line->reason, strlen(line->reason), HEALTH_REASON_MAX));
	}
	buffer_append_string(out, "}\n");
}

void
health_print(const struct health *health, struct buffer *out)
{
	size_t i;

	if (health->panic != PANIC_NONE) {
		buffer_append_format(out, "{\"panic\":\"%s\"",
		    health->panic == PANIC_EXPIRED ? "expired" : "critical");
		print_time(out, "since", health->panic_since);
		buffer_append_string(out, "}\n");
	}
	for (i = 0; i < health->count; i++)
		print_line(&health->lines[i], out);
	/* An empty file would be none: that somebody probes says it, too. */
	if (health->panic == PANIC_NONE && health->count == 0)
		buffer_append_char(out, '\n');
}
