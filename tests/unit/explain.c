/* Why an instance, or none: the sentences, and the data behind them. */
#include "sched/explain.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "line/json.h"
#include "pool_fixture.h"
#include "sched/random.h"
#include "sched/survey.h"

/* A pool with a policy and constraints, to be asked about. */
struct scene {
	struct fixture fixture;
	struct policy policy;
	struct constraints *constraints;
	struct constrained_task constrained;
	struct policy_task task;
	struct buffer out;
	size_t open; /* who has nothing against it, by slow_sentence() */
};

static int
choose_first(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t *member, struct svc_error *error)
{
	(void)policy;
	(void)task;
	(void)error;
	*member = list->members[0];
	return 1;
}

/* Of each capacity one is taken. */
static const double *
one_less(const struct policy *policy, const char *name)
{
	const double *totals = pool_capacity(policy->pool, name);
	static double left[64];
	size_t i;

	for (i = 0; i < pool_count(policy->pool); i++)
		left[i] = totals[i] - 1;
	return left;
}

static int
refuse_b(const struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t member, struct reason *reason)
{
	(void)list;
	(void)task;
	*reason = (struct reason){.code = REASON_FULL, .need = 5, .most = 4};
	return strcmp(pool_member(policy->pool, member)->instance->id, "b") ==
	       0;
}

static void
explain_key(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t member, struct buffer *out)
{
	(void)policy;
	(void)member;
	buffer_append_format(
	    out, ",\"key\":%d,\"beside\":%zu", (int)task->key, list->count);
}

static const struct policy_type first = {.name = "first",
    .choose = choose_first,
    .explain = explain_key};
static const struct policy_type room = {.name = "room",
    .takes_room = true,
    .choose = choose_first,
    .left = one_less};
static const struct policy_type choosy = {.name = "choosy",
    .choose = choose_first,
    .refuses = refuse_b};

/* The fixture of scene is filled. */
static void
scene_open(struct scene *scene, const struct policy_type *type)
{
	struct policy_options options = {.seed = 9007199254740991};

	fixture_open(&scene->fixture);
	CHECK(policy_open(&scene->policy, type, scene->fixture.pool, &options,
		  NULL) == 0);
	CHECK(constraints_open(
		  &scene->constraints, scene->fixture.pool, NULL) == 0);
	scene->constrained.duration = -1;
	scene->constrained.remaining = INFINITY;
}

static void
scene_close(struct scene *scene)
{
	buffer_release(&scene->out);
	constraints_close(scene->constraints);
	policy_close(&scene->policy);
	fixture_close(&scene->fixture);
	memset(scene, 0, sizeof(*scene));
}

static struct explain_question
question(struct scene *scene, const struct json_value *requires)
{
	return (struct explain_question){scene->fixture.pool, &scene->policy,
	    scene->constraints, NULL, requires, &scene->constrained,
	    &scene->task};
}

/* The sentence for requires. */
static const char *
sentence(struct scene *scene, const char *requires)
{
	struct json_value value = fixture_requires(requires);
	struct explain_question asked = question(scene, &value);

	buffer_clear(&scene->out);
	explain_none(&asked, &scene->out);
	return buffer_string(&scene->out);
}

/* The object of --explain. */
static const char *
object(struct scene *scene, const char *requires, bool full)
{
	struct json_value value = fixture_requires(requires);
	struct explain_question asked = question(scene, &value);

	buffer_clear(&scene->out);
	explain_append(&asked, full, &scene->out);
	CHECK(json_valid(scene->out.data, scene->out.length));
	return buffer_string(&scene->out);
}

static void
add_mixed(struct fixture *fixture)
{
	fixture_add(fixture, "s", "a",
	    ",\"capacity\":{\"cpu\":8,\"mem\":\"16G\"},"
	    "\"labels\":{\"zone\":\"eu\"}");
	fixture_add(fixture, "s", "b",
	    ",\"capacity\":{\"cpu\":2},\"labels\":{\"zone\":\"eu\"}");
	fixture_add(fixture, "s", "c",
	    ",\"capacity\":{\"cpu\":4,\"speed\":2},"
	    "\"labels\":{\"zone\":\"us\"}");
	fixture_add(fixture, "s", "d", ",\"status\":\"critical\"");
}

