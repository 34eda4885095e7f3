/* PBKDF2 on the Wycheproof vectors; Argon2id on answers of the reference implementation's argon2(1), because RFC 9106 has p = 4 only. */
#include "crypto/pwhash.h"

#include "vectors.h"

static void pbkdf2(struct tally *t, const json_t *group, const json_t *test)
{
	struct bytes pw = json_hex(test, "password"), salt = json_hex(test, "salt"), want = json_hex(test, "dk");
	struct bytes got = bytes_new((size_t)json_number(test, "dkLen"));
	uint32_t rounds = (uint32_t)json_number(test, "iterationCount");

	(void)group;
	tally(t, test, sm_pbkdf2(got.p, got.n, pw.p, pw.n, salt.p, salt.n, rounds) == SM_OK && bytes_equal(got.p, want.p, got.n));
}

/* printf PASSWORD | argon2 0123456789abcdef -id -t T -k M -p 1 -l 32 -r */
static void argon2id(void)
{
	static const struct {
		uint32_t t, m;
		size_t n;
		const char *pw, *key;
	} known[] = {
	        {1, 8, 13, "correct horse", "33b8f0d06408e0a7dcc5ffb13e575f35162db4ff3db1c73d5d501801c699d14d"},
	        {2, 64, 13, "correct horse", "74fb6b1d311ac0bb4c891f7efd79680245d9f84b72ad8f9bbe61c86e2b9f864d"},
	        {3, 4096, 13, "correct horse", "c8abb756fc699c6ba2a0e328a36df2224fa8bd3330b23433106ac89f56976267"},
	        {3, 65536, 13, "correct horse", "92599c67f23f1d9dce9b6f0cfb5a9b18ce110336de00799947472465edd9e49a"},
	        {10, 1024, 13, "correct horse", "aa393ee6f0cbe087184a460bfb5b5f676f8082ba4ea3d7dacce8f350862fc6a6"},
	        {2, 256, 7, "\0pass\0\377", "f7a8f0f8dcefecdfffec350cf0fb03d6530f2898bb88c682109ceb9b5a6abd55"},
	};
	const uint8_t *salt = (const uint8_t *)"0123456789abcdef";
	struct tally t = {0, 0};
	uint8_t key[32];

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		tally(&t, NULL,
		      sm_argon2id(key, known[i].pw, known[i].n, salt, known[i].t, known[i].m) == SM_OK &&
		              memcmp(key, unhex(known[i].key).p, 32) == 0);
		vectors_free();
	}
	tally_ok(&t, "Argon2id, p = 1");
}

static void limits(void)
{
	uint8_t key[32] = {0}, salt[SM_PBKDF2_SALT_MAX + 1] = {0};

	ok(sm_argon2id(key, "", 0, salt, 1, 8) == SM_OK, "an empty password is one");
	ok(sm_argon2id(key, "x", 1, salt, 0, 8) == SM_ERR_LIMIT, "no passes");
	ok(sm_argon2id(key, "x", 1, salt, 11, 8) == SM_ERR_LIMIT, "too many passes");
	ok(sm_argon2id(key, "x", 1, salt, 1, 7) == SM_ERR_LIMIT, "too little memory");
	ok(sm_argon2id(key, "x", 1, salt, 1, 1048577) == SM_ERR_LIMIT, "too much memory");
	ok(sm_pbkdf2(key, 32, "x", 1, salt, SM_PBKDF2_SALT_MAX, 1) == SM_OK, "the longest salt");
	ok(sm_pbkdf2(key, 32, "x", 1, salt, sizeof salt, 1) == SM_ERR_LIMIT, "a longer salt");
	ok(sm_pbkdf2(key, 32, "x", 1, salt, 16, 0) == SM_ERR_LIMIT, "no rounds");
	ok(sm_pbkdf2(key, 32, "x", 1, salt, 16, 10000001) == SM_ERR_LIMIT, "too many rounds");
}

int main(void)
{
	wycheproof("pbkdf2_hmacsha256.json", pbkdf2);
	argon2id();
	limits();
	return tap_done();
}
