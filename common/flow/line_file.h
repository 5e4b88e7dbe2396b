/*
 * Lines that are put away until somebody needs them again: an unlinked
 * temporary file, so that memory keeps offsets.  A SIGKILL leaves nothing
 * behind.
 *
 * O_TMPFILE, or where the file system has none a file that is removed at once.
 */
#ifndef SVCKIT_FLOW_LINE_FILE_H
#define SVCKIT_FLOW_LINE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "line/buffer.h"
#include "line/error.h"

struct line_file;

/* Where a line lies: in a line_file or a journal. */
struct line_place {
	int64_t offset; /* -1: nowhere */
	size_t length;
};
#define LINE_PLACE_NONE       \
	{                     \
		.offset = -1, \
	}

/*
 * In directory, which is borrowed; the file is made when the first line comes.
 * EX_OSERR.
 */
int line_file_open(
    struct line_file **file, const char *directory, struct svc_error *error);
void line_file_close(struct line_file *file);

/* -1: EX_IOERR (a full disk; earlier lines are still there), EX_CANTCREAT. */
int line_file_put(struct line_file *file, const char *data, size_t length,
    struct line_place *place, struct svc_error *error);

/* Appends the line to out.  -1: EX_IOERR, EX_OSERR. */
int line_file_get(const struct line_file *file, const struct line_place *place,
    struct buffer *out, struct svc_error *error);

#endif
