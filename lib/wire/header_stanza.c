/* The table of stanza types, and the arguments of each. A type belongs to some suites; under another it is malformed. */
#include "wire/header_stanza.h"

#include "base/base64.h"
#include "crypto/pwhash.h"
#include "wire/lex.h"

#include <string.h>

#define WORDS_MAX 8 /* `-> ratchet device header x3dh eka spk opk` */

/* w: the words after the type. */
typedef bool args_parse(struct sm_stanza *s, const struct sm_suite *suite, const struct sm_span *w, int n);
typedef enum sm_err args_write(struct sm_buf *b, const struct sm_stanza *s, const struct sm_suite *suite);

/* The suite's own stanza, which wraps for a public identity. */
static bool key_parse(struct sm_stanza *s, const struct sm_suite *suite, const struct sm_span *w, int n)
{
	return suite->enc ? n == 1 && sm_base64_exact(s->enc, suite->enc, w[0]) : n == 0;
}

static bool argon2id_parse(struct sm_stanza *s, const struct sm_suite *suite, const struct sm_span *w, int n)
{
	(void)suite;
	return n == 3 && sm_base64_exact(s->pw.salt, sizeof s->pw.salt, w[0]) && sm_decimal32(&s->pw.t, w[1], 1, SM_ARGON2_T_MAX) &&
	       sm_decimal32(&s->pw.m, w[2], SM_ARGON2_M_MIN, SM_ARGON2_M_MAX);
}

static bool pbkdf2_parse(struct sm_stanza *s, const struct sm_suite *suite, const struct sm_span *w, int n)
{
	(void)suite;
	return n == 2 && sm_base64_exact(s->pw.salt, sizeof s->pw.salt, w[0]) && sm_decimal32(&s->pw.t, w[1], 1, SM_PBKDF2_ROUNDS_MAX);
}

static bool ratchet_parse(struct sm_stanza *s, const struct sm_suite *suite, const struct sm_span *w, int n)
{
	(void)suite;
	if ((n != 2 && n != 6) || !sm_decimal32(&s->ratchet.device, w[0], 0, UINT32_MAX) ||
	    !sm_base64_exact(s->ratchet.header, sizeof s->ratchet.header, w[1]))
		return false;
	if (n == 2)
		return true;
	s->ratchet.x3dh = true;
	s->ratchet.has_opk = !sm_span_equals(w[5], "-");
	return sm_span_equals(w[2], "x3dh") && sm_base64_exact(s->ratchet.eka, sizeof s->ratchet.eka, w[3]) &&
	       sm_decimal32(&s->ratchet.spk, w[4], 0, UINT32_MAX) &&
	       (!s->ratchet.has_opk || sm_decimal32(&s->ratchet.opk, w[5], 0, UINT32_MAX));
}

static bool senderkey_parse(struct sm_stanza *s, const struct sm_suite *suite, const struct sm_span *w, int n)
{
	(void)suite;
	return n == 3 && sm_decimal32(&s->senderkey.device, w[0], 0, UINT32_MAX) && sm_id_copy(s->senderkey.chain, w[1]) &&
	       sm_decimal32(&s->senderkey.n, w[2], 0, UINT32_MAX);
}

static enum sm_err add_base64_word(struct sm_buf *b, const uint8_t *p, size_t n)
{
	enum sm_err e = sm_buf_adds(b, " ");
	return e ? e : sm_buf_add_base64(b, p, n);
}

static enum sm_err key_write(struct sm_buf *b, const struct sm_stanza *s, const struct sm_suite *suite)
{
	return suite->enc ? add_base64_word(b, s->enc, suite->enc) : SM_OK;
}

static enum sm_err argon2id_write(struct sm_buf *b, const struct sm_stanza *s, const struct sm_suite *suite)
{
	(void)suite;
	enum sm_err e = add_base64_word(b, s->pw.salt, sizeof s->pw.salt);
	return e ? e : sm_buf_addf(b, " %u %u", (unsigned)s->pw.t, (unsigned)s->pw.m);
}

static enum sm_err pbkdf2_write(struct sm_buf *b, const struct sm_stanza *s, const struct sm_suite *suite)
{
	(void)suite;
	enum sm_err e = add_base64_word(b, s->pw.salt, sizeof s->pw.salt);
	return e ? e : sm_buf_addf(b, " %u", (unsigned)s->pw.t);
}

