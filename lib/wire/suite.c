/* The table of suites that this build can read and write: the half that needs no secret. An id that is not here is "unsupported
 * suite", never a guess. */
#include "wire/suite.h"

#include "base/base64.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/rsa.h"
#include "crypto/sign.h"
#include "wire/identity.h"
#include "wire/wrap.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(SM_PUBLIC_KEY_MAX >= 2 * (4 + SM_RSA_SPKI_MAX), "room for an identity of two RSA keys");

/* --- x25519-ed25519-aes256gcm: an Ed25519 key, and the X25519 key that is its image --- */

#define X25519_HRP "sm"

enum sm_err sm_public_from_ed25519(struct sm_public *p, const uint8_t pk[static SM_PK_LEN])
{
	struct sm_public pub = {.suite = &sm_suite_x25519};
	enum sm_err e;

	if ((e = sm_pk_check(pk)) || (e = sm_pk_to_x25519(pub.x25519, pk)))
		return e;
	memcpy(pub.ed25519, pk, sizeof pub.ed25519);
	sm_sha256(pub.fp, pk, SM_PK_LEN);
	*p = pub;
	return SM_OK;
}

enum sm_err sm_public_format_ed25519(struct sm_buf *b, const uint8_t pk[static SM_PK_LEN])
{
	return sm_bech32_encode(b, X25519_HRP, pk, SM_PK_LEN, false);
}

static enum sm_err x25519_parse(struct sm_public *p, struct sm_span text)
{
	uint8_t pk[SM_PK_LEN];
	enum sm_err e = sm_bech32_decode(pk, sizeof pk, X25519_HRP, (const char *)text.p, text.n, false);
	return e ? e : sm_public_from_ed25519(p, pk);
}

static enum sm_err x25519_format(struct sm_buf *b, const struct sm_public *p) { return sm_public_format_ed25519(b, p->ed25519); }

static enum sm_err x25519_wrap(struct sm_stanza *s, const struct sm_public *to, struct sm_span info, const uint8_t *file_key,
                               const struct sm_rand *rand)
{
	s->bodylen = SM_FILE_KEY + SM_HPKE_TAG;
	return sm_hpke_seal(s->enc, s->body, to->x25519, info.p, info.n, NULL, 0, file_key, SM_FILE_KEY, rand);
}

static enum sm_err x25519_verify(const struct sm_public *signer, struct sm_span message, const uint8_t *sig, size_t n)
{
	(void)n;
	return sm_verify(sig, message.p, message.n, signer->ed25519) ? SM_ERR_SIGNATURE : SM_OK;
}

const struct sm_suite sm_suite_x25519 = {
        .id = "x25519-ed25519-aes256gcm",
        .prefix = X25519_HRP "1",
        .stanza = SM_STANZA_HPKE,
        .enc = SM_HPKE_ENC,
        .body_min = SM_FILE_KEY + SM_HPKE_TAG,
        .body_max = SM_FILE_KEY + SM_HPKE_TAG,
        .sig_min = SM_SIG_LEN,
        .sig_max = SM_SIG_LEN,
        .sessions = true,
        .parse = x25519_parse,
        .format = x25519_format,
        .wrap = x25519_wrap,
        .verify = x25519_verify,
};

/* --- rsa-oaep-pss-aes256gcm: two keys, one that signs and one that encrypts --- */

#define RSA_PREFIX "sm-rsa "

struct rsa_keys {
	struct sm_span sign, encrypt; /* SPKI */
};

static struct rsa_keys rsa_keys(const struct sm_public *p)
{
	struct sm_span rest = {p->key, p->keylen};
	struct rsa_keys k;

	if (!sm_span_take_lp(&rest, &k.sign) || !sm_span_take_lp(&rest, &k.encrypt))
		abort(); /* no sm_public of this suite comes to be otherwise */
	return k;
}

