/* Ed25519 without private keys: verification, key validation, and the map of public keys to X25519. */
#include "crypto/sign.h"

#include "base/secret.h"
#include "crypto/alg.h"

#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

static pthread_once_t group_once = PTHREAD_ONCE_INIT;
static bool group_flawed; /* written once under group_once, then only read */

/* libsodium before January 2026 (CVE-2025-69277) takes a point of order 2L for one of order L. Distributions repair that without
 * a new version number, so the base point plus the point of order 2 is tried once. */
static void probe_group(void)
{
	static const uint8_t order2[32] = {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
	uint8_t base[32], sum[32];

	memset(base, 0x66, sizeof base);
	base[0] = 0x58;
	sm_alg_sodium();
	group_flawed = crypto_core_ed25519_add(sum, base, order2) != 0 || crypto_core_ed25519_is_valid_point(sum) == 1;
}

/* P of order L: (L-1)P = -P. With a part of order 2 that part is gone on the left and not on the right. */
static bool order_is_l(const uint8_t p[static SM_PK_LEN])
{
	static const uint8_t l_minus_1[32] = {0xec, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
	                                      0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
	                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
	uint8_t q[32];

	if (crypto_scalarmult_ed25519_noclamp(q, l_minus_1, p) != 0)
		return false;
	q[31] ^= 0x80;
	return sm_equal(q, p, sizeof q);
}

/* y < p = 2^255 - 19, y being the encoding without its top bit. */
static bool canonical(const uint8_t pk[static SM_PK_LEN])
{
	if ((pk[31] & 0x7f) != 0x7f || pk[0] < 0xed)
		return true;
	for (size_t i = 1; i < 31; i++) {
		if (pk[i] != 0xff)
			return true;
	}
	return false;
}

/* libsodium's test covers RFC 8032 decoding with y < p, the curve, the small-order points in all their encodings (so x = 0 with
 * the sign bit too) and the order; tests/unit/crypto_ed25519.c holds it to each of these. */
enum sm_err sm_pk_check(const uint8_t pk[static SM_PK_LEN])
{
	pthread_once(&group_once, probe_group);
	if (crypto_core_ed25519_is_valid_point(pk) != 1 || (group_flawed && !order_is_l(pk)))
		return SM_ERR_FORMAT;
	return SM_OK;
}

enum sm_err sm_pk_to_x25519(uint8_t x[static 32], const uint8_t pk[static SM_PK_LEN])
{
	uint8_t u[32];

	pthread_once(&group_once, probe_group);
	/* The conversion validates but for y < p. */
	if (!canonical(pk) || crypto_sign_ed25519_pk_to_curve25519(u, pk) != 0 || (group_flawed && !order_is_l(pk)))
		return SM_ERR_FORMAT;
	memcpy(x, u, sizeof u);
	return SM_OK;
}

enum sm_err sm_verify(const uint8_t sig[static SM_SIG_LEN], const void *m, size_t n, const uint8_t pk[static SM_PK_LEN])
{
	sm_alg_sodium();
	return crypto_sign_verify_detached(sig, m, n, pk) == 0 ? SM_OK : SM_ERR_SIGNATURE;
}
