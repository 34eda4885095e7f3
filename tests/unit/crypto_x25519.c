/* X25519 on the Wycheproof vectors. "acceptable" ones must be computed, except that an all-zero result is refused. */
#include "crypto/x25519.h"

#include "vectors.h"

static void xdh(struct tally *t, const json_t *group, const json_t *test)
{
	struct bytes pk = json_hex(test, "public"), sk = json_hex(test, "private"), want = json_hex(test, "shared");
	uint8_t got[32];
	enum sm_err e;

	(void)group;
	memset(got, 0x55, sizeof got);
	e = sm_x25519(got, sk.p, pk.p);
	if (json_has(test, "flags", "ZeroSharedSecret"))
		tally(t, test, e == SM_ERR_FORMAT && got[0] == 0x55 && got[31] == 0x55);
	else
		tally(t, test, e == SM_OK && memcmp(got, want.p, 32) == 0);
}

/* RFC 7748 section 6.1. */
static void diffie_hellman(void)
{
	struct bytes a = unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
	struct bytes b = unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
	struct bytes pa = unhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	struct bytes pb = unhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	struct bytes k = unhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	uint8_t got[32];

	sm_x25519_pk(got, a.p);
	ok(memcmp(got, pa.p, 32) == 0, "Alice's public key");
	sm_x25519_pk(got, b.p);
	ok(memcmp(got, pb.p, 32) == 0, "Bob's public key");
	ok(sm_x25519(got, a.p, pb.p) == SM_OK && memcmp(got, k.p, 32) == 0, "the shared secret, from Alice");
	ok(sm_x25519(got, b.p, pa.p) == SM_OK && memcmp(got, k.p, 32) == 0, "the shared secret, from Bob");
	vectors_free();
}

int main(void)
{
	wycheproof("x25519.json", xdh);
	diffie_hellman();
	return tap_done();
}
