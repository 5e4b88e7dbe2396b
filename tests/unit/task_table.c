/* The tasks of a run, by number: names, lines, and numbers used again. */
#include "flow/task_table.h"

#include <stdlib.h>

#include "check.h"

struct scene {
	struct task_table table;
	struct line_file *file;
	struct buffer store;
};

static void
bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static void
open_scene(struct scene *scene, bool whole)
{
	struct svc_error error;

	memset(scene, 0, sizeof(*scene));
	if (line_file_open(&scene->file, "/tmp", &error) == -1)
		bail_out(error.message);
	task_table_init(&scene->table, scene->file, whole);
}

static void
close_scene(struct scene *scene)
{
	task_table_release(&scene->table);
	line_file_close(scene->file);
	buffer_release(&scene->store);
}

static uint32_t
new_task(struct scene *scene)
{
	struct svc_error error;
	uint32_t task;

	if (task_table_new(&scene->table, &task, &error) == -1)
		bail_out(error.message);
	return task;
}

static uint32_t
new_named(struct scene *scene, const char *id)
{
	uint32_t task = new_task(scene), name;
	struct svc_error error;

	if (task_table_name(&scene->table, id, &name, &error) == -1)
		bail_out(error.message);
	task_table_claim(&scene->table, name, task);
	return task;
}

static void
keep(struct scene *scene, uint32_t task, const char *line, size_t length)
{
	struct svc_error error;

	CHECK(task_table_keep(&scene->table, task, line, length, &error) == 0);
}

/* Whether task's line is that one. */
static bool
has_line(struct scene *scene, uint32_t task, const char *want, size_t length)
{
	struct svc_error error;
	const char *line;
	size_t got;

	return task_table_line(&scene->table, task, &scene->store, &line, &got,
		   &error) == 0 &&
	       got == length && memcmp(line, want, length) == 0;
}

static void
a_new_task_is_zero_but_its_state(void)
{
	const struct flow_task *task;
	struct scene scene;

	open_scene(&scene, false);
	CHECK(new_task(&scene) == 0 && new_task(&scene) == 1);
	task = task_table_get(&scene.table, 1);
	CHECK(task->state == FLOW_READ && task->line == NULL);
	CHECK(task->name == NAME_TABLE_NONE && task->because == TASK_NONE);
	CHECK(task->place.offset == -1 && !task->linked && task->code == 0);
	CHECK(scene.table.open == 2);
	CHECK_STRING(task_table_id(&scene.table, 1), "");
	close_scene(&scene);
}

static void
the_number_of_a_made_id_is_used_again_all_zero(void)
{
	struct scene scene;
	int i;

	open_scene(&scene, false);
	for (i = 0; i < 1000; i++) {
		CHECK(new_task(&scene) == 0);
		keep(&scene, 0, "{}", 2);
		task_table_get(&scene.table, 0)->linked = true;
		task_table_get(&scene.table, 0)->code = CODE_TIMEOUT;
		task_table_out(&scene.table, 0);
		CHECK(task_table_get(&scene.table, 0)->state == FLOW_FREE);
	}
	CHECK(new_task(&scene) == 0 && new_task(&scene) == 1);
	CHECK(!task_table_get(&scene.table, 0)->linked);
	CHECK(task_table_get(&scene.table, 0)->code == CODE_NONE);
	CHECK(scene.table.open == 2 && scene.table.bytes == 0);
	close_scene(&scene);
}

static void
a_given_id_is_known_after_its_task_has_come_out(void)
{
	struct scene scene;
	struct svc_error error;
	uint32_t task, name;

	open_scene(&scene, false);
	task = new_named(&scene, "t1");
	task_table_out(&scene.table, task);
	CHECK(task_table_get(&scene.table, task)->state == FLOW_OUT);
	CHECK(new_task(&scene) != task);
	CHECK(task_table_name(&scene.table, "t1", &name, &error) == 0);
	CHECK(task_table_find(&scene.table, name) == task);
	CHECK_STRING(task_table_id(&scene.table, task), "t1");
	CHECK(scene.table.open == 1);
	close_scene(&scene);
}

