/* The journal: what is written is found again, whatever happened between. */
#include "journal_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "line/reader.h"

static int syncs;

/* In the place of libc's: hundreds of journals need no disk, and are counted.
 */
int
fsync(int descriptor)
{
	(void)descriptor;
	syncs++;
	return 0;
}

int
fdatasync(int descriptor)
{
	(void)descriptor;
	return 0;
}

static void
a_new_journal_is_private_and_says_what_it_is(void)
{
	mode_t mask = umask(0);
	struct journal *journal;
	struct stat st;
	size_t length;
	char *text;

	journal_begin();
	syncs = 0;
	CHECK(open_journal(&journal, false) == 0);
	CHECK(syncs == 2); /* the file, and its directory */
	CHECK(journal_count(journal) == 0);
	CHECK(stat(journal_path, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(journal_close(journal, &error) == 0);
	text = read_journal(&length);
	CHECK_STRING(
	    text, "{\"journal\":\"svckit 1\",\"task\":null,\"result\":null}\n");
	free(text);
	umask(mask);
	journal_end();
}

static void
what_has_ended_is_found_by_the_next_run(void)
{
	struct journal_entry entry;
	struct journal *journal;

	journal_begin();
	journal = resume_journal();
	append_ok(journal, "a", "49");
	append_hashed(journal,
	    "{\"id\":\"b\",\"task\":2,\"error\":{\"code\":\"http\"}}\n", "b",
	    false);
	flush(journal);
	CHECK(journal_close(journal, &error) == 0);
	journal = resume_journal();
	CHECK(journal_count(journal) == 2);
	CHECK(journal_find(journal, "a", hash_of("a"), &entry) == 1);
	CHECK(!entry.failed && !entry.made);
	gives(
	    journal, &entry.place, "{\"id\":\"a\",\"task\":1,\"result\":49}\n");
	CHECK(journal_find(journal, "b", hash_of("b"), &entry) == 1);
	CHECK(entry.failed);
	CHECK(journal_find(journal, "c", hash_of("c"), &entry) == 0);
	CHECK(journal_close(journal, &error) == 0);
	CHECK(warnings == 0);
	journal_end();
}

static void
a_task_that_has_changed_is_not_found(void)
{
	struct journal_entry entry;
	struct journal *journal;

	journal_begin();
	journal = resume_journal();
	append_ok(journal, "a", "49");
	CHECK(journal_close(journal, &error) == 0);
	journal = resume_journal();
	CHECK(journal_find(journal, "a", hash_of("other"), &entry) == 0);
	CHECK(journal_find(journal, NULL, hash_of("a"), &entry) == 0);
	journal_close(journal, &error);
	journal_end();
}

static void
the_last_entry_of_an_id_counts(void)
{
	struct journal_entry entry;
	struct journal *journal;

	journal_begin();
	journal = resume_journal();
	append_hashed(journal,
	    "{\"id\":\"a\",\"task\":2,\"error\":{\"code\":\"http\"}}\n", "a",
	    false);
	append_ok(journal, "b", "1");
	append_ok(journal, "a", "2");
	CHECK(journal_close(journal, &error) == 0);
	journal = resume_journal();
	CHECK(journal_count(journal) == 2);
	CHECK(journal_find(journal, "a", hash_of("a"), &entry) == 1);
	gives(
	    journal, &entry.place, "{\"id\":\"a\",\"task\":1,\"result\":2}\n");
	journal_close(journal, &error);
	journal_end();
}

/* A made entry of a run: "r1 ok", "r2 failed". */
static void
append_made(struct journal *journal, const char *run, int number, bool failed)
{
	char line[256];

	snprintf(line, sizeof(line), "{\"id\":\"%s-%d\",\"task\":7,%s}\n", run,
	    number, failed ? "\"error\":{\"code\":\"http\"}" : "\"result\":1");
	append_hashed(journal, line, "seven", true);
}

/* Finds the next one of "seven", which must be that. */
static bool
next_made_is(struct journal *journal, const char *id, bool failed)
{
	struct buffer out = BUFFER_INIT;
	struct journal_entry entry;
	char start[64];
	bool same = false;

	snprintf(start, sizeof(start), "{\"id\":\"%s\",", id);
	if (journal_find(journal, NULL, hash_of("seven"), &entry) == 1 &&
	    journal_get(journal, &entry.place, &out, &error) == 0)
		same = entry.failed == failed && entry.made &&
		       strncmp(buffer_string(&out), start, strlen(start)) == 0;
	buffer_release(&out);
	return same;
}

static void
made_ids_are_found_by_hash_each_once(void)
{
	struct journal_entry entry;
	struct journal *journal;

	journal_begin();
	journal = resume_journal();
	append_made(journal, "r-1", 1, false);
	append_made(journal, "r-1", 3, false);
	CHECK(journal_close(journal, &error) == 0);
	journal = resume_journal();
	CHECK(journal_count(journal) == 2);
	CHECK(journal_find(journal, NULL, hash_of("eight"), &entry) == 0);
	CHECK(journal_find(journal, "r-1-1", hash_of("seven"), &entry) == 0);
	CHECK(next_made_is(journal, "r-1-3", false));
	CHECK(next_made_is(journal, "r-1-1", false));
	CHECK(journal_find(journal, NULL, hash_of("seven"), &entry) == 0);
	journal_close(journal, &error);
	journal_end();
}

/* Three equal tasks, of which one succeeded; then one that had failed ran
 * again, and failed again. */
static void
of_made_ids_the_latest_run_counts_and_a_result_more_than_a_failure(void)
{
	struct journal *journal;

	journal_begin();
	journal = resume_journal();
	append_made(journal, "r1", 1, false);
	append_made(journal, "r1", 2, true);
	append_made(journal, "r1", 3, true);
	append_made(journal, "r2", 2, true);
	append_made(journal, "r2", 3, false);
	CHECK(journal_close(journal, &error) == 0);
	journal = resume_journal();
	CHECK(next_made_is(journal, "r2-3", false));
	CHECK(next_made_is(journal, "r2-2", true));
	CHECK(next_made_is(journal, "r1-1", false));
	CHECK(next_made_is(journal, "r1-3", true));
	CHECK(next_made_is(journal, "r1-2", true));
	journal_close(journal, &error);
	journal_end();
}

static void
hash_line(const char *text, unsigned char hash[JOURNAL_HASH])
{
	const struct envelope_options options = {
	    .run = "run", .source = "stdin"};
	const struct line line = {
	    .data = text, .length = strlen(text), .number = 1};
	struct envelope envelope;

	envelope_init(&envelope);
	CHECK(envelope_enter(&envelope, &line, &options, &error) ==
	      ENVELOPE_READY);
	journal_hash(&envelope, hash);
	envelope_release(&envelope);
}

static void
the_hash_is_sha256_of_the_task_as_it_is_sent(void)
{
	/* printf 7 | sha256sum */
	static const unsigned char seven[] = {0x79, 0x02, 0x69, 0x9b, 0xe4,
	    0x2c, 0x8a, 0x8e, 0x46, 0xfb, 0xbb, 0x45, 0x01, 0x72, 0x65, 0x17,
	    0xe8, 0x6b, 0x22, 0xc5, 0x6a, 0x18, 0x9f, 0x76, 0x25, 0xa6, 0xda,
	    0x49, 0x08, 0x1b, 0x24, 0x51};
	static const char *const lines[] = {"7", " 7 ", "{\"task\":7}",
	    "{\"id\":\"a\",\"task\":7}", "{\"id\":null,\"task\": 7 }",
	    "{\"id\":\"a\",\"task\":1,\"result\":7}",
	    "{\"id\":\"a\",\"task\":7,\"service\":\"s\",\"timeout\":3}"};
	unsigned char hash[JOURNAL_HASH];
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		hash_line(lines[i], hash);
		if (!CHECK(memcmp(hash, seven, sizeof(seven)) == 0))
			printf("# %s\n", lines[i]);
	}
}

static void
what_makes_another_task_makes_another_hash(void)
{
	static const char *const lines[] = {"7", "8", "\"7\"", "7.0",
	    "{\"id\":\"a\",\"task\":\"Nw==\"}",
	    "{\"id\":\"a\",\"task\":\"Nw==\",\"encoding\":\"base64\"}",
	    "{\"id\":\"a\",\"task\":null,\"bind\":{\"\":\"b\"}}",
	    "{\"id\":\"a\",\"task\":null,\"bind\":{\"\":\"c\"}}",
	    "{\"task\":7,\"service\":\"s\"}", "{\"task\":7,\"service\":\"t\"}",
	    "{\"task\":7,\"instance\":{\"service\":\"s\",\"id\":\"i\","
	    "\"address\":\"http://h/\"}}",
	    "{\"task\":7,\"instance\":{\"service\":\"s\",\"id\":\"j\","
	    "\"address\":\"http://h/\"}}"};
	unsigned char hashes[12][JOURNAL_HASH];
	size_t i, k;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		hash_line(lines[i], hashes[i]);
		for (k = 0; k < i; k++)
			CHECK(memcmp(hashes[i], hashes[k], JOURNAL_HASH) != 0);
	}
}

