/* AES-256-GCM on the Wycheproof vectors for 96-bit nonces. */
#include "crypto/aead_impl.h"

#include "vectors.h"

/* Each provider by itself, and the choice between them. */
static const struct aead {
	const char *name;
	enum sm_err (*seal)(uint8_t *, const uint8_t *, const uint8_t *, const void *, size_t, const uint8_t *, size_t);
	enum sm_err (*open)(uint8_t *, const uint8_t *, const uint8_t *, const void *, size_t, const uint8_t *, size_t);
} both = {"sm_aead", sm_aead_seal, sm_aead_open}, evp = {"OpenSSL", sm_aead_seal_evp, sm_aead_open_evp},
  small = {"libsodium", sm_aead_seal_small, sm_aead_open_small}, *aead = &both;

static bool wiped(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i])
			return false;
	}
	return true;
}

static bool seals(struct bytes key, struct bytes iv, struct bytes aad, struct bytes msg, struct bytes sealed)
{
	struct bytes out = bytes_new(msg.n + SM_AEAD_TAG), inplace = bytes_new(msg.n + SM_AEAD_TAG);

	memcpy(inplace.p, msg.p, msg.n);
	return aead->seal(out.p, key.p, iv.p, aad.p, aad.n, msg.p, msg.n) == SM_OK && bytes_equal(out.p, sealed.p, sealed.n) &&
	       aead->seal(inplace.p, key.p, iv.p, aad.p, aad.n, inplace.p, msg.n) == SM_OK && bytes_equal(inplace.p, sealed.p, sealed.n);
}

static bool opens(struct bytes key, struct bytes iv, struct bytes aad, struct bytes msg, struct bytes sealed)
{
	struct bytes out = bytes_new(msg.n);

	return aead->open(out.p, key.p, iv.p, aad.p, aad.n, sealed.p, sealed.n) == SM_OK && bytes_equal(out.p, msg.p, msg.n) &&
	       aead->open(sealed.p, key.p, iv.p, aad.p, aad.n, sealed.p, sealed.n) == SM_OK && bytes_equal(sealed.p, msg.p, msg.n);
}

static void gcm(struct tally *t, const json_t *group, const json_t *test)
{
	struct bytes key, iv, aad, msg, ct, tag, sealed, out;

	if (json_number(group, "keySize") != 256 || json_number(group, "ivSize") != 96 || json_number(group, "tagSize") != 128)
		return;
	key = json_hex(test, "key"), iv = json_hex(test, "iv"), aad = json_hex(test, "aad"), msg = json_hex(test, "msg");
	ct = json_hex(test, "ct"), tag = json_hex(test, "tag");
	sealed = bytes_new(ct.n + tag.n);
	memcpy(sealed.p, ct.p, ct.n);
	memcpy(sealed.p + ct.n, tag.p, tag.n);
	if (json_is(test, "result", "valid")) {
		tally(t, test, seals(key, iv, aad, msg, sealed) && opens(key, iv, aad, msg, sealed));
		return;
	}
	out = bytes_new(ct.n);
	memset(out.p, 0xaa, ct.n);
	tally(t, test,
	      aead->open(out.p, key.p, iv.p, aad.p, aad.n, sealed.p, sealed.n) == SM_ERR_PAYLOAD && wiped(out.p, ct.n) &&
	              !seals(key, iv, aad, msg, sealed));
}

static void test_one(const struct aead *which)
{
	const uint8_t key[32] = {1}, nonce[12] = {2};
	uint8_t sealed[SM_AEAD_TAG], open[1];

	aead = which;
	printf("# %s\n", which->name);
	wycheproof("aes_gcm.json", gcm);
	ok(aead->seal(sealed, key, nonce, "a", 1, NULL, 0) == SM_OK && aead->open(open, key, nonce, "a", 1, sealed, 16) == SM_OK,
	   "%s: an empty message with data beside it", which->name);
	ok(aead->open(open, key, nonce, "b", 1, sealed, 16) == SM_ERR_PAYLOAD, "%s: other data beside it is refused", which->name);
}

int main(void)
{
	const uint8_t key[32] = {1}, nonce[12] = {2};
	uint8_t sealed[SM_AEAD_TAG] = {0}, open[1];
	static uint8_t in[2 * SM_AEAD_SMALL], a[sizeof in + SM_AEAD_TAG], b[sizeof in + SM_AEAD_TAG];
	bool same = true;

	test_one(&both);
	test_one(&evp);
	if (sm_aead_small_usable())
		test_one(&small);
	else
		tap_skip("libsodium has no AES-256-GCM on this processor");
	ok(sm_aead_open(open, key, nonce, NULL, 0, sealed, 0) == SM_ERR_PAYLOAD, "nothing is shorter than a tag");
	for (size_t n = SM_AEAD_SMALL - 2; same && n < SM_AEAD_SMALL + 3; n++)
		same = !sm_aead_seal(a, key, nonce, "x", 1, in, n) && !sm_aead_seal_evp(b, key, nonce, "x", 1, in, n) &&
		       !memcmp(a, b, n + 16) && !sm_aead_open(b, key, nonce, "x", 1, a, n + 16);
	ok(same, "both sides of the limit between the providers agree");
	return tap_done();
}
