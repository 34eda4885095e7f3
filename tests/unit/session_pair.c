/* Sessions as stanzas: from the first message on, in both directions, through the header's text, and not for anybody else. */
#include "tap.h"

#include "session.h"
#include "wire/header_stanza.h"

static struct sm_rand_fixed state = {.seed = {5}};
static struct sm_rand rng;
static struct device alice, bob, eve;

static void fill(uint8_t key[32], uint8_t v) { memset(key, v, 32); }

static struct sm_stanza put(struct sm_pair *p, uint8_t v)
{
	struct sm_stanza s;
	uint8_t key[32];

	fill(key, v);
	MUST(sm_pair_seal(p, &s, 3, key, &rng));
	return s;
}

static bool comes(struct sm_pair *p, const struct sm_stanza *s, uint8_t v)
{
	uint8_t key[32], want[32];

	fill(want, v);
	fill(key, (uint8_t)~v);
	return !sm_pair_open(p, key, s, NOW, &rng) && !memcmp(key, want, 32);
}

/* Everything of p but what its list points to, which must not change either. */
static bool refused(struct sm_pair *p, const struct sm_stanza *s)
{
	struct sm_pair was = *p;
	uint8_t key[32] = {9}, before[32] = {9};

	return sm_pair_open(p, key, s, NOW, &rng) == SM_ERR_STANZA && !memcmp(&was, p, sizeof was) && !memcmp(key, before, 32);
}

/* Written into a header's text and read back, as any stanza is on its way. */
static struct sm_stanza sent(const struct sm_stanza *s)
{
	struct sm_stanza got = {0};
	struct sm_buf b;
	struct sm_span text, line;

	sm_buf_init(&b, 4096);
	MUST(sm_stanza_write(&b, s, &sm_suite_x25519));
	text = (struct sm_span){b.data, b.len};
	MUST(!sm_span_take_line(&text, &line) || !sm_stanza_parse(&got, &sm_suite_x25519, line));
	MUST(!sm_stanza_body_ok(&got, &sm_suite_x25519, s->bodylen));
	got.body = malloc(s->bodylen);
	MUST(!got.body);
	memcpy(got.body, s->body, got.bodylen = s->bodylen);
	sm_buf_release(&b);
	return got;
}

static enum sm_err accept(struct sm_pair *p, const struct sm_stanza *s)
{
	return sm_pair_accept(p, &bob.id, &bob.end, &alice.end, s, bob.spk_sk, s->ratchet.has_opk ? bob.opk_sk : NULL);
}

static void conversation(bool opk)
{
	struct sm_bundle to = bob.bundle;
	struct sm_pair a, b;
	struct sm_stanza s, t, u;

	to.has_opk = opk;
	MUST(sm_pair_start(&a, &alice.id, &alice.end, &to, &rng));
	s = put(&a, 1);
	t = sent(&s);
	ok(t.ratchet.x3dh && !memcmp(t.ratchet.eka, a.eka, 32) && t.ratchet.spk == 7 && t.ratchet.has_opk == opk && t.ratchet.device == 3 &&
	           t.bodylen == 80 && (!opk || t.ratchet.opk == 41),
	   "the first stanza %s a one-time prekey says what the session begins with", opk ? "with" : "without");
	ok(!accept(&b, &t) && comes(&b, &t, 1), "the responder opens it");
	ok(!memcmp(b.peer, alice.end.pk, 32) && !memcmp(a.peer, bob.end.pk, 32) && !memcmp(a.eka, b.eka, 32) && !b.initiator && b.replied,
	   "and both know whom they speak with");
	u = put(&a, 2);
	ok(u.ratchet.x3dh && comes(&b, &u, 2), "until there is an answer the next says so too");
	ok(refused(&b, &t) && refused(&b, &u) && refused(&a, &u), "neither comes twice, or back");
	free(u.body);
	u = put(&b, 3);
	ok(!u.ratchet.x3dh && !a.replied && comes(&a, &u, 3) && a.replied, "the answer comes without");
	free(u.body);
	u = put(&a, 4);
	ok(!u.ratchet.x3dh && comes(&b, &u, 4), "and so does all that follows");
	free(s.body), free(t.body), free(u.body);
	sm_pair_release(&a);
	sm_pair_release(&b);
}

