#include "net/call_trouble.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "line/units.h"
#include "net/call_request.h"

/* What OpenSSL has in front of its reasons, behind a number. */
#define ROUTINES "SSL routines:"

/* "could not resolve 'db.example'", and more behind it. */
static bool
explain_resolving(const struct call_request *request, const char *more,
    char *text, size_t size)
{
	char *host = NULL;

	if (request->target->socket != NULL)
		return false;
	if (curl_url_get(request->target->url, CURLUPART_HOST, &host, 0) !=
	    CURLUE_OK)
		return false;
	snprintf(text, size, "could not resolve '%s'%s", host, more);
	curl_free(host);
	return true;
}

/* errno's text as a clause: "connection refused". */
static bool
explain_errno(int number, char *text, size_t size)
{
	if (number == 0 || size == 0)
		return false;
	snprintf(text, size, "%s", strerror(number));
	if (text[0] >= 'A' && text[0] <= 'Z')
		text[0] += 'a' - 'A';
	return true;
}

static bool
explain_connecting(const struct call_request *request, char *text, size_t size)
{
	const char *path = request->target->socket;
	long number = 0;

	curl_easy_getinfo(request->handle, CURLINFO_OS_ERRNO, &number);
	if (path == NULL || (number != ENOENT && number != 0))
		return explain_errno((int)number, text, size);
	/* EAGAIN, which libcurl takes for a beginning, is lost on it. */
	if (number == 0)
		snprintf(text, size, "the queue of its socket is full");
	else
		snprintf(text, size, "no socket at '%s'", path);
	return true;
}

static bool
explain_timeout(const struct call_request *request, char *text, size_t size)
{
	double limit = request->timeout;
	struct buffer within = BUFFER_INIT;
	curl_off_t resolved = 0;
	const char *string;
	bool done = true;

	if (request->sends == 0 && limit > CALL_CONNECT_TIMEOUT)
		limit = CALL_CONNECT_TIMEOUT;
	buffer_append_string(&within, " within ");
	duration_append(&within, limit);
	string = buffer_string(&within);
	if (string == NULL)
		string = "";
	if (request->reply.bytes > 0)
		snprintf(text, size, "no end of the answer%s", string);
	else if (request->sends > 0)
		snprintf(text, size, "no answer%s", string);
	else if (curl_easy_getinfo(request->handle, CURLINFO_NAMELOOKUP_TIME_T,
		     &resolved) == CURLE_OK &&
		 resolved == 0)
		done = explain_resolving(request, string, text, size);
	else
		snprintf(text, size, "no connection%s", string);
	buffer_release(&within);
	return done;
}

/* The connection, once there was one.  Only libcurl's words tell. */
static bool
explain_loss(const struct call_request *request, char *text, size_t size)
{
	const char *words = request->detail, *reason;

	if (strstr(words, "chunk") != NULL) {
		snprintf(text, size, "the answer's chunks are broken");
	} else if (strstr(words, "reset by peer") != NULL ||
		   strstr(words, "Broken pipe") != NULL) {
		snprintf(text, size, "the server reset the connection");
	} else if (strstr(words, "unexpected eof") != NULL) {
		snprintf(text, size, "the server closed the connection");
	} else if ((reason = strstr(words, ROUTINES)) != NULL) {
		reason += sizeof(ROUTINES) - 1;
		reason += strspn(reason, ":");
		snprintf(text, size, "TLS failed: %.*s",
		    (int)strcspn(reason, ","), reason);
	} else {
		return false;
	}
	return true;
}

static bool
explain_certificate(const struct call_request *request, char *text, size_t size)
{
	static const char problem[] = "problem: ", host[] = "host name '";
	const char *words = request->detail, *reason;

	if ((reason = strstr(words, problem)) != NULL)
		snprintf(text, size, "its certificate is not believed: %s",
		    reason + sizeof(problem) - 1);
	else if ((reason = strstr(words, host)) != NULL)
		snprintf(text, size, "its certificate is for others than '%s",
		    reason + sizeof(host) - 1);
	else
		return false;
	return true;
}

static bool
explain_stream(const struct call_request *request, char *text, size_t size)
{
	const char *reason = strstr(request->detail, "cleanly: ");

	if (reason == NULL)
		return false;
	snprintf(text, size, "the server gave the request up: %s",
	    reason + strlen("cleanly: "));
	return true;
}

bool
call_trouble_explain(
    const struct call_request *request, CURLcode code, char *text, size_t size)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return explain_resolving(request, "", text, size);
	case CURLE_COULDNT_CONNECT:
		return explain_connecting(request, text, size);
	case CURLE_OPERATION_TIMEDOUT:
		return explain_timeout(request, text, size);
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
		return explain_loss(request, text, size);
	case CURLE_PEER_FAILED_VERIFICATION:
		return explain_certificate(request, text, size);
	case CURLE_HTTP2_STREAM:
		return explain_stream(request, text, size);
	case CURLE_GOT_NOTHING:
		snprintf(text, size,
		    "the server closed the connection without an answer");
		return true;
	case CURLE_PARTIAL_FILE:
		snprintf(text, size, "the answer is cut short");
		return true;
	case CURLE_UNSUPPORTED_PROTOCOL:
		snprintf(text, size, "the answer is not HTTP/1.1 or HTTP/2");
		return true;
	default:
		return false;
	}
}
