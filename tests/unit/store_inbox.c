/* The sealed inbox: numbers, duplicates, states, another identity, and several processes at once. */
#include "base/secret.h"
#include "store/inbox.h"
#include "store/sql.h"

#include "scratch.h"
#include "tap.h"

#include <sys/stat.h>
#include <sys/wait.h>

static const uint8_t key[32] = {1}, other_key[32] = {2};

static struct sm_inbox_new make(const struct sm_inbox_meta *meta, uint64_t seq, const char *bytes)
{
	return (struct sm_inbox_new){.account = "alice@x",
	                             .seq = seq,
	                             .received = 1700000000000 + (int64_t)seq,
	                             .envelope = {(const uint8_t *)bytes, strlen(bytes)},
	                             .meta = meta};
}

static struct sm_inbox_meta sample(void)
{
	struct sm_inbox_meta m = {
	        .proof = SM_INBOX_PROVEN, .date = 1700000000, .size = 12345, .subject = "h\xc3\xa9", .name = "a.txt", .type = "text/plain"};
	if (sm_address_parse(&m.from.address, "bob@x", 5) != SM_OK)
		m.problem = SM_ERR_BUG;
	m.from.has_fp = true;
	memset(m.from.fp, 3, sizeof(m.from.fp));
	memset(m.file_key, 4, sizeof(m.file_key));
	memcpy(m.id, "aaaaaaaaaaaaaaaaaaaaaaaaaa", 27);
	return m;
}

static bool same(const struct sm_inbox_meta *a, const struct sm_inbox_meta *b)
{
	return a->problem == b->problem && a->proof == b->proof && a->date == b->date && a->size == b->size &&
	       !strcmp(a->subject, b->subject) && !strcmp(a->name, b->name) && !strcmp(a->type, b->type) && !strcmp(a->id, b->id) &&
	       !memcmp(a->file_key, b->file_key, 32) && !strcmp(a->from.address.text, b->from.address.text) &&
	       a->from.has_fp == b->from.has_fp && !memcmp(a->from.fp, b->from.fp, 32);
}

static enum sm_err count_row(void *ctx, const struct sm_inbox_row *row)
{
	(void)row;
	++*(int *)ctx;
	return SM_OK;
}

static int count(struct sm_db *db, bool all, int64_t above)
{
	int n = 0;
	return sm_inbox_each(db, key, all, above, count_row, &n) == SM_OK ? n : -1;
}

static bool disk_has(const char *needle)
{
	static char bytes[1 << 20];
	FILE *f = fopen(scratch("data/sm.db"), "r");
	size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
	if (f)
		(void)fclose(f);
	return memmem(bytes, n, needle, strlen(needle)) != NULL;
}

static void test_rows(struct sm_db *db)
{
	struct sm_inbox_meta meta = sample();
	struct sm_inbox_new m = make(&meta, 5, "envelope one"), again = m, altered = make(&meta, 5, "envelope two");
	struct sm_inbox_row row;
	struct sm_buf envelope;
	int64_t a = 0, b = 0, c = 0;
	bool here = true;
	sm_buf_init(&envelope, 1024);
	ok(sm_inbox_has(&here, db, &m) == SM_OK && !here, "not here yet");
	ok(sm_inbox_add(&a, db, key, &m, &sm_rand_system) == SM_OK && a == 1, "the first message is number 1");
	ok(sm_inbox_has(&here, db, &m) == SM_OK && here, "here now");
	ok(sm_inbox_add(&b, db, key, &again, &sm_rand_system) == SM_ERR_EXISTS, "not twice");
	ok(sm_inbox_add(&b, db, key, &altered, &sm_rand_system) == SM_OK && b == 2, "other bytes under the same seq are another message");
	ok(sm_inbox_get(&row, &envelope, db, key, a) == SM_OK && same(&row.meta, &meta) && row.seq == 5 && row.state == SM_INBOX_NEW &&
	           row.received == 1700000000005 && envelope.len == 12 && !memcmp(envelope.data, "envelope one", 12),
	   "read back whole");
	ok(!disk_has("h\xc3\xa9") && !disk_has("a.txt") && disk_has("envelope one"), "what was sealed is not on disk in the clear");
	ok(sm_inbox_get(&row, NULL, db, other_key, a) == SM_OK && row.meta.problem == SM_ERR_PASSPHRASE && !*row.meta.subject,
	   "under another identity it is listed, but not readable");
	ok(sm_inbox_mark(db, a, SM_INBOX_READ) == SM_OK && count(db, false, 0) == 1 && count(db, true, 0) == 2, "read ones are not new");
	meta.proof = SM_INBOX_CHANGED;
	row = (struct sm_inbox_row){.n = b, .seq = 5, .meta = meta};
	ok(sm_inbox_update(db, key, &row, &sm_rand_system) == SM_OK && sm_inbox_get(&row, NULL, db, key, b) == SM_OK &&
	           row.meta.proof == SM_INBOX_CHANGED,
	   "sealed anew");
	ok(sm_inbox_remove(db, b, 1700000000) == SM_OK && sm_inbox_get(&row, NULL, db, key, b) == SM_ERR_NOTFOUND, "removed");
	ok(sm_inbox_remove(db, b, 1700000000) == SM_ERR_NOTFOUND && sm_inbox_mark(db, b, SM_INBOX_NEW) == SM_ERR_NOTFOUND, "and gone");
	ok(sm_inbox_add(&c, db, key, &altered, &sm_rand_system) == SM_ERR_EXISTS, "what was removed does not come back");
	m = make(&meta, 6, "three");
	ok(sm_inbox_add(&c, db, key, &m, &sm_rand_system) == SM_OK && c == 3, "numbers are not given twice");
	ok(count(db, true, a) == 1 && sm_inbox_last(&c, db) == SM_OK && c == 3, "above a number");
	ok(sm_inbox_count_new(&c, db) == SM_OK && c == 1, "one is new");
	sm_buf_release(&envelope);
}

