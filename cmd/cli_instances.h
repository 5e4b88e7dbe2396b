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

/* Which ones, as options say it; all zero: nothing was said. */
struct cli_instances_options {
	const char *path; /* -r: a file, "-" is standard input; or NULL */
	const char *service; /* -s: of tasks that name none; or NULL */
	const char *label; /* -l: the text of selector; or NULL */
	struct selector *selector; /* owned */
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

/* Takes -r, -s and -l, or exits; false: it is none of them. */
bool cli_instances_option(
    const struct cli *cli, int option, struct cli_instances_options *options);
void cli_instances_options_release(struct cli_instances_options *options);

/* Whether they come down standard input: -r says so, or nothing was said. */
bool cli_instances_piped(const struct cli_instances_options *options);

/*
 * Exits with 64 where they come from standard input, and that is a terminal or
 * what tasks (a file, "-" or NULL is standard input; has_tasks: there are any)
 * come from.
 */
void cli_instances_check(const struct cli *cli,
    const struct cli_instances_options *options, bool has_tasks,
    const char *tasks);

/* Exits with 64 where the argument of an option, which it returns, is "". */
const char *cli_file_name(const struct cli *cli, int option, const char *name);

/* A reader of path; NULL and "-" are standard input.  Or exits. */
struct reader *cli_reader(const char *path, size_t limit);
void cli_reader_close(struct reader *reader);

/*
 * Reads them to the end, or exits: from standard input, -r's file, or else the
 * registry.  Of that all services are listed,
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