/* What a run of four tasks leaves; to be freed. */
static char *
make_journal(size_t *length)
{
	struct journal *journal = resume_journal();

	append_ok(journal, "t0", "\"\\u00e9 \xc3\xa9\"");
	append_hashed(journal,
	    "{\"id\":\"r-1\",\"task\":{\"a\":[1,2]},"
	    "\"error\":{\"code\":\"exit\"}}\n",
	    "made", true);
	append_ok(journal, "t1", "{}");
	append_ok(
	    journal, "t2", "null,\"journal\":{\"sha256\":\"of the input\"}");
	CHECK(journal_close(journal, &error) == 0);
	return read_journal(length);
}

static size_t
count_lines(const char *text, size_t length)
{
	size_t i, lines = 0;

	for (i = 0; i < length; i++)
		lines += text[i] == '\n';
	return lines;
}

/* Up to behind the last LF of the first length bytes. */
static size_t
whole_part(const char *text, size_t length)
{
	while (length > 0 && text[length - 1] != '\n')
		length--;
	return length;
}

/* Goes on with what is left of text after length bytes, one task more. */
static void
go_on(const char *text, size_t length, bool torn)
{
	size_t lines = count_lines(text, length), now, kept;
	struct journal *journal = resume_journal();
	struct journal_entry entry;
	char *left;

	CHECK(journal_count(journal) == (lines == 0 ? 0 : lines - 1));
	CHECK(warnings == (lines > 0 && torn));
	CHECK(
	    journal_find(journal, "t0", hash_of("t0"), &entry) == (lines > 1));
	append_ok(journal, "more", "0");
	CHECK(journal_close(journal, &error) == 0);
	left = read_journal(&now);
	kept = lines == 0 ? JOURNAL_HEADER_LENGTH : whole_part(text, length);
	CHECK(memcmp(left, text, kept) == 0);
	CHECK(count_lines(left + kept, now - kept) == 1 &&
	      strncmp(left + kept, "{\"id\":\"more\"", 12) == 0);
	free(left);
	warnings = 0;
	journal = resume_journal();
	CHECK(journal_count(journal) == (lines == 0 ? 1 : lines));
	CHECK(journal_find(journal, "more", hash_of("more"), &entry) == 1);
	CHECK(journal_close(journal, &error) == 0);
	CHECK(warnings == 0);
}

