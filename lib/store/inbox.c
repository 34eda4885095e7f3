/* Rows of the inbox. A message is the same when account, seq and the hash of its bytes are: a server that was set up anew may begin its
 * numbers again without a message being taken for an old one. */
#include "store/inbox.h"

#include "base/secret.h"
#include "crypto/hash.h"
#include "store/inbox_meta.h"
#include "store/sql.h"

#include <string.h>

#define NUMBERS_MAX ((size_t)64 << 20)

enum sm_err sm_inbox_has(bool *here, struct sm_db *db, const struct sm_inbox_new *m)
{
	uint8_t hash[SM_HASH_LEN];
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT 1 FROM inbox WHERE account = ?1 AND seq = ?2 AND hash = ?3");
	sm_sha256(hash, m->envelope.p, m->envelope.n);
	sm_sql_text(q, 1, m->account);
	sm_sql_int(q, 2, (int64_t)m->seq);
	sm_sql_blob(q, 3, hash, sizeof(hash));
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	sm_sql_done(q);
	if (e == SM_OK)
		*here = row;
	return e;
}

/* Those that nobody sees count downwards, so that they leave no gaps. */
#define COLUMNS "(n, account, seq, hash, received, state, meta, envelope, ref, waits)"
static const char insert_shown[] = "INSERT OR IGNORE INTO inbox " COLUMNS " VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
static const char insert_hidden[] = "INSERT OR IGNORE INTO inbox " COLUMNS " VALUES (min(0, ifnull((SELECT min(n) FROM inbox), 0)) - 1,"
                                    " ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

static enum sm_err insert(struct sm_db *db, const struct sm_inbox_new *m, const uint8_t hash[static SM_HASH_LEN], const struct sm_buf *meta,
                          int *added)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, m->hidden ? insert_hidden : insert_shown);
	sm_sql_text(q, 1, m->account);
	sm_sql_int(q, 2, (int64_t)m->seq);
	sm_sql_blob(q, 3, hash, SM_HASH_LEN);
	sm_sql_int(q, 4, m->received);
	sm_sql_int(q, 5, m->hidden ? SM_INBOX_REMOVED : SM_INBOX_NEW);
	sm_sql_blob(q, 6, m->hidden ? "" : (const void *)meta->data, m->hidden ? 0 : meta->len);
	sm_sql_blob(q, 7, m->hidden ? (const void *)"" : m->envelope.p, m->hidden ? 0 : m->envelope.n);
	if (m->has_ref)
		sm_sql_blob(q, 8, m->ref, sizeof(m->ref));
	sm_sql_int(q, 9, m->waits);
	return sm_sql_run(db, q, e, added);
}

enum sm_err sm_inbox_add(int64_t *n, struct sm_db *db, const uint8_t key[static 32], const struct sm_inbox_new *m,
                         const struct sm_rand *rand)
{
	uint8_t hash[SM_HASH_LEN];
	struct sm_buf meta;
	int added = 0;
	bool here = false;
	/* an insert that is ignored would use up a number */
	enum sm_err e = sm_inbox_has(&here, db, m);
	if (e == SM_OK && here)
		e = SM_ERR_EXISTS;
	if (e != SM_OK)
		return e;
	sm_buf_init(&meta, SM_INBOX_META_MAX);
	sm_sha256(hash, m->envelope.p, m->envelope.n);
	if (!m->hidden)
		e = sm_inbox_seal(&meta, m->meta, key, m->seq, hash, rand);
	if (e == SM_OK)
		e = insert(db, m, hash, &meta, &added);
	if (e == SM_OK && !added)
		e = SM_ERR_EXISTS;
	if (e == SM_OK)
		*n = sqlite3_last_insert_rowid(db->sqlite);
	sm_buf_release(&meta);
	return e;
}

