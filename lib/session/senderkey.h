/* Sender keys: one chain for each sending device and group, whose current point travels inside pairwise sessions (sm-sessions(7), "Sender
 * keys"). Pure. The envelope's Ed25519 signature says who sent; the chain only says who may read. */
#ifndef SM_SESSION_SENDERKEY_H
#define SM_SESSION_SENDERKEY_H

#include "session/chain.h"
#include "session/ratchet.h"
#include "session/x3dh.h"
#include "wire/wrap.h"

#define SM_CHAIN_MESSAGES 1000 /* a sender makes a new chain after so many */
#define SM_CHAIN_SECONDS (7 * 86400)

/* A chain at some point of it, on either side. */
struct sm_sender_chain {
	char group[SM_ID_LEN + 1];
	char id[SM_ID_LEN + 1];
	struct sm_end sender; /* pk, address, device of who sends on it */
	uint8_t ck[32];
	uint32_t n;                     /* of the next message */
	int64_t created;                /* sender: when it was made; receiver: when it came */
	struct sm_skipped_list skipped; /* receiver; pub is zeros */
};

/* A fresh chain of this device. */
void sm_sender_chain_new(struct sm_sender_chain *c, const char *group, const struct sm_end *self, int64_t now, const struct sm_rand *rand);
/* Time for a new one: SM_CHAIN_MESSAGES were sent, SM_CHAIN_SECONDS have gone by, or it is from the future. */
bool sm_sender_chain_old(const struct sm_sender_chain *c, int64_t now);
/* The aad of message n of c in the envelope h (group line and id set):
 *   "SM-SK-v1\0" | 01 | IK of the sender | lp16("address/device") | group id 26 | be64 epoch | roster 32 | chain id 26 | be32 n
 * info of the AEAD: "SM-SK-message-v1". */
SM_CHECKED enum sm_err sm_sender_chain_seal(struct sm_sender_chain *c, struct sm_stanza *s, const struct sm_header *h,
                                            const uint8_t file_key[static SM_FILE_KEY], const struct sm_rand *rand);
/* SM_ERR_STANZA: of another chain or device, a duplicate, too far ahead (SM_RATCHET_JUMP), does not open; c unchanged. */
SM_CHECKED enum sm_err sm_sender_chain_open(struct sm_sender_chain *c, uint8_t file_key[static SM_FILE_KEY], const struct sm_stanza *s,
                                            const struct sm_header *h, int64_t now);
void sm_sender_chain_release(struct sm_sender_chain *c);

#endif