static void
a_name_may_come_before_its_task(void)
{
	struct svc_error error;
	struct scene scene;
	uint32_t name, again, task;

	open_scene(&scene, false);
	CHECK(task_table_name(&scene.table, "later", &name, &error) == 0);
	CHECK(task_table_find(&scene.table, name) == TASK_NONE);
	(void)new_named(&scene, "other");
	task = new_named(&scene, "later");
	CHECK(task_table_name(&scene.table, "later", &again, &error) == 0);
	CHECK(again == name && task_table_find(&scene.table, name) == task);
	close_scene(&scene);
}

static void
names_and_tasks_by_the_thousand_find_each_other(void)
{
	struct svc_error error;
	struct scene scene;
	uint32_t i, name;
	char id[32];

	open_scene(&scene, true);
	for (i = 0; i < 5000; i++) {
		snprintf(id, sizeof(id), "t%u", i);
		CHECK(new_named(&scene, id) == i);
	}
	for (i = 0; i < 5000; i++) {
		snprintf(id, sizeof(id), "t%u", i);
		CHECK(task_table_name(&scene.table, id, &name, &error) == 0);
		CHECK(task_table_find(&scene.table, name) == i);
		CHECK_STRING(task_table_id(&scene.table, i), id);
	}
	close_scene(&scene);
}

/* Around the size from which lines lie in the file. */
static void
lines_of_all_lengths_are_kept_byte_for_byte(void)
{
	static const size_t lengths[] = {0, 1, 80, TASK_LINE_KEPT - 1,
	    TASK_LINE_KEPT, TASK_LINE_KEPT + 1, 300000};
	const size_t count = sizeof(lengths) / sizeof(lengths[0]);
	char *line = malloc(300000 + 16);
	struct scene scene;
	size_t i;
	int whole;

	if (line == NULL)
		bail_out("no memory");
	for (i = 0; i < 300000 + 16; i++)
		line[i] = (char)(i * 7 % 251);
	for (whole = 0; whole < 2; whole++) {
		open_scene(&scene, whole == 1);
		for (i = 0; i < count; i++)
			keep(&scene, new_task(&scene), line + i, lengths[i]);
		CHECK(scene.table.bytes ==
		      1 + 80 + TASK_LINE_KEPT - 1 + TASK_LINE_KEPT);
		for (i = count; i-- > 0;)
			CHECK(has_line(
			    &scene, (uint32_t)i, line + i, lengths[i]));
		close_scene(&scene);
	}
	free(line);
}

static void
a_line_that_is_forgotten_is_not_counted_any_more(void)
{
	struct scene scene;
	uint32_t first, second;

	open_scene(&scene, false);
	first = new_named(&scene, "a");
	second = new_task(&scene);
	keep(&scene, first, "12345", 5);
	keep(&scene, second, "123", 3);
	task_table_forget(&scene.table, first);
	task_table_forget(&scene.table, first);
	CHECK(scene.table.bytes == 3);
	CHECK(has_line(&scene, second, "123", 3));
	task_table_out(&scene.table, second);
	CHECK(scene.table.bytes == 0);
	/* And another one in its place, as when a task has ended. */
	keep(&scene, first, "1234567", 7);
	CHECK(scene.table.bytes == 7 && has_line(&scene, first, "1234567", 7));
	close_scene(&scene);
}

int
main(void)
{
	RUN(a_new_task_is_zero_but_its_state);
	RUN(the_number_of_a_made_id_is_used_again_all_zero);
	RUN(a_given_id_is_known_after_its_task_has_come_out);
	RUN(a_name_may_come_before_its_task);
	RUN(names_and_tasks_by_the_thousand_find_each_other);
	RUN(lines_of_all_lengths_are_kept_byte_for_byte);
	RUN(a_line_that_is_forgotten_is_not_counted_any_more);
	return check_done();
}
