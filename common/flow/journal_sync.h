/*
 * What has been written to a file comes to the disk, in groups, by a thread of
 * its own: the one who writes is not held up.
 *
 * A sync begins when the oldest line is half of JOURNAL_SECONDS old, or half of
 * JOURNAL_LINES wait, so that there is as much left for it to take.  One that
 * fails is final: the kernel may have dropped what it could not write, and a
 * second one would succeed without it.
 */
#ifndef SVCKIT_FLOW_JOURNAL_SYNC_H
#define SVCKIT_FLOW_JOURNAL_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#include "line/error.h"

struct journal_sync;

/*
 * Of descriptor, which is borrowed.  each: no thread, and journal_sync_wrote()
 * syncs.  EX_OSERR.
 */
int journal_sync_open(struct journal_sync **sync, int descriptor, bool each,
    struct svc_error *error);

/* Syncs what is left.  0, or the errno of the sync that failed.  NULL: 0. */
int journal_sync_close(struct journal_sync *sync);

/* lines more have been written.  0, or that errno. */
int journal_sync_wrote(struct journal_sync *sync, size_t lines);

/* journal_behind(), journal_descriptor(). */
bool journal_sync_behind(struct journal_sync *sync);
int journal_sync_descriptor(const struct journal_sync *sync);

/* Whether one has failed: 0, or that errno.  Its descriptor is read, too. */
int journal_sync_check(struct journal_sync *sync);
/* The same, and nothing is read. */
int journal_sync_failure(struct journal_sync *sync);

#endif
