/* Login cryptography: against values computed by another program from sm-protocol(7) alone; the password policy's sentences. */
#include "base/base64.h"
#include "net/account.h"
#include "net/mailbox.h"

#include "tap.h"

#include <string.h>

static bool is_hex(const uint8_t *p, const char *hex)
{
	char text[65];
	sm_hex(text, p, 32);
	return !strcmp(text, hex);
}

static void test_proofs(void)
{
	struct sm_scram s = {.origin = "localhost:8080", .user = "alice", .kdf = {3, 65536}, .expires = 1700000060};
	uint8_t auth[32], stored[32], server[32], proof[32], answer[32];
	memset(auth, 7, sizeof(auth));
	memset(s.device, 1, sizeof(s.device));
	memset(s.cnonce, 2, sizeof(s.cnonce));
	memset(s.nonce, 3, sizeof(s.nonce));
	memset(s.salt, 4, sizeof(s.salt));
	sm_scram_verifier(stored, server, auth);
	ok(is_hex(stored, "ce070ec55f16927529272711132ac6e1568fe921ceac0c8dc2017d264232f77a"), "stored key");
	ok(is_hex(server, "d4a3cf039114f007712e98d612c9a92d2b7626328566d61cfecbbb2c9483f8e9"), "server key");
	ok(sm_scram_proof(proof, answer, &s, auth) == SM_OK, "makes a proof");
	ok(is_hex(proof, "0122e94061cb235a941dc7b2d80a924bf49dbb752cb5cb63488aac98650296c4"), "client proof");
	ok(is_hex(answer, "58a44a623495bc54a291e2fa4c0d2299004b28befe9a8355d0c6da772e6b5f34"), "server signature");
	s.expires++;
	ok(sm_scram_proof(proof, answer, &s, auth) == SM_OK &&
	           !is_hex(answer, "58a44a623495bc54a291e2fa4c0d2299004b28befe9a8355d0c6da772e6b5f34"),
	   "every value is bound in");
}

static void test_device_signature(void)
{
	struct sm_scram s = {.origin = "example.org", .user = "bob", .expires = 99};
	struct sm_identity id = {0};
	uint8_t seed[32], sig[SM_SIG_LEN], other[SM_SIG_LEN];
	struct sm_buf m;
	memset(seed, 9, sizeof(seed));
	ok(sm_identity_from_seed(&id, seed) == SM_OK, "identity");
	memcpy(s.device, id.pub.fp, 32);
	memset(s.nonce, 5, sizeof(s.nonce));
	sm_buf_init(&m, 1024);
	ok(!sm_buf_add(&m, "SM-AUTH-v1", 11) && !sm_buf_add(&m, "\0\0\0\5login\0\0\0\13example.org\0\0\0\3bob", 31) &&
	           !sm_buf_add(&m, id.pub.fp, 32) && !sm_buf_add(&m, s.nonce, 32) && !sm_buf_add_be64(&m, 99),
	   "the signed bytes, by hand");
	ok(sm_scram_device_signature(sig, "login", &s, &id) == SM_OK && sm_verify(sig, m.data, m.len, id.pub.ed25519) == SM_OK, "verifies");
	ok(sm_scram_device_signature(other, "register", &s, &id) == SM_OK && sm_verify(other, m.data, m.len, id.pub.ed25519) != SM_OK,
	   "one made to register is none to log in");
	sm_buf_release(&m);
	sm_identity_release(&id);
}

