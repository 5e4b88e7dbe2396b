/*
 * The health file of a service, kept in memory: what follows the registry reads
 * it each time it is written or touched, and takes it apart only when a byte of
 * it is another.
 *
 *	struct health_file file = HEALTH_FILE_INIT;
 *
 *	changed = health_file_read(&file, registry, "render", &error);
 *	...
 *	health_file_release(&file);
 */
#ifndef SVCKIT_REGISTRY_HEALTH_FILE_H
#define SVCKIT_REGISTRY_HEALTH_FILE_H

#include "line/buffer.h"
#include "line/error.h"
#include "registry/health.h"

struct registry;

struct health_file {
	struct health
	    health; /* its ends is not kept up: see health_file_end() */
	int64_t heartbeat; /* ms since 1970; 0: there is none */
	struct buffer text; /* what health was taken from */
};
#define HEALTH_FILE_INIT                            \
	{                                           \
		.heartbeat = 0, .text = BUFFER_INIT \
	}
void health_file_release(struct health_file *file);

/*
 * Reads it.  1: what it says, or whether it counts, is not what it was; 0: it
 * is; -1, and what it said stays.  A hostile file is warned of, and none.
 */
int health_file_read(struct health_file *file, struct registry *registry,
    const char *service, struct svc_error *error);

/* Whether it stands in the registry as it was read last: 1, 0, -1. */
int health_file_same(const struct health_file *file, struct registry *registry,
    const char *service, struct svc_error *error);

/* When it is believed no more unless it is touched, in ms since 1970: from then
 * on it is not fresh.  INT64_MAX: it is not fresh. */
int64_t health_file_end(const struct health_file *file);

#endif
