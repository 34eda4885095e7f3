/* Ed25519 with private keys (seeds). Nothing else in lib/crypto refers to this file: smserver must not link it. */
#include "crypto/sign.h"

#include "crypto/alg.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* libsodium's secret key is seed | public key; the caller wipes it. */
static void expand(uint8_t pk[static SM_PK_LEN], uint8_t sk[static crypto_sign_SECRETKEYBYTES], const uint8_t seed[static SM_SEED_LEN])
{
	sm_alg_sodium();
	if (crypto_sign_seed_keypair(pk, sk, seed) != 0)
		abort();
}

void sm_seed_to_pk(uint8_t pk[static SM_PK_LEN], const uint8_t seed[static SM_SEED_LEN])
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES];

	expand(pk, sk, seed);
	sodium_memzero(sk, sizeof sk);
}

void sm_seed_to_x25519(uint8_t sk[static 32], const uint8_t seed[static SM_SEED_LEN])
{
	uint8_t ed[crypto_sign_SECRETKEYBYTES] = {0};

	/* The map is a hash of the seed alone: the public half of libsodium's secret key is not looked at, so it is not made. */
	memcpy(ed, seed, SM_SEED_LEN);
	if (crypto_sign_ed25519_sk_to_curve25519(sk, ed) != 0)
		abort();
	sodium_memzero(ed, sizeof ed);
}

enum sm_err sm_sign(uint8_t sig[static SM_SIG_LEN], const void *m, size_t n, const uint8_t seed[static SM_SEED_LEN])
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES], pk[SM_PK_LEN];
	int bad;

	expand(pk, sk, seed);
	bad = crypto_sign_detached(sig, NULL, m, n, sk);
	sodium_memzero(sk, sizeof sk);
	return bad ? SM_ERR_CRYPTO : SM_OK;
}
