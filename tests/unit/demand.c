/* What a task asks for, and what it may not ask for. */
#include "sched/demand.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "check.h"
#include "line/json.h"

/* Parses text, which must be JSON. */
static int
parse(struct demand *demand, const char *text, struct svc_error *error)
{
	struct json_document document = {.count = 0};
	int result;

	if (json_scan(&document, text, strlen(text), error) == -1) {
		printf("Bail out! %s: %s\n", text, error->message);
		exit(1);
	}
	result = demand_parse(demand, &document.value, error);
	json_document_release(&document);
	return result;
}

/* "cpu=2 zone<=1 [selector]" */
static void
describe(const struct demand *demand, char *out, size_t size)
{
	size_t i, length = 0;

	out[0] = '\0';
	for (i = 0; i < demand->count; i++)
		length +=
		    (size_t)snprintf(out + length, size - length, "%s=%.17g ",
			demand->numbers[i].name, demand->numbers[i].amount);
	for (i = 0; i < demand->spread_count; i++)
		length +=
		    (size_t)snprintf(out + length, size - length, "%s<=%.17g ",
			demand->spreads[i].label, demand->spreads[i].skew);
	if (demand->selector != NULL)
		snprintf(out + length, size - length, "[%s]", demand->selector);
}

static void
demands_are_numbers_labels_and_spread(void)
{
	static const struct {
		const char *requires;
		const char *want;
	} rows[] = {
	    {"null", ""},
	    {"{}", ""},
	    {"{\"cpu\":2}", "cpu=2 "},
	    {"{\"cpu\":0,\"mem\":\"2G\"}", "cpu=0 mem=2147483648 "},
	    {"{\"cpu\":\"1.5\",\"mem\":\"1.5K\"}", "cpu=1.5 mem=1536 "},
	    {"{\"m\\u0065m\":\"1KiB\"}", "mem=1024 "},
	    {"{\"labels\":\"zone in (a,b)\",\"cpu\":1}",
		"cpu=1 [zone in (a,b)]"},
	    {"{\"spread\":\"zone\"}", "zone<=1 "},
	    {"{\"spread\":\"z\\u006fne\"}", "zone<=1 "},
	    {"{\"spread\":{}}", ""},
	    {"{\"spread\":{\"zone\":2,\"rack\":1e3}}", "zone<=2 rack<=1000 "},
	    {"{\"spread\":{\"r\\u0061ck\":1},\"cpu\":1,\"labels\":\"a\"}",
		"cpu=1 rack<=1 [a]"},
	};
	struct svc_error error;
	struct demand demand;
	char got[256];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!CHECK(parse(&demand, rows[i].requires, &error) == 0)) {
			printf("# %s: %s\n", rows[i].requires, error.message);
			continue;
		}
		describe(&demand, got, sizeof(got));
		CHECK_STRING(got, rows[i].want);
		demand_release(&demand);
	}
	CHECK(demand_parse(&demand, NULL, &error) == 0);
	CHECK(demand.count == 0 && demand.spread_count == 0);
	demand_release(&demand);
}

static void
what_is_wrong_is_refused_in_one_clear_line(void)
{
	static const struct {
		const char *requires;
		const char *want;
	} rows[] = {
	    {"{\"cpu\":1e999}",
		"\"requires.cpu\": too large for a number: 1e999"},
	    {"{\"cpu\":\"1e999\"}", "\"requires.cpu\": not a number (as 4 or "
				    "\"1.5G\"): \"1e999\""},
	    {"{\"cpu\":-1}", "\"requires.cpu\": negative: -1"},
	    {"{\"cpu\":\"-1\"}",
		"\"requires.cpu\": not a number (as 4 or \"1.5G\"): \"-1\""},
	    {"{\"cpu\":\"NaN\"}",
		"\"requires.cpu\": not a number (as 4 or \"1.5G\"): \"NaN\""},
	    {"{\"cpu\":true}",
		"\"requires.cpu\": not a number (as 4 or \"1.5G\"): true"},
	    {"{\"cpu\":null}",
		"\"requires.cpu\": not a number (as 4 or \"1.5G\"): null"},
	    {"{\"cpu\":\"2X\"}",
		"\"requires.cpu\": not a number (as 4 or \"1.5G\"): \"2X\""},
	    {"{\"cpu\":\"\"}",
		"\"requires.cpu\": not a number (as 4 or \"1.5G\"): \"\""},
	    {"{\"cpu\":[]}",
		"\"requires.cpu\": not a number (as 4 or \"1.5G\"): []"},
	    {"{\"cpu\":{\"a\":1}}", "\"requires.cpu\": not a number (as 4 or "
				    "\"1.5G\"): {\"a\":1}"},
	    {"{\"cpu\":1,\"c\\u0070u\":1}", "\"requires.cpu\": stands twice"},
	    {"{\"labels\":\"\",\"labels\":\"\"}",
		"\"requires.labels\": stands twice"},
	    {"{\"spread\":\"a\",\"spread\":\"b\"}",
		"\"requires.spread\": stands twice"},
	    {"{\"spread\":{},\"spread\":{}}",
		"\"requires.spread\": stands twice"},
	    {"{\"spread\":{\"a\":1,\"\\u0061\":2}}",
		"\"requires.spread\": a label stands twice: \"\\u0061\""},
	    {"{\"spread\":3}", "\"requires.spread\": not a label (as \"zone\") "
			       "or an object (as {\"zone\":2}): 3"},
	    {"{\"spread\":null}", "\"requires.spread\": not a label (as "
				  "\"zone\") or an object (as {\"zone\":2}): "
				  "null"},
	    {"{\"spread\":\"\"}",
		"\"requires.spread\": not the name of a label "
		"(as \"zone\"): \"\""},
	    {"{\"spread\":{\"a\\u0000b\":1}}",
		"\"requires.spread\": not the name of a label (as \"zone\"): "
		"\"a\\u0000b\""},
	    {"{\"spread\":{\"zone\":0}}", "\"requires.spread\": not a whole "
					  "number from 1 on (as "
					  "{\"zone\":2}): 0"},
	    {"{\"spread\":{\"zone\":-2}}", "\"requires.spread\": not a whole "
					   "number from 1 on (as "
					   "{\"zone\":2}): -2"},
	    {"{\"spread\":{\"zone\":1.5}}", "\"requires.spread\": not a whole "
					    "number from 1 on (as "
					    "{\"zone\":2}): 1.5"},
	    {"{\"spread\":{\"zone\":1e400}}",
		"\"requires.spread\": not a whole number from 1 on (as "
		"{\"zone\":2}): 1e400"},
	    {"{\"spread\":{\"zone\":\"2\"}}",
		"\"requires.spread\": not a whole number from 1 on (as "
		"{\"zone\":2}): \"2\""},
	    {"{\"spread\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,"
	     "\"g\":1,\"h\":1,\"i\":1}}",
		"\"requires.spread\": more than 8 labels"},
	    {"[]", "\"requires\": not an object (as {\"cpu\":2}): []"},
	};
	struct svc_error error;
	struct demand demand;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!CHECK(parse(&demand, rows[i].requires, &error) == -1)) {
			printf("# %s\n", rows[i].requires);
			demand_release(&demand);
			continue;
		}
		CHECK(error.code == EX_DATAERR);
		CHECK_STRING(error.message, rows[i].want);
	}
}

int
main(void)
{
	RUN(demands_are_numbers_labels_and_spread);
	RUN(what_is_wrong_is_refused_in_one_clear_line);
	return check_done();
}
