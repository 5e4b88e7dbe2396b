#include "line/json_difference.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "line/json.h"

struct entry {
	struct json_span name;
	size_t end; /* of the name, in the buffer of names */
	struct json_value value;
};

/* The members of one object. */
struct entries {
	struct entry *items;
	size_t count;
	size_t capacity;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	return p;
}

/* Both are valid JSON, so that a backslash is never the last byte. */
static bool
same_text(struct json_span a, struct json_span b)
{
	const char *p = a.data, *p_end = p + a.length;
	const char *q = b.data, *q_end = q + b.length;
	bool inside = false; /* of a string */

	if (a.length == b.length && memcmp(p, q, a.length) == 0)
		return true;
	for (;; p++, q++) {
		if (!inside) {
			p = skip_space(p, p_end);
			q = skip_space(q, q_end);
		}
		if (p == p_end || q == q_end)
			return p == p_end && q == q_end;
		if (*p != *q)
			return false;
		if (*p == '"')
			inside = !inside;
		else if (*p == '\\' && *++p != *++q)
			return false;
	}
}

static int
compare_names(struct json_span a, struct json_span b)
{
	size_t length = a.length < b.length ? a.length : b.length;
	int order = memcmp(a.data, b.data, length);

	if (order != 0)
		return order;
	return a.length < b.length ? -1 : a.length > b.length;
}

/* By name; those of one name as they stand. */
static int
compare_entries(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = compare_names(left->name, right->name);

	if (order != 0)
		return order;
	return left->end < right->end ? -1 : left->end > right->end;
}

static struct entry *
add_entry(struct entries *entries)
{
	struct entry *items;
	size_t capacity;

	if (entries->count == entries->capacity) {
		capacity = entries->capacity == 0 ? 16 : 2 * entries->capacity;
		items = reallocarray(entries->items, capacity, sizeof(*items));
		if (items == NULL)
			return NULL;
		entries->items = items;
		entries->capacity = capacity;
	}
	return &entries->items[entries->count++];
}

/* Each name begins where the one before it ends. */
static void
point_names(struct entries *entries, const struct buffer *names)
{
	size_t start = 0;
	size_t i;

	for (i = 0; i < entries->count; i++) {
		entries->items[i].name = (struct json_span){
		    names->data + start, entries->items[i].end - start};
		start = entries->items[i].end;
	}
}

static void
keep_last_of_each(struct entries *entries)
{
	size_t kept = 0;
	size_t i;

	for (i = 0; i < entries->count; i++) {
		if (kept > 0 && compare_names(entries->items[kept - 1].name,
				    entries->items[i].name) == 0)
			kept--;
		entries->items[kept++] = entries->items[i];
	}
	entries->count = kept;
}

/* The members of object, sorted.  -1: no memory. */
static int
gather(struct entries *entries, struct buffer *names, struct json_span object)
{
	const char *cursor = object.data;
	struct json_member member;
	struct json_value quoted;
	struct entry *entry;

	/* So that there is memory to point into, also for the name "". */
	if (buffer_reserve(names, object.length) == NULL)
		return -1;
	while (json_next_member(object, &cursor, &member) == 1) {
		entry = add_entry(entries);
		if (entry == NULL)
			return -1;
		quoted.span = (struct json_span){
		    member.name.data - 1, member.name.length + 2};
		quoted.type = JSON_STRING;
		quoted.escaped = member.escaped;
		json_decode(&quoted, names);
		entry->end = names->length;
		entry->value = member.value;
	}
	if (buffer_failed(names))
		return -1;
	point_names(entries, names);
	if (entries->count > 1)
		qsort(entries->items, entries->count, sizeof(*entries->items),
		    compare_entries);
	keep_last_of_each(entries);
	return 0;
}

/* 1, 0; -1: no memory.  No deeper than the scanner lets JSON be. */
static int
same_value(const struct json_value *a, const struct json_value *b)
{
	struct json_difference inner = {0};
	int result;

	if (same_text(a->span, b->span))
		return 1;
	if (a->type != JSON_OBJECT || b->type != JSON_OBJECT)
		return 0;
	if (json_difference_find(&inner, a->span, b->span, NULL) == -1)
		return -1;
	result = inner.count == 0;
	json_difference_release(&inner);
	return result;
}

/* There is room: at most all members of both differ. */
static int
compare(struct json_difference *difference, const struct entries *before,
    const struct entries *after)
{
	const struct entry *a = before->items, *a_end = a + before->count;
	const struct entry *b = after->items, *b_end = b + after->count;
	struct json_change *change;
	int order, same;

	while (a < a_end || b < b_end) {
		order = a == a_end   ? 1
			: b == b_end ? -1
				     : compare_names(a->name, b->name);
		same = order == 0 ? same_value(&a->value, &b->value) : 0;
		if (same == -1)
			return -1;
		if (same == 0) {
			change = &difference->changes[difference->count++];
			memset(change, 0, sizeof(*change));
			change->name = order <= 0 ? a->name : b->name;
			if (order <= 0)
				change->before = a->value.span;
			if (order >= 0)
				change->after = b->value.span;
		}
		a += order <= 0;
		b += order >= 0;
	}
	return 0;
}

int
json_difference_find(struct json_difference *difference,
    struct json_span before, struct json_span after, struct svc_error *error)
{
	struct entries old = {0}, new = {0};
	int result = -1;

	memset(difference, 0, sizeof(*difference));
	if (same_text(before, after))
		return 0;
	if (gather(&old, &difference->names[0], before) == -1 ||
	    gather(&new, &difference->names[1], after) == -1)
		goto out;
	difference->changes =
	    calloc(old.count + new.count + 1, sizeof(*difference->changes));
	if (difference->changes == NULL)
		goto out;
	result = compare(difference, &old, &new);
out:
	free(old.items);
	free(new.items);
	if (result == -1) {
		json_difference_release(difference);
		return svc_error_errno(error, "what differs");
	}
	return 0;
}

int
json_difference_add(struct json_difference *difference,
    const struct json_change *change, struct svc_error *error)
{
	struct json_change *changes;
	size_t at = difference->count;

	changes = reallocarray(
	    difference->changes, difference->count + 1, sizeof(*changes));
	if (changes == NULL)
		return svc_error_errno(error, "what differs");
	difference->changes = changes;
	for (; at > 0; at--) {
		if (compare_names(changes[at - 1].name, change->name) <= 0)
			break;
		changes[at] = changes[at - 1];
	}
	changes[at] = *change;
	difference->count++;
	return 0;
}

void
json_difference_release(struct json_difference *difference)
{
	free(difference->changes);
	buffer_release(&difference->names[0]);
	buffer_release(&difference->names[1]);
	memset(difference, 0, sizeof(*difference));
}
