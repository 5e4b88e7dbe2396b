/* Claiming tasks of the queue, completing them, taking over from the dead. */
#include "registry/claim.h"

#include "claim_fixture.h"

static struct store *store;
static struct claimants *claimants;
static struct claimant *own;

static void
begin(void)
{
	struct svc_error error;

	spool_begin();
	store = open_store();
	own = open_claimant(store, 0);
	CHECK(claimants_open(&claimants, store, &error) == 0);
}

static void
end(void)
{
	claimants_close(claimants);
	claimant_close(own);
	store_close(store);
	spool_end();
}

static void
a_task_is_claimed_once_and_completed_once(void)
{
	struct queue_place place, again;

	begin();
	submit(store, "a");
	CHECK(take(store, claimant_name(own), "a", 0, &place) == 1);
	CHECK(place.state == QUEUE_RUNNING);
	CHECK(take(store, claimant_name(own), "a", 0, &again) == 0);
	CHECK(!exists("tasks/new/a.0"));
	CHECK(complete(store, &place) == 1);
	CHECK(says("tasks/done/a", "\"result\":2"));
	CHECK(complete(store, &place) == 0);
	end();
}

static void
what_is_given_back_waits_as_before(void)
{
	struct queue_place place;
	struct svc_error error;

	begin();
	submit(store, "a");
	CHECK(take(store, claimant_name(own), "a", 0, &place) == 1);
	CHECK(claim_give_back(store, &place, &error) == 1);
	CHECK(exists("tasks/new/a.0"));
	CHECK(claim_give_back(store, &place, &error) == 0);
	CHECK(complete(store, &place) == 0);
	end();
}

static void
a_finished_line_is_moved_on(void)
{
	struct queue_place place;

	begin();
	submit(store, "a");
	spool_write(
	    "tasks/new/a.0", "{\"id\":\"a\",\"task\":1,\"result\":7}\n");
	CHECK(take(store, claimant_name(own), "a", 0, &place) == 0);
	CHECK(says("tasks/done/a", "\"result\":7"));
	submit(store, "b");
	spool_write("tasks/new/b.0",
	    "{\"id\":\"b\",\"task\":1,\"error\":{\"code\":\"exit\"}}\n");
	CHECK(take(store, claimant_name(own), "b", 0, &place) == 0);
	CHECK(says("tasks/failed/b", "exit"));
	end();
}

static void
what_is_no_task_is_put_aside(void)
{
	static const char *const texts[] = {"", "nonsense\n", "[1]\n",
	    "{\"id\":\"other\",\"task\":1}\n", "{\"task\":1}\n",
	    "{\"id\":\"a\",\"task\":1"};
	struct queue_place place;
	char key[64];
	size_t i;

	begin();
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		spool_write("tasks/new/a.0", texts[i]);
		CHECK(take(store, claimant_name(own), "a", 0, &place) == 0);
		CHECK(!exists("tasks/new/a.0"));
		snprintf(key, sizeof(key),
		    i == 0 ? "tasks/corrupt/a.0" : "tasks/corrupt/a.0.%zu", i);
		CHECK(exists(key));
	}
	CHECK(symlink("/etc/passwd", spool_path("tasks/new/l.0")) == 0);
	CHECK(take(store, claimant_name(own), "l", 0, &place) == 0);
	CHECK(mkfifo(spool_path("tasks/new/f.0"), 0600) == 0);
	CHECK(take(store, claimant_name(own), "f", 0, &place) == 0);
	CHECK(mkdir(spool_path("tasks/new/d.0"), 0700) == 0);
	CHECK(take(store, claimant_name(own), "d", 0, &place) == 0);
	CHECK(exists("tasks/corrupt/f.0") && exists("tasks/corrupt/d.0"));
	end();
}

static void
what_the_dead_had_waits_again_at_once(void)
{
	static const char *const ids[] = {"a", "b"};
	char name[NAME_MAX_LENGTH + 1], key[300];
	size_t failed;
	pid_t pid;

	begin();
	submit(store, "a");
	submit(store, "b");
	pid = start_holder(ids, 2, 0, name);
	CHECK(recover(store, claimants, &failed) == 0);
	CHECK(claimants_alive(claimants, name));
	kill_holder(pid);
	CHECK(recover(store, claimants, &failed) == 2 && failed == 0);
	CHECK(!claimants_alive(claimants, name));
	CHECK(says("tasks/new/a.1", name) && exists("tasks/new/b.1"));
	snprintf(key, sizeof(key), "tasks/claimants/%s", name);
	CHECK(!exists(key));
	end();
}

