#include "net/resolver.h"

#include <event2/dns.h>
#include <event2/event.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/hosts.h"

#define BUCKETS 256

/* How long IPv4 waits for IPv6 (the Resolution Delay of RFC 8305). */
#define PATIENCE_USEC 50000

struct resolver_query {
	struct resolver_query *next;
	struct resolver_query **link; /* what points to this one */
	struct name *name;
	resolver_fn fn;
	void *argument;
};

/* A name that DNS is asked for, or has answered. */
struct name {
	struct name *next; /* in its bucket */
	struct resolver *resolver;
	struct resolver_query *queries;
	struct evdns_request *four; /* NULL: answered */
	struct evdns_request *six;
	struct event *patience; /* or NULL */
	double ends; /* of time_monotonic(): until then it is believed */
	struct resolved resolved;
	int failure; /* DNS_ERR_..., of IPv4 */
	bool stopped; /* nobody waited any more */
	bool telling; /* who is told may ask for others: it stays */
	char host[];
};

struct resolver {
	struct event_base *base;
	const char *resolv_conf;
	struct hosts hosts;
	struct evdns_base *dns; /* NULL: nothing is asked */
	size_t asked; /* requests whose callback has yet to come */
	bool closed;
	struct name *buckets[BUCKETS];
};

static int ask(struct name *name);

/* FNV-1a, of the name in small letters. */
static struct name **
bucket_of(struct resolver *resolver, const char *host)
{
	uint32_t hash = 2166136261U;

	for (; *host != '\0'; host++) {
		unsigned char c = (unsigned char)*host;

		hash =
		    (hash ^ (c >= 'A' && c <= 'Z' ? c | 32U : c)) * 16777619U;
	}
	return &resolver->buckets[hash % BUCKETS];
}

static void
name_free(struct name *name)
{
	if (name->patience != NULL)
		event_free(name->patience);
	free(name);
}

static bool
is_asked(const struct name *name)
{
	return name->four != NULL || name->six != NULL;
}

static void
resolver_free(struct resolver *resolver)
{
	struct name *name;
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		while ((name = resolver->buckets[i]) != NULL) {
			resolver->buckets[i] = name->next;
			name_free(name);
		}
	}
	if (resolver->dns != NULL)
		evdns_base_free(resolver->dns, 0);
	hosts_release(&resolver->hosts);
	free(resolver);
}

/*
 * The sockets and timers of evdns go when nothing is asked: a nameserver that
 * is down would else keep the loop alive.  What closed waited for has come.
 */
static void
rest(struct resolver *resolver)
{
	if (resolver->asked > 0)
		return;
	if (resolver->closed) {
		resolver_free(resolver);
		return;
	}
	if (resolver->dns != NULL)
		evdns_base_free(resolver->dns, 0);
	resolver->dns = NULL;
}

static void
query_free(struct resolver_query *query)
{
	*query->link = query->next;
	if (query->next != NULL)
		query->next->link = query->link;
	free(query);
}

static const char *
failure_text(int failure)
{
	switch (failure) {
	case DNS_ERR_NOTEXIST:
		return "no such host";
	case DNS_ERR_NODATA:
	case DNS_ERR_NONE:
		return "the name of the host has no address";
	case DNS_ERR_TIMEOUT:
		return "the look-up of the name timed out";
	default:
		return "the look-up of the name failed";
	}
}

/* Tells all that wait; each may ask anew, or cancel another. */
static void
tell(struct name *name)
{
	const struct resolved resolved = name->resolved;
	const char *failure =
	    resolved.count > 0 ? NULL : failure_text(name->failure);
	struct resolver_query *waiting = name->queries;

	if (waiting != NULL)
		waiting->link = &waiting;
	name->queries = NULL;
	name->telling = true;
	while (waiting != NULL) {
		resolver_fn fn = waiting->fn;
		void *argument = waiting->argument;

		query_free(waiting);
		fn(argument, &resolved, failure);
	}
	name->telling = false;
}

