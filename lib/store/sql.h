/* Inside lib/store: prepared statements over struct sm_db, with SQLite's result codes turned into enum sm_err.
 *   sm_sql_prepare(&q, db, "SELECT ..."); sm_sql_text(q, 1, s); e = sm_sql_step(q, &row); ... sm_sql_done(q)
 * Binding errors surface at the step. Bound bytes are borrowed until sm_sql_done. */
#ifndef SM_STORE_SQL_H
#define SM_STORE_SQL_H

#include "base/buf.h"
#include "store/db.h"

#include <sqlite3.h>

/* errno is set for the system errors (SM_ERR_IO, SM_ERR_CANTCREAT). */
enum sm_err sm_sql_error(const struct sm_db *db, int rc);
SM_CHECKED enum sm_err sm_sql_prepare(sqlite3_stmt **q, struct sm_db *db, const char *sql);
void sm_sql_text(sqlite3_stmt *q, int at, const char *s);
void sm_sql_blob(sqlite3_stmt *q, int at, const void *p, size_t n);
void sm_sql_int(sqlite3_stmt *q, int at, int64_t v);
/* *row: a row is there to be read. */
SM_CHECKED enum sm_err sm_sql_step(struct sm_db *db, sqlite3_stmt *q, bool *row);
/* A statement that gives no rows. changes, when not NULL, gets how many rows it touched. Finishes q, which may be NULL when e is an error
 * already: then e is returned. */
SM_CHECKED enum sm_err sm_sql_run(struct sm_db *db, sqlite3_stmt *q, enum sm_err e, int *changes);
/* The same for what a loss of power may undo, because it would only be done once more: outside a transaction it is committed with half of
 * the syncs. A killed process loses nothing either way. */
SM_CHECKED enum sm_err sm_sql_run_soft(struct sm_db *db, sqlite3_stmt *q, enum sm_err e);
/* Gives q back, and its locks; NULL is fine. sm_db_close frees it. */
void sm_sql_done(sqlite3_stmt *q);
/* A text column into a field of the given room; false when it does not fit or is NULL. */
bool sm_sql_get_text(sqlite3_stmt *q, int column, char *out, size_t room);
/* A blob, borrowed until the next step; no bytes for NULL. */
struct sm_span sm_sql_get_blob(sqlite3_stmt *q, int column);
/* A blob of exactly n bytes. */
bool sm_sql_get_exact(sqlite3_stmt *q, int column, void *out, size_t n);

#endif
