/* The outbox: once under a key, parts in order, what is kept and for how long, other identities' and damaged rows, and how often a message
 * is asked for again. */
#include "store.h"
#include "tap.h"

#include "base/time.h"
#include "store/outbox.h"

#define DAY 86400
#define NOW 1790000000
#define ME "alice@x"

static struct sm_outbox_row make(const char *idempotency, char id)
{
	struct sm_outbox_row row = {.created = NOW};
	snprintf(row.key, sizeof(row.key), "%s", idempotency);
	memset(row.id, id, SM_ID_LEN);
	memset(row.meta.file_key, 0xa7, sizeof(row.meta.file_key));
	memset(row.meta.digest, 0xb8, sizeof(row.meta.digest));
	snprintf(row.query, sizeof(row.query), "self=no");
	return row;
}

static enum sm_err add(struct sm_db *db, const struct sm_outbox_row *row, const char *envelope)
{
	return sm_outbox_add(db, key, ME, row, (struct sm_span){(const uint8_t *)envelope, strlen(envelope)}, &sm_rand_system);
}

static enum sm_err get(struct sm_outbox_row *row, struct sm_db *db, const char *idempotency)
{
	return sm_outbox_get(row, NULL, db, key, ME, idempotency);
}

static enum sm_err sent(struct sm_db *db, int64_t n)
{
	enum sm_err e = sm_outbox_sent(db, n);
	return e || store_run(db, "PRAGMA synchronous = OFF") ? e : SM_ERR_BUG;
}

static void test_rows(struct sm_db *db)
{
	struct sm_outbox_row row = make("k1", 'a'), got = {0}, untouched = {0};
	struct sm_buf envelope;
	sm_buf_init(&envelope, 100);
	ok(get(&got, db, "k1") == SM_ERR_NOTFOUND && !memcmp(&got, &untouched, sizeof(got)), "empty");
	ok(!add(db, &row, "bytes one") && !sm_buf_adds(&envelope, ">") && !sm_outbox_get(&got, &envelope, db, key, ME, "k1") && got.n > 0 &&
	           !strcmp(got.id, row.id) && got.created == NOW && got.state == SM_OUTBOX_PENDING && !got.part && !*got.parent &&
	           !strcmp(got.query, "self=no") && !memcmp(&got.meta, &row.meta, sizeof(row.meta)) && envelope.len == 10 &&
	           !memcmp(envelope.data, ">bytes one", 10),
	   "added, and read back whole");
	ok(!store_disk_has(db, row.meta.file_key, 32) && !store_disk_has(db, row.meta.digest, 32), "its keys sealed");
	ok(add(db, &row, "bytes two") == SM_ERR_EXISTS, "once under a key");
	ok(!sm_outbox_add(db, key, "bob@x", &row, (struct sm_span){0}, &sm_rand_system), "but for each account");
	ok(sm_outbox_get(&got, NULL, db, other_key, ME, "k1") == SM_ERR_NOTFOUND, "another identity does not see it");
	ok(sm_outbox_by_id(&got, NULL, db, key, ME, row.id) == SM_ERR_NOTFOUND, "by its id only once it is sent");
	ok(!get(&got, db, "k1") && !sent(db, got.n) && !get(&got, db, "k1") && got.state == SM_OUTBOX_SENT, "sent");
	sm_buf_clear(&envelope);
	ok(!sm_outbox_by_id(&got, &envelope, db, key, ME, row.id) && !strcmp(got.key, "k1") && envelope.len == 9 &&
	           sm_outbox_by_id(&got, NULL, db, key, "bob@x", row.id) == SM_ERR_NOTFOUND &&
	           sm_outbox_by_id(&got, NULL, db, other_key, ME, row.id) == SM_ERR_NOTFOUND,
	   "by its id now, for its account and identity");
	ok(!sm_outbox_drop(db, ME, "k1") && get(&got, db, "k1") == SM_ERR_NOTFOUND && !sm_outbox_get(&got, NULL, db, key, "bob@x", "k1"),
	   "dropped, and no other");
	sm_buf_release(&envelope);
}

