/* Sessions in the store: which one is sent on, five for a peer, skipped keys apart, other identities' and damaged rows, sixteen processes
 * on one session, and ten thousand of them. */
#include "session.h"
#include "store.h"
#include "tap.h"

#include "base/time.h"
#include "store/sessions.h"

static struct device alice, bob;

static struct sm_pair start(void)
{
	struct sm_pair p;
	MUST(sm_pair_start(&p, &alice.id, &alice.end, &bob.bundle, &sm_rand_system));
	return p;
}

static bool is(const struct sm_pair *a, const struct sm_pair *b) { return !memcmp(a->eka, b->eka, 32) && !memcmp(a->peer, b->peer, 32); }

static bool latest_is(struct sm_db *db, const struct sm_pair *p)
{
	struct sm_pair got;
	if (sm_pair_latest(&got, db, key, bob.end.pk))
		return false;
	bool same = is(&got, p);
	sm_pair_release(&got);
	return same;
}

static enum sm_err put(struct sm_db *db, const struct sm_pair *p, bool received)
{
	return sm_pair_put(db, key, p, received, &sm_rand_system);
}

static size_t count(struct sm_db *db, const uint8_t *k)
{
	struct sm_pair all[SM_PAIR_MAX];
	size_t n = 99;
	if (sm_pair_all(all, &n, db, k, bob.end.pk))
		return 99;
	for (size_t i = 0; i < n; i++)
		sm_pair_release(&all[i]);
	return n;
}

static void test_one(struct sm_db *db)
{
	struct sm_pair p = start(), got = {0};
	struct sm_stanza s;
	uint8_t file_key[32] = {3};
	bool there = true;
	ok(sm_pair_latest(&got, db, key, bob.end.pk) == SM_ERR_NOTFOUND && !sm_pair_exists(&there, db, key, bob.end.pk) && !there &&
	           !count(db, key),
	   "there is none");
	ok(!put(db, &p, false) && !sm_pair_exists(&there, db, key, bob.end.pk) && there && latest_is(db, &p) && count(db, key) == 1, "one");
	ok(!sm_pair_exists(&there, db, other_key, bob.end.pk) && !there &&
	           sm_pair_latest(&got, db, other_key, bob.end.pk) == SM_ERR_NOTFOUND && !count(db, other_key) &&
	           !sm_pair_exists(&there, db, key, alice.end.pk) && !there,
	   "not for another identity, nor with another peer");
	ok(!store_disk_has(db, p.ratchet.rk, 32) && !store_disk_has(db, p.ratchet.cks, 32) && !store_disk_has(db, p.ratchet.dhs_sk, 32),
	   "sealed");
	MUST(sm_pair_seal(&p, &s, 1, file_key, &sm_rand_system));
	free(s.body);
	ok(!put(db, &p, false) && !sm_pair_latest(&got, db, key, bob.end.pk) && got.ratchet.ns == 1 &&
	           !memcmp(got.ratchet.cks, p.ratchet.cks, 32) && got.initiator && got.adlen == p.adlen && !memcmp(got.ad, p.ad, p.adlen) &&
	           count(db, key) == 1,
	   "one step on, in its place");
	sm_pair_release(&got);
	ok(!sm_pair_drop(db, bob.end.pk) && !sm_pair_exists(&there, db, key, bob.end.pk) && !there, "dropped");
	sm_pair_release(&p);
}

