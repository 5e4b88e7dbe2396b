#include "net/call_body.h"

#include <string.h>

#include "line/task.h"

/* Of an answer that is not 2xx, how much is read over before it is cut. */
#define ERROR_READ_MAX (64UL * 1024)
/* What is kept of the memory for the next one. */
#define BODY_KEPT (64UL * 1024)

void
call_body_release(struct call_body *body)
{
	buffer_release(&body->kept);
	memset(body, 0, sizeof(*body));
}

void
call_body_reset(struct call_body *body)
{
	buffer_trim(&body->kept, BODY_KEPT);
	body->received = 0;
	body->over = body->cut = false;
}

bool
call_body_result(
    struct call_body *body, const char *data, size_t length, size_t limit)
{
	body->received += length;
	if (length > limit - body->kept.length) {
		body->over = true;
		return false;
	}
	buffer_append(&body->kept, data, length);
	return !buffer_failed(&body->kept);
}

bool
call_body_error(struct call_body *body, const char *data, size_t length)
{
	size_t room = ERROR_BODY_MAX - body->kept.length;

	body->received += length;
	buffer_append(&body->kept, data, room < length ? room : length);
	body->cut = body->received > ERROR_READ_MAX;
	return !body->cut && !buffer_failed(&body->kept);
}
