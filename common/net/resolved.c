#include "net/resolved.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

static int
is_same(const union resolved_address *a, const union resolved_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return 0;
	if (a->any.sa_family == AF_INET)
		return a->four.sin_addr.s_addr == b->four.sin_addr.s_addr;
	return a->six.sin6_scope_id == b->six.sin6_scope_id &&
	       memcmp(&a->six.sin6_addr, &b->six.sin6_addr,
		   sizeof(a->six.sin6_addr)) == 0;
}

void
resolved_add(struct resolved *resolved, const union resolved_address *address)
{
	size_t at = resolved->count, i;

	for (i = 0; i < resolved->count; i++) {
		if (is_same(&resolved->addresses[i], address))
			return;
	}
	while (address->any.sa_family == AF_INET && at > 0 &&
	       resolved->addresses[at - 1].any.sa_family != AF_INET)
		at--;
	if (at == RESOLVED_MAX)
		return;
	if (resolved->count < RESOLVED_MAX)
		resolved->count++;
	for (i = resolved->count - 1; i > at; i--)
		resolved->addresses[i] = resolved->addresses[i - 1];
	resolved->addresses[at] = *address;
}

void
resolved_set_port(struct resolved *resolved, uint16_t port)
{
	size_t i;

	for (i = 0; i < resolved->count; i++) {
		union resolved_address *address = &resolved->addresses[i];

		if (address->any.sa_family == AF_INET)
			address->four.sin_port = htons(port);
		else
			address->six.sin6_port = htons(port);
	}
}

socklen_t
resolved_size(const union resolved_address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->four)
						 : sizeof(address->six);
}

int
resolved_add_numeric(struct resolved *resolved, const char *host)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	union resolved_address address;
	struct addrinfo *list;
	int known;

	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return 0;
	known = list->ai_addrlen <= sizeof(address) &&
		(list->ai_family == AF_INET || list->ai_family == AF_INET6);
	if (known) {
		memset(&address, 0, sizeof(address));
		memcpy(&address, list->ai_addr, list->ai_addrlen);
		resolved_add(resolved, &address);
	}
	freeaddrinfo(list);
	return known;
}

void
resolved_add_loopback(struct resolved *resolved)
{
	(void)resolved_add_numeric(resolved, "127.0.0.1");
	(void)resolved_add_numeric(resolved, "::1");
}
