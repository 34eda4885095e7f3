/* A mutex, a condition and a list: what the event loops hand to the writer. */
#include "queue.h"

#include <time.h>

enum sm_err sm_queue_init(struct sm_queue *q, size_t max_n, size_t max_bytes)
{
	pthread_condattr_t attr;

	*q = (struct sm_queue){.max_n = max_n, .max_bytes = max_bytes};
	q->tail = &q->head;
	if (pthread_condattr_init(&attr))
		return SM_ERR_NOMEM;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	int rc = pthread_mutex_init(&q->lock, NULL) || pthread_cond_init(&q->some, &attr);
	pthread_condattr_destroy(&attr);
	return rc ? SM_ERR_NOMEM : SM_OK;
}

void sm_queue_release(struct sm_queue *q)
{
	pthread_cond_destroy(&q->some);
	pthread_mutex_destroy(&q->lock);
}

static void append(struct sm_queue *q, struct sm_op *op)
{
	op->next = NULL;
	*q->tail = op;
	q->tail = &op->next;
	q->bytes += op->weight;
	if (q->n++ == 0)
		pthread_cond_signal(&q->some);
}

enum sm_err sm_queue_put(struct sm_queue *q, struct sm_op *op)
{
	enum sm_err e = SM_ERR_BUSY;

	pthread_mutex_lock(&q->lock);
	if (!q->closed && q->n < q->max_n && (q->n == 0 || q->bytes + op->weight <= q->max_bytes)) {
		append(q, op);
		e = SM_OK;
	}
	pthread_mutex_unlock(&q->lock);
	return e;
}

void sm_queue_put_back(struct sm_queue *q, struct sm_op *op)
{
	pthread_mutex_lock(&q->lock);
	append(q, op);
	pthread_mutex_unlock(&q->lock);
}

static void wait_some(struct sm_queue *q, int wait_ms)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += wait_ms / 1000;
	end.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000)
		end.tv_sec++, end.tv_nsec -= 1000000000;
	while (!q->n && !q->closed && pthread_cond_timedwait(&q->some, &q->lock, &end) == 0)
		;
}

struct sm_op *sm_queue_take(struct sm_queue *q, size_t max_n, size_t max_bytes, int wait_ms)
{
	struct sm_op *first, *last = NULL;
	size_t n = 0, bytes = 0;

	pthread_mutex_lock(&q->lock);
	if (!q->n && wait_ms > 0)
		wait_some(q, wait_ms);
	first = q->head;
	for (struct sm_op *op = first; op && n < max_n && (n == 0 || bytes + op->weight <= max_bytes); op = op->next) {
		last = op;
		n++;
		bytes += op->weight;
	}
	if (last) {
		q->head = last->next;
		if (!q->head)
			q->tail = &q->head;
		last->next = NULL;
		q->n -= n;
		q->bytes -= bytes;
	}
	pthread_mutex_unlock(&q->lock);
	return first;
}

size_t sm_queue_length(struct sm_queue *q)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	n = q->n;
	pthread_mutex_unlock(&q->lock);
	return n;
}

void sm_queue_close(struct sm_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->some);
	pthread_mutex_unlock(&q->lock);
}
