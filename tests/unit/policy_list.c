/* Several policies in one text. */
#include <sysexits.h>

#include "check.h"
#include "sched/policy_list.h"

static void
each_part_is_a_policy_with_what_it_says(void)
{
	struct policy_list list = {.count = 0};

	CHECK(policy_list_parse(&list,
		  "p2c,weighted=headroom,constrained=pack,hash=/a", NULL) == 0);
	if (CHECK(list.count == 4)) {
		CHECK(list.items[0].type == &policy_p2c);
		CHECK_STRING(list.items[1].text, "weighted=headroom");
		CHECK(list.items[1].type == &policy_weighted);
		CHECK_STRING(list.items[1].options.field, "headroom");
		CHECK(list.items[1].options.score == SCORE_SPREAD);
		CHECK(list.items[2].options.score == SCORE_PACK);
		CHECK(list.items[2].options.field == NULL);
		CHECK_STRING(list.pointer, "/a");
	}
	policy_list_release(&list);
	CHECK(list.count == 0);
}

static void
a_later_text_replaces_the_list(void)
{
	struct policy_list list = {.count = 0};

	CHECK(policy_list_parse(&list, "hash=/a,random", NULL) == 0);
	CHECK(policy_list_parse(&list, "least-loaded", NULL) == 0);
	if (CHECK(list.count == 1))
		CHECK(list.items[0].type == &policy_least_loaded);
	CHECK(list.pointer == NULL);
	policy_list_release(&list);
}

static void
hash_may_stand_twice_with_one_key(void)
{
	struct policy_list list = {.count = 0};

	CHECK(policy_list_parse(&list, "hash=/a,p2c,hash=/a", NULL) == 0);
	CHECK(list.count == 3);
	CHECK(policy_list_parse(&list, "hash,hash", NULL) == 0);
	CHECK(list.count == 2 && list.pointer == NULL);
	policy_list_release(&list);
}

static void
what_is_no_list_is_refused_and_leaves_it_empty(void)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
	    {"", "not a policy: '' (say random, "},
	    {"p2c,", "not a policy: '' (say random, "},
	    {"p2c,nobody", "not a policy: 'nobody' (say random, "},
	    {"p2c=x", "p2c takes no argument"},
	    {"hash,p2c,hash=/a", "'hash' and 'hash=/a' go by two keys"},
	    {"hash=/b,hash=/a", "'hash=/b' and 'hash=/a' go by two keys"},
	    {"hash=/b,hash", "'hash=/b' and 'hash' go by two keys"},
	};
	struct policy_list list = {.count = 0};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct svc_error error = {0, ""};

		CHECK(policy_list_parse(&list, "random", NULL) == 0);
		CHECK(policy_list_parse(&list, rows[i].text, &error) == -1);
		CHECK(list.count == 0 && list.pointer == NULL);
		if (!CHECK(error.code == EX_USAGE &&
			   strstr(error.message, rows[i].message) != NULL))
			printf("# %s\n", error.message);
	}
}

static void
more_than_it_holds_are_refused(void)
{
	struct policy_list list = {.count = 0};
	char text[4 * (POLICY_LIST_MAX + 1) + 1] = "";
	struct svc_error error;
	size_t i;

	for (i = 0; i < POLICY_LIST_MAX + 1; i++)
		memcpy(text + 4 * i, "p2c,", 5);
	text[4 * POLICY_LIST_MAX - 1] = '\0';
	CHECK(policy_list_parse(&list, text, NULL) == 0);
	CHECK(list.count == POLICY_LIST_MAX);
	text[4 * POLICY_LIST_MAX - 1] = ',';
	text[4 * POLICY_LIST_MAX + 3] = '\0';
	CHECK(policy_list_parse(&list, text, &error) == -1);
	CHECK(error.code == EX_USAGE);
	policy_list_release(&list);
}

int
main(void)
{
	RUN(each_part_is_a_policy_with_what_it_says);
	RUN(a_later_text_replaces_the_list);
	RUN(hash_may_stand_twice_with_one_key);
	RUN(what_is_no_list_is_refused_and_leaves_it_empty);
	RUN(more_than_it_holds_are_refused);
	return check_done();
}
