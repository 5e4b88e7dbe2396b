#include "line/json_scanner.h"

#include <stdint.h>
#include <string.h>

#include "line/utf8.h"

#define WORD	  sizeof(uint64_t)
#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS (EACH_BYTE * 0x80)

/* What a byte can be: several at a time. */
enum {
	SPACE = 1,
	PLAIN = 2, /* stands for itself in a string, one byte long */
	DIGIT = 4,
	HEX = 8,
	ESCAPE = 16 /* may follow a backslash, 'u' aside */
};

static const unsigned char classes[256] = {
    ['\t'] = SPACE,
    ['\n'] = SPACE,
    ['\r'] = SPACE,
    [' '] = SPACE | PLAIN,
    ['!'] = PLAIN,
    ['"'] = ESCAPE,
    ['#' ... '.'] = PLAIN,
    ['/'] = PLAIN | ESCAPE,
    ['0' ... '9'] = PLAIN | DIGIT | HEX,
    [':' ... '@'] = PLAIN,
    ['A' ... 'F'] = PLAIN | HEX,
    ['G' ... '['] = PLAIN,
    ['\\'] = ESCAPE,
    [']' ... '`'] = PLAIN,
    ['a'] = PLAIN | HEX,
    ['b'] = PLAIN | HEX | ESCAPE,
    ['c' ... 'e'] = PLAIN | HEX,
    ['f'] = PLAIN | HEX | ESCAPE,
    ['g' ... 'm'] = PLAIN,
    ['n'] = PLAIN | ESCAPE,
    ['o' ... 'q'] = PLAIN,
    ['r'] = PLAIN | ESCAPE,
    ['s'] = PLAIN,
    ['t'] = PLAIN | ESCAPE,
    ['u' ... 0x7f] = PLAIN,
};

static const char *
fail(struct json_scanner *scanner, const char *where, const char *why)
{
	scanner->where = where;
	scanner->why = why;
	return NULL;
}

static inline bool
is(const char *p, int class)
{
	return (classes[(unsigned char)*p] & class) != 0;
}

static inline const char *
skip(const struct json_scanner *scanner, const char *p, int class)
{
	while (p < scanner->end && is(p, class))
		p++;
	return p;
}

/*
 * Whether any of the eight bytes is a control character, '"', '\\', or not
 * ASCII.  x - n * EACH_BYTE borrows from the first byte that is less than n; a
 * later one may be marked wrongly, which only costs the slow way.
 */
static inline bool
has_special(uint64_t x)
{
	uint64_t quote = x ^ (EACH_BYTE * '"');
	uint64_t backslash = x ^ (EACH_BYTE * '\\');

	return ((x | (x - EACH_BYTE * 0x20) | (quote - EACH_BYTE) |
		    (backslash - EACH_BYTE)) &
		   HIGH_BITS) != 0;
}

static inline const char *
skip_plain(const struct json_scanner *scanner, const char *p)
{
	uint64_t word;

	while ((size_t)(scanner->end - p) >= WORD) {
		memcpy(&word, p, WORD);
		if (has_special(word))
			break;
		p += WORD;
	}
	return skip(scanner, p, PLAIN);
}

/* p is at the backslash. */
static const char *
scan_escape(struct json_scanner *scanner, const char *p)
{
	int i;

	p++;
	if (p < scanner->end && is(p, ESCAPE))
		return p + 1;
	if (p == scanner->end || *p != 'u')
		return fail(scanner, p, "not an escape sequence");
	for (i = 0, p++; i < 4; i++, p++)
		if (p == scanner->end || !is(p, HEX))
			return fail(scanner, p,
			    "expected four hexadecimal digits after \\u");
	return p;
}

/* p is behind the opening quote; returns the place of the closing one. */
static const char *
scan_string(struct json_scanner *scanner, const char *p, bool *escaped)
{
	size_t length;

	*escaped = false;
	for (;;) {
		p = skip_plain(scanner, p);
		if (p == scanner->end)
			return fail(scanner, p, "a string without end");
		if (*p == '"')
			return p;
		if (*p == '\\') {
			*escaped = true;
			if ((p = scan_escape(scanner, p)) == NULL)
				return NULL;
			continue;
		}
		if ((unsigned char)*p < 0x20)
			return fail(scanner, p,
			    "a control character in a string, not escaped");
		length = utf8_length(p, (size_t)(scanner->end - p));
		if (length == 0)
			return fail(scanner, p, "not UTF-8");
		p += length;
	}
}

static const char *
scan_digits(struct json_scanner *scanner, const char *p)
{
	if (p == scanner->end || !is(p, DIGIT))
		return fail(scanner, p, "expected a digit");
	return skip(scanner, p + 1, DIGIT);
}

static const char *
scan_number(struct json_scanner *scanner, const char *p)
{
	const char *digits;

	if (*p == '-')
		p++;
	digits = p;
	if ((p = scan_digits(scanner, p)) == NULL)
		return NULL;
	if (*digits == '0' && p > digits + 1)
		return fail(scanner, digits, "a number with a leading zero");
	if (p < scanner->end && *p == '.' &&
	    (p = scan_digits(scanner, p + 1)) == NULL)
		return NULL;
	if (p < scanner->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < scanner->end && (*p == '+' || *p == '-'))
			p++;
		p = scan_digits(scanner, p);
	}
	return p;
}

