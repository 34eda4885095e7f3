/* Key files: what is written is read back, under the passphrase that it was written under and no other; nothing is overwritten; what is
 * damaged, loose or of another key is refused. The kernel's keyring where the kernel has one. Cheap Argon2id costs: 1 pass, 8 KiB. */
#include "scratch.h"
#include "tap.h"

#include "base/file.h"
#include "base/time.h"
#include "store/keyring.h"
#include "stream/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define T 1
#define M 8

struct answer {
	const char *pw; /* NULL: fails with error */
	enum sm_err error;
	int asked;
};

static enum sm_err answer(void *ctx, struct sm_buf *pw, const char *path)
{
	struct answer *a = ctx;
	(void)path;
	a->asked++;
	return a->pw ? sm_buf_adds(pw, a->pw) : a->error;
}

static struct sm_identity made;

static bool same_key(const struct sm_identity *id)
{
	return id->secret.len == SM_SEED_LEN && !memcmp(id->secret.data, made.secret.data, SM_SEED_LEN) &&
	       !memcmp(id->pub.fp, made.pub.fp, SM_FP_LEN);
}

static enum sm_err load(const char *path, const char *pw, int *asked)
{
	struct sm_identity id = {0};
	struct answer a = {.pw = pw, .error = SM_ERR_NET};
	enum sm_err e = sm_keyring_load(&id, path, NULL, answer, &a);
	if (!e && !same_key(&id))
		e = SM_ERR_BUG;
	if (asked)
		*asked = a.asked;
	sm_identity_release(&id);
	return e;
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void test_plain(void)
{
	int asked = 0;
	umask(0);
	ok(!sm_keyring_save(scratch("plain"), &made, "me", NULL, 0, T, M, false), "a plain file is written");
	ok(mode_of(scratch("plain")) == 0600 && mode_of(scratch("plain.pub")) == 0644, "0600 and 0644, whatever the umask");
	ok(!load(scratch("plain"), NULL, &asked) && !asked, "it is read back without asking");
	ok(sm_keyring_save(scratch("plain"), &made, "me", NULL, 0, T, M, false) == SM_ERR_EXISTS, "it is not overwritten");
	unlink(scratch("plain"));
	ok(sm_keyring_save(scratch("plain"), &made, "me", NULL, 0, T, M, false) == SM_ERR_EXISTS && access(scratch("plain"), F_OK) < 0,
	   "nor is FILE.pub, and FILE is not made then");
	ok(!sm_keyring_save(scratch("plain"), &made, "me", NULL, 0, T, M, true), "but replaced where that is asked for");
	ok(sm_keyring_save(scratch("no/such"), &made, "me", NULL, 0, T, M, false) == SM_ERR_CANTCREAT && errno == ENOENT,
	   "no such directory");
	ok(sm_keyring_save(scratch("bad"), &made, "two\nlines", NULL, 0, T, M, false) == SM_ERR_FORMAT && access(scratch("bad"), F_OK) < 0,
	   "a comment that is no line");
	chmod(scratch("plain"), 0640);
	ok(load(scratch("plain"), NULL, NULL) == SM_ERR_PERM, "a file that others may read is refused");
	chmod(scratch("plain"), 0600);
	ok(load(scratch("none"), NULL, NULL) == SM_ERR_NOINPUT && errno == ENOENT, "no such file");
}

static void test_protected(void)
{
	int asked = 0;
	struct sm_buf text;
	sm_buf_init(&text, SM_KEYRING_FILE_MAX);
	ok(!sm_keyring_save(scratch("prot"), &made, "me", "pass", 4, T, M, false), "a protected file is written");
	ok(!sm_file_read(scratch("prot"), &text, true) && sm_keyring_is_secret(&text) &&
	           !memmem(text.data, text.len, "SM-SECRET-KEY", strlen("SM-SECRET-KEY")),
	   "it is an envelope, and does not show the key");
	ok(!load(scratch("prot"), "pass", &asked) && asked == 1, "the passphrase opens it");
	ok(load(scratch("prot"), "wrong", NULL) == SM_ERR_PASSPHRASE && load(scratch("prot"), "", NULL) == SM_ERR_PASSPHRASE,
	   "no other does");
	ok(load(scratch("prot"), NULL, NULL) == SM_ERR_NET, "what asking came to is passed on");
	struct sm_identity id = {0};
	ok(sm_keyring_load(&id, scratch("prot"), NULL, NULL, NULL) == SM_ERR_PASSPHRASE && !id.secret.data, "nobody to ask");
	sm_buf_release(&text);
}

/* The file with its byte at n/d of the whole changed, or cut there. */
static enum sm_err load_damaged(size_t n, size_t d, bool cut)
{
	struct sm_buf text;
	sm_buf_init(&text, SM_KEYRING_FILE_MAX);
	enum sm_err e = sm_file_read(scratch("prot"), &text, true);
	size_t at = text.len * n / d;
	if (!e && !cut)
		text.data[at] = text.data[at] == 'A' ? 'B' : 'A';
	if (!e)
		e = sm_file_replace(scratch("damaged"), text.data, cut ? at : text.len, 0600);
	sm_buf_release(&text);
	return e ? SM_ERR_BUG : load(scratch("damaged"), "pass", NULL);
}

static void test_damaged(void)
{
	int format = 0, n = 60;
	for (int i = 0; i < n; i++) {
		enum sm_err e = load_damaged((size_t)i, (size_t)n, i % 2);
		/* the salt's or the wrapped key's bytes: for all one can tell, another passphrase; the suite's name: another suite */
		format += e == SM_ERR_FORMAT || e == SM_ERR_PASSPHRASE || e == SM_ERR_SUITE;
	}
	ok(format == n, "damaged files are refused: %d of %d", format, n);
	ok(!sm_file_replace(scratch("damaged"), "hello\n", 6, 0600) && load(scratch("damaged"), NULL, NULL) == SM_ERR_FORMAT,
	   "some other file");
	ok(!sm_file_replace(scratch("damaged"), "", 0, 0600) && load(scratch("damaged"), NULL, NULL) == SM_ERR_FORMAT, "an empty one");
	ok(!sm_file_replace(scratch("damaged"), "-----BEGIN PRIVATE KEY-----\n", 28, 0600) &&
	           load(scratch("damaged"), NULL, NULL) == SM_ERR_FORMAT,
	   "a damaged key of the RSA suite");
}

/* The key's text in an envelope that smkeygen would not make; how is job but for what is the same in all. */
static enum sm_err load_sealed(struct sm_seal job, const char *armor, const char *before)
{
	struct sm_buf text, file;
	struct sm_source in;
	struct sm_sink out;
	sm_buf_init(&text, SM_KEYRING_FILE_MAX);
	sm_buf_init(&file, SM_KEYRING_FILE_MAX);
	job.pw = "pass", job.pwlen = 4, job.pw_t = T, job.pw_m = M;
	job.date = sm_time_now(), job.rand = &sm_rand_system, job.threads = 1;
	enum sm_err e = sm_identity_format(&text, &made, "me", job.date);
	sm_source_mem(&in, text.data, text.len, false);
	if (!e)
		e = sm_buf_adds(&file, before);
	sm_sink_mem(&out, &file, armor);
	if (!e)
		e = sm_seal(&job, &in, &out, NULL, NULL);
	if (!e)
		e = sm_file_replace(scratch("sealed"), file.data, file.len, 0600);
	sm_sink_release(&out);
	sm_source_release(&in);
	sm_buf_release(&text);
	sm_buf_release(&file);
	return e ? SM_ERR_BUG : load(scratch("sealed"), "pass", NULL);
}

/* A protected file whose stanza says pbkdf2: an envelope may, a key file may not. */
static enum sm_err load_pbkdf2(void)
{
	static const char old[] = "-> argon2id ", new[] = "-> pbkdf2 ";
	struct sm_buf text, raw, changed, file;
	uint8_t *at, *costs;
	sm_buf_init(&text, SM_KEYRING_FILE_MAX);
	sm_buf_init(&raw, SM_KEYRING_FILE_MAX);
	sm_buf_init(&changed, SM_KEYRING_FILE_MAX);
	sm_buf_init(&file, SM_KEYRING_FILE_MAX);
	enum sm_err e = sm_file_read(scratch("prot"), &text, true);
	if (!e)
		e = sm_dearmor(&raw, SM_ARMOR_ENVELOPE, text.data, text.len);
	at = e ? NULL : memmem(raw.data, raw.len, old, strlen(old));
	costs = at ? memmem(at, raw.len - (size_t)(at - raw.data), " 1 8\n", 5) : NULL;
	if (!costs || sm_buf_add(&changed, raw.data, (size_t)(at - raw.data)) || sm_buf_adds(&changed, new) ||
	    sm_buf_add(&changed, at + strlen(old), (size_t)(costs - at) - strlen(old)) || sm_buf_adds(&changed, " 1\n") ||
	    sm_buf_add(&changed, costs + 5, raw.len - (size_t)(costs + 5 - raw.data)) ||
	    sm_armor_encode(&file, SM_ARMOR_ENVELOPE, changed.data, changed.len) ||
	    sm_file_replace(scratch("pbkdf2"), file.data, file.len, 0600))
		e = SM_ERR_BUG;
	sm_buf_release(&text);
	sm_buf_release(&raw);
	sm_buf_release(&changed);
	sm_buf_release(&file);
	return e ? e : load(scratch("pbkdf2"), "pass", NULL);
}

static void test_strict(void)
{
	struct sm_seal anonymous = {0}, named = {.from = {.has_fp = true}}, other = named, signed_ = named, attached = named;
	struct sm_source in;
	struct sm_seal_attachment file = {.in = &in, .name = "a", .type = "text/plain"};
	memcpy(named.from.fp, made.pub.fp, SM_FP_LEN);
	memcpy(signed_.from.fp, made.pub.fp, SM_FP_LEN);
	memcpy(attached.from.fp, made.pub.fp, SM_FP_LEN);
	signed_.signer = &made;
	attached.attach = &file, attached.nattach = 1;
	sm_source_mem(&in, "abc", 3, false);
	ok(!load_sealed(named, SM_ARMOR_ENVELOPE, ""), "an envelope from its own key opens");
	ok(!load_sealed(anonymous, SM_ARMOR_ENVELOPE, ""), "or from nobody");
	ok(load_sealed(other, SM_ARMOR_ENVELOPE, "") == SM_ERR_FORMAT, "not one from another key");
	ok(load_sealed(named, NULL, "") == SM_ERR_FORMAT, "nor a binary one");
	ok(load_sealed(named, SM_ARMOR_ENVELOPE, "\n") == SM_ERR_FORMAT, "nor one behind white space");
	ok(load_sealed(signed_, SM_ARMOR_ENVELOPE, "") == SM_ERR_FORMAT, "nor a signed one");
	ok(load_sealed(attached, SM_ARMOR_ENVELOPE, "") == SM_ERR_FORMAT, "nor one with an attachment");
	ok(load_pbkdf2() == SM_ERR_FORMAT, "nor one under pbkdf2");
	sm_source_release(&in);
}

static void test_public(void)
{
	struct sm_public pub = {0};
	struct sm_buf comment;
	struct answer a = {.pw = "pass"};
	struct sm_identity other = {0};
	sm_buf_init(&comment, SM_COMMENT_MAX);
	ok(!sm_keyring_public(&pub, &comment, scratch("prot"), NULL, answer, &a) && !a.asked && !memcmp(pub.fp, made.pub.fp, SM_FP_LEN) &&
	           comment.len == 2 && !memcmp(comment.data, "me", 2),
	   "FILE.pub needs no passphrase");
	sm_buf_clear(&comment);
	unlink(scratch("prot.pub"));
	ok(!sm_keyring_public(&pub, &comment, scratch("prot"), NULL, answer, &a) && a.asked == 1 && comment.len == 2,
	   "without it FILE is opened");
	sm_buf_clear(&comment);
	ok(!sm_identity_generate(&other, &sm_rand_system) && !sm_keyring_save(scratch("other"), &other, "you", "x", 1, T, M, false) &&
	           rename(scratch("other.pub"), scratch("prot.pub")) == 0 &&
	           !sm_keyring_public(&pub, &comment, scratch("prot"), NULL, answer, &a) && a.asked == 2 &&
	           !memcmp(pub.fp, made.pub.fp, SM_FP_LEN),
	   "another key's FILE.pub is not believed");
	sm_buf_clear(&comment);
	ok(rename(scratch("prot.pub"), scratch("gone.pub")) == 0 && !sm_keyring_public(&pub, &comment, scratch("gone"), NULL, answer, &a) &&
	           !memcmp(pub.fp, other.pub.fp, SM_FP_LEN),
	   "FILE.pub is enough where FILE is elsewhere");
	ok(sm_keyring_public(&pub, &comment, scratch("none"), NULL, answer, &a) == SM_ERR_NOINPUT && errno == ENOENT, "neither");
	sm_identity_release(&other);
	sm_buf_release(&comment);
}

static void test_rewrite(void)
{
	struct sm_identity id = {0};
	struct sm_buf before, after;
	struct answer a = {.pw = "pass"};
	bool protected = false;
	sm_buf_init(&before, SM_KEYRING_FILE_MAX);
	sm_buf_init(&after, SM_KEYRING_FILE_MAX);
	ok(!sm_keyring_read(&id, &before, &protected, scratch("prot"), NULL, answer, &a) && protected && same_key(&id), "the text is read");
	ok(!sm_keyring_rewrite(scratch("prot"), &id, &before, "new", 3, T, M) && !load(scratch("prot"), "new", NULL) &&
	           load(scratch("prot"), "pass", NULL) == SM_ERR_PASSPHRASE,
	   "and put under another passphrase");
	ok(!sm_keyring_rewrite(scratch("prot"), &id, &before, NULL, 0, T, M) && !load(scratch("prot"), NULL, NULL), "or under none");
	ok(!sm_file_read(scratch("prot"), &after, true) && after.len == before.len && !memcmp(after.data, before.data, after.len),
	   "with its lines as they were");
	sm_identity_release(&id);
	sm_buf_release(&before);
	sm_buf_release(&after);
}

static void test_kernel(void)
{
	struct sm_identity id = {0};
	int asked = 0;
	enum sm_err e = sm_keyring_unlock(&made, 60);
	if (e == SM_ERR_IO) {
		tap_skip("no kernel keyring here: %s", strerror(errno));
		return;
	}
	ok(!e && !sm_keyring_unlocked(&id, made.pub.fp) && same_key(&id), "an unlocked key is found");
	sm_identity_release(&id);
	ok(!sm_keyring_save(scratch("kernel"), &made, "", "pass", 4, T, M, false) && !load(scratch("kernel"), NULL, &asked) && !asked,
	   "its file opens without asking");
	unlink(scratch("kernel.pub"));
	ok(!load(scratch("kernel"), NULL, &asked) && !asked, "also without FILE.pub");
	struct answer a = {.pw = "wrong"};
	ok(sm_keyring_read(&id, NULL, NULL, scratch("kernel"), NULL, answer, &a) == SM_ERR_PASSPHRASE && a.asked == 1,
	   "but not where the passphrase itself is asked for");
	ok(!sm_keyring_unlock(&made, 3600), "unlocking again takes its place");
	ok(!sm_keyring_lock(made.pub.fp) && sm_keyring_unlocked(&id, made.pub.fp) == SM_ERR_NOTFOUND, "locked, it is gone");
	ok(sm_keyring_lock(made.pub.fp) == SM_ERR_NOTFOUND, "locking twice");
	ok(sm_keyring_unlock(&made, 0) == SM_ERR_LIMIT, "no time is not for ever");
}

static void test_store_key(void)
{
	struct sm_identity id = {0};
	uint8_t seed[SM_SEED_LEN], a[32], b[32];
	/* HKDF-SHA256, no salt, ikm 32 times 07, info "sm-store/1 totp": computed with another implementation */
	static const uint8_t want[32] = {0x5c, 0xdf, 0xcf, 0x9a, 0x51, 0x54, 0x97, 0x7e, 0xc5, 0x43, 0xdc, 0x69, 0x18, 0x5c, 0xd5, 0xfc,
	                                 0xa0, 0x35, 0xa3, 0x49, 0xf0, 0x7c, 0x48, 0x08, 0x47, 0x6e, 0xb8, 0x7c, 0x6a, 0x5a, 0xd5, 0xe9};
	memset(seed, 7, sizeof(seed));
	ok(!sm_identity_from_seed(&id, seed) && !sm_keyring_store_key(a, &id, "totp") && !sm_keyring_store_key(b, &id, "inbox") &&
	           !memcmp(a, want, 32) && memcmp(a, b, 32) != 0,
	   "keys for what is stored");
	sm_identity_release(&id);
}

int main(void)
{
	if (!scratch_make() || sm_identity_generate(&made, &sm_rand_system)) {
		ok(false, "a directory and a key to work with");
		return tap_done();
	}
	test_plain();
	test_protected();
	test_damaged();
	test_strict();
	test_public();
	test_rewrite();
	test_kernel();
	test_store_key();
	sm_identity_release(&made);
	return tap_done();
}
