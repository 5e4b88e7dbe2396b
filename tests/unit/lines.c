/* Errors, buffers, and lines in and out of descriptors. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "line/buffer.h"
#include "line/error.h"
#include "line/reader.h"
#include "line/writer.h"

#define MEBI	    (1024UL * 1024)
#define WRITERS	    4
#define LINES_EACH  2000
#define DEADLINE_MS 10000

static void
an_error_says_what_and_from_errno_why(void)
{
	static const struct {
		int number, code;
	} rows[] = {{EACCES, EX_NOPERM}, {EPERM, EX_NOPERM}, {ENOMEM, EX_OSERR},
	    {EMFILE, EX_OSERR}, {ENOENT, EX_NOINPUT}, {ENOTDIR, EX_NOINPUT},
	    {EAGAIN, EX_TEMPFAIL}, {EPIPE, EX_IOERR}, {ENOSPC, EX_IOERR}};
	struct svc_error error;
	char wanted[128];
	size_t i;

	CHECK(svc_error_set(&error, EX_USAGE, "%s: %d", "a", 1) == -1);
	CHECK(error.code == EX_USAGE);
	CHECK_STRING(error.message, "a: 1");
	CHECK(svc_error_set(NULL, EX_USAGE, "nobody") == -1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		errno = rows[i].number;
		CHECK(svc_error_errno(&error, "file '%s'", "x") == -1);
		CHECK(errno == rows[i].number);
		CHECK(error.code == rows[i].code);
		snprintf(wanted, sizeof(wanted), "file 'x': %s",
		    strerror(rows[i].number));
		CHECK_STRING(error.message, wanted);
	}
}

static void
a_message_is_one_harmless_line_even_when_cut(void)
{
	struct svc_error error;
	char text[2001];
	size_t i;

	svc_error_set(&error, 1, "%s",
	    "a\nb\033[2J\x7f\xc2\x9b"
	    "c\xc3\xa4");
	CHECK_STRING(error.message, "a?b?[2J???c\xc3\xa4");
	for (i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 3);
	svc_error_set(&error, 1, "x%s", text);
	CHECK(strlen(error.message) == 511);
	svc_error_set(&error, 1, "%s", text);
	CHECK(strlen(error.message) == 510);
	svc_error_set(&error, 1, "in front: %s", error.message);
	CHECK(strncmp(error.message, "in front: \xc3\xa4", 12) == 0);
}

static void
a_buffer_grows_and_is_handed_over(void)
{
	struct buffer buffer = BUFFER_INIT;
	char *string;
	int i;

	CHECK_STRING(buffer_string(&buffer), "");
	for (i = 0; i < 1000; i++)
		buffer_append_format(&buffer, "%d,", i);
	buffer_append_string(&buffer, "end");
	buffer_append_char(&buffer, '.');
	buffer_append(&buffer, NULL, 0);
	CHECK(!buffer_failed(&buffer) && buffer.length == 3894);
	CHECK(strcmp(buffer_string(&buffer) + 3886, "999,end.") == 0);
	string = buffer_detach(&buffer);
	CHECK(strlen(string) == 3894 && buffer.length == 0);
	free(string);
	string = buffer_detach(&buffer);
	CHECK_STRING(string, "");
	free(string);
}

static void
a_buffer_without_memory_stays_failed_until_cleared(void)
{
	struct buffer buffer = BUFFER_INIT;

	buffer_append_string(&buffer, "kept");
	CHECK(buffer_reserve(&buffer, SIZE_MAX / 2) == NULL);
	CHECK(buffer_failed(&buffer));
	CHECK(buffer_reserve(&buffer, SIZE_MAX) == NULL);
	buffer_append_string(&buffer, "lost");
	CHECK(buffer.length == 4);
	CHECK(buffer_string(&buffer) == NULL);
	buffer_clear(&buffer);
	buffer_append_string(&buffer, "new");
	CHECK_STRING(buffer_string(&buffer), "new");
	buffer_trim(&buffer, 1000);
	CHECK(buffer.capacity > 0 && buffer.length == 0);
	buffer_trim(&buffer, 1);
	CHECK(buffer.capacity == 0);
	buffer_release(&buffer);
}

/* A file without a name that holds length bytes, at its beginning. */
static int
file_of(const char *text, size_t length)
{
	FILE *file = tmpfile();
	int descriptor;

	CHECK(file != NULL && fwrite(text, 1, length, file) == length);
	fflush(file);
	descriptor = dup(fileno(file));
	fclose(file);
	lseek(descriptor, 0, SEEK_SET);
	return descriptor;
}

