/* What every utility does alike: see cli.h. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "line/reader.h"
#include "line/units.h"
#include "line/version.h"
#include "ui/escape.h"

/*
 * The wrong way round on purpose: a utility that was started with stdout
 * closed must see its writes fail, not succeed.
 */
static void
occupy_standard_descriptors(void)
{
	int descriptor;

	for (descriptor = 0; descriptor <= 2; descriptor++)
		if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF)
			(void)open("/dev/null",
			    descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void
cli_init(struct cli *cli)
{
	struct svc_error error;

	occupy_standard_descriptors();
	/* The text of getopt_long(3) is in two styles; cli_option() says it. */
	opterr = 0;
	if (option_parser_init(&cli->parser, cli->rows, &error) == -1)
		cli_fail(&error);
}

/* Whether stderr is the journal, which systemd.exec(5) says how to find out. */
static bool
is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat status;

	if (stream == NULL || fstat(STDERR_FILENO, &status) == -1)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev,
	    (uintmax_t)status.st_ino);
	return strcmp(stream, own) == 0;
}

/* In front of a line: its level, where that is understood. */
static void
append_level(struct buffer *line, int level)
{
	if (is_journal())
		buffer_append_format(line, "<%d>", level);
}

static void print_message(int level, const char *format, va_list arguments,
    const char *hint) __attribute__((format(printf, 2, 0)));

static void
print_message(
    int level, const char *format, va_list arguments, const char *hint)
{
	struct buffer line = BUFFER_INIT;
	char message[2048];

	vsnprintf(message, sizeof(message), format, arguments);
	append_level(&line, level);
	buffer_append_string(&line, program_invocation_short_name);
	buffer_append_string(&line, ": ");
	escape_append(&line, message, strlen(message));
	buffer_append_string(&line, hint);
	buffer_append_char(&line, '\n');
	if (buffer_failed(&line))
		fprintf(stderr, "%s: out of memory\n",
		    program_invocation_short_name);
	else if (write(STDERR_FILENO, line.data, line.length) == -1)
		errno = 0; /* there is nowhere left to say so */
	buffer_release(&line);
}

void
cli_warn_line(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(LOG_WARNING, format, arguments, "");
	va_end(arguments);
}

static void print_error(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static void
print_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(LOG_ERR, format, arguments, "");
	va_end(arguments);
}

static void
write_all(const struct buffer *text)
{
	size_t written = 0;
	ssize_t n;

	while (written < text->length) {
		n = write(STDERR_FILENO, text->data + written,
		    text->length - written);
		/* where messages cannot be written, nobody can be told */
		if (n == -1 && errno != EINTR)
			return;
		written += n == -1 ? 0 : (size_t)n;
	}
}

void
cli_report(const struct buffer *text)
{
	const char *line = text->data, *end = text->data + text->length, *next;
	struct buffer marked = BUFFER_INIT;

	if (!is_journal()) {
		write_all(text);
		return;
	}
	for (; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next == NULL ? end : next + 1;
		append_level(&marked, LOG_INFO);
		buffer_append(&marked, line, (size_t)(next - line));
	}
	write_all(buffer_failed(&marked) ? text : &marked);
	buffer_release(&marked);
}

int
cli_warn(const struct svc_error *error)
{
	cli_warn_line("%s", error->message);
	return error->code;
}

void
cli_fail(const struct svc_error *error)
{
	print_error("%s", error->message);
	exit(error->code);
}

void
cli_usage(const struct cli *cli, const char *format, ...)
{
	va_list arguments;
	char hint[256];

	(void)cli;
	snprintf(hint, sizeof(hint), "; try '%s --help'",
	    program_invocation_short_name);
	va_start(arguments, format);
	print_message(LOG_ERR, format, arguments, hint);
	va_end(arguments);
	exit(EX_USAGE);
}

