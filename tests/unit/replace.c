/* Files replaced as a whole: modes, refusals, full disks, killed writers. */
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>

#include "line/replace.h"
#include "spool_fixture.h"

#define KILLS 40
#define LONG  20000
#define READS 2000
#define TEMP  ".file.svckit-0123456789abcdef"

static int
replace(const char *name, const char *text)
{
	struct svc_error error;

	if (replace_file(spool_path(name), text, strlen(text), true, &error) ==
	    0)
		return 0;
	CHECK(error.message[0] != '\0');
	return error.code;
}

/* The contents, up to what there is room for; NULL: it cannot be read. */
static const char *
contents(const char *name)
{
	static char text[LONG + 1];
	int fd = open(spool_path(name), O_RDONLY);
	ssize_t length = fd == -1 ? -1 : read(fd, text, LONG);

	if (fd != -1)
		close(fd);
	if (length < 0)
		return NULL;
	text[length] = '\0';
	return text;
}

static mode_t
mode_of(const char *name)
{
	struct stat st;

	return stat(spool_path(name), &st) == 0 ? st.st_mode & 07777 : 0;
}

/* How many names there are in the spool. */
static int
count_names(void)
{
	DIR *directory = opendir(spool);
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(directory)) != NULL)
		count += strcmp(entry->d_name, ".") != 0 &&
			 strcmp(entry->d_name, "..") != 0;
	closedir(directory);
	return count;
}

/* Runs test in a child, whose failures count here. */
static void
run_apart(void (*test)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		test();
		fflush(stdout);
		_exit(check_failures == 0 ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	      WEXITSTATUS(status) == 0);
}

static void
what_is_written_takes_the_place_of_what_was(void)
{
	spool_begin();
	CHECK(replace("file", "one\n") == 0);
	CHECK_STRING(contents("file"), "one\n");
	CHECK(replace("file", "another\n") == 0);
	CHECK_STRING(contents("file"), "another\n");
	CHECK(replace("file", "") == 0);
	CHECK_STRING(contents("file"), "");
	CHECK(count_names() == 1);
	spool_end();
}

static void
a_name_without_directory_is_in_the_working_one(void)
{
	spool_begin();
	CHECK(chdir(spool) == 0);
	CHECK(replace_file("file", "x", 1, false, NULL) == 0);
	CHECK_STRING(contents("file"), "x");
	CHECK(chdir("/") == 0);
	spool_end();
}

static void
a_new_file_is_made_as_the_umask_says(void)
{
	mode_t old;

	spool_begin();
	old = umask(022);
	CHECK(replace("a", "x") == 0 && mode_of("a") == 0644);
	umask(077);
	CHECK(replace("b", "x") == 0 && mode_of("b") == 0600);
	umask(0);
	CHECK(replace("c", "x") == 0 && mode_of("c") == 0666);
	umask(old);
	spool_end();
}

static void
a_file_keeps_its_mode(void)
{
	static const mode_t modes[] = {0600, 0644, 0640, 0604, 0400, 0777};
	mode_t old = umask(022);
	size_t i;

	spool_begin();
	CHECK(replace("file", "x") == 0);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		CHECK(chmod(spool_path("file"), modes[i]) == 0);
		CHECK(replace("file", "y") == 0);
		CHECK(mode_of("file") == modes[i]);
	}
	umask(old);
	spool_end();
}

/* Each refuses path, says why, and makes nothing. */
static void
refused(const char *path, int code, const char *why)
{
	struct svc_error error;
	int names = count_names(), file;

	CHECK(replace_file(path, "x", 1, true, &error) == -1);
	CHECK(error.code == code);
	if (!CHECK(strstr(error.message, why) != NULL))
		printf("# %s: %s\n", path, error.message);
	CHECK(replace_check(path, &error) == -1 && error.code == code);
	CHECK(replace_open(path, &file, &error) == -1 && error.code == code);
	CHECK(file == -1);
	CHECK(count_names() == names);
}

static void
only_regular_files_are_replaced(void)
{
	spool_begin();
	CHECK(replace("target", "x") == 0);
	CHECK(mkdir(spool_path("directory"), 0700) == 0);
	CHECK(mkfifo(spool_path("pipe"), 0600) == 0);
	CHECK(symlink("target", spool_path("link")) == 0);
	CHECK(symlink("nowhere", spool_path("dangling")) == 0);
	refused(spool_path("directory"), EX_CANTCREAT, "is a directory");
	refused(spool_path("directory/"), EX_CANTCREAT, "is a directory");
	refused(spool_path("directory/."), EX_CANTCREAT, "is a directory");
	refused(spool_path("directory/.."), EX_CANTCREAT, "is a directory");
	refused("/", EX_CANTCREAT, "is a directory");
	refused(spool_path("pipe"), EX_CANTCREAT, "pipe");
	refused("/dev/null", EX_CANTCREAT, "is a device");
	refused(spool_path("link"), EX_CANTCREAT, "is a symbolic link");
	refused(spool_path("dangling"), EX_CANTCREAT, "is a symbolic link");
	refused("", EX_USAGE, "not a file's name");
	refused(spool_path("no/file"), EX_CANTCREAT, "No such file");
	refused(spool_path("target/file"), EX_CANTCREAT, "Not a directory");
	CHECK_STRING(contents("target"), "x");
	spool_end();
}