/* What a message that does not open is kept with. */
static void test_problems(struct sm_db *db)
{
	static const enum sm_err problems[] = {SM_ERR_ARMOR,      SM_ERR_HEADER,     SM_ERR_SUITE,   SM_ERR_STANZA,
	                                       SM_ERR_PASSPHRASE, SM_ERR_COMMITMENT, SM_ERR_PAYLOAD, SM_ERR_SIGNATURE,
	                                       SM_ERR_POLICY,     SM_ERR_FORMAT,     SM_ERR_LIMIT};
	struct sm_inbox_meta meta = {0};
	struct sm_inbox_new m = make(&meta, 1000, "broken");
	struct sm_inbox_row row;
	int64_t n;
	for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++) {
		meta.problem = problems[i];
		m.seq++;
		ok(sm_inbox_add(&n, db, key, &m, &sm_rand_system) == SM_OK && sm_inbox_get(&row, NULL, db, key, n) == SM_OK &&
		           row.meta.problem == problems[i],
		   "kept: %s", sm_err_text(problems[i]));
	}
	meta.problem = SM_ERR_BUG;
	m.seq++;
	ok(sm_inbox_add(&n, db, key, &m, &sm_rand_system) == SM_ERR_BUG, "what is no envelope's fault is never kept");
}

static void test_tamper(struct sm_db *db)
{
	struct sm_inbox_row row;
	ok(sqlite3_exec(db->sqlite, "UPDATE inbox SET seq = seq + 100 WHERE n = 1", NULL, NULL, NULL) == SQLITE_OK &&
	           sm_inbox_get(&row, NULL, db, key, 1) == SM_OK && row.meta.problem == SM_ERR_PASSPHRASE,
	   "a meta moved to another place does not open");
}

/* Eight processes store the same messages; each must be there once. */
static void test_processes(void)
{
	enum { PROCESSES = 8, MESSAGES = 20 };
	struct sm_db db = {0};
	int failed = 0, status;
	for (int p = 0; p < PROCESSES; p++) {
		if (fork())
			continue;
		struct sm_inbox_meta meta = sample();
		int bad = sm_db_open(&db, "busy") != SM_OK;
		for (uint64_t i = 0; i < MESSAGES && !bad; i++) {
			struct sm_inbox_new m = make(&meta, i, "same");
			int64_t n;
			bad = sm_db_begin(&db) != SM_OK;
			enum sm_err e = bad ? SM_ERR_BUSY : sm_inbox_add(&n, &db, key, &m, &sm_rand_system);
			bad = bad || (e != SM_OK && e != SM_ERR_EXISTS) || sm_db_commit(&db) != SM_OK;
		}
		sm_db_close(&db);
		_exit(bad);
	}
	for (int p = 0; p < PROCESSES; p++)
		failed += wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	ok(!failed, "%d processes at once", PROCESSES);
	ok(sm_db_open(&db, "busy") == SM_OK && count(&db, true, 0) == MESSAGES, "none lost, none twice");
	sm_db_close(&db);
}

int main(void)
{
	struct sm_db db = {0};
	if (!scratch_make() || chmod(scratch_dir, 0700) || setenv("SM_HOME", scratch_dir, 1) || sm_secret_harden() != SM_OK)
		return 1;
	ok(sm_db_open(&db, NULL) == SM_OK, "opens");
	test_rows(&db);
	test_problems(&db);
	test_tamper(&db);
	sm_db_close(&db);
	test_processes();
	return tap_done();
}