/* Each callback comes still, with DNS_ERR_CANCEL. */
static void
stop_asking(struct name *name)
{
	struct evdns_base *dns = name->resolver->dns;

	name->stopped = true;
	if (name->patience != NULL)
		(void)event_del(name->patience);
	if (name->four != NULL)
		evdns_cancel_request(dns, name->four);
	if (name->six != NULL)
		evdns_cancel_request(dns, name->six);
}

static void
on_impatient(evutil_socket_t descriptor, short what, void *argument)
{
	struct name *name = argument;

	(void)descriptor;
	(void)what;
	tell(name);
	if (name->queries == NULL && is_asked(name))
		stop_asking(name);
}

static void
be_patient(struct name *name)
{
	struct timeval time = {0, PATIENCE_USEC};

	if (name->patience == NULL)
		name->patience =
		    evtimer_new(name->resolver->base, on_impatient, name);
	if (name->patience == NULL || evtimer_add(name->patience, &time) == -1)
		tell(name);
}

/* Both requests have ended. */
static void
finish(struct name *name)
{
	if (name->patience != NULL)
		(void)event_del(name->patience);
	/* Whoever came since it was stopped. */
	if (name->failure == DNS_ERR_CANCEL && name->queries != NULL &&
	    ask(name) == 0)
		return;
	if (name->failure != DNS_ERR_CANCEL && name->resolved.count > 0)
		name->ends = time_monotonic() + RESOLVER_SECONDS;
	tell(name);
}

/* One of both requests has ended. */
static void
settle(struct name *name)
{
	struct resolver *resolver = name->resolver;

	resolver->asked--;
	if (!is_asked(name))
		finish(name);
	else if (name->four == NULL && name->resolved.count > 0 &&
		 !name->stopped)
		be_patient(name);
	rest(resolver);
}

static void
on_four(
    int result, char type, int count, int ttl, void *addresses, void *argument)
{
	struct name *name = argument;
	const struct in_addr *four = addresses;
	union resolved_address address;
	int i;

	(void)ttl;
	for (i = 0; type == DNS_IPv4_A && i < count; i++) {
		memset(&address, 0, sizeof(address));
		address.four.sin_family = AF_INET;
		address.four.sin_addr = four[i];
		resolved_add(&name->resolved, &address);
	}
	name->four = NULL;
	name->failure = result;
	settle(name);
}

static void
on_six(
    int result, char type, int count, int ttl, void *addresses, void *argument)
{
	struct name *name = argument;
	const struct in6_addr *six = addresses;
	union resolved_address address;
	int i;

	(void)result;
	(void)ttl;
	for (i = 0; type == DNS_IPv6_AAAA && i < count; i++) {
		memset(&address, 0, sizeof(address));
		address.six.sin6_family = AF_INET6;
		address.six.sin6_addr = six[i];
		resolved_add(&name->resolved, &address);
	}
	name->six = NULL;
	settle(name);
}

/* evdns would else write what it thinks of nameservers to stderr. */
static void
ignore_log(int is_warning, const char *text)
{
	(void)is_warning;
	(void)text;
}

/* Without a resolv.conf: the machine itself, as resolv.conf(5) has it. */
static int
open_dns(struct resolver *resolver)
{
	if (resolver->dns != NULL)
		return 0;
	evdns_set_log_fn(ignore_log);
	resolver->dns = evdns_base_new(resolver->base, 0);
	if (resolver->dns == NULL)
		return -1;
	(void)evdns_base_resolv_conf_parse(resolver->dns,
	    DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC,
	    resolver->resolv_conf);
	return 0;
}

/* A fresh question; what was known of the name is not believed any more. */
static int
ask(struct name *name)
{
	struct resolver *resolver = name->resolver;

	if (open_dns(resolver) == -1)
		return -1;
	memset(&name->resolved, 0, sizeof(name->resolved));
	name->failure = DNS_ERR_UNKNOWN;
	name->ends = 0;
	name->stopped = false;
	name->four = evdns_base_resolve_ipv4(
	    resolver->dns, name->host, 0, on_four, name);
	if (name->four != NULL)
		resolver->asked++;
	name->six =
	    evdns_base_resolve_ipv6(resolver->dns, name->host, 0, on_six, name);
	if (name->six != NULL)
		resolver->asked++;
	rest(resolver);
	return is_asked(name) ? 0 : -1;
}

