#include "process/command.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/buffer.h"

#define PATH_DEFAULT "/bin:/usr/bin"

/* 0: it can be run; else an errno. */
static int
check_file(const char *file)
{
	struct stat status;

	if (stat(file, &status) == -1)
		return errno == ENOTDIR ? ENOENT : errno;
	if (!S_ISREG(status.st_mode))
		return EACCES;
	return access(file, X_OK) == 0 ? 0 : errno;
}

static int
check_path(const char *name, const char *path)
{
	struct buffer file = BUFFER_INIT;
	int found = ENOENT, one;
	size_t length;

	for (;; path += length + 1) {
		length = strcspn(path, ":");
		buffer_clear(&file);
		if (length == 0) /* the working directory */
			buffer_append_char(&file, '.');
		buffer_append(&file, path, length);
		buffer_append_char(&file, '/');
		buffer_append_string(&file, name);
		one = buffer_string(&file) == NULL ? ENOMEM
						   : check_file(file.data);
		if (one == 0 || one == EACCES || one == ENOMEM)
			found = one;
		if (found == 0 || found == ENOMEM || path[length] == '\0')
			break;
	}
	buffer_release(&file);
	return found;
}

int
command_check(const char *name, const char *path, struct svc_error *error)
{
	int status;

	if (*name == '\0')
		status = ENOENT;
	else if (strchr(name, '/') != NULL)
		status = check_file(name);
	else
		status = check_path(name, path == NULL ? PATH_DEFAULT : path);
	if (status == 0)
		return 0;
	errno = status;
	svc_error_errno(error, "cannot run '%s'", name);
	if (error != NULL && status != ENOMEM)
		error->code = EX_UNAVAILABLE;
	return -1;
}
