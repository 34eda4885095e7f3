/* From the server's mailbox into the local inbox: fetched, opened, stored in one commit, and only then acknowledged. */
#ifndef SM_COMMON_NET_RECEIVE_H
#define SM_COMMON_NET_RECEIVE_H

#include "common/letter.h"
#include "common/net_client.h"
#include "net/mailbox.h"

struct sm_receiver {
	struct sm_reader *reader;
	struct sm_online *online;
	struct sm_buf asked; /* lp(address) of the senders whose key the server was asked for in this run */
	uint64_t last;       /* the highest seq seen */
	bool storing;        /* the last step was the database's, and so is the error */
};

/* reader and online are borrowed. */
void sm_receiver_init(struct sm_receiver *x, struct sm_reader *reader, struct sm_online *online);
void sm_receiver_release(struct sm_receiver *x);
/* Stores the messages of one page (as sm_page_next reads it) and acknowledges them. A message that does not open is stored too. */
SM_CHECKED enum sm_err sm_receive_page(struct sm_receiver *x, struct sm_span page);
/* Everything that waits. */
SM_CHECKED enum sm_err sm_receive_all(struct sm_receiver *x);
/* Says what e, an error of these, was about (the server, or the place here) and returns its exit code. */
int sm_receive_say(const struct sm_receiver *x, enum sm_err e);

#endif
