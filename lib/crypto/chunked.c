/* Key derivation and nonces of Cobblestone-256; sealing and opening are chunked_seal.c and chunked_open.c. */
#include "crypto/chunked_derive.h"

#include "base/buf.h"
#include "crypto/aead_impl.h"
#include "crypto/hmac.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

static const char label[] = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM"; /* hashed with its terminating 0 */

enum sm_err sm_chunked_derive(struct sm_chunked *c, const uint8_t file_key[static 32], const uint8_t salt[static SM_CHUNKED_SALT],
                              const void *context, size_t contextlen)
{
	const struct sm_part info[] = {{label, sizeof label}, {salt, SM_CHUNKED_SALT}, {context, contextlen}};
	uint8_t okm[32 + sizeof c->nonce + sizeof c->commitment];
	enum sm_err e;

	e = sm_hkdf_expand_parts(SM_DIGEST_SHA512, okm, sizeof okm, file_key, 32, info, 3);
	if (e)
		return e;
	memcpy(c->key, okm, 32);
	memcpy(c->nonce, okm + 32, sizeof c->nonce);
	memcpy(c->commitment, okm + 32 + sizeof c->nonce, sizeof c->commitment);
	c->ctx = c->ctr = NULL;
	c->delta_known = 0;
	c->encrypting = 0;
	c->small = sm_aead_small_usable() ? SM_CHUNKED_SMALL : 0;
	sodium_memzero(okm, sizeof okm);
	return SM_OK;
}

void sm_chunked_nonce(uint8_t nonce[static 12], const struct sm_chunked *c, uint64_t index)
{
	memcpy(nonce, c->nonce, 4);
	sm_put_be64(nonce + 4, sm_get_be64(c->nonce + 4) ^ index);
}

void sm_chunked_release(struct sm_chunked *c)
{
	EVP_CIPHER_CTX_free(c->ctx);
	EVP_CIPHER_CTX_free(c->ctr);
	sodium_memzero(c, sizeof *c);
}
