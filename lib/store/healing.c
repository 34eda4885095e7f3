/* Columns ref and waits of the inbox, the table of what is wanted, and that of who could read what was sent to a group. All are small:
 * indexes hold only the rows that matter. */
#include "store/healing.h"

#include "base/secret.h"
#include "crypto/hash.h"
#include "store/sql.h"

#include <string.h>

#define WAITING_MAX 1024

void sm_inbox_ref(uint8_t ref[static SM_INBOX_REF_LEN], const char *address, const char *id)
{
	char text[SM_ADDRESS_MAX + 1 + SM_ID_LEN + 1];
	uint8_t hash[SM_HASH_LEN];
	size_t n = strlen(address);
	memcpy(text, address, n + 1);
	memcpy(text + n + 1, id, SM_ID_LEN);
	sm_sha256(hash, text, n + 1 + SM_ID_LEN);
	memcpy(ref, hash, SM_INBOX_REF_LEN);
}

enum sm_err sm_inbox_taken(bool *taken, struct sm_db *db, const uint8_t ref[static SM_INBOX_REF_LEN], struct sm_span envelope)
{
	uint8_t hash[SM_HASH_LEN];
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               "SELECT 1 FROM inbox WHERE ref = ?1 AND waits = 0 UNION ALL "
	                               "SELECT 1 FROM inbox WHERE hash = ?2");
	sm_sha256(hash, envelope.p, envelope.n);
	sm_sql_blob(q, 1, ref, SM_INBOX_REF_LEN);
	sm_sql_blob(q, 2, hash, sizeof(hash));
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	sm_sql_done(q);
	if (e == SM_OK)
		*taken = row;
	return e;
}

enum sm_err sm_inbox_supersede(bool *any, struct sm_db *db, const uint8_t ref[static SM_INBOX_REF_LEN], int64_t n, int64_t now)
{
	sqlite3_stmt *q;
	int changes = 0;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               "UPDATE inbox SET state = ?3, meta = x'', envelope = x'', waits = 0, received = ?4 "
	                               "WHERE ref = ?1 AND waits > 0 AND n <> ?2");
	sm_sql_blob(q, 1, ref, SM_INBOX_REF_LEN);
	sm_sql_int(q, 2, n);
	sm_sql_int(q, 3, SM_INBOX_REMOVED);
	sm_sql_int(q, 4, now * 1000);
	e = sm_sql_run(db, q, e, &changes);
	if (e == SM_OK && any)
		*any = changes > 0;
	return e;
}

static enum sm_err opened_number(int64_t *n, struct sm_db *db, const uint8_t *ref)
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT n FROM inbox WHERE ref = ?1 AND waits = 0 AND state <> ?2");
	sm_sql_blob(q, 1, ref, SM_INBOX_REF_LEN);
	sm_sql_int(q, 2, SM_INBOX_REMOVED);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && row)
		*n = sqlite3_column_int64(q, 0);
	sm_sql_done(q);
	return e == SM_OK && !row ? SM_ERR_NOTFOUND : e;
}

enum sm_err sm_inbox_file_key(uint8_t file_key[static SM_FILE_KEY], struct sm_db *db, const uint8_t key[static 32],
                              const uint8_t ref[static SM_INBOX_REF_LEN])
{
	struct sm_inbox_row row = {0};
	int64_t n = 0;
	enum sm_err e = opened_number(&n, db, ref);
	if (e == SM_OK)
		e = sm_inbox_get(&row, NULL, db, key, n);
	if (e == SM_OK && row.meta.problem != SM_OK)
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK)
		memcpy(file_key, row.meta.file_key, SM_FILE_KEY);
	sm_wipe(&row, sizeof(row));
	return e;
}

