#include "ui/metrics.h"

#include <math.h>

#include "line/json.h"

enum family {
	INSTANCES,
	PROBE_DURATION,
	PROBE_FAILURES,
	FLAPS,
	EXPIRIES,
	PANIC,
	PROBER,
	LAG,
	LAG_MAX,
	EVENTS,
	RESYNCS,
	FAMILY_COUNT
};

static const struct {
	const char *name;
	const char *type;
	const char *help;
} families[FAMILY_COUNT] = {
    [INSTANCES] = {"svckit_instances", "gauge",
	"Instances that are registered, by status."},
    [PROBE_DURATION] = {"svckit_probe_duration_seconds", "summary",
	"Time from the start of a probe to its answer."},
    [PROBE_FAILURES] = {"svckit_probe_failures_total", "counter",
	"Probes that failed or got no answer."},
    [FLAPS] = {"svckit_flaps_total", "counter",
	"Changes of a status that probes had decided."},
    [EXPIRIES] = {"svckit_expiries_total", "counter", "Leases that ran out."},
    [PANIC] = {"svckit_panic", "gauge",
	"Whether all instances are served, since too many failed at once."},
    [PROBER] = {"svckit_prober", "gauge",
	"Whether this process is the one that probes."},
    [LAG] = {"svckit_watch_lag_seconds", "gauge",
	"Time from the last change told to the line that told it."},
    [LAG_MAX] = {"svckit_watch_lag_seconds_max", "gauge",
	"The longest such time since the file was written before."},
    [EVENTS] = {"svckit_watch_events_total", "counter",
	"Events that were told."},
    [RESYNCS] = {"svckit_watch_resyncs_total", "counter",
	"Times that events may have been missed and all was listed anew."},
};

static void
append_head(struct buffer *out, enum family family)
{
	buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n",
	    families[family].name, families[family].help, families[family].name,
	    families[family].type);
}

/* " VALUE\n"; of a clock that went wrong nothing but a number comes out. */
static void
append_value(struct buffer *out, double value)
{
	buffer_append_char(out, ' ');
	json_append_number(out, isfinite(value) && value > 0 ? value : 0);
	buffer_append_char(out, '\n');
}

static void
append_count(struct buffer *out, unsigned long count)
{
	buffer_append_format(out, " %lu\n", count);
}

/* Backslash, quote and line feed are all that the format escapes. */
static void
append_label(struct buffer *out, const char *name, const char *value)
{
	buffer_append_format(out, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			buffer_append_char(out, '\\');
		if (*value == '\n')
			buffer_append_string(out, "\\n");
		else
			buffer_append_char(out, *value);
	}
	buffer_append_char(out, '"');
}

/* NAME_SUFFIX{service="..."} */
static void
append_series(struct buffer *out, enum family family, const char *suffix,
    const struct metrics_service *service)
{
	buffer_append_format(out, "%s%s{", families[family].name, suffix);
	append_label(out, "service", service->service);
	buffer_append_char(out, '}');
}

static void
append_instances(struct buffer *out, const struct metrics_service *service)
{
	int status;

	for (status = 0; status < STATUS_COUNT; status++) {
		buffer_append_format(out, "%s{", families[INSTANCES].name);
		append_label(out, "service", service->service);
		buffer_append_char(out, ',');
		append_label(
		    out, "status", status_name((enum instance_status)status));
		buffer_append_char(out, '}');
		append_count(out, service->instances[status]);
	}
}

static void
append_durations(struct buffer *out, const struct metrics_service *service)
{
	append_series(out, PROBE_DURATION, "_sum", service);
	append_value(out, service->seconds);
	append_series(out, PROBE_DURATION, "_count", service);
	append_count(out, service->answers);
}

static unsigned long
count_of(const struct metrics_service *service, enum family family)
{
	switch (family) {
	case PROBE_FAILURES:
		return service->failures;
	case FLAPS:
		return service->flaps;
	case EXPIRIES:
		return service->expiries;
	case PANIC:
		return service->panic;
	default:
		return service->prober;
	}
}

static void
append_service(struct buffer *out, enum family family,
    const struct metrics_service *service)
{
	if (family == INSTANCES) {
		append_instances(out, service);
	} else if (family == PROBE_DURATION) {
		append_durations(out, service);
	} else {
		append_series(out, family, "", service);
		append_count(out, count_of(service, family));
	}
}

static void
append_lag(struct buffer *out, enum family family, double seconds)
{
	if (seconds < 0)
		return;
	append_head(out, family);
	buffer_append_string(out, families[family].name);
	append_value(out, seconds);
}

static void
append_total(struct buffer *out, enum family family, unsigned long count)
{
	append_head(out, family);
	buffer_append_string(out, families[family].name);
	append_count(out, count);
}

void
metrics_append(const struct metrics *metrics, struct buffer *out)
{
	enum family family;
	size_t i;

	for (family = INSTANCES; family <= PROBER; family++) {
		if (metrics->service_count > 0)
			append_head(out, family);
		for (i = 0; i < metrics->service_count; i++)
			append_service(out, family, &metrics->services[i]);
	}
	append_lag(out, LAG, metrics->lag);
	append_lag(out, LAG_MAX, metrics->lag_max);
	append_total(out, EVENTS, metrics->events);
	append_total(out, RESYNCS, metrics->resyncs);
}
