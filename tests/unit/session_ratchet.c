/* The ratchet and the list of skipped keys: every order in which messages may come, and that what does not open leaves everything as it
 * was, to the byte. */
#include "tap.h"

#include "session.h"
#include "session/chain.h"

static struct sm_rand_fixed state = {.seed = {77}};
static struct sm_rand rng;

struct side {
	struct sm_ratchet r;
	struct sm_skipped_list l;
};
struct pair {
	struct side a, b;
	int64_t now;
};
struct message {
	uint8_t header[SM_RATCHET_HEADER], body[8 + SM_RATCHET_OVERHEAD];
};

static void setup(struct pair *p)
{
	uint8_t sk[32], spk_sk[32], spk[32];

	memset(p, 0, sizeof *p);
	p->now = NOW;
	sm_rand_fill(&rng, sk, 32);
	sm_rand_fill(&rng, spk_sk, 32);
	sm_x25519_pk(spk, spk_sk);
	MUST(sm_ratchet_initiator(&p->a.r, sk, spk, &rng));
	sm_ratchet_responder(&p->b.r, sk, spk_sk, spk);
}

static void teardown(struct pair *p)
{
	sm_skipped_release(&p->a.l);
	sm_skipped_release(&p->b.l);
}

static struct message put(struct side *s, uint64_t v)
{
	struct message m;
	uint8_t text[8];

	sm_put_be64(text, v);
	MUST(sm_ratchet_seal(&s->r, m.header, m.body, text, sizeof text, "ad", 2, &rng));
	return m;
}

static enum sm_err take(struct side *s, const struct message *m, uint64_t *v, int64_t now)
{
	uint8_t text[8];
	enum sm_err e = sm_ratchet_open(&s->r, &s->l, text, m->header, m->body, sizeof m->body, "ad", 2, now, &rng);

	if (!e)
		*v = sm_get_be64(text);
	return e;
}

static bool comes(struct pair *p, struct side *s, const struct message *m, uint64_t want)
{
	uint64_t v = ~want;
	return !take(s, m, &v, p->now) && v == want;
}

/* It does not open, and nothing has changed: neither the ratchet nor the list. */
static bool refused(struct side *s, const struct message *m, int64_t now)
{
	struct sm_ratchet r = s->r;
	struct sm_buf before, after;
	bool changed = s->l.changed, same;
	uint64_t v;
	enum sm_err e;

	sm_buf_init(&before, 1 << 20);
	sm_buf_init(&after, 1 << 20);
	MUST(sm_skipped_pack(&before, &s->l));
	e = take(s, m, &v, now);
	MUST(sm_skipped_pack(&after, &s->l));
	same = !memcmp(&r, &s->r, sizeof r) && before.len == after.len && !memcmp(before.data, after.data, before.len) &&
	       changed == s->l.changed;
	sm_buf_release(&before);
	sm_buf_release(&after);
	return e == SM_ERR_STANZA && same;
}

static void conversation(void)
{
	struct pair p;
	struct message m;
	bool all = true;

	setup(&p);
	ok(sm_ratchet_seal(&p.b.r, m.header, m.body, "x", 1, "ad", 2, &rng) == SM_ERR_POLICY, "the responder cannot begin");
	for (uint64_t i = 0; i < 200; i++) {
		struct side *from = i & 4 ? &p.b : &p.a, *to = i & 4 ? &p.a : &p.b;
		m = put(from, i);
		all = comes(&p, to, &m, i) && all;
		all = refused(to, &m, p.now) && refused(from, &m, p.now) && all;
	}
	ok(all, "200 messages by turns; none opens twice, none where it came from");
	ok(!p.a.l.n && !p.b.l.n, "nothing was skipped");
	ok(p.a.r.pn == 4 && p.a.r.nr == 4, "chains of four");
	teardown(&p);
}

