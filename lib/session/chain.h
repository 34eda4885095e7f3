/* What the ratchet and the sender keys share: the symmetric chain and the AEAD under a message key (sm-sessions(7), "Chains").
 *   next CK = HMAC-SHA256(CK, 02), MK = HMAC-SHA256(CK, 01)
 *   r = 32 random bytes; key 32 | nonce 12 = HKDF-SHA256(salt r, ikm MK, info); out = r | AES-256-GCM(in, aad)
 * r is random on purpose: a database that was copied or restored would else use a nonce twice. */
#ifndef SM_SESSION_CHAIN_H
#define SM_SESSION_CHAIN_H

#include "base/buf.h"
#include "crypto/rand.h"

#define SM_CHAIN_SALT 32
#define SM_CHAIN_OVERHEAD (SM_CHAIN_SALT + 16) /* r, and the tag behind */

/* ck becomes the next one. */
void sm_chain_step(uint8_t ck[static 32], uint8_t mk[static 32]);
/* out: n + SM_CHAIN_OVERHEAD bytes, not in. aad is ad | more, at most 1024 bytes together (SM_ERR_LIMIT). */
SM_CHECKED enum sm_err sm_chain_seal(uint8_t *out, const uint8_t mk[static 32], const char *info, const void *in, size_t n,
                                     struct sm_span ad, struct sm_span more, const struct sm_rand *rand);
/* out: n - SM_CHAIN_OVERHEAD bytes, wiped on failure. SM_ERR_STANZA when it does not open. */
SM_CHECKED enum sm_err sm_chain_open(uint8_t *out, const uint8_t mk[static 32], const char *info, const uint8_t *in, size_t n,
                                     struct sm_span ad, struct sm_span more);

#endif
