#include "registry/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sysexits.h>

#include "line/units.h"

#define ENTRY_SIZE 16384 /* of the user and group databases, bytes */
#define NUMBER_MAX 4294967294LL /* the next one means "leave it" */

static int
find_group(const char *name, gid_t *group, struct svc_error *error)
{
	char memory[ENTRY_SIZE];
	struct group entry, *found = NULL;
	long long number;

	if (getgrnam_r(name, &entry, memory, sizeof(memory), &found) == 0 &&
	    found != NULL) {
		*group = found->gr_gid;
		return 0;
	}
	if (integer_parse(name, 0, NUMBER_MAX, &number, NULL) == -1)
		return svc_error_set(error, EX_NOUSER, "no group '%s'", name);
	*group = (gid_t)number;
	return 0;
}

static int
find_user(const char *name, uid_t *user, gid_t *group, struct svc_error *error)
{
	char memory[ENTRY_SIZE];
	struct passwd entry, *found = NULL;
	long long number;

	if (getpwnam_r(name, &entry, memory, sizeof(memory), &found) != 0 ||
	    found == NULL) {
		if (integer_parse(name, 0, NUMBER_MAX, &number, NULL) == -1)
			return svc_error_set(
			    error, EX_NOUSER, "no user '%s'", name);
		*user = (uid_t)number;
		*group = (gid_t)number;
		(void)getpwuid_r(*user, &entry, memory, sizeof(memory), &found);
	}
	if (found != NULL) {
		*user = found->pw_uid;
		*group = found->pw_gid;
	}
	return 0;
}

int
owner_parse(
    const char *text, uid_t *user, gid_t *group, struct svc_error *error)
{
	size_t length = strcspn(text, ":");
	char name[256];

	if (length == 0 || length >= sizeof(name) ||
	    strcmp(text + length, ":") == 0)
		return svc_error_set(error, EX_USAGE,
		    "not an owner: '%.200s' (such as alice or alice:render)",
		    text);
	memcpy(name, text, length);
	name[length] = '\0';
	if (find_user(name, user, group, error) == -1)
		return -1;
	if (text[length] == '\0')
		return 0;
	return find_group(text + length + 1, group, error);
}
