#include "sched/task_key.h"

#include <string.h>
#include <sysexits.h>

#include "line/json_pointer.h"
#include "line/text.h"
#include "sched/stable_hash.h"

#define POINTER_SHOWN 80

static int
hash_decoded(
    const struct json_value *value, uint64_t *key, struct svc_error *error)
{
	struct buffer decoded = BUFFER_INIT;
	int result = 0;

	json_decode(value, &decoded);
	if (buffer_failed(&decoded))
		result = svc_error_set(error, EX_OSERR, "out of memory");
	else
		*key = stable_hash(decoded.data, decoded.length);
	buffer_release(&decoded);
	return result;
}

static int
hash_value(
    const struct json_value *value, uint64_t *key, struct svc_error *error)
{
	struct json_span bytes = value->span;

	if (value->type == JSON_STRING) {
		if (value->escaped)
			return hash_decoded(value, key, error);
		bytes.data++;
		bytes.length -= 2;
	}
	*key = stable_hash(bytes.data, bytes.length);
	return 0;
}

static int
nothing_there(const char *pointer, struct svc_error *error)
{
	size_t length = strlen(pointer);
	size_t shown = text_cut(pointer, length, POINTER_SHOWN);

	return svc_error_set(error, EX_DATAERR,
	    "\"task\": nothing at '%.*s%s', which is to be its key", (int)shown,
	    pointer, shown < length ? "..." : "");
}

int
task_key(const struct envelope *envelope, const char *pointer, uint64_t *key,
    struct svc_error *error)
{
	const struct json_value *given = &envelope->members[MEMBER_KEY];
	struct json_value value;

	if (pointer != NULL) {
		switch (json_pointer_find(
		    &envelope->task, pointer, &value, error)) {
		case 0:
			return nothing_there(pointer, error);
		case -1:
			return -1;
		}
		return hash_value(&value, key, error);
	}
	if (given->span.data != NULL)
		return hash_value(given, key, error);
	*key = stable_hash(envelope->id, strlen(envelope->id));
	return 0;
}
