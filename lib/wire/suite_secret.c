/* The table of suites, the half with secret keys: made, read, written, opened and signed with. */
#include "wire/suite_secret.h"

#include "crypto/hpke.h"
#include "wire/lex.h"
#include "wire/wrap.h"

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
	uint8_t pk[SM_PK_LEN];

	if (secret->len != SM_SEED_LEN)
		return SM_ERR_FORMAT;
	sm_seed_to_pk(pk, secret->data);
	return sm_public_from_ed25519(pub, pk);
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
