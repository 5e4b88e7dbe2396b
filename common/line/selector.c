#include "line/selector.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/member.h"
#include "line/units.h"

enum comparison {
	COMPARE_EXISTS,
	COMPARE_MISSING,
	COMPARE_IN, /* = too: a list of one */
	COMPARE_NOT_IN,
	COMPARE_LESS,
	COMPARE_AT_MOST,
	COMPARE_GREATER,
	COMPARE_AT_LEAST
};

struct wanted {
	const char *text;
	size_t length;
	bool is_number;
	double number;
};

struct term {
	const char *text; /* as written */
	enum comparison compare;
	const char *path; /* of the member that is asked for */
	const char *fallback; /* where to look when it is absent, or NULL */
	const struct wanted *values; /* of IN and NOT_IN */
	size_t count;
	double bound; /* of the orders */
};

struct selector {
	struct term *terms;
	size_t count;
	struct wanted *values;
	size_t value_count;
	char *memory; /* what all text points into */
};

/* What parsing needs to know at each term. */
struct parser {
	struct selector *selector;
	char *next; /* where the next string of selector->memory goes */
	const char *term;
	struct svc_error *error;
};

static int
refuse(const struct parser *parser, const char *why)
{
	return svc_error_set(parser->error, EX_USAGE,
	    "not a selector: '%.120s': %s", parser->term, why);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_name(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("._/-", c));
}

/* Copies text less the space around it; the copy stays with the selector. */
static char *
copy_trimmed(struct parser *parser, const char *text, size_t length)
{
	char *copy = parser->next;

	for (; length > 0 && is_space(*text); length--)
		text++;
	while (length > 0 && is_space(text[length - 1]))
		length--;
	memcpy(copy, text, length);
	copy[length] = '\0';
	parser->next += length + 1;
	return copy;
}

static const char *
copy_joined(
    struct parser *parser, const char *prefix, const char *name, size_t length)
{
	char *copy = parser->next;
	size_t prefix_length = strlen(prefix);

	memcpy(copy, prefix, prefix_length);
	memcpy(copy + prefix_length, name, length);
	copy[prefix_length + length] = '\0';
	parser->next += prefix_length + length + 1;
	return copy;
}

static bool
parse_quantity(const char *text, double *number)
{
	return number_parse(text, number, NULL) == 0 ||
	       size_parse(text, number, NULL) == 0;
}

static int
add_value(
    struct parser *parser, struct term *term, const char *text, size_t length)
{
	struct selector *selector = parser->selector;
	struct wanted *value = &selector->values[selector->value_count];

	value->text = copy_trimmed(parser, text, length);
	value->length = strlen(value->text);
	if (value->length == 0)
		return refuse(parser, "an empty value (as in zone=eu-1)");
	if (strpbrk(value->text, "()") != NULL)
		return refuse(parser,
		    "parentheses in a value (a list is zone in (eu-1,eu-2))");
	value->is_number = parse_quantity(value->text, &value->number);
	if (term->count++ == 0)
		term->values = value;
	selector->value_count++;
	return 0;
}

/* "(a,b)" and nothing behind it. */
static int
parse_list(struct parser *parser, struct term *term, const char *list)
{
	const char *end;
	size_t length;

	list += strspn(list, " \t");
	end = list + strlen(list) - 1;
	if (*list != '(' || *end != ')')
		return refuse(parser,
		    "no list in parentheses (as in zone in (eu-1,eu-2))");
	do {
		length = strcspn(++list, ",)");
		if (add_value(parser, term, list, length) == -1)
			return -1;
		list += length;
	} while (*list == ',');
	if (list != end)
		return refuse(parser,
		    "something behind its list (as in zone in (eu-1,eu-2))");
	return 0;
}

static int
parse_bound(struct parser *parser, struct term *term, const char *text)
{
	const char *value = copy_trimmed(parser, text, strlen(text));

	if (!parse_quantity(value, &term->bound))
		return refuse(parser,
		    "no number to compare with (as in capacity.cpu>=4)");
	return 0;
}