enum sm_err sm_public_from_rsa(struct sm_public *p, struct sm_span sign, struct sm_span encrypt)
{
	struct sm_public pub = {.suite = &sm_suite_rsa, .keylen = 4 + sign.n + 4 + encrypt.n};
	enum sm_err e;

	if ((e = sm_rsa_spki_check(sign)) || (e = sm_rsa_spki_check(encrypt)))
		return e;
	/* a key that does both could be made to sign what it was meant to decrypt */
	if (sign.n == encrypt.n && !memcmp(sign.p, encrypt.p, sign.n))
		return SM_ERR_FORMAT;
	sm_put_be32(pub.key, (uint32_t)sign.n);
	memcpy(pub.key + 4, sign.p, sign.n);
	sm_put_be32(pub.key + 4 + sign.n, (uint32_t)encrypt.n);
	memcpy(pub.key + 8 + sign.n, encrypt.p, encrypt.n);
	sm_sha256(pub.fp, pub.key, pub.keylen);
	*p = pub;
	return SM_OK;
}

static enum sm_err rsa_parse(struct sm_public *p, struct sm_span text)
{
	uint8_t raw[SM_PUBLIC_KEY_MAX + 6]; /* the decoder wants some room */
	size_t skip = strlen(RSA_PREFIX), n;
	struct sm_span rest = {raw, 0};
	struct rsa_keys k;

	if (text.n - skip > SM_BASE64_LEN(SM_PUBLIC_KEY_MAX) ||
	    sm_base64_decode(raw, &n, (const char *)text.p + skip, text.n - skip, false))
		return SM_ERR_FORMAT;
	rest.n = n;
	if (!sm_span_take_lp(&rest, &k.sign) || !sm_span_take_lp(&rest, &k.encrypt) || rest.n)
		return SM_ERR_FORMAT;
	return sm_public_from_rsa(p, k.sign, k.encrypt);
}

static enum sm_err rsa_format(struct sm_buf *b, const struct sm_public *p)
{
	size_t start = b->len;
	enum sm_err e;

	if ((e = sm_buf_adds(b, RSA_PREFIX)) || (e = sm_buf_add_base64(b, p->key, p->keylen)))
		b->len = start;
	return e;
}

static enum sm_err rsa_wrap(struct sm_stanza *s, const struct sm_public *to, struct sm_span info, const uint8_t *file_key,
                            const struct sm_rand *rand)
{
	struct sm_span key = rsa_keys(to).encrypt;

	(void)rand; /* OpenSSL draws the seed, see rsa.h */
	s->bodylen = sm_rsa_size(key);
	return sm_rsa_seal(s->body, key, info, file_key, SM_FILE_KEY);
}

static enum sm_err rsa_verify(const struct sm_public *signer, struct sm_span message, const uint8_t *sig, size_t n)
{
	return sm_rsa_verify(rsa_keys(signer).sign, message, sig, n);
}

const struct sm_suite sm_suite_rsa = {
        .id = "rsa-oaep-pss-aes256gcm",
        .prefix = RSA_PREFIX,
        .stanza = SM_STANZA_RSA,
        .body_min = SM_RSA_MIN,
        .body_max = SM_RSA_MAX,
        .sig_min = SM_RSA_MIN,
        .sig_max = SM_RSA_MAX,
        .parse = rsa_parse,
        .format = rsa_format,
        .wrap = rsa_wrap,
        .verify = rsa_verify,
};

/* --- The table --- */

static const struct sm_suite *const suites[] = {&sm_suite_x25519, &sm_suite_rsa};
#define SUITES (sizeof suites / sizeof *suites)

const struct sm_suite *sm_suite_find(struct sm_span id)
{
	for (size_t i = 0; i < SUITES; i++)
		if (sm_span_equals(id, suites[i]->id))
			return suites[i];
	return NULL;
}

const struct sm_suite *sm_suite_of_public(struct sm_span text)
{
	for (size_t i = 0; i < SUITES; i++)
		if (sm_span_starts(text, suites[i]->prefix))
			return suites[i];
	return NULL;
}
