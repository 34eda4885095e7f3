/* RSA with secret keys: made, read, opened and signed with. smserver does not link this. OpenSSL wipes what it holds of a key when it is
 * freed; each call here loads the key anew, so that nothing of it stays in ordinary memory. */
#include "crypto/rsa.h"

#include "crypto/alg.h"
#include "crypto/rsa_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

enum sm_err sm_rsa_key_pkcs8(struct sm_secret *pkcs8, const EVP_PKEY *key)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : 0;
	struct sm_secret made = {0};
	enum sm_err e = n > 0 ? sm_secret_alloc(&made, (size_t)n) : SM_ERR_CRYPTO;
	unsigned char *p = made.data;

	if (!e && i2d_PKCS8_PRIV_KEY_INFO(info, &p) != n)
		e = SM_ERR_CRYPTO;
	if (e)
		sm_secret_release(&made);
	else
		*pkcs8 = made;
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_clear_error();
	return e;
}

/* NULL when it is not one key that is ok, from the first byte to the last. */
static EVP_PKEY *load(struct sm_span der)
{
	const unsigned char *p = der.p;
	PKCS8_PRIV_KEY_INFO *info;
	EVP_PKEY *key = NULL;

	if (!sm_alg_openssl())
		return NULL;
	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.n);
	if (info && p == der.p + der.n)
		key = EVP_PKCS82PKEY_ex(info, NULL, NULL);
	if (key && !sm_rsa_key_ok(key)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	PKCS8_PRIV_KEY_INFO_free(info);
	ERR_clear_error();
	return key;
}

enum sm_err sm_rsa_generate(struct sm_secret *pkcs8, unsigned bits)
{
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;
	enum sm_err e = SM_ERR_CRYPTO;

	if (bits < SM_RSA_BITS_MIN || bits > SM_RSA_BITS_MAX || bits % 8)
		return SM_ERR_LIMIT;
	ctx = sm_alg_openssl() ? EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL) : NULL;
	if (ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) == 1 &&
	    EVP_PKEY_generate(ctx, &key) == 1 && sm_rsa_key_ok(key))
		e = sm_rsa_key_pkcs8(pkcs8, key);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return e;
}

enum sm_err sm_rsa_pkcs8_read(struct sm_secret *pkcs8, struct sm_span der)
{
	EVP_PKEY *key = load(der);
	enum sm_err e = key ? sm_rsa_key_pkcs8(pkcs8, key) : SM_ERR_FORMAT;

	EVP_PKEY_free(key);
	return e;
}

enum sm_err sm_rsa_spki(uint8_t spki[static SM_RSA_SPKI_MAX], size_t *n, struct sm_span pkcs8)
{
	EVP_PKEY *key = load(pkcs8);
	enum sm_err e = key ? sm_rsa_key_spki(spki, n, key) : SM_ERR_FORMAT;

	EVP_PKEY_free(key);
	return e;
}

enum sm_err sm_rsa_open(uint8_t *out, size_t *outlen, struct sm_span pkcs8, struct sm_span label, const uint8_t *in, size_t n)
{
	EVP_PKEY *key = load(pkcs8);
	EVP_PKEY_CTX *ctx = NULL;
	uint8_t opened[SM_RSA_MAX];
	size_t got = sizeof opened;
	enum sm_err e = SM_ERR_CRYPTO;

	if (key && n != (size_t)EVP_PKEY_get_size(key)) {
		e = SM_ERR_STANZA;
		goto out;
	}
	if (!key || !(ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL)) || EVP_PKEY_decrypt_init(ctx) != 1 || !sm_rsa_oaep(ctx, label))
		goto out;
	if (EVP_PKEY_decrypt(ctx, opened, &got, in, n) != 1) {
		e = SM_ERR_STANZA;
		goto out;
	}
	memcpy(out, opened, got);
	*outlen = got;
	e = SM_OK;
out:
	sm_wipe(opened, sizeof opened);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return e;
}

enum sm_err sm_rsa_sign(uint8_t *sig, size_t *n, struct sm_span pkcs8, struct sm_span message)
{
	EVP_PKEY *key = load(pkcs8);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how = NULL; /* ctx's own */
	size_t got = SM_RSA_MAX;
	enum sm_err e = SM_ERR_CRYPTO;

	if (key && ctx && EVP_DigestSignInit_ex(ctx, &how, "SHA256", NULL, NULL, key, NULL) == 1 && sm_rsa_pss(how) &&
	    EVP_DigestSign(ctx, sig, &got, message.p, message.n) == 1 && got == (size_t)EVP_PKEY_get_size(key)) {
		*n = got;
		e = SM_OK;
	}
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return e;
}
