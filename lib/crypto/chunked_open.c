/* Opening of Cobblestone-256 chunks. Nothing else in lib/crypto refers to this file: smserver must not link it. */
#include "base/buf.h"
#include "crypto/aead_impl.h"
#include "crypto/alg.h"
#include "crypto/chunked_derive.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

enum sm_err sm_chunked_open_init(struct sm_chunked *c, const uint8_t file_key[static 32], const uint8_t salt[static SM_CHUNKED_SALT],
                                 const void *context, size_t contextlen)
{
	enum sm_err e = sm_chunked_derive(c, file_key, salt, context, contextlen);

	if (!e)
		c->encrypting = 0;
	return e;
}

/* OpenSSL's context, made when the chunks are many enough to pay for it. */
static enum sm_err context(struct sm_chunked *c)
{
	EVP_CIPHER_CTX *ctx;
	enum sm_err e;

	if (c->ctx)
		return SM_OK;
	if (!(e = sm_alg_gcm_open(&ctx, c->key)))
		c->ctx = ctx;
	return e;
}

enum sm_err sm_chunked_open(struct sm_chunked *c, uint64_t index, uint8_t *out, const uint8_t *in, size_t n)
{
	uint8_t nonce[12], unused[SM_CHUNK_TAG];
	enum sm_err e;
	int len;

	if (index >= SM_CHUNKED_MAX)
		return SM_ERR_LIMIT;
	if (c->encrypting)
		return SM_ERR_BUG;
	if (n < SM_CHUNK_TAG || n > SM_CHUNK_SEALED)
		return SM_ERR_PAYLOAD;
	sm_chunked_nonce(nonce, c, index);
	if (c->small) {
		c->small--;
		return sm_aead_open_small(out, c->key, nonce, NULL, 0, in, n);
	}
	if ((e = context(c)))
		return e;
	n -= SM_CHUNK_TAG;
	if (EVP_DecryptInit_ex2(c->ctx, NULL, NULL, nonce, NULL) != 1 || (n && EVP_DecryptUpdate(c->ctx, out, &len, in, (int)n) != 1) ||
	    EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, SM_CHUNK_TAG, (void *)(uintptr_t)(in + n)) != 1)
		e = SM_ERR_CRYPTO;
	else if (EVP_DecryptFinal_ex(c->ctx, unused, &len) != 1)
		e = SM_ERR_PAYLOAD;
	if (e && n)
		sodium_memzero(out, n);
	return e;
}

/* GCM's tag is E(J0) + GHASH(A, C), and GHASH(A, C) = (A and C, each padded to blocks) in H, then [8|A| , 8|C|] times H. So the tag of a
 * chunk as ciphertext and the tag of the same bytes as additional data differ by [8n, 8n] times H, the same for all chunks of n bytes; and
 * the second needs no key stream. The first full chunk is opened, and teaches the difference. */
static enum sm_err learn_delta(struct sm_chunked *c, uint64_t index, const uint8_t nonce[static 12], const uint8_t *in)
{
	uint8_t *plain = malloc(SM_CHUNK), as_aad[SM_CHUNK_TAG];
	enum sm_err e = SM_ERR_NOMEM;

	if (!plain || (e = sm_chunked_open(c, index, plain, in, SM_CHUNK_SEALED)) ||
	    (e = sm_aead_seal_evp(as_aad, c->key, nonce, in, SM_CHUNK, NULL, 0)))
		goto out;
	for (size_t i = 0; i < SM_CHUNK_TAG; i++)
		c->delta[i] = as_aad[i] ^ in[SM_CHUNK + i];
	c->delta_known = 1;
out:
	if (plain)
		sodium_memzero(plain, SM_CHUNK);
	free(plain);
	sodium_memzero(as_aad, sizeof as_aad);
	return e;
}

enum sm_err sm_chunked_check(struct sm_chunked *c, uint64_t index, const uint8_t in[static SM_CHUNK_SEALED])
{
	uint8_t nonce[12], tag[SM_CHUNK_TAG], unused[SM_CHUNK_TAG];
	enum sm_err e;
	int len;

	if (index >= SM_CHUNKED_MAX)
		return SM_ERR_LIMIT;
	if (c->encrypting)
		return SM_ERR_BUG;
	sm_chunked_nonce(nonce, c, index);
	if (!c->delta_known)
		return learn_delta(c, index, nonce, in);
	if ((e = context(c)))
		return e;
	for (size_t i = 0; i < SM_CHUNK_TAG; i++)
		tag[i] = in[SM_CHUNK + i] ^ c->delta[i];
	if (EVP_DecryptInit_ex2(c->ctx, NULL, NULL, nonce, NULL) != 1 || EVP_DecryptUpdate(c->ctx, NULL, &len, in, SM_CHUNK) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, SM_CHUNK_TAG, tag) != 1)
		e = SM_ERR_CRYPTO;
	else if (EVP_DecryptFinal_ex(c->ctx, unused, &len) != 1)
		e = SM_ERR_PAYLOAD;
	sodium_memzero(tag, sizeof tag);
	return e;
}

enum sm_err sm_chunked_reveal(struct sm_chunked *c, uint64_t index, uint8_t *out, const uint8_t *in, size_t from, size_t n)
{
	uint8_t block[16];
	EVP_CIPHER_CTX *ctx;
	enum sm_err e;
	int len;

	if (c->encrypting || from % sizeof block || from > SM_CHUNK || n > SM_CHUNK - from)
		return SM_ERR_BUG;
	if (!c->ctr) {
		if ((e = sm_alg_ctr(&ctx, c->key)))
			return e;
		c->ctr = ctx;
	}
	sm_chunked_nonce(block, c, index);
	sm_put_be32(block + 12, (uint32_t)(2 + from / sizeof block)); /* 1 is the tag's */
	if (EVP_EncryptInit_ex2(c->ctr, NULL, NULL, block, NULL) != 1 ||
	    (n && EVP_EncryptUpdate(c->ctr, out, &len, in + from, (int)n) != 1))
		return SM_ERR_CRYPTO;
	return SM_OK;
}
