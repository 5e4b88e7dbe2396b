#include "registry/load.h"

#include <math.h>

#include "line/units.h"

#define TIMER_EARLY 0.1
/* 0.15 - 0.1 is less than 0.05. */
#define STEP_EARLY 1e-9

bool
load_due(double told, double elapsed, double load)
{
	if (told < 0)
		return true;
	if (elapsed < LOAD_INTERVAL - TIMER_EARLY)
		return false;
	if (fabs(load - told) >= LOAD_STEP - STEP_EARLY)
		return true;
	return (load == 0 && told > 0) || (load >= 1 && told < 1);
}

double
load_round(double load)
{
	return load > 0 ? floor(load * 1000 + 0.5) / 1000 : 0;
}

void
load_append(
    struct buffer *out, struct json_span record, double load, int64_t reported)
{
	buffer_append(out, record.data, record.length - 1);
	buffer_append_string(out, ",\"utilization\":");
	json_append_number(out, load_round(load));
	buffer_append_string(out, ",\"reported\":\"");
	time_append(out, reported);
	buffer_append_string(out, "\"}\n");
}