/* A meta that does not open leaves the message in the list, with the reason in its place. */
static enum sm_err read_row(struct sm_inbox_row *row, struct sm_buf *envelope, sqlite3_stmt *q, const uint8_t key[static 32])
{
	struct sm_inbox_row r = {0};
	uint8_t hash[SM_HASH_LEN];
	struct sm_span meta;
	enum sm_err e = SM_OK;
	if (!sm_sql_get_exact(q, 4, hash, sizeof(hash)))
		return SM_ERR_FORMAT;
	r.n = sqlite3_column_int64(q, 0);
	r.seq = sqlite3_column_int64(q, 1);
	r.received = sqlite3_column_int64(q, 2);
	r.state = sqlite3_column_int(q, 3) == SM_INBOX_NEW ? SM_INBOX_NEW : SM_INBOX_READ;
	r.asked = sqlite3_column_int(q, 6) == 1;
	meta = (struct sm_span){sqlite3_column_blob(q, 5), (size_t)sqlite3_column_bytes(q, 5)};
	e = sm_inbox_unseal(&r.meta, meta, key, (uint64_t)r.seq, hash);
	if (e == SM_ERR_PASSPHRASE || e == SM_ERR_FORMAT) {
		r.meta.problem = e;
		e = SM_OK;
	}
	if (e == SM_OK && envelope)
		e = sm_buf_add(envelope, sqlite3_column_blob(q, 7), (size_t)sqlite3_column_bytes(q, 7));
	if (e == SM_OK)
		*row = r;
	sm_wipe(&r, sizeof(r));
	return e;
}

enum sm_err sm_inbox_get(struct sm_inbox_row *row, struct sm_buf *envelope, struct sm_db *db, const uint8_t key[static 32], int64_t n)
{
	sqlite3_stmt *q;
	bool found = false;
	enum sm_err e = sm_sql_prepare(
	        &q, db,
	        envelope ? "SELECT n, seq, received, state, hash, meta, waits, envelope FROM inbox WHERE n = ?1 AND state <> ?2"
	                 : "SELECT n, seq, received, state, hash, meta, waits FROM inbox WHERE n = ?1 AND state <> ?2");
	sm_sql_int(q, 1, n);
	sm_sql_int(q, 2, SM_INBOX_REMOVED);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &found);
	if (e == SM_OK)
		e = found ? read_row(row, envelope, q, key) : SM_ERR_NOTFOUND;
	sm_sql_done(q);
	return e;
}

static enum sm_err numbers(struct sm_buf *out, struct sm_db *db, bool all, int64_t above)
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               all ? "SELECT n FROM inbox WHERE state <> ?2 AND n > ?1 ORDER BY n"
	                                   : "SELECT n FROM inbox WHERE state = ?2 AND n > ?1 ORDER BY n");
	sm_sql_int(q, 1, above);
	sm_sql_int(q, 2, all ? SM_INBOX_REMOVED : SM_INBOX_NEW);
	while (e == SM_OK && (e = sm_sql_step(db, q, &row)) == SM_OK && row)
		e = sm_buf_add_be64(out, (uint64_t)sqlite3_column_int64(q, 0));
	sm_sql_done(q);
	return e;
}

/* The numbers first, then each row by itself: fn may write to a pipe that nobody reads for a while. */
enum sm_err sm_inbox_each(struct sm_db *db, const uint8_t key[static 32], bool all, int64_t above, sm_inbox_fn *fn, void *ctx)
{
	struct sm_inbox_row row;
	struct sm_buf list;
	struct sm_span left;
	uint64_t n;
	sm_buf_init(&list, NUMBERS_MAX);
	enum sm_err e = numbers(&list, db, all, above);
	left = (struct sm_span){list.data, list.len};
	while (e == SM_OK && sm_span_take_be64(&left, &n)) {
		e = sm_inbox_get(&row, NULL, db, key, (int64_t)n);
		if (e == SM_OK)
			e = fn(ctx, &row);
		else if (e == SM_ERR_NOTFOUND)
			e = SM_OK; /* deleted by another process meanwhile */
	}
	sm_wipe(&row, sizeof(row));
	sm_buf_release(&list);
	return e;
}

