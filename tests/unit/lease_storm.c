/*
 * Eight processes fight for one id: they register it by a lock lease, replace
 * it, die of SIGKILL, and remove it, also by hand, thousands of times, while a
 * ninth reads.  What must hold is kept in shared memory: the token of the one
 * process that holds the id.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "registry/registry.h"

#define PROCESSES 8
#define ROUNDS	  800 /* of each process */
#define ENOUGH	  8 /* failures that need no more proof */
#define RECORD	  "services/render/one.json"
#define VERIFIED  (1L << 40) /* of a holder: its record was seen */

struct shared {
	_Atomic long holder; /* token; 0: nobody */
	_Atomic long by_hand[PROCESSES]; /* whose record was removed so last */
	_Atomic int removing; /* somebody removes by hand at the moment */
	_Atomic int two_holders;
	_Atomic int replaced_alive;
	_Atomic int broken; /* what a reader should never see */
	_Atomic int errors; /* neither registered nor refused */
	_Atomic int held, refused, killed, removed, released, soft;
	_Atomic int rounds[PROCESSES];
	_Atomic bool over;
};

static struct shared *shared;
static char directory[] = "/tmp/svckit-storm.XXXXXX";

static void
complain(const char *what, const struct svc_error *error)
{
	fprintf(stderr, "# %s: %s\n", what, error->message);
	shared->errors++;
}

static struct registry *
open_registry(void)
{
	struct registry *registry;
	struct svc_error error;

	if (registry_open(&registry, directory, true, &error) == -1) {
		complain("open", &error);
		_exit(1);
	}
	return registry;
}

static void
make_instance(struct instance *instance, long token, const char *lease)
{
	char record[256];

	snprintf(record, sizeof(record),
	    "{\"service\":\"render\",\"id\":\"one\",\"address\":\"a:1\","
	    "%s\"meta\":{\"token\":%ld}}",
	    lease, token);
	if (instance_parse(instance, record, strlen(record), NULL) == -1)
		_exit(1);
}

static void
disclaim(long token)
{
	long verified = token | VERIFIED;

	if (!atomic_compare_exchange_strong(&shared->holder, &token, 0))
		atomic_compare_exchange_strong(&shared->holder, &verified, 0);
}

/*
 * While nobody removed it by hand, the record of a living holder stays where it
 * is: whether it does.  Who removes says so before, and whose it was before it
 * says that it is done; so once nobody removes, what is gone was replaced.
 */
static bool
is_alive(struct registry_hold *hold, long token)
{
	bool settled;

	for (;;) {
		if (registry_hold_beat(hold, NULL) == 1)
			return true;
		settled = shared->removing == 0;
		if (shared->by_hand[(token - 1) % PROCESSES] == token)
			return false;
		if (settled)
			break;
		sched_yield();
	}
	shared->replaced_alive++;
	return false;
}

/* Whether other, which was seen to hold the id, still does.  A removal by hand
 * that came before our registration has ended, or is counted. */
static bool
is_holding(long other)
{
	return (other & VERIFIED) != 0 && shared->removing == 0 &&
	       shared->holder == other;
}

/* Becomes the holder for all to see; false when its record is gone by hand. */
static bool
claim(struct registry_hold *hold, long token)
{
	long other;

	for (;;) {
		other = 0;
		if (atomic_compare_exchange_strong(
			&shared->holder, &other, token))
			break;
		if (is_holding(other)) {
			if (!is_alive(hold, token))
				return false;
			if (is_holding(other)) {
				shared->two_holders++;
				return false;
			}
		}
		sched_yield();
	}
	other = token;
	if (is_alive(hold, token) &&
	    atomic_compare_exchange_strong(
		&shared->holder, &other, token | VERIFIED))
		return true;
	disclaim(token);
	return false;
}

/* Tokens of a process grow; a slow remover of an earlier one comes too late. */
static void
note_by_hand(long owner)
{
	_Atomic long *last = &shared->by_hand[(owner - 1) % PROCESSES];
	long seen = *last;

	while (
	    seen < owner && !atomic_compare_exchange_strong(last, &seen, owner))
		continue;
}

/* As an administrator would, but so that the holder is known: aside first. */
static void
remove_by_hand(long token)
{
	char aside[sizeof(directory) + 64], name[sizeof(directory) + 64];
	char record[256];
	const char *found;
	long owner;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s/" RECORD, directory);
	snprintf(aside, sizeof(aside), "%s/removed.%ld", directory, token);
	shared->removing++;
	if (rename(name, aside) == 0) {
		fd = open(aside, O_RDONLY);
		n = fd == -1 ? -1 : read(fd, record, sizeof(record) - 1);
		record[n < 0 ? 0 : n] = '\0';
		found = strstr(record, "\"token\":");
		if (found != NULL) {
			owner = strtol(found + 8, NULL, 10);
			note_by_hand(owner);
			disclaim(owner);
		}
		close(fd);
		unlink(aside);
		shared->removed++;
	}
	shared->removing--;
}

