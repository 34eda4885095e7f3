/* The symmetric chain, and the AEAD under one of its message keys. */
#include "session/chain.h"

#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"

#include <string.h>

#define AAD_MAX 1024

struct message_key {
	uint8_t key[SM_AEAD_KEY], nonce[SM_AEAD_NONCE];
};
_Static_assert(sizeof(struct message_key) == 44, "derived in one piece");

void sm_chain_step(uint8_t ck[static 32], uint8_t mk[static 32])
{
	static const uint8_t message = 1, chain = 2;
	uint8_t next[SM_HASH_LEN];

	sm_hmac_sha256(mk, ck, 32, &message, 1);
	sm_hmac_sha256(next, ck, 32, &chain, 1);
	memcpy(ck, next, sizeof next);
	sm_wipe(next, sizeof next);
}

static enum sm_err derive(struct message_key *k, const uint8_t r[static SM_CHAIN_SALT], const uint8_t mk[static 32], const char *info)
{
	return sm_hkdf_sha256((uint8_t *)k, sizeof *k, r, SM_CHAIN_SALT, mk, 32, info, strlen(info));
}

static enum sm_err join(uint8_t aad[static AAD_MAX], size_t *n, struct sm_span ad, struct sm_span more)
{
	if (ad.n > AAD_MAX || more.n > AAD_MAX - ad.n)
		return SM_ERR_LIMIT;
	if (ad.n)
		memcpy(aad, ad.p, ad.n);
	if (more.n)
		memcpy(aad + ad.n, more.p, more.n);
	*n = ad.n + more.n;
	return SM_OK;
}

enum sm_err sm_chain_seal(uint8_t *out, const uint8_t mk[static 32], const char *info, const void *in, size_t n, struct sm_span ad,
                          struct sm_span more, const struct sm_rand *rand)
{
	uint8_t aad[AAD_MAX], r[SM_CHAIN_SALT];
	struct message_key k;
	size_t aadlen;
	enum sm_err e;

	sm_rand_fill(rand, r, sizeof r);
	if ((e = join(aad, &aadlen, ad, more)) || (e = derive(&k, r, mk, info)))
		return e;
	if (!(e = sm_aead_seal(out + SM_CHAIN_SALT, k.key, k.nonce, aad, aadlen, in, n)))
		memcpy(out, r, sizeof r);
	sm_wipe(&k, sizeof k);
	return e;
}

enum sm_err sm_chain_open(uint8_t *out, const uint8_t mk[static 32], const char *info, const uint8_t *in, size_t n, struct sm_span ad,
                          struct sm_span more)
{
	uint8_t aad[AAD_MAX];
	struct message_key k;
	size_t aadlen;
	enum sm_err e;

	if (n < SM_CHAIN_OVERHEAD)
		return SM_ERR_STANZA;
	if ((e = join(aad, &aadlen, ad, more)) || (e = derive(&k, in, mk, info)))
		return e;
	e = sm_aead_open(out, k.key, k.nonce, aad, aadlen, in + SM_CHAIN_SALT, n - SM_CHAIN_SALT);
	sm_wipe(&k, sizeof k);
	return e == SM_ERR_PAYLOAD ? SM_ERR_STANZA : e;
}
