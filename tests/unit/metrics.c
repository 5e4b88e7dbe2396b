/* Prometheus' text: read back by a parser that takes nothing else. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "ui/metrics.h"

#define SERIES_MAX 64

struct series {
	char name[96]; /* with its labels, values unescaped */
	double value;
};

/* The text on its way through the parser. */
struct reading {
	const char *at;
	char family[96];
	char type[16];
	char families[SERIES_MAX][96];
	size_t family_count;
	struct series series[SERIES_MAX];
	size_t count;
};

static size_t
name_length(const char *text)
{
	size_t length = 0;

	while (isalpha((unsigned char)text[length]) || text[length] == '_' ||
	       (length > 0 && isdigit((unsigned char)text[length])))
		length++;
	return length;
}

static bool
starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* One line "# WORD NAME TEXT"; returns TEXT, and the name in name. */
static const char *
read_comment(struct reading *reading, const char *word, char name[96])
{
	size_t length;

	if (!CHECK(starts(reading->at, word)))
		return NULL;
	reading->at += strlen(word);
	length = name_length(reading->at);
	if (!CHECK(length > 0 && length < 96 && reading->at[length] == ' '))
		return NULL;
	snprintf(name, 96, "%.*s", (int)length, reading->at);
	return reading->at + length + 1;
}

/* The two lines that begin a family, which may not have been there. */
static bool
read_head(struct reading *reading)
{
	char name[96];
	const char *text, *end;
	size_t i;

	text = read_comment(reading, "# HELP ", reading->family);
	if (text == NULL || !CHECK((end = strchr(text, '\n')) != NULL) ||
	    !CHECK(end > text + 5 && memchr(text, '\\', end - text) == NULL))
		return false;
	for (i = 0; i < reading->family_count; i++)
		CHECK(strcmp(reading->families[i], reading->family) != 0);
	snprintf(reading->families[reading->family_count++], 96, "%s",
	    reading->family);
	reading->at = end + 1;
	text = read_comment(reading, "# TYPE ", name);
	if (text == NULL || !CHECK(strcmp(name, reading->family) == 0) ||
	    !CHECK(sscanf(text, "%15[a-z]", reading->type) == 1))
		return false;
	reading->at = text + strlen(reading->type);
	return CHECK(*reading->at++ == '\n');
}

/* "VALUE" behind label= with its escapes undone. */
static bool
read_label_value(struct reading *reading, char **to)
{
	if (!CHECK(*reading->at++ == '"'))
		return false;
	for (; *reading->at != '"'; reading->at++) {
		if (!CHECK(*reading->at != '\0' && *reading->at != '\n'))
			return false;
		if (*reading->at != '\\') {
			*(*to)++ = *reading->at;
			continue;
		}
		reading->at++;
		if (!CHECK(*reading->at == '\\' || *reading->at == '"' ||
			   *reading->at == 'n'))
			return false;
		*(*to)++ = *reading->at == 'n' ? '\n' : *reading->at;
	}
	reading->at++;
	return true;
}

/* {LABEL="VALUE",...} */
static bool
read_labels(struct reading *reading, char **to)
{
	size_t length;

	do {
		*(*to)++ = *reading->at++; /* the brace, or a comma */
		length = name_length(reading->at);
		if (!CHECK(length > 0 && reading->at[length] == '='))
			return false;
		memcpy(*to, reading->at, length + 1);
		*to += length + 1;
		reading->at += length + 1;
		if (!read_label_value(reading, to))
			return false;
	} while (*reading->at == ',');
	*(*to)++ = '}';
	return CHECK(*reading->at++ == '}');
}

/* Whether a series of this name may stand in the family. */
static bool
belongs(const struct reading *reading, const char *name, size_t length)
{
	const char *rest = name + strlen(reading->family);

	length -= strlen(reading->family);
	if (!starts(name, reading->family))
		return false;
	if (strcmp(reading->type, "summary") == 0)
		return (length == 4 && starts(rest, "_sum")) ||
		       (length == 6 && starts(rest, "_count"));
	return length == 0 && (strcmp(reading->type, "gauge") == 0 ||
				  strcmp(reading->type, "counter") == 0);
}

static bool
read_series(struct reading *reading)
{
	struct series *series = &reading->series[reading->count++];
	size_t length = name_length(reading->at);
	char *to = series->name;
	char *end;

	if (!CHECK(reading->count < SERIES_MAX) ||
	    !CHECK(length >= strlen(reading->family)) ||
	    !CHECK(belongs(reading, reading->at, length)))
		return false;
	memcpy(to, reading->at, length);
	to += length;
	reading->at += length;
	if (*reading->at == '{' && !read_labels(reading, &to))
		return false;
	*to = '\0';
	if (!CHECK(*reading->at++ == ' ') ||
	    !CHECK(isdigit((unsigned char)*reading->at)))
		return false;
	series->value = strtod(reading->at, &end);
	reading->at = end;
	CHECK(isfinite(series->value));
	return CHECK(*reading->at++ == '\n');
}

static void
read_text(struct reading *reading, const char *text)
{
	memset(reading, 0, sizeof(*reading));
	reading->at = text;
	while (*reading->at != '\0') {
		if (!read_head(reading))
			break;
		CHECK(*reading->at != '#' && *reading->at != '\0');
		while (*reading->at != '#' && *reading->at != '\0')
			if (!read_series(reading))
				return;
		CHECK((strcmp(reading->type, "counter") == 0) ==
		      (strstr(reading->family, "_total") != NULL));
	}
}

