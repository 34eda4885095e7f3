/* The header: valid ones of every kind, one fault at a time against each, cuts, changed bits, and writing. */
#include "tap.h"

#include "crypto/hash.h"
#include "wire/header.h"

#include <stdlib.h>
#include <string.h>

#define FP(c) "SHA256:" c "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* 42 behind it */
#define KEY43 "0123456789abcdefghijklmnopqrstuvwxyzABCDEFA"
#define SALT22 "0123456789abcdefghijkQ"
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LINE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define LINE43 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopQ"
#define ID "abcdefghijklmnopqrstuvwxya"
#define HEADER40 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0A"

#define LINES_MAX 16
typedef const char *const lines[LINES_MAX];

static lines ordinary = {
        "sm-envelope/1 x25519-ed25519-aes256gcm",
        "from alice@example.org " FP("A"),
        "to bob@[2001:db8::1]:8443 " FP("B"),
        "to - " FP("C"),
        "id " ID,
        "date 2026-11-20T10:00:00Z",
        "attach 0 " HEX64 " 72",
        "attach 1 " HEX64 " 9223372036854775807",
        "-> hpke " KEY43,
        LINE64,
        "-> hpke " KEY43,
        LINE64,
        "---",
};
static lines passphrase = {
        "sm-envelope/1 x25519-ed25519-aes256gcm", "from - -", "to - -", "id " ID, "date 2026-11-20T10:00:00Z",
        "-> argon2id " SALT22 " 3 65536",         LINE64,     "---",
};
static lines group = {
        "sm-envelope/1 x25519-ed25519-aes256gcm",
        "from - " FP("A"),
        "group " ID " 7 " HEX64,
        "id " ID,
        "date 2026-11-20T10:00:00Z",
        "-> senderkey 1 " ID " 4294967295",
        LINE64,
        LINE43,
        "---",
};
static lines session = {
        "sm-envelope/1 x25519-ed25519-aes256gcm",
        "from - " FP("A"),
        "to - " FP("B"),
        "to - " FP("C"),
        "id " ID,
        "date 2026-11-20T10:00:00Z",
        "-> ratchet 1 " HEADER40 " x3dh " KEY43 " 5 -",
        LINE64,
        LINE43,
        "-> ratchet 0 " HEADER40,
        LINE64,
        LINE43,
        "---",
};

struct text {
	char data[16384];
	size_t n;
};

static void add(struct text *t, const char *s)
{
	size_t n = strlen(s);
	if (n > sizeof t->data - t->n)
		abort();
	memcpy(t->data + t->n, s, n);
	t->n += n;
}

/* The lines with line number at replaced by instead, which may hold several; NULL takes it out. at 0: all as they are. */
static struct text build(lines l, unsigned at, const char *instead)
{
	struct text t = {.n = 0};
	for (unsigned i = 0; i < LINES_MAX && l[i]; i++) {
		const char *s = i + 1 == at ? instead : l[i];
		if (s) {
			add(&t, s);
			add(&t, "\n");
		}
	}
	return t;
}

static enum sm_err parse(struct sm_header *h, unsigned *line, const struct text *t)
{
	uint8_t *exact = malloc(t->n ? t->n : 1);
	if (!exact)
		abort();
	memcpy(exact, t->data, t->n);
	enum sm_err e = sm_header_parse(h, line, exact, t->n);
	free(exact);
	return e;
}

static bool writes_back(struct sm_header *h, const struct text *t)
{
	uint8_t hh[32], want[32];
	struct sm_buf b;

	memcpy(hh, h->hh, sizeof hh);
	memset(h->hh, 0, sizeof h->hh);
	sm_sha256(want, t->data, t->n);
	sm_buf_init(&b, SM_HEADER_MAX);
	bool good = !sm_header_write(&b, h) && b.len == t->n && !memcmp(b.data, t->data, t->n) && !memcmp(hh, h->hh, sizeof hh) &&
	            !memcmp(hh, want, sizeof hh);
	sm_buf_release(&b);
	return good;
}

