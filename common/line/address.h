/*
 * Addresses of instances: the URL that tasks are POSTed to.
 *
 *	http://HOST[:PORT][/PATH]	https://HOST[:PORT][/PATH]
 *	http+unix://SOCKET:/PATH	the socket's path ends at the first ':'
 *
 * On a command line and in records handed in, HOST:PORT is short for
 * http://HOST:PORT/task.  There is no user part and no fragment; HOST is a
 * name, an IPv4 address, or an IPv6 address in brackets.
 */
#ifndef SVCKIT_LINE_ADDRESS_H
#define SVCKIT_LINE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"

#define HOST_MAX    256
#define ADDRESS_MAX 2048 /* bytes of a whole URL, with its NUL */

struct address {
	char host[HOST_MAX]; /* or the socket's path; IPv6 without brackets */
	char
	    port[6]; /* decimal, the scheme's when none stands; "" of sockets */
	const char *path; /* points into the URL; "/" when it has none */
	bool tls;
	bool socket;
};

/*
 * Appends the whole URL of an address: HOST:PORT becomes
 * http://HOST:PORT/task, a URL stays as it is.  EX_USAGE when it is neither;
 * url is then unchanged.
 */
int address_expand(
    const char *address, struct buffer *url, struct svc_error *error);

/*
 * Appends the default id of a whole URL: HOST-PORT, other characters than
 * those of a name as '-' (of a socket: its path).  Always a valid name.
 */
void address_id(const char *url, struct buffer *id);

/* Takes a whole URL apart.  EX_USAGE. */
int address_parse(
    const char *url, struct address *address, struct svc_error *error);

#endif
