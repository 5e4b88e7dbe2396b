/* A registry of the test's own, and short ways to put things into it. */
#ifndef SVCKIT_TESTS_SPOOL_FIXTURE_H
#define SVCKIT_TESTS_SPOOL_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "registry/registry.h"

static char spool[64];
static int warnings;

static inline void
spool_begin(void)
{
	snprintf(spool, sizeof(spool), "/tmp/svckit-unit.XXXXXX");
	if (mkdtemp(spool) == NULL)
		exit(1);
	warnings = 0;
}

static inline void
spool_end(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", spool, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static inline const char *
spool_path(const char *key)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", spool, key);
	return path;
}

/* Writes a file as somebody would who knows nothing of the protocol. */
static inline void
spool_write(const char *key, const char *text)
{
	int fd = open(spool_path(key), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	CHECK(
	    fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static inline void
spool_set_time(const char *key, time_t seconds)
{
	struct timespec times[2] = {{seconds, 0}, {seconds, 0}};

	CHECK(utimensat(AT_FDCWD, spool_path(key), times, 0) == 0);
}

static inline void
spool_count_warning(void *argument, const char *message)
{
	(void)argument;
	(void)message;
	warnings++;
}

static inline struct registry *
spool_open(void)
{
	struct registry *registry = NULL;
	struct svc_error error;

	if (!CHECK(registry_open(&registry, spool, true, &error) == 0))
		exit(1);
	registry_set_warn(registry, spool_count_warning, NULL);
	return registry;
}

/* 0, or the code of the refusal. */
static inline int
spool_register(struct registry *registry, const char *record)
{
	struct registration registration = {0};
	struct instance instance;
	struct svc_error error;
	int status;

	if (!CHECK(
		instance_parse(&instance, record, strlen(record), &error) == 0))
		return -1;
	registration.instance = &instance;
	status = registry_register(registry, &registration, &error);
	instance_release(&instance);
	return status == 0 ? 0 : error.code;
}

#endif
