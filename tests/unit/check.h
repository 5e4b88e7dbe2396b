/*
 * The harness of the unit tests: a test is a function, its name a sentence,
 * and each prints one TAP line.  A failed CHECK says where and what, and the
 * test goes on.
 *
 *	int
 *	main(void)
 *	{
 *		RUN(a_bare_number_is_seconds);
 *		return check_done();
 *	}
 */
#ifndef SVCKIT_TESTS_CHECK_H
#define SVCKIT_TESTS_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int check_tests, check_failures, check_failed_tests;
static const char *check_skipped; /* why the test that runs did not */

#define CHECK(held)		check_that((held), __FILE__, __LINE__, #held)
#define CHECK_STRING(got, want) check_string((got), (want), __FILE__, __LINE__)
#define RUN(test)		check_run(test, #test)
/* Says that this test cannot run here; it then returns. */
#define SKIP(why) (check_skipped = (why))
/* Ends a program none of whose tests can run here. */
#define SKIP_ALL(why)                              \
	do {                                       \
		printf("1..0 # SKIP %s\n", (why)); \
		return 0;                          \
	} while (0)

static inline bool
check_that(bool held, const char *file, int line, const char *what)
{
	if (!held) {
		printf("# %s:%d: not so: %s\n", file, line, what);
		check_failures++;
	}
	return held;
}

static inline bool
check_string(const char *got, const char *want, const char *file, int line)
{
	bool same = got != NULL && want != NULL && strcmp(got, want) == 0;

	if (!same) {
		printf("# %s:%d: got  %s\n# want %s\n", file, line,
		    got == NULL ? "(null)" : got,
		    want == NULL ? "(null)" : want);
		check_failures++;
	}
	return same;
}

static inline void
check_run(void (*test)(void), const char *name)
{
	int before = check_failures;
	char sentence[256];
	size_t i;

	for (i = 0; name[i] != '\0' && i < sizeof(sentence) - 1; i++)
		sentence[i] = name[i] == '_' ? ' ' : name[i];
	sentence[i] = '\0';
	check_skipped = NULL;
	test();
	check_tests++;
	if (check_failures != before)
		check_failed_tests++;
	printf("%s %d - %s%s%s\n", check_failures == before ? "ok" : "not ok",
	    check_tests, sentence, check_skipped == NULL ? "" : " # SKIP ",
	    check_skipped == NULL ? "" : check_skipped);
	fflush(stdout);
}

static inline int
check_done(void)
{
	printf("1..%d\n", check_tests);
	return check_failed_tests != 0;
}

#endif
