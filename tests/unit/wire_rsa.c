/* The suite rsa-oaep-pss-aes256gcm in lib/wire: identities, key files, stanzas, signatures, and a thousand recipients of the largest
 * keys. */
#include "base/base64.h"
#include "crypto/hash.h"
#include "crypto/rsa.h"
#include "tap.h"
#include "wire/identity.h"
#include "wire/signature.h"
#include "wire/wrap.h"

#include <stdlib.h>
#include <string.h>

#define ID "mn4nx3tbnemhhnpd3d6jhie5fi"
#define MAX (1u << 20)

static struct sm_identity alice, bob, eve; /* eve is of the other suite */

static struct sm_span span(const struct sm_buf *b) { return (struct sm_span){b->data, b->len}; }

static struct sm_party party(const struct sm_public *p)
{
	struct sm_party q = {.has_fp = true};
	memcpy(q.fp, p->fp, SM_FP_LEN);
	return q;
}

/* An SPKI of so many bits that is nobody's; number makes it another one. */
static struct sm_span made_up(uint8_t out[static SM_RSA_SPKI_MAX], const struct sm_public *like, unsigned number)
{
	struct sm_span rest = {like->key, like->keylen}, spki;
	if (!sm_span_take_lp(&rest, &spki))
		abort();
	memcpy(out, spki.p, spki.n);
	sm_put_be32(out + 100, number);
	return (struct sm_span){out, spki.n};
}

/* The text of an identity of these bytes, whatever they are. */
static enum sm_err parse_bytes(const uint8_t *p, size_t n)
{
	struct sm_public pub;
	struct sm_buf b;
	enum sm_err e;

	sm_buf_init(&b, MAX);
	if (sm_buf_adds(&b, "sm-rsa ") || sm_buf_add_base64(&b, p, n))
		abort();
	e = sm_public_parse(&pub, (const char *)b.data, b.len);
	sm_buf_release(&b);
	return e;
}

static void identities(void)
{
	const struct sm_public *a = &alice.pub;
	struct sm_public again, other;
	struct sm_span comment, rest = {a->key, a->keylen}, sign = {NULL, 0}, encrypt = {NULL, 0};
	uint8_t raw[SM_PUBLIC_KEY_MAX + 8], fp[32];
	struct sm_buf b;
	bool found = false;

	sm_buf_init(&b, MAX);
	sm_sha256(fp, a->key, a->keylen);
	ok(a->suite == &sm_suite_rsa && !memcmp(fp, a->fp, 32), "the fingerprint is of all of lp() lp()");
	ok(!sm_public_format(&b, a) && sm_span_starts(span(&b), "sm-rsa AAABJjCC"), "how the text begins");
	ok(!sm_public_parse(&again, (const char *)b.data, b.len) && !memcmp(&again, a, sizeof again), "there and back");
	size_t n = b.len;
	ok(!sm_buf_adds(&b, " bob at home") && !sm_public_parse_line(&again, &found, &comment, span(&b)) && found &&
	           sm_span_equals(comment, "bob at home") && !memcmp(&again, a, sizeof again),
	   "a line with a comment");
	ok(sm_public_parse(&again, (const char *)b.data, b.len) == SM_ERR_FORMAT, "a comment is not part of an identity");
	b.data[6] = '\t';
	ok(sm_public_parse_line(&again, &found, &comment, span(&b)) == SM_ERR_FORMAT, "a tab behind sm-rsa");
	b.data[6] = ' ';
	ok(sm_public_parse(&again, (const char *)b.data, n - 1) == SM_ERR_FORMAT &&
	           sm_public_parse(&again, "sm-rsa ", 7) == SM_ERR_FORMAT && sm_public_parse(&again, "sm-rsa  A", 9) == SM_ERR_FORMAT,
	   "cut, empty, two spaces");
	sm_buf_clear(&b);
	ok(!sm_buf_adds(&b, "sm-rsa ") && !sm_buf_add_base64(&b, a->key, a->keylen) && !sm_buf_adds(&b, "=") &&
	           sm_public_parse(&again, (const char *)b.data, b.len) == SM_ERR_FORMAT,
	   "padding");

	ok(sm_span_take_lp(&rest, &sign) && sm_span_take_lp(&rest, &encrypt) && !rest.n, "two keys");
	ok(sm_public_from_rsa(&other, sign, sign) == SM_ERR_FORMAT, "one key twice");
	ok(!sm_public_from_rsa(&other, encrypt, sign) && memcmp(other.fp, a->fp, 32) != 0, "in the other order it is another identity");
	ok(!parse_bytes(a->key, a->keylen), "as a control");
	memcpy(raw, a->key, a->keylen);
	raw[a->keylen] = 0;
	ok(parse_bytes(raw, a->keylen + 1) == SM_ERR_FORMAT, "a byte behind the second key");
	memcpy(raw + sign.n + 4, raw, sign.n + 4);
	ok(parse_bytes(raw, 2 * (sign.n + 4)) == SM_ERR_FORMAT && parse_bytes(raw, sign.n + 4) == SM_ERR_FORMAT,
	   "one key twice, one key once");
	int refused = 0;
	for (size_t cut = 0; cut < a->keylen; cut++)
		refused += parse_bytes(a->key, cut) == SM_ERR_FORMAT;
	ok(refused == (int)a->keylen, "cut anywhere");
	static const uint8_t long_one[SM_PUBLIC_KEY_MAX + 1];
	ok(parse_bytes(long_one, sizeof long_one) == SM_ERR_FORMAT && parse_bytes(long_one, sizeof long_one - 1) == SM_ERR_FORMAT,
	   "more than an identity can be");
	sm_buf_release(&b);
}

