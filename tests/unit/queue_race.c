/*
 * Many processes at one queue: some move its tasks as schedulers do, some
 * change them as people do, and some look.  No task is lost or doubled, and who
 * looks finds it.
 */
#include <signal.h>
#include <sys/mman.h>

#include "queue_fixture.h"
#include "registry/queue_look.h"
#include "store_fixture.h"

#define TASKS	 12
#define MOVERS	 4
#define CHANGERS 3
#define LOOKERS	 2
#define SECONDS	 4.0

/* What all processes tell: shared memory. */
struct tally {
	int moves, changes, looks, cancelled; /* how often */
	int lost; /* looked for, and not found */
	int broken; /* an operation that failed */
};

struct part {
	struct store *store;
	struct tally *tally;
	int number; /* of the process */
	double limit;
};

static void
count(int *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static void
break_off(struct tally *tally, const struct svc_error *error)
{
	count(&tally->broken);
	printf("# %s\n", error->message);
}

static void
any_id(char id[16])
{
	snprintf(id, 16, "t.%u", arc4random_uniform(TASKS));
}

/* What a claimant does next to a task that it has: completes, fails, loses it,
 * gives it back. */
static void
move_on(struct part *part, const struct queue_place *place)
{
	static const char *const rests[] = {
	    ",\"result\":1", ",\"error\":{\"code\":\"exit\"}", "", NULL};
	unsigned which = arc4random_uniform(60);
	struct queue_place target = *place;
	char from[QUEUE_KEY_MAX], to[QUEUE_KEY_MAX];
	char line[NAME_MAX_LENGTH + 128];
	const char *rest = rests[which < 3 ? which : 3];
	struct svc_error error;

	/* What is done stays: few, so that there is something to move. */
	if (which == 0 && arc4random_uniform(20) > 0)
		which = 2;
	target.state = which == 0   ? QUEUE_DONE
		       : which == 1 ? QUEUE_FAILED
				    : QUEUE_WAITING;
	if (which == 2 && ++target.claims >= QUEUE_CLAIMS_MAX)
		target.state = QUEUE_FAILED;
	queue_key(place, from);
	queue_key(&target, to);
	snprintf(line, sizeof(line), "{\"id\":\"%s\",\"task\":1%s}\n",
	    place->id, rest == NULL ? "" : rest);
	if (store_move(part->store, from, to, rest == NULL ? NULL : line,
		rest == NULL ? 0 : strlen(line), &error) == -1)
		break_off(part->tally, &error);
}

/* As claim_take() does: what is finished is moved on and not kept. */
static void
take(struct part *part, const struct queue_place *waiting)
{
	struct queue_place place = *waiting, target;
	char from[QUEUE_KEY_MAX], to[QUEUE_KEY_MAX];
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	struct svc_error error;
	int moved;

	place.state = QUEUE_RUNNING;
	snprintf(place.claimant, sizeof(place.claimant), "c%d", part->number);
	queue_key(waiting, from);
	queue_key(&place, to);
	moved = store_move(part->store, from, to, NULL, 0, &error);
	if (moved == 1)
		moved =
		    queue_read(part->store, &place, &scratch, &entry, &error);
	if (moved == -1)
		break_off(part->tally, &error);
	if (moved == 1) {
		count(&part->tally->moves);
		if (strstr(entry.value, "\"error\"") == NULL) {
			move_on(part, &place);
		} else {
			target = place;
			target.state = QUEUE_FAILED;
			queue_key(&place, from);
			queue_key(&target, to);
			if (store_move(
				part->store, from, to, NULL, 0, &error) == -1)
				break_off(part->tally, &error);
		}
	}
	buffer_release(&scratch);
}

static void
move_any(struct part *part)
{
	struct queue_place place = {.state = QUEUE_WAITING};

	any_id(place.id);
	for (place.claims = 0; place.claims < QUEUE_CLAIMS_MAX; place.claims++)
		take(part, &place);
}

/* No purge: every id is to be there at the end. */
static void
change_any(struct part *part)
{
	static const enum queue_change changes[] = {
	    QUEUE_CANCEL, QUEUE_RETRY, QUEUE_HOLD, QUEUE_RELEASE};
	enum queue_change change = changes[arc4random_uniform(4)];
	struct queue_place place;
	struct svc_error error;
	char id[16];
	int changed;

	any_id(id);
	changed = queue_change(part->store, id, change, false, &place, &error);
	if (changed == -1 && error.code != EX_TEMPFAIL)
		break_off(part->tally, &error);
	if (changed == 0 && place.state == QUEUE_ABSENT)
		count(&part->tally->lost);
	if (changed == 1)
		count(&part->tally->changes);
}

static void
look_any(struct part *part)
{
	struct queue_place place;
	struct svc_error error;
	char id[16];
	int found;

	any_id(id);
	found = queue_look(part->store, id, &place, &error);
	if (found == -1)
		break_off(part->tally, &error);
	if (found == 0)
		count(&part->tally->lost);
	count(&part->tally->looks);
}

static pid_t
start(struct tally *tally, void (*act)(struct part *part), int number)
{
	struct part part = {.tally = tally, .number = number};
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	alarm(120);
	part.store = queue_store();
	part.limit = time_monotonic() + SECONDS;
	while (time_monotonic() < part.limit)
		act(&part);
	store_close(part.store);
	fflush(stdout);
	_exit(0);
}

static struct tally *
begin(void)
{
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char id[16];
	int i;

	if (!CHECK(tally != MAP_FAILED))
		exit(1);
	spool_begin();
	for (i = 0; i < TASKS; i++) {
		snprintf(id, sizeof(id), "t.%d", i);
		CHECK(queue_put(id, "") == QUEUE_ACCEPTED);
	}
	fflush(stdout);
	return tally;
}

/* Each task is in one place, and the place in one that look finds. */
static void
check_places(void)
{
	static const char *const directories[] = {
	    "new", "held", "running", "done", "failed"};
	struct store *store = queue_store();
	struct queue_place place;
	struct svc_error error;
	size_t i, files = 0;
	char id[16];

	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		files += queue_files(directories[i]);
	CHECK(files == TASKS && queue_files("ids") == TASKS);
	CHECK(queue_files("corrupt") == 0);
	for (i = 0; i < TASKS; i++) {
		snprintf(id, sizeof(id), "t.%zu", i);
		CHECK(queue_look(store, id, &place, &error) == 1);
	}
	store_close(store);
}

static void
no_task_is_lost_or_doubled_and_who_looks_finds_it(void)
{
	struct tally *tally = begin();
	pid_t pids[MOVERS + CHANGERS + LOOKERS];
	int i, n = 0;

	for (i = 0; i < MOVERS; i++, n++)
		pids[n] = start(tally, move_any, n);
	for (i = 0; i < CHANGERS; i++, n++)
		pids[n] = start(tally, change_any, n);
	for (i = 0; i < LOOKERS; i++, n++)
		pids[n] = start(tally, look_any, n);
	for (i = 0; i < n; i++)
		CHECK(ended_well(pids[i]));
	printf("# %d moves, %d changes, %d looks, %d lost\n", tally->moves,
	    tally->changes, tally->looks, tally->lost);
	CHECK(tally->moves > 100 && tally->changes > 50 && tally->looks > 100);
	CHECK(tally->lost == 0 && tally->broken == 0);
	check_places();
	spool_end();
	munmap(tally, sizeof(*tally));
}

/* Claims one task and gives it back, without any rest. */
static void
juggle(struct part *part)
{
	struct queue_place place = {.state = QUEUE_WAITING, .id = "t.0"};
	struct queue_place running = place;
	char waits[QUEUE_KEY_MAX], runs[QUEUE_KEY_MAX];
	struct svc_error error;

	running.state = QUEUE_RUNNING;
	snprintf(
	    running.claimant, sizeof(running.claimant), "c%d", part->number);
	queue_key(&place, waits);
	queue_key(&running, runs);
	if (store_move(part->store, waits, runs, NULL, 0, &error) == -1 ||
	    store_move(part->store, runs, waits, NULL, 0, &error) == -1)
		break_off(part->tally, &error);
	count(&part->tally->moves);
}

static void
look_at_first(struct part *part)
{
	struct queue_place place;
	struct svc_error error;

	if (queue_look(part->store, "t.0", &place, &error) != 1)
		count(&part->tally->lost);
	count(&part->tally->looks);
}

static void
a_task_that_is_handed_round_is_found(void)
{
	struct tally *tally = begin();
	pid_t pids[4];
	int i;

	for (i = 0; i < 4; i++)
		pids[i] = start(tally, i < 2 ? juggle : look_at_first, i);
	for (i = 0; i < 4; i++)
		CHECK(ended_well(pids[i]));
	printf("# %d moves, %d looks, %d lost\n", tally->moves, tally->looks,
	    tally->lost);
	CHECK(tally->moves > 100 && tally->looks > 100);
	CHECK(tally->lost == 0 && tally->broken == 0);
	check_places();
	spool_end();
	munmap(tally, sizeof(*tally));
}

/* Cancels what others claim at the same time. */
static void
cancel_any(struct part *part)
{
	struct queue_place place;
	struct svc_error error;
	char id[16];
	int changed;

	any_id(id);
	changed =
	    queue_change(part->store, id, QUEUE_CANCEL, false, &place, &error);
	if (changed == -1)
		break_off(part->tally, &error);
	if (changed == 1)
		count(&part->tally->cancelled);
}

/* Claims and gives back alone, but for what was cancelled meanwhile. */
static void
claim_any(struct part *part)
{
	struct queue_place place = {.state = QUEUE_WAITING}, target;
	char from[QUEUE_KEY_MAX], to[QUEUE_KEY_MAX];
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry;
	struct svc_error error;

	any_id(place.id);
	target = place;
	target.state = QUEUE_RUNNING;
	snprintf(target.claimant, sizeof(target.claimant), "c%d", part->number);
	queue_key(&place, from);
	queue_key(&target, to);
	if (store_move(part->store, from, to, NULL, 0, &error) == 1 &&
	    queue_read(part->store, &target, &scratch, &entry, &error) == 1) {
		count(&part->tally->moves);
		if (strstr(entry.value, "\"error\"") != NULL)
			place.state = QUEUE_FAILED;
		queue_key(&place, from);
		if (store_move(part->store, to, from, NULL, 0, &error) == -1)
			break_off(part->tally, &error);
	}
	buffer_release(&scratch);
}

/* Also when a claimant took the cancelled line along and moved it on. */
static void
of_each_cancelled_task_one_is_told_that_he_has_cancelled_it(void)
{
	struct tally *tally;
	pid_t pids[4];
	int round, i;

	for (round = 0; round < 3; round++) {
		tally = begin();
		for (i = 0; i < 4; i++)
			pids[i] =
			    start(tally, i < 2 ? claim_any : cancel_any, i);
		for (i = 0; i < 4; i++)
			CHECK(ended_well(pids[i]));
		if (!CHECK(tally->cancelled == TASKS))
			printf("# %d of %d\n", tally->cancelled, TASKS);
		CHECK(queue_files("failed") == TASKS && tally->broken == 0);
		check_places();
		spool_end();
		munmap(tally, sizeof(*tally));
	}
}

int
main(void)
{
	RUN(no_task_is_lost_or_doubled_and_who_looks_finds_it);
	RUN(a_task_that_is_handed_round_is_found);
	RUN(of_each_cancelled_task_one_is_told_that_he_has_cancelled_it);
	return check_done();
}
