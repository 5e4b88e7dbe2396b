/*
 * What a task line says about other tasks: the members after, when and bind
 * (task-line(5)), read once, when the line is.
 *
 *	"after":["a","b"],"when":"ok","bind":{"/image":"a#/files/0","/n":"c#"}
 *
 * A binding's id is implied in after.  The pointer to the left of it names a
 * place in task that holds null, or "" the whole, which then may be anything.
 * What follows '#' is a pointer into the result, "" the whole of it; without
 * '#' that is meant.
 */
#ifndef SVCKIT_FLOW_TASK_LINKS_H
#define SVCKIT_FLOW_TASK_LINKS_H

#include <stdbool.h>
#include <stddef.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/task.h"
#include "sched/dependencies.h"

struct task_binding {
	const char *into; /* JSON Pointer into task */
	const char *id; /* whose result */
	const char *from; /* JSON Pointer into it */
};

/* All zero before the first read; what it points to lives until the next. */
struct task_links {
	enum task_when when;
	const char **after; /* names, each once, those of bindings included */
	size_t after_count;
	size_t bound_count; /* those of bindings are the first ones of after */
	struct task_binding *bindings; /* by their places in task */
	size_t binding_count;
	/* private */
	struct buffer text;
	size_t after_capacity;
	size_t binding_capacity;
};

/*
 * Reads them of a READY envelope.  -1, and links are empty: EX_DATAERR, which
 * member is wrong and how ("\"bind\": '/image' does not hold null in the
 * task"): an id that is no name, a pointer that is none, a place that is not
 * there, two of which one lies in the other or is the whole; EX_OSERR.
 */
int task_links_read(struct task_links *links, const struct envelope *envelope,
    struct svc_error *error);

/* Whether the envelope says any of this: cheap. */
bool task_links_any(const struct envelope *envelope);

void task_links_release(struct task_links *links);

#endif
