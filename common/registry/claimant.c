#include "registry/claimant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/json.h"

/* "HOST-PID-RANDOM" behind "ID.N@" is to be the name of a file. */
#define HOST_MAX 64
/* Beats in a ttl: some may come late. */
#define BEATS	  3
#define DIRECTORY "tasks/claimants"

struct claimant {
	struct store *store;
	char host[HOST_MAX + 1];
	char name[NAME_MAX_LENGTH + 1];
	double ttl; /* 0: a lock */
	bool commands;
	double beaten; /* monotonic */
	struct store_hold *hold; /* of a lock */
};

static void
make_key(const char *name, char key[QUEUE_KEY_MAX])
{
	snprintf(key, QUEUE_KEY_MAX, DIRECTORY "/%s", name);
}

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_';
}

/* What may be part of a name of what a machine is called. */
static void
copy_host(char host[HOST_MAX + 1], const char *name)
{
	size_t i;

	snprintf(host, HOST_MAX + 1, "%s", name);
	for (i = 0; host[i] != '\0'; i++)
		if (!is_name_char(host[i]))
			host[i] = '-';
	if (!name_valid(host, strlen(host)))
		snprintf(host, HOST_MAX + 1, "localhost");
}

static void
make_name(struct claimant *claimant)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint32_t random = arc4random();
	char end[7];
	size_t i;

	for (i = 0; i < sizeof(end) - 1; i++) {
		end[i] = digits[random & 31];
		random >>= 5;
	}
	end[i] = '\0';
	snprintf(claimant->name, sizeof(claimant->name), "%s-%ld-%s",
	    claimant->host, (long)getpid(), end);
}

static int
put_record(struct claimant *claimant, struct svc_error *error)
{
	struct buffer record = BUFFER_INIT;
	char key[QUEUE_KEY_MAX];
	struct store_put put = {
	    .key = key,
	    .lease = claimant->ttl > 0 ? STORE_SOFT : STORE_LOCK,
	    .if_absent = true,
	};
	int result;

	make_name(claimant);
	make_key(claimant->name, key);
	buffer_append_format(&record,
	    "{\"claimant\":\"%s\",\"host\":\"%s\",\"pid\":%ld,%s\"lease\":",
	    claimant->name, claimant->host, (long)getpid(),
	    claimant->commands ? "\"commands\":true," : "");
	if (claimant->ttl > 0)
		buffer_append_format(
		    &record, "\"ttl\",\"ttl\":%g}\n", claimant->ttl);
	else
		buffer_append_string(&record, "\"lock\"}\n");
	put.value = record.data;
	put.length = record.length;
	claimant->beaten = time_monotonic();
	if (buffer_failed(&record))
		result = svc_error_set(error, EX_OSERR, "out of memory");
	else
		result = store_put(claimant->store, &put,
		    claimant->ttl > 0 ? NULL : &claimant->hold, error);
	buffer_release(&record);
	return result;
}

int
claimant_open(struct claimant **result, struct store *store,
    const struct claimant_options *options, struct svc_error *error)
{
	struct claimant *claimant = calloc(1, sizeof(*claimant));

	*result = NULL;
	if (claimant == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	claimant->store = store;
	copy_host(claimant->host, options->host);
	claimant->ttl = options->ttl;
	claimant->commands = options->commands;
	if (claimant->ttl <= 0 && !store_is_local(store))
		claimant->ttl = CLAIMANT_TTL;
	if (put_record(claimant, error) == -1) {
		free(claimant);
		return -1;
	}
	*result = claimant;
	return 0;
}

/* The record goes; of a lock with it. */
static void
remove_record(struct claimant *claimant)
{
	char key[QUEUE_KEY_MAX];

	make_key(claimant->name, key);
	/* One that stays is swept: nobody beats for it any more. */
	if (claimant->hold != NULL)
		(void)store_release(claimant->hold, NULL);
	else
		(void)store_delete(claimant->store, key, NULL, false, NULL);
	claimant->hold = NULL;
}

void
claimant_close(struct claimant *claimant)
{
	if (claimant == NULL)
		return;
	remove_record(claimant);
	free(claimant);
}

const char *
claimant_name(const struct claimant *claimant)
{
	return claimant->name;
}

double
claimant_interval(const struct claimant *claimant)
{
	return claimant->ttl / BEATS;
}

int
claimant_descriptor(const struct claimant *claimant)
{
	return claimant->hold == NULL ? -1
				      : store_hold_descriptor(claimant->hold);
}

/* 1; 0: it is lost; -1. */
static int
touch(struct claimant *claimant, struct svc_error *error)
{
	double now = time_monotonic();
	char key[QUEUE_KEY_MAX];
	int touched;

	if (claimant->hold != NULL)
		return store_hold_valid(claimant->hold, error);
	if (now - claimant->beaten > claimant->ttl)
		return 0;
	make_key(claimant->name, key);
	touched = store_touch(claimant->store, key, error);
	if (touched == 1)
		claimant->beaten = now;
	return touched;
}

int
claimant_beat(struct claimant *claimant, struct svc_error *error)
{
	int touched = touch(claimant, error);

	if (touched != 0)
		return touched;
	remove_record(claimant);
	return put_record(claimant, error);
}
