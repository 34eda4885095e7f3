/* Dates against the C library's calendar, and every kind of date that must be refused. */
#include "base/time.h"

#include "tap.h"

#include <string.h>
#include <time.h>

static bool parses(const char *s)
{
	int64_t t;
	return sm_time_parse(&t, s, strlen(s)) == SM_OK;
}

static bool agrees(int64_t t)
{
	char got[SM_TIME_LEN + 1], want[64];
	struct tm tm;
	time_t when = (time_t)t;
	int64_t back = -1;

	gmtime_r(&when, &tm);
	snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	         tm.tm_sec);
	sm_time_format(got, t);
	return strcmp(got, want) == 0 && sm_time_parse(&back, got, SM_TIME_LEN) == SM_OK && back == t;
}

static void calendar(void)
{
	const int64_t first = -INT64_C(62167219200), last = INT64_C(253402300799);
	char s[SM_TIME_LEN + 1];
	int bad = 0;

	for (int64_t t = first; t <= last; t += 86400 - 1)
		if (!agrees(t))
			bad++;
	ok(bad == 0, "every day of ten thousand years, at every second of the day");
	ok(agrees(first) && agrees(last) && agrees(0) && agrees(-1) && agrees(INT32_MAX) && agrees((int64_t)INT32_MAX + 1), "the edges");
	sm_time_format(s, last + 1);
	ok(strcmp(s, "9999-12-31T23:59:59Z") == 0, "later is clamped");
	sm_time_format(s, INT64_MIN);
	ok(strcmp(s, "0000-01-01T00:00:00Z") == 0, "earlier is clamped");
}

static void refused(void)
{
	static const char *const bad[] = {
	        "",
	        "2024-02-29T12:00:00",
	        "2024-02-29T12:00:00ZZ",
	        "2024-02-29t12:00:00Z",
	        "2024-02-29T12:00:00z",
	        "2024-02-29 12:00:00Z",
	        "2024/02/29T12:00:00Z",
	        "2024-02-29T12.00.00Z",
	        "2023-02-29T12:00:00Z",
	        "1900-02-29T00:00:00Z",
	        "2024-02-30T12:00:00Z",
	        "2024-04-31T00:00:00Z",
	        "2024-00-10T00:00:00Z",
	        "2024-13-10T00:00:00Z",
	        "2024-01-00T00:00:00Z",
	        "2024-01-32T00:00:00Z",
	        "2024-01-01T24:00:00Z",
	        "2024-01-01T00:60:00Z",
	        "2024-12-31T23:59:60Z",
	        "+024-01-01T00:00:00Z",
	        "-001-01-01T00:00:00Z",
	        "2024- 1-01T00:00:00Z",
	        "2024-01-01T00:00:0xZ",
	        "2024-01-01T00:00:00+",
	        "20240-1-01T00:00:00Z",
	};
	int64_t t = 42;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!parses(bad[i]), "refuses '%s'", bad[i]);
	ok(parses("2024-02-29T12:00:00Z") && parses("2000-02-29T00:00:00Z") && parses("0000-02-29T00:00:00Z"), "leap days that exist");
	ok(sm_time_parse(&t, "2024-02-30T12:00:00Z", 20) == SM_ERR_FORMAT && t == 42, "and leaves the output alone");
	ok(sm_time_parse(&t, "2024-01-01T00:00:00\0", 20) == SM_ERR_FORMAT &&
	           sm_time_parse(&t, "2024-01-01T00:00:00Z", 19) == SM_ERR_FORMAT,
	   "a length that is not 20");
	int wrong = 0;
	for (size_t at = 0; at < SM_TIME_LEN; at++)
		for (int c = 0; c < 256; c++) {
			char s[] = "2011-11-11T11:11:11Z";
			const char was = s[at];
			s[at] = (char)c;
			const bool digits = c >= '0' && c <= '9' && was >= '0' && was <= '9';
			if (sm_time_parse(&t, s, SM_TIME_LEN) == SM_OK && c != was && !digits)
				wrong++;
		}
	ok(wrong == 0, "no other byte passes for a digit or a mark");
}

static void durations(void)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {{"0", 0},
	            {"90", 90},
	            {"15m", 900},
	            {"8h", 28800},
	            {"7d", 604800},
	            {"3653d", INT64_C(3653) * 86400},
	            {"315619200", 315619200}};
	static const char *const bad[] = {"",
	                                  "m",
	                                  "-1",
	                                  "+1",
	                                  " 1",
	                                  "1 ",
	                                  "1x",
	                                  "1s",
	                                  "1mm",
	                                  "1M",
	                                  "1.5h",
	                                  "0x10",
	                                  "3654d",
	                                  "315619201",
	                                  "99999999999999999999",
	                                  "99999999999d",
	                                  "1h30m"};
	int64_t v = 42;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(!sm_duration_parse(&v, good[i].text) && v == good[i].seconds, "duration '%s'", good[i].text);
	v = 42;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(sm_duration_parse(&v, bad[i]) == SM_ERR_FORMAT && v == 42, "refuses duration '%s'", bad[i]);
}

static void clocks(void)
{
	const int64_t before = (int64_t)time(NULL), now = sm_time_now(), ms = sm_time_now_ms(), mono = sm_time_mono_ms();
	ok(now >= before && now <= before + 60 && ms / 1000 >= now && ms / 1000 <= now + 60, "the system clock");
	ok(mono >= 0 && sm_time_mono_ms() >= mono, "the monotonic clock does not go back");
}

int main(void)
{
	calendar();
	refused();
	durations();
	clocks();
	return tap_done();
}
