/* AES-256-GCM on the Wycheproof vectors for 96-bit nonces. */
#include "crypto/aead.h"

#include "vectors.h"

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
	return sm_aead_seal(out.p, key.p, iv.p, aad.p, aad.n, msg.p, msg.n) == SM_OK && bytes_equal(out.p, sealed.p, sealed.n) &&
	       sm_aead_seal(inplace.p, key.p, iv.p, aad.p, aad.n, inplace.p, msg.n) == SM_OK && bytes_equal(inplace.p, sealed.p, sealed.n);
}

static bool opens(struct bytes key, struct bytes iv, struct bytes aad, struct bytes msg, struct bytes sealed)
{
	struct bytes out = bytes_new(msg.n);

	return sm_aead_open(out.p, key.p, iv.p, aad.p, aad.n, sealed.p, sealed.n) == SM_OK && bytes_equal(out.p, msg.p, msg.n) &&
	       sm_aead_open(sealed.p, key.p, iv.p, aad.p, aad.n, sealed.p, sealed.n) == SM_OK && bytes_equal(sealed.p, msg.p, msg.n);
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
	      sm_aead_open(out.p, key.p, iv.p, aad.p, aad.n, sealed.p, sealed.n) == SM_ERR_PAYLOAD && wiped(out.p, ct.n) &&
	              !seals(key, iv, aad, msg, sealed));
}

int main(void)
{
	const uint8_t key[32] = {1}, nonce[12] = {2};
	uint8_t sealed[SM_AEAD_TAG], open[1];

	wycheproof("aes_gcm.json", gcm);
	ok(sm_aead_open(open, key, nonce, NULL, 0, sealed, 0) == SM_ERR_PAYLOAD, "nothing is shorter than a tag");
	ok(sm_aead_seal(sealed, key, nonce, "a", 1, NULL, 0) == SM_OK && sm_aead_open(open, key, nonce, "a", 1, sealed, 16) == SM_OK,
	   "an empty message with data beside it");
	ok(sm_aead_open(open, key, nonce, "b", 1, sealed, 16) == SM_ERR_PAYLOAD, "other data beside it is refused");
	return tap_done();
}
