/* Pins. The row's `trust` is what it was before a change; `seen` not NULL is what makes it CHANGED, and goes away when the pinned key is
 * seen again or the new one is accepted. */
#include "store/contacts.h"

#include "store/sql.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS "address, identity, trust, seen, pinned"

/* Parsing an identity is a pure function of its text, and checking a point on the curve costs more than the row: the last few are kept.
 * Nothing of what they are pinned to is, so there is nothing here that could be out of date. */
#define PARSED 16
struct sm_parsed {
	size_t next;
	struct {
		char text[sizeof((struct sm_contact *)0)->seen];
		struct sm_public pub;
	} entry[PARSED];
};

static enum sm_err parse(struct sm_public *pub, struct sm_db *db, const char *text)
{
	struct sm_parsed *p = db->parsed;
	enum sm_err e;
	for (size_t i = 0; p && i < PARSED; i++) {
		if (*p->entry[i].text && !strcmp(p->entry[i].text, text)) {
			*pub = p->entry[i].pub;
			return SM_OK;
		}
	}
	e = sm_public_parse(pub, text, strlen(text));
	if (e != SM_OK || (!p && !(p = db->parsed = calloc(1, sizeof(*p)))))
		return e;
	size_t at = p->next++ % PARSED;
	memcpy(p->entry[at].text, text, strlen(text) + 1);
	p->entry[at].pub = *pub;
	return SM_OK;
}

static enum sm_err read_row(struct sm_contact *c, struct sm_db *db, sqlite3_stmt *q)
{
	struct sm_contact r = {0};
	struct sm_public seen;
	char identity[sizeof(r.seen)];
	if (!sm_sql_get_text(q, 0, r.address, sizeof(r.address)) || !sm_sql_get_text(q, 1, identity, sizeof(identity)))
		return SM_ERR_FORMAT;
	if (parse(&r.pub, db, identity) != SM_OK)
		return SM_ERR_FORMAT;
	r.trust = sqlite3_column_int(q, 2) == SM_TRUST_VERIFIED ? SM_TRUST_VERIFIED : SM_TRUST_UNVERIFIED;
	r.pinned = sqlite3_column_int64(q, 4);
	if (sqlite3_column_type(q, 3) != SQLITE_NULL) {
		if (!sm_sql_get_text(q, 3, r.seen, sizeof(r.seen)) || parse(&seen, db, r.seen) != SM_OK)
			return SM_ERR_FORMAT;
		r.trust = SM_TRUST_CHANGED;
		r.has_seen = true;
		memcpy(r.seen_fp, seen.fp, SM_FP_LEN);
	}
	*c = r;
	return SM_OK;
}

static enum sm_err one(struct sm_contact *c, struct sm_db *db, sqlite3_stmt *q)
{
	bool row = false;
	enum sm_err e = sm_sql_step(db, q, &row);
	if (e == SM_OK)
		e = row ? read_row(c, db, q) : SM_ERR_NOTFOUND;
	sm_sql_done(q);
	return e;
}

enum sm_err sm_contact_get(struct sm_contact *c, struct sm_db *db, const char *address)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT " COLUMNS " FROM contact WHERE address = ?1");
	if (e != SM_OK)
		return e;
	sm_sql_text(q, 1, address);
	return one(c, db, q);
}

enum sm_err sm_contact_by_fp(struct sm_contact *c, struct sm_db *db, const uint8_t fp[static SM_FP_LEN])
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT " COLUMNS " FROM contact WHERE fp = ?1 ORDER BY address LIMIT 1");
	if (e != SM_OK)
		return e;
	sm_sql_blob(q, 1, fp, SM_FP_LEN);
	return one(c, db, q);
}

static enum sm_err insert(struct sm_db *db, const char *address, const char *identity, const struct sm_public *pub, int64_t now)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db,
	                               "INSERT INTO contact (address, identity, fp, trust, seen, pinned) VALUES (?1, ?2, ?3, ?4, NULL, ?5) "
	                               "ON CONFLICT (address) DO UPDATE SET identity = ?2, fp = ?3, trust = ?4, seen = NULL, pinned = ?5");
	sm_sql_text(q, 1, address);
	sm_sql_text(q, 2, identity);
	sm_sql_blob(q, 3, pub->fp, SM_FP_LEN);
	sm_sql_int(q, 4, SM_TRUST_UNVERIFIED);
	sm_sql_int(q, 5, now);
	return sm_sql_run(db, q, e, NULL);
}

/* identity NULL: the pinned key was seen, all is well again. */
static enum sm_err set_seen(struct sm_db *db, const char *address, const char *identity)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "UPDATE contact SET seen = ?2 WHERE address = ?1");
	sm_sql_text(q, 1, address);
	if (identity)
		sm_sql_text(q, 2, identity);
	return sm_sql_run(db, q, e, NULL);
}

/* Inside a write transaction. *changed: another key than the pinned one, recorded. */
static enum sm_err pin_locked(struct sm_db *db, const char *address, const char *identity, const struct sm_public *pub, int64_t now,
                              bool *added, bool *changed)
{
	struct sm_contact c;
	enum sm_err e = sm_contact_get(&c, db, address);
	*added = e == SM_ERR_NOTFOUND;
	*changed = e == SM_OK && !sm_equal(c.pub.fp, pub->fp, SM_FP_LEN);
	if (*added)
		return insert(db, address, identity, pub, now);
	if (e == SM_OK && *changed)
		return set_seen(db, address, identity);
	if (e == SM_OK && c.has_seen)
		return set_seen(db, address, NULL);
	return e;
}

