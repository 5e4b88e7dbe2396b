#include "cli_payload.h"

#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/base64.h"
#include "line/json.h"
#include "line/result.h"
#include "line/text.h"

static void
out_of_memory(void)
{
	struct svc_error error;

	svc_error_set(&error, EX_OSERR, "out of memory");
	cli_fail(&error);
}

/* All of a file, at most limit bytes of it and one more. */
static void
read_file(const char *path, size_t limit, struct buffer *out)
{
	struct svc_error error;
	size_t want = 64UL * 1024;
	ssize_t count = 1;
	char *room;
	int fd;

	fd = strcmp(path, "-") == 0 ? STDIN_FILENO
				    : open(path, O_RDONLY | O_CLOEXEC);
	while (fd != -1 && count > 0 && out->length <= limit) {
		room = buffer_reserve(out, want);
		if (room == NULL)
			out_of_memory();
		count = read(fd, room, want);
		if (count > 0)
			out->length += (size_t)count;
	}
	if (fd == -1 || count == -1) {
		svc_error_errno(&error, "--data: %s", path);
		cli_fail(&error);
	}
	if (fd != STDIN_FILENO)
		close(fd);
}

static void
append_json(const struct cli *cli, struct json_span text, struct buffer *line)
{
	struct json_document document = {0};
	struct svc_error error;

	if (json_scan(&document, text.data, text.length, &error) == -1)
		cli_refuse(cli, 'd',
		    "not JSON: %s; with --text it is text, and with a header "
		    "Content-Type of another type it is sent as it is",
		    error.message);
	json_append_line(line, document.value.span);
	json_document_release(&document);
}

bool
cli_payload_read(const struct cli *cli, const struct cli_payload *payload,
    struct buffer *line)
{
	struct json_span text = {payload->data, strlen(payload->data)};
	bool base64 =
	    !payload->text && !media_type_is_json(payload->content_type);
	struct buffer file = BUFFER_INIT;
	struct svc_error error;

	if (*payload->data == '@') {
		read_file(payload->data + 1, payload->limit, &file);
		text.data = file.length == 0 ? "" : file.data;
		text.length = file.length;
	}
	if (text.length > payload->limit) {
		svc_error_set(&error, EX_DATAERR,
		    "--data: larger than --max-task (%zu bytes)",
		    payload->limit);
		cli_fail(&error);
	}
	if (payload->text && !text_valid(text.data, text.length)) {
		svc_error_set(&error, EX_DATAERR,
		    "--data: not UTF-8; with a header Content-Type of its "
		    "type, and without --text, it is sent as it is");
		cli_fail(&error);
	}
	if (payload->text) {
		json_append_string(line, text.data, text.length);
	} else if (base64) {
		buffer_append_char(line, '"');
		base64_encode(line, text.data, text.length);
		buffer_append_char(line, '"');
	} else {
		append_json(cli, text, line);
	}
	buffer_release(&file);
	if (buffer_failed(line))
		out_of_memory();
	return base64;
}
