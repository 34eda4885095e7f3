/* Prekeys: ids that only grow, what is kept and what is swept, other identities' and damaged rows. */
#include "store.h"
#include "tap.h"

#include "crypto/x25519.h"
#include "store/prekeys.h"
#include "store/sessions.h"

#define DAY 86400
#define NOW 1790000000

static struct sm_own_prekey made[300], got[300];

static bool good(const struct sm_own_prekey *p)
{
	uint8_t pk[32];
	sm_x25519_pk(pk, p->sk);
	return !memcmp(pk, p->pk, 32);
}

/* Marking what was sent ends with the usual syncs; here nothing needs them. */
static enum sm_err sent_through(struct sm_db *db, uint32_t id)
{
	enum sm_err e = sm_prekeys_sent(db, id);
	return e || store_run(db, "PRAGMA synchronous = OFF") ? e : SM_ERR_BUG;
}

static enum sm_err signed_sent(struct sm_db *db, uint32_t id)
{
	enum sm_err e = sm_signed_prekey_sent(db, id);
	return e || store_run(db, "PRAGMA synchronous = OFF") ? e : SM_ERR_BUG;
}

static void test_one_time(struct sm_db *db)
{
	struct sm_own_prekey p;
	size_t n = 0;
	ok(!sm_prekeys_make(made, 100, db, key, NOW, &sm_rand_system) && made[0].id == 1 && made[99].id == 100 && good(&made[0]) &&
	           good(&made[99]) && memcmp(made[0].sk, made[1].sk, 32) != 0 && made[99].created == NOW,
	   "a hundred are made");
	ok(!sm_prekey_get(&p, db, key, 42) && p.id == 42 && !memcmp(p.sk, made[41].sk, 32) && !memcmp(p.pk, made[41].pk, 32) &&
	           p.created == NOW,
	   "and read back");
	ok(!store_disk_has(db, made[41].sk, 32) && !store_disk_has(db, made[41].pk, 32), "sealed");
	ok(sm_prekey_get(&p, db, key, 101) == SM_ERR_NOTFOUND && sm_prekey_get(&p, db, other_key, 42) == SM_ERR_NOTFOUND &&
	           sm_signed_prekey_get(&p, db, key, 42) == SM_ERR_NOTFOUND,
	   "not one that is not there, nor another identity's, nor a signed one");
	ok(!sm_prekeys_unsent(got, 300, &n, db, key) && n == 100 && got[0].id == 1 && got[99].id == 100, "none of them is sent");
	ok(!sm_prekeys_unsent(got, 10, &n, db, key) && n == 10 && got[0].id == 91 && got[9].id == 100, "of which the newest, in order");
	ok(!sm_prekeys_unsent(got, 10, &n, db, other_key) && n == 0, "another identity has none");
	ok(!sent_through(db, 95) && !sm_prekeys_unsent(got, 300, &n, db, key) && n == 5 && got[0].id == 96, "sent through 95");
	ok(!sm_prekey_drop(db, 42) && sm_prekey_get(&p, db, key, 42) == SM_ERR_NOTFOUND && !sm_prekey_drop(db, 42), "used, and gone");
	ok(!sm_prekey_drop(db, 100) && !sm_prekeys_make(made, 2, db, other_key, NOW, &sm_rand_system) && made[0].id == 101,
	   "ids are not used again, by whomever");
	ok(!sm_prekeys_make(made, 1, db, key, NOW, &sm_rand_system) && made[0].id == 103, "nor those of others");
	ok(!sm_prekeys_floor(db, true, 500) && !sm_prekeys_floor(db, true, 7) && !sm_prekeys_floor(db, true, -1) &&
	           !sm_prekeys_make(made, 1, db, key, NOW, &sm_rand_system) && made[0].id == 501,
	   "nor any that the server has seen");
	ok(!sm_prekeys_floor(db, true, UINT32_MAX - 1) && sm_prekeys_make(made, 2, db, key, NOW, &sm_rand_system) == SM_ERR_LIMIT &&
	           !made[0].id && !sm_prekeys_make(made, 1, db, key, NOW, &sm_rand_system) && made[0].id == UINT32_MAX &&
	           sm_prekeys_make(made, 1, db, key, NOW, &sm_rand_system) == SM_ERR_LIMIT,
	   "until there are no more");
}

static void test_damage(struct sm_db *db)
{
	struct sm_own_prekey p;
	size_t n = 0;
	bool sent;
	ok(store_run(db,
	             "UPDATE prekey SET sealed = (SELECT sealed FROM prekey WHERE signed = 0 AND id = 97) WHERE signed = 0 AND id = 96") &&
	           sm_prekey_get(&p, db, key, 96) == SM_ERR_NOTFOUND,
	   "a row in another's place is not there");
	ok(store_run(db, "UPDATE prekey SET sealed = x'00' WHERE signed = 0 AND id = 98") &&
	           sm_prekey_get(&p, db, key, 98) == SM_ERR_NOTFOUND && !sm_prekeys_unsent(got, 300, &n, db, key) && n > 0 &&
	           got[0].id == 97,
	   "nor is a damaged one");
	ok(!sm_signed_prekey_make(&made[0], db, key, NOW, &sm_rand_system) &&
	           !sm_signed_prekey_make(&made[1], db, other_key, NOW, &sm_rand_system) && !sm_signed_prekey_newest(&p, &sent, db, key) &&
	           p.id == made[0].id && made[1].id == made[0].id + 1,
	   "the newest signed one is this identity's newest");
	ok(store_run(db, "DELETE FROM prekey; UPDATE counter SET value = 0"), "all gone");
}

