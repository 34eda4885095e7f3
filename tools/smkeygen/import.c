/* Which of the keys in one or two PEM files becomes what. An RSA identity needs two different keys; programs elsewhere mostly have one. */
#include "smkeygen/import.h"

#include "base/file.h"
#include "cli/diag.h"
#include "crypto/import.h"
#include "crypto/rsa.h"

#include <sys/stat.h>

#define FILE_MAX (1u << 20)

struct import {
	struct sm_passphrase_source *source;
	struct sm_buf pw; /* once it has been asked for */
	bool have_pw, said;
	const char *file; /* the one that is being read */
	struct sm_imported key[2];
	size_t n;
};

static enum sm_err ask(void *ctx, struct sm_buf *pw)
{
	struct import *m = ctx;
	struct sm_buf prompt;
	enum sm_err e = SM_OK;

	if (!m->have_pw) {
		sm_buf_init(&prompt, 8192);
		e = sm_buf_addf(&prompt, "Passphrase for '%s': ", m->file);
		const char *text = e ? NULL : sm_buf_str(&prompt);
		e = sm_passphrase(&m->pw, m->source, text ? text : "Passphrase: ", false);
		sm_buf_release(&prompt);
		m->said = e != SM_OK;
		m->have_pw = !e;
	}
	return e ? e : sm_buf_add(pw, m->pw.data, m->pw.len);
}

static void say(const struct import *m, enum sm_err e)
{
	switch (e) {
	case SM_ERR_SUITE: (void)sm_fail_plain(e, "'%s': a kind of key that is not imported: RSA and Ed25519 in PEM are", m->file); break;
	case SM_ERR_LIMIT:
		(void)sm_fail_plain(e, "'%s': RSA keys have %d to %d bits and the exponent 65537", m->file, SM_RSA_BITS_MIN,
		                    SM_RSA_BITS_MAX);
		break;
	case SM_ERR_PASSPHRASE: (void)sm_fail_plain(e, "'%s': wrong passphrase", m->file); break;
	case SM_ERR_FORMAT: (void)sm_fail_plain(e, "'%s': a damaged private key", m->file); break;
	default: (void)sm_fail(e, "cannot import '%s'", m->file);
	}
}

/* All private keys of the text, at most max in all. */
static enum sm_err read_keys(struct import *m, struct sm_span text, size_t max)
{
	struct sm_imported key;
	size_t before = m->n;
	enum sm_err e;

	while (!(e = sm_import_pem(&key, &text, ask, m))) {
		if (m->n == max) {
			sm_secret_release(&key.key);
			sm_error("'%s': more private keys than an identity has", m->file);
			return SM_ERR_FORMAT;
		}
		m->key[m->n++] = key;
	}
	if (e != SM_ERR_NOTFOUND) {
		if (!m->said)
			say(m, e);
		return e;
	}
	if (m->n > before)
		return SM_OK;
	sm_error("'%s': no private key in PEM", m->file);
	return SM_ERR_FORMAT;
}

static enum sm_err read_file(struct import *m, const char *file, size_t max)
{
	struct sm_buf text;
	struct stat st;
	enum sm_err e;

	m->file = file;
	sm_buf_init(&text, FILE_MAX);
	if ((e = sm_file_read(file, &text, false)))
		(void)sm_fail(e, "cannot read '%s'", file);
	else
		e = read_keys(m, (struct sm_span){text.data, text.len}, max);
	if (!e && !stat(file, &st) && (st.st_mode & 077))
		sm_warning("'%s' may be read by others, and the imported key with it", file);
	sm_buf_release(&text);
	return e;
}

static enum sm_err make_second(struct import *m)
{
	unsigned bits = (m->key[0].bits + 7) / 8 * 8; /* a key that is imported may have any number of them */
	enum sm_err e = sm_rsa_generate(&m->key[1].key, bits);

	if (e) {
		(void)sm_fail(e, "cannot make a key");
		return e;
	}
	m->key[1].kind = SM_IMPORT_RSA;
	m->n = 2;
	sm_note("'%s' has one key: it signs, and a new one of %u bits encrypts", m->file, bits);
	return SM_OK;
}

static enum sm_err make_identity(struct sm_identity *id, struct import *m)
{
	struct sm_secret secret;
	enum sm_err e;

	if (m->key[0].kind != m->key[m->n - 1].kind || (m->n == 2 && m->key[0].kind == SM_IMPORT_ED25519)) {
		sm_error("an identity is one Ed25519 key, or two RSA keys");
		return SM_ERR_FORMAT;
	}
	if (m->key[0].kind == SM_IMPORT_ED25519) {
		if ((e = sm_identity_from_secret(id, &sm_suite_x25519, &m->key[0].key)))
			(void)sm_fail(e, "cannot import '%s'", m->file);
		return e;
	}
	if (m->n == 1 && (e = make_second(m)))
		return e;
	if (!(e = sm_identity_rsa_secret(&secret, &m->key[0].key, &m->key[1].key)))
		e = sm_identity_from_secret(id, &sm_suite_rsa, &secret);
	if (e == SM_ERR_FORMAT)
		(void)sm_fail_plain(e, "one RSA key cannot both sign and encrypt: leave the second out, and one is made");
	else if (e)
		(void)sm_fail(e, "cannot import '%s'", m->file);
	return e;
}

enum sm_err sm_keygen_import(struct sm_identity *id, const char *file, const char *encrypt, struct sm_passphrase_source *pw)
{
	struct import m = {.source = pw};
	enum sm_err e;

	sm_buf_init(&m.pw, SM_PASSPHRASE_MAX);
	e = read_file(&m, file, encrypt ? 1 : 2);
	if (!e && encrypt)
		e = read_file(&m, encrypt, 2);
	if (!e)
		e = make_identity(id, &m);
	for (size_t i = 0; i < 2; i++)
		sm_secret_release(&m.key[i].key);
	sm_buf_release(&m.pw);
	return e;
}
