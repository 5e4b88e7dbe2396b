/*
 * The text of one member of an instance, harmless (ui/escape.h): what stands
 * in a cell of a table, a column of tsv, and a %{member} of a FORMAT.
 */
#ifndef SVCKIT_UI_CELL_H
#define SVCKIT_UI_CELL_H

#include "line/buffer.h"
#include "line/instance.h"
#include "line/json.h"

/*
 * Appends value: a string without its quotes, null as nothing, all else as the
 * JSON it is.
 */
void cell_value(const struct json_value *value, struct buffer *out);

/* Appends the member at a dotted path; nothing when it is absent. */
void cell_member(
    const struct instance *instance, const char *path, struct buffer *out);

/* Appends the labels as K=V,K=V in the order of the record. */
void cell_labels(const struct instance *instance, struct buffer *out);

#endif