void
cli_refuse(const struct cli *cli, int option, const char *format, ...)
{
	char message[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	cli_usage(
	    cli, "--%s: %s", option_row_find(cli->rows, option)->name, message);
}

void
cli_check_operands(
    const struct cli *cli, int argc, char *argv[], const char *before)
{
	int i;

	for (i = 0; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			cli_usage(cli, "options come before %s: '%s'", before,
			    argv[i]);
}

bool
cli_line_option(
    const struct cli *cli, int option, struct envelope_options *lines)
{
	struct svc_error error;

	switch (option) {
	case 'L':
		lines->text = true;
		break;
	case OPTION_BARE:
		lines->bare = true;
		break;
	case OPTION_RETRY:
		lines->retry = true;
		break;
	case OPTION_MAX_TASK:
		if (size_parse_within(optarg, LINE_LENGTH_MAX, &lines->max_task,
			&error) == -1)
			cli_refuse(cli, option, "%s", error.message);
		break;
	default:
		return false;
	}
	if (lines->bare && lines->text)
		cli_usage(cli, "--bare and --text exclude each other");
	return true;
}

static void
print_and_exit(const struct buffer *text)
{
	struct svc_error error;
	struct writer *writer = cli_stdout();

	if (buffer_failed(text)) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	if (writer_line(writer, text->data, text->length, &error) == -1)
		cli_output_failed(&error);
	exit(cli_finish(writer, EX_OK));
}

static void
print_help(const struct cli *cli)
{
	struct buffer text = BUFFER_INIT;

	option_help(cli->rows, cli->synopsis, cli->summary, &text);
	print_and_exit(&text);
}

static void
print_version(void)
{
	struct buffer text = BUFFER_INIT;

	buffer_append_string(&text, program_invocation_short_name);
	buffer_append_string(&text, " " SVCKIT_VERSION "\n");
	print_and_exit(&text);
}

/* Tells all that the first length bytes of word may mean. */
static void
refuse_ambiguous(const struct cli *cli, const char *word, size_t length)
{
	const struct option_row *row;
	struct buffer names = BUFFER_INIT;
	struct svc_error error;

	for (row = cli->rows; row->value != 0; row++)
		if (strncmp(row->name, word + 2, length - 2) == 0)
			buffer_append_format(&names, "%s--%s",
			    names.length > 0 ? ", " : "", row->name);
	if (buffer_string(&names) == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	cli_usage(cli, "ambiguous option '%.*s': %s", (int)length, word,
	    buffer_string(&names));
}

/*
 * getopt_long(3) has refused word.  optopt is 0 for a long name that it does
 * not know or that several begin with, the option's value for a long one that
 * takes no argument but has one, else the letter.
 */
static void
refuse_option(const struct cli *cli, const char *word)
{
	size_t length = strcspn(word, "=");

	if (optopt != 0 && option_row_find(cli->rows, optopt) != NULL)
		cli_refuse(
		    cli, optopt, "takes no argument: '%s'", word + length + 1);
	if (optopt != 0)
		cli_usage(cli, "unknown option '-%c'", optopt);
	if (option_row_matches(cli->rows, word + 2, length - 2) > 1)
		refuse_ambiguous(cli, word, length);
	cli_usage(cli, "unknown option '%.*s'", (int)length, word);
}

static void
refuse_missing(const struct cli *cli)
{
	const struct option_row *row = option_row_find(cli->rows, optopt);

	cli_refuse(cli, row->value, "needs an argument: %s", row->argument);
}

int
cli_option(struct cli *cli, int argc, char *argv[])
{
	int value;

	while ((value = getopt_long(argc, argv, cli->parser.letters,
		    cli->parser.longs, NULL)) != -1) {
		switch (value) {
		case 'R':
			if (*optarg == '\0')
				cli_refuse(cli, value, "empty");
			cli->registry = optarg;
			break;
		case 'v':
			cli->verbose++;
			break;
		case 'q':
			cli->quiet = true;
			break;
		case 'h':
			print_help(cli);
			break;
		case 'V':
			print_version();
			break;
		case ':':
			refuse_missing(cli);
			break;
		case '?':
			refuse_option(cli, argv[optind - 1]);
			break;
		default:
			return value;
		}
	}
	option_parser_release(&cli->parser);
	return -1;
}

int
cli_worse(int status, int other)
{
	static const struct {
		int status;
		int rank;
	} order[] = {{EX_SOFTWARE, 1}, {EX_OSERR, 1}, {EX_IOERR, 2},
	    {EX_CANTCREAT, 3}, {EX_NOPERM, 3}, {EX_UNAVAILABLE, 4},
	    {EX_TEMPFAIL, 4}, {124, 5}, {EX_DATAERR, 6}, {1, 7}, {EX_OK, 8}};
	int rank[2] = {0, 0};
	size_t i;

	/* What is not in the table (a signal, 64, 66, 78) beats all that is. */
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (order[i].status == status)
			rank[0] = order[i].rank;
		if (order[i].status == other)
			rank[1] = order[i].rank;
	}
	return rank[1] < rank[0] ? other : status;
}

static const char *
home_directory(void)
{
	const char *home = getenv("HOME");
	const struct passwd *entry;

	if (home != NULL && *home != '\0')
		return home;
	entry = getpwuid(getuid());
	return entry == NULL ? NULL : entry->pw_dir;
}

int
cli_place(const struct cli *cli, struct buffer *place, struct svc_error *error)
{
	return registry_place(cli->registry, getenv("SVC_REGISTRY"),
	    getenv("XDG_STATE_HOME"), home_directory(), place, error);
}

static void
warn_of_skipped(void *argument, const char *message)
{
	const struct cli *cli = argument;

	if (!cli->quiet)
		cli_warn_line("%s", message);
}

/* tell: -v says which it is. */
static int
open_registry(const struct cli *cli, bool create, bool tell,
    struct registry **registry, struct svc_error *error)
{
	struct buffer place = BUFFER_INIT;
	const char *path;
	int result;

	if (cli_place(cli, &place, error) == -1)
		cli_fail(error);
	if ((path = buffer_string(&place)) == NULL) {
		svc_error_set(error, EX_OSERR, "out of memory");
		cli_fail(error);
	}
	if (tell && cli->verbose > 0)
		cli_warn_line("registry %s", path);
	result = registry_open(registry, path, create, error);
	buffer_release(&place);
	/* The callback only reads it; void * has no const. */
	if (result == 0)
		registry_set_warn(
		    *registry, warn_of_skipped, (void *)(uintptr_t)cli);
	return result;
}

struct registry *
cli_registry(const struct cli *cli, bool create)
{
	struct registry *registry;
	struct svc_error error;

	if (open_registry(cli, create, true, &registry, &error) == -1)
		cli_fail(&error);
	return registry;
}

static bool
is_absent(const struct cli *cli)
{
	struct buffer place = BUFFER_INIT;
	struct svc_error error;
	const char *path = NULL;
	bool absent;

	if (cli_place(cli, &place, &error) == 0)
		path = buffer_string(&place);
	absent = path != NULL && access(path, F_OK) == -1 && errno == ENOENT;
	buffer_release(&place);
	return absent;
}

struct registry *
cli_registry_if_any(const struct cli *cli)
{
	struct registry *registry;
	struct svc_error error;

	if (open_registry(cli, false, true, &registry, &error) == 0)
		return registry;
	/* What is there and is no directory is not a registry to be made. */
	if (error.code != EX_NOINPUT || !is_absent(cli))
		cli_fail(&error);
	return NULL;
}

static bool
is_named(const struct cli *cli)
{
	const char *environment = getenv("SVC_REGISTRY");

	return cli->registry != NULL ||
	       (environment != NULL && *environment != '\0');
}

struct registry *
cli_registry_again(const struct cli *cli)
{
	struct registry *registry;
	struct svc_error error;

	if (open_registry(cli, !is_named(cli), false, &registry, &error) == 0)
		return registry;
	/* Where it cannot be made nobody else makes it either. */
	if (!is_absent(cli))
		cli_fail(&error);
	return NULL;
}

void
cli_append_empty(const struct cli *cli, const char *service, struct buffer *out)
{
	struct buffer place = BUFFER_INIT;
	struct svc_error error;

	if (service != NULL)
		buffer_append_format(out, "%s: ", service);
	buffer_append_string(out, "no instances in the registry ");
	if (cli_place(cli, &place, &error) == 0)
		buffer_append(out, place.data, place.length);
	buffer_release(&place);
	if (is_absent(cli))
		buffer_append_string(out, ", which does not exist");
}

void
cli_screen(struct format_screen *screen)
{
	const char *columns = getenv("COLUMNS"), *term = getenv("TERM");
	const char *no_color = getenv("NO_COLOR");
	struct winsize size;
	long long number;

	setlocale(LC_CTYPE, "");
	if (isatty(STDOUT_FILENO) != 1)
		return;
	screen->width = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		screen->width = size.ws_col;
	else if (columns != NULL &&
		 integer_parse(columns, 1, 10000, &number, NULL) == 0)
		screen->width = (size_t)number;
	screen->color = (no_color == NULL || *no_color == '\0') &&
			term != NULL && strcmp(term, "dumb") != 0;
}

struct writer *
cli_stdout(void)
{
	struct writer *writer;
	struct svc_error error;

	if (writer_open(&writer, STDOUT_FILENO, "stdout", &error) == -1)
		cli_fail(&error);
	writer_set_prompt(writer, isatty(STDOUT_FILENO) == 1);
	return writer;
}

int
cli_finish(struct writer *writer, int status)
{
	struct svc_error error;

	if (writer_flush(writer, &error) == -1) {
		if (errno == EPIPE)
			cli_die_of(SIGPIPE);
		status = cli_worse(status, cli_warn(&error));
	}
	writer_close(writer);
	return status;
}

void
cli_output_failed(const struct svc_error *error)
{
	if (errno == EPIPE)
		cli_die_of(SIGPIPE);
	cli_fail(error);
}

void
cli_die_of(int signal)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t set;

	sigaction(signal, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, signal);
	raise(signal);
	/* Where it was blocked it arrives here. */
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + signal);
}

void
cli_ignore_pipe(void)
{
	struct sigaction action = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &action, NULL);
}

void
cli_check_name(const struct cli *cli, const char *what, const char *name)
{
	struct svc_error error;

	if (name_check(what, name, &error) == -1)
		cli_usage(cli, "%s", error.message);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t
cli_services(const struct cli *cli, int count, char *names[])
{
	size_t kept = 0;
	int i;

	cli_check_operands(cli, count, names, "NAME");
	for (i = 0; i < count; i++)
		cli_check_name(cli, "service", names[i]);
	qsort(names, (size_t)count, sizeof(*names), compare_names);
	for (i = 0; i < count; i++)
		if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	return kept;
}
