#include "net/call_http.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/call_answer.h"
#include "net/call_request.h"

static void
move(struct call_request *request, struct call_requests *list)
{
	LIST_REMOVE(request, link);
	LIST_INSERT_HEAD(list, request, link);
}

static int
start(struct call_request *request)
{
	struct call_http *http = request->http;

	if (curl_multi_add_handle(http->loop.multi, request->handle) !=
	    CURLM_OK)
		return -1;
	http->loop.due = true;
	return 0;
}

int
call_http_post(struct call_http *http, const struct call_post *post,
    struct call_request **request, struct svc_error *error)
{
	struct call_request *idle = LIST_FIRST(&http->idle);

	if (idle == NULL) {
		idle = call_request_new(http);
		if (idle == NULL)
			return svc_error_set(error, EX_OSERR, "out of memory");
		LIST_INSERT_HEAD(&http->idle, idle, link);
	}
	if (call_request_prepare(idle, post) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (!call_permit_begin(
		&idle->permit, http->options.security, post->told)) {
		idle->unbegun = ANSWER_FORBIDDEN;
		move(idle, &http->unbegun);
		http->loop.due = true;
	} else if (call_hold_wanted(idle)) {
		LIST_REMOVE(idle, link);
		call_hold_add(&http->hold, idle);
	} else {
		if (start(idle) == -1) {
			(void)call_hold_free(&http->hold, idle);
			return svc_error_set(error, EX_OSERR, "out of memory");
		}
		move(idle, &http->busy);
	}
	*request = idle;
	return 0;
}

static void
put_away(struct call_request *request)
{
	curl_multi_remove_handle(request->http->loop.multi, request->handle);
	call_body_reset(&request->body);
	if (request->http2 && call_hold_free(&request->http->hold, request))
		call_http_wake(request->http);
	if (request->worn) {
		LIST_REMOVE(request, link);
		call_request_free(request);
		return;
	}
	move(request, &request->http->idle);
}

bool
call_http_cancel(struct call_http *http, struct call_request *request)
{
	bool sent = request->sends > 0;

	(void)http;
	put_away(request);
	return sent;
}

static void
end(struct call_request *request, const struct call_answer *answer)
{
	request->http->options.ended(request->argument, answer);
	put_away(request);
}

static void
end_unbegun(struct call_http *http)
{
	struct call_request *request;
	struct call_answer answer;

	while ((request = LIST_FIRST(&http->unbegun)) != NULL) {
		/* One that ended() is called for is among the busy ones. */
		move(request, &http->busy);
		call_answer_unbegun(&answer, request);
		end(request, &answer);
	}
}

static void
give_up(struct call_request *request, enum answer_kind kind)
{
	request->unbegun = kind;
	move(request, &request->http->unbegun);
}

/* Those that were held, and need not wait any more. */
static void
take_held(struct call_http *http)
{
	struct call_requests ready, late;
	struct call_request *request;
	double now;

	LIST_INIT(&ready);
	LIST_INIT(&late);
	call_hold_sweep(&http->hold, &ready, &late);
	if (LIST_EMPTY(&ready) && LIST_EMPTY(&late))
		return;
	now = time_monotonic();
	while ((request = LIST_FIRST(&ready)) != NULL) {
		if (call_request_limit(request, request->expires - now) == -1 ||
		    start(request) == -1)
			give_up(request, ANSWER_NO_MEMORY);
		else
			move(request, &http->busy);
	}
	while ((request = LIST_FIRST(&late)) != NULL)
		give_up(request, ANSWER_UNREACHABLE);
}

/* What a server that could have spoken HTTP/2 has answered in. */
static void
learn_version(struct call_request *request)
{
	long version = 0;

	curl_easy_getinfo(request->handle, CURLINFO_HTTP_VERSION, &version);
	if (version == CURL_HTTP_VERSION_1_0 ||
	    version == CURL_HTTP_VERSION_1_1)
		request->target->http1 = true;
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
		if (request->http2 && code == CURLE_OK)
			learn_version(request);
		call_answer_fill(&answer, request, code);
		end(request, &answer);
	}
	take_held(http);
	end_unbegun(http);
	http->options.settled(http->options.argument);
}

void
call_http_wake(struct call_http *http)
{
	call_loop_wake(&http->loop);
}

/* Handles of the list are to be set up anew for whatever comes. */
static void
forget_target(struct call_requests *list, const struct call_target *target)
{
	struct call_request *request;

	LIST_FOREACH(request, list, link)
	if (request->target == target)
		request->target = NULL;
}

void
call_target_free(struct call_http *http, struct call_target *target)
{
	if (target == NULL)
		return;
	forget_target(&http->idle, target);
	/* The one that ended() is being called for. */
	forget_target(&http->busy, target);
	call_target_release(target);
}

void
call_http_preview(struct call_http *http, const struct call_post *post,
    const char *address, struct buffer *out)
{
	struct call_header header;
	struct curl_slist *list;

	list = call_header_fill(&header, &http->headers, post);
	buffer_append_string(out, "\"url\":");
	json_append_string(out, address, strlen(address));
	buffer_append_string(out, ",\"headers\":");
	call_header_print(&http->headers, list, out);
	buffer_append_format(out, ",\"bytes\":%zu", post->body.length);
}

static int
open_parts(
    struct call_http *http, struct event_base *base, struct svc_error *error)
{
	const struct call_http_options *options = &http->options;

	if (call_headers_init(&http->headers, options, error) == -1 ||
	    call_tls_open(&http->tls, options->security, error) == -1 ||
	    call_loop_open(&http->loop, base, turn, http, error) == -1 ||
	    call_hold_open(&http->hold, &http->loop, error) == -1)
		return -1;
	/* Enough that a full round over busy instances reuses connections. */
	curl_multi_setopt(http->loop.multi, CURLMOPT_MAXCONNECTS,
	    (long)(options->jobs < 8 ? 16 : options->jobs * 2));
	/* Else 100, also where the server takes more on one connection. */
	curl_multi_setopt(http->loop.multi, CURLMOPT_MAX_CONCURRENT_STREAMS,
	    (long)options->jobs);
	return 0;
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
	LIST_INIT(&made->hold.requests);
	LIST_INIT(&made->unbegun);
	made->options = *options;
	if (open_parts(made, base, error) == -1) {
		call_http_close(made);
		return -1;
	}
	*http = made;
	return 0;
}

void
call_http_close(struct call_http *http)
{
	struct call_request *request;

	if (http == NULL)
		return;
	while ((request = LIST_FIRST(&http->busy)) != NULL ||
	       (request = LIST_FIRST(&http->hold.requests)) != NULL ||
	       (request = LIST_FIRST(&http->unbegun)) != NULL)
		put_away(request);
	while ((request = LIST_FIRST(&http->idle)) != NULL) {
		LIST_REMOVE(request, link);
		call_request_free(request);
	}
	call_hold_close(&http->hold);
	call_loop_close(&http->loop);
	call_tls_close(&http->tls);
	call_headers_release(&http->headers);
	free(http);
	curl_global_cleanup();
}
