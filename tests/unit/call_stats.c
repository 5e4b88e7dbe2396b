/* What calling came to, as one object. */
#include "net/call_stats.h"

#include <malloc.h>

#include "check.h"
#include "line/json.h"

static const struct call_instance web1 = {.service = "w", .id = "web1"};
static const struct call_instance web2 = {.service = "w", .id = "web2"};

static struct call_stats *
open_stats(void)
{
	struct call_stats *stats;
	struct svc_error error;

	CHECK(call_stats_open(&stats, &error) == 0);
	return stats;
}

static void
check_object(const struct call_stats *stats, double seconds, const char *want)
{
	struct json_document document = {0};
	struct buffer out = BUFFER_INIT;
	struct svc_error error;

	CHECK(call_stats_print(stats, seconds, &out, &error) == 0);
	CHECK_STRING(buffer_string(&out), want);
	CHECK(json_scan(&document, out.data, out.length, &error) == 0);
	json_document_release(&document);
	buffer_release(&out);
}

static void
end(struct call_stats *stats, const struct call_instance *instance,
    enum call_reason reason, enum call_result result, double ms, size_t sent,
    size_t received)
{
	const struct call_stats_end ended = {
	    .reason = reason,
	    .result = result,
	    .ms = ms,
	    .sent = sent,
	    .received = received,
	};

	call_stats_ended(stats, instance, &ended);
}

/* One request, sent and answered. */
static void
answer(
    struct call_stats *stats, const struct call_instance *instance, double ms)
{
	call_stats_sent(stats, instance, CALL_FIRST);
	end(stats, instance, CALL_FIRST, CALL_ANSWERED, ms, 10, 5);
}

static void
nothing_is_all_zeros_and_has_no_latency(void)
{
	struct call_stats *stats = open_stats();

	check_object(stats, 0,
	    "{\"tasks\":0,\"ok\":0,\"failed\":0,\"passed\":0,"
	    "\"passed_failed\":0,\"codes\":{},\"attempts\":0,\"retries\":0,"
	    "\"waits\":0,\"hedges\":0,\"hedges_won\":0,\"bytes_sent\":0,"
	    "\"bytes_received\":0,\"seconds\":0,\"rate\":null,"
	    "\"latency_ms\":null,\"instances\":[]}");
	call_stats_close(stats);
	call_stats_close(NULL);
}

/* A task that was busy, then failed at web1, then hedged and won at web2. */
static void
every_event_is_counted_once(void)
{
	struct call_stats *stats = open_stats();

	call_stats_sent(stats, &web1, CALL_FIRST);
	end(stats, &web1, CALL_FIRST, CALL_BUSY, 1, 100, 0);
	call_stats_sent(stats, &web1, CALL_WAITED);
	end(stats, &web1, CALL_WAITED, CALL_FAILED, 2, 100, 7);
	call_stats_sent(stats, &web1, CALL_RETRY);
	call_stats_sent(stats, &web2, CALL_HEDGE);
	end(stats, &web2, CALL_HEDGE, CALL_ANSWERED, 2.5, 100, 30);
	end(stats, &web1, CALL_RETRY, CALL_DROPPED, 9, 100, 0);
	call_stats_task(stats, CODE_NONE, 12.25);
	call_stats_task(stats, CODE_TIMEOUT, 30000);
	call_stats_task(stats, CODE_TIMEOUT, 30000);
	call_stats_task(stats, CODE_INVALID, -1);
	call_stats_passed(stats, false);
	call_stats_passed(stats, true);
	check_object(stats, 1.6,
	    "{\"tasks\":4,\"ok\":1,\"failed\":3,\"passed\":2,"
	    "\"passed_failed\":1,\"codes\":{\"invalid\":1,\"timeout\":2},"
	    "\"attempts\":4,\"retries\":1,\"waits\":1,\"hedges\":1,"
	    "\"hedges_won\":1,\"bytes_sent\":400,\"bytes_received\":37,"
	    "\"seconds\":1.6,\"rate\":2.5,"
	    "\"latency_ms\":{\"p50\":12.25,\"p90\":12.25,\"p99\":12.25,"
	    "\"p99.9\":12.25,\"max\":12.25},"
	    "\"instances\":[{\"service\":\"w\",\"id\":\"web1\",\"attempts\":3,"
	    "\"ok\":0,\"busy\":1,\"failed\":1,\"dropped\":1,"
	    "\"bytes_sent\":300,\"bytes_received\":7,\"latency_ms\":null},"
	    "{\"service\":\"w\",\"id\":\"web2\",\"attempts\":1,"
	    "\"ok\":1,\"busy\":0,\"failed\":0,\"dropped\":0,"
	    "\"bytes_sent\":100,\"bytes_received\":30,"
	    "\"latency_ms\":{\"p50\":2.5,\"p90\":2.5,\"p99\":2.5,"
	    "\"p99.9\":2.5,\"max\":2.5}}]}");
	call_stats_close(stats);
}

