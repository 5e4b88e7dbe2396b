#include "net/hosts.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define BLANK " \t\r"

void
hosts_init(struct hosts *hosts, const char *file)
{
	memset(hosts, 0, sizeof(*hosts));
	hosts->file = file;
}

void
hosts_release(struct hosts *hosts)
{
	buffer_release(&hosts->text);
}

static void
read_all(struct hosts *hosts, int descriptor)
{
	ssize_t got = 1;

	while (got > 0 && hosts->text.length < HOSTS_MAX) {
		char *room = buffer_reserve(&hosts->text, 16384);

		if (room == NULL)
			return;
		got = read(descriptor, room, 16384);
		if (got > 0)
			hosts->text.length += (size_t)got;
	}
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* As for the system's own resolver, what cannot be read says nothing. */
static void
refresh(struct hosts *hosts)
{
	struct stat status;
	int descriptor;

	if (stat(hosts->file, &status) == 0 && is_same(&status, &hosts->read))
		return;
	memset(&hosts->read, 0, sizeof(hosts->read));
	buffer_clear(&hosts->text);
	descriptor = open(hosts->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (descriptor == -1)
		return;
	if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
		read_all(hosts, descriptor);
		hosts->read = status;
	}
	(void)close(descriptor);
}

/* The next word of a line: 1; 0: there is none. */
static int
next_word(char **rest, char **word)
{
	char *start = *rest + strspn(*rest, BLANK);
	size_t length = strcspn(start, BLANK);

	if (length == 0)
		return 0;
	*word = start;
	*rest = start + length;
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return 1;
}

/* A line "ADDRESS NAME ...". */
static void
read_line(char *line, const char *host, struct resolved *resolved)
{
	char *address, *name;

	line[strcspn(line, "#")] = '\0';
	if (next_word(&line, &address) == 0)
		return;
	while (next_word(&line, &name) == 1) {
		if (strcasecmp(name, host) != 0)
			continue;
		(void)resolved_add_numeric(resolved, address);
		return;
	}
}

void
hosts_find(struct hosts *hosts, const char *host, struct resolved *resolved)
{
	const char *text, *end, *newline;
	char line[1024];

	refresh(hosts);
	text = hosts->text.data;
	end = text + hosts->text.length;
	for (; text < end; text = newline + (newline < end)) {
		size_t length;

		newline = memchr(text, '\n', (size_t)(end - text));
		if (newline == NULL)
			newline = end;
		length = (size_t)(newline - text);
		/* Longer ones are lists of what is blocked. */
		if (length >= sizeof(line))
			continue;
		memcpy(line, text, length);
		line[length] = '\0';
		read_line(line, host, resolved);
	}
}
