/* Prekeys: ids come from counters that only grow, also over other identities' rows and over what was dropped, because the server hands
 * each id out once. */
#include "store/prekeys.h"

#include "base/secret.h"
#include "crypto/x25519.h"
#include "store/sealed.h"
#include "store/sql.h"

#include <string.h>

#define ONE_TIME_SECONDS ((int64_t)90 * 86400)
#define ROW_LEN 64 /* pk | sk */
#define AAD_LEN 12

/* "prekey" 0 | signed | be32 id */
static void make_aad(uint8_t aad[static AAD_LEN], bool is_signed, uint32_t id)
{
	memcpy(aad, "prekey", 7);
	aad[7] = is_signed;
	sm_put_be32(aad + 8, id);
}

static const char *counter_of(bool one_time) { return one_time ? "one-time prekey" : "signed prekey"; }

static enum sm_err counter_get(int64_t *value, struct sm_db *db, const char *name)
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT value FROM counter WHERE name = ?1");
	sm_sql_text(q, 1, name);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK)
		*value = row ? sqlite3_column_int64(q, 0) : 0;
	sm_sql_done(q);
	return e;
}

static enum sm_err counter_set(struct sm_db *db, const char *name, int64_t value)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "INSERT INTO counter VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2");
	sm_sql_text(q, 1, name);
	sm_sql_int(q, 2, value);
	return sm_sql_run(db, q, e, NULL);
}

static enum sm_err insert(struct sm_db *db, const uint8_t key[static 32], bool is_signed, const struct sm_own_prekey *p,
                          const struct sm_rand *rand)
{
	uint8_t aad[AAD_LEN], row[ROW_LEN];
	sqlite3_stmt *q = NULL;
	struct sm_buf sealed;
	sm_buf_init(&sealed, ROW_LEN + SM_SEALED_OVERHEAD);
	make_aad(aad, is_signed, p->id);
	memcpy(row, p->pk, 32);
	memcpy(row + 32, p->sk, 32);
	enum sm_err e =
	        sm_sealed_put(&sealed, key, SM_SEALED_SESSIONS, (struct sm_span){aad, AAD_LEN}, (struct sm_span){row, ROW_LEN}, rand);
	if (e == SM_OK)
		e = sm_sql_prepare(&q, db, "INSERT INTO prekey (signed, id, created, sent, sealed) VALUES (?1, ?2, ?3, 0, ?4)");
	sm_sql_int(q, 1, is_signed);
	sm_sql_int(q, 2, p->id);
	sm_sql_int(q, 3, p->created);
	sm_sql_blob(q, 4, sealed.data, sealed.len);
	e = sm_sql_run(db, q, e, NULL);
	sm_wipe(row, sizeof(row));
	sm_buf_release(&sealed);
	return e;
}

static enum sm_err make(struct sm_own_prekey *out, size_t n, struct sm_db *db, const uint8_t key[static 32], bool is_signed, int64_t now,
                        const struct sm_rand *rand)
{
	int64_t last = 0;
	enum sm_err e = counter_get(&last, db, counter_of(!is_signed));
	if (e == SM_OK && (last < 0 || last > UINT32_MAX || n > (uint64_t)(UINT32_MAX - last)))
		e = SM_ERR_LIMIT;
	for (size_t i = 0; e == SM_OK && i < n; i++) {
		out[i] = (struct sm_own_prekey){.id = (uint32_t)(last + 1 + (int64_t)i), .created = now};
		sm_rand_fill(rand, out[i].sk, sizeof(out[i].sk));
		sm_x25519_pk(out[i].pk, out[i].sk);
		e = insert(db, key, is_signed, &out[i], rand);
	}
	if (e == SM_OK)
		e = counter_set(db, counter_of(!is_signed), last + (int64_t)n);
	if (e != SM_OK)
		sm_wipe(out, n * sizeof(*out));
	return e;
}

enum sm_err sm_prekeys_make(struct sm_own_prekey *out, size_t n, struct sm_db *db, const uint8_t key[static 32], int64_t now,
                            const struct sm_rand *rand)
{
	return make(out, n, db, key, false, now, rand);
}

