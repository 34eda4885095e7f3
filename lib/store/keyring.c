/* Secret key files. A protected one is an armored envelope whose only stanza is argon2id, unsigned and without attachments; its `from`
 * line names the key's fingerprint, so that an unlocked key is found in the kernel keyring without the passphrase. */
#include "store/keyring.h"

#include "base/file.h"
#include "base/time.h"
#include "crypto/kdf.h"
#include "stream/open.h"
#include "stream/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEGIN_ENVELOPE "-----BEGIN SM ENVELOPE-----"
#define BEGIN_PKCS8 "-----BEGIN PRIVATE KEY-----"
#define SECRET_PREFIX "SM-SECRET-KEY-"

/* A key file as read: either text, or env (binary) with what its header says. */
struct keyfile {
	char *path; /* owned */
	struct sm_buf raw, env;
	bool protected;
	bool has_fp;
	uint8_t fp[SM_FP_LEN];
};

static void keyfile_release(struct keyfile *f)
{
	free(f->path);
	sm_buf_release(&f->raw);
	sm_buf_release(&f->env);
}

static struct sm_span without_leading_space(const struct sm_buf *b)
{
	struct sm_span s = {b->data, b->len};
	for (; s.n && strchr(" \t\r\n", *s.p); s.p++)
		s.n--;
	return s;
}

/* Where a key file is expected; where public lines are, sm_keyring_is_secret takes no chances. */
static bool is_protected(const struct sm_buf *text) { return sm_span_starts((struct sm_span){text->data, text->len}, BEGIN_ENVELOPE); }

bool sm_keyring_is_secret(const struct sm_buf *text)
{
	struct sm_span s = without_leading_space(text);
	if (sm_span_starts(s, BEGIN_ENVELOPE) || sm_span_starts(s, SM_MAGIC) || sm_span_starts(s, BEGIN_PKCS8))
		return true;
	return text->len && (memmem(text->data, text->len, SECRET_PREFIX, strlen(SECRET_PREFIX)) ||
	                     memmem(text->data, text->len, "\n" BEGIN_PKCS8, strlen("\n" BEGIN_PKCS8)));
}

/* The envelope's bytes, and the fingerprint that its `from` claims. That claim is only ever a hint of where to look: a key found by it
 * must have that fingerprint. */
static enum sm_err parse_protected(struct keyfile *f)
{
	struct sm_header h;
	unsigned line = 0;
	size_t len = 0;
	enum sm_err e = sm_dearmor(&f->env, SM_ARMOR_ENVELOPE, f->raw.data, f->raw.len);
	if (!e)
		e = sm_header_find(&len, f->env.data, f->env.len);
	if (!e)
		e = sm_header_parse(&h, &line, f->env.data, len);
	if (e)
		return e == SM_ERR_NOMEM || e == SM_ERR_SUITE ? e : SM_ERR_FORMAT;
	if (h.nattach || h.stanza[0].type != SM_STANZA_ARGON2ID)
		e = SM_ERR_FORMAT;
	f->has_fp = h.from.has_fp;
	memcpy(f->fp, h.from.fp, SM_FP_LEN);
	sm_header_release(&h);
	return e;
}

/* f needs release in every case. */
static enum sm_err keyfile_open(struct keyfile *f, const char *path, const char *profile)
{
	*f = (struct keyfile){0};
	sm_buf_init(&f->raw, SM_KEYRING_FILE_MAX);
	sm_buf_init(&f->env, SM_KEYRING_FILE_MAX);
	enum sm_err e = SM_OK;
	if (!path)
		e = sm_path(&f->path, SM_DIR_CONFIG, profile, "identity", 0);
	else if (!(f->path = strdup(path)))
		e = SM_ERR_NOMEM;
	if (!e)
		e = sm_file_read(f->path, &f->raw, true);
	if (e)
		return e == SM_ERR_LIMIT ? SM_ERR_FORMAT : e;
	f->protected = is_protected(&f->raw);
	return f->protected ? parse_protected(f) : SM_OK;
}

/* --- Opening a protected file --- */

struct asking {
	sm_passphrase_fn *ask;
	void *ctx;
	const char *path;
	enum sm_err failed; /* what ask returned, to be passed on as it is */
};

