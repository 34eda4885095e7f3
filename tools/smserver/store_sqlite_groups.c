/* Groups: the chain of rosters as text, and of the present one what routing needs: epoch, hash and members. */
#include "store_sqlite.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_COLUMNS "g.id,g.name,g.title,g.epoch,g.hash"

static void group_row(sqlite3_stmt *st, struct sm_group_row *g)
{
	g->id = sqlite3_column_int64(st, 0);
	sm_db_text(st, 1, g->group, sizeof g->group);
	sm_db_text(st, 2, g->name, sizeof g->name);
	g->epoch = (uint64_t)sqlite3_column_int64(st, 3);
	sm_db_blob(st, 4, g->hash, sizeof g->hash);
}

static enum sm_err get_group(struct sm_db *db, const char *group, struct sm_group_row *row)
{
	sqlite3_stmt *st = sm_db_stmt(db, SM_ST_GROUP_GET, "SELECT " GROUP_COLUMNS " FROM grp AS g WHERE g.name=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, group);
	e = sm_db_row(st);
	if (e)
		return e;
	group_row(st, row);
	sm_db_done(st);
	return SM_OK;
}

enum sm_err sm_reader_group(struct sm_reader *r, const char *group, struct sm_group_row *row) { return get_group(&r->db, group, row); }

static enum sm_err has_member(struct sm_db *db, int64_t group, int64_t account)
{
	sqlite3_stmt *st = sm_db_stmt(db, SM_ST_MEMBER_HAS, "SELECT 1 FROM member WHERE grp=? AND account=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, group);
	sm_bind_int(st, 2, account);
	e = sm_db_row(st);
	if (!e)
		sm_db_done(st);
	return e;
}

enum sm_err sm_reader_group_has(struct sm_reader *r, int64_t group, int64_t account) { return has_member(&r->db, group, account); }

enum sm_err sm_reader_group_members(struct sm_reader *r, int64_t group, bool (*fn)(void *ctx, const char *name), void *ctx)
{
	sqlite3_stmt *st = sm_db_stmt(&r->db, SM_ST_MEMBER_NAMES,
	                              "SELECT a.name FROM member AS m JOIN account AS a ON a.id=m.account WHERE m.grp=? ORDER BY a.name");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, group);
	while (!(e = sm_db_row(st))) {
		char name[SM_NAME_MAX + 1];
		sm_db_text(st, 0, name, sizeof name);
		if (!fn(ctx, name)) {
			sm_db_done(st);
			return SM_OK;
		}
	}
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

enum sm_err sm_reader_groups(struct sm_reader *r, int64_t account, bool (*fn)(void *ctx, const struct sm_group_row *), void *ctx)
{
	sqlite3_stmt *st =
	        sm_db_stmt(&r->db, SM_ST_GROUPS_OF,
	                   "SELECT " GROUP_COLUMNS " FROM member AS m JOIN grp AS g ON g.id=m.grp WHERE m.account=? ORDER BY g.id");
	struct sm_group_row row;
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, account);
	while (!(e = sm_db_row(st))) {
		group_row(st, &row);
		if (!fn(ctx, &row)) {
			sm_db_done(st);
			return SM_OK;
		}
	}
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

enum sm_err sm_reader_rosters(struct sm_reader *r, int64_t group, uint64_t after,
                              bool (*fn)(void *ctx, uint64_t epoch, const char *text, size_t n), void *ctx)
{
	sqlite3_stmt *st = sm_db_stmt(&r->db, SM_ST_ROSTERS, "SELECT epoch,text FROM roster WHERE grp=? AND epoch>? ORDER BY epoch");
	enum sm_err e;

	if (!st || after > INT64_MAX)
		return st ? SM_OK : SM_ERR_BUG;
	sm_bind_int(st, 1, group);
	sm_bind_int(st, 2, (int64_t)after);
	while (!(e = sm_db_row(st))) {
		const char *text = (const char *)sqlite3_column_text(st, 1);
		if (!text) {
			sm_db_done(st);
			return SM_ERR_NOMEM;
		}
		if (!fn(ctx, (uint64_t)sqlite3_column_int64(st, 0), text, (size_t)sqlite3_column_bytes(st, 1))) {
			sm_db_done(st);
			return SM_OK;
		}
	}
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

/* Is this the roster that the group has for that epoch? */
static enum sm_err has_roster(struct sm_store *s, int64_t group, const struct sm_group_change *c, bool *same)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_ROSTER_SAME, "SELECT 1 FROM roster WHERE grp=? AND epoch=? AND text=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, group);
	sm_bind_int(st, 2, (int64_t)c->row.epoch);
	(void)sqlite3_bind_text64(st, 3, c->text, c->n, SQLITE_STATIC, SQLITE_UTF8);
	e = sm_db_row(st);
	if (!e)
		sm_db_done(st);
	*same = !e;
	return e == SM_ERR_NOTFOUND ? SM_OK : e;
}

static enum sm_err add_roster(struct sm_store *s, int64_t group, const struct sm_group_change *c)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_ROSTER_ADD, "INSERT INTO roster(grp,epoch,at,text) VALUES(?,?,?,?)");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, group);
	sm_bind_int(st, 2, (int64_t)c->row.epoch);
	sm_bind_int(st, 3, c->now);
	(void)sqlite3_bind_text64(st, 4, c->text, c->n, SQLITE_STATIC, SQLITE_UTF8);
	e = sm_db_do(st);
	return e == SM_ERR_EXISTS ? SM_ERR_BUG : e;
}

