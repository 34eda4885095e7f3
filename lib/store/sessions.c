/* Sessions as rows: the state is rewritten with every message, the skipped keys only when they change. */
#include "store/sessions.h"

#include "base/secret.h"
#include "store/sealed.h"
#include "store/sql.h"

#include <string.h>

#define PACKED_MAX 4096
#define AAD_LEN (5 + SM_PK_LEN + 32)
#define SKIPPED_MAX (SM_SKIPPED_PACKED(SM_SKIPPED_MAX) + SM_SEALED_OVERHEAD)

/* The table's name in five bytes | peer | eka */
static struct sm_span make_aad(uint8_t aad[static AAD_LEN], bool skipped, const uint8_t peer[static SM_PK_LEN],
                               const uint8_t eka[static 32])
{
	memcpy(aad, skipped ? "skip" : "pair", 5);
	memcpy(aad + 5, peer, SM_PK_LEN);
	memcpy(aad + 5 + SM_PK_LEN, eka, 32);
	return (struct sm_span){aad, AAD_LEN};
}

/* SM_ERR_PASSPHRASE for a row that counts as not there. */
static enum sm_err read_state(struct sm_pair *p, sqlite3_stmt *q, const uint8_t key[static 32], const uint8_t peer[static SM_PK_LEN])
{
	uint8_t eka[32], aad[AAD_LEN];
	struct sm_pair r = {0};
	struct sm_buf row;
	if (!sm_sql_get_exact(q, 0, eka, sizeof(eka)))
		return SM_ERR_PASSPHRASE;
	sm_buf_init(&row, PACKED_MAX);
	enum sm_err e = sm_sealed_get(&row, key, SM_SEALED_SESSIONS, make_aad(aad, false, peer, eka), sm_sql_get_blob(q, 1));
	if (e == SM_OK)
		e = sm_pair_unpack(&r, row.data, row.len);
	if (e == SM_OK && (memcmp(r.peer, peer, SM_PK_LEN) != 0 || memcmp(r.eka, eka, sizeof(eka)) != 0)) {
		sm_pair_release(&r);
		e = SM_ERR_FORMAT;
	}
	if (e == SM_OK)
		*p = r;
	sm_wipe(&r, sizeof(r));
	sm_buf_release(&row);
	return e == SM_ERR_FORMAT || e == SM_ERR_LIMIT ? SM_ERR_PASSPHRASE : e;
}

/* Keys that cannot be read are keys that were not skipped: the session itself goes on. */
static enum sm_err read_skipped(struct sm_pair *p, sqlite3_stmt *q, const uint8_t key[static 32])
{
	uint8_t aad[AAD_LEN];
	struct sm_buf row;
	if (sqlite3_column_type(q, 2) == SQLITE_NULL)
		return SM_OK;
	sm_buf_init(&row, SKIPPED_MAX);
	enum sm_err e = sm_sealed_get(&row, key, SM_SEALED_SESSIONS, make_aad(aad, true, p->peer, p->eka), sm_sql_get_blob(q, 2));
	if (e == SM_OK)
		e = sm_skipped_unpack(&p->skipped, row.data, row.len);
	sm_buf_release(&row);
	return e == SM_ERR_PASSPHRASE || e == SM_ERR_FORMAT || e == SM_ERR_LIMIT ? SM_OK : e;
}

enum sm_err sm_pair_latest(struct sm_pair *p, struct sm_db *db, const uint8_t key[static 32], const uint8_t peer[static SM_PK_LEN])
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err read = SM_ERR_NOTFOUND;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT eka, sealed FROM pair WHERE peer = ?1 ORDER BY received DESC, made DESC");
	sm_sql_blob(q, 1, peer, SM_PK_LEN);
	while (e == SM_OK && (e = sm_sql_step(db, q, &row)) == SM_OK && row && (read = read_state(p, q, key, peer)) == SM_ERR_PASSPHRASE)
		read = SM_ERR_NOTFOUND;
	sm_sql_done(q);
	return e == SM_OK ? read : e;
}