static void header_bytes(void)
{
	struct pair p;
	struct message m, n;

	setup(&p);
	m = put(&p.a, 0), n = put(&p.a, 1);
	ok(!memcmp(m.header, p.a.r.dhs_pk, 32) && sm_get_be32(m.header + 32) == 0 && sm_get_be32(m.header + 36) == 0 &&
	           sm_get_be32(n.header + 36) == 1,
	   "the header: key, PN, N");
	MUST(!comes(&p, &p.b, &n, 1));
	m = put(&p.b, 2);
	MUST(!comes(&p, &p.a, &m, 2));
	n = put(&p.a, 3);
	ok(memcmp(n.header, m.header, 32) && sm_get_be32(n.header + 32) == 2 && sm_get_be32(n.header + 36) == 0,
	   "PN is the length of the chain before");
	ok(p.b.l.n == 1, "what is still on its way is kept");
	teardown(&p);
}

/* Both write, the network shuffles and loses. seed picks another course. */
static void chaos(uint8_t seed)
{
	enum { N = 3000, WINDOW = 40 };
	struct sm_rand_fixed dice_state = {.seed = {seed}};
	struct sm_rand dice = sm_rand_from(&dice_state);
	struct message way[2][WINDOW];
	uint64_t value[2][WINDOW];
	size_t waiting[2] = {0, 0};
	unsigned came = 0, lost = 0, wrong = 0, twice = 0;
	struct pair p;

	setup(&p);
	for (uint64_t i = 0; i < N; i++) {
		uint8_t d[4];
		sm_rand_fill(&dice, d, sizeof d);
		int to = p.b.r.has_cks ? d[0] & 1 : 1;
		struct side *from = to ? &p.a : &p.b, *dst = to ? &p.b : &p.a;
		if (waiting[to] < WINDOW && d[1] & 1) {
			way[to][waiting[to]] = put(from, i);
			value[to][waiting[to]++] = i;
			continue;
		}
		if (!waiting[to])
			continue;
		size_t pick = d[2] % waiting[to];
		struct message m = way[to][pick];
		uint64_t v = value[to][pick];
		way[to][pick] = way[to][--waiting[to]];
		value[to][pick] = value[to][waiting[to]];
		if (d[3] < 32) {
			lost++;
			continue;
		}
		wrong += !comes(&p, dst, &m, v);
		twice += !refused(dst, &m, p.now);
		came++;
	}
	ok(!wrong && !twice && came > 500 && lost > 50, "seed %u: %u came out of order, %u were lost, none was refused or came twice", seed,
	   came, lost);
	teardown(&p);
}

static void jump(void)
{
	struct pair p;
	struct message m[1003];

	setup(&p);
	for (size_t i = 0; i < 1003; i++)
		m[i] = put(&p.a, i);
	ok(refused(&p.b, &m[1001], p.now), "1,001 ahead is refused");
	ok(comes(&p, &p.b, &m[1000], 1000) && p.b.l.n == 1000, "1,000 ahead is not");
	ok(comes(&p, &p.b, &m[1002], 1002) && p.b.l.n == 1001, "it counts from there");
	ok(comes(&p, &p.b, &m[0], 0) && comes(&p, &p.b, &m[999], 999) && comes(&p, &p.b, &m[1001], 1001) && p.b.l.n == 998,
	   "and those between come");
	ok(refused(&p.b, &m[0], p.now) && refused(&p.b, &m[1000], p.now), "once");
	teardown(&p);
}

/* A message that the sender of p would never make, but could. */
static struct message forged(struct side *s, uint32_t pn, uint32_t n)
{
	struct message m;
	uint8_t ck[32], mk[32];

	memcpy(m.header, s->r.dhs_pk, 32);
	sm_put_be32(m.header + 32, pn);
	sm_put_be32(m.header + 36, n);
	memcpy(ck, s->r.cks, sizeof ck);
	sm_chain_step(ck, mk);
	MUST(sm_chain_seal(m.body, mk, "SM-DR-message-v1", "8 bytes.", 8, (struct sm_span){(const uint8_t *)"ad", 2},
	                   (struct sm_span){m.header, sizeof m.header}, &rng));
	return m;
}

