#include "net/call_http.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "net/call_answer.h"
#include "net/call_request.h"

static void
move(struct call_request *request, struct call_requests *list)
{
	LIST_REMOVE(request, link);
	LIST_INSERT_HEAD(list, request, link);
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
		move(idle, &http->denied);
	} else {
		if (curl_multi_add_handle(http->loop.multi, idle->handle) !=
		    CURLM_OK)
			return svc_error_set(error, EX_OSERR, "out of memory");
		move(idle, &http->busy);
	}
	http->loop.due = true;
	*request = idle;
	return 0;
}

static void
put_away(struct call_request *request)
{
	curl_multi_remove_handle(request->http->loop.multi, request->handle);
	call_body_reset(&request->body);
	if (request->worn) {
		LIST_REMOVE(request, link);
		call_request_free(request);
		return;
	}
	move(request, &request->http->idle);
}

void
call_http_cancel(struct call_http *http, struct call_request *request)
{
	(void)http;
	put_away(request);
}

static void
end(struct call_request *request, const struct call_answer *answer)
{
	request->http->options.ended(request->argument, answer);
	put_away(request);
}

static void
end_denied(struct call_http *http)
{
	struct call_request *request;
	struct call_answer answer;

	while ((request = LIST_FIRST(&http->denied)) != NULL) {
		/* One that ended() is called for is among the busy ones. */
		move(request, &http->busy);
		call_answer_denied(&answer, request);
		end(request, &answer);
	}
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

	end_denied(http);
	while (
	    (message = curl_multi_info_read(http->loop.multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result;
		curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, &private);
		request = (void *)private;
		call_answer_fill(&answer, request, code);
		end(request, &answer);
	}
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
	    call_loop_open(&http->loop, base, turn, http, error) == -1)
		return -1;
	/* Enough that a full round over busy instances reuses connections. */
	curl_multi_setopt(http->loop.multi, CURLMOPT_MAXCONNECTS,
	    (long)(options->jobs < 8 ? 16 : options->jobs * 2));
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
	LIST_INIT(&made->denied);
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
	       (request = LIST_FIRST(&http->denied)) != NULL)
		put_away(request);
	while ((request = LIST_FIRST(&http->idle)) != NULL) {
		LIST_REMOVE(request, link);
		call_request_free(request);
	}
	call_loop_close(&http->loop);
	call_tls_close(&http->tls);
	call_headers_release(&http->headers);
	free(http);
	curl_global_cleanup();
}
