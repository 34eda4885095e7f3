/* Rows that hold secrets, sealed under a key that only the identity has (sm_keyring_store_key):
 *   r = 32 random bytes; key32 | nonce12 = HKDF-SHA256(salt r, ikm store key, info, 44); r | AES-256-GCM(row, aad)
 * aad binds a row to its place, so that rows cannot be swapped. The inbox uses the same with info "sm-inbox/1". */
#ifndef SM_STORE_SEALED_H
#define SM_STORE_SEALED_H

#include "base/buf.h"
#include "crypto/rand.h"

#define SM_SEALED_OVERHEAD 48

/* What is kept for sessions and groups (store key of purpose "sessions"): aad is the table's name | 0 | the columns that are its key. */
#define SM_SEALED_SESSIONS "sm-sessions/1"

/* Appends. */
SM_CHECKED enum sm_err sm_sealed_put(struct sm_buf *out, const uint8_t key[static 32], const char *info, struct sm_span aad,
                                     struct sm_span row, const struct sm_rand *rand);
/* Appends. SM_ERR_PASSPHRASE when it does not open: another identity's, or damaged. */
SM_CHECKED enum sm_err sm_sealed_get(struct sm_buf *out, const uint8_t key[static 32], const char *info, struct sm_span aad,
                                     struct sm_span sealed);

#endif
