/* The test vectors of sm-sessions(7): prints the appendix of the man page as mdoc. lib/session makes every message with fixed randomness;
 * here it is taken apart again with primitives alone, and what comes out must be what lib has. tests/vectors.bats holds the page against
 * it. */
#include "show.h"

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/x25519.h"
#include "session/pair.h"
#include "session/safety.h"
#include "session/senderkey.h"
#include "wire/devices.h"
#include "wire/header_stanza.h"
#include "wire/roster.h"

#define DATE 1790000000
#define GROUP "ibaueq2eivdeoscjjjfuytkoj4" /* the id 40 41 42 ... */

struct device {
	struct sm_identity id;
	struct sm_end end;
	uint8_t x25519_sk[32];
};

static void rising(uint8_t out[32], uint8_t first)
{
	for (size_t i = 0; i < 32; i++)
		out[i] = (uint8_t)(first + i);
}

static void device(struct device *d, const char *address, uint32_t number, uint8_t first)
{
	uint8_t seed[32];

	rising(seed, first);
	MUST(sm_identity_from_seed(&d->id, seed) || sm_address_parse(&d->end.address, address, strlen(address)));
	memcpy(d->end.pk, d->id.pub.ed25519, sizeof d->end.pk);
	d->end.device = number;
	sm_seed_to_x25519(d->x25519_sk, seed);
	printf("%s/%u\n", address, (unsigned)number);
	hex("seed", seed, 32);
	hex("IK", d->end.pk, 32);
	hex("X25519 secret", d->x25519_sk, 32);
	hex("X25519 key", d->id.pub.x25519, 32);
}

static void prekeys(struct sm_bundle *b, const struct device *of, uint8_t spk_sk[32], uint8_t opk_sk[32])
{
	uint8_t m[128];
	struct sm_buf signed_bytes;

	*b = (struct sm_bundle){.end = of->end, .spk = {.id = 7, .created = DATE}, .has_opk = true, .opk_id = 9};
	rising(spk_sk, 0x48);
	rising(opk_sk, 0x68);
	sm_x25519_pk(b->spk.key, spk_sk);
	sm_x25519_pk(b->opk, opk_sk);
	MUST(sm_signed_prekey_sign(&b->spk, of->end.device, &of->id) || sm_bundle_check(b, DATE));
	sm_buf_init(&signed_bytes, sizeof m);
	MUST(sm_buf_add(&signed_bytes, "SM-spk-v1", 10) || sm_buf_add_be32(&signed_bytes, of->end.device) ||
	     sm_buf_add_be32(&signed_bytes, b->spk.id) || sm_buf_add_be64(&signed_bytes, DATE) || sm_buf_add_u8(&signed_bytes, 2) ||
	     sm_buf_add(&signed_bytes, b->spk.key, 32));
	MUST(sm_verify(b->spk.sig, signed_bytes.data, signed_bytes.len, of->end.pk));
	hex("SPK secret", spk_sk, 32);
	hex("SPK", b->spk.key, 32);
	hex("signed bytes", signed_bytes.data, signed_bytes.len);
	hex("signature", b->spk.sig, sizeof b->spk.sig);
	hex("OPK secret", opk_sk, 32);
	hex("OPK", b->opk, 32);
	sm_buf_release(&signed_bytes);
}

/* SK of the first n Diffie-Hellman results. */
static void x3dh_secret(uint8_t sk[32], const uint8_t dh[4][32], size_t n)
{
	static const uint8_t zeros[32];
	uint8_t ikm[160];

	memset(ikm, 0xff, 32);
	memcpy(ikm + 32, dh, n * 32);
	MUST(sm_hkdf_sha256(sk, 32, zeros, 32, ikm, 32 + n * 32, "SM-X3DH-v1", 10));
}

static void show_x3dh(uint8_t sk[32], const struct sm_pair *p, const struct device *a, const struct sm_bundle *b, const uint8_t eka_sk[32])
{
	uint8_t dh[4][32], eka[32], without[32], ikb[32];

	sm_x25519_pk(eka, eka_sk);
	MUST(memcmp(eka, p->eka, 32) || sm_pk_to_x25519(ikb, b->end.pk));
	MUST(sm_x25519(dh[0], a->x25519_sk, b->spk.key) || sm_x25519(dh[1], eka_sk, ikb) || sm_x25519(dh[2], eka_sk, b->spk.key) ||
	     sm_x25519(dh[3], eka_sk, b->opk));
	x3dh_secret(sk, dh, 4);
	x3dh_secret(without, dh, 3);
	hex("EKa secret", eka_sk, 32);
	hex("EKa", eka, 32);
	hex("DH1", dh[0], 32);
	hex("DH2", dh[1], 32);
	hex("DH3", dh[2], 32);
	hex("DH4", dh[3], 32);
	hex("SK", sk, 32);
	hex("SK without OPK", without, 32);
	hex("AD", p->ad, p->adlen);
}