static void
the_sentence_counts_each_instance_once(void)
{
	struct scene scene = {.fixture = {.count = 0}};
	char id[16];
	int i;

	for (i = 0; i < 12; i++) {
		snprintf(id, sizeof(id), "i%02d", i);
		fixture_add(&scene.fixture, "render", id,
		    i < 7    ? ",\"capacity\":{\"cpu\":2},"
			       "\"labels\":{\"zone\":\"eu-1\"}"
		    : i < 10 ? ",\"capacity\":{\"cpu\":1},"
			       "\"labels\":{\"zone\":\"us\"}"
			     : ",\"status\":\"critical\"");
	}
	scene_open(&scene, &first);
	CHECK_STRING(sentence(&scene, "{\"cpu\":4,\"labels\":\"zone=eu-1\"}"),
	    "0 of 12 instances: 7 insufficient cpu (need 4, most free 2), "
	    "3 label zone, 2 critical");
	scene_close(&scene);
}

static void
sentences_say_the_numbers(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	add_mixed(&scene.fixture);
	scene_open(&scene, &first);
	CHECK_STRING(sentence(&scene, "{\"mem\":\"64G\"}"),
	    "0 of 4 instances: 2 no mem, 1 insufficient mem (need 64G, most "
	    "free 16G), 1 critical");
	scene.constrained.duration = 10;
	scene.constrained.remaining = 2.5;
	CHECK_STRING(sentence(&scene, ""),
	    "0 of 4 instances: 3 late (takes 5 s, 2.5 s left), 1 critical");
	scene_close(&scene);
}

static void
a_spread_that_is_too_far_ahead_says_how_far(void)
{
	struct scene scene = {.fixture = {.count = 0}};
	const char *requires = "{\"spread\":\"zone\"}";
	const struct eligible *list;

	add_mixed(&scene.fixture);
	scene_open(&scene, &first);
	list = fixture_list(&scene.fixture, NULL, requires, NULL);
	CHECK(constraints_placed(
		  scene.constraints, list, &scene.constrained, 0, NULL) == 0);
	CHECK_STRING(object(&scene, requires, false),
	    "{\"policy\":\"first\",\"seed\":9007199254740991,\"eligible\":1,"
	    "\"of\":4,\"excluded\":["
	    "{\"reason\":\"spread\",\"name\":\"zone\",\"count\":2,"
	    "\"need\":1,\"most\":2},"
	    "{\"reason\":\"critical\",\"count\":1},"
	    "{\"reason\":\"label\",\"name\":\"zone\",\"count\":1}]}");
	CHECK_STRING(sentence(&scene, requires),
	    "0 of 4 instances: 2 spread zone (2 ahead, at most 1), 1 critical");
	scene_close(&scene);
}

static void
counts_are_of_all_reasons_of_all_instances(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	add_mixed(&scene.fixture);
	scene_open(&scene, &first);
	CHECK_STRING(
	    object(&scene, "{\"cpu\":9,\"labels\":\"zone=eu\"}", false),
	    "{\"policy\":\"first\",\"seed\":9007199254740991,\"eligible\":0,"
	    "\"of\":4,\"excluded\":["
	    "{\"reason\":\"insufficient\",\"name\":\"cpu\",\"count\":3,"
	    "\"need\":9,\"most\":8},"
	    "{\"reason\":\"label\",\"name\":\"zone\",\"count\":2},"
	    "{\"reason\":\"critical\",\"count\":1},"
	    "{\"reason\":\"missing\",\"name\":\"cpu\",\"count\":1}]}");
	scene_close(&scene);
}

static void
full_lists_terms_and_reasons(void)
{
	struct scene scene = {.fixture = {.count = 0}, .task = {.key = 7}};
	const char *object_text;

	add_mixed(&scene.fixture);
	scene_open(&scene, &first);
	object_text = object(&scene, "{\"cpu\":4}", true);
	CHECK_STRING(strstr(object_text, "\"candidates\""),
	    "\"candidates\":[{\"id\":\"a\",\"key\":7,\"beside\":2},"
	    "{\"id\":\"b\",\"excluded\":[{\"reason\":\"insufficient\","
	    "\"name\":\"cpu\",\"need\":4,\"most\":2}]},"
	    "{\"id\":\"c\",\"key\":7,\"beside\":2},"
	    "{\"id\":\"d\",\"excluded\":[{\"reason\":\"critical\"},"
	    "{\"reason\":\"missing\",\"name\":\"cpu\"}]}]}");
	scene_close(&scene);
}

