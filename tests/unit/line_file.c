/* Lines that are put away, and come back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "flow/line_file.h"

static struct svc_error error;
static char directory[] = "/tmp/svckit-unit.XXXXXX";

static bool
comes_back(const struct line_file *file, const struct line_place *place,
    const char *text)
{
	struct buffer out = BUFFER_INIT;
	bool same;

	buffer_append_string(&out, "before ");
	CHECK(line_file_get(file, place, &out, &error) == 0);
	same =
	    check_string(buffer_string(&out) + 7, text, __FILE__, __LINE__) &&
	    strncmp(out.data, "before ", 7) == 0;
	buffer_release(&out);
	return same;
}

/* Names in the directory, "." and ".." aside. */
static int
count_names(void)
{
	DIR *names = opendir(directory);
	int count = 0;

	while (readdir(names) != NULL)
		count++;
	closedir(names);
	return count - 2;
}

static void
lines_come_back_in_any_order(void)
{
	static char large[100001];
	struct line_place places[4];
	struct line_file *file;

	memset(large, 'x', sizeof(large) - 1);
	CHECK(line_file_open(&file, directory, &error) == 0);
	CHECK(line_file_put(file, "one\n", 4, &places[0], &error) == 0);
	CHECK(line_file_put(file, large, 100000, &places[1], &error) == 0);
	CHECK(line_file_put(file, "", 0, &places[2], &error) == 0);
	comes_back(file, &places[0], "one\n");
	CHECK(line_file_put(file, "three", 5, &places[3], &error) == 0);
	comes_back(file, &places[3], "three");
	comes_back(file, &places[2], "");
	comes_back(file, &places[1], large);
	comes_back(file, &places[0], "one\n");
	line_file_close(file);
}

static void
nothing_of_it_has_a_name(void)
{
	struct line_place place;
	struct line_file *file;

	CHECK(line_file_open(&file, directory, &error) == 0);
	CHECK(line_file_put(file, "one", 3, &place, &error) == 0);
	CHECK(count_names() == 0);
	line_file_close(file);
	CHECK(count_names() == 0);
}

/* Some file systems have no O_TMPFILE: open(2) is ours, and refuses it. */
static bool refuse_nameless;
static int refused;

int
open(const char *path, int flags, ...)
{
	if (refuse_nameless && (flags & O_TMPFILE) == O_TMPFILE) {
		refused++;
		errno = EOPNOTSUPP;
		return -1;
	}
	return openat(AT_FDCWD, path, flags, 0600);
}

static void
nor_where_files_cannot_be_without_a_name(void)
{
	refuse_nameless = true;
	nothing_of_it_has_a_name();
	lines_come_back_in_any_order();
	CHECK(refused == 2);
	refuse_nameless = false;
}

static void
no_file_is_made_before_a_line_comes(void)
{
	struct line_place place = LINE_PLACE_NONE;
	struct line_file *file;
	int nameless;

	for (nameless = 0; nameless < 2; nameless++) {
		refuse_nameless = nameless;
		CHECK(line_file_open(&file, "/nonexistent", &error) == 0);
		CHECK(line_file_put(file, "one", 3, &place, &error) == -1);
		CHECK(error.code == EX_CANTCREAT && place.offset == -1);
		CHECK(strstr(error.message, "/nonexistent") != NULL);
		line_file_close(file);
	}
	refuse_nameless = false;
	line_file_close(NULL);
}

static void
a_line_that_does_not_fit_leaves_the_others_and_room(void)
{
	struct rlimit limit, before;
	struct line_place one, two;
	struct line_file *file;

	signal(SIGXFSZ, SIG_IGN);
	CHECK(line_file_open(&file, directory, &error) == 0);
	CHECK(line_file_put(file, "one", 3, &one, &error) == 0);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 8;
	setrlimit(RLIMIT_FSIZE, &limit);
	CHECK(line_file_put(file, "too long", 8, &two, &error) == -1);
	CHECK(error.code == EX_IOERR &&
	      strstr(error.message, "File too large") != NULL);
	CHECK(line_file_put(file, "five!", 5, &two, &error) == 0);
	setrlimit(RLIMIT_FSIZE, &before);
	comes_back(file, &one, "one");
	comes_back(file, &two, "five!");
	line_file_close(file);
	signal(SIGXFSZ, SIG_DFL);
}

static void
what_lies_nowhere_cannot_be_got(void)
{
	struct line_place place = {.offset = 100, .length = 3};
	struct buffer out = BUFFER_INIT;
	struct line_place one;
	struct line_file *file;

	CHECK(line_file_open(&file, directory, &error) == 0);
	CHECK(line_file_put(file, "one", 3, &one, &error) == 0);
	CHECK(line_file_get(file, &place, &out, &error) == -1);
	CHECK(error.code == EX_IOERR && out.length == 0);
	buffer_release(&out);
	line_file_close(file);
}

int
main(void)
{
	if (mkdtemp(directory) == NULL)
		return 1;
	RUN(lines_come_back_in_any_order);
	RUN(nothing_of_it_has_a_name);
	RUN(nor_where_files_cannot_be_without_a_name);
	RUN(no_file_is_made_before_a_line_comes);
	RUN(a_line_that_does_not_fit_leaves_the_others_and_room);
	RUN(what_lies_nowhere_cannot_be_got);
	rmdir(directory);
	return check_done();
}