/* --- Key files --- */

static enum sm_err parse_file(struct sm_identity *id, const char *before, struct sm_span one, const char *between, struct sm_span two,
                              const char *behind)
{
	struct sm_buf b;
	enum sm_err e;

	sm_buf_init(&b, MAX);
	if (sm_buf_adds(&b, before) || sm_buf_add(&b, one.p, one.n) || sm_buf_adds(&b, between) || sm_buf_add(&b, two.p, two.n) ||
	    sm_buf_adds(&b, behind))
		abort();
	e = sm_identity_parse(id, NULL, b.data, b.len);
	sm_buf_release(&b);
	return e;
}

static bool reads(const char *before, struct sm_span one, const char *between, struct sm_span two, const char *behind)
{
	struct sm_identity id = {0};
	enum sm_err e = parse_file(&id, before, one, between, two, behind);
	bool same = !e && !memcmp(id.pub.fp, alice.pub.fp, 32) && id.secret.len == alice.secret.len &&
	            !memcmp(id.secret.data, alice.secret.data, id.secret.len);

	sm_identity_release(&id);
	return same;
}

static bool refuses(const char *before, struct sm_span one, const char *between, struct sm_span two, const char *behind)
{
	struct sm_identity id = {0};
	enum sm_err e = parse_file(&id, before, one, between, two, behind);

	sm_identity_release(&id);
	return e == SM_ERR_FORMAT;
}

