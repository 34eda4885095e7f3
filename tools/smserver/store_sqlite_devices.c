/* Devices, their signed list, and those that wait to get into it. */
#include "store_sqlite.h"

#include "base/secret.h"
#include "crypto/hash.h"

#include <string.h>

enum sm_err sm_store_device_add(struct sm_store *s, int64_t account, uint32_t number, const uint8_t *pk, const char *label, int64_t now)
{
	sqlite3_stmt *st =
	        sm_db_stmt(&s->db, SM_ST_DEVICE_ADD, "INSERT INTO device(account,number,pk,fp,label,created) VALUES(?,?,?,?,?,?)");
	uint8_t fp[SM_FP_LEN];
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_sha256(fp, pk, 32);
	sm_bind_int(st, 1, account);
	sm_bind_int(st, 2, number);
	sm_bind_blob(st, 3, pk, 32);
	sm_bind_blob(st, 4, fp, sizeof fp);
	sm_bind_text(st, 5, label);
	sm_bind_int(st, 6, now);
	e = sm_db_do(st);
	if (!e)
		e = sm_db_one(&s->db, SM_ST_MAILBOX_ADD, "INSERT INTO mailbox(device,reserved_seq) VALUES(?,0)",
		              sqlite3_last_insert_rowid(s->db.h));
	return e == SM_ERR_EXISTS ? SM_ERR_BUG : e;
}

enum sm_err sm_store_device_drop(struct sm_store *s, int64_t device)
{
	enum sm_err e =
	        sm_db_one(&s->db, SM_ST_DEVICE_SESSIONS,
	                  "UPDATE session SET revoked=1 WHERE account=(SELECT account FROM device WHERE id=?1) AND device=?1", device);

	if (!e)
		e = sm_store_prekeys_drop(s, device);
	if (!e)
		e = sm_db_one(&s->db, SM_ST_MAILBOX_DROP, "DELETE FROM mailbox WHERE device=?", device);
	if (!e)
		e = sm_db_one(&s->db, SM_ST_DEVICE_DROP, "DELETE FROM device WHERE id=?", device);
	if (!e)
		e = sm_db_one(&s->db, SM_ST_DEAD_ADD, "INSERT INTO dead(mailbox) VALUES(?)", device);
	return e == SM_ERR_EXISTS ? SM_ERR_BUG : e;
}

static enum sm_err get_devices(struct sm_db *db, int64_t account, struct sm_device_row row[static SM_DEVICES_MAX], size_t *n)
{
	sqlite3_stmt *st =
	        sm_db_stmt(db, SM_ST_GET_DEVICES, "SELECT id,number,pk,label,created FROM device WHERE account=? ORDER BY number");
	enum sm_err e = SM_OK;
	size_t got = 0;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, account);
	while (got < SM_DEVICES_MAX && !(e = sm_db_row(st))) {
		row[got].id = sqlite3_column_int64(st, 0);
		row[got].number = (uint32_t)sqlite3_column_int64(st, 1);
		sm_db_blob(st, 2, row[got].pk, 32);
		sm_db_text(st, 3, row[got].label, sizeof row[got].label);
		row[got++].created = sqlite3_column_int64(st, 4);
	}
	if (!e)
		sm_db_done(st);
	if (e && e != SM_ERR_NOTFOUND)
		return e;
	*n = got;
	return SM_OK;
}

enum sm_err sm_reader_devices(struct sm_reader *r, int64_t account, struct sm_device_row row[static SM_DEVICES_MAX], size_t *n)
{
	return get_devices(&r->db, account, row, n);
}

enum sm_err sm_store_devices(struct sm_store *s, int64_t account, struct sm_device_row row[static SM_DEVICES_MAX], size_t *n)
{
	return get_devices(&s->db, account, row, n);
}

static enum sm_err get_list(struct sm_db *db, int64_t account, struct sm_list_row *row)
{
	sqlite3_stmt *st = sm_db_stmt(db, SM_ST_LIST_GET, "SELECT version,next,list FROM account WHERE id=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, account);
	e = sm_db_row(st);
	if (e)
		return e;
	row->version = (uint64_t)sqlite3_column_int64(st, 0);
	row->next = (uint32_t)sqlite3_column_int64(st, 1);
	sm_db_text(st, 2, row->text, sizeof row->text);
	sm_db_done(st);
	return SM_OK;
}

enum sm_err sm_store_list(struct sm_store *s, int64_t account, struct sm_list_row *row) { return get_list(&s->db, account, row); }
enum sm_err sm_reader_list(struct sm_reader *r, int64_t account, struct sm_list_row *row) { return get_list(&r->db, account, row); }

static enum sm_err get_waiting(struct sm_db *db, int64_t account, int64_t now, struct sm_waiting_row row[static SM_WAITING_MAX], size_t *n)
{
	sqlite3_stmt *st = sm_db_stmt(db, SM_ST_WAITING_GET,
	                              "SELECT id,pk,label,created,expires FROM waiting WHERE account=? AND approved=0 AND expires>?"
	                              " ORDER BY created,id LIMIT 4");
	enum sm_err e = SM_OK;
	size_t got = 0;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, account);
	sm_bind_int(st, 2, now);
	while (got < SM_WAITING_MAX && !(e = sm_db_row(st))) {
		sm_db_text(st, 0, row[got].id, sizeof row[got].id);
		sm_db_blob(st, 1, row[got].pk, 32);
		sm_db_text(st, 2, row[got].label, sizeof row[got].label);
		row[got].created = sqlite3_column_int64(st, 3);
		row[got++].expires = sqlite3_column_int64(st, 4);
	}
	if (!e)
		sm_db_done(st);
	if (e && e != SM_ERR_NOTFOUND)
		return e;
	*n = got;
	return SM_OK;
}

