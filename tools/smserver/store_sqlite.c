/* Opening, transactions, the write-ahead log and statements. synchronous=FULL makes COMMIT the promise that sm-protocol(7)
 * gives; automatic checkpoints are off because the writer's thread makes all of them. */
#include "store_sqlite.h"

#include "base/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { APPLICATION_ID = 0x736d7376 /* "smsv" */, WRITER_CACHE_KIB = 32768, READER_CACHE_KIB = 8192 };

enum sm_err sm_db_err(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return SM_OK;
	case SQLITE_CONSTRAINT: return SM_ERR_EXISTS;
	case SQLITE_FULL: return SM_ERR_LIMIT;
	case SQLITE_NOMEM: return SM_ERR_NOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return SM_ERR_BUSY;
	case SQLITE_IOERR:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN: return SM_ERR_IO;
	default: return SM_ERR_BUG;
	}
}

sqlite3_stmt *sm_db_stmt(struct sm_db *db, size_t i, const char *sql)
{
	if (!db->st[i] && sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &db->st[i], NULL) != SQLITE_OK)
		return NULL;
	return db->st[i];
}

void sm_db_done(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

enum sm_err sm_db_do(sqlite3_stmt *st)
{
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;

	if (st)
		sm_db_done(st);
	return rc == SQLITE_ROW ? SM_ERR_BUG : sm_db_err(rc);
}

enum sm_err sm_db_row(sqlite3_stmt *st)
{
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;

	if (rc == SQLITE_ROW)
		return SM_OK;
	if (st)
		sm_db_done(st);
	return rc == SQLITE_DONE ? SM_ERR_NOTFOUND : sm_db_err(rc);
}

enum sm_err sm_db_one(struct sm_db *db, size_t place, const char *sql, int64_t v)
{
	sqlite3_stmt *st = sm_db_stmt(db, place, sql);

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, v);
	return sm_db_do(st);
}

enum sm_err sm_db_exec(struct sm_db *db, const char *sql) { return sm_db_err(sqlite3_exec(db->h, sql, NULL, NULL, NULL)); }

void sm_db_blob(sqlite3_stmt *st, int col, uint8_t *out, size_t n)
{
	const void *p = sqlite3_column_blob(st, col);

	if (p && (size_t)sqlite3_column_bytes(st, col) == n)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

void sm_db_text(sqlite3_stmt *st, int col, char *out, size_t size)
{
	const unsigned char *s = sqlite3_column_text(st, col);

	snprintf(out, size, "%s", s ? (const char *)s : "");
}

static enum sm_err db_int(struct sm_db *db, const char *sql, int64_t *v)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->h, sql, -1, &st, NULL);

	if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		*v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? SM_OK : sm_db_err(rc == SQLITE_DONE ? SQLITE_ERROR : rc);
}

static enum sm_err db_open(struct sm_db *db, const char *dir, int flags, int cache_kib)
{
	char *path = sm_path_join(dir, "sm.db"), pragma[64];
	enum sm_err e;

	if (!path)
		return SM_ERR_NOMEM;
	e = sm_db_err(sqlite3_open_v2(path, &db->h, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL));
	free(path);
	if (e)
		return e;
	sqlite3_extended_result_codes(db->h, 1);
	sqlite3_busy_timeout(db->h, 5000);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	snprintf(pragma, sizeof pragma, "PRAGMA cache_size=-%d; PRAGMA temp_store=MEMORY", cache_kib);
	return sm_db_exec(db, pragma);
}

static void db_close(struct sm_db *db)
{
	for (size_t i = 0; i < SM_STATEMENTS; i++)
		sqlite3_finalize(db->st[i]);
	sqlite3_close(db->h);
}

static int after_commit(void *arg, sqlite3 *h, const char *name, int pages)
{
	struct sm_store *s = arg;

	(void)h, (void)name;
	if (pages < s->log_pages)
		s->copied_pages = 0; /* started over */
	s->log_pages = pages;
	return SQLITE_OK;
}

static enum sm_err migrate(struct sm_db *db, char why[static 256])
{
	int64_t version = 0, app = 0;
	char pragma[96];
	enum sm_err e = db_int(db, "PRAGMA user_version", &version);

	if (!e)
		e = db_int(db, "PRAGMA application_id", &app);
	if (e)
		return e;
	if ((version && app != APPLICATION_ID) || version > sm_nmigrations) {
		snprintf(why, 256, "sm.db is not this smserver's database, or a newer one's (version %lld)", (long long)version);
		return SM_ERR_CONFIG;
	}
	for (; !e && version < sm_nmigrations; version++) {
		snprintf(pragma, sizeof pragma, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID, (int)version + 1);
		e = sm_db_exec(db, "BEGIN IMMEDIATE");
		if (!e)
			e = sm_db_exec(db, sm_migrations[version]);
		if (!e)
			e = sm_db_exec(db, pragma);
		if (!e)
			e = sm_db_exec(db, "COMMIT");
	}
	return e;
}

