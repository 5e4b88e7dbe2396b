#include "line/units.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define QUOTED_MAX     100 /* bytes of a refused value that are shown */
#define PAIR_KEY_MAX   128
#define SECONDS_MINUTE 60
#define SECONDS_HOUR   3600
#define SECONDS_DAY    86400
#define MILLISECONDS   1000
/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: RFC 3339's years. */
#define TIME_MINIMUM (-62167219200000LL)
#define TIME_MAXIMUM 253402300799999LL
/* More than any wait, and less than what overflows a timer (libevent adds it to
 * the clock). */
#define TIMEVAL_MAX 1e9

struct unit {
	const char *suffix;
	double factor;
};

static const struct unit duration_units[] = {
    {"", 1},
    {"ms", 0.001},
    {"s", 1},
    {"m", SECONDS_MINUTE},
    {"h", SECONDS_HOUR},
    {"d", SECONDS_DAY},
    {NULL, 0},
};

static const struct unit size_units[] = {
    {"", 1},
    {"K", 1024.0},
    {"M", 1024.0 * 1024},
    {"G", 1024.0 * 1024 * 1024},
    {"T", 1024.0 * 1024 * 1024 * 1024},
    {"P", 1024.0 * 1024 * 1024 * 1024 * 1024},
    {NULL, 0},
};

/* What a rate is divided by. */
static const struct unit rate_units[] = {
    {"", 1},
    {"/s", 1},
    {"/m", SECONDS_MINUTE},
    {"/h", SECONDS_HOUR},
    {NULL, 0},
};