static void no_such_number(void)
{
	struct pair p;
	struct message m;
	uint64_t v;

	setup(&p);
	m = put(&p.a, 0);
	MUST(!comes(&p, &p.b, &m, 0));
	m = forged(&p.a, UINT32_MAX, 1);
	ok(refused(&p.b, &m, p.now), "2^32 - 1 is no PN");
	p.b.r.nr = UINT32_MAX;
	m = forged(&p.a, 0, UINT32_MAX);
	ok(refused(&p.b, &m, p.now), "and no N");
	p.b.r.nr = UINT32_MAX - 1;
	m = forged(&p.a, UINT32_MAX - 1, UINT32_MAX - 1);
	ok(!take(&p.b, &m, &v, p.now) && p.b.r.nr == UINT32_MAX, "2^32 - 2 may be both");
	teardown(&p);
}

/* The end of a long chain is lost, and the peer's next chain begins. */
static void lost_tail(unsigned n, unsigned kept)
{
	struct pair p;
	struct message first, m, reply, tail;

	setup(&p);
	first = put(&p.a, 0);
	MUST(!comes(&p, &p.b, &first, 0));
	reply = put(&p.b, 1);
	for (unsigned i = 0; i < n; i++)
		tail = put(&p.a, 2);
	MUST(!comes(&p, &p.a, &reply, 1));
	m = put(&p.a, 3);
	ok(comes(&p, &p.b, &m, 3) && p.b.l.n == kept, "%u lost at a chain's end: the session goes on, %u keys are kept", n, kept);
	ok(kept ? comes(&p, &p.b, &tail, 2) : refused(&p.b, &tail, p.now), "the last of them %s", kept ? "comes late" : "is gone");
	reply = put(&p.b, 4);
	ok(comes(&p, &p.a, &reply, 4), "and both go on");
	teardown(&p);
}

static void eviction(void)
{
	struct pair p;
	struct message m[2500];

	setup(&p);
	for (size_t i = 0; i < 2500; i++)
		m[i] = put(&p.a, i);
	MUST(!comes(&p, &p.b, &m[900], 900) || !comes(&p, &p.b, &m[1850], 1850) || p.b.l.n != 1849);
	p.b.l.changed = false;
	ok(comes(&p, &p.b, &m[2100], 2100) && p.b.l.n == SM_SKIPPED_MAX && p.b.l.changed, "2,000 skipped keys are kept");
	ok(p.b.l.v[0].n == 98 && p.b.l.v[1999].n == 2099, "the last 2,000");
	ok(refused(&p.b, &m[97], p.now), "the oldest have gone");
	ok(comes(&p, &p.b, &m[98], 98) && p.b.l.n == 1999, "the oldest that is left opens");
	ok(comes(&p, &p.b, &m[2499], 2499) && p.b.l.n == SM_SKIPPED_MAX && p.b.l.cap == SM_SKIPPED_MAX, "and memory has an end");
	teardown(&p);
}

static void expiry(void)
{
	struct pair p;
	struct message m[6];

	setup(&p);
	for (size_t i = 0; i < 6; i++)
		m[i] = put(&p.a, i);
	MUST(!comes(&p, &p.b, &m[1], 1));
	p.now += 86400;
	MUST(!comes(&p, &p.b, &m[3], 3) || p.b.l.n != 2);
	p.now = NOW + SM_SKIPPED_SECONDS;
	ok(refused(&p.b, &m[0], p.now + 1), "a key of more than 30 days opens nothing");
	ok(comes(&p, &p.b, &m[4], 4) && p.b.l.n == 2, "30 days are not more than 30 days");
	p.now++;
	p.b.l.changed = false;
	ok(comes(&p, &p.b, &m[5], 5) && p.b.l.n == 1 && p.b.l.v[0].n == 2 && p.b.l.changed,
	   "the next message that opens drops what is older");
	ok(comes(&p, &p.b, &m[2], 2) && !p.b.l.n, "what is younger opens");
	teardown(&p);
}

