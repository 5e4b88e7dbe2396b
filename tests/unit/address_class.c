/*
 * Addresses that must not be taken for public ones, and those that are.
 */
#include "net/address_class.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "check.h"

struct example {
	const char *text;
	enum address_class kind;
};

/* The first and the last of each range, and its neighbours. */
static const struct example examples4[] = {
    {"0.0.0.0", ADDRESS_UNSPECIFIED},
    {"0.255.255.255", ADDRESS_UNSPECIFIED},
    {"1.0.0.0", ADDRESS_PUBLIC},
    {"9.255.255.255", ADDRESS_PUBLIC},
    {"10.0.0.0", ADDRESS_PRIVATE},
    {"10.255.255.255", ADDRESS_PRIVATE},
    {"11.0.0.0", ADDRESS_PUBLIC},
    {"100.63.255.255", ADDRESS_PUBLIC},
    {"100.64.0.0", ADDRESS_SHARED},
    {"100.127.255.255", ADDRESS_SHARED},
    {"100.128.0.0", ADDRESS_PUBLIC},
    {"126.255.255.255", ADDRESS_PUBLIC},
    {"127.0.0.0", ADDRESS_LOOPBACK},
    {"127.0.0.1", ADDRESS_LOOPBACK},
    {"127.255.255.255", ADDRESS_LOOPBACK},
    {"128.0.0.0", ADDRESS_PUBLIC},
    {"169.253.255.255", ADDRESS_PUBLIC},
    {"169.254.169.254", ADDRESS_LINK_LOCAL},
    {"169.255.0.0", ADDRESS_PUBLIC},
    {"172.15.255.255", ADDRESS_PUBLIC},
    {"172.16.0.0", ADDRESS_PRIVATE},
    {"172.31.255.255", ADDRESS_PRIVATE},
    {"172.32.0.0", ADDRESS_PUBLIC},
    {"192.0.0.1", ADDRESS_RESERVED},
    {"192.0.1.0", ADDRESS_PUBLIC},
    {"192.0.2.7", ADDRESS_DOCUMENTATION},
    {"192.0.3.0", ADDRESS_PUBLIC},
    {"192.88.99.1", ADDRESS_RESERVED},
    {"192.167.255.255", ADDRESS_PUBLIC},
    {"192.168.0.0", ADDRESS_PRIVATE},
    {"192.168.255.255", ADDRESS_PRIVATE},
    {"192.169.0.0", ADDRESS_PUBLIC},
    {"198.17.255.255", ADDRESS_PUBLIC},
    {"198.18.0.0", ADDRESS_RESERVED},
    {"198.19.255.255", ADDRESS_RESERVED},
    {"198.20.0.0", ADDRESS_PUBLIC},
    {"198.51.100.1", ADDRESS_DOCUMENTATION},
    {"203.0.113.255", ADDRESS_DOCUMENTATION},
    {"223.255.255.255", ADDRESS_PUBLIC},
    {"224.0.0.1", ADDRESS_MULTICAST},
    {"239.255.255.255", ADDRESS_MULTICAST},
    {"240.0.0.0", ADDRESS_RESERVED},
    {"255.255.255.255", ADDRESS_RESERVED},
};

