/* The writer's thread. What can go wrong with a batch, and what becomes of it:
 *   an operation spoils the transaction   roll back, run all of it again with a savepoint around each
 *   no space (SQLITE_FULL)                roll back, give up the ballast file, run the vital operations, 507 for the others
 *   COMMIT or a sync fails                nothing is known about the disk: fail all of it and end the process, never retry
 */
#include "writer.h"

#include "base/time.h"
#include "server.h"
#include "space.h"
#include "worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	IDLE_WAIT_MS = 1000,
	SWEEP_EVERY_MS = 1000,
	SWEEP_SLICE_MS = 5,
	IDLE_CHECKPOINT_MS = 1000,
	STUCK_MS = 10000,
	LOG_HIGH = 8 << 20,       /* bytes of log that are worth a checkpoint under load: more would hold up those who wait meanwhile */
	LOG_TOO_LONG = 256 << 20, /* and those that are worth waiting for readers */
};

static const struct sm_log *log_of(const struct sm_writer *w) { return &w->server->cfg->log; }

void sm_writer_hint(struct sm_writer *w, const int64_t *mailbox, size_t n)
{
	if (w->nhint + n > w->caphint) {
		size_t cap = (w->nhint + n) * 2;
		int64_t *p = realloc(w->hint, cap * sizeof *p);
		if (!p)
			return; /* streams look again on their own ticks */
		w->hint = p, w->caphint = cap;
	}
	if (n)
		memcpy(w->hint + w->nhint, mailbox, n * sizeof *mailbox);
	w->nhint += n;
}

void sm_writer_sessions_ended(struct sm_writer *w) { w->sessions = true; }

/* Moves the operations of a finished batch to their loops. */
static void complete(struct sm_writer *w, struct sm_op *batch)
{
	struct sm_server *s = w->server;
	struct sm_op *op, *next, *rest = NULL, **tail = &rest;

	for (op = batch; op; op = next) {
		next = op->next;
		op->next = NULL;
		if (op->result == SM_OK && op->committed)
			op->committed(op, s);
		if (op->result == SM_OK && op->again)
			sm_queue_put_back(&w->queue, op);
		else if (!op->worker)
			op->done(op);
		else
			*tail = op, tail = &op->next;
	}
	for (size_t i = 0; i < s->nworker; i++) {
		struct sm_op *first = NULL, *last = NULL, *others = NULL, **otail = &others;
		for (op = rest; op; op = next) {
			next = op->next;
			op->next = NULL;
			if (op->worker != &s->worker[i])
				*otail = op, otail = &op->next;
			else if (last)
				last->next = op, last = op;
			else
				first = last = op;
		}
		rest = others;
		sm_worker_post(&s->worker[i], first, last, w->hint, w->nhint, w->sessions);
	}
	w->nhint = 0;
	w->sessions = false;
}

static void fail_all(struct sm_op *batch, enum sm_err e)
{
	for (struct sm_op *op = batch; op; op = op->next)
		op->result = e;
}

/* The disk answered a commit or a sync with an error. What it holds now is unknown, so this process has said its last word. */
static void disk_failed(struct sm_writer *w, struct sm_op *batch)
{
	sm_log(log_of(w), SM_LOG_ERROR, "cannot write the database; stopping", NULL);
	fail_all(batch, SM_ERR_IO);
	atomic_store(&w->failed, true);
	kill(getpid(), SIGTERM);
}

static enum sm_err run_one(struct sm_writer *w, struct sm_op *op)
{
	op->again = false;
	op->result = SM_OK;
	return op->run(op, w->store);
}

static enum sm_err run_plain(struct sm_writer *w, struct sm_op *batch, bool vital_only)
{
	enum sm_err e = sm_store_begin(w->store);

	for (struct sm_op *op = batch; op && !e; op = op->next) {
		if (vital_only && !op->vital)
			op->result = SM_ERR_LIMIT, op->again = false;
		else
			e = run_one(w, op);
	}
	return e ? e : sm_store_commit(w->store);
}

/* Some operation failed halfway: only that one is to suffer. */
static enum sm_err run_guarded(struct sm_writer *w, struct sm_op *batch)
{
	enum sm_err e = sm_store_begin(w->store);

	for (struct sm_op *op = batch; op && !e; op = op->next) {
		e = sm_store_savepoint(w->store);
		if (e)
			break;
		enum sm_err mine = run_one(w, op);
		if (mine == SM_ERR_LIMIT || mine == SM_ERR_IO)
			return mine;
		e = sm_store_release(w->store, mine == SM_OK);
		op->result = mine;
		if (mine)
			sm_log(log_of(w), SM_LOG_ERROR, "an operation failed", "error", sm_err_text(mine), NULL);
	}
	return e ? e : sm_store_commit(w->store);
}

static void no_space(struct sm_writer *w, struct sm_op *batch)
{
	enum sm_err e;

	if (!w->full)
		sm_log(log_of(w), SM_LOG_ERROR, "no space left on the data directory's disk: refusing new messages", NULL);
	w->full = true;
	sm_space_release(w->dir);
	(void)!sm_store_checkpoint(w->store, true);
	e = run_plain(w, batch, true);
	if (!e)
		return;
	sm_store_rollback(w->store);
	if (e == SM_ERR_IO)
		disk_failed(w, batch);
	else
		fail_all(batch, SM_ERR_LIMIT);
}

