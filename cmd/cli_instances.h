/*
 * The instances that a utility chooses from, wherever they come from: lines of
 * a file or of standard input, or the registry, once.
 */
#ifndef SVCKIT_CMD_CLI_INSTANCES_H
#define SVCKIT_CMD_CLI_INSTANCES_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"
#include "line/buffer.h"
#include "line/reader.h"
#include "line/selector.h"
#include "registry/registry.h"
#include "sched/instance_reader.h"

/* Which ones. */
struct cli_instances_options {
	const char
	    *path; /* a file, "-" is standard input; NULL: the registry */
	const char *label; /* text of selector, for messages */
	const struct selector *selector; /* NULL: any */
};

struct cli_instances {
	struct instance *items; /* sorted by service and id */
	size_t count;
	size_t left_out; /* by the selector */
	size_t skipped; /* lines that are no instance, each told */
	struct registry *registry; /* where they came from; or NULL */
	/* private: who owns them */
	struct instance_reader roster;
	struct instance_list list;
};

/* Whether path is "-". */
bool cli_is_stdin(const char *path);

/* A reader of path; NULL and "-" are standard input.  Or exits. */
struct reader *cli_reader(const char *path, size_t limit);
void cli_reader_close(struct reader *reader);

/*
 * Reads them to the end, or exits.  Of the registry all services are listed,
 * since a task may name any.
 */
void cli_instances_read(const struct cli *cli, struct cli_instances *instances,
    const struct cli_instances_options *options);
void cli_instances_release(struct cli_instances *instances);

/* Appends why there are none: "no instances in stdin". */
void cli_instances_append_empty(const struct cli *cli,
    const struct cli_instances *instances,
    const struct cli_instances_options *options, struct buffer *out);

#endif
