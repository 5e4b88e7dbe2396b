/*
 * A FORMAT, such as "%{address}\t%{labels.zone}\n": text with places for the
 * members of whatever is printed.
 *
 * %{member} is a dotted path, %% a percent sign, \t \n \\ as in C; an absent
 * member is empty.
 */
#ifndef SVCKIT_UI_TEMPLATE_H
#define SVCKIT_UI_TEMPLATE_H

#include <stdbool.h>

#include "line/buffer.h"
#include "line/error.h"

struct template;

/*
 * Appends the member at path, harmless (ui/cell.h); nothing when it is absent.
 */
typedef void (*template_member_fn)(
    const void *argument, const char *path, struct buffer *out);

/* Whether text names at least one member: else it is hardly meant as one. */
bool template_wanted(const char *text);

/* EX_USAGE names what is wrong with it. */
int template_parse(
    struct template **template, const char *text, struct svc_error *error);

/* NULL is allowed. */
void template_free(struct template *template);

/* Appends one line: the template filled, with a LF unless it ends with one. */
void template_append(const struct template *template, template_member_fn member,
    const void *argument, struct buffer *out);

/*
 * What an option called output asks for: the place of name among count names
 * (NULL: the first), or count, and then it is a FORMAT and *template is made,
 * the caller's to free.  -1: neither, EX_USAGE says what there is.
 */
int template_choose(const char *const *names, size_t count, const char *name,
    struct template **template, struct svc_error *error);

#endif
