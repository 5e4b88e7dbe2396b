#include "flow/task_place.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/text.h"

#define POINTER_SHOWN 80

/* EX_DATAERR: "bind": 'POINTER' WHAT.  Returns -1. */
static int
refuse(const char *pointer, const char *what, struct svc_error *error)
{
	size_t length = strlen(pointer);
	size_t shown = text_cut(pointer, length, POINTER_SHOWN);

	return svc_error_set(error, EX_DATAERR, "\"bind\": '%.*s%s' %s",
	    (int)shown, pointer, shown < length ? "..." : "", what);
}

/* A '/' is less than what a name can have, and its end is less still. */
static int
rank(char c)
{
	if (c == '\0')
		return 0;
	return c == '/' ? 1 : (unsigned char)c + 1;
}

/*
 * Orders pointers step by step, so that those into one place stand behind the
 * one to it, and those into one array or object side by side.  A name is
 * written in one way only, so that to compare bytes is enough.
 */
static int
compare_pointers(const void *a, const void *b)
{
	const struct task_place *left = a, *right = b;
	const char *p = left->binding.into, *q = right->binding.into;

	while (*p != '\0' && *p == *q) {
		p++;
		q++;
	}
	return rank(*p) - rank(*q);
}

static int
compare_bytes(const void *a, const void *b)
{
	const struct task_place *left = a, *right = b;
	uintptr_t p = (uintptr_t)left->value.span.data;
	uintptr_t q = (uintptr_t)right->value.span.data;

	return (p > q) - (p < q);
}

/* Whether the place of inner is that of outer, or lies in it. */
static bool
lies_in(const char *inner, const char *outer)
{
	size_t length = strlen(outer);

	return strncmp(inner, outer, length) == 0 &&
	       (inner[length] == '\0' || inner[length] == '/');
}

/* places are in the order of their pointers. */
static int
check_apart(
    const struct task_place *places, size_t count, struct svc_error *error)
{
	const char *into, *before;
	char what[POINTER_SHOWN + 32];
	size_t i;

	for (i = 1; i < count; i++) {
		into = places[i].binding.into;
		before = places[i - 1].binding.into;
		if (!lies_in(into, before))
			continue;
		if (strcmp(into, before) == 0)
			return refuse(into, "stands twice", error);
		if (*before == '\0')
			return refuse(into,
			    "lies in the whole task, which is bound", error);
		snprintf(what, sizeof(what), "lies in '%.*s', which is bound",
		    (int)text_cut(before, strlen(before), POINTER_SHOWN),
		    before);
		return refuse(into, what, error);
	}
	return 0;
}

/* Compares the first step of rest, behind its '/', with a name. */
static int
compare_step(const char *rest, struct json_span name)
{
	size_t length = strcspn(rest, "/");
	size_t both = length < name.length ? length : name.length;
	int order = both == 0 ? 0 : memcmp(rest, name.data, both);

	if (order != 0)
		return order;
	return (length > name.length) - (length < name.length);
}

