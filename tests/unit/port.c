/* Free ports and %p. */
#include "process/port.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

static void
a_reserved_port_can_be_bound_once_it_is_let_go(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	uint16_t port = 0, other = 0;
	int descriptor = port_reserve(&port, NULL), listener;
	int second = port_reserve(&other, NULL);

	CHECK(descriptor != -1 && second != -1);
	CHECK(port != 0 && other != 0 && port != other);
	(void)close(descriptor);
	(void)close(second);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(listener, (struct sockaddr *)(void *)&address,
		  sizeof(address)) == 0);
	CHECK(listen(listener, 1) == 0);
	(void)close(listener);
}

static void
only_a_percent_and_p_is_a_port(void)
{
	static const struct {
		const char *text;
		bool wanted;
		const char *result;
	} rows[] = {
	    {"", false, ""},
	    {"plain", false, "plain"},
	    {"127.0.0.1:%p", true, "127.0.0.1:8081"},
	    {"%p%p", true, "80818081"},
	    {"%%p", false, "%p"},
	    {"%%%p", true, "%8081"},
	    {"a%20b", false, "a%20b"},
	    {"100%", false, "100%"},
	    {"100%%", false, "100%"},
	    {"%d %p%", true, "%d 8081%"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out = BUFFER_INIT;

		port_substitute(rows[i].text, 8081, &out);
		CHECK(port_wanted(rows[i].text) == rows[i].wanted);
		CHECK_STRING(buffer_string(&out), rows[i].result);
		buffer_release(&out);
	}
}

static void
each_argument_gets_the_port(void)
{
	char words[][16] = {"serve", "", "--port=%p"};
	char *argv[] = {words[0], words[1], words[2], NULL};
	char **copy = port_arguments(argv, 8081, NULL);

	if (!CHECK(copy != NULL))
		return;
	CHECK_STRING(copy[0], "serve");
	CHECK_STRING(copy[1], "");
	CHECK_STRING(copy[2], "--port=8081");
	CHECK(copy[3] == NULL);
	free(copy);
}

int
main(void)
{
	RUN(a_reserved_port_can_be_bound_once_it_is_let_go);
	RUN(only_a_percent_and_p_is_a_port);
	RUN(each_argument_gets_the_port);
	return check_done();
}
