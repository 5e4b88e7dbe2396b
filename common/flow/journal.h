/*
 * The journal of a run: which tasks have ended, so that another run can go on
 * where this one was interrupted, by whatever.
 *
 * A file of lines, only appended to.  The first says what it is,
 *
 *	{"journal":"svckit 1","task":null,"result":null}
 *
 * (a greater number: EX_CONFIG), each other one is the line that came out for a
 * task that ended with a result or a failure of its own, with one member more
 * at its end:
 *
 *	{"id":"t1","task":7,"status":200,...,"result":49,
 *	 "journal":{"sha256":"...","made":true}}
 *
 * made: the id was made by the run, and means nothing to another one.  So a
 * journal is also an output file: jq and --retry read it, the first line being
 * one that has its result.  A task that ran again has a line each time, of
 * which the last counts.
 *
 * Whole lines are written with one write(2), so that a kill -9 tears at most
 * the last one, and a thread syncs them: at most JOURNAL_SECONDS or
 * JOURNAL_LINES behind.  A torn last line is cut off when the journal is opened
 * the next time; nothing else is ever removed, and a file that is no journal is
 * not touched.  An OFD write lock keeps a second run out.
 *
 * A failed write or sync is final: what may be lost is not tried again, the
 * file is cut back to its last whole line, and nothing more is written.
 *
 *	journal_line	what a line looks like
 *	journal_file	the file: opened, locked, appended to, cut
 *	journal_read	its lines, once
 *	journal_index	finds them again
 *	journal_sync	the thread
 */
#ifndef SVCKIT_FLOW_JOURNAL_H
#define SVCKIT_FLOW_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/line_file.h"
#include "line/buffer.h"
#include "line/error.h"
#include "line/json.h"
#include "line/task.h"

#define JOURNAL_SECONDS 0.05
#define JOURNAL_LINES	1000
#define JOURNAL_HASH	32 /* bytes of SHA-256 */

struct journal;

struct journal_options {
	const char *path;
	bool resume; /* else a file that has lines is refused */
	bool sync; /* journal_flush() returns after the disk has it */
	/* told of a line that cannot be read, and of a torn one; may be NULL */
	void (*warn)(void *argument, const char *message);
	void *argument;
};

/* What the journal has of a task that an earlier run ended. */
struct journal_entry {
	struct line_place place; /* its line, for journal_get() */
	bool failed;
	bool made;
};

/*
 * Opens, locks and reads it; a new one is made with mode 0600, and is on the
 * disk then.  EX_CANTCREAT: it cannot be made, is no regular file (or a
 * symbolic link), or has lines and resume was not said; EX_TEMPFAIL: another
 * run has it; EX_DATAERR: it is no journal; EX_CONFIG: of a newer version;
 * EX_IOERR, EX_NOPERM, EX_OSERR.
 */
int journal_open(struct journal **journal,
    const struct journal_options *options, struct svc_error *error);

/*
 * Writes what was appended and waits for what is to be synced.  -1: EX_IOERR,
 * as journal_flush() says it.  NULL: 0.
 */
int journal_close(struct journal *journal, struct svc_error *error);

/*
 * The hash by which a READY task is known again: SHA-256 of the bytes of task
 * as they are sent, and behind them, each after a NUL byte and where there are
 * such: the bytes of bind; "encoding", of a string of base64; and of a task
 * whose id is made, since nothing else tells it from others of equal bytes,
 * "service=" and "instance=" with the bytes that these members have.
 */
void journal_hash(
    const struct envelope *envelope, unsigned char hash[JOURNAL_HASH]);

/*
 * Looks for what an earlier run has of a task.  A given id matches by id and
 * hash, the last entry counting; a made one (id NULL) by hash and how-manieth:
 * each entry is found once, those of the latest run first, since they may be
 * of tasks that ran again, and of one run those with a result.  1, 0.
 */
int journal_find(struct journal *journal, const char *id,
    const unsigned char hash[JOURNAL_HASH], struct journal_entry *entry);

/*
 * Takes the line of a task that has ended, LF included: it is written by the
 * next journal_flush(), and place is where it will be.  After a failure it is
 * kept for journal_get() alone.  -1: EX_OSERR.
 */
int journal_append(struct journal *journal, const char *line, size_t length,
    const unsigned char hash[JOURNAL_HASH], bool made, struct line_place *place,
    struct svc_error *error);

/*
 * Writes what was appended.  -1: EX_IOERR, also when an earlier sync failed;
 * from then on every call says so.
 */
int journal_flush(struct journal *journal, struct svc_error *error);

/* Whether more than JOURNAL_LINES wait to be synced: start nothing new. */
bool journal_behind(const struct journal *journal);

/* Readable when journal_behind() may have changed, or a sync has failed. */
int journal_descriptor(const struct journal *journal);
/* To be called then.  -1: a sync, or a write, has failed (EX_IOERR). */
int journal_check(struct journal *journal, struct svc_error *error);

/*
 * Appends the line at place as it came out, without the journal's member, LF
 * included.  Also of one that was not flushed.  -1: EX_IOERR, EX_OSERR.
 */
int journal_get(struct journal *journal, const struct line_place *place,
    struct buffer *out, struct svc_error *error);

/* How many ends of tasks earlier runs have left, each given id once. */
size_t journal_count(const struct journal *journal);

#endif
