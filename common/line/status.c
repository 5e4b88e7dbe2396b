#include "line/status.h"

#include <string.h>

static const char *const names[STATUS_COUNT] = {
    "passing",
    "warning",
    "unknown",
    "critical",
    "draining",
    "expired",
};

const char *
status_name(enum instance_status status)
{
	return names[status];
}

int
status_parse(const char *name, size_t length, enum instance_status *status)
{
	int i;

	for (i = 0; i < STATUS_COUNT; i++) {
		if (strlen(names[i]) == length &&
		    memcmp(names[i], name, length) == 0) {
			*status = (enum instance_status)i;
			return 1;
		}
	}
	return 0;
}

bool
status_works(enum instance_status status)
{
	return status == STATUS_PASSING || status == STATUS_WARNING;
}
