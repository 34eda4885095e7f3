/* X25519, with the all-zero check of RFC 7748 section 6.1 always on. */
#include "crypto/x25519.h"

#include "crypto/alg.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum sm_err sm_x25519(uint8_t out[static 32], const uint8_t sk[static 32], const uint8_t pk[static 32])
{
	uint8_t shared[32];
	enum sm_err e = SM_OK;

	sm_alg_sodium();
	if (crypto_scalarmult(shared, sk, pk) != 0)
		e = SM_ERR_FORMAT;
	else
		memcpy(out, shared, sizeof shared);
	sodium_memzero(shared, sizeof shared);
	return e;
}

enum sm_err sm_x25519_check(const uint8_t pk[static 32])
{
	if (pk[31] & 0x80)
		return SM_ERR_FORMAT;
	if (pk[31] != 0x7f || pk[0] < 0xed)
		return SM_OK;
	for (size_t i = 1; i < 31; i++) {
		if (pk[i] != 0xff)
			return SM_OK;
	}
	return SM_ERR_FORMAT;
}

void sm_x25519_pk(uint8_t pk[static 32], const uint8_t sk[static 32])
{
	sm_alg_sodium();
	if (crypto_scalarmult_base(pk, sk) != 0)
		abort();
}
