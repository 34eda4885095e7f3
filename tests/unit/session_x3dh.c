/* X3DH: both ends agree, on nothing but what they should; signed prekeys by the wrong key, too old, too new; points that are refused. */
#include "tap.h"

#include "session.h"

static struct sm_rand_fixed state = {.seed = {31}};
static struct device alice, bob, eve;

static void points(void)
{
	uint8_t p[32] = {0xec}, sk[32] = {5}, out[32];

	for (size_t i = 0; i < BAD_POINTS; i++)
		ok(i < SMALL_ORDER ? !sm_x25519_check(bad_point[i]) && sm_x25519(out, sk, bad_point[i]) == SM_ERR_FORMAT
		                   : sm_x25519_check(bad_point[i]) == SM_ERR_FORMAT,
		   "point %zu is refused where it should be", i);
	memset(p + 1, 0xff, 30);
	p[31] = 0x7f;
	ok(!sm_x25519_check(p), "2^255 - 20 is canonical");
	p[0] = 0xed;
	ok(sm_x25519_check(p) == SM_ERR_FORMAT, "2^255 - 19 is not");
	p[15] = 0xfe;
	ok(!sm_x25519_check(p), "a smaller number that ends like it is");
	p[15] = 0xff, p[30] = 0xfe, p[0] = 0xff;
	ok(!sm_x25519_check(p), "and another");
}

static void agreement(void)
{
	struct sm_rand rand = sm_rand_from(&state);
	struct sm_bundle without = bob.bundle;
	uint8_t a[32], b[32], eka[32];

	ok(!sm_x3dh_initiate(a, eka, &alice.id, &bob.bundle, &rand) &&
	           !sm_x3dh_respond(b, &bob.id, bob.spk_sk, bob.opk_sk, alice.end.pk, eka) && !memcmp(a, b, 32),
	   "both agree with a one-time prekey");
	ok(!sm_x3dh_respond(b, &bob.id, bob.spk_sk, NULL, alice.end.pk, eka) && memcmp(a, b, 32), "which counts");
	ok(!sm_x3dh_respond(b, &bob.id, bob.spk_sk, eve.opk_sk, alice.end.pk, eka) && memcmp(a, b, 32), "and no other will do");
	ok(!sm_x3dh_respond(b, &bob.id, eve.spk_sk, bob.opk_sk, alice.end.pk, eka) && memcmp(a, b, 32), "nor another signed prekey");
	ok(!sm_x3dh_respond(b, &bob.id, bob.spk_sk, bob.opk_sk, eve.end.pk, eka) && memcmp(a, b, 32), "nor another initiator");
	ok(!sm_x3dh_respond(b, &eve.id, bob.spk_sk, bob.opk_sk, alice.end.pk, eka) && memcmp(a, b, 32), "nor another responder");
	without.has_opk = false;
	ok(!sm_x3dh_initiate(a, eka, &alice.id, &without, &rand) && !sm_x3dh_respond(b, &bob.id, bob.spk_sk, NULL, alice.end.pk, eka) &&
	           !memcmp(a, b, 32),
	   "both agree without");
	MUST(sm_x3dh_initiate(b, eka, &alice.id, &without, &rand));
	ok(memcmp(a, b, 32) != 0, "each time on another secret");
}

static void refused(void)
{
	struct sm_rand rand = sm_rand_from(&state);
	uint8_t a[32] = {1}, eka[32] = {2}, was_a[32] = {1}, was_eka[32] = {2};

	for (size_t i = 0; i < BAD_POINTS; i++) {
		struct sm_bundle spk = bob.bundle, opk = bob.bundle, ik = bob.bundle;
		memcpy(spk.spk.key, bad_point[i], 32);
		memcpy(opk.opk, bad_point[i], 32);
		ok(sm_x3dh_initiate(a, eka, &alice.id, &spk, &rand) == SM_ERR_FORMAT, "signed prekey %zu", i);
		ok(sm_x3dh_initiate(a, eka, &alice.id, &opk, &rand) == SM_ERR_FORMAT, "one-time prekey %zu", i);
		memcpy(ik.end.pk, bad_point[i], 32);
		ok(i == 7 || i == 9 || sm_x3dh_initiate(a, eka, &alice.id, &ik, &rand) == SM_ERR_FORMAT, "identity %zu", i);
		ok(sm_x3dh_respond(a, &bob.id, bob.spk_sk, bob.opk_sk, alice.end.pk, bad_point[i]) == SM_ERR_FORMAT, "ephemeral key %zu",
		   i);
		if (i >= SMALL_ORDER) {
			MUST(sm_signed_prekey_sign(&spk.spk, spk.end.device, &bob.id));
			ok(sm_bundle_check(&spk, NOW) == SM_ERR_FORMAT, "a bundle with such a signed prekey, signed");
			ok(sm_bundle_check(&opk, NOW) == SM_ERR_FORMAT, "a bundle with such a one-time prekey");
		}
	}
	ok(sm_x3dh_respond(a, &bob.id, bob.spk_sk, bob.opk_sk, bad_point[0], alice.bundle.opk) == SM_ERR_FORMAT,
	   "an initiator of small order");
	ok(!memcmp(a, was_a, 32) && !memcmp(eka, was_eka, 32), "and nothing was given out");
}