enum sm_err sm_reader_waiting(struct sm_reader *r, int64_t account, int64_t now, struct sm_waiting_row row[static SM_WAITING_MAX],
                              size_t *n)
{
	return get_waiting(&r->db, account, now, row, n);
}

enum sm_err sm_reader_enrollment(struct sm_reader *r, const char *id, int64_t now, bool *approved)
{
	sqlite3_stmt *st = sm_db_stmt(&r->db, SM_ST_ENROLLMENT, "SELECT approved FROM waiting WHERE id=? AND expires>?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, id);
	sm_bind_int(st, 2, now);
	e = sm_db_row(st);
	if (e)
		return e;
	*approved = sqlite3_column_int64(st, 0) != 0;
	sm_db_done(st);
	return SM_OK;
}

enum sm_err sm_store_waiting_forget(struct sm_store *s, int64_t account)
{
	return sm_db_one(&s->db, SM_ST_WAITING_FORGET, "DELETE FROM waiting WHERE account=? AND approved=0", account);
}

/* What a change is judged by, as the transaction sees it. */
struct present {
	struct sm_list_row list;
	uint8_t user[32];
	struct sm_device_row device[SM_DEVICES_MAX];
	size_t ndevice;
	struct sm_waiting_row waiting[SM_WAITING_MAX];
	size_t nwaiting;
};

static enum sm_err user_key(struct sm_store *s, int64_t account, uint8_t out[static 32])
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_USER_KEY, "SELECT pk FROM account WHERE id=?");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, account);
	e = sm_db_row(st);
	if (e)
		return e;
	sm_db_blob(st, 0, out, 32);
	sm_db_done(st);
	return SM_OK;
}

static enum sm_err load_present(struct sm_store *s, struct present *p, int64_t account, int64_t now)
{
	enum sm_err e = sm_store_list(s, account, &p->list);

	if (!e)
		e = user_key(s, account, p->user);
	if (!e)
		e = sm_store_devices(s, account, p->device, &p->ndevice);
	return e ? e : get_waiting(&s->db, account, now, p->waiting, &p->nwaiting);
}

static const struct sm_waiting_row *waits(const struct present *p, const struct sm_list_change *c, const uint8_t *pk)
{
	if (c->also && sm_equal(c->also->pk, pk, 32))
		return c->also;
	for (size_t i = 0; i < p->nwaiting; i++)
		if (sm_equal(p->waiting[i].pk, pk, 32))
			return &p->waiting[i];
	return NULL;
}

static const struct sm_device_row *device_numbered(const struct present *p, uint32_t number)
{
	for (size_t i = 0; i < p->ndevice; i++)
		if (p->device[i].number == number)
			return &p->device[i];
	return NULL;
}

/* Which of the list's devices are new, a bit each. */
static enum sm_list_outcome judge(const struct present *p, const struct sm_list_change *c, uint32_t *fresh)
{
	const struct sm_device_list *l = c->list;

	if (!sm_equal(l->user, p->user, 32))
		return SM_LIST_BAD;
	if (!strcmp(p->list.text, c->text))
		return SM_LIST_SAME;
	if (l->version != p->list.version + 1)
		return SM_LIST_STALE;
	*fresh = 0;
	for (size_t i = 0; i < l->n; i++) {
		const struct sm_device_row *d = device_numbered(p, l->device[i].number);
		if (d && !sm_equal(d->pk, l->device[i].pk, 32))
			return SM_LIST_BAD;
		if (d)
			continue;
		if (l->device[i].number < p->list.next)
			return SM_LIST_BAD;
		*fresh |= 1U << i;
	}
	for (size_t i = 0; i < l->n; i++)
		if (*fresh & 1U << i && !waits(p, c, l->device[i].pk))
			return SM_LIST_NOT_WAITING;
	return SM_LIST_STORED;
}

static enum sm_err put_list(struct sm_store *s, const struct sm_list_change *c, uint32_t next)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_LIST_PUT, "UPDATE account SET list=?,version=?,next=? WHERE id=?");

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, c->text);
	sm_bind_int(st, 2, (int64_t)c->list->version);
	sm_bind_int(st, 3, next);
	sm_bind_int(st, 4, c->account);
	return sm_db_do(st);
}

