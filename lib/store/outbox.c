/* The outbox: envelopes as they are to be transmitted, and what opens them again, sealed. */
#include "store/outbox.h"

#include "base/secret.h"
#include "store/sealed.h"
#include "store/sql.h"

#include <string.h>

#define SECONDS ((int64_t)SM_OUTBOX_DAYS * 86400)
#define ROW_LEN (SM_FILE_KEY + 32)
#define AAD_MAX 1024

/* "outbox" 0 | lp(account) | lp(key) */
static enum sm_err make_aad(struct sm_buf *aad, const char *account, const char *key)
{
	enum sm_err e = sm_buf_add(aad, "outbox", 7);
	if (e == SM_OK)
		e = sm_buf_add_lp(aad, account, strlen(account));
	return e == SM_OK ? sm_buf_add_lp(aad, key, strlen(key)) : e;
}

static enum sm_err seal_meta(struct sm_buf *out, const uint8_t key[static 32], const char *account, const struct sm_outbox_row *row,
                             const struct sm_rand *rand)
{
	uint8_t plain[ROW_LEN];
	struct sm_buf aad;
	sm_buf_init(&aad, AAD_MAX);
	enum sm_err e = make_aad(&aad, account, row->key);
	memcpy(plain, row->meta.file_key, SM_FILE_KEY);
	memcpy(plain + SM_FILE_KEY, row->meta.digest, 32);
	if (e == SM_OK)
		e = sm_sealed_put(out, key, SM_SEALED_SESSIONS, (struct sm_span){aad.data, aad.len}, (struct sm_span){plain, ROW_LEN},
		                  rand);
	sm_wipe(plain, sizeof(plain));
	sm_buf_release(&aad);
	return e;
}

/* SM_ERR_PASSPHRASE. */
static enum sm_err open_meta(struct sm_outbox_meta *m, const uint8_t key[static 32], const char *account, const char *idempotency,
                             struct sm_span sealed)
{
	struct sm_buf aad, plain;
	sm_buf_init(&aad, AAD_MAX);
	sm_buf_init(&plain, ROW_LEN);
	enum sm_err e = sealed.n == ROW_LEN + SM_SEALED_OVERHEAD ? make_aad(&aad, account, idempotency) : SM_ERR_PASSPHRASE;
	if (e == SM_OK)
		e = sm_sealed_get(&plain, key, SM_SEALED_SESSIONS, (struct sm_span){aad.data, aad.len}, sealed);
	if (e == SM_OK) {
		memcpy(m->file_key, plain.data, SM_FILE_KEY);
		memcpy(m->digest, plain.data + SM_FILE_KEY, 32);
	}
	sm_buf_release(&plain);
	sm_buf_release(&aad);
	return e;
}

#define COLUMNS "n, key, id, created, state, part, parent, query, sealed, envelope"

static enum sm_err read_row(struct sm_outbox_row *row, struct sm_buf *envelope, sqlite3_stmt *q, const uint8_t key[static 32],
                            const char *account)
{
	struct sm_outbox_row r = {.n = sqlite3_column_int64(q, 0), .created = sqlite3_column_int64(q, 3)};
	struct sm_span bytes;
	int part = sqlite3_column_int(q, 5);
	if (!sm_sql_get_text(q, 1, r.key, sizeof(r.key)) || !sm_sql_get_text(q, 2, r.id, sizeof(r.id)) || part < 0 || part > UINT8_MAX ||
	    !sm_sql_get_text(q, 6, r.parent, sizeof(r.parent)) || !sm_sql_get_text(q, 7, r.query, sizeof(r.query)))
		return SM_ERR_FORMAT;
	r.state = sqlite3_column_int(q, 4) == SM_OUTBOX_SENT ? SM_OUTBOX_SENT : SM_OUTBOX_PENDING;
	r.part = (uint8_t)part;
	enum sm_err e = open_meta(&r.meta, key, account, r.key, sm_sql_get_blob(q, 8));
	if (e == SM_OK && envelope) {
		bytes = sm_sql_get_blob(q, 9);
		e = sm_buf_add(envelope, bytes.p, bytes.n);
	}
	if (e == SM_OK)
		*row = r;
	sm_wipe(&r, sizeof(r));
	return e;
}

