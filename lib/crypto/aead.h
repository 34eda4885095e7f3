/* AES-256-GCM, one shot (SP 800-38D): 32-byte key, 12-byte nonce, 16-byte tag appended.
 * Sizes over INT_MAX are SM_ERR_LIMIT: what is long goes in chunks (chunked.h). */
#ifndef SM_CRYPTO_AEAD_H
#define SM_CRYPTO_AEAD_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SM_AEAD_KEY 32
#define SM_AEAD_NONCE 12
#define SM_AEAD_TAG 16

/* out has room for n + 16 and may be in. */
SM_CHECKED enum sm_err sm_aead_seal(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad,
                                    size_t aadlen, const uint8_t *in, size_t n);
/* in is ciphertext and tag, n >= 16; out has room for n - 16 and may be in. SM_ERR_PAYLOAD when the tag is wrong; out is then wiped. */
SM_CHECKED enum sm_err sm_aead_open(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad,
                                    size_t aadlen, const uint8_t *in, size_t n);

#endif
