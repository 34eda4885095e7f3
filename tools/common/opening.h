/* Session stanzas opened against the store, for lib/stream's opener: ratchet stanzas here, senderkey stanzas by group_open.h. Everything happens inside the
 * caller's transaction, under a savepoint: what opening changed is kept by sm_opening_keep when the whole envelope has verified, and undone by
 * sm_opening_undo when it has not, so that nobody can use up a message key with an envelope that is not genuine. No network: device lists, rosters
 * and pins have been brought up to date before. */
#ifndef SM_COMMON_OPENING_H
#define SM_COMMON_OPENING_H

#include "common/self.h"
#include "store/sessions.h"
#include "stream/open.h"

/* What came of it, for who judges the message. */
struct sm_opening {
	const struct sm_self *self;
	struct sm_db *db;
	int64_t now;
	const struct sm_rand *rand;
	/* set by the callback */
	bool pairwise;   /* it came over a session between two devices: control messages are believed from such alone */
	bool first;      /* it began a session: prekeys were used */
	bool group;      /* over a sender key */
	struct sm_end from; /* the sending device, as its user's list has it */
	struct sm_pair pair; /* stepped, not stored yet */
	struct sm_sender_chain chain; /* the same */
	uint32_t opk; /* to be dropped */
	bool used_opk;
};
/* The opener's `session`; ctx is a struct sm_opening. The sender's device must stand in the list that counts for the pin of the `from` address: else
 * SM_ERR_STANZA (who could speak for that address is not known). */
enum sm_err sm_opening_session(void *ctx, uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, size_t i);
/* Stores what the callback stepped; inside the transaction in which the message is stored. */
SM_CHECKED enum sm_err sm_opening_keep(struct sm_opening *o);
void sm_opening_release(struct sm_opening *o); /* wipes; nothing is stored */

#endif
