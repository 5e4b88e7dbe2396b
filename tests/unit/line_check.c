/* The check of an instance: read, defaulted, refused by name. */
#include "line/check.h"

#include "check.h"

/* The text of a "check" member, read; -2: no instance at all. */
static int
read_text(const char *text, struct check *check, struct svc_error *error)
{
	struct instance instance;
	char line[2048];
	int result;

	(void)snprintf(line, sizeof(line),
	    "{\"service\":\"a\",\"address\":\"h:1\"%s%s}",
	    text[0] == '\0' ? "" : ",\"check\":", text);
	if (!CHECK(instance_parse(&instance, line, strlen(line), error) == 0))
		return -2;
	result = check_read(&instance, 7, check, error);
	CHECK(check_wanted(&instance) == (result != 0));
	instance_release(&instance);
	return result;
}

static void
what_it_does_not_say_has_a_default(void)
{
	struct check check;

	CHECK(read_text("{\"http\":\"/health\"}", &check, NULL) == 1);
	CHECK(check.kind == CHECK_HTTP);
	CHECK_STRING(check.path, "/health");
	CHECK(check.interval == 7 && check.timeout == 1);
	CHECK(check.rise == 2 && check.fall == 3);
}

static void
all_members_are_read(void)
{
	struct check check;

	CHECK(read_text("{\"interval\":\"2m\",\"timeout\":30,\"rise\":1,"
			"\"fall\":1000,\"tcp\":true,\"method\":[],"
			"\"http\":\"\\/a?b=\\u0063\"}",
		  &check, NULL) == 1);
	CHECK(check.kind == CHECK_HTTP);
	CHECK_STRING(check.path, "/a?b=c");
	CHECK(check.interval == 120 && check.timeout == 30);
	CHECK(check.rise == 1 && check.fall == 1000);
	/* What a prober would be kept by. */
	CHECK(read_text("{\"interval\":0.001,\"timeout\":\"1d\"}", &check,
		  NULL) == 1);
	CHECK(check.interval == CHECK_INTERVAL_MIN &&
	      check.timeout == CHECK_TIMEOUT_MAX);
	CHECK(read_text("{\"t\\u0063p\":true}", &check, NULL) == 1);
	CHECK(check.kind == CHECK_TCP);
}

static void
without_a_way_to_ask_a_connection_is_enough_or_it_has_none(void)
{
	struct check check;

	CHECK(read_text("{\"interval\":1}", &check, NULL) == 1);
	CHECK(check.kind == CHECK_TCP && check.interval == 1);
	CHECK(read_text("{\"tcp\":false}", &check, NULL) == 0);
	CHECK(check.kind == CHECK_NONE);
	CHECK(read_text("{\"tcp\":false,\"http\":\"/\"}", &check, NULL) == 1);
	CHECK(read_text("null", &check, NULL) == 0);
	CHECK(read_text("", &check, NULL) == 0);
	CHECK(check.kind == CHECK_NONE && check.timeout == 1);
}

static void
an_interval_is_never_so_short_that_it_harms(void)
{
	struct check check;

	CHECK(read_text("{\"interval\":1e-300}", &check, NULL) == 1);
	CHECK(check.interval == CHECK_INTERVAL_MIN);
}

static void
what_is_malformed_is_refused_by_name(void)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
	    {"3", "\"check\": not an object (as in {\"http\":\"/health\"}): 3"},
	    {"{\"http\":17}",
		"\"check.http\": not a path (as in \"/health\"): 17"},
	    {"{\"http\":\"health\"}",
		"\"check.http\": not a path (as in \"/health\"): 'health'"},
	    {"{\"http\":\"\"}",
		"\"check.http\": not a path (as in \"/health\"): ''"},
	    {"{\"http\":\"/a\\u0000b\"}", NULL},
	    {"{\"http\":\"/a\\u000d\\u000ab\"}", NULL},
	    {"{\"http\":\"/a b\"}", NULL},
	    {"{\"http\":\"/\xc3\xa4\"}", NULL},
	    {"{\"tcp\":1}", "\"check.tcp\": not true or false: 1"},
	    {"{\"interval\":0}",
		"\"check.interval\": not more than 0 seconds (as in 5): 0"},
	    {"{\"interval\":1e300}", NULL},
	    {"{\"timeout\":\"soon\"}",
		"\"check.timeout\": not more than 0 seconds (as in 5): "
		"'soon'"},
	    {"{\"timeout\":-1}", NULL},
	    {"{\"timeout\":1e999}", NULL},
	    {"{\"rise\":1001}",
		"\"check.rise\": not a whole number from 1 to 1000: 1001"},
	    {"{\"fall\":1.5}",
		"\"check.fall\": not a whole number from 1 to 1000: 1.5"},
	    {"{\"fall\":\"3\"}", NULL},
	    {"{\"fall\":1,\"f\\u0061ll\":2}", "\"check.fall\" stands twice"},
	};
	struct svc_error error;
	struct check check;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error.code = 0;
		error.message[0] = '\0';
		if (!CHECK(read_text(rows[i].text, &check, &error) == -1) ||
		    !CHECK(error.code == 65 && error.message[0] == '"'))
			printf("# %s: %s\n", rows[i].text, error.message);
		else if (rows[i].message != NULL)
			CHECK_STRING(error.message, rows[i].message);
	}
}

/* A check whose path has so many bytes. */
static int
read_path_of(int length, struct check *check, struct svc_error *error)
{
	char text[CHECK_PATH_SIZE + 32], path[CHECK_PATH_SIZE + 1];

	memset(path, '/', sizeof(path));
	(void)snprintf(text, sizeof(text), "{\"http\":\"%.*s\"}", length, path);
	return read_text(text, check, error);
}

static void
a_path_is_as_long_as_fits_and_no_longer(void)
{
	struct svc_error error;
	struct check check;

	CHECK(read_path_of(CHECK_PATH_SIZE - 1, &check, &error) == 1);
	CHECK(strlen(check.path) == CHECK_PATH_SIZE - 1);
	CHECK(read_path_of(CHECK_PATH_SIZE, &check, &error) == -1);
	CHECK(
	    strstr(error.message, "not a path of less than 512 bytes") != NULL);
}

int
main(void)
{
	RUN(what_it_does_not_say_has_a_default);
	RUN(all_members_are_read);
	RUN(without_a_way_to_ask_a_connection_is_enough_or_it_has_none);
	RUN(an_interval_is_never_so_short_that_it_harms);
	RUN(what_is_malformed_is_refused_by_name);
	RUN(a_path_is_as_long_as_fits_and_no_longer);
	return check_done();
}
