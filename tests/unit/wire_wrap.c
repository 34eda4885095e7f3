/* Stanzas sealed and opened: by each recipient, and by nobody once anything that the wrap info holds has changed. */
#include "tap.h"

#include "crypto/aead.h"
#include "crypto/pwhash.h"
#include "wire/wrap.h"

#include <stdlib.h>
#include <string.h>

#define ID "abcdefghijklmnopqrstuvwxya"

static struct sm_rand_fixed state = {.seed = {1}};

struct fixture {
	struct sm_identity who[3];
	struct sm_header h;
	uint8_t key[SM_FILE_KEY];
};

static void setup(struct fixture *f)
{
	struct sm_rand rand = sm_rand_from(&state);
	memset(f, 0, sizeof *f);
	f->h.suite = &sm_suite_x25519;
	memcpy(f->h.id, ID, sizeof ID);
	f->h.to = calloc(2, sizeof *f->h.to);
	f->h.stanza = calloc(2, sizeof *f->h.stanza);
	if (!f->h.to || !f->h.stanza)
		abort();
	sm_rand_fill(&rand, f->key, sizeof f->key);
	for (int i = 0; i < 3; i++)
		if (sm_identity_generate(&f->who[i], &rand))
			abort();
	f->h.from.has_fp = true;
	memcpy(f->h.from.fp, f->who[2].pub.fp, SM_FP_LEN);
	for (int i = 0; i < 2; i++) {
		f->h.to[i].has_fp = true;
		memcpy(f->h.to[i].fp, f->who[i].pub.fp, SM_FP_LEN);
	}
	f->h.nto = 2;
}

static void teardown(struct fixture *f)
{
	for (int i = 0; i < 3; i++)
		sm_identity_release(&f->who[i]);
	sm_header_release(&f->h);
}

static void info(void)
{
	struct fixture f;
	struct sm_buf b;
	setup(&f);
	sm_buf_init(&b, 200);
	ok(!sm_wrap_info(&b, &f.h, &f.h.to[1]) && b.len == 19 + 24 + 1 + 32 + 32 + 26 && !memcmp(b.data, "sm-envelope/1 wrap", 19) &&
	           !memcmp(b.data + 19, "x25519-ed25519-aes256gcm", 25) && !memcmp(b.data + 44, f.who[2].pub.fp, 32) &&
	           !memcmp(b.data + 76, f.who[1].pub.fp, 32) && !memcmp(b.data + 108, ID, 26),
	   "the wrap info, byte for byte");
	sm_buf_release(&b);
	teardown(&f);
}

static void identities(void)
{
	struct fixture f;
	struct sm_rand rand = sm_rand_from(&state);
	uint8_t got[SM_FILE_KEY], zeros[SM_FILE_KEY] = {0};

	setup(&f);
	for (size_t i = 0; i < 2; i++) {
		ok(!sm_wrap_public(&f.h.stanza[i], &f.h, &f.h.to[i], &f.who[i].pub, f.key, &rand), "seal for recipient %zu", i);
		f.h.nstanza++;
	}
	ok(memcmp(f.h.stanza[0].enc, f.h.stanza[1].enc, 32) != 0, "each stanza has its own enc");
	for (size_t i = 0; i < 2; i++)
		ok(!sm_unwrap_identity(got, &f.h, i, &f.who[i]) && !memcmp(got, f.key, sizeof got), "recipient %zu opens", i);
	memset(got, 0, sizeof got);
	ok(sm_unwrap_identity(got, &f.h, 0, &f.who[1]) == SM_ERR_STANZA, "not with another's key");
	ok(sm_unwrap_identity(got, &f.h, 2, &f.who[1]) == SM_ERR_STANZA, "not a stanza that is not there");
	f.h.id[0] = 'b';
	ok(sm_unwrap_identity(got, &f.h, 0, &f.who[0]) == SM_ERR_STANZA, "not under another id");
	f.h.id[0] = 'a';
	f.h.from.has_fp = false;
	ok(sm_unwrap_identity(got, &f.h, 0, &f.who[0]) == SM_ERR_STANZA, "not from nobody");
	f.h.from.has_fp = true;
	f.h.to[0].fp[0] ^= 1;
	ok(sm_unwrap_identity(got, &f.h, 0, &f.who[0]) == SM_ERR_STANZA, "not to another fingerprint");
	f.h.to[0].fp[0] ^= 1;
	f.h.stanza[0].body[47] ^= 1;
	ok(sm_unwrap_identity(got, &f.h, 0, &f.who[0]) == SM_ERR_STANZA, "not with a changed body");
	ok(!memcmp(got, zeros, sizeof got), "and a failure leaves the output alone");
	ok(sm_unwrap_passphrase(got, &f.h, "x", 1) == SM_ERR_STANZA, "a passphrase has no business here");
	struct sm_stanza s;
	ok(sm_wrap_public(&s, &f.h, &f.h.to[0], &f.who[1].pub, f.key, &rand) == SM_ERR_BUG, "key and `to` line must agree");
	teardown(&f);
}

