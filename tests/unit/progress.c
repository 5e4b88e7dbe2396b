/* The line that says how far something has come. */
#include "ui/progress.h"

#include <math.h>
#include <stdint.h>

#include "check.h"

#define WIDEST 200

static const struct progress usual = {.part = 0.375,
    .done = 3700,
    .failed = 2,
    .running = 32,
    .seconds = 9,
    .rate = 412};

static void
check_line(const struct progress *progress, size_t columns, const char *want)
{
	struct buffer out = BUFFER_INIT;

	progress_print(progress, columns, &out);
	CHECK_STRING(buffer_string(&out), want);
	buffer_release(&out);
}

static void
what_does_not_fit_is_left_out_the_bar_first(void)
{
	static const struct {
		size_t columns;
		const char *line;
	} rows[] = {
	    {80, "[========>             ]  37%  "
		 "3700 done, 2 failed, 32 in flight  412/s  ETA 15s"},
	    {68, "[===>      ]  37%  3700 done, 2 failed, 32 in flight  412/s"
		 "  ETA 15s"},
	    {63, "[=>   ]  37%  3700 done, 2 failed, 32 in flight  412/s"
		 "  ETA 15s"},
	    {62, " 37%  3700 done, 2 failed, 32 in flight  412/s  ETA 15s"},
	    {54, " 37%  3700 done, 2 failed, 32 in flight  412/s"},
	    {45, " 37%  3700 done, 2 failed, 32 in flight"},
	    {38, " 37%  3700 done, 2 failed"},
	    {24, "3700 done, 2 failed"},
	    {18, "3700 done, 2 faile"},
	    {1, "3"},
	    {0, ""},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_line(&usual, rows[i].columns, rows[i].line);
}

/* Whatever the numbers are. */
static void
no_line_is_wider_than_it_may_be(void)
{
	static const struct progress rows[] = {
	    {-1, 0, 0, 0, 0, 0, 0, false},
	    {0, 0, 0, 0, 0, 0, 0, false},
	    {1, 0, 0, 0, 0, 0, 0, true},
	    {0.5, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, 1e300, 1e300, false},
	    {0.5, SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, 1e300, 1e300, true},
	    {1e-9, 1, 1, 0, 10000, 1e9, 1e-9, false},
	    {7, 1, 1, 1, 1, 1, 1, false},
	};
	struct buffer out = BUFFER_INIT;
	size_t i, columns, previous;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (columns = 0, previous = 0; columns <= WIDEST; columns++) {
			buffer_clear(&out);
			progress_print(&rows[i], columns, &out);
			CHECK(out.length <= columns);
			CHECK(out.length >= previous);
			previous = out.length;
			CHECK(strspn(buffer_string(&out),
				  "[=> ]0123456789%.,/<abcdefghilnoETA"
				  "mrstuwyzkpqvx") == out.length);
		}
	buffer_release(&out);
}

static void
the_bar_grows_with_the_part_and_is_full_only_at_the_end(void)
{
	struct progress progress = {.part = 0, .done = 1, .rate = 1};

	check_line(&progress, 27, "[     ]   0%  1 done  1.0/s");
	progress.part = 0.001;
	check_line(&progress, 40, "[>    ]   0%  1 done  1.0/s  ETA 16m 39s");
}

static void
a_bar_is_never_wider_than_its_most(void)
{
	struct progress progress = {
	    .part = 1, .done = 5, .seconds = 2, .rate = 2.5, .ended = true};

	check_line(&progress, WIDEST,
	    "[========================================] 100%  5 done"
	    "  2.5/s  in 2s");
	progress.part = 0.999;
	check_line(&progress, WIDEST,
	    "[=======================================>]  99%  5 done"
	    "  2.5/s  in 2s");
}

static void
what_was_cancelled_is_told_beside_what_was_done(void)
{
	struct progress progress = {.part = 0.28,
	    .done = 28,
	    .failed = 1,
	    .cancelled = 40,
	    .seconds = 7,
	    .rate = 4,
	    .ended = true};

	check_line(&progress, 64,
	    "[==>       ]  28%  28 done, 1 failed, 40 cancelled  4.0/s  in 7s");
	check_line(&progress, 40, " 28%  28 done, 1 failed, 40 cancelled");
	check_line(&progress, 20, "28 done, 1 failed");
}

static void
without_a_known_whole_there_is_the_time_that_went_by(void)
{
	struct progress progress = {.part = -1,
	    .done = 8120,
	    .running = 40,
	    .seconds = 65.2,
	    .rate = 398};

	check_line(&progress, 80, "8120 done, 40 in flight  398/s  1m 05s");
	progress.ended = true;
	progress.running = 0;
	check_line(&progress, 80, "8120 done  398/s  in 1m 05s");
}

static void
there_is_no_eta_before_anything_is_known(void)
{
	struct progress progress = {.part = 0, .running = 3};

	check_line(&progress, 34, "  0%  0 done, 3 in flight  0.00/s");
	progress.part = 0.5;
	progress.done = 10;
	check_line(&progress, 34, " 50%  10 done, 3 in flight  0.00/s");
	progress.rate = 1e-9;
	check_line(&progress, 36, " 50%  10 done, 3 in flight  <0.01/s");
}

static void
times_have_two_units_at_most(void)
{
	static const struct {
		double seconds;
		const char *line;
	} rows[] = {
	    {0.4, "1 done  1.0/s  in 0s"},
	    {59.4, "1 done  1.0/s  in 59s"},
	    {59.6, "1 done  1.0/s  in 1m 00s"},
	    {3599.6, "1 done  1.0/s  in 1h 00m"},
	    {11273, "1 done  1.0/s  in 3h 07m"},
	    {183600, "1 done  1.0/s  in 2d 03h"},
	};
	struct progress progress = {
	    .part = -1, .done = 1, .rate = 1, .ended = true};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		progress.seconds = rows[i].seconds;
		check_line(&progress, 80, rows[i].line);
	}
}

