/* Journals in a directory of the test's own, and short ways to fill them. */
#ifndef SVCKIT_TESTS_JOURNAL_FIXTURE_H
#define SVCKIT_TESTS_JOURNAL_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "flow/journal.h"
#include "flow/journal_line.h"

static char journal_directory[64];
static char journal_path[96];
static int warnings;
static char warned[512]; /* the last one */
static struct svc_error error;

static inline void
journal_begin(void)
{
	snprintf(journal_directory, sizeof(journal_directory),
	    "/tmp/svckit-unit.XXXXXX");
	if (mkdtemp(journal_directory) == NULL)
		exit(1);
	snprintf(journal_path, sizeof(journal_path), "%s/flow.journal",
	    journal_directory);
	warnings = 0;
	warned[0] = '\0';
	memset(&error, 0, sizeof(error));
}

static inline void
journal_end(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", journal_directory, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static inline void
note_warning(void *argument, const char *message)
{
	(void)argument;
	warnings++;
	snprintf(warned, sizeof(warned), "%s", message);
}

static inline int
open_journal(struct journal **journal, bool resume)
{
	const struct journal_options options = {
	    .path = journal_path, .resume = resume, .warn = note_warning};

	return journal_open(journal, &options, &error);
}

/* The journal, or the end: nothing of a test can go on without. */
static inline struct journal *
resume_journal(void)
{
	struct journal *journal;

	if (open_journal(&journal, true) == -1) {
		printf("# %s\nBail out!\n", error.message);
		exit(1);
	}
	return journal;
}

/* A hash that text stands for. */
static inline const unsigned char *
hash_of(const char *text)
{
	static unsigned char hash[JOURNAL_HASH];

	memset(hash, 0, sizeof(hash));
	memcpy(hash, text, strlen(text));
	return hash;
}

static inline struct line_place
append_hashed(
    struct journal *journal, const char *line, const char *hash, bool made)
{
	struct line_place place = LINE_PLACE_NONE;

	CHECK(journal_append(journal, line, strlen(line), hash_of(hash), made,
		  &place, &error) == 0);
	return place;
}

/* The line of a task with an id of its own that has got result. */
static inline struct line_place
append_ok(struct journal *journal, const char *id, const char *result)
{
	char line[512];

	snprintf(line, sizeof(line),
	    "{\"id\":\"%s\",\"task\":1,\"result\":%s}\n", id, result);
	return append_hashed(journal, line, id, false);
}

static inline void
flush(struct journal *journal)
{
	if (!CHECK(journal_flush(journal, &error) == 0))
		printf("# %s\n", error.message);
}

/* All the file has, NUL-terminated; to be freed. */
static inline char *
read_journal(size_t *length)
{
	int fd = open(journal_path, O_RDONLY);
	struct stat st;
	char *text;

	if (fd == -1 || fstat(fd, &st) == -1)
		exit(1);
	*length = (size_t)st.st_size;
	text = calloc(1, *length + 1);
	CHECK(read(fd, text, *length) == (ssize_t)*length);
	close(fd);
	return text;
}

static inline void
write_journal(const char *text, size_t length)
{
	int fd = open(journal_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd != -1 && write(fd, text, length) == (ssize_t)length);
	close(fd);
}

/* Whether the line at place comes back as line. */
static inline bool
gives(struct journal *journal, const struct line_place *place, const char *line)
{
	struct buffer out = BUFFER_INIT;
	bool same = false;

	if (CHECK(journal_get(journal, place, &out, &error) == 0))
		same =
		    check_string(buffer_string(&out), line, __FILE__, __LINE__);
	buffer_release(&out);
	return same;
}

#endif
