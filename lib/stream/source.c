/* Input for the streaming engine: one place that knows about descriptors, memory and armor.
 * Binary from a descriptor is read straight into the caller's memory when it asks for much; only armor and look-ahead are buffered. */
#include "stream/source.h"

#include "base/file.h"
#include "wire/header.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAW_READ (256u << 10)
#define FIRST_READ (16u << 10)
#define DIRECT (64u << 10) /* a read for as much as this needs no buffer */
#define BUFFER_MAX ((4u << 20) + SM_HEADER_MAX)

static void init(struct sm_source *s, bool detect)
{
	memset(s, 0, sizeof *s);
	s->fd = -1;
	s->detect = detect;
	s->begun = !detect;
	sm_buf_init(&s->raw, RAW_READ);
	sm_buf_init(&s->ready, BUFFER_MAX);
}

void sm_source_fd(struct sm_source *s, int fd, bool detect)
{
	init(s, detect);
	s->fd = fd;
	sm_pipe_widen(fd);
}

void sm_source_mem(struct sm_source *s, const void *p, size_t n, bool detect)
{
	init(s, detect);
	s->mem = (struct sm_span){p, n};
}

void sm_source_fn(struct sm_source *s, enum sm_err (*read)(void *ctx, void *p, size_t n, size_t *got), void *ctx, bool detect)
{
	init(s, detect);
	s->fn = read;
	s->fn_ctx = ctx;
}

void sm_source_release(struct sm_source *s)
{
	sm_buf_release(&s->raw);
	sm_buf_release(&s->ready);
}

static size_t buffered(const struct sm_source *s) { return s->ready.len - s->pos; }

/* Input has come; none is the end. */
static void take(struct sm_source *s, size_t got)
{
	if (!got)
		s->ended = true;
	s->taken += got;
	if (s->progress && s->taken > RAW_READ)
		s->progress(s->progress_ctx, s->taken);
}

/* Up to n bytes as they come in; *got 0 is the end. One read, so that a pipe is not waited for longer than need be. */
static enum sm_err pull(struct sm_source *s, void *p, size_t n, size_t *got)
{
	enum sm_err e = SM_OK;

	*got = 0;
	if (s->ended)
		return SM_OK;
	if (s->fn) {
		e = s->fn(s->fn_ctx, p, n, got);
	} else if (s->fd >= 0) {
		e = sm_read_some(s->fd, p, n, got);
	} else {
		*got = n < s->mem.n ? n : s->mem.n;
		if (*got)
			memcpy(p, s->mem.p, *got);
		s->mem.p += *got, s->mem.n -= *got;
	}
	if (!e)
		take(s, *got);
	return e;
}

static void compact(struct sm_source *s)
{
	if (s->pos == s->ready.len)
		s->ready.len = s->pos = 0;
	else if (s->pos > (1u << 20))
		sm_buf_consume(&s->ready, s->pos), s->pos = 0;
}

/* Turns raw input into ready bytes; at the end of armored input checks that the armor was whole. */
static enum sm_err refill(struct sm_source *s)
{
	uint8_t *where;
	size_t got;
	enum sm_err e;

	compact(s);
	if (!s->armored) {
		/* Memory: no more than there is. Others: little at first, since most messages are small and what is taken is wiped. */
		size_t want = s->fd < 0 && !s->fn && s->mem.n < RAW_READ ? s->mem.n + 1 : s->taken ? RAW_READ : FIRST_READ;
		if ((e = sm_buf_reserve(&s->ready, want, &where)) || (e = pull(s, where, want, &got)))
			return e;
		s->ready.len += got;
		return SM_OK;
	}
	s->raw.len = 0;
	if ((e = sm_buf_reserve(&s->raw, RAW_READ, &where)) || (e = pull(s, where, RAW_READ, &got)))
		return e;
	return got ? sm_armor_read(&s->armor, &s->ready, where, got) : sm_armor_read_end(&s->armor);
}

static bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The first byte that is not white space decides; what was read before it stays in the input either way. */
static enum sm_err begin(struct sm_source *s)
{
	size_t i = 0;
	enum sm_err e;