static void key_files(void)
{
	static const char end[] = "-----END PRIVATE KEY-----\n";
	struct sm_identity id = {0};
	struct sm_span comment, one, two, none = {NULL, 0};
	struct sm_buf b;

	sm_buf_init(&b, MAX);
	ok(!sm_identity_format(&b, &alice, "at home", 0) && !sm_identity_parse(&id, &comment, b.data, b.len) &&
	           sm_span_equals(comment, "at home") && !memcmp(&id.pub, &alice.pub, sizeof id.pub),
	   "there and back, with its comment");
	sm_identity_release(&id);
	sm_buf_clear(&b);
	if (sm_identity_format(&b, &alice, NULL, 0))
		abort();
	one.p = memmem(b.data, b.len, "-----BEGIN", 10);
	two.p = (const uint8_t *)memmem(one.p, b.len - (size_t)(one.p - b.data), end, strlen(end)) + strlen(end);
	one.n = (size_t)(two.p - one.p);
	two.n = b.len - (size_t)(two.p - b.data);

	ok(reads("", one, "", two, ""), "two blocks");
	ok(reads("# hello\n\n", one, "", two, "\n# bye\n"), "comments before and behind");
	struct sm_span cut = {two.p, two.n - 1};
	ok(reads("", one, "", cut, ""), "without the last line's end");
	ok(refuses("", one, "", none, "") && refuses("", none, "", none, "# nothing\n"), "one block, or none");
	ok(refuses("", one, "", one, ""), "one key twice");
	ok(refuses("", one, "# between\n", two, ""), "something between them");
	ok(refuses("", one, "", two, "x\n") && refuses("x\n", one, "", two, ""), "something else in the file");
	ok(refuses("", one, "", two, "-----BEGIN PRIVATE KEY-----\n"), "a third block begun");
	cut = (struct sm_span){two.p, two.n - 30};
	ok(refuses("", one, "", cut, ""), "cut");
	uint8_t *byte = b.data + (one.p - b.data) + 80;
	*byte = *byte == 'A' ? 'B' : 'A';
	ok(!reads("", one, "", two, ""), "a changed letter");
	sm_buf_release(&b);

	struct sm_secret bad;
	ok(!sm_secret_copy(&bad, alice.secret.data, alice.secret.len - 1) &&
	           sm_identity_from_secret(&id, &sm_suite_rsa, &bad) == SM_ERR_FORMAT && !bad.data,
	   "what the kernel kept must be whole");
	ok(sm_identity_generate_in(&id, &sm_suite_rsa, 2047, &sm_rand_system) == SM_ERR_LIMIT &&
	           sm_identity_generate_in(&id, &sm_suite_rsa, 8193, &sm_rand_system) == SM_ERR_LIMIT &&
	           sm_identity_generate_in(&id, &sm_suite_x25519, 2048, &sm_rand_system) == SM_ERR_LIMIT,
	   "sizes that are not made");
}

/* --- Stanzas --- */

static void stanzas(void)
{
	struct sm_party to[2] = {party(&alice.pub), party(&bob.pub)};
	struct sm_header h = {.suite = &sm_suite_rsa, .to = to, .nto = 2, .id = ID, .from = party(&alice.pub)};
	struct sm_stanza s[2] = {{0}}, t;
	uint8_t file_key[SM_FILE_KEY] = {1, 2, 3}, got[SM_FILE_KEY] = {0};
	int refused = 0;

	ok(!sm_wrap_public(&s[0], &h, &to[0], &alice.pub, file_key, &sm_rand_system) &&
	           !sm_wrap_public(&s[1], &h, &to[1], &bob.pub, file_key, &sm_rand_system) && s[0].type == SM_STANZA_RSA &&
	           s[0].bodylen == 256,
	   "wraps");
	h.stanza = s, h.nstanza = 2;
	ok(!sm_unwrap_identity(got, &h, 0, &alice) && !memcmp(got, file_key, 32) && !sm_unwrap_identity(got, &h, 1, &bob), "unwraps");
	ok(sm_unwrap_identity(got, &h, 0, &bob) == SM_ERR_STANZA && sm_unwrap_identity(got, &h, 0, &eve) == SM_ERR_STANZA,
	   "not for others");
	for (size_t i = 0; i < s[0].bodylen; i += 9) {
		s[0].body[i] ^= 4;
		refused += sm_unwrap_identity(got, &h, 0, &alice) == SM_ERR_STANZA;
		s[0].body[i] ^= 4;
	}
	ok(refused == 29, "flipped bits: no stanza");
	h.id[0] ^= 1;
	ok(sm_unwrap_identity(got, &h, 0, &alice) == SM_ERR_STANZA, "another id");
	h.id[0] ^= 1;
	h.from.fp[0] ^= 1;
	ok(sm_unwrap_identity(got, &h, 0, &alice) == SM_ERR_STANZA, "another sender");
	h.from.fp[0] ^= 1;
	s[0].bodylen--;
	ok(sm_unwrap_identity(got, &h, 0, &alice) == SM_ERR_STANZA, "a body of another size");
	s[0].bodylen++;

	/* a file key of another size, sealed as it should be */
	struct sm_span rest = {alice.pub.key, alice.pub.keylen}, key;
	struct sm_buf info;
	sm_buf_init(&info, 512);
	bool sealed = sm_span_take_lp(&rest, &key) && sm_span_take_lp(&rest, &key) && !sm_wrap_info(&info, &h, &to[0]) &&
	              !sm_rsa_seal(s[0].body, key, span(&info), file_key, 31);
	ok(sealed && sm_unwrap_identity(got, &h, 0, &alice) == SM_ERR_STANZA, "31 bytes in it: no stanza");
	sm_buf_release(&info);
	ok(sm_wrap_public(&t, &h, &to[0], &eve.pub, file_key, &sm_rand_system) == SM_ERR_SUITE, "no key of another suite");
	free(s[0].body);
	free(s[1].body);
}