/* The numbers first: fn may change the rows. */
enum sm_err sm_inbox_waiting(struct sm_db *db, const uint8_t key[static 32], size_t max, sm_inbox_fn *fn, void *ctx)
{
	int64_t number[WAITING_MAX];
	struct sm_inbox_row r;
	size_t n = 0;
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT n FROM inbox WHERE waits = 1 ORDER BY n LIMIT ?1");
	sm_sql_int(q, 1, (int64_t)(max < WAITING_MAX ? max : WAITING_MAX));
	while (e == SM_OK && (e = sm_sql_step(db, q, &row)) == SM_OK && row)
		number[n++] = sqlite3_column_int64(q, 0);
	sm_sql_done(q);
	for (size_t i = 0; e == SM_OK && i < n; i++) {
		e = sm_inbox_get(&r, NULL, db, key, number[i]);
		if (e == SM_OK)
			e = fn(ctx, &r);
		else if (e == SM_ERR_NOTFOUND)
			e = SM_OK;
	}
	return e;
}

enum sm_err sm_inbox_wait(struct sm_db *db, int64_t n, bool waits)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "UPDATE inbox SET waits = ?2 WHERE n = ?1 AND waits > 0");
	sm_sql_int(q, 1, n);
	sm_sql_int(q, 2, waits ? 1 : 2);
	return sm_sql_run(db, q, e, NULL);
}

/* --- What others want --- */

enum sm_err sm_wanted_add(struct sm_db *db, const struct sm_wanted *w, int64_t now)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               "INSERT OR IGNORE INTO wanted (address, fp, id, key, at) SELECT ?1, ?2, ?3, ?4, ?5 "
	                               "WHERE (SELECT count(*) FROM wanted WHERE fp = ?2) < ?6");
	sm_sql_text(q, 1, w->address);
	sm_sql_blob(q, 2, w->fp, SM_FP_LEN);
	sm_sql_text(q, 3, w->id);
	sm_sql_text(q, 4, w->key);
	sm_sql_int(q, 5, now);
	sm_sql_int(q, 6, SM_WANTED_MAX);
	return sm_sql_run(db, q, e, NULL);
}

static bool read_wanted(struct sm_wanted *w, sqlite3_stmt *q)
{
	w->n = sqlite3_column_int64(q, 0);
	return sm_sql_get_text(q, 1, w->address, sizeof(w->address)) && sm_sql_get_exact(q, 2, w->fp, SM_FP_LEN) &&
	       sm_sql_get_text(q, 3, w->id, sizeof(w->id)) && sm_sql_get_text(q, 4, w->key, sizeof(w->key));
}

enum sm_err sm_wanted_next(struct sm_wanted *w, struct sm_db *db, int64_t above)
{
	struct sm_wanted r = {0};
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT n, address, fp, id, key FROM wanted WHERE n > ?1 ORDER BY n LIMIT 1");
	sm_sql_int(q, 1, above);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && !row)
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK && !read_wanted(&r, q))
		e = SM_ERR_FORMAT;
	sm_sql_done(q);
	if (e == SM_OK)
		*w = r;
	return e;
}

enum sm_err sm_wanted_drop(struct sm_db *db, int64_t n)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "DELETE FROM wanted WHERE n = ?1");
	sm_sql_int(q, 1, n);
	return sm_sql_run(db, q, e, NULL);
}

/* --- Who could read it --- */

enum sm_err sm_chain_read_by(bool *is, struct sm_db *db, const char *chain, const uint8_t fp[static SM_FP_LEN], int64_t outbox_n)
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT 1 FROM chain_reader WHERE chain = ?1 AND fp = ?2 AND since < ?3");
	sm_sql_text(q, 1, chain);
	sm_sql_blob(q, 2, fp, SM_FP_LEN);
	sm_sql_int(q, 3, outbox_n);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	sm_sql_done(q);
	if (e == SM_OK)
		*is = row;
	return e;
}

enum sm_err sm_chain_left_out(struct sm_db *db, const char *chain, const uint8_t fp[static SM_FP_LEN])
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               "INSERT OR IGNORE INTO chain_reader (chain, fp, since) "
	                               "VALUES (?1, ?2, (SELECT ifnull(max(n), 0) FROM outbox))");
	sm_sql_text(q, 1, chain);
	sm_sql_blob(q, 2, fp, SM_FP_LEN);
	return sm_sql_run(db, q, e, NULL);
}