static void run_batch(struct sm_writer *w, struct sm_op *batch)
{
	enum sm_err e = atomic_load(&w->failed) ? SM_ERR_IO : run_plain(w, batch, w->full);

	if (e && e != SM_ERR_IO && e != SM_ERR_LIMIT) {
		sm_store_rollback(w->store);
		e = run_guarded(w, batch);
	}
	if (!e)
		return;
	sm_store_rollback(w->store);
	if (e == SM_ERR_LIMIT)
		no_space(w, batch);
	else if (e == SM_ERR_IO)
		disk_failed(w, batch);
	else
		fail_all(batch, SM_ERR_BUSY); /* somebody else has the database locked: nothing is stored, and that is certain */
}

static void checkpoint(struct sm_writer *w, bool idle)
{
	size_t file, log = sm_store_log_bytes(w->store, &file);
	enum sm_err e;

	if (!log || (!idle && log < LOG_HIGH))
		return;
	e = sm_store_checkpoint(w->store, file > LOG_TOO_LONG);
	if (e && e != SM_ERR_BUSY && e != SM_ERR_LIMIT)
		disk_failed(w, NULL);
}

static void look_for_space(struct sm_writer *w, int64_t now)
{
	if (!w->full || now < w->space_look_at)
		return;
	w->space_look_at = now + 1000;
	(void)!sm_store_checkpoint(w->store, true);
	if (!sm_space_reserve(w->dir) && sm_store_free_bytes(w->store) < SM_BALLAST)
		return;
	w->full = false;
	sm_log(log_of(w), SM_LOG_INFO, "there is space again", NULL);
}

/* True when there is more to sweep. */
static bool sweep(struct sm_writer *w, int64_t now)
{
	bool more = false;
	enum sm_err e;

	if (now < w->sweep_at || atomic_load(&w->failed))
		return false;
	e = sm_store_begin(w->store);
	if (!e)
		e = sm_store_sweep(w->store, sm_time_now_ms() - w->server->cfg->retention * 1000, SWEEP_SLICE_MS, &more);
	if (!e)
		e = sm_store_commit(w->store);
	if (e)
		sm_store_rollback(w->store);
	if (e == SM_ERR_IO)
		disk_failed(w, NULL);
	w->sweep_at = more && !e ? now : now + SWEEP_EVERY_MS;
	return more && !e;
}

static void *writer_main(void *arg)
{
	struct sm_writer *w = arg;
	bool more = false;

	for (;;) {
		struct sm_op *batch = sm_queue_take(&w->queue, SM_BATCH_OPS, SM_BATCH_BYTES, more ? 0 : IDLE_WAIT_MS);
		int64_t now = sm_time_mono_ms();
		if (!batch && w->queue.closed)
			break;
		atomic_store(&w->busy_since, now);
		look_for_space(w, now);
		if (batch) {
			run_batch(w, batch);
			complete(w, batch);
			checkpoint(w, false);
			w->idle_since = now;
		} else {
			more = sweep(w, now);
			if (now - w->idle_since >= IDLE_CHECKPOINT_MS && !more)
				checkpoint(w, true);
		}
		atomic_store(&w->busy_since, 0);
	}
	if (!atomic_load(&w->failed))
		(void)!sm_store_checkpoint(w->store, true);
	return NULL;
}

enum sm_err sm_writer_start(struct sm_writer *w, struct sm_server *s, struct sm_store *store, const char *dir)
{
	enum sm_err e = sm_queue_init(&w->queue, 16384, 64u << 20);

	w->server = s;
	w->store = store;
	w->dir = dir;
	w->full = !sm_space_reserve(dir);
	if (!e && pthread_create(&w->thread, NULL, writer_main, w))
		e = SM_ERR_NOMEM;
	w->running = !e;
	return e;
}

bool sm_writer_submit(struct sm_writer *w, struct sm_op *op) { return sm_queue_put(&w->queue, op) == SM_OK; }

struct waiter {
	struct sm_op op; /* stands in the queue for the caller's */
	struct sm_op *inner;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool finished;
};

static enum sm_err waiter_run(struct sm_op *op, struct sm_store *st)
{
	struct sm_op *inner = ((struct waiter *)(void *)op)->inner;

	return inner->run(inner, st);
}

static void waiter_committed(struct sm_op *op, struct sm_server *s)
{
	struct sm_op *inner = ((struct waiter *)(void *)op)->inner;

	if (inner->committed)
		inner->committed(inner, s);
}

static void waiter_done(struct sm_op *op)
{
	struct waiter *x = (struct waiter *)(void *)op;

	pthread_mutex_lock(&x->lock);
	x->finished = true;
	pthread_cond_signal(&x->cond);
	pthread_mutex_unlock(&x->lock);
}

enum sm_err sm_writer_wait(struct sm_writer *w, struct sm_op *op)
{
	struct waiter x = {.op = {.run = waiter_run, .committed = waiter_committed, .done = waiter_done, .vital = op->vital},
	                   .inner = op,
	                   .lock = PTHREAD_MUTEX_INITIALIZER,
	                   .cond = PTHREAD_COND_INITIALIZER};

	if (!sm_writer_submit(w, &x.op))
		return SM_ERR_BUSY;
	pthread_mutex_lock(&x.lock);
	while (!x.finished)
		pthread_cond_wait(&x.cond, &x.lock);
	pthread_mutex_unlock(&x.lock);
	return x.op.result;
}

void sm_writer_stop(struct sm_writer *w)
{
	if (w->running) {
		sm_queue_close(&w->queue);
		pthread_join(w->thread, NULL);
		w->running = false;
	}
	sm_store_close(w->store);
	w->store = NULL;
	sm_queue_release(&w->queue);
	free(w->hint);
	w->hint = NULL;
}

bool sm_writer_stuck(const struct sm_writer *w)
{
	long long since = atomic_load(&w->busy_since);

	return atomic_load(&w->failed) || (since && sm_time_mono_ms() - since > STUCK_MS);
}
