#include "net/call_detail.h"

#include <string.h>

#include "line/json.h"
#include "line/text.h"

/* The better ones first. */
static const char *const names[] = {"detail", "title", "message", "error"};

#define NAMES (sizeof(names) / sizeof(names[0]))

struct found {
	size_t rank; /* NAMES: nothing */
	struct json_value value;
};

static void
take_member(void *argument, const struct json_member *member)
{
	struct found *found = argument;
	size_t i;

	if (member->value.type != JSON_STRING)
		return;
	for (i = 0; i < found->rank; i++) {
		if (!json_name_is(member, names[i]))
			continue;
		found->rank = i;
		found->value = member->value;
	}
}

/* C0, DEL and, in UTF-8, C1. */
static void
blank_controls(char *text, size_t length)
{
	unsigned char *c = (unsigned char *)text;
	size_t i;

	for (i = 0; i < length; i++) {
		if (c[i] < 0x20 || c[i] == 0x7f) {
			c[i] = ' ';
		} else if (c[i] == 0xc2 && i + 1 < length && c[i + 1] < 0xa0) {
			c[i] = c[i + 1] = ' ';
		}
	}
}

size_t
call_detail(const char *body, size_t length, char detail[CALL_DETAIL_MAX + 1])
{
	struct found found = {NAMES, {{NULL, 0}, JSON_NULL, false}};
	struct buffer text = BUFFER_INIT;
	struct json_value value;
	size_t kept = 0;

	detail[0] = '\0';
	if (length == 0 || json_scan_members(body, length, &value, take_member,
			       &found, NULL) == -1)
		return 0;
	if (found.rank == NAMES)
		return 0;
	json_decode(&found.value, &text);
	if (!buffer_failed(&text)) {
		kept = text_cut(text.data, text.length, CALL_DETAIL_MAX);
		memcpy(detail, text.data, kept);
		blank_controls(detail, kept);
		detail[kept] = '\0';
	}
	buffer_release(&text);
	return kept;
}
