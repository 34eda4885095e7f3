/* Operations for the writer, and the bounded queue they wait in. */
#ifndef SM_SMSERVER_QUEUE_H
#define SM_SMSERVER_QUEUE_H

#include "store.h"

#include <pthread.h>

struct sm_worker;
struct sm_server;

/* One change. Embedded in what a handler keeps for its request; owned by the submitter, who may touch it again in done. */
struct sm_op {
	struct sm_op *next;
	struct sm_worker *worker; /* in whose loop done is called; NULL: in the writer's thread */
	/* Writer's thread, inside the transaction. An answer of any kind is SM_OK with the answer in the op's surroundings; an error
	 * means that the transaction is spoilt. May be called again after a rollback, so it starts over each time. */
	enum sm_err (*run)(struct sm_op *op, struct sm_store *st);
	/* Writer's thread, after the commit, before done; may be NULL: what caches and streams must hear. */
	void (*committed)(struct sm_op *op, struct sm_server *s);
	/* result: SM_OK committed; SM_ERR_LIMIT no space; SM_ERR_IO, SM_ERR_BUSY not stored. */
	void (*done)(struct sm_op *op);
	size_t weight; /* bytes it will write, about */
	bool vital;    /* small, or gives space back: still tried when the disk is full */
	bool again;    /* set by run: there is more; it is queued again after this commit */
	enum sm_err result;
};

struct sm_queue {
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct sm_op *head, **tail;
	size_t n, bytes, max_n, max_bytes;
	bool closed;
};

SM_CHECKED enum sm_err sm_queue_init(struct sm_queue *q, size_t max_n, size_t max_bytes);
void sm_queue_release(struct sm_queue *q);
/* SM_ERR_BUSY when full or closed; the op is then still the caller's. */
SM_CHECKED enum sm_err sm_queue_put(struct sm_queue *q, struct sm_op *op);
/* Takes up to max_n operations or max_bytes (at least one), in order; waits at most wait_ms for the first. NULL: none came. */
struct sm_op *sm_queue_take(struct sm_queue *q, size_t max_n, size_t max_bytes, int wait_ms);
/* What a batch wants to go on with: to the end of the queue, whatever its bounds. */
void sm_queue_put_back(struct sm_queue *q, struct sm_op *op);
size_t sm_queue_length(struct sm_queue *q);
/* No more puts; what is in it can still be taken. */
void sm_queue_close(struct sm_queue *q);

#endif
