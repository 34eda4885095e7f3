/* AES-256-GCM, one shot. The many-chunk form with a kept context is chunked.h. */
#include "crypto/aead.h"

#include "crypto/alg.h"

#include <limits.h>
#include <openssl/evp.h>
#include <sodium.h>

/* EVP takes a NULL input as the end of the message, so empty runs must not reach it. */
static int update(EVP_CIPHER_CTX *ctx, uint8_t *out, const void *in, size_t n)
{
	int len;

	return n == 0 || EVP_CipherUpdate(ctx, out, &len, in, (int)n) == 1;
}

enum sm_err sm_aead_seal(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad, size_t aadlen,
                         const uint8_t *in, size_t n)
{
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t unused[SM_AEAD_TAG];
	enum sm_err e;
	int len;

	if (n > INT_MAX || aadlen > INT_MAX)
		return SM_ERR_LIMIT;
	e = sm_alg_gcm_seal(&ctx, key);
	if (e)
		return e;
	if (EVP_EncryptInit_ex2(ctx, NULL, NULL, nonce, NULL) != 1 || !update(ctx, NULL, aad, aadlen) || !update(ctx, out, in, n) ||
	    EVP_EncryptFinal_ex(ctx, unused, &len) != 1 || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SM_AEAD_TAG, out + n) != 1)
		e = SM_ERR_CRYPTO;
	EVP_CIPHER_CTX_free(ctx);
	return e;
}

enum sm_err sm_aead_open(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad, size_t aadlen,
                         const uint8_t *in, size_t n)
{
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t unused[SM_AEAD_TAG];
	enum sm_err e;
	int len;

	if (n < SM_AEAD_TAG)
		return SM_ERR_PAYLOAD;
	n -= SM_AEAD_TAG;
	if (n > INT_MAX || aadlen > INT_MAX)
		return SM_ERR_LIMIT;
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
