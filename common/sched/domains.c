#include "sched/domains.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "line/instance.h"
#include "sched/name_table.h"

/* How many labels that nobody has are remembered. */
#define ABSENT_MAX 64

static int
no_memory(struct svc_error *error)
{
	return svc_error_set(error, EX_OSERR, "out of memory");
}

int
domains_init(
    struct domains *domains, struct pool *pool, struct svc_error *error)
{
	size_t i, count = pool_count(pool);

	memset(domains, 0, sizeof(*domains));
	domains->pool = pool;
	/* one more than needed: of no instances there is an array too */
	domains->none.domains = calloc(count + 1, sizeof(uint32_t));
	if (domains->none.domains == NULL)
		return no_memory(error);
	for (i = 0; i < count; i++)
		domains->none.domains[i] = DOMAIN_NONE;
	return 0;
}

void
domains_release(struct domains *domains)
{
	size_t i;

	for (i = 0; i < domains->count; i++) {
		free(domains->columns[i].label);
		if (domains->columns[i].count > 0)
			free(domains->columns[i].domains);
	}
	free(domains->columns);
	free(domains->none.domains);
	memset(domains, 0, sizeof(*domains));
}

/* The number of the value at path; equal values have the same. */
static int
read_domain(const struct instance *instance, const char *path,
    struct name_table *values, uint32_t *domain)
{
	struct buffer scratch = BUFFER_INIT, text = BUFFER_INIT;
	struct json_value value;
	int result = 0;

	*domain = DOMAIN_NONE;
	if (instance_member(instance, path, &scratch, &value) == 1 &&
	    value.type == JSON_STRING) {
		json_decode(&value, &text);
		result = buffer_failed(&text)
			     ? -1
			     : name_table_add(
				   values, text.data, text.length, domain);
	}
	if (scratch.failed)
		result = -1;
	buffer_release(&text);
	buffer_release(&scratch);
	return result;
}

/* Fills column, whose arrays are there. */
static int
read_column(const struct domains *domains, const char *path,
    struct domain_column *column)
{
	struct name_table values = NAME_TABLE_INIT;
	size_t i, count = pool_count(domains->pool);
	int result = 0;

	for (i = 0; result == 0 && i < count; i++)
		result = read_domain(
		    pool_member(domains->pool, (uint32_t)i)->instance, path,
		    &values, &column->domains[i]);
	column->count = values.count;
	name_table_release(&values);
	return result;
}

static int
make_column(const struct domains *domains, const char *label,
    struct domain_column *column)
{
	struct buffer path = BUFFER_INIT;
	int result = -1;

	buffer_append_string(&path, "labels.");
	buffer_append_string(&path, label);
	column->label = strdup(label);
	column->domains =
	    calloc(pool_count(domains->pool) + 1, sizeof(uint32_t));
	if (buffer_string(&path) != NULL && column->label != NULL &&
	    column->domains != NULL)
		result = read_column(domains, path.data, column);
	buffer_release(&path);
	return result;
}

int
domains_find(struct domains *domains, const char *label,
    struct domain_column *column, struct svc_error *error)
{
	struct domain_column made = {NULL, NULL, 0}, *columns;
	size_t i;

	for (i = 0; i < domains->count; i++) {
		if (strcmp(domains->columns[i].label, label) == 0) {
			*column = domains->columns[i];
			return 0;
		}
	}
	*column = domains->none;
	columns = reallocarray(
	    domains->columns, domains->count + 1, sizeof(*columns));
	if (columns != NULL)
		domains->columns = columns;
	if (columns == NULL || make_column(domains, label, &made) == -1) {
		free(made.label);
		free(made.domains);
		return no_memory(error);
	}
	if (made.count == 0) {
		free(made.domains);
		made.domains = domains->none.domains;
		/* tasks may ask for any number of labels that nobody has */
		if (domains->absent == ABSENT_MAX) {
			free(made.label);
			return 0;
		}
		domains->absent++;
	}
	columns[domains->count++] = made;
	*column = made;
	return 0;
}
