/* Accounts, devices, invites and sessions. */
#include "store_sqlite.h"

#include <string.h>

static enum sm_err use_invite(struct sm_store *s, const struct sm_registration *r)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_INVITE_GET, "SELECT name FROM invite WHERE hash=? AND uses>0 AND expires>?");
	enum sm_err e;
	const char *only;
	bool fits;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_blob(st, 1, r->invite, 32);
	sm_bind_int(st, 2, r->now);
	e = sm_db_row(st);
	if (e)
		return e == SM_ERR_NOTFOUND ? SM_ERR_DENIED : e;
	only = (const char *)sqlite3_column_text(st, 0);
	fits = !only || !strcmp(only, r->name);
	sm_db_done(st);
	return fits ? SM_OK : SM_ERR_DENIED;
}

static enum sm_err count_invite(struct sm_store *s, const uint8_t *hash)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_INVITE_USE, "UPDATE invite SET uses=uses-1 WHERE hash=?");

	if (!st)
		return SM_ERR_BUG;
	sm_bind_blob(st, 1, hash, 32);
	return sm_db_do(st);
}

static enum sm_err add_account(struct sm_store *s, const struct sm_registration *r)
{
	sqlite3_stmt *st = sm_db_stmt(
	        &s->db, SM_ST_ACCOUNT_ADD,
	        "INSERT INTO account(name,created,changed,pk,salt,t,m,stored_key,server_key) VALUES(?1,?2,?2,?3,?4,?5,?6,?7,?8)");

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, r->name);
	sm_bind_int(st, 2, r->now);
	sm_bind_blob(st, 3, r->pk, 32);
	sm_bind_blob(st, 4, r->salt, 16);
	sm_bind_int(st, 5, r->t);
	sm_bind_int(st, 6, r->m);
	sm_bind_blob(st, 7, r->stored_key, 32);
	sm_bind_blob(st, 8, r->server_key, 32);
	return sm_db_do(st);
}

enum sm_err sm_store_register(struct sm_store *s, const struct sm_registration *r)
{
	/* The invite comes first: without one, nothing is said about which names are taken. */
	enum sm_err e = r->invite ? use_invite(s, r) : SM_OK;

	if (!e)
		e = add_account(s, r);
	if (!e)
		e = sm_store_device_add(s, sqlite3_last_insert_rowid(s->db.h), 1, r->pk, r->label, r->now);
	if (!e && r->invite)
		e = count_invite(s, r->invite);
	return e;
}

enum sm_err sm_store_invite_add(struct sm_store *s, const uint8_t hash[static 32], const char *name, uint32_t uses, int64_t expires)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_INVITE_ADD, "INSERT INTO invite(hash,name,uses,expires) VALUES(?,?,?,?)");

	if (!st)
		return SM_ERR_BUG;
	sm_bind_blob(st, 1, hash, 32);
	if (name)
		sm_bind_text(st, 2, name);
	sm_bind_int(st, 3, uses);
	sm_bind_int(st, 4, expires);
	return sm_db_do(st);
}

enum sm_err sm_store_account_enable(struct sm_store *s, const char *name, bool enabled)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_ACCOUNT_ENABLE, "UPDATE account SET disabled=? WHERE name=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, !enabled);
	sm_bind_text(st, 2, name);
	e = sm_db_do(st);
	if (!e && sqlite3_changes(s->db.h) == 0)
		e = SM_ERR_NOTFOUND;
	if (e || enabled)
		return e;
	st = sm_db_stmt(&s->db, SM_ST_ACCOUNT_REVOKE, "UPDATE session SET revoked=1 WHERE account=(SELECT id FROM account WHERE name=?)");
	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, name);
	return sm_db_do(st);
}

/* Every device of the account but this one. */
static enum sm_err drop_others(struct sm_store *s, int64_t account, int64_t device)
{
	struct sm_device_row row[SM_DEVICES_MAX];
	size_t n = 0;
	enum sm_err e = sm_store_devices(s, account, row, &n);

	for (size_t i = 0; i < n && !e; i++)
		if (row[i].id != device)
			e = sm_store_device_drop(s, row[i].id);
	return e;
}