static void bundles(void)
{
	struct sm_bundle b = bob.bundle;
	const int64_t age = 30 * 86400;

	ok(!sm_bundle_check(&b, NOW), "a bundle");
	ok(!sm_bundle_check(&b, NOW + age), "30 days old");
	ok(sm_bundle_check(&b, NOW + age + 1) == SM_ERR_POLICY, "older");
	ok(!sm_bundle_check(&b, NOW - 86400), "a day ahead");
	ok(sm_bundle_check(&b, NOW - 86401) == SM_ERR_POLICY, "further ahead");
	b.has_opk = false;
	ok(!sm_bundle_check(&b, NOW), "without a one-time prekey");
#define WITHOUT(change, words)                                                                                                             \
	b = bob.bundle;                                                                                                                    \
	change;                                                                                                                            \
	ok(sm_bundle_check(&b, NOW) == SM_ERR_SIGNATURE, "the signature holds " words)
	WITHOUT(b.spk.id++, "the prekey's number");
	WITHOUT(b.spk.created--, "its date");
	WITHOUT(b.end.device++, "the device");
	WITHOUT(b.spk.key[3] ^= 1, "the key");
	WITHOUT(b.spk.sig[9] ^= 1, "itself");
	WITHOUT(memcpy(b.end.pk, eve.end.pk, 32), "by whom");
	WITHOUT(b.spk.sig[63] |= 0xe0, "no S that is too large");
	WITHOUT(MUST(sm_signed_prekey_sign(&b.spk, b.end.device, &eve.id)), "for its owner alone");
	b = bob.bundle;
	memset(b.end.pk, 0, 32);
	ok(sm_bundle_check(&b, NOW) == SM_ERR_FORMAT, "an identity of small order");
	b.end.pk[0] = 1, memset(b.spk.sig, 0, 64), b.spk.sig[0] = 1;
	ok(sm_bundle_check(&b, NOW) == SM_ERR_FORMAT, "which would have signed anything");
}

/* Byte for byte, from SESSIONS: anything in it that moves makes two programs strangers. */
static void signed_prekey(void)
{
	uint8_t m[64] = "SM-spk-v1";
	struct sm_signed_prekey p = bob.bundle.spk;

	sm_put_be32(m + 10, 0x01020304);
	sm_put_be32(m + 14, p.id);
	sm_put_be64(m + 18, (uint64_t)p.created);
	m[26] = 2;
	memcpy(m + 27, p.key, 32);
	ok(!sm_signed_prekey_sign(&p, 0x01020304, &bob.id) && !sm_verify(p.sig, m, 59, bob.end.pk), "what is signed, byte for byte");
}

static void ad(void)
{
	uint8_t want[128] = {1};
	struct sm_end nobody = alice.end, none = alice.end;
	struct sm_buf b;

	memcpy(want + 1, alice.end.pk, 32);
	want[33] = 1;
	memcpy(want + 34, bob.end.pk, 32);
	memcpy(want + 66,
	       "\0\x13"
	       "alice@example.org/1"
	       "\0\x16"
	       "bob@b.example:8443/200",
	       45);
	sm_buf_init(&b, SM_X3DH_AD_MAX);
	ok(!sm_x3dh_ad(&b, &alice.end, &bob.end) && b.len == 111 && !memcmp(b.data, want, 111), "the AD, byte for byte");
	sm_buf_clear(&b);
	nobody.address.text[0] = 0;
	none.device = 0;
	ok(sm_x3dh_ad(&b, &nobody, &bob.end) == SM_ERR_FORMAT && sm_x3dh_ad(&b, &alice.end, &none) == SM_ERR_FORMAT && b.len == 0,
	   "an end without a name has none");
	sm_buf_release(&b);
	struct sm_end longest = alice.end;
	memset(longest.address.text, 'a', SM_ADDRESS_MAX);
	longest.address.text[SM_ADDRESS_MAX] = 0;
	longest.device = UINT32_MAX;
	sm_buf_init(&b, SM_X3DH_AD_MAX);
	ok(!sm_x3dh_ad(&b, &longest, &longest) && b.len == SM_X3DH_AD_MAX, "the longest fits");
	sm_buf_release(&b);
}

static void suites(void)
{
	struct sm_rand rand = sm_rand_from(&state);
	struct sm_identity other = alice.id;
	struct sm_signed_prekey p = bob.bundle.spk;
	uint8_t a[32], eka[32];

	other.pub.suite = &sm_suite_rsa;
	ok(sm_x3dh_initiate(a, eka, &other, &bob.bundle, &rand) == SM_ERR_SUITE &&
	           sm_x3dh_respond(a, &other, bob.spk_sk, NULL, alice.end.pk, eka) == SM_ERR_SUITE &&
	           sm_signed_prekey_sign(&p, 1, &other) == SM_ERR_SUITE,
	   "identities of another suite have no sessions");
}

int main(void)
{
	struct sm_rand rand = sm_rand_from(&state);

	if (sm_secret_harden())
		return 1;
	device_init(&alice, "alice@example.org", 1, &rand);
	device_init(&bob, "bob@b.example:8443", 200, &rand);
	device_init(&eve, "eve@example.org", 1, &rand);
	points();
	agreement();
	refused();
	bundles();
	signed_prekey();
	ad();
	suites();
	device_release(&alice);
	device_release(&bob);
	device_release(&eve);
	return tap_done();
}
