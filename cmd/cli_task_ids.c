#include "cli_task_ids.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "line/json.h"
#include "line/reader.h"
#include "line/text.h"

#define QUOTED_MAX 60 /* bytes of a line in a message */

void
cli_task_ids_release(struct cli_task_ids *ids)
{
	while (ids->count > 0)
		free(ids->items[--ids->count]);
	free(ids->items);
	memset(ids, 0, sizeof(*ids));
}

void
cli_task_ids_add(struct cli_task_ids *ids, const char *id)
{
	size_t capacity = ids->capacity;
	char *copy = strdup(id), **items = ids->items;
	struct svc_error error;

	if (ids->count == capacity) {
		capacity = capacity == 0 ? 64 : 2 * capacity;
		items = reallocarray(items, capacity, sizeof(*items));
	}
	if (copy == NULL || items == NULL) {
		svc_error_set(&error, EX_OSERR, "out of memory");
		cli_fail(&error);
	}
	ids->items = items;
	ids->capacity = capacity;
	ids->items[ids->count++] = copy;
}

/* The line's id into name: its member "id", or the whole of it. */
static bool
read_id(const struct line *line, char name[NAME_MAX_LENGTH + 1])
{
	struct json_span text = {line->data, line->length};
	struct json_value value;

	if (line->too_long || line->has_nul)
		return false;
	if (line->length > 0 && line->data[0] == '{')
		return json_valid(line->data, line->length) &&
		       json_path(text, "id", &value) == 1 &&
		       json_string(&value, name, NAME_MAX_LENGTH + 1) != -1 &&
		       name_valid(name, strlen(name));
	if (!name_valid(line->data, line->length))
		return false;
	memcpy(name, line->data, line->length);
	name[line->length] = '\0';
	return true;
}

static int
read_stdin(struct cli_task_ids *ids)
{
	char name[NAME_MAX_LENGTH + 1];
	struct reader *reader;
	struct svc_error error;
	struct line line;
	int status = EX_OK, found;
	size_t cut;

	if (reader_open(
		&reader, STDIN_FILENO, "stdin", LINE_LENGTH_MAX, &error) == -1)
		cli_fail(&error);
	while ((found = reader_line(reader, &line, &error)) == 1) {
		if (read_id(&line, name)) {
			cli_task_ids_add(ids, name);
			continue;
		}
		status = EX_DATAERR;
		cut = text_cut(line.data, line.length, QUOTED_MAX);
		cli_warn_line("stdin:%lu: neither an id nor a JSON object with "
			      "one: '%.*s%s'",
		    line.number, (int)cut, line.data,
		    cut < line.length ? "..." : "");
	}
	if (found == -1)
		cli_fail(&error);
	reader_close(reader);
	return status;
}

int
cli_task_ids_read(const struct cli *cli, struct cli_task_ids *ids, int count,
    char *operands[])
{
	int status = EX_OK, i;

	for (i = 0; i < count; i++)
		if (strcmp(operands[i], "-") != 0)
			cli_check_name(cli, "task", operands[i]);
	for (i = 0; i < count; i++) {
		if (strcmp(operands[i], "-") == 0)
			status = cli_worse(status, read_stdin(ids));
		else
			cli_task_ids_add(ids, operands[i]);
	}
	return status;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
cli_task_ids_sort(struct cli_task_ids *ids)
{
	size_t i, kept = 0;

	if (ids->count == 0)
		return;
	qsort(ids->items, ids->count, sizeof(*ids->items), compare);
	for (i = 0; i < ids->count; i++) {
		if (kept > 0 &&
		    strcmp(ids->items[kept - 1], ids->items[i]) == 0)
			free(ids->items[i]);
		else
			ids->items[kept++] = ids->items[i];
	}
	ids->count = kept;
}

static char **
find(const struct cli_task_ids *ids, const char *id)
{
	return ids->count == 0 ? NULL
			       : bsearch(&id, ids->items, ids->count,
				     sizeof(*ids->items), compare);
}

bool
cli_task_ids_have(const struct cli_task_ids *ids, const char *id)
{
	return find(ids, id) != NULL;
}

bool
cli_task_ids_remove(struct cli_task_ids *ids, const char *id)
{
	char **item = find(ids, id);

	if (item == NULL)
		return false;
	free(*item);
	ids->count--;
	memmove(item, item + 1,
	    (size_t)(ids->items + ids->count - item) * sizeof(*item));
	return true;
}
