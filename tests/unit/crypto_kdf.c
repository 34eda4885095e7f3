/* SHA-2, HMAC-SHA-256 and HKDF on the FIPS 180 examples and the Wycheproof vectors. */
#include "crypto/kdf.h"

#include "crypto/hash.h"
#include "vectors.h"

static void hmac(struct tally *t, const json_t *group, const json_t *test)
{
	struct bytes key = json_hex(test, "key"), msg = json_hex(test, "msg"), tag = json_hex(test, "tag");
	uint8_t got[32];

	(void)group; /* a tag of 16 bytes is the first half */
	sm_hmac_sha256(got, key.p, key.n, msg.p, msg.n);
	tally(t, test, (memcmp(got, tag.p, tag.n) == 0) == json_is(test, "result", "valid"));
}

static void hkdf(struct tally *t, const json_t *group, const json_t *test)
{
	struct bytes ikm = json_hex(test, "ikm"), salt = json_hex(test, "salt"), info = json_hex(test, "info"), okm = json_hex(test, "okm");
	struct bytes got = bytes_new((size_t)json_number(test, "size"));
	enum sm_err e = sm_hkdf_sha256(got.p, got.n, salt.p, salt.n, ikm.p, ikm.n, info.p, info.n);

	(void)group;
	if (json_is(test, "result", "valid"))
		tally(t, test, e == SM_OK && bytes_equal(got.p, okm.p, got.n));
	else
		tally(t, test, e == SM_ERR_LIMIT);
}

static void sha2(void)
{
	struct bytes abc256 = unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	struct bytes none256 = unhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	struct bytes million256 = unhex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	struct bytes abc512 = unhex("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	                            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	struct sm_sha256 h = {NULL};
	uint8_t got[64];

	sm_sha256(got, "abc", 3);
	ok(memcmp(got, abc256.p, 32) == 0, "SHA-256 of abc");
	sm_sha256(got, NULL, 0);
	ok(memcmp(got, none256.p, 32) == 0, "SHA-256 of nothing");
	sm_sha512(got, "abc", 3);
	ok(memcmp(got, abc512.p, 64) == 0, "SHA-512 of abc");
	sm_sha256_release(&h);
	if (!ok(sm_sha256_init(&h) == SM_OK, "incremental SHA-256 starts"))
		return;
	for (size_t i = 0; i < 100000; i++)
		sm_sha256_update(&h, "aaaaaaaaaa", 10);
	sm_sha256_final(&h, got);
	ok(memcmp(got, million256.p, 32) == 0, "SHA-256 of a million a, in pieces");
	sm_sha256_reset(&h);
	sm_sha256_update(&h, "ab", 2);
	sm_sha256_update(&h, NULL, 0);
	sm_sha256_update(&h, "c", 1);
	sm_sha256_final(&h, got);
	ok(memcmp(got, abc256.p, 32) == 0, "and again after a reset");
	sm_sha256_release(&h);
	sm_sha256_release(&h);
	vectors_free();
}

/* RFC 5869's own cases have no SHA-512; these were computed with Python's hmac module. */
static void expand_sha512(void)
{
	struct bytes prk = bytes_new(32), want = unhex("7b6ce6950af7089be350b0a052826607099981acb6191b0ac83af118d52655fed388f32f19a9"
	                                               "3650ad859b39b7838cc8c199640c2df4442a0595e9542f2b97312a7ebcfb427f88a08189d636");
	uint8_t got[76];
	struct bytes most = bytes_new((size_t)255 * 64 + 1);

	memset(prk.p, 0x0b, 32);
	ok(sm_hkdf_sha512_expand(got, 76, prk.p, 32, "info", 4) == SM_OK && memcmp(got, want.p, 76) == 0, "HKDF-Expand with SHA-512");
	ok(sm_hkdf_sha512_expand(most.p, most.n - 1, prk.p, 32, NULL, 0) == SM_OK, "255 blocks can be had");
	ok(sm_hkdf_sha512_expand(most.p, most.n, prk.p, 32, NULL, 0) == SM_ERR_LIMIT, "and no byte more");
	vectors_free();
}

int main(void)
{
	wycheproof("hmac_sha256.json", hmac);
	wycheproof("hkdf_sha256.json", hkdf);
	sha2();
	expand_sha512();
	return tap_done();
}
