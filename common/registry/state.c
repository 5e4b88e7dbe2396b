#include "registry/state.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/json.h"
#include "line/reader.h"
#include "line/replace.h"
#include "line/units.h"

#define KIND	"watch state "
#define VERSION 1
#define REMEDY	"remove it to start with a sync"

/* A state on its way in. */
struct reading {
	const char *path;
	struct instance_list *list;
	struct reaper *reaper; /* or NULL */
	struct json_document document; /* the first line */
	double promised; /* how many instances must follow */
	bool sorted; /* so far */
};

/* What is wrong with line number of the file. */
static int
refuse(const struct reading *reading, unsigned long number, const char *why,
    struct svc_error *error)
{
	return svc_error_set(error, EX_DATAERR, "%s:%lu: %s: " REMEDY,
	    reading->path, number, why);
}

/* The N of "watch state N"; 0: it is no state. */
static long long
read_version(const struct json_document *document)
{
	const struct json_member *member;
	long long version;
	char text[64];

	if (document->value.type != JSON_OBJECT)
		return 0;
	member = json_member(document, "svckit");
	if (member == NULL ||
	    json_string(&member->value, text, sizeof(text)) < 0 ||
	    strncmp(text, KIND, strlen(KIND)) != 0 ||
	    integer_parse(text + strlen(KIND), 1, 1000000, &version, NULL) ==
		-1)
		return 0;
	return version;
}

/* How many instances the first line promises; negative: it does not say. */
static double
read_promised(const struct json_document *document)
{
	const struct json_member *member = json_member(document, "instances");
	double number;

	if (member == NULL || member->value.type != JSON_NUMBER)
		return -1;
	number = json_number(&member->value);
	return number == floor(number) ? number : -1;
}

static int
read_sightings(struct reading *reading, struct svc_error *error)
{
	const struct json_member *member =
	    json_member(&reading->document, "reaper");
	struct svc_error why;

	if (reading->reaper == NULL || member == NULL)
		return 0;
	if (reaper_parse(reading->reaper, member->value.span, &why) == 0)
		return 0;
	if (why.code == EX_DATAERR)
		return refuse(reading, 1, why.message, error);
	return svc_error_set(
	    error, why.code, "%s: %s", reading->path, why.message);
}

static int
read_header(
    struct reading *reading, const struct line *line, struct svc_error *error)
{
	struct json_document *document = &reading->document;
	struct svc_error why;
	long long version = 0;

	if (json_scan(document, line->data, line->length, &why) == 0)
		version = read_version(document);
	else if (why.code != EX_DATAERR)
		return svc_error_set(
		    error, why.code, "%s: %s", reading->path, why.message);
	if (version == 0)
		return svc_error_set(error, EX_DATAERR,
		    "%s:%lu: not a state of svc-watch, which begins "
		    "{\"svckit\":\"" KIND
		    "%d\"}: name another file, or " REMEDY,
		    reading->path, line->number, VERSION);
	if (version > VERSION)
		return svc_error_set(error, EX_CONFIG,
		    "%s: \"" KIND "%lld\" is of a later svckit, and this one "
		    "knows %d: " REMEDY,
		    reading->path, version, VERSION);
	reading->promised = read_promised(document);
	if (reading->promised < 0)
		return refuse(reading, line->number,
		    "\"instances\" is missing, or not a whole number", error);
	return read_sightings(reading, error);
}

static int
read_instance(
    struct reading *reading, const struct line *line, struct svc_error *error)
{
	struct instance_list *list = reading->list;
	struct instance *instance = instance_list_add(list);
	struct svc_error why;

	if (instance == NULL)
		return svc_error_errno(error, "%s", reading->path);
	if (instance_parse(instance, line->data, line->length, &why) == -1) {
		list->count--;
		if (why.code == EX_DATAERR)
			return refuse(
			    reading, line->number, why.message, error);
		return svc_error_set(
		    error, why.code, "%s: %s", reading->path, why.message);
	}
	if (list->count > 1 && instance_compare(instance - 1, instance) >= 0)
		reading->sorted = false;
	return 0;
}

static int
read_lines(
    struct reading *reading, struct reader *reader, struct svc_error *error)
{
	struct line line = {0};
	bool begun = false;
	int status;

	while ((status = reader_line(reader, &line, error)) == 1) {
		if ((begun ? read_instance(reading, &line, error)
			   : read_header(reading, &line, error)) == -1)
			return -1;
		begun = true;
	}
	if (status == -1)
		return -1;
	if (!begun)
		return 0;
	if ((double)reading->list->count == reading->promised)
		return 1;
	return svc_error_set(error, EX_DATAERR,
	    "%s:%lu: %zu instances, and the first line promises %.0f: " REMEDY,
	    reading->path, line.number, reading->list->count,
	    reading->promised);
}

/* Somebody may have edited the file. */
static int
restore_order(struct reading *reading, struct svc_error *error)
{
	struct instance_list *list = reading->list;
	size_t i;

	if (reading->sorted)
		return 0;
	qsort(list->items, list->count, sizeof(*list->items), instance_compare);
	for (i = 1; i < list->count; i++) {
		if (instance_compare(&list->items[i - 1], &list->items[i]) == 0)
			return svc_error_set(error, EX_DATAERR,
			    "%s: %s/%s stands twice: " REMEDY, reading->path,
			    list->items[i].service, list->items[i].id);
	}
	return 0;
}

int
state_read(const char *path, struct instance_list *list, struct reaper *reaper,
    struct svc_error *error)
{
	struct reading reading = {
	    .path = path, .list = list, .reaper = reaper, .sorted = true};
	struct reader *reader = NULL;
	int file, status;

	instance_list_release(list);
	list->health_ends = 0;
	status = replace_open(path, &file, error);
	if (status != 1)
		return status;
	status = -1;
	if (reader_open(&reader, file, path, LINE_LENGTH_MAX, error) == -1)
		goto out;
	status = read_lines(&reading, reader, error);
	if (status == 1 && restore_order(&reading, error) == -1)
		status = -1;
out:
	if (status == -1)
		instance_list_release(list);
	json_document_release(&reading.document);
	if (reader != NULL)
		reader_close(reader);
	close(file);
	return status;
}

static void
print_header(const struct instance_list *list, const struct reaper *reaper,
    struct buffer *out)
{
	buffer_append_format(
	    out, "{\"svckit\":\"" KIND "%d\",\"at\":\"", VERSION);
	time_append(out, time_now());
	buffer_append_format(out, "\",\"instances\":%zu", list->count);
	if (reaper != NULL) {
		buffer_append_string(out, ",\"reaper\":");
		reaper_print(reaper, out);
	}
	buffer_append_string(out, "}\n");
}

int
state_write(const char *path, const struct instance_list *list,
    const struct reaper *reaper, struct svc_error *error)
{
	struct buffer out = BUFFER_INIT;
	int result;
	size_t i;

	print_header(list, reaper, &out);
	for (i = 0; i < list->count; i++) {
		instance_print(&list->items[i], &out);
		buffer_append_char(&out, '\n');
	}
	result = buffer_failed(&out)
		     ? svc_error_set(error, EX_OSERR, "out of memory")
		     : replace_file(path, out.data, out.length, true, error);
	buffer_release(&out);
	return result;
}
