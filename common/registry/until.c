#include "registry/until.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/check.h"
#include "line/units.h"
#include "registry/condition.h"

struct until {
	struct condition *conditions;
	size_t count;
	const char **services; /* point into conditions */
	size_t service_count;
};

/* What a term looks at, and how much of that is as it asks. */
struct tally {
	size_t total; /* instances of the service, or the one of the id */
	size_t looked;
	size_t matching;
};

/* The instances of one service, and which of them may get work. */
struct scope {
	const struct instance *items;
	size_t count;
	unsigned char *available;
};

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
gather_services(struct until *until, struct svc_error *error)
{
	size_t i;

	until->services = calloc(until->count, sizeof(*until->services));
	if (until->services == NULL)
		return no_memory(error);
	for (i = 0; i < until->count; i++)
		until->services[i] = until->conditions[i].service;
	qsort(until->services, until->count, sizeof(*until->services),
	    compare_names);
	for (i = 0; i < until->count; i++)
		if (i == 0 ||
		    strcmp(until->services[i], until->services[i - 1]) != 0)
			until->services[until->service_count++] =
			    until->services[i];
	return 0;
}

static int
parse_conditions(struct until *until, const char *text, struct svc_error *error)
{
	size_t room = 1;
	size_t i, length;

	for (i = 0; text[i] != '\0'; i++)
		room += text[i] == ',';
	until->conditions = calloc(room, sizeof(*until->conditions));
	if (until->conditions == NULL)
		return no_memory(error);
	while (until->count < room) {
		length = strcspn(text, ",");
		if (condition_parse(&until->conditions[until->count++], text,
			length, error) == -1)
			return -1;
		text += length + 1;
	}
	return gather_services(until, error);
}

int
until_parse(struct until **result, const char *text, struct svc_error *error)
{
	struct until *until = calloc(1, sizeof(*until));

	*result = NULL;
	if (until == NULL)
		return no_memory(error);
	if (parse_conditions(until, text, error) == -1) {
		until_free(until);
		return -1;
	}
	*result = until;
	return 0;
}

void
until_free(struct until *until)
{
	size_t i;

	if (until == NULL)
		return;
	for (i = 0; i < until->count; i++) {
		condition_release(&until->conditions[i]);
	}
	free(until->conditions);
	free(until->services);
	free(until);
}

size_t
until_services(const struct until *until, const char *const **names)
{
	*names = until->services;
	return until->service_count;
}

