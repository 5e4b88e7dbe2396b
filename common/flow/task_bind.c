#include "flow/task_bind.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "flow/task_place.h"
#include "line/depth.h"
#include "line/json_pointer.h"
#include "line/task.h"
#include "line/text.h"

#define POINTER_SHOWN 80

/* A task as it is filled in. */
struct filling {
	const struct json_value *task;
	const char *rest; /* of the task: what is not copied yet */
	size_t limit;
	int (*result)(void *argument, const char *id, struct task_result *found,
	    struct svc_error *error);
	void *argument;
	struct task_result found; /* what result() said last */
	const char *id; /* and of whom; NULL: of nobody */
	struct buffer *out;
	size_t begin; /* of the task in out */
};

/* limit: of bytes that are sent. */
static int
refuse_length(size_t limit, struct svc_error *error)
{
	return svc_error_set(error, EX_CANTCREAT,
	    "\"task\": over %zu bytes with the results that it binds, and at "
	    "most as many are allowed (--max-task)",
	    limit);
}

static int
append(struct filling *filling, const char *data, size_t length, size_t limit,
    struct svc_error *error)
{
	if (length > limit - (filling->out->length - filling->begin))
		return refuse_length(filling->limit, error);
	buffer_append(filling->out, data, length);
	if (buffer_failed(filling->out))
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

/* Results may lie on a disk: several parts of one are taken in one go. */
static int
find_result(struct filling *filling, const char *id, struct svc_error *error)
{
	if (filling->id != NULL && strcmp(filling->id, id) == 0)
		return 0;
	filling->id = NULL;
	if (filling->result(filling->argument, id, &filling->found, error) ==
	    -1)
		return -1;
	filling->id = id;
	return 0;
}

static int
find_part(struct filling *filling, const struct task_binding *binding,
    struct json_value *part, struct svc_error *error)
{
	const char *from = binding->from;
	size_t length = strlen(from);
	size_t shown = text_cut(from, length, POINTER_SHOWN);

	if (find_result(filling, binding->id, error) == -1)
		return -1;
	switch (json_pointer_find(&filling->found.value, from, part, error)) {
	case 1:
		return 0;
	case 0:
		return svc_error_set(error, EX_DATAERR,
		    "%s: no %.*s%s in its result", binding->id, (int)shown,
		    from, shown < length ? "..." : "");
	default:
		return -1;
	}
}

/* What is sent of base64 is what it stands for. */
static int
fill_whole(struct filling *filling, const struct task_binding *binding,
    bool *base64, struct svc_error *error)
{
	size_t limit = filling->limit;
	struct json_value part;

	if (find_part(filling, binding, &part, error) == -1)
		return -1;
	*base64 = filling->found.base64; /* which has no parts */
	if (*base64)
		limit = limit / 3 * 4 + 3; /* its padding, and the quotes */
	return append(filling, part.span.data, part.span.length, limit, error);
}

/* The task up to the place, and what goes there. */
static int
fill_place(struct filling *filling, const struct task_place *place,
    struct svc_error *error)
{
	const char *at = place->value.span.data;
	struct json_value part;

	if (find_part(filling, &place->binding, &part, error) == -1 ||
	    append(filling, filling->rest, (size_t)(at - filling->rest),
		filling->limit, error) == -1)
		return -1;
	filling->rest = at + place->value.span.length;
	return append(
	    filling, part.span.data, part.span.length, filling->limit, error);
}

static int
fill_places(struct filling *filling, const struct task_place *places,
    size_t count, struct svc_error *error)
{
	struct json_span task = filling->task->span, made;
	size_t i;

	for (i = 0; i < count; i++)
		if (fill_place(filling, &places[i], error) == -1)
			return -1;
	if (append(filling, filling->rest,
		(size_t)(task.data + task.length - filling->rest),
		filling->limit, error) == -1)
		return -1;
	made.data = filling->out->data + filling->begin;
	made.length = filling->out->length - filling->begin;
	if (json_fits_inside(made))
		return 0;
	return svc_error_set(error, EX_CANTCREAT,
	    "\"task\": nested deeper than %d levels with the results that it "
	    "binds",
	    JSON_DEPTH_MAX - 1);
}

static int
fill(struct filling *filling, const struct task_links *links, bool *base64,
    struct svc_error *error)
{
	struct task_place *places;
	size_t i;
	int result;

	if (links->binding_count == 1 && *links->bindings[0].into == '\0')
		return fill_whole(filling, &links->bindings[0], base64, error);
	places = reallocarray(NULL, links->binding_count + 1, sizeof(*places));
	if (places == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	for (i = 0; i < links->binding_count; i++)
		places[i].binding = links->bindings[i];
	result = task_places_find(
	    places, links->binding_count, filling->task, error);
	if (result == 0)
		result =
		    fill_places(filling, places, links->binding_count, error);
	free(places);
	return result;
}

int
task_bind(const struct task_links *links, const struct json_value *task,
    size_t limit,
    int (*result)(void *argument, const char *id, struct task_result *found,
	struct svc_error *error),
    void *argument, struct buffer *out, bool *base64, struct svc_error *error)
{
	struct filling filling = {.task = task,
	    .rest = task->span.data,
	    .limit = limit == 0 ? TASK_LENGTH_MAX : limit,
	    .result = result,
	    .argument = argument,
	    .out = out,
	    .begin = out->length};

	*base64 = false;
	if (buffer_failed(out))
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (fill(&filling, links, base64, error) == 0)
		return 0;
	*base64 = false;
	out->length = filling.begin;
	out->failed = false;
	return -1;
}
