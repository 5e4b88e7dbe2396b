#include "registry/place.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sysexits.h>
#include <unistd.h>

static bool
given(const char *string)
{
	return string != NULL && *string != '\0';
}

static bool
may(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* The XDG base directory specification: a relative one is to be ignored. */
static int
own_place(const char *state_home, const char *home, struct buffer *place)
{
	if (given(state_home) && *state_home == '/')
		buffer_append_format(place, "%s/svckit", state_home);
	else if (given(home))
		buffer_append_format(place, "%s/.local/state/svckit", home);
	else
		return 0;
	return 1;
}

int
registry_place(const char *option, const char *environment,
    const char *state_home, const char *home, struct buffer *place,
    struct svc_error *error)
{
	struct buffer own = BUFFER_INIT;
	const char *path;
	int status = 0;

	if (given(option)) {
		buffer_append_string(place, option);
	} else if (given(environment)) {
		buffer_append_string(place, environment);
	} else {
		path = own_place(state_home, home, &own) ? buffer_string(&own)
							 : NULL;
		if ((path == NULL || !may(path, F_OK)) &&
		    may(REGISTRY_SYSTEM_PLACE, W_OK))
			path = REGISTRY_SYSTEM_PLACE;
		if (path != NULL)
			buffer_append_string(place, path);
		else
			status = svc_error_set(error, EX_CONFIG,
			    "no registry: neither -R nor SVC_REGISTRY nor HOME "
			    "says where it is");
	}
	buffer_release(&own);
	if (status == 0 && buffer_failed(place))
		status = svc_error_set(error, EX_OSERR, "out of memory");
	return status;
}