/* Prints what a reader yields: "NUMBER:DATA[+long][+nul]|" a line. */
static void
print_lines(struct reader *reader, struct buffer *out)
{
	struct svc_error error;
	struct line line;
	int n;

	while ((n = reader_line(reader, &line, &error)) == 1) {
		buffer_append_format(out, "%lu:", line.number);
		buffer_append(out, line.data, line.length);
		buffer_append_format(out, "%s%s|", line.too_long ? "+long" : "",
		    line.has_nul ? "+nul" : "");
	}
	CHECK(n == 0);
	CHECK(reader_line(reader, &line, &error) == 0);
}

static void
check_lines(const char *text, size_t length, size_t limit, const char *wanted)
{
	struct buffer out = BUFFER_INIT;
	int descriptor = file_of(text, length);
	struct reader *reader;

	CHECK(reader_open(&reader, descriptor, "test", limit, NULL) == 0);
	print_lines(reader, &out);
	CHECK_STRING(buffer_string(&out), wanted);
	reader_close(reader);
	close(descriptor);
	buffer_release(&out);
}

static void
lines_end_with_LF_CRLF_or_the_end(void)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
	    {"", ""},
	    {"\n", ""},
	    {"a", "1:a|"},
	    {"a\n", "1:a|"},
	    {"a\nb", "1:a|2:b|"},
	    {"a\r\nb\r\n", "1:a|2:b|"},
	    {"a\r", "1:a|"},
	    {"a\n\n\r\n\nb\n\n", "1:a|5:b|"},
	    {"a\rb\n", "1:a\rb|"},
	    {"a\r\r\n", "1:a\r|"},
	    {"  \n\t\n", "1:  |2:\t|"},
	    {"\r", ""},
	    {"\n\n\n", ""},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_lines(
		    rows[i].text, strlen(rows[i].text), 100, rows[i].wanted);
}

static void
a_line_over_the_limit_is_cut_and_said_so_once(void)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
	    {"12345\n", "1:12345|"},
	    {"12345\r\n", "1:12345|"},
	    {"12345", "1:12345|"},
	    {"12345\r", "1:12345|"},
	    {"123456\n", "1:12345+long|"},
	    {"123456", "1:12345+long|"},
	    {"123456\r\n", "1:12345+long|"},
	    {"12345\r\r\n", "1:12345+long|"},
	    {"123456789\nabc\n", "1:12345+long|2:abc|"},
	    {"a\n123456789", "1:a|2:12345+long|"},
	    {"123456789\n\n123456\nb", "1:12345+long|3:12345+long|4:b|"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_lines(
		    rows[i].text, strlen(rows[i].text), 5, rows[i].wanted);
}

static void
a_NUL_is_flagged_in_its_line_only(void)
{
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	struct reader *reader;
	struct line line;
	int descriptor = file_of("a\0b\nc\n\0\n", 8);

	CHECK(reader_open(&reader, descriptor, "test", 100, &error) == 0);
	CHECK(reader_line(reader, &line, &error) == 1);
	CHECK(line.has_nul && line.length == 3);
	CHECK(reader_line(reader, &line, &error) == 1 && !line.has_nul);
	CHECK(reader_line(reader, &line, &error) == 1 && line.has_nul);
	reader_close(reader);
	close(descriptor);
	buffer_release(&out);
}

/* The same text must yield the same lines however read(2) cuts it. */
static void
lines_do_not_depend_on_how_the_bytes_arrive(void)
{
	static const char text[] =
	    "a\r\n\r\n123456789\nbc\n\n12345\r\n123456\r\n\nlast";
	static const char wanted[] =
	    "1:a|3:12345+long|4:bc|6:12345|7:12345+long|9:last|";
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	struct reader *reader;
	struct line line;
	size_t step, at, count;
	int ends[2];

	for (step = 1; step < sizeof(text); step++) {
		CHECK(pipe(ends) == 0);
		CHECK(reader_open(&reader, ends[0], "pipe", 5, &error) == 0);
		buffer_clear(&out);
		for (at = 0; at < sizeof(text) - 1; at += count) {
			count = sizeof(text) - 1 - at;
			if (count > step)
				count = step;
			CHECK(
			    write(ends[1], text + at, count) == (ssize_t)count);
			CHECK(reader_fill(reader, &error) == 1);
			while (reader_next(reader, &line) == 1)
				buffer_append_format(&out, "%lu:%.*s%s|",
				    line.number, (int)line.length, line.data,
				    line.too_long ? "+long" : "");
		}
		close(ends[1]);
		print_lines(reader, &out);
		CHECK_STRING(buffer_string(&out), wanted);
		reader_close(reader);
		close(ends[0]);
	}
	buffer_release(&out);
}

