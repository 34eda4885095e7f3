/* Messages that did not open: known by whose they are, waiting, replaced; and what others want. */
#include "base/secret.h"
#include "store/healing.h"
#include "store/invitations.h"
#include "store/outbox.h"
#include "store/sql.h"

#include "scratch.h"
#include "tap.h"

#include <sys/stat.h>

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbb"
#define NOW 1700000000

static const uint8_t key[32] = {1}, other_key[32] = {2};

static struct sm_inbox_meta meta_of(enum sm_err problem)
{
	struct sm_inbox_meta m = {.problem = problem, .date = 1700000000, .has_user = true, .group = ID_A, .original = ID_B};
	m.why = problem == SM_OK ? SM_INBOX_WHY_NONE : SM_INBOX_WHY_SESSION;
	memset(m.user, 5, sizeof(m.user));
	memset(m.file_key, 6, sizeof(m.file_key));
	memcpy(m.id, ID_A, sizeof(m.id));
	return m;
}

static int64_t add(struct sm_db *db, uint64_t seq, const char *bytes, enum sm_err problem, const char *id, int waits, bool hidden)
{
	struct sm_inbox_meta m = meta_of(problem);
	struct sm_inbox_new row = {.account = "bob@x",
	                           .seq = seq,
	                           .received = 1700000000000,
	                           .envelope = {(const uint8_t *)bytes, strlen(bytes)},
	                           .meta = &m,
	                           .hidden = hidden,
	                           .has_ref = id != NULL,
	                           .waits = (uint8_t)waits};
	int64_t n = 0;
	if (id)
		sm_inbox_ref(row.ref, "alice@x", id);
	return sm_inbox_add(&n, db, key, &row, &sm_rand_system) == SM_OK ? n : 0;
}

static bool taken(struct sm_db *db, const char *address, const char *id, const char *bytes)
{
	uint8_t ref[SM_INBOX_REF_LEN];
	bool is = false;
	sm_inbox_ref(ref, address, id);
	return sm_inbox_taken(&is, db, ref, (struct sm_span){(const uint8_t *)bytes, strlen(bytes)}) == SM_OK && is;
}

static enum sm_err note(void *ctx, const struct sm_inbox_row *row)
{
	int64_t *sum = ctx;
	*sum = *sum * 10 + row->n;
	return SM_OK;
}

static int64_t waiting(struct sm_db *db, size_t max)
{
	int64_t sum = 0;
	return sm_inbox_waiting(db, key, max, note, &sum) == SM_OK ? sum : -1;
}

static void test_fields(struct sm_db *db)
{
	struct sm_inbox_row row;
	int64_t n = add(db, 1, "one", SM_ERR_STANZA, ID_A, 1, false);
	ok(n == 1 && sm_inbox_get(&row, NULL, db, key, n) == SM_OK, "stored");
	ok(row.meta.why == SM_INBOX_WHY_SESSION && row.meta.has_user && row.meta.user[31] == 5 && !strcmp(row.meta.group, ID_A) &&
	           !strcmp(row.meta.original, ID_B),
	   "with everything that sessions add");
	row.meta.has_user = false;
	row.meta.why = SM_INBOX_WHY_UNSIGNED;
	ok(sm_inbox_update(db, key, &row, &sm_rand_system) == SM_OK && sm_inbox_get(&row, NULL, db, key, n) == SM_OK &&
	           !row.meta.has_user && row.meta.why == SM_INBOX_WHY_UNSIGNED,
	   "and without");
}

static void test_hidden(struct sm_db *db)
{
	struct sm_inbox_row row;
	int64_t n = add(db, 2, "control", SM_OK, ID_B, 0, true);
	ok(n < 0, "what nobody sees takes no number");
	ok(add(db, 2, "control", SM_OK, ID_B, 0, true) == 0, "and is here all the same");
	ok(add(db, 3, "control 2", SM_OK, NULL, 0, true) == n - 1, "as is the next");
	ok(sm_inbox_get(&row, NULL, db, key, n) == SM_ERR_NOTFOUND, "it cannot be read");
	ok(add(db, 4, "four", SM_OK, NULL, 0, false) == 2, "the next message has the next number");
	ok(taken(db, "alice@x", ID_B, "other"), "its ref is taken");
}

