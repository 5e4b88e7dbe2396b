#include "net/call_target.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/instance.h"
#include "line/units.h"

/* The user that an instance's record names; 1, or 0: none such. */
static int
owner_uid(const char *owner, uid_t *uid)
{
	struct passwd entry, *found = NULL;
	char scratch[4096];
	long long number;

	if (integer_parse(owner, 0, (uid_t)-2, &number, NULL) == 0) {
		*uid = (uid_t)number;
		return 1;
	}
	if (getpwnam_r(owner, &entry, scratch, sizeof(scratch), &found) != 0 ||
	    found == NULL)
		return 0;
	*uid = found->pw_uid;
	return 1;
}

bool
call_target_trusted(const struct call_target *target,
    const struct sockaddr *address, uid_t *owner)
{
	const struct sockaddr_un *local = (const void *)address;
	struct stat status;

	if (stat(local->sun_path, &status) == -1)
		return true; /* connect(2) says it better */
	*owner = status.st_uid;
	return status.st_uid == 0 || status.st_uid == geteuid() ||
	       (target->owned && status.st_uid == target->owner);
}

/*
 * The URL is parsed once and kept: libcurl copies the parts for each request
 * for a fraction of what parsing costs.
 */
static int
set_url(
    struct call_target *target, const char *url, const struct address *address)
{
	CURLUcode code;

	target->tls = address->tls;
	if (!address->socket)
		return curl_url_set(target->url, CURLUPART_URL, url,
			   CURLU_DISALLOW_USER) == CURLUE_OK
			   ? 0
			   : -1;
	target->socket = strdup(address->host);
	if (target->socket == NULL)
		return -1;
	code = curl_url_set(target->url, CURLUPART_SCHEME, "http", 0);
	if (code == CURLUE_OK)
		code =
		    curl_url_set(target->url, CURLUPART_HOST, "localhost", 0);
	if (code == CURLUE_OK)
		code =
		    curl_url_set(target->url, CURLUPART_PATH, address->path, 0);
	return code == CURLUE_OK ? 0 : -1;
}

int
call_target_new(struct call_target **target, const char *url, const char *owner,
    struct svc_error *error)
{
	struct call_target *made;
	struct address address;

	*target = NULL;
	if (address_parse(url, &address, error) == -1) {
		if (error != NULL)
			error->code = EX_DATAERR;
		return -1;
	}
	made = calloc(1, sizeof(*made));
	if (made == NULL || (made->url = curl_url()) == NULL) {
		free(made);
		return svc_error_set(error, EX_OSERR, "out of memory");
	}
	if (set_url(made, url, &address) == -1) {
		call_target_release(made);
		return svc_error_set(error, EX_DATAERR,
		    "not an address of a service: '%.200s'", url);
	}
	/* The name service may block: asked only where the answer counts. */
	if (address.socket && owner != NULL)
		made->owned = owner_uid(owner, &made->owner);
	*target = made;
	return 0;
}

void
call_target_release(struct call_target *target)
{
	if (target == NULL)
		return;
	curl_url_cleanup(target->url);
	free(target->socket);
	free(target);
}
