/*
 * The lines of a journal: how they are made, and read again.
 */
#ifndef SVCKIT_FLOW_JOURNAL_LINE_H
#define SVCKIT_FLOW_JOURNAL_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "flow/journal.h"
#include "line/buffer.h"
#include "line/error.h"
#include "line/units.h"

#define JOURNAL_HEADER \
	"{\"journal\":\"svckit 1\",\"task\":null,\"result\":null}\n"
#define JOURNAL_HEADER_LENGTH (sizeof(JOURNAL_HEADER) - 1)
#define JOURNAL_HEADER_MAX    4096 /* bytes of the first line of any version */

/* More than is added to a line. */
#define JOURNAL_MEMBER_MAX 160

/*
 * Reads the first bytes of a file: the whole, or JOURNAL_HEADER_MAX of them.
 * 1: a journal, whose first line is *header bytes.  0: one whose first line has
 * not got to the disk, if the file is not just empty; *header bytes of it have,
 * and no others but NUL follow.  -1: EX_DATAERR, no journal; EX_CONFIG.
 */
int journal_header_read(
    const char *text, size_t length, size_t *header, struct svc_error *error);

/* What stands on the line of a task. */
struct journal_line {
	char id[NAME_MAX_LENGTH + 1];
	size_t id_length;
	unsigned char hash[JOURNAL_HASH];
	bool made;
	bool failed;
};

/* Appends line, an object with its LF, and the journal's member in it. */
void journal_line_append(struct buffer *out, const char *line, size_t length,
    const unsigned char hash[JOURNAL_HASH], bool made);

/* Reads a line without its LF.  EX_DATAERR. */
int journal_line_read(struct journal_line *line, const char *text,
    size_t length, struct svc_error *error);

/*
 * Appends a line with its LF as it was before journal_line_append().  -1: it is
 * no line of a journal.
 */
int journal_line_strip(struct buffer *out, const char *text, size_t length);

#endif