static void test_waiting(struct sm_db *db)
{
	uint8_t ref[SM_INBOX_REF_LEN], file_key[SM_FILE_KEY];
	bool any = true;
	sm_inbox_ref(ref, "alice@x", ID_A);
	ok(!taken(db, "alice@x", ID_A, "other"), "what did not open is not taken by other bytes");
	ok(taken(db, "alice@x", ID_A, "one"), "but by the same");
	ok(!taken(db, "mallory@x", ID_A, "other") && !taken(db, "alice@", "x" ID_A, "other"), "whose it is counts");
	ok(waiting(db, 10) == 1, "it waits");
	ok(add(db, 5, "five", SM_ERR_STANZA, "cccccccccccccccccccccccccc", 1, false) == 3 && waiting(db, 10) == 13 && waiting(db, 1) == 1,
	   "with others, oldest first, so many at most");
	ok(sm_inbox_wait(db, 3, false) == SM_OK && waiting(db, 10) == 1, "one is not asked for any more");
	ok(sm_inbox_wait(db, 3, true) == SM_OK && waiting(db, 10) == 13, "one is again");
	ok(sm_inbox_wait(db, 2, true) == SM_OK && waiting(db, 10) == 13, "what has opened never is");
	ok(sm_inbox_file_key(file_key, db, key, ref) == SM_ERR_NOTFOUND, "there is no key for it");
	ok(sm_inbox_supersede(&any, db, ref, 1, NOW) == SM_OK && !any && waiting(db, 10) == 13, "its own content replaces nothing");
	ok(sm_inbox_supersede(&any, db, ref, 0, NOW) == SM_OK && any && waiting(db, 10) == 3, "its content is here: it goes");
	ok(taken(db, "alice@x", ID_A, "other"), "and is taken from now on");
	ok(sm_inbox_supersede(&any, db, ref, 0, NOW) == SM_OK && !any, "once");
	ok(sm_inbox_remove(db, 3, 1700000000) == SM_OK && waiting(db, 10) == 0 && !taken(db, "alice@x", "cccccccccccccccccccccccccc", "x"),
	   "what is deleted unread may still come");
}

static void test_keys(struct sm_db *db)
{
	uint8_t ref[SM_INBOX_REF_LEN], file_key[SM_FILE_KEY] = {0};
	const char *id = "dddddddddddddddddddddddddd";
	int64_t n = add(db, 6, "six", SM_OK, id, 0, false);
	sm_inbox_ref(ref, "alice@x", id);
	ok(sm_inbox_file_key(file_key, db, key, ref) == SM_OK && file_key[31] == 6, "the key of what opened");
	ok(sm_inbox_file_key(file_key, db, other_key, ref) == SM_ERR_NOTFOUND, "is only this identity's");
	ok(sm_inbox_remove(db, n, 1700000000) == SM_OK && sm_inbox_file_key(file_key, db, key, ref) == SM_ERR_NOTFOUND &&
	           taken(db, "alice@x", id, "x"),
	   "deleted: the key is gone, and that it was here is known");
}

static void test_wanted(struct sm_db *db)
{
	struct sm_wanted a = {.address = "alice@x", .id = ID_A, .key = "k1"}, b = a, got = {0};
	b.fp[0] = 1;
	ok(sm_wanted_next(&got, db, 0) == SM_ERR_NOTFOUND, "nothing is wanted");
	ok(sm_wanted_add(db, &a, 1) == SM_OK && sm_wanted_add(db, &b, 1) == SM_OK, "two devices want the same");
	memcpy(a.key, "k2", 3);
	ok(sm_wanted_add(db, &a, 2) == SM_OK && sm_wanted_next(&got, db, 0) == SM_OK && !strcmp(got.key, "k1") && !strcmp(got.id, ID_A) &&
	           !strcmp(got.address, "alice@x"),
	   "asking again changes nothing");
	ok(sm_wanted_next(&got, db, got.n) == SM_OK && got.fp[0] == 1 && sm_wanted_drop(db, got.n) == SM_OK &&
	           sm_wanted_next(&got, db, got.n) == SM_ERR_NOTFOUND,
	   "the other one, and no more");
}

