/*
 * The lines of a journal, read once when it is opened.
 */
#ifndef SVCKIT_FLOW_JOURNAL_READ_H
#define SVCKIT_FLOW_JOURNAL_READ_H

#include "flow/journal.h"
#include "flow/journal_file.h"
#include "flow/journal_index.h"
#include "line/error.h"

/* Lines that cannot be read are told of one by one up to so many. */
#define JOURNAL_WARNINGS_MAX 10

/*
 * Puts the lines from file->size on into index, and sets that to behind the
 * last one that has its LF.  What cannot be read (its task runs again), and
 * what follows the last line, options->warn is told of.  EX_IOERR, EX_OSERR.
 */
int journal_read(struct journal_file *file, struct journal_index *index,
    const struct journal_options *options, struct svc_error *error);

#endif
