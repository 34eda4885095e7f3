/* RSA on Wycheproof's OAEP and PSS files, and on keys that OpenSSL makes, writes and reads apart from our code; every limit. */
#include "crypto/rsa.h"

#include "vectors.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

static struct sm_span span(const void *p, size_t n) { return (struct sm_span){p, n}; }
static struct sm_span of(const struct sm_secret *s) { return span(s->data, s->len); }

/* --- Wycheproof --- */

static void oaep(struct tally *t, const json_t *group, const json_t *test)
{
	struct bytes key = json_hex(group, "privateKeyPkcs8"), ct = json_hex(test, "ct"), label = json_hex(test, "label"),
	             msg = json_hex(test, "msg");
	struct sm_secret pkcs8 = {0};
	uint8_t out[SM_RSA_MAX];
	size_t n = 0;
	enum sm_err want = json_is(test, "result", "valid") ? SM_OK : SM_ERR_STANZA;
	bool good = sm_rsa_pkcs8_read(&pkcs8, span(key.p, key.n)) == SM_OK;

	good = good && sm_rsa_open(out, &n, of(&pkcs8), span(label.p, label.n), ct.p, ct.n) == want;
	tally(t, test, good && (want || (n == msg.n && bytes_equal(out, msg.p, n))));
	sm_secret_release(&pkcs8);
}

static void pss(struct tally *t, const json_t *group, const json_t *test)
{
	struct bytes key = json_hex(group, "publicKeyDer"), msg = json_hex(test, "msg"), sig = json_hex(test, "sig");
	enum sm_err want = json_is(test, "result", "valid") ? SM_OK : SM_ERR_SIGNATURE;
	struct sm_span spki = span(key.p, key.n);

	tally(t, test, sm_rsa_spki_check(spki) == SM_OK && sm_rsa_verify(spki, span(msg.p, msg.n), sig.p, sig.n) == want);
}

/* --- Public keys, written by OpenSSL --- */

struct der {
	uint8_t p[2 * SM_RSA_SPKI_MAX];
	size_t n;
};

/* The SPKI of a number of so many bits with a high and a low bit of 1: nobody's key, but nothing here can tell. */
static struct der public_der(int bits, bool odd, unsigned long exponent)
{
	struct der d = {.n = 0};
	unsigned char *p = d.p;
	BIGNUM *n = BN_new();
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;

	if (!n || !b || !ctx || BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) != 1 || (!odd && BN_sub_word(n, 1) != 1) ||
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_ulong(b, OSSL_PKEY_PARAM_RSA_E, exponent) != 1 || !(params = OSSL_PARAM_BLD_to_param(b)) ||
	    EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		abort();
	d.n = (size_t)i2d_PUBKEY(key, &p);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_free(n);
	return d;
}

static enum sm_err check(const struct der *d)
{
	struct bytes exact = bytes_new(d->n); /* so that ASan sees a look behind its end */
	memcpy(exact.p, d->p, d->n);
	enum sm_err e = sm_rsa_spki_check(span(exact.p, exact.n));
	vectors_free();
	return e;
}

static void sizes(void)
{
	static const int good[] = {2048, 2049, 2050, 2055, 2056, 2057, 3072, 4095, 4096, 8185, 8191, 8192};
	static const int bad[] = {1024, 2040, 2041, 2047, 8193, 8200, 16384};
	struct tally t = {0, 0};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct der d = public_der(good[i], true, 65537);
		tally(&t, NULL, check(&d) == SM_OK && sm_rsa_size(span(d.p, d.n)) == (size_t)(good[i] + 7) / 8);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct der d = public_der(bad[i], true, 65537);
		tally(&t, NULL, check(&d) == SM_ERR_FORMAT);
	}
	tally_ok(&t, "sizes of moduli, 2047 and 8193 bits among them");
	struct der d = public_der(3072, true, 3);
	ok(check(&d) == SM_ERR_FORMAT, "exponent 3");
	d = public_der(3072, true, 65539);
	ok(check(&d) == SM_ERR_FORMAT, "exponent 65539");
	d = public_der(3072, true, 4294967297UL);
	ok(check(&d) == SM_ERR_FORMAT, "exponent 2^32 + 1");
	d = public_der(3072, false, 65537);
	ok(check(&d) == SM_ERR_FORMAT, "an even modulus");
}

