/* Signatures and the detached file: what is signed, every bit of it, and one fault at a time in the file. */
#include "tap.h"

#include "crypto/hash.h"
#include "wire/signature.h"

#include <stdlib.h>
#include <string.h>

#define FP "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define L1 "sm-signature/1 x25519-ed25519-aes256gcm\n"
#define L2 "namespace file\n"
#define L3 "signer alice@example.org " FP "\n"
#define L4 "date 2026-11-20T10:00:00Z\n"
#define L5 "comment made by a cron job\n"
#define L6 "---\n"
#define N64 "abcdefghijklmnopqrstuvwxyz0123456789._-_.-_.-_.-_.-_.-_.-_.-_.-_"

static const uint8_t hh[32] = {1, 2, 3}, digest[32] = {4, 5, 6};

static void signing(void)
{
	struct sm_rand_fixed state = {.seed = {3}};
	struct sm_rand rand = sm_rand_from(&state);
	struct sm_identity alice, bob;
	uint8_t sig[SM_SIGNATURE_MAX], other[32];
	size_t n = 0;
	struct sm_buf b;
	bool good = true;

	if (sm_identity_generate(&alice, &rand) || sm_identity_generate(&bob, &rand))
		abort();
	sm_buf_init(&b, 200);
	ok(!sm_signed_bytes(&b, alice.pub.suite, alice.pub.fp, hh, digest) && b.len == 15 + 4 + 24 + 96 &&
	           !memcmp(b.data, "sm-signature/1\0\0\0\0\x18x25519-ed25519-aes256gcm", 43) && !memcmp(b.data + 43, alice.pub.fp, 32) &&
	           !memcmp(b.data + 75, hh, 32) && !memcmp(b.data + 107, digest, 32),
	   "the signed bytes");
	ok(!sm_signature_make(sig, &n, &alice, hh, digest) && n == 64, "sign");
	ok(!sm_signature_verify(&alice.pub, hh, digest, sig, n), "verify");
	ok(!sm_verify(sig, b.data, b.len, alice.pub.ed25519), "it is plain Ed25519 over those bytes");
	for (size_t i = 0; i < 8 * n; i++) {
		sig[i / 8] ^= (uint8_t)(1 << i % 8);
		good = good && sm_signature_verify(&alice.pub, hh, digest, sig, n) == SM_ERR_SIGNATURE;
		sig[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ok(good, "any bit of the signature changed: refused");
	for (size_t i = good = 0; i < 256; i++) {
		memcpy(other, hh, 32);
		other[i / 8] ^= (uint8_t)(1 << i % 8);
		good = sm_signature_verify(&alice.pub, other, digest, sig, n) == SM_ERR_SIGNATURE;
		memcpy(other, digest, 32);
		other[i / 8] ^= (uint8_t)(1 << i % 8);
		good = good && sm_signature_verify(&alice.pub, hh, other, sig, n) == SM_ERR_SIGNATURE;
		if (!good)
			break;
	}
	ok(good, "any bit of hh or digest changed: refused");
	ok(sm_signature_verify(&bob.pub, hh, digest, sig, n) == SM_ERR_SIGNATURE, "another's key: refused");
	struct sm_public relabelled = alice.pub;
	relabelled.fp[0] ^= 1;
	ok(sm_signature_verify(&relabelled, hh, digest, sig, n) == SM_ERR_SIGNATURE, "another fingerprint: refused");
	ok(sm_signature_verify(&alice.pub, hh, digest, sig, 63) == SM_ERR_SIGNATURE &&
	           sm_signature_verify(&alice.pub, hh, digest, sig, 65) && sm_signature_verify(&alice.pub, hh, digest, sig, 0),
	   "another size: refused");
	ok(sm_signature_size_ok(alice.pub.suite, 64) && !sm_signature_size_ok(alice.pub.suite, 0), "sizes");
	sm_buf_release(&b);
	sm_identity_release(&alice);
	sm_identity_release(&bob);
}

/* text, then be16 says, then has bytes. */
static enum sm_err parse(struct sm_detached *d, unsigned *line, const char *text, unsigned says, size_t has)
{
	size_t n = strlen(text);
	uint8_t *file = calloc(1, n + 2 + has);
	if (!file)
		abort();
	memcpy(file, text, n);
	sm_put_be16(file + n, (uint16_t)says);
	enum sm_err e = sm_detached_parse(d, line, file, n + 2 + has);
	free(file);
	return e;
}

static const struct {
	const char *name, *text;
	enum sm_err want;
	unsigned line;
} cases[] = {
        {"with a comment", L1 L2 L3 L4 L5 L6, SM_OK, 0},
        {"without", L1 L2 L3 L4 L6, SM_OK, 0},
        {"no address", L1 L2 "signer - " FP "\n" L4 L6, SM_OK, 0},
        {"namespace of 64", L1 "namespace " N64 "\n" L3 L4 L6, SM_OK, 0},
        {"namespace of 65", L1 "namespace " N64 "a\n" L3 L4 L6, SM_ERR_HEADER, 2},
        {"upper-case namespace", L1 "namespace File\n" L3 L4 L6, SM_ERR_HEADER, 2},
        {"namespace that begins with a dot", L1 "namespace .file\n" L3 L4 L6, SM_ERR_HEADER, 2},
        {"empty namespace", L1 "namespace \n" L3 L4 L6, SM_ERR_HEADER, 2},
        {"no namespace", L1 L3 L4 L6, SM_ERR_HEADER, 2},
        {"twice", L1 L2 L2 L3 L4 L6, SM_ERR_HEADER, 3},
        {"other magic", "sm-signature/2 x25519-ed25519-aes256gcm\n" L2 L3 L4 L6, SM_ERR_HEADER, 1},
        {"an envelope", "sm-envelope/1 x25519-ed25519-aes256gcm\n" L2 L3 L4 L6, SM_ERR_HEADER, 1},
        {"no suite", "sm-signature/1\n" L2 L3 L4 L6, SM_ERR_HEADER, 1},
        {"known but absent suite", "sm-signature/1 mlkem768x25519-ed25519-aes256gcm\n" L2 L3 L4 L6, SM_ERR_SUITE, 1},
        {"the header comes before its suite", "sm-signature/1 unheard-of\n" L2 L3 L4, SM_ERR_HEADER, 5},
        {"anonymous signer", L1 L2 "signer - -\n" L4 L6, SM_ERR_HEADER, 3},
        {"address alone", L1 L2 "signer alice@example.org -\n" L4 L6, SM_ERR_HEADER, 3},
        {"bare name", L1 L2 "signer alice " FP "\n" L4 L6, SM_ERR_HEADER, 3},
        {"order", L1 L2 L4 L3 L6, SM_ERR_HEADER, 3},
        {"no such date", L1 L2 L3 "date 2026-02-29T10:00:00Z\n" L6, SM_ERR_HEADER, 4},
        {"leap second", L1 L2 L3 "date 2016-12-31T23:59:60Z\n" L6, SM_ERR_HEADER, 4},
        {"empty comment", L1 L2 L3 L4 "comment \n" L6, SM_ERR_HEADER, 5},
        {"comment without its space", L1 L2 L3 L4 "comment\n" L6, SM_ERR_HEADER, 5},
        {"comment not ASCII", L1 L2 L3 L4 "comment \xc3\xa4\n" L6, SM_ERR_HEADER, 5},
        {"comment with ESC", L1 L2 L3 L4 "comment \x1b[m\n" L6, SM_ERR_HEADER, 5},
        {"two comments", L1 L2 L3 L4 L5 L5 L6, SM_ERR_HEADER, 6},
        {"CRLF", "sm-signature/1 x25519-ed25519-aes256gcm\r\n" L2 L3 L4 L6, SM_ERR_HEADER, 1},
        {"unknown line", L1 L2 L3 L4 "group x\n" L6, SM_ERR_HEADER, 5},
        {"space at the end", L1 L2 L3 L4 "--- \n", SM_ERR_HEADER, 5},
        {"no end", L1 L2 L3 L4, SM_ERR_HEADER, 5},
};

static void files(void)
{
	struct sm_detached d;
	unsigned line;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		line = 0;
		enum sm_err e = parse(&d, &line, cases[i].text, 64, 64);
		ok(e == cases[i].want && line == cases[i].line, "%s (%s, line %u)", cases[i].name, sm_err_text(e), line);
	}
	ok(parse(&d, &line, L1 L2 L3 L4 L6, 64, 63) == SM_ERR_PAYLOAD, "record cut: payload");
	ok(parse(&d, &line, L1 L2 L3 L4 L6, 64, 65) == SM_ERR_PAYLOAD, "bytes after it: payload");
	ok(parse(&d, &line, L1 L2 L3 L4 L6, 0, 0) == SM_ERR_SIGNATURE, "empty record: signature");
	ok(parse(&d, &line, L1 L2 L3 L4 L6, 63, 63) == SM_ERR_SIGNATURE, "another size: signature");
	ok(parse(&d, &line, L1 L2 L3 L4 L6, 2000, 2000) == SM_ERR_SIGNATURE, "far too big: signature");
	ok(sm_detached_parse(&d, &line, (const uint8_t *)L1 L2 L3 L4 L6, strlen(L1 L2 L3 L4 L6)) == SM_ERR_PAYLOAD, "no record: payload");
	ok(parse(&d, &line, "sm-signature/1 unheard-of\n" L2 L3 L4 L6, 0, 1) == SM_ERR_SUITE, "suite comes before payload");
}

static void comments(void)
{
	struct sm_detached d = {.suite = &sm_suite_x25519, .ns = "file", .signer = {.has_fp = true}, .date = 0};
	struct sm_detached again;
	struct sm_buf b;
	unsigned line;

	sm_buf_init(&b, 1 << 16);
	memset(d.comment, '~', 255);
	ok(!sm_detached_write_header(&b, &d) && !sm_buf_add_be16(&b, 64) && !sm_buf_add(&b, hh, 32) && !sm_buf_add(&b, hh, 32) &&
	           !sm_detached_parse(&again, &line, b.data, b.len) && !strcmp(again.comment, d.comment) && !memcmp(again.hh, d.hh, 32),
	   "255 characters of comment, and the same hh");
	uint8_t want[32];
	sm_sha256(want, b.data, b.len - 66);
	ok(!memcmp(want, d.hh, 32), "hh is SHA-256 through `---`");
	sm_buf_clear(&b);
	strncpy(d.comment, "two\nlines", sizeof d.comment);
	ok(sm_detached_write_header(&b, &d) == SM_ERR_HEADER && !b.len, "a comment of two lines is not written");
	d.comment[0] = 0;
	d.date = INT64_MAX;
	ok(sm_detached_write_header(&b, &d) == SM_ERR_HEADER && !b.len, "nor a date that has no form");
	d.date = 0;
	d.signer.has_fp = false;
	ok(sm_detached_write_header(&b, &d) == SM_ERR_HEADER && !b.len, "nor a signer without a key");
	d.signer.has_fp = true;
	d.ns[0] = 0;
	ok(sm_detached_write_header(&b, &d) == SM_ERR_HEADER && !b.len, "nor an empty namespace");
	sm_buf_release(&b);
}

static void truncation(void)
{
	static const char header[] = L1 L2 L3 L4 L5 L6;
	uint8_t file[sizeof header - 1 + 66] = {0};
	size_t h = sizeof header - 1;
	struct sm_detached d, changed;
	unsigned line;
	bool good = true;

	memcpy(file, header, h);
	file[h + 1] = 64;
	for (size_t i = 0; i < sizeof file; i++)
		good = good && sm_detached_parse(&d, &line, file, i) == (i < h ? SM_ERR_HEADER : SM_ERR_PAYLOAD);
	ok(good, "cut in the header: header; after it: payload");
	good = !sm_detached_parse(&d, &line, file, sizeof file);
	for (size_t i = 0; i < 8 * h; i++) {
		file[i / 8] ^= (uint8_t)(1 << i % 8);
		good = good && (sm_detached_parse(&changed, &line, file, sizeof file) || memcmp(changed.hh, d.hh, 32));
		file[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ok(good, "any bit of the header changed: refused, or another hh");
}

int main(void)
{
	if (sm_secret_harden())
		return 1;
	signing();
	files();
	comments();
	truncation();
	return tap_done();
}