static void
what_a_policy_refuses_is_full(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	add_mixed(&scene.fixture);
	scene_open(&scene, &choosy);
	CHECK_STRING(object(&scene, "", false),
	    "{\"policy\":\"choosy\",\"seed\":9007199254740991,\"eligible\":2,"
	    "\"of\":4,\"excluded\":[{\"reason\":\"full\",\"count\":1,"
	    "\"need\":5,\"most\":4},{\"reason\":\"critical\",\"count\":1}]}");
	scene_close(&scene);
}

static void
warning_is_a_reason_where_others_pass(void)
{
	static const struct policy_type *const types[] = {&first, &room};
	struct scene scene = {.fixture = {.count = 0}};
	size_t i;

	for (i = 0; i < 2; i++) {
		fixture_add(&scene.fixture, "s", "a",
		    ",\"capacity\":{\"cpu\":2},\"status\":\"warning\"");
		fixture_add(
		    &scene.fixture, "s", "b", ",\"capacity\":{\"cpu\":3}");
		scene_open(&scene, types[i]);
		CHECK(strstr(object(&scene, "{\"cpu\":1}", false),
			  "\"eligible\":1,\"of\":2,\"excluded\":["
			  "{\"reason\":\"warning\",\"count\":1}]") != NULL);
		scene_close(&scene);
	}
}

static void
a_policy_that_takes_room_says_what_is_left(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	add_mixed(&scene.fixture);
	scene_open(&scene, &room);
	CHECK(strstr(object(&scene, "{\"cpu\":4}", false),
		  "\"eligible\":1,\"of\":4,\"excluded\":["
		  "{\"reason\":\"insufficient\",\"name\":\"cpu\",\"count\":2,"
		  "\"need\":4,\"most\":3}") != NULL);
	scene_close(&scene);
}

static void
no_speed_is_no_work(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	fixture_add(
	    &scene.fixture, "s", "a", ",\"capacity\":{\"speed\":0,\"cpu\":1}");
	scene_open(&scene, &first);
	CHECK_STRING(sentence(&scene, ""),
	    "0 of 1 instance: 1 insufficient speed (need 1, most free 0)");
	CHECK_STRING(sentence(&scene, "{\"speed\":0.5}"),
	    "0 of 1 instance: 1 insufficient speed (need 0.5, most free 0)");
	scene_close(&scene);
}

/* The member at path of an object, which must be a number. */
static double
number_at(struct json_span object_span, const char *path)
{
	struct json_value value;

	if (json_path(object_span, path, &value) == 0)
		return NAN;
	return json_number(&value);
}

/* How many reasons the candidates have; *eligible: candidates without. */
static double
count_in_candidates(struct json_span candidates, double *eligible)
{
	const char *cursor = candidates.data, *inner;
	struct json_value candidate, excluded, reason;
	double count = 0;

	*eligible = 0;
	while (json_next_element(candidates, &cursor, &candidate) == 1) {
		if (json_path(candidate.span, "excluded", &excluded) == 0) {
			++*eligible;
			continue;
		}
		inner = excluded.span.data;
		while (json_next_element(excluded.span, &inner, &reason) == 1)
			count++;
	}
	return count;
}

static void
check_sums(const char *text)
{
	struct json_span whole = {text, strlen(text)};
	struct json_value excluded, candidates, reason;
	double counted = 0, eligible;
	const char *cursor;

	CHECK(json_path(whole, "excluded", &excluded) == 1);
	CHECK(json_path(whole, "candidates", &candidates) == 1);
	cursor = excluded.span.data;
	while (json_next_element(excluded.span, &cursor, &reason) == 1)
		counted += number_at(reason.span, "count");
	CHECK(count_in_candidates(candidates.span, &eligible) == counted);
	CHECK(number_at(whole, "eligible") == eligible);
	CHECK(number_at(whole, "of") == 40);
}

