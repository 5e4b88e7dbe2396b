/* Removing the record that was meant, and what happens in between. */
#include <sys/syscall.h>
#include <time.h>

#include "registry/handle.h"
#include "spool_fixture.h"

#define RECORD(id) "services/render/" id ".json"
#define MARKER(id) "services/render/" id ".drain"

/* What others do just before the count-th rename, counted from 1. */
static struct {
	int count;
	void (*act)(void);
} renames[2];
static int rename_count;

int
renameat2(int source_directory, const char *source, int target_directory,
    const char *target, unsigned int flags)
{
	size_t i;

	rename_count++;
	for (i = 0; i < 2; i++)
		if (renames[i].count == rename_count)
			renames[i].act();
	return (int)syscall(SYS_renameat2, source_directory, source,
	    target_directory, target, flags);
}

static void
before_rename(int slot, int count, void (*act)(void))
{
	renames[slot].count = count;
	renames[slot].act = act;
	rename_count = 0;
}

static struct registry *
begin(void)
{
	memset(renames, 0, sizeof(renames));
	spool_begin();
	return spool_open();
}

static void
end(struct registry *registry)
{
	registry_close(registry);
	spool_end();
}

static bool
exists(const char *key)
{
	return access(spool_path(key), F_OK) == 0;
}

static ino_t
inode_of(const char *key)
{
	struct stat st = {.st_ino = 0};

	CHECK(stat(spool_path(key), &st) == 0);
	return st.st_ino;
}

static void
add(struct registry *registry, const char *id)
{
	char record[128];

	snprintf(record, sizeof(record),
	    "{\"service\":\"render\",\"id\":\"%s\",\"address\":\"h:1\","
	    "\"lease\":\"ttl\",\"ttl\":30}",
	    id);
	CHECK(spool_register(registry, record) == 0);
}

static struct store_revision
revision_of(struct registry *registry, const char *key)
{
	struct buffer scratch = BUFFER_INIT;
	struct store_entry entry = {0};

	CHECK(store_get(registry->store, key, INSTANCE_RECORD_MAX, &scratch,
		  &entry, NULL) == 1);
	buffer_release(&scratch);
	return entry.revision;
}

static int
remove_exactly(struct registry *registry, const char *id,
    const struct store_revision *revision)
{
	struct removal removal = {.id = id, .if_revision = revision};

	registry_remove_batch(registry, "render", &removal, 1);
	return removal.result;
}

/* How many names there are but those of records, markers and the lock. */
static int
count_strays(void)
{
	char command[256];
	FILE *names;
	int count = 0, c;

	snprintf(command, sizeof(command),
	    "find '%s/services' -type f ! -name '*.json' ! -name '*.drain' "
	    "! -name .lock",
	    spool);
	names = popen(command, "r");
	while (names != NULL && (c = fgetc(names)) != EOF)
		count += c == '\n';
	CHECK(names != NULL && pclose(names) == 0);
	return count;
}

static void
the_record_that_was_meant_goes_with_its_marker(void)
{
	struct registry *registry = begin();
	struct store_revision revision;

	add(registry, "a");
	CHECK(registry_drain(registry, "render", "a", true, NULL) == 1);
	revision = revision_of(registry, RECORD("a"));
	CHECK(remove_exactly(registry, "a", &revision) == 1);
	CHECK(!exists(RECORD("a")) && !exists(MARKER("a")));
	CHECK(remove_exactly(registry, "a", &revision) == 0);
	end(registry);
}

static void
another_record_keeps_its_marker_and_only_it(void)
{
	struct registry *registry = begin();
	struct store_revision old;

	add(registry, "a");
	add(registry, "b");
	old = revision_of(registry, RECORD("a"));
	CHECK(unlink(spool_path(RECORD("a"))) == 0);
	add(registry, "a");
	CHECK(registry_drain(registry, "render", "a", true, NULL) == 1);
	CHECK(remove_exactly(registry, "a", &old) == 0);
	CHECK(exists(RECORD("a")) && exists(MARKER("a")));
	/* Nor is the marker of one that is gone anybody's business. */
	CHECK(unlink(spool_path(RECORD("a"))) == 0);
	CHECK(remove_exactly(registry, "a", &old) == 0);
	CHECK(exists(MARKER("a")) && exists(RECORD("b")));
	end(registry);
}

static void
beat(void)
{
	spool_set_time(RECORD("a"), time(NULL) + 5);
}

static void
make_another(void)
{
	spool_write(RECORD("a"), "another\n");
}

static void
what_beats_in_the_last_instant_is_put_back(void)
{
	struct registry *registry = begin();
	struct store_revision revision;
	ino_t inode;

	add(registry, "a");
	CHECK(registry_drain(registry, "render", "a", true, NULL) == 1);
	revision = revision_of(registry, RECORD("a"));
	inode = inode_of(RECORD("a"));
	before_rename(0, 1, beat);
	CHECK(remove_exactly(registry, "a", &revision) == 0);
	/* Taken away, and put back. */
	CHECK(rename_count == 2);
	CHECK(inode_of(RECORD("a")) == inode && exists(MARKER("a")));
	CHECK(count_strays() == 0);
	end(registry);
}

static void
what_was_made_in_its_place_stays(void)
{
	struct registry *registry = begin();
	struct store_revision revision;
	struct stat st;

	add(registry, "a");
	revision = revision_of(registry, RECORD("a"));
	before_rename(0, 1, beat);
	before_rename(1, 2, make_another);
	CHECK(remove_exactly(registry, "a", &revision) == 0);
	CHECK(rename_count == 2);
	CHECK(stat(spool_path(RECORD("a")), &st) == 0 && st.st_size == 8);
	CHECK(count_strays() == 0);
	end(registry);
}

static void
take_away(void)
{
	CHECK(unlink(spool_path(RECORD("a"))) == 0);
}

static void
what_goes_by_hand_in_between_is_gone(void)
{
	struct registry *registry = begin();
	struct store_revision revision;

	add(registry, "a");
	revision = revision_of(registry, RECORD("a"));
	before_rename(0, 1, take_away);
	CHECK(remove_exactly(registry, "a", &revision) == 0);
	CHECK(rename_count == 1 && !exists(RECORD("a")));
	CHECK(count_strays() == 0);
	end(registry);
}

int
main(void)
{
	RUN(the_record_that_was_meant_goes_with_its_marker);
	RUN(another_record_keeps_its_marker_and_only_it);
	RUN(what_beats_in_the_last_instant_is_put_back);
	RUN(what_was_made_in_its_place_stays);
	RUN(what_goes_by_hand_in_between_is_gone);
	return check_done();
}
