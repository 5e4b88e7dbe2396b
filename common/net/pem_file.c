#include "net/pem_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/base64.h"
#include "line/buffer.h"

#define FILE_MAX  (16UL * 1024 * 1024)
#define BEGIN	  "-----BEGIN "
#define END	  "-----END "
#define DASHES	  "-----"
#define ENCRYPTED "ENCRYPTED"

static const char *const kind_names[] = {
    [PEM_CERTIFICATE] = "certificate",
    [PEM_KEY] = "private key",
};

/* One block of the file, between its marks. */
struct block {
	const char *label;
	size_t label_length;
	const char *text;
	size_t length;
};

/*
 * 1 with the first block behind text; 0: there is none; -1: it has no end.  It
 * is found as TLS libraries find it: text around blocks does not matter.
 */
static int
next_block(const char *text, struct block *block, const char **after)
{
	const char *end;

	block->label = strstr(text, BEGIN);
	if (block->label == NULL)
		return 0;
	block->label += sizeof(BEGIN) - 1;
	end = strstr(block->label, DASHES);
	if (end == NULL)
		return -1;
	block->label_length = (size_t)(end - block->label);
	block->text = end + sizeof(DASHES) - 1;
	end = strstr(block->text, END);
	if (end == NULL)
		return -1;
	block->length = (size_t)(end - block->text);
	end += sizeof(END) - 1;
	if (strncmp(end, block->label, block->label_length) != 0 ||
	    strncmp(end + block->label_length, DASHES, sizeof(DASHES) - 1) != 0)
		return -1;
	*after = end;
	return 1;
}

static bool
is_kind(const struct block *block, enum pem_kind kind)
{
	const char *word = kind == PEM_KEY ? "PRIVATE KEY" : "CERTIFICATE";
	size_t length = strlen(word);

	/* "RSA PRIVATE KEY", "TRUSTED CERTIFICATE" */
	return block->label_length >= length &&
	       memcmp(block->label + block->label_length - length, word,
		   length) == 0;
}

static bool
is_encrypted(const struct block *block)
{
	return memmem(block->label, block->label_length, ENCRYPTED,
		   sizeof(ENCRYPTED) - 1) != NULL ||
	       memmem(block->text, block->length, ENCRYPTED,
		   sizeof(ENCRYPTED) - 1) != NULL;
}

/*
 * Whether data is one whole sequence of DER (X.690), which certificates and
 * keys are: its length says where a cut one was cut.
 */
static bool
is_sequence(const unsigned char *data, size_t length)
{
	size_t size, digits, i;

	if (length < 2 || data[0] != 0x30)
		return false;
	if (data[1] < 0x80)
		return length - 2 >= data[1];
	digits = data[1] & 0x7fU;
	if (digits == 0 || digits > 4 || length < 2 + digits)
		return false;
	for (i = size = 0; i < digits; i++)
		size = size << 8 | data[2 + i];
	return length - 2 - digits >= size;
}

/* Whether what stands in a block is whole; false without memory, too. */
static bool
is_whole(const struct block *block)
{
	struct buffer text = BUFFER_INIT, data = BUFFER_INIT;
	bool whole = false;
	size_t i;

	for (i = 0; i < block->length; i++)
		if (strchr(" \t\r\n", block->text[i]) == NULL)
			buffer_append_char(&text, block->text[i]);
	if (!buffer_failed(&text) && text.length > 0 &&
	    base64_decode(&data, text.data, text.length) == 0)
		whole = is_sequence((const void *)data.data, data.length);
	if (data.data != NULL)
		explicit_bzero(data.data, data.length);
	if (text.data != NULL)
		explicit_bzero(text.data, text.length);
	buffer_release(&data);
	buffer_release(&text);
	return whole;
}

static int
check_text(const char *path, const char *text, enum pem_kind kind,
    struct svc_error *error)
{
	const char *name = kind_names[kind];
	struct block block;
	int found, count = 0;

	while ((found = next_block(text, &block, &text)) == 1) {
		if (!is_kind(&block, kind))
			continue;
		/* The TLS library would ask at the terminal, each time. */
		if (kind == PEM_KEY && is_encrypted(&block))
			return svc_error_set(error, EX_DATAERR,
			    "%s: an encrypted private key (nobody is asked for "
			    "its passphrase: decrypt it, with openssl pkey)",
			    path);
		if (!is_whole(&block))
			return svc_error_set(
			    error, EX_DATAERR, "%s: a broken %s", path, name);
		count++;
	}
	if (found == -1)
		return svc_error_set(
		    error, EX_DATAERR, "%s: PEM that is cut off", path);
	if (count == 0)
		return svc_error_set(error, EX_DATAERR,
		    "%s: no %s in PEM form (%s%s-----)", path, name, BEGIN,
		    kind == PEM_KEY ? "PRIVATE KEY" : "CERTIFICATE");
	return 0;
}

/*
 * All of the file, as a string.  TLS libraries open it by its name again for
 * each connection: a pipe would be empty by then.
 */
static int
read_text(
    int fd, const char *path, struct buffer *text, struct svc_error *error)
{
	struct stat status;
	ssize_t count;
	char *room;

	if (fstat(fd, &status) == -1)
		return svc_error_errno(error, "%s", path);
	if (!S_ISREG(status.st_mode))
		return svc_error_set(error, EX_DATAERR,
		    "%s: not a regular file (it is read for each connection)",
		    path);
	if ((size_t)status.st_size > FILE_MAX)
		return svc_error_set(error, EX_DATAERR,
		    "%s: larger than %lu MiB", path, FILE_MAX >> 20);
	for (;;) {
		room = buffer_reserve(text, 64UL * 1024);
		if (room == NULL)
			return svc_error_set(error, EX_OSERR, "out of memory");
		count = read(fd, room, 64UL * 1024);
		if (count <= 0)
			break;
		text->length += (size_t)count;
	}
	return count == -1 ? svc_error_errno(error, "%s", path) : 0;
}

int
pem_file_check(const char *path, enum pem_kind kind, struct svc_error *error)
{
	struct buffer text = BUFFER_INIT;
	const char *string;
	int fd, result = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1) {
		(void)svc_error_errno(error, "%s", path);
		goto out;
	}
	if (read_text(fd, path, &text, error) == -1)
		goto out;
	string = buffer_string(&text);
	if (string == NULL)
		(void)svc_error_set(error, EX_OSERR, "out of memory");
	else
		result = check_text(path, string, kind, error);
out:
	if (fd != -1)
		close(fd);
	if (text.data != NULL)
		explicit_bzero(text.data, text.length);
	buffer_release(&text);
	return result;
}
