/* Sessions. The first byte says what the rest is:
 *   s  a stanza's line and its body, as a first message for a device with fixed prekeys, and then as one more of the session
 *   p  a packed session: what unpacks packs the same; it then seals, and opens the first 80 bytes of itself
 *   k  packed skipped keys: the same
 *   g  a senderkey stanza's line and body, for a fixed chain
 *   r  a course of events between two ends and a network that loses, reorders, repeats and damages
 * What does not open leaves everything as it was; what opens does so once, and is what was sealed. */
#include "check.h"

#include "crypto/x25519.h"
#include "session/pair.h"
#include "session/senderkey.h"
#include "wire/header_stanza.h"

#include <string.h>

#define NOW 1790000000
#define GROUP "abcdefghijklmnopqrstuvwxya"
#define BODY 80
#define WAY 64
#define EVENTS 400

static struct sm_identity alice, bob;
static struct sm_end alice_end, bob_end;
static uint8_t spk_sk[32], opk_sk[32];
static struct sm_rand_fixed state;
static struct sm_rand rng;

static void device(struct sm_identity *id, struct sm_end *end, uint8_t first, const char *address)
{
	uint8_t seed[32];

	memset(seed, first, sizeof seed);
	CHECK(!sm_identity_from_seed(id, seed) && !sm_address_parse(&end->address, address, strlen(address)));
	memcpy(end->pk, id->pub.ed25519, sizeof end->pk);
	end->device = 1;
}

static void begin(void)
{
	if (!alice_end.device) {
		device(&alice, &alice_end, 1, "alice@example.org");
		device(&bob, &bob_end, 2, "bob@example.org");
		memset(spk_sk, 3, sizeof spk_sk);
		memset(opk_sk, 4, sizeof opk_sk);
	}
	state = (struct sm_rand_fixed){.seed = {1}};
	rng = sm_rand_from(&state);
}

/* s borrows its body. */
static bool stanza(struct sm_stanza *s, const uint8_t *p, size_t n)
{
	struct sm_span all = {p, n}, line;

	if (!sm_span_take_line(&all, &line) || !sm_stanza_parse(s, &sm_suite_x25519, line))
		return false;
	s->body = (uint8_t *)(uintptr_t)all.p;
	s->bodylen = all.n;
	return true;
}

static enum sm_err open_pair(struct sm_pair *p, const struct sm_stanza *s, uint8_t key[32], int64_t now)
{
	struct sm_pair was = *p;
	struct sm_buf before, after;
	enum sm_err e;

	sm_buf_init(&before, 1 << 20);
	sm_buf_init(&after, 1 << 20);
	CHECK(!sm_skipped_pack(&before, &p->skipped));
	e = sm_pair_open(p, key, s, now, &rng);
	CHECK(!e || e == SM_ERR_STANZA);
	if (e) {
		CHECK(!sm_skipped_pack(&after, &p->skipped) && before.len == after.len && !memcmp(before.data, after.data, before.len));
		CHECK(!memcmp(&was.ratchet, &p->ratchet, sizeof was.ratchet) && was.replied == p->replied);
	}
	sm_buf_release(&before);
	sm_buf_release(&after);
	CHECK(p->skipped.n <= SM_SKIPPED_MAX);
	return e;
}

static void first_message(const uint8_t *p, size_t n)
{
	struct sm_pair pair;
	struct sm_stanza s;
	uint8_t key[32];

	if (!stanza(&s, p, n))
		return;
	enum sm_err e = sm_pair_accept(&pair, &bob, &bob_end, &alice_end, &s, spk_sk, s.ratchet.x3dh && s.ratchet.has_opk ? opk_sk : NULL);
	CHECK(!e || e == SM_ERR_STANZA);
	if (e)
		return;
	if (!open_pair(&pair, &s, key, NOW))
		CHECK(open_pair(&pair, &s, key, NOW) == SM_ERR_STANZA);
	sm_pair_release(&pair);
}