static void
three_lost_claims_are_one_too_many(void)
{
	struct queue_place place = {.state = QUEUE_RUNNING, .id = "a"};
	char key[QUEUE_KEY_MAX], waiting[QUEUE_KEY_MAX];
	struct svc_error error;
	size_t failed = 0;

	begin();
	submit(store, "a");
	snprintf(place.claimant, sizeof(place.claimant), "gone-1-x");
	for (place.claims = 0; place.claims < QUEUE_CLAIMS_MAX;
	     place.claims++) {
		snprintf(
		    waiting, sizeof(waiting), "tasks/new/a.%u", place.claims);
		queue_key(&place, key);
		CHECK(store_move(store, waiting, key, NULL, 0, &error) == 1);
		CHECK(recover(store, claimants, &failed) == 1);
		CHECK(failed == (place.claims + 1 == QUEUE_CLAIMS_MAX));
	}
	CHECK(says("tasks/failed/a", "\"code\":\"lost\""));
	CHECK(says("tasks/failed/a", "claimed 3 times"));
	CHECK(says("tasks/failed/a", "\"lost\":[\"gone-1-x, "));
	end();
}

static void
a_finished_line_of_the_dead_is_moved_on_not_run_again(void)
{
	size_t failed;

	begin();
	submit(store, "a");
	CHECK(unlink(spool_path("tasks/new/a.0")) == 0);
	spool_write("tasks/running/a.0@gone-1-x",
	    "{\"id\":\"a\",\"task\":1,\"result\":3}\n");
	CHECK(recover(store, claimants, &failed) == 0);
	CHECK(says("tasks/done/a", "\"result\":3"));
	CHECK(!exists("tasks/running/a.0@gone-1-x"));
	end();
}

static void
a_superseded_one_completes_nothing(void)
{
	struct queue_place first, second;
	struct claimant *other;
	size_t failed;
	double until = time_monotonic() + WAIT_LIMIT;

	begin();
	submit(store, "a");
	other = open_claimant(store, 0.2);
	CHECK(take(store, claimant_name(other), "a", 0, &first) == 1);
	/* It does not beat. */
	while (!exists("tasks/new/a.1") && time_monotonic() < until) {
		(void)recover(store, claimants, &failed);
		(void)poll(NULL, 0, 20);
	}
	CHECK(take(store, claimant_name(own), "a", 1, &second) == 1);
	CHECK(complete(store, &first) == 0);
	CHECK(!exists("tasks/done/a"));
	CHECK(complete(store, &second) == 1);
	claimant_close(other);
	end();
}

static void
what_ended_twice_is_put_aside(void)
{
	struct queue_place place;

	begin();
	submit(store, "a");
	CHECK(take(store, claimant_name(own), "a", 0, &place) == 1);
	spool_write("tasks/done/a", "{\"id\":\"a\",\"task\":1,\"result\":1}\n");
	(void)complete(store, &place);
	CHECK(says("tasks/done/a", "\"result\":1"));
	CHECK(exists("tasks/corrupt/a.0"));
	end();
}

static void
eight_processes_claim_each_task_once(void)
{
	enum { TASKS = 2000, PROCESSES = 8 };
	pid_t pids[PROCESSES];
	char id[32], key[64], line[64];
	struct queue_place place;
	int i, status, sum = 0, channel[2];
	int mine;

	begin();
	for (i = 0; i < TASKS; i++) {
		snprintf(key, sizeof(key), "tasks/new/t%d.0", i);
		snprintf(
		    line, sizeof(line), "{\"id\":\"t%d\",\"task\":1}\n", i);
		spool_write(key, line);
	}
	CHECK(pipe(channel) == 0);
	for (i = 0; i < PROCESSES; i++)
		if ((pids[i] = fork()) == 0) {
			struct store *another = open_store();
			struct claimant *claimant = open_claimant(another, 0);
			int n;

			for (mine = 0, n = 0; n < TASKS; n++) {
				snprintf(id, sizeof(id), "t%d",
				    (n + i * TASKS / PROCESSES / 2) % TASKS);
				mine += take(another, claimant_name(claimant),
					    id, 0, &place) == 1;
			}
			_exit(write(channel[1], &mine, sizeof(mine)) !=
			      sizeof(mine));
		}
	for (i = 0; i < PROCESSES; i++) {
		CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
		CHECK(read(channel[0], &mine, sizeof(mine)) == sizeof(mine));
		sum += mine;
	}
	CHECK(sum == TASKS);
	end();
}

int
main(void)
{
	RUN(a_task_is_claimed_once_and_completed_once);
	RUN(what_is_given_back_waits_as_before);
	RUN(a_finished_line_is_moved_on);
	RUN(what_is_no_task_is_put_aside);
	RUN(what_the_dead_had_waits_again_at_once);
	RUN(three_lost_claims_are_one_too_many);
	RUN(a_finished_line_of_the_dead_is_moved_on_not_run_again);
	RUN(a_superseded_one_completes_nothing);
	RUN(what_ended_twice_is_put_aside);
	RUN(eight_processes_claim_each_task_once);
	return check_done();
}
