/* Safety numbers: a known one, what they depend on, and the same from libsignal-protocol-c where its headers are installed. */
#include "tap.h"

#include "crypto/hash.h"
#include "session/safety.h"

#include <stdlib.h>
#include <string.h>

static struct sm_address address(const char *text)
{
	struct sm_address a;
	if (sm_address_parse(&a, text, strlen(text)))
		abort();
	return a;
}

static void counting(uint8_t pk[static 32], uint8_t from)
{
	for (int i = 0; i < 32; i++)
		pk[i] = (uint8_t)(from + i);
}

static void known(void)
{
	struct sm_address alice = address("alice@example.org"), bob = address("bob@example.org:8443");
	char n[SM_SAFETY_DIGITS + 1], m[SM_SAFETY_DIGITS + 1], text[SM_SAFETY_TEXT + 1];
	uint8_t a[32], b[32];

	counting(a, 0);
	counting(b, 32);
	sm_safety_number(n, &alice, a, &bob, b);
	ok(!strcmp(n, "033293380328151656227212761645224936643988000137391612222228"), "a known number: %s", n);
	sm_safety_number(m, &bob, b, &alice, a);
	ok(!strcmp(n, m), "both sides see the same");
	sm_safety_number(m, &alice, b, &bob, a);
	ok(strcmp(n, m) != 0, "keys that were exchanged");
	b[31] ^= 1;
	sm_safety_number(m, &alice, a, &bob, b);
	ok(strcmp(n, m) != 0, "one bit of a key");
	b[31] ^= 1;
	bob = address("bob@example.org:8444");
	sm_safety_number(m, &alice, a, &bob, b);
	ok(strcmp(n, m) != 0, "one character of an address");
	sm_safety_format(text, n);
	ok(strlen(text) == SM_SAFETY_TEXT && text[5] == ' ' && text[65] == ' ' && !strncmp(text, n, 5) && !strcmp(text + 66, n + 55),
	   "in groups: %s", text);
}

static void keys(void)
{
	struct sm_public p = {.suite = &sm_suite_x25519};
	ok(sm_safety_key(&p) == p.ed25519, "an Ed25519 identity counts by its key");
	p.suite = &sm_suite_rsa;
	ok(sm_safety_key(&p) == p.fp, "an RSA identity by its fingerprint");
}

#if defined(__has_include) && __has_include(<signal/fingerprint.h>)
#include <signal/curve.h>
#include <signal/fingerprint.h>
#include <signal/signal_protocol.h>

#include <sodium.h>

static int digest_init(void **ctx, void *user)
{
	(void)user;
	*ctx = malloc(sizeof(crypto_hash_sha512_state));
	return *ctx ? crypto_hash_sha512_init(*ctx) : SG_ERR_NOMEM;
}

static int digest_update(void *ctx, const uint8_t *p, size_t n, void *user)
{
	(void)user;
	return crypto_hash_sha512_update(ctx, p, n);
}

static int digest_final(void *ctx, signal_buffer **out, void *user)
{
	uint8_t h[64];
	(void)user;
	if (crypto_hash_sha512_final(ctx, h) || crypto_hash_sha512_init(ctx))
		return SG_ERR_UNKNOWN;
	*out = signal_buffer_create(h, sizeof(h));
	return *out ? 0 : SG_ERR_NOMEM;
}

static void digest_cleanup(void *ctx, void *user)
{
	(void)user;
	free(ctx);
}

static int no_random(uint8_t *p, size_t n, void *user)
{
	(void)p, (void)n, (void)user;
	return SG_ERR_UNKNOWN;
}

static int no_hmac_init(void **ctx, const uint8_t *key, size_t n, void *user)
{
	(void)ctx, (void)key, (void)n, (void)user;
	return SG_ERR_UNKNOWN;
}

static int no_cipher(signal_buffer **out, int cipher, const uint8_t *key, size_t nkey, const uint8_t *iv, size_t niv, const uint8_t *p,
                     size_t n, void *user)
{
	(void)out, (void)cipher, (void)key, (void)nkey, (void)iv, (void)niv, (void)p, (void)n, (void)user;
	return SG_ERR_UNKNOWN;
}

static ec_public_key *public_key(signal_context *ctx, const uint8_t pk[static 32])
{
	uint8_t typed[33] = {5};
	ec_public_key *key;
	memcpy(typed + 1, pk, 32);
	if (curve_decode_point(&key, typed, sizeof(typed), ctx))
		abort();
	return key;
}

static void signal_number(char out[static SM_SAFETY_DIGITS + 1], signal_context *ctx, const struct sm_address *a, const uint8_t *pk_a,
                          const struct sm_address *b, const uint8_t *pk_b)
{
	fingerprint_generator *g;
	fingerprint *f;
	ec_public_key *of_a = public_key(ctx, pk_a), *of_b = public_key(ctx, pk_b);
	if (fingerprint_generator_create(&g, 5200, 0, ctx) || fingerprint_generator_create_for(g, a->text, of_a, b->text, of_b, &f))
		abort();
	(void)snprintf(out, SM_SAFETY_DIGITS + 1, "%s", displayable_fingerprint_text(fingerprint_get_displayable(f)));
	SIGNAL_UNREF(f);
	SIGNAL_UNREF(of_a);
	SIGNAL_UNREF(of_b);
	fingerprint_generator_free(g);
}

static void others(void)
{
	/* Fingerprints are hashes; the rest of a provider must only be there. */
	static const signal_crypto_provider provider = {.random_func = no_random,
	                                                .hmac_sha256_init_func = no_hmac_init,
	                                                .hmac_sha256_update_func = digest_update,
	                                                .hmac_sha256_final_func = digest_final,
	                                                .hmac_sha256_cleanup_func = digest_cleanup,
	                                                .sha512_digest_init_func = digest_init,
	                                                .sha512_digest_update_func = digest_update,
	                                                .sha512_digest_final_func = digest_final,
	                                                .sha512_digest_cleanup_func = digest_cleanup,
	                                                .encrypt_func = no_cipher,
	                                                .decrypt_func = no_cipher};
	char ours[SM_SAFETY_DIGITS + 1], theirs[SM_SAFETY_DIGITS + 1], text[64];
	uint8_t a[32], b[32];
	signal_context *ctx;

	if (signal_context_create(&ctx, NULL) || signal_context_set_crypto_provider(ctx, &provider))
		abort();
	for (int i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof(text), "n%d@host-%d.example.org:%d", i, i * i, 1000 + i);
		struct sm_address alice = address("alice@example.org"), bob = address(text);
		sm_sha256(a, text, strlen(text));
		sm_sha256(b, a, sizeof(a));
		sm_safety_number(ours, &alice, a, &bob, b);
		signal_number(theirs, ctx, &alice, a, &bob, b);
		ok(!strcmp(ours, theirs), "libsignal-protocol-c says the same of %s: %s", text, theirs);
	}
	signal_context_destroy(ctx);
}
#else
static void others(void) { tap_skip("comparison of safety numbers: libsignal-protocol-c is not installed"); }
#endif

int main(void)
{
	known();
	keys();
	others();
	return tap_done();
}