/* The first message comes last. */
static void first_comes_late(void)
{
	struct sm_pair a, b;
	struct sm_stanza s, t;

	MUST(sm_pair_start(&a, &alice.id, &alice.end, &bob.bundle, &rng));
	s = put(&a, 1), t = put(&a, 2);
	ok(!accept(&b, &t) && comes(&b, &t, 2) && comes(&b, &s, 1), "a session begins with whichever message comes first");
	free(s.body), free(t.body);
	sm_pair_release(&a);
	sm_pair_release(&b);
}

static bool accepted(const struct sm_identity *self, const struct sm_end *self_end, const struct sm_end *from, const struct sm_stanza *s,
                     const uint8_t *spk_sk, const uint8_t *opk_sk)
{
	struct sm_pair p;
	bool opened = !sm_pair_accept(&p, self, self_end, from, s, spk_sk, opk_sk);

	if (!opened)
		return false;
	opened = !refused(&p, s);
	sm_pair_release(&p);
	return opened;
}

/* The first message with one thing changed: whoever it is, where, for whom, and the keys. */
static void strangers(void)
{
	struct sm_end from = alice.end, self = bob.end;
	struct sm_pair a;
	struct sm_stanza s, t;

	MUST(sm_pair_start(&a, &alice.id, &alice.end, &bob.bundle, &rng));
	s = put(&a, 1);
	ok(accepted(&bob.id, &bob.end, &alice.end, &s, bob.spk_sk, bob.opk_sk), "as it was sent, it opens");
	from.device++;
	ok(!accepted(&bob.id, &bob.end, &from, &s, bob.spk_sk, bob.opk_sk), "not as another device of the sender");
	from = alice.end, from.address = eve.end.address;
	ok(!accepted(&bob.id, &bob.end, &from, &s, bob.spk_sk, bob.opk_sk), "not from another address");
	from = alice.end, memcpy(from.pk, eve.end.pk, 32);
	ok(!accepted(&bob.id, &bob.end, &from, &s, bob.spk_sk, bob.opk_sk), "not from another key");
	self.device++;
	ok(!accepted(&bob.id, &self, &alice.end, &s, bob.spk_sk, bob.opk_sk), "not for another device");
	self = bob.end, self.address = eve.end.address;
	ok(!accepted(&bob.id, &self, &alice.end, &s, bob.spk_sk, bob.opk_sk), "not at another address");
	ok(!accepted(&eve.id, &eve.end, &alice.end, &s, bob.spk_sk, bob.opk_sk), "not by another identity");
	ok(!accepted(&bob.id, &bob.end, &alice.end, &s, eve.spk_sk, bob.opk_sk), "not with another signed prekey");
	ok(!accepted(&bob.id, &bob.end, &alice.end, &s, bob.spk_sk, eve.opk_sk), "not with another one-time prekey");
	ok(!accepted(&bob.id, &bob.end, &alice.end, &s, bob.spk_sk, NULL), "not without it");
	t = s, t.ratchet.has_opk = false;
	ok(!accepted(&bob.id, &bob.end, &alice.end, &t, bob.spk_sk, NULL), "not when it is not named");
	ok(!accepted(&bob.id, &bob.end, &alice.end, &t, bob.spk_sk, bob.opk_sk), "not with one that is not named");
	t = s, t.ratchet.x3dh = false;
	ok(!accepted(&bob.id, &bob.end, &alice.end, &t, bob.spk_sk, bob.opk_sk), "not without the x3dh part");
	t = s, t.type = SM_STANZA_HPKE;
	ok(!accepted(&bob.id, &bob.end, &alice.end, &t, bob.spk_sk, bob.opk_sk), "not as another type");
	for (size_t i = 0; i < BAD_POINTS; i++) {
		t = s;
		memcpy(t.ratchet.eka, bad_point[i], 32);
		ok(!accepted(&bob.id, &bob.end, &alice.end, &t, bob.spk_sk, bob.opk_sk), "not with the ephemeral key %zu", i);
	}
	free(s.body);
	sm_pair_release(&a);
}

