#include "net/probed_panic.h"

#include "line/units.h"

/* An interval with its jitter. */
#define WINDOW 1.2
/* Expiries may be seen before the jump that caused them. */
#define BEFORE_JUMP 2.0

/* How long all are asked once takes: the longest interval, or as long as the
 * queue makes them wait. */
static double
window(const struct probed_service *service)
{
	double longest = service->common->options.interval;
	const struct probed_instance *probed;
	bool any = false;
	size_t i;

	for (i = 0; i < service->count; i++) {
		probed = service->instances[i];
		if (probed->kind != PROBED)
			continue;
		if (!any || probed->interval > longest)
			longest = probed->interval;
		any = true;
	}
	return longest * WINDOW + probe_queue_lag(service->common->queue);
}

static double
longest_ttl(const struct probed_service *service)
{
	double longest = 0;
	size_t i;

	for (i = 0; i < service->count; i++)
		if (service->instances[i]->ttl > longest)
			longest = service->instances[i]->ttl;
	return longest;
}

static void
tally_expired(const struct probed_service *service,
    const struct probed_instance *probed, struct panic_tally *tally)
{
	if (probed->ttl <= 0 || probed->draining)
		return;
	if (!probed->expired)
		tally->living++;
	else if (service->jumped >= 0 &&
		 probed->lapsed >= service->jumped - BEFORE_JUMP)
		tally->lapsed++;
}

static void
tally_status(const struct probed_instance *probed, double turned_after,
    struct panic_tally *tally)
{
	if (probed->draining || probed->expired)
		return;
	if (probed->kind != PROBED || status_works(probed->verdict.status)) {
		tally->working++;
	} else if (probed->verdict.status == STATUS_CRITICAL) {
		tally->critical++;
		tally->turned += probed->turned >= turned_after;
	}
}

static void
count(
    const struct probed_service *service, double now, struct panic_tally *tally)
{
	double turned_after = now - window(service);
	size_t i;

	*tally = (struct panic_tally){.doubt = now <= service->doubt};
	/* Since the machine started it may be less than a window. */
	if (turned_after < 0)
		turned_after = 0;
	for (i = 0; i < service->count; i++) {
		tally_expired(service, service->instances[i], tally);
		tally_status(service->instances[i], turned_after, tally);
	}
}

void
probed_panic_review(struct probed_service *service, double now)
{
	struct panic before = service->panic;
	struct panic_tally tally;

	service->review = false;
	count(service, now, &tally);
	service->panic =
	    panic_next(before, service->common->options.panic, &tally);
	if (service->panic.expired && !before.expired)
		service->calm = now + longest_ttl(service);
	if (service->panic.expired && now >= service->calm) {
		service->panic.expired = false;
		service->jumped = -1;
		service->doubt = 0;
	}
	if (panic_mark(service->panic) == panic_mark(before))
		return;
	service->dirty = true;
	if (panic_mark(before) == PANIC_NONE)
		service->panic_since = time_now();
}

void
probed_panic_doubt(struct probed_service *service, double now)
{
	service->jumped = now;
	service->doubt = now + window(service);
	service->review = true;
}

void
probed_panic_resume(
    struct probed_service *service, enum health_panic mark, int64_t since)
{
	double now = time_monotonic(), age;
	size_t i;

	if (service->common->options.panic <= 0)
		return;
	service->panic.critical = mark == PANIC_CRITICAL;
	service->panic.expired = mark == PANIC_EXPIRED;
	service->panic_since = since;
	if (mark == PANIC_EXPIRED) {
		age = (double)(time_now() - since) / 1000;
		service->calm =
		    now + longest_ttl(service) - (age > 0 ? age : 0);
		service->jumped = now;
		for (i = 0; i < service->count; i++)
			if (service->instances[i]->expired)
				service->instances[i]->lapsed = now;
	}
	service->review = true;
}