static void takes(const char *name, lines l, unsigned at, const char *instead)
{
	struct text t = build(l, at, instead);
	struct sm_header h;
	unsigned line = 0;
	size_t len = 0;
	enum sm_err e = parse(&h, &line, &t);
	bool good = !e && writes_back(&h, &t) && !sm_header_find(&len, (uint8_t *)t.data, t.n) && len == t.n;
	ok(good, "takes %s, and writes it the same (%s, line %u)", name, sm_err_text(e), line);
	if (!e)
		sm_header_release(&h);
}

static void refuses(const char *name, lines l, unsigned at, const char *instead, unsigned want)
{
	struct text t = build(l, at, instead);
	struct sm_header h;
	unsigned line = 0;
	enum sm_err e = parse(&h, &line, &t);
	ok(e == SM_ERR_HEADER && line == want, "refuses %s (%s, line %u of %u)", name, sm_err_text(e), line, want);
	if (!e)
		sm_header_release(&h);
}

static void first_line(void)
{
	struct text t = build(ordinary, 1, "sm-envelope/1 mlkem768x25519-ed25519-aes256gcm");
	struct sm_header h;
	unsigned line = 0;
	ok(parse(&h, &line, &t) == SM_ERR_SUITE && line == 1, "a suite that this build lacks");
	t = build(ordinary, 1, "sm-envelope/1 unheard-of\nnonsense");
	ok(parse(&h, &line, &t) == SM_ERR_SUITE && line == 1, "the suite comes before the rest");
	refuses("other magic", ordinary, 1, "sm-envelope/2 x25519-ed25519-aes256gcm", 1);
	refuses("no suite", ordinary, 1, "sm-envelope/1 ", 1);
	refuses("two suites", ordinary, 1, "sm-envelope/1 x25519-ed25519-aes256gcm x", 1);
	refuses("two spaces", ordinary, 1, "sm-envelope/1  x25519-ed25519-aes256gcm", 1);
	refuses("CRLF", ordinary, 1, "sm-envelope/1 x25519-ed25519-aes256gcm\r", 1);
	refuses("empty line first", ordinary, 1, "\nsm-envelope/1 x25519-ed25519-aes256gcm", 1);
	refuses("no first line", ordinary, 1, NULL, 1);
	refuses("it twice", ordinary, 1, "sm-envelope/1 x25519-ed25519-aes256gcm\nsm-envelope/1 x25519-ed25519-aes256gcm", 2);
}

static void from_and_to(void)
{
	takes("an anonymous sender", ordinary, 2, "from - -");
	takes("a sender without address", ordinary, 2, "from - " FP("A"));
	refuses("a sender without key", ordinary, 2, "from alice@example.org -", 2);
	refuses("no sender", ordinary, 2, NULL, 2);
	refuses("two senders", ordinary, 2, "from - -\nfrom - -", 3);
	refuses("a bare name", ordinary, 2, "from alice " FP("A"), 2);
	refuses("a fingerprint cut short", ordinary, 2, "from - SHA256:AAAA", 2);
	refuses("a fingerprint with padding", ordinary, 2, "from - " FP("A") "=", 2);
	refuses("a fingerprint with trailing bits", ordinary, 2, "from - SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", 2);
	refuses("a space at the end", ordinary, 2, "from - - ", 2);
	refuses("two spaces", ordinary, 2, "from -  -", 2);
	refuses("a tab", ordinary, 2, "from\t- -", 2);
	refuses("UTF-8", ordinary, 2, "from \xc3\xa4@example.org " FP("A"), 2);
	refuses("a third word", ordinary, 2, "from - - -", 2);
	refuses("an empty line", ordinary, 2, "from - -\n", 3);
	refuses("no recipient", passphrase, 3, NULL, 3);
	refuses("a recipient with address alone", ordinary, 3, "to bob@example.org -", 3);
	refuses("a recipient twice", ordinary, 4, "to - " FP("B"), 4);
	refuses("a recipient twice under two addresses", ordinary, 4, "to carol@example.org " FP("B"), 4);
	refuses("nobody first", ordinary, 3, "to - -", 4);
	refuses("nobody second", ordinary, 4, "to - -", 4);
	refuses("nobody twice", passphrase, 3, "to - -\nto - -", 4);
	refuses("`to` without words", ordinary, 3, "to", 3);
	refuses("one recipient too few", ordinary, 4, NULL, 10);
	refuses("one recipient too many", ordinary, 4, "to - " FP("C") "\nto - " FP("D"), 14);
	refuses("recipient after id", ordinary, 5, "id " ID "\nto - " FP("D"), 6);
	refuses("to and group", ordinary, 4, "group " ID " 7 " HEX64, 4);
}

