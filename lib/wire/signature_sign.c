/* Signing: the one function here that needs the secret key, apart from signature.c so that smserver does not link it. */
#include "wire/signature.h"

#include "wire/suite_secret.h"

enum sm_err sm_signature_make(uint8_t *sig, size_t *siglen, const struct sm_identity *signer, const uint8_t hh[static 32],
                              const uint8_t digest[static 32])
{
	struct sm_buf b;
	enum sm_err e;

	sm_buf_init(&b, 512);
	if (!(e = sm_signed_bytes(&b, signer->pub.suite, signer->pub.fp, hh, digest)))
		e = sm_suite_secret(signer->pub.suite)->sign(sig, siglen, (struct sm_span){b.data, b.len}, &signer->secret);
	sm_buf_release(&b);
	return e;
}
