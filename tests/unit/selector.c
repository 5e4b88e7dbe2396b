#include "line/selector.h"

#include <stdlib.h>
#include <sysexits.h>

#include "check.h"

static const char record[] =
    "{\"service\":\"render\",\"id\":\"r1\",\"address\":\"http://h:1/\","
    "\"labels\":{\"zone\":\"eu-1\",\"gpu\":\"a100\",\"version\":\"1.10\","
    "\"cores\":\"16\",\"odd\":\"a b!=c<d\",\"empty\":\"\","
    "\"esc\\u0061ped\":\"caf\\u00e9\",\"app.io/name\":\"x\"},"
    "\"capacity\":{\"slots\":4,\"cpu\":8,\"mem\":\"16G\"},"
    "\"accepts\":\"text/csv\",\"meta\":{\"build\":7,\"none\":null,"
    "\"yes\":true}}";

/* The term that the record fails, "" when it matches. */
static const char *
failing(const char *text)
{
	static char said[600];
	struct selector *selector;
	struct instance instance;
	struct svc_error error;
	const char *term;

	if (instance_parse(&instance, record, strlen(record), &error) == -1) {
		snprintf(said, sizeof(said), "%s", error.message);
		return said;
	}
	if (selector_parse(&selector, text, &error) == -1) {
		snprintf(
		    said, sizeof(said), "%d %s", error.code, error.message);
	} else {
		term = selector_failing(selector, &instance);
		snprintf(said, sizeof(said), "%s", term == NULL ? "" : term);
		CHECK(selector_match(selector, &instance) == (term == NULL));
		selector_free(selector);
	}
	instance_release(&instance);
	return said;
}

static void
terms_that_hold_select(void)
{
	static const char *const rows[] = {"", "  ", "zone=eu-1", "zone==eu-1",
	    " zone = eu-1 , gpu ", "gpu", "!spot", "! spot", "empty",
	    "version!=1.2", "spot!=yes", "zone in (eu-1,eu-2)",
	    "zone in( eu-2 , eu-1 )", "zone notin (us-1)", "tier notin (x)",
	    "capacity.cpu>=4", "cpu>=8", "cpu<=8", "cpu>7.5", "cpu < 9",
	    "mem>=8G", "capacity.mem=16384M", "capacity.cpu=8.0", "cores>2",
	    "odd=a b!=c<d", "escaped=caf\xc3\xa9", "labels.app.io/name=x",
	    "labels.zone=eu-1", "meta.build=7.0", "meta.yes=true", "!meta.none",
	    "meta.none!=3", "service!=a"};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!CHECK(failing(rows[i])[0] == '\0'))
			printf("# %s: %s\n", rows[i], failing(rows[i]));
	}
}

