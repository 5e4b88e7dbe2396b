/* svc-discover: print the instances of services, or wait for them. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli.h"
#include "line/units.h"
#include "registry/query.h"
#include "registry/wait.h"
#include "ui/format.h"
#include "ui/order.h"

#define STATUS_TIMED_OUT 124

enum { OPTION_STATUS = OPTION_LONG, OPTION_SORT, OPTION_OWNER, OPTION_NAMES };

static const struct option_row rows[] = {
    {'l', "label", "SELECTOR", "only instances that match: zone=eu-1,gpu"},
    {OPTION_STATUS, "status", "S[,S]...", "only instances of these statuses"},
    {OPTION_OWNER, "owner", "USER", "only instances that USER registered"},
    {'a', "all", NULL, "also instances that get no work"},
    {'1', "one", NULL, "the first one only"},
    {OPTION_SORT, "sort", "[-]FIELD", "by a member; with '-' descending"},
    {OPTION_NAMES, "names", NULL, "print the names of services only"},
    {'o', "output", "FORMAT",
	"json, table, tsv, address, prometheus, or a text with %{MEMBER}"},
    {'w', "wait", NULL, "wait until there is something to print"},
    {'T', "timeout", "DURATION", "give up waiting after DURATION"},
    OPTION_ROWS_COMMON,
    {0, NULL, NULL, NULL},
};

static const char synopsis[] =
    "svc-discover [-1aqvw] [-l SELECTOR] [-o FORMAT] [-R PLACE] "
    "[-T DURATION] [--names] [--owner USER] [--sort [-]FIELD] "
    "[--status S[,S]...] [NAME...]";

struct request {
	struct query query;
	struct selector *selector;
	struct format *format;
	const char *output;
	const char *sort;
	bool one;
	bool names;
	bool wait;
	double timeout; /* seconds; negative: for ever */
};

static void
parse_option(struct cli *cli, struct request *request, int option)
{
	struct svc_error error = {0, ""};
	int result = 0;

	switch (option) {
	case 'l':
		selector_free(request->selector);
		request->selector = NULL;
		request->query.selector_text = optarg;
		result = selector_parse(&request->selector, optarg, &error);
		request->query.selector = request->selector;
		break;
	case OPTION_STATUS:
		result = query_parse_statuses(&request->query, optarg, &error);
		break;
	case OPTION_OWNER:
		request->query.owner = optarg;
		break;
	case 'a':
		request->query.all = true;
		break;
	case '1':
		request->one = true;
		break;
	case OPTION_SORT:
		request->sort = optarg;
		break;
	case OPTION_NAMES:
		request->names = true;
		break;
	case 'o':
		request->output = optarg;
		break;
	case 'w':
		request->wait = true;
		break;
	case 'T':
		result = duration_parse(optarg, &request->timeout, &error);
		break;
	}
	if (result == -1)
		cli_refuse(cli, option, "%s", error.message);
}

static void
check_request(struct cli *cli, struct request *request)
{
	const char *output = request->output;
	struct svc_error error;

	if (request->timeout >= 0 && !request->wait)
		cli_usage(cli, "--timeout needs --wait");
	if (request->names && (output != NULL || request->sort != NULL))
		cli_usage(cli, "--names goes with neither --output nor --sort");
	if (request->sort != NULL && *request->sort == '\0')
		cli_refuse(cli, OPTION_SORT, "not a member: '' (say age)");
	if (output == NULL && !request->names && isatty(STDOUT_FILENO) == 1)
		output = "table";
	if (format_parse(&request->format, output, &error) == -1)
		cli_refuse(cli, 'o', "%s", error.message);
}

/* Whether one of the instances is of service. */
static bool
has_service(const struct instance *instances, size_t count, const char *service)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(instances[i].service, service) == 0)
			return true;
	return false;
}

/* How many of the services asked for have nothing among the chosen. */
static size_t
count_missing(
    const struct query *query, const struct instance *chosen, size_t count)
{
	size_t i, missing = 0;

	if (query->service_count == 0)
		return count == 0;
	for (i = 0; i < query->service_count; i++)
		missing += !has_service(chosen, count, query->services[i]);
	return missing;
}

/* For registry_wait(): whether each service asked for has something. */
static int
enough(void *argument, const struct instance_list *list)
{
	const struct query *query = argument;
	struct instance *chosen;
	struct svc_error error;
	size_t count, missing;

	if (query_choose(query, list, &chosen, &count, &error) == -1)
		cli_fail(&error);
	missing = count_missing(query, chosen, count);
	free(chosen);
	return missing == 0;
}

/* Waits; a registry that does not exist is made, so that it can be watched. */
static int
wait_for(
    const struct cli *cli, struct request *request, struct instance_list *list)
{
	struct registry *registry = cli_registry(cli, true);
	struct query *query = &request->query;
	struct svc_error error;
	int result;

	result = registry_wait(registry,
	    query->service_count == 1 ? query->services[0] : NULL, enough,
	    query, request->timeout, list, &error);
	if (result == -1)
		cli_fail(&error);
	registry_close(registry);
	return result == 1 ? EX_OK : STATUS_TIMED_OUT;
}

static void
list_now(const struct cli *cli, const struct query *query,
    struct instance_list *list)
{
	struct registry *registry = cli_registry_if_any(cli);
	struct svc_error error;
	size_t i = 0;

