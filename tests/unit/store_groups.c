/* Groups in the store: aliases, rosters that only follow, chains of others and one's own, other identities' and damaged rows. */
#include "session.h"
#include "store.h"
#include "tap.h"

#include "store/groups.h"

#define DAY 86400
#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "baaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_C "caaaaaaaaaaaaaaaaaaaaaaaaa"

static struct device alice, bob, carol;

static struct sm_group group(const char *id, const char *alias)
{
	struct sm_group g = {.state = SM_GROUP_IN, .expect = 3, .expected = {9}, .teller = "bob@example.org", .chosen = true};
	memcpy(g.id, id, SM_ID_LEN);
	snprintf(g.alias, sizeof(g.alias), "%s", alias);
	return g;
}

struct list {
	struct sm_db *db;
	int n;
	char ids[200];
};

static enum sm_err take(void *ctx, const struct sm_group *g)
{
	struct list *l = ctx;
	struct sm_group same;
	l->n++;
	l->ids[strlen(l->ids)] = g->id[0];
	return sm_group_get(&same, l->db, g->id);
}

static void test_groups(struct sm_db *db)
{
	struct sm_group a = group(ID_A, "ops"), b = group(ID_B, "ops"), c = group(ID_C, "ops"), got = {0};
	struct list l = {.db = db};
	ok(sm_group_get(&got, db, ID_A) == SM_ERR_NOTFOUND && sm_group_by_alias(&got, db, "ops") == SM_ERR_NOTFOUND, "there is none");
	ok(!sm_group_put(db, &a) && !strcmp(a.alias, "ops") && !sm_group_get(&got, db, ID_A) && got.state == SM_GROUP_IN &&
	           got.expect == 3 && got.expected[0] == 9 && got.epoch == 0 && got.chosen && !strcmp(got.teller, "bob@example.org") &&
	           !strcmp(got.id, ID_A),
	   "one, read back");
	ok(!sm_group_put(db, &b) && !strcmp(b.alias, "ops-2") && !sm_group_put(db, &c) && !strcmp(c.alias, "ops-3"),
	   "an alias that is taken gets a number");
	ok(!sm_group_by_alias(&got, db, "ops-2") && !strcmp(got.id, ID_B) && !sm_group_by_alias(&got, db, "ops") && !strcmp(got.id, ID_A),
	   "and is found by that");
	b.state = SM_GROUP_LEFT;
	ok(!sm_group_put(db, &b) && !strcmp(b.alias, "ops-2") && !sm_group_get(&got, db, ID_B) && got.state == SM_GROUP_LEFT,
	   "its own it keeps");
	a.epoch = 77;
	ok(!sm_group_put(db, &a) && !sm_group_get(&got, db, ID_A) && got.epoch == 0, "an epoch is only what a roster has");
	b = group(ID_B, "abcdefghijklmnopqrstuvwxyz012345");
	c = group(ID_C, "abcdefghijklmnopqrstuvwxyz012345");
	ok(!sm_group_put(db, &b) && !sm_group_put(db, &c) && !strcmp(c.alias, "abcdefghijklmnopqrstuvwxyz0123-2"),
	   "a long alias is cut for it");
	b = group(ID_B, ""), c = group(ID_C, "");
	ok(!sm_group_put(db, &b) && !sm_group_put(db, &c) && !*c.alias && sm_group_by_alias(&got, db, "") == SM_ERR_NOTFOUND,
	   "those that have none are not found by it");
	ok(!sm_group_each(db, take, &l) && l.n == 3 && !strcmp(l.ids, "bca"), "each of them, and the store can be used meanwhile");
}

