#include "net/token_file.h"

#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char token_set[] = "0123456789-._~+/"
				"abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* At most one byte more than a token and the white space around it may have. */
static ssize_t
read_text(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t count;

	while (length < size) {
		count = read(fd, text + length, size - length);
		if (count == -1)
			return -1;
		if (count == 0)
			break;
		length += (size_t)count;
	}
	return (ssize_t)length;
}

static int
find_token(const char *text, size_t length, const char *path,
    struct buffer *token, struct svc_error *error)
{
	size_t start = strspn(text, " \t\r\n");
	size_t end = start + strspn(text + start, token_set);

	if (end > start)
		end += strspn(text + end, "=");
	if (start == length)
		return svc_error_set(
		    error, EX_DATAERR, "%s: no token: it is empty", path);
	if (end - start > TOKEN_LENGTH_MAX)
		return svc_error_set(error, EX_DATAERR,
		    "%s: a token longer than %d bytes", path, TOKEN_LENGTH_MAX);
	if (end == start || end + strspn(text + end, " \t\r\n") != length)
		return svc_error_set(error, EX_DATAERR,
		    "%s: not one token at byte %zu (letters, digits and "
		    "-._~+/ alone, then =)",
		    path, end + 1);
	buffer_append(token, text + start, end - start);
	buffer_append_char(token, '\0');
	if (buffer_failed(token))
		return svc_error_set(error, EX_OSERR, "out of memory");
	return 0;
}

int
token_file_read(const char *path, struct buffer *token, struct svc_error *error)
{
	char text[TOKEN_LENGTH_MAX + 64];
	ssize_t length = -1;
	int fd, result = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1)
		length = read_text(fd, text, sizeof(text) - 1);
	if (length == -1) {
		svc_error_errno(error, "%s", path);
	} else {
		text[length] = '\0';
		result = find_token(text, (size_t)length, path, token, error);
	}
	explicit_bzero(text, sizeof(text));
	if (fd != -1)
		close(fd);
	return result;
}