	if (registry == NULL)
		return;
	do {
		if (registry_list(registry,
			query->service_count == 0 ? NULL : query->services[i],
			list, &error) == -1)
			cli_fail(&error);
	} while (++i < query->service_count);
	registry_close(registry);
}

static void
say_why(const struct cli *cli, const struct query *query,
    const struct instance_list *list, const char *service)
{
	struct buffer sentence = BUFFER_INIT;
	const char *text;

	/* Where nothing is registered at all it may be the wrong place. */
	if (service == NULL ? list->count == 0
			    : !has_service(list->items, list->count, service))
		cli_append_empty(cli, service, &sentence);
	else
		query_why(query, list, service, &sentence);
	if ((text = buffer_string(&sentence)) != NULL)
		cli_warn_line("%s", text);
	buffer_release(&sentence);
}

/* A sentence for each service that has nothing to print. */
static void
explain(const struct cli *cli, const struct query *query,
    const struct instance_list *list, const struct instance *chosen,
    size_t count)
{
	size_t i;

	if (query->service_count == 0)
		say_why(cli, query, list, NULL);
	for (i = 0; i < query->service_count; i++)
		if (!has_service(chosen, count, query->services[i]))
			say_why(cli, query, list, query->services[i]);
}

static int
write_line(
    void *argument, const char *line, size_t length, struct svc_error *error)
{
	if (writer_line(argument, line, length, error) == -1)
		cli_output_failed(error);
	return 0;
}

static void
write_name(struct writer *writer, const char *name)
{
	struct svc_error error;

	write_line(writer, name, strlen(name), &error);
}

static void
write_names(struct writer *writer, const struct request *request,
    const struct instance *chosen, size_t count)
{
	size_t i;

	for (i = 0; i < count && !(request->one && i > 0); i++)
		if (i == 0 ||
		    strcmp(chosen[i].service, chosen[i - 1].service) != 0)
			write_name(writer, chosen[i].service);
}

static void
write_instances(struct writer *writer, const struct cli *cli,
    const struct request *request, struct instance *chosen, size_t count)
{
	struct format_screen screen = {0, false};
	struct svc_error error;
	long having;

	if (request->sort != NULL) {
		having = order_instances(chosen, count, request->sort, &error);
		if (having == -1)
			cli_fail(&error);
		if (having == 0 && count > 0 && !cli->quiet)
			cli_warn_line("--sort: no instance has the member '%s'",
			    request->sort + (*request->sort == '-'));
	}
	if (request->one && count > 1)
		count = 1;
	if (count == 0 && !format_is_document(request->format))
		return;
	if (format_is_table(request->format))
		cli_screen(&screen);
	if (format_instances(request->format, chosen, count, &screen,
		write_line, writer, &error) == -1)
		cli_fail(&error);
}

static int
discover(const struct cli *cli, struct request *request, struct writer *writer)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct instance *chosen;
	struct svc_error error;
	size_t count;
	int status = EX_OK;

	if (request->wait)
		status = wait_for(cli, request, &list);
	else
		list_now(cli, &request->query, &list);
	if (query_choose(&request->query, &list, &chosen, &count, &error) == -1)
		cli_fail(&error);
	if (status == EX_OK &&
	    count_missing(&request->query, chosen, count) > 0)
		status = 1;
	if (status != EX_OK && !cli->quiet)
		explain(cli, &request->query, &list, chosen, count);
	if (status == STATUS_TIMED_OUT)
		count = 0;
	if (request->names)
		write_names(writer, request, chosen, count);
	else
		write_instances(writer, cli, request, chosen, count);
	free(chosen);
	instance_list_release(&list);
	return status;
}

/* --names --all: the directories say it, no record needs to be read. */
static bool
asks_for_names_alone(const struct request *request)
{
	const struct query *query = &request->query;

	return request->names && query->all && !request->wait &&
	       query->selector == NULL && query->owner == NULL &&
	       query->statuses == 0 && query->service_count == 0;
}

static int
list_services(
    const struct cli *cli, const struct request *request, struct writer *writer)
{
	const struct instance_list none = INSTANCE_LIST_INIT;
	struct registry *registry = cli_registry_if_any(cli);
	struct svc_error error;
	char **names = NULL;
	size_t count = 0, i, printed = 0;

	if (registry != NULL &&
	    registry_services(registry, &names, &count, &error) == -1)
		cli_fail(&error);
	for (i = 0; i < count; i++) {
		if (!request->one || printed == 0) {
			write_name(writer, names[i]);
			printed++;
		}
		free(names[i]);
	}
	free(names);
	registry_close(registry);
	if (count == 0 && !cli->quiet)
		say_why(cli, &request->query, &none, NULL);
	return count == 0;
}

int
main(int argc, char *argv[])
{
	struct cli cli = {
	    .rows = rows,
	    .synopsis = synopsis,
	    .summary = "Print the instances of services, or wait for them.",
	};
	struct request request = {.timeout = -1};
	struct writer *writer;
	int option, status;

	cli_init(&cli);
	while ((option = cli_option(&cli, argc, argv)) != -1)
		parse_option(&cli, &request, option);
	request.query.services = argv + optind;
	request.query.service_count =
	    cli_services(&cli, argc - optind, argv + optind);
	check_request(&cli, &request);
	writer = cli_stdout();
	status = asks_for_names_alone(&request)
		     ? list_services(&cli, &request, writer)
		     : discover(&cli, &request, writer);
	format_free(request.format);
	selector_free(request.selector);
	return cli_finish(writer, status);
}
