/* Opening of Cobblestone-256 chunks. Nothing else in lib/crypto refers to this file: smserver must not link it. */
#include "crypto/alg.h"
#include "crypto/chunked_derive.h"

#include <openssl/evp.h>
#include <sodium.h>

enum sm_err sm_chunked_open_init(struct sm_chunked *c, const uint8_t file_key[static 32], const uint8_t salt[static SM_CHUNKED_SALT],
                                 const void *context, size_t contextlen)
{
	struct sm_chunked fresh = {.encrypting = 0};
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t key[32];
	enum sm_err e;

	e = sm_chunked_derive(&fresh, key, file_key, salt, context, contextlen);
	if (e)
		goto out;
	e = sm_alg_gcm_open(&ctx, key);
	if (e)
		goto out;
	fresh.ctx = ctx;
	*c = fresh;
out:
	sodium_memzero(&fresh, sizeof fresh);
	sodium_memzero(key, sizeof key);
	return e;
}

enum sm_err sm_chunked_open(struct sm_chunked *c, uint64_t index, uint8_t *out, const uint8_t *in, size_t n)
{
	uint8_t nonce[12], unused[SM_CHUNK_TAG];
	enum sm_err e = SM_OK;
	int len;

	if (index >= SM_CHUNKED_MAX)
		return SM_ERR_LIMIT;
	if (c->encrypting)
		return SM_ERR_BUG;
	if (n < SM_CHUNK_TAG || n > SM_CHUNK_SEALED)
		return SM_ERR_PAYLOAD;
	n -= SM_CHUNK_TAG;
	sm_chunked_nonce(nonce, c, index);
	if (EVP_DecryptInit_ex2(c->ctx, NULL, NULL, nonce, NULL) != 1 || (n && EVP_DecryptUpdate(c->ctx, out, &len, in, (int)n) != 1) ||
	    EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, SM_CHUNK_TAG, (void *)(uintptr_t)(in + n)) != 1)
		e = SM_ERR_CRYPTO;
	else if (EVP_DecryptFinal_ex(c->ctx, unused, &len) != 1)
		e = SM_ERR_PAYLOAD;
	if (e && n)
		sodium_memzero(out, n);
	return e;
}
