#include "flow/submit_stored.h"

#include <string.h>

#include "line/json.h"
#include "line/json_difference.h"
#include "registry/queue_look.h"

/* How many members are named. */
#define NAMED_MAX 3

static int
get(struct store *store, const char *id, struct buffer *scratch,
    struct store_entry *entry, struct svc_error *error)
{
	char key[QUEUE_KEY_MAX];

	queue_id_key(id, key);
	return store_get(store, key, STORE_VALUE_MAX, scratch, entry, error);
}

int
submit_stored_ask(struct store *store, struct queue_item *item,
    struct buffer *scratch, struct svc_error *error)
{
	struct store_entry entry;
	int status = get(store, item->id, scratch, &entry, error);

	item->answer = QUEUE_ACCEPTED;
	if (status != 1)
		return status;
	item->answer = QUEUE_TAKEN;
	if (entry.length != item->length ||
	    memcmp(entry.value, item->line, entry.length) != 0)
		return 0;
	status = queue_look(store, item->id, &item->place, error);
	/* Nowhere: its submitter died, and it would be queued. */
	item->answer = status == 0 ? QUEUE_ACCEPTED : QUEUE_KNOWN;
	return status == -1 ? -1 : 0;
}

void
submit_stored_difference(
    struct store *store, const struct queue_item *item, struct buffer *out)
{
	struct json_span ours = {item->line, item->length}, theirs;
	struct json_difference difference = {0};
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	size_t i;

	if (get(store, item->id, &scratch, &entry, NULL) != 1 ||
	    !json_valid(entry.value, entry.length))
		goto out;
	theirs.data = entry.value;
	theirs.length = entry.length;
	if (json_difference_find(&difference, theirs, ours, NULL) == -1)
		goto out;
	for (i = 0; i < difference.count && i < NAMED_MAX; i++) {
		buffer_append_string(out, i == 0 ? "which differs in " : ", ");
		json_append_string(out, difference.changes[i].name.data,
		    difference.changes[i].name.length);
	}
	if (difference.count > NAMED_MAX)
		buffer_append_string(out, " and more");
out:
	json_difference_release(&difference);
	buffer_release(&scratch);
}
