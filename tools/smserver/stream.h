/* Open event streams of a loop: sm-protocol(7), "Stream". In the loop's thread only. */
#ifndef SM_SMSERVER_STREAM_H
#define SM_SMSERVER_STREAM_H

#include "http.h"

struct sm_stream;
struct sm_worker;

/* Answers req with a stream of its session's mailbox, beginning after seq `after`. */
void sm_stream_open(struct sm_req *req, uint64_t after);
/* Something is new in the mailbox. */
void sm_streams_hint(struct sm_worker *w, int64_t mailbox);
/* Ends the streams whose session has; ping: also says something on the silent ones. all: ends every one. */
void sm_streams_check(struct sm_worker *w, bool ping, bool all);

#endif