static enum sm_err ask_passphrase(void *ctx, struct sm_buf *pw)
{
	struct asking *a = ctx;
	a->failed = a->ask ? a->ask(a->ctx, pw, a->path) : SM_ERR_PASSPHRASE;
	return a->failed;
}

static enum sm_err no_signer(void *ctx, struct sm_public *pub, const uint8_t fp[static SM_FP_LEN])
{
	(void)ctx, (void)pub, (void)fp;
	return SM_ERR_NOTFOUND;
}

/* Whatever is wrong inside makes it no key file; only what a person can act on keeps its own class. */
static enum sm_err key_file_error(enum sm_err e)
{
	switch (e) {
	case SM_OK:
	case SM_ERR_PASSPHRASE:
	case SM_ERR_SUITE:
	case SM_ERR_NOMEM:
	case SM_ERR_IO:
	case SM_ERR_CRYPTO:
	case SM_ERR_BUG: return e;
	default: return SM_ERR_FORMAT;
	}
}

/* Appends the plain file's text. */
static enum sm_err decrypt(struct sm_buf *text, const struct keyfile *f, sm_passphrase_fn *ask, void *ctx)
{
	struct asking a = {ask, ctx, f->path, SM_OK};
	struct sm_opener how = {.ask = ask_passphrase, .find_signer = no_signer, .ctx = &a, .threads = 1};
	struct sm_opened opened = {0};
	struct sm_source in;
	struct sm_sink out;
	sm_source_mem(&in, f->env.data, f->env.len, false);
	sm_sink_mem(&out, text, NULL);
	enum sm_err e = sm_open_verify(&opened, &how, &in);
	if (!e && opened.proof != SM_PROOF_NONE)
		e = SM_ERR_FORMAT; /* signed: not what smkeygen makes */
	if (!e)
		e = sm_open_release(&opened, &out);
	if (!e)
		e = sm_sink_finish(&out);
	sm_sink_release(&out);
	sm_opened_release(&opened);
	sm_source_release(&in);
	return a.failed ? a.failed : key_file_error(e);
}

/* comment: appended to when not NULL. */
static enum sm_err parse_text(struct sm_identity *id, struct sm_buf *comment, const struct keyfile *f, const struct sm_buf *text)
{
	struct sm_identity got = {0};
	struct sm_span said = {NULL, 0};
	enum sm_err e = sm_identity_parse(&got, &said, text->data, text->len);
	/* the outside may not name another key than the inside holds */
	if (!e && f->protected && f->has_fp && memcmp(f->fp, got.pub.fp, SM_FP_LEN) != 0)
		e = SM_ERR_FORMAT;
	if (!e && comment && said.n)
		e = sm_buf_add(comment, said.p, said.n);
	if (e)
		sm_identity_release(&got);
	else
		*id = got;
	return e;
}

static enum sm_err decrypt_and_parse(struct sm_identity *id, struct sm_buf *comment, const struct keyfile *f, sm_passphrase_fn *ask,
                                     void *ctx)
{
	struct sm_buf text;
	sm_buf_init(&text, SM_KEYRING_FILE_MAX);
	enum sm_err e = decrypt(&text, f, ask, ctx);
	if (!e)
		e = parse_text(id, comment, f, &text);
	sm_buf_release(&text);
	return e;
}

/* --- FILE.pub --- */

static char *public_path(const char *path)
{
	size_t n = strlen(path);
	char *pub = malloc(n + sizeof(".pub"));
	if (pub) {
		memcpy(pub, path, n);
		memcpy(pub + n, ".pub", sizeof(".pub"));
	}
	return pub;
}

/* The first identity of the file; SM_ERR_NOTFOUND when there is none that can be read. */
static enum sm_err read_public_file(struct sm_public *pub, struct sm_buf *comment, const char *path)
{
	struct sm_buf text;
	struct sm_span rest, line, said = {NULL, 0};
	bool found = false;
	char *name = public_path(path);
	sm_buf_init(&text, SM_KEYRING_FILE_MAX);
	enum sm_err e = name ? sm_file_read(name, &text, false) : SM_ERR_NOMEM;
	rest = (struct sm_span){text.data, text.len};
	while (!e && !found && sm_span_take_line(&rest, &line))
		e = sm_public_parse_line(pub, &found, &said, line);
	if (!e && found && said.n)
		e = sm_buf_add(comment, said.p, said.n);
	sm_buf_release(&text);
	free(name);
	return e == SM_ERR_NOMEM ? e : e || !found ? SM_ERR_NOTFOUND : SM_OK;
}