static void packed_pair(const uint8_t *p, size_t n)
{
	uint8_t key[32] = {0};
	struct sm_pair pair;
	struct sm_stanza s;
	struct sm_buf b;
	enum sm_err e = sm_pair_unpack(&pair, p, n);

	CHECK(!e || e == SM_ERR_FORMAT);
	if (e)
		return;
	sm_buf_init(&b, SM_PAIR_PACKED_MAX);
	CHECK(!sm_pair_pack(&b, &pair) && b.len == n && !memcmp(b.data, p, n));
	sm_buf_release(&b);
	e = sm_pair_seal(&pair, &s, 1, key, &rng);
	CHECK(!e || e == SM_ERR_POLICY || e == SM_ERR_LIMIT);
	if (!e) {
		CHECK(s.bodylen == BODY);
		free(s.body);
	}
	s = (struct sm_stanza){.type = SM_STANZA_RATCHET, .body = (uint8_t *)(uintptr_t)p, .bodylen = BODY};
	/* the peer's key of the last turn, with counters that are anything */
	memcpy(s.ratchet.header, pair.ratchet.dhr, 32);
	memcpy(s.ratchet.header + 32, p + n - 8, 8);
	CHECK(open_pair(&pair, &s, key, NOW) == SM_ERR_STANZA);
	sm_pair_release(&pair);
}

static void packed_keys(const uint8_t *p, size_t n)
{
	struct sm_skipped_list l;
	struct sm_buf b;
	enum sm_err e = sm_skipped_unpack(&l, p, n);

	CHECK(!e || e == SM_ERR_FORMAT);
	if (e)
		return;
	sm_buf_init(&b, SM_SKIPPED_PACKED(SM_SKIPPED_MAX));
	CHECK(!sm_skipped_pack(&b, &l) && b.len == n && !memcmp(b.data, p, n));
	sm_buf_release(&b);
	for (size_t i = 0; i < l.n; i++)
		CHECK(sm_skipped_find(&l, l.v[i].pub, l.v[i].n, NOW) <= (int)i);
	sm_skipped_make_room(&l, 1, NOW);
	CHECK(l.n < SM_SKIPPED_MAX);
	sm_skipped_release(&l);
}

static void group_message(const uint8_t *p, size_t n)
{
	struct sm_header h = {.has_group = true, .group = {.epoch = 3, .roster = {1}}};
	struct sm_sender_chain c;
	struct sm_stanza s;
	uint8_t key[32];

	if (!stanza(&s, p, n))
		return;
	memcpy(h.group.id, GROUP, sizeof GROUP);
	sm_sender_chain_new(&c, GROUP, &alice_end, NOW, &rng);
	struct sm_sender_chain was = c;
	enum sm_err e = sm_sender_chain_open(&c, key, &s, &h, NOW);
	CHECK(!e || e == SM_ERR_STANZA);
	if (e)
		CHECK(!memcmp(&was, &c, sizeof was));
	else
		CHECK(c.skipped.n == s.senderkey.n && sm_sender_chain_open(&c, key, &s, &h, NOW) == SM_ERR_STANZA);
	sm_sender_chain_release(&c);
}

/* ---- a course of events: two bytes each */

struct course {
	struct sm_pair end[2];
	bool there[2];
	struct {
		struct sm_stanza s;
		uint8_t key, to;
	} way[WAY];
	size_t n;
	uint8_t sealed;
	int64_t now;
};

static void seal(struct course *c, int from)
{
	uint8_t key[32];

	if (!c->there[from] || c->n == WAY)
		return;
	memset(key, ++c->sealed, sizeof key);
	enum sm_err e = sm_pair_seal(&c->end[from], &c->way[c->n].s, 1, key, &rng);
	CHECK(!e || (e == SM_ERR_POLICY && from == 1));
	if (e)
		return;
	c->way[c->n].key = c->sealed;
	c->way[c->n++].to = (uint8_t)!from;
}

