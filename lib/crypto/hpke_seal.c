/* HPKE SealBase (RFC 9180 section 6.1). */
#include "crypto/aead.h"
#include "crypto/hpke_schedule.h"
#include "crypto/x25519.h"

#include <sodium.h>
#include <string.h>

enum sm_err sm_hpke_seal(uint8_t enc[static SM_HPKE_ENC], uint8_t *out, const uint8_t pk[static 32], const void *info, size_t infolen,
                         const void *aad, size_t aadlen, const uint8_t *in, size_t n, const struct sm_rand *rand)
{
	uint8_t ikm[32], sk[32], ephemeral[SM_HPKE_ENC], dh[32];
	struct sm_hpke_keys k;
	enum sm_err e;

	sm_rand_fill(rand, ikm, sizeof ikm);
	e = sm_hpke_derive(sk, ephemeral, ikm, sizeof ikm);
	if (!e)
		e = sm_x25519(dh, sk, pk);
	if (!e)
		e = sm_hpke_schedule(&k, dh, ephemeral, pk, info, infolen);
	if (!e)
		e = sm_aead_seal(out, k.key, k.nonce, aad, aadlen, in, n);
	if (!e)
		memcpy(enc, ephemeral, sizeof ephemeral);
	sodium_memzero(ikm, sizeof ikm);
	sodium_memzero(sk, sizeof sk);
	sodium_memzero(dh, sizeof dh);
	sodium_memzero(&k, sizeof k);
	return e;
}
