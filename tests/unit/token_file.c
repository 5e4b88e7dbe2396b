/* What a file with a token may be like. */
#include "net/token_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"

/* What comes of a file with text: the token, or "". */
static int
read_text(const char *text, size_t length, struct buffer *token,
    struct svc_error *error)
{
	char path[] = "/tmp/token-test-XXXXXX";
	int fd = mkstemp(path), result;

	if (!CHECK(fd != -1) ||
	    !CHECK(write(fd, text, length) == (ssize_t)length))
		return -1;
	(void)close(fd);
	result = token_file_read(path, token, error);
	(void)unlink(path);
	return result;
}

static void
one_token_is_read_without_the_white_space_around_it(void)
{
	static const char *const texts[] = {
	    "aZ09-._~+/==", "aZ09-._~+/==\n", " \t\naZ09-._~+/==\r\n\n"};
	struct svc_error error;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buffer token = BUFFER_INIT;

		CHECK(
		    read_text(texts[i], strlen(texts[i]), &token, &error) == 0);
		CHECK_STRING(token.data, "aZ09-._~+/==");
		buffer_release(&token);
	}
}

static void
what_is_no_token_is_refused_and_never_quoted(void)
{
	static const struct {
		const char *text;
		size_t length;
		const char *says;
	} rows[] = {
	    {"", 0, "no token"},
	    {" \n\n", 3, "no token"},
	    {"secret one\n", 11, "byte 7"},
	    {"secret\r\nX: y\n", 13, "byte 7"},
	    {"secret\0more", 11, "byte 7"},
	    {"sec=ret", 7, "byte 5"},
	    {"=", 1, "byte 1"},
	    {"secr\xc3\xa9t", 7, "byte 5"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer token = BUFFER_INIT;
		struct svc_error error = {0, ""};

		CHECK(read_text(rows[i].text, rows[i].length, &token, &error) ==
		      -1);
		CHECK(error.code == EX_DATAERR);
		CHECK(strstr(error.message, rows[i].says) != NULL);
		CHECK(strstr(error.message, "sec") == NULL);
		CHECK(token.length == 0);
		buffer_release(&token);
	}
}

static void
a_token_of_the_greatest_length_is_read_and_a_longer_one_is_not(void)
{
	char text[TOKEN_LENGTH_MAX + 1];
	struct buffer token = BUFFER_INIT;
	struct svc_error error;

	memset(text, 'x', sizeof(text));
	CHECK(read_text(text, TOKEN_LENGTH_MAX, &token, &error) == 0);
	CHECK(token.length == TOKEN_LENGTH_MAX + 1);
	buffer_clear(&token);
	CHECK(read_text(text, TOKEN_LENGTH_MAX + 1, &token, &error) == -1);
	CHECK(strstr(error.message, "longer than") != NULL);
	buffer_release(&token);
}

static void
a_file_that_is_not_there_is_said_by_name(void)
{
	struct buffer token = BUFFER_INIT;
	struct svc_error error;

	CHECK(token_file_read("/nonexistent/token", &token, &error) == -1);
	CHECK(error.code == EX_NOINPUT);
	CHECK(strstr(error.message, "/nonexistent/token: ") != NULL);
	buffer_release(&token);
}

int
main(void)
{
	RUN(one_token_is_read_without_the_white_space_around_it);
	RUN(what_is_no_token_is_refused_and_never_quoted);
	RUN(a_token_of_the_greatest_length_is_read_and_a_longer_one_is_not);
	RUN(a_file_that_is_not_there_is_said_by_name);
	return check_done();
}