static void
the_memory_of_a_line_can_be_taken(void)
{
	struct buffer text = BUFFER_INIT, store;
	struct svc_error error;
	struct reader *reader;
	struct line line;
	const char *data;
	int descriptor, i;

	buffer_append_string(&text, "first\n");
	for (i = 0; i < 300000; i++)
		buffer_append_char(&text, 'x');
	buffer_append_string(&text, "\nthird\n\nfifth");
	descriptor = file_of(text.data, text.length);
	CHECK(reader_open(&reader, descriptor, "test", MEBI, &error) == 0);
	CHECK(reader_line(reader, &line, &error) == 1 && line.length == 5);
	CHECK(reader_line(reader, &line, &error) == 1);
	CHECK(line.length == 300000);
	data = line.data;
	CHECK(reader_take(reader, &store) == 0);
	CHECK(data >= store.data && data + 300001 == store.data + store.length);
	CHECK(reader_consumed(reader) == 300007);
	CHECK(reader_line(reader, &line, &error) == 1 && line.number == 3);
	CHECK(line.length == 5 && memcmp(line.data, "third", 5) == 0);
	CHECK(reader_line(reader, &line, &error) == 1 && line.number == 5);
	CHECK(data[0] == 'x' && data[299999] == 'x');
	CHECK(reader_consumed(reader) == text.length);
	reader_close(reader);
	close(descriptor);
	buffer_release(&store);
	buffer_release(&text);
}

static void
a_stopped_reader_yields_what_has_come_of_a_line(void)
{
	struct svc_error error;
	struct reader *reader;
	struct line line;
	int ends[2];

	CHECK(pipe(ends) == 0);
	CHECK(reader_open(&reader, ends[0], "pipe", 100, &error) == 0);
	CHECK(write(ends[1], "one\n\ntw", 7) == 7);
	CHECK(reader_fill(reader, &error) == 1);
	CHECK(reader_next(reader, &line) == 1 && !line.cut);
	CHECK(reader_consumed(reader) == 4);
	CHECK(reader_next(reader, &line) == 0);
	CHECK(reader_stop(reader, &error) == 0);
	CHECK(reader_next(reader, &line) == 1 && line.cut);
	CHECK(line.length == 2 && line.number == 3);
	CHECK(memcmp(line.data, "tw", 2) == 0);
	CHECK(reader_next(reader, &line) == 0);
	CHECK(reader_consumed(reader) == 7);
	CHECK(reader_fill(reader, &error) == 0);
	reader_close(reader);
	close(ends[0]);
	close(ends[1]);
}

/* A file as it was read when a signal came: its lines until the last one. */
static unsigned long
lines_of_a_stopped(int descriptor, size_t limit, struct line *last)
{
	struct svc_error error;
	struct reader *reader;
	struct line line;

	memset(last, 0, sizeof(*last));
	CHECK(reader_open(&reader, descriptor, "file", limit, &error) == 0);
	CHECK(reader_fill(reader, &error) == 1);
	CHECK(reader_stop(reader, &error) == 0);
	while (reader_next(reader, &line) == 1)
		*last = line;
	CHECK(!last->cut);
	reader_close(reader);
	return last->number;
}

