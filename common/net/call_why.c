#include "net/call_why.h"

#include "registry/query.h"

size_t
call_available(
    const struct selector *selector, const struct instance_list *list)
{
	size_t i, count = 0;

	for (i = 0; i < list->count; i++)
		count += instance_works(&list->items[i]) &&
			 selector_match(selector, &list->items[i]);
	return count;
}

bool
call_why(struct registry *registry, const struct call_watch_options *options,
    const char *service, struct buffer *out)
{
	const struct query query = {
	    .selector = options->selector,
	    .selector_text = options->selector_text == NULL
				 ? "the selector"
				 : options->selector_text,
	};
	struct instance_list list = INSTANCE_LIST_INIT;
	bool nobody = true;

	if (registry == NULL ||
	    registry_list(registry, service, &list, NULL) == -1 ||
	    list.count == 0) {
		options->empty(options->argument, service, out);
	} else if (call_available(options->selector, &list) == 0) {
		query_why(&query, &list, service, out);
	} else {
		nobody = false;
	}
	instance_list_release(&list);
	return nobody;
}
