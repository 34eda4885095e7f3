/* HPKE base mode, single shot (RFC 9180): DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-256-GCM 0x0002.
 * Seal (hpke_seal.c) and open (hpke_open.c) are two files: smserver links only the first. */
#ifndef SM_CRYPTO_HPKE_H
#define SM_CRYPTO_HPKE_H

#include "crypto/rand.h"

#define SM_HPKE_ENC 32
#define SM_HPKE_TAG 16

/* pk: X25519. out gets n + 16 bytes. An all-zero DH output is SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_hpke_seal(uint8_t enc[static SM_HPKE_ENC], uint8_t *out, const uint8_t pk[static 32], const void *info,
                                    size_t infolen, const void *aad, size_t aadlen, const uint8_t *in, size_t n,
                                    const struct sm_rand *rand);
/* n >= 16; out gets n - 16 bytes. SM_ERR_STANZA when it does not open; out is then wiped. */
SM_CHECKED enum sm_err sm_hpke_open(uint8_t *out, const uint8_t enc[static SM_HPKE_ENC], const uint8_t sk[static 32], const void *info,
                                    size_t infolen, const void *aad, size_t aadlen, const uint8_t *in, size_t n);
/* DeriveKeyPair (RFC 9180 section 7.1.3). Seal makes its ephemeral key this way from 32 random bytes. */
SM_CHECKED enum sm_err sm_hpke_derive(uint8_t sk[static 32], uint8_t pk[static 32], const uint8_t *ikm, size_t ikmlen);

#endif