static void x3dh_part(void)
{
	struct sm_pair a, b, c;
	struct sm_stanza s, t;

	MUST(sm_pair_start(&a, &alice.id, &alice.end, &bob.bundle, &rng));
	MUST(sm_pair_start(&c, &alice.id, &alice.end, &bob.bundle, &rng));
	s = put(&a, 1);
	MUST(accept(&b, &s) || !comes(&b, &s, 1));
	free(s.body);
	s = put(&a, 2);
	t = s, t.ratchet.spk++;
	ok(refused(&b, &t), "another signed prekey's number");
	t = s, t.ratchet.opk++;
	ok(refused(&b, &t), "another one-time prekey's number");
	t = s, t.ratchet.has_opk = false;
	ok(refused(&b, &t), "none");
	t = s, memcpy(t.ratchet.eka, c.eka, 32);
	ok(refused(&b, &t), "another session's ephemeral key");
	t = s, t.bodylen--;
	ok(refused(&b, &t), "a body that is too short");
	t = s, t.type = SM_STANZA_SENDERKEY;
	ok(refused(&b, &t), "another type");
	ok(comes(&b, &s, 2), "as it was, it opens");
	free(s.body);
	s = put(&b, 3);
	t = s, t.ratchet.x3dh = true, memcpy(t.ratchet.eka, a.eka, 32), t.ratchet.spk = 7, t.ratchet.has_opk = true, t.ratchet.opk = 41;
	ok(refused(&a, &t), "the initiator takes no x3dh part");
	ok(comes(&a, &s, 3), "and the answer without it");
	free(s.body);
	sm_pair_release(&a);
	sm_pair_release(&b);
	sm_pair_release(&c);
}

/* A peer that seals what is no file key. */
static void other_sizes(void)
{
	struct sm_pair a, b;
	struct sm_stanza s;
	uint8_t body[200 + SM_RATCHET_OVERHEAD], text[200] = {0};

	MUST(sm_pair_start(&a, &alice.id, &alice.end, &bob.bundle, &rng));
	s = put(&a, 1);
	MUST(accept(&b, &s) || !comes(&b, &s, 1));
	free(s.body);
	for (size_t n = 0; n <= sizeof text; n += n == 30 ? 3 : n == 33 ? 167 : 10) {
		s.body = body, s.bodylen = n + SM_RATCHET_OVERHEAD;
		MUST(sm_ratchet_seal(&a.ratchet, s.ratchet.header, body, text, n, a.ad, a.adlen, &rng));
		ok(refused(&b, &s), "a file key has 32 bytes, not %zu", n);
	}
	sm_pair_release(&a);
	sm_pair_release(&b);
}

/* Both begin at once: two sessions, each of which works. */
static void simultaneous(void)
{
	struct sm_pair a, b, a2, b2;
	struct sm_stanza s, t;

	MUST(sm_pair_start(&a, &alice.id, &alice.end, &bob.bundle, &rng) || sm_pair_start(&b, &bob.id, &bob.end, &alice.bundle, &rng));
	s = put(&a, 1), t = put(&b, 2);
	MUST(accept(&b2, &s) || sm_pair_accept(&a2, &alice.id, &alice.end, &bob.end, &t, alice.spk_sk, alice.opk_sk));
	ok(refused(&b, &s) && refused(&a, &t), "neither opens the other's");
	ok(comes(&b2, &s, 1) && comes(&a2, &t, 2), "each opens its own");
	free(s.body), free(t.body);
	s = put(&b2, 3), t = put(&a2, 4);
	ok(comes(&a, &s, 3) && comes(&b, &t, 4), "and both go on");
	free(s.body), free(t.body);
	sm_pair_release(&a), sm_pair_release(&b), sm_pair_release(&a2), sm_pair_release(&b2);
}

static void start_refused(void)
{
	struct sm_bundle to = bob.bundle;
	struct sm_end nobody = alice.end;
	struct sm_pair p;
	uint8_t untouched[sizeof p];

	memset(&p, 0x5a, sizeof p);
	memset(untouched, 0x5a, sizeof untouched);
	for (size_t i = 0; i < BAD_POINTS; i++) {
		memcpy(to.spk.key, bad_point[i], 32);
		ok(sm_pair_start(&p, &alice.id, &alice.end, &to, &rng) == SM_ERR_FORMAT, "no session with the signed prekey %zu", i);
		to = bob.bundle;
		memcpy(to.opk, bad_point[i], 32);
		ok(sm_pair_start(&p, &alice.id, &alice.end, &to, &rng) == SM_ERR_FORMAT, "nor with the one-time prekey %zu", i);
		to = bob.bundle;
	}
	nobody.device = 0;
	ok(sm_pair_start(&p, &alice.id, &nobody, &to, &rng) == SM_ERR_FORMAT, "nor by a device without a number");
	ok(!memcmp(&p, untouched, sizeof p), "and nothing was given out");
}

