/* HPKE key derivation (RFC 9180): labeled HKDF, DHKEM's shared secret, the base-mode key schedule. */
#include "crypto/hpke_schedule.h"

#include "base/buf.h"
#include "crypto/hmac.h"
#include "crypto/x25519.h"

#include <sodium.h>
#include <string.h>

#define KEM_ID 0x00, 0x20
#define KDF_ID 0x00, 0x01
#define AEAD_ID 0x00, 0x02

/* Section 4.1 and 5.1: the KEM's own steps are bound to the KEM, the schedule to the whole suite. */
static const uint8_t kem_suite[] = {'K', 'E', 'M', KEM_ID};
static const uint8_t suite[] = {'H', 'P', 'K', 'E', KEM_ID, KDF_ID, AEAD_ID};
static const struct sm_part for_kem = {kem_suite, sizeof kem_suite};
static const struct sm_part for_suite = {suite, sizeof suite};

static void extract(uint8_t prk[static 32], const struct sm_part *id, const char *label, const uint8_t *salt, size_t saltlen,
                    const void *ikm, size_t ikmlen)
{
	const struct sm_part parts[] = {{"HPKE-v1", 7}, *id, {label, strlen(label)}, {ikm, ikmlen}};

	sm_hkdf_extract_parts(SM_DIGEST_SHA256, prk, salt, saltlen, parts, 4);
}

static enum sm_err expand(uint8_t *out, size_t outlen, const struct sm_part *id, const char *label, const uint8_t prk[static 32],
                          const void *info, size_t infolen)
{
	uint8_t len[2];
	const struct sm_part parts[] = {{len, sizeof len}, {"HPKE-v1", 7}, *id, {label, strlen(label)}, {info, infolen}};

	if (outlen > UINT16_MAX)
		return SM_ERR_LIMIT;
	sm_put_be16(len, (uint16_t)outlen);
	return sm_hkdf_expand_parts(SM_DIGEST_SHA256, out, outlen, prk, 32, parts, 5);
}

enum sm_err sm_hpke_derive(uint8_t sk[static 32], uint8_t pk[static 32], const uint8_t *ikm, size_t ikmlen)
{
	uint8_t prk[32], key[32];
	enum sm_err e;

	extract(prk, &for_kem, "dkp_prk", NULL, 0, ikm, ikmlen);
	e = expand(key, sizeof key, &for_kem, "sk", prk, NULL, 0);
	if (e)
		goto out;
	sm_x25519_pk(pk, key);
	memcpy(sk, key, sizeof key);
out:
	sodium_memzero(prk, sizeof prk);
	sodium_memzero(key, sizeof key);
	return e;
}

static enum sm_err shared_secret(uint8_t out[static 32], const uint8_t dh[static 32], const uint8_t enc[static SM_HPKE_ENC],
                                 const uint8_t pk[static 32])
{
	uint8_t prk[32], context[SM_HPKE_ENC + 32];
	enum sm_err e;

	memcpy(context, enc, SM_HPKE_ENC);
	memcpy(context + SM_HPKE_ENC, pk, 32);
	extract(prk, &for_kem, "eae_prk", NULL, 0, dh, 32);
	e = expand(out, 32, &for_kem, "shared_secret", prk, context, sizeof context);
	sodium_memzero(prk, sizeof prk);
	return e;
}

enum sm_err sm_hpke_schedule(struct sm_hpke_keys *k, const uint8_t dh[static 32], const uint8_t enc[static SM_HPKE_ENC],
                             const uint8_t pk[static 32], const void *info, size_t infolen)
{
	uint8_t shared[32], secret[32], context[1 + 32 + 32] = {0}; /* mode base | psk_id_hash | info_hash */
	struct sm_hpke_keys fresh;
	enum sm_err e;

	e = shared_secret(shared, dh, enc, pk);
	if (e)
		goto out;
	extract(context + 1, &for_suite, "psk_id_hash", NULL, 0, NULL, 0);
	extract(context + 33, &for_suite, "info_hash", NULL, 0, info, infolen);
	extract(secret, &for_suite, "secret", shared, sizeof shared, NULL, 0);
	e = expand(fresh.key, sizeof fresh.key, &for_suite, "key", secret, context, sizeof context);
	if (!e)
		e = expand(fresh.nonce, sizeof fresh.nonce, &for_suite, "base_nonce", secret, context, sizeof context);
	if (!e)
		e = expand(fresh.exporter, sizeof fresh.exporter, &for_suite, "exp", secret, context, sizeof context);
	if (!e)
		*k = fresh;
out:
	sodium_memzero(shared, sizeof shared);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(&fresh, sizeof fresh);
	return e;
}

enum sm_err sm_hpke_export(uint8_t *out, size_t outlen, const struct sm_hpke_keys *k, const void *context, size_t contextlen)
{
	return expand(out, outlen, &for_suite, "sec", k->exporter, context, contextlen);
}
