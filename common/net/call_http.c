#include "net/call_http.h"

#include <bsd/sys/queue.h>
#include <curl/curl.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/task.h"
#include "net/call.h"
#include "net/call_header.h"
#include "net/call_loop.h"
#include "net/call_target.h"

/* Of an answer that is not 2xx, how much is read over before it is cut. */
#define ERROR_READ_MAX (64UL * 1024)
/* What a request keeps of its memory for the next one. */
#define BODY_KEPT (64UL * 1024)
/* A host that says nothing at all should not eat the whole deadline. */
#define CONNECT_TIMEOUT_MS 5000L
/* Shorter than servers keep idle connections (nginx 75 s, others 60). */
#define IDLE_AGE_S 20L

struct call_request {
	struct call_http *http;
	CURL *handle;
	struct call_target *target; /* that the handle is set up for, or NULL */
	void *argument;
	struct call_header header;
	char *body;
	size_t length;
	size_t capacity;
	int sends; /* times libcurl was about to send */
	bool over; /* the answer is larger than the limit */
	bool cut; /* enough of an error was read */
	bool no_memory;
	bool foreign; /* the unix socket belongs to somebody else */
	uid_t foreigner;
	char detail[CURL_ERROR_SIZE];
	LIST_ENTRY(call_request) link;
};

struct call_http {
	struct call_loop loop;
	struct call_http_options options;
	struct call_headers headers;
	LIST_HEAD(, call_request) idle;
	LIST_HEAD(, call_request) busy;
};