/* q gives one row or none. */
static enum sm_err one(struct sm_outbox_row *row, struct sm_buf *envelope, struct sm_db *db, sqlite3_stmt *q, const uint8_t key[static 32],
                       const char *account)
{
	bool found = false;
	enum sm_err e = sm_sql_step(db, q, &found);
	if (e == SM_OK)
		e = found ? read_row(row, envelope, q, key, account) : SM_ERR_NOTFOUND;
	sm_sql_done(q);
	return e;
}

enum sm_err sm_outbox_get(struct sm_outbox_row *row, struct sm_buf *envelope, struct sm_db *db, const uint8_t key[static 32],
                          const char *account, const char *idempotency)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT " COLUMNS " FROM outbox WHERE account = ?1 AND key = ?2");
	if (e != SM_OK)
		return e;
	sm_sql_text(q, 1, account);
	sm_sql_text(q, 2, idempotency);
	e = one(row, envelope, db, q, key, account);
	return e == SM_ERR_PASSPHRASE ? SM_ERR_NOTFOUND : e;
}

enum sm_err sm_outbox_by_id(struct sm_outbox_row *row, struct sm_buf *envelope, struct sm_db *db, const uint8_t key[static 32],
                            const char *account, const char *id)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(
	        &q, db, "SELECT " COLUMNS " FROM outbox WHERE id = ?2 AND account = ?1 AND state = ?3 ORDER BY n DESC LIMIT 1");
	if (e != SM_OK)
		return e;
	sm_sql_text(q, 1, account);
	sm_sql_text(q, 2, id);
	sm_sql_int(q, 3, SM_OUTBOX_SENT);
	e = one(row, envelope, db, q, key, account);
	return e == SM_ERR_PASSPHRASE ? SM_ERR_NOTFOUND : e;
}

/* A part that cannot be read must not be passed over: the message would go out without it. */
enum sm_err sm_outbox_part(struct sm_outbox_row *row, struct sm_buf *envelope, struct sm_db *db, const uint8_t key[static 32],
                           const char *account, const char *parent)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               "SELECT " COLUMNS " FROM outbox WHERE parent = ?2 AND part > 0 AND account = ?1 AND state = ?3 "
	                               "ORDER BY part, n LIMIT 1");
	if (e != SM_OK)
		return e;
	sm_sql_text(q, 1, account);
	sm_sql_text(q, 2, parent);
	sm_sql_int(q, 3, SM_OUTBOX_PENDING);
	e = one(row, envelope, db, q, key, account);
	return e == SM_ERR_PASSPHRASE ? SM_ERR_FORMAT : e;
}

static enum sm_err insert(struct sm_db *db, const char *account, const struct sm_outbox_row *row, struct sm_span envelope,
                          const struct sm_buf *sealed)
{
	sqlite3_stmt *q;
	enum sm_err e =
	        sm_sql_prepare(&q, db,
	                       "INSERT INTO outbox (account, key, id, created, state, part, parent, query, bytes, sealed, envelope) "
	                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
	sm_sql_text(q, 1, account);
	sm_sql_text(q, 2, row->key);
	sm_sql_text(q, 3, row->id);
	sm_sql_int(q, 4, row->created);
	sm_sql_int(q, 5, row->state);
	sm_sql_int(q, 6, row->part);
	sm_sql_text(q, 7, row->parent);
	sm_sql_text(q, 8, row->query);
	sm_sql_int(q, 9, (int64_t)envelope.n);
	sm_sql_blob(q, 10, sealed->data, sealed->len);
	sm_sql_blob(q, 11, envelope.p, envelope.n);
	return sm_sql_run(db, q, e, NULL);
}

/* A row that this identity cannot read is in nobody's way. */
static enum sm_err clear_key(struct sm_db *db, const uint8_t key[static 32], const char *account, const char *idempotency)
{
	struct sm_outbox_row old;
	enum sm_err e = sm_outbox_get(&old, NULL, db, key, account, idempotency);
	if (e == SM_OK) {
		sm_wipe(&old, sizeof(old));
		return SM_ERR_EXISTS;
	}
	return e == SM_ERR_NOTFOUND || e == SM_ERR_FORMAT ? sm_outbox_drop(db, account, idempotency) : e;
}

enum sm_err sm_outbox_add(struct sm_db *db, const uint8_t key[static 32], const char *account, const struct sm_outbox_row *row,
                          struct sm_span envelope, const struct sm_rand *rand)
{
	struct sm_buf sealed;
	enum sm_err e = clear_key(db, key, account, row->key);
	if (e != SM_OK)
		return e;
	sm_buf_init(&sealed, ROW_LEN + SM_SEALED_OVERHEAD);
	e = seal_meta(&sealed, key, account, row, rand);
	if (e == SM_OK)
		e = insert(db, account, row, envelope, &sealed);
	sm_buf_release(&sealed);
	return e;
}

/* One or two parameters: binding one that is not there does nothing. */
static enum sm_err run_with(struct sm_db *db, const char *sql, int64_t a, int64_t b)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, sql);
	sm_sql_int(q, 1, a);
	sm_sql_int(q, 2, b);
	return sm_sql_run(db, q, e, NULL);
}

