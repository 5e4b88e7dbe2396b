#include "line/json.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/json_scanner.h"

#define MEMBERS_MIN 16

static const char *
fail(struct json_scanner *scanner, const char *where, const char *why)
{
	scanner->where = where;
	scanner->why = why;
	return NULL;
}

/* One member of the outermost object, up to its comma or brace. */
static const char *
scan_member(
    struct json_scanner *scanner, const char *p, struct json_member *member)
{
	if ((p = json_scanner_name(
		 scanner, p, &member->name, &member->escaped)) == NULL ||
	    (p = json_scanner_value(scanner, p, 1, &member->value)) == NULL)
		return NULL;
	return json_scanner_space(scanner, p);
}

/* Who is told of the members of the outermost object. */
struct listener {
	void (*take)(void *argument, const struct json_member *member);
	void *argument;
};

static const char *
scan_object(struct json_scanner *scanner, const char *p,
    struct json_value *value, const struct listener *listener)
{
	struct json_member member;

	value->type = JSON_OBJECT;
	value->escaped = false;
	value->span.data = p;
	p = json_scanner_space(scanner, p + 1);
	if (p == scanner->end || *p != '}') {
		for (;; p++) {
			p = scan_member(scanner, p, &member);
			if (p == NULL)
				return NULL;
			listener->take(listener->argument, &member);
			if (p == scanner->end || *p != ',')
				break;
		}
		if (p == scanner->end || *p != '}')
			return fail(scanner, p, "expected ',' or '}'");
	}
	p++;
	value->span.length = (size_t)(p - value->span.data);
	return p;
}

static const char *
scan_end(struct json_scanner *scanner, const char *p)
{
	p = json_scanner_space(scanner, p);
	if (p != scanner->end)
		return fail(scanner, p, "more than one JSON value");
	return p;
}

void
json_document_release(struct json_document *document)
{
	free(document->members);
	memset(document, 0, sizeof(*document));
}

int
json_scan_members(const char *text, size_t length, struct json_value *value,
    void (*take)(void *argument, const struct json_member *member),
    void *argument, struct svc_error *error)
{
	struct json_scanner scanner = {text + length, NULL, NULL};
	struct listener listener = {take, argument};
	const char *p = json_scanner_space(&scanner, text);

	if (take != NULL && p < scanner.end && *p == '{')
		p = scan_object(&scanner, p, value, &listener);
	else
		p = json_scanner_value(&scanner, p, 0, value);
	if (p != NULL && scan_end(&scanner, p) != NULL)
		return 0;
	return svc_error_set(error, EX_DATAERR, "byte %zu: %s",
	    (size_t)(scanner.where - text) + 1,
	    scanner.where == scanner.end ? "the text ends too early"
					 : scanner.why);
}

/* A document that is being filled. */
struct filling {
	struct json_document *document;
	bool failed; /* no memory */
};

static void
add_member(void *argument, const struct json_member *member)
{
	struct filling *filling = argument;
	struct json_document *document = filling->document;
	struct json_member *members;
	size_t capacity;

	if (document->count == document->capacity) {
		capacity = document->capacity == 0 ? MEMBERS_MIN
						   : document->capacity * 2;
		members =
		    reallocarray(document->members, capacity, sizeof(*members));
		if (members == NULL) {
			filling->failed = true;
			return;
		}
		document->members = members;
		document->capacity = capacity;
	}
	document->members[document->count++] = *member;
}

int
json_scan(struct json_document *document, const char *text, size_t length,
    struct svc_error *error)
{
	struct filling filling = {document, false};
	int result;

	document->count = 0;
	result = json_scan_members(
	    text, length, &document->value, add_member, &filling, error);
	if (result == 0 && filling.failed)
		result = svc_error_set(error, EX_OSERR, "out of memory");
	if (result == -1)
		document->count = 0;
	return result;
}

bool
json_valid(const char *text, size_t length)
{
	struct json_scanner scanner = {text + length, NULL, NULL};
	struct json_value value;
	const char *p = json_scanner_space(&scanner, text);

	p = json_scanner_value(&scanner, p, 0, &value);
	return p != NULL && scan_end(&scanner, p) != NULL;
}

bool
json_name_is(const struct json_member *member, const char *name)
{
	return json_text_is(member->name, name, strlen(name));
}

const struct json_member *
json_member(const struct json_document *document, const char *name)
{
	size_t i;

	for (i = 0; i < document->count; i++)
		if (json_name_is(&document->members[i], name))
			return &document->members[i];
	return NULL;
}

/*
 * Moves p, in an array or object, from its beginning or from behind an element
 * to the next one; NULL at the end.
 */
static const char *
next_item(
    struct json_scanner *scanner, struct json_span span, const char *cursor)
{
	const char *p;

	if (cursor == span.data)
		p = json_scanner_space(scanner, cursor + 1);
	else if (cursor < scanner->end && *cursor == ',')
		p = json_scanner_space(scanner, cursor + 1);
	else
		return NULL;
	return p == scanner->end || *p == '}' || *p == ']' ? NULL : p;
}

int
json_next_member(
    struct json_span object, const char **cursor, struct json_member *member)
{
	struct json_scanner scanner = {object.data + object.length, NULL, NULL};
	const char *p = next_item(&scanner, object, *cursor);

	if (p != NULL)
		p = scan_member(&scanner, p, member);
	if (p == NULL)
		return 0;
	*cursor = p;
	return 1;
}

int
json_next_element(
    struct json_span array, const char **cursor, struct json_value *value)
{
	struct json_scanner scanner = {array.data + array.length, NULL, NULL};
	const char *p = next_item(&scanner, array, *cursor);

	if (p != NULL)
		p = json_scanner_value(&scanner, p, 1, value);
	if (p == NULL)
		return 0;
	*cursor = json_scanner_space(&scanner, p);
	return 1;
}

/*
 * One step down a path: the member whose name is all of path (then *rest is
 * NULL) or else its first part.
 */
static int
path_step(struct json_span object, const char *path, const char **rest,
    struct json_value *value)
{
	const char *cursor = object.data;
	size_t first = strcspn(path, "."), whole = strlen(path);
	struct json_member member;
	int found = 0;

	while (json_next_member(object, &cursor, &member) == 1) {
		if (json_text_is(member.name, path, whole)) {
			*value = member.value;
			*rest = NULL;
			return 1;
		}
		if (!found && json_text_is(member.name, path, first)) {
			*value = member.value;
			*rest = path + first + 1;
			found = 1;
		}
	}
	return found;
}

int
json_path(struct json_span text, const char *path, struct json_value *value)
{
	struct json_value found = {.span = text, .type = JSON_OBJECT};

	do {
		if (found.type != JSON_OBJECT ||
		    path_step(found.span, path, &path, &found) == 0)
			return 0;
	} while (path != NULL);
	*value = found;
	return 1;
}