/* "WHAT: 'TEXT' (EXAMPLE)"; a long text is cut between characters. */
static int
refuse_as(struct svc_error *error, const char *what, const char *text,
    const char *example)
{
	size_t length = strlen(text);
	const char *dots = "";

	if (length > QUOTED_MAX) {
		length = QUOTED_MAX;
		while (
		    length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
		dots = "...";
	}
	return svc_error_set(error, EX_USAGE, "%s: '%.*s%s' (%s)", what,
	    (int)length, text, dots, example);
}

/* It is not WHAT at all. */
static int
refuse(struct svc_error *error, const char *what, const char *text,
    const char *example)
{
	char is_not[96];

	snprintf(is_not, sizeof(is_not), "not %s", what);
	return refuse_as(error, is_not, text, example);
}

/* It is what was asked for, but too little or too much. */
static int
refuse_range(struct svc_error *error, const char *text, const char *range)
{
	return refuse_as(error, "out of range", text, range);
}

/* isdigit(3) and isalnum(3) of the C locale, for any char. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alphanumeric(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_word(const char *text, size_t length, const char *others)
{
	size_t i;

	if (length == 0 || !is_alphanumeric(text[0]))
		return false;
	for (i = 1; i < length; i++)
		if (!is_alphanumeric(text[i]) &&
		    (text[i] == '\0' || strchr(others, text[i]) == NULL))
			return false;
	return true;
}

bool
name_valid(const char *name, size_t length)
{
	return length <= NAME_MAX_LENGTH && is_word(name, length, "._-");
}

int
name_check(const char *what, const char *name, struct svc_error *error)
{
	bool vowel = *what != '\0' && strchr("aeio", *what) != NULL;
	char kind[64];

	if (name_valid(name, strlen(name)))
		return 0;
	snprintf(
	    kind, sizeof(kind), "the name of %s %s", vowel ? "an" : "a", what);
	return refuse(error, kind, name,
	    "letters, digits, '.', '_' and '-', at most 128, as web1-8081");
}

/* Behind the digits at text; text itself when there are none. */
static const char *
skip_digits(const char *text)
{
	while (is_digit(*text))
		text++;
	return text;
}

/*
 * Reads DIGITS[.DIGITS][eEXPONENT] and says where it ends.  strtod(3) alone
 * would also take spaces, signs, hexadecimal, "inf" and "nan".
 */
static bool
decimal(const char *text, double *number, const char **end)
{
	const char *p = skip_digits(text), *exponent;
	char *converted;

	if (p == text)
		return false;
	if (*p == '.') {
		if (!is_digit(p[1]))
			return false;
		p = skip_digits(p + 1);
	}
	if (*p == 'e' || *p == 'E') {
		exponent = p + 1 + (p[1] == '-' || p[1] == '+');
		if (is_digit(*exponent))
			p = skip_digits(exponent);
	}
	*number = strtod(text, &converted);
	*end = p;
	/* "0x1": strtod went on where this grammar stops. */
	return converted == p && isfinite(*number);
}

static const struct unit *
find_unit(const struct unit *units, const char *suffix, size_t length)
{
	for (; units->suffix != NULL; units++)
		if (strlen(units->suffix) == length &&
		    memcmp(units->suffix, suffix, length) == 0)
			return units;
	return NULL;
}

int
duration_parse(const char *text, double *seconds, struct svc_error *error)
{
	const struct unit *unit = NULL;
	const char *suffix;
	double number;

	if (decimal(text, &number, &suffix))
		unit = find_unit(duration_units, suffix, strlen(suffix));
	if (unit == NULL)
		return refuse(
		    error, "a duration", text, "say 250ms, 30s, 5m, 2h or 1d");
	number *= unit->factor;
	if (number > DURATION_MAX)
		return refuse_range(error, text, "at most 36500d");
	*seconds = number;
	return 0;
}

/* Two digits are enough for people: one decimal below ten, none above. */
static double
round_for_people(double number)
{
	return number < 9.95 ? round(number * 10) / 10 : round(number);
}

void
duration_append(struct buffer *out, double seconds)
{
	static const struct {
		const char *suffix;
		double factor;
		double limit; /* from here on the next unit says it */
	} steps[] = {
	    {"ms", 0.001, 1000},
	    {"s", 1, 60},
	    {"m", SECONDS_MINUTE, 60},
	    {"h", SECONDS_HOUR, 24},
	    {"d", SECONDS_DAY, HUGE_VAL},
	};
	double number;
	size_t i;

	if (!(seconds > 0)) {
		buffer_append_string(out, "0s");
		return;
	}
	for (i = 0;; i++) {
		number = round_for_people(seconds / steps[i].factor);
		if (number < steps[i].limit || steps[i].limit == HUGE_VAL)
			break;
	}
	buffer_append_format(out, "%.*f%s", number == floor(number) ? 0 : 1,
	    number, steps[i].suffix);
}

static bool
parse_quantity(const char *text, double *quantity)
{
	const struct unit *unit = NULL;
	const char *suffix;
	double number = 0;
	size_t length;

	if (decimal(text, &number, &suffix)) {
		length = strlen(suffix);
		if (length > 0 && suffix[length - 1] == 'B')
			length--;
		if (length == 2 && suffix[1] == 'i')
			length--;
		unit = find_unit(size_units, suffix, length);
	}
	if (unit == NULL || !isfinite(number * unit->factor))
		return false;
	*quantity = number * unit->factor;
	return true;
}

struct timeval
duration_timeval(double seconds)
{
	struct timeval time = {0, 0};

	if (!(seconds > 0))
		return time;
	seconds = fmin(seconds, TIMEVAL_MAX);
	time.tv_sec = (time_t)seconds;
	time.tv_usec = (suseconds_t)ceil((seconds - (double)time.tv_sec) * 1e6);
	if (time.tv_usec == 1000000) {
		time.tv_sec++;
		time.tv_usec = 0;
	}
	return time;
}

int
rate_parse(const char *text, double *a_second, struct svc_error *error)
{
	const struct unit *unit = NULL;
	const char *suffix;
	double number;

	if (decimal(text, &number, &suffix))
		unit = find_unit(rate_units, suffix, strlen(suffix));
	if (unit == NULL)
		return refuse(
		    error, "a rate", text, "say 100, 100/s, 6/m or 5000/h");
	number /= unit->factor;
	if (number < RATE_MIN || number > RATE_MAX)
		return refuse_range(
		    error, text, "from one a day, 0.05/h, to 1000000/s");
	*a_second = number;
	return 0;
}

int
size_parse(const char *text, double *bytes, struct svc_error *error)
{
	return parse_quantity(text, bytes)
		   ? 0
		   : refuse(error, "a size", text,
			 "say 512, 512K, 512M, 2G or 1.5G");
}

int
size_parse_within(
    const char *text, size_t maximum, size_t *bytes, struct svc_error *error)
{
	char range[64];
	double number;

	if (size_parse(text, &number, error) == -1)
		return -1;
	if (number >= 1 && number <= (double)maximum) {
		*bytes = (size_t)number;
		return 0;
	}
	snprintf(range, sizeof(range), "say one from 1 to %zuM",
	    maximum / (1024UL * 1024));
	return refuse_range(error, text, range);
}

int
quantity_parse(const char *text, double *quantity, struct svc_error *error)
{
	return parse_quantity(text, quantity)
		   ? 0
		   : refuse(
			 error, "a quantity", text, "say 4, 0.5, 512M or 2G");
}

int
number_parse(const char *text, double *number, struct svc_error *error)
{
	bool negative = text[0] == '-';
	const char *end;
	double magnitude;

	if (!decimal(text + negative, &magnitude, &end) || *end != '\0')
		return refuse(error, "a number", text, "say 4, 0.5 or 1e6");
	*number = negative ? -magnitude : magnitude;
	return 0;
}

int
integer_parse(const char *text, long long minimum, long long maximum,
    long long *integer, struct svc_error *error)
{
	const char *digits = text + (text[0] == '-');
	bool whole = is_digit(*digits) && *skip_digits(digits) == '\0';
	char range[96];
	long long number;
	int saved = errno;
	bool right;

	errno = 0;
	number = strtoll(text, NULL, 10);
	right = errno == 0 && number >= minimum && number <= maximum;
	errno = saved;
	if (whole && right) {
		*integer = number;
		return 0;
	}
	snprintf(range, sizeof(range), "say one from %lld to %lld", minimum,
	    maximum);
	return whole ? refuse_range(error, text, range)
		     : refuse(error, "a whole number", text, range);
}

/* Reads exactly count digits and moves *text on. */
static bool
fixed_digits(const char **text, int count, int maximum, int *number)
{
	*number = 0;
	for (; count > 0; count--, (*text)++) {
		if (!is_digit(**text))
			return false;
		*number = *number * 10 + (**text - '0');
	}
	return *number <= maximum;
}

static bool
literal(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t
days_from_date(int year, int month, int day)
{
	int64_t days, before = year - 1;
	int i;

	days = before * 365 + before / 4 - before / 100 + before / 400;
	if (year == 0)
		days = -366; /* the divisions above round towards zero */
	for (i = 1; i < month; i++)
		days += days_in_month(year, i);
	return days + day - 1 - 719162; /* from 0001-01-01 to 1970-01-01 */
}

static bool
parse_date(const char **text, int64_t *days)
{
	int year, month, day;

	if (!fixed_digits(text, 4, 9999, &year) || !literal(text, '-') ||
	    !fixed_digits(text, 2, 12, &month) || month == 0 ||
	    !literal(text, '-') || !fixed_digits(text, 2, 31, &day) ||
	    day == 0 || day > days_in_month(year, month))
		return false;
	*days = days_from_date(year, month, day);
	return true;
}

/* HH:MM:SS[.FRACTION]; digits behind the third of a fraction are dropped. */
static bool
parse_clock(const char **text, int *second_of_day, bool *leap, int *fraction)
{
	int hour, minute, second, weight;

	if (!fixed_digits(text, 2, 23, &hour) || !literal(text, ':') ||
	    !fixed_digits(text, 2, 59, &minute) || !literal(text, ':') ||
	    !fixed_digits(text, 2, 60, &second))
		return false;
	*second_of_day = hour * SECONDS_HOUR + minute * SECONDS_MINUTE + second;
	*leap = second == 60;
	*fraction = 0;
	if (!literal(text, '.'))
		return true;
	if (!is_digit(**text))
		return false;
	for (weight = 100; is_digit(**text); weight /= 10, (*text)++)
		*fraction += (**text - '0') * weight;
	return true;
}

/* Z or +HH:MM or -HH:MM, as seconds east of Greenwich. */
static bool
parse_offset(const char **text, int *seconds)
{
	int sign, hour, minute;

	*seconds = 0;
	if (literal(text, 'Z') || literal(text, 'z'))
		return true;
	if (literal(text, '+'))
		sign = 1;
	else if (literal(text, '-'))
		sign = -1;
	else
		return false;
	if (!fixed_digits(text, 2, 23, &hour) || !literal(text, ':') ||
	    !fixed_digits(text, 2, 59, &minute))
		return false;
	*seconds = sign * (hour * SECONDS_HOUR + minute * SECONDS_MINUTE);
	return true;
}

static bool
parse_instant(const char *text, int64_t *milliseconds)
{
	int second_of_day, fraction, offset;
	int64_t days, seconds;
	bool leap;

	if (!parse_date(&text, &days) ||
	    (!literal(&text, 'T') && !literal(&text, 't')) ||
	    !parse_clock(&text, &second_of_day, &leap, &fraction) ||
	    !parse_offset(&text, &offset) || *text != '\0')
		return false;
	seconds = days * SECONDS_DAY + second_of_day - offset;
	/* A leap second is the last of a day in UTC; POSIX time has none. */
	if (leap && seconds % SECONDS_DAY != 0)
		return false;
	*milliseconds = seconds * MILLISECONDS + fraction;
	return true;
}

int
time_parse(const char *text, int64_t now, int64_t *milliseconds,
    struct svc_error *error)
{
	double seconds;

	if (strcmp(text, "now") == 0) {
		*milliseconds = now;
		return 0;
	}
	if (text[0] == '+' && duration_parse(text + 1, &seconds, NULL) == 0) {
		*milliseconds = now + llround(seconds * MILLISECONDS);
		return 0;
	}
	if (parse_instant(text, milliseconds))
		return 0;
	return refuse(error, "an RFC 3339 time", text,
	    "say 2026-11-22T10:00:00Z, now or +5m");
}

void
time_append(struct buffer *out, int64_t milliseconds)
{
	time_t seconds;
	struct tm tm;
	int fraction;

	if (milliseconds < TIME_MINIMUM)
		milliseconds = TIME_MINIMUM;
	if (milliseconds > TIME_MAXIMUM)
		milliseconds = TIME_MAXIMUM;
	seconds = milliseconds / MILLISECONDS;
	fraction = (int)(milliseconds % MILLISECONDS);
	if (fraction < 0) {
		fraction += MILLISECONDS;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	buffer_append_format(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, fraction);
}

int64_t
time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * MILLISECONDS + now.tv_nsec / 1000000;
}

double
time_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int
pair_parse(const char *text, size_t *key_length, const char **value,
    struct svc_error *error)
{
	const char *equals = strchr(text, '=');
	size_t length = equals == NULL ? 0 : (size_t)(equals - text);

	if (length > PAIR_KEY_MAX || !is_word(text, length, "._/-"))
		return refuse(error, "a KEY=VALUE pair", text,
		    "say zone=eu-1; a key is letters, digits, . _ / -");
	*key_length = length;
	*value = equals + 1;
	return 0;
}
