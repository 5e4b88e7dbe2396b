/*
 * One look at a registry: what is there, reaped and probed once.
 */
#ifndef SVCKIT_NET_PASS_H
#define SVCKIT_NET_PASS_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"
#include "net/prober.h"
#include "registry/list.h"
#include "registry/reaper.h"

struct pass_options {
	struct registry *registry; /* NULL: there is none, and it is empty */
	const char *const *services; /* sorted names */
	size_t service_count; /* 0: all */
	struct reaper *reaper; /* NULL: nothing is removed */
	bool dry_run; /* nor then */
	/* What the reaper did, or could not do. */
	void (*removed)(void *argument, const char *service, const char *id);
	void (*kept)(void *argument, const struct svc_error *error);
	void *argument;
	/* NULL: no probes.  once and idle are set by pass_run(), which runs the
	 * base until all are through or somebody breaks the loop. */
	const struct prober_options *prober;
};

/*
 * Fills list, which is emptied before, sorted by service and id.  *prober is
 * the one that probed, for who wants its counts, and the caller's to close;
 * NULL without probes.
 */
int pass_run(const struct pass_options *options, struct instance_list *list,
    struct prober **prober, struct svc_error *error);

#endif
