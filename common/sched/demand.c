#include "sched/demand.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* How much of a value that is wrong stands in a message. */
#define SHOWN_MAX 64

static int
refuse(const char *name, const struct json_value *value, const char *wanted,
    struct svc_error *error)
{
	size_t length = value->span.length;

	return svc_error_set(error, EX_DATAERR, "\"requires.%s\": %s: %.*s%s",
	    name, wanted, (int)(length < SHOWN_MAX ? length : SHOWN_MAX),
	    value->span.data, length > SHOWN_MAX ? "..." : "");
}

/* The member's name, decoded; one that no capacity can have is refused. */
static int
read_name(const struct json_member *member, char name[NAME_MAX_LENGTH + 1],
    struct svc_error *error)
{
	struct json_value quoted;

	quoted.span.data = member->name.data - 1;
	quoted.span.length = member->name.length + 2;
	quoted.type = JSON_STRING;
	quoted.escaped = member->escaped;
	if (json_string(&quoted, name, NAME_MAX_LENGTH + 1) < 1)
		return svc_error_set(error, EX_DATAERR,
		    "\"requires\": not the name of a capacity (1 to %d bytes, "
		    "as \"cpu\"): \"%.*s\"",
		    NAME_MAX_LENGTH,
		    (int)(member->name.length < SHOWN_MAX ? member->name.length
							  : SHOWN_MAX),
		    member->name.data);
	return 0;
}

static int
read_amount(const char *name, const struct json_value *value, double *amount,
    struct svc_error *error)
{
	char text[SHOWN_MAX];
	bool read = false;

	if (value->type == JSON_NUMBER) {
		*amount = json_number(value);
		read = true;
	} else if (value->type == JSON_STRING) {
		read = json_string(value, text, sizeof(text)) != -1 &&
		       size_parse(text, amount, NULL) == 0;
	}
	if (!read)
		return refuse(
		    name, value, "not a number (as 4 or \"1.5G\")", error);
	if (!isfinite(*amount))
		return refuse(name, value, "too large for a number", error);
	if (*amount < 0)
		return refuse(name, value, "negative", error);
	return 0;
}

static int
read_labels(struct demand *demand, const struct json_value *value,
    struct svc_error *error)
{
	struct svc_error why;
	char *text;

	if (value->type != JSON_STRING)
		return refuse("labels", value,
		    "not a string with a selector (as \"zone=eu-1\")", error);
	if (demand->selector != NULL)
		return svc_error_set(
		    error, EX_DATAERR, "\"requires.labels\": stands twice");
	demand->selector = text = malloc(value->span.length + 1);
	if (text == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (json_string(value, text, value->span.length + 1) == -1)
		return refuse("labels", value, "no selector", error);
	if (selector_parse(&demand->labels, text, &why) == -1)
		return svc_error_set(error,
		    why.code == EX_OSERR ? EX_OSERR : EX_DATAERR,
		    "\"requires.labels\": %s", why.message);
	return 0;
}

static int
add_number(struct demand *demand, const struct json_member *member,
    struct svc_error *error)
{
	struct demand_number *numbers, *number;
	size_t i;

	if (demand->count == DEMAND_NUMBERS_MAX)
		return svc_error_set(error, EX_DATAERR,
		    "\"requires\": more than %d numbers", DEMAND_NUMBERS_MAX);
	numbers = reallocarray(
	    demand->numbers, demand->count + 1, sizeof(*demand->numbers));
	if (numbers == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	demand->numbers = numbers;
	number = &numbers[demand->count];
	if (read_name(member, number->name, error) == -1 ||
	    read_amount(number->name, &member->value, &number->amount, error) ==
		-1)
		return -1;
	for (i = 0; i < demand->count; i++)
		if (strcmp(numbers[i].name, number->name) == 0)
			return svc_error_set(error, EX_DATAERR,
			    "\"requires.%s\": stands twice", number->name);
	demand->count++;
	return 0;
}

int
demand_parse(struct demand *demand, const struct json_value *requires,
    struct svc_error *error)
{
	struct json_member member;
	const char *cursor;
	int result = 0;

	memset(demand, 0, sizeof(*demand));
	if (requires == NULL || requires->span.data == NULL ||
	    requires->type == JSON_NULL)
		return 0;
	if (requires->type != JSON_OBJECT)
		return svc_error_set(error, EX_DATAERR,
		    "\"requires\": not an object (as {\"cpu\":2}): %.*s",
		    (int)(requires->span.length < SHOWN_MAX
			      ? requires->span.length
			      : SHOWN_MAX),
		    requires->span.data);
	cursor = requires->span.data;
	while (result == 0 &&
	       json_next_member(requires->span, &cursor, &member) == 1)
		result = json_name_is(&member, "labels")
			     ? read_labels(demand, &member.value, error)
			     : add_number(demand, &member, error);
	if (result == -1)
		demand_release(demand);
	return result;
}

void
demand_release(struct demand *demand)
{
	free(demand->numbers);
	selector_free(demand->labels);
	free(demand->selector);
	memset(demand, 0, sizeof(*demand));
}