static void
a_run_can_go_on_wherever_the_journal_was_cut(void)
{
	size_t length, i;
	char *text;

	journal_begin();
	text = make_journal(&length);
	for (i = 0; i <= length; i++) {
		write_journal(text, i);
		go_on(text, i, whole_part(text, i) < i);
	}
	free(text);
	journal_end();
}

static void
nul_bytes_at_the_end_are_a_torn_line(void)
{
	size_t length, i;
	char *text, *cut;

	journal_begin();
	text = make_journal(&length);
	cut = calloc(1, length + 64);
	for (i = JOURNAL_HEADER_LENGTH; i <= length; i++) {
		memset(cut, 0, length + 64);
		memcpy(cut, text, i);
		write_journal(cut, i + 64);
		go_on(cut, i + 64, true);
	}
	for (i = 0; i < JOURNAL_HEADER_LENGTH; i++) {
		memset(cut, 0, JOURNAL_HEADER_LENGTH);
		memcpy(cut, text, i);
		write_journal(cut, JOURNAL_HEADER_LENGTH);
		go_on(text, i, true);
	}
	free(cut);
	free(text);
	journal_end();
}

#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define END  ",\"journal\":{\"sha256\":\"" HASH "\"}}"

/* Opens a journal of a bad line, and a good one behind it. */
static void
check_bad_line(const char *line, const char *why)
{
	struct journal *journal;
	size_t length, before;
	char text[1024], *after;

	snprintf(text, sizeof(text),
	    JOURNAL_HEADER "%s\n{\"id\":\"z\",\"task\":1,\"result\":2" END "\n",
	    line);
	before = strlen(text);
	write_journal(text, before);
	warnings = 0;
	journal = resume_journal();
	CHECK(journal_count(journal) == 1);
	CHECK(warnings == 1 && strstr(warned, "journal:2: ") != NULL);
	if (!CHECK(strstr(warned, why) != NULL))
		printf("# %s: %s\n", line, warned);
	CHECK(journal_close(journal, &error) == 0);
	after = read_journal(&length);
	CHECK(length == before && memcmp(after, text, length) == 0);
	free(after);
}

