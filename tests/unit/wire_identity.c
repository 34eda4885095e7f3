/* Identities: bech32 against BIP-173's own strings, public lines, secret key files, fingerprints. */
#include "tap.h"

#include "base/base64.h"
#include "crypto/hash.h"
#include "wire/identity.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* RFC 8032 section 7.1, test 1; the texts come from an independent bech32. */
#define SEED_HEX "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define PK_HEX "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define PUBLIC "sm16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqttf72u"
#define SECRET "SM-SECRET-KEY-1N4SMR800L4DXPW5YFT6F9MPVC3ZYN3TF0VEXJXTS8WKQX89W0ASQRRWPVT"
#define FP "SHA256:If4x36FUomFia/hUBG/SJxt77UtqvkWqWId+9H+XIbk"

static struct sm_span span(const char *s) { return (struct sm_span){(const uint8_t *)s, strlen(s)}; }

static void bip173(void)
{
	static const struct {
		const char *text, *hrp, *hex;
		bool upper;
	} valid[] = {
	        {"A12UEL5L", "a", "", true},
	        {"a12uel5l", "a", "", false},
	        {"an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
	         "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio", "", false},
	        {"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef", "00443214c74254b635cf84653a56d7c675be77df", false},
	        {"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "split",
	         "c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d", false},
	        {"?1ezyfcl", "?", "", false},
	};
	static const struct {
		const char *text, *hrp;
	} invalid[] = {
	        {"pzry9x0s0muk", "pzry"}, {"x1b4n0q5v", "x"}, {"li1dgmt3", "li"}, {"de1lg7wt\xff", "de"},
	        {"A1G7SGD8", "a"},        {"A1LQFN3A", "a"},  {"a1lqfn3a", "a"},  {"A12UEL5l", "a"},
	        {"a12UEL5L", "a"},        {"a12uel5l ", "a"}, {"a12uel5", "a"},   {"a12uel5q", "a"},
	};
	uint8_t out[64], want[64];

	for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
		size_t n = strlen(valid[i].hex) / 2;
		struct sm_buf b;
		sm_buf_init(&b, 1000);
		bool good = !sm_hex_parse(want, n, valid[i].hex, 2 * n) &&
		            !sm_bech32_decode(out, n, valid[i].hrp, valid[i].text, strlen(valid[i].text), valid[i].upper) &&
		            !memcmp(out, want, n);
		ok(good, "BIP-173 valid: %s", valid[i].text);
		ok(!sm_bech32_encode(&b, valid[i].hrp, want, n, valid[i].upper) &&
		           sm_span_equals((struct sm_span){b.data, b.len}, valid[i].text),
		   "and encoded again");
		ok(sm_bech32_decode(out, n, valid[i].hrp, valid[i].text, strlen(valid[i].text), !valid[i].upper) == SM_ERR_FORMAT,
		   "not in the other case");
		sm_buf_release(&b);
	}
	for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
		bool good = true;
		for (size_t n = 0; n < 3; n++)
			for (int upper = 0; upper < 2; upper++)
				good = good && sm_bech32_decode(out, n, invalid[i].hrp, invalid[i].text, strlen(invalid[i].text), upper);
		ok(good, "BIP-173 invalid %zu", i);
	}
}

static void every_length(void)
{
	uint8_t in[64], out[64];
	bool good = true;
	struct sm_buf b;

	randombytes_buf(in, sizeof in);
	sm_buf_init(&b, 1000);
	for (size_t n = 0; n <= 64; n++) {
		sm_buf_clear(&b);
		good = good && !sm_bech32_encode(&b, "sm", in, n, n & 1) && !sm_bech32_decode(out, n, "sm", (char *)b.data, b.len, n & 1) &&
		       !memcmp(in, out, n);
		/* one character wrong anywhere is always found */
		for (size_t i = 0; i < b.len; i++) {
			b.data[i] ^= 1;
			good = good && sm_bech32_decode(out, n, "sm", (char *)b.data, b.len, n & 1);
			b.data[i] ^= 1;
		}
	}
	ok(good, "0..64 bytes round trip, and any changed character is refused");
	ok(sm_bech32_encode(&b, "sm", in, 65, false) == SM_ERR_LIMIT, "65 bytes are too many");
	sm_buf_release(&b);
}

