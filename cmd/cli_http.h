/*
 * How servers are talked to, as options say it, for every utility that calls:
 * its rows are OPTION_ROWS_HTTP.
 */
#ifndef SVCKIT_CMD_CLI_HTTP_H
#define SVCKIT_CMD_CLI_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"
#include "line/buffer.h"
#include "net/call.h"

/* All zero: nothing was said. */
struct cli_http {
	const char **headers; /* NULL at the end; NULL: none */
	size_t header_count;
	struct call_security security; /* token points into token */
	struct buffer token;
};

/* Takes an option of OPTION_ROWS_HTTP, or exits; false: it is none of them. */
bool cli_http_option(const struct cli *cli, int option, struct cli_http *http);

/*
 * Exits with 64 where options exclude each other: a token and a header
 * Authorization; a key without its certificate.
 */
void cli_http_check(const struct cli *cli, const struct cli_http *http);

/* The Content-Type among the headers, or NULL. */
const char *cli_http_content_type(const struct cli_http *http);

/* What strings point to is wiped and freed. */
void cli_http_release(struct cli_http *http);

#endif