enum sm_err sm_pair_exists(bool *is, struct sm_db *db, const uint8_t key[static 32], const uint8_t peer[static SM_PK_LEN])
{
	struct sm_pair p;
	enum sm_err e = sm_pair_latest(&p, db, key, peer);
	if (e == SM_OK || e == SM_ERR_NOTFOUND)
		*is = e == SM_OK;
	if (e == SM_OK)
		sm_pair_release(&p);
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

enum sm_err sm_pair_all(struct sm_pair *p, size_t *n, struct sm_db *db, const uint8_t key[static 32], const uint8_t peer[static SM_PK_LEN])
{
	sqlite3_stmt *q;
	size_t got = 0;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               "SELECT pair.eka, pair.sealed, pair_skipped.sealed FROM pair LEFT JOIN pair_skipped USING (n) "
	                               "WHERE peer = ?1 ORDER BY received DESC, made DESC");
	sm_sql_blob(q, 1, peer, SM_PK_LEN);
	while (e == SM_OK && got < SM_PAIR_MAX && (e = sm_sql_step(db, q, &row)) == SM_OK && row) {
		e = read_state(&p[got], q, key, peer);
		if (e == SM_OK)
			e = read_skipped(&p[got++], q, key);
		else if (e == SM_ERR_PASSPHRASE)
			e = SM_OK;
	}
	sm_sql_done(q);
	if (e == SM_OK)
		*n = got;
	while (e != SM_OK && got)
		sm_pair_release(&p[--got]);
	return e;
}

static enum sm_err put_state(struct sm_db *db, const uint8_t key[static 32], const struct sm_pair *p, bool received,
                             const struct sm_rand *rand)
{
	uint8_t aad[AAD_LEN];
	struct sm_buf row, sealed;
	sqlite3_stmt *q = NULL;
	sm_buf_init(&row, PACKED_MAX - SM_SEALED_OVERHEAD);
	sm_buf_init(&sealed, PACKED_MAX);
	enum sm_err e = sm_pair_pack(&row, p);
	if (e == SM_OK)
		e = sm_sealed_put(&sealed, key, SM_SEALED_SESSIONS, make_aad(aad, false, p->peer, p->eka),
		                  (struct sm_span){row.data, row.len}, rand);
	if (e == SM_OK)
		e = sm_sql_prepare(&q, db,
		                   "WITH next (at) AS (SELECT coalesce(max(max(received, made)), 0) + 1 FROM pair WHERE peer = ?1) "
		                   "INSERT INTO pair (peer, eka, received, made, sealed) "
		                   "SELECT ?1, ?2, CASE WHEN ?3 THEN at ELSE 0 END, at, ?4 FROM next WHERE true "
		                   "ON CONFLICT (peer, eka) DO UPDATE SET sealed = ?4, received = max(received, excluded.received)");
	sm_sql_blob(q, 1, p->peer, SM_PK_LEN);
	sm_sql_blob(q, 2, p->eka, sizeof(p->eka));
	sm_sql_int(q, 3, received);
	sm_sql_blob(q, 4, sealed.data, sealed.len);
	e = sm_sql_run(db, q, e, NULL);
	sm_buf_release(&sealed);
	sm_buf_release(&row);
	return e;
}

static enum sm_err run_on(struct sm_db *db, const char *sql, const uint8_t peer[static SM_PK_LEN], const uint8_t eka[static 32],
                          const struct sm_buf *sealed)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, sql);
	sm_sql_blob(q, 1, peer, SM_PK_LEN);
	sm_sql_blob(q, 2, eka, 32);
	if (sealed)
		sm_sql_blob(q, 3, sealed->data, sealed->len);
	return sm_sql_run(db, q, e, NULL);
}

static enum sm_err put_skipped(struct sm_db *db, const uint8_t key[static 32], const struct sm_pair *p, const struct sm_rand *rand)
{
	uint8_t aad[AAD_LEN];
	struct sm_buf row, sealed;
	if (!p->skipped.n)
		return run_on(db, "DELETE FROM pair_skipped WHERE n = (SELECT n FROM pair WHERE peer = ?1 AND eka = ?2)", p->peer, p->eka,
		              NULL);
	sm_buf_init(&row, SKIPPED_MAX);
	sm_buf_init(&sealed, SKIPPED_MAX);
	enum sm_err e = sm_skipped_pack(&row, &p->skipped);
	if (e == SM_OK)
		e = sm_sealed_put(&sealed, key, SM_SEALED_SESSIONS, make_aad(aad, true, p->peer, p->eka),
		                  (struct sm_span){row.data, row.len}, rand);
	if (e == SM_OK)
		e = run_on(db, "INSERT OR REPLACE INTO pair_skipped (n, sealed) SELECT n, ?3 FROM pair WHERE peer = ?1 AND eka = ?2",
		           p->peer, p->eka, &sealed);
	sm_buf_release(&sealed);
	sm_buf_release(&row);
	return e;
}

