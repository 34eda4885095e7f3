/* What may reach a terminal. Everything that moves, hides or reorders other text is written out. */
#include "base/text.h"

static bool is_tail(uint8_t c) { return (c & 0xc0) == 0x80; }

size_t sm_utf8_next(const uint8_t *p, size_t n, uint32_t *cp)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};

	if (n == 0)
		return 0;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	size_t len = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
	if (len == 0 || len > n)
		return 0;
	uint32_t v = p[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if (!is_tail(p[i]))
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return len;
}

bool sm_utf8_valid(const uint8_t *p, size_t n)
{
	uint32_t cp;

	while (n) {
		size_t len = sm_utf8_next(p, n, &cp);
		if (len == 0)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

/* Unicode's default-ignorable and format characters (general category Cf), as of version 15, and the line and paragraph
 * separators. Not among them: U+FE0E and U+FE0F, which only pick the look of the emoji before them. */
static const struct {
	uint32_t first, last;
} hidden[] = {
        {0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x600, 0x605},     {0x61c, 0x61c},
        {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x115f, 0x1160},   {0x17b4, 0x17b5},
        {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164},   {0xfe00, 0xfe0d},
        {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
        {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool sm_text_hidden(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (cp <= hidden[i].last)
			return cp >= hidden[i].first;
	return false;
}

static enum sm_err add_escape(struct sm_buf *out, uint32_t cp)
{
	switch (cp) {
	case '\n': return sm_buf_adds(out, "\\n");
	case '\t': return sm_buf_adds(out, "\\t");
	case 0x1b: return sm_buf_adds(out, "\\e");
	}
	return cp < 0x80 ? sm_buf_addf(out, "\\x%02x", (unsigned)cp) : sm_buf_addf(out, "\\u{%04x}", (unsigned)cp);
}

static bool stays(uint32_t cp, bool keep_lines) { return (keep_lines && (cp == '\n' || cp == '\t')) || !sm_text_hidden(cp); }

enum sm_err sm_text_show(struct sm_buf *out, const uint8_t *p, size_t n, bool keep_lines)
{
	const size_t before = out->len;
	enum sm_err e = SM_OK;
	size_t at = 0, run = 0; /* run: how many bytes before `at` are still to be copied as they are */
	uint32_t cp;

	while (!e && at < n) {
		size_t len = sm_utf8_next(p + at, n - at, &cp);
		if (len && stays(cp, keep_lines)) {
			run += len;
			at += len;
			continue;
		}
		e = sm_buf_add(out, p + at - run, run);
		run = 0;
		if (!e)
			e = len ? add_escape(out, cp) : sm_buf_addf(out, "\\x%02x", p[at]);
		at += len ? len : 1;
	}
	if (!e && run)
		e = sm_buf_add(out, p + at - run, run);
	if (e)
		out->len = before;
	return e;
}