/* A key that is too old goes even when it stands behind a younger one: the clock was wrong for a while. */
static void expiry_out_of_order(void)
{
	struct pair p;
	struct message m[5];

	setup(&p);
	for (size_t i = 0; i < 5; i++)
		m[i] = put(&p.a, i);
	p.now = NOW + 1000 * (int64_t)86400;
	MUST(!comes(&p, &p.b, &m[1], 1));
	p.now = NOW;
	MUST(!comes(&p, &p.b, &m[3], 3));
	p.now = NOW + SM_SKIPPED_SECONDS + 1;
	ok(comes(&p, &p.b, &m[4], 4) && p.b.l.n == 1 && p.b.l.v[0].n == 0, "a clock that was wrong does not keep keys for ever");
	teardown(&p);
}

static void changed_bytes(void)
{
	struct pair p;
	struct message m, bad;
	unsigned opened = 0;
	uint8_t text[8] = "before";

	setup(&p);
	m = put(&p.a, 0);
	MUST(!comes(&p, &p.b, &m, 0));
	(void)put(&p.a, 1);
	m = put(&p.a, 2);
	for (size_t i = 0; i < sizeof m; i++) {
		bad = m;
		((uint8_t *)&bad)[i] ^= 0x10;
		opened += !refused(&p.b, &bad, p.now);
	}
	ok(!opened, "no byte of header or body may change, and none that does changes the state");
	ok(sm_ratchet_open(&p.b.r, &p.b.l, text, m.header, m.body, sizeof m.body, "aD", 2, p.now, &rng) == SM_ERR_STANZA, "nor the AD");
	ok(sm_ratchet_open(&p.b.r, &p.b.l, text, m.header, m.body, sizeof m.body, "ad\0", 3, p.now, &rng) == SM_ERR_STANZA,
	   "nor a longer one");
	for (size_t n = 0; n < sizeof m.body; n++)
		opened += sm_ratchet_open(&p.b.r, &p.b.l, text, m.header, m.body, n, "ad", 2, p.now, &rng) != SM_ERR_STANZA;
	ok(!opened, "nor may it be cut short");
	ok(comes(&p, &p.b, &m, 2), "whole, it opens still");
	teardown(&p);
}

static void points(void)
{
	struct pair p;
	struct message m;
	uint8_t sk[32] = {1};

	setup(&p);
	m = put(&p.a, 0);
	MUST(!comes(&p, &p.b, &m, 0));
	for (size_t i = 0; i < BAD_POINTS; i++) {
		struct sm_ratchet r = {.ns = 5}, was = r;
		m = put(&p.a, 1);
		memcpy(m.header, bad_point[i], 32);
		ok(refused(&p.b, &m, p.now), "ratchet key %zu", i);
		ok(sm_ratchet_initiator(&r, sk, bad_point[i], &rng) == SM_ERR_FORMAT && !memcmp(&r, &was, sizeof r),
		   "first ratchet key %zu", i);
	}
	m = put(&p.b, 2);
	MUST(!comes(&p, &p.a, &m, 2));
	/* X25519 does not look at the high bit, so that this one is right but for its spelling */
	p.a.r.dhs_pk[31] |= 0x80;
	m = put(&p.a, 3);
	ok(refused(&p.b, &m, p.now), "a ratchet key has one spelling");
	p.a.r.dhs_pk[31] &= 0x7f;
	m = put(&p.a, 4);
	ok(comes(&p, &p.b, &m, 4), "which opens");
	teardown(&p);
}