static const char *
scan_word(struct json_scanner *scanner, const char *p, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(scanner->end - p) < length || memcmp(p, word, length) != 0)
		return fail(scanner, p, "not a JSON value");
	return p + length;
}

/* Anything but an array or object; fills what value says about it. */
static const char *
scan_scalar(
    struct json_scanner *scanner, const char *p, struct json_value *value)
{
	value->escaped = false;
	if (p == scanner->end)
		return fail(scanner, p, "expected a JSON value");
	switch (*p) {
	case '"':
		value->type = JSON_STRING;
		p = scan_string(scanner, p + 1, &value->escaped);
		return p == NULL ? NULL : p + 1;
	case 'n':
		value->type = JSON_NULL;
		return scan_word(scanner, p, "null");
	case 't':
		value->type = JSON_TRUE;
		return scan_word(scanner, p, "true");
	case 'f':
		value->type = JSON_FALSE;
		return scan_word(scanner, p, "false");
	default:
		value->type = JSON_NUMBER;
		if (*p != '-' && !is(p, DIGIT))
			return fail(scanner, p, "not a JSON value");
		return scan_number(scanner, p);
	}
}

const char *
json_scanner_space(const struct json_scanner *scanner, const char *p)
{
	return skip(scanner, p, SPACE);
}

const char *
json_scanner_name(struct json_scanner *scanner, const char *p,
    struct json_span *name, bool *escaped)
{
	p = skip(scanner, p, SPACE);
	if (p == scanner->end || *p != '"')
		return fail(scanner, p, "expected a member's name in quotes");
	name->data = ++p;
	if ((p = scan_string(scanner, p, escaped)) == NULL)
		return NULL;
	name->length = (size_t)(p - name->data);
	p = skip(scanner, p + 1, SPACE);
	if (p == scanner->end || *p != ':')
		return fail(scanner, p, "expected ':' after a member's name");
	return skip(scanner, p + 1, SPACE);
}

/* What is open: the bracket that closes each array and object. */
struct nesting {
	unsigned depth; /* what stands around the value counts, too */
	char closing[JSON_DEPTH_MAX];
};

static bool
at_closing(const struct json_scanner *scanner, const char *p,
    const struct nesting *nesting)
{
	return p < scanner->end && *p == nesting->closing[nesting->depth - 1];
}

/* From behind a bracket or comma to where a value begins. */
static const char *
scan_to_value(
    struct json_scanner *scanner, const char *p, const struct nesting *nesting)
{
	struct json_span name;
	bool escaped;

	if (nesting->closing[nesting->depth - 1] == '}')
		return json_scanner_name(scanner, p, &name, &escaped);
	return skip(scanner, p, SPACE);
}

/*
 * From behind a value: closes what ends there, down to the depth outside, and
 * goes to where the next value begins if anything is still open.
 */
static const char *
scan_behind_value(struct json_scanner *scanner, const char *p,
    struct nesting *nesting, unsigned outside)
{
	for (;;) {
		p = skip(scanner, p, SPACE);
		if (!at_closing(scanner, p, nesting))
			break;
		p++;
		if (--nesting->depth == outside)
			return p;
	}
	if (p == scanner->end || *p != ',')
		return fail(scanner, p,
		    nesting->closing[nesting->depth - 1] == '}'
			? "expected ',' or '}'"
			: "expected ',' or ']'");
	return scan_to_value(scanner, p + 1, nesting);
}

/* The array or object at p, without recursion: its depth is a stranger's. */
static const char *
scan_nested(struct json_scanner *scanner, const char *p, unsigned outside)
{
	struct nesting nesting;
	struct json_value value;

	nesting.depth = outside;
	do {
		if (p < scanner->end && (*p == '{' || *p == '[')) {
			if (nesting.depth == JSON_DEPTH_MAX)
				return fail(scanner, p, "nested too deeply");
			nesting.closing[nesting.depth++] =
			    *p == '{' ? '}' : ']';
			p = skip(scanner, p + 1, SPACE);
			if (!at_closing(scanner, p, &nesting)) {
				p = scan_to_value(scanner, p, &nesting);
				continue;
			}
		} else {
			p = scan_scalar(scanner, p, &value);
			if (p == NULL)
				return NULL;
		}
		p = scan_behind_value(scanner, p, &nesting, outside);
	} while (p != NULL && nesting.depth > outside);
	return p;
}

const char *
json_scanner_value(struct json_scanner *scanner, const char *p,
    unsigned outside, struct json_value *value)
{
	value->span.data = p;
	if (p < scanner->end && (*p == '{' || *p == '[')) {
		value->type = *p == '{' ? JSON_OBJECT : JSON_ARRAY;
		value->escaped = false;
		p = scan_nested(scanner, p, outside);
	} else {
		p = scan_scalar(scanner, p, value);
	}
	if (p != NULL)
		value->span.length = (size_t)(p - value->span.data);
	return p;
}
