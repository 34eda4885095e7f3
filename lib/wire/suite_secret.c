/* The table of suites, the half with secret keys: made, read, written, opened and signed with. */
#include "wire/suite_secret.h"

#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/rsa.h"
#include "crypto/x25519.h"
#include "wire/armor.h"
#include "wire/lex.h"
#include "wire/wrap.h"

#include <string.h>

/* --- x25519-ed25519-aes256gcm: the secret is the seed of Ed25519 --- */

#define X25519_HRP "sm-secret-key-"

static enum sm_err x25519_generate(struct sm_secret *secret, unsigned bits, const struct sm_rand *rand)
{
	enum sm_err e;

	if (bits)
		return SM_ERR_LIMIT;
	if ((e = sm_secret_alloc(secret, SM_SEED_LEN)))
		return e;
	sm_rand_fill(rand, secret->data, secret->len);
	return SM_OK;
}

static enum sm_err x25519_derive(struct sm_public *pub, const struct sm_secret *secret)
{
	struct sm_public got = {.suite = &sm_suite_x25519};
	uint8_t sk[32];

	if (secret->len != SM_SEED_LEN)
		return SM_ERR_FORMAT;
	/* A key made from a seed needs none of the checks that keys from elsewhere get, and they cost as much as a signature. */
	sm_seed_to_pk(got.ed25519, secret->data);
	sm_seed_to_x25519(sk, secret->data);
	sm_x25519_pk(got.x25519, sk);
	sm_sha256(got.fp, got.ed25519, SM_PK_LEN);
	sm_wipe(sk, sizeof sk);
	*pub = got;
	return SM_OK;
}

static enum sm_err x25519_parse(struct sm_secret *secret, struct sm_span *text)
{
	struct sm_secret seed;
	struct sm_span line;
	enum sm_err e;

	if (!sm_line_take(text, &line))
		return SM_ERR_FORMAT;
	if ((e = sm_secret_alloc(&seed, SM_SEED_LEN)))
		return e;
	if ((e = sm_bech32_decode(seed.data, seed.len, X25519_HRP, (const char *)line.p, line.n, true)))
		sm_secret_release(&seed);
	else
		*secret = seed;
	return e;
}

static enum sm_err x25519_format(struct sm_buf *b, const struct sm_secret *secret)
{
	enum sm_err e = sm_bech32_encode(b, X25519_HRP, secret->data, secret->len, true);
	return e ? e : sm_buf_adds(b, "\n");
}

static enum sm_err x25519_unwrap(uint8_t *file_key, const struct sm_stanza *s, struct sm_span info, const struct sm_secret *secret)
{
	uint8_t sk[32];
	enum sm_err e;

	sm_seed_to_x25519(sk, secret->data);
	e = sm_hpke_open(file_key, s->enc, sk, info.p, info.n, NULL, 0, s->body, s->bodylen);
	sm_wipe(sk, sizeof sk);
	return e;
}

static enum sm_err x25519_sign(uint8_t *sig, size_t *n, struct sm_span message, const struct sm_secret *secret)
{
	enum sm_err e = sm_sign(sig, message.p, message.n, secret->data);
	if (!e)
		*n = SM_SIG_LEN;
	return e;
}

/* --- rsa-oaep-pss-aes256gcm: lp(PKCS#8 sign) | lp(PKCS#8 encrypt), both as lib/crypto writes them; in files as two PEM blocks --- */

#define PEM_LABEL "PRIVATE KEY"
#define PEM_BEGIN "-----BEGIN " PEM_LABEL "-----"
#define PEM_END "-----END " PEM_LABEL "-----"
#define PKCS8_MAX 8192 /* bytes of one key; at 8192 bits there are 4,700 */

enum { RSA_SIGN, RSA_ENCRYPT };

/* The two keys of a secret; false when it is something else. */
static bool rsa_split(struct sm_span key[static 2], const struct sm_secret *secret)
{
	struct sm_span rest = {secret->data, secret->len};
	return sm_span_take_lp(&rest, &key[RSA_SIGN]) && sm_span_take_lp(&rest, &key[RSA_ENCRYPT]) && !rest.n;
}

enum sm_err sm_identity_rsa_secret(struct sm_secret *secret, const struct sm_secret *sign, const struct sm_secret *encrypt)
{
	struct sm_secret made;
	enum sm_err e = sm_secret_alloc(&made, 8 + sign->len + encrypt->len);

	if (e)
		return e;
	sm_put_be32(made.data, (uint32_t)sign->len);
	memcpy(made.data + 4, sign->data, sign->len);
	sm_put_be32(made.data + 4 + sign->len, (uint32_t)encrypt->len);
	memcpy(made.data + 8 + sign->len, encrypt->data, encrypt->len);
	*secret = made;
	return SM_OK;
}

static enum sm_err rsa_generate(struct sm_secret *secret, unsigned bits, const struct sm_rand *rand)
{
	struct sm_secret key[2] = {{0}};
	enum sm_err e;

	(void)rand; /* OpenSSL draws the primes, see rsa.h */
	bits = bits ? bits : SM_RSA_BITS_DEFAULT;
	if (!(e = sm_rsa_generate(&key[RSA_SIGN], bits)) && !(e = sm_rsa_generate(&key[RSA_ENCRYPT], bits)))
		e = sm_identity_rsa_secret(secret, &key[RSA_SIGN], &key[RSA_ENCRYPT]);
	sm_secret_release(&key[RSA_SIGN]);
	sm_secret_release(&key[RSA_ENCRYPT]);
	return e;
}

