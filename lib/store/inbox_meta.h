/* Inside lib/store: a message's meta as sealed bytes (see store/inbox.h for the construction). */
#ifndef SM_STORE_INBOX_META_H
#define SM_STORE_INBOX_META_H

#include "store/inbox.h"

#define SM_INBOX_META_MAX 8192

/* Appends the sealed meta to out. hash: SHA-256 of the envelope. */
SM_CHECKED enum sm_err sm_inbox_seal(struct sm_buf *out, const struct sm_inbox_meta *m, const uint8_t key[static 32], uint64_t seq,
                                     const uint8_t hash[static 32], const struct sm_rand *rand);
/* SM_ERR_PASSPHRASE when it does not open under key, SM_ERR_FORMAT when what it holds is not a meta. */
SM_CHECKED enum sm_err sm_inbox_unseal(struct sm_inbox_meta *m, struct sm_span sealed, const uint8_t key[static 32], uint64_t seq,
                                       const uint8_t hash[static 32]);

#endif
