/*
 * Numbers with units, times, and names, as they stand on command lines and in
 * records.  Every refusal names the value and an example of a right one.
 *
 * Durations: 250ms 30s 5m 2h 1d, a bare number is seconds, fractions allowed
 * (1.5h).  Sizes and quantities: 512 512K 512M 2G 1.5G 1T 1P, binary (K is
 * 1024), with an optional i and B ("2GiB", "2GB").  Rates: 100 100/s 6/m
 * 5000/h.  Times: RFC 3339, "now", or now plus a duration ("+5m").
 *
 * A number is digits, maybe with a fraction and an exponent: no space, no '+',
 * nothing hexadecimal, no "inf" or "nan", and finite.  It is read by strtod(3):
 * LC_NUMERIC must be that of the C locale, which it is in a program that sets
 * LC_CTYPE alone.
 */
#ifndef SVCKIT_LINE_UNITS_H
#define SVCKIT_LINE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include "line/buffer.h"
#include "line/error.h"

#define NAME_MAX_LENGTH 128
#define DURATION_MAX	(36500.0 * 86400) /* a century, in seconds */
#define RATE_MIN	(1.0 / 86400) /* one a day */
#define RATE_MAX	1e6 /* a second */

/*
 * Whether it is a name of a service, an instance or a task:
 * [A-Za-z0-9][A-Za-z0-9._-]{0,127}.  That is also a safe file name, URL segment
 * and etcd key; whatever is not a name never becomes a path.
 */
bool name_valid(const char *name, size_t length);

/*
 * The same with a refusal, EX_USAGE: what says whose name it is ("service",
 * "instance").
 */
int name_check(const char *what, const char *name, struct svc_error *error);

/* Seconds, from 0 to DURATION_MAX.  EX_USAGE. */
int duration_parse(const char *text, double *seconds, struct svc_error *error);

/*
 * Appends seconds for people, to two digits or so in the largest fitting unit:
 * 250ms, 3.5s, 4m, 2h, 3d.  Less than nothing is 0s.
 */
void duration_append(struct buffer *out, double seconds);

/*
 * The same as timers take it: rounded up, so that none is early; less than
 * nothing is nothing, and what lies beyond some decades is those.
 */
struct timeval duration_timeval(double seconds);

/*
 * So many a second, a minute or an hour: "100", "100/s", "6/m", "5000/h",
 * "2.5/s"; a bare number is a second's.  *a_second is from RATE_MIN to
 * RATE_MAX.  EX_USAGE.
 */
int rate_parse(const char *text, double *a_second, struct svc_error *error);

/* A size in bytes.  EX_USAGE. */
int size_parse(const char *text, double *bytes, struct svc_error *error);

/* The same from 1 to maximum, which is whole mebibytes. */
int size_parse_within(
    const char *text, size_t maximum, size_t *bytes, struct svc_error *error);

/* An amount of whatever, with the suffixes of sizes.  EX_USAGE. */
int quantity_parse(const char *text, double *quantity, struct svc_error *error);

/* A plain decimal number, all of text, finite.  EX_USAGE. */
int number_parse(const char *text, double *number, struct svc_error *error);

/* A whole number from minimum to maximum.  EX_USAGE. */
int integer_parse(const char *text, long long minimum, long long maximum,
    long long *integer, struct svc_error *error);

/*
 * An instant in milliseconds since 1970-01-01T00:00:00Z.  now is what "+5m" and
 * "now" count from.  EX_USAGE.
 */
int time_parse(const char *text, int64_t now, int64_t *milliseconds,
    struct svc_error *error);

/* RFC 3339 in UTC with milliseconds: 2026-11-22T10:00:00.250Z. */
void time_append(struct buffer *out, int64_t milliseconds);

/* The wall clock, in milliseconds since 1970. */
int64_t time_now(void);

/* The monotonic clock, in seconds. */
double time_monotonic(void);

/*
 * Splits "K=V" at the first '=': the key (not NUL-terminated) is key_length
 * bytes at text, *value points behind the '='.  The key must match
 * [A-Za-z0-9][A-Za-z0-9._/-]{0,127}.  EX_USAGE.
 */
int pair_parse(const char *text, size_t *key_length, const char **value,
    struct svc_error *error);

#endif
