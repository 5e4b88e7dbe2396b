#include "sched/alias.h"

#include <stdlib.h>
#include <sysexits.h>

struct column {
	double own; /* the probability of the column's own index */
	uint32_t other;
};

struct alias {
	size_t count;
	struct column columns[];
};

/*
 * Fills own with each weight's share times count, so that 1 is the mean; equal
 * ones when all are zero.  Scaled by the largest first, so that the sum of
 * huge weights stays finite.
 */
static void
scale(struct alias *alias, const double *weights)
{
	double total = 0;
	size_t i, largest = 0;

	for (i = 1; i < alias->count; i++)
		if (weights[i] > weights[largest])
			largest = i;
	for (i = 0; i < alias->count; i++) {
		alias->columns[i].own =
		    weights[largest] > 0 ? weights[i] / weights[largest] : 1;
		alias->columns[i].other = (uint32_t)largest;
		total += alias->columns[i].own;
	}
	for (i = 0; i < alias->count; i++)
		alias->columns[i].own *= (double)alias->count / total;
}

/*
 * Pairs each column that is under the mean with one that is over it.  stack
 * has room for count indices: small ones grow from its front, large ones from
 * its end.
 */
static void
pair(struct alias *alias, uint32_t *stack)
{
	struct column *columns = alias->columns;
	size_t small = 0, large = alias->count, i;

	for (i = 0; i < alias->count; i++) {
		if (columns[i].own < 1)
			stack[small++] = (uint32_t)i;
		else
			stack[--large] = (uint32_t)i;
	}
	while (small > 0 && large < alias->count) {
		uint32_t low = stack[--small], high = stack[large];

		columns[low].other = high;
		columns[high].own -= 1 - columns[low].own;
		if (columns[high].own < 1) {
			large++;
			stack[small++] = high;
		}
	}
	/*
	 * What is left is 1 but for rounding; a weight of zero keeps its 0,
	 * and gives its column to the largest.
	 */
	while (small > 0)
		if (columns[stack[--small]].own > 0)
			columns[stack[small]].own = 1;
	while (large < alias->count)
		columns[stack[large++]].own = 1;
}

struct alias *
alias_new(const double *weights, size_t count, struct svc_error *error)
{
	struct alias *alias = NULL;
	uint32_t *stack;

	stack = calloc(count, sizeof(*stack));
	if (stack != NULL)
		alias =
		    malloc(sizeof(*alias) + count * sizeof(alias->columns[0]));
	if (alias == NULL) {
		svc_error_set(error, EX_OSERR, "out of memory");
		goto out;
	}
	alias->count = count;
	scale(alias, weights);
	pair(alias, stack);
out:
	free(stack);
	return alias;
}

void
alias_free(struct alias *alias)
{
	free(alias);
}

size_t
alias_draw(const struct alias *alias, struct random *random)
{
	size_t index = (size_t)random_below(random, alias->count);

	if (random_unit(random) < alias->columns[index].own)
		return index;
	return alias->columns[index].other;
}
