/* Sealing of Cobblestone-256 chunks. A chunk costs a nonce, one update and one final; the key schedule is done in init. */
#include "crypto/aead_impl.h"
#include "crypto/alg.h"
#include "crypto/chunked_derive.h"

#include <openssl/evp.h>

enum sm_err sm_chunked_seal_init(struct sm_chunked *c, const uint8_t file_key[static 32], const uint8_t salt[static SM_CHUNKED_SALT],
                                 const void *context, size_t contextlen)
{
	enum sm_err e = sm_chunked_derive(c, file_key, salt, context, contextlen);

	if (!e)
		c->encrypting = 1;
	return e;
}

/* OpenSSL's context, made when the chunks are many enough to pay for it. */
static enum sm_err context(struct sm_chunked *c)
{
	EVP_CIPHER_CTX *ctx;
	enum sm_err e;

	if (c->ctx)
		return SM_OK;
	if (!(e = sm_alg_gcm_seal(&ctx, c->key)))
		c->ctx = ctx;
	return e;
}

enum sm_err sm_chunked_seal(struct sm_chunked *c, uint64_t index, uint8_t *out, const uint8_t *in, size_t n)
{
	uint8_t nonce[12], unused[SM_CHUNK_TAG];
	enum sm_err e;
	int len;

	if (index >= SM_CHUNKED_MAX)
		return SM_ERR_LIMIT;
	if (!c->encrypting || n > SM_CHUNK)
		return SM_ERR_BUG;
	sm_chunked_nonce(nonce, c, index);
	if (c->small) {
		c->small--;
		return sm_aead_seal_small(out, c->key, nonce, NULL, 0, in, n);
	}
	if ((e = context(c)))
		return e;
	if (EVP_EncryptInit_ex2(c->ctx, NULL, NULL, nonce, NULL) != 1 || (n && EVP_EncryptUpdate(c->ctx, out, &len, in, (int)n) != 1) ||
	    EVP_EncryptFinal_ex(c->ctx, unused, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, SM_CHUNK_TAG, out + n) != 1)
		return SM_ERR_CRYPTO;
	return SM_OK;
}
