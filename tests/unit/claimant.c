/* Who is alive. */
#include "registry/claimant.h"

#include "claim_fixture.h"

static struct store *store;
static struct claimants *claimants;

static void
begin(void)
{
	struct svc_error error;

	spool_begin();
	store = open_store();
	CHECK(claimants_open(&claimants, store, &error) == 0);
}

static void
end(void)
{
	claimants_close(claimants);
	store_close(store);
	spool_end();
}

static double
look(void)
{
	struct svc_error error;
	double next = 0;

	CHECK(claimants_look(claimants, &next, &error) == 0);
	return next;
}

static void
a_name_is_made_of_what_the_host_is_called(void)
{
	static const struct {
		const char *host;
		const char *begin;
	} cases[] = {{"web1", "web1-"}, {"a b/c@d", "a-b-c-d-"},
	    {"", "localhost-"}, {"-x", "localhost-"},
	    {"0123456789012345678901234567890123456789012345678901234567890123"
	     "456789",
		"0123456789012345678901234567890123456789012345678901234567890"
		"123-"}};
	struct claimant_options options = {.ttl = 0};
	struct claimant *claimant;
	struct svc_error error;
	const char *name;
	size_t i;

	begin();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		options.host = cases[i].host;
		CHECK(claimant_open(&claimant, store, &options, &error) == 0);
		name = claimant_name(claimant);
		CHECK(
		    strncmp(name, cases[i].begin, strlen(cases[i].begin)) == 0);
		CHECK(name_valid(name, strlen(name)) && strlen(name) < 120);
		claimant_close(claimant);
	}
	end();
}

static void
a_lock_lives_as_long_as_its_process(void)
{
	char name[NAME_MAX_LENGTH + 1];
	struct svc_error error;
	pid_t pid;

	begin();
	pid = start_holder(NULL, 0, 0, name);
	CHECK(isinf(look()));
	CHECK(claimants_alive(claimants, name));
	CHECK(claimants_count(claimants) == 1);
	CHECK(claimants_dead(claimants, name, &error) == 0);
	kill_holder(pid);
	(void)look();
	CHECK(!claimants_alive(claimants, name));
	CHECK(claimants_count(claimants) == 0);
	CHECK(claimants_dead(claimants, name, &error) == 1);
	CHECK(claimants_sweep(claimants, &error) == 0);
	(void)look();
	/* Nobody without a record is alive. */
	CHECK(claimants_dead(claimants, name, &error) == 1);
	end();
}

static void
who_came_after_the_look_is_not_taken_for_dead(void)
{
	char name[NAME_MAX_LENGTH + 1], slow[NAME_MAX_LENGTH + 1];
	struct svc_error error;
	pid_t pid, other;

	begin();
	(void)look();
	pid = start_holder(NULL, 0, 0, name);
	other = start_holder(NULL, 0, 5, slow);
	CHECK(claimants_dead(claimants, name, &error) == 0);
	CHECK(claimants_dead(claimants, slow, &error) == 0);
	CHECK(claimants_dead(claimants, "nobody-1-x", &error) == 1);
	kill_holder(pid);
	CHECK(claimants_dead(claimants, name, &error) == 1);
	kill_holder(other);
	end();
}

static void
who_beats_lives_and_who_is_stopped_does_not(void)
{
	struct claimant *beating, *silent;
	double until = time_monotonic() + WAIT_LIMIT, began;
	struct svc_error error;
	char name[NAME_MAX_LENGTH + 1];

	begin();
	beating = open_claimant(store, 0.3);
	silent = open_claimant(store, 0.3);
	snprintf(name, sizeof(name), "%s", claimant_name(silent));
	CHECK(claimant_interval(beating) < 0.3);
	CHECK(claimant_descriptor(beating) == -1);
	began = time_monotonic();
	CHECK(look() <= 0.3);
	while (claimants_alive(claimants, name) && time_monotonic() < until) {
		CHECK(claimant_beat(beating, &error) == 1);
		(void)poll(NULL, 0, 10);
		(void)look();
	}
	CHECK(time_monotonic() - began >= 0.3);
	CHECK(claimants_alive(claimants, claimant_name(beating)));
	/* It finds out, and is another one from here on. */
	CHECK(claimant_beat(silent, &error) == 0);
	CHECK(strcmp(claimant_name(silent), name) != 0);
	(void)look();
	CHECK(claimants_alive(claimants, claimant_name(silent)));
	claimant_close(beating);
	claimant_close(silent);
	end();
}

static void
a_record_that_was_removed_is_found_out(void)
{
	struct claimant *claimant;
	struct svc_error error;
	char key[300];

	begin();
	claimant = open_claimant(store, 5);
	snprintf(
	    key, sizeof(key), "tasks/claimants/%s", claimant_name(claimant));
	CHECK(unlink(spool_path(key)) == 0);
	CHECK(claimant_beat(claimant, &error) == 0);
	CHECK(claimant_beat(claimant, &error) == 1);
	claimant_close(claimant);
	end();
}

static void
closing_leaves_nothing(void)
{
	struct claimant *lock, *ttl;

	begin();
	lock = open_claimant(store, 0);
	ttl = open_claimant(store, 5);
	CHECK(claimant_descriptor(lock) > 2);
	(void)look();
	CHECK(claimants_count(claimants) == 2);
	claimant_close(lock);
	claimant_close(ttl);
	(void)look();
	CHECK(claimants_count(claimants) == 0);
	end();
}

static void
strange_records_are_nobody(void)
{
	begin();
	claimant_close(open_claimant(store, 0));
	spool_write("tasks/claimants/torn", "{\"claim");
	spool_write("tasks/claimants/list", "[1,2]\n");
	spool_write("tasks/claimants/ttl", "{\"ttl\":\"soon\"}\n");
	CHECK(mkdir(spool_path("tasks/claimants/directory"), 0700) == 0);
	(void)look();
	CHECK(claimants_count(claimants) == 0);
	end();
}

int
main(void)
{
	RUN(a_name_is_made_of_what_the_host_is_called);
	RUN(a_lock_lives_as_long_as_its_process);
	RUN(who_came_after_the_look_is_not_taken_for_dead);
	RUN(who_beats_lives_and_who_is_stopped_does_not);
	RUN(a_record_that_was_removed_is_found_out);
	RUN(closing_leaves_nothing);
	RUN(strange_records_are_nobody);
	return check_done();
}
