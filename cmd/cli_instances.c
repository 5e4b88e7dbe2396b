#include "cli_instances.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool
is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

const char *
cli_file_name(const struct cli *cli, int option, const char *name)
{
	if (*name == '\0')
		cli_refuse(cli, option, "not a file's name: ''");
	return name;
}

static void
set_service(const struct cli *cli, struct cli_instances_options *options,
    const char *name)
{
	struct svc_error error;

	if (name_check("service", name, &error) == -1)
		cli_refuse(cli, 's', "%s", error.message);
	options->service = name;
}

static void
set_label(const struct cli *cli, struct cli_instances_options *options,
    const char *text)
{
	struct svc_error error;

	selector_free(options->selector);
	options->label = text;
	if (selector_parse(&options->selector, text, &error) == -1)
		cli_refuse(cli, 'l', "%s", error.message);
}

bool
cli_instances_option(
    const struct cli *cli, int option, struct cli_instances_options *options)
{
	switch (option) {
	case 'r':
		options->path = cli_file_name(cli, option, optarg);
		break;
	case 's':
		set_service(cli, options, optarg);
		break;
	case 'l':
		set_label(cli, options, optarg);
		break;
	default:
		return false;
	}
	return true;
}

void
cli_instances_options_release(struct cli_instances_options *options)
{
	selector_free(options->selector);
	memset(options, 0, sizeof(*options));
}

bool
cli_instances_piped(const struct cli_instances_options *options)
{
	if (options->path != NULL)
		return is_stdin(options->path);
	return options->service == NULL && options->label == NULL;
}

void
cli_instances_check(const struct cli *cli,
    const struct cli_instances_options *options, bool has_tasks,
    const char *tasks)
{
	if (!cli_instances_piped(options))
		return;
	if (has_tasks && (tasks == NULL || is_stdin(tasks)))
		cli_usage(cli, "instances and tasks cannot both come from "
			       "standard input: name a file with --tasks or "
			       "--resources, or a --service");
	if (isatty(STDIN_FILENO) == 1)
		cli_usage(cli, "instances are expected on standard input, and "
			       "it is a terminal: pipe svc-discover into it, "
			       "or use --service or --resources");
}

struct reader *
cli_reader(const char *path, size_t limit)
{
	struct svc_error error;
	struct reader *reader;
	int descriptor = STDIN_FILENO;
	bool named = path != NULL && !is_stdin(path);

	if (named) {
		descriptor = open(path, O_RDONLY | O_CLOEXEC);
		if (descriptor == -1) {
			svc_error_errno(&error, "%s", path);
			cli_fail(&error);
		}
	}
	if (reader_open(&reader, descriptor, named ? path : "stdin", limit,
		&error) == -1)
		cli_fail(&error);
	return reader;
}

void
cli_reader_close(struct reader *reader)
{
	if (reader_descriptor(reader) != STDIN_FILENO)
		close(reader_descriptor(reader));
	reader_close(reader);
}

static void
warn_of_line(void *argument, const struct svc_error *error)
{
	(void)argument;
	cli_warn(error);
}

static void
read_lines(struct cli_instances *instances,
    const struct cli_instances_options *options)
{
	struct instance_reader *roster = &instances->roster;
	struct svc_error error;
	struct reader *reader;

	reader = cli_reader(options->path, INSTANCE_READER_LINE_MAX);
	if (instance_reader_read(roster, reader, options->selector,
		warn_of_line, NULL, &error) == -1)
		cli_fail(&error);
	cli_reader_close(reader);
	instances->items = roster->items;
	instances->count = roster->count;
	instances->left_out = roster->left_out;
	instances->skipped = roster->skipped;
}

static void
read_registry(const struct cli *cli, struct cli_instances *instances,
    const struct selector *selector)
{
	struct instance_list *list = &instances->list;
	struct svc_error error;
	size_t i, kept = 0;

	instances->registry = cli_registry_if_any(cli);
	if (instances->registry == NULL)
		return;
	if (registry_list(instances->registry, NULL, list, &error) == -1)
		cli_fail(&error);
	for (i = 0; i < list->count; i++) {
		if (selector_match(selector, &list->items[i]))
			list->items[kept++] = list->items[i];
		else
			instance_release(&list->items[i]);
	}
	instances->left_out = list->count - kept;
	list->count = kept;
	instances->items = list->items;
	instances->count = kept;
}

void
cli_instances_read(const struct cli *cli, struct cli_instances *instances,
    const struct cli_instances_options *options)
{
	memset(instances, 0, sizeof(*instances));
	instances->list = (struct instance_list)INSTANCE_LIST_INIT;
	if (options->path != NULL || cli_instances_piped(options))
		read_lines(instances, options);
	else
		read_registry(cli, instances, options->selector);
}

void
cli_instances_release(struct cli_instances *instances)
{
	instance_reader_release(&instances->roster);
	instance_list_release(&instances->list);
	if (instances->registry != NULL)
		registry_close(instances->registry);
}

void
cli_instances_append_empty(const struct cli *cli,
    const struct cli_instances *instances,
    const struct cli_instances_options *options, struct buffer *out)
{
	if (instances->left_out > 0)
		buffer_append_format(out, "none of %zu instances matches '%s'",
		    instances->left_out, options->label);
	else if (cli_instances_piped(options))
		buffer_append_string(out, "no instances in stdin");
	else if (options->path != NULL)
		buffer_append_format(out, "no instances in %s", options->path);
	else
		cli_append_empty(cli, NULL, out);
}