static enum sm_err count_of(int *n, struct sm_db *db, const uint8_t peer[static SM_PK_LEN])
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT count(*) FROM pair WHERE peer = ?1");
	sm_sql_blob(q, 1, peer, SM_PK_LEN);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK)
		*n = row ? sqlite3_column_int(q, 0) : 0;
	sm_sql_done(q);
	return e;
}

/* The row that goes when there is one too many: the first that does not open, else simply the first. */
static enum sm_err victim(int64_t *n, struct sm_db *db, const uint8_t key[static 32], const struct sm_pair *keep)
{
	struct sm_pair p;
	sqlite3_stmt *q;
	bool row = false, any = false, opens = true;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT eka, sealed, n FROM pair WHERE peer = ?1 AND eka <> ?2 ORDER BY received, made");
	sm_sql_blob(q, 1, keep->peer, SM_PK_LEN);
	sm_sql_blob(q, 2, keep->eka, sizeof(keep->eka));
	while (e == SM_OK && opens && (e = sm_sql_step(db, q, &row)) == SM_OK && row) {
		e = read_state(&p, q, key, keep->peer);
		opens = e == SM_OK;
		if (opens)
			sm_pair_release(&p);
		else if (e == SM_ERR_PASSPHRASE)
			e = SM_OK;
		if (!any || !opens)
			*n = sqlite3_column_int64(q, 2);
		any = true;
	}
	sm_sql_done(q);
	return e;
}

static enum sm_err evict(struct sm_db *db, const uint8_t key[static 32], const struct sm_pair *keep)
{
	sqlite3_stmt *q;
	int count = 0;
	int64_t n = 0;
	enum sm_err e = count_of(&count, db, keep->peer);
	if (e != SM_OK || count <= SM_PAIR_MAX)
		return e;
	e = victim(&n, db, key, keep);
	if (e != SM_OK)
		return e;
	e = sm_sql_prepare(&q, db, "DELETE FROM pair WHERE n = ?1");
	sm_sql_int(q, 1, n);
	return sm_sql_run(db, q, e, NULL);
}

enum sm_err sm_pair_put(struct sm_db *db, const uint8_t key[static 32], const struct sm_pair *p, bool received, const struct sm_rand *rand)
{
	enum sm_err e = put_state(db, key, p, received, rand);
	if (e == SM_OK && p->skipped.changed)
		e = put_skipped(db, key, p, rand);
	return e == SM_OK ? evict(db, key, p) : e;
}

enum sm_err sm_pair_drop(struct sm_db *db, const uint8_t peer[static SM_PK_LEN])
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "DELETE FROM pair WHERE peer = ?1");
	sm_sql_blob(q, 1, peer, SM_PK_LEN);
	return sm_sql_run(db, q, e, NULL);
}

enum sm_err sm_first_seen(bool *seen, struct sm_db *db, const uint8_t peer[static SM_PK_LEN], const uint8_t eka[static 32])
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT 1 FROM first_seen WHERE peer = ?1 AND eka = ?2");
	sm_sql_blob(q, 1, peer, SM_PK_LEN);
	sm_sql_blob(q, 2, eka, 32);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	sm_sql_done(q);
	if (e == SM_OK)
		*seen = row;
	return e;
}

enum sm_err sm_first_remember(struct sm_db *db, const uint8_t peer[static SM_PK_LEN], const uint8_t eka[static 32], uint32_t spk,
                              int64_t now)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "INSERT OR IGNORE INTO first_seen (peer, eka, spk, at) VALUES (?1, ?2, ?3, ?4)");
	sm_sql_blob(q, 1, peer, SM_PK_LEN);
	sm_sql_blob(q, 2, eka, 32);
	sm_sql_int(q, 3, spk);
	sm_sql_int(q, 4, now);
	return sm_sql_run(db, q, e, NULL);
}
