/* For fuzzers of signed texts: no mutation finds a signature, so what they are given is signed first, by one fixed key. */
#ifndef FUZZ_SIGNED_H
#define FUZZ_SIGNED_H

#include "base/base64.h"
#include "check.h"
#include "crypto/hash.h"
#include "wire/identity.h"

#include <string.h>

static inline struct sm_identity *signer(void)
{
	static struct sm_identity id;
	uint8_t seed[SM_SEED_LEN];
	memset(seed, 1, sizeof(seed));
	if (!id.secret.data)
		CHECK(!sm_identity_from_seed(&id, seed));
	return &id;
}

/* Appends the n bytes of text and the line with their signature. */
static inline void sign_text(struct sm_buf *b, const char *label, const uint8_t *p, size_t n)
{
	uint8_t m[64], sig[SM_SIG_LEN];
	size_t at = strlen(label) + 1;
	memcpy(m, label, at);
	sm_sha256(m + at, p, n);
	CHECK(!sm_sign(sig, m, at + 32, signer()->secret.data));
	CHECK(!sm_buf_add(b, p, n) && !sm_buf_add_base64(b, sig, sizeof(sig)) && !sm_buf_adds(b, "\n"));
}

#endif