/* A roster of alice and others, signed by her, that follows r (NULL: the first). */
static struct sm_roster next(const struct sm_roster *r, const char *id, const struct device *other, struct sm_buf *text, int64_t date)
{
	struct sm_roster n = {.epoch = 1, .date = date};
	if (r) {
		MUST(sm_roster_next(&n, r));
		n.date = date;
		n.n = 1;
	} else {
		memcpy(n.group, id, SM_ID_LEN);
		memcpy(n.name, "ops", 4);
		n.signer = alice.end.address;
		n.member = calloc(SM_ROSTER_MAX, sizeof(*n.member));
		MUST(!n.member);
		n.member[0] = (struct sm_member){.address = alice.end.address, .admin = true};
		memcpy(n.member[0].pk, alice.end.pk, 32);
		n.n = 1;
	}
	n.signer = alice.end.address;
	if (other) {
		n.member[1] = (struct sm_member){.address = other->end.address};
		memcpy(n.member[1].pk, other->end.pk, 32);
		n.n = 2;
	}
	sm_buf_clear(text);
	MUST(sm_roster_sign(text, &n, &alice.id));
	return n;
}

static enum sm_err put_roster(struct sm_db *db, const struct sm_roster *r, const struct sm_buf *text)
{
	return sm_group_roster_put(db, r, (const char *)text->data, text->len);
}

static void test_rosters(struct sm_db *db)
{
	struct sm_buf text, fork, back;
	struct sm_roster one, other, two, three, got;
	struct sm_group g;
	sm_buf_init(&text, SM_ROSTER_TEXT_MAX);
	sm_buf_init(&fork, SM_ROSTER_TEXT_MAX);
	sm_buf_init(&back, SM_ROSTER_TEXT_MAX);
	ok(sm_group_roster(&got, NULL, db, ID_A, 0) == SM_ERR_NOTFOUND, "no roster");
	one = next(NULL, ID_A, &bob, &text, NOW);
	ok(!put_roster(db, &one, &text) && !sm_group_get(&g, db, ID_A) && g.epoch == 1, "the first sets the epoch");
	ok(!sm_group_roster(&got, &back, db, ID_A, 0) && got.n == 2 && !memcmp(got.hash, one.hash, 32) && back.len == text.len &&
	           !memcmp(back.data, text.data, text.len),
	   "and is read back");
	sm_roster_release(&got);
	ok(!put_roster(db, &one, &text), "the same again");
	other = next(NULL, ID_A, &carol, &fork, NOW);
	ok(put_roster(db, &other, &fork) == SM_ERR_POLICY, "not another first one");
	two = next(&one, ID_A, &carol, &text, NOW + 1);
	three = next(&two, ID_A, NULL, &fork, NOW + 2);
	ok(put_roster(db, &three, &fork) == SM_ERR_POLICY && !put_roster(db, &two, &text) && !put_roster(db, &three, &fork),
	   "none is left out");
	sm_roster_release(&two);
	two = next(&other, ID_A, &bob, &text, NOW + 1);
	ok(put_roster(db, &two, &text) == SM_ERR_POLICY, "nor another put in between");
	sm_roster_release(&two);
	two = next(&other, ID_A, &bob, &text, NOW + 9);
	two.epoch = 4;
	ok(put_roster(db, &two, &text) == SM_ERR_POLICY, "nor one behind that does not know the last");
	ok(!sm_group_roster(&got, NULL, db, ID_A, 2) && sm_roster_find(&got, "carol@x") && !sm_roster_find(&got, "bob@x"), "an older one");
	sm_roster_release(&got);
	ok(!sm_group_get(&g, db, ID_A) && g.epoch == 3 && sm_group_roster(&got, NULL, db, ID_A, 4) == SM_ERR_NOTFOUND &&
	           sm_group_roster(&got, NULL, db, ID_B, 0) == SM_ERR_NOTFOUND,
	   "three, and of one group");
	ok(store_run(db, "UPDATE roster SET text = 'x' WHERE epoch = 2") && sm_group_roster(&got, NULL, db, ID_A, 2) == SM_ERR_FORMAT,
	   "a damaged one is said to be");
	sm_roster_release(&one);
	sm_roster_release(&two);
	sm_roster_release(&three);
	sm_roster_release(&other);
	sm_buf_release(&text);
	sm_buf_release(&fork);
	sm_buf_release(&back);
}

