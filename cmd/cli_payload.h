/*
 * -d: one task from the command line, as every utility that takes one reads
 * it.
 */
#ifndef SVCKIT_CMD_CLI_PAYLOAD_H
#define SVCKIT_CMD_CLI_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"
#include "line/buffer.h"

struct cli_payload {
	const char *data; /* -d: TASK, @FILE, @- for standard input */
	/* of the task; of JSON, or NULL: it must be JSON; else any bytes */
	const char *content_type;
	bool text; /* -L: a JSON string is made of it */
	size_t limit; /* bytes */
};

/*
 * Appends the task to line as one line of JSON, or exits.  true: it is a string
 * of base64, which stands for bytes of that content_type.
 */
bool cli_payload_read(const struct cli *cli, const struct cli_payload *payload,
    struct buffer *line);

#endif
