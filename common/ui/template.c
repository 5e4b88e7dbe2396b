/* Text with places for members: see template.h. */
#include "ui/template.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* A FORMAT taken apart. */
struct piece {
	char *text; /* owned: a member's path, or what is copied */
	bool member;
};

struct template
{
	struct piece *pieces;
	size_t count;
};

static int
add_piece(
    struct template *template, const char *text, size_t length, bool member)
{
	struct piece *grown;
	char *copy;

	grown = realloc(template->pieces,
	    (template->count + 1) * sizeof(*template->pieces));
	if (grown == NULL)
		return -1;
	template->pieces = grown;
	if ((copy = strndup(text, length)) == NULL)
		return -1;
	grown[template->count].text = copy;
	grown[template->count++].member = member;
	return 0;
}

/*
 * The character that the two at text stand for, a percent sign or a backslash
 * and another; -1 when there is none.
 */
static int
unescape(const char *text)
{
	if (text[0] == '%')
		return text[1] == '%' ? '%' : -1;
	switch (text[1]) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case '\\':
		return '\\';
	default:
		return -1;
	}
}

/* A run of text up to the next "%{" or the end; moves *text behind it. */
static int
parse_literal(
    struct template *template, const char **text, struct svc_error *error)
{
	struct buffer out = BUFFER_INIT;
	const char *p = *text;
	int c, result = -1;

	while (*p != '\0' && strncmp(p, "%{", 2) != 0) {
		if (*p != '%' && *p != '\\') {
			buffer_append_char(&out, *p++);
			continue;
		}
		if ((c = unescape(p)) == -1) {
			svc_error_set(error, EX_USAGE,
			    "FORMAT: '%.2s': only %%{member}, %%%%, \\t, \\n "
			    "and \\\\ are known",
			    p);
			goto out;
		}
		buffer_append_char(&out, (char)c);
		p += 2;
	}
	*text = p;
	if (out.length == 0)
		result = 0;
	else if (buffer_failed(&out) ||
		 add_piece(template, out.data, out.length, false) == -1)
		svc_error_set(error, EX_OSERR, "out of memory");
	else
		result = 0;
out:
	buffer_release(&out);
	return result;
}

static int
parse_member(
    struct template *template, const char **text, struct svc_error *error)
{
	const char *path = *text + 2, *end = strchr(path, '}');

	if (end == NULL)
		return svc_error_set(
		    error, EX_USAGE, "FORMAT: no '}' after '%s'", *text);
	if (end == path)
		return svc_error_set(error, EX_USAGE,
		    "FORMAT: '%%{}' names no member: write %%{address}");
	if (add_piece(template, path, (size_t)(end - path), true) == -1)
		return svc_error_set(error, EX_OSERR, "out of memory");
	*text = end + 1;
	return 0;
}

static int
parse_pieces(
    struct template *template, const char *text, struct svc_error *error)
{
	while (*text != '\0') {
		if (parse_literal(template, &text, error) == -1)
			return -1;
		if (*text != '\0' && parse_member(template, &text, error) == -1)
			return -1;
	}
	return 0;
}

bool
template_wanted(const char *text)
{
	return strstr(text, "%{") != NULL;
}

int
template_parse(
    struct template **template, const char *text, struct svc_error *error)
{
	if ((*template = calloc(1, sizeof(**template))) == NULL)
		return svc_error_set(error, EX_OSERR, "out of memory");
	if (parse_pieces(*template, text, error) == -1) {
		template_free(*template);
		*template = NULL;
		return -1;
	}
	return 0;
}

void
template_free(struct template *template)
{
	size_t i;

	if (template == NULL)
		return;
	for (i = 0; i < template->count; i++)
		free(template->pieces[i].text);
	free(template->pieces);
	free(template);
}

void
template_append(const struct template *template, template_member_fn member,
    const void *argument, struct buffer *out)
{
	size_t start = out->length, i;

	for (i = 0; i < template->count; i++) {
		if (template->pieces[i].member)
			member(argument, template->pieces[i].text, out);
		else
			buffer_append_string(out, template->pieces[i].text);
	}
	if (out->length == start || out->data[out->length - 1] != '\n')
		buffer_append_char(out, '\n');
}

static int
refuse_name(const char *const *names, size_t count, const char *name,
    struct svc_error *error)
{
	struct buffer list = BUFFER_INIT;
	size_t i;

	for (i = 0; i < count; i++)
		buffer_append_format(&list, "%s, ", names[i]);
	if (buffer_string(&list) == NULL)
		svc_error_set(error, EX_OSERR, "out of memory");
	else
		svc_error_set(error, EX_USAGE,
		    "not an output: '%s': %sor a FORMAT with %%{member}", name,
		    list.data);
	buffer_release(&list);
	return -1;
}

int
template_choose(const char *const *names, size_t count, const char *name,
    struct template **template, struct svc_error *error)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (name == NULL || strcmp(name, names[i]) == 0)
			return (int)i;
	if (!template_wanted(name))
		return refuse_name(names, count, name, error);
	return template_parse(template, name, error) == -1 ? -1 : (int)count;
}