/* A root step, from RK in rk to the next one; ck is the chain that begins. */
static void root_step(uint8_t rk[32], uint8_t ck[32], const uint8_t sk[32], const uint8_t pk[32])
{
	uint8_t dh[32], out[64];

	MUST(sm_x25519(dh, sk, pk) || sm_hkdf_sha256(out, 64, rk, 32, dh, 32, "SM-DR-root-v1", 13));
	memcpy(rk, out, 32);
	memcpy(ck, out + 32, 32);
	hex("DH", dh, 32);
	hex("RK", rk, 32);
	hex("CK", ck, 32);
}

/* A stanza's body under the message key that ck gives; ck becomes the next. */
static void take_apart(uint8_t ck[32], const char *info, const struct sm_buf *aad, const struct sm_stanza *s, const uint8_t file_key[32])
{
	uint8_t next[32], mk[32], derived[44], opened[32];

	sm_hmac_sha256(next, ck, 32, "\x02", 1);
	sm_hmac_sha256(mk, ck, 32, "\x01", 1);
	memcpy(ck, next, 32);
	MUST(s->bodylen != 80 || sm_hkdf_sha256(derived, 44, s->body, 32, mk, 32, info, strlen(info)));
	MUST(sm_aead_open(opened, derived, derived + 32, aad->data, aad->len, s->body + 32, 48) || memcmp(opened, file_key, 32));
	hex("next CK", next, 32);
	hex("MK", mk, 32);
	hex("r", s->body, 32);
	hex("key", derived, 32);
	hex("nonce", derived + 32, 12);
	hex("file key", file_key, 32);
	hex("ciphertext", s->body + 32, 48);
}

static void show_stanza(const struct sm_stanza *s)
{
	struct sm_buf b;

	sm_buf_init(&b, 4096);
	MUST(sm_stanza_write(&b, s, &sm_suite_x25519));
	text((const char *)b.data, b.len);
	sm_buf_release(&b);
}

static struct sm_stanza seal(struct sm_pair *p, uint8_t file_key[32], uint8_t first, const struct sm_rand *rand)
{
	struct sm_stanza s;

	rising(file_key, first);
	MUST(sm_pair_seal(p, &s, 1, file_key, rand));
	return s;
}

static void show_message(uint8_t ck[32], const struct sm_pair *p, const struct sm_stanza *s, const uint8_t file_key[32])
{
	struct sm_buf aad;

	sm_buf_init(&aad, 1024);
	MUST(sm_buf_add(&aad, p->ad, p->adlen) || sm_buf_add(&aad, s->ratchet.header, sizeof s->ratchet.header));
	hex("header", s->ratchet.header, sizeof s->ratchet.header);
	take_apart(ck, "SM-DR-message-v1", &aad, s, file_key);
	show_stanza(s);
	sm_buf_release(&aad);
}

static void receive(struct sm_pair *p, const struct sm_stanza *s, const uint8_t want[32], const struct sm_rand *rand)
{
	uint8_t got[32];

	MUST(sm_pair_open(p, got, s, DATE, rand) || memcmp(got, want, 32));
}