enum sm_err sm_signed_prekey_make(struct sm_own_prekey *out, struct sm_db *db, const uint8_t key[static 32], int64_t now,
                                  const struct sm_rand *rand)
{
	return make(out, 1, db, key, true, now, rand);
}

#define COLUMNS "id, created, sent, sealed"

/* SM_ERR_PASSPHRASE: not this identity's, or damaged. */
static enum sm_err read_row(struct sm_own_prekey *out, sqlite3_stmt *q, const uint8_t key[static 32], bool is_signed)
{
	uint8_t aad[AAD_LEN];
	struct sm_buf row;
	struct sm_own_prekey r = {.created = sqlite3_column_int64(q, 1)};
	int64_t id = sqlite3_column_int64(q, 0);
	if (id < 0 || id > UINT32_MAX)
		return SM_ERR_PASSPHRASE;
	r.id = (uint32_t)id;
	sm_buf_init(&row, ROW_LEN + SM_SEALED_OVERHEAD);
	make_aad(aad, is_signed, r.id);
	enum sm_err e = sm_sealed_get(&row, key, SM_SEALED_SESSIONS, (struct sm_span){aad, AAD_LEN}, sm_sql_get_blob(q, 3));
	if (e == SM_ERR_LIMIT || (e == SM_OK && row.len != ROW_LEN))
		e = SM_ERR_PASSPHRASE;
	if (e == SM_OK) {
		memcpy(r.pk, row.data, 32);
		memcpy(r.sk, row.data + 32, 32);
		*out = r;
	}
	sm_wipe(&r, sizeof(r));
	sm_buf_release(&row);
	return e;
}

/* Steps through q, whose rows are COLUMNS, and takes up to max that open. */
static enum sm_err collect(struct sm_own_prekey *out, size_t max, size_t *n, bool *sent, struct sm_db *db, sqlite3_stmt *q,
                           const uint8_t key[static 32], bool is_signed)
{
	size_t got = 0;
	bool row = false;
	enum sm_err e = SM_OK;
	while (e == SM_OK && got < max && (e = sm_sql_step(db, q, &row)) == SM_OK && row) {
		e = read_row(&out[got], q, key, is_signed);
		if (e == SM_OK && sent)
			*sent = sqlite3_column_int(q, 2) != 0;
		if (e == SM_OK)
			got++;
		else if (e == SM_ERR_PASSPHRASE)
			e = SM_OK;
	}
	if (e == SM_OK)
		*n = got;
	else
		sm_wipe(out, got * sizeof(*out));
	return e;
}

static void reverse(struct sm_own_prekey *p, size_t n)
{
	struct sm_own_prekey swap;
	for (size_t i = 0; i < n / 2; i++) {
		swap = p[i];
		p[i] = p[n - 1 - i];
		p[n - 1 - i] = swap;
	}
	sm_wipe(&swap, sizeof(swap));
}

enum sm_err sm_prekeys_unsent(struct sm_own_prekey *out, size_t max, size_t *n, struct sm_db *db, const uint8_t key[static 32])
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT " COLUMNS " FROM prekey WHERE signed = 0 AND sent = 0 ORDER BY id DESC");
	if (e == SM_OK)
		e = collect(out, max, n, NULL, db, q, key, false);
	if (e == SM_OK)
		reverse(out, *n);
	sm_sql_done(q);
	return e;
}

static enum sm_err one(struct sm_own_prekey *out, bool *sent, struct sm_db *db, sqlite3_stmt *q, const uint8_t key[static 32],
                       bool is_signed)
{
	struct sm_own_prekey r = {0};
	size_t n = 0;
	bool s = false;
	enum sm_err e = collect(&r, 1, &n, &s, db, q, key, is_signed);
	if (e == SM_OK && !n)
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK) {
		*out = r;
		if (sent)
			*sent = s;
	}
	sm_wipe(&r, sizeof(r));
	sm_sql_done(q);
	return e;
}

