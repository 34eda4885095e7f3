/* Internal to lib/crypto: what sealing and opening chunks share (chunked.c). */
#ifndef SM_CRYPTO_CHUNKED_DERIVE_H
#define SM_CRYPTO_CHUNKED_DERIVE_H

#include "crypto/chunked.h"

#define SM_CHUNKED_SMALL 2 /* chunks before OpenSSL's set-up is worth its while */

/* Fills c whole, ctx NULL. */
SM_CHECKED enum sm_err sm_chunked_derive(struct sm_chunked *c, const uint8_t file_key[static 32],
                                         const uint8_t salt[static SM_CHUNKED_SALT], const void *context, size_t contextlen);
/* base nonce XOR be96(index) */
void sm_chunked_nonce(uint8_t nonce[static 12], const struct sm_chunked *c, uint64_t index);

#endif