static void
a_line_that_cannot_be_read_is_told_and_stays(void)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
	    {"", "not JSON"},
	    {"not json", "not JSON"},
	    {"[1" END, "not JSON"},
	    {"\"x" END "\"", "not JSON"},
	    {"{\"id\":\"a\",\"task\":1,\"result\":2}", "\"journal\""},
	    {"{\"id\":\"a\",\"task\":1,\"result\":2,\"journal\":{}}",
		"\"journal\""},
	    {"{\"id\":\"a\",\"task\":1,\"result\":\"\xff\"" END, "UTF-8"},
	    {"{\"id\":\"a\",\"task\":1" END, "\"result\" or \"error\""},
	    {"{\"id\":\"a\",\"task\":1,\"error\":null" END, "\"result\""},
	    {"{\"id\":\"a\",\"result\":1" END, "\"id\" or \"task\""},
	    {"{\"task\":1,\"result\":1" END, "\"id\" or \"task\""},
	    {"{\"id\":\"a/b\",\"task\":1,\"result\":1" END, "not a name"},
	    {"{\"id\":7,\"task\":1,\"result\":1" END, "not a name"},
	    {"{\"id\":\"a\",\"task\":1,\"id\":\"b\",\"result\":1" END,
		"\"id\" stands twice"},
	    {"{\"id\":\"a\",\"task\":1,\"result\":2,\"journal\":{\"sha256\":"
	     "\"A" HASH "\"}}",
		"\"journal\""},
	};
	size_t i;

	journal_begin();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_bad_line(rows[i].line, rows[i].why);
	journal_end();
}

static void
of_very_many_bad_lines_the_first_are_told_and_their_number(void)
{
	char text[4096] = JOURNAL_HEADER;
	struct journal *journal;

	journal_begin();
	memset(text + JOURNAL_HEADER_LENGTH, '\n', 1000);
	write_journal(text, JOURNAL_HEADER_LENGTH + 1000);
	journal = resume_journal();
	CHECK(warnings == 11);
	CHECK(strstr(warned, ": 1000 lines ignored") != NULL);
	journal_close(journal, &error);
	journal_end();
}

/* Opens what write_journal() wrote, with and without resume. */
static void
check_refused(const char *text, size_t length, int code)
{
	struct journal *journal;
	size_t after;
	char *left;
	int resume;

	for (resume = 0; resume < 2; resume++) {
		write_journal(text, length);
		CHECK(open_journal(&journal, resume) == -1);
		if (!CHECK(error.code == code))
			printf("# %.60s: %s\n", text, error.message);
		CHECK(strstr(error.message, journal_path) != NULL);
		left = read_journal(&after);
		CHECK(after == length && memcmp(left, text, length) == 0);
		free(left);
	}
}

