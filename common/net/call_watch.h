/*
 * The registry, as the call engine sees it: each service that is called is
 * listed, followed, and told to the engine anew at each change, and when a ttl
 * runs out.
 */
#ifndef SVCKIT_NET_CALL_WATCH_H
#define SVCKIT_NET_CALL_WATCH_H

#include <stdbool.h>

#include "line/buffer.h"
#include "line/error.h"
#include "line/selector.h"
#include "net/call.h"
#include "registry/registry.h"

struct call_watch;
struct event_base;

struct call_watch_options {
	/*
	 * Opens the registry; called once, when the first service is asked for.
	 * The watch closes it.  NULL: there is none.
	 */
	struct registry *(*open)(void *argument);
	void *argument;
	const struct selector *selector; /* the others do not exist; or NULL */
	const char *selector_text; /* as it was given, for messages */
	/* appends the sentence that the registry has nobody of service */
	void (*empty)(void *argument, const char *service, struct buffer *out);
	/* one line about what went wrong while following */
	void (*warn)(void *argument, const char *message);
};

/* All are borrowed until call_watch_close().  EX_OSERR. */
int call_watch_open(struct call_watch **watch, struct event_base *base,
    struct call_engine *engine, const struct call_watch_options *options,
    struct svc_error *error);
void call_watch_close(struct call_watch *watch);

/*
 * Follows service from here on: the engine has been told of it when this
 * returns.  A service that the registry does not have is told of when it
 * appears.  needed: somebody must be there; where nobody is, warn is told why,
 * once while it is followed.  Further calls for the same service cost a
 * look-up.  1; 0: there is no registry; -1.
 */
int call_watch_add(struct call_watch *watch, const char *service, bool needed,
    struct svc_error *error);

/*
 * After task was submitted: where those of its service that take work lack what
 * it requires, warn is told so, once a service.
 */
void call_watch_need(struct call_watch *watch, const struct call_task *task);

/*
 * Of a failure for want of an instance of service (CODE_NO_INSTANCES,
 * _UNPLACEABLE): replaces the message with the sentence that says why the
 * registry has nobody to call (query_why(), or options' empty()).  Where it has
 * somebody, or watch is NULL, the message stays.
 */
void call_watch_explain(struct call_watch *watch, const char *service,
    struct task_failure *failure);

#endif
