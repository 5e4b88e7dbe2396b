#include "line/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "line/utf8.h"

static const struct {
	int number;
	int code;
} errno_codes[] = {
    {EACCES, EX_NOPERM},
    {EPERM, EX_NOPERM},
    {ENOMEM, EX_OSERR},
    {EMFILE, EX_OSERR},
    {ENFILE, EX_OSERR},
    {ENOENT, EX_NOINPUT},
    {ENOTDIR, EX_NOINPUT},
    {EAGAIN, EX_TEMPFAIL},
};

static int
errno_code(int number)
{
	size_t i;

	for (i = 0; i < sizeof(errno_codes) / sizeof(errno_codes[0]); i++)
		if (errno_codes[i].number == number)
			return errno_codes[i].code;
	return EX_IOERR;
}

/*
 * Messages quote data of others: a line feed must not make two messages of
 * one, nor an escape sequence reach the terminal.
 */
static void
make_one_line(char *message)
{
	unsigned char *p = (unsigned char *)message;

	for (; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?'; /* C1 in UTF-8 */
	}
}

/* A message that was cut must not end within a character. */
static void
drop_half_character(char *message)
{
	size_t length = strlen(message), start = length;

	while (start > 0 && ((unsigned char)message[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return;
	start--;
	if (utf8_length(message + start, length - start) == 0)
		message[start] = '\0';
}

static void fill(struct svc_error *error, int code, const char *suffix,
    const char *format, va_list arguments)
    __attribute__((format(printf, 4, 0)));

static void
fill(struct svc_error *error, int code, const char *suffix, const char *format,
    va_list arguments)
{
	/* The arguments may be error's own message, which is being extended. */
	char message[sizeof(error->message)];
	size_t length;
	int needed;

	needed = vsnprintf(message, sizeof(message), format, arguments);
	if (needed < 0)
		message[0] = '\0';
	length = strlen(message);
	if (suffix != NULL && length < sizeof(message))
		needed += snprintf(
		    message + length, sizeof(message) - length, ": %s", suffix);
	if (needed >= (int)sizeof(message))
		drop_half_character(message);
	make_one_line(message);
	error->code = code;
	memcpy(error->message, message, sizeof(message));
}

int
svc_error_set(struct svc_error *error, int code, const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return -1;
	va_start(arguments, format);
	fill(error, code, NULL, format, arguments);
	va_end(arguments);
	return -1;
}

int
svc_error_errno(struct svc_error *error, const char *format, ...)
{
	int number = errno;
	va_list arguments;

	if (error == NULL)
		return -1;
	va_start(arguments, format);
	fill(error, errno_code(number), strerror(number), format, arguments);
	va_end(arguments);
	errno = number;
	return -1;
}