static void public_tokens(void)
{
	struct sm_public p;
	uint8_t pk[32], x[32];
	char upper[sizeof PUBLIC], fp[SM_FP_TEXT_LEN + 1];
	struct sm_buf b;

	if (sm_hex_parse(pk, 32, PK_HEX, 64) || crypto_sign_ed25519_pk_to_curve25519(x, pk))
		abort();
	ok(!sm_public_parse(&p, PUBLIC, strlen(PUBLIC)), "a public identity");
	ok(!memcmp(p.ed25519, pk, 32) && !memcmp(p.x25519, x, 32) && p.suite == &sm_suite_x25519, "its keys");
	sm_fp_format(fp, p.fp);
	ok(!strcmp(fp, FP), "its fingerprint");
	sm_buf_init(&b, 1000);
	ok(!sm_public_format(&b, &p) && sm_span_equals((struct sm_span){b.data, b.len}, PUBLIC), "and printed again");
	sm_buf_release(&b);

	for (size_t i = 0; i < sizeof upper; i++)
		upper[i] = (char)toupper((unsigned char)PUBLIC[i]);
	ok(sm_public_parse(&p, upper, strlen(upper)) == SM_ERR_FORMAT, "upper case is refused");
	upper[2] = PUBLIC[2];
	memcpy(upper, PUBLIC, 3);
	ok(sm_public_parse(&p, upper, strlen(upper)) == SM_ERR_FORMAT, "mixed case is refused");
	ok(sm_public_parse(&p, "sm16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydpkaathw", 61) == SM_ERR_FORMAT,
	   "pad bits are refused");
	ok(sm_public_parse(&p, "sm16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydq7hej07", 61) == SM_ERR_FORMAT, "bech32m is refused");
	ok(sm_public_parse(&p, "sm-rsa AAAA", 11) == SM_ERR_FORMAT && sm_public_parse(&p, "sm-rsa", 6) == SM_ERR_FORMAT,
	   "sm-rsa: malformed");
	ok(sm_public_parse(&p, "", 0) == SM_ERR_FORMAT && sm_public_parse(&p, "sm2", 3) == SM_ERR_FORMAT, "other tokens");
	ok(sm_public_parse(&p, SECRET, strlen(SECRET)) == SM_ERR_FORMAT, "a secret key is no public identity");
}

static bool refused(const uint8_t pk[static 32])
{
	struct sm_public p;
	struct sm_buf b;
	sm_buf_init(&b, 1000);
	bool good = !sm_bech32_encode(&b, "sm", pk, 32, false) && sm_public_parse(&p, (char *)b.data, b.len) == SM_ERR_FORMAT &&
	            sm_public_from_ed25519(&p, pk) == SM_ERR_FORMAT;
	sm_buf_release(&b);
	return good;
}

static void bad_points(void)
{
	static const char *const points[] = {
	        "0100000000000000000000000000000000000000000000000000000000000000", /* order 1 */
	        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* order 2 */
	        "0000000000000000000000000000000000000000000000000000000000000000", /* order 4 */
	        "0000000000000000000000000000000000000000000000000000000000000080",
	        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", /* order 8 */
	        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* not canonical: p + 1 */
	        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p */
	        "0100000000000000000000000000000000000000000000000000000000000080", /* x = 0 with its sign set */
	        "0200000000000000000000000000000000000000000000000000000000000000", /* not on the curve */
	};
	uint8_t pk[32], low[32], mixed[32];

	for (size_t i = 0; i < sizeof points / sizeof *points; i++)
		ok(!sm_hex_parse(pk, 32, points[i], 64) && refused(pk), "refuses the point %s", points[i]);
	/* y = p .. p + 18 fit in 255 bits, but have another spelling */
	bool good = true;
	for (unsigned y = 0; y < 38; y++) {
		memset(pk, 0xff, sizeof pk);
		pk[0] = (uint8_t)(0xed + y / 2);
		pk[31] = (uint8_t)(0x7f | y % 2 << 7);
		good = good && refused(pk);
	}
	ok(good, "refuses every encoding that is not canonical");
	if (sm_hex_parse(pk, 32, PK_HEX, 64) || sm_hex_parse(low, 32, points[4], 64) || crypto_core_ed25519_add(mixed, pk, low))
		abort();
	ok(refused(mixed), "refuses a point of mixed order");
	ok(!refused(pk), "but not the good half of it");
}

