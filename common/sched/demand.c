#include "sched/demand.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* How much of a value that is wrong stands in a message. */
#define SHOWN_MAX 64

/* The length of what is shown of length bytes that are wrong. */
static int
shown(size_t length)
{
	return (int)(length < SHOWN_MAX ? length : SHOWN_MAX);
}

static int
refuse(const char *name, const struct json_value *value, const char *wanted,
    struct svc_error *error)
{
	size_t length = value->span.length;

	return svc_error_set(error, EX_DATAERR, "\"requires.%s\": %s: %.*s%s",
	    name, wanted, shown(length), value->span.data,
	    length > SHOWN_MAX ? "..." : "");
}

/* A member's name as a value. */
static struct json_value
name_value(const struct json_member *member)
{
	struct json_value quoted;

	quoted.span.data = member->name.data - 1;
	quoted.span.length = member->name.length + 2;
	quoted.type = JSON_STRING;
	quoted.escaped = member->escaped;
	return quoted;
}

/* The member's name, decoded; one that no capacity can have is refused. */
static int
read_name(const struct json_member *member, char name[NAME_MAX_LENGTH + 1],
    struct svc_error *error)
{
	struct json_value quoted = name_value(member);

	if (json_string(&quoted, name, NAME_MAX_LENGTH + 1) < 1)
		return svc_error_set(error, EX_DATAERR,
		    "\"requires\": not the name of a capacity (1 to %d bytes, "
		    "as \"cpu\"): \"%.*s\"",
		    NAME_MAX_LENGTH, shown(member->name.length),
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

/* Room for one more label; its name is read from quoted. */
static int
add_spread(struct demand *demand, const struct json_value *quoted, double skew,
    struct svc_error *error)
{
	struct demand_spread *spreads, *spread;
	size_t i, size = quoted->span.length + 1;

	if (demand->spread_count == DEMAND_SPREADS_MAX)
		return svc_error_set(error, EX_DATAERR,
		    "\"requires.spread\": more than %d labels",
		    DEMAND_SPREADS_MAX);
	spreads = reallocarray(
	    demand->spreads, demand->spread_count + 1, sizeof(*spreads));
	if (spreads == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	demand->spreads = spreads;
	spread = &spreads[demand->spread_count];
	spread->label = malloc(size);
	if (spread->label == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	demand->spread_count++; /* the label is the demand's to free */
	spread->skew = skew;
	if (json_string(quoted, spread->label, size) < 1)
		return refuse("spread", quoted,
		    "not the name of a label (as \"zone\")", error);
	for (i = 0; i + 1 < demand->spread_count; i++)
		if (strcmp(spreads[i].label, spread->label) == 0)
			return refuse(
			    "spread", quoted, "a label stands twice", error);
	return 0;
}

static int
read_skews(
    struct demand *demand, struct json_span object, struct svc_error *error)
{
	const char *cursor = object.data;
	struct json_member member;
	struct json_value quoted;
	double skew;

	while (json_next_member(object, &cursor, &member) == 1) {
		skew = json_number(&member.value); /* NAN: none */
		if (!(skew >= 1) || !isfinite(skew) || skew != floor(skew))
			return refuse("spread", &member.value,
			    "not a whole number from 1 on (as {\"zone\":2})",
			    error);
		quoted = name_value(&member);
		if (add_spread(demand, &quoted, skew, error) == -1)
			return -1;
	}
	return 0;
}

static int
read_spread(struct demand *demand, const struct json_value *value,
    struct svc_error *error)
{
	if (value->type == JSON_STRING)
		return add_spread(demand, value, 1, error);
	if (value->type == JSON_OBJECT)
		return read_skews(demand, value->span, error);
	return refuse("spread", value,
	    "not a label (as \"zone\") or an object (as {\"zone\":2})", error);
}

/* What of requires is no number. */
struct special {
	const char *name;
	int (*read)(struct demand *demand, const struct json_value *value,
	    struct svc_error *error);
};

static const struct special specials[] = {
    {"labels", read_labels},
    {"spread", read_spread},
};
#define SPECIALS (sizeof(specials) / sizeof(specials[0]))

/* seen has a bit for each of specials. */
static int
read_member(struct demand *demand, const struct json_member *member,
    unsigned *seen, struct svc_error *error)
{
	size_t i;

	for (i = 0; i < SPECIALS; i++) {
		if (!json_name_is(member, specials[i].name))
			continue;
		if ((*seen & 1U << i) != 0)
			return svc_error_set(error, EX_DATAERR,
			    "\"requires.%s\": stands twice", specials[i].name);
		*seen |= 1U << i;
		return specials[i].read(demand, &member->value, error);
	}
	return add_number(demand, member, error);
}

int
demand_parse(struct demand *demand, const struct json_value *requires,
    struct svc_error *error)
{
	struct json_member member;
	const char *cursor;
	unsigned seen = 0;
	int result = 0;

	memset(demand, 0, sizeof(*demand));
	if (requires == NULL || requires->span.data == NULL ||
	    requires->type == JSON_NULL)
		return 0;
	if (requires->type != JSON_OBJECT)
		return svc_error_set(error, EX_DATAERR,
		    "\"requires\": not an object (as {\"cpu\":2}): %.*s",
		    shown(requires->span.length), requires->span.data);
	cursor = requires->span.data;
	while (result == 0 &&
	       json_next_member(requires->span, &cursor, &member) == 1)
		result = read_member(demand, &member, &seen, error);
	if (result == -1)
		demand_release(demand);
	return result;
}

void
demand_release(struct demand *demand)
{
	size_t i;

	for (i = 0; i < demand->spread_count; i++)
		free(demand->spreads[i].label);
	free(demand->spreads);
	free(demand->numbers);
	selector_free(demand->labels);
	free(demand->selector);
	memset(demand, 0, sizeof(*demand));
}
