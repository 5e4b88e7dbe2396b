#include "ui/summary.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ui/escape.h"

/* So many services that are not fine are named, the others are counted: the
 * line is read in a mail and on a pager. */
#define NAMED_MAX 10

/* What a line says of one service at most. */
enum verdict { FINE, WARNS, CRITICAL };

/* What is said of services. */
struct faults {
	struct buffer text;
	size_t count; /* of services */
};

struct service_counts {
	size_t total;
	size_t of[STATUS_COUNT];
	const char *reasons[STATUS_COUNT]; /* the first of each status */
};

static size_t
count_service(const struct instance *instances, size_t count,
    struct service_counts *counts)
{
	size_t i;

	*counts = (struct service_counts){0};
	for (i = 0; i < count &&
		    strcmp(instances[i].service, instances[0].service) == 0;
	     i++) {
		if (counts->of[instances[i].status]++ == 0)
			counts->reasons[instances[i].status] =
			    instances[i].reason;
	}
	counts->total = i;
	return i;
}

static void
append_status(const struct service_counts *counts, enum instance_status status,
    struct buffer *out)
{
	const char *reason = counts->reasons[status];

	buffer_append_format(out, "%zu of %zu %s", counts->of[status],
	    counts->total, status_name(status));
	if (reason == NULL)
		return;
	buffer_append_string(out, " (");
	escape_append(out, reason, strlen(reason));
	buffer_append_char(out, ')');
}

/* Statuses that no work goes to, of a service in which none takes any. */
static void
append_idle(const struct service_counts *counts, struct buffer *out)
{
	const char *separator = "none available: ";
	int status;

	for (status = STATUS_UNKNOWN; status < STATUS_COUNT; status++) {
		if (counts->of[status] == 0)
			continue;
		buffer_append_string(out, separator);
		append_status(counts, (enum instance_status)status, out);
		separator = ", ";
	}
}

static size_t
count_working(const struct service_counts *counts)
{
	return counts->of[STATUS_PASSING] + counts->of[STATUS_WARNING];
}

/* Appends what is wrong with a service, behind what is said of others. */
static void
append_fault(const char *service, const struct service_counts *counts,
    enum verdict verdict, struct buffer *out)
{
	if (out->length > 0)
		buffer_append_string(out, "; ");
	buffer_append_format(out, "%s: ", service);
	if (counts->total == 0)
		buffer_append_string(out, "no instances");
	else if (count_working(counts) == 0)
		append_idle(counts, out);
	else
		append_status(counts,
		    verdict == CRITICAL ? STATUS_CRITICAL : STATUS_WARNING,
		    out);
}

/* What a service deserves; says why where that is what is wanted. */
static enum verdict
judge(const char *service, const struct service_counts *counts,
    enum verdict wanted, struct faults *faults)
{
	enum verdict verdict = FINE;

	if (counts->of[STATUS_CRITICAL] > 0 || count_working(counts) == 0)
		verdict = CRITICAL;
	else if (counts->of[STATUS_WARNING] > 0)
		verdict = WARNS;
	if (verdict != FINE && verdict == wanted &&
	    ++faults->count <= NAMED_MAX)
		append_fault(service, counts, verdict, &faults->text);
	return verdict;
}

static bool
is_there(const struct instance *instances, size_t count, const char *service)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(instances[i].service, service) == 0)
			return true;
	return false;
}

/* Says what deserves wanted; returns the worst there is. */
static enum verdict
judge_all(const struct instance *instances, size_t count,
    const char *const *services, size_t service_count, enum verdict wanted,
    struct faults *faults)
{
	struct service_counts counts = {0};
	enum verdict worst = FINE, verdict;
	size_t i;

	for (i = 0; i < service_count; i++) {
		if (is_there(instances, count, services[i]))
			continue;
		(void)judge(services[i], &counts, wanted, faults);
		worst = CRITICAL;
	}
	for (i = 0; i < count;) {
		size_t taken = count_service(instances + i, count - i, &counts);

		verdict = judge(instances[i].service, &counts, wanted, faults);
		if (verdict > worst)
			worst = verdict;
		i += taken;
	}
	return worst;
}

static void
append_counts(const size_t of[STATUS_COUNT], size_t count, size_t services,
    struct buffer *out)
{
	const char *separator = " ";
	int status;

	buffer_append_format(out, "%zu instance%s of %zu service%s:", count,
	    count == 1 ? "" : "s", services, services == 1 ? "" : "s");
	for (status = 0; status < STATUS_COUNT; status++) {
		if (of[status] == 0)
			continue;
		buffer_append_format(out, "%s%zu %s", separator, of[status],
		    status_name((enum instance_status)status));
		separator = ", ";
	}
}

int
summary_append(const struct instance *instances, size_t count,
    const char *const *services, size_t service_count, struct buffer *out)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL"};
	struct faults faults = {BUFFER_INIT, 0};
	size_t of[STATUS_COUNT] = {0};
	size_t i, different = 0;
	enum verdict worst;
	int status;

	for (i = 0; i < count; i++) {
		of[instances[i].status]++;
		different += i == 0 || strcmp(instances[i - 1].service,
					   instances[i].service) != 0;
	}
	worst = judge_all(
	    instances, count, services, service_count, CRITICAL, &faults);
	(void)judge_all(
	    instances, count, services, service_count, WARNS, &faults);
	if (count == 0 && service_count == 0) {
		buffer_append_string(out, "UNKNOWN - no instances");
		worst = CRITICAL;
	} else {
		buffer_append_format(out, "%s - ", words[worst]);
		if (worst == FINE)
			append_counts(of, count, different, out);
		buffer_append(out, faults.text.data, faults.text.length);
		if (faults.count > NAMED_MAX)
			buffer_append_format(
			    out, "; and %zu more", faults.count - NAMED_MAX);
	}
	buffer_append_string(out, " |");
	for (status = 0; status < STATUS_COUNT; status++)
		buffer_append_format(out, " %s=%zu",
		    status_name((enum instance_status)status), of[status]);
	if (buffer_failed(&faults.text))
		out->failed = true;
	buffer_release(&faults.text);
	return worst == CRITICAL;
}