/* Two messages from alice, of which the second comes first, bob's answer, and alice's to that. */
static void session(const struct device *alice, const struct device *bob, const struct sm_bundle *bundle, const uint8_t spk_sk[32],
                    const uint8_t opk_sk[32])
{
	struct counting drawn = {.next = 0x80};
	const struct sm_rand rand = {count, &drawn};
	struct sm_pair a, b;
	struct sm_stanza s[4];
	uint8_t rk[32], ck[32], received[32], key[4][32];

	MUST(sm_pair_start(&a, &alice->id, &alice->end, bundle, &rand));
	s[0] = seal(&a, key[0], 0x00, &rand);
	s[1] = seal(&a, key[1], 0x10, &rand);
	begin("A session that alice begins with bob's signed prekey 7 and one-time prekey 9.\nRandom bytes are drawn as 80 81 82 ..., "
	      "after ff "
	      "again from 00, in this order:\nEKa, alice's ratchet key, r of her two messages, bob's ratchet key, r of his answer, alice's "
	      "next "
	      "ratchet key, r of her\nlast message.");
	show_x3dh(rk, &a, alice, bundle, drawn.drawn);
	end();
	begin("Alice's first ratchet key, and the root step with bob's signed prekey:");
	hex("secret", drawn.drawn + 32, 32);
	hex("key", a.ratchet.dhs_pk, 32);
	root_step(rk, ck, drawn.drawn + 32, bundle->spk.key);
	MUST(memcmp(rk, a.ratchet.rk, 32));
	end();
	begin("Her first message, with the stanza that it becomes:");
	show_message(ck, &a, &s[0], key[0]);
	end();
	begin("And her second:");
	show_message(ck, &a, &s[1], key[1]);
	MUST(memcmp(ck, a.ratchet.cks, 32));
	end();

	MUST(sm_pair_accept(&b, &bob->id, &bob->end, &alice->end, &s[1], spk_sk, opk_sk));
	receive(&b, &s[1], key[1], &rand);
	receive(&b, &s[0], key[0], &rand);
	s[2] = seal(&b, key[2], 0x20, &rand);
	begin("Bob's ratchet key, and the root step with alice's:");
	hex("secret", drawn.drawn + 128, 32);
	hex("key", b.ratchet.dhs_pk, 32);
	root_step(rk, ck, drawn.drawn + 128, a.ratchet.dhs_pk);
	MUST(memcmp(rk, b.ratchet.rk, 32));
	end();
	begin("His answer:");
	show_message(ck, &b, &s[2], key[2]);
	memcpy(received, ck, 32);
	end();

	receive(&a, &s[2], key[2], &rand);
	s[3] = seal(&a, key[3], 0x30, &rand);
	begin("Alice's next ratchet key, and the root step with bob's:");
	hex("secret", drawn.drawn + 192, 32);
	hex("key", a.ratchet.dhs_pk, 32);
	root_step(rk, ck, drawn.drawn + 192, b.ratchet.dhs_pk);
	MUST(memcmp(rk, a.ratchet.rk, 32) || memcmp(received, a.ratchet.ckr, 32));
	end();
	begin("And her last message, whose PN is 2:");
	show_message(ck, &a, &s[3], key[3]);
	end();
	receive(&b, &s[3], key[3], &rand);
	MUST(drawn.n != 256 + 32); /* and the key for bob's next answer */
	for (size_t i = 0; i < 4; i++)
		free(s[i].body);
	sm_pair_release(&a);
	sm_pair_release(&b);
}

static void device_list(const struct device *bob, const struct device *second)
{
	struct sm_device_list l = {.address = bob->end.address, .version = 1, .date = DATE, .n = 2}, read;
	char code[SM_ENROLL_CODE_LEN + 1];
	struct sm_buf b;

	memcpy(l.user, bob->end.pk, 32);
	l.device[0].number = 1, memcpy(l.device[0].pk, bob->end.pk, 32);
	l.device[1].number = 2, memcpy(l.device[1].pk, second->end.pk, 32);
	sm_buf_init(&b, SM_DEVICES_TEXT_MAX);
	MUST(sm_device_list_sign(&b, &l, &bob->id) || sm_device_list_parse(&read, (const char *)b.data, b.len));
	sm_enroll_code(code, &bob->end.address, second->end.pk);
	begin("Bob's list of two devices, after the second showed its code:");
	printf("%-15s %s\n", "code", code);
	text((const char *)b.data, b.len);
	end();
	sm_buf_release(&b);
}

/* The roster's hash goes to the sender keys. */
static void roster(uint8_t hash[32], const struct device *alice, const struct device *bob)
{
	struct sm_member member[2] = {{.address = alice->end.address, .admin = true}, {.address = bob->end.address}};
	struct sm_roster r = {.epoch = 1, .name = "friends", .date = DATE, .member = member, .n = 2, .signer = alice->end.address}, read;
	struct sm_buf b;

	memcpy(r.group, GROUP, sizeof GROUP);
	memcpy(member[0].pk, alice->end.pk, 32);
	memcpy(member[1].pk, bob->end.pk, 32);
	sm_buf_init(&b, SM_ROSTER_TEXT_MAX);
	MUST(sm_roster_sign(&b, &r, &alice->id) || sm_roster_parse(&read, (const char *)b.data, b.len) ||
	     sm_roster_verify(&read, alice->end.pk));
	memcpy(hash, read.hash, 32);
	begin("Epoch 1 of a group, and its roster hash:");
	text((const char *)b.data, b.len);
	hex("hash", hash, 32);
	end();
	sm_roster_release(&read);
	sm_buf_release(&b);
}