static void test_kdf(void)
{
	uint8_t a[32], b[32], salt[16] = {1};
	const struct sm_kdf good = {1, 19456}, weak = {3, 19455}, heavy = {3, 1048577}, slow = {11, 65536}, none = {0, 65536};
	ok(sm_scram_auth_key(a, "secret", 6, salt, &good) == SM_OK, "derives with the least that is allowed");
	ok(sm_scram_auth_key(b, "secret", 6, salt, &good) == SM_OK && !memcmp(a, b, 32), "the same again");
	salt[0] = 2;
	ok(sm_scram_auth_key(b, "secret", 6, salt, &good) == SM_OK && memcmp(a, b, 32) != 0, "another salt, another key");
	ok(sm_scram_auth_key(a, "x", 1, salt, &weak) == SM_ERR_PROTOCOL && sm_scram_auth_key(a, "x", 1, salt, &heavy) == SM_ERR_PROTOCOL &&
	           sm_scram_auth_key(a, "x", 1, salt, &slow) == SM_ERR_PROTOCOL &&
	           sm_scram_auth_key(a, "x", 1, salt, &none) == SM_ERR_PROTOCOL,
	   "parameters out of bounds are refused");
}

static bool says(const struct sm_policy *p, const char *password, const char *what)
{
	const char *got = sm_policy_password(p, password, strlen(password));
	return what ? got && !strcmp(got, what) : !got;
}

static void test_policy(void)
{
	const struct sm_policy p = {.min_length = 8, .letter = true, .number = true, .special = true};
	ok(says(&p, "a1!", "Password must be at least 8 characters long"), "too short");
	ok(says(&p, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f!1a", "Password must be at least 8 characters long"),
	   "characters are counted, not bytes");
	ok(says(&p, "12345678!", "Password must contain at least one letter"), "no letter");
	ok(says(&p, "abcdefgh!", "Password must contain at least one number"), "no number");
	ok(says(&p, "abcdefg12", "Password must contain at least one special character"), "nothing special");
	ok(says(&p, "abcdef1!", NULL) && says(&p, "correct horse 1", NULL), "good ones");
}

static void test_keys(void)
{
	char a[27], b[27];
	sm_key_make(a, 1700000000000, &sm_rand_system);
	sm_key_make(b, 1700000000001, &sm_rand_system);
	ok(sm_key_valid(a) && strlen(a) == 26 && strcmp(a, b) < 0, "idempotency keys grow with time");
	ok(!sm_key_valid("") && !sm_key_valid("a b") && !sm_key_valid("a/b") && sm_key_valid("backup-2026-11-20T01:02.x_y"),
	   "what a key may hold");
	ok(!sm_key_valid("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "65 characters are too many");
}

static void test_page(void)
{
	struct sm_buf b;
	struct sm_span left;
	struct sm_incoming m;
	enum sm_err e;
	sm_buf_init(&b, 1024);
	ok(!sm_buf_add_be64(&b, 7) && !sm_buf_add_be64(&b, 1700000000123) && !sm_buf_add_lp(&b, "abc", 3) && !sm_buf_add_be64(&b, 9) &&
	           !sm_buf_add_be64(&b, 1) && !sm_buf_add_lp(&b, "", 0),
	   "a page of two");
	left = (struct sm_span){b.data, b.len};
	ok(sm_page_next(&m, &left, &e) && m.seq == 7 && m.received == 1700000000123 && sm_span_equals(m.envelope, "abc"), "the first");
	ok(sm_page_next(&m, &left, &e) && m.seq == 9 && !m.envelope.n, "the second");
	ok(!sm_page_next(&m, &left, &e) && e == SM_OK, "the end");
	for (size_t cut = 1, bad = 0; cut < b.len; cut++) {
		left = (struct sm_span){b.data, cut};
		while (sm_page_next(&m, &left, &e))
			;
		bad += (e == SM_ERR_PROTOCOL) != (cut != 23);
		if (cut == b.len - 1)
			ok(!bad, "a page cut off anywhere is malformed");
	}
	b.data[0] = 0x80;
	left = (struct sm_span){b.data, b.len};
	ok(!sm_page_next(&m, &left, &e) && e == SM_ERR_PROTOCOL, "a seq that no database can hold is malformed");
	sm_buf_release(&b);
}

int main(void)
{
	if (sm_secret_harden() != SM_OK)
		return 1;
	test_proofs();
	test_device_signature();
	test_kdf();
	test_policy();
	test_keys();
	test_page();
	return tap_done();
}
