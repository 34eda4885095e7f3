/* Internal to lib/crypto and its tests: the two providers of AES-256-GCM.
 * OpenSSL is the fast one (4.6 GB/s), but its first use costs a process over a millisecond of set-up, a third of a whole smencrypt run.
 * libsodium's needs no set-up and reaches 1 GB/s, where the processor has AES-NI. So small work goes to libsodium, the rest to OpenSSL;
 * both give the same bytes. */
#ifndef SM_CRYPTO_AEAD_IMPL_H
#define SM_CRYPTO_AEAD_IMPL_H

#include "crypto/aead.h"

#include <stdbool.h>

#define SM_AEAD_SMALL 4096 /* bytes in one call that libsodium is given */

/* libsodium has the processor's instructions for it. */
bool sm_aead_small_usable(void);
SM_CHECKED enum sm_err sm_aead_seal_small(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad,
                                          size_t aadlen, const uint8_t *in, size_t n);
SM_CHECKED enum sm_err sm_aead_open_small(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad,
                                          size_t aadlen, const uint8_t *in, size_t n);
SM_CHECKED enum sm_err sm_aead_seal_evp(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad,
                                        size_t aadlen, const uint8_t *in, size_t n);
SM_CHECKED enum sm_err sm_aead_open_evp(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad,
                                        size_t aadlen, const uint8_t *in, size_t n);

#endif
