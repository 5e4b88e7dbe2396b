/* Sorting instances: see order.h. */
#include "ui/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/buffer.h"
#include "line/json.h"

enum kind { KIND_NUMBER, KIND_TEXT, KIND_ABSENT };

struct key {
	enum kind kind;
	double number;
	char *text; /* owned */
	size_t index; /* where it stood */
	bool descending; /* the same in all: qsort(3) passes no argument */
};

static int
compare_values(const struct key *a, const struct key *b)
{
	if (a->kind == KIND_TEXT)
		return strcmp(a->text, b->text);
	return (a->number > b->number) - (a->number < b->number);
}

static int
compare(const void *left, const void *right)
{
	const struct key *a = left, *b = right;
	int result = 0;

	if (a->kind != b->kind)
		return (a->kind > b->kind) - (a->kind < b->kind);
	if (a->kind != KIND_ABSENT)
		result = compare_values(a, b);
	if (a->descending)
		result = -result;
	return result != 0 ? result
			   : (a->index > b->index) - (a->index < b->index);
}

/* The text of a member that is no number: a string's characters, else JSON. */
static int
read_text(const struct instance *instance, const char *field, char **text)
{
	struct buffer scratch = BUFFER_INIT, out = BUFFER_INIT;
	struct json_value value;
	int found;

	found = instance_member(instance, field, &scratch, &value);
	if (found == 1 && value.type == JSON_STRING)
		json_decode(&value, &out);
	else if (found == 1)
		buffer_append(&out, value.span.data, value.span.length);
	buffer_append_char(&out, '\0');
	*text = buffer_failed(&out) ? NULL : buffer_detach(&out);
	buffer_release(&out);
	buffer_release(&scratch);
	return *text == NULL ? -1 : 0;
}

static int
read_key(const struct instance *instance, const char *field, struct key *key)
{
	switch (instance_number(instance, field, &key->number)) {
	case 1:
		key->kind = KIND_NUMBER;
		return 0;
	case 0:
		key->kind = KIND_ABSENT;
		return 0;
	default:
		key->kind = KIND_TEXT;
		return read_text(instance, field, &key->text);
	}
}

static void
permute(struct instance *instances, struct instance *copies,
    const struct key *keys, size_t count)
{
	size_t i;

	memcpy(copies, instances, count * sizeof(*copies));
	for (i = 0; i < count; i++)
		instances[i] = copies[keys[i].index];
}

long
order_instances(struct instance *instances, size_t count, const char *field,
    struct svc_error *error)
{
	bool descending = *field == '-';
	struct instance *copies = calloc(count + 1, sizeof(*copies));
	struct key *keys = calloc(count + 1, sizeof(*keys));
	long present = 0, result = -1;
	size_t i;

	field += descending;
	if (copies == NULL || keys == NULL)
		goto out;
	for (i = 0; i < count; i++) {
		keys[i].index = i;
		keys[i].descending = descending;
		if (read_key(&instances[i], field, &keys[i]) == -1)
			goto out;
		present += keys[i].kind != KIND_ABSENT;
	}
	qsort(keys, count, sizeof(*keys), compare);
	permute(instances, copies, keys, count);
	result = present;
out:
	for (i = 0; keys != NULL && i < count; i++)
		free(keys[i].text);
	free(keys);
	free(copies);
	if (result == -1)
		svc_error_set(error, EX_OSERR, "out of memory");
	return result;
}
