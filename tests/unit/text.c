/* UTF-8 over every code point, and what must never reach a terminal as it is. */
#include "base/text.h"

#include "tap.h"

#include <string.h>

static size_t put(uint8_t *p, uint32_t cp, int len)
{
	for (int i = len - 1; i > 0; i--, cp >>= 6)
		p[i] = (uint8_t)(0x80 | (cp & 0x3f));
	p[0] = (uint8_t)(len == 1 ? cp : (0xf00U >> len & 0xff) | cp);
	return (size_t)len;
}

static void every_code_point(void)
{
	uint8_t p[4];
	int wrong = 0, back = 0;

	for (uint32_t cp = 0; cp < 0x200000; cp++)
		for (int len = 1; len <= 4; len++) {
			if ((len == 1 && cp > 0x7f) || (len == 2 && cp > 0x7ff) || (len == 3 && cp > 0xffff))
				continue;
			const int shortest = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
			const bool good = len == shortest && cp <= 0x10ffff && !(cp >= 0xd800 && cp <= 0xdfff);
			size_t n = put(p, cp, len);
			uint32_t v = 0;
			wrong += sm_utf8_valid(p, n) != good;
			back += good && (sm_utf8_next(p, n, &v) != n || v != cp);
			wrong += n > 1 && (sm_utf8_valid(p, n - 1) || sm_utf8_next(p, n - 1, &v) != 0);
		}
	ok(wrong == 0, "each code point in its shortest form and no other; no surrogates; none cut short");
	ok(back == 0, "and reads back");
	wrong = 0;
	for (int a = 0x80; a < 256; a++) {
		uint8_t s[6] = {'a', (uint8_t)a, 'b', 'c', 'd', 'e'};
		wrong += sm_utf8_valid(s, 6);
		s[2] = 0xc3;
		wrong += sm_utf8_valid(s, 3);
	}
	ok(wrong == 0, "a lone high byte");
	ok(sm_utf8_valid(NULL, 0) && sm_utf8_next(NULL, 0, &(uint32_t){0}) == 0, "nothing");
	ok(!sm_utf8_valid((const uint8_t *)"\xf8\x88\x80\x80\x80", 5) && !sm_utf8_valid((const uint8_t *)"\xfe", 1),
	   "forms of five bytes and more");
}

static bool shows(const char *in, size_t n, bool keep, const char *want)
{
	struct sm_buf b;
	sm_buf_init(&b, 1000);
	enum sm_err e = sm_text_show(&b, (const uint8_t *)in, n, keep);
	const char *got = e ? NULL : sm_buf_str(&b);
	bool same = got && strcmp(got, want) == 0;
	if (!same)
		printf("# got '%s', want '%s'\n", got ? got : "(error)", want);
	sm_buf_release(&b);
	return same;
}
#define SHOWS(in, keep, want) shows(in, sizeof(in) - 1, keep, want)

static void shown(void)
{
	ok(SHOWS("", false, ""), "nothing");
	ok(SHOWS("plain \\ text", false, "plain \\ text"), "plain text");
	ok(SHOWS("Grüße, 世界 🙂", false, "Grüße, 世界 🙂"), "text of other scripts");
	ok(SHOWS("a\nb\tc\x1b[31m\r\x07\0z", false, "a\\nb\\tc\\e[31m\\x0d\\x07\\x00z"), "controls");
	ok(SHOWS("a\nb\tc\x1b[31m", true, "a\nb\tc\\e[31m"), "keeping lines");
	ok(SHOWS("\x7f\xc2\x9b\xc2\x85", true, "\\x7f\\u{009b}\\u{0085}"), "DEL and C1");
	ok(SHOWS("a\xe2\x80\xaegpj.exe", true, "a\\u{202e}gpj.exe"), "right-to-left override");
	ok(SHOWS("\xe2\x81\xa6x\xe2\x81\xa9\xe2\x80\x8e\xd8\x9c", true, "\\u{2066}x\\u{2069}\\u{200e}\\u{061c}"), "isolates and marks");
	ok(SHOWS("\xe2\x80\x8b\xef\xbb\xbf\xc2\xad\xf3\xa0\x81\x81", true, "\\u{200b}\\u{feff}\\u{00ad}\\u{e0041}"),
	   "invisible characters");
	ok(SHOWS("\xe2\x80\xa8\xe2\x80\xa9", true, "\\u{2028}\\u{2029}"), "other line ends");
	ok(SHOWS("a\xff\xc3z\xe2\x82", false, "a\\xff\\xc3z\\xe2\\x82"), "bytes that are not UTF-8");
	ok(SHOWS("\xed\xa0\x80\xc0\xaf", false, "\\xed\\xa0\\x80\\xc0\\xaf"), "surrogates and overlong forms");
	ok(SHOWS("\xe2\x9d\xa4\xef\xb8\x8f", false, "\xe2\x9d\xa4\xef\xb8\x8f"), "an emoji's variation selector stays");
}

/* Whatever comes in, what goes out is UTF-8 without anything hidden. */
static void safe_output(void)
{
	uint32_t seed = 3;
	int wrong = 0;

	for (int round = 0; round < 3000; round++) {
		uint8_t in[40];
		struct sm_buf b;
		for (size_t i = 0; i < sizeof(in); i++)
			in[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
		sm_buf_init(&b, 1000);
		wrong += sm_text_show(&b, in, sizeof(in), false) != SM_OK || !sm_utf8_valid(b.data, b.len);
		for (size_t at = 0, len; at < b.len; at += len) {
			uint32_t cp = 0;
			len = sm_utf8_next(b.data + at, b.len - at, &cp);
			wrong += sm_text_hidden(cp);
			if (!len)
				break;
		}
		sm_buf_release(&b);
	}
	ok(wrong == 0, "random bytes come out harmless");
	wrong = 0;
	for (uint32_t cp = 0; cp < 0xa0; cp++)
		wrong += sm_text_hidden(cp) != (cp < 0x20 || cp >= 0x7f);
	ok(wrong == 0 && !sm_text_hidden(0xa0) && sm_text_hidden(0x202a) && sm_text_hidden(0xe007f) && !sm_text_hidden(0x10ffff),
	   "what is hidden");
}

static void limit(void)
{
	struct sm_buf b;
	sm_buf_init(&b, 6);
	ok(!sm_buf_adds(&b, "ab") && sm_text_show(&b, (const uint8_t *)"xy\x01", 3, false) == SM_ERR_LIMIT && b.len == 2,
	   "over the limit adds nothing");
	ok(sm_text_show(&b, (const uint8_t *)"12345", 5, false) == SM_ERR_LIMIT && b.len == 2, "nor plain text");
	ok(!sm_text_show(&b, (const uint8_t *)"\xff", 1, false) && b.len == 6, "just fits");
	sm_buf_release(&b);
}

int main(void)
{
	every_code_point();
	shown();
	safe_output();
	limit();
	return tap_done();
}
