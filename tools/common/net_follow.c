/* Two connections: one carries the stream, the other acknowledges and asks for keys. Events are collected while bytes come in and stored
 * together when the round ends. What other processes of the profile have fetched meanwhile is shown too: the database is looked at in
 * every round. */
#include "common/net_follow.h"

#include "base/time.h"
#include "cli/diag.h"
#include "cli/exit.h"
#include "common/net_receive.h"

#include <poll.h>
#include <unistd.h>

#define WAIT_FIRST_MS 500
#define WAIT_MAX_MS 30000
#define SLICE_MS 500 /* how long a vanished reader may go unnoticed while waiting */
#define PENDING_MAX ((size_t)192 << 20)

struct following {
	struct sm_view *view;
	struct sm_reader *reader;
	struct sm_online stream, courier;
	struct sm_receiver receiver;
	struct sm_buf pending; /* messages in the form of a page */
	int64_t shown;         /* the highest number listed */
	int code;              /* of an error that was said already */
	bool heard;            /* something came since the connection was made */
};

static enum sm_err on_message(void *ctx, const struct sm_incoming *m)
{
	struct following *f = ctx;
	enum sm_err e = sm_buf_add_be64(&f->pending, m->seq);
	f->heard = true;
	if (e == SM_OK)
		e = sm_buf_add_be64(&f->pending, (uint64_t)m->received);
	return e == SM_OK ? sm_buf_add_lp(&f->pending, m->envelope.p, m->envelope.n) : e;
}

static bool reader_gone(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO};
	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLNVAL));
}

/* Lists what has come above the last number shown. */
static enum sm_err show(struct following *f)
{
	int64_t last = 0;
	enum sm_err e = sm_inbox_last(&last, &f->reader->db);
	if (e != SM_OK || last <= f->shown)
		return e;
	f->code = sm_view_list(f->view, f->reader, true, f->shown, last);
	f->shown = last;
	return f->code == SM_EXIT_OK ? SM_OK : SM_ERR_PIPE;
}

/* What has opened after all stands further up. */
static enum sm_err show_opened(struct following *f)
{
	struct sm_span left = {f->receiver.opened.data, f->receiver.opened.len};
	uint64_t n;
	while (f->code == SM_EXIT_OK && sm_span_take_be64(&left, &n))
		if ((int64_t)n <= f->shown)
			f->code = sm_view_list(f->view, f->reader, true, (int64_t)n - 1, (int64_t)n);
	sm_buf_clear(&f->receiver.opened);
	return f->code == SM_EXIT_OK ? SM_OK : SM_ERR_PIPE;
}

static enum sm_err on_round(void *ctx)
{
	struct following *f = ctx;
	enum sm_err e = SM_OK;
	if (f->pending.len) {
		e = sm_receive_page(&f->receiver, (struct sm_span){f->pending.data, f->pending.len});
		sm_buf_clear(&f->pending);
	}
	if (e == SM_OK)
		e = show(f);
	if (e == SM_OK && f->receiver.unfinished) {
		sm_receive_finish(&f->receiver);
		e = show_opened(f);
	}
	if (e == SM_OK && reader_gone())
		e = SM_ERR_PIPE;
	return e;
}

/* Waits; false when the reader of stdout has gone. */
static bool wait_ms(int64_t ms)
{
	for (int64_t end = sm_time_mono_ms() + ms; sm_time_mono_ms() < end;) {
		if (reader_gone())
			return false;
		(void)poll(NULL, 0, SLICE_MS);
	}
	return !reader_gone();
}

static bool worth_retrying(enum sm_err e) { return e == SM_OK || e == SM_ERR_NET || e == SM_ERR_BUSY; }

static enum sm_err connect_once(struct following *f)
{
	struct sm_follow job = {.after = f->receiver.last, .message = on_message, .round = on_round, .ctx = f};
	sm_buf_clear(&f->pending);
	f->heard = false;
	return sm_net_follow(&f->stream.client, &job);
}

static int follow(struct following *f)
{
	int64_t wait = WAIT_FIRST_MS;
	for (;;) {
		enum sm_err e = connect_once(f);
		if (f->code != SM_EXIT_OK || e == SM_ERR_PIPE)
			return f->code != SM_EXIT_OK ? f->code : SM_EXIT_IO;
		if (!worth_retrying(e))
			return e == SM_ERR_DENIED && f->courier.client.error.status ? sm_receive_say(&f->receiver, e)
			                                                            : sm_net_say(&f->stream.client, e);
		sm_note("the stream has ended: connecting again in %lld ms", (long long)wait);
		if (f->heard)
			wait = WAIT_FIRST_MS;
		if (!wait_ms(wait))
			return SM_EXIT_IO;
		wait = wait * 2 > WAIT_MAX_MS ? WAIT_MAX_MS : wait * 2;
	}
}

/* What is here and waiting. Numbers above `shown` are listed by the rounds from then on, so none falls between. */
static int catch_up(struct following *f, bool all)
{
	enum sm_err e = sm_receive_all(&f->receiver);
	int code = sm_receive_say(&f->receiver, e);
	if (code != SM_EXIT_OK)
		return code;
	sm_receive_finish(&f->receiver);
	sm_buf_clear(&f->receiver.opened); /* listed with the others */
	e = sm_inbox_last(&f->shown, &f->reader->db);
	return e == SM_OK ? sm_view_list(f->view, f->reader, all, 0, f->shown) : sm_view_done(f->reader, e, 0);
}

int sm_follow_inbox(struct sm_view *v, struct sm_reader *r, const char *profile, bool all)
{
	struct following f = {.view = v, .reader = r};
	v->mark = true;
	sm_buf_init(&f.pending, PENDING_MAX);
	int code = sm_online_start(&f.stream, profile);
	if (code == SM_EXIT_OK)
		code = sm_online_start(&f.courier, profile);
	sm_receiver_init(&f.receiver, r, &f.courier);
	if (code == SM_EXIT_OK)
		code = catch_up(&f, all);
	if (code == SM_EXIT_OK)
		code = follow(&f);
	sm_receiver_release(&f.receiver);
	sm_buf_release(&f.pending);
	sm_online_close(&f.stream);
	sm_online_close(&f.courier);
	return code;
}