static void
a_directory_behind_a_link_is_as_good(void)
{
	spool_begin();
	CHECK(mkdir(spool_path("directory"), 0700) == 0);
	CHECK(symlink("directory", spool_path("link")) == 0);
	CHECK(replace("link/file", "x") == 0);
	CHECK_STRING(contents("directory/file"), "x");
	spool_end();
}

static void
what_can_be_replaced_can_be_checked_and_read(void)
{
	char text[8];
	int file = 0;

	spool_begin();
	CHECK(replace_check(spool_path("file"), NULL) == 0);
	CHECK(replace_open(spool_path("file"), &file, NULL) == 0);
	CHECK(file == -1 && count_names() == 0);
	CHECK(replace("file", "text") == 0);
	CHECK(replace_check(spool_path("file"), NULL) == 0);
	CHECK(replace_open(spool_path("file"), &file, NULL) == 1);
	CHECK(read(file, text, sizeof(text)) == 4);
	close(file);
	spool_end();
}

static void
write_as_nobody(void)
{
	struct svc_error error;

	if (geteuid() == 0)
		CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(replace("file", "new") == EX_NOPERM);
	CHECK(replace_check(spool_path("file"), &error) == -1);
	CHECK(error.code == EX_NOPERM);
	CHECK(strstr(error.message, spool_path("file")) != NULL);
}

static void
a_directory_that_may_not_be_written_is_told(void)
{
	spool_begin();
	CHECK(replace("file", "old") == 0);
	CHECK(chmod(spool_path("file"), 0666) == 0);
	CHECK(chmod(spool, 0555) == 0);
	run_apart(write_as_nobody);
	CHECK(chmod(spool, 0755) == 0);
	CHECK_STRING(contents("file"), "old");
	CHECK(count_names() == 1);
	spool_end();
}

static void
write_too_much(void)
{
	struct rlimit limit = {1000, 1000};
	char text[LONG];

	memset(text, 'x', sizeof(text));
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(replace_file(
		  spool_path("file"), text, sizeof(text), true, NULL) == -1);
	CHECK(replace("new", "short") == 0);
}

static void
a_write_that_ends_halfway_leaves_the_old_file(void)
{
	spool_begin();
	CHECK(replace("file", "old") == 0);
	run_apart(write_too_much);
	CHECK_STRING(contents("file"), "old");
	CHECK_STRING(contents("new"), "short");
	CHECK(count_names() == 2);
	spool_end();
}

/* On a disk of 64 KiB. */
static void
write_to_full_disk(void)
{
	struct svc_error error;
	char text[LONG];
	int i, status = 0;

	memset(text, 'x', sizeof(text));
	CHECK(replace("file", "old") == 0);
	for (i = 0; i < 8 && status == 0; i++) {
		char name[8];

		snprintf(name, sizeof(name), "fill%d", i);
		status = replace_file(
		    spool_path(name), text, sizeof(text), false, &error);
	}
	CHECK(status == -1 && error.code == EX_IOERR);
	CHECK(strstr(error.message, "No space left on device") != NULL);
	CHECK(replace_file(
		  spool_path("file"), text, sizeof(text), true, &error) == -1);
	CHECK_STRING(contents("file"), "old");
	CHECK(count_names() == i);
}

static bool
tell_kernel(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool told =
	    fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd != -1)
		close(fd);
	return told;
}

