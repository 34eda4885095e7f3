/* Stanzas opened. smserver does not link this: it has nothing to open with, and no code to open by. */
#include "wire/wrap.h"

#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/pwhash.h"
#include "wire/suite_secret.h"

#include <string.h>

#define INFO_MAX 512

enum sm_err sm_unwrap_identity(uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, size_t i, const struct sm_identity *id)
{
	uint8_t key[SM_FILE_KEY];
	struct sm_buf info;
	enum sm_err e;

	if (i >= h->nto || i >= h->nstanza || h->stanza[i].type != h->suite->stanza || id->pub.suite != h->suite)
		return SM_ERR_STANZA;
	sm_buf_init(&info, INFO_MAX);
	if ((e = sm_wrap_info(&info, h, &h->to[i])))
		goto out;
	if ((e = sm_suite_secret(h->suite)->unwrap(key, &h->stanza[i], (struct sm_span){info.data, info.len}, &id->secret)))
		goto out;
	memcpy(file_key, key, sizeof key);
out:
	sm_wipe(key, sizeof key);
	sm_buf_release(&info);
	return e;
}

static enum sm_err passphrase_key(uint8_t key[static SM_AEAD_KEY], const struct sm_stanza *s, const void *pw, size_t pwlen)
{
	if (s->type == SM_STANZA_ARGON2ID)
		return sm_argon2id(key, pw, pwlen, s->pw.salt, s->pw.t, s->pw.m);
	return sm_pbkdf2(key, SM_AEAD_KEY, pw, pwlen, s->pw.salt, sizeof s->pw.salt, s->pw.t);
}

enum sm_err sm_unwrap_passphrase(uint8_t file_key[static SM_FILE_KEY], const struct sm_header *h, const void *pw, size_t pwlen)
{
	static const uint8_t nonce[SM_AEAD_NONCE];
	static const struct sm_party nobody;
	uint8_t key[SM_AEAD_KEY], opened[SM_FILE_KEY];
	const struct sm_stanza *s = h->stanza;
	struct sm_buf info;
	enum sm_err e;

	if (!h->nstanza || (s->type != SM_STANZA_ARGON2ID && s->type != SM_STANZA_PBKDF2))
		return SM_ERR_STANZA;
	sm_buf_init(&info, INFO_MAX);
	if ((e = sm_wrap_info(&info, h, &nobody)) || (e = passphrase_key(key, s, pw, pwlen)))
		goto out;
	if ((e = sm_aead_open(opened, key, nonce, info.data, info.len, s->body, s->bodylen))) {
		e = e == SM_ERR_PAYLOAD ? SM_ERR_PASSPHRASE : e;
		goto out;
	}
	memcpy(file_key, opened, sizeof opened);
out:
	sm_wipe(key, sizeof key);
	sm_wipe(opened, sizeof opened);
	sm_buf_release(&info);
	return e;
}