/* What is remembered of a message that was removed does not depend on when the server says that it came. */
static void test_memory(struct sm_db *db)
{
	struct sm_inbox_meta m = meta_of(SM_OK);
	struct sm_inbox_new row = {.account = "bob@x", .seq = 100, .received = 1, .envelope = {(const uint8_t *)"old", 3}, .meta = &m};
	int64_t n = 0, other = 0;
	ok(!taken(db, "mallory@x", ID_A, "old"), "never seen");
	ok(sm_inbox_add(&n, db, key, &row, &sm_rand_system) == SM_OK && taken(db, "mallory@x", ID_A, "old"),
	   "its bytes are known, without a ref too");
	ok(sm_inbox_remove(db, n, NOW) == SM_OK && taken(db, "mallory@x", ID_A, "old"), "and when it is removed");
	row.envelope.p = (const uint8_t *)"two", row.seq = 101;
	ok(sm_inbox_add(&other, db, key, &row, &sm_rand_system) == SM_OK &&
	           sm_inbox_remove(db, other, NOW + (int64_t)86400 * (SM_INBOX_TOMB_DAYS - 1)) == SM_OK &&
	           taken(db, "mallory@x", ID_A, "old"),
	   "for days, counted from the removal");
	row.envelope.p = (const uint8_t *)"six", row.seq = 102;
	ok(sm_inbox_add(&other, db, key, &row, &sm_rand_system) == SM_OK &&
	           sm_inbox_remove(db, other, NOW + (int64_t)86400 * (SM_INBOX_TOMB_DAYS + 1)) == SM_OK &&
	           !taken(db, "mallory@x", ID_A, "old"),
	   "and no longer");
}

static void test_wanted_max(struct sm_db *db)
{
	struct sm_wanted w = {.address = "mallory@x", .key = "k", .fp = {9}}, got = {0};
	bool fine = true;
	int count = 0;
	for (int i = 0; fine && i < SM_WANTED_MAX + 20; i++) {
		memset(w.id, 'a' + i % 26, SM_ID_LEN);
		w.id[0] = (char)('a' + i / 26);
		fine = sm_wanted_add(db, &w, 1) == SM_OK;
	}
	while (fine && sm_wanted_next(&got, db, got.n) == SM_OK)
		count += got.fp[0] == 9;
	ok(fine && count == SM_WANTED_MAX, "one device may want so many");
}

static int64_t send_one(struct sm_db *db, const char *idempotency)
{
	struct sm_outbox_row row = {.created = NOW, .id = ID_A};
	(void)snprintf(row.key, sizeof(row.key), "%s", idempotency);
	if (sm_outbox_add(db, key, "bob@x", &row, (struct sm_span){(const uint8_t *)"e", 1}, &sm_rand_system) != SM_OK)
		return 0;
	return sm_outbox_get(&row, NULL, db, key, "bob@x", idempotency) == SM_OK ? row.n : 0;
}

static bool read_by(struct sm_db *db, const char *chain, uint8_t who, int64_t n)
{
	uint8_t fp[SM_FP_LEN] = {who};
	bool is = false;
	return sm_chain_read_by(&is, db, chain, fp, n) == SM_OK && is;
}

static struct sm_sender_chain chain_of(const char *id)
{
	struct sm_sender_chain c = {.created = NOW};
	memcpy(c.group, ID_A, sizeof(c.group));
	memcpy(c.id, id, sizeof(c.id));
	if (sm_address_parse(&c.sender.address, "bob@x", 5) != SM_OK)
		abort();
	return c;
}

