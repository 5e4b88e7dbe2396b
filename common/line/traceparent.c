#include "line/traceparent.h"

#include <stddef.h>
#include <string.h>

#define HEX "0123456789abcdef"

/* Whether just count digits are at text, and, of an id, not all of them 0. */
static bool
is_field(const char *text, size_t count, bool id)
{
	return strspn(text, HEX) == count && (!id || strspn(text, "0") < count);
}

bool
traceparent_valid(const char *text)
{
	return strlen(text) == TRACEPARENT_LENGTH &&
	       strncmp(text, "00-", 3) == 0 && is_field(text + 3, 32, true) &&
	       text[35] == '-' && is_field(text + 36, 16, true) &&
	       text[52] == '-' && is_field(text + 53, 2, false);
}
