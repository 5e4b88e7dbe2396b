/* Task lines come in, and go out placed or with the reason why not. */
#include "sched/placer.h"

#include "check.h"
#include "pool_fixture.h"

/* A placer over one instance, "s/a", and the line that came out last. */
struct scene {
	struct fixture fixture;
	struct policy policy;
	struct chooser chooser;
	struct placer placer;
	struct envelope envelope;
	struct buffer out;
};

static void
scene_open(struct scene *scene, const struct policy_type *type)
{
	struct policy_options options = {.seed = 1};

	fixture_add(&scene->fixture, "s", "a", ",\"labels\":{\"zone\":\"x\"}");
	fixture_open(&scene->fixture);
	CHECK(policy_open(&scene->policy, type, scene->fixture.pool, &options,
		  NULL) == 0);
	scene->chooser.pool = scene->fixture.pool;
	scene->chooser.policy = &scene->policy;
	CHECK(constraints_open(
		  &scene->chooser.constraints, scene->fixture.pool, NULL) == 0);
	scene->placer.chooser = &scene->chooser;
	envelope_init(&scene->envelope);
}

static void
scene_close(struct scene *scene)
{
	buffer_release(&scene->out);
	envelope_release(&scene->envelope);
	constraints_close(scene->chooser.constraints);
	policy_close(&scene->policy);
	fixture_close(&scene->fixture);
	memset(scene, 0, sizeof(*scene));
}

static bool
enter(struct scene *scene, const char *text)
{
	struct envelope_options options = {.run = "run", .source = "test"};
	struct line line = {.data = text, .length = strlen(text), .number = 1};
	struct svc_error error;

	buffer_clear(&scene->out);
	return CHECK(envelope_enter(&scene->envelope, &line, &options,
			 &error) == ENVELOPE_READY);
}

/* The line that text becomes. */
static const char *
through(struct scene *scene, const char *text)
{
	struct svc_error error;

	if (!enter(scene, text) || placer_task(&scene->placer, &scene->envelope,
				       &scene->out, &error) == -1)
		return "error";
	return buffer_string(&scene->out);
}

#define PLACED                                    \
	"\"instance\":{\"service\":\"s\",\"id\":" \
	"\"a\",\"address\":\"http://127.0.0.1:9/task\"}"

static void
what_an_earlier_planning_left_is_replaced(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	scene_open(&scene, &policy_random);
	CHECK_STRING(through(&scene,
			 "{\"id\":\"t\",\"instance\":{\"service\":\"s\","
			 "\"id\":\"z\",\"address\":\"http://h:1/task\"},"
			 "\"task\":1,\"why\":2,\"start\":3,\"end\":4,\"x\":5}"),
	    "{\"id\":\"t\",\"task\":1,\"x\":5," PLACED "}\n");
	scene_close(&scene);
}

static void
a_failed_line_has_one_why_and_keeps_its_instance(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	scene_open(&scene, &policy_random);
	scene.chooser.explain = EXPLAIN_COUNTS;
	CHECK_STRING(
	    through(&scene, "{\"id\":\"t\",\"instance\":{\"service\":\"s\","
			    "\"id\":\"z\",\"address\":\"http://h:1/task\"},"
			    "\"task\":1,\"why\":2,\"end\":4,"
			    "\"requires\":{\"labels\":\"gpu\"}}"),
	    "{\"id\":\"t\",\"instance\":{\"service\":\"s\",\"id\":\"z\","
	    "\"address\":\"http://h:1/task\"},\"task\":1,"
	    "\"requires\":{\"labels\":\"gpu\"},"
	    "\"error\":{\"code\":\"unplaceable\",\"message\":"
	    "\"0 of 1 instance: 1 label gpu\",\"retryable\":true},"
	    "\"why\":{\"policy\":\"random\",\"seed\":1,\"eligible\":0,"
	    "\"of\":1,\"excluded\":[{\"reason\":\"label\",\"name\":\"gpu\","
	    "\"count\":1}]}}\n");
	scene_close(&scene);
}

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

#define OF_GROUP(group)                               \
	"{\"id\":\"t\",\"task\":1,\"group\":\"" group \
	"\",\"requires\":{\"spread\":\"zone\"}}"

static void
a_group_is_the_same_with_escapes_and_without(void)
{
	static const struct policy_type first = {
	    .name = "first", .choose = choose_first};
	struct scene scene = {.fixture = {.count = 0}};

	fixture_add(&scene.fixture, "s", "b", ",\"labels\":{\"zone\":\"y\"}");
	scene_open(&scene, &first);
	CHECK(strstr(through(&scene, OF_GROUP("\\u0061lice")),
		  "\"id\":\"a\"") != NULL);
	CHECK(strstr(through(&scene, OF_GROUP("bob")), "\"id\":\"a\"") != NULL);
	CHECK(
	    strstr(through(&scene, OF_GROUP("alice")), "\"id\":\"b\"") != NULL);
	scene_close(&scene);
}

static void
more_goes_behind_the_instance_and_what_it_names_is_dropped(void)
{
	struct scene scene = {.fixture = {.count = 0}};
	struct buffer more = BUFFER_INIT;

	scene_open(&scene, &policy_random);
	buffer_append_string(&more, ",\"start\":0,\"end\":2.5");
	if (enter(&scene, "{\"id\":\"t\",\"task\":1,\"ms\":9,\"end\":1}")) {
		placer_append(&scene.placer, &scene.envelope, 0, NULL, &more,
		    MEMBER_BIT(MEMBER_MS), &scene.out);
		CHECK_STRING(buffer_string(&scene.out),
		    "{\"id\":\"t\",\"task\":1," PLACED
		    ",\"start\":0,\"end\":2.5}\n");
	}
	buffer_release(&more);
	scene_close(&scene);
}

static void
a_line_without_the_key_that_is_asked_for_is_invalid(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	scene_open(&scene, &policy_hash);
	scene.placer.pointer = "/user";
	CHECK(strstr(through(&scene, "{\"id\":\"t\",\"task\":{\"user\":1}}"),
		  PLACED) != NULL);
	CHECK(strstr(through(&scene, "{\"id\":\"t\",\"task\":{}}"),
		  "\"code\":\"invalid\"") != NULL);
	scene_close(&scene);
}

int
main(void)
{
	RUN(what_an_earlier_planning_left_is_replaced);
	RUN(a_failed_line_has_one_why_and_keeps_its_instance);
	RUN(a_group_is_the_same_with_escapes_and_without);
	RUN(more_goes_behind_the_instance_and_what_it_names_is_dropped);
	RUN(a_line_without_the_key_that_is_asked_for_is_invalid);
	return check_done();
}