static void put(struct der *d, size_t at, size_t drop, const char *hex)
{
	struct bytes b = unhex(hex);
	memmove(d->p + at + b.n, d->p + at + drop, d->n - at - drop);
	memcpy(d->p + at, b.p, b.n);
	d->n += b.n - drop;
	vectors_free();
}

static void grow(struct der *d, size_t at, int by) { sm_put_be16(d->p + at, (uint16_t)(sm_get_be16(d->p + at) + by)); }

/* A well-formed key, spelled otherwise: offsets are those of the 32 bytes before the modulus. */
static void spellings(void)
{
	const struct der d = public_der(2048, true, 65537);
	struct tally t = {0, 0};
	struct der x;

	for (size_t i = 0; i < d.n; i++) {
		if (i >= 32 && i < d.n - 5)
			continue;
		for (unsigned bit = 0; bit < 8; bit++) {
			x = d;
			x.p[i] ^= (uint8_t)(1u << bit);
			tally(&t, NULL, check(&x) == SM_ERR_FORMAT);
		}
	}
	tally_ok(&t, "each bit around the modulus");
	for (size_t n = 0; n < d.n; n++) {
		x = d;
		x.n = n;
		tally(&t, NULL, check(&x) == SM_ERR_FORMAT);
	}
	tally_ok(&t, "cut anywhere");
	x = d;
	x.p[x.n++] = 0;
	ok(check(&x) == SM_ERR_FORMAT, "a byte behind it");
	x = d;
	put(&x, 17, 2, "");
	x.p[5] -= 2, grow(&x, 2, -2);
	const unsigned char *p = x.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)x.n);
	ok(key && check(&x) == SM_ERR_FORMAT, "without NULL, which OpenSSL takes");
	EVP_PKEY_free(key);
	x = d;
	x.p[16] = 0x0a;
	ok(check(&x) == SM_ERR_FORMAT, "rsassaPss");
	x = d;
	put(&x, 32, 0, "00");
	grow(&x, 2, 1), grow(&x, 21, 1), grow(&x, 26, 1), grow(&x, 30, 1);
	ok(check(&x) == SM_ERR_FORMAT, "a 0 byte too many");
	x = d;
	put(&x, 32, 1, "");
	grow(&x, 2, -1), grow(&x, 21, -1), grow(&x, 26, -1), grow(&x, 30, -1);
	ok(check(&x) == SM_ERR_FORMAT, "a negative modulus");
	x = d;
	put(&x, 1, 3, "83000122");
	ok(check(&x) == SM_ERR_FORMAT, "a length in three bytes");
}

/* --- Secret keys --- */

/* A key of OpenSSL's, of any kind, as PKCS#8. */
static struct der secret_der(EVP_PKEY *key)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	struct der d = {.n = 0};
	unsigned char *p = d.p;

	if (!key || !info || i2d_PKCS8_PRIV_KEY_INFO(info, NULL) > (int)sizeof d.p)
		abort();
	d.n = (size_t)i2d_PKCS8_PRIV_KEY_INFO(info, &p);
	PKCS8_PRIV_KEY_INFO_free(info);
	return d;
}