static void passphrase(void)
{
	struct fixture f;
	struct sm_rand rand = sm_rand_from(&state);
	uint8_t got[SM_FILE_KEY];

	setup(&f);
	memset(&f.h.to[0], 0, sizeof f.h.to[0]);
	f.h.nto = 1;
	ok(sm_wrap_passphrase(&f.h.stanza[0], &f.h, "secret", 6, 11, 8, f.key, &rand) == SM_ERR_LIMIT, "too many passes");
	ok(!sm_wrap_passphrase(&f.h.stanza[0], &f.h, "secret", 6, 1, 64, f.key, &rand), "seal with a passphrase");
	f.h.nstanza = 1;
	ok(!sm_unwrap_passphrase(got, &f.h, "secret", 6) && !memcmp(got, f.key, sizeof got), "it opens");
	ok(sm_unwrap_passphrase(got, &f.h, "Secret", 6) == SM_ERR_PASSPHRASE, "another does not");
	ok(sm_unwrap_passphrase(got, &f.h, "", 0) == SM_ERR_PASSPHRASE, "an empty one does not");
	ok(sm_unwrap_identity(got, &f.h, 0, &f.who[0]) == SM_ERR_STANZA, "nor does a key");
	f.h.id[0] = 'b';
	ok(sm_unwrap_passphrase(got, &f.h, "secret", 6) == SM_ERR_PASSPHRASE, "nor under another id");
	teardown(&f);
}

static void pbkdf2(void)
{
	static const uint8_t nonce[12];
	static const struct sm_party nobody;
	struct fixture f;
	uint8_t key[32], got[SM_FILE_KEY];
	struct sm_buf b;

	setup(&f);
	memset(&f.h.to[0], 0, sizeof f.h.to[0]);
	f.h.nto = f.h.nstanza = 1;
	f.h.stanza[0] =
	        (struct sm_stanza){.type = SM_STANZA_PBKDF2, .pw = {.salt = {1, 2, 3}, .t = 1000}, .body = malloc(48), .bodylen = 48};
	sm_buf_init(&b, 200);
	if (!f.h.stanza[0].body || sm_wrap_info(&b, &f.h, &nobody) || sm_pbkdf2(key, 32, "secret", 6, f.h.stanza[0].pw.salt, 16, 1000) ||
	    sm_aead_seal(f.h.stanza[0].body, key, nonce, b.data, b.len, f.key, sizeof f.key))
		abort();
	ok(!sm_unwrap_passphrase(got, &f.h, "secret", 6) && !memcmp(got, f.key, sizeof got), "a pbkdf2 stanza opens");
	f.h.stanza[0].pw.t = 1001;
	ok(sm_unwrap_passphrase(got, &f.h, "secret", 6) == SM_ERR_PASSPHRASE, "with its own rounds only");
	sm_buf_release(&b);
	teardown(&f);
}

int main(void)
{
	if (sm_secret_harden())
		return 1;
	info();
	identities();
	passphrase();
	pbkdf2();
	return tap_done();
}