enum sm_err sm_inbox_mark(struct sm_db *db, int64_t n, enum sm_inbox_state state)
{
	sqlite3_stmt *q;
	int changes = 0;
	enum sm_err e = sm_sql_prepare(&q, db, "UPDATE inbox SET state = ?2 WHERE n = ?1 AND state <> ?3");
	sm_sql_int(q, 1, n);
	sm_sql_int(q, 2, state);
	sm_sql_int(q, 3, SM_INBOX_REMOVED);
	e = sm_sql_run(db, q, e, &changes);
	return e == SM_OK && !changes ? SM_ERR_NOTFOUND : e;
}

/* `received` of one that is removed is when that was: the server's word for when it came is not to decide how long it is remembered. */
static enum sm_err forget_old(struct sm_db *db, int64_t now)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "DELETE FROM inbox WHERE state = ?1 AND received < ?2");
	sm_sql_int(q, 1, SM_INBOX_REMOVED);
	sm_sql_int(q, 2, (now - SM_INBOX_TOMB_DAYS * 86400) * 1000);
	return sm_sql_run(db, q, e, NULL);
}

enum sm_err sm_inbox_remove(struct sm_db *db, int64_t n, int64_t now)
{
	sqlite3_stmt *q;
	int changes = 0;
	enum sm_err e =
	        sm_sql_prepare(&q, db,
	                       "UPDATE inbox SET state = ?2, meta = x'', envelope = x'', ref = CASE WHEN waits THEN NULL ELSE ref END,"
	                       " waits = 0, received = ?3 WHERE n = ?1 AND state <> ?2");
	sm_sql_int(q, 1, n);
	sm_sql_int(q, 2, SM_INBOX_REMOVED);
	sm_sql_int(q, 3, now * 1000);
	e = sm_sql_run(db, q, e, &changes);
	if (e == SM_OK && !changes)
		return SM_ERR_NOTFOUND;
	return e == SM_OK ? forget_old(db, now) : e;
}

static enum sm_err hash_of(uint8_t hash[static SM_HASH_LEN], struct sm_db *db, int64_t n)
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT hash FROM inbox WHERE n = ?1");
	sm_sql_int(q, 1, n);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && !row)
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK && !sm_sql_get_exact(q, 0, hash, SM_HASH_LEN))
		e = SM_ERR_FORMAT;
	sm_sql_done(q);
	return e;
}

enum sm_err sm_inbox_update(struct sm_db *db, const uint8_t key[static 32], const struct sm_inbox_row *row, const struct sm_rand *rand)
{
	uint8_t hash[SM_HASH_LEN];
	struct sm_buf meta;
	sqlite3_stmt *q = NULL;
	sm_buf_init(&meta, SM_INBOX_META_MAX);
	enum sm_err e = hash_of(hash, db, row->n);
	if (e == SM_OK)
		e = sm_inbox_seal(&meta, &row->meta, key, (uint64_t)row->seq, hash, rand);
	if (e == SM_OK)
		e = sm_sql_prepare(&q, db, "UPDATE inbox SET meta = ?2, waits = CASE WHEN ?3 THEN 0 ELSE waits END WHERE n = ?1");
	sm_sql_int(q, 1, row->n);
	sm_sql_blob(q, 2, meta.data, meta.len);
	sm_sql_int(q, 3, row->meta.problem == SM_OK);
	e = sm_sql_run(db, q, e, NULL);
	sm_buf_release(&meta);
	return e;
}

static enum sm_err one_number(int64_t *out, struct sm_db *db, const char *sql)
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, sql);
	sm_sql_int(q, 1, SM_INBOX_NEW); /* where there is a parameter, it is this */
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && row)
		*out = sqlite3_column_int64(q, 0);
	sm_sql_done(q);
	return e;
}

enum sm_err sm_inbox_last(int64_t *n, struct sm_db *db) { return one_number(n, db, "SELECT coalesce(max(n), 0) FROM inbox"); }

enum sm_err sm_inbox_count_new(int64_t *count, struct sm_db *db)
{
	return one_number(count, db, "SELECT count(*) FROM inbox WHERE state = ?1");
}
