/*
 * Files of certificates and keys, good and bad.  The blocks are sequences of
 * DER with nothing of use in them: what is meant is the TLS library's to see.
 */
#include "net/pem_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"

/* SEQUENCE of one INTEGER, and one that says it is longer than it is. */
#define WHOLE "MAMCAQU="
#define CUT   "MAkCAQU="
#define BLOCK(label, text) \
	"-----BEGIN " label "-----\n" text "\n-----END " label "-----\n"
#define CERTIFICATE BLOCK("CERTIFICATE", WHOLE)
#define KEY	    BLOCK("PRIVATE KEY", WHOLE)

struct row {
	const char *text;
	enum pem_kind kind;
	const char *says; /* NULL: it is fine */
};

static const struct row rows[] = {
    {CERTIFICATE, PEM_CERTIFICATE, NULL},
    {"some words\n" CERTIFICATE "more\n" CERTIFICATE, PEM_CERTIFICATE, NULL},
    {BLOCK("TRUSTED CERTIFICATE", WHOLE), PEM_CERTIFICATE, NULL},
    {KEY CERTIFICATE, PEM_CERTIFICATE, NULL},
    {CERTIFICATE KEY, PEM_KEY, NULL},
    {BLOCK("RSA PRIVATE KEY", WHOLE), PEM_KEY, NULL},
    {BLOCK("EC PARAMETERS", WHOLE) BLOCK("EC PRIVATE KEY", WHOLE), PEM_KEY,
	NULL},
    {"", PEM_CERTIFICATE, "no certificate in PEM form"},
    {"a certificate", PEM_CERTIFICATE, "no certificate in PEM form"},
    {KEY, PEM_CERTIFICATE, "no certificate in PEM form"},
    {CERTIFICATE, PEM_KEY, "no private key in PEM form"},
    {"-----BEGIN CERTIFICATE-----\n" WHOLE, PEM_CERTIFICATE, "cut off"},
    {"-----BEGIN CERTIFICATE", PEM_CERTIFICATE, "cut off"},
    {"-----BEGIN CERTIFICATE-----\n" WHOLE "\n-----END X-----", PEM_CERTIFICATE,
	"cut off"},
    {BLOCK("CERTIFICATE", CUT), PEM_CERTIFICATE, "a broken certificate"},
    {BLOCK("CERTIFICATE", ""), PEM_CERTIFICATE, "a broken certificate"},
    {BLOCK("CERTIFICATE", "MAMC!QU="), PEM_CERTIFICATE, "a broken certificate"},
    {BLOCK("CERTIFICATE", "AAAA"), PEM_CERTIFICATE, "a broken certificate"},
    {CERTIFICATE BLOCK("CERTIFICATE", CUT), PEM_CERTIFICATE,
	"a broken certificate"},
    {BLOCK("PRIVATE KEY", CUT), PEM_KEY, "a broken private key"},
    {BLOCK("ENCRYPTED PRIVATE KEY", WHOLE), PEM_KEY, "an encrypted"},
    {BLOCK("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\n" WHOLE), PEM_KEY,
	"an encrypted"},
};

static void
check_row(const struct row *row)
{
	char path[] = "/tmp/pem-test-XXXXXX";
	size_t length = strlen(row->text);
	struct svc_error error = {0};
	int fd = mkstemp(path), result;

	if (!CHECK(fd != -1) ||
	    !CHECK(write(fd, row->text, length) == (ssize_t)length))
		return;
	(void)close(fd);
	result = pem_file_check(path, row->kind, &error);
	(void)unlink(path);
	if (row->says == NULL) {
		if (!CHECK(result == 0))
			printf("# %s\n", error.message);
		return;
	}
	CHECK(result == -1 && error.code == EX_DATAERR);
	CHECK(strncmp(error.message, path, strlen(path)) == 0);
	if (!CHECK(strstr(error.message, row->says) != NULL))
		printf("# %s, not %s\n", error.message, row->says);
	CHECK(strstr(error.message, "AQU") == NULL);
}

static void
a_file_has_whole_what_it_is_meant_to_have_or_is_refused(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

static void
what_is_no_file_is_refused(void)
{
	char path[] = "/tmp/pem-test-XXXXXX", fifo[64];
	struct svc_error error;

	CHECK(pem_file_check("/nonexistent/ca", PEM_CERTIFICATE, &error) == -1);
	CHECK(error.code == EX_NOINPUT);
	if (!CHECK(mkdtemp(path) != NULL))
		return;
	CHECK(pem_file_check(path, PEM_CERTIFICATE, &error) == -1);
	snprintf(fifo, sizeof(fifo), "%s/fifo", path);
	CHECK(mkfifo(fifo, 0600) == 0);
	CHECK(pem_file_check(fifo, PEM_CERTIFICATE, &error) == -1);
	CHECK(strstr(error.message, "not a regular file") != NULL);
	(void)unlink(fifo);
	(void)rmdir(path);
}

int
main(void)
{
	RUN(a_file_has_whole_what_it_is_meant_to_have_or_is_refused);
	RUN(what_is_no_file_is_refused);
	return check_done();
}
