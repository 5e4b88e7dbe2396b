#include "net/panic.h"

#include "check.h"
#include "line/instance.h"

static void
it_begins_when_more_than_the_share_turns_at_once(void)
{
	static const struct {
		double percent;
		size_t working, turned;
		bool panic;
	} rows[] = {
	    {50, 0, 0, false},
	    {50, 10, 0, false},
	    {50, 0, 1, false}, /* one alone may simply fail */
	    {50, 0, 2, true},
	    {50, 1, 1, false},
	    {50, 2, 2, false}, /* half is not more than half */
	    {50, 2, 3, true},
	    {50, 5, 5, false},
	    {50, 4, 6, true},
	    {20, 8, 2, false},
	    {20, 7, 3, true},
	    {100, 0, 10, false},
	    {0, 0, 10, false},
	    {0, 10, 10, false},
	};
	struct panic panic;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct panic_tally tally = {.working = rows[i].working,
		    .critical = rows[i].turned,
		    .turned = rows[i].turned};

		panic = panic_next(
		    (struct panic){false, false}, rows[i].percent, &tally);
		if (!CHECK(panic.critical == rows[i].panic))
			printf("# row %zu\n", i);
		CHECK(!panic.expired);
	}
}

static void
what_was_critical_before_does_not_begin_one(void)
{
	struct panic_tally tally = {.working = 4, .critical = 10, .turned = 1};
	struct panic panic = {false, false};

	CHECK(!panic_next(panic, 50, &tally).critical);
	tally.turned = 5;
	CHECK(panic_next(panic, 50, &tally).critical);
}

static void
it_ends_when_no_more_than_the_share_is_critical(void)
{
	struct panic_tally tally = {.working = 4, .critical = 6};
	struct panic panic = {true, false};

	CHECK(panic_next(panic, 50, &tally).critical);
	tally.working = tally.critical = 5;
	CHECK(!panic_next(panic, 50, &tally).critical);
	tally.working = tally.critical = 0;
	CHECK(!panic_next(panic, 50, &tally).critical);
}

static void
expiry_is_mistrusted_only_after_a_jump(void)
{
	struct panic_tally tally = {.living = 1, .lapsed = 3};
	struct panic panic = {false, false};

	CHECK(!panic_next(panic, 50, &tally).expired);
	tally.doubt = true;
	panic = panic_next(panic, 50, &tally);
	CHECK(panic.expired && !panic.critical);
	tally.doubt = false;
	CHECK(panic_next(panic, 50, &tally).expired);
	tally.living = tally.lapsed = 2;
	CHECK(!panic_next(panic, 50, &tally).expired);
}

static void
the_mark_of_expiry_covers_the_other(void)
{
	CHECK(panic_mark((struct panic){false, false}) == PANIC_NONE);
	CHECK(panic_mark((struct panic){true, false}) == PANIC_CRITICAL);
	CHECK(panic_mark((struct panic){false, true}) == PANIC_EXPIRED);
	CHECK(panic_mark((struct panic){true, true}) == PANIC_EXPIRED);
}

static void
the_mark_on_a_line_is_read_and_printed_and_counts(void)
{
	static const struct {
		const char *observed;
		bool works;
	} rows[] = {
	    {"\"status\":\"critical\",\"panic\":true", true},
	    {"\"status\":\"unknown\",\"panic\":true", true},
	    {"\"status\":\"warning\",\"panic\":true", true},
	    {"\"status\":\"draining\",\"panic\":true", false},
	    {"\"status\":\"expired\",\"panic\":true", false},
	    {"\"ttl\":5,\"status\":\"expired\",\"panic\":true", true},
	    {"\"status\":\"critical\",\"panic\":false", false},
	    {"\"status\":\"passing\"", true},
	};
	struct buffer line = BUFFER_INIT;
	struct instance instance;
	struct svc_error error;
	char text[256];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text),
		    "{\"service\":\"s\",\"address\":\"a:1\",%s}",
		    rows[i].observed);
		if (!CHECK(instance_parse(
			       &instance, text, strlen(text), &error) == 0))
			continue;
		CHECK(instance_works(&instance) == rows[i].works);
		CHECK(memmem(instance.record.data, instance.record.length,
			  "panic", 5) == NULL);
		buffer_clear(&line);
		instance_print(&instance, &line);
		CHECK((strstr(buffer_string(&line), "\"panic\":true") !=
			  NULL) == instance.panic);
		instance_release(&instance);
	}
	buffer_release(&line);
}

static void
all_of_a_service_in_panic_are_available_alike(void)
{
	static const struct instance instances[] = {
	    {.service = "a", .status = STATUS_PASSING, .panic = true},
	    {.service = "a", .status = STATUS_CRITICAL, .panic = true},
	    {.service = "a", .status = STATUS_WARNING, .panic = true},
	    {.service = "a", .status = STATUS_DRAINING},
	    {.service = "b", .status = STATUS_PASSING},
	    {.service = "b", .status = STATUS_WARNING},
	    {.service = "b", .status = STATUS_CRITICAL},
	};
	static const unsigned char wanted[] = {1, 1, 1, 0, 1, 0, 0};
	unsigned char available[7];

	instances_available(instances, 7, available);
	CHECK(memcmp(available, wanted, sizeof(wanted)) == 0);
}

int
main(void)
{
	RUN(it_begins_when_more_than_the_share_turns_at_once);
	RUN(what_was_critical_before_does_not_begin_one);
	RUN(it_ends_when_no_more_than_the_share_is_critical);
	RUN(expiry_is_mistrusted_only_after_a_jump);
	RUN(the_mark_of_expiry_covers_the_other);
	RUN(the_mark_on_a_line_is_read_and_printed_and_counts);
	RUN(all_of_a_service_in_panic_are_available_alike);
	return check_done();
}
