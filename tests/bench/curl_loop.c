/*
 * curl_loop URL COUNT JOBS BODYFILE: the bare reused-handle loop that svc-call
 * is measured against.  COUNT POSTs of the same body, JOBS in flight, on
 * libcurl's multi interface with curl_multi_poll(3) and easy handles that are
 * set up once; headers like svc-call's.  Counts the 2xx answers and prints
 * "ANSWERS SECONDS RATE".  Nothing is read, parsed or written.
 */
#include <curl/curl.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#define BODY_MAX (1024UL * 1024)

static size_t
drop(char *data, size_t size, size_t count, void *argument)
{
	(void)data;
	(void)argument;
	return size * count;
}

static char *
read_body(const char *path, size_t *length)
{
	FILE *file = fopen(path, "r");
	char *body = malloc(BODY_MAX);

	if (file == NULL || body == NULL)
		err(EX_NOINPUT, "%s", path);
	*length = fread(body, 1, BODY_MAX, file);
	if (ferror(file))
		err(EX_IOERR, "%s", path);
	fclose(file);
	return body;
}

static CURL *
new_handle(const char *url, struct curl_slist *headers, const char *body,
    size_t length)
{
	CURL *handle = curl_easy_init();

	if (handle == NULL)
		errx(EX_OSERR, "out of memory");
	curl_easy_setopt(handle, CURLOPT_URL, url);
	curl_easy_setopt(handle, CURLOPT_PROXY, "");
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 30000L);
	curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(handle, CURLOPT_POST, 1L);
	curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(
	    handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	return handle;
}

/* Takes what has ended and starts it anew; returns how many were 2xx. */
static long
turn(CURLM *multi, long *left, long *running)
{
	CURLMsg *message;
	CURL *handle;
	long answers = 0, status;
	int queued;

	while ((message = curl_multi_info_read(multi, &queued)) != NULL) {
		handle = message->easy_handle;
		status = 0;
		if (message->data.result == CURLE_OK)
			curl_easy_getinfo(
			    handle, CURLINFO_RESPONSE_CODE, &status);
		answers += status / 100 == 2;
		curl_multi_remove_handle(multi, handle);
		--*running;
		if (*left > 0) {
			curl_multi_add_handle(multi, handle);
			--*left;
			++*running;
		}
	}
	return answers;
}

static long
run(CURLM *multi, long left, long running)
{
	long answers = 0;
	int busy;

	while (running > 0) {
		curl_multi_perform(multi, &busy);
		answers += turn(multi, &left, &running);
		if (busy > 0)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	return answers;
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int
main(int argc, char *argv[])
{
	struct curl_slist *headers = NULL;
	long count, jobs, i, answers;
	double start, seconds;
	size_t length;
	CURL **handles;
	CURLM *multi;
	char *body;

	if (argc != 5 || (count = strtol(argv[2], NULL, 10)) < 1 ||
	    (jobs = strtol(argv[3], NULL, 10)) < 1)
		errx(EX_USAGE, "usage: curl_loop URL COUNT JOBS BODYFILE");
	if (jobs > count)
		jobs = count;
	body = read_body(argv[4], &length);
	headers = curl_slist_append(
	    headers, "Idempotency-Key: 20261122T100000-abcdefgh-100000");
	headers = curl_slist_append(
	    headers, "Svc-Deadline: 2026-11-22T10:00:00.000Z");
	headers = curl_slist_append(headers, "Svc-Attempt: 1");
	headers = curl_slist_append(headers,
	    "traceparent: "
	    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
	headers = curl_slist_append(headers, "Content-Type: application/json");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	multi = curl_multi_init();
	handles = calloc((size_t)jobs, sizeof(*handles));
	if (multi == NULL || handles == NULL)
		errx(EX_OSERR, "out of memory");
	start = now();
	for (i = 0; i < jobs; i++) {
		handles[i] = new_handle(argv[1], headers, body, length);
		curl_multi_add_handle(multi, handles[i]);
	}
	answers = run(multi, count - jobs, jobs);
	seconds = now() - start;
	printf("%ld %.3f %.0f\n", answers, seconds, (double)count / seconds);
	for (i = 0; i < jobs; i++)
		curl_easy_cleanup(handles[i]);
	curl_multi_cleanup(multi);
	curl_slist_free_all(headers);
	curl_global_cleanup();
	free(handles);
	free(body);
	return answers == count ? EXIT_SUCCESS : EXIT_FAILURE;
}
