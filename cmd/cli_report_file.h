/*
 * A file that an option names (--stats, --gantt) and that is written when all
 * is over.
 *
 * A regular file is replaced as a whole (line/replace.h); a device or a pipe,
 * such as that of >(command), gets the text; "-" is standard error, as is
 * /dev/stderr.  SIGPIPE must be ignored (cli_ignore_pipe()).
 */
#ifndef SVCKIT_CMD_CLI_REPORT_FILE_H
#define SVCKIT_CMD_CLI_REPORT_FILE_H

#include "line/buffer.h"

/*
 * Exits with 73 or 77 where path could not be written, so that this is told
 * before anything runs.  option is for the message: "--stats".
 */
void cli_report_file_check(const char *option, const char *path);

/* Writes it.  Returns 0, or 74 after a message. */
int cli_report_file_write(
    const char *option, const char *path, const struct buffer *text);

#endif
