#include "flow/task_links.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/task_place.h"
#include "line/json_pointer.h"
#include "line/member.h"
#include "line/text.h"
#include "line/units.h"

/* Memory that is kept for the next line. */
#define TEXT_KEPT (64UL * 1024)
#define LIST_KEPT 1024

static int
fail_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static int
refuse(enum task_member member, const char *what,
    const struct json_value *value, struct svc_error *error)
{
	return member_refuse(task_member_name(member), what, value, error);
}

bool
task_links_any(const struct envelope *envelope)
{
	return envelope->members[MEMBER_AFTER].span.data != NULL ||
	       envelope->members[MEMBER_WHEN].span.data != NULL ||
	       envelope->members[MEMBER_BIND].span.data != NULL;
}

void
task_links_release(struct task_links *links)
{
	buffer_release(&links->text);
	free(links->after);
	free(links->bindings);
	memset(links, 0, sizeof(*links));
}

/* Empties links; a reasonable memory is kept. */
static void
clear(struct task_links *links)
{
	links->when = WHEN_OK;
	links->after_count = links->bound_count = links->binding_count = 0;
	buffer_trim(&links->text, TEXT_KEPT);
	if (links->after_capacity > LIST_KEPT) {
		free(links->after);
		links->after = NULL;
		links->after_capacity = 0;
	}
	if (links->binding_capacity > LIST_KEPT) {
		free(links->bindings);
		links->bindings = NULL;
		links->binding_capacity = 0;
	}
}

/*
 * Decodes a string into text, in which its room is reserved: what points there
 * stays.  NULL: it has U+0000, or half a pair of surrogates.
 */
static char *
decode(struct task_links *links, const struct json_value *value)
{
	struct buffer *text = &links->text;
	size_t begin = text->length;
	bool whole = json_decode(value, text);

	buffer_append_char(text, '\0');
	if (!whole || strlen(text->data + begin) != text->length - begin - 1)
		return NULL;
	return text->data + begin;
}

static int
add_name(struct task_links *links, const char *name)
{
	size_t capacity = links->after_capacity;
	const char **after;

	if (links->after_count == capacity) {
		capacity = capacity == 0 ? 16 : 2 * capacity;
		after = reallocarray(links->after, capacity, sizeof(*after));
		if (after == NULL)
			return -1;
		links->after = after;
		links->after_capacity = capacity;
	}
	links->after[links->after_count++] = name;
	return 0;
}

static int
add_binding(struct task_links *links, const struct task_binding *binding)
{
	size_t capacity = links->binding_capacity;
	struct task_binding *bindings;

	if (links->binding_count == capacity) {
		capacity = capacity == 0 ? 8 : 2 * capacity;
		bindings =
		    reallocarray(links->bindings, capacity, sizeof(*bindings));
		if (bindings == NULL)
			return -1;
		links->bindings = bindings;
		links->binding_capacity = capacity;
	}
	links->bindings[links->binding_count++] = *binding;
	return 0;
}

/* Puts the member in front of what is wrong with a pointer in it. */
static int
check_pointer(const char *pointer, struct svc_error *error)
{
	struct svc_error why;

	if (json_pointer_check(pointer, &why) == 0)
		return 0;
	return svc_error_set(error, EX_DATAERR, "\"bind\": %s", why.message);
}

/* "POINTER":"ID#POINTER". */
static int
read_binding(struct task_links *links, const struct json_member *member,
    struct svc_error *error)
{
	struct json_value name = {
	    {member->name.data - 1, member->name.length + 2}, JSON_STRING,
	    member->escaped};
	struct task_binding binding;
	char *id, *from;

	binding.into = decode(links, &name);
	if (binding.into == NULL)
		return refuse(MEMBER_BIND, "a JSON Pointer", &name, error);
	if (check_pointer(binding.into, error) == -1)
		return -1;
	id = member->value.type == JSON_STRING ? decode(links, &member->value)
					       : NULL;
	from = id == NULL ? NULL : strchr(id, '#');
	if (from != NULL)
		*from++ = '\0';
	if (id == NULL || !name_valid(id, strlen(id)))
		return refuse(MEMBER_BIND,
		    "ID#POINTER, a task's id and a part of its result (as in "
		    "\"t0#/files/0\")",
		    &member->value, error);
	binding.id = id;
	binding.from = from == NULL ? "" : from;
	if (check_pointer(binding.from, error) == -1)
		return -1;
	if (add_binding(links, &binding) == -1 || add_name(links, id) == -1)
		return fail_memory(error);
	return 0;
}