static void
a_file_that_is_no_journal_is_not_touched(void)
{
	static const char *const texts[] = {"{\"id\":\"a\",\"task\":1}\n",
	    "{\"id\":\"a\",\"task\":1,\"result\":2" END "\n", "a", "\n", "{}",
	    "{}\n", "hello\n", "{\"journal\":\"other 1\"}\n",
	    "{\"journal\":\"svckit 0\"}\n", "{\"journal\":\"svckit x\"}\n",
	    "{\"journal\":\"svckit 1x\"}\n", "{\"journal\":1}\n",
	    "[\"svckit 1\"]\n", "\"svckit 1\"\n",
	    "{\"journal\":\"svckit 1\",\"task\":1}",
	    "{\"journal\":\"svckit 1\"\n"};
	static char large[100000];
	size_t i;

	journal_begin();
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_refused(texts[i], strlen(texts[i]), EX_DATAERR);
	check_refused(large, sizeof(large), EX_DATAERR);
	check_refused(large, JOURNAL_HEADER_LENGTH + 1, EX_DATAERR);
	memset(large, 'x', sizeof(large));
	check_refused(large, sizeof(large), EX_DATAERR);
	journal_end();
}

static void
a_journal_of_a_newer_version_is_not_touched(void)
{
	static const char newer[] = "{\"journal\":\"svckit 2\",\"x\":[1]}\nY";

	journal_begin();
	check_refused(newer, sizeof(newer) - 1, EX_CONFIG);
	CHECK(strstr(error.message, "version 2") != NULL);
	journal_end();
}

static void
lines_of_an_earlier_run_are_refused_without_resume(void)
{
	struct journal *journal;
	size_t length;
	char *text;

	journal_begin();
	text = make_journal(&length);
	CHECK(open_journal(&journal, false) == -1);
	CHECK(error.code == EX_CANTCREAT);
	CHECK(strstr(error.message, "--resume") != NULL &&
	      strstr(error.message, "remove") != NULL);
	write_journal(text, JOURNAL_HEADER_LENGTH);
	CHECK(open_journal(&journal, false) == 0);
	journal_close(journal, &error);
	write_journal("", 0);
	CHECK(open_journal(&journal, false) == 0);
	journal_close(journal, &error);
	free(text);
	journal_end();
}

/* A process that holds the journal; it ends when the pipe does. */
static pid_t
hold_elsewhere(int *release)
{
	int ends[2], ready[2];
	struct journal *journal;
	pid_t pid;
	char byte;

	if (pipe(ends) == -1 || pipe(ready) == -1 || (pid = fork()) == -1)
		exit(1);
	if (pid == 0) {
		close(ends[1]);
		if (open_journal(&journal, true) == -1 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		while (read(ends[0], &byte, 1) == -1)
			continue;
		_exit(0);
	}
	close(ends[0]);
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	*release = ends[1];
	return pid;
}

static void
another_run_is_kept_out_until_the_first_is_gone(void)
{
	struct journal *journal;
	int release;
	pid_t pid;

	journal_begin();
	pid = hold_elsewhere(&release);
	CHECK(open_journal(&journal, true) == -1);
	CHECK(error.code == EX_TEMPFAIL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(open_journal(&journal, true) == 0);
	journal_close(journal, &error);
	close(release);
	journal_end();
}

static void
check_kind_refused(const char *what)
{
	struct journal *journal;

	if (!CHECK(open_journal(&journal, true) == -1) ||
	    !CHECK(error.code == EX_CANTCREAT))
		printf("# %s: %s\n", what, error.message);
	unlink(journal_path);
}

static void
only_a_regular_file_can_be_a_journal(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct journal *journal;
	struct stat st;
	char target[128];

	journal_begin();
	snprintf(target, sizeof(target), "%s/target", journal_directory);
	CHECK(symlink(target, journal_path) == 0);
	check_kind_refused("a symbolic link to nothing");
	CHECK(stat(target, &st) == -1);
	CHECK(symlink("/dev/full", journal_path) == 0);
	check_kind_refused("a symbolic link");
	CHECK(mkfifo(journal_path, 0600) == 0);
	check_kind_refused("a FIFO");
	memcpy(address.sun_path, journal_path, strlen(journal_path));
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	check_kind_refused("a socket");
	close(fd);
	CHECK(mkdir(journal_path, 0700) == 0);
	check_kind_refused("a directory");
	snprintf(journal_path, sizeof(journal_path), "/dev/full");
	CHECK(
	    open_journal(&journal, false) == -1 && error.code == EX_CANTCREAT);
	snprintf(journal_path, sizeof(journal_path), "%s/no/journal",
	    journal_directory);
	check_kind_refused("no directory");
	journal_end();
}

static void
a_journal_of_others_cannot_be_opened(void)
{
	struct journal *journal;
	int status;
	pid_t pid;

	journal_begin();
	write_journal(JOURNAL_HEADER, JOURNAL_HEADER_LENGTH);
	CHECK(chmod(journal_path, 0444) == 0 &&
	      chmod(journal_directory, 0755) == 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) == -1)
			_exit(1);
		_exit(open_journal(&journal, true) == -1 ? error.code : 0);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EX_NOPERM);
	journal_end();
}

