/* Ed25519 without private keys: verification, key validation, and the map of public keys to X25519. */
#include "crypto/sign.h"

#include "crypto/alg.h"

#include <sodium.h>

/* libsodium's test covers RFC 8032 decoding with y < p, the curve, the small-order points in all their encodings (so x = 0 with
 * the sign bit too) and membership of the prime-order group; tests/unit/crypto_ed25519.c holds it to each of these. */
enum sm_err sm_pk_check(const uint8_t pk[static SM_PK_LEN])
{
	sm_alg_sodium();
	return crypto_core_ed25519_is_valid_point(pk) == 1 ? SM_OK : SM_ERR_FORMAT;
}

enum sm_err sm_pk_to_x25519(uint8_t x[static 32], const uint8_t pk[static SM_PK_LEN])
{
	sm_alg_sodium();
	return crypto_sign_ed25519_pk_to_curve25519(x, pk) == 0 ? SM_OK : SM_ERR_FORMAT;
}

enum sm_err sm_verify(const uint8_t sig[static SM_SIG_LEN], const void *m, size_t n, const uint8_t pk[static SM_PK_LEN])
{
	sm_alg_sodium();
	return crypto_sign_verify_detached(sig, m, n, pk) == 0 ? SM_OK : SM_ERR_SIGNATURE;
}
