/* Ed25519 (RFC 8032) by libsodium, which verifies strictly, and its birational map to X25519.
 * Verification and key validation (sign_verify.c) stand apart from private keys (sign.c): smserver links only the first. */
#ifndef SM_CRYPTO_SIGN_H
#define SM_CRYPTO_SIGN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SM_SEED_LEN 32
#define SM_PK_LEN 32
#define SM_SIG_LEN 64

/* Refuses non-canonical encodings, points off the curve, and small-order and mixed-order points: SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_pk_check(const uint8_t pk[static SM_PK_LEN]);
SM_CHECKED enum sm_err sm_pk_to_x25519(uint8_t x[static 32], const uint8_t pk[static SM_PK_LEN]);
SM_CHECKED enum sm_err sm_verify(const uint8_t sig[static SM_SIG_LEN], const void *m, size_t n, const uint8_t pk[static SM_PK_LEN]);

void sm_seed_to_pk(uint8_t pk[static SM_PK_LEN], const uint8_t seed[static SM_SEED_LEN]);
void sm_seed_to_x25519(uint8_t sk[static 32], const uint8_t seed[static SM_SEED_LEN]);
SM_CHECKED enum sm_err sm_sign(uint8_t sig[static SM_SIG_LEN], const void *m, size_t n, const uint8_t seed[static SM_SEED_LEN]);

#endif
