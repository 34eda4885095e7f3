/* What did not open, here and with others. A message of a session is known by whose it is: ref, of the sender's address and the envelope's
 * id. One that did not open waits in the inbox, and may be asked for; what others ask for is remembered until it is answered, and who could
 * read a group's messages for as long as they can be. */
#ifndef SM_STORE_HEALING_H
#define SM_STORE_HEALING_H

#include "store/inbox.h"

void sm_inbox_ref(uint8_t ref[static SM_INBOX_REF_LEN], const char *address, const char *id);
/* Has a message with this ref been opened, though it may be removed since? Or have these very bytes come before, under another seq,
 * whatever has become of them? */
SM_CHECKED enum sm_err sm_inbox_taken(bool *taken, struct sm_db *db, const uint8_t ref[static SM_INBOX_REF_LEN], struct sm_span envelope);
/* Removes those with this ref that did not open (but number n, 0 for none): their content is here now, and from here on the ref is taken.
 * *any (may be NULL): there were some. now: seconds. */
SM_CHECKED enum sm_err sm_inbox_supersede(bool *any, struct sm_db *db, const uint8_t ref[static SM_INBOX_REF_LEN], int64_t n, int64_t now);
/* The key of the body of the message with this ref. SM_ERR_NOTFOUND: it is not here, or did not open. */
SM_CHECKED enum sm_err sm_inbox_file_key(uint8_t file_key[static SM_FILE_KEY], struct sm_db *db, const uint8_t key[static 32],
                                         const uint8_t ref[static SM_INBOX_REF_LEN]);
/* Those that wait to be asked for, at most max, oldest first. fn returns SM_OK to go on. */
SM_CHECKED enum sm_err sm_inbox_waiting(struct sm_db *db, const uint8_t key[static 32], size_t max, sm_inbox_fn *fn, void *ctx);
/* It may be asked for, or not (any more). */
SM_CHECKED enum sm_err sm_inbox_wait(struct sm_db *db, int64_t n, bool waits);

/* A device of address has asked for the envelope with this id, which this device sent. */
struct sm_wanted {
	int64_t n;
	char address[SM_ADDRESS_MAX + 1];
	uint8_t fp[SM_FP_LEN];
	char id[SM_ID_LEN + 1];
	char key[SM_ID_LEN + 1]; /* the idempotency key of the answer: made once, so that a run that was killed is gone on with */
};
#define SM_WANTED_MAX 256 /* of one device: more are passed over; as many as the outbox keeps */
/* n is ignored. One that is there already stays as it is. */
SM_CHECKED enum sm_err sm_wanted_add(struct sm_db *db, const struct sm_wanted *w, int64_t now);
/* The first above number `above`. SM_ERR_NOTFOUND. */
SM_CHECKED enum sm_err sm_wanted_next(struct sm_wanted *w, struct sm_db *db, int64_t above);
SM_CHECKED enum sm_err sm_wanted_drop(struct sm_db *db, int64_t n);

/* Could this device read what row n of the outbox, a group's message under this chain of ours, has sent? It had been given the chain by
 * then, or was left out only because no session could be begun with it. Known for as long as the outbox keeps such messages. */
SM_CHECKED enum sm_err sm_chain_read_by(bool *is, struct sm_db *db, const char *chain, const uint8_t fp[static SM_FP_LEN],
                                        int64_t outbox_n);
/* Who is given the chain (store/groups.h) is one from there on by itself; this is for those who are left out. */
SM_CHECKED enum sm_err sm_chain_left_out(struct sm_db *db, const char *chain, const uint8_t fp[static SM_FP_LEN]);

#endif
