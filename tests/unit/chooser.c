/* From a task to a choice, or to the sentence that says why there is none. */
#include "sched/chooser.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "line/json.h"
#include "pool_fixture.h"

/* A chooser, and what became of its last task. */
struct scene {
	struct fixture fixture;
	struct policy policy;
	struct chooser chooser;
	struct chooser_task task;
	struct json_value requires;
	const struct eligible *list;
	uint32_t member;
	struct buffer why;
	struct task_failure failure;
	struct svc_error error;
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

/* One task an instance: the first of list that has none yet. */
static int
choose_free(struct policy *policy, const struct eligible *list,
    const struct policy_task *task, uint32_t *member, struct svc_error *error)
{
	unsigned char *busy = policy->state;
	size_t i;

	(void)task;
	(void)error;
	for (i = 0; i < list->count; i++) {
		if (busy[list->members[i]])
			continue;
		*member = list->members[i];
		busy[*member] = 1;
		return 1;
	}
	return 0;
}

static int
open_busy(struct policy *policy, struct svc_error *error)
{
	(void)error;
	policy->state = calloc(pool_count(policy->pool) + 1, 1);
	return policy->state == NULL ? -1 : 0;
}

static void
close_busy(struct policy *policy)
{
	free(policy->state);
}

static void
free_again(struct policy *policy, const struct demand *demand, uint32_t member)
{
	unsigned char *busy = policy->state;

	(void)demand;
	busy[member] = 0;
}

static const double *
left_of(const struct policy *policy, const char *name)
{
	const double *totals = pool_capacity(policy->pool, name);
	const unsigned char *busy = policy->state;
	static double left[64];
	size_t i;

	for (i = 0; i < pool_count(policy->pool); i++)
		left[i] = busy[i] ? 0 : totals[i];
	return left;
}

static const struct policy_type first = {.name = "first",
    .choose = choose_first};
static const struct policy_type once = {.name = "once",
    .takes_room = true,
    .open = open_busy,
    .close = close_busy,
    .choose = choose_free,
    .give_back = free_again,
    .left = left_of};

/* The fixture of scene is filled. */
static void
scene_open(struct scene *scene, const struct policy_type *type)
{
	struct policy_options options = {.seed = 1};

	if (scene->fixture.count > 0)
		fixture_open(&scene->fixture);
	else
		CHECK(pool_open(&scene->fixture.pool, NULL, 0, NULL) == 0);
	CHECK(policy_open(&scene->policy, type, scene->fixture.pool, &options,
		  NULL) == 0);
	scene->chooser.pool = scene->fixture.pool;
	scene->chooser.policy = &scene->policy;
	CHECK(constraints_open(
		  &scene->chooser.constraints, scene->fixture.pool, NULL) == 0);
	scene->task.constrained.duration = -1;
	scene->task.constrained.remaining = INFINITY;
}

static void
scene_close(struct scene *scene)
{
	buffer_release(&scene->why);
	constraints_close(scene->chooser.constraints);
	policy_close(&scene->policy);
	fixture_close(&scene->fixture);
	memset(scene, 0, sizeof(*scene));
}

/* The id that is chosen, or the code and the sentence of why none is. */
static const char *
choose(struct scene *scene, const char *service, const char *requires)
{
	static char text[600];
	int chosen;

	scene->requires = fixture_requires(requires);
	scene->task.requires = &scene->requires;
	scene->task.service = service;
	buffer_clear(&scene->why);
	chosen = chooser_choose(&scene->chooser, &scene->task, &scene->member,
	    &scene->list, &scene->why, &scene->failure, &scene->error);
	if (chosen == 1)
		return fixture_id(&scene->fixture, scene->member);
	snprintf(text, sizeof(text), "%s: %s",
	    task_code_name(scene->failure.code), scene->failure.message);
	return chosen == 0 ? text : scene->error.message;
}

static void
add_zones(struct fixture *fixture)
{
	fixture_add(fixture, "s", "a",
	    ",\"labels\":{\"zone\":\"a\"},\"capacity\":{\"cpu\":4}");
	fixture_add(fixture, "s", "b",
	    ",\"labels\":{\"zone\":\"b\"},\"capacity\":{\"cpu\":2}");
}

static void
nobody_to_choose_is_told_by_code(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	scene_open(&scene, &first);
	CHECK_STRING(choose(&scene, NULL, ""), "no-instances: no instances");
	scene.chooser.empty = "no instances in empty";
	CHECK_STRING(
	    choose(&scene, "s", ""), "no-instances: no instances in empty");
	scene_close(&scene);
	add_zones(&scene.fixture);
	fixture_add(&scene.fixture, "t", "a", "");
	scene_open(&scene, &first);
	CHECK_STRING(choose(&scene, NULL, ""),
	    "no-service: several services (s, t), and none is named");
	CHECK_STRING(choose(&scene, "u", ""),
	    "no-instances: no instances of \"u\", only of s, t");
	scene.chooser.service = "t";
	CHECK_STRING(choose(&scene, NULL, ""), "a");
	CHECK_STRING(choose(&scene, "s", "{\"cpu\":-1}"),
	    "invalid: \"requires.cpu\": negative: -1");
	CHECK_STRING(choose(&scene, "s", "{\"cpu\":5}"),
	    "unplaceable: 0 of 2 instances: 2 insufficient cpu (need 5, most "
	    "free 4)");
	scene_close(&scene);
}

static void
a_deadline_that_nobody_makes_says_the_numbers(void)
{
	struct scene scene = {.fixture = {.count = 0}};
	struct constrained_task *task = &scene.task.constrained;

	add_zones(&scene.fixture);
	scene_open(&scene, &first);
	task->remaining = -3;
	CHECK_STRING(choose(&scene, NULL, ""),
	    "deadline: its deadline has passed, 3.0 s ago");
	CHECK_STRING(choose(&scene, NULL, "{\"cpu\":9}"),
	    "deadline: its deadline has passed, 3.0 s ago");
	task->remaining = 5;
	task->duration = 10;
	CHECK_STRING(choose(&scene, NULL, ""),
	    "deadline: takes 10 s, and its deadline is in 5 s");
	CHECK(!scene.failure.retryable);
	CHECK_STRING(choose(&scene, NULL, "{\"cpu\":9}"),
	    "unplaceable: 0 of 2 instances: 2 insufficient cpu (need 9, most "
	    "free 4)");
	task->duration = 5;
	CHECK_STRING(choose(&scene, NULL, ""), "a");
	scene_close(&scene);
}

static void
speed_counts_against_the_deadline(void)
{
	struct scene scene = {.fixture = {.count = 0}};
	struct constrained_task *task = &scene.task.constrained;

	fixture_add(&scene.fixture, "s", "slow", "");
	fixture_add(&scene.fixture, "s", "swift",
	    ",\"capacity\":{\"speed\":4},\"labels\":{\"zone\":\"a\"}");
	scene_open(&scene, &first);
	task->duration = 10;
	task->remaining = 5;
	CHECK_STRING(choose(&scene, NULL, ""), "swift");
	task->remaining = 2;
	CHECK_STRING(choose(&scene, NULL, ""),
	    "deadline: takes 2.5 s on the fastest instance, and its deadline "
	    "is in 2 s");
	scene_close(&scene);
}

static void
some_late_and_others_out_is_unplaceable_with_both_reasons(void)
{
	struct scene scene = {.fixture = {.count = 0}};
	struct constrained_task *task = &scene.task.constrained;

	fixture_add(
	    &scene.fixture, "s", "a", ",\"capacity\":{\"speed\":4,\"cpu\":2}");
	fixture_add(&scene.fixture, "s", "b", ",\"capacity\":{\"cpu\":2}");
	scene_open(&scene, &once);
	task->duration = 10;
	task->remaining = 5;
	CHECK_STRING(choose(&scene, NULL, "{\"cpu\":1}"), "a");
	CHECK_STRING(choose(&scene, NULL, "{\"cpu\":1}"),
	    "unplaceable: 0 of 2 instances: 1 insufficient cpu (need 1, most "
	    "free 0), 1 late (takes 10 s, 5 s left)");
	CHECK(scene.failure.retryable);
	scene_close(&scene);
}

static void
choices_are_spread_and_given_back(void)
{
	struct scene scene = {.fixture = {.count = 0}};
	const char *requires = "{\"spread\":\"zone\",\"cpu\":1}";

	add_zones(&scene.fixture);
	scene_open(&scene, &first);
	CHECK_STRING(choose(&scene, NULL, requires), "a");
	CHECK_STRING(choose(&scene, NULL, requires), "b");
	CHECK_STRING(choose(&scene, NULL, requires), "a");
	chooser_ended(&scene.chooser, &scene.task, scene.list, scene.member);
	CHECK_STRING(choose(&scene, NULL, requires), "a");
	CHECK_STRING(choose(&scene, NULL, requires), "b");
	/* cpu shuts b out, and then its zone is none to be compared */
	CHECK_STRING(
	    choose(&scene, NULL, "{\"spread\":\"zone\",\"cpu\":4}"), "a");
	CHECK_STRING(
	    choose(&scene, NULL, "{\"spread\":\"zone\",\"cpu\":4}"), "a");
	scene_close(&scene);
}

static void
room_is_given_back(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	add_zones(&scene.fixture);
	scene_open(&scene, &once);
	CHECK_STRING(choose(&scene, NULL, "{\"cpu\":1}"), "a");
	CHECK_STRING(choose(&scene, NULL, "{\"cpu\":1}"), "b");
	CHECK_STRING(choose(&scene, NULL, "{\"cpu\":1}"),
	    "unplaceable: 0 of 2 instances: 2 insufficient cpu (need 1, most "
	    "free 0)");
	chooser_ended(&scene.chooser, &scene.task, scene.list, 1);
	CHECK_STRING(choose(&scene, NULL, "{\"cpu\":1}"), "b");
	scene_close(&scene);
}

static void
among_chooses_of_some_only(void)
{
	struct scene scene = {.fixture = {.count = 0}};
	unsigned char keep[2] = {0, 1};

	add_zones(&scene.fixture);
	scene_open(&scene, &once);
	scene.requires = fixture_requires("{\"cpu\":1,\"spread\":\"zone\"}");
	scene.task.requires = &scene.requires;
	CHECK(chooser_choose_among(&scene.chooser, &scene.task, keep,
		  &scene.member, &scene.list, &scene.error) == 1);
	CHECK(scene.member == 1);
	/* b is taken, and its zone ahead */
	CHECK(chooser_choose_among(&scene.chooser, &scene.task, keep,
		  &scene.member, &scene.list, &scene.error) == 0);
	keep[0] = 1;
	CHECK(chooser_choose_among(&scene.chooser, &scene.task, keep,
		  &scene.member, &scene.list, &scene.error) == 1);
	CHECK(scene.member == 0);
	scene.requires = fixture_requires("{\"cpu\":-1}");
	CHECK(chooser_choose_among(&scene.chooser, &scene.task, keep,
		  &scene.member, &scene.list, &scene.error) == 0);
	scene_close(&scene);
}

/* What is explained is what the choice was made from, not what it left. */
static void
why_is_of_the_moment_before_the_choice(void)
{
	struct scene scene = {.fixture = {.count = 0}};

	add_zones(&scene.fixture);
	scene_open(&scene, &once);
	CHECK_STRING(choose(&scene, NULL, "{\"cpu\":3}"), "a");
	CHECK(scene.why.length == 0);
	chooser_ended(&scene.chooser, &scene.task, scene.list, scene.member);
	scene.chooser.explain = EXPLAIN_COUNTS;
	CHECK_STRING(choose(&scene, NULL, "{\"cpu\":3}"), "a");
	CHECK_STRING(buffer_string(&scene.why),
	    "{\"policy\":\"once\",\"seed\":1,\"eligible\":1,\"of\":2,"
	    "\"excluded\":[{\"reason\":\"insufficient\",\"name\":\"cpu\","
	    "\"count\":1,\"need\":3,\"most\":2}]}");
	scene.chooser.explain = EXPLAIN_FULL;
	choose(&scene, NULL, "{\"cpu\":3}");
	CHECK(strstr(buffer_string(&scene.why), "\"candidates\":[{\"id\":\"a\","
						"\"excluded\":[") != NULL);
	choose(&scene, "u", "");
	CHECK(scene.why.length == 0);
	scene_close(&scene);
}

int
main(void)
{
	RUN(nobody_to_choose_is_told_by_code);
	RUN(a_deadline_that_nobody_makes_says_the_numbers);
	RUN(speed_counts_against_the_deadline);
	RUN(some_late_and_others_out_is_unplaceable_with_both_reasons);
	RUN(choices_are_spread_and_given_back);
	RUN(room_is_given_back);
	RUN(among_chooses_of_some_only);
	RUN(why_is_of_the_moment_before_the_choice);
	return check_done();
}