/* Lines until they do not fit; then all must still be there to be got. */
static size_t
fill_up(struct journal *journal, size_t lines)
{
	struct line_place places[16];
	char id[24], line[64];
	size_t i, done = 0;

	for (i = 0; i < lines; i++) {
		snprintf(id, sizeof(id), "t%zu", i);
		places[i] = append_ok(journal, id, "1");
		if (i % 4 == 3 && journal_flush(journal, &error) == 0)
			done = i + 1;
	}
	CHECK(journal_flush(journal, &error) == -1);
	CHECK(error.code == EX_IOERR);
	CHECK(journal_check(journal, &error) == -1);
	for (i = 0; i < lines; i++) {
		snprintf(line, sizeof(line),
		    "{\"id\":\"t%zu\",\"task\":1,\"result\":1}\n", i);
		gives(journal, &places[i], line);
	}
	return done;
}

/* Files may be no longer than so many bytes; 0: as before. */
static void
limit_files(size_t length)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = length == 0 ? limit.rlim_max : length;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	signal(SIGXFSZ, length == 0 ? SIG_DFL : SIG_IGN);
}

static void
check_limit(size_t limit)
{
	struct journal *journal = resume_journal();
	size_t length, done;
	char *text;

	limit_files(limit);
	done = fill_up(journal, 12);
	CHECK(journal_close(journal, &error) == -1);
	CHECK(error.code == EX_IOERR &&
	      strstr(error.message, "File too large") != NULL);
	limit_files(0);
	text = read_journal(&length);
	CHECK(length <= limit && length + 140 > limit);
	CHECK(count_lines(text, length) >= done + 1);
	journal = resume_journal();
	CHECK(journal_count(journal) == count_lines(text, length) - 1);
	CHECK(warnings == 0);
	journal_close(journal, &error);
	free(text);
	unlink(journal_path);
}

/* Wherever the limit lies, whole lines are left, and all that fit. */
static void
a_write_that_comes_short_is_cut_back_to_a_whole_line(void)
{
	size_t limit;

	journal_begin();
	for (limit = JOURNAL_HEADER_LENGTH; limit < 1200; limit += 3)
		check_limit(limit);
	journal_end();
}

static void
a_header_that_does_not_fit_leaves_nothing(void)
{
	struct journal *journal;
	struct stat st;

	journal_begin();
	limit_files(10);
	CHECK(open_journal(&journal, false) == -1);
	CHECK(error.code == EX_IOERR);
	limit_files(0);
	CHECK(stat(journal_path, &st) == 0 && st.st_size == 0);
	CHECK(open_journal(&journal, false) == 0);
	journal_close(journal, &error);
	journal_end();
}

