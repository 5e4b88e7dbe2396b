/*
 * Inside the call engine: which connections may be made, and what may go over
 * them.  It is the address really connected to that is judged, after names
 * have been resolved: a name that means another host tomorrow does not help.
 */
#ifndef SVCKIT_NET_CALL_PERMIT_H
#define SVCKIT_NET_CALL_PERMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "net/address_class.h"

struct call_security;
struct call_target;
struct sockaddr;

enum call_denial {
	DENIED_NOT,
	DENIED_OWNER, /* the unix socket is somebody else's */
	DENIED_PRIVATE, /* not a public address */
	DENIED_CLEAR, /* a token would travel in the clear */
	DENIED_UNTOLD /* a token is only for instances of the registry */
};

/* What a request has been told; all zero: nothing. */
struct call_permit {
	enum call_denial denial; /* the first */
	bool granted; /* a connection to some address */
	enum address_class kind; /* of the address that was denied */
	uid_t owner; /* of the socket */
};

/* Whether a request to target, which was told or not, may be begun. */
bool call_permit_begin(struct call_permit *permit,
    const struct call_security *security, bool told);

/* Whether it may be connected to address. */
bool call_permit_connect(struct call_permit *permit,
    const struct call_security *security, const struct call_target *target,
    const struct sockaddr *address);

/* Whether it may be sent to remote, the numeric address of a connection. */
bool call_permit_send(struct call_permit *permit,
    const struct call_security *security, const struct call_target *target,
    const char *remote);

/* Why not, in a clause. */
void call_permit_explain(
    const struct call_permit *permit, char *text, size_t size);

#endif
