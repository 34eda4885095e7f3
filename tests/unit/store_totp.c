/* The authenticator's file: entries come back in order, only under the identity that they were kept under, and no change is lost. */
#include "scratch.h"
#include "tap.h"

#include "base/file.h"
#include "base/path.h"
#include "store/totp.h"

#include <sys/stat.h>
#include <sys/wait.h>

static struct sm_identity me, other;

static struct sm_totp_entry entry(const char *name, size_t keylen)
{
	struct sm_totp_entry t = {.otp = {.hash = SM_OTP_SHA256, .digits = 7, .period = 45, .keylen = keylen}};
	snprintf(t.name, sizeof(t.name), "%s", name);
	snprintf(t.otp.issuer, sizeof(t.otp.issuer), "issuer of %s", name);
	memset(t.otp.key, name[0], keylen);
	return t;
}

static enum sm_err add(const char *name, size_t keylen)
{
	struct sm_totp_entry t = entry(name, keylen);
	return sm_totp_add(NULL, &me, &t, &sm_rand_system);
}

static char *file_path(void)
{
	char *path = NULL;
	return sm_path(&path, SM_DIR_DATA, NULL, "totp", 0) ? NULL : path;
}

static void test_entries(void)
{
	struct sm_totp_list l = {0};
	ok(!sm_totp_read(&l, NULL, &me) && l.n == 0, "no file is no entries");
	sm_totp_release(&l);
	ok(!add("mid", 20) && !add("zoo", 128) && !add("a", 1), "added");
	ok(add("mid", 5) == SM_ERR_EXISTS, "a name is taken once");
	ok(!sm_totp_read(&l, NULL, &me) && l.n == 3 && !strcmp(l.entry[0].name, "a") && !strcmp(l.entry[1].name, "mid") &&
	           !strcmp(l.entry[2].name, "zoo"),
	   "read back in order");
	const struct sm_totp_entry *t = sm_totp_find(&l, "zoo"), want = entry("zoo", 128);
	ok(t && t->otp.keylen == 128 && !memcmp(t->otp.key, want.otp.key, 128) && t->otp.hash == SM_OTP_SHA256 && t->otp.digits == 7 &&
	           t->otp.period == 45 && !strcmp(t->otp.issuer, "issuer of zoo") && !*t->otp.account,
	   "whole");
	ok(!sm_totp_find(&l, "none"), "no such name");
	sm_totp_release(&l);
	ok(!sm_totp_remove(NULL, &me, "mid", &sm_rand_system) && sm_totp_remove(NULL, &me, "mid", &sm_rand_system) == SM_ERR_NOTFOUND,
	   "removed, once");
	ok(!sm_totp_read(&l, NULL, &me) && l.n == 2 && !sm_totp_find(&l, "mid") && sm_totp_find(&l, "a"), "the others stay");
	sm_totp_release(&l);
}

static void test_names(void)
{
	ok(sm_totp_name_ok("a") && sm_totp_name_ok("alice@example.org:80") &&
	           sm_totp_name_ok("1234567890123456789012345678901234567890123456789012345678901234"),
	   "names");
	ok(!sm_totp_name_ok("") && !sm_totp_name_ok("-a") && !sm_totp_name_ok("a b") && !sm_totp_name_ok("a\tb") &&
	           !sm_totp_name_ok("\xc3\xbc") && !sm_totp_name_ok("12345678901234567890123456789012345678901234567890123456789012345"),
	   "no names");
}

static void test_file(void)
{
	struct sm_totp_list l = {0};
	struct sm_buf text;
	struct stat st;
	char *path = file_path();
	int refused = 0, tried = 0;
	sm_buf_init(&text, 1u << 20);
	ok(path && stat(path, &st) == 0 && (st.st_mode & 07777) == 0600, "0600");
	ok(sm_totp_read(&l, NULL, &other) == SM_ERR_PAYLOAD, "another identity does not open it");
	ok(!sm_file_read(path, &text, true) && !memmem(text.data, text.len, "zoo", 3) && !memmem(text.data, text.len, "issuer", 6),
	   "nothing shows");
	for (size_t i = 0; i < text.len; i += 7, tried++) {
		text.data[i] ^= 1;
		enum sm_err e = sm_file_replace(path, text.data, text.len, 0600);
		if (!e)
			e = sm_totp_read(&l, NULL, &me);
		refused += e == SM_ERR_PAYLOAD || e == SM_ERR_FORMAT;
		text.data[i] ^= 1;
	}
	ok(tried > 20 && refused == tried && !l.entry, "a changed byte is noticed: %d of %d", refused, tried);
	ok(!sm_file_replace(path, text.data, 40, 0600) && sm_totp_read(&l, NULL, &me) == SM_ERR_FORMAT, "cut short");
	ok(add("new", 5) == SM_ERR_FORMAT, "a damaged file is not written over");
	ok(!sm_file_replace(path, text.data, text.len, 0600) && !sm_totp_read(&l, NULL, &me) && l.n == 2, "unharmed, it opens");
	sm_totp_release(&l);
	chmod(path, 0644);
	ok(sm_totp_read(&l, NULL, &me) == SM_ERR_PERM, "open to others, it is refused");
	chmod(path, 0600);
	sm_buf_release(&text);
	free(path);
}

/* Eight processes at once: none undoes another's change. */
static void test_concurrent(void)
{
	struct sm_totp_list l = {0};
	int good = 0;
	fflush(stdout);
	for (int p = 0; p < 8; p++) {
		if (fork() == 0) {
			char name[32];
			bool all = true;
			for (int i = 0; i < 10; i++) {
				snprintf(name, sizeof(name), "p%d-%d", p, i);
				all = add(name, 20) == SM_OK && all;
			}
			_exit(!all);
		}
	}
	for (int p = 0, status; p < 8; p++)
		good += wait(&status) > 0 && status == 0;
	ok(good == 8 && !sm_totp_read(&l, NULL, &me) && l.n == 82, "80 changes by 8 processes: %zu entries", l.n);
	sm_totp_release(&l);
}

int main(void)
{
	umask(0);
	if (!scratch_make() || setenv("SM_HOME", scratch("home"), 1) || sm_identity_generate(&me, &sm_rand_system) ||
	    sm_identity_generate(&other, &sm_rand_system)) {
		ok(false, "a directory and keys to work with");
		return tap_done();
	}
	test_entries();
	test_names();
	test_file();
	test_concurrent();
	sm_identity_release(&me);
	sm_identity_release(&other);
	return tap_done();
}
