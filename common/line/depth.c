#include "line/depth.h"

/* From behind the opening quote to the closing one. */
static const char *
skip_string(const char *p)
{
	for (; *p != '"'; p++) {
		if (*p == '\\')
			p++;
	}
	return p;
}

bool
json_fits_inside(struct json_span text)
{
	const char *p = text.data, *end = p + text.length;
	unsigned depth = 0;

	/* Each level takes two bytes. */
	if (text.length < 2 * JSON_DEPTH_MAX)
		return true;
	for (; p < end; p++) {
		if (*p == '"')
			p = skip_string(p + 1);
		else if ((*p == '[' || *p == '{') && ++depth == JSON_DEPTH_MAX)
			return false;
		else if (*p == ']' || *p == '}')
			depth--;
	}
	return true;
}
