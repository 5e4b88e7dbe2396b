/*
 * Keeping the health of a service: what its one prober does with health/NAME.
 *
 * The file is its own lock.  Who holds the lock lease on it is the service's
 * prober and alone writes it; the lock ends with the process, or with the file.
 *
 *	switch (health_book_claim(book, &taken, &error)) {
 *	case 1: ... ours; go on from taken, then health_release(&taken)
 *	case 0: ... another prober's: stand by
 *	}
 *	...
 *	if (health_book_write(book, &health, &error) == 0)
 *		... it was removed or replaced: claim again
 *	health_book_close(book);
 */
#ifndef SVCKIT_REGISTRY_HEALTH_BOOK_H
#define SVCKIT_REGISTRY_HEALTH_BOOK_H

#include <stdbool.h>

#include "line/buffer.h"
#include "line/error.h"
#include "registry/health.h"
#include "registry/registry.h"

struct health_book;

/* Nothing is read or written yet.  registry must outlive the book. */
int health_book_open(struct health_book **book, struct registry *registry,
    const char *service, struct svc_error *error);
/* Lets go of the lock; the file stays.  NULL is allowed. */
void health_book_close(struct health_book *book);

/*
 * Takes the lock.  1: it is ours, and taken is what stood there: fresh, the
 * file still says so; else it is empty until the first write, and taken is only
 * what was known once.  What readers would not believe is not taken.  0:
 * another prober holds it, or somebody was faster.  -1: no such file can be
 * made.
 */
int health_book_claim(
    struct health_book *book, struct health *taken, struct svc_error *error);

bool health_book_held(const struct health_book *book);

/* Whether the file is still the one we hold: 1; 0: no, and the lock is let go;
 * -1. */
int health_book_check(struct health_book *book, struct svc_error *error);

/*
 * Writes the mark of panic and the lines (sorted by id) whole.  1; 0: the file
 * is not ours any more, and the lock is let go; -1.
 */
int health_book_write(struct health_book *book, const struct health *health,
    struct svc_error *error);

/* A heartbeat: what stands there holds.  1, 0, -1 as above. */
int health_book_touch(struct health_book *book, struct svc_error *error);

/* Removes the file, there being nothing to say any more, and the lock. */
int health_book_remove(struct health_book *book, struct svc_error *error);

/* Appends what health_book_write() writes; never nothing. */
void health_print(const struct health *health, struct buffer *out);

#endif
