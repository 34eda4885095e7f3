/* Stanzas sealed: the file key for a public identity or a passphrase. What binds them to the envelope is the wrap info. */
#include "wire/wrap.h"

#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/pwhash.h"

#include <stdlib.h>
#include <string.h>

#define SEALED (SM_FILE_KEY + SM_AEAD_TAG)
#define INFO_MAX 512

static const char info_label[] = "sm-envelope/1 wrap"; /* its 0 byte belongs to it */

enum sm_err sm_wrap_info(struct sm_buf *b, const struct sm_header *h, const struct sm_party *to)
{
	static const uint8_t zeros[SM_FP_LEN];
	size_t start = b->len;
	enum sm_err e;

	if ((e = sm_buf_add(b, info_label, sizeof info_label)) || (e = sm_buf_add(b, h->suite->id, strlen(h->suite->id) + 1)) ||
	    (e = sm_buf_add(b, h->from.has_fp ? h->from.fp : zeros, SM_FP_LEN)) ||
	    (e = sm_buf_add(b, to->has_fp ? to->fp : zeros, SM_FP_LEN)) || (e = sm_buf_add(b, h->id, SM_ID_LEN)))
		b->len = start;
	return e;
}

enum sm_err sm_wrap_public(struct sm_stanza *s, const struct sm_header *h, const struct sm_party *to, const struct sm_public *pub,
                           const uint8_t file_key[static SM_FILE_KEY], const struct sm_rand *rand)
{
	struct sm_stanza made = {.type = pub->suite->stanza};
	struct sm_buf info;
	enum sm_err e;

	if (pub->suite != h->suite)
		return SM_ERR_SUITE;
	/* a stanza for one key under a `to` line that names another would never open */
	if (!to->has_fp || memcmp(to->fp, pub->fp, SM_FP_LEN))
		return SM_ERR_BUG;
	sm_buf_init(&info, INFO_MAX);
	if ((e = sm_wrap_info(&info, h, to)))
		goto out;
	if (!(made.body = malloc(pub->suite->body_max))) {
		e = SM_ERR_NOMEM;
		goto out;
	}
	if ((e = pub->suite->wrap(&made, pub, (struct sm_span){info.data, info.len}, file_key, rand)))
		goto out;
	*s = made;
	made.body = NULL;
out:
	free(made.body);
	sm_buf_release(&info);
	return e;
}

enum sm_err sm_wrap_passphrase(struct sm_stanza *s, const struct sm_header *h, const void *pw, size_t pwlen, uint32_t t, uint32_t m,
                               const uint8_t file_key[static SM_FILE_KEY], const struct sm_rand *rand)
{
	/* a fixed nonce is safe: the key is fresh with the salt and seals this one message */
	static const uint8_t nonce[SM_AEAD_NONCE];
	static const struct sm_party nobody;
	struct sm_stanza made = {.type = SM_STANZA_ARGON2ID, .pw = {.t = t, .m = m}, .bodylen = SEALED};
	uint8_t key[SM_AEAD_KEY];
	struct sm_buf info;
	enum sm_err e;

	sm_buf_init(&info, INFO_MAX);
	sm_rand_fill(rand, made.pw.salt, sizeof made.pw.salt);
	if ((e = sm_wrap_info(&info, h, &nobody)) || (e = sm_argon2id(key, pw, pwlen, made.pw.salt, t, m)))
		goto out;
	if (!(made.body = malloc(SEALED))) {
		e = SM_ERR_NOMEM;
		goto out;
	}
	if ((e = sm_aead_seal(made.body, key, nonce, info.data, info.len, file_key, SM_FILE_KEY)))
		goto out;
	*s = made;
	made.body = NULL;
out:
	free(made.body);
	sm_wipe(key, sizeof key);
	sm_buf_release(&info);
	return e;
}
