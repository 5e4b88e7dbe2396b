/*
 * Files of certificates and keys in PEM form (RFC 7468), looked at before they
 * are handed to a TLS library: whether they can be read, and have whole what
 * they are meant to have.
 */
#ifndef SVCKIT_NET_PEM_FILE_H
#define SVCKIT_NET_PEM_FILE_H

#include "line/error.h"

enum pem_kind {
	PEM_CERTIFICATE,
	PEM_KEY /* private, and not encrypted */
};

/*
 * 0 where the file at path has a block of the kind, and all of those are whole.
 * EX_DATAERR, or as svc_error_errno(); no message quotes the file.
 */
int pem_file_check(
    const char *path, enum pem_kind kind, struct svc_error *error);

#endif