static void
the_first_term_that_fails_is_told_as_written(void)
{
	static const char *const rows[][2] = {
	    {"gpu, zone in (us-1, us-2) ,!gpu", "zone in (us-1, us-2)"},
	    {"zone=eu", "zone=eu"},
	    {"!gpu", "!gpu"},
	    {"spot", "spot"},
	    {"spot=yes", "spot=yes"},
	    {"spot in (yes)", "spot in (yes)"},
	    {"zone!=eu-1", "zone!=eu-1"},
	    {"zone notin (eu-1)", "zone notin (eu-1)"},
	    {"version=1.1", "version=1.1"},
	    {"zone>1", "zone>1"},
	    {"spot<1", "spot<1"},
	    {"cpu>8", "cpu>8"},
	    {"cpu<8", "cpu<8"},
	    {"meta.none", "meta.none"},
	    {"capacity.gpu>=1", "capacity.gpu>=1"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_STRING(failing(rows[i][0]), rows[i][1]);
}

static void
what_is_no_selector_is_refused_with_its_term(void)
{
	static const char *const rows[][2] = {
	    {"gpu,", "'': an empty term"},
	    {",", "'': an empty term"},
	    {"gpu,,zone", "'': an empty term"},
	    {"=x", "'=x': no name"},
	    {"-a=x", "'-a=x': no name"},
	    {"!", "'!': no name"},
	    {"gpu,zone=", "'zone=': an empty value"},
	    {"zone!=", "'zone!=': an empty value"},
	    {"zone in ()", "'zone in ()': an empty value"},
	    {"zone in (a,)", "'zone in (a,)': an empty value"},
	    {"zone in a", "'zone in a': no list"},
	    {"zone in", "'zone in': no list"},
	    {"zone in (a) b", "'zone in (a) b': no list"},
	    {"zone in (a)(b)", "'zone in (a)(b)': something behind"},
	    {"zone in (a", "'zone in (a': no ')'"},
	    {"zone in ((a))", "'zone in ((a))': parentheses do not match"},
	    {"zone=a)", "'zone=a)': parentheses do not match"},
	    {"zone=(a,b)", "'zone=(a,b)': parentheses in a value"},
	    {"zone is a", "'zone is a': no operator"},
	    {"zonein (a)", "'zonein (a)': no operator"},
	    {"zone ~ a", "'zone ~ a': no operator"},
	    {"cpu>=many", "'cpu>=many': no number"},
	    {"cpu<", "'cpu<': no number"},
	    {"!zone=a", "'!zone=a': something behind !name"},
	};
	char want[256];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(want, sizeof(want), "%d not a selector: %s", EX_USAGE,
		    rows[i][1]);
		if (!CHECK(
			strncmp(failing(rows[i][0]), want, strlen(want)) == 0))
			printf("# %s: %s\n", rows[i][0], failing(rows[i][0]));
		CHECK(strstr(failing(rows[i][0]), "as in") != NULL ||
		      strstr(failing(rows[i][0]), "a list is") != NULL);
	}
}

static void
no_selector_selects_everything(void)
{
	struct instance instance;

	memset(&instance, 0, sizeof(instance));
	CHECK(selector_match(NULL, &instance));
	CHECK(selector_failing(NULL, &instance) == NULL);
	selector_free(NULL);
}

static void
a_bare_name_is_a_label_also_when_a_member_is_called_so(void)
{
	CHECK_STRING(failing("status=passing"), "status=passing");
	CHECK_STRING(failing("accepts"), "accepts");
	CHECK_STRING(failing("meta.build>6"), "");
}

/* count copies of part, joined by commas, behind prefix and before suffix. */
static char *
repeat(const char *prefix, const char *part, size_t count, const char *suffix)
{
	size_t length = strlen(part), i;
	char *text, *to;

	text =
	    malloc(strlen(prefix) + count * (length + 1) + strlen(suffix) + 1);
	if (text == NULL)
		return NULL;
	to = text + strlen(prefix);
	memcpy(text, prefix, strlen(prefix));
	for (i = 0; i < count; i++) {
		if (i > 0)
			*to++ = ',';
		memcpy(to, part, length);
		to += length;
	}
	memcpy(to, suffix, strlen(suffix) + 1);
	return text;
}

static void
ten_thousand_terms_work(void)
{
	char *terms = repeat("", "zone notin (x1, x2)", 10000, ",spot");
	char *values = repeat("zone in (", "eu-2", 10000, ",eu-1)");

	if (CHECK(terms != NULL && values != NULL)) {
		CHECK_STRING(failing(terms), "spot");
		CHECK_STRING(failing(values), "");
	}
	free(terms);
	free(values);
}

int
main(void)
{
	RUN(terms_that_hold_select);
	RUN(the_first_term_that_fails_is_told_as_written);
	RUN(what_is_no_selector_is_refused_with_its_term);
	RUN(no_selector_selects_everything);
	RUN(a_bare_name_is_a_label_also_when_a_member_is_called_so);
	RUN(ten_thousand_terms_work);
	return check_done();
}
