#include "net/call_tls.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "net/call.h"
#include "net/pem_file.h"

static const char *
key_of(const struct call_security *security)
{
	return security->key != NULL ? security->key : security->cert;
}

/* Who we are, for the servers that ask. */
static CURLcode
set_pair(CURL *handle, const char *cert, const char *key)
{
	CURLcode code = CURLE_OK;

	code |= curl_easy_setopt(handle, CURLOPT_SSLCERT, cert);
	code |= curl_easy_setopt(handle, CURLOPT_SSLKEY, key);
	/* Else the library would ask for one at the terminal. */
	code |= curl_easy_setopt(handle, CURLOPT_KEYPASSWD, "");
	return code;
}

static CURLcode
stop(CURL *handle, void *context, void *argument)
{
	(void)handle;
	(void)context;
	(void)argument;
	return CURLE_ABORTED_BY_CALLBACK;
}

/*
 * libcurl looks at them only when it has connected.  So it does, to the socket
 * of that name, and is stopped behind that, before it says a word.
 */
static CURLcode
rehearse(CURL *handle, const char *name, const char *cert, const char *key)
{
	CURLcode code = set_pair(handle, cert, key);

#define SET(option, value) \
	(code |= curl_easy_setopt(handle, CURLOPT_##option, (value)))
	SET(URL, "https://localhost/");
	SET(PROXY, "");
	SET(NOSIGNAL, 1L);
	SET(ABSTRACT_UNIX_SOCKET, name);
	/* Other libraries than OpenSSL do not have it: then nothing is found
	 * out here. */
	SET(SSL_CTX_FUNCTION, stop);
	/* Nobody is believed: what authorities there are need not be read. */
	SET(SSL_VERIFYPEER, 0L);
	SET(CAINFO, NULL);
	SET(CAPATH, NULL);
#undef SET
	return code == CURLE_OK ? curl_easy_perform(handle) : code;
}

/* A socket to connect to, at an abstract name that the kernel chooses. */
static int
listen_somewhere(char *name, size_t size, struct svc_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return svc_error_errno(error, "socket");
	if (bind(fd, (const void *)&address, sizeof(address.sun_family)) ==
		-1 ||
	    listen(fd, 1) == -1 ||
	    getsockname(fd, (void *)&address, &length) == -1) {
		(void)svc_error_errno(error, "socket");
		close(fd);
		return -1;
	}
	length -= (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1;
	snprintf(name, size, "%.*s", (int)length, address.sun_path + 1);
	return fd;
}

static int
check_pair(const char *cert, const char *key, struct svc_error *error)
{
	char name[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int fd = listen_somewhere(name, sizeof(name), error);
	CURL *handle;
	CURLcode code;

	if (fd == -1)
		return -1;
	handle = curl_easy_init();
	code = handle == NULL ? CURLE_OUT_OF_MEMORY
			      : rehearse(handle, name, cert, key);
	curl_easy_cleanup(handle);
	close(fd);
	if (code == CURLE_OUT_OF_MEMORY)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (code == CURLE_SSL_CERTPROBLEM)
		return svc_error_set(error, EX_DATAERR,
		    "%s: not the key of the certificate in '%.200s'", key,
		    cert);
	return 0;
}

static int
check_files(const struct call_security *security, struct svc_error *error)
{
	const char *key = key_of(security);

	if (security->ca_file != NULL &&
	    pem_file_check(security->ca_file, PEM_CERTIFICATE, error) == -1)
		return -1;
	if (security->cert != NULL &&
	    pem_file_check(security->cert, PEM_CERTIFICATE, error) == -1)
		return -1;
	if (key != NULL && pem_file_check(key, PEM_KEY, error) == -1)
		return -1;
	return security->cert == NULL ? 0
				      : check_pair(security->cert, key, error);
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
#undef SET
	if (security->cert != NULL)
		code |= set_pair(handle, security->cert, key_of(security));
	return code == CURLE_OK ? 0 : -1;
}