static void group_aad(struct sm_buf *b, const struct sm_sender_chain *c, const struct sm_header *h, uint32_t n)
{
	static const char name[] = "alice@example.org/1";

	MUST(sm_buf_add(b, "SM-SK-v1", 9) || sm_buf_add_u8(b, 1) || sm_buf_add(b, c->sender.pk, 32) ||
	     sm_buf_add_be16(b, (uint16_t)strlen(name)) || sm_buf_adds(b, name) || sm_buf_add(b, h->group.id, SM_ID_LEN) ||
	     sm_buf_add_be64(b, h->group.epoch) || sm_buf_add(b, h->group.roster, 32) || sm_buf_add(b, c->id, SM_ID_LEN) ||
	     sm_buf_add_be32(b, n));
}

static void sender_key(const struct device *alice, const uint8_t hash[32])
{
	struct counting drawn = {.next = 0x80};
	const struct sm_rand rand = {count, &drawn};
	struct sm_header h = {.has_group = true, .group = {.id = GROUP, .epoch = 1}};
	struct sm_sender_chain c, to;
	struct sm_stanza s[2];
	uint8_t key[2][32], ck[32], got[32];
	struct sm_buf aad;

	memcpy(h.group.roster, hash, 32);
	sm_sender_chain_new(&c, GROUP, &alice->end, DATE, &rand);
	to = c;
	begin("Two messages of alice's chain in this epoch.\nDrawn: the chain's id, CK, r of each message.");
	printf("%-15s %s\n", "chain", c.id);
	hex("CK", c.ck, 32);
	memcpy(ck, c.ck, 32);
	sm_buf_init(&aad, 1024);
	for (uint32_t i = 0; i < 2; i++) {
		rising(key[i], (uint8_t)(i * 0x10));
		MUST(sm_sender_chain_seal(&c, &s[i], &h, key[i], &rand));
		sm_buf_clear(&aad);
		group_aad(&aad, &c, &h, i);
		hex("aad", aad.data, aad.len);
		take_apart(ck, "SM-SK-message-v1", &aad, &s[i], key[i]);
		show_stanza(&s[i]);
	}
	MUST(memcmp(ck, c.ck, 32));
	for (int i = 1; i >= 0; i--) {
		MUST(sm_sender_chain_open(&to, got, &s[i], &h, DATE) || memcmp(got, key[i], 32));
		free(s[i].body);
	}
	end();
	sm_buf_release(&aad);
	sm_sender_chain_release(&c);
	sm_sender_chain_release(&to);
}

static void safety(const struct device *alice, const struct device *bob)
{
	char digits[SM_SAFETY_DIGITS + 1], again[SM_SAFETY_DIGITS + 1], groups[SM_SAFETY_TEXT + 1];

	sm_safety_number(digits, &alice->end.address, alice->end.pk, &bob->end.address, bob->end.pk);
	sm_safety_number(again, &bob->end.address, bob->end.pk, &alice->end.address, alice->end.pk);
	MUST(strcmp(digits, again));
	sm_safety_format(groups, digits);
	begin("The safety number of alice and bob:");
	printf("%s\n", groups);
	end();
}

int main(void)
{
	struct device alice = {0}, bob = {0}, second = {0};
	uint8_t spk_sk[32], opk_sk[32], hash[32];
	struct sm_bundle bundle;

	begin("Three devices:");
	device(&alice, "alice@example.org", 1, 0x00);
	device(&bob, "bob@example.org", 1, 0x20);
	device(&second, "bob@example.org", 2, 0xa0);
	end();
	begin("Prekeys of bob's first: the signed one has the id 7 and was made at 1790000000, the one-time prekey has the id 9:");
	prekeys(&bundle, &bob, spk_sk, opk_sk);
	end();
	session(&alice, &bob, &bundle, spk_sk, opk_sk);
	device_list(&bob, &second);
	roster(hash, &alice, &bob);
	sender_key(&alice, hash);
	safety(&alice, &bob);
	sm_identity_release(&alice.id);
	sm_identity_release(&bob.id);
	sm_identity_release(&second.id);
	return 0;
}
