#include "net/server_intake.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

/* A chunk's first line, and a trailer's line, at most. */
#define LINE_LENGTH_MAX 1024
/* How much of a body that is too large is read before the answer. */
#define SKIP_MAX (64UL * 1024 * 1024)

int
intake_init(
    struct intake *intake, size_t max_header, size_t max_body, size_t *room)
{
	memset(intake, 0, sizeof(*intake));
	intake->max_header = max_header;
	intake->max_body = max_body;
	intake->room = room;
	intake->request = evbuffer_new();
	intake->body = evbuffer_new();
	if (intake->request == NULL || intake->body == NULL) {
		intake_release(intake);
		return -1;
	}
	return 0;
}

static void
give_back(struct intake *intake)
{
	*intake->room += intake->held;
	intake->held = 0;
}

void
intake_forget(struct intake *intake)
{
	evbuffer_drain(intake->request, evbuffer_get_length(intake->request));
	evbuffer_drain(intake->body, evbuffer_get_length(intake->body));
	give_back(intake);
}

void
intake_release(struct intake *intake)
{
	give_back(intake);
	if (intake->request != NULL)
		evbuffer_free(intake->request);
	if (intake->body != NULL)
		evbuffer_free(intake->body);
	intake->request = intake->body = NULL;
}

static int
refuse(struct intake *intake, int status, const char *detail)
{
	intake->refusal.status = status;
	intake->refusal.detail = detail;
	return -1;
}

/* No memory, or an inconsistent buffer. */
static int
fail(struct intake *intake)
{
	return refuse(intake, 503, "out of memory");
}

/* Refuses a body that has length bytes to come, but reads them first. */
static int
skip(struct intake *intake, int status, const char *detail, size_t length)
{
	refuse(intake, status, detail);
	if (length > SKIP_MAX || intake->waits ||
	    intake->head.framing == GUARD_CHUNKED)
		return -1;
	intake_forget(intake);
	intake->state = INTAKE_SKIP;
	intake->left = length;
	return 1;
}

static int
begin_body(struct intake *intake, struct evbuffer *source)
{
	intake->waits = intake->head.expects && !intake->head.old &&
			evbuffer_get_length(source) == 0;
	if (intake->head.framing == GUARD_LENGTH) {
		if (intake->head.length > intake->max_body)
			return skip(intake, 413, "the body is too large",
			    intake->head.length);
		intake->state = INTAKE_BODY;
		intake->left = intake->head.length;
	} else if (intake->head.framing == GUARD_CHUNKED)
		intake->state = INTAKE_CHUNK_SIZE;
	return 1;
}

/* RFC 9112, 2.2: empty lines before the first one are skipped. */
static void
skip_empty_lines(struct intake *intake, struct evbuffer *source)
{
	char start[2];

	while (evbuffer_copyout(source, start, 2) == 2 && start[0] == '\r' &&
	       start[1] == '\n') {
		evbuffer_drain(source, 2);
		intake->scanned = 0;
	}
}

/* Whether evhttp can read it: its own refusal would be a page of HTML. */
static bool
is_target(const char *text, size_t length)
{
	char *target = strndup(text, length);
	struct evhttp_uri *uri =
	    target == NULL
		? NULL
		: evhttp_uri_parse_with_flags(target, EVHTTP_URI_NONCONFORMANT);
	bool readable = uri != NULL;

	if (readable)
		evhttp_uri_free(uri);
	free(target);
	return readable;
}

/* 1: the header is done; 0: more is needed; -1: refused. */
static int
take_head(struct intake *intake, struct evbuffer *source)
{
	size_t length;
	const char *text;
	int found;

	skip_empty_lines(intake, source);
	length = evbuffer_get_length(source);
	if (length > intake->max_header + 1)
		length = intake->max_header + 1;
	text = (const char *)evbuffer_pullup(source, (ev_ssize_t)length);
	if (text == NULL)
		return length == 0 ? 0 : fail(intake);
	found =
	    guard_find_end(text, length, &intake->scanned, &intake->refusal);
	if (found == 0 && length > intake->max_header)
		return refuse(intake, 431, "the header is too large");
	if (found != 1)
		return found;
	if (guard_check(
		text, intake->scanned, &intake->head, &intake->refusal) == -1)
		return -1;
	if (!is_target(text + intake->head.target, intake->head.target_length))
		return refuse(intake, 400, "the target is no URL");
	if (evbuffer_remove_buffer(source, intake->request, intake->scanned) !=
	    (int)intake->scanned)
		return fail(intake);
	return begin_body(intake, source);
}

/* Whether there is room for length more bytes of the body. */
static bool
make_room(struct intake *intake, size_t length)
{
	size_t counted = evbuffer_get_length(intake->body) + length, more;

	counted = counted > INTAKE_FREE ? counted - INTAKE_FREE : 0;
	more = counted - intake->held;
	if (more > *intake->room)
		return false;
	*intake->room -= more;
	intake->held = counted;
	return true;
}

