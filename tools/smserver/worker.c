/* Between the writer and an event loop. */
#include "worker.h"

#include "server.h"
#include "session.h"
#include "stream.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum sm_err sm_worker_init(struct sm_worker *w, struct sm_server *s, const char *dir)
{
	w->server = s;
	w->done_tail = &w->done;
	if (pthread_mutex_init(&w->lock, NULL))
		return SM_ERR_NOMEM;
	return sm_reader_open(&w->reader, dir);
}

void sm_worker_release(struct sm_worker *w)
{
	sm_reader_close(w->reader);
	free(w->hint);
	pthread_mutex_destroy(&w->lock);
}

static void add_hints(struct sm_worker *w, const int64_t *mailbox, size_t n)
{
	if (w->nhint + n > w->caphint) {
		size_t cap = (w->nhint + n) * 2;
		int64_t *p = realloc(w->hint, cap * sizeof *p);
		if (!p)
			return; /* the next ping looks into the store */
		w->hint = p, w->caphint = cap;
	}
	memcpy(w->hint + w->nhint, mailbox, n * sizeof *mailbox);
	w->nhint += n;
}

void sm_worker_post(struct sm_worker *w, struct sm_op *first, struct sm_op *last, const int64_t *mailbox, size_t n, bool sessions)
{
	if (!atomic_load(&w->nstream))
		n = 0, sessions = false;
	if (!first && !n && !sessions)
		return;
	pthread_mutex_lock(&w->lock);
	if (first) {
		*w->done_tail = first;
		w->done_tail = &last->next;
	}
	if (n)
		add_hints(w, mailbox, n);
	w->check_sessions |= sessions;
	pthread_mutex_unlock(&w->lock);
	sm_loop_wake(w->loop);
}

void sm_worker_wake(struct sm_worker *w)
{
	struct sm_op *op, *next;
	int64_t *hint;
	size_t nhint;
	bool check;

	pthread_mutex_lock(&w->lock);
	op = w->done;
	w->done = NULL;
	w->done_tail = &w->done;
	hint = w->hint, nhint = w->nhint, check = w->check_sessions;
	w->hint = NULL, w->nhint = w->caphint = 0;
	w->check_sessions = false;
	pthread_mutex_unlock(&w->lock);
	for (; op; op = next) {
		next = op->next;
		op->done(op);
	}
	for (size_t i = 0; i < nhint; i++)
		sm_streams_hint(w, hint[i]);
	free(hint);
	if (atomic_load(&w->server->draining))
		sm_streams_check(w, false, true);
	else if (check)
		sm_streams_check(w, false, false);
}

void sm_worker_tick(struct sm_worker *w)
{
	bool draining = atomic_load(&w->server->draining);

	sm_streams_check(w, true, draining);
	if (w == &w->server->worker[0])
		sm_sessions_sweep(w->server->sessions, sm_time_now());
}
