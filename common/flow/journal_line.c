#include "flow/journal_line.h"

#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include "line/json.h"
#include "line/task_member.h"

#define VERSION	   1
#define NAME	   "svckit " /* and the version */
#define MEMBER	   ",\"journal\":{\"sha256\":\""
#define HASH_END   "\"}}"
#define MADE_END   "\",\"made\":true}}"
#define HEX_LENGTH ((size_t)2 * JOURNAL_HASH)

#define LENGTH(literal) (sizeof(literal) - 1)

/* Whether text is what a header begins with, and NUL bytes: how a file system
 * leaves a file that has grown before what was written to it has come. */
static bool
is_torn_header(const char *text, size_t length, size_t *whole)
{
	size_t i = 0;

	if (length > JOURNAL_HEADER_LENGTH)
		return false;
	while (i < length && text[i] == JOURNAL_HEADER[i])
		i++;
	*whole = i;
	while (i < length && text[i] == '\0')
		i++;
	return i == length && *whole < JOURNAL_HEADER_LENGTH;
}

/* N of the string "svckit N"; 0: it is something else. */
static unsigned long
version_of_value(const struct json_value *value)
{
	char text[32];
	const char *p = text + LENGTH(NAME);
	unsigned long version = 0;

	if (json_string(value, text, sizeof(text)) <= 0 ||
	    strncmp(text, NAME, LENGTH(NAME)) != 0 || *p == '0')
		return 0;
	while (*p >= '0' && *p <= '9')
		version = version * 10 + (unsigned long)(*p++ - '0');
	return *p == '\0' ? version : 0;
}

/* The same of the first line of a file. */
static unsigned long
version_of(const char *text, size_t length)
{
	struct json_value whole, value;

	if (json_scan_members(text, length, &whole, NULL, NULL, NULL) == -1 ||
	    whole.type != JSON_OBJECT ||
	    json_path(whole.span, "journal", &value) == 0)
		return 0;
	return version_of_value(&value);
}

int
journal_header_read(
    const char *text, size_t length, size_t *header, struct svc_error *error)
{
	const char *end = length == 0 ? NULL : memchr(text, '\n', length);
	unsigned long version;

	if (is_torn_header(text, length, header))
		return 0;
	version = end == NULL ? 0 : version_of(text, (size_t)(end - text));
	if (version == 0)
		return svc_error_set(error, EX_DATAERR,
		    "not a journal: it does not begin with "
		    "{\"journal\":\"" NAME "%d\"",
		    VERSION);
	if (version > VERSION)
		return svc_error_set(error, EX_CONFIG,
		    "a journal of version %lu, by a newer svckit; this one "
		    "reads %d",
		    version, VERSION);
	*header = (size_t)(end - text) + 1;
	return 1;
}

