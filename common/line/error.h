/*
 * Errors as values.
 *
 * A function that can fail takes a struct svc_error last, returns -1 (or NULL)
 * and fills it; the caller owns it, and it needs no release.  Lookups return 1
 * for found, 0 for absent, -1 for an error.  The library never prints and never
 * exits: cmd/ turns code into the exit status and message into one line.
 *
 * Calling sequence:
 *
 *	struct svc_error error;
 *
 *	if (registry_open(&registry, place, &error) == -1)
 *		errx(error.code, "%s", error.message);
 */
#ifndef SVCKIT_LINE_ERROR_H
#define SVCKIT_LINE_ERROR_H

struct svc_error {
	int code; /* from <sysexits.h>: the exit status it deserves */
	char message[512]; /* one line, no full stop, cut at the end */
};

/*
 * Fills error (which may be NULL) and returns -1, so that it can stand in a
 * return statement.
 * Control characters (of quoted data) become '?'.  error->message may itself be
 * among the arguments, to put something in front of it.
 */
int svc_error_set(struct svc_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The same for a failed system call: ": " and the text of errno are appended,
 * and the code follows from errno: EACCES and EPERM are EX_NOPERM, ENOMEM and
 * EMFILE and their like EX_OSERR, ENOENT and ENOTDIR EX_NOINPUT, EAGAIN
 * EX_TEMPFAIL, all others EX_IOERR.  errno is preserved.
 */
int svc_error_errno(struct svc_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