static void test_order(struct sm_db *db)
{
	struct sm_pair p[7], all[SM_PAIR_MAX];
	size_t n = 0;
	for (int i = 0; i < 7; i++)
		p[i] = start();
	ok(!put(db, &p[0], false) && !put(db, &p[1], false) && latest_is(db, &p[1]), "where nothing was received the newest is sent on");
	ok(!put(db, &p[0], false) && latest_is(db, &p[1]), "sending does not change that");
	ok(!put(db, &p[0], true) && latest_is(db, &p[0]), "but receiving does");
	ok(!put(db, &p[2], false) && latest_is(db, &p[0]) && !put(db, &p[1], true) && latest_is(db, &p[1]),
	   "what was received on last comes first");
	ok(!put(db, &p[3], true) && !put(db, &p[4], false) && count(db, key) == 5, "five of them");
	ok(!sm_pair_all(all, &n, db, key, bob.end.pk) && n == 5 && is(&all[0], &p[3]) && is(&all[1], &p[1]) && is(&all[2], &p[0]) &&
	           is(&all[3], &p[4]) && is(&all[4], &p[2]),
	   "all, the last received first");
	for (size_t i = 0; i < n; i++)
		sm_pair_release(&all[i]);
	ok(!put(db, &p[5], false) && count(db, key) == 5 && !sm_pair_all(all, &n, db, key, bob.end.pk) && is(&all[3], &p[5]) &&
	           is(&all[4], &p[4]),
	   "a sixth: the oldest of those that were never received on goes, not the new one");
	for (size_t i = 0; i < n; i++)
		sm_pair_release(&all[i]);
	ok(!put(db, &p[4], true) && !put(db, &p[5], true) && !put(db, &p[6], false) && !sm_pair_all(all, &n, db, key, bob.end.pk) &&
	           n == 5 && is(&all[0], &p[5]) && is(&all[3], &p[1]) && is(&all[4], &p[6]),
	   "else the one that was least recently received on");
	for (size_t i = 0; i < n; i++)
		sm_pair_release(&all[i]);
	MUST(sm_pair_put(db, other_key, &p[0], true, &sm_rand_system));
	ok(count(db, key) == 4 && !put(db, &p[2], false) && count(db, key) == 5 && latest_is(db, &p[5]),
	   "one of another identity goes before any of this one");
	ok(store_run(db, "UPDATE pair SET sealed = x'0102' WHERE received = (SELECT max(received) FROM pair)") && latest_is(db, &p[4]) &&
	           count(db, key) == 4,
	   "a damaged one is not there");
	ok(store_run(db, "UPDATE pair SET sealed = (SELECT sealed FROM pair WHERE length(sealed) > 9 ORDER BY received LIMIT 1)") &&
	           count(db, key) == 1,
	   "nor one in another's place");
	ok(!sm_pair_drop(db, bob.end.pk) && !count(db, key), "all dropped at once");
	for (int i = 0; i < 7; i++)
		sm_pair_release(&p[i]);
}

static bool skip_some(struct sm_pair *p, unsigned n)
{
	struct sm_skipped *v = calloc(n, sizeof(*v));
	if (!v)
		return false;
	for (unsigned i = 0; i < n; i++)
		v[i] = (struct sm_skipped){.n = i, .mk = {7, 7, 7, 7, 7, 7, 7, 7}, .at = NOW};
	sm_skipped_release(&p->skipped);
	p->skipped = (struct sm_skipped_list){.v = v, .n = n, .cap = n, .changed = true};
	return true;
}

static size_t skipped(struct sm_db *db)
{
	struct sm_pair all[SM_PAIR_MAX];
	size_t n = 0, got = 9999;
	if (!sm_pair_all(all, &n, db, key, bob.end.pk) && n == 1)
		got = all[0].skipped.n;
	for (size_t i = 0; i < n; i++)
		sm_pair_release(&all[i]);
	return got;
}

static void test_skipped(struct sm_db *db)
{
	static const uint8_t mk[8] = {7, 7, 7, 7, 7, 7, 7, 7};
	struct sm_pair p = start();
	MUST(put(db, &p, true));
	ok(skip_some(&p, SM_SKIPPED_MAX) && !put(db, &p, true) && skipped(db) == SM_SKIPPED_MAX, "2,000 skipped keys");
	ok(!store_disk_has(db, mk, 8), "sealed");
	p.skipped.changed = false;
	p.skipped.n = 5;
	ok(!put(db, &p, true) && skipped(db) == SM_SKIPPED_MAX, "what has not changed is not written");
	p.skipped.changed = true;
	ok(!put(db, &p, true) && skipped(db) == 5, "what has changed is");
	ok(store_run(db, "UPDATE pair_skipped SET sealed = x'00'") && skipped(db) == 0, "damaged ones are none, and the session goes on");
	ok(!put(db, &p, true) && skipped(db) == 5 && store_number(db, "SELECT count(*) FROM pair_skipped") == 1, "written again");
	p.skipped.n = 0;
	ok(!put(db, &p, true) && skipped(db) == 0 && store_number(db, "SELECT count(*) FROM pair_skipped") == 0, "none left");
	p.skipped.n = 5;
	ok(!put(db, &p, true) && !sm_pair_drop(db, bob.end.pk) && store_number(db, "SELECT count(*) FROM pair_skipped") == 0,
	   "they go with their session");
	sm_pair_release(&p);
}

