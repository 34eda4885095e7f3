/* Threads that take turns: three counters say whose turn it is to read, to link and to write; one mutex guards them. */
#include "stream/pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

enum { READ, LINK, WRITE, TURNS };

struct run {
	const struct sm_pipeline *p;
	void *ctx;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint64_t turn[TURNS];
	bool ended;      /* the last block has been read */
	enum sm_err err; /* of the lowest block that failed */
	int err_errno;   /* errno is each thread's own: it goes with the error to the caller's */
	uint64_t err_index;
	unsigned threads, started;
	pthread_t thread[SM_PIPELINE_THREADS];
};

static void fail(struct run *r, uint64_t index, enum sm_err e)
{
	int saved = errno;

	pthread_mutex_lock(&r->mutex);
	if (!r->err || index < r->err_index)
		r->err = e, r->err_index = index, r->err_errno = saved;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mutex);
}

/* Waits for block index's turn; false when an earlier block failed, after which nobody waits for a later one. */
static bool turn_wait(struct run *r, int which, uint64_t index)
{
	pthread_mutex_lock(&r->mutex);
	while (r->turn[which] != index && !(r->err && r->err_index < index))
		pthread_cond_wait(&r->changed, &r->mutex);
	bool mine = r->turn[which] == index && !(r->err && r->err_index < index);
	pthread_mutex_unlock(&r->mutex);
	return mine;
}

static void turn_pass(struct run *r, int which)
{
	pthread_mutex_lock(&r->mutex);
	r->turn[which]++;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mutex);
}

static enum sm_err ordered(struct run *r, int which, uint64_t index, enum sm_err (*step)(void *, void *), void *block, bool *stop)
{
	enum sm_err e = SM_OK;

	if (!turn_wait(r, which, index)) {
		*stop = true;
		return SM_OK;
	}
	if (step)
		e = step(r->ctx, block);
	if (!e)
		turn_pass(r, which);
	return e;
}

static enum sm_err process(struct run *r, void *block, uint64_t index, bool *stop)
{
	const struct sm_pipeline *p = r->p;
	enum sm_err e;

	if ((e = p->work(r->ctx, block)) || (p->link && (e = ordered(r, LINK, index, p->link, block, stop))) || *stop)
		return e;
	if (p->finish && (e = p->finish(r->ctx, block)))
		return e;
	return ordered(r, WRITE, index, p->write, block, stop);
}

static void *loop(void *arg);

static void start_others(struct run *r)
{
	while (r->started + 1 < r->threads) {
		if (pthread_create(&r->thread[r->started], NULL, loop, r))
			break; /* fewer threads do the same work */
		r->started++;
	}
}

/* Takes the reading turn, whichever block is next. False when there is nothing left to read. */
static bool read_next(struct run *r, void *block, uint64_t *index, bool *more)
{
	static const uint64_t busy = UINT64_C(1) << 63; /* set in turn[READ] while somebody reads */
	bool last = false;
	enum sm_err e;

	pthread_mutex_lock(&r->mutex);
	while (r->turn[READ] & busy && !r->err)
		pthread_cond_wait(&r->changed, &r->mutex);
	if (r->ended || r->err) {
		pthread_mutex_unlock(&r->mutex);
		return false;
	}
	*index = r->turn[READ];
	r->turn[READ] |= busy;
	pthread_mutex_unlock(&r->mutex);

	e = r->p->read(r->ctx, block, *index, &last);

	if (e)
		fail(r, *index, e);
	pthread_mutex_lock(&r->mutex);
	r->turn[READ] = *index + 1;
	r->ended = last || e;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mutex);
	*more = !last;
	return !e;
}

static void *loop(void *arg)
{
	struct run *r = arg;
	void *block = NULL;
	uint64_t index;
	bool more = false, stop = false;
	enum sm_err e = r->p->block_new(r->ctx, &block);

	if (e)
		fail(r, 0, e);
	while (!e && !stop && read_next(r, block, &index, &more)) {
		if (more && index == 0)
			start_others(r);
		if ((e = process(r, block, index, &stop)))
			fail(r, index, e);
	}
	r->p->block_free(block);
	return NULL;
}

static unsigned cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > SM_PIPELINE_THREADS ? SM_PIPELINE_THREADS : (unsigned)n;
}

enum sm_err sm_pipeline_run(const struct sm_pipeline *p, void *ctx, unsigned threads)
{
	struct run r = {.p = p, .ctx = ctx};

	r.threads = !threads ? cores() : threads > SM_PIPELINE_THREADS ? SM_PIPELINE_THREADS : threads;
	pthread_mutex_init(&r.mutex, NULL);
	pthread_cond_init(&r.changed, NULL);
	loop(&r);
	for (unsigned i = 0; i < r.started; i++)
		pthread_join(r.thread[i], NULL);
	pthread_cond_destroy(&r.changed);
	pthread_mutex_destroy(&r.mutex);
	if (r.err)
		errno = r.err_errno;
	return r.err;
}