static void lose(struct course *c, size_t i)
{
	free(c->way[i].s.body);
	c->way[i] = c->way[--c->n];
}

static void deliver(struct course *c, size_t i)
{
	struct sm_stanza *s = &c->way[i].s;
	int to = c->way[i].to;
	uint8_t key[32], want[32];

	if (!c->there[to]) {
		CHECK(!sm_pair_accept(&c->end[1], &bob, &bob_end, &alice_end, s, spk_sk, NULL));
		c->there[1] = true;
	}
	memset(want, c->way[i].key, sizeof want);
	/* so few events that nothing is too far ahead or pushed out; time alone makes keys go */
	enum sm_err e = open_pair(&c->end[to], s, key, c->now);
	CHECK(e ? c->now > NOW + SM_SKIPPED_SECONDS : !memcmp(key, want, sizeof want));
	CHECK(open_pair(&c->end[to], s, key, c->now) == SM_ERR_STANZA);
	if (c->there[!to])
		CHECK(open_pair(&c->end[!to], s, key, c->now) == SM_ERR_STANZA);
	lose(c, i);
}

static void damage(struct course *c, size_t i, uint8_t how)
{
	struct sm_stanza s = c->way[i].s;
	uint8_t body[BODY], key[32];

	if (!c->there[c->way[i].to])
		return;
	memcpy(body, s.body, BODY);
	s.body = body;
	if (how < BODY)
		body[how] ^= 1;
	else
		s.ratchet.header[how % sizeof s.ratchet.header] ^= 2;
	CHECK(open_pair(&c->end[c->way[i].to], &s, key, c->now) == SM_ERR_STANZA);
}

static void store(struct sm_pair *p)
{
	struct sm_buf b, l;

	sm_buf_init(&b, SM_PAIR_PACKED_MAX);
	sm_buf_init(&l, 1 << 20);
	CHECK(!sm_pair_pack(&b, p) && !sm_skipped_pack(&l, &p->skipped));
	sm_pair_release(p);
	CHECK(!sm_pair_unpack(p, b.data, b.len) && !sm_skipped_unpack(&p->skipped, l.data, l.len));
	sm_buf_release(&b);
	sm_buf_release(&l);
}

static void course(const uint8_t *p, size_t n)
{
	struct sm_bundle b = {.end = bob_end, .spk = {.id = 1, .created = NOW}};
	struct course c = {.there = {true}, .now = NOW};

	sm_x25519_pk(b.spk.key, spk_sk);
	CHECK(!sm_signed_prekey_sign(&b.spk, 1, &bob) && !sm_bundle_check(&b, NOW));
	CHECK(!sm_pair_start(&c.end[0], &alice, &alice_end, &b, &rng));
	for (size_t i = 0; i + 1 < n && i < 2 * EVENTS; i += 2) {
		size_t which = c.n ? p[i + 1] % c.n : 0;
		int end = p[i + 1] & 1;
		switch (p[i] % 8) {
		case 0:
		case 1:
		case 2: seal(&c, end); break;
		case 3:
		case 4:
			if (c.n)
				deliver(&c, which);
			break;
		case 5:
			if (c.n)
				lose(&c, which);
			break;
		case 6:
			if (c.n)
				damage(&c, which, p[i] ^ p[i + 1]);
			break;
		default:
			if (p[i] & 8)
				c.now += (int64_t)p[i + 1] * 7200;
			else if (c.there[end])
				store(&c.end[end]);
		}
	}
	while (c.n)
		deliver(&c, 0);
	sm_pair_release(&c.end[0]);
	if (c.there[1])
		sm_pair_release(&c.end[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (!n)
		return 0;
	begin();
	switch (*p) {
	case 's': first_message(p + 1, n - 1); break;
	case 'p': packed_pair(p + 1, n - 1); break;
	case 'k': packed_keys(p + 1, n - 1); break;
	case 'g': group_message(p + 1, n - 1); break;
	case 'r': course(p + 1, n - 1); break;
	}
	return 0;
}
