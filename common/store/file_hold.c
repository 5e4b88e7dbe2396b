#include "store/file_hold.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "store/file_directory.h"
#include "store/file_lock.h"
#include "store/file_move.h"

struct file_hold {
	struct store_hold hold;
	int descriptor;
	/* What it replaced last, -1: nothing.  A reader that opened that before
	 * its name led elsewhere must still find it locked. */
	int previous;
	char *key;
};

int
file_hold_new(struct file_store *store, const char *key, struct file_temp *temp,
    struct store_hold **result, struct svc_error *error)
{
	struct file_hold *hold = calloc(1, sizeof(*hold));

	if (hold == NULL || (hold->key = strdup(key)) == NULL) {
		svc_error_errno(error, "%s", key);
		file_remove_exact(
		    temp->directory, file_leaf(key), temp->descriptor);
		free(hold);
		return -1;
	}
	hold->hold.store = &store->store;
	hold->descriptor = temp->descriptor;
	hold->previous = -1;
	temp->descriptor = -1;
	*result = &hold->hold;
	return 0;
}

/* Puts the locked file temp in the place of the held one. */
static int
put_instead(struct file_hold *hold, struct file_temp *temp, const char *leaf,
    const char *value, size_t length, struct svc_error *error)
{
	int swapped;

	if (file_lock_lease(temp->descriptor) == -1 ||
	    file_temp_fill(temp, value, length) == -1)
		return svc_error_errno(error, "%s: cannot write", hold->key);
	swapped = file_temp_replace(temp, leaf, hold->descriptor);
	if (swapped == -1)
		return svc_error_errno(error, "%s", hold->key);
	if (swapped == 0)
		return svc_error_set(error, EX_TEMPFAIL,
		    "%s: removed or replaced meanwhile", hold->key);
	if (hold->previous != -1)
		close(hold->previous);
	hold->previous = hold->descriptor;
	hold->descriptor = temp->descriptor;
	temp->descriptor = -1;
	return 0;
}

int
file_hold_put(struct store_hold *base, const char *value, size_t length,
    struct svc_error *error)
{
	struct file_hold *hold = (struct file_hold *)base;
	struct file_store *store = (struct file_store *)base->store;
	struct file_location location;
	struct file_temp temp;
	int status;

	status = file_locate(store, hold->key, false, &location, error);
	if (status == 0)
		return svc_error_set(
		    error, EX_TEMPFAIL, "%s: removed meanwhile", hold->key);
	if (status == -1)
		return -1;
	if (file_temp_open(&temp, location.directory, true) == -1)
		status = svc_error_errno(error, "%s: cannot write", hold->key);
	else
		status = put_instead(
		    hold, &temp, location.leaf, value, length, error);
	file_temp_close(&temp);
	file_location_release(&location);
	return status;
}

int
file_hold_valid(struct store_hold *base, struct svc_error *error)
{
	struct file_hold *hold = (struct file_hold *)base;
	struct file_location location;
	int status;

	status = file_locate((struct file_store *)base->store, hold->key, false,
	    &location, error);
	if (status != 1)
		return status;
	status =
	    file_leads_to(location.directory, location.leaf, hold->descriptor);
	file_location_release(&location);
	return status;
}

int
file_hold_release(struct store_hold *base, struct svc_error *error)
{
	struct file_hold *hold = (struct file_hold *)base;
	struct file_location location;
	int status;

	status = file_locate((struct file_store *)base->store, hold->key, false,
	    &location, error);
	if (status == 1) {
		if (file_remove_exact(location.directory, location.leaf,
			hold->descriptor) == -1)
			status = svc_error_errno(
			    error, "%s: cannot remove", hold->key);
		file_location_release(&location);
	}
	file_hold_abandon(base);
	return status == -1 ? -1 : 0;
}

int
file_hold_descriptor(const struct store_hold *base)
{
	return ((const struct file_hold *)base)->descriptor;
}

void
file_hold_abandon(struct store_hold *base)
{
	struct file_hold *hold = (struct file_hold *)base;

	if (hold->previous != -1)
		close(hold->previous);
	close(hold->descriptor);
	free(hold->key);
	free(hold);
}
