#include "net/call_budget.h"

#include <math.h>

/* Five shares of 0.2 are a whole. */
#define ROUNDING 1e-9

void
call_budget_init(
    struct call_budget *budget, double share, double floor, double cap)
{
	budget->share = share;
	budget->cap = fmax(floor, cap);
	budget->balance = floor;
}

void
call_budget_begin(struct call_budget *budget)
{
	budget->balance = fmin(budget->balance + budget->share, budget->cap);
}

bool
call_budget_take(struct call_budget *budget)
{
	if (budget->balance < 1 - ROUNDING)
		return false;
	budget->balance -= 1;
	return true;
}

void
call_budget_return(struct call_budget *budget)
{
	budget->balance = fmin(budget->balance + 1, budget->cap);
}