/* In a mount namespace of its own, which goes with the process. */
static int
fill_a_disk(void)
{
	struct journal *journal;
	size_t length, lines = 0;
	char *text;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", journal_directory, "tmpfs", 0, "size=64k") == -1)
		return 77;
	journal = resume_journal();
	do {
		append_ok(journal, "t", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14]");
		lines++;
	} while (lines < 1000 && journal_flush(journal, &error) == 0);
	CHECK(error.code == EX_IOERR &&
	      strstr(error.message, "No space left") != NULL);
	CHECK(journal_close(journal, &error) == -1);
	text = read_journal(&length);
	CHECK(lines < 1000 && count_lines(text, length) == lines &&
	      text[length - 1] == '\n');
	free(text);
	journal = resume_journal();
	CHECK(warnings == 0 && journal_count(journal) == 1);
	journal_close(journal, &error);
	return check_failures != 0;
}

static void
a_full_disk_leaves_whole_lines(void)
{
	int status;
	pid_t pid;

	journal_begin();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		check_failures = 0;
		status = fill_a_disk();
		fflush(stdout);
		_exit(status);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("only root can mount a small disk");
	else
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	journal_end();
}

static void
a_journal_that_another_program_writes_to_is_left_alone(void)
{
	struct journal *journal;
	size_t before, after;
	int fd;

	journal_begin();
	journal = resume_journal();
	append_ok(journal, "a", "1");
	flush(journal);
	fd = open(journal_path, O_WRONLY | O_APPEND);
	CHECK(write(fd, "mine\n", 5) == 5);
	free(read_journal(&before));
	append_ok(journal, "b", "1");
	CHECK(journal_flush(journal, &error) == -1);
	CHECK(error.code == EX_IOERR &&
	      strstr(error.message, "another program") != NULL);
	CHECK(journal_close(journal, &error) == -1);
	free(read_journal(&after));
	CHECK(after > before);
	close(fd);
	journal_end();
}

static void
a_line_that_is_gone_cannot_be_got(void)
{
	struct buffer out = BUFFER_INIT;
	struct line_place place;
	struct journal *journal;

	journal_begin();
	journal = resume_journal();
	place = append_ok(journal, "a", "1");
	flush(journal);
	CHECK(truncate(journal_path, place.offset + 10) == 0);
	CHECK(journal_get(journal, &place, &out, &error) == -1);
	CHECK(error.code == EX_IOERR && out.length == 0);
	CHECK(truncate(journal_path, place.offset + 1000) == 0);
	CHECK(journal_get(journal, &place, &out, &error) == -1);
	CHECK(error.code == EX_IOERR && out.length == 0);
	buffer_release(&out);
	journal_close(journal, &error);
	journal_end();
}

static void
lines_are_got_as_they_came_before_and_after_they_are_written(void)
{
	static const char *const lines[] = {
	    "{\"id\":\"a\",\"task\":1e400,\"result\":{\"b\" : 1}}\n",
	    "{\"task\":[],\"id\":\"b\",\"error\":{\"code\":\"x\"}}\n",
	    "{\"id\":\"c\",\"task\":1,\"result\":2" END "\n"};
	struct line_place places[3];
	struct journal *journal;
	int i, k;

	journal_begin();
	journal = resume_journal();
	for (i = 0; i < 3; i++) {
		places[i] = append_hashed(journal, lines[i], "h", i % 2 == 1);
		for (k = 0; k <= i; k++)
			gives(journal, &places[k], lines[k]);
		if (i != 1)
			flush(journal);
		for (k = 0; k <= i; k++)
			gives(journal, &places[k], lines[k]);
	}
	journal_close(journal, &error);
	journal_end();
}

