/* Scanned JSON as a tree of cJSON's. */
#ifndef SVCKIT_LINE_JSON_TREE_H
#define SVCKIT_LINE_JSON_TREE_H

#include "line/json_value.h"

struct cJSON;

/*
 * Hands a value that json_scan() has accepted to cJSON; the caller frees it
 * with cJSON_Delete().  NULL when memory ran out.  What cJSON cannot hold is
 * replaced: U+0000, at which it would cut a string, and unpaired surrogates by
 * U+FFFD, numbers of over 60 characters by the double that they mean.
 */
struct cJSON *json_tree(struct json_span span);

#endif
