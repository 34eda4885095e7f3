/* The bounded buffer and the read cursor. The memory behind data has one byte more than cap says, for the terminator of
 * sm_buf_str; growing copies and wipes instead of realloc, which would leave the old bytes on the heap. */
#include "base/buf.h"

#include "base/secret.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

void sm_buf_init(struct sm_buf *b, size_t max) { *b = (struct sm_buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1}; }

void sm_buf_release(struct sm_buf *b)
{
	if (!b)
		return;
	sm_wipe(b->data, b->cap);
	free(b->data);
	*b = (struct sm_buf){.max = b->max};
}

void sm_buf_clear(struct sm_buf *b)
{
	sm_wipe(b->data, b->len);
	b->len = 0;
}

static enum sm_err grow(struct sm_buf *b, size_t need)
{
	size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
	if (cap < FIRST_CAP)
		cap = FIRST_CAP;
	if (cap < need)
		cap = need;
	if (cap > b->max)
		cap = b->max;
	uint8_t *data = malloc(cap + 1);
	if (!data)
		return SM_ERR_NOMEM;
	if (b->len)
		memcpy(data, b->data, b->len);
	sm_wipe(b->data, b->cap);
	free(b->data);
	b->data = data;
	b->cap = cap;
	return SM_OK;
}

enum sm_err sm_buf_reserve(struct sm_buf *b, size_t n, uint8_t **where)
{
	if (n > b->max - b->len)
		return SM_ERR_LIMIT;
	if (!b->data || n > b->cap - b->len) {
		enum sm_err e = grow(b, b->len + n);
		if (e)
			return e;
	}
	*where = b->data + b->len;
	return SM_OK;
}

enum sm_err sm_buf_add(struct sm_buf *b, const void *p, size_t n)
{
	uint8_t *where;

	if (n == 0)
		return SM_OK;
	enum sm_err e = sm_buf_reserve(b, n, &where);
	if (e)
		return e;
	memcpy(where, p, n);
	b->len += n;
	return SM_OK;
}

enum sm_err sm_buf_adds(struct sm_buf *b, const char *s) { return sm_buf_add(b, s, strlen(s)); }

enum sm_err sm_buf_addf(struct sm_buf *b, const char *fmt, ...)
{
	va_list ap;
	uint8_t *where;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return SM_ERR_FORMAT;
	enum sm_err e = sm_buf_reserve(b, (size_t)n, &where);
	if (e)
		return e;
	va_start(ap, fmt);
	/* the terminator lands in the byte that cap does not count */
	int put = vsnprintf((char *)where, (size_t)n + 1, fmt, ap);
	va_end(ap);
	if (put != n)
		return SM_ERR_BUG;
	b->len += (size_t)n;
	return SM_OK;
}

enum sm_err sm_buf_add_u8(struct sm_buf *b, uint8_t v) { return sm_buf_add(b, &v, 1); }

enum sm_err sm_buf_add_be16(struct sm_buf *b, uint16_t v)
{
	uint8_t p[2];
	sm_put_be16(p, v);
	return sm_buf_add(b, p, sizeof(p));
}

enum sm_err sm_buf_add_be32(struct sm_buf *b, uint32_t v)
{
	uint8_t p[4];
	sm_put_be32(p, v);
	return sm_buf_add(b, p, sizeof(p));
}

enum sm_err sm_buf_add_be64(struct sm_buf *b, uint64_t v)
{
	uint8_t p[8];
	sm_put_be64(p, v);
	return sm_buf_add(b, p, sizeof(p));
}

enum sm_err sm_buf_add_lp(struct sm_buf *b, const void *p, size_t n)
{
	uint8_t *where;

	if (n > UINT32_MAX)
		return SM_ERR_LIMIT;
	/* room for both first, so a full buffer is left without half a field */
	enum sm_err e = sm_buf_reserve(b, 4 + n, &where);
	if (e)
		return e;
	sm_put_be32(where, (uint32_t)n);
	if (n)
		memcpy(where + 4, p, n);
	b->len += 4 + n;
	return SM_OK;
}

void sm_buf_consume(struct sm_buf *b, size_t n)
{
	if (n == 0)
		return;
	size_t rest = b->len - n;
	memmove(b->data, b->data + n, rest);
	sm_wipe(b->data + rest, n);
	b->len = rest;
}

const char *sm_buf_str(struct sm_buf *b)
{
	uint8_t *where;

	if (sm_buf_reserve(b, 0, &where))
		return NULL;
	*where = 0;
	return (const char *)b->data;
}

bool sm_span_take(struct sm_span *s, size_t n, const uint8_t **out)
{
	if (n > s->n)
		return false;
	*out = s->p;
	if (n)
		s->p += n;
	s->n -= n;
	return true;
}

bool sm_span_take_be16(struct sm_span *s, uint16_t *v)
{
	const uint8_t *p;
	if (!sm_span_take(s, 2, &p))
		return false;
	*v = sm_get_be16(p);
	return true;
}

bool sm_span_take_be32(struct sm_span *s, uint32_t *v)
{
	const uint8_t *p;
	if (!sm_span_take(s, 4, &p))
		return false;
	*v = sm_get_be32(p);
	return true;
}

bool sm_span_take_be64(struct sm_span *s, uint64_t *v)
{
	const uint8_t *p;
	if (!sm_span_take(s, 8, &p))
		return false;
	*v = sm_get_be64(p);
	return true;
}

bool sm_span_take_lp(struct sm_span *s, struct sm_span *out)
{
	struct sm_span rest = *s;
	uint32_t n;
	const uint8_t *p;

	if (!sm_span_take_be32(&rest, &n) || !sm_span_take(&rest, n, &p))
		return false;
	*out = (struct sm_span){p, n};
	*s = rest;
	return true;
}

bool sm_span_take_line(struct sm_span *s, struct sm_span *line)
{
	const uint8_t *lf = s->n ? memchr(s->p, '\n', s->n) : NULL;
	if (!lf)
		return false;
	*line = (struct sm_span){s->p, (size_t)(lf - s->p)};
	s->n -= line->n + 1;
	s->p = lf + 1;
	return true;
}

bool sm_span_equals(struct sm_span s, const char *text) { return s.n == strlen(text) && sm_span_starts(s, text); }

bool sm_span_starts(struct sm_span s, const char *text)
{
	size_t n = strlen(text);
	return n == 0 || (s.n >= n && memcmp(s.p, text, n) == 0);
}
