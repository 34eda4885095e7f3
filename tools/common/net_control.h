/* Control messages: what they ask for is done after they are safely stored; and healing, for messages that did not open. */
#ifndef SM_COMMON_NET_CONTROL_H
#define SM_COMMON_NET_CONTROL_H

#include "common/letter.h"
#include "common/net_sessions.h"
#include "wire/control.h"

/* Inside the transaction that stores the message it came in: takes what changes only the store (a sender chain, an invitation to a group). The sender is
 * o->from, proven and pinned, over a pairwise session: the caller has made sure. Lines that may not be believed are passed over. */
SM_CHECKED enum sm_err sm_control_take(struct sm_db *db, const struct sm_opening *o, const struct sm_control *line, size_t n);

/* After the commit, with the network, for everything of this run (sm_receive_all and following): */
struct sm_healing {
	struct sm_buf asked;  /* private: (device, ids) that could not be opened here */
	struct sm_buf wanted; /* private: (device, ids) that others have asked for */
};
void sm_healing_init(struct sm_healing *h);
void sm_healing_release(struct sm_healing *h);
/* id came from that device of address and did not open under its session. */
SM_CHECKED enum sm_err sm_healing_failed(struct sm_healing *h, const struct sm_party *from, const char *id);
SM_CHECKED enum sm_err sm_healing_wanted(struct sm_healing *h, const struct sm_end *by, const char *id);
/* Starts fresh sessions with the devices whose messages did not open and asks them for these (at most 3 times each, 32 a request); sends again what was asked
 * for and is still in the outbox, was for that device, and whose pin has not changed (each at most 3 times). Never fails a run: what went wrong is a note. */
void sm_heal(struct sm_healing *h, struct sm_online *o, struct sm_db *db, const struct sm_self *self);

#endif