/* How many of places come before name; behind: or have it as their step. */
static size_t
bisect(const struct task_place *places, size_t count, struct json_span name,
    bool behind)
{
	size_t low = 0, high = count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = compare_step(places[middle].rest + 1, name);
		if (order < 0 || (behind && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Those of places whose next step is name lead to value. */
static void
lead_to(struct task_place *places, size_t count, struct json_span name,
    const struct json_value *value)
{
	size_t i = bisect(places, count, name, false);
	size_t end = i + bisect(places + i, count - i, name, true);

	for (; i < end; i++)
		places[i].next = *value;
}

/* The pieces of a member's name, and it as a pointer writes it. */
struct spelling {
	struct buffer decoded;
	struct buffer step;
};

static struct json_span
spell(const struct json_member *member, struct spelling *spelling)
{
	struct json_value name = {
	    {member->name.data - 1, member->name.length + 2}, JSON_STRING,
	    true};
	struct json_span step = member->name;
	size_t i;
	char c;

	if (!member->escaped && memchr(step.data, '~', step.length) == NULL &&
	    memchr(step.data, '/', step.length) == NULL)
		return step;
	buffer_clear(&spelling->decoded);
	buffer_clear(&spelling->step);
	json_decode(&name, &spelling->decoded);
	for (i = 0; i < spelling->decoded.length; i++) {
		c = spelling->decoded.data[i];
		if (c == '~' || c == '/')
			buffer_append_char(&spelling->step, '~');
		buffer_append_char(&spelling->step, c == '~'   ? '0'
						    : c == '/' ? '1'
							       : c);
	}
	step.data = spelling->step.data;
	step.length = spelling->step.length;
	return step;
}

static int
step_into_object(
    struct task_place *places, size_t count, struct svc_error *error)
{
	struct json_span object = places[0].value.span;
	const char *cursor = object.data;
	struct spelling spelling = {BUFFER_INIT, BUFFER_INIT};
	struct json_member member;
	struct json_span name;
	bool failed = false;

	while (!failed && json_next_member(object, &cursor, &member) == 1) {
		name = spell(&member, &spelling);
		failed = buffer_failed(&spelling.decoded) ||
			 buffer_failed(&spelling.step);
		if (!failed)
			lead_to(places, count, name, &member.value);
	}
	buffer_release(&spelling.decoded);
	buffer_release(&spelling.step);
	return failed ? svc_error_set(error, EX_OSERR, "out of memory") : 0;
}

static void
step_into_array(struct task_place *places, size_t count)
{
	struct json_span array = places[0].value.span;
	const char *cursor = array.data;
	struct json_value element;
	struct json_span name;
	char digits[24];
	size_t index;
	int length;

	name.data = digits;
	for (index = 0; json_next_element(array, &cursor, &element) == 1;
	     index++) {
		length = snprintf(digits, sizeof(digits), "%zu", index);
		name.length = (size_t)length;
		lead_to(places, count, name, &element);
	}
}

/* One step on, of places that all have come to one value. */
static int
step(struct task_place *places, size_t count, struct svc_error *error)
{
	size_t i;

	for (i = 0; i < count; i++)
		places[i].next.span.data = NULL;
	if (places[0].value.type == JSON_ARRAY)
		step_into_array(places, count);
	else if (places[0].value.type == JSON_OBJECT &&
		 step_into_object(places, count, error) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		if (places[i].next.span.data == NULL)
			return refuse(places[i].binding.into,
			    "is not there in the task", error);
		places[i].value = places[i].next;
		places[i].rest += 1 + strcspn(places[i].rest + 1, "/");
	}
	return 0;
}

/* How many of places have come to the value of the first one. */
static size_t
count_together(const struct task_place *places, size_t count)
{
	size_t i = 1;

	while (
	    i < count && places[i].value.span.data == places[0].value.span.data)
		i++;
	return i;
}

/* All places that are not reached go on by one step.  0: there were none. */
static int
step_all(struct task_place *places, size_t count, struct svc_error *error)
{
	size_t i, together;
	int moved = 0;

	for (i = 0; i < count; i += together) {
		together = 1;
		if (*places[i].rest == '\0')
			continue;
		together = count_together(places + i, count - i);
		if (step(places + i, together, error) == -1)
			return -1;
		moved = 1;
	}
	return moved;
}

int
task_places_find(struct task_place *places, size_t count,
    const struct json_value *task, struct svc_error *error)
{
	size_t i;
	int moved;

	qsort(places, count, sizeof(*places), compare_pointers);
	if (check_apart(places, count, error) == -1)
		return -1;
	for (i = 0; i < count; i++) {
		places[i].value = *task;
		places[i].rest = places[i].binding.into;
	}
	do {
		moved = step_all(places, count, error);
	} while (moved == 1);
	if (moved == 0)
		qsort(places, count, sizeof(*places), compare_bytes);
	return moved;
}
