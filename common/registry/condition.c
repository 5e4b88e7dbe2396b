#include "registry/condition.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/text.h"
#include "line/units.h"

#define SPACE	   " \t\r\n"
#define QUOTED_MAX 80 /* bytes of a condition in a message */
#define DIGITS	   "0123456789"
#define COUNT_MAX  1000000000

/* Longer ones first: the first that fits is meant. */
static const struct {
	const char *sign;
	enum condition_comparison comparison;
} comparisons[] = {
    {">=", COMPARE_AT_LEAST},
    {"<=", COMPARE_AT_MOST},
    {"==", COMPARE_EQUAL},
    {"!=", COMPARE_UNEQUAL},
    {"=", COMPARE_EQUAL},
    {">", COMPARE_MORE},
    {"<", COMPARE_LESS},
};
#define COMPARISON_COUNT (sizeof(comparisons) / sizeof(comparisons[0]))

static int
refuse(struct svc_error *error, const struct condition *condition,
    const char *why, const char *example)
{
	const char *text = condition->text;
	size_t length = strlen(text);
	size_t cut = text_cut(text, length, QUOTED_MAX);

	return svc_error_set(error, EX_USAGE,
	    "not a condition: '%.*s%s': %s (as in \"%s\")", (int)cut, text,
	    cut < length ? "..." : "", why, example);
}

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

/* A copy of text without the space around it; NULL without memory. */
static char *
copy_trimmed(const char *text, size_t length)
{
	size_t lead = strspn(text, SPACE);

	if (lead > length)
		lead = length;
	text += lead;
	length -= lead;
	while (length > 0 && strchr(SPACE, text[length - 1]) != NULL)
		length--;
	return strndup(text, length);
}

/* NAME or NAME/ID, length bytes at the start of the text. */
static int
parse_target(
    struct condition *condition, size_t length, struct svc_error *error)
{
	const char *slash = memchr(condition->text, '/', length);
	size_t name =
	    slash == NULL ? length : (size_t)(slash - condition->text);

	condition->service = copy_trimmed(condition->text, name);
	if (slash != NULL)
		condition->id = copy_trimmed(slash + 1, length - name - 1);
	if (condition->service == NULL ||
	    (slash != NULL && condition->id == NULL))
		return no_memory(error);
	if (!name_valid(condition->service, strlen(condition->service)))
		return refuse(error, condition,
		    "it begins with no name of a service", "render>=2");
	if (condition->id != NULL &&
	    !name_valid(condition->id, strlen(condition->id)))
		return refuse(error, condition,
		    "no name of an instance stands behind '/'",
		    "render/web1=passing");
	return 0;
}

static int
parse_count(
    struct condition *condition, const char *text, struct svc_error *error)
{
	long long count;

	if (integer_parse(text, 0, COUNT_MAX, &count, NULL) == -1)
		return refuse(error, condition,
		    "it ends with more instances than there can be",
		    "render>=2");
	if (condition->id != NULL)
		return refuse(error, condition, "one instance is not counted",
		    "render/web1=passing");
	if (condition->comparison == COMPARE_LESS && count == 0)
		return refuse(error, condition,
		    "there are never less than none", "render=0");
	condition->kind = CONDITION_COUNT;
	condition->count = (size_t)count;
	return 0;
}

/* What stands behind the operator: a number or, behind '=', a word. */
static int
parse_value(
    struct condition *condition, const char *text, struct svc_error *error)
{
	const char *example =
	    condition->id == NULL ? "render=passing" : "render/web1=passing";
	bool number = *text != '\0' && text[strspn(text, DIGITS)] == '\0';

	condition->kind = CONDITION_STATUS;
	if (number)
		return parse_count(condition, text, error);
	if (strcmp(text, "gone") == 0)
		condition->kind = CONDITION_GONE;
	else if (status_parse(text, strlen(text), &condition->status) != 1)
		return refuse(error, condition,
		    "it ends neither with a number nor with passing, warning, "
		    "unknown, critical, draining, expired or gone",
		    example);
	if (condition->comparison != COMPARE_EQUAL)
		return refuse(error, condition,
		    "only '=' can stand in front of a word", example);
	return 0;
}

/* Reads what stands behind the target, at rest. */
static int
parse_comparison(
    struct condition *condition, const char *rest, struct svc_error *error)
{
	size_t i;

	if (*rest == '\0') {
		condition->comparison = COMPARE_AT_LEAST;
		condition->count = 1;
		return 0;
	}
	for (i = 0; i < COMPARISON_COUNT; i++)
		if (strncmp(rest, comparisons[i].sign,
			strlen(comparisons[i].sign)) == 0)
			break;
	if (i == COMPARISON_COUNT)
		return refuse(error, condition,
		    "its operator is none of >= > = == <= < !=", "render!=0");
	condition->comparison = comparisons[i].comparison;
	rest += strlen(comparisons[i].sign);
	return parse_value(condition, rest + strspn(rest, SPACE), error);
}

int
condition_parse(struct condition *condition, const char *text, size_t length,
    struct svc_error *error)
{
	size_t target;

	memset(condition, 0, sizeof(*condition));
	condition->text = copy_trimmed(text, length);
	if (condition->text == NULL)
		return no_memory(error);
	if (condition->text[0] == '\0')
		return refuse(
		    error, condition, "it is empty", "render>=2,db=passing");
	target = strcspn(condition->text, "<>=!");
	if (parse_target(condition, target, error) == -1)
		return -1;
	return parse_comparison(condition, condition->text + target, error);
}

void
condition_release(struct condition *condition)
{
	free(condition->text);
	free(condition->service);
	free(condition->id);
}

bool
condition_compare(const struct condition *condition, size_t count)
{
	switch (condition->comparison) {
	case COMPARE_AT_LEAST:
		return count >= condition->count;
	case COMPARE_AT_MOST:
		return count <= condition->count;
	case COMPARE_EQUAL:
		return count == condition->count;
	case COMPARE_UNEQUAL:
		return count != condition->count;
	case COMPARE_MORE:
		return count > condition->count;
	case COMPARE_LESS:
		break;
	}
	return count < condition->count;
}

bool
condition_wants_less(const struct condition *condition, size_t count)
{
	return condition->comparison == COMPARE_AT_MOST ||
	       condition->comparison == COMPARE_LESS ||
	       (condition->comparison == COMPARE_EQUAL &&
		   count > condition->count);
}
