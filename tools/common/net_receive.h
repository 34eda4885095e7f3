/* From the server's mailbox into the local inbox: fetched, opened, stored in one commit, and only then acknowledged. */
#ifndef SM_COMMON_NET_RECEIVE_H
#define SM_COMMON_NET_RECEIVE_H

#include "common/letter.h"
#include "common/net_client.h"
#include "net/mailbox.h"

struct sm_receiver {
	struct sm_reader *reader;
	struct sm_online *online;
	struct sm_buf asked;  /* lp(address) of the senders whose devices the server was asked for in this run */
	uint64_t last;        /* the highest seq seen */
	struct sm_buf opened; /* numbers (be64) of messages that sm_receive_finish has opened after all */
	uint64_t hold;        /* 0, or the first seq that is not acknowledged before the next run */
	bool storing;         /* the last step was the database's, and so is the error */
	bool first;           /* sessions have begun: prekeys were used */
	bool unfinished;      /* something has come that sm_receive_finish may have to see to */
};

/* reader and online are borrowed. */
void sm_receiver_init(struct sm_receiver *x, struct sm_reader *reader, struct sm_online *online);
void sm_receiver_release(struct sm_receiver *x);
/* Stores the messages of one page (as sm_page_next reads it) and acknowledges them. A message that does not open is stored too. */
SM_CHECKED enum sm_err sm_receive_page(struct sm_receiver *x, struct sm_span page);
/* Everything that waits. */
SM_CHECKED enum sm_err sm_receive_all(struct sm_receiver *x);
/* After messages are safely here: rosters of groups that they speak of, what did not open and what others want again
 * (common/net_control.h), and prekeys. Never fails a run: what goes wrong is a note. */
void sm_receive_finish(struct sm_receiver *x);
/* Says what e, an error of these, was about (the server, or the place here) and returns its exit code. */
int sm_receive_say(const struct sm_receiver *x, enum sm_err e);

#endif
