/* The writer: one thread that owns the only writing connection and makes every checkpoint. It takes what waits in its queue
 * (at most 256 operations or 2 MiB), runs it in one transaction, commits, and only then completes all of it: group commit
 * without a timer. While idle it sweeps what is older than the retention, in slices of 5 ms. */
#ifndef SM_SMSERVER_WRITER_H
#define SM_SMSERVER_WRITER_H

#include "queue.h"

#include <stdatomic.h>

#define SM_BATCH_OPS 256
#define SM_BATCH_BYTES (2u << 20)

struct sm_writer {
	struct sm_server *server;
	struct sm_store *store;
	struct sm_queue queue;
	pthread_t thread;
	bool running;
	const char *dir;         /* borrowed: where the ballast is */
	atomic_llong busy_since; /* monotonic ms when the batch at hand began; 0 between batches */
	atomic_bool failed;      /* a commit or sync failed: the process is about to end */
	bool full;               /* no space: only vital operations */
	int64_t space_look_at;   /* monotonic ms */
	int64_t sweep_at;
	int64_t idle_since;
	/* of the batch at hand */
	int64_t *hint;
	size_t nhint, caphint;
	bool sessions;
};

/* Takes over store (also when it fails). */
SM_CHECKED enum sm_err sm_writer_start(struct sm_writer *w, struct sm_server *s, struct sm_store *store, const char *dir);
/* Queues op; false when the queue is full (op is still the caller's, done is not called). */
bool sm_writer_submit(struct sm_writer *w, struct sm_op *op);
/* Submits and waits, for threads without a loop. SM_ERR_BUSY when the queue is full; else op->result. */
SM_CHECKED enum sm_err sm_writer_wait(struct sm_writer *w, struct sm_op *op);
/* From an op's committed: these mailboxes have something new; some session ended. */
void sm_writer_hint(struct sm_writer *w, const int64_t *mailbox, size_t n);
void sm_writer_sessions_ended(struct sm_writer *w);
/* Finishes the queue, copies the log into the database, closes the store and joins the thread. */
void sm_writer_stop(struct sm_writer *w);
/* A batch has been under way for more than ten seconds, or the disk failed. */
bool sm_writer_stuck(const struct sm_writer *w);

#endif