static int
read_bind(struct task_links *links, const struct json_value *bind,
    struct svc_error *error)
{
	const char *cursor = bind->span.data;
	struct json_member member;

	while (cursor != NULL &&
	       json_next_member(bind->span, &cursor, &member) == 1)
		if (read_binding(links, &member, error) == -1)
			return -1;
	return 0;
}

/* Elements are names: the envelope has been looked at. */
static int
read_after(struct task_links *links, const struct json_value *after,
    struct svc_error *error)
{
	const char *cursor = after->span.data, *name;
	struct json_value element;

	while (cursor != NULL &&
	       json_next_element(after->span, &cursor, &element) == 1) {
		name = decode(links, &element);
		if (name == NULL || add_name(links, name) == -1)
			return fail_memory(error);
	}
	return 0;
}

static enum task_when
read_when(const struct json_value *when)
{
	char text[8];

	if (json_string(when, text, sizeof(text)) <= 0)
		return WHEN_OK;
	if (strcmp(text, "failed") == 0)
		return WHEN_FAILED;
	return strcmp(text, "done") == 0 ? WHEN_DONE : WHEN_OK;
}

/* Names lie in the text in the order in which they came. */
static int
compare_places(const void *a, const void *b)
{
	uintptr_t p = (uintptr_t) * (const char *const *)a;
	uintptr_t q = (uintptr_t) * (const char *const *)b;

	return (p > q) - (p < q);
}

static int
compare_names(const void *a, const void *b)
{
	const char *p = *(const char *const *)a, *q = *(const char *const *)b;
	int order = strcmp(p, q);

	return order != 0 ? order : compare_places(a, b);
}

/* Keeps the first one of each name; those of bindings are count ones. */
static void
drop_twins(struct task_links *links, size_t count)
{
	const char **after = links->after;
	const char *last_bound = count == 0 ? NULL : after[count - 1];
	size_t i, kept = 1;

	if (links->after_count > 1) {
		qsort(after, links->after_count, sizeof(*after), compare_names);
		for (i = 1; i < links->after_count; i++)
			if (strcmp(after[i], after[kept - 1]) != 0)
				after[kept++] = after[i];
		links->after_count = kept;
		qsort(after, kept, sizeof(*after), compare_places);
	}
	while (links->bound_count < links->after_count && last_bound != NULL &&
	       after[links->bound_count] <= last_bound)
		links->bound_count++;
}

/* Only the whole may be bound whatever it is. */
static int
check_null(const struct task_place *place, struct svc_error *error)
{
	const char *into = place->binding.into;

	if (place->value.type == JSON_NULL || *into == '\0')
		return 0;
	return svc_error_set(error, EX_DATAERR,
	    "\"bind\": '%.*s' does not hold null in the task",
	    (int)text_cut(into, strlen(into), 80), into);
}

/* Checks the places of bindings, and orders these by them. */
static int
order_bindings(struct task_links *links, const struct json_value *task,
    struct svc_error *error)
{
	struct task_place *places;
	size_t i;
	int result;

	if (links->binding_count == 0)
		return 0;
	places = reallocarray(NULL, links->binding_count, sizeof(*places));
	if (places == NULL)
		return fail_memory(error);
	for (i = 0; i < links->binding_count; i++)
		places[i].binding = links->bindings[i];
	result = task_places_find(places, links->binding_count, task, error);
	for (i = 0; i < links->binding_count && result == 0; i++) {
		links->bindings[i] = places[i].binding;
		result = check_null(&places[i], error);
	}
	free(places);
	return result;
}

static size_t
length_of(const struct json_value *value)
{
	return value->span.data == NULL ? 0 : value->span.length;
}

static int
read_members(struct task_links *links, const struct envelope *envelope,
    struct svc_error *error)
{
	const struct json_value *members = envelope->members;

	/* Decoded they are no longer, each NUL in place of two quotes. */
	if (buffer_reserve(
		&links->text, length_of(&members[MEMBER_BIND]) +
				  length_of(&members[MEMBER_AFTER])) == NULL)
		return fail_memory(error);
	if (members[MEMBER_WHEN].span.data != NULL)
		links->when = read_when(&members[MEMBER_WHEN]);
	if (read_bind(links, &members[MEMBER_BIND], error) == -1 ||
	    read_after(links, &members[MEMBER_AFTER], error) == -1)
		return -1;
	drop_twins(links, links->binding_count);
	return order_bindings(links, &envelope->task, error);
}

int
task_links_read(struct task_links *links, const struct envelope *envelope,
    struct svc_error *error)
{
	int result;

	clear(links);
	result = read_members(links, envelope, error);
	if (result == -1)
		clear(links);
	return result;
}
