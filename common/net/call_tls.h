/*
 * Inside the call engine: TLS as struct call_security says, for each handle:
 * servers are verified, by name and by who vouches for them, from TLS 1.2 on,
 * and sessions are taken up again by whichever handle connects next.
 */
#ifndef SVCKIT_NET_CALL_TLS_H
#define SVCKIT_NET_CALL_TLS_H

#include <curl/curl.h>

#include "line/error.h"

struct call_security;

struct call_tls {
	const struct call_security *security; /* borrowed */
	CURLSH *sessions;
};

/*
 * Looks at the files that security names: what could not work should be told
 * once, not of each task.  EX_NOINPUT and its like: one cannot be read;
 * EX_DATAERR: it has not what it should have, the key wants a passphrase, or is
 * not the certificate's; EX_OSERR.
 */
int call_tls_open(struct call_tls *tls, const struct call_security *security,
    struct svc_error *error);

/* After all handles have been cleaned up; one that is all zero, too. */
void call_tls_close(struct call_tls *tls);

int call_tls_set_up(const struct call_tls *tls, CURL *handle);

#endif
