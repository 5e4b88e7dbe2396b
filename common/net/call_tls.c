#include "net/call_tls.h"

#include <string.h>
#include <sysexits.h>

#include "net/call.h"
#include "net/pem_file.h"

static int
check_files(const struct call_security *security, struct svc_error *error)
{
	const char *key =
	    security->key != NULL ? security->key : security->cert;

	if (security->ca_file != NULL &&
	    pem_file_check(security->ca_file, PEM_CERTIFICATE, error) == -1)
		return -1;
	if (security->cert != NULL &&
	    pem_file_check(security->cert, PEM_CERTIFICATE, error) == -1)
		return -1;
	return key == NULL ? 0 : pem_file_check(key, PEM_KEY, error);
}

int
call_tls_open(struct call_tls *tls, const struct call_security *security,
    struct svc_error *error)
{
	memset(tls, 0, sizeof(*tls));
	tls->security = security;
	if (check_files(security, error) == -1)
		return -1;
	tls->sessions = curl_share_init();
	if (tls->sessions == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	/* Used by one thread alone: no locks. */
	curl_share_setopt(
	    tls->sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	return 0;
}

void
call_tls_close(struct call_tls *tls)
{
	if (tls->sessions != NULL)
		curl_share_cleanup(tls->sessions);
	tls->sessions = NULL;
}

int
call_tls_set_up(const struct call_tls *tls, CURL *handle)
{
	const struct call_security *security = tls->security;
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
	CURLcode code = CURLE_OK;

#define SET(option, value) \
	(code |= curl_easy_setopt(handle, CURLOPT_##option, (value)))
	SET(SHARE, tls->sessions);
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/*
	 * A directory that libcurl was built with would vouch beside the file,
	 * and keeps libcurl from reading a file only once for all connections.
	 */
	if (security->ca_file != NULL) {
		SET(CAINFO, security->ca_file);
		SET(CAPATH, NULL);
	} else if (info->cainfo != NULL) {
		SET(CAPATH, NULL);
	}
	if (security->cert != NULL) {
		SET(SSLCERT, security->cert);
		SET(SSLKEY,
		    security->key != NULL ? security->key : security->cert);
		/* Else the library would ask for one at the terminal. */
		SET(KEYPASSWD, "");
	}
#undef SET
	return code == CURLE_OK ? 0 : -1;
}
