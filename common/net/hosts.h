/*
 * hosts(5): the names that a machine knows without asking.
 *
 * The file is read when a name is looked for, and again after it has changed.
 */
#ifndef SVCKIT_NET_HOSTS_H
#define SVCKIT_NET_HOSTS_H

#include <sys/stat.h>

#include <stddef.h>

#include "line/buffer.h"
#include "net/resolved.h"

#define HOSTS_MAX (4UL * 1024 * 1024) /* what stands behind is not read */

struct hosts {
	const char *file; /* borrowed; absent is as good as empty */
	struct stat read; /* the file that text came from; st_ino 0: none */
	struct buffer text;
};

void hosts_init(struct hosts *hosts, const char *file);
void hosts_release(struct hosts *hosts);

/*
 * Adds the addresses of host (compared without regard to case), in the order of
 * the file.
 */
void hosts_find(
    struct hosts *hosts, const char *host, struct resolved *resolved);

#endif