/* Rosters of 300 KiB: the texts of the oldest go, the chain of hashes stays. */
static void test_many_rosters(struct sm_db *db)
{
	struct sm_buf text;
	struct sm_roster r, n;
	size_t filler = 300 << 10;
	sm_buf_init(&text, 1 << 20);
	r = next(NULL, ID_C, &bob, &text, NOW);
	char *long_text = calloc(1, filler);
	MUST(!long_text);
	int bad = sm_db_begin(db) || sm_group_roster_put(db, &r, long_text, filler);
	for (int i = 2; i <= 120 && !bad; i++) {
		n = next(&r, ID_C, i & 1 ? &bob : &carol, &text, NOW + i);
		bad = sm_group_roster_put(db, &n, long_text, filler) != SM_OK;
		sm_roster_release(&r);
		r = n;
	}
	bad = bad || sm_db_commit(db);
	int64_t kept = store_number(db, "SELECT sum(length(text)) FROM roster WHERE team = '" ID_C "'");
	ok(!bad && kept > 14 << 20 && kept <= 17 << 20 && store_number(db, "SELECT count(*) FROM roster WHERE team = '" ID_C "'") == 120,
	   "16 MiB of rosters are kept, and all hashes");
	ok(sm_group_roster(&n, NULL, db, ID_C, 1) == SM_ERR_NOTFOUND, "what is gone is not there");
	free(long_text);
	sm_roster_release(&r);
	sm_buf_release(&text);
}

/* --- Chains --- */

static struct sm_sender_chain chain_of(const struct device *d, const char *id)
{
	struct sm_sender_chain c;
	sm_sender_chain_new(&c, id, &d->end, NOW, &sm_rand_system);
	return c;
}

static enum sm_err get(struct sm_sender_chain *c, struct sm_db *db, const struct sm_sender_chain *like)
{
	return sm_chain_get(c, db, key, like->group, like->sender.pk, like->id);
}

static bool here(struct sm_db *db, const struct sm_sender_chain *like)
{
	struct sm_sender_chain c;
	if (get(&c, db, like))
		return false;
	sm_sender_chain_release(&c);
	return true;
}

static void skip(struct sm_sender_chain *c, size_t n)
{
	c->skipped = (struct sm_skipped_list){.v = calloc(n, sizeof(struct sm_skipped)), .n = n, .cap = n, .changed = true};
	MUST(!c->skipped.v);
}