/* What follows the name. */
static int
parse_operator(struct parser *parser, struct term *term, const char *rest)
{
	static const struct {
		const char *text;
		enum comparison compare;
	} signs[] = {
	    {"!=", COMPARE_NOT_IN},
	    {"==", COMPARE_IN},
	    {"=", COMPARE_IN},
	    {"<=", COMPARE_AT_MOST},
	    {"<", COMPARE_LESS},
	    {">=", COMPARE_AT_LEAST},
	    {">", COMPARE_GREATER},
	};
	bool apart = is_space(*rest);
	size_t i, length;

	rest += strspn(rest, " \t");
	for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		length = strlen(signs[i].text);
		if (strncmp(rest, signs[i].text, length) != 0)
			continue;
		term->compare = signs[i].compare;
		rest += length;
		return term->compare >= COMPARE_LESS
			   ? parse_bound(parser, term, rest)
			   : add_value(parser, term, rest, strlen(rest));
	}
	if (*rest == '\0') {
		term->compare = COMPARE_EXISTS;
		return 0;
	}
	for (length = 0; is_name(rest[length]);)
		length++;
	term->compare = length == 2 ? COMPARE_IN : COMPARE_NOT_IN;
	if (apart && ((length == 2 && strncmp(rest, "in", 2) == 0) ||
			 (length == 5 && strncmp(rest, "notin", 5) == 0)))
		return parse_list(parser, term, rest + length);
	return refuse(parser,
	    "no operator (one of = != < <= > >=, in, notin; as in "
	    "zone=eu-1)");
}

static int
parse_term(struct parser *parser, const char *text, size_t text_length)
{
	struct selector *selector = parser->selector;
	struct term *term = &selector->terms[selector->count];
	const char *name;
	size_t length = 0;

	parser->term = term->text = copy_trimmed(parser, text, text_length);
	if (term->text[0] == '\0')
		return refuse(parser,
		    "an empty term (as in zone=eu-1,gpu; no comma too many)");
	name = term->text;
	if (*name == '!')
		name += 1 + strspn(name + 1, " \t");
	while (is_name(name[length]))
		length++;
	if (length == 0 || !isalnum((unsigned char)*name))
		return refuse(
		    parser, "no name of a label or member (as in zone=eu-1)");
	if (parse_operator(parser, term, name + length) == -1)
		return -1;
	if (term->text[0] == '!') {
		if (term->compare != COMPARE_EXISTS)
			return refuse(parser,
			    "something behind !name (as in !spot, "
			    "zone!=eu-1)");
		term->compare = COMPARE_MISSING;
	}
	if (memchr(name, '.', length) != NULL) {
		term->path = copy_joined(parser, "", name, length);
	} else if (term->compare >= COMPARE_LESS) {
		term->path = copy_joined(parser, "capacity.", name, length);
		term->fallback = copy_joined(parser, "labels.", name, length);
	} else {
		term->path = copy_joined(parser, "labels.", name, length);
	}
	selector->count++;
	return 0;
}

/* Splits at the commas that stand outside of parentheses. */
static int
parse_terms(struct parser *parser, const char *text)
{
	const char *start = text, *p;
	bool inside = false;

	for (p = text;; p++) {
		parser->term = start;
		if (*p == '(' || *p == ')') {
			if (inside == (*p == '('))
				return refuse(parser,
				    "parentheses do not match (as in zone in "
				    "(eu-1,eu-2))");
			inside = *p == '(';
		} else if (*p == '\0' && inside) {
			return refuse(parser,
			    "no ')' ends its list (as in zone in "
			    "(eu-1,eu-2))");
		} else if (*p == '\0' || (*p == ',' && !inside)) {
			if (parse_term(parser, start, (size_t)(p - start)) ==
			    -1)
				return -1;
			start = p + 1;
		}
		if (*p == '\0')
			return 0;
	}
}

