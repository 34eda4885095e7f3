/* RSA with public keys. A SubjectPublicKeyInfo is read and written here rather than by OpenSSL: with the exponent and algorithm fixed it is
 * a modulus between constant bytes, so "does not re-encode identically" is a comparison, and a thousand recipients are read in the time
 * that OpenSSL's decoder takes for two. */
#include "crypto/rsa.h"

#include "crypto/alg.h"
#include "crypto/rsa_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

/* SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING { SEQUENCE { INTEGER modulus, INTEGER 65537 } } }. From 2048 bits on every
 * length but the algorithm's takes two bytes; they are the ones that are 0 here. */
static const uint8_t head[] = {0x30, 0x82, 0,    0,    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
                               0x01, 0x05, 0x00, 0x03, 0x82, 0,    0,    0x00, 0x30, 0x82, 0,    0,    0x02, 0x82, 0,    0};
static const uint8_t tail[] = {0x02, 0x03, 0x01, 0x00, 0x01};
#define AROUND (sizeof head + sizeof tail)

/* integer: bytes of the modulus as DER has it, with a 0 before a high bit. */
static void make_head(uint8_t out[static sizeof head], size_t integer)
{
	memcpy(out, head, sizeof head);
	sm_put_be16(out + 30, (uint16_t)integer);
	sm_put_be16(out + 26, (uint16_t)(integer + 4 + sizeof tail));
	sm_put_be16(out + 21, (uint16_t)(integer + 4 + sizeof tail + 5));
	sm_put_be16(out + 2, (uint16_t)(integer + AROUND - 4));
}

/* The modulus without a leading 0 byte. */
static struct sm_span modulus(struct sm_span spki)
{
	struct sm_span m = {spki.p + sizeof head, spki.n - AROUND};
	return *m.p ? m : (struct sm_span){m.p + 1, m.n - 1};
}

static bool modulus_ok(struct sm_span m)
{
	unsigned bits = (unsigned)m.n * 8;

	for (uint8_t top = *m.p; !(top & 0x80); top = (uint8_t)(top << 1))
		bits--;
	return bits >= SM_RSA_BITS_MIN && bits <= SM_RSA_BITS_MAX && (m.p[m.n - 1] & 1);
}

enum sm_err sm_rsa_spki_check(struct sm_span spki)
{
	uint8_t want[sizeof head];
	size_t integer = spki.n - AROUND;
	const uint8_t *m = spki.p + sizeof head;

	if (spki.n < SM_RSA_MIN + AROUND || spki.n > SM_RSA_SPKI_MAX)
		return SM_ERR_FORMAT;
	make_head(want, integer);
	if (memcmp(spki.p, want, sizeof want) || memcmp(m + integer, tail, sizeof tail))
		return SM_ERR_FORMAT;
	/* the shortest form of a number that is not negative */
	if (m[0] ? m[0] & 0x80 : !(m[1] & 0x80))
		return SM_ERR_FORMAT;
	return modulus_ok(modulus(spki)) ? SM_OK : SM_ERR_FORMAT;
}

size_t sm_rsa_size(struct sm_span spki) { return modulus(spki).n; }

enum sm_err sm_rsa_key_spki(uint8_t spki[static SM_RSA_SPKI_MAX], size_t *n, const EVP_PKEY *key)
{
	BIGNUM *m = NULL;
	enum sm_err e = SM_ERR_CRYPTO;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &m) != 1)
		goto out;
	size_t integer = (size_t)BN_num_bits(m) / 8 + 1; /* with the 0 byte where the bits fill whole ones */
	if (integer > SM_RSA_SPKI_MAX - AROUND || BN_bn2binpad(m, spki + sizeof head, (int)integer) < 0)
		goto out;
	make_head(spki, integer);
	memcpy(spki + sizeof head + integer, tail, sizeof tail);
	*n = integer + AROUND;
	e = SM_OK;
out:
	BN_free(m);
	return e;
}

bool sm_rsa_key_ok(const EVP_PKEY *key)
{
	BIGNUM *n = NULL, *e = NULL;
	bool ok = EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	          EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(n) >= SM_RSA_BITS_MIN &&
	          BN_num_bits(n) <= SM_RSA_BITS_MAX && BN_is_odd(n) && BN_is_word(e, RSA_F4);

	BN_free(n);
	BN_free(e);
	ERR_clear_error();
	return ok;
}

/* NULL when OpenSSL fails. */
static EVP_PKEY *public_key(struct sm_span spki)
{
	struct sm_span m = modulus(spki);
	BIGNUM *n = BN_bin2bn(m.p, (int)m.n, NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *key = NULL;

	if (!sm_alg_openssl() || !n || !b || OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_ulong(b, OSSL_PKEY_PARAM_RSA_E, RSA_F4) != 1 || !(params = OSSL_PARAM_BLD_to_param(b)) ||
	    !(ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL)) || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_free(n);
	return key;
}

bool sm_rsa_oaep(EVP_PKEY_CTX *ctx, struct sm_span label)
{
	unsigned char *copy;

	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 || EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, "SHA256", NULL) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, "SHA256", NULL) != 1)
		return false;
	if (!label.n)
		return true;
	if (!(copy = OPENSSL_memdup(label.p, label.n)))
		return false;
	if (EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, (int)label.n) == 1)
		return true;
	OPENSSL_free(copy);
	return false;
}

bool sm_rsa_pss(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, SM_RSA_SALT) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, "SHA256", NULL) == 1;
}

enum sm_err sm_rsa_seal(uint8_t *out, struct sm_span spki, struct sm_span label, const uint8_t *in, size_t n)
{
	size_t size = sm_rsa_size(spki), got = size;
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *key;
	enum sm_err e = SM_ERR_CRYPTO;

	if (n > size - 2 * SM_RSA_HASH - 2)
		return SM_ERR_LIMIT;
	if ((key = public_key(spki)) && (ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL)) && EVP_PKEY_encrypt_init(ctx) == 1 &&
	    sm_rsa_oaep(ctx, label) && EVP_PKEY_encrypt(ctx, out, &got, in, n) == 1 && got == size)
		e = SM_OK;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return e;
}

enum sm_err sm_rsa_verify(struct sm_span spki, struct sm_span message, const uint8_t *sig, size_t n)
{
	EVP_MD_CTX *ctx;
	EVP_PKEY_CTX *how = NULL; /* ctx's own */
	EVP_PKEY *key;
	enum sm_err e = SM_ERR_CRYPTO;

	if (n != sm_rsa_size(spki))
		return SM_ERR_SIGNATURE;
	key = public_key(spki);
	ctx = EVP_MD_CTX_new();
	if (key && ctx && EVP_DigestVerifyInit_ex(ctx, &how, "SHA256", NULL, NULL, key, NULL) == 1 && sm_rsa_pss(how))
		e = EVP_DigestVerify(ctx, sig, n, message.p, message.n) == 1 ? SM_OK : SM_ERR_SIGNATURE;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return e;
}
