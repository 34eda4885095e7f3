/* Sender keys: out of order, lost, and only in the group, epoch, roster, chain and device that they were sealed for. */
#include "tap.h"

#include "session.h"
#include "session/senderkey.h"
#include "wire/header_stanza.h"

static struct sm_rand_fixed state = {.seed = {6}};
static struct sm_rand rng;
static struct device alice;
static struct sm_header h;

struct both {
	struct sm_sender_chain from, to;
};

/* The receiver gets the chain's current point. */
static void setup(struct both *c)
{
	sm_sender_chain_new(&c->from, GROUP, &alice.end, NOW, &rng);
	c->to = c->from;
}

static void teardown(struct both *c)
{
	sm_sender_chain_release(&c->from);
	sm_sender_chain_release(&c->to);
}

static struct sm_stanza put(struct sm_sender_chain *c, uint8_t v)
{
	struct sm_stanza s;
	uint8_t key[32];

	memset(key, v, sizeof key);
	MUST(sm_sender_chain_seal(c, &s, &h, key, &rng));
	return s;
}

static bool comes(struct sm_sender_chain *c, const struct sm_stanza *s, uint8_t v, int64_t now)
{
	uint8_t key[32], want[32];

	memset(want, v, sizeof want);
	return !sm_sender_chain_open(c, key, s, &h, now) && !memcmp(key, want, 32);
}

static bool refused_in(struct sm_sender_chain *c, const struct sm_stanza *s, const struct sm_header *in)
{
	struct sm_sender_chain was = *c;
	struct sm_buf before, after;
	uint8_t key[32] = {9}, as_it_was[32] = {9};
	bool good;

	sm_buf_init(&before, 1 << 20);
	sm_buf_init(&after, 1 << 20);
	MUST(sm_skipped_pack(&before, &c->skipped));
	good = sm_sender_chain_open(c, key, s, in, NOW) == SM_ERR_STANZA && !memcmp(&was, c, sizeof was) && !memcmp(key, as_it_was, 32);
	MUST(sm_skipped_pack(&after, &c->skipped));
	good = good && before.len == after.len && !memcmp(before.data, after.data, before.len);
	sm_buf_release(&before);
	sm_buf_release(&after);
	return good;
}
static bool refused(struct sm_sender_chain *c, const struct sm_stanza *s) { return refused_in(c, s, &h); }

static void orders(void)
{
	struct both c;
	struct sm_stanza s[6];

	setup(&c);
	for (uint8_t i = 0; i < 6; i++)
		s[i] = put(&c.from, i);
	ok(s[2].type == SM_STANZA_SENDERKEY && s[2].senderkey.device == 4 && s[2].senderkey.n == 2 &&
	           !strcmp(s[2].senderkey.chain, c.from.id) && s[2].bodylen == 80 && sm_stanza_body_ok(&s[2], &sm_suite_x25519, 80),
	   "a stanza says device, chain and number");
	ok(comes(&c.to, &s[0], 0, NOW) && comes(&c.to, &s[3], 3, NOW) && c.to.skipped.n == 2, "some are passed over");
	ok(comes(&c.to, &s[2], 2, NOW) && comes(&c.to, &s[4], 4, NOW) && comes(&c.to, &s[1], 1, NOW) && !c.to.skipped.n, "and come later");
	ok(refused(&c.to, &s[0]) && refused(&c.to, &s[1]) && refused(&c.to, &s[4]), "none comes twice");
	s[5].senderkey.n = 2;
	ok(refused(&c.to, &s[5]), "nor under a number that is over");
	s[5].senderkey.n = 6;
	ok(refused(&c.to, &s[5]), "or that is not its own");
	s[5].senderkey.n = UINT32_MAX;
	ok(refused(&c.to, &s[5]), "or that there is not");
	s[5].senderkey.n = 5;
	ok(comes(&c.to, &s[5], 5, NOW), "under its own it does");
	for (size_t i = 0; i < 6; i++)
		free(s[i].body);
	teardown(&c);
}