static void id_and_date(void)
{
	refuses("no id", ordinary, 5, NULL, 5);
	refuses("an id of 25", ordinary, 5, "id abcdefghijklmnopqrstuvwxy", 5);
	refuses("an id of 27", ordinary, 5, "id " ID "a", 5);
	refuses("an id in upper case", ordinary, 5, "id ABCDEFGHIJKLMNOPQRSTUVWXYA", 5);
	refuses("an id with trailing bits", ordinary, 5, "id abcdefghijklmnopqrstuvwxyb", 5);
	refuses("an id with a digit of no base32", ordinary, 5, "id abcdefghijklmnopqrstuvwx1a", 5);
	refuses("two ids", ordinary, 5, "id " ID "\nid " ID, 6);
	refuses("no date", ordinary, 6, NULL, 6);
	refuses("two dates", ordinary, 6, "date 2026-11-20T10:00:00Z\ndate 2026-11-20T10:00:00Z", 7);
	refuses("date before id", ordinary, 5, "date 2026-11-20T10:00:00Z\nid " ID, 5);
	takes("29 February of a leap year", ordinary, 6, "date 2028-02-29T23:59:59Z");
	takes("the year 0", ordinary, 6, "date 0000-01-01T00:00:00Z");
	takes("the year 9999", ordinary, 6, "date 9999-12-31T23:59:59Z");
	refuses("29 February", ordinary, 6, "date 2026-02-29T10:00:00Z", 6);
	refuses("31 November", ordinary, 6, "date 2026-11-31T10:00:00Z", 6);
	refuses("month 13", ordinary, 6, "date 2026-13-01T10:00:00Z", 6);
	refuses("hour 24", ordinary, 6, "date 2026-11-20T24:00:00Z", 6);
	refuses("second 60", ordinary, 6, "date 2016-12-31T23:59:60Z", 6);
	refuses("lower case", ordinary, 6, "date 2026-11-20t10:00:00z", 6);
	refuses("a zone", ordinary, 6, "date 2026-11-20T10:00:00+00:00", 6);
	refuses("fractions", ordinary, 6, "date 2026-11-20T10:00:00.0Z", 6);
	refuses("an unknown line", ordinary, 6, "date 2026-11-20T10:00:00Z\nsubject x", 7);
}

static void attachments(void)
{
	refuses("index 1 first", ordinary, 7, NULL, 7);
	takes("one attachment", ordinary, 8, NULL);
	refuses("a gap", ordinary, 8, "attach 2 " HEX64 " 1", 8);
	refuses("an index twice", ordinary, 8, "attach 0 " HEX64 " 1", 8);
	refuses("index 01", ordinary, 8, "attach 01 " HEX64 " 1", 8);
	refuses("upper-case hex", ordinary, 8, "attach 1 0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef 1", 8);
	refuses("63 digits", ordinary, 8, "attach 1 123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef 1", 8);
	refuses("a size with leading zero", ordinary, 8, "attach 1 " HEX64 " 01", 8);
	refuses("a negative size", ordinary, 8, "attach 1 " HEX64 " -1", 8);
	refuses("a size over 63 bits", ordinary, 8, "attach 1 " HEX64 " 9223372036854775808", 8);
	refuses("a size over 64 bits", ordinary, 8, "attach 1 " HEX64 " 18446744073709551616", 8);
	refuses("no size", ordinary, 8, "attach 1 " HEX64, 8);
	refuses("attachments before date", ordinary, 6, "attach 0 " HEX64 " 1\ndate 2026-11-20T10:00:00Z", 6);
	refuses("attachments after a stanza", ordinary, 12, LINE64 "\nattach 2 " HEX64 " 1", 13);

	struct text many = {.n = 0};
	char line[200];
	add(&many, "date 2026-11-20T10:00:00Z");
	for (unsigned i = 0; i < 65; i++) {
		snprintf(line, sizeof line, "\nattach %u " HEX64 " 1", i);
		add(&many, line);
	}
	many.data[many.n] = 0;
	refuses("65 attachments", passphrase, 5, many.data, 70);
	*strstr(many.data, "\nattach 64 ") = 0;
	takes("64 attachments", passphrase, 5, many.data);
}