/* A user may mount in a name space of their own; not everywhere. */
static bool
mount_small_disk(void)
{
	char users[64], groups[64];

	snprintf(users, sizeof(users), "0 %u 1", (unsigned)geteuid());
	snprintf(groups, sizeof(groups), "0 %u 1", (unsigned)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       tell_kernel("/proc/self/setgroups", "deny") &&
	       tell_kernel("/proc/self/uid_map", users) &&
	       tell_kernel("/proc/self/gid_map", groups) &&
	       mount("none", spool, "tmpfs", 0, "size=64k") == 0;
}

static bool
may_mount(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(mount_small_disk() ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void
mount_and_fill(void)
{
	if (CHECK(mount_small_disk()))
		write_to_full_disk();
}

static void
a_full_disk_leaves_the_old_file_and_no_other(void)
{
	spool_begin();
	if (may_mount())
		run_apart(mount_and_fill);
	else
		SKIP("no file system can be mounted");
	spool_end();
}

static void
set_age(const char *name, time_t age)
{
	spool_set_time(name, time(NULL) - age);
}

static void
only_old_leftovers_of_this_file_are_swept(void)
{
	static const char *const others[] = {".file.svckit-0123456789abcde",
	    ".file.svckit-0123456789abcdefa", ".file.svckit-0123456789abcdeg",
	    ".other.svckit-0123456789abcdef", "file.svckit-0123456789abcdef",
	    ".file.tmp"};
	size_t count = sizeof(others) / sizeof(others[0]), i;

	spool_begin();
	for (i = 0; i < count; i++) {
		spool_write(others[i], "x");
		set_age(others[i], 2 * REPLACE_TEMP_SECONDS);
	}
	CHECK(mkdir(spool_path(".file.svckit-00000000000000ff"), 0700) == 0);
	set_age(".file.svckit-00000000000000ff", 2 * REPLACE_TEMP_SECONDS);
	spool_write(TEMP, "x");
	set_age(TEMP, REPLACE_TEMP_SECONDS - 60);
	CHECK(replace("file", "x") == 0);
	CHECK(count_names() == (int)count + 3);
	set_age(TEMP, REPLACE_TEMP_SECONDS + 60);
	CHECK(replace("file", "x") == 0);
	CHECK(count_names() == (int)count + 2);
	CHECK(access(spool_path(TEMP), F_OK) == -1);
	spool_end();
}

static void
what_another_user_left_is_not_ours_to_sweep(void)
{
	if (geteuid() != 0) {
		SKIP("only root can give a file away");
		return;
	}
	spool_begin();
	spool_write(TEMP, "x");
	CHECK(chown(spool_path(TEMP), 65534, 65534) == 0);
	set_age(TEMP, 2 * REPLACE_TEMP_SECONDS);
	CHECK(replace("file", "x") == 0);
	CHECK(count_names() == 2);
	spool_end();
}

/* Writes all of one letter, then all of another, until it is killed. */
static pid_t
start_writer(void)
{
	static char text[LONG];
	pid_t pid = fork();
	int i;

	if (pid != 0)
		return pid;
	for (i = 0;; i++) {
		memset(text, 'a' + i % 2, sizeof(text));
		if (replace_file(spool_path("file"), text, sizeof(text), false,
			NULL) == -1)
			_exit(1);
	}
}

static bool
is_whole(const char *text)
{
	return text != NULL && strlen(text) == LONG &&
	       strspn(text, text[0] == 'a' ? "a" : "b") == LONG;
}

static void
stop_writer(pid_t pid)
{
	int status;

	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

/* Until the writer has written once: the file stands there for good. */
static bool
wait_for_file(void)
{
	time_t end = time(NULL) + 20;

	while (access(spool_path("file"), F_OK) == -1) {
		if (time(NULL) > end)
			return false;
		sched_yield();
	}
	return true;
}

static void
readers_see_one_or_the_other(void)
{
	pid_t pid;
	int i;

	spool_begin();
	pid = start_writer();
	CHECK(wait_for_file());
	for (i = 0; i < READS; i++)
		if (!CHECK(is_whole(contents("file"))))
			break;
	stop_writer(pid);
	spool_end();
}

static void
age_all(void)
{
	DIR *directory = opendir(spool);
	struct dirent *entry;

	while ((entry = readdir(directory)) != NULL)
		if (strstr(entry->d_name, ".svckit-") != NULL)
			set_age(entry->d_name, 2 * REPLACE_TEMP_SECONDS);
	closedir(directory);
}

static void
a_killed_writer_leaves_a_whole_file_and_is_cleaned_up_after(void)
{
	pid_t pid;
	int i, reads;

	spool_begin();
	for (i = 0; i < KILLS; i++) {
		pid = start_writer();
		CHECK(wait_for_file());
		for (reads = 0; reads < i; reads++)
			CHECK(is_whole(contents("file")));
		stop_writer(pid);
		CHECK(is_whole(contents("file")));
	}
	/* One at least, wherever the writers were killed. */
	spool_write(TEMP, "half");
	printf("# %d left behind\n", count_names() - 2);
	age_all();
	CHECK(replace("file", "x") == 0);
	CHECK(count_names() == 1);
	spool_end();
}

static void
the_longest_name_is_replaced(void)
{
	char name[256];

	spool_begin();
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	CHECK(replace(name, "x") == 0 && replace(name, "yz") == 0);
	CHECK_STRING(contents(name), "yz");
	CHECK(count_names() == 1);
	spool_end();
}

int
main(void)
{
	RUN(what_is_written_takes_the_place_of_what_was);
	RUN(a_name_without_directory_is_in_the_working_one);
	RUN(a_new_file_is_made_as_the_umask_says);
	RUN(a_file_keeps_its_mode);
	RUN(only_regular_files_are_replaced);
	RUN(a_directory_behind_a_link_is_as_good);
	RUN(what_can_be_replaced_can_be_checked_and_read);
	RUN(a_directory_that_may_not_be_written_is_told);
	RUN(a_write_that_ends_halfway_leaves_the_old_file);
	RUN(a_full_disk_leaves_the_old_file_and_no_other);
	RUN(only_old_leftovers_of_this_file_are_swept);
	RUN(what_another_user_left_is_not_ours_to_sweep);
	RUN(readers_see_one_or_the_other);
	RUN(a_killed_writer_leaves_a_whole_file_and_is_cleaned_up_after);
	RUN(the_longest_name_is_replaced);
	return check_done();
}