static void test_chains(struct sm_db *db)
{
	struct sm_sender_chain b = chain_of(&bob, ID_A), c = chain_of(&carol, ID_A), got;
	ok(get(&got, db, &b) == SM_ERR_NOTFOUND, "no chain");
	b.n = 5;
	ok(!sm_chain_put(db, key, &b, true, &sm_rand_system) && !get(&got, db, &b) && got.n == 5 && !memcmp(got.ck, b.ck, 32) &&
	           !strcmp(got.group, ID_A) && !strcmp(got.id, b.id) && got.created == NOW && got.sender.device == 1 &&
	           !strcmp(got.sender.address.text, "bob@x") && !memcmp(got.sender.pk, bob.end.pk, 32),
	   "one that came in a message, read back");
	sm_sender_chain_release(&got);
	ok(!store_disk_has(db, b.ck, 32), "sealed");
	ok(sm_chain_get(&got, db, other_key, ID_A, bob.end.pk, b.id) == SM_ERR_NOTFOUND &&
	           sm_chain_get(&got, db, key, ID_B, bob.end.pk, b.id) == SM_ERR_NOTFOUND &&
	           sm_chain_get(&got, db, key, ID_A, carol.end.pk, b.id) == SM_ERR_NOTFOUND && get(&got, db, &c) == SM_ERR_NOTFOUND,
	   "of this identity, group, sender and id");
	b.n = 2;
	ok(!sm_chain_put(db, key, &b, true, &sm_rand_system) && !get(&got, db, &b) && got.n == 5, "one that comes again changes nothing");
	sm_sender_chain_release(&got);
	b.n = 9;
	skip(&b, 4);
	ok(!sm_chain_put(db, key, &b, false, &sm_rand_system) && !get(&got, db, &b) && got.n == 9 && got.skipped.n == 4, "a step does");
	sm_sender_chain_release(&got);
	b.skipped.n = 0;
	ok(!sm_chain_put(db, key, &b, false, &sm_rand_system) && !get(&got, db, &b) && got.skipped.n == 0 &&
	           store_number(db, "SELECT count(*) FROM chain_skipped") == 0,
	   "and its skipped keys go when they are used");
	sm_sender_chain_release(&got);
	b.skipped.n = 4;
	MUST(sm_chain_put(db, key, &b, false, &sm_rand_system));
	ok(store_run(db, "UPDATE chain_skipped SET sealed = x''") && !get(&got, db, &b) && got.n == 9 && !got.skipped.n,
	   "damaged ones are none, and the chain goes on");
	sm_sender_chain_release(&got);
	ok(store_run(db, "UPDATE chain SET sealed = x'00'") && get(&got, db, &b) == SM_ERR_NOTFOUND, "a damaged chain is not there");
	b.n = 1;
	b.skipped.changed = false;
	ok(!sm_chain_put(db, key, &b, true, &sm_rand_system) && !get(&got, db, &b) && got.n == 1 && !got.skipped.n, "and makes place");
	sm_sender_chain_release(&got);
	ok(!sm_chain_put(db, key, &c, true, &sm_rand_system) &&
	           store_run(db,
	                     "UPDATE chain SET sealed = (SELECT sealed FROM chain WHERE address = 'bob@x') WHERE address = 'carol@x'") &&
	           get(&got, db, &c) == SM_ERR_NOTFOUND,
	   "nor does it open in another's place");
	sm_sender_chain_release(&b);
	sm_sender_chain_release(&c);
}

static void test_flood(struct sm_db *db)
{
	struct sm_sender_chain first = chain_of(&bob, ID_B), last = first;
	int bad = sm_db_begin(db) || sm_chain_put(db, key, &first, true, &sm_rand_system);
	for (int i = 0; i < 40 && !bad; i++) {
		last = chain_of(&bob, ID_B);
		bad = sm_chain_put(db, key, &last, true, &sm_rand_system) != SM_OK;
	}
	ok(!bad && !sm_db_commit(db) && store_number(db, "SELECT count(*) FROM chain WHERE team = '" ID_B "'") == 32 && !here(db, &first) &&
	           here(db, &last) && store_number(db, "SELECT count(*) FROM chain WHERE team = '" ID_A "'") == 2,
	   "the newest 32 of a sender in a group are kept");
}

static void test_sweep(struct sm_db *db)
{
	struct sm_buf text;
	struct sm_roster one, two;
	struct sm_sender_chain b = chain_of(&bob, ID_A), c = chain_of(&carol, ID_A), in_b = chain_of(&bob, ID_B);
	sm_buf_init(&text, SM_ROSTER_TEXT_MAX);
	MUST(!store_run(db, "DELETE FROM chain; DELETE FROM roster; UPDATE team SET swept = 0"));
	MUST(sm_chain_put(db, key, &b, true, &sm_rand_system) || sm_chain_put(db, key, &c, true, &sm_rand_system) ||
	     sm_chain_put(db, key, &in_b, true, &sm_rand_system));
	one = next(NULL, ID_A, &bob, &text, NOW);
	MUST(put_roster(db, &one, &text));
	ok(!sm_chain_sweep(db, NOW) && here(db, &b) && !here(db, &c) && here(db, &in_b), "chains of those who are not members go");
	MUST(sm_chain_put(db, key, &c, true, &sm_rand_system));
	two = next(&one, ID_A, &carol, &text, NOW);
	ok(!sm_chain_sweep(db, NOW) && here(db, &c) && !put_roster(db, &two, &text) && !sm_chain_sweep(db, NOW) && !here(db, &b) &&
	           here(db, &c) && here(db, &in_b),
	   "when there is a new roster, in its group");
	ok(!sm_chain_sweep(db, NOW + 30 * DAY) && here(db, &c) && !sm_chain_sweep(db, NOW + 30 * DAY + 1) && !here(db, &c),
	   "all of them after 30 days");
	sm_roster_release(&one);
	sm_roster_release(&two);
	sm_buf_release(&text);
}

