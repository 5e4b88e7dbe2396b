/* What a service manager is told. */
#include "process/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"

static char directory[] = "/tmp/svckit-notify.XXXXXX";

/* A manager that listens at name: "@..." is abstract. */
static int
listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t length = strlen(name);

	memcpy(address.sun_path, name, length);
	if (*name == '@')
		address.sun_path[0] = '\0';
	CHECK(bind(fd, (struct sockaddr *)(void *)&address,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			      length)) == 0);
	return fd;
}

static void
told_at(const char *name)
{
	struct svc_error error;
	struct notify *notify;
	char text[64];
	ssize_t n;
	int fd = listen_at(name);

	CHECK(notify_open(&notify, name, &error) == 0 && notify != NULL);
	CHECK(notify_send(notify, "READY=1\nSTATUS=so", &error) == 0);
	n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	CHECK(n == 17 && memcmp(text, "READY=1\nSTATUS=so", 17) == 0);
	close(fd);
	CHECK(notify_send(notify, "STOPPING=1", &error) == -1);
	notify_close(notify);
}

static void
a_manager_is_told_by_path_and_by_abstract_name(void)
{
	char path[64], abstract[64];

	snprintf(path, sizeof(path), "%s/notify", directory);
	snprintf(abstract, sizeof(abstract), "@%s", directory + 1);
	told_at(path);
	told_at(abstract);
	CHECK(unlink(path) == 0);
}

static void
a_manager_that_reads_nothing_blocks_nobody(void)
{
	struct svc_error error;
	struct notify *notify;
	char path[64];
	int fd, i, result = 0;

	snprintf(path, sizeof(path), "%s/full", directory);
	fd = listen_at(path);
	CHECK(notify_open(&notify, path, &error) == 0);
	for (i = 0; i < 100000 && result == 0; i++)
		result = notify_send(notify, "WATCHDOG=1", &error);
	CHECK(result == -1);
	notify_close(notify);
	close(fd);
	CHECK(unlink(path) == 0);
}

static void
nobody_is_told_where_nobody_asks(void)
{
	struct svc_error error;
	struct notify *notify;

	CHECK(notify_open(&notify, NULL, &error) == 0 && notify == NULL);
	CHECK(notify_open(&notify, "", &error) == 0 && notify == NULL);
	CHECK(notify_send(notify, "READY=1", &error) == 0);
	notify_close(notify);
}

static void
a_name_of_no_socket_is_refused(void)
{
	struct svc_error error;
	struct notify *notify;
	char name[200];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK(notify_open(&notify, name, &error) == -1);
	CHECK(error.code == EX_CONFIG && notify == NULL);
	*name = '/';
	CHECK(notify_open(&notify, name, &error) == -1);
	CHECK(notify_open(&notify, "@", &error) == -1);
	CHECK(notify_open(&notify, "relative", &error) == -1);
}

static void
the_watchdog_is_fed_twice_in_its_time(void)
{
	char own[32], other[32];

	snprintf(own, sizeof(own), "%ld", (long)getpid());
	snprintf(other, sizeof(other), "%ld", (long)getppid());
	CHECK(notify_watchdog("3000000", own) == 1.5);
	CHECK(notify_watchdog("3000000", NULL) == 1.5);
	CHECK(notify_watchdog("3000000", other) == 0);
	CHECK(notify_watchdog(NULL, NULL) == 0);
	CHECK(notify_watchdog("3s", own) == 0);
	CHECK(notify_watchdog("-3", own) == 0);
	CHECK(notify_watchdog("", own) == 0);
	CHECK(notify_watchdog("99999999999999999999999", own) == 0);
}

int
main(void)
{
	if (mkdtemp(directory) == NULL)
		return 1;
	RUN(a_manager_is_told_by_path_and_by_abstract_name);
	RUN(a_manager_that_reads_nothing_blocks_nobody);
	RUN(nobody_is_told_where_nobody_asks);
	RUN(a_name_of_no_socket_is_refused);
	RUN(the_watchdog_is_fed_twice_in_its_time);
	if (rmdir(directory) == -1)
		return 1;
	return check_done();
}
