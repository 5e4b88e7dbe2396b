/*
 * Selectors: which instances are meant.
 *
 *	zone=eu-1,gpu,!spot,capacity.cpu>=4,version!=1.2,
 *	zone in (a,b),tier notin (x)
 *
 * All terms must hold.  A bare name is a label; with < <= > >= a capacity
 * first, then a label; a dotted name is a member.  A missing member, or one
 * that is null, matches only !name, != and notin.  = != in notin compare text;
 * where the member is a JSON number or a capacity, they compare numbers.
 * Values may contain anything but comma and parentheses; there are no quotes.
 *
 * This stands in line/, not in registry/: sched/ filters by selectors too, and
 * uses line/ only.
 */
#ifndef SVCKIT_LINE_SELECTOR_H
#define SVCKIT_LINE_SELECTOR_H

#include <stdbool.h>

#include "line/error.h"
#include "line/instance.h"

struct selector;

/*
 * text is copied.  EX_USAGE names the term that is wrong and shows a right
 * one.  "" selects everything.
 */
int selector_parse(
    struct selector **selector, const char *text, struct svc_error *error);
void selector_free(struct selector *selector);

/* NULL selects everything. */
bool selector_match(
    const struct selector *selector, const struct instance *instance);

/*
 * The first term that instance fails, as written ("zone in (a,b)"), NULL when
 * it matches.  Owned by the selector.
 */
const char *selector_failing(
    const struct selector *selector, const struct instance *instance);

#endif
