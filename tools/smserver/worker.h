/* What stands beside an event loop: its reading connection, the operations that came back from the writer, and its open
 * streams. Wake-ups for streams are hints only: a stream reads what is newer than its last message from the store. */
#ifndef SM_SMSERVER_WORKER_H
#define SM_SMSERVER_WORKER_H

#include "http.h"
#include "queue.h"

#include <stdatomic.h>

struct sm_stream;

#define SM_STREAM_BUCKETS 4096

struct sm_worker {
	struct sm_server *server;
	struct sm_loop *loop;
	struct sm_reader *reader;
	pthread_mutex_t lock; /* guards the next four */
	struct sm_op *done, **done_tail;
	int64_t *hint; /* mailboxes with something new */
	size_t nhint, caphint;
	bool check_sessions;                         /* some session ended */
	struct sm_stream *stream[SM_STREAM_BUCKETS]; /* by mailbox; the loop's thread only */
	atomic_size_t nstream;
};

SM_CHECKED enum sm_err sm_worker_init(struct sm_worker *w, struct sm_server *s, const char *dir);
void sm_worker_release(struct sm_worker *w);
/* Writer's thread: hands finished operations (a list of this worker's) and hints over. Takes one lock and one wake-up. */
void sm_worker_post(struct sm_worker *w, struct sm_op *first, struct sm_op *last, const int64_t *mailbox, size_t n, bool sessions);
/* The loop's hooks. */
void sm_worker_wake(struct sm_worker *w);
void sm_worker_tick(struct sm_worker *w);

#endif