static char *
write_hex(char *out, const unsigned char *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < count; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	return out;
}

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
read_hex(const char *text, unsigned char *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++, text += 2) {
		int high = digit_of(text[0]), low = digit_of(text[1]);

		if (high == -1 || low == -1)
			return false;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

void
journal_line_append(struct buffer *out, const char *line, size_t length,
    const unsigned char hash[JOURNAL_HASH], bool made)
{
	size_t kept = length - LENGTH("}\n");
	char *room = buffer_reserve(out, kept + JOURNAL_MEMBER_MAX), *p = room;

	if (room == NULL)
		return;
	p = mempcpy(p, line, kept);
	p = mempcpy(p, MEMBER, LENGTH(MEMBER));
	p = write_hex(p, hash, JOURNAL_HASH);
	if (made)
		p = mempcpy(p, MADE_END, LENGTH(MADE_END));
	else
		p = mempcpy(p, HASH_END, LENGTH(HASH_END));
	*p++ = '\n';
	out->length += (size_t)(p - room);
}

static bool
ends_with(const char *text, size_t length, const char *end, size_t end_length)
{
	return length >= end_length &&
	       memcmp(text + length - end_length, end, end_length) == 0;
}

/*
 * Finds the journal's member at the end of a line without LF: its bytes are
 * always the same ones, so that in a valid object it cannot be anything else.
 */
static bool
find_member(const char *text, size_t length, size_t *before,
    unsigned char hash[JOURNAL_HASH], bool *made)
{
	*made = ends_with(text, length, MADE_END, LENGTH(MADE_END));
	if (!*made && !ends_with(text, length, HASH_END, LENGTH(HASH_END)))
		return false;
	length -= *made ? LENGTH(MADE_END) : LENGTH(HASH_END);
	if (length < HEX_LENGTH ||
	    !read_hex(text + length - HEX_LENGTH, hash, JOURNAL_HASH))
		return false;
	length -= HEX_LENGTH;
	if (!ends_with(text, length, MEMBER, LENGTH(MEMBER)))
		return false;
	*before = length - LENGTH(MEMBER);
	return true;
}

/* The members that say which task has ended, and how. */
struct gathering {
	struct json_value found[MEMBER_COUNT];
	unsigned long present;
	unsigned long twice;
};

static void
gather(void *argument, const struct json_member *member)
{
	struct gathering *gathering = argument;
	int which = task_member_find(member);

	if (which == -1)
		return;
	gathering->twice |= gathering->present & MEMBER_BIT(which);
	gathering->present |= MEMBER_BIT(which);
	gathering->found[which] = member->value;
}

static int
read_end(struct journal_line *line, const struct gathering *gathering,
    struct svc_error *error)
{
	bool has_error = (gathering->present & MEMBER_BIT(MEMBER_ERROR)) != 0 &&
			 gathering->found[MEMBER_ERROR].type != JSON_NULL;
	int length;

	if (gathering->twice != 0)
		return svc_error_set(error, EX_DATAERR, "\"%s\" stands twice",
		    task_member_name(
			(enum task_member)__builtin_ctzl(gathering->twice)));
	if ((gathering->present & MEMBER_BIT(MEMBER_TASK)) == 0 ||
	    (gathering->present & MEMBER_BIT(MEMBER_ID)) == 0)
		return svc_error_set(
		    error, EX_DATAERR, "without \"id\" or \"task\"");
	if (!has_error && (gathering->present & MEMBER_BIT(MEMBER_RESULT)) == 0)
		return svc_error_set(
		    error, EX_DATAERR, "without \"result\" or \"error\"");
	length = json_string(
	    &gathering->found[MEMBER_ID], line->id, sizeof(line->id));
	if (length <= 0 || !name_valid(line->id, (size_t)length))
		return svc_error_set(error, EX_DATAERR, "\"id\": not a name");
	line->id_length = (size_t)length;
	line->failed = has_error;
	return 0;
}

int
journal_line_read(struct journal_line *line, const char *text, size_t length,
    struct svc_error *error)
{
	struct gathering gathering;
	struct json_value value;
	struct svc_error why;
	size_t before;

	gathering.present = gathering.twice = 0;
	if (json_scan_members(text, length, &value, gather, &gathering, &why) ==
	    -1)
		return svc_error_set(
		    error, EX_DATAERR, "not JSON: %s", why.message);
	if (value.type != JSON_OBJECT ||
	    !find_member(text, length, &before, line->hash, &line->made))
		return svc_error_set(error, EX_DATAERR,
		    "does not end with a member \"journal\"");
	return read_end(line, &gathering, error);
}

int
journal_line_strip(struct buffer *out, const char *text, size_t length)
{
	unsigned char hash[JOURNAL_HASH];
	size_t before;
	bool made;

	if (length == 0 || text[length - 1] != '\n' || text[0] != '{' ||
	    !find_member(text, length - 1, &before, hash, &made))
		return -1;
	buffer_append(out, text, before);
	buffer_append(out, "}\n", LENGTH("}\n"));
	return 0;
}
