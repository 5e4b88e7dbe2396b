/* What a handler does with a request: see server.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "line/json.h"
#include "net/server.h"
#include "net/server_connection.h"

/* The title of a status (RFC 9110, 15). */
static const char *
status_title(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {{200, "OK"}, {204, "No Content"}, {400, "Bad Request"},
	    {404, "Not Found"}, {405, "Method Not Allowed"},
	    {408, "Request Timeout"}, {413, "Content Too Large"},
	    {417, "Expectation Failed"}, {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"}, {501, "Not Implemented"},
	    {503, "Service Unavailable"}, {504, "Gateway Timeout"},
	    {505, "HTTP Version Not Supported"}};
	size_t i;

	for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return status < 400 ? "OK" : "Error";
}

const char *
server_request_body(struct server_request *request, size_t *length)
{
	struct evbuffer *body =
	    evhttp_request_get_input_buffer(request->message);

	*length = evbuffer_get_length(body);
	if (*length == 0)
		return "";
	return (const char *)evbuffer_pullup(body, -1);
}

const char *
server_request_header(const struct server_request *request, const char *name)
{
	return evhttp_find_header(
	    evhttp_request_get_input_headers(request->message), name);
}

void
server_request_watch(struct server_request *request,
    void (*gone)(void *argument), void *argument)
{
	request->gone = gone;
	request->argument = argument;
	/* evhttp stops reading while a handler works, and with it seeing the
	 * end; it gets no byte of what comes meanwhile (connection_new()). */
	bufferevent_enable(request->connection->stream, EV_READ);
}

static void
add_headers(struct evkeyvalq *out, const char *const *headers)
{
	char name[64];
	size_t length;

	for (; headers != NULL && *headers != NULL; headers++) {
		length = strcspn(*headers, ":");
		if (length >= sizeof(name))
			continue;
		memcpy(name, *headers, length);
		name[length] = '\0';
		evhttp_add_header(out, name,
		    *headers + length + strspn(*headers + length, ": "));
	}
}

void
server_reply(struct server_request *request, int status,
    const char *content_type, const char *const *headers, const char *body,
    size_t length)
{
	struct connection *connection = request->connection;
	struct evhttp_request *message = request->message;
	struct evkeyvalq *out = evhttp_request_get_output_headers(message);
	struct evbuffer *content = evbuffer_new();
	char number[32];

	connection->request = NULL;
	free(request);
	if (content == NULL ||
	    (length > 0 && evbuffer_add(content, body, length) == -1)) {
		if (content != NULL)
			evbuffer_free(content);
		connection_answering(connection, 0);
		evhttp_send_error(message, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	add_headers(out, headers);
	if (content_type != NULL)
		evhttp_add_header(out, "Content-Type", content_type);
	/* An answer to HEAD says what GET would bring. */
	snprintf(number, sizeof(number), "%zu", length);
	if (status != 204)
		evhttp_add_header(out, "Content-Length", number);
	connection_answering(connection, length);
	evhttp_send_reply(message, status, status_title(status), content);
	evbuffer_free(content);
}

void
server_reply_problem(struct server_request *request, int status,
    const char *const *headers, const char *detail, const char *extra)
{
	struct buffer body = BUFFER_INIT;
	const char *title = status_title(status);

	buffer_append_string(&body, "{\"title\":");
	json_append_string(&body, title, strlen(title));
	buffer_append_format(&body, ",\"status\":%d,\"detail\":", status);
	json_append_string(&body, detail, strlen(detail));
	buffer_append_string(&body, extra == NULL ? "" : extra);
	buffer_append_string(&body, "}\n");
	if (buffer_failed(&body))
		server_reply(request, status, NULL, headers, NULL, 0);
	else
		server_reply(request, status, "application/problem+json",
		    headers, body.data, body.length);
	buffer_release(&body);
}