	for (;;) {
		while (i < s->ready.len && is_space(s->ready.data[i]))
			i++;
		if (i < s->ready.len || s->ended || i > RAW_READ)
			break;
		if ((e = refill(s)))
			return e;
	}
	s->begun = true;
	if (i == s->ready.len || s->ready.data[i] != '-')
		return SM_OK;
	s->armored = true;
	sm_armor_reader_init(&s->armor, SM_ARMOR_ENVELOPE);
	struct sm_buf first = s->ready;
	sm_buf_init(&s->ready, BUFFER_MAX);
	e = sm_armor_read(&s->armor, &s->ready, first.data, first.len);
	sm_buf_release(&first);
	return e;
}

enum sm_err sm_source_read(struct sm_source *s, void *p, size_t n, size_t *got)
{
	uint8_t *out = p;
	size_t have = 0;
	enum sm_err e;

	if (!s->begun && (e = begin(s)))
		return e;
	while (have < n) {
		size_t k = buffered(s);
		if (k) {
			k = k < n - have ? k : n - have;
			memcpy(out + have, s->ready.data + s->pos, k);
			s->pos += k;
			have += k;
		} else if (s->ended) {
			break;
		} else if (s->armored || n - have < DIRECT) {
			if ((e = refill(s)))
				return e;
		} else {
			if ((e = pull(s, out + have, n - have, &k)))
				return e;
			have += k;
		}
	}
	s->consumed += have;
	*got = have;
	return SM_OK;
}

/* One read from a descriptor whose bytes are not looked at on the way. */
static bool scatters(const struct sm_source *s) { return s->begun && s->fd >= 0 && !s->armored && !buffered(s) && !s->ended; }

enum sm_err sm_source_read_pieces(struct sm_source *s, const struct sm_pieces *to, size_t at, size_t n, size_t *got)
{
	size_t have = 0, k;
	enum sm_err e;

	while (have < n) {
		if (scatters(s)) {
			if ((e = sm_pieces_read(s->fd, to, at + have, n - have, &k)))
				return e;
			take(s, k);
			s->consumed += k;
		} else {
			size_t run;
			uint8_t *p = sm_pieces_at(to, at + have, &run);
			if ((e = sm_source_read(s, p, run < n - have ? run : n - have, &k)))
				return e;
		}
		if (!k)
			break;
		have += k;
	}
	*got = have;
	return SM_OK;
}

enum sm_err sm_source_peek(struct sm_source *s, size_t want, const uint8_t **p, size_t *n)
{
	enum sm_err e;

	if (!s->begun && (e = begin(s)))
		return e;
	while (buffered(s) < want && !s->ended)
		if ((e = refill(s)))
			return e;
	*p = s->ready.data + s->pos;
	*n = buffered(s);
	return SM_OK;
}

void sm_source_skip(struct sm_source *s, size_t n)
{
	s->pos += n;
	s->consumed += n;
}

enum sm_err sm_source_is_envelope(struct sm_source *s, bool *is)
{
	static const char armor[] = "-----BEGIN " SM_ARMOR_ENVELOPE "-----";
	const uint8_t *p;
	size_t n;
	enum sm_err e;

	if ((e = sm_source_peek(s, sizeof armor - 1, &p, &n)))
		return e;
	*is = sm_span_starts((struct sm_span){p, n}, armor) || sm_span_starts((struct sm_span){p, n}, SM_MAGIC);
	if (*is) {
		s->detect = true;
		s->begun = false;
	}
	return SM_OK;
}

enum sm_err sm_source_unread(struct sm_source *s, const void *p, size_t n)
{
	enum sm_err e;

	sm_buf_consume(&s->ready, s->pos);
	s->pos = 0;
	size_t old = s->ready.len;
	if ((e = sm_buf_add(&s->ready, p, n)))
		return e;
	if (old) { /* bytes behind the unread ones: put them back in order */
		memmove(s->ready.data + n, s->ready.data, old);
		memcpy(s->ready.data, p, n);
	}
	s->consumed -= n;
	return SM_OK;
}

bool sm_source_offset(const struct sm_source *s, off_t *at)
{
	struct stat st;
	off_t now;

	if (s->fd < 0 || s->armored || fstat(s->fd, &st) || !S_ISREG(st.st_mode) || (now = lseek(s->fd, 0, SEEK_CUR)) < 0)
		return false;
	*at = now - (off_t)buffered(s);
	return true;
}

enum sm_err sm_source_drain(struct sm_source *s)
{
	enum sm_err e;

	if (!s->begun && (e = begin(s)))
		return e;
	while (!s->ended) {
		s->pos = s->ready.len;
		if ((e = refill(s)))
			return e;
	}
	return SM_OK;
}