static void
rates_have_two_digits_at_least(void)
{
	static const struct {
		double rate;
		const char *line;
	} rows[] = {
	    {0, "1 done  0.00/s  in 1s"},
	    {0.004, "1 done  <0.01/s  in 1s"},
	    {0.25, "1 done  0.25/s  in 1s"},
	    {0.999, "1 done  1.0/s  in 1s"},
	    {9.94, "1 done  9.9/s  in 1s"},
	    {9.96, "1 done  10/s  in 1s"},
	    {31415.9, "1 done  31416/s  in 1s"},
	};
	struct progress progress = {
	    .part = -1, .done = 1, .seconds = 1, .ended = true};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		progress.rate = rows[i].rate;
		check_line(&progress, 80, rows[i].line);
	}
}

static void
a_steady_rate_is_right_from_the_first_update_on(void)
{
	struct progress_rate rate;
	int i;

	progress_rate_init(&rate, 1000);
	CHECK(progress_rate_update(&rate, 0, 1000) == 0);
	for (i = 1; i <= 300; i++)
		CHECK(fabs(progress_rate_update(
			       &rate, (size_t)i * 40, 1000 + i * 0.1) -
			   400) < 1e-6);
}

static void
the_rate_follows_a_change_within_five_seconds(void)
{
	struct progress_rate rate;
	size_t done = 0;
	double last = 0;
	int i;

	progress_rate_init(&rate, 0);
	for (i = 1; i <= 600; i++)
		last = progress_rate_update(&rate, done += 10, i * 0.1);
	for (; i <= 650; i++)
		last = progress_rate_update(&rate, done += 20, i * 0.1);
	/* 100 before, 200 after: 1/e of the difference is left. */
	CHECK(fabs(last - (200 - 100 / exp(1))) < 1e-3);
	for (; i <= 1200; i++)
		last = progress_rate_update(&rate, done, i * 0.1);
	CHECK(last < 0.01);
}

static void
time_that_does_not_pass_changes_no_rate(void)
{
	struct progress_rate rate;

	progress_rate_init(&rate, 5);
	progress_rate_update(&rate, 10, 6);
	CHECK(progress_rate_update(&rate, 1000, 6) == 10);
	CHECK(progress_rate_update(&rate, 1000, 5.5) == 10);
	CHECK(progress_rate_update(&rate, 20, 7) > 9.99);
}

static const struct progress_service three[] = {
    {"render", 120, 1, 3, 40, 0, 0},
    {"upload", 7, 0, 0, 0, 0, 0},
    {"a", 12, 2, 0, 1, 8, 5},
};

static void
check_services(const struct progress_service *services, size_t count,
    size_t columns, size_t rows, const char *want)
{
	struct buffer out = BUFFER_INIT;

	progress_services_print(services, count, columns, rows, &out);
	CHECK_STRING(buffer_string(&out), want);
	buffer_release(&out);
}

