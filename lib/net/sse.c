/* A line at a time; an empty line ends an event. */
#include "net/sse.h"

#include <string.h>

void sm_sse_init(struct sm_sse *s, sm_sse_fn *fn, void *ctx)
{
	*s = (struct sm_sse){.fn = fn, .ctx = ctx};
	sm_buf_init(&s->line, SM_SSE_MAX);
	sm_buf_init(&s->data, SM_SSE_MAX);
}

void sm_sse_release(struct sm_sse *s)
{
	sm_buf_release(&s->line);
	sm_buf_release(&s->data);
}

static void clear_event(struct sm_sse *s)
{
	sm_buf_clear(&s->data);
	s->event[0] = 0;
	s->has_data = false;
}

void sm_sse_reset(struct sm_sse *s)
{
	sm_buf_clear(&s->line);
	clear_event(s);
}

static enum sm_err dispatch(struct sm_sse *s)
{
	enum sm_err e = SM_OK;
	if (s->has_data)
		e = s->fn(s->ctx, *s->event ? s->event : "message", (struct sm_span){s->data.data, s->data.len});
	clear_event(s);
	return e;
}

/* "name: value", where the first space of the value does not count. */
static bool field(struct sm_span line, const char *name, struct sm_span *value)
{
	size_t n = strlen(name);
	if (line.n < n || memcmp(line.p, name, n) != 0)
		return false;
	if (line.n == n) {
		*value = (struct sm_span){line.p + n, 0};
		return true;
	}
	if (line.p[n] != ':')
		return false;
	n += 1 + (line.n > n + 1 && line.p[n + 1] == ' ');
	*value = (struct sm_span){line.p + n, line.n - n};
	return true;
}

static enum sm_err on_line(struct sm_sse *s, struct sm_span line)
{
	struct sm_span v;
	enum sm_err e = SM_OK;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (!line.n)
		return dispatch(s);
	if (field(line, "event", &v)) {
		size_t n = v.n < sizeof(s->event) ? v.n : sizeof(s->event) - 1;
		memcpy(s->event, v.p, n);
		s->event[n] = 0;
	} else if (field(line, "data", &v)) {
		if (s->has_data)
			e = sm_buf_add_u8(&s->data, '\n');
		if (e == SM_OK)
			e = sm_buf_add(&s->data, v.p, v.n);
		s->has_data = true;
	}
	return e == SM_ERR_LIMIT ? SM_ERR_PROTOCOL : e;
}

enum sm_err sm_sse_feed(struct sm_sse *s, const uint8_t *p, size_t n)
{
	enum sm_err e = SM_OK;
	while (n && e == SM_OK) {
		const uint8_t *end = memchr(p, '\n', n);
		size_t take = end ? (size_t)(end - p) : n;
		e = sm_buf_add(&s->line, p, take);
		if (e == SM_ERR_LIMIT)
			e = SM_ERR_PROTOCOL;
		if (e == SM_OK && end) {
			e = on_line(s, (struct sm_span){s->line.data, s->line.len});
			sm_buf_clear(&s->line);
		}
		take += end ? 1 : 0;
		p += take;
		n -= take;
	}
	return e;
}