static enum sm_err rsa_derive(struct sm_public *pub, const struct sm_secret *secret)
{
	uint8_t sign[SM_RSA_SPKI_MAX], encrypt[SM_RSA_SPKI_MAX];
	struct sm_span key[2], s = {sign, 0}, c = {encrypt, 0};
	enum sm_err e;

	if (!rsa_split(key, secret))
		return SM_ERR_FORMAT;
	if ((e = sm_rsa_spki(sign, &s.n, key[RSA_SIGN])) || (e = sm_rsa_spki(encrypt, &c.n, key[RSA_ENCRYPT])))
		return e;
	return sm_public_from_rsa(pub, s, c);
}

/* One PEM block off the front of text, with the line end behind it. */
static enum sm_err take_pem(struct sm_secret *pkcs8, struct sm_span *text)
{
	size_t n = strlen(PEM_END);
	const uint8_t *end = text->n ? memmem(text->p, text->n, PEM_END, n) : NULL;
	struct sm_span line;
	struct sm_buf der;
	enum sm_err e;

	if (!end)
		return SM_ERR_FORMAT;
	n += (size_t)(end - text->p);
	sm_buf_init(&der, PKCS8_MAX + 64);
	e = sm_dearmor(&der, PEM_LABEL, text->p, n);
	e = !e || e == SM_ERR_NOMEM ? e : SM_ERR_FORMAT;
	text->p += n, text->n -= n;
	if (!e && sm_line_take(text, &line) && line.n)
		e = SM_ERR_FORMAT;
	if (!e)
		e = sm_rsa_pkcs8_read(pkcs8, (struct sm_span){der.data, der.len});
	sm_buf_release(&der);
	return e;
}

static enum sm_err rsa_parse(struct sm_secret *secret, struct sm_span *text)
{
	struct sm_secret key[2] = {{0}};
	enum sm_err e;

	if (!(e = take_pem(&key[RSA_SIGN], text)) && !(e = take_pem(&key[RSA_ENCRYPT], text)))
		e = sm_identity_rsa_secret(secret, &key[RSA_SIGN], &key[RSA_ENCRYPT]);
	sm_secret_release(&key[RSA_SIGN]);
	sm_secret_release(&key[RSA_ENCRYPT]);
	return e;
}

static enum sm_err rsa_format(struct sm_buf *b, const struct sm_secret *secret)
{
	struct sm_span key[2];
	enum sm_err e;

	if (!rsa_split(key, secret))
		return SM_ERR_BUG;
	e = sm_armor_encode(b, PEM_LABEL, key[RSA_SIGN].p, key[RSA_SIGN].n);
	return e ? e : sm_armor_encode(b, PEM_LABEL, key[RSA_ENCRYPT].p, key[RSA_ENCRYPT].n);
}

static enum sm_err rsa_unwrap(uint8_t *file_key, const struct sm_stanza *s, struct sm_span info, const struct sm_secret *secret)
{
	uint8_t opened[SM_RSA_MAX];
	struct sm_span key[2];
	size_t n;
	enum sm_err e;

	if (!rsa_split(key, secret))
		return SM_ERR_BUG;
	e = sm_rsa_open(opened, &n, key[RSA_ENCRYPT], info, s->body, s->bodylen);
	if (!e && n != SM_FILE_KEY)
		e = SM_ERR_STANZA;
	if (!e)
		memcpy(file_key, opened, SM_FILE_KEY);
	sm_wipe(opened, sizeof opened);
	return e;
}

static enum sm_err rsa_sign(uint8_t *sig, size_t *n, struct sm_span message, const struct sm_secret *secret)
{
	struct sm_span key[2];
	return rsa_split(key, secret) ? sm_rsa_sign(sig, n, key[RSA_SIGN], message) : SM_ERR_BUG;
}

/* --- The table --- */

static const struct sm_suite_secret secrets[] = {
        {
                .suite = &sm_suite_x25519,
                .begins = "SM-SECRET-KEY-1",
                .generate = x25519_generate,
                .derive = x25519_derive,
                .parse = x25519_parse,
                .format = x25519_format,
                .unwrap = x25519_unwrap,
                .sign = x25519_sign,
        },
        {
                .suite = &sm_suite_rsa,
                .begins = PEM_BEGIN,
                .generate = rsa_generate,
                .derive = rsa_derive,
                .parse = rsa_parse,
                .format = rsa_format,
                .unwrap = rsa_unwrap,
                .sign = rsa_sign,
        },
};
#define SECRETS (sizeof secrets / sizeof *secrets)

const struct sm_suite_secret *sm_suite_secret(const struct sm_suite *suite)
{
	for (size_t i = 1; i < SECRETS; i++)
		if (secrets[i].suite == suite)
			return &secrets[i];
	return &secrets[0];
}

const struct sm_suite_secret *sm_suite_secret_of_text(struct sm_span text)
{
	for (size_t i = 0; i < SECRETS; i++)
		if (sm_span_starts(text, secrets[i].begins))
			return &secrets[i];
	return NULL;
}