static enum sm_err approve(struct sm_store *s, const char *id, int64_t now)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_WAITING_APPROVE, "UPDATE waiting SET approved=1,expires=? WHERE id=?");

	if (!st)
		return SM_ERR_BUG;
	sm_bind_int(st, 1, now + SM_WAITING_SECONDS);
	sm_bind_text(st, 2, id);
	return sm_db_do(st);
}

static enum sm_err drop_gone(struct sm_store *s, struct sm_list_change *c, const struct present *p)
{
	enum sm_err e = SM_OK;

	c->ngone = 0;
	for (size_t i = 0; i < p->ndevice && !e; i++)
		if (!sm_device_list_number(c->list, p->device[i].number)) {
			c->gone[c->ngone++] = p->device[i].id;
			e = sm_store_device_drop(s, p->device[i].id);
		}
	return e;
}

static enum sm_err apply(struct sm_store *s, struct sm_list_change *c, const struct present *p, uint32_t fresh)
{
	const struct sm_device_list *l = c->list;
	uint32_t next = l->device[l->n - 1].number + 1;
	enum sm_err e = put_list(s, c, next > p->list.next ? next : p->list.next);

	if (!e)
		e = drop_gone(s, c, p);
	for (size_t i = 0; i < l->n && !e; i++) {
		const struct sm_waiting_row *w = fresh & 1U << i ? waits(p, c, l->device[i].pk) : NULL;
		if (!w)
			continue;
		e = sm_store_device_add(s, c->account, l->device[i].number, w->pk, w->label, c->now);
		if (!e)
			e = approve(s, w->id, c->now);
	}
	return e;
}

enum sm_err sm_store_list_put(struct sm_store *s, struct sm_list_change *c)
{
	struct present p;
	uint32_t fresh = 0;
	enum sm_err e = load_present(s, &p, c->account, c->now);

	if (e)
		return e;
	c->ngone = 0;
	/* The last number is never given out, so that there always is a next one. */
	c->outcome = c->list->device[c->list->n - 1].number == UINT32_MAX ? SM_LIST_BAD : judge(&p, c, &fresh);
	c->version = p.list.version;
	if (c->outcome != SM_LIST_STORED)
		return SM_OK;
	e = apply(s, c, &p, fresh);
	if (!e)
		c->version = c->list->version;
	return e;
}

static enum sm_err put_waiting(struct sm_store *s, int64_t account, const struct sm_waiting_row *w, bool approved)
{
	sqlite3_stmt *st = sm_db_stmt(&s->db, SM_ST_WAITING_DROP, "DELETE FROM waiting WHERE id=? OR (account=? AND pk=?)");
	enum sm_err e;

	if (!st)
		return SM_ERR_BUG;
	sm_bind_text(st, 1, w->id);
	sm_bind_int(st, 2, account);
	sm_bind_blob(st, 3, w->pk, 32);
	e = sm_db_do(st);
	st = sm_db_stmt(&s->db, SM_ST_WAITING_PUT,
	                "INSERT INTO waiting(id,account,pk,label,created,expires,approved) VALUES(?,?,?,?,?,?,?)");
	if (e || !st)
		return e ? e : SM_ERR_BUG;
	sm_bind_text(st, 1, w->id);
	sm_bind_int(st, 2, account);
	sm_bind_blob(st, 3, w->pk, 32);
	sm_bind_text(st, 4, w->label);
	sm_bind_int(st, 5, w->created);
	sm_bind_int(st, 6, w->expires);
	sm_bind_int(st, 7, approved);
	e = sm_db_do(st);
	return e == SM_ERR_EXISTS ? SM_ERR_BUG : e;
}

enum sm_err sm_store_enroll(struct sm_store *s, int64_t account, struct sm_waiting_row *w, struct sm_list_change *list,
                            enum sm_enroll_outcome *outcome)
{
	struct present p;
	size_t i;
	enum sm_err e = load_present(s, &p, account, w->created);

	if (e)
		return e;
	for (i = 0; i < p.ndevice && !sm_equal(p.device[i].pk, w->pk, 32); i++)
		;
	if (i < p.ndevice) {
		*outcome = SM_ENROLL_KNOWN;
		return SM_OK;
	}
	for (i = 0; i < p.nwaiting && !sm_equal(p.waiting[i].pk, w->pk, 32); i++)
		;
	*outcome = SM_ENROLL_WAITS;
	if (i < p.nwaiting)
		memcpy(w->id, p.waiting[i].id, sizeof w->id);
	else if (!list && p.nwaiting == SM_WAITING_MAX) {
		*outcome = SM_ENROLL_TOO_MANY;
		return SM_OK;
	}
	if (list) {
		e = sm_store_list_put(s, list);
		if (e || list->outcome != SM_LIST_STORED)
			return e;
	}
	return put_waiting(s, account, w, list != NULL);
}