enum sm_err sm_store_open(struct sm_store **out, const char *dir, char why[static 256])
{
	struct sm_store *s = calloc(1, sizeof *s);
	enum sm_err e = SM_ERR_NOMEM;

	why[0] = '\0';
	if (s)
		s->seq = calloc(SM_SEQ_SLOTS, sizeof *s->seq);
	if (s && s->seq)
		e = db_open(&s->db, dir, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, WRITER_CACHE_KIB);
	if (!e)
		e = sm_db_exec(&s->db,
		               "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=FAST");
	if (!e)
		e = migrate(&s->db, why);
	if (e) {
		if (!why[0])
			snprintf(why, 256, "sm.db: %s", s && s->db.h ? sqlite3_errmsg(s->db.h) : "out of memory");
		sm_store_close(s);
		return e;
	}
	sqlite3_wal_hook(s->db.h, after_commit, s);
	*out = s;
	return SM_OK;
}

void sm_store_close(struct sm_store *s)
{
	if (!s)
		return;
	db_close(&s->db);
	free(s->seq);
	free(s);
}

enum sm_err sm_store_begin(struct sm_store *s) { return sm_db_exec(&s->db, "BEGIN IMMEDIATE"); }
enum sm_err sm_store_commit(struct sm_store *s)
{
	enum sm_err e = sm_db_exec(&s->db, "COMMIT");

	return e == SM_OK || e == SM_ERR_LIMIT ? e : SM_ERR_IO;
}

void sm_store_rollback(struct sm_store *s)
{
	/* The reservations that the transaction made are gone with it; what was handed out stays handed out as a gap. */
	memset(s->seq, 0, SM_SEQ_SLOTS * sizeof *s->seq);
	s->nseq = 0;
	if (!sqlite3_get_autocommit(s->db.h))
		(void)!sm_db_exec(&s->db, "ROLLBACK");
}

enum sm_err sm_store_savepoint(struct sm_store *s) { return sm_db_exec(&s->db, "SAVEPOINT op"); }
enum sm_err sm_store_release(struct sm_store *s, bool keep)
{
	if (keep)
		return sm_db_exec(&s->db, "RELEASE op");
	memset(s->seq, 0, SM_SEQ_SLOTS * sizeof *s->seq);
	s->nseq = 0;
	return sm_db_exec(&s->db, "ROLLBACK TO op; RELEASE op");
}

size_t sm_store_log_bytes(const struct sm_store *s, size_t *all)
{
	*all = (size_t)s->log_pages * 4096;
	return (size_t)(s->log_pages - s->copied_pages) * 4096;
}

enum sm_err sm_store_checkpoint(struct sm_store *s, bool truncate)
{
	int pages = 0, done = 0;
	int rc = sqlite3_wal_checkpoint_v2(s->db.h, NULL, truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &pages, &done);

	if (rc != SQLITE_OK)
		return sm_db_err(rc);
	s->log_pages = pages > 0 ? pages : 0;
	s->copied_pages = done > 0 ? done : 0;
	return s->log_pages == s->copied_pages ? SM_OK : SM_ERR_BUSY;
}

size_t sm_store_free_bytes(struct sm_store *s)
{
	int64_t pages = 0;

	return db_int(&s->db, "PRAGMA freelist_count", &pages) ? 0 : (size_t)pages * 4096;
}

enum sm_err sm_reader_open(struct sm_reader **out, const char *dir)
{
	struct sm_reader *r = calloc(1, sizeof *r);
	enum sm_err e = r ? db_open(&r->db, dir, SQLITE_OPEN_READWRITE, READER_CACHE_KIB) : SM_ERR_NOMEM;

	/* Opened for writing because a reader of a WAL may have to rebuild its shared index; query_only keeps it a reader. */
	if (!e)
		e = sm_db_exec(&r->db, "PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0");
	if (e)
		sm_reader_close(r);
	else
		*out = r;
	return e;
}

void sm_reader_close(struct sm_reader *r)
{
	if (!r)
		return;
	db_close(&r->db);
	free(r);
}

enum sm_err sm_reader_begin(struct sm_reader *r) { return sm_db_exec(&r->db, "BEGIN"); }

void sm_reader_end(struct sm_reader *r)
{
	if (!sqlite3_get_autocommit(r->db.h))
		(void)!sm_db_exec(&r->db, "ROLLBACK");
}
