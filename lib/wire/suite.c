/* The table of suites that this build can read and write: the half that needs no secret. An id that is not here is "unsupported
 * suite", never a guess. */
#include "wire/suite.h"

#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "crypto/sign.h"
#include "wire/identity.h"
#include "wire/wrap.h"

#include <string.h>

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

/* --- The table --- */

static const struct sm_suite *const suites[] = {&sm_suite_x25519};
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
