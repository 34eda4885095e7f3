/* Dates by arithmetic on the proleptic Gregorian calendar: no locale, no time zone, no libc conversion. */
#include "base/time.h"

#include <stdbool.h>
#include <time.h>

#define DAY 86400
#define FIRST (-INT64_C(62167219200)) /* 0000-01-01T00:00:00Z */
#define LAST INT64_C(253402300799)    /* 9999-12-31T23:59:59Z */
#define DURATION_MAX (3653 * (int64_t)DAY)

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts); /* cannot fail: both clocks always exist */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t sm_time_now_ms(void) { return clock_ms(CLOCK_REALTIME); }
int64_t sm_time_now(void) { return sm_time_now_ms() / 1000; }
int64_t sm_time_mono_ms(void) { return clock_ms(CLOCK_MONOTONIC); }

static bool is_leap(int y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); }

static int month_days(int y, int m)
{
	static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return m == 2 && is_leap(y) ? 29 : days[m - 1];
}

/* Days from 0000-01-01 to the first of January of year y, 0 <= y <= 10000. */
static int64_t year_start(int y) { return y == 0 ? 0 : y * INT64_C(365) + (y - 1) / 4 - (y - 1) / 100 + (y - 1) / 400 + 1; }

static void put_digits(char *out, int n, int v)
{
	while (n-- > 0) {
		out[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

void sm_time_format(char out[static SM_TIME_LEN + 1], int64_t t)
{
	t = t < FIRST ? FIRST : t > LAST ? LAST : t;
	int64_t day = (t - FIRST) / DAY;
	int second = (int)((t - FIRST) % DAY), m = 1;
	int y = (int)(day / 366); /* never too late, and at most seven years early */
	while (year_start(y + 1) <= day)
		y++;
	day -= year_start(y);
	for (; day >= month_days(y, m); m++)
		day -= month_days(y, m);
	put_digits(out, 4, y);
	put_digits(out + 5, 2, m);
	put_digits(out + 8, 2, (int)day + 1);
	put_digits(out + 11, 2, second / 3600);
	put_digits(out + 14, 2, second / 60 % 60);
	put_digits(out + 17, 2, second % 60);
	out[4] = out[7] = '-';
	out[10] = 'T';
	out[13] = out[16] = ':';
	out[19] = 'Z';
	out[SM_TIME_LEN] = '\0';
}

/* n digits at s, or -1. */
static int get_digits(const char *s, int n)
{
	int v = 0;
	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

enum sm_err sm_time_parse(int64_t *t, const char *s, size_t n)
{
	if (n != SM_TIME_LEN || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != 'Z')
		return SM_ERR_FORMAT;
	int y = get_digits(s, 4), mo = get_digits(s + 5, 2), d = get_digits(s + 8, 2);
	int h = get_digits(s + 11, 2), mi = get_digits(s + 14, 2), sec = get_digits(s + 17, 2);
	if (y < 0 || mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo) || h < 0 || h > 23 || mi < 0 || mi > 59 || sec < 0 || sec > 59)
		return SM_ERR_FORMAT;
	int64_t day = year_start(y) + d - 1;
	for (int m = 1; m < mo; m++)
		day += month_days(y, m);
	*t = FIRST + day * DAY + h * 3600 + mi * 60 + sec;
	return SM_OK;
}

static int64_t unit_seconds(char c)
{
	switch (c) {
	case '\0': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return DAY;
	}
	return 0;
}

enum sm_err sm_duration_parse(int64_t *seconds, const char *s)
{
	int64_t v = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (*p - '0');
		if (v > DURATION_MAX)
			return SM_ERR_FORMAT;
	}
	int64_t unit = unit_seconds(*p);
	if (p == s || unit == 0 || (*p && p[1]) || v > DURATION_MAX / unit)
		return SM_ERR_FORMAT;
	*seconds = v * unit;
	return SM_OK;
}
