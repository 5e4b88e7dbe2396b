/*
 * Conditions on the registry, as svc-watch --until waits for:
 *
 *	render>=2		at least two instances may get work
 *	render			the same as render>=1
 *	render/web1		this one may get work
 *	render=passing		there are instances, and all pass
 *	render/web1=draining	this one drains
 *	render=gone		none is left that lives
 *	A,B			both
 *
 * The comparisons are >= > = == <= < != with a whole number of instances that
 * may get work (instances_available()); the words, behind = or ==, are the
 * statuses and "gone".  A status other than expired and draining looks at
 * neither of those, and draining not at the expired: a dead record does not
 * keep a service from passing.  It holds only where at least one instance is
 * looked at: what does not exist is not healthy.  Space may stand around names,
 * operators, words and numbers.
 */
#ifndef SVCKIT_REGISTRY_UNTIL_H
#define SVCKIT_REGISTRY_UNTIL_H

#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "registry/list.h"

struct until;

/* text is copied.  EX_USAGE names the term that is none, and a right one. */
int until_parse(
    struct until **until, const char *text, struct svc_error *error);
/* NULL is allowed. */
void until_free(struct until *until);

/* The services that it asks for, sorted, each once; until's own. */
size_t until_services(const struct until *until, const char *const **names);

/*
 * Makes those unknown that have a check and no result yet: who probes waits for
 * what is found, and does not believe a lease alone.  The list's items must be
 * shared ones, as view_list() makes them.
 */
void until_doubt(struct instance_list *list);

/*
 * Whether it holds for list, sorted by service and id, which must have all
 * instances of the services that it asks for.  1, 0; -1: no memory.
 */
int until_holds(const struct until *until, const struct instance_list *list,
    struct svc_error *error);

/*
 * Appends, for each term that does not hold, what is asked and what is, parted
 * by "; ": "render>=2: 1 of 3 instances may get work: 2 critical (connection
 * refused)"; "db/a=gone: passing".  Nothing where all hold.
 */
void until_why(const struct until *until, const struct instance_list *list,
    struct buffer *out);

#endif
