/*
 * Inside the call engine: an address, ready for libcurl.
 */
#ifndef SVCKIT_NET_CALL_TARGET_H
#define SVCKIT_NET_CALL_TARGET_H

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/types.h>

#include "net/call_http.h"

struct call_request;
struct sockaddr;

struct call_target {
	CURLU *url;
	bool tls; /* https */
	bool http1; /* it has answered in HTTP/1.1 */
	struct call_request *scout; /* others wait for it: call_hold.h */
	char *socket; /* path of a unix socket, or NULL */
	bool owned; /* owner is known; of sockets only */
	uid_t owner;
};

/*
 * Whether the unix socket at address may be used: its owner (returned) is the
 * record's owner, root, or the caller.
 */
bool call_target_trusted(const struct call_target *target,
    const struct sockaddr *address, uid_t *owner);

void call_target_release(struct call_target *target);

#endif
