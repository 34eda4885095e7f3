/* HPKE OpenBase (RFC 9180 section 6.1). Nothing else in lib/crypto refers to this file: smserver must not link it. */
#include "crypto/aead.h"
#include "crypto/hpke_schedule.h"
#include "crypto/x25519.h"

#include <sodium.h>

enum sm_err sm_hpke_open(uint8_t *out, const uint8_t enc[static SM_HPKE_ENC], const uint8_t sk[static 32], const void *info, size_t infolen,
                         const void *aad, size_t aadlen, const uint8_t *in, size_t n)
{
	uint8_t dh[32], pk[32];
	struct sm_hpke_keys k;
	enum sm_err e;

	sm_x25519_pk(pk, sk);
	e = sm_x25519(dh, sk, enc);
	if (!e)
		e = sm_hpke_schedule(&k, dh, enc, pk, info, infolen);
	if (!e)
		e = sm_aead_open(out, k.key, k.nonce, aad, aadlen, in, n);
	sodium_memzero(dh, sizeof dh);
	sodium_memzero(&k, sizeof k);
	if (e && n > SM_AEAD_TAG)
		sodium_memzero(out, n - SM_AEAD_TAG);
	/* A bad enc and a wrong tag are one answer: this stanza is not ours. */
	return e == SM_ERR_FORMAT || e == SM_ERR_PAYLOAD ? SM_ERR_STANZA : e;
}
