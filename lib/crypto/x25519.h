/* X25519 (RFC 7748) by libsodium: as quick here as OpenSSL's, and no keys to wrap in objects. */
#ifndef SM_CRYPTO_X25519_H
#define SM_CRYPTO_X25519_H

#include "base/err.h"

#include <stdint.h>

/* An all-zero result, which small-order points give, is SM_ERR_FORMAT. */
SM_CHECKED enum sm_err sm_x25519(uint8_t out[static 32], const uint8_t sk[static 32], const uint8_t pk[static 32]);
/* SM_ERR_FORMAT for a public key that has more than one spelling: 2^255 - 19 and above, the high bit included. X25519 itself reduces them
 * in silence. Small-order points pass: sm_x25519 refuses what comes of them. */
SM_CHECKED enum sm_err sm_x25519_check(const uint8_t pk[static 32]);
void sm_x25519_pk(uint8_t pk[static 32], const uint8_t sk[static 32]);

#endif