static EVP_PKEY *make(const char *type, size_t bits, unsigned long exponent)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;

	if (!ctx || !e || EVP_PKEY_keygen_init(ctx) != 1 ||
	    (bits && (BN_set_word(e, exponent) != 1 || EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) != 1 ||
	              EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) != 1)) ||
	    EVP_PKEY_generate(ctx, &key) != 1)
		abort();
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void reads(const char *type, size_t bits, unsigned long exponent, enum sm_err want, const char *name)
{
	EVP_PKEY *key = make(type, bits, exponent);
	struct der d = secret_der(key), pub = {.n = 0};
	unsigned char *p = pub.p;
	uint8_t spki[SM_RSA_SPKI_MAX];
	struct sm_secret s = {0};
	size_t n = 0;
	enum sm_err e = sm_rsa_pkcs8_read(&s, span(d.p, d.n));
	bool good = e == want;

	if (!e && good) {
		pub.n = (size_t)i2d_PUBKEY(key, &p);
		good = s.len == d.n && !memcmp(s.data, d.p, d.n) && !sm_rsa_spki(spki, &n, of(&s)) && n == pub.n && !memcmp(spki, pub.p, n);
	}
	good = good && sm_rsa_spki(spki, &n, span(d.p, d.n)) == want;
	ok(good, "%s", name);
	sm_secret_release(&s);
	EVP_PKEY_free(key);
}

static void secret_keys(void)
{
	struct sm_secret s = {0};

	reads("RSA", 2048, 65537, SM_OK, "2048 bits: read and written as OpenSSL does");
	reads("RSA", 2050, 65537, SM_OK, "2050 bits");
	reads("RSA", 2046, 65537, SM_ERR_FORMAT, "2046 bits");
	reads("RSA", 2048, 3, SM_ERR_FORMAT, "exponent 3");
	reads("RSA-PSS", 2048, 65537, SM_ERR_FORMAT, "a key for PSS only");
	reads("ED25519", 0, 0, SM_ERR_FORMAT, "a key of another kind");
	ok(sm_rsa_generate(&s, 2047) == SM_ERR_LIMIT && sm_rsa_generate(&s, 8193) == SM_ERR_LIMIT &&
	           sm_rsa_generate(&s, 0) == SM_ERR_LIMIT && sm_rsa_generate(&s, 2052) == SM_ERR_LIMIT,
	   "2047, 2052 and 8193 bits are not made");
	ok(sm_rsa_pkcs8_read(&s, span("", 0)) == SM_ERR_FORMAT && !s.data, "nothing");
}

struct pair {
	struct sm_secret secret;
	uint8_t spki[SM_RSA_SPKI_MAX];
	size_t n;
};

/* Bits that are no whole bytes: by OpenSSL. */
static void pair_make(struct pair *k, unsigned bits)
{
	*k = (struct pair){.n = 0};
	if (bits % 8) {
		EVP_PKEY *key = make("RSA", bits, 65537);
		struct der d = secret_der(key);
		ok(!sm_rsa_pkcs8_read(&k->secret, span(d.p, d.n)), "made by OpenSSL");
		EVP_PKEY_free(key);
	} else {
		ok(!sm_rsa_generate(&k->secret, bits), "made");
	}
	ok(!sm_rsa_spki(k->spki, &k->n, of(&k->secret)) && !sm_rsa_spki_check(span(k->spki, k->n)) &&
	           sm_rsa_size(span(k->spki, k->n)) == (bits + 7) / 8,
	   "a key of %u bits", bits);
}

