#include "registry/query.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

int
query_parse_statuses(
    struct query *query, const char *text, struct svc_error *error)
{
	enum instance_status status;
	size_t length;

	for (;; text += length + 1) {
		length = strcspn(text, ",");
		if (status_parse(text, length, &status) != 1)
			return svc_error_set(error, EX_USAGE,
			    "not a status: '%.*s': passing, warning, unknown, "
			    "critical, draining or expired",
			    (int)length, text);
		query->statuses |= 1U << status;
		if (text[length] == '\0')
			return 0;
	}
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, *(char *const *)b);
}

bool
query_matches(const struct query *query, const struct instance *instance)
{
	if (query->service_count > 0 &&
	    bsearch(instance->service, query->services, query->service_count,
		sizeof(*query->services), compare_names) == NULL)
		return false;
	if (query->owner != NULL &&
	    (instance->owner == NULL ||
		strcmp(query->owner, instance->owner) != 0))
		return false;
	return selector_match(query->selector, instance);
}

/* Copies what matches (and is of service) to chosen; returns their number. */
static size_t
choose_matching(const struct query *query, const struct instance_list *list,
    const char *service, struct instance *chosen)
{
	const struct instance *item;
	size_t i, count = 0;

	for (i = 0; i < list->count; i++) {
		item = &list->items[i];
		if (service != NULL && strcmp(item->service, service) != 0)
			continue;
		if (query_matches(query, item))
			chosen[count++] = *item;
	}
	return count;
}

/* Moves those whose status is asked for to the front; their number. */
static size_t
choose_by_status(const struct query *query, struct instance *chosen,
    size_t count, unsigned char *available)
{
	size_t i, kept = 0;
	bool keep;

	instances_available(chosen, count, available);
	for (i = 0; i < count; i++) {
		keep = available[i] != 0;
		if (query->statuses != 0)
			keep = (query->statuses >> chosen[i].status & 1) != 0;
		if (keep)
			chosen[kept++] = chosen[i];
	}
	return kept;
}

int
query_choose(const struct query *query, const struct instance_list *list,
    struct instance **chosen, size_t *count, struct svc_error *error)
{
	unsigned char *available = malloc(list->count + 1);

	*count = 0;
	*chosen = malloc((list->count + 1) * sizeof(**chosen));
	if (*chosen == NULL || available == NULL) {
		free(available);
		free(*chosen);
		*chosen = NULL;
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	*count = choose_matching(query, list, NULL, *chosen);
	if (!query->all || query->statuses != 0)
		*count = choose_by_status(query, *chosen, *count, available);
	free(available);
	return 0;
}

static size_t
count_of_service(const struct instance_list *list, const char *service)
{
	size_t i, count = 0;

	for (i = 0; i < list->count; i++)
		if (service == NULL ||
		    strcmp(list->items[i].service, service) == 0)
			count++;
	return count;
}

static void
append_statuses(unsigned statuses, struct buffer *out)
{
	const char *separator = "";
	int status;

	for (status = 0; status < STATUS_COUNT; status++) {
		if ((statuses >> status & 1) == 0)
			continue;
		buffer_append_string(out, separator);
		buffer_append_string(
		    out, status_name((enum instance_status)status));
		separator = " or ";
	}
}

static void
append_filter(const struct query *query, struct buffer *out)
{
	if (query->selector_text != NULL)
		buffer_append_format(out, "matches '%s'", query->selector_text);
	if (query->selector_text != NULL && query->owner != NULL)
		buffer_append_string(out, " and ");
	if (query->owner != NULL)
		buffer_append_format(out, "is owned by '%s'", query->owner);
}

/* instance_list_why() of those that match, so that it counts what was asked. */
static void
append_unavailable(const struct instance *matching, size_t count,
    const char *service, struct buffer *out)
{
	struct instance_list list = INSTANCE_LIST_INIT;

	if (service == NULL) {
		buffer_append_format(out, "%zu instance%s, none available",
		    count, count == 1 ? "" : "s");
		return;
	}
	/* Borrowed for a call that only reads. */
	list.items = (struct instance *)matching;
	list.count = count;
	instance_list_why(&list, service, out);
}

void
query_why(const struct query *query, const struct instance_list *list,
    const char *service, struct buffer *out)
{
	size_t all = count_of_service(list, service), count;
	struct instance *matching;

	matching = malloc((list->count + 1) * sizeof(*matching));
	if (matching == NULL) {
		out->failed = true;
		return;
	}
	count = choose_matching(query, list, service, matching);
	if (all > 0 && (count == 0 || query->statuses != 0)) {
		if (service != NULL)
			buffer_append_format(out, "%s: ", service);
		buffer_append_format(
		    out, "%zu instance%s, none ", all, all == 1 ? "" : "s");
		if (count == 0)
			append_filter(query, out);
		else
			append_statuses(query->statuses, out);
	} else {
		append_unavailable(matching, count, service, out);
	}
	free(matching);
}