static void
each_service_has_a_line(void)
{
	check_services(three, 3, 80, 3,
	    "render  120 done, 1 failed, 3 running, 40 waiting\n"
	    "upload    7 done\n"
	    "a        12 done, 2 failed, 1 waiting, 8 skipped, 5 cancelled\n");
	check_services(three, 0, 80, 3, "");
	check_services(three, 1, 80, 1,
	    "render  120 done, 1 failed, 3 running, 40 waiting\n");
}

static void
of_a_service_what_stands_last_is_left_out_first(void)
{
	static const struct {
		size_t columns;
		const char *line;
	} rows[] = {
	    {49, "render  120 done, 1 failed, 3 running, 40 waiting\n"},
	    {48, "render  120 done, 1 failed, 3 running\n"},
	    {36, "render  120 done, 1 failed\n"},
	    {25, "render  120 done\n"},
	    {15, "render  120 don\n"},
	    {10, "rende  120\n"},
	    {1, " \n"},
	    {0, "\n"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_services(three, 1, rows[i].columns, 1, rows[i].line);
}

static void
where_there_is_no_room_those_at_an_end_are_left_out(void)
{
	check_services(three, 3, 80, 2,
	    "render  120 done, 1 failed, 3 running, 40 waiting\n"
	    "and 2 services more\n");
	check_services(three + 1, 2, 80, 1, "and 2 services more\n");
	check_services(three, 3, 80, 0, "");
}

/* Ten, of which the even ones are at an end. */
static void
the_order_is_kept_whoever_is_left_out(void)
{
	struct progress_service services[10];
	char names[10][4];
	size_t i;

	for (i = 0; i < 10; i++) {
		snprintf(names[i], sizeof(names[i]), "s%zu", i);
		services[i] = (struct progress_service){
		    .name = names[i], .done = 1, .running = i % 2};
	}
	check_services(services, 10, 80, 4,
	    "s1  1 done, 1 running\ns3  1 done, 1 running\n"
	    "s5  1 done, 1 running\nand 7 services more\n");
	check_services(services, 10, 80, 9,
	    "s0  1 done\ns1  1 done, 1 running\ns2  1 done\n"
	    "s3  1 done, 1 running\ns4  1 done\ns5  1 done, 1 running\n"
	    "s7  1 done, 1 running\ns9  1 done, 1 running\n"
	    "and 2 services more\n");
}

static void
no_line_of_a_service_is_wider_than_it_may_be(void)
{
	static const struct progress_service widest[] = {
	    {"a-name-that-is-not-short-at-all", SIZE_MAX, SIZE_MAX, SIZE_MAX,
		SIZE_MAX, SIZE_MAX, SIZE_MAX},
	    {"b", 0, 0, 0, 0, 0, 0},
	};
	struct buffer out = BUFFER_INIT;
	const char *line, *next;
	size_t columns, lines;

	for (columns = 0; columns <= WIDEST; columns++) {
		buffer_clear(&out);
		progress_services_print(widest, 2, columns, 5, &out);
		lines = 0;
		for (line = buffer_string(&out); *line != '\0'; line = next) {
			next = strchr(line, '\n') + 1;
			CHECK((size_t)(next - line) - 1 <= columns);
			lines++;
		}
		CHECK(lines == 2);
	}
	buffer_release(&out);
}

int
main(void)
{
	RUN(what_does_not_fit_is_left_out_the_bar_first);
	RUN(no_line_is_wider_than_it_may_be);
	RUN(the_bar_grows_with_the_part_and_is_full_only_at_the_end);
	RUN(a_bar_is_never_wider_than_its_most);
	RUN(what_was_cancelled_is_told_beside_what_was_done);
	RUN(without_a_known_whole_there_is_the_time_that_went_by);
	RUN(there_is_no_eta_before_anything_is_known);
	RUN(times_have_two_units_at_most);
	RUN(rates_have_two_digits_at_least);
	RUN(a_steady_rate_is_right_from_the_first_update_on);
	RUN(the_rate_follows_a_change_within_five_seconds);
	RUN(time_that_does_not_pass_changes_no_rate);
	RUN(each_service_has_a_line);
	RUN(of_a_service_what_stands_last_is_left_out_first);
	RUN(where_there_is_no_room_those_at_an_end_are_left_out);
	RUN(the_order_is_kept_whoever_is_left_out);
	RUN(no_line_of_a_service_is_wider_than_it_may_be);
	return check_done();
}