/* Where the first instance of service, or of a greater name, stands. */
static size_t
lower_bound(const struct instance_list *list, const char *service)
{
	size_t low = 0, high = list->count;
	size_t middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(list->items[middle].service, service) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* 0, or -1 without memory; free(scope->available). */
static int
scope_init(
    struct scope *scope, const struct instance_list *list, const char *service)
{
	size_t start = lower_bound(list, service);
	size_t end = start;

	while (
	    end < list->count && strcmp(list->items[end].service, service) == 0)
		end++;
	scope->items = list->items + start;
	scope->count = end - start;
	scope->available = malloc(scope->count + 1);
	if (scope->available == NULL)
		return -1;
	instances_available(scope->items, scope->count, scope->available);
	return 0;
}

static bool
is_meant(const struct condition *condition, const struct instance *instance)
{
	return condition->id == NULL ||
	       strcmp(condition->id, instance->id) == 0;
}

static bool
is_looked_at(const struct condition *condition, const struct instance *instance)
{
	if (condition->kind != CONDITION_STATUS ||
	    condition->status == STATUS_EXPIRED)
		return true;
	if (instance->status == STATUS_EXPIRED)
		return false;
	return condition->status == STATUS_DRAINING ||
	       instance->status != STATUS_DRAINING;
}

static bool
matches(const struct condition *condition, const struct scope *scope, size_t i)
{
	switch (condition->kind) {
	case CONDITION_COUNT:
		return scope->available[i];
	case CONDITION_STATUS:
		return scope->items[i].status == condition->status;
	case CONDITION_GONE:
		break;
	}
	return scope->items[i].status != STATUS_EXPIRED;
}

static struct tally
tally(const struct condition *condition, const struct scope *scope)
{
	struct tally tally = {0, 0, 0};
	size_t i;

	for (i = 0; i < scope->count; i++) {
		if (!is_meant(condition, &scope->items[i]))
			continue;
		tally.total++;
		if (!is_looked_at(condition, &scope->items[i]))
			continue;
		tally.looked++;
		tally.matching += matches(condition, scope, i);
	}
	return tally;
}

static bool
holds(const struct condition *condition, const struct tally *tally)
{
	switch (condition->kind) {
	case CONDITION_COUNT:
		return condition_compare(condition, tally->matching);
	case CONDITION_STATUS:
		return tally->looked > 0 && tally->matching == tally->looked;
	case CONDITION_GONE:
		break;
	}
	return tally->matching == 0;
}

void
until_doubt(struct instance_list *list)
{
	struct instance *instance;
	size_t i;

	for (i = 0; i < list->count; i++) {
		instance = &list->items[i];
		if (instance->status == STATUS_PASSING &&
		    instance->checked == 0 && check_wanted(instance))
			instance->status = STATUS_UNKNOWN;
	}
}

int
until_holds(const struct until *until, const struct instance_list *list,
    struct svc_error *error)
{
	struct scope scope;
	struct tally found;
	bool all = true;
	size_t i;

	for (i = 0; i < until->count && all; i++) {
		if (scope_init(&scope, list, until->conditions[i].service) ==
		    -1)
			return no_memory(error);
		found = tally(&until->conditions[i], &scope);
		all = holds(&until->conditions[i], &found);
		free(scope.available);
	}
	return all;
}

/* Of a term that asks for more, what does not match; of one that asks for less,
 * what does. */
static bool
is_in_the_way(const struct condition *condition, const struct tally *found,
    const struct scope *scope, size_t i)
{
	if (!is_meant(condition, &scope->items[i]))
		return false;
	if (condition->kind == CONDITION_GONE)
		return matches(condition, scope, i);
	if (condition->kind == CONDITION_COUNT &&
	    condition_wants_less(condition, found->matching))
		return matches(condition, scope, i);
	if (found->looked == 0)
		return true;
	return is_looked_at(condition, &scope->items[i]) &&
	       !matches(condition, scope, i);
}

/* ": 1 expired (4m), 2 critical (connection refused)", of those in the way. */
static void
append_statuses(const struct condition *condition, const struct tally *found,
    const struct scope *scope, struct buffer *out)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	size_t i;

	/* Borrowed copies: the array alone is the list's. */
	list.items = calloc(scope->count + 1, sizeof(*list.items));
	if (list.items == NULL) {
		out->failed = true;
		return;
	}
	for (i = 0; i < scope->count; i++)
		if (is_in_the_way(condition, found, scope, i))
			list.items[list.count++] = scope->items[i];
	if (list.count > 0) {
		buffer_append_string(out, ": ");
		instance_list_statuses(&list, condition->service, out);
	}
	free(list.items);
}

static void
append_instance(const struct condition *condition, const struct scope *scope,
    struct buffer *out)
{
	const struct instance *instance;
	size_t i;

	for (i = 0; i < scope->count && !is_meant(condition, &scope->items[i]);)
		i++;
	if (i == scope->count) {
		buffer_append_string(out, "no such instance");
		return;
	}
	instance = &scope->items[i];
	buffer_append_string(out, status_name(instance->status));
	if (instance->status == STATUS_EXPIRED && instance->age >= 0) {
		buffer_append_string(out, " (");
		duration_append(out, instance->age);
		buffer_append_char(out, ')');
	} else if (instance->reason != NULL) {
		buffer_append_format(out, " (%s)", instance->reason);
	}
}

static void
append_service(const struct condition *condition, const struct tally *found,
    const struct scope *scope, struct buffer *out)
{
	size_t of = found->looked == 0 ? found->total : found->looked;
	const char *verb = of == 1 || found->matching == 1 ? "is" : "are";

	if (found->total == 0) {
		buffer_append_string(out, "no instances");
		return;
	}
	buffer_append_format(out, "%zu of %zu %s ", found->matching, of,
	    of == 1 ? "instance" : "instances");
	if (condition->kind == CONDITION_COUNT)
		buffer_append_string(out, "may get work");
	else if (condition->kind == CONDITION_GONE)
		buffer_append_format(out, "%s left", verb);
	else
		buffer_append_format(
		    out, "%s %s", verb, status_name(condition->status));
	append_statuses(condition, found, scope, out);
}

void
until_why(const struct until *until, const struct instance_list *list,
    struct buffer *out)
{
	const char *separator = "";
	const struct condition *condition;
	struct scope scope;
	struct tally found;
	size_t i;

	for (i = 0; i < until->count; i++) {
		condition = &until->conditions[i];
		if (scope_init(&scope, list, condition->service) == -1) {
			out->failed = true;
			return;
		}
		found = tally(condition, &scope);
		if (!holds(condition, &found)) {
			buffer_append_format(
			    out, "%s%s: ", separator, condition->text);
			separator = "; ";
			if (condition->id != NULL)
				append_instance(condition, &scope, out);
			else
				append_service(condition, &found, &scope, out);
		}
		free(scope.available);
	}
}