static enum sm_err ratchet_write(struct sm_buf *b, const struct sm_stanza *s, const struct sm_suite *suite)
{
	(void)suite;
	enum sm_err e;
	if ((e = sm_buf_addf(b, " %u", (unsigned)s->ratchet.device)) ||
	    (e = add_base64_word(b, s->ratchet.header, sizeof s->ratchet.header)) || !s->ratchet.x3dh)
		return e;
	if ((e = sm_buf_adds(b, " x3dh")) || (e = add_base64_word(b, s->ratchet.eka, sizeof s->ratchet.eka)) ||
	    (e = sm_buf_addf(b, " %u", (unsigned)s->ratchet.spk)))
		return e;
	return s->ratchet.has_opk ? sm_buf_addf(b, " %u", (unsigned)s->ratchet.opk) : sm_buf_adds(b, " -");
}

static enum sm_err senderkey_write(struct sm_buf *b, const struct sm_stanza *s, const struct sm_suite *suite)
{
	(void)suite;
	return sm_buf_addf(b, " %u %.26s %u", (unsigned)s->senderkey.device, s->senderkey.chain, (unsigned)s->senderkey.n);
}

enum belongs { SUITES_OWN, EVERY_SUITE, SUITES_WITH_SESSIONS };

static const struct kind {
	const char *name;
	enum belongs to;
	size_t body; /* bytes; 0: what the suite says */
	args_parse *parse;
	args_write *write;
} kinds[] = {
        [SM_STANZA_HPKE] = {"hpke", SUITES_OWN, 0, key_parse, key_write},
        [SM_STANZA_RSA] = {"rsa", SUITES_OWN, 0, key_parse, key_write},
        [SM_STANZA_ARGON2ID] = {"argon2id", EVERY_SUITE, 48, argon2id_parse, argon2id_write},
        [SM_STANZA_PBKDF2] = {"pbkdf2", EVERY_SUITE, 48, pbkdf2_parse, pbkdf2_write},
        [SM_STANZA_RATCHET] = {"ratchet", SUITES_WITH_SESSIONS, 80, ratchet_parse, ratchet_write},
        [SM_STANZA_SENDERKEY] = {"senderkey", SUITES_WITH_SESSIONS, 80, senderkey_parse, senderkey_write},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static bool suite_has(const struct sm_suite *suite, enum sm_stanza_type type)
{
	switch (kinds[type].to) {
	case SUITES_OWN: return type == suite->stanza;
	case EVERY_SUITE: return true;
	case SUITES_WITH_SESSIONS: return suite->sessions;
	}
	return false;
}

bool sm_stanza_parse(struct sm_stanza *s, const struct sm_suite *suite, struct sm_span line)
{
	struct sm_span word[WORDS_MAX];
	int n = sm_words(word, WORDS_MAX, line);

	if (n < 2 || !sm_span_equals(word[0], "->"))
		return false;
	for (size_t i = 0; i < KINDS; i++) {
		if (!sm_span_equals(word[1], kinds[i].name))
			continue;
		struct sm_stanza got = {.type = (enum sm_stanza_type)i};
		if (!suite_has(suite, got.type) || !kinds[i].parse(&got, suite, word + 2, n - 2))
			return false;
		*s = got;
		return true;
	}
	return false;
}

bool sm_stanza_body_ok(const struct sm_stanza *s, const struct sm_suite *suite, size_t n)
{
	size_t fixed = kinds[s->type].body;
	return fixed ? n == fixed : n >= suite->body_min && n <= suite->body_max;
}

bool sm_stanza_is_passphrase(const struct sm_stanza *s) { return s->type == SM_STANZA_ARGON2ID || s->type == SM_STANZA_PBKDF2; }

enum sm_err sm_stanza_write(struct sm_buf *b, const struct sm_stanza *s, const struct sm_suite *suite)
{
	enum sm_err e;
	if ((size_t)s->type >= KINDS || !s->body || !suite_has(suite, s->type) || !sm_stanza_body_ok(s, suite, s->bodylen))
		return SM_ERR_HEADER;
	if ((e = sm_buf_addf(b, "-> %s", kinds[s->type].name)) || (e = kinds[s->type].write(b, s, suite)) || (e = sm_buf_adds(b, "\n")))
		return e;
	for (size_t i = 0, n; i < s->bodylen; i += n) {
		n = s->bodylen - i < 48 ? s->bodylen - i : 48;
		if ((e = sm_buf_add_base64(b, s->body + i, n)) || (e = sm_buf_adds(b, "\n")))
			return e;
	}
	return SM_OK;
}