static enum sm_err put_key(struct sm_store *s, int64_t account, int64_t device, const uint8_t *pk, const uint8_t *fp, int64_t now)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_ACCOUNT_KEY, "UPDATE account SET pk=?,changed=?,list=NULL,version=0,next=2 WHERE id=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_blob(st, 1, pk, 32);
	sm_bind_int(st, 2, now);
	sm_bind_int(st, 3, account);
	e = sm_db_do(st);
	st = sm_db_stmt(&s->db, SM_ST_DEVICE_KEY, "UPDATE device SET pk=?,fp=?,number=1 WHERE id=? AND account=?");
	if (e || !st)
		return e ? e : SM_ERR_BUG;
	sm_bind_blob(st, 1, pk, 32);
	sm_bind_blob(st, 2, fp, 32);
	sm_bind_int(st, 3, device);
	sm_bind_int(st, 4, account);
	e = sm_db_do(st);
	return !e && sqlite3_changes(s->db.h) == 0 ? SM_ERR_NOTFOUND : e;
}

enum sm_err sm_store_identity_put(struct sm_store *s, int64_t account, int64_t device, const char *sid, const uint8_t pk[static 32],
                                  const uint8_t fp[static 32], int64_t now)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_IDENTITY_DEVICE, "SELECT 1 FROM device WHERE id=? AND account=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, device);
	sm_bind_int(st, 2, account);
	e = sm_db_row(st);
	if (e)
		return e;
	sm_db_done(st);
	e = drop_others(s, account, device);
	if (!e)
		e = put_key(s, account, device, pk, fp, now);
	if (!e)
		e = sm_store_prekeys_drop(s, device);
	if (!e)
		e = sm_db_one(&s->db, SM_ST_WAITING_CLEAR, "DELETE FROM waiting WHERE account=?", account);
	return e ? e : sm_store_session_revoke_others(s, account, sid);
}

enum sm_err sm_store_session_add(struct sm_store *s, const struct sm_session_row *row, const uint8_t pk[static 32])
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_SESSION_ADD,
	                              "INSERT INTO session(sid,account,device,created,used,expires,generation,current,previous)"
	                              " SELECT ?1,?2,?3,?4,?4,?5,?6,?7,?8 FROM account AS a JOIN device AS d ON d.account=a.id"
	                              " WHERE a.id=?2 AND a.disabled=0 AND d.id=?3 AND d.pk=?9");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, row->sid);
	sm_bind_int(st, 2, row->account);
	sm_bind_int(st, 3, row->device);
	sm_bind_int(st, 4, row->created);
	sm_bind_int(st, 5, row->expires);
	sm_bind_int(st, 6, row->generation);
	sm_bind_blob(st, 7, row->current, 32);
	sm_bind_blob(st, 8, row->previous, 32);
	sm_bind_blob(st, 9, pk, 32);
	e = sm_db_do(st);
	return !e && sqlite3_changes(s->db.h) == 0 ? SM_ERR_NOTFOUND : e;
}

enum sm_err sm_store_session_refresh(struct sm_store *s, const char *sid, uint32_t generation, const uint8_t previous[static 32],
                                     const uint8_t current[static 32], uint32_t next_generation, int64_t now, int64_t expires)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_SESSION_REFRESH,
	                              "UPDATE session SET previous=?3,current=?4,generation=?5,used=?6,expires=?7"
	                              " WHERE sid=?1 AND generation=?2 AND revoked=0 AND (current=?3 OR previous=?3)");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, sid);
	sm_bind_int(st, 2, generation);
	sm_bind_blob(st, 3, previous, 32);
	sm_bind_blob(st, 4, current, 32);
	sm_bind_int(st, 5, next_generation);
	sm_bind_int(st, 6, now);
	sm_bind_int(st, 7, expires);
	e = sm_db_do(st);
	return !e && sqlite3_changes(s->db.h) == 0 ? SM_ERR_CONFLICT : e;
}

enum sm_err sm_store_session_revoke(struct sm_store *s, int64_t account, const char *sid)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_SESSION_REVOKE, "UPDATE session SET revoked=1 WHERE sid=? AND account=? AND revoked=0");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, sid);
	sm_bind_int(st, 2, account);
	e = sm_db_do(st);
	return !e && sqlite3_changes(s->db.h) == 0 ? SM_ERR_NOTFOUND : e;
}

enum sm_err sm_store_session_revoke_others(struct sm_store *s, int64_t account, const char *keep)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_REVOKE_OTHERS, "UPDATE session SET revoked=1 WHERE account=? AND sid<>?");

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, account);
	sm_bind_text(st, 2, keep);
	return sm_db_do(st);
}