static void signatures(void)
{
	uint8_t hh[32] = {1}, digest[32] = {2}, sig[SM_SIGNATURE_MAX + 1] = {0};
	size_t n = 0;

	ok(!sm_signature_make(sig, &n, &alice, hh, digest) && n == 256, "signs with the modulus's size");
	ok(!sm_signature_verify(&alice.pub, hh, digest, sig, n), "verifies");
	ok(sm_signature_verify(&bob.pub, hh, digest, sig, n) == SM_ERR_SIGNATURE &&
	           sm_signature_verify(&eve.pub, hh, digest, sig, n) == SM_ERR_SIGNATURE,
	   "not for others");
	ok(sm_signature_verify(&alice.pub, hh, digest, sig, n - 1) == SM_ERR_SIGNATURE &&
	           sm_signature_verify(&alice.pub, hh, digest, sig, n + 1) == SM_ERR_SIGNATURE &&
	           sm_signature_verify(&alice.pub, hh, digest, sig, 64) == SM_ERR_SIGNATURE &&
	           sm_signature_verify(&alice.pub, hh, digest, sig, 1024) == SM_ERR_SIGNATURE,
	   "not of another size than the modulus");
	ok(!sm_signature_size_ok(&sm_suite_rsa, 255) && sm_signature_size_ok(&sm_suite_rsa, 256) &&
	           sm_signature_size_ok(&sm_suite_rsa, 1024) && !sm_signature_size_ok(&sm_suite_rsa, 1025) &&
	           !sm_signature_size_ok(&sm_suite_rsa, 64) && !sm_signature_size_ok(&sm_suite_rsa, 0),
	   "sizes that a record may have");
	digest[0] ^= 1;
	ok(sm_signature_verify(&alice.pub, hh, digest, sig, n) == SM_ERR_SIGNATURE, "not another digest");
}

/* --- Headers --- */

/* A header with one stanza whose lines are given. */
static enum sm_err parse_header(const char *suite, const char *stanza, size_t body)
{
	static const uint8_t zeros[2048];
	struct sm_header h;
	struct sm_buf b;
	unsigned line;
	char fp[SM_FP_TEXT_LEN + 1];
	enum sm_err e;

	sm_buf_init(&b, MAX);
	sm_fp_format(fp, alice.pub.fp);
	if (sm_buf_addf(&b, "sm-envelope/1 %s\nfrom - -\nto - %s\nid " ID "\ndate 2026-11-20T10:00:00Z\n%s\n", suite, fp, stanza))
		abort();
	for (size_t i = 0; i < body; i += 48)
		if (sm_buf_add_base64(&b, zeros, body - i < 48 ? body - i : 48) || sm_buf_adds(&b, "\n"))
			abort();
	if (sm_buf_adds(&b, "---\n"))
		abort();
	if (!(e = sm_header_parse(&h, &line, b.data, b.len)))
		sm_header_release(&h);
	sm_buf_release(&b);
	return e;
}

