/*
 * The value of a header Retry-After (RFC 9110, section 10.2.3): seconds, or a
 * date in one of the three forms of section 5.6.7.
 */
#ifndef SVCKIT_NET_RETRY_AFTER_H
#define SVCKIT_NET_RETRY_AFTER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Seconds from now (ms since 1970) on, at least 0; text is length bytes.
 * Negative: it is neither, as if nothing had been said.
 */
double retry_after_parse(const char *text, size_t length, int64_t now);

#endif
