/* Words, numbers and values of canonical text. No allocation, and nothing is written unless the whole token is good. */
#include "wire/lex.h"

#include "base/base64.h"
#include "base/secret.h"
#include "base/text.h"

#include <string.h>

int sm_words(struct sm_span *word, int max, struct sm_span line)
{
	for (int i = 0; i < max; i++) {
		const uint8_t *sp = line.n ? memchr(line.p, ' ', line.n) : NULL;
		word[i] = (struct sm_span){line.p, sp ? (size_t)(sp - line.p) : line.n};
		if (!word[i].n)
			return -1;
		if (!sp)
			return i + 1;
		line.n -= word[i].n + 1;
		line.p = sp + 1;
	}
	return -1;
}

bool sm_printable(struct sm_span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return true;
}

bool sm_value_ok(struct sm_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
		/* U+0080..9F are C2 80..9F in UTF-8 */
		if (s.p[i] == 0xc2 && i + 1 < s.n && s.p[i + 1] < 0xa0)
			return false;
	}
	return !s.n || sm_utf8_valid(s.p, s.n);
}

bool sm_decimal(uint64_t *v, struct sm_span s, uint64_t lo, uint64_t hi)
{
	uint64_t n = 0;
	if (s.n < 1 || s.n > 20 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)s.p[i] - '0';
		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (n < lo || n > hi)
		return false;
	*v = n;
	return true;
}

bool sm_decimal32(uint32_t *v, struct sm_span s, uint32_t lo, uint32_t hi)
{
	uint64_t n;
	if (!sm_decimal(&n, s, lo, hi))
		return false;
	*v = (uint32_t)n;
	return true;
}

bool sm_base64_exact(uint8_t *out, size_t n, struct sm_span s)
{
	uint8_t buf[1024 + 3];
	size_t got;
	bool good;
	if (n > 1024 || s.n != SM_BASE64_LEN(n))
		return false;
	good = !sm_base64_decode(buf, &got, (const char *)s.p, s.n, false) && got == n;
	if (good)
		memcpy(out, buf, n);
	sm_wipe(buf, n + 3); /* it may have been a key */
	return good;
}

bool sm_id_copy(char *out, struct sm_span s)
{
	uint8_t raw[16];
	if (sm_base32_id_parse(raw, (const char *)s.p, s.n))
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = 0;
	return true;
}

bool sm_line_take(struct sm_span *text, struct sm_span *line)
{
	if (sm_span_take_line(text, line))
		return true;
	*line = *text;
	text->p += text->n;
	text->n = 0;
	return line->n > 0;
}

bool sm_lines_next(struct sm_lines *l)
{
	l->no++;
	return sm_span_take_line(&l->rest, &l->line) && l->line.n && sm_printable(l->line);
}

bool sm_lines_words(const struct sm_lines *l, struct sm_span *word, int n, const char *key)
{
	return sm_words(word, n, l->line) == n && sm_span_equals(word[0], key);
}