static void lines(void)
{
	static const struct {
		const char *line;
		enum sm_err want;
		bool found;
		const char *comment;
	} cases[] = {
	        {"", SM_OK, false, NULL},
	        {"# sm1 is how they begin", SM_OK, false, NULL},
	        {PUBLIC, SM_OK, true, ""},
	        {PUBLIC " bob@example.org", SM_OK, true, "bob@example.org"},
	        {PUBLIC " B\xc3\xb6"
	                "b, at work",
	         SM_OK, true,
	         "B\xc3\xb6"
	         "b, at work"},
	        {" " PUBLIC, SM_ERR_FORMAT, false, NULL},
	        {PUBLIC "\tbob", SM_ERR_FORMAT, false, NULL},
	        {PUBLIC " bob\r", SM_ERR_FORMAT, false, NULL},
	        {PUBLIC " \x1b[2J", SM_ERR_FORMAT, false, NULL},
	        {PUBLIC " \xc2\x9b", SM_ERR_FORMAT, false, NULL},
	        {PUBLIC " \xff", SM_ERR_FORMAT, false, NULL},
	        {PUBLIC " \xc3", SM_ERR_FORMAT, false, NULL},
	        {"sm-rsa AAAA bob", SM_ERR_FORMAT, false, NULL},
	        {"bob", SM_ERR_FORMAT, false, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sm_public p;
		struct sm_span comment = {NULL, 0};
		bool found = false;
		enum sm_err e = sm_public_parse_line(&p, &found, &comment, span(cases[i].line));
		ok(e == cases[i].want && found == cases[i].found && (!found || sm_span_equals(comment, cases[i].comment)), "line %zu", i);
		ok(sm_public_parse_line(&p, &found, NULL, span(cases[i].line)) == e, "the same without asking for the comment");
	}
	char line[400] = PUBLIC " ";
	struct sm_public p;
	bool found;
	memset(line + strlen(PUBLIC) + 1, 'c', 256);
	ok(sm_public_parse_line(&p, &found, NULL, (struct sm_span){(uint8_t *)line, strlen(PUBLIC) + 1 + 255}) == SM_OK,
	   "255 bytes of comment");
	ok(sm_public_parse_line(&p, &found, NULL, (struct sm_span){(uint8_t *)line, strlen(PUBLIC) + 1 + 256}) == SM_ERR_FORMAT,
	   "256 are too many");
}

static void fingerprints(void)
{
	uint8_t fp[32], pk[32], want[32];
	if (sm_hex_parse(pk, 32, PK_HEX, 64))
		abort();
	sm_sha256(want, pk, 32);
	ok(!sm_fp_parse(fp, FP, strlen(FP)) && !memcmp(fp, want, 32), "a fingerprint");
	ok(sm_fp_parse(fp, FP, strlen(FP) - 1) && sm_fp_parse(fp, FP "=", strlen(FP) + 1), "not cut, not padded");
	ok(sm_fp_parse(fp, "SHA256:If4x36FUomFia/hUBG/SJxt77UtqvkWqWId+9H+XIbl", strlen(FP)) == SM_ERR_FORMAT, "trailing bits");
	ok(sm_fp_parse(fp, "sha256:If4x36FUomFia/hUBG/SJxt77UtqvkWqWId+9H+XIbk", strlen(FP)) == SM_ERR_FORMAT, "lower-case prefix");
	ok(sm_fp_parse(fp, "SHA256:If4x36FUomFia_hUBG_SJxt77UtqvkWqWId-9H-XIbk", strlen(FP)) == SM_ERR_FORMAT, "url-safe alphabet");
}

#define OTHERS "sm1qwss00lnecgtu8tsm5vwwj7qn9n7f43snwjs6hcamjrxgyj4xxuq5z4xj0"

static void secret_files(void)
{
	static const struct {
		const char *text;
		enum sm_err want;
		const char *comment;
	} cases[] = {
	        {SECRET "\n", SM_OK, ""},
	        {SECRET, SM_OK, ""},
	        {"\n# hello\n\n" SECRET "\n\n# more\n", SM_OK, ""},
	        {"# comment: at home\n" SECRET "\n", SM_OK, "at home"},
	        {"# public: " PUBLIC " at home\n" SECRET "\n", SM_OK, "at home"},
	        {"# public: " PUBLIC "\n" SECRET "\n", SM_OK, ""},
	        {"# public: " OTHERS " away\n" SECRET "\n", SM_OK, ""}, /* what is said of another key */
	        {"# public: " PUBLIC " at home\n# public: " OTHERS " away\n" SECRET "\n", SM_OK, "at home"},
	        {SECRET "\n# public: " PUBLIC " at home\n", SM_OK, "at home"},
	        {"", SM_ERR_FORMAT, NULL},
	        {"# only this\n", SM_ERR_FORMAT, NULL},
	        {SECRET "\n" SECRET "\n", SM_ERR_FORMAT, NULL},
	        {SECRET " comment\n", SM_ERR_FORMAT, NULL},
	        {" " SECRET "\n", SM_ERR_FORMAT, NULL},
	        {SECRET "\r\n", SM_ERR_FORMAT, NULL},
	        {SECRET "\nrest\n", SM_ERR_FORMAT, NULL},
	        {PUBLIC "\n", SM_ERR_FORMAT, NULL},
	        {"sm-secret-key-1n4smr800l4dxpw5yft6f9mpvc3zyn3tf0vexjxts8wkqx89w0asqrrwpvt\n", SM_ERR_FORMAT, NULL},
	        {"-----BEGIN PRIVATE KEY-----\nAAAA\n", SM_ERR_FORMAT, NULL},
	};
	uint8_t seed[32];

	if (sm_hex_parse(seed, 32, SEED_HEX, 64))
		abort();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sm_identity id = {0};
		struct sm_span comment = {NULL, 0};
		enum sm_err e = sm_identity_parse(&id, &comment, (const uint8_t *)cases[i].text, strlen(cases[i].text));
		bool good = e == cases[i].want;
		if (!e)
			good = good && id.secret.len == 32 && !memcmp(id.secret.data, seed, 32) &&
			       sm_span_equals(comment, cases[i].comment);
		ok(good, "secret key file %zu", i);
		sm_identity_release(&id);
	}
}

