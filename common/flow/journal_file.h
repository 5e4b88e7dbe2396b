/*
 * The file of a journal: opened, locked, appended to, and cut back to whole
 * lines, never further.
 */
#ifndef SVCKIT_FLOW_JOURNAL_FILE_H
#define SVCKIT_FLOW_JOURNAL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "line/error.h"

struct journal_file {
	int descriptor;
	char *path; /* owned; for messages */
	int64_t size; /* behind its last whole line */
};

/*
 * Opens the file, which is made if there is none, and locks it; size is not
 * known yet.  EX_CANTCREAT, EX_TEMPFAIL, EX_NOPERM, EX_IOERR, EX_OSERR.  1: it
 * is locked; 0: it is not, since its file system cannot.
 */
int journal_file_open(
    struct journal_file *file, const char *path, struct svc_error *error);

/* -1: EX_IOERR, what was written may not be there. */
int journal_file_close(struct journal_file *file, struct svc_error *error);

/*
 * Reads the first line, to behind which size is set.  1: something follows; 0:
 * nothing does, or the line had to be written, and is on the disk.  -1:
 * EX_DATAERR, EX_CONFIG, EX_IOERR.
 */
int journal_file_begin(struct journal_file *file, struct svc_error *error);

/* Cuts off what follows size; all before is on the disk then.  EX_IOERR. */
int journal_file_cut(struct journal_file *file, struct svc_error *error);

/*
 * Writes whole lines behind size, which grows by what was written of them.  -1:
 * EX_IOERR: not all was, and the file is cut back to size.
 */
int journal_file_append(struct journal_file *file, const char *lines,
    size_t length, struct svc_error *error);

/* Reads length bytes at offset.  -1: EX_IOERR. */
int journal_file_get(const struct journal_file *file, int64_t offset,
    char *data, size_t length, struct svc_error *error);

/* Says of it what errno says, always as EX_IOERR; returns -1. */
int journal_file_fail(
    const struct journal_file *file, const char *what, struct svc_error *error);

#endif
