#include "net/probed_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "line/units.h"
#include "net/probed_panic.h"
#include "registry/health_book.h"

#define WRITE_INTERVAL 1.0 /* seconds, as all of these */
#define TOUCH_INTERVAL 5.0
/* A line's "checked" gets no older than that while its probes go on: whoever
 * weighs load believes it for as long as the file. */
#define RENEW_INTERVAL 10.0
#define CLAIM_INTERVAL 5.0 /* another's lock ends with an event; else this */
/* At the start every result is waited for so long: with the first line those
 * without one are unknown, and get no work. */
#define FIRST_INTERVAL	 5.0
#define REFUSED_INTERVAL 60.0

bool
probed_file_wanted(const struct probed_service *service)
{
	return service->wanting > 0 || service->panic.expired;
}

/* Whether every instance that is probed has a status. */
static bool
all_known(const struct probed_service *service)
{
	const struct probed_instance *probed;
	size_t i;

	for (i = 0; i < service->count; i++) {
		probed = service->instances[i];
		if (probed_instance_due(probed) && !probed->verdict.settled)
			return false;
	}
	return true;
}

/* When something is to be written, or touched. */
double
probed_file_due(const struct probed_service *service)
{
	double last = service->written;

	if (service->dirty && service->empty)
		return all_known(service) ? 0
					  : service->claimed + FIRST_INTERVAL;
	if (service->dirty)
		return last + WRITE_INTERVAL;
	if (service->touched > last)
		last = service->touched;
	return last + TOUCH_INTERVAL;
}

static void
refused(struct probed_service *service, const struct svc_error *error)
{
	char message[sizeof(error->message) + 64];

	(void)snprintf(message, sizeof(message), "%s%s", error->message,
	    service->common->options.once ? "" : "; trying again each minute");
	probed_service_tell(service, message);
	service->refused = true;
	service->retry = time_monotonic() + REFUSED_INTERVAL;
}

static void
adopt(struct probed_service *service, const struct health *taken)
{
	const struct health_line *line;
	struct probed_instance *probed;
	size_t i;

	for (i = 0; i < service->count; i++) {
		probed = service->instances[i];
		line = health_find(taken, probed->id);
		if (line != NULL &&
		    probed_instance_resume(probed, line, taken->fresh) == -1)
			probed_service_tell(service, "health: out of memory");
	}
	if (taken->fresh && taken->panic != PANIC_NONE)
		probed_panic_resume(service, taken->panic, taken->panic_since);
}

static void
claim(struct probed_service *service, double now)
{
	struct svc_error error;
	struct health taken;

	service->refused = false;
	switch (health_book_claim(service->book, &taken, &error)) {
	case 1:
		adopt(service, &taken);
		service->claimed = service->touched = now;
		service->written = taken.fresh ? now : -INFINITY;
		service->empty = !taken.fresh;
		service->dirty = true;
		service->retry = 0;
		health_release(&taken);
		probed_service_start(service);
		break;
	case 0:
		service->retry = now + CLAIM_INTERVAL;
		break;
	default:
		refused(service, &error);
		break;
	}
}

/* Fills the scratch with what is known: 0, or -1 without memory. */
static int
gather(struct probed_service *service)
{
	struct health *health = &service->scratch;
	struct health_line *lines;
	size_t i;

	if (health->capacity < service->count) {
		lines = reallocarray(
		    health->lines, service->capacity, sizeof(*lines));
		if (lines == NULL)
			return -1;
		health->lines = lines;
		health->capacity = service->capacity;
	}
	health->panic = panic_mark(service->panic);
	health->panic_since = service->panic_since;
	health->count = 0;
	for (i = 0; i < service->count; i++)
		if (probed_instance_line(
			service->instances[i], &health->lines[health->count]))
			health->count++;
	return 0;
}

void
probed_file_write(struct probed_service *service, double now)
{
	struct svc_error error;
	size_t i;
	int status = -1;

	if (gather(service) == -1)
		(void)svc_error_set(&error, EX_OSERR, "health: out of memory");
	else
		status =
		    health_book_write(service->book, &service->scratch, &error);
	if (status == -1) {
		refused(service, &error);
		return;
	}
	if (status == 0) {
		probed_service_lost(service);
		return;
	}
	service->written = now;
	service->dirty = service->empty = service->complained = false;
	for (i = 0; i < service->count; i++)
		probed_instance_told(service->instances[i]);
}

static void
touch(struct probed_service *service, double now)
{
	struct svc_error error;

	switch (health_book_touch(service->book, &error)) {
	case 1:
		service->touched = now;
		break;
	case 0:
		probed_service_lost(service);
		break;
	default:
		refused(service, &error);
		break;
	}
}

/* Nothing is left to be told of the service. */
static void
drop_file(struct probed_service *service)
{
	struct svc_error error;

	if (health_book_remove(service->book, &error) == -1)
		probed_service_tell(service, error.message);
}

void
probed_file_keep(struct probed_service *service, double now)
{
	if (health_book_held(service->book) && !probed_file_wanted(service))
		drop_file(service);
	if (!health_book_held(service->book) && probed_file_wanted(service) &&
	    now >= service->retry)
		claim(service, now);
	if (!health_book_held(service->book) || now < service->retry ||
	    now < probed_file_due(service))
		return;
	if (service->dirty || now >= service->written + RENEW_INTERVAL)
		probed_file_write(service, now);
	else
		touch(service, now);
}