static void
of_a_file_the_line_that_has_begun_is_read_to_its_end(void)
{
	struct buffer text = BUFFER_INIT;
	unsigned long number;
	struct line line;
	int descriptor, i;

	for (i = 0; i < 50000; i++)
		buffer_append_format(&text, "line %06d\n", i);
	descriptor = file_of(text.data, text.length);
	number = lines_of_a_stopped(descriptor, 100, &line);
	CHECK(number > 1000 && number < 40000 && line.length == 11);
	close(descriptor);
	/* One that is longer than what is read at once, and the file's last. */
	buffer_clear(&text);
	for (i = 0; i < 50000; i++)
		buffer_append_format(&text, "line %06d ", i);
	descriptor = file_of(text.data, text.length);
	CHECK(lines_of_a_stopped(descriptor, text.length, &line) == 1);
	CHECK(line.length == text.length && !line.too_long);
	close(descriptor);
	descriptor = file_of(text.data, text.length);
	CHECK(lines_of_a_stopped(descriptor, 100, &line) == 1);
	CHECK(line.length == 100 && line.too_long);
	close(descriptor);
	buffer_release(&text);
}

static void
what_epoll_refuses_is_not_pollable(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), file = file_of("", 0);
	struct svc_error error;
	struct reader *reader;
	struct writer *writer;
	int ends[2], i;

	CHECK(pipe(ends) == 0);
	for (i = 0; i < 3; i++) {
		int input = i == 0 ? null : i == 1 ? file : ends[0];
		int output = i == 0 ? null : i == 1 ? file : ends[1];

		CHECK(reader_open(&reader, input, "in", 100, &error) == 0);
		CHECK(reader_pollable(reader) == (i == 2));
		CHECK(writer_open(&writer, output, "out", &error) == 0);
		CHECK(writer_pollable(writer) == (i == 2));
		reader_close(reader);
		writer_close(writer);
	}
	close(null);
	close(file);
	close(ends[0]);
	close(ends[1]);
}

