/* A report in a file: see cli_report_file.h. */
#include "cli_report_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "line/replace.h"

/* /dev/stderr by its name: it may lead to a file that others write to. */
static bool
is_stderr(const char *path)
{
	return strcmp(path, "-") == 0 || strcmp(path, "/dev/stderr") == 0;
}

/* Whether it is there and cannot be replaced, but written to. */
static bool
is_stream(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) &&
	       !S_ISDIR(st.st_mode);
}

static int
check(const char *path, struct svc_error *error)
{
	if (is_stderr(path))
		return 0;
	if (!is_stream(path))
		return replace_check(path, error);
	if (access(path, W_OK) == -1)
		return svc_error_errno(error, "'%s'", path);
	return 0;
}

void
cli_report_file_check(const char *option, const char *path)
{
	struct svc_error error;

	if (check(path, &error) == -1) {
		cli_warn_line("%s: %s", option, error.message);
		exit(error.code);
	}
}

static int
write_all(int descriptor, const struct buffer *text)
{
	size_t written = 0;
	ssize_t n;

	while (written < text->length) {
		n = write(
		    descriptor, text->data + written, text->length - written);
		if (n == -1 && errno != EINTR)
			return -1;
		written += n == -1 ? 0 : (size_t)n;
	}
	return 0;
}

/* O_NONBLOCK: a pipe that nobody reads is an error, not a wait for ever. */
static int
open_stream(const char *path)
{
	int descriptor =
	    open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (descriptor != -1 && fcntl(descriptor, F_SETFL, O_APPEND) == -1) {
		close(descriptor);
		return -1;
	}
	return descriptor;
}

static int
write_stream(
    const char *path, const struct buffer *text, struct svc_error *error)
{
	int descriptor = open_stream(path), result;

	if (descriptor == -1)
		return svc_error_errno(error, "'%s'", path);
	result = write_all(descriptor, text);
	if (result == -1)
		svc_error_errno(error, "'%s'", path);
	if (close(descriptor) == -1 && result == 0)
		result = svc_error_errno(error, "'%s'", path);
	return result;
}

/* A limit of file size must be an error, not a death: see replace.h. */
static int
write_file(const char *path, const struct buffer *text, struct svc_error *error)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
	int result;

	sigaction(SIGXFSZ, &ignore, &old);
	result = replace_file(path, text->data, text->length, false, error);
	sigaction(SIGXFSZ, &old, NULL);
	return result;
}

static int
write_text(const char *path, const struct buffer *text, struct svc_error *error)
{
	if (is_stderr(path))
		return write_all(STDERR_FILENO, text) == -1
			   ? svc_error_errno(error, "stderr")
			   : 0;
	return is_stream(path) ? write_stream(path, text, error)
			       : write_file(path, text, error);
}

int
cli_report_file_write(
    const char *option, const char *path, const struct buffer *text)
{
	struct svc_error error;

	if (write_text(path, text, &error) == 0)
		return EX_OK;
	cli_warn_line("%s: %s", option, error.message);
	return EX_IOERR;
}