/* NAN when there is none, or two. */
static double
value_of(const struct reading *reading, const char *name)
{
	double value = NAN;
	size_t i;
	int found = 0;

	for (i = 0; i < reading->count; i++) {
		if (strcmp(reading->series[i].name, name) != 0)
			continue;
		value = reading->series[i].value;
		found++;
	}
	return found == 1 ? value : NAN;
}

static const struct metrics_service services[] = {
    {.service = "art", .instances = {[STATUS_EXPIRED] = 3}, .expiries = 7},
    {.service = "render",
	.instances = {[STATUS_PASSING] = 2, [STATUS_CRITICAL] = 1},
	.prober = true,
	.panic = true,
	.failures = 4,
	.flaps = 5,
	.expiries = 6,
	.answers = 1000,
	.seconds = 12.25},
};
static const struct metrics some = {.services = services,
    .service_count = 2,
    .events = 42,
    .resyncs = 1,
    .lag = 0.0015,
    .lag_max = 0.25};

static void
what_is_known_is_read_back(void)
{
	static const struct {
		const char *name;
		double value;
	} rows[] = {
	    {"svckit_instances{service=art,status=expired}", 3},
	    {"svckit_instances{service=render,status=passing}", 2},
	    {"svckit_instances{service=render,status=critical}", 1},
	    {"svckit_instances{service=render,status=warning}", 0},
	    {"svckit_probe_duration_seconds_sum{service=render}", 12.25},
	    {"svckit_probe_duration_seconds_count{service=render}", 1000},
	    {"svckit_probe_failures_total{service=render}", 4},
	    {"svckit_flaps_total{service=render}", 5},
	    {"svckit_expiries_total{service=render}", 6},
	    {"svckit_expiries_total{service=art}", 7},
	    {"svckit_panic{service=render}", 1},
	    {"svckit_panic{service=art}", 0},
	    {"svckit_prober{service=render}", 1},
	    {"svckit_prober{service=art}", 0},
	    {"svckit_watch_lag_seconds", 0.0015},
	    {"svckit_watch_lag_seconds_max", 0.25},
	    {"svckit_watch_events_total", 42},
	    {"svckit_watch_resyncs_total", 1},
	};
	struct buffer text = BUFFER_INIT;
	struct reading reading;
	size_t i;

	metrics_append(&some, &text);
	read_text(&reading, buffer_string(&text));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!CHECK(value_of(&reading, rows[i].name) == rows[i].value))
			printf("# %s\n", rows[i].name);
	CHECK(reading.family_count == 11);
	CHECK(reading.count == 2 * (STATUS_COUNT + 7) + 4);
	buffer_release(&text);
}

static void
series_of_a_family_are_sorted_by_service(void)
{
	struct buffer text = BUFFER_INIT;
	struct reading reading;

	metrics_append(&some, &text);
	read_text(&reading, buffer_string(&text));
	CHECK_STRING(reading.series[0].name,
	    "svckit_instances{service=art,status=passing}");
	CHECK_STRING(reading.series[STATUS_COUNT].name,
	    "svckit_instances{service=render,status=passing}");
	buffer_release(&text);
}

static void
what_there_is_nothing_to_say_of_is_left_out(void)
{
	static const struct metrics none = {.lag = -1, .lag_max = -1};
	struct buffer text = BUFFER_INIT;
	struct reading reading;

	metrics_append(&none, &text);
	read_text(&reading, buffer_string(&text));
	CHECK(reading.family_count == 2 && reading.count == 2);
	CHECK(value_of(&reading, "svckit_watch_events_total") == 0);
	CHECK(value_of(&reading, "svckit_watch_resyncs_total") == 0);
	buffer_release(&text);
}

static void
what_is_no_number_does_not_come_out(void)
{
	static const struct metrics_service odd = {
	    .service = "a\\b\"c\nd", .seconds = HUGE_VAL};
	struct metrics metrics = {
	    .services = &odd, .service_count = 1, .lag = NAN, .lag_max = -NAN};
	struct buffer text = BUFFER_INIT;
	struct reading reading;

	metrics_append(&metrics, &text);
	read_text(&reading, buffer_string(&text));
	CHECK(
	    value_of(&reading,
		"svckit_probe_duration_seconds_sum{service=a\\b\"c\nd}") == 0);
	CHECK(strstr(buffer_string(&text), "{service=\"a\\\\b\\\"c\\nd\"}") !=
	      NULL);
	buffer_release(&text);
}

static bool
is_installed(const char *name)
{
	char *path = getenv("PATH"), *copy, *rest, *directory;
	char file[512];
	bool found = false;

	copy = rest = strdup(path == NULL ? "/usr/bin" : path);
	while (!found && (directory = strsep(&rest, ":")) != NULL) {
		snprintf(file, sizeof(file), "%s/%s", directory, name);
		found = access(file, X_OK) == 0;
	}
	free(copy);
	return found;
}

/* Its exit status says whether it found anything to blame. */
static void
promtool_has_nothing_to_say(void)
{
	struct buffer text = BUFFER_INIT;
	int ends[2], status;
	pid_t pid;

	if (!is_installed("promtool")) {
		SKIP("promtool is not installed");
		return;
	}
	metrics_append(&some, &text);
	CHECK(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[0], STDIN_FILENO);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		close(ends[1]);
		execlp(
		    "promtool", "promtool", "check", "metrics", (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	CHECK(write(ends[1], text.data, text.length) == (ssize_t)text.length);
	close(ends[1]);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	buffer_release(&text);
}

int
main(void)
{
	RUN(what_is_known_is_read_back);
	RUN(series_of_a_family_are_sorted_by_service);
	RUN(what_there_is_nothing_to_say_of_is_left_out);
	RUN(what_is_no_number_does_not_come_out);
	RUN(promtool_has_nothing_to_say);
	return check_done();
}
