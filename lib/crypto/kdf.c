/* HKDF (RFC 5869) on the stack HMAC; inputs may come in parts so that no caller has to join secrets in memory first. */
#include "crypto/kdf.h"

#include "crypto/hmac.h"

#include <sodium.h>
#include <string.h>

static void update_parts(struct sm_hmac *h, const struct sm_part *part, size_t parts)
{
	for (size_t i = 0; i < parts; i++)
		sm_hmac_update(h, part[i].p, part[i].n);
}

void sm_hkdf_extract_parts(enum sm_digest which, uint8_t *prk, const uint8_t *salt, size_t saltlen, const struct sm_part *ikm, size_t parts)
{
	struct sm_hmac h;

	/* HMAC pads its key with zeros: an empty salt is the RFC's string of zeros. */
	sm_hmac_init(&h, which, salt, saltlen);
	update_parts(&h, ikm, parts);
	sm_hmac_final(&h, prk);
}

enum sm_err sm_hkdf_expand_parts(enum sm_digest which, uint8_t *out, size_t outlen, const uint8_t *prk, size_t prklen,
                                 const struct sm_part *info, size_t parts)
{
	struct sm_hmac keyed, h;
	uint8_t t[SM_HMAC_MAX], i = 0;
	size_t len = sm_digest_len(which), take;

	if (outlen > 255 * len)
		return SM_ERR_LIMIT;
	sm_hmac_init(&keyed, which, prk, prklen);
	for (; outlen; out += take, outlen -= take) {
		h = keyed;
		if (i)
			sm_hmac_update(&h, t, len);
		update_parts(&h, info, parts);
		i++;
		sm_hmac_update(&h, &i, 1);
		sm_hmac_final(&h, t);
		take = outlen < len ? outlen : len;
		memcpy(out, t, take);
	}
	sm_hmac_release(&keyed);
	sodium_memzero(t, sizeof t);
	return SM_OK;
}

void sm_hkdf_sha256_extract(uint8_t prk[static 32], const uint8_t *salt, size_t saltlen, const uint8_t *ikm, size_t ikmlen)
{
	sm_hkdf_extract_parts(SM_DIGEST_SHA256, prk, salt, saltlen, &(struct sm_part){ikm, ikmlen}, 1);
}

enum sm_err sm_hkdf_sha256_expand(uint8_t *out, size_t outlen, const uint8_t prk[static 32], const void *info, size_t infolen)
{
	return sm_hkdf_expand_parts(SM_DIGEST_SHA256, out, outlen, prk, 32, &(struct sm_part){info, infolen}, 1);
}

enum sm_err sm_hkdf_sha512_expand(uint8_t *out, size_t outlen, const uint8_t *prk, size_t prklen, const void *info, size_t infolen)
{
	return sm_hkdf_expand_parts(SM_DIGEST_SHA512, out, outlen, prk, prklen, &(struct sm_part){info, infolen}, 1);
}

enum sm_err sm_hkdf_sha256(uint8_t *out, size_t outlen, const uint8_t *salt, size_t saltlen, const uint8_t *ikm, size_t ikmlen,
                           const void *info, size_t infolen)
{
	uint8_t prk[32];
	enum sm_err e;

	sm_hkdf_sha256_extract(prk, salt, saltlen, ikm, ikmlen);
	e = sm_hkdf_sha256_expand(out, outlen, prk, info, infolen);
	sodium_memzero(prk, sizeof prk);
	return e;
}