static size_t given(struct sm_db *db, const char *id)
{
	struct sm_buf fps;
	sm_buf_init(&fps, 1 << 16);
	MUST(sm_chain_given(&fps, db, id));
	size_t n = fps.len;
	for (size_t i = 32; i + 32 <= n; i += 32)
		n = memcmp(fps.data + i - 32, fps.data + i, 32) < 0 ? n : 9999;
	sm_buf_release(&fps);
	return n;
}

static void test_own(struct sm_db *db)
{
	struct sm_sender_chain mine = chain_of(&alice, ID_A), newer = chain_of(&alice, ID_A), other = chain_of(&alice, ID_B), got;
	ok(sm_chain_own(&got, db, key, ID_A) == SM_ERR_NOTFOUND, "no chain of one's own");
	ok(!sm_chain_own_put(db, key, &mine, &sm_rand_system) && !sm_chain_own(&got, db, key, ID_A) && !memcmp(got.ck, mine.ck, 32) &&
	           got.n == 0 && !strcmp(got.id, mine.id) && !strcmp(got.sender.address.text, "alice@x"),
	   "one");
	ok(sm_chain_own(&got, db, other_key, ID_A) == SM_ERR_NOTFOUND && sm_chain_own(&got, db, key, ID_B) == SM_ERR_NOTFOUND &&
	           !store_disk_has(db, mine.ck, 32),
	   "of this identity and group, sealed");
	ok(!sm_chain_give(db, mine.id, bob.id.pub.fp) && !sm_chain_give(db, mine.id, carol.id.pub.fp) &&
	           !sm_chain_give(db, mine.id, bob.id.pub.fp) && given(db, mine.id) == 64 && given(db, newer.id) == 0,
	   "given to two devices, in order");
	ok(!sm_chain_ungive(db, mine.id, bob.id.pub.fp) && given(db, mine.id) == 32 && !sm_chain_give(db, mine.id, bob.id.pub.fp),
	   "taken back, and given again");
	mine.n = 7;
	ok(!sm_chain_own_put(db, key, &mine, &sm_rand_system) && !sm_chain_own(&got, db, key, ID_A) && got.n == 7 &&
	           given(db, mine.id) == 64,
	   "a step keeps that");
	ok(!sm_chain_own_put(db, key, &other, &sm_rand_system) && given(db, mine.id) == 64 &&
	           !sm_chain_own_put(db, key, &newer, &sm_rand_system) && !sm_chain_own(&got, db, key, ID_A) && !strcmp(got.id, newer.id) &&
	           given(db, mine.id) == 0 && given(db, newer.id) == 0,
	   "a new one begins with nobody");
	MUST(sm_chain_give(db, newer.id, bob.id.pub.fp));
	ok(!sm_group_forget(db, ID_A) && sm_chain_own(&got, db, key, ID_A) == SM_ERR_NOTFOUND && given(db, newer.id) == 0 &&
	           !sm_chain_own(&got, db, key, ID_B) && store_number(db, "SELECT count(*) FROM roster WHERE team = '" ID_A "'") == 0,
	   "a group is forgotten with its chains, and no other");
}

int main(void)
{
	struct sm_db db = {0};
	if (!store_begin(&db))
		return 1;
	device_init(&alice, "alice@x", 1, &sm_rand_system);
	device_init(&bob, "bob@x", 1, &sm_rand_system);
	device_init(&carol, "carol@x", 1, &sm_rand_system);
	test_groups(&db);
	test_rosters(&db);
	test_many_rosters(&db);
	test_chains(&db);
	test_flood(&db);
	test_sweep(&db);
	test_own(&db);
	sm_db_close(&db);
	device_release(&alice);
	device_release(&bob);
	device_release(&carol);
	return tap_done();
}