static void test_others(struct sm_db *db)
{
	struct sm_outbox_row row = make("k2", 'b'), got;
	ok(!sm_outbox_add(db, other_key, ME, &row, (struct sm_span){0}, &sm_rand_system) && !add(db, &row, "mine") && !get(&got, db, "k2"),
	   "what another identity left makes place");
	ok(store_run(db, "UPDATE outbox SET sealed = x'00' WHERE key = 'k2'") && get(&got, db, "k2") == SM_ERR_NOTFOUND &&
	           !add(db, &row, "again") && !get(&got, db, "k2"),
	   "and so does a damaged row");
	row = make("k3", 'c');
	ok(!add(db, &row, "x") &&
	           store_run(db, "UPDATE outbox SET sealed = (SELECT sealed FROM outbox WHERE key = 'k2') WHERE key = 'k3'") &&
	           get(&got, db, "k3") == SM_ERR_NOTFOUND,
	   "meta of another row does not open");
	ok(!sm_outbox_drop(db, ME, "k2") && !sm_outbox_drop(db, ME, "k3") && !sm_outbox_drop(db, "bob@x", "k1"), "all dropped");
}

static void test_parts(struct sm_db *db)
{
	struct sm_outbox_row main_row = make("m", 'm'), part = make("m.2", 'p'), got;
	snprintf(part.parent, sizeof(part.parent), "m");
	part.part = 2;
	bool added = !add(db, &main_row, "message") && !add(db, &part, "second");
	snprintf(part.key, sizeof(part.key), "m.1");
	part.part = 1;
	ok(added && !add(db, &part, "first") && sm_outbox_part(&got, NULL, db, key, ME, "other") == SM_ERR_NOTFOUND &&
	           sm_outbox_part(&got, NULL, db, key, "bob@x", "m") == SM_ERR_NOTFOUND,
	   "a message with parts");
	ok(!sm_outbox_part(&got, NULL, db, key, ME, "m") && got.part == 1 && !strcmp(got.key, "m.1") && !strcmp(got.parent, "m"),
	   "the first");
	ok(!sent(db, got.n) && !sm_outbox_part(&got, NULL, db, key, ME, "m") && got.part == 2, "when it is sent, the next");
	ok(sm_outbox_part(&got, NULL, db, other_key, ME, "m") == SM_ERR_FORMAT, "one that cannot be read is not passed over");
	ok(!sent(db, got.n) && sm_outbox_part(&got, NULL, db, key, ME, "m") == SM_ERR_NOTFOUND, "then none");
	ok(!sm_outbox_drop(db, ME, "m") && store_number(db, "SELECT count(*) FROM outbox") == 0, "they are dropped with their message");
}

static void fill(struct sm_db *db, int n, int bytes, int64_t created, bool is_sent)
{
	static char envelope[1 << 20];
	char name[32];
	memset(envelope, 'e', sizeof(envelope));
	if (sm_db_begin(db))
		abort();
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%c%d.%lld", is_sent ? 's' : 'p', i, (long long)created);
		struct sm_outbox_row row = make(name, 'x');
		row.created = created;
		row.state = is_sent ? SM_OUTBOX_SENT : SM_OUTBOX_PENDING;
		if (sm_outbox_add(db, key, ME, &row, (struct sm_span){(const uint8_t *)envelope, (size_t)bytes}, &sm_rand_system))
			abort();
	}
	if (sm_db_commit(db))
		abort();
}

static int64_t rows(struct sm_db *db) { return store_number(db, "SELECT count(*) FROM outbox"); }

static void test_sweep(struct sm_db *db)
{
	struct sm_outbox_row got;
	fill(db, 300, 10, NOW, true);
	fill(db, 400, 10, NOW + 1, false);
	ok(!sm_outbox_sweep(db, NOW) && rows(db) == 256 + 400 && get(&got, db, "s43.1790000000") == SM_ERR_NOTFOUND &&
	           !get(&got, db, "s44.1790000000"),
	   "the newest 256 that were sent stay, and all that were not");
	ok(!sm_outbox_sweep(db, NOW + 14 * DAY) && rows(db) == 656 && !sm_outbox_sweep(db, NOW + 14 * DAY + 1) && rows(db) == 400 &&
	           !sm_outbox_sweep(db, NOW + 14 * DAY + 2) && rows(db) == 0,
	   "for 14 days");
	fill(db, 65, 1 << 20, NOW, true);
	ok(!sm_outbox_sweep(db, NOW) && rows(db) == 64 && get(&got, db, "s0.1790000000") == SM_ERR_NOTFOUND &&
	           !get(&got, db, "s1.1790000000"),
	   "and 64 MiB of them");
	ok(!sm_outbox_sweep(db, NOW) && rows(db) == 64, "sweeping again changes nothing");
	ok(store_run(db, "DELETE FROM outbox"), "none left");
}