static void seal_and_open(const struct pair *a, const struct pair *b)
{
	static const uint8_t key[32] = {1, 2, 3};
	struct sm_span spki = span(a->spki, a->n), label = span("label", 5);
	uint8_t one[SM_RSA_MAX], two[SM_RSA_MAX], out[SM_RSA_MAX], most[SM_RSA_MAX] = {0};
	size_t size = sm_rsa_size(spki), n = 0;
	struct tally t = {0, 0};

	ok(!sm_rsa_seal(one, spki, label, key, 32) && !sm_rsa_seal(two, spki, label, key, 32) && memcmp(one, two, size) != 0,
	   "seals, each time otherwise");
	ok(!sm_rsa_open(out, &n, of(&a->secret), label, one, size) && n == 32 && !memcmp(out, key, 32), "opens");
	ok(sm_rsa_open(out, &n, of(&a->secret), span("lavel", 5), one, size) == SM_ERR_STANZA &&
	           sm_rsa_open(out, &n, of(&a->secret), span("", 0), one, size) == SM_ERR_STANZA,
	   "not under another label");
	ok(sm_rsa_open(out, &n, of(&b->secret), label, one, size) == SM_ERR_STANZA, "not with another key");
	ok(sm_rsa_open(out, &n, of(&a->secret), label, one, size - 1) == SM_ERR_STANZA &&
	           sm_rsa_open(out, &n, of(&a->secret), label, one, size + 1) == SM_ERR_STANZA &&
	           sm_rsa_open(out, &n, of(&a->secret), label, one, 0) == SM_ERR_STANZA,
	   "not of another size");
	for (size_t i = 0; i < size; i += 7) {
		memcpy(two, one, size);
		two[i] ^= 0x10;
		tally(&t, NULL, sm_rsa_open(out, &n, of(&a->secret), label, two, size) == SM_ERR_STANZA);
	}
	tally_ok(&t, "flipped bits do not open");
	ok(!sm_rsa_seal(one, spki, label, most, size - 66) && !sm_rsa_open(out, &n, of(&a->secret), label, one, size) && n == size - 66 &&
	           sm_rsa_seal(one, spki, label, most, size - 65) == SM_ERR_LIMIT,
	   "the most that goes in");
}

static void sign_and_verify(const struct pair *a, const struct pair *b)
{
	struct sm_span m = span("message", 7), other = span("massage", 7), spki = span(a->spki, a->n);
	uint8_t one[SM_RSA_MAX], two[SM_RSA_MAX + 1] = {0};
	size_t n = 0, again = 0;
	struct tally t = {0, 0};

	ok(!sm_rsa_sign(one, &n, of(&a->secret), m) && n == sm_rsa_size(spki) && !sm_rsa_sign(two, &again, of(&a->secret), m) &&
	           again == n && memcmp(one, two, n) != 0,
	   "signs, each time with another salt");
	ok(!sm_rsa_verify(spki, m, one, n) && !sm_rsa_verify(spki, m, two, n), "verifies");
	ok(sm_rsa_verify(spki, other, one, n) == SM_ERR_SIGNATURE, "not another message");
	ok(sm_rsa_verify(span(b->spki, b->n), m, one, n) == SM_ERR_SIGNATURE, "not with another key");
	memcpy(two + 1, one, n);
	two[0] = 0;
	ok(sm_rsa_verify(spki, m, one, n - 1) == SM_ERR_SIGNATURE && sm_rsa_verify(spki, m, two, n + 1) == SM_ERR_SIGNATURE &&
	           sm_rsa_verify(spki, m, one, 0) == SM_ERR_SIGNATURE,
	   "not of another size");
	for (size_t i = 0; i < n; i += 5) {
		memcpy(two, one, n);
		two[i] ^= 1;
		tally(&t, NULL, sm_rsa_verify(spki, m, two, n) == SM_ERR_SIGNATURE);
	}
	tally_ok(&t, "flipped bits do not verify");
}

int main(void)
{
	struct pair a, b, odd;

	wycheproof("rsa_oaep_2048_sha256_mgf1sha256.json", oaep);
	wycheproof("rsa_pss_2048_sha256_mgf1_32.json", pss);
	sizes();
	spellings();
	secret_keys();
	pair_make(&a, 2048);
	pair_make(&b, 2048);
	pair_make(&odd, 2050);
	seal_and_open(&a, &b);
	seal_and_open(&odd, &a);
	sign_and_verify(&a, &b);
	sign_and_verify(&odd, &a);
	sm_secret_release(&a.secret);
	sm_secret_release(&b.secret);
	sm_secret_release(&odd.secret);
	return tap_done();
}
