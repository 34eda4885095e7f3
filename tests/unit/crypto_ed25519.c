/* Ed25519: Wycheproof signatures, RFC 8032 keys, and the public keys that must be refused. */
#include "crypto/sign.h"

#include "crypto/x25519.h"
#include "vectors.h"

#include <sodium.h>

static void verify(struct tally *t, const json_t *group, const json_t *test)
{
	struct bytes pk = json_hex(json_object_get(group, "publicKey"), "pk"), msg = json_hex(test, "msg"), sig = json_hex(test, "sig");
	bool valid = json_is(test, "result", "valid");

	/* Another size than 64 is refused by whoever reads the signature: sm_verify takes no size. */
	if (sig.n != SM_SIG_LEN)
		tally(t, test, !valid);
	else
		tally(t, test, sm_pk_check(pk.p) == SM_OK && sm_verify(sig.p, msg.p, msg.n, pk.p) == (valid ? SM_OK : SM_ERR_SIGNATURE));
}

/* RFC 8032 section 7.1, tests 1 to 3. */
static void sign(void)
{
	static const char *const rfc[][4] = {
	        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438"
	         "e7a100b"},
	        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d29161"
	         "2bb0c00"},
	        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027becee"
	         "a1ec40a"},
	};
	struct tally t = {0, 0};

	for (size_t i = 0; i < sizeof rfc / sizeof *rfc; i++) {
		struct bytes seed = unhex(rfc[i][0]), pk = unhex(rfc[i][1]), msg = unhex(rfc[i][2]), want = unhex(rfc[i][3]);
		uint8_t got_pk[32], sig[64], x_sk[32], x_pk[32], x_mapped[32];

		sm_seed_to_pk(got_pk, seed.p);
		sm_seed_to_x25519(x_sk, seed.p);
		sm_x25519_pk(x_pk, x_sk);
		tally(&t, NULL,
		      memcmp(got_pk, pk.p, 32) == 0 && sm_pk_check(pk.p) == SM_OK && sm_sign(sig, msg.p, msg.n, seed.p) == SM_OK &&
		              memcmp(sig, want.p, 64) == 0 && sm_verify(sig, msg.p, msg.n, pk.p) == SM_OK &&
		              sm_pk_to_x25519(x_mapped, pk.p) == SM_OK && memcmp(x_mapped, x_pk, 32) == 0);
		vectors_free();
	}
	tally_ok(&t, "RFC 8032 keys, signatures and their X25519 keys");
}

/* The eight points whose order divides 8, in canonical form. */
static const char *const small_order[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
};
/* The same group written otherwise: y >= p, or x = 0 with the sign bit. */
static const char *const small_order_otherwise[] = {
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static bool refused(const uint8_t pk[static 32])
{
	uint8_t x[32] = {0x55};

	return sm_pk_check(pk) == SM_ERR_FORMAT && sm_pk_to_x25519(x, pk) == SM_ERR_FORMAT && x[0] == 0x55;
}

static void refuse_list(const char *const *list, size_t n, const char *name)
{
	struct tally t = {0, 0};

	for (size_t i = 0; i < n; i++) {
		tally(&t, NULL, refused(unhex(list[i]).p));
		vectors_free();
	}
	tally_ok(&t, name);
}

/* A good key plus each small-order point but the identity: order 2L, 4L or 8L. */
static void refuse_mixed_order(void)
{
	uint8_t seed[32] = {7}, pk[32], mixed[32];
	struct tally t = {0, 0};

	sm_seed_to_pk(pk, seed);
	for (size_t i = 1; i < sizeof small_order / sizeof *small_order; i++) {
		int bad = crypto_core_ed25519_add(mixed, pk, unhex(small_order[i]).p);

		tally(&t, NULL, bad == 0 && memcmp(mixed, pk, 32) != 0 && refused(mixed));
		vectors_free();
	}
	tally_ok(&t, "points of mixed order are refused");
}

/* 2^255 - 19 + y for the y below 19, with either sign: all are second spellings, of points or of nothing. */
static void refuse_not_canonical(void)
{
	struct tally t = {0, 0};
	uint8_t pk[32];

	for (unsigned i = 0; i < 38; i++) {
		memset(pk, 0xff, sizeof pk);
		pk[0] = (uint8_t)(0xed + i / 2);
		pk[31] = i % 2 ? 0xff : 0x7f;
		tally(&t, NULL, refused(pk));
	}
	tally_ok(&t, "y of p and over is refused");
}

/* About half of all y have no x: count them over a run of y, and see that libsodium's decoder and ours agree on each. */
static void refuse_off_curve(void)
{
	struct tally t = {0, 0};
	uint8_t pk[32] = {0}, sum[32], base[32];

	memset(base, 0x66, sizeof base);
	base[0] = 0x58;
	for (unsigned y = 2; y < 200; y++) {
		pk[0] = (uint8_t)y;
		if (crypto_core_ed25519_add(sum, pk, base) != 0)
			tally(&t, NULL, refused(pk));
	}
	ok(t.bad == 0 && t.run > 60 && t.run < 140, "y without a point is refused: %d cases", t.run);
}

int main(void)
{
	wycheproof("ed25519.json", verify);
	sign();
	refuse_list(small_order, sizeof small_order / sizeof *small_order, "points of small order are refused");
	refuse_list(small_order_otherwise, sizeof small_order_otherwise / sizeof *small_order_otherwise,
	            "points of small order are refused in every spelling");
	refuse_mixed_order();
	refuse_not_canonical();
	refuse_off_curve();
	return tap_done();
}
