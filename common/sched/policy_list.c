#include "sched/policy_list.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const struct policy_list_item *
find_hash(const struct policy_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i].type == &policy_hash)
			return &list->items[i];
	return NULL;
}

static int
add(struct policy_list *list, const char *text, struct svc_error *error)
{
	struct policy_list_item *item = &list->items[list->count];
	const struct policy_list_item *hash = find_hash(list);

	if (list->count == POLICY_LIST_MAX)
		return svc_error_set(error, EX_USAGE,
		    "more than %d policies: from '%s' on", POLICY_LIST_MAX,
		    text);
	memset(item, 0, sizeof(*item));
	item->text = text;
	if (policy_parse(text, &item->type, &item->options, error) == -1)
		return -1;
	if (item->type == &policy_hash && hash != NULL &&
	    !is_same(hash->options.pointer, item->options.pointer))
		return svc_error_set(error, EX_USAGE,
		    "'%s' and '%s' go by two keys (say one of them)",
		    hash->text, text);
	if (item->type == &policy_hash)
		list->pointer = item->options.pointer;
	list->count++;
	return 0;
}

int
policy_list_parse(
    struct policy_list *list, const char *text, struct svc_error *error)
{
	char *rest, *part;

	policy_list_release(list);
	list->text = rest = strdup(text);
	if (rest == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	while ((part = strsep(&rest, ",")) != NULL) {
		if (add(list, part, error) == -1) {
			policy_list_release(list);
			return -1;
		}
	}
	return 0;
}

void
policy_list_release(struct policy_list *list)
{
	free(list->text);
	memset(list, 0, sizeof(*list));
}