static void test_signed(struct sm_db *db)
{
	struct sm_own_prekey a, b, p;
	bool sent = true;
	ok(sm_signed_prekey_newest(&p, &sent, db, key) == SM_ERR_NOTFOUND && sent, "no signed prekey yet");
	ok(!sm_signed_prekey_make(&a, db, key, NOW, &sm_rand_system) && a.id == 1 && good(&a) &&
	           !sm_signed_prekey_newest(&p, &sent, db, key) && p.id == 1 && !sent && !memcmp(p.sk, a.sk, 32),
	   "made, not sent");
	ok(!signed_sent(db, 1) && !sm_signed_prekey_newest(&p, &sent, db, key) && sent, "sent");
	ok(!sm_signed_prekey_make(&b, db, key, NOW + 7 * DAY, &sm_rand_system) && b.id == 2 &&
	           !sm_signed_prekey_newest(&p, &sent, db, key) && p.id == 2 && !sent && !sm_signed_prekey_get(&p, db, key, 1) &&
	           !memcmp(p.sk, a.sk, 32),
	   "a newer one, and the older still there");
	ok(!sm_prekeys_floor(db, false, 9) && !sm_signed_prekey_make(&b, db, key, NOW + 7 * DAY, &sm_rand_system) && b.id == 10,
	   "above what the server has seen");
}

static void test_sweep(struct sm_db *db)
{
	uint8_t peer[32] = {4}, eka[32] = {5}, newer[32] = {6};
	struct sm_own_prekey p;
	bool seen = false;
	ok(!sm_first_remember(db, peer, eka, 1, NOW) && !sm_first_remember(db, peer, newer, 10, NOW) &&
	           !sm_first_seen(&seen, db, peer, eka) && seen,
	   "first messages are remembered");
	ok(!sm_first_remember(db, peer, eka, 1, NOW) && !sm_first_seen(&seen, db, peer, peer) && !seen &&
	           !sm_first_seen(&seen, db, eka, eka) && !seen,
	   "each by itself");
	ok(!sm_prekeys_sweep(db, NOW + 38 * DAY) && !sm_signed_prekey_get(&p, db, key, 1),
	   "nothing goes while what came after is not at the server");
	ok(!signed_sent(db, 10) && !sm_prekeys_sweep(db, NOW + 37 * DAY) && !sm_signed_prekey_get(&p, db, key, 1) &&
	           !sm_first_seen(&seen, db, peer, eka) && seen,
	   "nor before that has been there for 30 days");
	ok(!sm_prekeys_sweep(db, NOW + 37 * DAY + 1) && sm_signed_prekey_get(&p, db, key, 1) == SM_ERR_NOTFOUND &&
	           !sm_signed_prekey_get(&p, db, key, 10) && !sm_first_seen(&seen, db, peer, eka) && !seen &&
	           !sm_first_seen(&seen, db, peer, newer) && seen,
	   "then it goes, with its first messages");
	ok(!sm_prekeys_make(made, 250, db, key, NOW, &sm_rand_system) && !sm_prekeys_sweep(db, NOW + 90 * DAY) &&
	           !sm_prekey_get(&p, db, key, made[0].id),
	   "one-time prekeys stay for 90 days");
	ok(!sm_prekeys_sweep(db, NOW + 90 * DAY + 1) && sm_prekey_get(&p, db, key, made[49].id) == SM_ERR_NOTFOUND &&
	           !sm_prekey_get(&p, db, key, made[50].id) && !sm_prekeys_sweep(db, NOW + 900 * DAY) &&
	           !sm_prekey_get(&p, db, key, made[50].id),
	   "and as many as may be at the server for ever");
}

static void test_asked(struct sm_db *db)
{
	int64_t at = 1;
	ok(!sm_prekeys_asked(&at, db) && at == 0 && !sm_prekeys_asked_now(db, NOW) && !sm_prekeys_asked(&at, db) && at == NOW,
	   "when the server was asked");
}

/* Every process gets ids of its own. */
static int make_some(int i)
{
	static struct sm_own_prekey mine[10];
	struct sm_db db;
	int bad = store_open(&db, "busy") != SM_OK;
	(void)i;
	for (int round = 0; round < 3 && !bad; round++) {
		bad = sm_db_begin(&db) || sm_prekeys_make(mine, 10, &db, key, NOW, &sm_rand_system) || sm_db_commit(&db);
		bad = bad || mine[9].id != mine[0].id + 9;
	}
	sm_db_close(&db);
	return bad;
}

int main(void)
{
	struct sm_db db = {0}, busy = {0};
	size_t n = 0;
	if (!store_begin(&db))
		return 1;
	test_asked(&db);
	test_one_time(&db);
	test_damage(&db);
	test_signed(&db);
	test_sweep(&db);
	sm_db_close(&db);
	ok(!store_processes(8, make_some) && !store_open(&busy, "busy") && !sm_prekeys_unsent(got, 300, &n, &busy, key) && n == 240 &&
	           got[239].id == 240,
	   "eight processes at once");
	sm_db_close(&busy);
	return tap_done();
}