/* Moves what there is of left bytes into the body.  1: all. */
static int
take_body(struct intake *intake, struct evbuffer *source)
{
	size_t there = evbuffer_get_length(source);
	int moved;

	if (!make_room(intake, there < intake->left ? there : intake->left))
		return skip(intake, 503,
		    "other bodies fill the memory there is for them",
		    intake->left);
	moved = evbuffer_remove_buffer(source, intake->body, intake->left);
	if (moved == -1)
		return fail(intake);
	intake->left -= (size_t)moved;
	return intake->left == 0;
}

/* A line into line, without CR LF: its length; -1: refused; -2: more. */
static int
take_line(struct intake *intake, struct evbuffer *source, char *line)
{
	struct evbuffer_ptr end =
	    evbuffer_search_eol(source, NULL, NULL, EVBUFFER_EOL_CRLF_STRICT);

	if (end.pos > LINE_LENGTH_MAX ||
	    (end.pos == -1 && evbuffer_get_length(source) > LINE_LENGTH_MAX))
		return refuse(intake, 400, "a line of a chunk is too long");
	if (end.pos == -1)
		return -2;
	evbuffer_remove(source, line, (size_t)end.pos);
	evbuffer_drain(source, 2);
	return (int)end.pos;
}

static int
take_chunk_size(struct intake *intake, struct evbuffer *source)
{
	char line[LINE_LENGTH_MAX];
	int length = take_line(intake, source, line);

	if (length < 0)
		return length == -2 ? 0 : -1;
	if (guard_chunk_size(
		line, (size_t)length, &intake->left, &intake->refusal) == -1)
		return -1;
	if (intake->left > intake->max_body - evbuffer_get_length(intake->body))
		return refuse(intake, 413, "the body is too large");
	intake->state = intake->left == 0 ? INTAKE_TRAILER : INTAKE_CHUNK;
	return 1;
}

/* Trailers are dropped: nothing here reads them. 1: the request is whole. */
static int
take_trailer(struct intake *intake, struct evbuffer *source)
{
	char line[LINE_LENGTH_MAX];
	int length;

	while ((length = take_line(intake, source, line)) >= 0) {
		if (length == 0)
			return 1;
		intake->scanned += (size_t)length;
		if (intake->scanned > 2 * intake->max_header)
			return refuse(intake, 431, "the trailer is too large");
	}
	return length == -2 ? 0 : -1;
}

static int
take_chunk_end(struct intake *intake, struct evbuffer *source)
{
	char end[2];

	if (evbuffer_get_length(source) < sizeof(end))
		return 0;
	evbuffer_remove(source, end, sizeof(end));
	if (end[0] != '\r' || end[1] != '\n')
		return refuse(intake, 400, "a chunk is longer than it said");
	intake->state = INTAKE_CHUNK_SIZE;
	return 1;
}

static int
take_skipped(struct intake *intake, struct evbuffer *source)
{
	size_t length = evbuffer_get_length(source);

	if (length > intake->left)
		length = intake->left;
	evbuffer_drain(source, length);
	intake->left -= length;
	return intake->left == 0 ? -1 : 0;
}

/* The header, with its chunked coding replaced by the length, and the body. */
static int
hand_on(struct intake *intake, struct evbuffer *target)
{
	struct guard_head *head = &intake->head;
	int failed = 0;

	if (head->coding_length > 0) {
		failed |= evbuffer_remove_buffer(
			      intake->request, target, head->coding) == -1;
		failed |=
		    evbuffer_drain(intake->request, head->coding_length) == -1;
		failed |= evbuffer_add_printf(target, "Content-Length: %zu\r\n",
			      evbuffer_get_length(intake->body)) == -1;
	}
	failed |= evbuffer_add_buffer(target, intake->request) == -1;
	failed |= evbuffer_add_buffer(target, intake->body) == -1;
	intake->state = INTAKE_HEAD;
	intake->scanned = 0;
	return failed ? fail(intake) : 1;
}

int
intake_step(
    struct intake *intake, struct evbuffer *source, struct evbuffer *target)
{
	int status;

	for (;;) {
		bool whole = false;

		switch (intake->state) {
		case INTAKE_HEAD:
			status = take_head(intake, source);
			whole = intake->state == INTAKE_HEAD;
			break;
		case INTAKE_BODY:
			status = take_body(intake, source);
			whole = intake->state == INTAKE_BODY;
			break;
		case INTAKE_CHUNK_SIZE:
			status = take_chunk_size(intake, source);
			break;
		case INTAKE_CHUNK:
			status = take_body(intake, source);
			if (status == 1)
				intake->state = INTAKE_CHUNK_END;
			break;
		case INTAKE_CHUNK_END:
			status = take_chunk_end(intake, source);
			break;
		case INTAKE_TRAILER:
			status = take_trailer(intake, source);
			whole = true;
			break;
		case INTAKE_SKIP:
		default:
			status = take_skipped(intake, source);
			break;
		}
		if (status != 1)
			return status;
		if (whole)
			return hand_on(intake, target);
	}
}