static void
hold_once(struct registry *registry, long token, unsigned choice)
{
	struct registration registration = {0};
	struct registry_hold *hold;
	struct instance instance;
	struct svc_error error;

	make_instance(&instance, token, "");
	registration.instance = &instance;
	if (registry_hold(registry, &registration, &hold, &error) == -1) {
		if (error.code == EX_TEMPFAIL)
			shared->refused++;
		else
			complain("hold", &error);
		instance_release(&instance);
		return;
	}
	shared->held++;
	if (claim(hold, token))
		is_alive(hold, token);
	if (choice % 2 == 0) {
		disclaim(token);
		shared->killed++;
		raise(SIGKILL);
	}
	disclaim(token);
	if (registry_hold_release(hold, &error) == -1)
		complain("release", &error);
	shared->released++;
	instance_release(&instance);
}

static void
register_soft(struct registry *registry, long token)
{
	struct registration registration = {0};
	struct instance instance;
	struct svc_error error;

	make_instance(&instance, token, "\"lease\":\"ttl\",\"ttl\":60,");
	registration.instance = &instance;
	if (registry_register(registry, &registration, &error) == 0)
		shared->soft++;
	else if (error.code == EX_TEMPFAIL)
		shared->refused++;
	else
		complain("register", &error);
	instance_release(&instance);
}

static void
fight(int number)
{
	struct registry *registry = open_registry();
	unsigned choice;
	long token;

	while (shared->rounds[number] < ROUNDS &&
	       shared->two_holders + shared->replaced_alive < ENOUGH) {
		shared->rounds[number]++;
		choice = arc4random();
		token = (long)shared->rounds[number] * PROCESSES + number + 1;
		switch (choice / 16 % 8) {
		case 0:
			remove_by_hand(token);
			break;
		case 1:
			register_soft(registry, token);
			break;
		default:
			hold_once(registry, token, choice);
			break;
		}
	}
	registry_close(registry);
	_exit(0);
}

static void
note_broken(void *argument, const char *message)
{
	(void)argument;
	fprintf(stderr, "# reader: %s\n", message);
	shared->broken++;
}

/* All that is ever listed is the one id, whole. */
static void
read_along(void)
{
	struct instance_list list = INSTANCE_LIST_INIT;
	struct registry *registry = open_registry();

	registry_set_warn(registry, note_broken, NULL);
	while (!shared->over) {
		if (registry_list(registry, NULL, &list, NULL) == -1 ||
		    list.count > 1 ||
		    (list.count == 1 && strcmp(list.items[0].id, "one") != 0))
			shared->broken++;
		instance_list_release(&list);
	}
	registry_close(registry);
	_exit(0);
}

static pid_t
start(void (*function)(int), int number)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		function(number);
	return pid;
}

static void
start_reader(int number)
{
	(void)number;
	read_along();
}

/* Who killed himself comes back, until all have had their rounds. */
static void
supervise(void)
{
	pid_t pids[PROCESSES], pid, reader;
	int running = PROCESSES;
	int status, i;

	reader = start(start_reader, 0);
	for (i = 0; i < PROCESSES; i++)
		pids[i] = start(fight, i);
	while (running > 0) {
		pid = waitpid(-1, &status, 0);
		for (i = 0; i < PROCESSES && pids[i] != pid; i++)
			continue;
		if (i == PROCESSES)
			break;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
			pids[i] = start(fight, i);
			continue;
		}
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			shared->errors++;
		running--;
	}
	shared->over = true;
	waitpid(reader, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		shared->errors++;
}

static void
of_eight_processes_at_most_one_holds_an_id(void)
{
	CHECK(shared->two_holders == 0);
	CHECK(shared->errors == 0);
	/* It was a storm. */
	CHECK(shared->held > PROCESSES * ROUNDS / 50);
	CHECK(shared->refused > 0 && shared->killed > 0);
	CHECK(shared->removed > 0 && shared->soft > 0 && shared->released > 0);
	printf("# held %d, refused %d, killed %d, removed by hand %d, "
	       "released %d, ttl %d\n",
	    shared->held, shared->refused, shared->killed, shared->removed,
	    shared->released, shared->soft);
}

static void
no_record_is_replaced_under_a_living_holder(void)
{
	CHECK(shared->replaced_alive == 0);
}

static void
a_reader_sees_whole_records_only(void)
{
	CHECK(shared->broken == 0);
}

static void
an_id_is_free_when_all_are_gone(void)
{
	struct registry *registry = open_registry();
	struct registration registration = {0};
	struct registry_hold *hold = NULL;
	struct instance instance;
	struct svc_error error;

	remove_by_hand(1);
	make_instance(&instance, 1, "");
	registration.instance = &instance;
	CHECK(registry_hold(registry, &registration, &hold, &error) == 0);
	CHECK(hold != NULL && registry_hold_release(hold, &error) == 0);
	instance_release(&instance);
	registry_close(registry);
}

static void
remove_tree(void)
{
	char command[sizeof(directory) + 16];
	pid_t pid = fork();

	snprintf(command, sizeof(command), "%s", directory);
	if (pid == 0) {
		execlp("rm", "rm", "-rf", command, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

int
main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || mkdtemp(directory) == NULL)
		return 1;
	supervise();
	RUN(of_eight_processes_at_most_one_holds_an_id);
	RUN(no_record_is_replaced_under_a_living_holder);
	RUN(a_reader_sees_whole_records_only);
	RUN(an_id_is_free_when_all_are_gone);
	remove_tree();
	return check_done();
}