static const struct example examples6[] = {
    {"::", ADDRESS_UNSPECIFIED},
    {"::1", ADDRESS_LOOPBACK},
    {"::2", ADDRESS_RESERVED},
    {"::127.0.0.1", ADDRESS_RESERVED},
    {"64:ff9b:1::1", ADDRESS_PRIVATE},
    {"64:ff9b:2::1", ADDRESS_RESERVED},
    {"100::1", ADDRESS_RESERVED},
    {"1fff:ffff::1", ADDRESS_RESERVED},
    {"2000::1", ADDRESS_PUBLIC},
    {"2001::1", ADDRESS_RESERVED},
    {"2001:1ff:ffff::1", ADDRESS_RESERVED},
    {"2001:200::1", ADDRESS_PUBLIC},
    {"2001:db7:ffff::1", ADDRESS_PUBLIC},
    {"2001:db8::1", ADDRESS_DOCUMENTATION},
    {"2001:db9::1", ADDRESS_PUBLIC},
    {"2606:4700::1111", ADDRESS_PUBLIC},
    {"3ffe:ffff::1", ADDRESS_PUBLIC},
    {"3fff::1", ADDRESS_DOCUMENTATION},
    {"3fff:fff:ffff::1", ADDRESS_DOCUMENTATION},
    {"3fff:1000::1", ADDRESS_PUBLIC},
    {"4000::1", ADDRESS_RESERVED},
    {"5f00::1", ADDRESS_RESERVED},
    {"fbff::1", ADDRESS_RESERVED},
    {"fc00::1", ADDRESS_PRIVATE},
    {"fdff::1", ADDRESS_PRIVATE},
    {"fe80::1", ADDRESS_LINK_LOCAL},
    {"febf:ffff::1", ADDRESS_LINK_LOCAL},
    {"fec0::1", ADDRESS_PRIVATE},
    {"ff02::1", ADDRESS_MULTICAST},
};

/* An IPv4 address that hides in another. */
static const struct example hidden[] = {
    {"::ffff:127.0.0.1", ADDRESS_LOOPBACK},
    {"::ffff:10.1.2.3", ADDRESS_PRIVATE},
    {"::ffff:169.254.169.254", ADDRESS_LINK_LOCAL},
    {"::ffff:0.0.0.0", ADDRESS_UNSPECIFIED},
    {"::ffff:8.8.8.8", ADDRESS_PUBLIC},
    {"64:ff9b::10.0.0.1", ADDRESS_PRIVATE},
    {"64:ff9b::8.8.8.8", ADDRESS_PUBLIC},
    {"2002:0a00:0001::", ADDRESS_PRIVATE},
    {"2002:7f00:0001::1", ADDRESS_LOOPBACK},
    {"2002:0808:0808::1", ADDRESS_PUBLIC},
};

static void
check_all(const struct example *examples, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!CHECK(address_class_parse(examples[i].text) ==
			   examples[i].kind))
			printf("# of %s: %s\n", examples[i].text,
			    address_class_name(
				address_class_parse(examples[i].text)));
}

static void
ranges_of_ipv4_begin_and_end_where_the_registry_says(void)
{
	check_all(examples4, sizeof(examples4) / sizeof(examples4[0]));
}

static void
ranges_of_ipv6_begin_and_end_where_the_registry_says(void)
{
	check_all(examples6, sizeof(examples6) / sizeof(examples6[0]));
}

static void
an_ipv4_address_inside_an_ipv6_address_is_what_it_is(void)
{
	check_all(hidden, sizeof(hidden) / sizeof(hidden[0]));
}

static void
an_address_of_a_socket_is_classed_like_its_text(void)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr other = {.sa_family = AF_UNSPEC};

	CHECK(inet_pton(AF_INET, "192.168.1.1", &four.sin_addr) == 1);
	CHECK(inet_pton(AF_INET6, "::1", &six.sin6_addr) == 1);
	CHECK(address_class((const void *)&four) == ADDRESS_PRIVATE);
	CHECK(address_class((const void *)&six) == ADDRESS_LOOPBACK);
	CHECK(address_class((const void *)&local) == ADDRESS_LOCAL);
	CHECK(address_class(&other) == ADDRESS_RESERVED);
}

static void
what_is_no_numeric_address_has_no_class(void)
{
	static const char *const texts[] = {
	    "", "localhost", "127.1", "0x7f000001", "[::1]", "127.0.0.1 "};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CHECK(address_class_parse(texts[i]) == ADDRESS_LOCAL);
}

int
main(void)
{
	RUN(ranges_of_ipv4_begin_and_end_where_the_registry_says);
	RUN(ranges_of_ipv6_begin_and_end_where_the_registry_says);
	RUN(an_ipv4_address_inside_an_ipv6_address_is_what_it_is);
	RUN(an_address_of_a_socket_is_classed_like_its_text);
	RUN(what_is_no_numeric_address_has_no_class);
	return check_done();
}
