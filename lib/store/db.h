/* The client's database (SQLite, data/sm.db, 0600): opened by any number of processes at once.
 * A rollback journal with synchronous=FULL, not a WAL: for programs that live milliseconds it opens quicker, leaves no second file, and
 * keeps clear of SQLite's WAL-reset fault (before 3.51.3), which needs several processes that write and checkpoint. Busy timeout 10 s;
 * numbered migrations by user_version; BEGIN IMMEDIATE around every read-modify-write. */
#ifndef SM_STORE_DB_H
#define SM_STORE_DB_H

#include "base/err.h"

struct sm_db {
	void *sqlite; /* struct sqlite3 *, for lib/store only */
	char *path;
	int depth;                /* transactions begun and not ended */
	struct sm_parsed *parsed; /* identities that contacts.c has parsed already; NULL until the first */
};

/* Makes and migrates it where needed. SM_ERR_BUSY when locked for longer than 10 s, SM_ERR_FORMAT for a damaged or newer database. */
SM_CHECKED enum sm_err sm_db_open(struct sm_db *db, const char *profile);
void sm_db_close(struct sm_db *db);
/* May stand inside one another: the inner ones are savepoints, and only the outermost commits. sm_db_rollback undoes the innermost; it is
 * for what sm_db_begin has begun. */
SM_CHECKED enum sm_err sm_db_begin(struct sm_db *db);
SM_CHECKED enum sm_err sm_db_commit(struct sm_db *db);
void sm_db_rollback(struct sm_db *db);

#endif
