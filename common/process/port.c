#include "process/port.h"

#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* One socket for both families where IPv6 exists. */
static int
open_dual(void)
{
	int off = 0;
	int descriptor = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (descriptor != -1 && setsockopt(descriptor, IPPROTO_IPV6,
				    IPV6_V6ONLY, &off, sizeof(off)) == -1) {
		(void)close(descriptor);
		return -1;
	}
	return descriptor;
}

static int
bind_free(int descriptor, sa_family_t family, uint16_t *port)
{
	struct sockaddr_storage address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&address;
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)&address;
	socklen_t length = sizeof(address);
	int on = 1;

	memset(&address, 0, sizeof(address));
	address.ss_family = family;
	/* The command can bind the port right after us. */
	if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ==
	    -1)
		return -1;
	if (bind(descriptor, (struct sockaddr *)&address,
		family == AF_INET6 ? sizeof(*six) : sizeof(*four)) == -1 ||
	    getsockname(descriptor, (struct sockaddr *)&address, &length) == -1)
		return -1;
	*port = ntohs(family == AF_INET6 ? six->sin6_port : four->sin_port);
	return 0;
}

int
port_reserve(uint16_t *port, struct svc_error *error)
{
	int descriptor = open_dual();

	if (descriptor != -1) {
		if (bind_free(descriptor, AF_INET6, port) == 0)
			return descriptor;
		(void)close(descriptor);
	}
	descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor != -1) {
		if (bind_free(descriptor, AF_INET, port) == 0)
			return descriptor;
	}
	(void)svc_error_set(
	    error, EX_OSERR, "no free port: %s", strerror(errno));
	if (descriptor != -1)
		(void)close(descriptor);
	return -1;
}

bool
port_wanted(const char *text)
{
	while ((text = strchr(text, '%')) != NULL && text[1] != '\0') {
		if (text[1] == 'p')
			return true;
		text += text[1] == '%' ? 2 : 1;
	}
	return false;
}

void
port_substitute(const char *text, uint16_t port, struct buffer *out)
{
	const char *percent;

	while ((percent = strchr(text, '%')) != NULL) {
		buffer_append(out, text, (size_t)(percent - text));
		text = percent + 2;
		if (percent[1] == 'p') {
			buffer_append_format(out, "%u", (unsigned int)port);
		} else {
			buffer_append_char(out, '%');
			if (percent[1] != '%')
				text = percent + 1;
		}
	}
	buffer_append_string(out, text);
}

/* Lays out count pointers, and behind them the strings of text. */
static char **
pack(const struct buffer *text, size_t count)
{
	char **packed = malloc((count + 1) * sizeof(*packed) + text->length);
	char *string;
	size_t i;

	if (packed == NULL)
		return NULL;
	string = (char *)(packed + count + 1);
	memcpy(string, text->data, text->length);
	for (i = 0; i < count; i++) {
		packed[i] = string;
		string += strlen(string) + 1;
	}
	packed[count] = NULL;
	return packed;
}

char **
port_arguments(char *const *argv, uint16_t port, struct svc_error *error)
{
	struct buffer text = BUFFER_INIT;
	char **packed = NULL;
	size_t count;

	for (count = 0; argv[count] != NULL; count++) {
		port_substitute(argv[count], port, &text);
		buffer_append_char(&text, '\0');
	}
	if (!buffer_failed(&text) && count > 0)
		packed = pack(&text, count);
	if (packed == NULL)
		(void)svc_error_set(error, EX_OSERR, "out of memory");
	buffer_release(&text);
	return packed;
}
