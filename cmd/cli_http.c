#include "cli_http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "net/token_file.h"

static void
add_header(const struct cli *cli, struct cli_http *http, const char *header)
{
	struct svc_error error;
	const char **grown;

	if (call_header_check(header, &error) == -1)
		cli_refuse(cli, 'H', "%s", error.message);
	grown =
	    reallocarray(http->headers, http->header_count + 2, sizeof(*grown));
	if (grown == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	http->headers = grown;
	grown[http->header_count++] = header;
	grown[http->header_count] = NULL;
}

static void
forget_token(struct cli_http *http)
{
	if (http->token.data != NULL)
		explicit_bzero(http->token.data, http->token.length);
	buffer_release(&http->token);
	http->security.token = NULL;
}

static void
set_token(struct cli_http *http, const char *path)
{
	struct svc_error error;

	forget_token(http);
	if (token_file_read(path, &http->token, &error) == -1)
		cli_fail(&error);
	http->security.token = http->token.data;
}

bool
cli_http_option(const struct cli *cli, int option, struct cli_http *http)
{
	struct call_security *security = &http->security;

	switch (option) {
	case 'H':
		add_header(cli, http, optarg);
		break;
	case OPTION_HTTP1:
		security->http1 = true;
		break;
	case OPTION_CACERT:
		security->ca_file = optarg;
		break;
	case OPTION_CERT:
		security->cert = optarg;
		break;
	case OPTION_KEY:
		security->key = optarg;
		break;
	case OPTION_TOKEN_FILE:
		set_token(http, optarg);
		break;
	case OPTION_DENY_PRIVATE:
		security->deny_private = true;
		break;
	default:
		return false;
	}
	return true;
}

/* The value of the last header of that name, or NULL. */
static const char *
find_header(const struct cli_http *http, const char *name)
{
	size_t length = strlen(name), i;
	const char *found = NULL;

	for (i = 0; i < http->header_count; i++)
		if (strncasecmp(http->headers[i], name, length) == 0 &&
		    http->headers[i][length] == ':')
			found = http->headers[i] + length + 1;
	return found == NULL ? NULL : found + strspn(found, " \t");
}

void
cli_http_check(const struct cli *cli, const struct cli_http *http)
{
	const struct call_security *security = &http->security;

	if (security->token != NULL &&
	    find_header(http, "Authorization") != NULL)
		cli_usage(cli, "--token-file and a header Authorization "
			       "exclude each other");
	if (security->key != NULL && security->cert == NULL)
		cli_usage(cli, "--key needs --cert");
}

const char *
cli_http_content_type(const struct cli_http *http)
{
	return find_header(http, "Content-Type");
}

void
cli_http_release(struct cli_http *http)
{
	forget_token(http);
	free(http->headers);
}
