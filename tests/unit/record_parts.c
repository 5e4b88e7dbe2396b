/* Records from the parts of command lines. */
#include "line/record_parts.h"

#include <sysexits.h>

#include "check.h"

static void
build(const struct record_parts *parts, const char *want)
{
	struct buffer out = BUFFER_INIT;
	struct svc_error error = {0, ""};

	if (CHECK(record_build(parts, &out, &error) == 0))
		CHECK_STRING(buffer_string(&out), want);
	else
		printf("# %s\n", error.message);
	buffer_release(&out);
}

static void
set(struct record_parts *parts, const char *name, const char *value)
{
	struct svc_error error;

	if (!CHECK(record_set(parts, name, value, &error) == 1))
		printf("# %s %s: %s\n", name, value, error.message);
}

static void
refused(const char *name, const char *value)
{
	struct record_parts parts = RECORD_PARTS_INIT;
	struct svc_error error = {0, ""};

	if (!CHECK(record_set(&parts, name, value, &error) == -1) ||
	    !CHECK(error.code == EX_USAGE) ||
	    !CHECK(strstr(error.message, value) != NULL))
		printf("# --%s '%s': %s\n", name, value, error.message);
	record_parts_release(&parts);
}

static void
the_least_is_a_service_and_an_address(void)
{
	struct record_parts parts = RECORD_PARTS_INIT;

	parts.service = "render";
	parts.address = "web1:8081";
	build(&parts,
	    "{\"service\":\"render\",\"id\":\"web1-8081\","
	    "\"address\":\"http://web1:8081/task\",\"lease\":\"none\"}");
}

static void
the_members_stand_in_the_order_of_the_page(void)
{
	struct record_parts parts = RECORD_PARTS_INIT;

	parts.service = "render";
	parts.address = "http://web1:8081/task";
	set(&parts, "meta", "git=1\"2");
	set(&parts, "interval", "500ms");
	set(&parts, "check-http", "/health");
	set(&parts, "utilization", "0.42");
	set(&parts, "produces", "application/pdf");
	set(&parts, "accepts", "text/csv");
	set(&parts, "label", "zone=eu-1");
	set(&parts, "label", "gpu=");
	set(&parts, "capacity", "slots=4");
	set(&parts, "capacity", "mem=16G");
	set(&parts, "ttl", "1m");
	set(&parts, "id", "web1");
	build(&parts,
	    "{\"service\":\"render\",\"id\":\"web1\","
	    "\"address\":\"http://web1:8081/task\",\"lease\":\"ttl\","
	    "\"ttl\":60,\"capacity\":{\"slots\":4,\"mem\":\"16G\"},"
	    "\"labels\":{\"zone\":\"eu-1\",\"gpu\":\"\"},"
	    "\"accepts\":\"text/csv\",\"produces\":\"application/pdf\","
	    "\"utilization\":0.42,\"check\":{\"http\":\"/health\","
	    "\"interval\":0.5,\"timeout\":0.5},\"meta\":{\"git\":\"1\\\"2\"}}");
	record_parts_release(&parts);
}

static void
a_tcp_check_has_the_default_interval(void)
{
	struct record_parts parts = RECORD_PARTS_INIT;

	parts.service = "db";
	parts.address = "db1:5432";
	parts.lease = LEASE_LOCK;
	set(&parts, "check-tcp", NULL);
	build(&parts, "{\"service\":\"db\",\"id\":\"db1-5432\","
		      "\"address\":\"http://db1:5432/task\",\"lease\":\"lock\","
		      "\"check\":{\"tcp\":true,\"interval\":5,\"timeout\":1}}");
}

static void
wrong_values_are_refused_by_name(void)
{
	refused("utilization", "-1");
	refused("utilization", "much");
	refused("ttl", "0");
	refused("ttl", "soon");
	refused("interval", "0s");
	refused("check-http", "health");
	refused("id", "../x");
	refused("label", "novalue");
	refused("label", "=x");
}

static void
a_capacity_is_a_quantity(void)
{
	struct record_parts parts = RECORD_PARTS_INIT;
	struct svc_error error = {0, ""};

	CHECK(record_set(&parts, "capacity", "mem=lots", &error) == -1);
	CHECK_STRING(error.message,
	    "mem: not a quantity: 'lots' (say 4, 0.5, 512M or 2G)");
	record_parts_release(&parts);
}

static void
a_key_is_set_once(void)
{
	struct record_parts parts = RECORD_PARTS_INIT;
	struct svc_error error;

	set(&parts, "label", "zone=a");
	set(&parts, "label", "zone2=a");
	set(&parts, "capacity", "zone=1");
	CHECK(record_set(&parts, "label", "zone=b", &error) == -1);
	CHECK_STRING(
	    error.message, "'zone' is set twice: 'zone=a' and 'zone=b'");
	record_parts_release(&parts);
}

static void
refuse_build(const struct record_parts *parts, const char *says)
{
	struct buffer out = BUFFER_INIT;
	struct svc_error error = {0, ""};

	CHECK(record_build(parts, &out, &error) == -1);
	CHECK(error.code == EX_USAGE);
	if (!CHECK(strstr(error.message, says) != NULL))
		printf("# %s\n", error.message);
	buffer_release(&out);
}

static void
what_does_not_go_together_is_refused(void)
{
	struct record_parts parts = RECORD_PARTS_INIT;

	parts.service = "db";
	parts.address = "db1:5432";
	set(&parts, "interval", "5");
	refuse_build(&parts, "interval");
	set(&parts, "check-tcp", NULL);
	set(&parts, "check-http", "/");
	refuse_build(&parts, "exclude each other");
	record_parts_release(&parts);
}

static void
an_address_without_a_real_port_is_refused(void)
{
	struct record_parts parts = RECORD_PARTS_INIT;

	parts.service = "db";
	parts.address = "db1:0";
	refuse_build(&parts, "db1:0");
	parts.address = "db1:%p";
	refuse_build(&parts, "db1:%p");
	parts.address = "db1";
	refuse_build(&parts, "db1");
}

static void
another_option_is_no_part(void)
{
	struct record_parts parts = RECORD_PARTS_INIT;

	CHECK(record_set(&parts, "dry-run", NULL, NULL) == 0);
}

int
main(void)
{
	RUN(the_least_is_a_service_and_an_address);
	RUN(the_members_stand_in_the_order_of_the_page);
	RUN(a_tcp_check_has_the_default_interval);
	RUN(wrong_values_are_refused_by_name);
	RUN(a_capacity_is_a_quantity);
	RUN(a_key_is_set_once);
	RUN(what_does_not_go_together_is_refused);
	RUN(an_address_without_a_real_port_is_refused);
	RUN(another_option_is_no_part);
	return check_done();
}
