/* Output for the streaming engine. Large binary writes go straight through; everything else is gathered first. */
#include "stream/sink.h"

#include "base/file.h"

#include <string.h>

#define FLUSH_AT (256u << 10)
#define PENDING_MAX (8u << 20)

static void init(struct sm_sink *s, const char *label)
{
	memset(s, 0, sizeof *s);
	s->fd = -1;
	s->armored = label != NULL;
	if (label)
		sm_armor_writer_init(&s->armor, label);
	sm_buf_init(&s->pending, PENDING_MAX);
}

void sm_sink_fd(struct sm_sink *s, int fd, const char *label)
{
	init(s, label);
	s->fd = fd;
	sm_pipe_widen(fd);
}

void sm_sink_mem(struct sm_sink *s, struct sm_buf *b, const char *label)
{
	init(s, label);
	s->mem = b;
}

void sm_sink_keep(struct sm_sink *s, struct sm_keep *k)
{
	init(s, NULL);
	s->keep = k;
}

void sm_sink_release(struct sm_sink *s) { sm_buf_release(&s->pending); }

static enum sm_err put(struct sm_sink *s, const void *p, size_t n)
{
	if (s->keep)
		return sm_keep_add(s->keep, p, n);
	return s->mem ? sm_buf_add(s->mem, p, n) : sm_write_full(s->fd, p, n);
}

static enum sm_err flush(struct sm_sink *s)
{
	enum sm_err e = s->pending.len ? put(s, s->pending.data, s->pending.len) : SM_OK;

	s->pending.len = 0;
	return e;
}

enum sm_err sm_sink_write(struct sm_sink *s, const void *p, size_t n)
{
	enum sm_err e;

	s->total += n;
	if (s->armored)
		e = sm_armor_write(&s->armor, &s->pending, p, n);
	else if (s->mem || n >= FLUSH_AT)
		return (e = flush(s)) ? e : put(s, p, n);
	else
		e = sm_buf_add(&s->pending, p, n);
	return e || s->pending.len < FLUSH_AT ? e : flush(s);
}

enum sm_err sm_sink_write_pieces(struct sm_sink *s, const struct sm_pieces *from, size_t at, size_t n)
{
	enum sm_err e = SM_OK;

	if (s->fd >= 0 && !s->armored && n >= FLUSH_AT) {
		s->total += n;
		return (e = flush(s)) ? e : sm_pieces_write(s->fd, from, at, n);
	}
	while (!e && n) {
		size_t run;
		const uint8_t *p = sm_pieces_at(from, at, &run);
		run = run < n ? run : n;
		e = sm_sink_write(s, p, run);
		at += run, n -= run;
	}
	return e;
}

enum sm_err sm_sink_finish(struct sm_sink *s)
{
	enum sm_err e = s->armored ? sm_armor_finish(&s->armor, &s->pending) : SM_OK;

	return e ? e : flush(s);
}
