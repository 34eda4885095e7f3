/* What the event loops read: short transactions on a connection of their own, one statement each. */
#include "store_sqlite.h"

#include <string.h>

#define ACCOUNT_COLUMNS "id,name,created,changed,disabled,pk,salt,t,m,stored_key,server_key"

static void account_row(sqlite3_stmt *st, struct sm_account_row *a)
{
	a->id = sqlite3_column_int64(st, 0);
	sm_db_text(st, 1, a->name, sizeof a->name);
	a->created = sqlite3_column_int64(st, 2);
	a->changed = sqlite3_column_int64(st, 3);
	a->disabled = sqlite3_column_int64(st, 4) != 0;
	sm_db_blob(st, 5, a->pk, sizeof a->pk);
	sm_db_blob(st, 6, a->salt, sizeof a->salt);
	a->t = (uint32_t)sqlite3_column_int64(st, 7);
	a->m = (uint32_t)sqlite3_column_int64(st, 8);
	sm_db_blob(st, 9, a->stored_key, sizeof a->stored_key);
	sm_db_blob(st, 10, a->server_key, sizeof a->server_key);
}

enum sm_err sm_reader_account(struct sm_reader *r, const char *name, struct sm_account_row *row)
{
	sqlite3_stmt *st = sm_db_stmt(&r->db, SM_ST_GET_ACCOUNT, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE name=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, name);
	e = sm_db_row(st);
	if (e)
		return e;
	account_row(st, row);
	sm_db_done(st);
	return SM_OK;
}

#define SESSION_COLUMNS                                                                                                                    \
	"s.sid,s.account,s.device,s.created,s.used,s.expires,s.revoked,s.generation,s.current,s.previous,a.name,d.number FROM session AS " \
	"s"                                                                                                                                \
	" JOIN account AS a ON a.id=s.account LEFT JOIN device AS d ON d.id=s.device"

static void session_row(sqlite3_stmt *st, struct sm_session_row *s)
{
	sm_db_text(st, 0, s->sid, sizeof s->sid);
	s->account = sqlite3_column_int64(st, 1);
	s->device = sqlite3_column_int64(st, 2);
	s->created = sqlite3_column_int64(st, 3);
	s->used = sqlite3_column_int64(st, 4);
	s->expires = sqlite3_column_int64(st, 5);
	s->revoked = sqlite3_column_int64(st, 6) != 0;
	s->generation = (uint32_t)sqlite3_column_int64(st, 7);
	sm_db_blob(st, 8, s->current, 32);
	sm_db_blob(st, 9, s->previous, 32);
	sm_db_text(st, 10, s->user, sizeof s->user);
	s->number = (uint32_t)sqlite3_column_int64(st, 11);
}

static enum sm_err get_session(struct sm_db *db, const char *sid, struct sm_session_row *row)
{
	sqlite3_stmt *st = sm_db_stmt(db, SM_ST_GET_SESSION, "SELECT " SESSION_COLUMNS " WHERE s.sid=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, sid);
	e = sm_db_row(st);
	if (e)
		return e;
	session_row(st, row);
	sm_db_done(st);
	return SM_OK;
}

enum sm_err sm_reader_session(struct sm_reader *r, const char *sid, struct sm_session_row *row) { return get_session(&r->db, sid, row); }
enum sm_err sm_store_session(struct sm_store *s, const char *sid, struct sm_session_row *row) { return get_session(&s->db, sid, row); }

enum sm_err sm_reader_sessions(struct sm_reader *r, int64_t account, int64_t now, bool (*fn)(void *ctx, const struct sm_session_row *),
                               void *ctx)
{
	sqlite3_stmt *st =
	        sm_db_stmt(&r->db, SM_ST_GET_SESSIONS,
	                   "SELECT " SESSION_COLUMNS " WHERE s.account=? AND s.revoked=0 AND s.expires>? ORDER BY s.created, s.sid");
	struct sm_session_row row;
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, account);
	sm_bind_int(st, 2, now);
	while (!(e = sm_db_row(st))) {
		session_row(st, &row);
		if (!fn(ctx, &row)) {
			sm_db_done(st);
			return SM_OK;
		}
	}
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

enum sm_err sm_reader_accounts(struct sm_reader *r, const char *after, size_t limit, bool (*fn)(void *ctx, const struct sm_account_row *),
                               void *ctx)
{
	sqlite3_stmt *st =
	        sm_db_stmt(&r->db, SM_ST_GET_ACCOUNTS, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE name>? ORDER BY name LIMIT ?");
	struct sm_account_row row;
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, after);
	sm_bind_int(st, 2, (int64_t)limit);
	while (!(e = sm_db_row(st))) {
		account_row(st, &row);
		if (!fn(ctx, &row)) {
			sm_db_done(st);
			return SM_OK;
		}
	}
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

enum sm_err sm_reader_fetch(struct sm_reader *r, int64_t mailbox, uint64_t after, size_t limit,
                            bool (*fn)(void *ctx, const struct sm_message_row *), void *ctx)
{
	sqlite3_stmt *st = sm_db_stmt(&r->db, SM_ST_FETCH,
	                              "SELECT d.seq,p.received,p.body FROM delivery AS d JOIN payload AS p ON p.id=d.payload"
	                              " WHERE d.mailbox=? AND d.seq>? ORDER BY d.seq LIMIT ?");
	enum sm_err e;

	if (!st || after > INT64_MAX)
		return st ? SM_OK : SM_ERR_BUG;
	sm_bind_int(st, 1, mailbox);
	sm_bind_int(st, 2, (int64_t)after);
	sm_bind_int(st, 3, (int64_t)limit);
	while (!(e = sm_db_row(st))) {
		const struct sm_message_row m = {.seq = (uint64_t)sqlite3_column_int64(st, 0),
		                                 .received = sqlite3_column_int64(st, 1),
		                                 .body = sqlite3_column_blob(st, 2),
		                                 .n = (size_t)sqlite3_column_bytes(st, 2)};
		if (!fn(ctx, &m)) {
			sm_db_done(st);
			return SM_OK;
		}
	}
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}
