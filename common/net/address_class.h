/*
 * What kind of address an IP address is, by the special-purpose registries of
 * IANA (RFC 6890 and what has come since): whether who connects to it stays on
 * this machine, in a private network, or goes out to the public one.
 *
 * An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) is what the IPv4
 * address is.  What neither registry nor allocation makes public is not.
 */
#ifndef SVCKIT_NET_ADDRESS_CLASS_H
#define SVCKIT_NET_ADDRESS_CLASS_H

struct sockaddr;

enum address_class {
	ADDRESS_PUBLIC,
	ADDRESS_LOOPBACK, /* 127.0.0.0/8, ::1 */
	ADDRESS_PRIVATE, /* RFC 1918, 4193; site-local; NAT64 of one's own */
	ADDRESS_SHARED, /* RFC 6598: between a provider and its customers */
	ADDRESS_LINK_LOCAL, /* RFC 3927, 4291; clouds have metadata there */
	ADDRESS_MULTICAST,
	ADDRESS_UNSPECIFIED, /* 0.0.0.0/8, ::; a connection reaches oneself */
	ADDRESS_DOCUMENTATION, /* RFC 5737, 3849, 9637 */
	ADDRESS_RESERVED, /* all others that nobody may be reached at */
	ADDRESS_LOCAL /* no IP address: a unix socket */
};

enum address_class address_class(const struct sockaddr *address);

/* Of a numeric address, IPv6 without brackets; ADDRESS_LOCAL: it is none. */
enum address_class address_class_parse(const char *text);

/* "a public address", "a loopback address", ... */
const char *address_class_name(enum address_class kind);

#endif
