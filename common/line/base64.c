#include "line/base64.h"

#include <sys/types.h>

#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buffer *out, const void *data, size_t length)
{
	size_t size = (length + 2) / 3 * 4 + 1;
	char *to = buffer_reserve(out, size);
	int written;

	if (to == NULL)
		return;
	written = b64_ntop(data, length, to, size);
	if (written == -1)
		out->failed = true;
	else
		out->length += (size_t)written;
}

/* b64_pton(3) would also take white space, anywhere. */
static bool
is_strict(const char *text, size_t length)
{
	size_t plain = strspn(text, digits), pad = length - plain;

	return length % 4 == 0 && pad <= 2 && strspn(text + plain, "=") == pad;
}

int
base64_decode(struct buffer *out, const char *text, size_t length)
{
	size_t size = length / 4 * 3;
	unsigned char *to;
	int written;

	if (length == 0)
		return 0;
	if (!is_strict(text, length))
		return -1;
	to = (unsigned char *)buffer_reserve(out, size);
	if (to == NULL)
		return -1;
	/* Refuses bits that no byte takes: one spelling only. */
	written = b64_pton(text, to, size);
	if (written == -1)
		return -1;
	out->length += (size_t)written;
	return 0;
}