static void test_heal(struct sm_db *db)
{
	uint8_t fp[32] = {1}, fp2[32] = {2};
	char id[SM_ID_LEN + 1] = "bbbbbbbbbbbbbbbbbbbbbbbbbb";
	int good = 0;
	ok(!sm_heal_count(db, true, fp, "a", 2, NOW) && !sm_heal_count(db, true, fp, "a", 2, NOW) &&
	           sm_heal_count(db, true, fp, "a", 2, NOW) == SM_ERR_LIMIT,
	   "twice, not three times");
	ok(!sm_heal_count(db, false, fp, "a", 1, NOW) && !sm_heal_count(db, true, fp2, "a", 1, NOW) &&
	           !sm_heal_count(db, true, fp, "b", 1, NOW) && sm_heal_count(db, true, fp, "b", 1, NOW) == SM_ERR_LIMIT &&
	           sm_heal_count(db, true, fp, "c", 0, NOW) == SM_ERR_LIMIT,
	   "each direction, device and message by itself");
	ok(sm_heal_count(db, true, fp, "a", 2, NOW + 14 * DAY) == SM_ERR_LIMIT &&
	           !sm_heal_count(db, true, fp, "a", 2, NOW + 14 * DAY + 1) && store_number(db, "SELECT count(*) FROM heal") == 1,
	   "forgotten after 14 days");
	for (int i = 0; i < 300; i++) {
		id[0] = (char)('a' + i / 26);
		id[1] = (char)('a' + i % 26);
		good += !sm_heal_count(db, true, fp2, id, 5, NOW + 14 * DAY);
	}
	ok(good == 256 && !sm_heal_count(db, true, fp2, "abbbbbbbbbbbbbbbbbbbbbbbbb", 5, NOW + 14 * DAY),
	   "and no more than 256 messages of a device");
}

/* Only one of them gets to send under a key. */
static int race(int i)
{
	struct sm_db db;
	struct sm_outbox_row row;
	char name[16];
	int won = 0, bad = store_open(&db, "busy") != SM_OK;
	for (int n = 0; n < 20 && !bad; n++) {
		snprintf(name, sizeof(name), "race%d", n);
		row = make(name, (char)('a' + i));
		bad = sm_db_begin(&db) != SM_OK;
		enum sm_err e = bad ? SM_ERR_BUSY : add(&db, &row, "x");
		won += !e;
		bad = bad || (e && e != SM_ERR_EXISTS) || sm_db_commit(&db);
	}
	sm_db_close(&db);
	snprintf(name, sizeof(name), "won.%d", i);
	FILE *f = fopen(scratch(name), "w");
	return bad || !f || fprintf(f, "%d", won) < 0 || fclose(f);
}

static void test_race(void)
{
	int failed = store_processes(8, race), won = 0, n = 0;
	for (int i = 0; i < 8; i++) {
		char name[16];
		snprintf(name, sizeof(name), "won.%d", i);
		FILE *f = fopen(scratch(name), "r");
		if (f && fscanf(f, "%d", &n) == 1)
			won += n;
		if (f)
			(void)fclose(f);
	}
	ok(!failed && won == 20, "eight processes under twenty keys: each is added once (%d)", won);
}

static void test_many(void)
{
	struct sm_db db;
	struct sm_outbox_row got;
	if (!ok(!store_open(&db, "many"), "another store"))
		return;
	fill(&db, 10000, 100, NOW, false);
	int64_t from = sm_time_mono_ms();
	int bad = 0;
	for (int i = 0; i < 1000; i++) {
		char name[32];
		snprintf(name, sizeof(name), "p%d.1790000000", i * 10);
		bad += get(&got, &db, name) || sm_outbox_sweep(&db, NOW) ||
		       sm_outbox_part(&got, NULL, &db, key, ME, name) != SM_ERR_NOTFOUND;
	}
	int64_t took = sm_time_mono_ms() - from;
	ok(!bad && took < 3000, "ten thousand rows: each is found at once, and a sweep is quick (%lld ms for a thousand)", (long long)took);
	sm_db_close(&db);
}

int main(void)
{
	struct sm_db db = {0};
	if (!store_begin(&db))
		return 1;
	test_rows(&db);
	test_others(&db);
	test_parts(&db);
	test_sweep(&db);
	test_heal(&db);
	sm_db_close(&db);
	test_race();
	test_many();
	return tap_done();
}