static void secret_round_trip(void)
{
	struct sm_rand_fixed state = {.seed = {7}};
	struct sm_rand rand = sm_rand_from(&state);
	struct sm_identity id, again;
	struct sm_span comment;
	struct sm_buf b;

	sm_buf_init(&b, 4096);
	ok(!sm_identity_generate(&id, &rand), "generate");
	ok(!sm_identity_format(&b, &id,
	                       "b\xc3\xb6"
	                       "b@home",
	                       1763629200),
	   "format");
	ok(sm_span_starts((struct sm_span){b.data, b.len}, "# created: 2025-11-20T09:00:00Z\n# public: sm1"), "how the file begins");
	ok(!sm_identity_parse(&again, &comment, b.data, b.len) && !memcmp(again.secret.data, id.secret.data, 32) &&
	           !memcmp(&again.pub, &id.pub, sizeof id.pub) &&
	           sm_span_equals(comment, "b\xc3\xb6"
	                                   "b@home"),
	   "parse gives the same key and comment");
	sm_identity_release(&again);
	size_t len = b.len;
	ok(sm_identity_format(&b, &id, "two\nlines", 0) == SM_ERR_FORMAT && b.len == len, "a comment of two lines is refused");
	sm_buf_release(&b);
	sm_buf_init(&b, 150);
	ok(sm_identity_format(&b, &id, NULL, 0) == SM_ERR_LIMIT && b.len == 0, "no room: nothing is left in the buffer");
	sm_buf_release(&b);
	sm_identity_release(&id);
	sm_identity_release(&id);
	sm_identity_release(NULL);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	bip173();
	every_length();
	public_tokens();
	bad_points();
	lines();
	fingerprints();
	secret_files();
	secret_round_trip();
	return tap_done();
}
