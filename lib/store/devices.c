/* Device lists: the signed text, and an index of the fingerprints in it. Who puts a list has verified it; what may replace what is
 * decided here, under the write lock, so that two processes cannot undo each other. */
#include "store/devices.h"

#include "store/sql.h"

#include <string.h>

/* An implied list has no text: its one device is the user key. */
static enum sm_err read_row(struct sm_device_list *l, struct sm_db *db, const char *address)
{
	struct sm_device_list r;
	struct sm_address parsed;
	uint8_t user[SM_PK_LEN];
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT user, text FROM device_list WHERE address = ?1");
	sm_sql_text(q, 1, address);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && !row)
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK && !sm_sql_get_exact(q, 0, user, sizeof(user)))
		e = SM_ERR_FORMAT;
	if (e == SM_OK && sqlite3_column_type(q, 1) == SQLITE_NULL) {
		e = sm_address_parse(&parsed, address, strlen(address));
		if (e == SM_OK)
			sm_device_list_implied(&r, &parsed, user);
	} else if (e == SM_OK) {
		struct sm_span text = sm_sql_get_blob(q, 1);
		e = sm_device_list_parse(&r, (const char *)text.p, text.n);
		if (e == SM_OK && (strcmp(r.address.text, address) != 0 || memcmp(r.user, user, SM_PK_LEN) != 0))
			e = SM_ERR_FORMAT;
	}
	sm_sql_done(q);
	if (e == SM_OK)
		*l = r;
	return e == SM_ERR_SIGNATURE ? SM_ERR_FORMAT : e;
}

enum sm_err sm_devices_get(struct sm_device_list *l, struct sm_db *db, const char *address) { return read_row(l, db, address); }

enum sm_err sm_devices_of(struct sm_device_list *l, struct sm_db *db, const struct sm_address *address,
                          const uint8_t user[static SM_PK_LEN])
{
	struct sm_device_list r;
	enum sm_err e = read_row(&r, db, address->text);
	if (e != SM_OK && e != SM_ERR_NOTFOUND)
		return e;
	if (e == SM_ERR_NOTFOUND || memcmp(r.user, user, SM_PK_LEN) != 0)
		sm_device_list_implied(l, address, user);
	else
		*l = r;
	return SM_OK;
}

/* What is stored for the same user key, or nothing. SM_ERR_POLICY when l may not follow it. */
static enum sm_err compare(bool *same, struct sm_db *db, const struct sm_device_list *l)
{
	struct sm_device_list known;
	enum sm_err e = read_row(&known, db, l->address.text);
	*same = false;
	if (e == SM_ERR_NOTFOUND || (e == SM_OK && memcmp(known.user, l->user, SM_PK_LEN) != 0))
		return SM_OK;
	if (e != SM_OK)
		return e;
	if (known.version && !l->version)
		return SM_ERR_POLICY;
	*same = known.version == l->version;
	return known.version || l->version ? sm_device_list_follows(&known, l) : SM_OK;
}

static enum sm_err insert_list(struct sm_db *db, const struct sm_device_list *l, const char *text, size_t n)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "INSERT OR REPLACE INTO device_list (address, user, version, text) VALUES (?1, ?2, ?3, ?4)");
	sm_sql_text(q, 1, l->address.text);
	sm_sql_blob(q, 2, l->user, SM_PK_LEN);
	sm_sql_int(q, 3, (int64_t)l->version);
	if (l->version)
		sm_sql_blob(q, 4, text, n);
	return sm_sql_run(db, q, e, NULL);
}

static enum sm_err insert_devices(struct sm_db *db, const struct sm_device_list *l)
{
	sqlite3_stmt *q;
	enum sm_err e = sm_sql_prepare(&q, db, "DELETE FROM listed_device WHERE address = ?1");
	sm_sql_text(q, 1, l->address.text);
	e = sm_sql_run(db, q, e, NULL);
	for (size_t i = 0; e == SM_OK && i < l->n; i++) {
		e = sm_sql_prepare(&q, db, "INSERT INTO listed_device (fp, address) VALUES (?1, ?2)");
		sm_sql_blob(q, 1, l->device[i].fp, SM_FP_LEN);
		sm_sql_text(q, 2, l->address.text);
		e = sm_sql_run(db, q, e, NULL);
	}
	return e;
}

static enum sm_err put_locked(struct sm_db *db, const struct sm_device_list *l, const char *text, size_t n, bool *same)
{
	enum sm_err e = compare(same, db, l);
	if (e != SM_OK || *same)
		return e;
	e = insert_list(db, l, text, n);
	return e == SM_OK ? insert_devices(db, l) : e;
}

enum sm_err sm_devices_put(struct sm_db *db, const struct sm_device_list *l, const char *text, size_t n, bool *changed)
{
	bool same = false;
	if (!l->version != !text || l->version > INT64_MAX || n > SM_DEVICES_TEXT_MAX)
		return SM_ERR_BUG;
	/* The usual case, the same list as ever, needs no write lock. */
	enum sm_err e = compare(&same, db, l);
	if (e == SM_OK && !same) {
		e = sm_db_begin(db);
		if (e != SM_OK)
			return e;
		e = put_locked(db, l, text, n, &same);
		if (e == SM_OK)
			e = sm_db_commit(db);
		if (e != SM_OK)
			sm_db_rollback(db);
	}
	if (e == SM_OK && changed)
		*changed = !same;
	return e;
}

/* One address, or SM_ERR_POLICY where there are several: a list is its account's own claim, and may name a device of somebody else's. */
static enum sm_err address_of(char *address, size_t room, struct sm_db *db, const uint8_t fp[static SM_FP_LEN])
{
	sqlite3_stmt *q;
	bool row = false;
	enum sm_err e = sm_sql_prepare(&q, db, "SELECT address FROM listed_device WHERE fp = ?1");
	sm_sql_blob(q, 1, fp, SM_FP_LEN);
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && !row)
		e = SM_ERR_NOTFOUND;
	if (e == SM_OK && !sm_sql_get_text(q, 0, address, room))
		e = SM_ERR_FORMAT;
	if (e == SM_OK)
		e = sm_sql_step(db, q, &row);
	if (e == SM_OK && row)
		e = SM_ERR_POLICY;
	sm_sql_done(q);
	return e;
}

enum sm_err sm_devices_by_fp(struct sm_device_list *l, struct sm_db *db, const uint8_t fp[static SM_FP_LEN])
{
	char address[SM_ADDRESS_MAX + 1];
	enum sm_err e = address_of(address, sizeof(address), db, fp);
	return e == SM_OK ? read_row(l, db, address) : e;
}