static long
status_of(const struct call_request *request)
{
	long status = 0;

	curl_easy_getinfo(request->handle, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* Room for length more bytes of the answer, never over the limit. */
static int
grow(struct call_request *request, size_t length)
{
	size_t limit = request->http->options.max_result;
	size_t need = request->length + length, capacity;
	char *grown;

	if (need <= request->capacity)
		return 0;
	capacity = request->capacity * 2;
	if (capacity < 4096)
		capacity = 4096;
	if (capacity > limit)
		capacity = limit;
	if (capacity < need)
		capacity = need;
	grown = realloc(request->body, capacity);
	if (grown == NULL)
		return -1;
	request->body = grown;
	request->capacity = capacity;
	return 0;
}

/* The beginning of what a server says beside an error. */
static size_t
take_error(struct call_request *request, const char *data, size_t length)
{
	size_t room = request->length < ERROR_BODY_MAX
			  ? ERROR_BODY_MAX - request->length
			  : 0;

	if (room > length)
		room = length;
	if (room > 0 && grow(request, room) == -1) {
		request->no_memory = true;
		return 0;
	}
	if (room > 0)
		memcpy(request->body + request->length, data, room);
	request->length += length;
	request->cut = request->length > ERROR_READ_MAX;
	return request->cut ? 0 : length;
}

static size_t
take_body(char *data, size_t size, size_t count, void *argument)
{
	struct call_request *request = argument;
	size_t length = size * count;

	if (length == 0)
		return 0;
	if (status_of(request) / 100 != 2)
		return take_error(request, data, length);
	if (length > request->http->options.max_result - request->length) {
		request->over = true;
		return 0;
	}
	if (grow(request, length) == -1) {
		request->no_memory = true;
		return 0;
	}
	memcpy(request->body + request->length, data, length);
	request->length += length;
	return length;
}

/*
 * libcurl calls this each time it is about to send.  A second time means that
 * a kept connection died under the request: whether the server has executed it
 * cannot be known.
 */
static int
before_send(
    void *argument, char *remote, char *local, int remote_port, int local_port)
{
	struct call_request *request = argument;

	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	return ++request->sends > 1 ? CURL_PREREQFUNC_ABORT
				    : CURL_PREREQFUNC_OK;
}

static curl_socket_t
open_socket(void *argument, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct call_request *request = argument;

	(void)purpose;
	if (address->family == AF_UNIX &&
	    !call_target_trusted(
		request->target, &address->addr, &request->foreigner)) {
		request->foreign = true;
		return CURL_SOCKET_BAD;
	}
	return call_loop_socket(&request->http->loop, address);
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
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(MAXAGE_CONN, IDLE_AGE_S);
	SET(CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	SET(ERRORBUFFER, request->detail);
	SET(WRITEFUNCTION, take_body);
	SET(WRITEDATA, request);
	SET(PREREQFUNCTION, before_send);
	SET(PREREQDATA, request);
	SET(POST, 1L);
#undef SET
	if (code != CURLE_OK)
		return -1;
	return call_loop_adopt(
	    &request->http->loop, handle, open_socket, request);
}

static struct call_request *
new_request(struct call_http *http)
{
	struct call_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->http = http;
	request->handle = curl_easy_init();
	if (request->handle == NULL || set_up(request) == -1) {
		curl_easy_cleanup(request->handle);
		free(request);
		return NULL;
	}
	LIST_INSERT_HEAD(&http->idle, request, link);
	return request;
}

static void
free_request(struct call_request *request)
{
	LIST_REMOVE(request, link);
	curl_easy_cleanup(request->handle);
	free(request->body);
	free(request);
}

static int
aim(struct call_request *request, struct call_target *target)
{
	CURLcode code;

	if (request->target == target)
		return 0;
	code = curl_easy_setopt(
	    request->handle, CURLOPT_UNIX_SOCKET_PATH, target->socket);
	code |= curl_easy_setopt(request->handle, CURLOPT_CURLU, target->url);
	request->target = code == CURLE_OK ? target : NULL;
	return code == CURLE_OK ? 0 : -1;
}

static int
prepare(struct call_request *request, const struct call_post *post)
{
	CURL *handle = request->handle;
	struct curl_slist *list;
	CURLcode code;

	request->argument = post->argument;
	request->length = 0;
	request->sends = 0;
	request->over = request->cut = request->no_memory = false;
	request->foreign = false;
	request->detail[0] = '\0';
	if (aim(request, post->target) == -1)
		return -1;
	list = call_header_fill(&request->header, &request->http->headers,
	    post->id, post->deadline, post->content_type, post->body.length);
	code = curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
	code |= curl_easy_setopt(handle, CURLOPT_POSTFIELDS, post->body.data);
	code |= curl_easy_setopt(
	    handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.length);
	code |= curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS,
	    (long)ceil(fmin(fmax(post->timeout * 1000, 1), 1e9)));
	return code == CURLE_OK ? 0 : -1;
}

int
call_http_post(struct call_http *http, const struct call_post *post,
    struct call_request **request, struct svc_error *error)
{
	struct call_request *idle = LIST_FIRST(&http->idle);

	if (idle == NULL)
		idle = new_request(http);
	if (idle == NULL || prepare(idle, post) == -1 ||
	    curl_multi_add_handle(http->loop.multi, idle->handle) != CURLM_OK)
		return svc_error_set(error, EX_OSERR, "out of memory");
	LIST_REMOVE(idle, link);
	LIST_INSERT_HEAD(&http->busy, idle, link);
	http->loop.due = true;
	*request = idle;
	return 0;
}

static void
put_away(struct call_request *request)
{
	curl_multi_remove_handle(request->http->loop.multi, request->handle);
	LIST_REMOVE(request, link);
	LIST_INSERT_HEAD(&request->http->idle, request, link);
	if (request->capacity > BODY_KEPT) {
		free(request->body);
		request->body = NULL;
		request->capacity = 0;
	}
}

void
call_http_cancel(struct call_http *http, struct call_request *request)
{
	(void)http;
	put_away(request);
}

static enum answer_kind
kind_of_connect(const struct call_request *request)
{
	long number = 0;

	if (request->foreign)
		return ANSWER_UNREACHABLE;
	curl_easy_getinfo(request->handle, CURLINFO_OS_ERRNO, &number);
	if (number == ECONNREFUSED)
		return ANSWER_REFUSED;
	/* A unix socket: not there, or its queue is full. */
	if (request->target->socket != NULL &&
	    (number == ENOENT || number == EAGAIN || number == 0))
		return ANSWER_REFUSED;
	return ANSWER_UNREACHABLE;
}

static enum answer_kind
kind_of_write(const struct call_request *request)
{
	if (request->no_memory)
		return ANSWER_NO_MEMORY;
	if (request->over)
		return ANSWER_TOO_LARGE;
	return request->cut ? ANSWER_HTTP : ANSWER_GARBLED;
}

static enum answer_kind
kind_of(const struct call_request *request, CURLcode code)
{
	bool sent = request->sends > 0;

	switch (code) {
	case CURLE_OK:
		return ANSWER_HTTP;
	case CURLE_OUT_OF_MEMORY:
		return ANSWER_NO_MEMORY;
	case CURLE_WRITE_ERROR:
		return kind_of_write(request);
	case CURLE_COULDNT_CONNECT:
		return kind_of_connect(request);
	case CURLE_OPERATION_TIMEDOUT:
		return sent ? ANSWER_TIMEOUT : ANSWER_UNREACHABLE;
	case CURLE_ABORTED_BY_CALLBACK:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
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

/* Libcurl's words, in one line of printable characters. */
static const char *
detail_of(struct call_request *request, CURLcode code)
{
	char *c;

	if (request->foreign)
		snprintf(request->detail, sizeof(request->detail),
		    "the socket belongs to user %u",
		    (unsigned)request->foreigner);
	else if (code == CURLE_ABORTED_BY_CALLBACK)
		snprintf(request->detail, sizeof(request->detail),
		    "a kept connection died under the request");
	else if (request->detail[0] == '\0')
		snprintf(request->detail, sizeof(request->detail), "%s",
		    curl_easy_strerror(code));
	for (c = request->detail; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return request->detail;
}

static double
retry_after(const struct call_request *request)
{
	struct curl_header *header;
	curl_off_t seconds = 0;

	if (curl_easy_header(request->handle, "Retry-After", 0, CURLH_HEADER,
		-1, &header) != CURLHE_OK)
		return -1;
	curl_easy_getinfo(request->handle, CURLINFO_RETRY_AFTER, &seconds);
	return seconds > 0 ? (double)seconds : 0;
}

static void
fill_answer(
    struct call_request *request, CURLcode code, struct call_answer *answer)
{
	curl_off_t microseconds = 0;
	char *type = NULL;

	memset(answer, 0, sizeof(*answer));
	answer->kind = kind_of(request, code);
	answer->sent = request->sends > 0;
	answer->status = status_of(request);
	answer->retry_after = -1;
	if (answer->status == 503 || answer->status == 429)
		answer->retry_after = retry_after(request);
	curl_easy_getinfo(
	    request->handle, CURLINFO_TOTAL_TIME_T, &microseconds);
	answer->ms = (double)microseconds / 1000;
	curl_easy_getinfo(request->handle, CURLINFO_CONTENT_TYPE, &type);
	answer->content_type = type;
	answer->body = request->body == NULL ? "" : request->body;
	answer->body_length = request->length;
	if (answer->status / 100 != 2 && answer->body_length > ERROR_BODY_MAX)
		answer->body_length = ERROR_BODY_MAX;
	answer->detail = code == CURLE_OK ? "" : detail_of(request, code);
}

/* After each step of libcurl. */
static void
turn(void *argument)
{
	struct call_http *http = argument;
	struct call_request *request;
	struct call_answer answer;
	CURLMsg *message;
	CURLcode code;
	char *private;
	int left;

	while (
	    (message = curl_multi_info_read(http->loop.multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result;
		curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, &private);
		request = (void *)private;
		fill_answer(request, code, &answer);
		http->options.ended(request->argument, &answer);
		put_away(request);
	}
	http->options.settled(http->options.argument);
}

void
call_http_wake(struct call_http *http)
{
	call_loop_wake(&http->loop);
}

void
call_target_free(struct call_http *http, struct call_target *target)
{
	struct call_request *request;

	if (target == NULL)
		return;
	LIST_FOREACH(request, &http->idle, link)
	if (request->target == target)
		request->target = NULL;
	/* The one that ended() is being called for. */
	LIST_FOREACH(request, &http->busy, link)
	if (request->target == target)
		request->target = NULL;
	call_target_release(target);
}

void
call_http_preview(struct call_http *http, const struct call_post *post,
    const char *address, struct buffer *out)
{
	struct call_header header;
	struct curl_slist *list;

	list = call_header_fill(&header, &http->headers, post->id,
	    post->deadline, post->content_type, post->body.length);
	buffer_append_string(out, "\"url\":");
	json_append_string(out, address, strlen(address));
	buffer_append_string(out, ",\"headers\":");
	call_header_print(list, out);
	buffer_append_format(out, ",\"bytes\":%zu", post->body.length);
}

int
call_http_open(struct call_http **http, struct event_base *base,
    const struct call_http_options *options, struct svc_error *error)
{
	struct call_http *made;

	*http = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return svc_error_set(
		    error, EX_SOFTWARE, "libcurl does not start");
	made = calloc(1, sizeof(*made));
	if (made == NULL) {
		curl_global_cleanup();
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	LIST_INIT(&made->idle);
	LIST_INIT(&made->busy);
	made->options = *options;
	if (call_headers_init(&made->headers, options->headers, error) == -1 ||
	    call_loop_open(&made->loop, base, turn, made, error) == -1) {
		call_http_close(made);
		return -1;
	}
	/* Enough that a full round over busy instances reuses connections. */
	curl_multi_setopt(made->loop.multi, CURLMOPT_MAXCONNECTS,
	    (long)(options->jobs < 8 ? 16 : options->jobs * 2));
	*http = made;
	return 0;
}

void
call_http_close(struct call_http *http)
{
	struct call_request *request;

	if (http == NULL)
		return;
	while ((request = LIST_FIRST(&http->busy)) != NULL)
		put_away(request);
	while ((request = LIST_FIRST(&http->idle)) != NULL)
		free_request(request);
	call_loop_close(&http->loop);
	call_headers_release(&http->headers);
	free(http);
	curl_global_cleanup();
}