/* A child that writes; returns the end to read from. */
static int
start_writer(pid_t *child, void (*run)(int descriptor))
{
	int ends[2];

	fflush(stdout);
	CHECK(pipe(ends) == 0);
	*child = fork();
	if (*child == 0) {
		close(ends[0]);
		signal(SIGPIPE, SIG_DFL);
		run(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

static void
write_all(int descriptor, const char *data, size_t length)
{
	ssize_t count;

	for (; length > 0; data += count, length -= (size_t)count)
		if ((count = write(descriptor, data, length)) <= 0)
			_exit(1);
}

static void
write_endless_line(int descriptor)
{
	static char chunk[MEBI];
	int i;

	memset(chunk, 'x', sizeof(chunk));
	for (i = 0; i < 512; i++)
		write_all(descriptor, chunk, sizeof(chunk));
	write_all(descriptor, "\nafter\n", 7);
}

static void
half_a_GiB_in_one_line_needs_constant_memory(void)
{
	struct svc_error error;
	struct rusage before, after;
	struct reader *reader;
	struct line line;
	pid_t child;
	int input = start_writer(&child, write_endless_line);

	getrusage(RUSAGE_SELF, &before);
	CHECK(reader_open(&reader, input, "pipe", 4 * MEBI, &error) == 0);
	CHECK(reader_line(reader, &line, &error) == 1);
	CHECK(line.too_long && line.length == 4 * MEBI && line.number == 1);
	CHECK(reader_line(reader, &line, &error) == 1);
	CHECK(!line.too_long && line.number == 2 && line.length == 5 &&
	      memcmp(line.data, "after", 5) == 0);
	CHECK(reader_line(reader, &line, &error) == 0);
	getrusage(RUSAGE_SELF, &after);
	CHECK(after.ru_maxrss - before.ru_maxrss < 64 * 1024);
	reader_close(reader);
	close(input);
	waitpid(child, NULL, 0);
}

static void
write_long_lines(int descriptor)
{
	char *line = malloc(3 * MEBI);
	size_t i;

	for (i = 0; i < 3; i++) {
		memset(line, 'a' + (int)i, 3 * MEBI);
		line[3 * MEBI - 1] = '\n';
		write_all(descriptor, line, 3 * MEBI);
		write_all(descriptor, "short\n", 6);
	}
	free(line);
}

static void
long_lines_come_whole_between_short_ones(void)
{
	struct svc_error error;
	struct reader *reader;
	struct line line;
	pid_t child;
	int input = start_writer(&child, write_long_lines), i;

	CHECK(reader_open(&reader, input, "pipe", 3 * MEBI, &error) == 0);
	for (i = 0; i < 3; i++) {
		CHECK(reader_line(reader, &line, &error) == 1);
		CHECK(!line.too_long && line.length == 3 * MEBI - 1 &&
		      line.data[0] == 'a' + i &&
		      line.data[line.length - 1] == 'a' + i);
		CHECK(reader_line(reader, &line, &error) == 1);
		CHECK(line.length == 5 && line.number == (unsigned)i * 2 + 2);
	}
	CHECK(reader_line(reader, &line, &error) == 0);
	reader_close(reader);
	close(input);
	waitpid(child, NULL, 0);
}

static volatile sig_atomic_t late_descriptor;

static void
write_late(int number)
{
	(void)number;
	if (write(late_descriptor, "late\n", 5) != 5)
		abort();
}

/* The bytes come from a signal's handler: the waiting is interrupted, too. */
static void
a_reader_waits_on_a_descriptor_that_does_not_block(void)
{
	struct sigaction action = {.sa_handler = write_late}, old;
	struct itimerval timer = {.it_value.tv_usec = 20000};
	struct svc_error error;
	struct reader *reader;
	struct line line;
	int ends[2];

	CHECK(pipe2(ends, O_NONBLOCK) == 0);
	late_descriptor = ends[1];
	CHECK(reader_open(&reader, ends[0], "pipe", 100, &error) == 0);
	CHECK(reader_fill(reader, &error) == 1);
	CHECK(reader_next(reader, &line) == 0);
	sigaction(SIGALRM, &action, &old);
	setitimer(ITIMER_REAL, &timer, NULL);
	CHECK(reader_line(reader, &line, &error) == 1 && line.length == 4);
	sigaction(SIGALRM, &old, NULL);
	close(ends[1]);
	CHECK(reader_line(reader, &line, &error) == 0);
	reader_close(reader);
	close(ends[0]);
}

static void
a_reader_that_cannot_read_says_so(void)
{
	struct svc_error error;
	struct reader *reader;
	struct line line;
	int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(reader_open(&reader, directory, "tasks", 100, &error) == 0);
	CHECK_STRING(reader_name(reader), "tasks");
	CHECK(reader_descriptor(reader) == directory);
	CHECK(reader_line(reader, &line, &error) == -1);
	CHECK_STRING(error.message, "tasks: Is a directory");
	CHECK(error.code == EX_IOERR);
	reader_close(reader);
	close(directory);
}

/* What has been written to a file without a name. */
static void
read_back(int descriptor, struct buffer *out)
{
	char chunk[4096];
	ssize_t count;

	lseek(descriptor, 0, SEEK_SET);
	while ((count = read(descriptor, chunk, sizeof(chunk))) > 0)
		buffer_append(out, chunk, (size_t)count);
}

static void
lines_get_their_LF_and_wait_for_the_flush(void)
{
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	struct writer *writer;
	int descriptor = file_of("", 0);

	CHECK(writer_open(&writer, descriptor, "test", &error) == 0);
	CHECK(!writer_pollable(writer));
	CHECK(writer_line(writer, "a", 1, &error) == 0);
	CHECK(writer_line(writer, "b\n", 2, &error) == 0);
	CHECK(writer_line(writer, "", 0, &error) == 0);
	CHECK(writer_pending(writer) == 5);
	read_back(descriptor, &out);
	CHECK(out.length == 0);
	CHECK(writer_flush(writer, &error) == 0);
	CHECK(writer_pending(writer) == 0);
	read_back(descriptor, &out);
	CHECK_STRING(buffer_string(&out), "a\nb\n\n");
	writer_set_prompt(writer, true);
	CHECK(writer_line(writer, "c", 1, &error) == 0);
	CHECK(writer_pending(writer) == 0);
	writer_close(writer);
	close(descriptor);
	buffer_release(&out);
}

static void
lines_of_all_lengths_arrive_in_a_file_unchanged(void)
{
	struct buffer wanted = BUFFER_INIT, out = BUFFER_INIT;
	int descriptor = file_of("", 0), i;
	struct svc_error error;
	struct writer *writer;
	char *line = malloc(MEBI);
	size_t length;

	CHECK(writer_open(&writer, descriptor, "test", &error) == 0);
	for (i = 0; i < 300; i++) {
		length = (size_t)i * (size_t)i * 11 % MEBI;
		memset(line, 'a' + i % 26, length);
		buffer_append(&wanted, line, length);
		buffer_append_char(&wanted, '\n');
		CHECK(writer_line(writer, line, length, &error) == 0);
	}
	CHECK(writer_flush(writer, &error) == 0);
	read_back(descriptor, &out);
	CHECK(out.length == wanted.length &&
	      memcmp(out.data, wanted.data, out.length) == 0);
	writer_close(writer);
	close(descriptor);
	buffer_release(&wanted);
	buffer_release(&out);
	free(line);
}

/* Lines "N LENGTH xxx..." of 1 to PIPE_BUF bytes with their LF. */
static int
write_numbered_lines(int descriptor, int number)
{
	unsigned short seed[3] = {1, 2, (unsigned short)number};
	char line[PIPE_BUF];
	struct svc_error error;
	struct writer *writer;
	size_t length;
	int i;

	if (writer_open(&writer, descriptor, "pipe", &error) == -1)
		return 1;
	for (i = 0; i < LINES_EACH; i++) {
		length = 1 + (size_t)nrand48(seed) % (PIPE_BUF - 1);
		memset(line, 'a' + number, length);
		if (writer_line(writer, line, length, &error) == -1)
			return 1;
	}
	i = writer_flush(writer, &error) == -1;
	writer_close(writer);
	return i;
}

/* Whether all of a line is one process's letter; which goes to *number. */
static bool
is_of_one(const struct line *line, size_t *number)
{
	size_t i;

	*number = (size_t)(line->data[0] - 'a');
	for (i = 1; i < line->length; i++)
		if (line->data[i] != line->data[0])
			return false;
	return *number < WRITERS;
}

static void
lines_up_to_PIPE_BUF_of_four_processes_do_not_mix(void)
{
	int ends[2], status, lines[WRITERS] = {0};
	struct svc_error error;
	pid_t children[WRITERS];
	struct reader *reader;
	struct line line;
	size_t i;

	fflush(stdout);
	CHECK(pipe(ends) == 0);
	for (i = 0; i < WRITERS; i++)
		if ((children[i] = fork()) == 0)
			_exit(write_numbered_lines(ends[1], (int)i));
	close(ends[1]);
	CHECK(reader_open(&reader, ends[0], "pipe", 1 * MEBI, &error) == 0);
	while (reader_line(reader, &line, &error) == 1)
		if (CHECK(is_of_one(&line, &i)))
			lines[i]++;
	for (i = 0; i < WRITERS; i++) {
		CHECK(lines[i] == LINES_EACH);
		CHECK(waitpid(children[i], &status, 0) == children[i] &&
		      status == 0);
	}
	reader_close(reader);
	close(ends[0]);
}

static void
a_full_disk_is_an_error_that_stays(void)
{
	struct svc_error error;
	struct writer *writer;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	CHECK(writer_open(&writer, full, "stdout", &error) == 0);
	CHECK(writer_line(writer, "a", 1, &error) == 0);
	errno = 0;
	CHECK(writer_flush(writer, &error) == -1);
	CHECK(errno == ENOSPC && error.code == EX_IOERR);
	CHECK_STRING(error.message, "stdout: No space left on device");
	errno = 0;
	CHECK(writer_line(writer, "b", 1, &error) == -1 && errno == ENOSPC);
	CHECK(writer_step(writer, &error) == -1);
	CHECK(writer_flush(writer, &error) == -1);
	writer_close(writer);
	close(full);
}

static void
a_closed_pipe_is_EPIPE(void)
{
	struct svc_error error;
	struct writer *writer;
	int ends[2];

	CHECK(pipe(ends) == 0);
	close(ends[0]);
	CHECK(writer_open(&writer, ends[1], "stdout", &error) == 0);
	writer_set_prompt(writer, true);
	errno = 0;
	CHECK(writer_line(writer, "a", 1, &error) == -1);
	CHECK(errno == EPIPE && error.code == EX_IOERR);
	writer_close(writer);
	close(ends[1]);
	CHECK(writer_open(&writer, ends[1], "closed", &error) == -1);
	CHECK_STRING(error.message, "closed: Bad file descriptor");
}

static bool
is_writable(int descriptor)
{
	struct pollfd pollfd = {descriptor, POLLOUT, 0};

	return poll(&pollfd, 1, 0) == 1;
}

/*
 * In an event loop: a step after POLLOUT must never block, though nobody reads
 * between steps.  That each is at most PIPE_BUF is what makes it so.
 */
static void
a_step_writes_at_most_PIPE_BUF_and_whole_lines(void)
{
	static const size_t lengths[] = {10, 4000, 4095, 5000, 20000, 1, 100};
	char line[20000], got[2 * PIPE_BUF];
	struct svc_error error;
	struct writer *writer;
	ssize_t count, total = 0;
	size_t i, wanted = 0;
	int ends[2], more;
	bool inside = false;

	memset(line, 'x', sizeof(line));
	CHECK(pipe(ends) == 0);
	CHECK(writer_open(&writer, ends[1], "pipe", &error) == 0);
	CHECK(writer_pollable(writer));
	writer_set_queued(writer, true);
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		CHECK(writer_line(writer, line, lengths[i], &error) == 0);
		wanted += lengths[i] + 1;
	}
	CHECK(writer_pending(writer) == wanted);
	do {
		CHECK(is_writable(ends[1]));
		more = writer_step(writer, &error);
		count = read(ends[0], got, sizeof(got));
		CHECK(more >= 0 && count > 0 && count <= PIPE_BUF);
		/* Only the long lines may end a write without their LF. */
		inside = got[count - 1] != '\n';
		CHECK(!inside || count == PIPE_BUF);
		total += count;
	} while (more == 1);
	CHECK((size_t)total == wanted && !inside);
	CHECK(writer_step(writer, &error) == 0);
	writer_close(writer);
	close(ends[0]);
	close(ends[1]);
}

static void
a_full_pipe_that_does_not_block_lets_a_step_wait(void)
{
	struct svc_error error;
	struct writer *writer;
	char line[1000];
	int ends[2], i;

	memset(line, 'x', sizeof(line));
	CHECK(pipe2(ends, O_NONBLOCK) == 0);
	CHECK(writer_open(&writer, ends[1], "pipe", &error) == 0);
	writer_set_queued(writer, true);
	for (i = 0; i < 200; i++)
		CHECK(writer_line(writer, line, sizeof(line), &error) == 0);
	for (i = 0; i < 200 && writer_pending(writer) > 0; i++)
		CHECK(writer_step(writer, &error) == 1);
	CHECK(i == 200 && writer_pending(writer) > 0);
	CHECK((fcntl(ends[1], F_GETFL) & O_NONBLOCK) != 0);
	writer_close(writer);
	close(ends[0]);
	close(ends[1]);
}

static void
write_without_blocking(int descriptor)
{
	struct svc_error error;
	struct writer *writer;
	char line[3000];
	int i, failed = 0;

	memset(line, 'x', sizeof(line));
	if (fcntl(descriptor, F_SETFL, O_NONBLOCK) == -1 ||
	    writer_open(&writer, descriptor, "pipe", &error) == -1)
		_exit(1);
	for (i = 0; i < 1000 && !failed; i++)
		failed = writer_line(writer, line,
			     i % 100 == 0 ? sizeof(line) : 500, &error) == -1;
	failed |= writer_flush(writer, &error) == -1;
	writer_close(writer);
	_exit(failed);
}

static void
a_flush_waits_on_a_descriptor_that_does_not_block(void)
{
	struct svc_error error;
	struct reader *reader;
	struct line line;
	int status, lines = 0, input;
	pid_t child;

	input = start_writer(&child, write_without_blocking);
	CHECK(reader_open(&reader, input, "pipe", 10000, &error) == 0);
	for (; reader_line(reader, &line, &error) == 1; lines++)
		CHECK(line.length == (lines % 100 == 0 ? 3000 : 500));
	CHECK(lines == 1000);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	reader_close(reader);
	close(input);
}

static void
note_signal(int number)
{
	(void)number;
}

static void
write_slowly_interrupted(int descriptor)
{
	struct sigaction action = {.sa_handler = note_signal};
	struct svc_error error;
	struct writer *writer;
	char *line = malloc(MEBI);
	int failed;

	/* No SA_RESTART: write(2) stops half-way or with EINTR. */
	sigaction(SIGUSR1, &action, NULL);
	memset(line, 'x', MEBI);
	if (writer_open(&writer, descriptor, "pipe", &error) == -1)
		_exit(1);
	failed = writer_line(writer, line, MEBI, &error) == -1 ||
		 writer_flush(writer, &error) == -1;
	free(line);
	writer_close(writer);
	_exit(failed);
}

static void
a_write_that_a_signal_interrupts_goes_on(void)
{
	struct svc_error error;
	struct pollfd pollfd;
	struct reader *reader;
	struct line line;
	int status, input, i;
	pid_t child;

	input = start_writer(&child, write_slowly_interrupted);
	pollfd = (struct pollfd){input, POLLIN, 0};
	/* The handler is there once the first bytes are. */
	CHECK(poll(&pollfd, 1, DEADLINE_MS) == 1);
	CHECK(reader_open(&reader, input, "pipe", MEBI, &error) == 0);
	for (i = 0; reader_next(reader, &line) == 0; i++) {
		kill(child, SIGUSR1);
		if (!CHECK(reader_fill(reader, &error) == 1))
			break;
	}
	CHECK(i > 2 && line.length == MEBI);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	reader_close(reader);
	close(input);
}

static void
a_socket_carries_lines_as_a_pipe_does(void)
{
	struct svc_error error;
	struct writer *writer;
	struct reader *reader;
	struct line line;
	int ends[2], i;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	CHECK(writer_open(&writer, ends[0], "socket", &error) == 0);
	CHECK(writer_pollable(writer));
	for (i = 0; i < 1000; i++)
		CHECK(writer_line(writer, "0123456789", 10, &error) == 0);
	CHECK(writer_pending(writer) < PIPE_BUF);
	CHECK(writer_flush(writer, &error) == 0);
	shutdown(ends[0], SHUT_WR);
	CHECK(reader_open(&reader, ends[1], "socket", 100, &error) == 0);
	for (i = 0; reader_line(reader, &line, &error) == 1; i++)
		CHECK(line.length == 10);
	CHECK(i == 1000);
	writer_close(writer);
	reader_close(reader);
	close(ends[0]);
	close(ends[1]);
}

static void
numbers_are_appended_in_decimal(void)
{
	struct buffer buffer = BUFFER_INIT;

	buffer_append_unsigned(&buffer, 0);
	buffer_append_char(&buffer, ' ');
	buffer_append_unsigned(&buffer, 1009);
	buffer_append_char(&buffer, ' ');
	buffer_append_unsigned(&buffer, UINT64_MAX);
	CHECK_STRING(buffer_string(&buffer), "0 1009 18446744073709551615");
	buffer_release(&buffer);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	RUN(an_error_says_what_and_from_errno_why);
	RUN(a_message_is_one_harmless_line_even_when_cut);
	RUN(a_buffer_grows_and_is_handed_over);
	RUN(a_buffer_without_memory_stays_failed_until_cleared);
	RUN(lines_end_with_LF_CRLF_or_the_end);
	RUN(a_line_over_the_limit_is_cut_and_said_so_once);
	RUN(a_NUL_is_flagged_in_its_line_only);
	RUN(lines_do_not_depend_on_how_the_bytes_arrive);
	RUN(the_memory_of_a_line_can_be_taken);
	RUN(a_stopped_reader_yields_what_has_come_of_a_line);
	RUN(of_a_file_the_line_that_has_begun_is_read_to_its_end);
	RUN(what_epoll_refuses_is_not_pollable);
	RUN(half_a_GiB_in_one_line_needs_constant_memory);
	RUN(long_lines_come_whole_between_short_ones);
	RUN(a_reader_waits_on_a_descriptor_that_does_not_block);
	RUN(a_reader_that_cannot_read_says_so);
	RUN(lines_get_their_LF_and_wait_for_the_flush);
	RUN(lines_of_all_lengths_arrive_in_a_file_unchanged);
	RUN(lines_up_to_PIPE_BUF_of_four_processes_do_not_mix);
	RUN(a_full_disk_is_an_error_that_stays);
	RUN(a_closed_pipe_is_EPIPE);
	RUN(a_step_writes_at_most_PIPE_BUF_and_whole_lines);
	RUN(a_full_pipe_that_does_not_block_lets_a_step_wait);
	RUN(a_flush_waits_on_a_descriptor_that_does_not_block);
	RUN(a_write_that_a_signal_interrupts_goes_on);
	RUN(a_socket_carries_lines_as_a_pipe_does);
	RUN(numbers_are_appended_in_decimal);
	return check_done();
}
