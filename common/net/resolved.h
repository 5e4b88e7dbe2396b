/*
 * The addresses that were found for a name.
 */
#ifndef SVCKIT_NET_RESOLVED_H
#define SVCKIT_NET_RESOLVED_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

#define RESOLVED_MAX 8 /* addresses of a name; more are not taken */

union resolved_address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

/* IPv4 first: where IPv6 leads nowhere it costs the whole timeout. */
struct resolved {
	union resolved_address addresses[RESOLVED_MAX];
	size_t count;
};

/* Adds one, unless it is there already or there is no room. */
void resolved_add(
    struct resolved *resolved, const union resolved_address *address);

void resolved_set_port(struct resolved *resolved, uint16_t port);

/* The size of an address, as connect(2) wants it. */
socklen_t resolved_size(const union resolved_address *address);

/* Adds host, an address as numbers, without brackets: 1; 0: it is a name. */
int resolved_add_numeric(struct resolved *resolved, const char *host);

/* Adds what localhost is: 127.0.0.1 and ::1. */
void resolved_add_loopback(struct resolved *resolved);

#endif
