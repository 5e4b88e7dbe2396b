#include "net/retry_after.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

/*
 * The forms, written as for strptime(3), which is lenient, and knows the names
 * of the locale only.
 */
static const char *const forms[] = {
    "%a, %d %b %Y %H:%M:%S GMT", /* the one to send, RFC 5322 */
    "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
    "%a %b %e %H:%M:%S %Y", /* asctime(3) */
};

static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday",
    "Thursday", "Friday", "Saturday", NULL};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", NULL};

/* What is left of a text. */
struct rest {
	const char *at;
	const char *end;
};

/* Which of names comes next, in its first length characters (0: in all). */
static int
take_name(struct rest *rest, const char *const *names, size_t length)
{
	size_t size;
	int i;

	for (i = 0; names[i] != NULL; i++) {
		size = length > 0 ? length : strlen(names[i]);
		if ((size_t)(rest->end - rest->at) >= size &&
		    memcmp(rest->at, names[i], size) == 0) {
			rest->at += size;
			return i;
		}
	}
	return -1;
}

/* A number of so many digits; -1: there are others. */
static int
take_digits(struct rest *rest, int count)
{
	int number = 0;

	for (; count > 0; count--, rest->at++) {
		if (rest->at == rest->end || *rest->at < '0' || *rest->at > '9')
			return -1;
		number = number * 10 + (*rest->at - '0');
	}
	return number;
}

static bool
take_field(struct rest *rest, char field, struct tm *date)
{
	switch (field) {
	case 'a':
		return take_name(rest, days, 3) != -1;
	case 'A':
		return take_name(rest, days, 0) != -1;
	case 'b':
		return (date->tm_mon = take_name(rest, months, 0)) != -1;
	case 'e':
		if (rest->at < rest->end && *rest->at == ' ') {
			rest->at++;
			return (date->tm_mday = take_digits(rest, 1)) != -1;
		}
		return (date->tm_mday = take_digits(rest, 2)) != -1;
	case 'd':
		return (date->tm_mday = take_digits(rest, 2)) != -1;
	case 'Y':
		return (date->tm_year = take_digits(rest, 4)) != -1;
	case 'y':
		return (date->tm_year = take_digits(rest, 2)) != -1;
	case 'H':
		return (date->tm_hour = take_digits(rest, 2)) != -1;
	case 'M':
		return (date->tm_min = take_digits(rest, 2)) != -1;
	default: /* S */
		return (date->tm_sec = take_digits(rest, 2)) != -1;
	}
}

static bool
take_form(struct rest rest, const char *form, struct tm *date)
{
	memset(date, 0, sizeof(*date));
	for (; *form != '\0'; form++) {
		if (*form == '%') {
			if (!take_field(&rest, *++form, date))
				return false;
		} else if (rest.at == rest.end || *rest.at++ != *form) {
			return false;
		}
	}
	return rest.at == rest.end;
}

/* A year of two digits is never more than 50 years ahead. */
static int
full_year(int year, int64_t now)
{
	time_t seconds = (time_t)(now / 1000);
	struct tm today;
	int full;

	if (gmtime_r(&seconds, &today) == NULL)
		return 1900 + year;
	full = (today.tm_year + 1900) / 100 * 100 + year;
	return full > today.tm_year + 1900 + 50 ? full - 100 : full;
}

/* Seconds since 1970 of a date that exists. */
static bool
seconds_of(struct tm *date, int64_t *seconds)
{
	struct tm exact = *date;

	exact.tm_year -= 1900;
	*seconds = (int64_t)timegm(&exact);
	/* timegm(3) makes the first of March of the 30th of February. */
	return date->tm_sec <= 60 && date->tm_min < 60 && date->tm_hour < 24 &&
	       (exact.tm_mday == date->tm_mday || date->tm_sec == 60);
}

static double
parse_date(const struct rest *text, int64_t now)
{
	struct tm date;
	int64_t seconds;
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (!take_form(*text, forms[i], &date))
			continue;
		if (date.tm_year < 100 && strstr(forms[i], "%y") != NULL)
			date.tm_year = full_year(date.tm_year, now);
		if (date.tm_mday < 1 || !seconds_of(&date, &seconds))
			return -1;
		return seconds * 1000 > now
			   ? (double)(seconds * 1000 - now) / 1000
			   : 0;
	}
	return -1;
}

double
retry_after_parse(const char *text, size_t length, int64_t now)
{
	struct rest rest = {text, text + length};
	double seconds = 0;

	if (length == 0 || *text < '0' || *text > '9')
		return parse_date(&rest, now);
	for (; rest.at < rest.end; rest.at++) {
		if (*rest.at < '0' || *rest.at > '9')
			return -1;
		/* However many digits: it is as good as for ever. */
		if (seconds < 1e12)
			seconds = seconds * 10 + (*rest.at - '0');
	}
	return seconds;
}
