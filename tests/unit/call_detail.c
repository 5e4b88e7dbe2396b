/* What a server says beside an error. */
#include "net/call_detail.h"

#include "check.h"

static void
says(const char *body, const char *want)
{
	char detail[CALL_DETAIL_MAX + 1];
	size_t length = call_detail(body, strlen(body), detail);

	CHECK_STRING(detail, want);
	CHECK(length == strlen(detail));
}

static void
the_best_member_wins_wherever_it_stands(void)
{
	says("{\"error\":\"e\",\"message\":\"m\",\"title\":\"t\","
	     "\"detail\":\"d\"}",
	    "d");
	says("{\"title\":\"t\",\"error\":\"e\",\"message\":\"m\"}", "t");
	says("{\"message\":\"m\",\"error\":\"e\"}", "m");
	says(" {\"x\":1,\"error\":\"e\"} ", "e");
	says("{\"det\\u0061il\":\"d\"}", "d");
}

static void
what_is_no_string_is_passed_over(void)
{
	says("{\"detail\":{\"a\":1},\"title\":null,\"message\":5,"
	     "\"error\":\"e\"}",
	    "e");
	says("{\"error\":{\"message\":\"m\"}}", "");
}

static void
other_bodies_say_nothing(void)
{
	says("", "");
	says("disk full", "");
	says("\"disk full\"", "");
	says("[{\"detail\":\"d\"}]", "");
	says("{\"detail\":\"cut o", "");
	says("{\"detail\":\"d\"} and more", "");
	says("{\"detail\":\"\xff\"}", "");
}

static void
control_characters_are_spaces(void)
{
	says("{\"detail\":\"a\\nb\\u001b[1m\\u0000c\\u007f\"}", "a b [1m c ");
	says("{\"detail\":\"a\\u0085b\\u00a0\"}", "a  b\xc2\xa0");
}

static void
it_is_cut_between_characters(void)
{
	char body[1024], detail[CALL_DETAIL_MAX + 1];
	size_t length, i;

	length = (size_t)snprintf(body, sizeof(body), "{\"detail\":\"a");
	for (i = 0; i < 150; i++)
		length += (size_t)snprintf(
		    body + length, sizeof(body) - length, "\xc3\xa9");
	snprintf(body + length, sizeof(body) - length, "\"}");
	CHECK(call_detail(body, strlen(body), detail) == 199);
	CHECK(detail[0] == 'a' && strlen(detail) == 199);
}

int
main(void)
{
	RUN(the_best_member_wins_wherever_it_stands);
	RUN(what_is_no_string_is_passed_over);
	RUN(other_bodies_say_nothing);
	RUN(control_characters_are_spaces);
	RUN(it_is_cut_between_characters);
	return check_done();
}
