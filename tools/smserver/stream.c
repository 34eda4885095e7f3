/* Streams. A hint only says "look": each stream asks the store for what is newer than the last it sent, so lost or doubled
 * hints do no harm. What a reader does not take stays in the store, beyond 256 KiB under way. */
#include "stream.h"

#include "base/base64.h"
#include "base/time.h"
#include "json.h"
#include "server.h"
#include "session.h"
#include "worker.h"

#include <stdlib.h>
#include <string.h>

enum { OUTBOUND_MAX = 256 << 10, STEP = 64, PING_MS = 20000 };

struct sm_stream {
	struct sm_stream *next; /* in its bucket */
	struct sm_worker *worker;
	struct sm_session *session;
	struct sm_sse *sse;
	uint64_t last;
	int64_t spoke; /* monotonic ms */
	bool more;     /* the store has some that did not fit */
};

static struct sm_stream **bucket(struct sm_worker *w, int64_t mailbox)
{
	return &w->stream[((uint64_t)mailbox * UINT64_C(0x9e3779b97f4a7c15) >> 40) % SM_STREAM_BUCKETS];
}

static void closed(void *ctx)
{
	struct sm_stream *s = ctx;

	for (struct sm_stream **p = bucket(s->worker, s->session->device); *p; p = &(*p)->next)
		if (*p == s) {
			*p = s->next;
			atomic_fetch_sub(&s->worker->nstream, 1);
			break;
		}
	sm_session_release(s->session);
	free(s);
}

struct pumping {
	struct sm_stream *stream;
	struct sm_buf b;
	size_t n;
	enum sm_err err;
};

static enum sm_err add_event(struct sm_buf *b, const struct sm_message_row *m)
{
	enum sm_err e = sm_buf_addf(b, "id: %llu\nevent: message\ndata: {\"seq\":%llu,\"received\":%lld,\"envelope\":\"",
	                            (unsigned long long)m->seq, (unsigned long long)m->seq, (long long)m->received);

	if (!e)
		e = sm_buf_add_base64(b, m->body, m->n);
	return e ? e : sm_buf_adds(b, "\"}\n\n");
}

static bool add_message(void *ctx, const struct sm_message_row *m)
{
	struct pumping *p = ctx;

	if (sm_sse_pending(p->stream->sse) + p->b.len >= OUTBOUND_MAX)
		return false;
	p->err = add_event(&p->b, m);
	if (p->err)
		return false;
	p->stream->last = m->seq;
	p->n++;
	return true;
}

/* False when the stream is gone. */
static bool pump(struct sm_stream *s)
{
	struct pumping p = {.stream = s};
	enum sm_err e;

	sm_buf_init(&p.b, 16u << 20);
	e = sm_reader_fetch(s->worker->reader, s->session->device, s->last, STEP, add_message, &p);
	s->more = p.n > 0; /* whether that was all is seen when it has been written */
	if (p.b.len) {
		sm_sse_write(s->sse, p.b.data, p.b.len);
		s->spoke = sm_time_mono_ms();
	}
	sm_buf_release(&p.b);
	if (!e && !p.err)
		return true;
	sm_sse_end(s->sse);
	return false;
}

static void drained(void *ctx)
{
	struct sm_stream *s = ctx;

	if (s->more)
		(void)pump(s);
}

void sm_stream_open(struct sm_req *req, uint64_t after)
{
	static const struct sm_sse_ops ops = {.drained = drained, .closed = closed};
	struct sm_stream *s = calloc(1, sizeof *s);

	if (!s) {
		sm_problem(req, 500, "internal", "out of memory");
		return;
	}
	s->worker = req->worker;
	s->session = req->session;
	s->last = after;
	s->spoke = sm_time_mono_ms();
	atomic_fetch_add(&s->session->refs, 1);
	s->sse = sm_sse_start(req, &ops, s);
	if (!s->sse) {
		sm_session_release(s->session);
		free(s);
		return;
	}
	/* Counted before the first look into the store: what is committed after that look is then hinted at. */
	struct sm_stream **p = bucket(s->worker, s->session->device);
	s->next = *p;
	*p = s;
	atomic_fetch_add(&s->worker->nstream, 1);
	sm_sse_write(s->sse, ": sm\n\n", 6);
	(void)pump(s);
}

void sm_streams_hint(struct sm_worker *w, int64_t mailbox)
{
	for (struct sm_stream *s = *bucket(w, mailbox), *next; s; s = next) {
		next = s->next;
		if (s->session->device == mailbox)
			(void)pump(s);
	}
}

static void check_one(struct sm_stream *s, int64_t mono, int64_t now, bool ping, bool all)
{
	if (all || !sm_session_alive(s->session, now)) {
		sm_sse_end(s->sse);
		return;
	}
	if (!ping || mono - s->spoke < PING_MS || sm_sse_pending(s->sse))
		return;
	s->spoke = mono;
	sm_sse_write(s->sse, ": ping\n\n", 8);
	(void)pump(s); /* in case a hint was lost */
}

void sm_streams_check(struct sm_worker *w, bool ping, bool all)
{
	int64_t mono = sm_time_mono_ms(), now = sm_time_now();

	if (!atomic_load(&w->nstream))
		return;
	for (size_t i = 0; i < SM_STREAM_BUCKETS; i++)
		for (struct sm_stream *s = w->stream[i], *next; s; s = next) {
			next = s->next;
			check_one(s, mono, now, ping, all);
		}
}
