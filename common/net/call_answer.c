#include "net/call_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "line/result.h"
#include "net/call_request.h"
#include "net/call_trouble.h"

/* Of what was to be connected to, nothing was allowed. */
static bool
is_denied(const struct call_request *request)
{
	return request->permit.denial != DENIED_NOT &&
	       !request->permit.granted && request->sends == 0;
}

static enum answer_kind
kind_of_connect(const struct call_request *request)
{
	long number = 0;

	if (is_denied(request))
		return ANSWER_FORBIDDEN;
	curl_easy_getinfo(request->handle, CURLINFO_OS_ERRNO, &number);
	if (number == ECONNREFUSED)
		return ANSWER_REFUSED;
	/* A unix socket: not there, or its queue is full. */
	if (request->target->socket != NULL &&
	    (number == ENOENT || number == EAGAIN || number == 0))
		return ANSWER_REFUSED;
	return ANSWER_UNREACHABLE;
}

/* A kept connection died, and libcurl wanted another one to send again. */
static bool
is_lost(const struct call_request *request)
{
	return request->sends > 0 && !request->stream.refused;
}

static enum answer_kind
kind_of_write(const struct call_request *request)
{
	const struct call_body *body = &request->body;

	if (buffer_failed(&body->kept))
		return ANSWER_NO_MEMORY;
	if (body->over)
		return ANSWER_TOO_LARGE;
	return body->cut ? ANSWER_HTTP : ANSWER_GARBLED;
}

/* Whether a header line is longer than libcurl takes; it says "no memory". */
static bool
has_endless_line(const struct call_request *request, CURLcode code)
{
	return code == CURLE_OUT_OF_MEMORY && request->sends > 0 &&
	       request->body.received == 0 &&
	       !buffer_failed(&request->body.kept);
}

/* Whether the framing is broken; only libcurl's words tell. */
static bool
has_bad_chunk(const struct call_request *request)
{
	return strstr(request->detail, "chunk") != NULL;
}

/* The same of the trailer. */
static bool
has_endless_trailer(const struct call_request *request, CURLcode code)
{
	return code == CURLE_RECV_ERROR && has_bad_chunk(request) &&
	       strstr(request->detail, "memory") != NULL;
}

static enum answer_kind
kind_of(const struct call_request *request, CURLcode code)
{
	bool sent = request->sends > 0;

	switch (code) {
	case CURLE_OK:
		/* An end within the header is none for libcurl 7.88. */
		return request->reply.open ? ANSWER_RESET : ANSWER_HTTP;
	case CURLE_OUT_OF_MEMORY:
		return has_endless_line(request, code) ? ANSWER_GARBLED
						       : ANSWER_NO_MEMORY;
	case CURLE_WRITE_ERROR:
		return kind_of_write(request);
	case CURLE_COULDNT_CONNECT:
		return is_lost(request) ? ANSWER_RESET
					: kind_of_connect(request);
	case CURLE_COULDNT_RESOLVE_HOST:
		return is_lost(request) ? ANSWER_RESET : ANSWER_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return sent ? ANSWER_TIMEOUT : ANSWER_UNREACHABLE;
	case CURLE_ABORTED_BY_CALLBACK:
		return sent ? ANSWER_RESET : ANSWER_FORBIDDEN;
	case CURLE_RECV_ERROR:
		return has_bad_chunk(request) ? ANSWER_GARBLED : ANSWER_RESET;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return ANSWER_RESET;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return sent ? ANSWER_RESET : ANSWER_TLS;
	default:
		return sent ? ANSWER_GARBLED : ANSWER_UNREACHABLE;
	}
}

/* Whether the server has said that it did not look at the request. */
static bool
is_refused(const struct call_request *request, enum answer_kind kind)
{
	return kind == ANSWER_RESET &&
	       (request->unsent || request->stream.beyond);
}