static void responder_first(void)
{
	struct sm_pair a, b;
	struct sm_stanza s, t = {0};
	uint8_t key[32] = {0};

	MUST(sm_pair_start(&a, &alice.id, &alice.end, &bob.bundle, &rng));
	s = put(&a, 1);
	MUST(accept(&b, &s));
	ok(sm_pair_seal(&b, &t, 1, key, &rng) == SM_ERR_POLICY && !t.body, "a session that has opened nothing sends nothing");
	free(s.body);
	sm_pair_release(&a);
	sm_pair_release(&b);
}

static void packing(void)
{
	struct sm_pair a, b, c;
	struct sm_stanza s;
	struct sm_buf first, again;
	unsigned bad = 0;

	sm_buf_init(&first, 4096);
	sm_buf_init(&again, 4096);
	MUST(sm_pair_start(&a, &alice.id, &alice.end, &bob.bundle, &rng));
	s = put(&a, 1);
	MUST(accept(&b, &s) || !comes(&b, &s, 1));
	free(s.body);
	MUST(sm_pair_pack(&first, &a));
	ok(first.len == SM_PAIR_PACKED(a.adlen) && !sm_pair_unpack(&c, first.data, first.len), "a session is packed and unpacked");
	MUST(sm_pair_pack(&again, &c));
	ok(first.len == again.len && !memcmp(first.data, again.data, first.len), "and packed again the same");
	s = put(&c, 2);
	ok(s.ratchet.x3dh && comes(&b, &s, 2), "it goes on where it was");
	free(s.body);
	sm_pair_release(&c);
	sm_buf_clear(&again);
	MUST(sm_pair_pack(&again, &b));
	ok(!sm_pair_unpack(&c, again.data, again.len) && !c.initiator && c.replied, "so does the other end");
	s = put(&c, 3);
	ok(comes(&a, &s, 3), "in the other direction");
	free(s.body);
	memset(&c, 0, sizeof c);
	for (size_t n = 0; n < first.len; n++)
		bad += sm_pair_unpack(&c, first.data, n) != SM_ERR_FORMAT;
	ok(!bad, "cut short it is refused");
	MUST(sm_buf_add_u8(&first, 0));
	ok(sm_pair_unpack(&c, first.data, first.len) == SM_ERR_FORMAT, "and with a byte more");
	first.len--;
	for (size_t i = 0; i < 2; i++) {
		first.data[i] ^= 0x80;
		ok(sm_pair_unpack(&c, first.data, first.len) == SM_ERR_FORMAT, "and with another %s", i ? "flag" : "version");
		first.data[i] ^= 0x80;
	}
	first.data[SM_PAIR_PACKED(a.adlen) - SM_RATCHET_PACKED] ^= 0x80;
	ok(sm_pair_unpack(&c, first.data, first.len) == SM_ERR_FORMAT, "and with another ratchet's version");
	sm_buf_release(&first);
	sm_buf_init(&first, 20);
	ok(sm_pair_pack(&first, &a) == SM_ERR_LIMIT && !first.len, "a buffer that is too small stays as it was");
	sm_buf_release(&first);
	sm_buf_release(&again);
	sm_pair_release(&a);
	sm_pair_release(&b);
}

int main(void)
{
	if (sm_secret_harden())
		return 1;
	rng = sm_rand_from(&state);
	device_init(&alice, "alice@example.org", 1, &rng);
	device_init(&bob, "bob@example.org", 2, &rng);
	device_init(&eve, "eve@example.org", 1, &rng);
	conversation(true);
	conversation(false);
	first_comes_late();
	strangers();
	x3dh_part();
	other_sizes();
	simultaneous();
	start_refused();
	responder_first();
	packing();
	device_release(&alice);
	device_release(&bob);
	device_release(&eve);
	return tap_done();
}