static enum sm_err change_member(struct sm_store *s, int64_t group, int64_t account, bool add)
{
	sqlite3_stmt *st = add ? sm_db_stmt(&s->db, SM_ST_MEMBER_ADD, "INSERT INTO member(grp,account) VALUES(?,?)")
	                       : sm_db_stmt(&s->db, SM_ST_MEMBER_DROP, "DELETE FROM member WHERE grp=? AND account=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, group);
	sm_bind_int(st, 2, account);
	e = sm_db_do(st);
	return e == SM_ERR_EXISTS ? SM_ERR_BUG : e;
}

/* The accounts that are members, ascending. *out is from malloc. */
static enum sm_err member_ids(struct sm_store *s, int64_t group, int64_t **out, size_t *n)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_MEMBER_IDS, "SELECT account FROM member WHERE grp=? ORDER BY account");
	int64_t *p = NULL, *more;
	size_t got = 0, cap = 0;
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, group);
	while (!(e = sm_db_row(st))) {
		if (got == cap) {
			more = realloc(p, (cap += 256) * sizeof *p);
			if (!more) {
				sm_db_done(st);
				free(p);
				return SM_ERR_NOMEM;
			}
			p = more;
		}
		p[got++] = sqlite3_column_int64(st, 0);
	}
	if (e != SM_ERR_NOTFOUND) {
		free(p);
		return e;
	}
	*out = p;
	*n = got;
	return SM_OK;
}

/* From the members there are to those of the change: both ascend. */
static enum sm_err put_members(struct sm_store *s, int64_t group, const struct sm_group_change *c)
{
	int64_t *have = NULL;
	size_t n = 0, i = 0, j = 0;
	enum sm_err e = member_ids(s, group, &have, &n);

	while (!e && (i < n || j < c->nmember)) {
		if (i < n && j < c->nmember && have[i] == c->member[j])
			i++, j++;
		else if (j == c->nmember || (i < n && have[i] < c->member[j]))
			e = change_member(s, group, have[i++], false);
		else
			e = change_member(s, group, c->member[j++], true);
	}
	free(have);
	return e;
}

static enum sm_err count_made(struct sm_store *s, int64_t maker, int64_t *n)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_GROUP_COUNT, "SELECT count(*) FROM grp WHERE maker=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, maker);
	e = sm_db_row(st);
	if (e)
		return e;
	*n = sqlite3_column_int64(st, 0);
	sm_db_done(st);
	return SM_OK;
}

