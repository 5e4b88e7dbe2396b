/*
 * The differences between what a view had in memory and what it has, told to
 * its listener.
 */
#ifndef SVCKIT_REGISTRY_VIEW_TELL_H
#define SVCKIT_REGISTRY_VIEW_TELL_H

#include <stdbool.h>

#include "line/instance.h"
#include "registry/list.h"
#include "registry/view.h"

/* Either may be NULL. */
bool view_same_text(const char *a, const char *b);

/* Tells listener (NULL: nobody) unless both are the same but for the age;
 * either may be NULL. */
void view_tell(const struct view_listener *listener,
    const struct instance *before, const struct instance *after);

/* The same for each id of two lists, which are sorted. */
void view_tell_lists(const struct view_listener *listener,
    const struct instance_list *before, const struct instance_list *after);

#endif