/* --- Reading --- */

/* From the kernel keyring, under the fingerprint that the file or FILE.pub names. */
static enum sm_err from_kernel(struct sm_identity *id, const struct keyfile *f)
{
	struct sm_public pub;
	struct sm_buf ignored;
	if (f->has_fp)
		return sm_keyring_unlocked(id, f->fp);
	sm_buf_init(&ignored, SM_COMMENT_MAX);
	enum sm_err e = read_public_file(&pub, &ignored, f->path);
	sm_buf_release(&ignored);
	return e ? e : sm_keyring_unlocked(id, pub.fp);
}

enum sm_err sm_keyring_load(struct sm_identity *id, const char *path, const char *profile, sm_passphrase_fn *ask, void *ctx)
{
	struct keyfile f;
	enum sm_err e = keyfile_open(&f, path, profile);
	if (!e && !f.protected)
		e = parse_text(id, NULL, &f, &f.raw);
	else if (!e && from_kernel(id, &f) != SM_OK)
		e = decrypt_and_parse(id, NULL, &f, ask, ctx);
	keyfile_release(&f);
	return e;
}

enum sm_err sm_keyring_read(struct sm_identity *id, struct sm_buf *text, bool *protected, const char *path, const char *profile,
                            sm_passphrase_fn *ask, void *ctx)
{
	struct keyfile f;
	struct sm_buf plain;
	struct sm_identity got = {0};
	sm_buf_init(&plain, SM_KEYRING_FILE_MAX);
	enum sm_err e = keyfile_open(&f, path, profile);
	if (!e)
		e = f.protected ? decrypt(&plain, &f, ask, ctx) : sm_buf_add(&plain, f.raw.data, f.raw.len);
	if (!e)
		e = parse_text(&got, NULL, &f, &plain);
	if (!e && text)
		e = sm_buf_add(text, plain.data, plain.len);
	if (e) {
		sm_identity_release(&got);
		goto out;
	}
	*id = got;
	if (protected)
		*protected = f.protected;
out:
	sm_buf_release(&plain);
	keyfile_release(&f);
	return e;
}

static enum sm_err public_of_protected(struct sm_public *pub, struct sm_buf *comment, const struct keyfile *f, sm_passphrase_fn *ask,
                                       void *ctx)
{
	struct sm_public beside;
	struct sm_buf said;
	struct sm_identity id = {0};
	sm_buf_init(&said, SM_COMMENT_MAX);
	enum sm_err e = read_public_file(&beside, &said, f->path);
	if (!e && (!f->has_fp || memcmp(f->fp, beside.fp, SM_FP_LEN) == 0)) {
		e = sm_buf_add(comment, said.data, said.len);
	} else {
		e = decrypt_and_parse(&id, comment, f, ask, ctx);
		beside = id.pub;
	}
	if (!e)
		*pub = beside;
	sm_identity_release(&id);
	sm_buf_release(&said);
	return e;
}

enum sm_err sm_keyring_public(struct sm_public *pub, struct sm_buf *comment, const char *path, const char *profile, sm_passphrase_fn *ask,
                              void *ctx)
{
	struct keyfile f;
	struct sm_identity id = {0};
	enum sm_err e = keyfile_open(&f, path, profile);
	if (e == SM_ERR_NOINPUT && f.path) {
		int saved = errno;
		if (read_public_file(pub, comment, f.path) == SM_OK)
			e = SM_OK;
		errno = saved;
	} else if (!e && f.protected) {
		e = public_of_protected(pub, comment, &f, ask, ctx);
	} else if (!e) {
		e = parse_text(&id, comment, &f, &f.raw);
		if (!e)
			*pub = id.pub;
	}
	sm_identity_release(&id);
	keyfile_release(&f);
	return e;
}

/* --- Writing --- */

