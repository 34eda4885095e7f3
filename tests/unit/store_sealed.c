/* Sealed rows: they open under their key, place and purpose only, and are what their header says, byte by byte. */
#include "store.h"
#include "tap.h"

#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "store/inbox_meta.h"
#include "store/sealed.h"

static struct sm_span span(const void *p, size_t n) { return (struct sm_span){p, n}; }

static void test_round(void)
{
	struct sm_buf sealed, again, row;
	sm_buf_init(&sealed, 200);
	sm_buf_init(&again, 200);
	sm_buf_init(&row, 200);
	ok(!sm_buf_adds(&sealed, "!") && !sm_sealed_put(&sealed, key, "i", span("aad", 3), span("secret", 6), &sm_rand_system) &&
	           sealed.len == 1 + 6 + SM_SEALED_OVERHEAD && sealed.data[0] == '!',
	   "sealed, behind what was there");
	ok(!sm_sealed_put(&again, key, "i", span("aad", 3), span("secret", 6), &sm_rand_system) &&
	           memcmp(again.data, sealed.data + 1, again.len) != 0,
	   "never the same twice");
	ok(!sm_buf_adds(&row, "?") && !sm_sealed_get(&row, key, "i", span("aad", 3), span(again.data, again.len)) && row.len == 7 &&
	           !memcmp(row.data, "?secret", 7),
	   "and opened");
	ok(sm_sealed_get(&row, other_key, "i", span("aad", 3), span(again.data, again.len)) == SM_ERR_PASSPHRASE && row.len == 7,
	   "not under another key");
	ok(sm_sealed_get(&row, key, "j", span("aad", 3), span(again.data, again.len)) == SM_ERR_PASSPHRASE, "nor for another purpose");
	ok(sm_sealed_get(&row, key, "i", span("aae", 3), span(again.data, again.len)) == SM_ERR_PASSPHRASE, "nor in another place");
	int opened = 0;
	for (size_t i = 0; i < again.len; i++) {
		again.data[i] ^= 1;
		opened += sm_sealed_get(&row, key, "i", span("aad", 3), span(again.data, again.len)) != SM_ERR_PASSPHRASE;
		again.data[i] ^= 1;
	}
	for (size_t n = 0; n < again.len; n++)
		opened += sm_sealed_get(&row, key, "i", span("aad", 3), span(again.data, n)) != SM_ERR_PASSPHRASE;
	ok(!opened && row.len == 7, "nor with a bit changed, or cut off");
	sm_buf_release(&sealed);
	sm_buf_release(&again);
	sm_buf_release(&row);
}

static void test_bytes(void)
{
	struct sm_rand_fixed state = {.seed = {9}}, same = state;
	struct sm_rand rng = sm_rand_from(&state), first = sm_rand_from(&same);
	uint8_t want[32 + 6 + 16], okm[44];
	struct sm_buf sealed;
	sm_buf_init(&sealed, 200);
	sm_rand_fill(&first, want, 32);
	ok(!sm_hkdf_sha256(okm, sizeof(okm), want, 32, key, 32, "info", 4) &&
	           !sm_aead_seal(want + 32, okm, okm + 32, "aad", 3, (const uint8_t *)"secret", 6) &&
	           !sm_sealed_put(&sealed, key, "info", span("aad", 3), span("secret", 6), &rng) && sealed.len == sizeof(want) &&
	           !memcmp(sealed.data, want, sizeof(want)),
	   "r | AES-256-GCM under HKDF's key and nonce");
	sm_buf_release(&sealed);
}

/* An inbox row from before sealing stood on its own: meta of version 1, made with this same construction. */
static void test_inbox_bytes(void)
{
	struct sm_inbox_meta meta = {.proof = SM_INBOX_PROVEN, .date = 1700000000, .size = 5, .subject = "hi"}, got;
	struct sm_rand_fixed state = {.seed = {9}}, same = state;
	struct sm_rand rng = sm_rand_from(&state), first = sm_rand_from(&same);
	uint8_t hash[32] = {5}, aad[40] = {[7] = 77}, r[32], okm[44], plain[SM_INBOX_META_MAX];
	struct sm_buf sealed;
	sm_buf_init(&sealed, SM_INBOX_META_MAX);
	memcpy(aad + 8, hash, 32);
	sm_rand_fill(&first, r, 32);
	ok(!sm_inbox_seal(&sealed, &meta, key, 77, hash, &rng) && !memcmp(sealed.data, r, 32) &&
	           !sm_hkdf_sha256(okm, sizeof(okm), r, 32, key, 32, "sm-inbox/1", 10) &&
	           !sm_aead_open(plain, okm, okm + 32, aad, sizeof(aad), sealed.data + 32, sealed.len - 32) && plain[0] >= 1,
	   "an inbox row is sealed as ever");
	ok(!sm_inbox_unseal(&got, span(sealed.data, sealed.len), key, 77, hash) && !strcmp(got.subject, "hi") && got.size == 5,
	   "and read back");
	sm_buf_release(&sealed);
}

int main(void)
{
	if (sm_secret_harden())
		return 1;
	test_round();
	test_bytes();
	test_inbox_bytes();
	return tap_done();
}