/* Who is added gets the current point, and nothing that was before it. */
static void newcomer(void)
{
	struct both c;
	struct sm_stanza s, t;

	setup(&c);
	s = put(&c.from, 1);
	c.to = c.from;
	t = put(&c.from, 2);
	ok(refused(&c.to, &s) && comes(&c.to, &t, 2, NOW), "a newcomer reads nothing older");
	free(s.body), free(t.body);
	teardown(&c);
}

static void elsewhere(void)
{
	struct both c, other;
	struct sm_header g = h;
	struct sm_stanza s, t;
	uint8_t key[32] = {0};
	unsigned opened = 0;

	setup(&c);
	setup(&other);
	s = put(&c.from, 1);
	g.group.epoch++;
	ok(refused_in(&c.to, &s, &g), "not in another epoch");
	g = h, g.group.roster[31] ^= 1;
	ok(refused_in(&c.to, &s, &g), "not under another roster");
	g = h, g.group.id[25] = 'q';
	ok(refused_in(&c.to, &s, &g), "not in another group");
	ok(sm_sender_chain_seal(&c.from, &t, &g, key, &rng) == SM_ERR_BUG, "which a chain does not seal for either");
	g = h, g.has_group = false;
	ok(refused_in(&c.to, &s, &g) && sm_sender_chain_seal(&c.from, &t, &g, key, &rng) == SM_ERR_BUG, "not without a group");
	ok(refused(&other.to, &s), "not on another chain");
	t = s, memcpy(t.senderkey.chain, other.from.id, SM_ID_LEN);
	ok(refused(&other.to, &t), "not under another chain's name");
	ok(refused(&c.to, &t), "nor does its own open it so");
	t = s, t.senderkey.device++;
	ok(refused(&c.to, &t), "not from another device");
	other.to = c.to, other.to.sender.device++, t = s, t.senderkey.device++;
	ok(refused(&other.to, &t), "not even where that is expected");
	other.to = c.to, other.to.sender.pk[0] ^= 1;
	ok(refused(&other.to, &s), "not from another key");
	other.to = c.to, other.to.sender.address.text[0] = 'b';
	ok(refused(&other.to, &s), "not from another address");
	t = s, t.type = SM_STANZA_RATCHET;
	ok(refused(&c.to, &t), "not as another type");
	t = s, t.bodylen = 79;
	ok(refused(&c.to, &t), "not cut short");
	for (size_t i = 0; i < s.bodylen; i++) {
		s.body[i] ^= 0x20;
		opened += !refused(&c.to, &s);
		s.body[i] ^= 0x20;
	}
	ok(!opened, "not with a byte changed");
	ok(comes(&c.to, &s, 1, NOW), "as it was, it opens");
	free(s.body);
	teardown(&c);
	teardown(&other);
}

/* Who has the chain could seal on it for another group. */
static void other_group(void)
{
	struct both c;
	struct sm_header g = h;
	struct sm_stanza s;
	uint8_t key[32] = {0};

	setup(&c);
	g.group.id[25] = c.from.group[25] = 'q';
	MUST(sm_sender_chain_seal(&c.from, &s, &g, key, &rng));
	ok(refused_in(&c.to, &s, &g), "a chain belongs to one group");
	free(s.body);
	teardown(&c);
}

/* A message made by hand, from the page: of any size. */
static struct sm_stanza by_hand(const struct sm_sender_chain *c, uint8_t *body, size_t n)
{
	struct sm_stanza s = {.type = SM_STANZA_SENDERKEY, .senderkey = {.device = 4, .n = c->n}, .body = body, .bodylen = n + 48};
	uint8_t ck[32], mk[32], text[64] = {0};
	struct sm_buf b;

