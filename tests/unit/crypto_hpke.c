/* HPKE on RFC 9180's vectors in FiloSottile/hpke's accumulated form: 1,000 messages and 1,000 exports are drawn from SHAKE128 of
 * nothing (each string is one length byte and that many bytes) and what comes out is hashed by SHAKE128 to 16 bytes. */
#include "crypto/hpke.h"

#include "base/buf.h"
#include "crypto/aead.h"
#include "crypto/hpke_schedule.h"
#include "crypto/x25519.h"
#include "vectors.h"

#include <openssl/evp.h>

#define ROUNDS 1000
#define DRAW_MAX (2 * ROUNDS * 256)

static void fill_given(void *ctx, void *out, size_t n) { memcpy(out, ctx, n); }

/* SHAKE128 of p, or with p NULL of nothing. */
static void shake(uint8_t *out, size_t outlen, const uint8_t *p, size_t n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (!c || EVP_DigestInit_ex(c, EVP_shake128(), NULL) != 1 || (n && EVP_DigestUpdate(c, p, n) != 1) ||
	    EVP_DigestFinalXOF(c, out, outlen) != 1)
		abort();
	EVP_MD_CTX_free(c);
}

static struct sm_span draw(struct sm_span *source)
{
	struct sm_span s;

	s.n = source->p[0];
	s.p = source->p + 1;
	source->p += 1 + s.n;
	source->n -= 1 + s.n;
	return s;
}

/* Message number i of the context: RFC 9180 section 5.2. */
static void sequence_nonce(uint8_t nonce[static 12], const struct sm_hpke_keys *k, uint64_t i)
{
	memcpy(nonce, k->nonce, 12);
	sm_put_be64(nonce + 4, sm_get_be64(nonce + 4) ^ i);
}

static bool encryptions(const struct sm_hpke_keys *k, struct bytes want)
{
	static uint8_t random[DRAW_MAX], sink[ROUNDS * (256 + 16)];
	struct sm_span source = {random, sizeof random};
	uint8_t nonce[12], back[256], got[16];
	size_t n = 0;

	shake(random, sizeof random, NULL, 0);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct sm_span aad = draw(&source), msg = draw(&source);

		sequence_nonce(nonce, k, i);
		if (sm_aead_seal(sink + n, k->key, nonce, aad.p, aad.n, msg.p, msg.n) != SM_OK ||
		    sm_aead_open(back, k->key, nonce, aad.p, aad.n, sink + n, msg.n + 16) != SM_OK || memcmp(back, msg.p, msg.n) != 0)
			return false;
		n += msg.n + 16;
	}
	shake(got, sizeof got, sink, n);
	return want.n == 16 && memcmp(got, want.p, 16) == 0;
}

static bool exports(const struct sm_hpke_keys *k, struct bytes want)
{
	static uint8_t random[DRAW_MAX], sink[ROUNDS * ROUNDS / 2];
	struct sm_span source = {random, sizeof random};
	uint8_t got[16];
	size_t n = 0;

	shake(random, sizeof random, NULL, 0);
	for (size_t len = 0; len < ROUNDS; n += len++) {
		struct sm_span context = draw(&source);

		if (sm_hpke_export(sink + n, len, k, context.p, context.n) != SM_OK)
			return false;
	}
	shake(got, sizeof got, sink, n);
	return want.n == 16 && memcmp(got, want.p, 16) == 0;
}