/* The name's place; what is out of date in its bucket goes. */
static struct name *
find_name(struct resolver *resolver, const char *host)
{
	struct name **link = bucket_of(resolver, host), *name, *found = NULL;
	double now = time_monotonic();

	while ((name = *link) != NULL) {
		if (strcasecmp(name->host, host) == 0) {
			found = name;
		} else if (!is_asked(name) && !name->telling &&
			   name->ends < now) {
			*link = name->next;
			name_free(name);
			continue;
		}
		link = &name->next;
	}
	return found;
}

static struct name *
make_name(struct resolver *resolver, const char *host)
{
	struct name **bucket = bucket_of(resolver, host);
	size_t size = strlen(host) + 1;
	struct name *name = calloc(1, sizeof(*name) + size);

	if (name == NULL)
		return NULL;
	memcpy(name->host, host, size);
	name->resolver = resolver;
	name->next = *bucket;
	*bucket = name;
	return name;
}

static struct resolver_query *
add_query(struct name *name, resolver_fn fn, void *argument)
{
	struct resolver_query *query = calloc(1, sizeof(*query));

	if (query == NULL)
		return NULL;
	query->name = name;
	query->fn = fn;
	query->argument = argument;
	query->link = &name->queries;
	query->next = name->queries;
	if (query->next != NULL)
		query->next->link = &query->next;
	name->queries = query;
	return query;
}

static bool
is_localhost(const char *host)
{
	static const char suffix[] = ".localhost";
	size_t length = strlen(host), size = sizeof(suffix) - 1;

	return strcasecmp(host, suffix + 1) == 0 ||
	       (length > size && strcasecmp(host + length - size, suffix) == 0);
}

int
resolver_find(struct resolver *resolver, const char *host,
    struct resolved *resolved, struct resolver_query **query, resolver_fn fn,
    void *argument, struct svc_error *error)
{
	struct name *name;

	memset(resolved, 0, sizeof(*resolved));
	hosts_find(&resolver->hosts, host, resolved);
	if (resolved->count == 0 && is_localhost(host))
		resolved_add_loopback(resolved);
	if (resolved->count > 0)
		return 1;
	name = find_name(resolver, host);
	if (name != NULL && name->ends > time_monotonic()) {
		*resolved = name->resolved;
		return 1;
	}
	if (name == NULL && (name = make_name(resolver, host)) == NULL)
		return svc_error_errno(error, "'%s'", host);
	if ((*query = add_query(name, fn, argument)) == NULL)
		return svc_error_errno(error, "'%s'", host);
	if (is_asked(name) || ask(name) == 0)
		return 0;
	query_free(*query);
	return svc_error_set(
	    error, EX_NOHOST, "'%s': DNS cannot be asked for it", host);
}

void
resolver_cancel(struct resolver_query *query)
{
	struct name *name = query->name;

	query_free(query);
	if (name->queries == NULL && is_asked(name))
		stop_asking(name);
}

struct event_base *
resolver_base(const struct resolver *resolver)
{
	return resolver->base;
}

int
resolver_open(struct resolver **resolver,
    const struct resolver_options *options, struct svc_error *error)
{
	struct resolver *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return svc_error_errno(error, "resolver");
	made->base = options->base;
	hosts_init(&made->hosts,
	    options->hosts != NULL ? options->hosts : "/etc/hosts");
	made->resolv_conf = options->resolv_conf != NULL ? options->resolv_conf
							 : "/etc/resolv.conf";
	*resolver = made;
	return 0;
}

void
resolver_close(struct resolver *resolver)
{
	size_t i;

	if (resolver == NULL)
		return;
	resolver->closed = true;
	for (i = 0; i < BUCKETS; i++) {
		struct name *name = resolver->buckets[i];

		for (; name != NULL; name = name->next) {
			while (name->queries != NULL)
				query_free(name->queries);
			if (is_asked(name))
				stop_asking(name);
		}
	}
	rest(resolver);
}