enum sm_err sm_signed_prekey_newest(struct sm_own_prekey *out, bool *sent, struct sm_db *db, const uint8_t key[static 32])
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT " COLUMNS " FROM prekey WHERE signed = 1 ORDER BY id DESC");
	return e == SM_OK ? one(out, sent, db, q, key, true) : e;
}

static enum sm_err get(struct sm_own_prekey *out, struct sm_db *db, const uint8_t key[static 32], bool is_signed, uint32_t id)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT " COLUMNS " FROM prekey WHERE signed = ?1 AND id = ?2");
	sm_sql_int(q, 1, is_signed);
	sm_sql_int(q, 2, id);
	return e == SM_OK ? one(out, NULL, db, q, key, is_signed) : e;
}

enum sm_err sm_signed_prekey_get(struct sm_own_prekey *out, struct sm_db *db, const uint8_t key[static 32], uint32_t id)
{
	return get(out, db, key, true, id);
}

enum sm_err sm_prekey_get(struct sm_own_prekey *out, struct sm_db *db, const uint8_t key[static 32], uint32_t id)
{
	return get(out, db, key, false, id);
}

/* A statement whose one parameter is a number. */
static enum sm_err run_with(struct sm_db *db, const char *sql, int64_t v, int *changes)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, sql);
	sm_sql_int(q, 1, v);
	return sm_sql_run(db, q, e, changes);
}

/* What is not marked is sent again, as it is. */
static enum sm_err mark_sent(struct sm_db *db, const char *sql, uint32_t id)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, sql);
	sm_sql_int(q, 1, id);
	return sm_sql_run_soft(db, q, e);
}

enum sm_err sm_prekeys_sent(struct sm_db *db, uint32_t upto)
{
	return mark_sent(db, "UPDATE prekey SET sent = 1 WHERE signed = 0 AND id <= ?1 AND sent = 0", upto);
}

enum sm_err sm_signed_prekey_sent(struct sm_db *db, uint32_t id)
{
	return mark_sent(db, "UPDATE prekey SET sent = 1 WHERE signed = 1 AND id = ?1", id);
}

enum sm_err sm_prekey_drop(struct sm_db *db, uint32_t id)
{
	return run_with(db, "DELETE FROM prekey WHERE signed = 0 AND id = ?1", id, NULL);
}

enum sm_err sm_prekeys_sweep(struct sm_db *db, int64_t now)
{
	int changes = 0;
	enum sm_err e = run_with(db,
	                         "DELETE FROM prekey WHERE signed = 1 AND EXISTS (SELECT 1 FROM prekey AS next WHERE next.signed = 1 "
	                         "AND next.id > prekey.id AND next.sent = 1 AND next.created < ?1)",
	                         now - (int64_t)SM_SPK_DAYS_MAX * 86400, &changes);
	if (e == SM_OK && changes)
		e = run_with(db, "DELETE FROM first_seen WHERE spk NOT IN (SELECT id FROM prekey WHERE signed = ?1)", 1, NULL);
	if (e != SM_OK)
		return e;
	return run_with(db,
	                "DELETE FROM prekey WHERE signed = 0 AND created < ?1 AND id NOT IN "
	                "(SELECT id FROM prekey WHERE signed = 0 ORDER BY id DESC LIMIT 200)",
	                now - ONE_TIME_SECONDS, NULL);
}
_Static_assert(SM_PREKEYS_AT_SERVER == 200, "the limit in the statement above");

enum sm_err sm_prekeys_floor(struct sm_db *db, bool one_time, int64_t highest)
{
	int64_t last = 0;
	enum sm_err e = counter_get(&last, db, counter_of(one_time));
	return e == SM_OK && highest > last ? counter_set(db, counter_of(one_time), highest) : e;
}

enum sm_err sm_prekeys_asked(int64_t *at, struct sm_db *db) { return counter_get(at, db, "prekeys asked"); }

enum sm_err sm_prekeys_asked_now(struct sm_db *db, int64_t now) { return counter_set(db, "prekeys asked", now); }
