#include "line/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <sys/un.h>
#include <sysexits.h>

#include "line/units.h"

#define EXAMPLE "such as web1:8081 or http://web1:8081/task"

static int
refuse(const char *url, const char *why, struct svc_error *error)
{
	return svc_error_set(error, EX_USAGE,
	    "not an address: '%.200s' (%s; " EXAMPLE ")", url, why);
}

/* 1 to 5 digits that are a port, all of length bytes. */
static bool
port_valid(const char *port, size_t length)
{
	unsigned long number = 0;
	size_t i;

	if (length == 0 || length > 5)
		return false;
	for (i = 0; i < length; i++) {
		if (port[i] < '0' || port[i] > '9')
			return false;
		number = number * 10 + (unsigned long)(port[i] - '0');
	}
	return number >= 1 && number <= 65535;
}

static bool
host_valid(const char *host, size_t length)
{
	size_t i;

	if (length == 0 || length >= HOST_MAX || host[0] == '-' ||
	    host[0] == '.')
		return false;
	for (i = 0; i < length; i++) {
		if (!isalnum((unsigned char)host[i]) &&
		    strchr("._-", host[i]) == NULL)
			return false;
	}
	return true;
}

/*
 * Reads "HOST", "HOST:PORT" or "[IPV6]:PORT" of length bytes.  Leaves port ""
 * when there is none.
 */
static int
parse_authority(const char *url, const char *text, size_t length,
    struct address *address, struct svc_error *error)
{
	const char *end = text + length, *host = text, *rest;
	struct in6_addr ipv6;
	size_t host_length;

	if (length > 0 && text[0] == '[') {
		host++;
		rest = memchr(host, ']', length - 1);
		if (rest == NULL)
			return refuse(url, "no ']' ends its host", error);
		host_length = (size_t)(rest++ - host);
	} else {
		rest = memchr(host, ':', length);
		if (rest == NULL)
			rest = end;
		host_length = (size_t)(rest - host);
		if (!host_valid(host, host_length))
			return refuse(url, "its host is no name", error);
	}
	if (host_length >= HOST_MAX)
		return refuse(url, "its host is too long", error);
	memcpy(address->host, host, host_length);
	address->host[host_length] = '\0';
	if (host != text && inet_pton(AF_INET6, address->host, &ipv6) != 1)
		return refuse(url, "no IPv6 address in its brackets", error);
	address->port[0] = '\0';
	if (rest == end)
		return 0;
	if (*rest++ != ':' || !port_valid(rest, (size_t)(end - rest)))
		return refuse(url, "its port is not from 1 to 65535", error);
	memcpy(address->port, rest, (size_t)(end - rest));
	address->port[end - rest] = '\0';
	return 0;
}

/* http+unix: rest is what follows the "//". */
static int
parse_socket(const char *url, const char *rest, struct address *address,
    struct svc_error *error)
{
	const char *colon = strchr(rest, ':');
	size_t length;

	if (rest[0] != '/' || colon == NULL || colon[1] != '/')
		return refuse(url,
		    "a socket is http+unix:///run/render.sock:/task", error);
	length = (size_t)(colon - rest);
	if (length >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return refuse(url, "its socket's path is too long", error);
	memcpy(address->host, rest, length);
	address->host[length] = '\0';
	address->port[0] = '\0';
	address->path = colon + 1;
	address->socket = true;
	return 0;
}

/* Visible ASCII only: what stands in a URL must not end or split a line. */
static bool
characters_valid(const char *url)
{
	for (; *url != '\0'; url++) {
		if (*url <= ' ' || *url > '~' || strchr("\"#<>\\^`{|}", *url))
			return false;
	}
	return true;
}

int
address_parse(const char *url, struct address *address, struct svc_error *error)
{
	const char *rest;
	size_t length;

	memset(address, 0, sizeof(*address));
	if (strlen(url) >= ADDRESS_MAX)
		return refuse(url, "longer than 2,047 bytes", error);
	if (!characters_valid(url))
		return refuse(url, "a character that no URL has", error);
	if (strncmp(url, "http+unix://", 12) == 0)
		return parse_socket(url, url + 12, address, error);
	if (strncmp(url, "http://", 7) == 0) {
		rest = url + 7;
	} else if (strncmp(url, "https://", 8) == 0) {
		rest = url + 8;
		address->tls = true;
	} else {
		return refuse(
		    url, "its scheme is not http, https or http+unix", error);
	}
	length = strcspn(rest, "/?");
	if (rest[length] == '?')
		return refuse(url, "a query without a path", error);
	if (memchr(rest, '@', length) != NULL)
		return refuse(url, "a user part is not allowed", error);
	if (parse_authority(url, rest, length, address, error) == -1)
		return -1;
	if (address->port[0] == '\0')
		memcpy(address->port, address->tls ? "443" : "80",
		    address->tls ? 4 : 3);
	address->path = rest[length] == '/' ? rest + length : "/";
	return 0;
}

int
address_expand(const char *address, struct buffer *url, struct svc_error *error)
{
	struct address parsed;

	if (strstr(address, "://") != NULL) {
		if (address_parse(address, &parsed, error) == -1)
			return -1;
		buffer_append_string(url, address);
		return 0;
	}
	if (parse_authority(
		address, address, strlen(address), &parsed, error) == -1)
		return -1;
	if (parsed.port[0] == '\0')
		return refuse(address, "it has no port", error);
	buffer_append_string(url, "http://");
	buffer_append_string(url, address);
	buffer_append_string(url, "/task");
	return 0;
}

void
address_id(const char *url, struct buffer *id)
{
	char name[HOST_MAX + sizeof("-65535")], *start = name;
	struct address address;
	size_t length, i;

	if (address_parse(url, &address, NULL) == -1)
		memset(&address, 0, sizeof(address));
	length = strlen(address.host);
	memcpy(name, address.host, length);
	if (address.port[0] != '\0') {
		name[length++] = '-';
		memcpy(name + length, address.port, strlen(address.port));
		length += strlen(address.port);
	}
	for (i = 0; i < length; i++) {
		if (!isalnum((unsigned char)name[i]) && name[i] != '.' &&
		    name[i] != '_')
			name[i] = '-';
	}
	/* The end tells instances apart better than the start does. */
	if (length > NAME_MAX_LENGTH) {
		start += length - NAME_MAX_LENGTH;
		length = NAME_MAX_LENGTH;
	}
	while (length > 0 && !isalnum((unsigned char)*start)) {
		start++;
		length--;
	}
	if (length == 0)
		buffer_append_string(id, "instance");
	else
		buffer_append(id, start, length);
}