static enum sm_err encrypt(struct sm_buf *out, const struct sm_identity *id, const struct sm_buf *text, const void *pw, size_t pwlen,
                           uint32_t t, uint32_t m)
{
	struct sm_seal job = {.pw = pw, .pwlen = pwlen, .pw_t = t, .pw_m = m, .date = sm_time_now(), .rand = &sm_rand_system, .threads = 1};
	char envelope_id[SM_ID_LEN + 1];
	struct sm_source in;
	struct sm_sink sink;
	job.suite = id->pub.suite;
	job.from.has_fp = true;
	memcpy(job.from.fp, id->pub.fp, SM_FP_LEN);
	sm_source_mem(&in, text->data, text->len, false);
	sm_sink_mem(&sink, out, SM_ARMOR_ENVELOPE);
	enum sm_err e = sm_seal(&job, &in, &sink, envelope_id, NULL);
	sm_sink_release(&sink);
	sm_source_release(&in);
	return e;
}

static enum sm_err add_contents(struct sm_buf *b, const struct sm_identity *id, const struct sm_buf *text, const void *pw, size_t pwlen,
                                uint32_t t, uint32_t m)
{
	return pw ? encrypt(b, id, text, pw, pwlen, t, m) : sm_buf_add(b, text->data, text->len);
}

enum sm_err sm_keyring_format(struct sm_buf *b, const struct sm_identity *id, const char *comment, const void *pw, size_t pwlen, uint32_t t,
                              uint32_t m)
{
	struct sm_buf text;
	sm_buf_init(&text, SM_KEYRING_FILE_MAX);
	enum sm_err e = sm_identity_format(&text, id, comment, sm_time_now());
	if (!e)
		e = add_contents(b, id, &text, pw, pwlen, t, m);
	sm_buf_release(&text);
	return e;
}

static enum sm_err add_public_line(struct sm_buf *b, const struct sm_public *pub, const char *comment)
{
	enum sm_err e = sm_public_format(b, pub);
	if (!e && comment && *comment)
		e = sm_buf_addf(b, " %s", comment);
	return e ? e : sm_buf_adds(b, "\n");
}

/* Both files or none: FILE is taken back when FILE.pub cannot be made. */
static enum sm_err place_new(const char *path, const char *pubpath, const struct sm_buf *secret, const struct sm_buf *line)
{
	if (access(pubpath, F_OK) == 0)
		return SM_ERR_EXISTS;
	enum sm_err e = sm_file_create(path, secret->data, secret->len, 0600);
	if (e)
		return e;
	e = sm_file_create(pubpath, line->data, line->len, 0644);
	if (e) {
		int saved = errno;
		unlink(path);
		errno = saved;
	}
	return e;
}

enum sm_err sm_keyring_save(const char *path, const struct sm_identity *id, const char *comment, const void *pw, size_t pwlen, uint32_t t,
                            uint32_t m, bool replace)
{
	struct sm_buf secret, line;
	char *pubpath = public_path(path);
	sm_buf_init(&secret, SM_KEYRING_FILE_MAX);
	sm_buf_init(&line, SM_PUBLIC_LINE_MAX);
	enum sm_err e = pubpath ? sm_keyring_format(&secret, id, comment, pw, pwlen, t, m) : SM_ERR_NOMEM;
	if (!e)
		e = add_public_line(&line, &id->pub, comment);
	if (e)
		goto out;
	if (!replace) {
		e = place_new(path, pubpath, &secret, &line);
		goto out;
	}
	e = sm_file_replace(path, secret.data, secret.len, 0600);
	if (!e)
		e = sm_file_replace(pubpath, line.data, line.len, 0644);
out:
	sm_buf_release(&secret);
	sm_buf_release(&line);
	free(pubpath);
	return e;
}

enum sm_err sm_keyring_rewrite(const char *path, const struct sm_identity *id, const struct sm_buf *text, const void *pw, size_t pwlen,
                               uint32_t t, uint32_t m)
{
	struct sm_buf contents;
	sm_buf_init(&contents, SM_KEYRING_FILE_MAX);
	enum sm_err e = add_contents(&contents, id, text, pw, pwlen, t, m);
	if (!e)
		e = sm_file_replace(path, contents.data, contents.len, 0600);
	sm_buf_release(&contents);
	return e;
}

enum sm_err sm_keyring_store_key(uint8_t key[static 32], const struct sm_identity *id, const char *purpose)
{
	struct sm_buf info;
	sm_buf_init(&info, 256);
	enum sm_err e = sm_buf_addf(&info, "sm-store/1 %s", purpose);
	if (!e)
		e = sm_hkdf_sha256(key, 32, NULL, 0, id->secret.data, id->secret.len, info.data, info.len);
	sm_buf_release(&info);
	return e;
}