	memcpy(s.senderkey.chain, c->id, sizeof s.senderkey.chain);
	memcpy(ck, c->ck, sizeof ck);
	sm_chain_step(ck, mk);
	sm_buf_init(&b, 1024);
	MUST(sm_buf_add(&b, "SM-SK-v1\0\1", 10) || sm_buf_add(&b, alice.end.pk, 32) ||
	     sm_buf_add(&b,
	                "\0\x13"
	                "alice@example.org/4",
	                21) ||
	     sm_buf_add(&b, GROUP, 26) || sm_buf_add_be64(&b, 12) || sm_buf_add(&b, h.group.roster, 32) || sm_buf_add(&b, c->id, 26) ||
	     sm_buf_add_be32(&b, c->n));
	MUST(sm_chain_seal(body, mk, "SM-SK-message-v1", text, n, (struct sm_span){b.data, b.len}, (struct sm_span){0}, &rng));
	sm_buf_release(&b);
	return s;
}

static void sizes(void)
{
	uint8_t body[128];
	struct sm_stanza s;
	struct both c;

	setup(&c);
	s = by_hand(&c.from, body, 31);
	ok(refused(&c.to, &s), "31 bytes are no file key");
	s = by_hand(&c.from, body, 33);
	ok(refused(&c.to, &s), "nor are 33");
	s = by_hand(&c.from, body, 32);
	ok(comes(&c.to, &s, 0, NOW), "32 are, with the aad byte for byte");
	teardown(&c);
}

static void jump(void)
{
	struct both c;
	struct sm_stanza s[1003];

	setup(&c);
	for (size_t i = 0; i < 1003; i++)
		s[i] = put(&c.from, (uint8_t)i);
	ok(refused(&c.to, &s[1001]), "1,001 ahead is refused");
	ok(comes(&c.to, &s[1000], (uint8_t)1000, NOW) && c.to.skipped.n == 1000, "1,000 ahead is not");
	ok(comes(&c.to, &s[1002], (uint8_t)1002, NOW) && comes(&c.to, &s[7], 7, NOW + SM_SKIPPED_SECONDS), "it goes on, and back");
	ok(comes(&c.to, &s[1001], (uint8_t)1001, NOW + SM_SKIPPED_SECONDS) && c.to.skipped.n == 999, "for 30 days");
	struct sm_stanza last = put(&c.from, 1);
	ok(comes(&c.to, &last, 1, NOW + SM_SKIPPED_SECONDS + 1) && !c.to.skipped.n, "and no longer");
	free(last.body);
	for (size_t i = 0; i < 1003; i++)
		free(s[i].body);
	teardown(&c);
}

static void rotation(void)
{
	struct both c;
	struct sm_sender_chain was;
	struct sm_stanza s;
	uint8_t key[32] = {0};

	setup(&c);
	ok(!sm_sender_chain_old(&c.from, NOW) && !sm_sender_chain_old(&c.from, NOW + SM_CHAIN_SECONDS - 1), "a chain is young for 7 days");
	ok(sm_sender_chain_old(&c.from, NOW + SM_CHAIN_SECONDS), "then it is old");
	ok(!sm_sender_chain_old(&c.from, NOW - 86400) && sm_sender_chain_old(&c.from, NOW - 86401), "or when it is from the future");
	c.from.n = 999;
	ok(!sm_sender_chain_old(&c.from, NOW), "it is young for 1,000 messages");
	s = put(&c.from, 0);
	ok(sm_sender_chain_old(&c.from, NOW), "then it is old");
	free(s.body);
	c.from.n = UINT32_MAX;
	was = c.from;
	ok(sm_sender_chain_seal(&c.from, &s, &h, key, &rng) == SM_ERR_LIMIT && !memcmp(&was, &c.from, sizeof was), "and it has an end");
	ok(strcmp(c.from.id, c.to.id) == 0 && strlen(c.from.id) == SM_ID_LEN && !strcmp(c.from.group, GROUP), "it has a name");
	teardown(&c);
}

int main(void)
{
	if (sm_secret_harden())
		return 1;
	rng = sm_rand_from(&state);
	device_init(&alice, "alice@example.org", 4, &rng);
	h = (struct sm_header){.has_group = true, .group = {.epoch = 12, .roster = {1, 2, 3}}};
	memcpy(h.group.id, GROUP, sizeof GROUP);
	orders();
	newcomer();
	elsewhere();
	other_group();
	sizes();
	jump();
	rotation();
	device_release(&alice);
	return tap_done();
}
