/* Result codes, binding and stepping: the only place where SQLite's codes are looked at. */
#include "store/sql.h"

#include <errno.h>
#include <string.h>

static enum sm_err system_error(const struct sm_db *db, enum sm_err e, int fallback)
{
	int sys = db->sqlite ? sqlite3_system_errno(db->sqlite) : 0;
	errno = sys ? sys : fallback;
	return e;
}

enum sm_err sm_sql_error(const struct sm_db *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return SM_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return SM_ERR_BUSY;
	case SQLITE_FULL: errno = ENOSPC; return SM_ERR_IO;
	case SQLITE_IOERR: return system_error(db, SM_ERR_IO, EIO);
	case SQLITE_CANTOPEN: return system_error(db, SM_ERR_CANTCREAT, EACCES);
	case SQLITE_READONLY:
	case SQLITE_PERM: errno = EACCES; return SM_ERR_CANTCREAT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return SM_ERR_FORMAT;
	case SQLITE_NOMEM: return SM_ERR_NOMEM;
	case SQLITE_TOOBIG: return SM_ERR_LIMIT;
	case SQLITE_CONSTRAINT: return SM_ERR_EXISTS;
	default: return SM_ERR_BUG;
	}
}

/* Statements are kept for the next time, and found again by their text: there are few, and making one costs more than running it. */
enum sm_err sm_sql_prepare(sqlite3_stmt **q, struct sm_db *db, const char *sql)
{
	for (sqlite3_stmt *s = sqlite3_next_stmt(db->sqlite, NULL); s; s = sqlite3_next_stmt(db->sqlite, s)) {
		if (!sqlite3_stmt_busy(s) && !strcmp(sqlite3_sql(s), sql)) {
			*q = s;
			return SM_OK;
		}
	}
	*q = NULL;
	return sm_sql_error(db, sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, q, NULL));
}

void sm_sql_text(sqlite3_stmt *q, int at, const char *s)
{
	if (q)
		(void)sqlite3_bind_text(q, at, s, -1, SQLITE_STATIC);
}

/* An empty blob must not become NULL. */
void sm_sql_blob(sqlite3_stmt *q, int at, const void *p, size_t n)
{
	if (q)
		(void)sqlite3_bind_blob64(q, at, n ? p : "", n, SQLITE_STATIC);
}

void sm_sql_int(sqlite3_stmt *q, int at, int64_t v)
{
	if (q)
		(void)sqlite3_bind_int64(q, at, v);
}

enum sm_err sm_sql_step(struct sm_db *db, sqlite3_stmt *q, bool *row)
{
	int rc = sqlite3_step(q);
	enum sm_err e = sm_sql_error(db, rc);
	if (e == SM_OK)
		*row = rc == SQLITE_ROW;
	return e;
}

enum sm_err sm_sql_run(struct sm_db *db, sqlite3_stmt *q, enum sm_err e, int *changes)
{
	bool row;
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && changes)
		*changes = sqlite3_changes(db->sqlite);
	sm_sql_done(q);
	return e;
}

static enum sm_err set_synchronous(struct sm_db *db, const char *sql)
{
	return sm_sql_error(db, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL));
}

/* NORMAL keeps the database whole (the journal is synced before it is written to), but not the last commit: its end is not waited for. */
enum sm_err sm_sql_run_soft(struct sm_db *db, sqlite3_stmt *q, enum sm_err e)
{
	bool alone = e == SM_OK && sqlite3_get_autocommit(db->sqlite);
	if (alone)
		e = set_synchronous(db, "PRAGMA synchronous = NORMAL");
	e = sm_sql_run(db, q, e, NULL);
	enum sm_err back = alone ? set_synchronous(db, "PRAGMA synchronous = FULL") : SM_OK;
	return e == SM_OK ? back : e;
}

/* errno is what the caller will print: it survives the clean-up. */
void sm_sql_done(sqlite3_stmt *q)
{
	int keep = errno;
	if (q) {
		(void)sqlite3_reset(q);
		(void)sqlite3_clear_bindings(q);
	}
	errno = keep;
}

bool sm_sql_get_text(sqlite3_stmt *q, int column, char *out, size_t room)
{
	const unsigned char *s = sqlite3_column_text(q, column);
	size_t n = s ? strlen((const char *)s) : room;
	if (n >= room)
		return false;
	memcpy(out, s, n + 1);
	return true;
}

struct sm_span sm_sql_get_blob(sqlite3_stmt *q, int column)
{
	const void *p = sqlite3_column_blob(q, column);
	return (struct sm_span){p, p ? (size_t)sqlite3_column_bytes(q, column) : 0};
}

bool sm_sql_get_exact(sqlite3_stmt *q, int column, void *out, size_t n)
{
	const void *p = sqlite3_column_blob(q, column);
	if (!p || (size_t)sqlite3_column_bytes(q, column) != n)
		return false;
	memcpy(out, p, n);
	return true;
}
