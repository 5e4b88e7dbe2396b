#include "process/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

struct notify {
	int descriptor;
	struct sockaddr_un address;
	socklen_t length;
};

/* "/run/systemd/notify" or "@abstract"; false: neither. */
static bool
make_address(struct notify *notify, const char *name)
{
	struct sockaddr_un *address = &notify->address;
	size_t length = strlen(name);

	if ((*name != '/' && *name != '@') || length < 2 ||
	    length >= sizeof(address->sun_path))
		return false;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, name, length);
	if (*name == '@')
		address->sun_path[0] = '\0';
	notify->length =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return true;
}

int
notify_open(struct notify **notify, const char *name, struct svc_error *error)
{
	struct notify *made;

	*notify = NULL;
	if (name == NULL || *name == '\0')
		return 0;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (!make_address(made, name)) {
		free(made);
		return svc_error_set(error, EX_CONFIG,
		    "NOTIFY_SOCKET: not a socket's name: '%.100s'", name);
	}
	made->descriptor =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (made->descriptor == -1) {
		free(made);
		return svc_error_errno(error, "NOTIFY_SOCKET");
	}
	*notify = made;
	return 0;
}

void
notify_close(struct notify *notify)
{
	if (notify == NULL)
		return;
	close(notify->descriptor);
	free(notify);
}

int
notify_send(struct notify *notify, const char *state, struct svc_error *error)
{
	ssize_t n;

	if (notify == NULL)
		return 0;
	do
		n = sendto(notify->descriptor, state, strlen(state),
		    MSG_NOSIGNAL, (const struct sockaddr *)&notify->address,
		    notify->length);
	while (n == -1 && errno == EINTR);
	return n == -1 ? svc_error_errno(error, "NOTIFY_SOCKET") : 0;
}

/* A whole decimal number; 0: it is none. */
static unsigned long long
number(const char *text)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtoull(text, &end, 10);
	return errno != 0 || *end != '\0' ? 0 : value;
}

double
notify_watchdog(const char *microseconds, const char *pid)
{
	if (microseconds == NULL ||
	    (pid != NULL && number(pid) != (unsigned long long)getpid()))
		return 0;
	return (double)number(microseconds) / 2e6;
}
