/* AES-256-GCM, one shot, opening. Nothing that smserver links refers to this file. */
#include "crypto/aead_impl.h"
#include "crypto/alg.h"

#include <limits.h>
#include <openssl/evp.h>
#include <sodium.h>

enum sm_err sm_aead_open_small(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad, size_t aadlen,
                               const uint8_t *in, size_t n)
{
	if (!crypto_aead_aes256gcm_decrypt(out, NULL, NULL, in, n, aad, aadlen, nonce, key))
		return SM_OK;
	if (n > SM_AEAD_TAG)
		sodium_memzero(out, n - SM_AEAD_TAG);
	return SM_ERR_PAYLOAD;
}

/* EVP takes a NULL input as the end of the message, so empty runs must not reach it. */
static int update(EVP_CIPHER_CTX *ctx, uint8_t *out, const void *in, size_t n)
{
	int len;

	return n == 0 || EVP_DecryptUpdate(ctx, out, &len, in, (int)n) == 1;
}

enum sm_err sm_aead_open_evp(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad, size_t aadlen,
                             const uint8_t *in, size_t n)
{
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t unused[SM_AEAD_TAG];
	enum sm_err e;
	int len;

	n -= SM_AEAD_TAG;
	e = sm_alg_gcm_open(&ctx, key);
	if (e)
		return e;
	if (EVP_DecryptInit_ex2(ctx, NULL, NULL, nonce, NULL) != 1 || !update(ctx, NULL, aad, aadlen) || !update(ctx, out, in, n) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SM_AEAD_TAG, (void *)(uintptr_t)(in + n)) != 1)
		e = SM_ERR_CRYPTO;
	else if (EVP_DecryptFinal_ex(ctx, unused, &len) != 1)
		e = SM_ERR_PAYLOAD;
	if (e && n)
		sodium_memzero(out, n);
	EVP_CIPHER_CTX_free(ctx);
	return e;
}

enum sm_err sm_aead_open(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad, size_t aadlen,
                         const uint8_t *in, size_t n)
{
	if (n < SM_AEAD_TAG)
		return SM_ERR_PAYLOAD;
	if (n > INT_MAX || aadlen > INT_MAX)
		return SM_ERR_LIMIT;
	if (n + aadlen <= SM_AEAD_SMALL && sm_aead_small_usable())
		return sm_aead_open_small(out, key, nonce, aad, aadlen, in, n);
	return sm_aead_open_evp(out, key, nonce, aad, aadlen, in, n);
}
