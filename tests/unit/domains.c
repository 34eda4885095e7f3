/* One key signs many kinds of things: none may ever be taken for another. What is signed is put together here by the pages, held against
 * the signature that the library makes, and then compared kind by kind: the labels that they begin with end in a 0 byte, and no two are
 * alike. So whoever chooses the rest (a server its nonce, a sender its header) gets no login out of a message, nor the reverse. */
#include "session.h"
#include "tap.h"

#include "base/base64.h"
#include "crypto/hash.h"
#include "net/scram.h"
#include "wire/devices.h"
#include "wire/roster.h"
#include "wire/signature.h"

struct kind {
	const char *name;
	struct sm_buf bytes;
	uint8_t sig[SM_SIG_LEN];
};
static struct kind kind[16];
static size_t nkind;

static struct kind *next(const char *name)
{
	struct kind *k = &kind[nkind++];
	k->name = name;
	sm_buf_init(&k->bytes, 65536);
	return k;
}

static void add(struct kind *k, const void *p, size_t n) { MUST(sm_buf_add(&k->bytes, p, n)); }
static void add_label(struct kind *k, const char *s) { add(k, s, strlen(s) + 1); }
static void add_lp(struct kind *k, const char *s) { MUST(sm_buf_add_lp(&k->bytes, s, strlen(s))); }

static void proof(const struct device *d, const char *purpose)
{
	struct kind *k = next(purpose);
	struct sm_scram s = {.origin = "example.org", .user = "alice", .expires = NOW + 60};
	memset(s.nonce, 0x5a, sizeof(s.nonce));
	memcpy(s.device, d->id.pub.fp, sizeof(s.device));
	MUST(sm_scram_device_signature(k->sig, purpose, &s, &d->id));
	add_label(k, "SM-AUTH-v1");
	add_lp(k, purpose);
	add_lp(k, s.origin);
	add_lp(k, s.user);
	add(k, s.device, 32);
	add(k, s.nonce, 32);
	MUST(sm_buf_add_be64(&k->bytes, (uint64_t)s.expires));
}

static void message(const struct device *d)
{
	struct kind *k = next("message");
	uint8_t hh[32] = {1}, digest[32] = {2};
	size_t n;
	MUST(sm_signature_make(k->sig, &n, &d->id, hh, digest));
	add_label(k, "sm-signature/1");
	add_lp(k, d->id.pub.suite->id);
	add(k, d->id.pub.fp, 32);
	add(k, hh, 32);
	add(k, digest, 32);
}

static void prekey(const struct device *d)
{
	struct kind *k = next("signed prekey");
	const struct sm_signed_prekey *p = &d->bundle.spk;
	memcpy(k->sig, p->sig, SM_SIG_LEN);
	add_label(k, "SM-spk-v1");
	MUST(sm_buf_add_be32(&k->bytes, d->end.device) || sm_buf_add_be32(&k->bytes, p->id) ||
	     sm_buf_add_be64(&k->bytes, (uint64_t)p->created) || sm_buf_add_u8(&k->bytes, 2));
	add(k, p->key, 32);
}

/* The text through "---\n" is what a device list's and a roster's signature is over, by its hash. */
static void add_hash(struct kind *k, const struct sm_buf *text)
{
	const char *end = strstr((const char *)text->data, "\n---\n");
	uint8_t hash[32];
	if (!end)
		abort();
	sm_sha256(hash, text->data, (size_t)(end + 5 - (const char *)text->data));
	add(k, hash, 32);
}

static void device_list(const struct device *d)
{
	struct kind *k = next("device list");
	struct sm_device_list l, read;
	struct sm_buf text;
	sm_buf_init(&text, SM_DEVICES_TEXT_MAX + 1);
	sm_device_list_implied(&l, &d->end.address, d->end.pk);
	l.version = 1;
	l.date = NOW;
	MUST(sm_device_list_sign(&text, &l, &d->id) || !sm_buf_str(&text));
	MUST(sm_device_list_parse(&read, (const char *)text.data, text.len));
	add_label(k, "SM-devices-v1");
	add_hash(k, &text);
	MUST(sm_sign(k->sig, k->bytes.data, k->bytes.len, d->id.secret.data));
	/* Ed25519 is deterministic: the same signature stands at the end of the text. */
	struct sm_buf b64;
	sm_buf_init(&b64, 128);
	MUST(sm_buf_add_base64(&b64, k->sig, SM_SIG_LEN) || !sm_buf_str(&b64));
	ok(strstr((const char *)text.data, (const char *)b64.data) != NULL, "a device list carries the signature over its label and hash");
	sm_buf_release(&b64);
	sm_buf_release(&text);
}

static void roster(const struct device *d)
{
	struct kind *k = next("roster");
	struct sm_member m = {.address = d->end.address, .admin = true};
	struct sm_roster r = {.group = GROUP, .epoch = 1, .name = "ops", .date = NOW, .member = &m, .n = 1, .signer = d->end.address};
	struct sm_buf text;
	memcpy(m.pk, d->end.pk, SM_PK_LEN);
	sm_buf_init(&text, SM_ROSTER_TEXT_MAX + 1);
	MUST(sm_roster_sign(&text, &r, &d->id) || !sm_buf_str(&text));
	memcpy(k->sig, r.sig, SM_SIG_LEN);
	add_label(k, "SM-roster-v1");
	add_hash(k, &text);
	sm_buf_release(&text);
}

static size_t shorter(const char *a, const char *b) { return strlen(a) < strlen(b) ? strlen(a) : strlen(b); }

/* Neither begins as the other does: by the label with its 0 byte, and proofs by lp(purpose) behind it. */
static bool apart(const struct kind *a, const struct kind *b)
{
	const char *la = (const char *)a->bytes.data, *lb = (const char *)b->bytes.data;
	if (strcmp(la, lb) != 0)
		return memcmp(la, lb, shorter(la, lb) + 1) != 0;
	size_t n = strlen(la) + 1;
	return !strcmp(la, "SM-AUTH-v1") && memcmp(la + n, lb + n, 4 + shorter(a->name, b->name)) != 0;
}

int main(void)
{
	static const char *const purposes[] = {"login", "register", "identity", "enroll"};
	struct device d;
	MUST(sm_secret_harden());
	device_init(&d, "alice@example.org", 1, &sm_rand_system);
	for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++)
		proof(&d, purposes[i]);
	message(&d);
	prekey(&d);
	device_list(&d);
	roster(&d);
	for (size_t i = 0; i < nkind; i++) {
		ok(!sm_verify(kind[i].sig, kind[i].bytes.data, kind[i].bytes.len, d.end.pk), "%s: signed as the page says", kind[i].name);
		for (size_t j = 0; j < i; j++) {
			ok(apart(&kind[i], &kind[j]), "%s is never a %s", kind[i].name, kind[j].name);
			ok(sm_verify(kind[i].sig, kind[j].bytes.data, kind[j].bytes.len, d.end.pk) == SM_ERR_SIGNATURE,
			   "the signature of a %s is none of a %s", kind[i].name, kind[j].name);
		}
	}
	for (size_t i = 0; i < nkind; i++)
		sm_buf_release(&kind[i].bytes);
	device_release(&d);
	return tap_done();
}
