/*
 * A budget for what is sent beside the first request of each task: retries of
 * failures, and hedges.
 *
 * Each task begun adds a share, each extra request takes one.  It starts with a
 * floor and never holds more than the cap: what many good minutes have saved
 * must not feed a storm.  After the retry budgets of Finagle (Twitter, 2016)
 * and Envoy.
 */
#ifndef SVCKIT_NET_CALL_BUDGET_H
#define SVCKIT_NET_CALL_BUDGET_H

#include <stdbool.h>

struct call_budget {
	double share; /* of a request that a task begun adds */
	double cap;
	double balance;
};

void call_budget_init(
    struct call_budget *budget, double share, double floor, double cap);
void call_budget_begin(struct call_budget *budget);
/* Takes one; false: there is none left. */
bool call_budget_take(struct call_budget *budget);
/* One that was taken was not sent after all. */
void call_budget_return(struct call_budget *budget);

#endif