/* The public calls: the sender's ephemeral key comes from ikmE by way of sm_rand. */
static bool single_shot(const json_t *v, struct bytes sk, struct bytes pk, struct bytes info, const struct sm_hpke_keys *k)
{
	struct bytes ikm = json_hex(v, "ikmE"), enc = json_hex(v, "enc");
	struct sm_rand rand = {fill_given, ikm.p};
	uint8_t got_enc[32], sealed[5 + 16], expected[5 + 16], back[5];
	bool good = sm_hpke_seal(got_enc, sealed, pk.p, info.p, info.n, "aad", 3, (const uint8_t *)"hello", 5, &rand) == SM_OK;

	good = good && memcmp(got_enc, enc.p, 32) == 0;
	good = good && sm_aead_seal(expected, k->key, k->nonce, "aad", 3, (const uint8_t *)"hello", 5) == SM_OK &&
	       memcmp(sealed, expected, 21) == 0;
	good = good && sm_hpke_open(back, enc.p, sk.p, info.p, info.n, "aad", 3, sealed, 21) == SM_OK && memcmp(back, "hello", 5) == 0;
	memset(back, 1, sizeof back);
	good = good && sm_hpke_open(back, enc.p, sk.p, info.p, info.n, "aae", 3, sealed, 21) == SM_ERR_STANZA &&
	       !memcmp(back, "\0\0\0\0\0", 5);
	good = good && sm_hpke_open(back, enc.p, sk.p, info.p, info.n - 1, "aad", 3, sealed, 21) == SM_ERR_STANZA;
	sealed[20] ^= 1;
	return good && sm_hpke_open(back, enc.p, sk.p, info.p, info.n, "aad", 3, sealed, 21) == SM_ERR_STANZA;
}

static void vector(const json_t *v)
{
	struct bytes ikm_e = json_hex(v, "ikmE"), ikm_r = json_hex(v, "ikmR"), info = json_hex(v, "info");
	struct bytes sk_r = json_hex(v, "skRm"), pk_r = json_hex(v, "pkRm"), enc = json_hex(v, "enc");
	uint8_t sk[32], pk[32], sk_e[32], pk_e[32], dh[32];
	struct sm_hpke_keys k;

	ok(sm_hpke_derive(sk, pk, ikm_r.p, ikm_r.n) == SM_OK && !memcmp(sk, sk_r.p, 32) && !memcmp(pk, pk_r.p, 32),
	   "RFC 9180: the recipient's key pair");
	ok(sm_hpke_derive(sk_e, pk_e, ikm_e.p, ikm_e.n) == SM_OK && !memcmp(pk_e, enc.p, 32), "RFC 9180: enc");
	if (!ok(sm_x25519(dh, sk_e, pk_r.p) == SM_OK && sm_hpke_schedule(&k, dh, enc.p, pk_r.p, info.p, info.n) == SM_OK,
	        "RFC 9180: key schedule"))
		return;
	ok(encryptions(&k, json_hex(v, "encryptions_accumulated")), "RFC 9180: %d messages", ROUNDS);
	ok(exports(&k, json_hex(v, "exports_accumulated")), "RFC 9180: %d exports", ROUNDS);
	ok(single_shot(v, sk_r, pk_r, info, &k), "RFC 9180: seal and open in one call");
	vectors_free();
}

static void vectors(void)
{
	json_t *root = vectors_load("hpke_rfc9180.json"), *v;
	int n = 0;
	size_t i;

	if (!root)
		return;
	json_array_foreach(root, i, v)
	{
		if (json_number(v, "mode") != 0 || json_number(v, "kem_id") != 32 || json_number(v, "kdf_id") != 1 ||
		    json_number(v, "aead_id") != 2)
			continue;
		vector(v);
		n++;
	}
	ok(n == 1, "RFC 9180: %d vector for this suite", n);
	json_decref(root);
}

/* Keys that no honest sender or recipient has. */
static void hostile(void)
{
	uint8_t zero[32] = {0}, sk[32] = {9}, enc[32] = {0x55}, sealed[16], out[1];

	ok(sm_hpke_seal(enc, sealed, zero, NULL, 0, NULL, 0, NULL, 0, &sm_rand_system) == SM_ERR_FORMAT && enc[0] == 0x55,
	   "sealing to a zero key is refused");
	ok(sm_hpke_open(out, zero, sk, NULL, 0, NULL, 0, sealed, sizeof sealed) == SM_ERR_STANZA, "opening with a zero enc is refused");
	ok(sm_hpke_open(out, sk, sk, NULL, 0, NULL, 0, sealed, 15) == SM_ERR_STANZA, "a body shorter than a tag is refused");
}

int main(void)
{
	vectors();
	hostile();
	return tap_done();
}
