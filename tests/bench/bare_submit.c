/*
 * bare_submit: the system calls of one durable submit and nothing else, as the
 * measure of task-submit.
 *
 *	bare_submit DIRECTORY
 *
 * DIRECTORY has ids and new.  A file is written and synced, gets both names,
 * and both directories are synced.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int
directory(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		err(1, "%s", name);
	return fd;
}

int
main(int argc, char *argv[])
{
	char id[64], waiting[80], line[128];
	struct timespec now;
	int root, ids, new, fd;

	if (argc != 2)
		errx(64, "usage: bare_submit DIRECTORY");
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(id, sizeof(id), "%lld-%09ld-%ld", (long long)now.tv_sec,
	    now.tv_nsec, (long)getpid());
	snprintf(waiting, sizeof(waiting), "%s.0", id);
	snprintf(line, sizeof(line), "{\"id\":\"%s\",\"task\":1}\n", id);
	root = directory(AT_FDCWD, argv[1]);
	ids = directory(root, "ids");
	new = directory(root, "new");
	fd = openat(
	    ids, ".temporary", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		err(1, "openat");
	if (write(fd, line, strlen(line)) != (ssize_t)strlen(line) ||
	    fchmod(fd, 0644) == -1 || fsync(fd) == -1)
		err(1, "write");
	if (linkat(ids, ".temporary", ids, id, 0) == -1 ||
	    renameat2(ids, ".temporary", new, waiting, RENAME_NOREPLACE) == -1)
		err(1, "%s", id);
	if (fsync(ids) == -1 || fsync(new) == -1)
		err(1, "fsync");
	if (puts(line) == EOF || fflush(stdout) == EOF)
		err(1, "stdout");
	return 0;
}