enum sm_err sm_outbox_sent(struct sm_db *db, int64_t n)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "UPDATE outbox SET state = ?2 WHERE n = ?1");
	sm_sql_int(q, 1, n);
	sm_sql_int(q, 2, SM_OUTBOX_SENT);
	return sm_sql_run_soft(db, q, e);
}

enum sm_err sm_outbox_drop(struct sm_db *db, const char *account, const char *idempotency)
{
	static const char *const sql[] = {"DELETE FROM outbox WHERE account = ?1 AND key = ?2",
	                                  "DELETE FROM outbox WHERE parent = ?2 AND part > 0 AND account = ?1"};
	enum sm_err e = SM_OK;
	for (size_t i = 0; e == SM_OK && i < sizeof(sql) / sizeof(sql[0]); i++) {
		sqlite3_stmt *q;
		e = sm_sql_prepare(&q, db, sql[i]);
		sm_sql_text(q, 1, account);
		sm_sql_text(q, 2, idempotency);
		e = sm_sql_run(db, q, e, NULL);
	}
	return e;
}

/* The number of the newest sent row that is beyond the bounds; 0 for none. */
static enum sm_err first_beyond(int64_t *n, struct sm_db *db)
{
	sqlite3_stmt *q;
	bool row = false;
	uint64_t count = 0, bytes = 0;
	int64_t at = 0;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT n, bytes FROM outbox WHERE state = 1 ORDER BY n DESC");
	while (e == SM_OK && !at && (e = sm_sql_step(db, q, &row)) == SM_OK && row) {
		bytes += (uint64_t)sqlite3_column_int64(q, 1);
		if (++count > SM_OUTBOX_KEEP || bytes > SM_OUTBOX_BYTES)
			at = sqlite3_column_int64(q, 0);
	}
	sm_sql_done(q);
	if (e == SM_OK)
		*n = at;
	return e;
}

enum sm_err sm_outbox_sweep(struct sm_db *db, int64_t now)
{
	int64_t n = 0;
	enum sm_err e = run_with(db, "DELETE FROM outbox WHERE created < ?1", now - SECONDS, 0);
	if (e == SM_OK)
		e = first_beyond(&n, db);
	return e == SM_OK && n ? run_with(db, "DELETE FROM outbox WHERE state = 1 AND n <= ?1", n, 0) : e;
}

static enum sm_err heal_sweep(struct sm_db *db, int64_t now) { return run_with(db, "DELETE FROM heal WHERE at < ?1", now - SECONDS, 0); }

enum sm_err sm_heal_count(struct sm_db *db, bool asked, const uint8_t device_fp[static SM_FP_LEN], const char *id, unsigned max,
                          int64_t now)
{
	sqlite3_stmt *q;
	int changes = 0;
	enum sm_err e = max ? heal_sweep(db, now) : SM_ERR_LIMIT;
	if (e != SM_OK)
		return e;
	e = sm_sql_prepare(&q, db,
	                   "INSERT INTO heal (asked, fp, id, count, at) SELECT ?1, ?2, ?3, 1, ?5 "
	                   "WHERE (SELECT count(*) FROM heal WHERE asked = ?1 AND fp = ?2 AND id <> ?3) < ?6 "
	                   "ON CONFLICT (asked, fp, id) DO UPDATE SET count = count + 1, at = ?5 WHERE count < ?4");
	sm_sql_int(q, 1, asked);
	sm_sql_blob(q, 2, device_fp, SM_FP_LEN);
	sm_sql_text(q, 3, id);
	sm_sql_int(q, 4, max);
	sm_sql_int(q, 5, now);
	sm_sql_int(q, 6, SM_OUTBOX_KEEP);
	e = sm_sql_run(db, q, e, &changes);
	return e == SM_OK && !changes ? SM_ERR_LIMIT : e;
}