/* Where libcurl cannot know the reason; NULL: it can. */
static const char *
reason_of(const struct call_request *request, CURLcode code)
{
	if (code == CURLE_OK)
		return "the connection ended within the answer's header";
	if (code == CURLE_ABORTED_BY_CALLBACK && request->unsent)
		return "the server refuses to look at the request";
	if (code == CURLE_ABORTED_BY_CALLBACK ||
	    (code == CURLE_COULDNT_CONNECT && is_lost(request)) ||
	    (code == CURLE_COULDNT_RESOLVE_HOST && is_lost(request)))
		return "a kept connection died under the request";
	if (request->reply.wrong != NULL)
		return request->reply.wrong;
	if (has_endless_line(request, code))
		return "a line of the answer's header is too long";
	if (has_endless_trailer(request, code))
		return "a line of the answer's trailer is too long";
	return NULL;
}

/* One line of printable characters. */
static const char *
detail_of(struct call_request *request, CURLcode code, enum answer_kind kind)
{
	const char *reason = reason_of(request, code);
	char text[sizeof(request->detail)], *c;

	if (kind == ANSWER_FORBIDDEN) {
		call_permit_explain(&request->permit, text, sizeof(text));
		reason = text;
	} else if (reason == NULL &&
		   call_trouble_explain(request, code, text, sizeof(text))) {
		reason = text;
	} else if (reason == NULL && request->detail[0] == '\0') {
		reason = curl_easy_strerror(code);
	}
	if (reason != NULL)
		snprintf(
		    request->detail, sizeof(request->detail), "%s", reason);
	for (c = request->detail; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return request->detail;
}

/*
 * Whether it is no result because it is encoded, which nobody asked for.  There
 * are servers that say "utf-8" there and mean nothing: only what cannot be read
 * counts.
 */
static bool
is_encoded(const struct call_request *request, const struct call_answer *answer)
{
	struct svc_error why;
	struct result result;

	return request->reply.coding[0] != '\0' &&
	       answer->kind == ANSWER_HTTP && answer->status / 100 == 2 &&
	       result_read(&result, 0, answer->content_type, answer->body,
		   answer->body_length, &why) == -1 &&
	       why.code == EX_PROTOCOL;
}

/* Says so instead of what is wrong with the bytes. */
static void
take_encoded(struct call_answer *answer, struct call_request *request)
{
	answer->kind = ANSWER_GARBLED;
	answer->detail = request->detail;
	snprintf(request->detail, sizeof(request->detail),
	    "the answer has Content-Encoding '%s', which is not decoded",
	    request->reply.coding);
}

void
call_answer_fill(
    struct call_answer *answer, struct call_request *request, CURLcode code)
{
	curl_off_t microseconds = 0;
	char *type = NULL;

	memset(answer, 0, sizeof(*answer));
	answer->kind = kind_of(request, code);
	answer->sent = request->sends > 0 && !is_refused(request, answer->kind);
	answer->status = call_request_status(request);
	/* What is only an interim answer is none. */
	if (answer->kind != ANSWER_HTTP && answer->status < 200)
		answer->status = 0;
	answer->retry_after = -1;
	if (answer->status == 503 || answer->status == 429)
		answer->retry_after = request->reply.retry_after;
	curl_easy_getinfo(
	    request->handle, CURLINFO_TOTAL_TIME_T, &microseconds);
	answer->ms = (double)microseconds / 1000;
	curl_easy_getinfo(request->handle, CURLINFO_CONTENT_TYPE, &type);
	answer->content_type = type;
	answer->store = &request->body.kept;
	answer->body = answer->store->data == NULL ? "" : answer->store->data;
	answer->body_length = answer->store->length;
	answer->received = request->body.received;
	answer->detail = answer->kind == ANSWER_HTTP
			     ? ""
			     : detail_of(request, code, answer->kind);
	if (is_encoded(request, answer))
		take_encoded(answer, request);
}

void
call_answer_unbegun(struct call_answer *answer, struct call_request *request)
{
	memset(answer, 0, sizeof(*answer));
	answer->kind = request->unbegun;
	answer->retry_after = -1;
	answer->body = "";
	if (answer->kind == ANSWER_FORBIDDEN)
		call_permit_explain(
		    &request->permit, request->detail, sizeof(request->detail));
	else
		snprintf(request->detail, sizeof(request->detail),
		    "no connection in time");
	answer->detail = request->detail;
}
