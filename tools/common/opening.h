/* Session stanzas opened against the store, for lib/stream's opener: ratchet stanzas here, senderkey stanzas by group_open.h. Opening only
 * reads the store: what it stepped is held in struct sm_opening, and stored by sm_opening_keep when the whole envelope has verified, so
 * that nobody can use up a message key with an envelope that is not genuine. All of it inside one transaction of the caller's. No network:
 * device lists, rosters and pins have been brought up to date before. */
#ifndef SM_COMMON_OPENING_H
#define SM_COMMON_OPENING_H

#include "common/speaker.h"
#include "session/senderkey.h"
#include "store/inbox.h"
#include "store/sessions.h"
#include "stream/open.h"

/* What came of it, for who judges the message. */
struct sm_opening {
	const struct sm_self *self; /* NULL: no account, no sessions */
	struct sm_speakers *speakers;
	struct sm_db *db;
	int64_t now;
	const struct sm_rand *rand;
	/* set by the callback */
	bool pairwise;                /* it came over a session between two devices: control messages are believed from such alone */
	bool first;                   /* it began a session: prekeys were used */
	bool group;                   /* over a sender key */
	bool changed;                 /* by the key that was seen instead of the pinned one: it opens, and nothing is done for it */
	enum sm_inbox_why why;        /* it did not open */
	struct sm_end from;           /* the sending device, as its user's list has it */
	struct sm_pair pair;          /* stepped, not stored yet */
	struct sm_sender_chain chain; /* the same */
	uint32_t opk;                 /* to be dropped */
	bool used_opk;
};
/* The opener's `session`; ctx begins with a struct sm_opening. The sender's device must stand in the list that counts for the pin of the
 * `from` address, or be the key that was seen there instead: else SM_ERR_STANZA (who could speak for that address is not known). */
enum sm_err sm_opening_session(void *ctx, uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, size_t i);
/* Stores what the callback stepped; inside the transaction in which the message is stored. */
SM_CHECKED enum sm_err sm_opening_keep(struct sm_opening *o);
void sm_opening_release(struct sm_opening *o); /* wipes; nothing is stored */

#endif
