/* What store_sqlite*.c share: connections with statements that stay prepared. Only they include sqlite3.h. */
#ifndef SM_SMSERVER_STORE_SQLITE_H
#define SM_SMSERVER_STORE_SQLITE_H

#include "store.h"

#include <sqlite3.h>

#define SM_STATEMENTS 96
#define SM_SEQ_SLOTS 65536
#define SM_SEQ_BLOCK 256

/* A connection. Statements are prepared at first use under the index of their place in an enum. */
struct sm_db {
	sqlite3 *h;
	sqlite3_stmt *st[SM_STATEMENTS];
};

/* The next sequence number of a mailbox, and up to where the table says that numbers may have been given out. */
struct sm_seq {
	int64_t mailbox; /* 0: empty */
	uint64_t next, reserved;
};

struct sm_store {
	struct sm_db db;
	int log_pages;      /* in the write-ahead log after the last commit */
	int copied_pages;   /* of those, in the database already; the log starts over when no reader is in it */
	struct sm_seq *seq; /* SM_SEQ_SLOTS, by hash of the mailbox */
	size_t nseq;
	int64_t tidy_at; /* monotonic ms: when old sessions and invites are looked for next */
};

struct sm_reader {
	struct sm_db db;
};

/* sqlite's code as an error of ours. SQLITE_CONSTRAINT is SM_ERR_EXISTS; SQLITE_DONE, ROW and OK are SM_OK. */
SM_CHECKED enum sm_err sm_db_err(int rc);
/* The statement in place i, reset and without bindings; NULL when it cannot be prepared. */
sqlite3_stmt *sm_db_stmt(struct sm_db *db, size_t i, const char *sql);
/* Steps a statement that returns no row, and resets it. */
SM_CHECKED enum sm_err sm_db_do(sqlite3_stmt *st);
/* Steps to one row: SM_OK (the caller reads it, then sm_db_done), SM_ERR_NOTFOUND (reset already). */
SM_CHECKED enum sm_err sm_db_row(sqlite3_stmt *st);
void sm_db_done(sqlite3_stmt *st);
SM_CHECKED enum sm_err sm_db_exec(struct sm_db *db, const char *sql);
/* A blob of exactly n bytes into out, zeros when it has another size. */
void sm_db_blob(sqlite3_stmt *st, int col, uint8_t *out, size_t n);
void sm_db_text(sqlite3_stmt *st, int col, char *out, size_t size);
static inline void sm_bind_blob(sqlite3_stmt *st, int i, const void *p, size_t n) { (void)sqlite3_bind_blob64(st, i, p, n, SQLITE_STATIC); }
static inline void sm_bind_text(sqlite3_stmt *st, int i, const char *s) { (void)sqlite3_bind_text(st, i, s, -1, SQLITE_STATIC); }
static inline void sm_bind_int(sqlite3_stmt *st, int i, int64_t v) { (void)sqlite3_bind_int64(st, i, v); }

/* A statement that takes one number and returns no row. */
SM_CHECKED enum sm_err sm_db_one(struct sm_db *db, size_t place, const char *sql, int64_t v);
/* What several areas do to the device table. */
SM_CHECKED enum sm_err sm_store_device_add(struct sm_store *s, int64_t account, uint32_t number, const uint8_t *pk, const char *label,
                                           int64_t now);
/* Its row, mailbox, prekeys and sessions; what was in the mailbox is swept later. */
SM_CHECKED enum sm_err sm_store_device_drop(struct sm_store *s, int64_t device);
SM_CHECKED enum sm_err sm_store_prekeys_drop(struct sm_store *s, int64_t device);
SM_CHECKED enum sm_err sm_store_devices(struct sm_store *s, int64_t account, struct sm_device_row row[static SM_DEVICES_MAX], size_t *n);

/* The schema, in numbered steps; PRAGMA user_version says how many a database has had. */
extern const char *const sm_migrations[];
extern const int sm_nmigrations;

/* Statement places; reader and writer connections have the same numbering. */
enum {
	SM_ST_ACCOUNT_ADD,
	SM_ST_DEVICE_ADD,
	SM_ST_MAILBOX_ADD,
	SM_ST_ACCOUNT_ENABLE,
	SM_ST_ACCOUNT_REVOKE,
	SM_ST_ACCOUNT_KEY,
	SM_ST_DEVICE_KEY,
	SM_ST_INVITE_GET,
	SM_ST_INVITE_USE,
	SM_ST_INVITE_ADD,
	SM_ST_SESSION_ADD,
	SM_ST_SESSION_REFRESH,
	SM_ST_SESSION_REVOKE,
	SM_ST_REVOKE_OTHERS,
	SM_ST_SENT_ADD,
	SM_ST_SENT_GET,
	SM_ST_PAYLOAD_ADD,
	SM_ST_REFS_ADD,
	SM_ST_DELIVERY_ADD,
	SM_ST_MAILBOX_GET,
	SM_ST_MAILBOX_RESERVE,
	SM_ST_PICK_UPTO,
	SM_ST_PICK_SEQ,
	SM_ST_PICK_OLD,
	SM_ST_DELIVERY_DROP,
	SM_ST_PAYLOAD_DROP,
	SM_ST_REFS_DEC,
	SM_ST_REFS_DROP,
	SM_ST_SENT_OLD,
	SM_ST_SESSIONS_OLD,
	SM_ST_INVITES_OLD,
	SM_ST_GET_ACCOUNT,
	SM_ST_GET_DEVICES,
	SM_ST_GET_SESSION,
	SM_ST_GET_SESSIONS,
	SM_ST_GET_ACCOUNTS,
	SM_ST_FETCH,
	SM_ST_GET_SENT,
	SM_ST_IDENTITY_DEVICE,
	SM_ST_DEVICE_SESSIONS,
	SM_ST_DEVICE_DROP,
	SM_ST_MAILBOX_DROP,
	SM_ST_DEAD_ADD,
	SM_ST_DEAD_GET,
	SM_ST_DEAD_DROP,
	SM_ST_SPK_GET,
	SM_ST_SPK_PUT,
	SM_ST_SPK_DROP,
	SM_ST_OPK_GET,
	SM_ST_OPK_ADD,
	SM_ST_OPK_TAKE,
	SM_ST_OPKS_COUNT,
	SM_ST_OPKS_DROP,
	SM_ST_OPK_HIGHEST,
	SM_ST_OPK_RAISE,
	SM_ST_LIST_GET,
	SM_ST_LIST_PUT,
	SM_ST_USER_KEY,
	SM_ST_WAITING_GET,
	SM_ST_WAITING_PUT,
	SM_ST_WAITING_DROP,
	SM_ST_WAITING_APPROVE,
	SM_ST_WAITING_CLEAR,
	SM_ST_WAITING_FORGET,
	SM_ST_WAITING_OLD,
	SM_ST_ENROLLMENT,
	SM_ST_GROUP_GET,
	SM_ST_GROUP_ADD,
	SM_ST_GROUP_PUT,
	SM_ST_GROUP_DROP,
	SM_ST_GROUP_COUNT,
	SM_ST_ROSTER_ADD,
	SM_ST_ROSTER_SAME,
	SM_ST_ROSTERS,
	SM_ST_ROSTERS_DROP,
	SM_ST_MEMBER_IDS,
	SM_ST_MEMBER_NAMES,
	SM_ST_MEMBER_HAS,
	SM_ST_MEMBER_ADD,
	SM_ST_MEMBER_DROP,
	SM_ST_GROUPS_OF,
	SM_ST_COUNT
};
_Static_assert(SM_ST_COUNT <= SM_STATEMENTS, "every statement has a place");

#endif