/* One's own messages and keys fed back, and those of another session. */
static void reflection(void)
{
	struct pair p, q;
	struct message m, n;

	setup(&p);
	setup(&q);
	m = put(&p.a, 0);
	ok(refused(&p.a, &m, p.now), "one's own first message does not open");
	n = put(&q.a, 0);
	ok(refused(&p.b, &n, p.now), "nor does another session's");
	MUST(!comes(&p, &p.b, &m, 0) || !comes(&q, &q.b, &n, 0));
	m = put(&p.b, 1), n = put(&q.b, 1);
	ok(refused(&p.b, &m, p.now) && refused(&p.a, &n, p.now), "nor the answer to it");
	ok(comes(&p, &p.a, &m, 1) && comes(&q, &q.a, &n, 1), "where they belong they do");
	teardown(&p);
	teardown(&q);
}

static void restored_copy(void)
{
	struct pair p;
	struct sm_ratchet copy;
	struct message m, n;

	setup(&p);
	copy = p.a.r;
	m = put(&p.a, 5);
	p.a.r = copy;
	n = put(&p.a, 5);
	ok(!memcmp(m.header, n.header, sizeof m.header) && memcmp(m.body, n.body, 32) && memcmp(m.body + 32, n.body + 32, 8),
	   "a restored copy that seals again uses another key and nonce");
	teardown(&p);
}

static void limits(void)
{
	struct pair p;
	struct sm_ratchet was;
	struct message m;
	uint8_t ad[1024] = {0};

	setup(&p);
	p.a.r.ns = UINT32_MAX - 2;
	ok(!sm_ratchet_seal(&p.a.r, m.header, m.body, "x", 1, "ad", 2, &rng), "a message has at most the number 2^32 - 3");
	was = p.a.r;
	ok(sm_ratchet_seal(&p.a.r, m.header, m.body, "x", 1, "ad", 2, &rng) == SM_ERR_LIMIT && !memcmp(&was, &p.a.r, sizeof was),
	   "a chain has an end");
	p.a.r.ns = 0;
	was = p.a.r;
	ok(sm_ratchet_seal(&p.a.r, m.header, m.body, "x", 1, ad, 985, &rng) == SM_ERR_LIMIT && !memcmp(&was, &p.a.r, sizeof was),
	   "and so has the AD");
	ok(!sm_ratchet_seal(&p.a.r, m.header, m.body, "x", 1, ad, 984, &rng), "at 1,024 bytes with the header");
	teardown(&p);
}

static void packing(void)
{
	struct pair p;
	struct sm_ratchet r = {0};
	uint8_t packed[SM_RATCHET_PACKED], again[SM_RATCHET_PACKED];
	struct message m;
	unsigned bad = 0;

	setup(&p);
	for (int i = 0; i < 3; i++) {
		sm_ratchet_pack(packed, &p.b.r);
		bad += sm_ratchet_unpack(&r, packed) || r.has_ckr != p.b.r.has_ckr || r.has_cks != p.b.r.has_cks;
		sm_ratchet_pack(again, &r);
		bad += memcmp(packed, again, sizeof packed) != 0;
		p.b.r = r;
		m = put(&p.a, (uint64_t)i);
		bad += !comes(&p, &p.b, &m, (uint64_t)i);
		if (i == 1) {
			m = put(&p.b, 9);
			bad += !comes(&p, &p.a, &m, 9);
		}
	}
	ok(!bad, "a ratchet that was packed in between goes on");
	packed[0] = 2;
	ok(sm_ratchet_unpack(&r, packed) == SM_ERR_FORMAT, "another version is refused");
	packed[0] = 1, packed[1] = 4;
	ok(sm_ratchet_unpack(&r, packed) == SM_ERR_FORMAT, "and a flag that is none");
	teardown(&p);
}