static void stanzas(void)
{
	refuses("no stanzas", ordinary, 9, "---", 9);
	refuses("another suite's stanza", ordinary, 9, "-> rsa", 9);
	refuses("a stanza of no suite", ordinary, 9, "-> x25519 " KEY43, 9);
	refuses("a grease stanza", ordinary, 9, "-> hpke " KEY43 " " KEY43, 9);
	refuses("no arguments", ordinary, 9, "-> hpke", 9);
	refuses("enc cut short", ordinary, 9, "-> hpke 0123456789abcdefghijklmnopqrstuvwxyzABCDE", 9);
	refuses("enc with trailing bits", ordinary, 9, "-> hpke 0123456789abcdefghijklmnopqrstuvwxyzABCDEFB", 9);
	refuses("an arrow without space", ordinary, 9, "->hpke " KEY43, 9);
	refuses("a passphrase for a key", ordinary, 9, "-> argon2id " SALT22 " 3 65536", 9);
	refuses("a sender key for a key", ordinary, 9, "-> senderkey 1 " ID " 0\n" LINE64 "\n" LINE43, 9);
	refuses("a key for a passphrase", passphrase, 6, "-> hpke " KEY43, 6);
	refuses("no body", ordinary, 10, NULL, 9);
	refuses("an empty body line", ordinary, 10, "", 10);
	refuses("a body of 47 bytes", ordinary, 10, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789A", 10);
	refuses("a body of 49 bytes", ordinary, 10, LINE64 "\nAA", 11);
	refuses("a body of two lines", ordinary, 10, LINE64 "\n" LINE64, 11);
	refuses("a body of 65 columns", ordinary, 10, LINE64 "A", 10);
	refuses("a body split early", ordinary, 10, "ABCD\nEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 11);
	refuses("padding", ordinary, 10, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=", 10);
	refuses("url-safe alphabet", ordinary, 10, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/", 10);
	refuses("a space in the body", ordinary, 10, LINE64 " ", 10);
	refuses("one stanza too many", ordinary, 12, LINE64 "\n-> hpke " KEY43 "\n" LINE64, 13);
	refuses("an end with a space", ordinary, 13, "--- ", 13);
	refuses("four dashes", ordinary, 13, "----", 13);
	refuses("no end", ordinary, 13, NULL, 13);
	refuses("bytes after the end", ordinary, 13, "---\nx", 14);
	refuses("an end in the middle", ordinary, 5, "---", 5);
}

static void passphrases(void)
{
	takes("argon2id", passphrase, 0, NULL);
	takes("a named sender of one", passphrase, 2, "from alice@example.org " FP("A"));
	takes("the largest", passphrase, 6, "-> argon2id " SALT22 " 10 1048576");
	takes("the smallest", passphrase, 6, "-> argon2id " SALT22 " 1 8");
	refuses("t 0", passphrase, 6, "-> argon2id " SALT22 " 0 65536", 6);
	refuses("t 11", passphrase, 6, "-> argon2id " SALT22 " 11 65536", 6);
	refuses("m 7", passphrase, 6, "-> argon2id " SALT22 " 3 7", 6);
	refuses("m 1048577", passphrase, 6, "-> argon2id " SALT22 " 3 1048577", 6);
	refuses("m in 33 bits", passphrase, 6, "-> argon2id " SALT22 " 3 4294967304", 6);
	refuses("t 03", passphrase, 6, "-> argon2id " SALT22 " 03 65536", 6);
	refuses("no m", passphrase, 6, "-> argon2id " SALT22 " 3", 6);
	refuses("p", passphrase, 6, "-> argon2id " SALT22 " 3 65536 1", 6);
	refuses("a short salt", passphrase, 6, "-> argon2id 0123456789abcdefghijk 3 65536", 6);
	refuses("a salt with trailing bits", passphrase, 6, "-> argon2id 0123456789abcdefghijkR 3 65536", 6);
	takes("pbkdf2", passphrase, 6, "-> pbkdf2 " SALT22 " 1");
	takes("pbkdf2 at its largest", passphrase, 6, "-> pbkdf2 " SALT22 " 10000000");
	refuses("0 rounds", passphrase, 6, "-> pbkdf2 " SALT22 " 0", 6);
	refuses("10000001 rounds", passphrase, 6, "-> pbkdf2 " SALT22 " 10000001", 6);
	refuses("a second stanza", passphrase, 7, LINE64 "\n-> argon2id " SALT22 " 3 65536\n" LINE64, 8);
	refuses("a passphrase with a recipient's key", passphrase, 3, "to - " FP("B"), 6);
}

static void sessions(void)
{
	struct text t;
	struct sm_header h;
	unsigned line;

	takes("a group", group, 0, NULL);
	t = build(group, 0, NULL);
	ok(!parse(&h, &line, &t) && h.has_group && h.group.epoch == 7 && !strcmp(h.group.id, ID) && !h.nto && h.nstanza == 1 &&
	           h.stanza[0].senderkey.n == UINT32_MAX && h.stanza[0].bodylen == 80,
	   "what a group's header says");
	sm_header_release(&h);
	refuses("a group and a recipient", group, 3, "group " ID " 7 " HEX64 "\nto - " FP("B"), 4);
	refuses("two groups", group, 3, "group " ID " 7 " HEX64 "\ngroup " ID " 7 " HEX64, 4);
	refuses("a group's id", group, 3, "group abcdefghijklmnopqrstuvwxyb 7 " HEX64, 3);
	refuses("epoch 07", group, 3, "group " ID " 07 " HEX64, 3);
	refuses("no roster", group, 3, "group " ID " 7", 3);
	refuses("a roster in upper case", group, 3, "group " ID " 7 0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", 3);
	refuses("another stanza under a group", group, 6, "-> hpke " KEY43 "\n" LINE64, 6);
	refuses("a chain's number in 33 bits", group, 6, "-> senderkey 1 " ID " 4294967296", 6);
	refuses("a chain id", group, 6, "-> senderkey 1 " ID "a 0", 6);
	refuses("two sender keys", group, 8, LINE43 "\n-> senderkey 1 " ID " 0\n" LINE64 "\n" LINE43, 9);
	refuses("a body of 48 bytes", group, 8, NULL, 7);

	takes("ratchet stanzas", session, 0, NULL);
	takes("a one-time prekey", session, 7, "-> ratchet 1 " HEADER40 " x3dh " KEY43 " 5 4294967295");
	t = build(session, 7, "-> ratchet 1 " HEADER40 " x3dh " KEY43 " 5 6");
	ok(!parse(&h, &line, &t) && h.stanza[0].ratchet.x3dh && h.stanza[0].ratchet.has_opk && h.stanza[0].ratchet.device == 1 &&
	           h.stanza[0].ratchet.spk == 5 && h.stanza[0].ratchet.opk == 6 && !h.stanza[1].ratchet.x3dh,
	   "what a ratchet stanza says");
	sm_header_release(&h);
	refuses("another word for x3dh", session, 7, "-> ratchet 1 " HEADER40 " x4dh " KEY43 " 5 -", 7);
	refuses("half an x3dh", session, 7, "-> ratchet 1 " HEADER40 " x3dh " KEY43 " 5", 7);
	refuses("a header cut short", session, 7, "-> ratchet 1 ABCD", 7);
	refuses("nine words", session, 7, "-> ratchet 1 " HEADER40 " x3dh " KEY43 " 5 - -", 7);
	refuses("a body of 80 bytes on one line", session, 11, LINE64 LINE43, 11);
	refuses("a body line without end", session, 11,
	        LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64
	                LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64,
	        11);
	refuses("device 01", session, 10, "-> ratchet 01 " HEADER40, 10);
}

static void finding(void)
{
	struct text t = build(ordinary, 0, NULL);
	struct sm_header h;
	unsigned line;
	size_t len = 0;
	bool find = true, cut = true;

	for (size_t i = 0; i < t.n; i++) {
		struct text part = t;
		part.n = i;
		find = find && sm_header_find(&len, (uint8_t *)t.data, i) == SM_ERR_NOTFOUND;
		line = 0;
		cut = cut && parse(&h, &line, &part) == SM_ERR_HEADER && line > 0 && line < 14;
	}
	ok(find, "cut anywhere: not found yet");
	ok(cut, "cut anywhere: malformed");
	size_t all = t.n;
	add(&t, "---\n\n---\nbody");
	ok(!sm_header_find(&len, (uint8_t *)t.data, t.n) && len == all, "what follows is not header");
	ok(sm_header_find(&len, (const uint8_t *)"sm-envelope/2 ", 14) == SM_ERR_HEADER, "other magic");
	ok(sm_header_find(&len, (const uint8_t *)"x", 1) == SM_ERR_HEADER && sm_header_find(&len, NULL, 0) == SM_ERR_NOTFOUND,
	   "one byte, and none");

	uint8_t *big = malloc(SM_HEADER_MAX + 1);
	if (!big)
		abort();
	memset(big, 'x', SM_HEADER_MAX + 1);
	memcpy(big, SM_MAGIC, strlen(SM_MAGIC));
	ok(sm_header_find(&len, big, SM_HEADER_MAX - 1) == SM_ERR_NOTFOUND, "below the limit: not found yet");
	ok(sm_header_find(&len, big, SM_HEADER_MAX) == SM_ERR_HEADER, "at the limit: malformed");
	memcpy(big + SM_HEADER_MAX - 4, "\n---\n", 5);
	ok(sm_header_find(&len, big, SM_HEADER_MAX + 1) == SM_ERR_HEADER, "an end one byte too late");
	memcpy(big + SM_HEADER_MAX - 5, "\n---\n", 5);
	ok(!sm_header_find(&len, big, SM_HEADER_MAX + 1) && len == SM_HEADER_MAX, "an end just in time");
	ok(sm_header_parse(&h, &line, big, SM_HEADER_MAX + 1) == SM_ERR_HEADER, "over the limit: malformed");
	free(big);
}

static void changed_bits(lines l, const char *name)
{
	struct text t = build(l, 0, NULL);
	struct sm_header h, other;
	unsigned line;
	bool good = !parse(&h, &line, &t);

	for (size_t i = 0; i < 8 * t.n; i++) {
		t.data[i / 8] ^= (char)(1 << i % 8);
		if (!parse(&other, &line, &t)) {
			good = good && memcmp(other.hh, h.hh, 32) && writes_back(&other, &t);
			sm_header_release(&other);
		}
		t.data[i / 8] ^= (char)(1 << i % 8);
	}
	ok(good, "any bit of %s changed: refused, or another hh", name);
	sm_header_release(&h);
}

static void contents(void)
{
	struct text t = build(ordinary, 0, NULL);
	struct sm_header h;
	unsigned line;
	uint8_t fp[32] = {1 << 2}; /* "B" and zeros */

	ok(!parse(&h, &line, &t), "the ordinary header");
	ok(h.suite == &sm_suite_x25519 && !strcmp(h.from.address.name, "alice") && !strcmp(h.from.address.host, "example.org"),
	   "suite and sender");
	ok(h.nto == 2 && !strcmp(h.to[0].address.host, "[2001:db8::1]:8443") && !h.to[1].address.text[0] && h.to[1].has_fp, "recipients");
	ok(sm_header_find_to(&h, fp) == 0 && (fp[0] = 2 << 2, sm_header_find_to(&h, fp) == 1) &&
	           (fp[0] = 9, sm_header_find_to(&h, fp) == -1),
	   "finding a recipient");
	ok(!sm_header_anonymous(&h) && !strcmp(h.id, ID) && h.date == 1795168800, "id and date");
	ok(h.nattach == 2 && h.attach[0].bytes == 72 && h.attach[0].digest[1] == 0x23, "attachments");
	ok(h.nstanza == 2 && h.stanza[1].type == SM_STANZA_HPKE && h.stanza[1].bodylen == 48, "stanzas");
	sm_header_release(&h);
	sm_header_release(&h);
	sm_header_release(NULL);
	t = build(passphrase, 0, NULL);
	ok(!parse(&h, &line, &t) && sm_header_anonymous(&h) && h.stanza[0].pw.t == 3 && h.stanza[0].pw.m == 65536, "a passphrase's");
	memset(fp, 0, sizeof fp);
	ok(sm_header_find_to(&h, fp) == -1, "no key is a passphrase's recipient");
	sm_header_release(&h);
}

/* n recipients, the last one again the first when twice is set. */
static bool many(size_t n, bool twice, enum sm_err want, unsigned want_line)
{
	struct sm_header h = {.suite = &sm_suite_x25519, .id = ID, .nto = n, .nstanza = n};
	struct sm_buf b, copy;
	unsigned line = 0;
	bool good;

	h.to = calloc(n, sizeof *h.to);
	h.stanza = calloc(n, sizeof *h.stanza);
	sm_buf_init(&b, SM_HEADER_MAX);
	sm_buf_init(&copy, SM_HEADER_MAX);
	if (!h.to || !h.stanza)
		abort();
	for (size_t i = 0; i < n; i++) {
		h.to[i].has_fp = true;
		sm_put_be32(h.to[i].fp + 28, (uint32_t)i);
		h.stanza[i] = (struct sm_stanza){.body = calloc(1, 48), .bodylen = 48};
	}
	if (twice)
		h.to[n - 1] = h.to[0];
	enum sm_err e = sm_header_write(&b, &h);
	good = e == want;
	if (n > SM_TO_MAX && !sm_buf_adds(&copy, SM_MAGIC "x25519-ed25519-aes256gcm\nfrom - -\n")) {
		for (size_t i = 0; i < n; i++)
			if (sm_buf_adds(&copy, "to ") || sm_party_write(&copy, &h.to[i]) || sm_buf_adds(&copy, "\n"))
				abort();
		struct sm_header other;
		good = good && sm_header_parse(&other, &line, copy.data, copy.len) == SM_ERR_HEADER && line == want_line;
	}
	sm_buf_release(&b);
	sm_buf_release(&copy);
	sm_header_release(&h);
	return good;
}

static void writing(void)
{
	struct text t = build(ordinary, 0, NULL);
	struct sm_header h;
	struct sm_buf b;
	unsigned line;

	ok(many(1024, false, SM_OK, 0), "1024 recipients");
	ok(many(1024, true, SM_ERR_HEADER, 0), "1024 with the first one twice");
	ok(many(1025, false, SM_ERR_HEADER, 1027), "1025 recipients");
	if (parse(&h, &line, &t))
		abort();
	sm_buf_init(&b, SM_HEADER_MAX);
	if (sm_buf_adds(&b, "before"))
		abort();
#define refuses_to_write(name)                                                                                                             \
	ok(sm_header_write(&b, &h) == SM_ERR_HEADER && b.len == 6 && !memcmp(b.data, "before", 6), "does not write %s", name)
	h.id[0] = '\n';
	refuses_to_write("an id that is none");
	h.id[0] = 'a';
	h.date = INT64_MAX;
	refuses_to_write("a date that has no form");
	h.date = 0;
	h.nstanza = 1;
	refuses_to_write("fewer stanzas than recipients");
	h.nstanza = 2;
	h.stanza[1].bodylen = 47;
	refuses_to_write("a body of another size");
	h.stanza[1].bodylen = 48;
	memcpy(h.from.address.text, "a@b\nto - -", 11);
	refuses_to_write("an address that would be a line");
	h.from.address.text[0] = 0;
	h.from.has_fp = false;
	h.attach[0].bytes = UINT64_MAX;
	refuses_to_write("a size that would not be read back");
	h.attach[0].bytes = 1;
	h.to[1].has_fp = false;
	refuses_to_write("a recipient without a key");
	h.to[1].has_fp = true;
	h.suite = NULL;
	refuses_to_write("no suite");
	h.suite = &sm_suite_x25519;
	ok(!sm_header_write(&b, &h) && b.len > 6, "and writes it once all is well");
	sm_buf_release(&b);
	sm_buf_init(&b, 300);
	ok(sm_header_write(&b, &h) == SM_ERR_LIMIT && !b.len, "no room: nothing left in the buffer");
	sm_buf_release(&b);
	sm_header_release(&h);
}

int main(void)
{
	takes("an ordinary header", ordinary, 0, NULL);
	contents();
	first_line();
	from_and_to();
	id_and_date();
	attachments();
	stanzas();
	passphrases();
	sessions();
	finding();
	changed_bits(ordinary, "an ordinary header");
	changed_bits(passphrase, "a passphrase's header");
	changed_bits(group, "a group's header");
	changed_bits(session, "a session's header");
	writing();
	return tap_done();
}
