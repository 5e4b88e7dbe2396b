/*
 * Names of hosts to addresses, without blocking the loop: first /etc/hosts,
 * then DNS as resolv.conf says (libevent's evdns).  localhost is the loopback
 * where /etc/hosts does not say otherwise (RFC 6761), and is never asked of
 * DNS.
 *
 * What DNS said is kept for RESOLVER_SECONDS, and who asks for a name that is
 * being looked up waits for the same answer: a prober of many targets shares
 * one resolver.  Files are read and sockets are open only while somebody waits
 * for DNS, so that a resolver alone keeps no loop alive.
 *
 *	switch (resolver_find(
 *	    resolver, "web1", &resolved, &query, on_found, self, &error)) {
 *	case 1: ... resolved is filled
 *	case 0: ... on_found(self, ...) is called, or resolver_cancel(query)
 *	}
 */
#ifndef SVCKIT_NET_RESOLVER_H
#define SVCKIT_NET_RESOLVER_H

#include "line/error.h"
#include "net/resolved.h"

#define RESOLVER_SECONDS 30

struct event_base;
struct resolver;
struct resolver_query;

/* failure: NULL, or one clause (static) and resolved is empty. */
typedef void (*resolver_fn)(
    void *argument, const struct resolved *resolved, const char *failure);

struct resolver_options {
	struct event_base *base; /* must outlive the resolver */
	const char *hosts; /* NULL: /etc/hosts */
	const char *resolv_conf; /* NULL: /etc/resolv.conf */
};

int resolver_open(struct resolver **resolver,
    const struct resolver_options *options, struct svc_error *error);

/*
 * Ends it, with every query and without calls; not to be called from within
 * one.  What DNS was asked is let go in the next rounds of the loop: where the
 * loop has ended, event_base_loop(base, EVLOOP_NONBLOCK) before
 * event_base_free(3) frees what it holds.  NULL is allowed.
 */
void resolver_close(struct resolver *resolver);

struct event_base *resolver_base(const struct resolver *resolver);

/*
 * The addresses of host, a name, with port 0.  1: at once; 0: fn will be called
 * once, and *query is valid until then; -1.
 */
int resolver_find(struct resolver *resolver, const char *host,
    struct resolved *resolved, struct resolver_query **query, resolver_fn fn,
    void *argument, struct svc_error *error);

/* Ends a query without a call. */
void resolver_cancel(struct resolver_query *query);

#endif
