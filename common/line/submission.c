#include "line/submission.h"

#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "line/json.h"
#include "line/units.h"

/* Bytes of the hash in an id. */
#define UNIQUE_BYTES 16

/* Appends ,"NAME": where the line does not say it; false: it does. */
static bool
begin_member(const struct envelope *envelope, enum task_member member,
    struct buffer *out)
{
	if (envelope->members[member].span.data != NULL)
		return false;
	buffer_append_string(out, ",\"");
	buffer_append_string(out, task_member_name(member));
	buffer_append_string(out, "\":");
	return true;
}

static void
append_time(const struct envelope *envelope, enum task_member member,
    int64_t time, struct buffer *out)
{
	if (time == 0 || !begin_member(envelope, member, out))
		return;
	buffer_append_char(out, '"');
	time_append(out, time);
	buffer_append_char(out, '"');
}

static void
append_after(const struct envelope *envelope,
    const struct submission_options *options, struct buffer *out)
{
	size_t i;

	if (options->after_count == 0 ||
	    !begin_member(envelope, MEMBER_AFTER, out))
		return;
	for (i = 0; i < options->after_count; i++) {
		buffer_append_char(out, i == 0 ? '[' : ',');
		json_append_string(
		    out, options->after[i], strlen(options->after[i]));
	}
	buffer_append_char(out, ']');
}

static void
append_options(const struct envelope *envelope,
    const struct submission_options *options, struct buffer *out)
{
	if (options->service != NULL &&
	    begin_member(envelope, MEMBER_SERVICE, out))
		json_append_string(
		    out, options->service, strlen(options->service));
	if (options->has_priority &&
	    begin_member(envelope, MEMBER_PRIORITY, out))
		json_append_number(out, options->priority);
	append_after(envelope, options, out);
	append_time(envelope, MEMBER_NOT_BEFORE, options->not_before, out);
	append_time(envelope, MEMBER_DEADLINE, options->deadline, out);
	if (options->retries >= 0 &&
	    begin_member(envelope, MEMBER_RETRIES, out))
		json_append_number(out, options->retries);
}

/*
 * The members of the line, a comma before each.  One that is null says nothing
 * and goes: an option may say it, and nothing may stand twice.
 */
static void
append_members(const struct envelope *envelope, struct buffer *out)
{
	struct json_span whole = envelope->whole.span;
	const char *cursor = whole.data;
	struct json_member member;
	int which;

	while (json_next_member(whole, &cursor, &member) == 1) {
		which = task_member_find(&member);
		if (which == MEMBER_ID ||
		    (which != -1 && envelope->members[which].span.data == NULL))
			continue;
		buffer_append_string(out, ",\"");
		buffer_append(out, member.name.data, member.name.length);
		buffer_append_string(out, "\":");
		buffer_append(
		    out, member.value.span.data, member.value.span.length);
	}
}

static void
append_content(const struct envelope *envelope,
    const struct submission_options *options, struct buffer *out)
{
	if (envelope->wrapped) {
		buffer_append_string(out, ",\"task\":");
		buffer_append(
		    out, envelope->task.span.data, envelope->task.span.length);
	} else {
		append_members(envelope, out);
	}
	append_options(envelope, options, out);
	buffer_append_char(out, '}');
}

/* The id of content, which begins with a comma in place of its brace. */
static void
hash_content(const char *content, size_t length, char id[NAME_MAX_LENGTH + 1])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX context;
	size_t i;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)"{", 1);
	SHA256Update(&context, (const uint8_t *)content + 1, length - 1);
	SHA256Final(digest, &context);
	memcpy(id, "u-", 3);
	for (i = 0; i < UNIQUE_BYTES; i++)
		snprintf(id + 2 + 2 * i, 3, "%02x", digest[i]);
}

void
submission_write(const struct envelope *envelope,
    const struct submission_options *options, struct buffer *out,
    char id[NAME_MAX_LENGTH + 1])
{
	bool unique = envelope->made_id && options->unique;
	const char *known = envelope->id;
	size_t place;

	if (unique)
		known = "u-00000000000000000000000000000000";
	else if (envelope->made_id && options->id != NULL)
		known = options->id;
	memcpy(id, known, strlen(known) + 1);
	buffer_append_string(out, "{\"id\":\"");
	place = out->length;
	buffer_append_string(out, id);
	buffer_append_char(out, '"');
	append_content(envelope, options, out);
	if (unique && !buffer_failed(out)) {
		/* The content stands behind the id's place and its quote. */
		place += strlen(id) + 1;
		hash_content(out->data + place, out->length - place, id);
		place -= strlen(id) + 1;
		memcpy(out->data + place, id, strlen(id));
	}
	buffer_append_char(out, '\n');
}
