#include "cli_rotation.h"

#include <sysexits.h>

#include "line/buffer.h"

/* The cursor cannot be shared: round-robin goes on in memory. */
static void
lost(void *argument, const struct svc_error *error)
{
	struct cli_rotation *rotation = argument;

	if (rotation->cli->verbose > 0)
		cli_warn_line(
		    "round-robin in this process alone: %s", error->message);
	cursor_set_close(rotation->set);
	rotation->set = NULL;
}

static struct registry *
open_registry(struct cli_rotation *rotation, struct svc_error *error)
{
	struct buffer place = BUFFER_INIT;
	const char *path;

	svc_error_set(error, EX_OSERR, "out of memory");
	if (cli_place(rotation->cli, &place, error) == 0 &&
	    (path = buffer_string(&place)) != NULL) {
		if (rotation->cli->verbose > 0)
			cli_warn_line("registry %s", path);
		if (registry_open(&rotation->registry, path, false, error) ==
		    -1)
			rotation->registry = NULL;
	}
	buffer_release(&place);
	return rotation->registry;
}

void
cli_rotation_open(struct cli_rotation *rotation, const struct cli *cli,
    struct registry *opened, struct policy_options *options)
{
	struct registry *registry = opened;
	struct svc_error error;

	*rotation = (struct cli_rotation){.cli = cli};
	if (registry == NULL)
		registry = open_registry(rotation, &error);
	if (registry == NULL ||
	    cursor_set_open(&rotation->set, registry, &error) == -1)
		lost(rotation, &error);
	options->cursor = (struct policy_cursor){rotation->set, cursor_key,
	    cursor_load, cursor_store, cursor_set_commit, lost, rotation};
}

void
cli_rotation_close(struct cli_rotation *rotation)
{
	cursor_set_close(rotation->set);
	if (rotation->registry != NULL)
		registry_close(rotation->registry);
}
