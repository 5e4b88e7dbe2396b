/*
 * The last state told, kept in a file, so that the next run starts with what
 * has changed since: svc-watch --state.
 *
 * The file is NDJSON: a first line about itself,
 *
 *	{"svckit":"watch state 1","at":"2026-11-22T10:00:00.000Z","instances":2,
 *	 "reaper":{...}}
 *
 * with what the reaper has sighted (reaper_print()), then the instance lines,
 * sorted.  It is replaced as a whole, synced before; see line/replace.h for
 * which files are.  What was read equals what was written in all that
 * event_differences() looks at, but for heartbeats.
 */
#ifndef SVCKIT_REGISTRY_STATE_H
#define SVCKIT_REGISTRY_STATE_H

#include "line/error.h"
#include "registry/list.h"
#include "registry/reaper.h"

/*
 * Reads the state at path into list (emptied before) and, reaper not NULL, its
 * sightings.  1; 0: there is no such file, or an empty one, as mktemp(1) makes;
 * -1: it cannot be read, is none, or not all of one (EX_DATAERR, with its line
 * and what to do), or was written by a later version (EX_CONFIG); list is
 * empty.
 */
int state_read(const char *path, struct instance_list *list,
    struct reaper *reaper, struct svc_error *error);

/*
 * Replaces the file.  The old one is whole until the new one is.  list must be
 * sorted by service and id; reaper may be NULL.
 */
int state_write(const char *path, const struct instance_list *list,
    const struct reaper *reaper, struct svc_error *error);

#endif
