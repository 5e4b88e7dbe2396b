#include "net/call_stats.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/json_write.h"
#include "sched/name_table.h"
#include "ui/histogram.h"

#define RESULTS (CALL_DROPPED + 1)
#define REASONS (CALL_HEDGE + 1)

/* What became of the requests to one instance. */
struct row {
	uint64_t sent;
	uint64_t results[RESULTS];
	uint64_t bytes_sent;
	uint64_t bytes_received;
	struct histogram *latency; /* of those answered; NULL: none yet */
};

struct call_stats {
	uint64_t ok;
	uint64_t passed;
	uint64_t passed_failed;
	uint64_t codes[CODE_COUNT];
	uint64_t reasons[REASONS];
	uint64_t hedges_won;
	struct histogram *latency; /* of tasks */
	struct name_table names; /* SERVICE NUL ID; numbered as their rows */
	struct buffer name; /* to look up with */
	struct row *rows;
	size_t capacity;
	struct row others; /* of instances beyond the limit */
	bool lost; /* for want of memory */
};

/* A row with its names, to be sorted. */
struct entry {
	const char *service;
	const char *id;
	const struct row *row;
};

int
call_stats_open(struct call_stats **stats, struct svc_error *error)
{
	struct call_stats *made = calloc(1, sizeof(*made));

	*stats = NULL;
	if (made == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	made->names = (struct name_table)NAME_TABLE_INIT;
	made->latency = histogram_new(HISTOGRAM_FINE);
	if (made->latency == NULL) {
		call_stats_close(made);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	*stats = made;
	return 0;
}

void
call_stats_close(struct call_stats *stats)
{
	size_t i;

	if (stats == NULL)
		return;
	for (i = 0; i < stats->names.count; i++)
		histogram_free(stats->rows[i].latency);
	histogram_free(stats->others.latency);
	histogram_free(stats->latency);
	name_table_release(&stats->names);
	buffer_release(&stats->name);
	free(stats->rows);
	free(stats);
}

/* Makes room for one row more. */
static int
reserve(struct call_stats *stats)
{
	size_t capacity = stats->capacity == 0 ? 16 : stats->capacity * 2;
	struct row *grown;

	if (stats->names.count < stats->capacity)
		return 0;
	grown = reallocarray(stats->rows, capacity, sizeof(*grown));
	if (grown == NULL)
		return -1;
	memset(grown + stats->capacity, 0,
	    (capacity - stats->capacity) * sizeof(*grown));
	stats->rows = grown;
	stats->capacity = capacity;
	return 0;
}

/* The row of instance; where there is none for it, that of the others. */
static struct row *
find_row(struct call_stats *stats, const struct call_instance *instance)
{
	struct buffer *name = &stats->name;
	uint32_t number;

	buffer_clear(name);
	buffer_append(name, instance->service, strlen(instance->service) + 1);
	buffer_append_string(name, instance->id);
	if (buffer_failed(name)) {
		stats->lost = true;
		return &stats->others;
	}
	number = name_table_find(&stats->names, name->data, name->length);
	if (number != NAME_TABLE_NONE)
		return &stats->rows[number];
	if (stats->names.count >= CALL_STATS_INSTANCES)
		return &stats->others;
	if (reserve(stats) == -1 || name_table_add(&stats->names, name->data,
					name->length, &number) == -1) {
		stats->lost = true;
		return &stats->others;
	}
	return &stats->rows[number];
}

void
call_stats_sent(struct call_stats *stats, const struct call_instance *instance,
    enum call_reason reason)
{
	find_row(stats, instance)->sent++;
	stats->reasons[reason]++;
}

static void
measure(struct call_stats *stats, struct row *row, double ms)
{
	if (row->latency == NULL)
		row->latency = histogram_new(HISTOGRAM_COARSE);
	if (row->latency == NULL)
		stats->lost = true;
	else
		histogram_add(row->latency, ms / 1e3);
}

void
call_stats_ended(struct call_stats *stats, const struct call_instance *instance,
    const struct call_stats_end *end)
{
	struct row *row = find_row(stats, instance);

	if (end->result == CALL_FORBIDDEN) {
		row->sent--;
		stats->reasons[end->reason]--;
		return;
	}
	row->results[end->result]++;
	row->bytes_sent += end->sent;
	row->bytes_received += end->received;
	if (end->result != CALL_ANSWERED)
		return;
	measure(stats, row, end->ms);
	if (end->reason == CALL_HEDGE)
		stats->hedges_won++;
}

void
call_stats_task(struct call_stats *stats, enum task_code code, double ms)
{
	if (code != CODE_NONE) {
		stats->codes[code]++;
		return;
	}
	stats->ok++;
	if (ms >= 0)
		histogram_add(stats->latency, ms / 1e3);
}

void
call_stats_passed(struct call_stats *stats, bool failed)
{
	stats->passed++;
	if (failed)
		stats->passed_failed++;
}

static int
compare(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;
	int order = strcmp(one->service, other->service);

	return order != 0 ? order : strcmp(one->id, other->id);
}

/*
 * All rows of whom something was sent to, sorted, the others last; for the
 * caller to free(3).
 */
static struct entry *
collect(const struct call_stats *stats, size_t *count)
{
	struct entry *entries, *entry;
	const char *name;
	size_t i;

	entries = calloc(stats->names.count + 1, sizeof(*entries));
	if (entries == NULL)
		return NULL;
	entry = entries;
	for (i = 0; i < stats->names.count; i++) {
		if (stats->rows[i].sent == 0)
			continue;
		name = name_table_name(&stats->names, (uint32_t)i);
		entry->service = name;
		entry->id = name + strlen(name) + 1;
		entry++->row = &stats->rows[i];
	}
	qsort(entries, (size_t)(entry - entries), sizeof(*entries), compare);
	if (stats->others.sent > 0)
		entry++->row = &stats->others;
	*count = (size_t)(entry - entries);
	return entries;
}

/* To the thousandth, which of ms is as much as histograms hold. */
static void
print_number(double number, struct buffer *out)
{
	json_append_number(out, round(number * 1e3) / 1e3);
}

static void
print_count(const char *name, uint64_t count, struct buffer *out)
{
	buffer_append_format(out, "\"%s\":%" PRIu64 ",", name, count);
}

static void
print_latency(const struct histogram *latency, struct buffer *out)
{
	static const struct {
		const char *name;
		double rank;
	} quantiles[] = {
	    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};
	size_t i;

	buffer_append_string(out, "\"latency_ms\":");
	if (histogram_count(latency) == 0) {
		buffer_append_string(out, "null");
		return;
	}
	buffer_append_char(out, '{');
	for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		buffer_append_format(out, "\"%s\":", quantiles[i].name);
		print_number(
		    histogram_quantile(latency, quantiles[i].rank) * 1e3, out);
		buffer_append_char(out, ',');
	}
	buffer_append_string(out, "\"max\":");
	print_number(histogram_max(latency) * 1e3, out);
	buffer_append_char(out, '}');
}

static void
print_name(const char *member, const char *name, struct buffer *out)
{
	buffer_append_format(out, "\"%s\":", member);
	if (name == NULL)
		buffer_append_string(out, "null");
	else
		json_append_string(out, name, strlen(name));
	buffer_append_char(out, ',');
}

static void
print_entry(const struct entry *entry, struct buffer *out)
{
	const struct row *row = entry->row;

	buffer_append_char(out, '{');
	print_name("service", entry->service, out);
	print_name("id", entry->id, out);
	print_count("attempts", row->sent, out);
	print_count("ok", row->results[CALL_ANSWERED], out);
	print_count("busy", row->results[CALL_BUSY], out);
	print_count("failed", row->results[CALL_FAILED], out);
	print_count("dropped", row->results[CALL_DROPPED], out);
	print_count("bytes_sent", row->bytes_sent, out);
	print_count("bytes_received", row->bytes_received, out);
	print_latency(row->latency, out);
	buffer_append_char(out, '}');
}

/* How many tasks failed. */
static uint64_t
sum_codes(const struct call_stats *stats)
{
	uint64_t sum = 0;
	int code;

	for (code = CODE_NONE + 1; code < CODE_COUNT; code++)
		sum += stats->codes[code];
	return sum;
}

static void
print_codes(const struct call_stats *stats, struct buffer *out)
{
	const char *comma = "";
	int code;

	buffer_append_string(out, "\"codes\":{");
	for (code = CODE_NONE + 1; code < CODE_COUNT; code++) {
		if (stats->codes[code] == 0)
			continue;
		buffer_append_format(out, "%s\"%s\":%" PRIu64, comma,
		    task_code_name((enum task_code)code), stats->codes[code]);
		comma = ",";
	}
	buffer_append_string(out, "},");
}

static void
print_requests(const struct call_stats *stats, const struct entry *entries,
    size_t count, struct buffer *out)
{
	struct row all = {0};
	size_t i;

	for (i = 0; i < count; i++) {
		all.sent += entries[i].row->sent;
		all.bytes_sent += entries[i].row->bytes_sent;
		all.bytes_received += entries[i].row->bytes_received;
	}
	print_count("attempts", all.sent, out);
	print_count("retries", stats->reasons[CALL_RETRY], out);
	print_count("waits", stats->reasons[CALL_WAITED], out);
	print_count("hedges", stats->reasons[CALL_HEDGE], out);
	print_count("hedges_won", stats->hedges_won, out);
	print_count("bytes_sent", all.bytes_sent, out);
	print_count("bytes_received", all.bytes_received, out);
}

static void
print_tasks(const struct call_stats *stats, struct buffer *out)
{
	uint64_t failed = sum_codes(stats);

	print_count("tasks", stats->ok + failed, out);
	print_count("ok", stats->ok, out);
	print_count("failed", failed, out);
	print_count("passed", stats->passed, out);
	print_count("passed_failed", stats->passed_failed, out);
	print_codes(stats, out);
}

/* Of no time there is no rate: null. */
static void
print_times(const struct call_stats *stats, double seconds, struct buffer *out)
{
	double tasks = (double)(stats->ok + sum_codes(stats));

	buffer_append_string(out, "\"seconds\":");
	print_number(seconds, out);
	buffer_append_string(out, ",\"rate\":");
	print_number(tasks / seconds, out);
	buffer_append_char(out, ',');
	print_latency(stats->latency, out);
}

static bool
has_lost(const struct call_stats *stats)
{
	bool lost = stats->lost || histogram_failed(stats->latency);
	size_t i;

	for (i = 0; i < stats->names.count && !lost; i++)
		lost = stats->rows[i].latency != NULL &&
		       histogram_failed(stats->rows[i].latency);
	return lost || (stats->others.latency != NULL &&
			   histogram_failed(stats->others.latency));
}

int
call_stats_print(const struct call_stats *stats, double seconds,
    struct buffer *out, struct svc_error *error)
{
	size_t i, count = 0;
	struct entry *entries = has_lost(stats) ? NULL : collect(stats, &count);

	if (entries != NULL) {
		buffer_append_char(out, '{');
		print_tasks(stats, out);
		print_requests(stats, entries, count, out);
		print_times(stats, seconds, out);
		buffer_append_string(out, ",\"instances\":[");
		for (i = 0; i < count; i++) {
			if (i > 0)
				buffer_append_char(out, ',');
			print_entry(&entries[i], out);
		}
		buffer_append_string(out, "]}");
		free(entries);
	}
	if (entries == NULL || buffer_failed(out))
		return svc_error_set(
		    error, EX_OSERR, "statistics: out of memory");
	return 0;
}