static void headers(void)
{
	const char *rsa = "rsa-oaep-pss-aes256gcm", *x25519 = "x25519-ed25519-aes256gcm";

	ok(!parse_header(rsa, "-> rsa", 256) && !parse_header(rsa, "-> rsa", 257) && !parse_header(rsa, "-> rsa", 1024),
	   "bodies of 256 to 1024");
	ok(parse_header(rsa, "-> rsa", 255) == SM_ERR_HEADER && parse_header(rsa, "-> rsa", 1025) == SM_ERR_HEADER &&
	           parse_header(rsa, "-> rsa", 0) == SM_ERR_HEADER,
	   "others are malformed");
	ok(parse_header(rsa, "-> rsa x", 256) == SM_ERR_HEADER && parse_header(rsa, "-> rsa ", 256) == SM_ERR_HEADER, "no argument");
	ok(parse_header(x25519, "-> rsa", 256) == SM_ERR_HEADER, "not in the other suite");
	ok(parse_header(rsa, "-> hpke AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 48) == SM_ERR_HEADER &&
	           !parse_header(x25519, "-> hpke AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 48),
	   "hpke belongs there");
	ok(parse_header(rsa, "-> ratchet 1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 80) == SM_ERR_HEADER &&
	           !parse_header(x25519, "-> ratchet 1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 80),
	   "sessions belong there");
}

/* 1,024 recipients of 8192 bits, each under an address: the header's limit holds them. */
static void thousand(void)
{
	static const uint8_t file_key[SM_FILE_KEY] = {9};
	static const char address[] = "a-name-of-thirty-two-characters-@mail.some-organisation.example:65535";
	struct sm_header h = {.suite = &sm_suite_rsa, .id = ID, .from = party(&alice.pub), .nto = SM_TO_MAX, .nstanza = SM_TO_MAX}, back;
	uint8_t one[SM_RSA_SPKI_MAX], two[SM_RSA_SPKI_MAX];
	struct sm_public big, pub;
	struct sm_buf b;
	unsigned line;
	bool good = true;

	/* the largest modulus there is, but for some bits in it */
	uint8_t spki[SM_RSA_SPKI_MAX];
	memcpy(spki,
	       "\x30\x82\x04\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x82\x04\x0f\x00\x30\x82\x04\x0a\x02\x82"
	       "\x04"
	       "\x01\x00",
	       33);
	memset(spki + 33, 0xff, SM_RSA_MAX);
	memcpy(spki + 33 + SM_RSA_MAX, "\x02\x03\x01\x00\x01", 5);
	memcpy(two, spki, sizeof two);
	two[200] = 0;
	ok(!sm_public_from_rsa(&big, (struct sm_span){spki, sizeof spki}, (struct sm_span){two, sizeof two}) &&
	           big.keylen == SM_PUBLIC_KEY_MAX,
	   "an identity of 8192 bits");
	h.to = calloc(SM_TO_MAX, sizeof *h.to);
	h.stanza = calloc(SM_TO_MAX, sizeof *h.stanza);
	sm_buf_init(&b, SM_HEADER_MAX);
	for (unsigned i = 0; good && i < SM_TO_MAX; i++) {
		good = !sm_public_from_rsa(&pub, made_up(one, &big, i), (struct sm_span){two, sizeof two});
		h.to[i] = party(&pub);
		good = good && !sm_address_parse(&h.to[i].address, address, strlen(address)) &&
		       !sm_wrap_public(&h.stanza[i], &h, &h.to[i], &pub, file_key, &sm_rand_system) && h.stanza[i].bodylen == 1024;
	}
	ok(good, "1,024 stanzas of 8192 bits");
	good = !sm_header_write(&b, &h);
	ok(good, "are written: %zu bytes", b.len);
	ok(!sm_header_parse(&back, &line, b.data, b.len) && back.nto == SM_TO_MAX && back.nstanza == SM_TO_MAX &&
	           !memcmp(back.stanza[1023].body, h.stanza[1023].body, 1024) && !memcmp(back.hh, h.hh, 32),
	   "and read");
	sm_header_release(&back);
	sm_header_release(&h);
	sm_buf_release(&b);
}

int main(void)
{
	ok(!sm_identity_generate_in(&alice, &sm_suite_rsa, 2048, &sm_rand_system) &&
	           !sm_identity_generate_in(&bob, &sm_suite_rsa, 2048, &sm_rand_system) && !sm_identity_generate(&eve, &sm_rand_system),
	   "generate");
	identities();
	key_files();
	stanzas();
	signatures();
	headers();
	thousand();
	sm_identity_release(&alice);
	sm_identity_release(&bob);
	sm_identity_release(&eve);
	return tap_done();
}
