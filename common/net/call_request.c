#include "net/call_request.h"

#include <math.h>
#include <stdlib.h>

#include "line/units.h"

/* Shorter than servers keep idle connections (nginx 75 s, others 60). */
#define IDLE_AGE_S 20L
/* How often one request may be sent where the server has refused it unseen. */
#define SENDS_MAX 3

long
call_request_status(const struct call_request *request)
{
	long status = 0;

	curl_easy_getinfo(request->handle, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/*
 * libcurl writes its texts for take_text(), which is about HTTP/2 alone, and
 * that takes time.
 */
static void
listen_to(struct call_request *request, bool on)
{
	if (request->http2)
		curl_easy_setopt(
		    request->handle, CURLOPT_VERBOSE, on ? 1L : 0L);
}

static size_t
take_header(char *data, size_t size, size_t count, void *argument)
{
	struct call_request *request = argument;
	size_t length = size * count;

	/* What is answered is not refused. */
	if (request->reply.bytes == 0)
		listen_to(request, false);
	return call_reply_line(&request->reply, data, length) ? length : 0;
}

static size_t
take_body(char *data, size_t size, size_t count, void *argument)
{
	struct call_request *request = argument;
	struct call_body *body = &request->body;
	size_t length = size * count;
	bool more;

	if (length == 0)
		return 0;
	more = call_request_status(request) / 100 == 2
		   ? call_body_result(
			 body, data, length, request->http->options.max_result)
		   : call_body_error(body, data, length);
	return more ? length : 0;
}

/*
 * libcurl calls this each time it is about to send.  A second time means that
 * a kept connection died under the request, and nobody knows whether the server
 * has executed it; or that the server refused it unseen: then it may go again.
 * A handle's sixth time in all libcurl takes for an error: no such handle is
 * used again.
 */
static int
before_send(
    void *argument, char *remote, char *local, int remote_port, int local_port)
{
	struct call_request *request = argument;
	bool refused = request->stream.refused;

	(void)local;
	request->worn = request->sends > 0;
	if (request->sends > 0 && (!refused || request->sends >= SENDS_MAX)) {
		request->unsent = refused;
		return CURL_PREREQFUNC_ABORT;
	}
	if (!call_permit_send(&request->permit, request->http->options.security,
		request->target, remote))
		return CURL_PREREQFUNC_ABORT;
	(void)call_hold_free(&request->http->hold, request);
	listen_to(request, true);
	call_stream_begin(&request->stream, remote, remote_port, local_port);
	request->sends++;
	return CURL_PREREQFUNC_OK;
}

static int
take_text(
    CURL *handle, curl_infotype type, char *data, size_t size, void *argument)
{
	struct call_request *request = argument, *other;
	uint32_t last;

	(void)handle;
	if (type != CURLINFO_TEXT || call_stream_text(&request->stream, data,
					 size, &last) != STREAM_GOAWAY)
		return 0;
	LIST_FOREACH(other, &request->http->busy, link)
	call_stream_goaway(&other->stream, &request->stream, last);
	return 0;
}

static curl_socket_t
open_socket(void *argument, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct call_request *request = argument;
	struct call_http *http = request->http;

	(void)purpose;
	if (!call_permit_connect(&request->permit, http->options.security,
		request->target, &address->addr))
		return CURL_SOCKET_BAD;
	return call_loop_socket(&http->loop, address);
}

/* What is the same for all requests of a handle.  DESIGN section 9. */
static int
set_up(struct call_request *request)
{
	CURL *handle = request->handle;
	CURLcode code = CURLE_OK;

#define SET(option, value) \
	(code |= curl_easy_setopt(handle, CURLOPT_##option, (value)))
	SET(PRIVATE, request);
	SET(PROTOCOLS_STR, "http,https");
	SET(FOLLOWLOCATION, 0L);
	SET(PROXY, "");
	SET(NOSIGNAL, 1L);
	SET(TCP_NODELAY, 1L);
	SET(MAXAGE_CONN, IDLE_AGE_S);
	SET(CONNECTTIMEOUT_MS, (long)(CALL_CONNECT_TIMEOUT * 1000));
	/* Else the loop would wait for a name server that does not answer. */
	SET(QUICK_EXIT, 1L);
	SET(ERRORBUFFER, request->detail);
	SET(HEADERFUNCTION, take_header);
	SET(HEADERDATA, request);
	SET(WRITEFUNCTION, take_body);
	SET(WRITEDATA, request);
	SET(PREREQFUNCTION, before_send);
	SET(PREREQDATA, request);
	SET(DEBUGFUNCTION, take_text);
	SET(DEBUGDATA, request);
	SET(POST, 1L);
#undef SET
	if (code != CURLE_OK ||
	    call_tls_set_up(&request->http->tls, handle) == -1)
		return -1;
	return call_loop_adopt(
	    &request->http->loop, handle, open_socket, request);
}

struct call_request *
call_request_new(struct call_http *http)
{
	struct call_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->http = http;
	request->handle = curl_easy_init();
	if (request->handle == NULL || set_up(request) == -1) {
		call_request_free(request);
		return NULL;
	}
	return request;
}

void
call_request_free(struct call_request *request)
{
	curl_easy_cleanup(request->handle);
	call_body_release(&request->body);
	free(request);
}

static int
aim(struct call_request *request, struct call_target *target)
{
	bool http2 = target->tls && !request->http->options.security->http1;
	CURL *handle = request->handle;
	CURLcode code;

	if (request->target == target)
		return 0;
	code =
	    curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, target->socket);
	code |= curl_easy_setopt(handle, CURLOPT_CURLU, target->url);
	code |= curl_easy_setopt(handle, CURLOPT_HTTP_VERSION,
	    (long)(http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	request->http2 = http2;
	request->target = code == CURLE_OK ? target : NULL;
	return code == CURLE_OK ? 0 : -1;
}

int
call_request_limit(struct call_request *request, double seconds)
{
	CURLcode code;

	request->timeout = seconds;
	code = curl_easy_setopt(request->handle, CURLOPT_TIMEOUT_MS,
	    (long)ceil(fmin(fmax(seconds * 1000, 1), 1e9)));
	return code == CURLE_OK ? 0 : -1;
}

int
call_request_prepare(struct call_request *request, const struct call_post *post)
{
	CURL *handle = request->handle;
	struct curl_slist *list;
	CURLcode code;

	request->argument = post->argument;
	request->sends = 0;
	request->unsent = request->worn = false;
	request->detail[0] = '\0';
	listen_to(request, false);
	call_stream_reset(&request->stream);
	call_reply_reset(&request->reply);
	if (aim(request, post->target) == -1)
		return -1;
	list =
	    call_header_fill(&request->header, &request->http->headers, post);
	code = curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
	code |= curl_easy_setopt(handle, CURLOPT_POSTFIELDS, post->body.data);
	code |= curl_easy_setopt(
	    handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.length);
	if (code != CURLE_OK)
		return -1;
	if (request->http2)
		request->expires = time_monotonic() + post->timeout;
	return call_request_limit(request, post->timeout);
}