/* --- Sixteen processes send on one session --- */

#define SENDERS 16
#define EACH 25

static struct sm_stanza (*mail)[EACH]; /* shared memory is not needed: each writes its stanzas to a file of its own */

static bool save(int i, const struct sm_stanza *s, int n)
{
	char name[32];
	snprintf(name, sizeof(name), "out.%d", i);
	FILE *f = fopen(scratch(name), n ? "a" : "w");
	bool good = f && s->bodylen == 80 && fwrite(s, sizeof(*s), 1, f) == 1 && fwrite(s->body, 80, 1, f) == 1;
	return f && !fclose(f) && good;
}

static int send_some(int i)
{
	struct sm_db db;
	struct sm_pair p;
	struct sm_stanza s;
	uint8_t file_key[32] = {(uint8_t)i};
	int bad = store_open(&db, "busy") != SM_OK;
	for (int n = 0; n < EACH && !bad; n++) {
		bad = sm_db_begin(&db) || sm_pair_latest(&p, &db, key, bob.end.pk) || sm_pair_seal(&p, &s, 1, file_key, &sm_rand_system);
		bad = bad || sm_pair_put(&db, key, &p, false, &sm_rand_system) || sm_db_commit(&db) || !save(i, &s, n);
	}
	sm_db_close(&db);
	return bad;
}

static bool load(int i)
{
	char name[32];
	snprintf(name, sizeof(name), "out.%d", i);
	FILE *f = fopen(scratch(name), "r");
	bool good = f != NULL;
	for (int n = 0; n < EACH && good; n++) {
		struct sm_stanza *s = &mail[i][n];
		good = fread(s, sizeof(*s), 1, f) == 1 && (s->body = malloc(80)) && fread(s->body, 80, 1, f) == 1;
	}
	if (f)
		(void)fclose(f);
	return good;
}

/* Sixteen processes receive on one session, too: each all of the mail, and only one of them is to open each. */
static int receive_all(int me)
{
	struct sm_db db;
	int opened = 0, bad = store_open(&db, "bob") != SM_OK;
	for (int n = 0; n < EACH && !bad; n++)
		for (int i = 0; i < SENDERS && !bad; i++) {
			struct sm_pair all[SM_PAIR_MAX];
			size_t count_of = 0;
			uint8_t file_key[32];
			const struct sm_stanza *s = &mail[(i + me) % SENDERS][n];
			bad = sm_db_begin(&db) || sm_pair_all(all, &count_of, &db, key, alice.end.pk) || count_of != 1;
			if (bad)
				break;
			enum sm_err e = sm_pair_open(&all[0], file_key, s, NOW, &sm_rand_system);
			bad = e ? e != SM_ERR_STANZA
			        : file_key[0] != (i + me) % SENDERS || sm_pair_put(&db, key, &all[0], true, &sm_rand_system);
			opened += !e;
			sm_pair_release(&all[0]);
			if (e)
				sm_db_rollback(&db);
			else
				bad = bad || sm_db_commit(&db);
		}
	sm_db_close(&db);
	char name[32];
	snprintf(name, sizeof(name), "in.%d", me);
	FILE *f = fopen(scratch(name), "w");
	bad = bad || !f || fprintf(f, "%d\n", opened) < 0;
	return (f && fclose(f)) || bad;
}

static int opened_by(int me)
{
	char name[32];
	int n = -1000000;
	snprintf(name, sizeof(name), "in.%d", me);
	FILE *f = fopen(scratch(name), "r");
	if (f && fscanf(f, "%d", &n) != 1)
		n = -1000000;
	if (f)
		(void)fclose(f);
	return n;
}

