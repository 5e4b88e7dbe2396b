#include "net/call_permit.h"

#include <stdio.h>
#include <sys/socket.h>

#include "net/call.h"
#include "net/call_target.h"

static bool
deny(struct call_permit *permit, enum call_denial denial,
    enum address_class kind)
{
	if (permit->denial == DENIED_NOT) {
		permit->denial = denial;
		permit->kind = kind;
	}
	return false;
}

bool
call_permit_begin(
    struct call_permit *permit, const struct call_security *security, bool told)
{
	permit->denial = DENIED_NOT;
	permit->granted = false;
	if (security->token != NULL && !told)
		return deny(permit, DENIED_UNTOLD, ADDRESS_LOCAL);
	return true;
}

/* Over TLS, and where nobody else listens, a token may go. */
static bool
discloses(const struct call_security *security,
    const struct call_target *target, enum address_class kind)
{
	return security->token != NULL && !target->tls &&
	       kind != ADDRESS_LOOPBACK && kind != ADDRESS_LOCAL;
}

bool
call_permit_connect(struct call_permit *permit,
    const struct call_security *security, const struct call_target *target,
    const struct sockaddr *address)
{
	enum address_class kind = address_class(address);

	if (security->deny_private && kind != ADDRESS_PUBLIC)
		return deny(permit, DENIED_PRIVATE, kind);
	if (discloses(security, target, kind))
		return deny(permit, DENIED_CLEAR, kind);
	if (kind == ADDRESS_LOCAL &&
	    !call_target_trusted(target, address, &permit->owner))
		return deny(permit, DENIED_OWNER, kind);
	permit->granted = true;
	return true;
}

bool
call_permit_send(struct call_permit *permit,
    const struct call_security *security, const struct call_target *target,
    const char *remote)
{
	enum address_class kind;

	if (security->token == NULL || target->tls || target->socket != NULL)
		return true;
	kind = address_class_parse(remote);
	/* What is no address is surely none of the loopback. */
	if (kind == ADDRESS_LOCAL)
		kind = ADDRESS_RESERVED;
	return !discloses(security, target, kind) ||
	       deny(permit, DENIED_CLEAR, kind);
}

void
call_permit_explain(const struct call_permit *permit, char *text, size_t size)
{
	const char *kind = address_class_name(permit->kind);

	switch (permit->denial) {
	case DENIED_OWNER:
		snprintf(text, size, "the socket belongs to user %u",
		    (unsigned)permit->owner);
		break;
	case DENIED_PRIVATE:
		snprintf(
		    text, size, "it has %s, and private ones are denied", kind);
		break;
	case DENIED_CLEAR:
		snprintf(text, size,
		    "it has %s, and a token goes over https or the loopback "
		    "only",
		    kind);
		break;
	case DENIED_UNTOLD:
		snprintf(text, size,
		    "the registry does not have it, and a token goes to "
		    "instances of the registry only");
		break;
	case DENIED_NOT:
		snprintf(text, size, "it is forbidden");
		break;
	}
}
