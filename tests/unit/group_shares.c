/* Weights of groups, as a command line says them. */
#include <sysexits.h>

#include "check.h"
#include "sched/group_shares.h"

static void
a_list_gives_each_group_its_weight(void)
{
	struct group_shares shares = {NULL, 0};

	CHECK(group_shares_add(&shares, "alice=2,bob=0.5", NULL) == 0);
	CHECK(group_shares_add(&shares, "a=b=1e3", NULL) == 0);
	if (CHECK(shares.count == 3)) {
		CHECK_STRING(shares.items[0].group, "alice");
		CHECK(shares.items[0].weight == 2);
		CHECK_STRING(shares.items[1].group, "bob");
		CHECK(shares.items[1].weight == 0.5);
		CHECK_STRING(shares.items[2].group, "a=b");
		CHECK(shares.items[2].weight == 1000);
	}
	group_shares_release(&shares);
	CHECK(shares.count == 0);
}

static void
the_group_without_a_name_has_a_weight_too(void)
{
	struct group_shares shares = {NULL, 0};

	CHECK(group_shares_add(&shares, "=3", NULL) == 0);
	if (CHECK(shares.count == 1))
		CHECK_STRING(shares.items[0].group, "");
	group_shares_release(&shares);
}

static void
what_is_no_weight_is_refused(void)
{
	static const char *const wrong[] = {"", "alice", "alice=", "alice=0",
	    "alice=-1", "alice=x", "alice=inf", "alice=1,", "alice=1,alice=2",
	    "a=1,,b=1"};
	struct svc_error error;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct group_shares shares = {NULL, 0};

		error.code = 0;
		CHECK(group_shares_add(&shares, wrong[i], &error) == -1);
		CHECK(error.code == EX_USAGE);
		group_shares_release(&shares);
	}
}

int
main(void)
{
	RUN(a_list_gives_each_group_its_weight);
	RUN(the_group_without_a_name_has_a_weight_too);
	RUN(what_is_no_weight_is_refused);
	return check_done();
}