/* Forty instances of all kinds; counts and candidates say the same. */
static void
counts_sum_up_to_what_the_candidates_say(void)
{
	static const char *const requires[] = {"", "{\"cpu\":3}",
	    "{\"cpu\":2,\"mem\":\"1G\",\"labels\":\"zone=v1,!disk\"}",
	    "{\"speed\":1,\"spread\":{\"zone\":1,\"disk\":2},\"cpu\":1}",
	    "{\"slots\":2,\"labels\":\"zone\",\"spread\":\"zone\"}"};
	static const char *const statuses[] = {"passing", "warning", "critical",
	    "unknown", "draining", "expired", "passing"};
	struct scene scene = {.fixture = {.count = 0}};
	char id[16], more[256];
	size_t i;

	for (i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "i%02zu", i);
		snprintf(more, sizeof(more),
		    ",\"capacity\":{\"cpu\":%zu,\"speed\":%zu},"
		    "\"labels\":{\"%s\":\"v%zu\"},\"status\":\"%s\"",
		    i % 5, i % 3, i % 4 == 0 ? "disk" : "zone", i % 2,
		    statuses[i % 7]);
		fixture_add(&scene.fixture, "s", id, more);
	}
	scene_open(&scene, &first);
	scene.constrained.duration = 3;
	scene.constrained.remaining = 2;
	for (i = 0; i < sizeof(requires) / sizeof(requires[0]); i++)
		check_sums(object(&scene, requires[i], true));
	scene_close(&scene);
}

/* The sentence, from the reasons of each instance. */
static const char *
slow_sentence(struct scene *scene, const struct json_value *requires)
{
	struct explain_question asked = question(scene, requires);
	struct reason_tally tally = {NULL, 0, false};
	struct survey_reasons reasons;
	static struct buffer out;
	struct survey survey;
	uint32_t i;

	buffer_clear(&out);
	scene->open = 0;
	CHECK(survey_open(&survey, &asked) == 0);
	for (i = 0; i < survey.count; i++) {
		survey_find(&survey, survey.first + i, &reasons);
		if (reasons.count > 0)
			reason_tally_add(&tally, &reasons.items[0]);
		else
			scene->open++;
	}
	reason_tally_sort(&tally);
	buffer_append_format(&out, "0 of %zu instances", survey.count);
	for (i = 0; i < tally.count; i++) {
		buffer_append_string(&out, i == 0 ? ": " : ", ");
		reason_append(&tally.reasons[i], &out);
	}
	reason_tally_release(&tally);
	return buffer_string(&out);
}

static unsigned
below(struct random *random, unsigned limit)
{
	return (unsigned)random_below(random, limit);
}

/* Sixty instances of all kinds and in any order. */
static void
add_random(struct fixture *fixture, struct random *random)
{
	static const char *const statuses[] = {
	    "passing", "passing", "passing", "warning", "critical", "draining"};
	char id[16], more[256];
	uint32_t i;

	for (i = 0; i < 60; i++) {
		snprintf(id, sizeof(id), "i%02u", i);
		snprintf(more, sizeof(more),
		    ",\"capacity\":{\"%s\":0.%u,\"mem\":0.%u,"
		    "\"speed\":%u},"
		    "\"labels\":{\"%s\":\"v%u\",\"disk\":\"v%u\"},"
		    "\"status\":\"%s\"",
		    below(random, 5) == 0 ? "gpu" : "cpu", 3 * below(random, 4),
		    3 * below(random, 4), below(random, 4),
		    below(random, 4) == 0 ? "rack" : "zone", below(random, 3),
		    below(random, 2), statuses[below(random, 6)]);
		fixture_add(fixture, "s", id, more);
	}
}

static void
make_random(char *requires, size_t size, struct random *random)
{
	static const char *const more[] = {"", ",\"labels\":\"zone=v1\"",
	    ",\"labels\":\"!rack,disk in (v0)\"",
	    ",\"spread\":{\"zone\":1,\"disk\":2}",
	    ",\"labels\":\"disk!=v0\",\"spread\":\"disk\"",
	    ",\"speed\":1,\"spread\":{\"rack\":1}"};

	snprintf(requires, size, "{\"cpu\":0.%u,\"mem\":0.%u%s}",
	    below(random, 4), below(random, 5), more[below(random, 6)]);
}

