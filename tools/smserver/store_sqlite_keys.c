/* Prekeys: one signed one for each device, and one-time prekeys that are handed out once, in the order of their ids. */
#include "store_sqlite.h"

#include "base/secret.h"

#include <string.h>

static enum sm_err get_spk(struct sm_db *db, int64_t device, struct sm_spk_row *k)
{
	sqlite3_stmt *st = sm_db_stmt(db, SM_ST_SPK_GET, "SELECT id,created,key,signature FROM spk WHERE device=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, device);
	e = sm_db_row(st);
	if (e)
		return e;
	k->id = (uint32_t)sqlite3_column_int64(st, 0);
	k->created = sqlite3_column_int64(st, 1);
	sm_db_blob(st, 2, k->key, sizeof k->key);
	sm_db_blob(st, 3, k->signature, sizeof k->signature);
	sm_db_done(st);
	return SM_OK;
}

enum sm_err sm_reader_spk(struct sm_reader *r, int64_t device, struct sm_spk_row *k) { return get_spk(&r->db, device, k); }

static bool same_spk(const struct sm_spk_row *a, const struct sm_spk_row *b)
{
	return a->id == b->id && a->created == b->created && sm_equal(a->key, b->key, sizeof a->key) &&
	       sm_equal(a->signature, b->signature, sizeof a->signature);
}

enum sm_err sm_store_spk_put(struct sm_store *s, int64_t device, const struct sm_spk_row *k)
{
	struct sm_spk_row now;
	sqlite3_stmt *st;
	enum sm_err e = get_spk(&s->db, device, &now);

	if (e && e != SM_ERR_NOTFOUND)
		return e;
	if (!e && k->id <= now.id)
		return same_spk(k, &now) ? SM_OK : SM_ERR_CONFLICT;
	st = sm_db_stmt(&s->db, SM_ST_SPK_PUT, "INSERT OR REPLACE INTO spk(device,id,created,key,signature) VALUES(?,?,?,?,?)");
	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, device);
	sm_bind_int(st, 2, k->id);
	sm_bind_int(st, 3, k->created);
	sm_bind_blob(st, 4, k->key, sizeof k->key);
	sm_bind_blob(st, 5, k->signature, sizeof k->signature);
	return sm_db_do(st);
}

static enum sm_err get_number(struct sm_db *db, size_t place, const char *sql, int64_t device, int64_t *v)
{
	sqlite3_stmt *st = sm_db_stmt(db, place, sql);
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, device);
	e = sm_db_row(st);
	if (e)
		return e;
	*v = sqlite3_column_int64(st, 0);
	sm_db_done(st);
	return SM_OK;
}

static enum sm_err count_opks(struct sm_db *db, int64_t device, size_t *n, int64_t *highest)
{
	int64_t count = 0, top = -1;
	enum sm_err e = get_number(db, SM_ST_OPKS_COUNT, "SELECT count(*) FROM opk WHERE device=?", device, &count);

	if (!e)
		e = get_number(db, SM_ST_OPK_HIGHEST, "SELECT opk_highest FROM device WHERE id=?", device, &top);
	if (e)
		return e;
	*n = (size_t)count;
	*highest = top;
	return SM_OK;
}

enum sm_err sm_reader_opks(struct sm_reader *r, int64_t device, size_t *n, int64_t *highest)
{
	return count_opks(&r->db, device, n, highest);
}

/* Is another key there under this id? SM_ERR_CONFLICT. */
static enum sm_err check_opk(struct sm_store *s, int64_t device, const struct sm_opk_row *k)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_OPK_GET, "SELECT key FROM opk WHERE device=? AND id=?");
	uint8_t key[32];
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, device);
	sm_bind_int(st, 2, k->id);
	e = sm_db_row(st);
	if (e)
		return e == SM_ERR_NOTFOUND ? SM_OK : e;
	sm_db_blob(st, 0, key, sizeof key);
	sm_db_done(st);
	return sm_equal(key, k->key, sizeof key) ? SM_OK : SM_ERR_CONFLICT;
}

static enum sm_err add_opk(struct sm_store *s, int64_t device, const struct sm_opk_row *k)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_OPK_ADD, "INSERT INTO opk(device,id,key) VALUES(?,?,?)");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, device);
	sm_bind_int(st, 2, k->id);
	sm_bind_blob(st, 3, k->key, sizeof k->key);
	e = sm_db_do(st);
	return e == SM_ERR_EXISTS ? SM_ERR_BUG : e;
}

static enum sm_err raise_highest(struct sm_store *s, int64_t device, int64_t highest)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_OPK_RAISE, "UPDATE device SET opk_highest=? WHERE id=?");

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, highest);
	sm_bind_int(st, 2, device);
	return sm_db_do(st);
}

enum sm_err sm_store_opks_add(struct sm_store *s, int64_t device, const struct sm_opk_row *k, size_t n, enum sm_prekeys_outcome *outcome,
                              size_t *left)
{
	int64_t highest = -1;
	size_t have = 0, first = 0;
	enum sm_err e = count_opks(&s->db, device, &have, &highest);

	for (; !e && first < n && k[first].id <= highest; first++)
		e = check_opk(s, device, &k[first]);
	if (e == SM_ERR_CONFLICT || (!e && have + n - first > SM_PREKEYS_MAX)) {
		*outcome = e ? SM_PREKEYS_CONFLICT : SM_PREKEYS_TOO_MANY;
		return SM_OK;
	}
	for (size_t i = first; !e && i < n; i++)
		e = add_opk(s, device, &k[i]);
	if (!e && first < n)
		e = raise_highest(s, device, k[n - 1].id);
	if (e)
		return e;
	*left = have + n - first;
	*outcome = SM_PREKEYS_STORED;
	return SM_OK;
}

enum sm_err sm_store_opk_take(struct sm_store *s, int64_t device, struct sm_opk_row *k)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_OPK_TAKE,
	                              "DELETE FROM opk WHERE device=?1 AND id=(SELECT min(id) FROM opk WHERE device=?1) RETURNING id,key");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, device);
	e = sm_db_row(st);
	if (e)
		return e;
	k->id = (uint32_t)sqlite3_column_int64(st, 0);
	sm_db_blob(st, 1, k->key, sizeof k->key);
	sm_db_done(st);
	return SM_OK;
}

enum sm_err sm_store_prekeys_drop(struct sm_store *s, int64_t device)
{
	enum sm_err e = sm_db_one(&s->db, SM_ST_SPK_DROP, "DELETE FROM spk WHERE device=?", device);

	return e ? e : sm_db_one(&s->db, SM_ST_OPKS_DROP, "DELETE FROM opk WHERE device=?", device);
}
