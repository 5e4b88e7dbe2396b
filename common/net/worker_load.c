#include "net/worker_load.h"

void
worker_load_init(struct worker_load *load, double now)
{
	load->busy = 0;
	load->since = load->began = now;
	load->seconds = 0;
}

void
worker_load_set(struct worker_load *load, int busy, double now)
{
	load->seconds += load->busy * (now - load->since);
	load->busy = busy;
	load->since = now;
}

double
worker_load_take(struct worker_load *load, int slots, double now)
{
	double passed = now - load->began, seconds;

	if (passed <= 0)
		return -1;
	worker_load_set(load, load->busy, now);
	seconds = load->seconds;
	load->seconds = 0;
	load->began = now;
	return seconds / (passed * slots);
}
