/* AES-256-GCM, one shot, sealing. The many-chunk form with a kept context is chunked.h; opening is aead_open.c. */
#include "crypto/aead_impl.h"
#include "crypto/alg.h"

#include <limits.h>
#include <openssl/evp.h>
#include <sodium.h>

bool sm_aead_small_usable(void)
{
	sm_alg_sodium();
	return crypto_aead_aes256gcm_is_available();
}

enum sm_err sm_aead_seal_small(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad, size_t aadlen,
                               const uint8_t *in, size_t n)
{
	return crypto_aead_aes256gcm_encrypt(out, NULL, in, n, aad, aadlen, NULL, nonce, key) ? SM_ERR_CRYPTO : SM_OK;
}

/* EVP takes a NULL input as the end of the message, so empty runs must not reach it. */
static int update(EVP_CIPHER_CTX *ctx, uint8_t *out, const void *in, size_t n)
{
	int len;

	return n == 0 || EVP_EncryptUpdate(ctx, out, &len, in, (int)n) == 1;
}

enum sm_err sm_aead_seal_evp(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad, size_t aadlen,
                             const uint8_t *in, size_t n)
{
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t unused[SM_AEAD_TAG];
	enum sm_err e;
	int len;

	e = sm_alg_gcm_seal(&ctx, key);
	if (e)
		return e;
	if (EVP_EncryptInit_ex2(ctx, NULL, NULL, nonce, NULL) != 1 || !update(ctx, NULL, aad, aadlen) || !update(ctx, out, in, n) ||
	    EVP_EncryptFinal_ex(ctx, unused, &len) != 1 || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SM_AEAD_TAG, out + n) != 1)
		e = SM_ERR_CRYPTO;
	EVP_CIPHER_CTX_free(ctx);
	return e;
}

enum sm_err sm_aead_seal(uint8_t *out, const uint8_t key[static 32], const uint8_t nonce[static 12], const void *aad, size_t aadlen,
                         const uint8_t *in, size_t n)
{
	if (n > INT_MAX || aadlen > INT_MAX)
		return SM_ERR_LIMIT;
	if (n + aadlen <= SM_AEAD_SMALL && sm_aead_small_usable())
		return sm_aead_seal_small(out, key, nonce, aad, aadlen, in, n);
	return sm_aead_seal_evp(out, key, nonce, aad, aadlen, in, n);
}