static enum sm_err make_group(struct sm_store *s, struct sm_group_change *c, int64_t *group)
{
	int64_t made = 0;
	enum sm_err e = count_made(s, c->maker, &made);
	sqlite3_stmt *st;

	if (e)
		return e;
	if (made >= SM_GROUPS_MAX) {
		c->outcome = SM_GROUP_TOO_MANY;
		return SM_OK;
	}
	st = sm_db_stmt(&s->db, SM_ST_GROUP_ADD, "INSERT INTO grp(name,title,epoch,hash,maker) VALUES(?,?,?,?,?)");
	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, c->row.group);
	sm_bind_text(st, 2, c->row.name);
	sm_bind_int(st, 3, (int64_t)c->row.epoch);
	sm_bind_blob(st, 4, c->row.hash, 32);
	sm_bind_int(st, 5, c->maker);
	e = sm_db_do(st);
	if (!e)
		*group = sqlite3_last_insert_rowid(s->db.h);
	return e == SM_ERR_EXISTS ? SM_ERR_BUG : e;
}

static enum sm_err advance_group(struct sm_store *s, int64_t group, const struct sm_group_change *c)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_GROUP_PUT, "UPDATE grp SET title=?,epoch=?,hash=? WHERE id=?");

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, c->row.name);
	sm_bind_int(st, 2, (int64_t)c->row.epoch);
	sm_bind_blob(st, 3, c->row.hash, 32);
	sm_bind_int(st, 4, group);
	return sm_db_do(st);
}

/* A group that is there: may the change be made to it? */
static enum sm_err judge(struct sm_store *s, struct sm_group_change *c, const struct sm_group_row *now)
{
	bool same = false;
	enum sm_err e = has_roster(s, now->id, c, &same);

	if (e)
		return e;
	if (same)
		c->outcome = SM_GROUP_SAME;
	else if (c->row.epoch == 1)
		c->outcome = SM_GROUP_EXISTS;
	else if (c->row.epoch != now->epoch + 1 || !sm_equal(c->previous, now->hash, 32))
		c->outcome = SM_GROUP_STALE;
	return SM_OK;
}

enum sm_err sm_store_group_put(struct sm_store *s, struct sm_group_change *c)
{
	struct sm_group_row now = {0};
	enum sm_err e = get_group(&s->db, c->row.group, &now);

	c->outcome = SM_GROUP_STORED;
	if (e && (e != SM_ERR_NOTFOUND || c->row.epoch != 1))
		return e;
	e = e ? make_group(s, c, &now.id) : judge(s, c, &now);
	c->epoch = now.epoch;
	if (e || c->outcome != SM_GROUP_STORED)
		return e;
	if (c->row.epoch > 1)
		e = advance_group(s, now.id, c);
	if (!e)
		e = add_roster(s, now.id, c);
	if (!e)
		e = put_members(s, now.id, c);
	if (!e)
		c->epoch = c->row.epoch;
	return e;
}

enum sm_err sm_store_group_end(struct sm_store *s, const char *group, int64_t account, enum sm_group_outcome *outcome)
{
	struct sm_group_row now;
	int64_t *member = NULL;
	size_t n = 0;
	enum sm_err e = get_group(&s->db, group, &now);

	if (!e)
		e = has_member(&s->db, now.id, account);
	if (!e)
		e = member_ids(s, now.id, &member, &n);
	free(member);
	if (e)
		return e;
	if (n > 1) {
		*outcome = SM_GROUP_NOT_ALONE;
		return SM_OK;
	}
	*outcome = SM_GROUP_STORED;
	e = change_member(s, now.id, account, false);
	if (!e)
		e = sm_db_one(&s->db, SM_ST_ROSTERS_DROP, "DELETE FROM roster WHERE grp=?", now.id);
	return e ? e : sm_db_one(&s->db, SM_ST_GROUP_DROP, "DELETE FROM grp WHERE id=?", now.id);
}
