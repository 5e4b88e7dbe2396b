#include "net/address_class.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

struct range4 {
	uint32_t network;
	int bits;
	enum address_class kind;
};

struct range6 {
	unsigned char network[16];
	int bits;
	enum address_class kind;
};

#define IPV4(a, b, c) \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8)
#define PAIR(word) (unsigned char)((word) >> 8), (unsigned char)(word)

static const struct range4 ranges4[] = {
    {IPV4(0, 0, 0), 8, ADDRESS_UNSPECIFIED},
    {IPV4(10, 0, 0), 8, ADDRESS_PRIVATE},
    {IPV4(100, 64, 0), 10, ADDRESS_SHARED},
    {IPV4(127, 0, 0), 8, ADDRESS_LOOPBACK},
    {IPV4(169, 254, 0), 16, ADDRESS_LINK_LOCAL},
    {IPV4(172, 16, 0), 12, ADDRESS_PRIVATE},
    {IPV4(192, 0, 0), 24, ADDRESS_RESERVED}, /* protocol assignments */
    {IPV4(192, 0, 2), 24, ADDRESS_DOCUMENTATION},
    {IPV4(192, 88, 99), 24, ADDRESS_RESERVED}, /* 6to4 relays that were */
    {IPV4(192, 168, 0), 16, ADDRESS_PRIVATE},
    {IPV4(198, 18, 0), 15, ADDRESS_RESERVED}, /* benchmarks */
    {IPV4(198, 51, 100), 24, ADDRESS_DOCUMENTATION},
    {IPV4(203, 0, 113), 24, ADDRESS_DOCUMENTATION},
    {IPV4(224, 0, 0), 4, ADDRESS_MULTICAST},
    {IPV4(240, 0, 0), 4, ADDRESS_RESERVED}, /* and the broadcast */
};

/* The first that fits counts. */
static const struct range6 ranges6[] = {
    {{0}, 128, ADDRESS_UNSPECIFIED},
    {{[15] = 1}, 128, ADDRESS_LOOPBACK},
    {{PAIR(0x64), PAIR(0xff9b), PAIR(1)}, 48, ADDRESS_PRIVATE},
    {{PAIR(0xfc00)}, 7, ADDRESS_PRIVATE},
    {{PAIR(0xfe80)}, 10, ADDRESS_LINK_LOCAL},
    {{PAIR(0xfec0)}, 10, ADDRESS_PRIVATE},
    {{PAIR(0xff00)}, 8, ADDRESS_MULTICAST},
    {{PAIR(0x2001)}, 23, ADDRESS_RESERVED}, /* protocol assignments */
    {{PAIR(0x2001), PAIR(0x0db8)}, 32, ADDRESS_DOCUMENTATION},
    {{PAIR(0x3fff)}, 20, ADDRESS_DOCUMENTATION},
    /* Nothing else is allocated for anybody. */
    {{PAIR(0x2000)}, 3, ADDRESS_PUBLIC},
};

/* Where an IPv4 address stands inside an IPv6 one. */
static const struct {
	unsigned char prefix[12];
	size_t length;
} inside[] = {
    {{[10] = 0xff, [11] = 0xff}, 12}, /* mapped, RFC 4291 */
    {{PAIR(0x64), PAIR(0xff9b)}, 12}, /* NAT64, RFC 6052 */
    {{PAIR(0x2002)}, 2}, /* 6to4, RFC 3056 */
};

static const char *const names[] = {
    [ADDRESS_PUBLIC] = "a public address",
    [ADDRESS_LOOPBACK] = "a loopback address",
    [ADDRESS_PRIVATE] = "a private address",
    [ADDRESS_SHARED] = "a shared address",
    [ADDRESS_LINK_LOCAL] = "a link-local address",
    [ADDRESS_MULTICAST] = "a multicast address",
    [ADDRESS_UNSPECIFIED] = "an unspecified address",
    [ADDRESS_DOCUMENTATION] = "an address of documentation",
    [ADDRESS_RESERVED] = "a reserved address",
    [ADDRESS_LOCAL] = "a unix socket",
};

static enum address_class
class4(const unsigned char *bytes)
{
	uint32_t address = IPV4(bytes[0], bytes[1], bytes[2]) | bytes[3];
	size_t i;

	for (i = 0; i < sizeof(ranges4) / sizeof(ranges4[0]); i++)
		if ((address ^ ranges4[i].network) >> (32 - ranges4[i].bits) ==
		    0)
			return ranges4[i].kind;
	return ADDRESS_PUBLIC;
}

/* Whether the first bits are those of the network. */
static bool
begins(const unsigned char *bytes, const struct range6 *range)
{
	size_t whole = (size_t)range->bits / 8;
	int rest = range->bits % 8;

	if (memcmp(bytes, range->network, whole) != 0)
		return false;
	return rest == 0 ||
	       (bytes[whole] ^ range->network[whole]) >> (8 - rest) == 0;
}

static enum address_class
class6(const unsigned char *bytes)
{
	size_t i;

	for (i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (memcmp(bytes, inside[i].prefix, inside[i].length) == 0)
			return class4(bytes + inside[i].length);
	for (i = 0; i < sizeof(ranges6) / sizeof(ranges6[0]); i++)
		if (begins(bytes, &ranges6[i]))
			return ranges6[i].kind;
	return ADDRESS_RESERVED;
}

enum address_class
address_class(const struct sockaddr *address)
{
	const struct sockaddr_in *four = (const void *)address;
	const struct sockaddr_in6 *six = (const void *)address;

	if (address->sa_family == AF_INET)
		return class4((const void *)&four->sin_addr);
	if (address->sa_family == AF_INET6)
		return class6(six->sin6_addr.s6_addr);
	return address->sa_family == AF_UNIX ? ADDRESS_LOCAL : ADDRESS_RESERVED;
}

enum address_class
address_class_parse(const char *text)
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return class4(bytes);
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return class6(bytes);
	return ADDRESS_LOCAL;
}

const char *
address_class_name(enum address_class kind)
{
	return names[kind];
}
