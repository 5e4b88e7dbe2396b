/* What the key of a task is, and its hash, which must never change. */
#include "sched/task_key.h"

#include <sysexits.h>

#include "check.h"
#include "sched/stable_hash.h"

static uint64_t
hash_of(const char *text)
{
	return stable_hash(text, strlen(text));
}

/* Of a line; 0 and *error when it has none. */
static uint64_t
key_of(const char *text, const char *pointer, struct svc_error *error)
{
	static const struct envelope_options options = {
	    .run = "run", .source = "stdin"};
	struct line line = {text, strlen(text), 17, false, false, false};
	struct envelope envelope;
	uint64_t key = 0;

	envelope_init(&envelope);
	CHECK(envelope_enter(&envelope, &line, &options, error) ==
	      ENVELOPE_READY);
	if (task_key(&envelope, pointer, &key, error) == -1)
		key = 0;
	envelope_release(&envelope);
	return key;
}

/* Worked out by a program of its own, in another language. */
static void
the_hash_is_the_same_everywhere(void)
{
	CHECK(hash_of("") == 0xf52a15e9a9b5e89b);
	CHECK(hash_of("a") == 0x02c0bdbf481420f8);
	CHECK(hash_of("17") == 0x6a4481963632e6c0);
	CHECK(hash_of("customer-17") == 0x5996dcbc2083d0a8);
	CHECK(hash_of("render/web1-8081") == 0xc14bbf2336e33a5d);
	CHECK(hash_of("\303\244") == 0xe60a42a18e381bcd);
	/* the first number of SplitMix64 with the seed 0 */
	CHECK(stable_hash_nth(0, 0) == 0xe220a8397b1dcdaf);
	CHECK(stable_hash_nth(hash_of("render/web1-8081"), 127) ==
	      0xcc097610618983b9);
}

/* The high bits, by which keys stand on a ring, too. */
static void
each_bit_of_similar_keys_is_as_often_set_as_not(void)
{
	size_t set[64] = {0}, i, bit;
	char text[16];

	for (i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "t%zu", i);
		for (bit = 0; bit < 64; bit++)
			set[bit] += hash_of(text) >> bit & 1;
	}
	for (bit = 0; bit < 64; bit++) /* 5 standard deviations */
		CHECK(set[bit] > 4750 && set[bit] < 5250);
}

static void
the_key_of_a_line_goes_before_its_id(void)
{
	struct svc_error error;

	CHECK(key_of("{\"id\":\"t1\",\"task\":1,\"key\":\"customer-17\"}", NULL,
		  &error) == hash_of("customer-17"));
	CHECK(key_of("{\"id\":\"t1\",\"task\":1}", NULL, &error) ==
	      hash_of("t1"));
	CHECK(key_of("{\"id\":\"t1\",\"task\":1,\"key\":null}", NULL, &error) ==
	      hash_of("t1"));
	CHECK(key_of("{\"id\":\"t1\",\"task\":1,\"key\":\"\"}", NULL, &error) ==
	      hash_of(""));
	CHECK(key_of("[1,2]", NULL, &error) == hash_of("run-17"));
}

static void
a_pointer_names_the_key_in_the_task(void)
{
	static const char line[] =
	    "{\"key\":\"k\",\"task\":{\"c\":{\"id\":17,\"name\":\"ann\","
	    "\"none\":null,\"list\":[ 1, {\"a\": 1} ]}}}";
	struct svc_error error;

	CHECK(key_of(line, "/c/name", &error) == hash_of("ann"));
	CHECK(key_of(line, "/c/id", &error) == hash_of("17"));
	CHECK(key_of(line, "/c/none", &error) == hash_of("null"));
	CHECK(key_of(line, "/c/list/1", &error) == hash_of("{\"a\": 1}"));
	CHECK(key_of("{\"task\":\"whole\"}", "", &error) == hash_of("whole"));
	CHECK(key_of("\"bare\"", "", &error) == hash_of("bare"));
}

static void
a_string_is_taken_decoded_and_all_else_by_its_bytes(void)
{
	struct svc_error error;

	CHECK(key_of("{\"task\":0,\"key\":\"\\u0061\\/\\ud83d\\ude00\"}", NULL,
		  &error) == hash_of("a/\360\237\230\200"));
	CHECK(key_of("[\"\\u0000x\"]", "/0", &error) == stable_hash("\0x", 2));
	CHECK(key_of("[\"17\",17]", "/0", &error) ==
	      key_of("[\"17\",17]", "/1", &error));
	CHECK(
	    key_of("[1,1.0]", "/0", &error) != key_of("[1,1.0]", "/1", &error));
}

static void
a_turned_line_has_the_key_of_its_result(void)
{
	struct svc_error error;

	CHECK(key_of("{\"id\":\"t\",\"task\":{\"a\":1},\"result\":{\"a\":2}}",
		  "/a", &error) == hash_of("2"));
}

static void
a_pointer_that_names_nothing_is_an_error_that_shows_it(void)
{
	struct svc_error error;

	CHECK(key_of("{\"task\":{\"a\":1}}", "/customer/0", &error) == 0);
	CHECK(error.code == EX_DATAERR);
	CHECK_STRING(error.message,
	    "\"task\": nothing at '/customer/0', which is to be its key");
}

int
main(void)
{
	RUN(the_hash_is_the_same_everywhere);
	RUN(each_bit_of_similar_keys_is_as_often_set_as_not);
	RUN(the_key_of_a_line_goes_before_its_id);
	RUN(a_pointer_names_the_key_in_the_task);
	RUN(a_string_is_taken_decoded_and_all_else_by_its_bytes);
	RUN(a_turned_line_has_the_key_of_its_result);
	RUN(a_pointer_that_names_nothing_is_an_error_that_shows_it);
	return check_done();
}