static void test_readers(struct sm_db *db)
{
	struct sm_sender_chain old = chain_of(ID_A), fresh = chain_of(ID_B);
	uint8_t first[SM_FP_LEN] = {1}, late[SM_FP_LEN] = {2}, absent[SM_FP_LEN] = {3};
	int64_t before = send_one(db, "before"), one = 0, two = 0;
	ok(sm_chain_own_put(db, key, &old, &sm_rand_system) == SM_OK && sm_chain_give(db, ID_A, first) == SM_OK &&
	           sm_chain_left_out(db, ID_A, absent) == SM_OK && (one = send_one(db, "one")) > 0,
	   "a chain, of which two know");
	ok(sm_chain_give(db, ID_A, late) == SM_OK && sm_chain_give(db, ID_A, absent) == SM_OK && (two = send_one(db, "two")) > one,
	   "and a third, later");
	ok(before > 0 && read_by(db, ID_A, 1, one) && read_by(db, ID_A, 1, two) && !read_by(db, ID_A, 1, before),
	   "the first reads all of it");
	ok(!read_by(db, ID_A, 2, one) && read_by(db, ID_A, 2, two), "the late one what came after");
	ok(read_by(db, ID_A, 3, one) && read_by(db, ID_A, 3, two), "the one that was left out all, although it was given the chain late");
	ok(!read_by(db, ID_A, 4, two) && !read_by(db, ID_B, 1, two), "nobody else, and no other chain");
	ok(sm_chain_own_put(db, key, &fresh, &sm_rand_system) == SM_OK && read_by(db, ID_A, 1, one) && !read_by(db, ID_B, 1, two),
	   "known still when another chain has taken its place");
	ok(sqlite3_exec(db->sqlite, "UPDATE chain_reader SET until = until - 15 * 86400 WHERE until > 0", NULL, NULL, NULL) == SQLITE_OK &&
	           sm_chain_own_put(db, key, &old, &sm_rand_system) == SM_OK && !read_by(db, ID_A, 1, one),
	   "until the outbox has forgotten what was sent");
}

static bool invite(struct sm_db *db, char c, const char *teller)
{
	struct sm_group g = {.state = SM_GROUP_INVITED, .expect = 1};
	memset(g.id, c, SM_ID_LEN);
	(void)snprintf(g.teller, sizeof(g.teller), "%s", teller);
	return sm_group_put(db, &g) == SM_OK && sm_invitations_trim(db, teller) == SM_OK;
}

static bool invited(struct sm_db *db, char c)
{
	struct sm_group g;
	char id[SM_ID_LEN + 1] = "";
	memset(id, c, SM_ID_LEN);
	return sm_group_get(&g, db, id) == SM_OK && g.state == SM_GROUP_INVITED;
}

static void test_invitations(struct sm_db *db)
{
	bool fine = invite(db, 'z', "carol@x");
	int left = 0;
	for (char c = 'y'; c > 'e'; c--)
		fine = fine && invite(db, c, "mallory@x");
	for (char c = 'y'; c > 'e'; c--)
		left += invited(db, c);
	ok(fine && left == SM_INVITATIONS_MAX && invited(db, 'f') && invited(db, 'm') && !invited(db, 'n'),
	   "of one teller the newest are kept");
	ok(invited(db, 'z'), "nobody else's are in the way");
}

int main(void)
{
	struct sm_db db = {0};
	if (!scratch_make() || chmod(scratch_dir, 0700) || setenv("SM_HOME", scratch_dir, 1) || sm_secret_harden() != SM_OK)
		return 1;
	ok(sm_db_open(&db, NULL) == SM_OK, "a database");
	test_fields(&db);
	test_hidden(&db);
	test_waiting(&db);
	test_keys(&db);
	test_wanted(&db);
	test_wanted_max(&db);
	test_memory(&db);
	test_readers(&db);
	test_invitations(&db);
	sm_db_close(&db);
	return tap_done();
}