static void seed_processes(void)
{
	struct sm_db db;
	struct sm_pair a = start(), b;
	struct sm_stanza s;
	uint8_t file_key[32] = {0};
	MUST(sm_pair_seal(&a, &s, 1, file_key, &sm_rand_system));
	MUST(sm_pair_accept(&b, &bob.id, &bob.end, &alice.end, &s, bob.spk_sk, bob.opk_sk) ||
	     sm_pair_open(&b, file_key, &s, NOW, &sm_rand_system));
	free(s.body);
	MUST(store_open(&db, "busy") || put(&db, &a, false));
	sm_db_close(&db);
	MUST(store_open(&db, "bob") || put(&db, &b, true));
	sm_db_close(&db);
	sm_pair_release(&a);
	sm_pair_release(&b);
}

static void test_processes(void)
{
	static bool there[SENDERS * EACH + 1];
	int wrong = 0, opened = 0;
	mail = calloc(SENDERS, sizeof(*mail));
	MUST(!mail);
	seed_processes();
	ok(!store_processes(SENDERS, send_some), "%d processes send %d messages each on one session", SENDERS, EACH);
	for (int i = 0; i < SENDERS; i++)
		wrong += !load(i);
	for (int i = 0; i < SENDERS && !wrong; i++)
		for (int n = 0; n < EACH; n++) {
			uint32_t at = sm_get_be32(mail[i][n].ratchet.header + 36);
			wrong += at > SENDERS * EACH || there[at];
			if (at <= SENDERS * EACH)
				there[at] = true;
		}
	for (int at = 1; at <= SENDERS * EACH; at++)
		wrong += !there[at];
	ok(!wrong, "each number is used once, and none is left out");
	ok(!store_processes(4, receive_all), "four processes read all of them at once");
	for (int i = 0; i < 4; i++)
		opened += opened_by(i);
	ok(opened == SENDERS * EACH, "each is opened, by one of them (%d of %d)", opened, SENDERS * EACH);
	for (int i = 0; i < SENDERS; i++)
		for (int n = 0; n < EACH; n++)
			free(mail[i][n].body);
	free(mail);
}

static void test_many(void)
{
	struct sm_db db;
	struct sm_pair p = start(), got;
	int bad = store_open(&db, "many") || sm_db_begin(&db);
	for (uint32_t i = 0; i < 10000 && !bad; i++) {
		sm_put_be32(p.peer, i);
		bad = put(&db, &p, i & 1) != SM_OK;
	}
	ok(!bad && !sm_db_commit(&db), "ten thousand sessions");
	int64_t from = sm_time_mono_ms();
	for (uint32_t i = 0; i < 1000 && !bad; i++) {
		sm_put_be32(p.peer, i * 10);
		bad = sm_pair_latest(&got, &db, key, p.peer) != SM_OK;
		if (!bad)
			sm_pair_release(&got);
	}
	int64_t took = sm_time_mono_ms() - from;
	ok(!bad && took < 3000, "each is found at once (%lld ms for a thousand)", (long long)took);
	ok(!store_scans(&db, "SELECT eka, sealed FROM pair WHERE peer = x'00' ORDER BY received DESC, made DESC") &&
	           !store_scans(&db, "SELECT 1 FROM first_seen WHERE peer = x'00' AND eka = x'00'"),
	   "by an index");
	ok(store_scans(&db, "SELECT n FROM pair WHERE sealed = x'00'"), "as other columns are not");
	sm_db_close(&db);
	sm_pair_release(&p);
}

int main(void)
{
	struct sm_db db = {0};
	if (!store_begin(&db))
		return 1;
	device_init(&alice, "alice@x", 1, &sm_rand_system);
	device_init(&bob, "bob@x", 1, &sm_rand_system);
	test_one(&db);
	test_order(&db);
	test_skipped(&db);
	sm_db_close(&db);
	test_processes();
	test_many();
	device_release(&alice);
	device_release(&bob);
	return tap_done();
}
