#include "line/text.h"

#include <stdint.h>
#include <string.h>

#include "line/utf8.h"

bool
text_valid(const char *text, size_t length)
{
	const char *end = text + length;
	uint64_t word;
	size_t step;

	while (text < end) {
		/* Most text is ASCII: eight bytes at a time. */
		if (end - text >= (ptrdiff_t)sizeof(word)) {
			memcpy(&word, text, sizeof(word));
			if ((word & UINT64_C(0x8080808080808080)) == 0) {
				text += sizeof(word);
				continue;
			}
		}
		step = utf8_length(text, (size_t)(end - text));
		if (step == 0)
			return false;
		text += step;
	}
	return true;
}

size_t
text_cut(const char *text, size_t length, size_t limit)
{
	size_t back;

	if (length <= limit)
		return length;
	/* A character that spans the cut begins at most 3 bytes before it. */
	for (back = 1; back <= 3 && back <= limit; back++) {
		if (utf8_length(text + limit - back, length - limit + back) >
		    back)
			return limit - back;
	}
	return limit;
}