static void
a_very_long_line_is_read_again_and_one_too_long_is_not(void)
{
	size_t longest = LINE_LENGTH_MAX, length = longest + LINE_ROOM + 10;
	struct journal *journal;
	struct line_place place;
	char *text = malloc(length + 1);
	int fd;

	journal_begin();
	journal = resume_journal();
	memset(text, 'x', length);
	text[length] = '\n';
	memcpy(text, "{\"id\":\"a\",\"task\":1,\"result\":\"", 29);
	memcpy(text + longest - 3, "\"}\n", 3);
	CHECK(journal_append(journal, text, longest, hash_of("a"), false,
		  &place, &error) == 0);
	flush(journal);
	memset(text, 'x', length);
	fd = open(journal_path, O_WRONLY | O_APPEND);
	CHECK(write(fd, text, length + 1) == (ssize_t)length + 1);
	CHECK(write(fd, text, length + 1) == (ssize_t)length + 1);
	CHECK(write(fd, "{\"half\n", 7) == 7);
	close(fd);
	journal_close(journal, &error);
	journal = resume_journal();
	CHECK(journal_count(journal) == 1);
	CHECK(warnings == 3);
	journal_close(journal, &error);
	free(text);
	journal_end();
}

/* Ends tasks until it is killed, and says so after each. */
static void
end_tasks(int told)
{
	struct journal *journal = resume_journal();
	char id[16];
	int i;

	for (i = 0;; i++) {
		snprintf(id, sizeof(id), "t%d", i);
		append_ok(journal, id, "[1,2,3]");
		if (journal_flush(journal, &error) == -1 ||
		    write(told, "", 1) != 1)
			_exit(1);
	}
}

static void
what_was_told_before_a_kill_is_in_the_journal(void)
{
	struct journal *journal;
	int ends[2], i, told, rounds;
	char bytes[512];
	ssize_t count;
	pid_t pid;

	for (rounds = 0; rounds < 20; rounds++) {
		journal_begin();
		if (pipe(ends) == -1 || (pid = fork()) == -1)
			exit(1);
		if (pid == 0)
			end_tasks(ends[1]);
		close(ends[1]);
		for (i = told = 0; i <= rounds; i++) {
			count = read(ends[0], bytes, sizeof(bytes));
			told += count > 0 ? (int)count : 0;
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while ((count = read(ends[0], bytes, sizeof(bytes))) > 0)
			told += (int)count;
		close(ends[0]);
		journal = resume_journal();
		CHECK(journal_count(journal) == (size_t)told ||
		      journal_count(journal) == (size_t)told + 1);
		journal_close(journal, &error);
		journal_end();
	}
}

int
main(void)
{
	RUN(a_new_journal_is_private_and_says_what_it_is);
	RUN(what_has_ended_is_found_by_the_next_run);
	RUN(a_task_that_has_changed_is_not_found);
	RUN(the_last_entry_of_an_id_counts);
	RUN(made_ids_are_found_by_hash_each_once);
	RUN(of_made_ids_the_latest_run_counts_and_a_result_more_than_a_failure);
	RUN(the_hash_is_sha256_of_the_task_as_it_is_sent);
	RUN(what_makes_another_task_makes_another_hash);
	RUN(a_run_can_go_on_wherever_the_journal_was_cut);
	RUN(nul_bytes_at_the_end_are_a_torn_line);
	RUN(a_line_that_cannot_be_read_is_told_and_stays);
	RUN(of_very_many_bad_lines_the_first_are_told_and_their_number);
	RUN(a_file_that_is_no_journal_is_not_touched);
	RUN(a_journal_of_a_newer_version_is_not_touched);
	RUN(lines_of_an_earlier_run_are_refused_without_resume);
	RUN(another_run_is_kept_out_until_the_first_is_gone);
	RUN(only_a_regular_file_can_be_a_journal);
	RUN(a_journal_of_others_cannot_be_opened);
	RUN(a_write_that_comes_short_is_cut_back_to_a_whole_line);
	RUN(a_header_that_does_not_fit_leaves_nothing);
	RUN(a_full_disk_leaves_whole_lines);
	RUN(a_journal_that_another_program_writes_to_is_left_alone);
	RUN(a_line_that_is_gone_cannot_be_got);
	RUN(lines_are_got_as_they_came_before_and_after_they_are_written);
	RUN(a_very_long_line_is_read_again_and_one_too_long_is_not);
	RUN(what_was_told_before_a_kill_is_in_the_journal);
	return check_done();
}