/* web2 was never asked, and of the bytes of a refused one none left. */
static void
what_never_left_is_not_counted(void)
{
	struct call_stats *stats = open_stats();

	call_stats_sent(stats, &web2, CALL_FIRST);
	end(stats, &web2, CALL_FIRST, CALL_FORBIDDEN, 1, 0, 0);
	call_stats_sent(stats, &web1, CALL_RETRY);
	end(stats, &web1, CALL_RETRY, CALL_FORBIDDEN, 1, 0, 0);
	call_stats_sent(stats, &web1, CALL_WAITED);
	end(stats, &web1, CALL_WAITED, CALL_BUSY, 1, 0, 0);
	check_object(stats, 0,
	    "{\"tasks\":0,\"ok\":0,\"failed\":0,\"passed\":0,"
	    "\"passed_failed\":0,\"codes\":{},\"attempts\":1,\"retries\":0,"
	    "\"waits\":1,\"hedges\":0,\"hedges_won\":0,\"bytes_sent\":0,"
	    "\"bytes_received\":0,\"seconds\":0,\"rate\":null,"
	    "\"latency_ms\":null,\"instances\":[{\"service\":\"w\","
	    "\"id\":\"web1\",\"attempts\":1,\"ok\":0,\"busy\":1,"
	    "\"failed\":0,\"dropped\":0,\"bytes_sent\":0,"
	    "\"bytes_received\":0,\"latency_ms\":null}]}");
	call_stats_close(stats);
}

/* "a-b" < "a/x" as bytes, but the service a comes before the service a-b. */
static void
instances_are_sorted_by_service_then_id(void)
{
	static const struct call_instance rows[] = {
	    {.service = "b", .id = "1"},
	    {.service = "a-b", .id = "1"},
	    {.service = "a", .id = "z"},
	    {.service = "a", .id = "b"},
	    {.service = "a.b", .id = "1"},
	};
	static const char *const sorted[] = {"\"a\",\"id\":\"b\"",
	    "\"a\",\"id\":\"z\"", "\"a-b\"", "\"a.b\"", "\"b\""};
	struct call_stats *stats = open_stats();
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	const char *at;
	size_t i;

	for (i = 0; i < 5; i++)
		answer(stats, &rows[i], 1);
	CHECK(call_stats_print(stats, 1, &out, &error) == 0);
	at = strstr(buffer_string(&out), "\"instances\"");
	for (i = 0; i < 5 && CHECK(at != NULL); i++)
		at = strstr(at, sorted[i]);
	CHECK(at != NULL);
	buffer_release(&out);
	call_stats_close(stats);
}

static void
latencies_are_those_of_the_answers(void)
{
	struct call_stats *stats = open_stats();
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	int i;

	for (i = 1; i <= 1000; i++) {
		answer(stats, &web1, i);
		call_stats_task(stats, CODE_NONE, i);
	}
	/* That of 500 ms ends at 123 << 12 us, the coarse one at 31 << 14. */
	CHECK(call_stats_print(stats, 10, &out, &error) == 0);
	CHECK(strstr(buffer_string(&out),
		  ",\"rate\":100,\"latency_ms\":{\"p50\":503.808,") != NULL);
	CHECK(strstr(out.data, "\"latency_ms\":{\"p50\":507.904,") != NULL);
	CHECK(strstr(out.data, "\"max\":1000}}]}") != NULL);
	buffer_release(&out);
	call_stats_close(stats);
}

/* Ten thousand have rows in little memory, all others share one. */
static void
more_instances_than_the_limit_are_one_row(void)
{
	struct call_stats *stats = open_stats();
	struct call_instance instance = {.service = "w"};
	struct buffer out = BUFFER_INIT;
	struct svc_error error;
	size_t before, grown;
	char id[32];
	int i, round;

	before = mallinfo2().uordblks;
	for (round = 0; round < 3; round++)
		for (i = 0; i < CALL_STATS_INSTANCES + 50; i++) {
			snprintf(id, sizeof(id), "web%05d", i);
			instance.id = id;
			/* from 1 to 128 ms */
			answer(stats, &instance, 1 << (i + 3 * round) % 8);
		}
	grown = mallinfo2().uordblks - before;
	CHECK(grown < 8UL * 1024 * 1024);
	printf("# %zu bytes an instance\n", grown / CALL_STATS_INSTANCES);
	CHECK(call_stats_print(stats, 1, &out, &error) == 0);
	CHECK(strstr(buffer_string(&out), "\"attempts\":30150,") != NULL);
	CHECK(strstr(out.data, "\"id\":\"web09999\",\"attempts\":3,") != NULL);
	CHECK(strstr(out.data, "web10000") == NULL);
	CHECK(strstr(out.data, "{\"service\":null,\"id\":null,\"attempts\":150,"
			       "\"ok\":150,") != NULL);
	buffer_release(&out);
	call_stats_close(stats);
}

int
main(void)
{
	RUN(nothing_is_all_zeros_and_has_no_latency);
	RUN(every_event_is_counted_once);
	RUN(what_never_left_is_not_counted);
	RUN(instances_are_sorted_by_service_then_id);
	RUN(latencies_are_those_of_the_answers);
	RUN(more_instances_than_the_limit_are_one_row);
	return check_done();
}