static void packing_skipped(void)
{
	struct pair p;
	struct message m[12];
	struct sm_skipped_list l = {0}, none = {0};
	struct sm_buf b, c;
	static uint8_t big[SM_SKIPPED_PACKED(SM_SKIPPED_MAX + 1)] = {1, 0, 0, 7, 0xd1};
	unsigned bad = 0;

	setup(&p);
	sm_buf_init(&b, 1 << 20);
	sm_buf_init(&c, 1 << 20);
	for (size_t i = 0; i < 12; i++)
		m[i] = put(&p.a, i);
	MUST(!comes(&p, &p.b, &m[11], 11));
	MUST(sm_skipped_pack(&b, &p.b.l));
	ok(b.len == SM_SKIPPED_PACKED(11) && !sm_skipped_unpack(&l, b.data, b.len) && l.n == 11 && !l.changed,
	   "eleven skipped keys, packed");
	MUST(sm_skipped_pack(&c, &l));
	ok(b.len == c.len && !memcmp(b.data, c.data, b.len), "and again the same");
	for (size_t n = 0; n < b.len; n++)
		bad += sm_skipped_unpack(&none, b.data, n) != SM_ERR_FORMAT;
	ok(!bad && !none.v, "cut short they are refused");
	MUST(sm_buf_add_u8(&b, 0));
	ok(sm_skipped_unpack(&none, b.data, b.len) == SM_ERR_FORMAT, "and with a byte more");
	b.data[0] = 0;
	ok(sm_skipped_unpack(&none, b.data, b.len - 1) == SM_ERR_FORMAT, "and of another version");
	ok(sm_skipped_unpack(&none, big, sizeof big) == SM_ERR_FORMAT, "and more than there may be");
	big[4] = 0xd0;
	ok(!sm_skipped_unpack(&none, big, SM_SKIPPED_PACKED(SM_SKIPPED_MAX)) && none.n == SM_SKIPPED_MAX, "and that many not");
	sm_skipped_release(&none);
	big[3] = big[4] = 0;
	ok(!sm_skipped_unpack(&none, big, SM_SKIPPED_PACKED(0)) && !none.n, "none are none");
	sm_skipped_release(&p.b.l);
	p.b.l = l;
	ok(comes(&p, &p.b, &m[4], 4) && p.b.l.changed, "an unpacked key opens");
	sm_buf_release(&b);
	sm_buf_release(&c);
	teardown(&p);
}

/* The chain, from its definition; the value by python3 hmac. */
static void chain(void)
{
	static const uint8_t next[32] = {0x4e, 0xe7, 0xbe, 0x0c, 0x78, 0x72, 0x36, 0x0c, 0xa6, 0x74, 0x14, 0x60, 0x80, 0x81, 0xe9, 0xbd,
	                                 0x60, 0xfd, 0x58, 0x0a, 0x7b, 0xbd, 0x20, 0x97, 0x01, 0xd2, 0xa5, 0xa0, 0xb4, 0x31, 0x6d, 0x0d},
	                     message[32] = {0x3d, 0x7a, 0xfb, 0x66, 0x31, 0x24, 0xec, 0xbf, 0x2c, 0x95, 0x3f, 0x86, 0x3d, 0x4f, 0xc8, 0x79,
	                                    0x6e, 0xeb, 0x2d, 0x37, 0x2b, 0x64, 0xaa, 0xd5, 0x86, 0x97, 0xec, 0x52, 0x64, 0x64, 0x9c, 0xdb};
	uint8_t ck[32] = {0}, mk[32];

	sm_chain_step(ck, mk);
	ok(!memcmp(ck, next, 32) && !memcmp(mk, message, 32), "a step of the chain of zeros");
}

int main(void)
{
	rng = sm_rand_from(&state);
	chain();
	conversation();
	header_bytes();
	for (uint8_t seed = 1; seed <= 3; seed++)
		chaos(seed);
	jump();
	no_such_number();
	lost_tail(1000, 1000);
	lost_tail(1001, 0);
	eviction();
	expiry();
	expiry_out_of_order();
	changed_bytes();
	points();
	reflection();
	restored_copy();
	limits();
	packing();
	packing_skipped();
	return tap_done();
}