/* Room for all that text can become. */
static struct selector *
allocate(const char *text)
{
	struct selector *selector = calloc(1, sizeof(*selector));
	size_t terms = 1, length = strlen(text);

	if (selector == NULL)
		return NULL;
	for (; *text != '\0'; text++)
		terms += *text == ',';
	selector->terms = calloc(terms, sizeof(*selector->terms));
	selector->values = calloc(terms, sizeof(*selector->values));
	/* Each term, its values, and two paths with their prefixes. */
	selector->memory = malloc(4 * length + 32 * terms);
	if (selector->terms == NULL || selector->values == NULL ||
	    selector->memory == NULL) {
		selector_free(selector);
		return NULL;
	}
	return selector;
}

int
selector_parse(
    struct selector **selector, const char *text, struct svc_error *error)
{
	struct parser parser = {NULL, NULL, text, error};

	*selector = NULL;
	parser.selector = allocate(text);
	if (parser.selector == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	parser.next = parser.selector->memory;
	if (text[strspn(text, " \t")] != '\0' &&
	    parse_terms(&parser, text) == -1) {
		selector_free(parser.selector);
		return -1;
	}
	*selector = parser.selector;
	return 0;
}

void
selector_free(struct selector *selector)
{
	if (selector == NULL)
		return;
	free(selector->terms);
	free(selector->values);
	free(selector->memory);
	free(selector);
}

static bool
find(const struct instance *instance, const char *path, struct buffer *scratch,
    struct json_value *value)
{
	return path != NULL &&
	       instance_member(instance, path, scratch, value) == 1 &&
	       value->type != JSON_NULL;
}

static bool
to_number(const struct json_value *value, double *number)
{
	if (value->type != JSON_NUMBER)
		return member_quantity(value, number) == 1;
	*number = json_number(value);
	return true;
}

static bool
equals(const struct term *term, const struct json_value *value,
    const struct wanted *wanted)
{
	struct json_span text = value->span;
	double number;

	if (wanted->is_number &&
	    (value->type == JSON_NUMBER ||
		strncmp(term->path, "capacity.", 9) == 0) &&
	    to_number(value, &number))
		return number == wanted->number;
	if (value->type == JSON_STRING) {
		text.data++;
		text.length -= 2;
	}
	if (value->escaped)
		return json_text_is(text, wanted->text, wanted->length);
	return text.length == wanted->length &&
	       memcmp(text.data, wanted->text, text.length) == 0;
}

static bool
is_in(const struct term *term, const struct json_value *value)
{
	size_t i;

	for (i = 0; i < term->count; i++) {
		if (equals(term, value, &term->values[i]))
			return true;
	}
	return false;
}

static bool
holds(const struct term *term, const struct json_value *value)
{
	double number;

	switch (term->compare) {
	case COMPARE_EXISTS:
		return true;
	case COMPARE_MISSING:
		return false;
	case COMPARE_IN:
		return is_in(term, value);
	case COMPARE_NOT_IN:
		return !is_in(term, value);
	default:
		break;
	}
	if (!to_number(value, &number))
		return false;
	switch (term->compare) {
	case COMPARE_LESS:
		return number < term->bound;
	case COMPARE_AT_MOST:
		return number <= term->bound;
	case COMPARE_GREATER:
		return number > term->bound;
	default:
		return number >= term->bound;
	}
}

const char *
selector_failing(
    const struct selector *selector, const struct instance *instance)
{
	struct buffer scratch = BUFFER_INIT;
	const char *failing = NULL;
	const struct term *term;
	struct json_value value;
	bool held;
	size_t i;

	for (i = 0; selector != NULL && i < selector->count; i++) {
		term = &selector->terms[i];
		if (find(instance, term->path, &scratch, &value) ||
		    find(instance, term->fallback, &scratch, &value))
			held = holds(term, &value);
		else
			held = term->compare == COMPARE_MISSING ||
			       term->compare == COMPARE_NOT_IN;
		if (!held) {
			failing = term->text;
			break;
		}
	}
	buffer_release(&scratch);
	return failing;
}

bool
selector_match(const struct selector *selector, const struct instance *instance)
{
	return selector_failing(selector, instance) == NULL;
}
