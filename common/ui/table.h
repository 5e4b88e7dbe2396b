/*
 * The table of instances that a terminal gets, made by libsmartcols, which
 * only what shows tables links.
 */
#ifndef SVCKIT_UI_TABLE_H
#define SVCKIT_UI_TABLE_H

#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/instance.h"
#include "ui/format.h"

/*
 * Appends a heading and a line an instance, numbers to the right, cut to the
 * screen's width.
 */
int table_append(const struct instance *instances, size_t count,
    const struct format_screen *screen, struct buffer *out,
    struct svc_error *error);

#endif