/* The usual case, the same key as ever, needs no write lock. */
static bool already_pinned(struct sm_db *db, const char *address, const struct sm_public *pub)
{
	struct sm_contact c;
	return sm_contact_get(&c, db, address) == SM_OK && !c.has_seen && sm_equal(c.pub.fp, pub->fp, SM_FP_LEN);
}

enum sm_err sm_contact_pin(struct sm_db *db, const char *address, const struct sm_public *pub, int64_t now, bool *added)
{
	struct sm_buf identity;
	const char *text;
	bool fresh = false, changed = false;
	enum sm_err e = SM_OK;
	sm_buf_init(&identity, SM_PUBLIC_LINE_MAX);
	if (already_pinned(db, address, pub))
		goto out;
	e = sm_public_format(&identity, pub);
	if (e == SM_OK && !(text = sm_buf_str(&identity)))
		e = SM_ERR_NOMEM;
	if (e == SM_OK)
		e = sm_db_begin(db);
	if (e != SM_OK)
		goto out;
	e = pin_locked(db, address, text, pub, now, &fresh, &changed);
	if (e == SM_OK)
		e = sm_db_commit(db);
	if (e != SM_OK)
		sm_db_rollback(db);
	else if (changed)
		e = SM_ERR_CHANGED;
out:
	sm_buf_release(&identity);
	if (e == SM_OK && added)
		*added = fresh;
	return e;
}

static enum sm_err accept_locked(struct sm_db *db, const char *address, const uint8_t fp[static SM_FP_LEN], int64_t now)
{
	struct sm_contact c;
	struct sm_public seen;
	enum sm_err e = sm_contact_get(&c, db, address);
	if (e != SM_OK)
		return e;
	if (!c.has_seen)
		return sm_equal(c.pub.fp, fp, SM_FP_LEN) ? SM_OK : SM_ERR_POLICY;
	if (!sm_equal(c.seen_fp, fp, SM_FP_LEN))
		return SM_ERR_POLICY;
	e = sm_public_parse(&seen, c.seen, strlen(c.seen));
	return e == SM_OK ? insert(db, address, c.seen, &seen, now) : e;
}

enum sm_err sm_contact_accept(struct sm_db *db, const char *address, const uint8_t fp[static SM_FP_LEN], int64_t now)
{
	enum sm_err e = sm_db_begin(db);
	if (e != SM_OK)
		return e;
	e = accept_locked(db, address, fp, now);
	if (e == SM_OK)
		e = sm_db_commit(db);
	if (e != SM_OK)
		sm_db_rollback(db);
	return e;
}

static enum sm_err set_trust(struct sm_db *db, const char *address, enum sm_trust trust)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "UPDATE contact SET trust = ?2 WHERE address = ?1");
	sm_sql_text(q, 1, address);
	sm_sql_int(q, 2, trust);
	return sm_sql_run(db, q, e, NULL);
}

enum sm_err sm_contact_set_verified(struct sm_db *db, const char *address, const uint8_t fp[static SM_FP_LEN])
{
	struct sm_contact c;
	enum sm_err e = sm_db_begin(db);
	if (e != SM_OK)
		return e;
	e = sm_contact_get(&c, db, address);
	if (e == SM_OK && (c.has_seen || !sm_equal(c.pub.fp, fp, SM_FP_LEN)))
		e = SM_ERR_CHANGED;
	if (e == SM_OK)
		e = set_trust(db, address, SM_TRUST_VERIFIED);
	if (e == SM_OK)
		e = sm_db_commit(db);
	if (e != SM_OK)
		sm_db_rollback(db);
	return e;
}

static enum sm_err insert_new(struct sm_db *db, const char *address, const struct sm_public *pub, int64_t now)
{
	struct sm_buf identity;
	const char *text = NULL;
	sm_buf_init(&identity, SM_PUBLIC_LINE_MAX);
	enum sm_err e = sm_public_format(&identity, pub);
	if (e == SM_OK && !(text = sm_buf_str(&identity)))
		e = SM_ERR_NOMEM;
	if (e == SM_OK)
		e = insert(db, address, text, pub, now);
	sm_buf_release(&identity);
	return e;
}

enum sm_err sm_contact_merge(struct sm_db *db, const char *address, const struct sm_public *pub, bool verified, int64_t now, bool *added)
{
	struct sm_contact c;
	enum sm_err e = sm_contact_get(&c, db, address);
	bool fresh = e == SM_ERR_NOTFOUND;
	if (e == SM_OK && !sm_equal(c.pub.fp, pub->fp, SM_FP_LEN))
		return SM_ERR_CHANGED;
	if (fresh)
		e = insert_new(db, address, pub, now);
	if (e == SM_OK && verified && (fresh || !c.has_seen))
		e = set_trust(db, address, SM_TRUST_VERIFIED);
	if (e == SM_OK)
		*added = fresh;
	return e;
}

enum sm_err sm_contact_remove(struct sm_db *db, const char *address)
{
	sqlite3_stmt *q;
	int changes = 0;
	enum sm_err e = sm_sql_prepare(&q, db, "DELETE FROM contact WHERE address = ?1");
	sm_sql_text(q, 1, address);
	e = sm_sql_run(db, q, e, &changes);
	return e == SM_OK && !changes ? SM_ERR_NOTFOUND : e;
}

enum sm_err sm_contact_each(struct sm_db *db, sm_contact_fn *fn, void *ctx)
{
	struct sm_contact c;
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT " COLUMNS " FROM contact ORDER BY address");
	while (e == SM_OK && (e = sm_sql_step(db, q, &row)) == SM_OK && row) {
		e = read_row(&c, db, q);
		if (e == SM_OK)
			e = fn(ctx, &c);
	}
	sm_sql_done(q);
	return e;
}