/* Asks for what was made; it is placed if nothing stands against somebody. */
static int
ask_random(struct scene *scene, struct random *random)
{
	struct policy *policy = &scene->policy;
	const struct eligible *all, *list;
	struct json_value value;
	char requires[128];
	uint32_t member;
	bool placed;
	int wrong;

	make_random(requires, sizeof(requires), random);
	value = fixture_requires(requires);
	scene->constrained.duration = below(random, 4);
	scene->constrained.remaining = below(random, 3) == 0 ? 1.5 : INFINITY;
	wrong = strcmp(sentence(scene, requires),
		    slow_sentence(scene, &value)) != 0;
	if (constraints_find(scene->constraints, NULL, &value,
		policy->type->takes_room, &scene->constrained, &all, &list,
		NULL) == -1)
		return wrong + 1;
	placed = list->count > 0 &&
		 policy_choose(policy, list, &scene->task, &member, NULL) == 1;
	wrong += placed != (scene->open > 0);
	if (placed)
		wrong += constraints_placed(scene->constraints, list,
			     &scene->constrained, member, NULL) == -1;
	return wrong;
}

static void
sentences_are_those_of_looking_at_each_instance(void)
{
	const struct policy_type *const types[] = {
	    &first, &choosy, &policy_constrained};
	struct random random;
	int round, i, wrong = 0;

	random_seed(&random, 17);
	for (round = 0; round < 60; round++) {
		struct scene scene = {.fixture = {.count = 0}};

		add_random(&scene.fixture, &random);
		scene_open(&scene, types[round % 3]);
		for (i = 0; i < 60; i++)
			wrong += ask_random(&scene, &random);
		scene_close(&scene);
	}
	CHECK(wrong == 0);
}

static void
what_is_too_large_for_a_size_is_said_as_a_number(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	fixture_add(
	    &scene.fixture, "s", "a", ",\"capacity\":{\"mem\":\"1023P\"}");
	scene_open(&scene, &first);
	CHECK_STRING(sentence(&scene, "{\"mem\":1e308}"),
	    "0 of 1 instance: 1 insufficient mem (need 1e+308, most free "
	    "1023P)");
	scene_close(&scene);
}

static void
numbers_that_look_alike_are_said_to_the_last_digit(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	fixture_add(&scene.fixture, "s", "a", ",\"capacity\":{\"cpu\":0.3}");
	scene_open(&scene, &policy_constrained);
	CHECK_STRING(sentence(&scene, "{\"cpu\":0.30000000000000004}"),
	    "0 of 1 instance: 1 insufficient cpu "
	    "(need 0.30000000000000004, most free 0.3)");
	scene_close(&scene);
}

static void
every_reason_has_its_own_name(void)
{
	int a, b;

	for (a = 0; a < REASON_COUNT; a++) {
		CHECK(reason_name((enum reason_code)a) != NULL);
		for (b = 0; b < a; b++)
			CHECK(strcmp(reason_name((enum reason_code)a),
				  reason_name((enum reason_code)b)) != 0);
	}
	CHECK(reason_of_status(STATUS_EXPIRED) == REASON_EXPIRED);
	CHECK(reason_of_status(STATUS_DRAINING) == REASON_DRAINING);
	CHECK(reason_of_status(STATUS_CRITICAL) == REASON_CRITICAL);
	CHECK(reason_of_status(STATUS_UNKNOWN) == REASON_UNKNOWN);
	CHECK(reason_of_status(STATUS_WARNING) == REASON_WARNING);
}

int
main(void)
{
	RUN(the_sentence_counts_each_instance_once);
	RUN(sentences_say_the_numbers);
	RUN(a_spread_that_is_too_far_ahead_says_how_far);
	RUN(counts_are_of_all_reasons_of_all_instances);
	RUN(full_lists_terms_and_reasons);
	RUN(what_a_policy_refuses_is_full);
	RUN(warning_is_a_reason_where_others_pass);
	RUN(a_policy_that_takes_room_says_what_is_left);
	RUN(no_speed_is_no_work);
	RUN(counts_sum_up_to_what_the_candidates_say);
	RUN(sentences_are_those_of_looking_at_each_instance);
	RUN(what_is_too_large_for_a_size_is_said_as_a_number);
	RUN(numbers_that_look_alike_are_said_to_the_last_digit);
	RUN(every_reason_has_its_own_name);
	return check_done();
}
