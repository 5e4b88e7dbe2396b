/*
 * Where a request belongs in a distributed trace: W3C Trace Context level 1,
 * header "traceparent", version 00:
 *
 *	00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *
 * a trace id of 32 digits, the parent's span id of 16, flags of 2.
 */
#ifndef SVCKIT_LINE_TRACEPARENT_H
#define SVCKIT_LINE_TRACEPARENT_H

#include <stdbool.h>

#define TRACEPARENT_LENGTH 55

/*
 * Whether text is one of version 00: lower-case hexadecimal digits, and neither
 * id all zeroes.
 */
bool traceparent_valid(const char *text);

#endif
